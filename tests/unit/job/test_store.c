/* SPDX-License-Identifier: MIT */
#include "job/store.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/front/memory.h"
#include "tests/unit/net/fake_file.h"
#include "tests/unit/unit.h"

/* What the store has told. */
static struct told {
	unsigned n_room, n_finished, n_faults, n_closed;
	struct fault fault;
} told;

static void on_room(struct store *store)
{
	ck_assert(!store_is_full(store));
	told.n_room++;
}

static void on_finished(struct store *store)
{
	told.n_finished++;
}

static void on_fault(struct store *store, const struct fault *fault)
{
	told.n_faults++;
	told.fault = *fault;
}

static void on_closed(struct store *store)
{
	ck_assert(!store->is_open);
	told.n_closed++;
}

static const struct store_events events = {
	.on_room = on_room,
	.on_finished = on_finished,
	.on_fault = on_fault,
	.on_closed = on_closed,
};

#define HELD_MAX 10000000

static struct ring *ring;
static size_t held_bytes;
static struct store_common common;
static struct store store;
static struct descriptor descriptor;

static void begin(const char *text)
{
	ring = fake_ring_begin();
	held_bytes = 0;
	store_common_init(&common, ring, &held_bytes, HELD_MAX);
	told = (struct told){0};
	store_init(&store, &events);
	descriptor = (struct descriptor){.fd = fake_file(text)};
}

static void open_at(uint64_t offset)
{
	struct fault fault;

	ck_assert(store_open(&store, &common, &descriptor, offset, &fault));
}

static void end(void)
{
	ck_assert(!store.is_open);
	ck_assert_ptr_null(store.memory[0]);
	ck_assert_ptr_null(store.memory[1]);
	ck_assert_uint_eq(held_bytes, 0);
	ring_close_passed(ring, descriptor.fd);
	fake_ring_end();
}

static void take(const char *text)
{
	ck_assert(store_take(&store, text, strlen(text)));
}

static void assert_content(const char *text)
{
	ck_assert_msg(text_is(fake_content(descriptor.fd), text), "\"%.*s\" is not \"%s\"",
		TEXT_ARGS(fake_content(descriptor.fd)), text);
}

static const struct finish_case {
	const char *before;
	uint64_t position, offset;
	const char *pieces[3];
	const char *after;
	uint64_t written;
} finish_cases[] = {
	{"", 0, 0, {"hello"}, "hello", 5},
	{"", 0, 0, {"hello", " ", "world"}, "hello world", 11},
	{"", 0, 0, {NULL}, "", 0},
	{"", 0, 0, {""}, "", 0},
	/* What was there is gone. */
	{"a long text", 0, 0, {"hello"}, "hello", 5},
	{"a long text", 0, 0, {NULL}, "", 0},
	{"short", 0, 0, {"and longer"}, "and longer", 10},
	/* From where the descriptor stands, and where an earlier attempt stopped. */
	{"keep this", 5, 0, {"it"}, "keep it", 2},
	{"keep this", 9, 0, {"!"}, "keep this!", 1},
	{"hello", 0, 5, {" world"}, "hello world", 11},
	{"head:hello, all", 5, 5, {" world"}, "head:hello world", 11},
	{"head:hello, all", 5, 5, {NULL}, "head:hello", 5},
};

START_TEST(the_file_holds_what_was_taken_and_no_more)
{
	for (size_t i = 0; i < sizeof(finish_cases) / sizeof(finish_cases[0]); i++) {
		const struct finish_case *at = &finish_cases[i];

		begin(at->before);
		fake_look(descriptor.fd)->position = at->position;
		open_at(at->offset);
		for (size_t k = 0; k < 3 && at->pieces[k]; k++)
			take(at->pieces[k]);
		store_finish(&store);
		ck_assert_uint_eq(told.n_finished, 0);
		fake_run();
		ck_assert_uint_eq(told.n_finished, 1);
		ck_assert_uint_eq(told.n_faults + told.n_room, 0);
		assert_content(at->after);
		ck_assert(store_close(&store));
		ck_assert(store_close(&store));
		ck_assert_uint_eq(store_written(&store), at->written);
		end();
	}
}
END_TEST

START_TEST(one_write_is_in_flight_at_a_time)
{
	begin("");
	fake_holds.files = true;
	open_at(0);
	take("one ");
	take("two ");
	take("three");
	ck_assert_uint_eq(fake_n_flights(FAKE_WRITE), 1);
	ck_assert_uint_eq(fake_find(FAKE_WRITE, -1)->size, 4);
	fake_complete(FAKE_WRITE, descriptor.fd, 4);
	/* What came meanwhile goes in one. */
	ck_assert_uint_eq(fake_n_flights(FAKE_WRITE), 1);
	ck_assert_uint_eq(fake_find(FAKE_WRITE, -1)->size, 9);
	ck_assert_uint_eq(store_written(&store), 4);
	fake_complete(FAKE_WRITE, descriptor.fd, 9);
	ck_assert_uint_eq(fake_n_flights(FAKE_WRITE), 0);
	take("!");
	store_finish(&store);
	fake_complete(FAKE_WRITE, descriptor.fd, 1);
	ck_assert_uint_eq(told.n_finished, 1);
	assert_content("one two three!");
	ck_assert(store_close(&store));
	end();
}
END_TEST

START_TEST(short_and_interrupted_writes_go_on)
{
	static const int results[] = {1, -EINTR, 2, -EINTR, -EINTR, 3, 5};

	begin("");
	fake_holds.files = true;
	open_at(0);
	take("abcdef");
	take("ghijk");
	store_finish(&store);
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		fake_complete(FAKE_WRITE, descriptor.fd, results[i]);
	ck_assert_uint_eq(told.n_finished, 1);
	assert_content("abcdefghijk");
	ck_assert(store_close(&store));
	end();
}
END_TEST

static const struct error_case {
	int result;
	enum fault_code code;
	const char *message;
} error_cases[] = {
	{-ENOSPC, FAULT_SINK_FULL, "No space left on device"},
	{-EDQUOT, FAULT_SINK_FULL, "Disk quota exceeded"},
	{-EFBIG, FAULT_SINK_FULL, "File too large"},
	{-EIO, FAULT_SINK_WRITE, "Input/output error"},
	{-EPERM, FAULT_SINK_WRITE, "Operation not permitted"},
	{-EAGAIN, FAULT_SINK_WRITE, "Resource temporarily unavailable"},
	{0, FAULT_SINK_WRITE, "Input/output error"},
};

START_TEST(a_write_that_fails_is_a_fault)
{
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]) * 2; i++) {
		const struct error_case *at = &error_cases[i / 2];

		begin("");
		fake_holds.files = true;
		open_at(0);
		take("abc");
		take("def");
		if (i % 2)
			store_finish(&store);
		fake_complete(FAKE_WRITE, descriptor.fd, 2);
		fake_complete(FAKE_WRITE, descriptor.fd, at->result);
		ck_assert_uint_eq(told.n_faults, 1);
		ck_assert_int_eq(told.fault.code, at->code);
		ck_assert_str_eq(told.fault.message, at->message);
		ck_assert_uint_eq(store_written(&store), 2);
		/* Who has not heard of it yet. */
		if (i % 2 == 0) {
			take("ghi");
			store_finish(&store);
		}
		fake_run();
		ck_assert_uint_eq(told.n_faults, 1);
		ck_assert_uint_eq(told.n_finished, 0);
		ck_assert(store_close(&store));
		end();
	}
}
END_TEST

START_TEST(a_file_that_cannot_be_cut_off_is_a_fault)
{
	begin("a long text");
	fake_holds.files = true;
	open_at(0);
	store_finish(&store);
	fake_run();
	fake_complete(FAKE_TRUNCATE, descriptor.fd, -EPERM);
	ck_assert_uint_eq(told.n_faults, 1);
	ck_assert_int_eq(told.fault.code, FAULT_SINK_WRITE);
	ck_assert_uint_eq(told.n_finished, 0);
	ck_assert(store_close(&store));
	end();
}
END_TEST

static void take_letters(size_t size)
{
	char *text = malloc(size);

	memset(text, 'x', size);
	ck_assert(store_take(&store, text, size));
	free(text);
}

START_TEST(it_is_full_where_a_buffer_waits_behind_another)
{
	begin("");
	fake_holds.files = true;
	open_at(0);
	ck_assert(!store_is_full(&store));
	/* The first one goes at once, however large. */
	take_letters(1000 * 1000);
	ck_assert(!store_is_full(&store));
	take_letters(256 * 1024 - 1);
	ck_assert(!store_is_full(&store));
	take_letters(1);
	ck_assert(store_is_full(&store));
	/* More is taken all the same. */
	take_letters(300 * 1000);
	ck_assert(store_is_full(&store));
	fake_complete(FAKE_WRITE, descriptor.fd, 1000);
	ck_assert(store_is_full(&store));
	ck_assert_uint_eq(told.n_room, 0);
	fake_complete(FAKE_WRITE, descriptor.fd, 999 * 1000);
	ck_assert(!store_is_full(&store));
	ck_assert_uint_eq(told.n_room, 1);
	fake_holds.files = false;
	store_finish(&store);
	fake_run();
	ck_assert_uint_eq(told.n_room, 1);
	ck_assert_uint_eq(told.n_finished, 1);
	ck_assert_uint_eq(fake_content(descriptor.fd).size, 1300 * 1000 + 256 * 1024);
	ck_assert(store_close(&store));
	end();
}
END_TEST

START_TEST(a_small_body_takes_little_memory)
{
	begin("");
	open_at(0);
	ck_assert_uint_eq(store.capacities[0] + store.capacities[1], 0);
	take("hello");
	ck_assert_uint_le(held_bytes, 4096);
	ck_assert_uint_gt(held_bytes, 0);
	fake_run();
	/* Nothing of it waits. */
	ck_assert_uint_eq(held_bytes, 0);
	take_letters(100 * 1000);
	ck_assert_uint_le(held_bytes, 128 * 1024);
	ck_assert_uint_ge(held_bytes, 100 * 1000);
	fake_run();
	ck_assert_uint_eq(held_bytes, 0);
	ck_assert(store_close(&store));
	end();
}
END_TEST

START_TEST(what_it_has_is_counted)
{
	begin("");
	fake_holds.files = true;
	fake_holds.cancels = true;
	open_at(0);
	for (int i = 0; i < 40; i++) {
		take_letters(10 * 1000);
		ck_assert_uint_eq(held_bytes, store.capacities[0] + store.capacities[1]);
		ck_assert_uint_ge(held_bytes, 10 * 1000 * ((size_t)i + 1));
	}
	fake_complete(FAKE_WRITE, descriptor.fd, 5000);
	ck_assert_uint_ge(held_bytes, 395 * 1000);
	/* Until the kernel has nothing of it any more. */
	ck_assert(!store_close(&store));
	ck_assert_uint_ge(held_bytes, 395 * 1000);
	fake_complete(FAKE_WRITE, descriptor.fd, -ECANCELED);
	end();
}
END_TEST

/* Others have three quarters of what bodies may have. */
static void make_tight(void)
{
	held_bytes += HELD_MAX / 4 * 3 + 1;
}

static void make_wide(void)
{
	held_bytes -= HELD_MAX / 4 * 3 + 1;
}

START_TEST(near_to_the_bound_it_is_full_with_one_piece)
{
	begin("");
	fake_holds.files = true;
	open_at(0);
	make_tight();
	ck_assert(!store_is_full(&store));
	take("hello");
	ck_assert(store_is_full(&store));
	/* No more than that. */
	ck_assert_uint_eq(store.capacities[0] + store.capacities[1], 5);
	fake_complete(FAKE_WRITE, descriptor.fd, 2);
	ck_assert(store_is_full(&store));
	ck_assert_uint_eq(told.n_room, 0);
	fake_complete(FAKE_WRITE, descriptor.fd, 3);
	ck_assert(!store_is_full(&store));
	ck_assert_uint_eq(told.n_room, 1);
	take(" world");
	/* What came all the same. */
	take(", and all");
	fake_complete(FAKE_WRITE, descriptor.fd, 6);
	ck_assert_uint_eq(store.capacities[0] + store.capacities[1], 9);
	ck_assert(store_is_full(&store));
	fake_complete(FAKE_WRITE, descriptor.fd, 9);
	ck_assert_uint_eq(told.n_room, 2);
	make_wide();
	take("!");
	ck_assert(!store_is_full(&store));
	store_finish(&store);
	fake_complete(FAKE_WRITE, descriptor.fd, 1);
	ck_assert_uint_eq(told.n_finished, 1);
	assert_content("hello world, and all!");
	ck_assert(store_close(&store));
	end();
}
END_TEST

START_TEST(beyond_the_bound_it_takes_a_piece_and_no_more)
{
	begin("");
	fake_holds.files = true;
	open_at(0);
	held_bytes = HELD_MAX - 3;
	take("hello");
	ck_assert(!store_take(&store, " world", 6));
	held_bytes -= 8;
	take(" world");
	ck_assert(!store_take(&store, "!", 1));
	held_bytes -= HELD_MAX - 11;
	fake_complete(FAKE_WRITE, descriptor.fd, 5);
	fake_complete(FAKE_WRITE, descriptor.fd, 6);
	ck_assert(store_close(&store));
	assert_content("hello world");
	end();
}
END_TEST

/* What an operation that is being cancelled may come to. */
static const int cancel_results[] = {-ECANCELED, -EINTR, -ENOSPC, 0, 3};

START_TEST(closing_waits_for_a_write_in_flight)
{
	for (size_t i = 0; i < sizeof(cancel_results) / sizeof(cancel_results[0]) * 2; i++) {
		int result = cancel_results[i / 2];

		begin("");
		fake_holds.files = true;
		fake_holds.cancels = true;
		open_at(0);
		take("hello");
		take("world");
		if (i % 2)
			store_finish(&store);
		ck_assert(!store_close(&store));
		ck_assert(!store_close(&store));
		fake_run();
		ck_assert_uint_eq(told.n_closed, 0);
		fake_complete(FAKE_WRITE, descriptor.fd, result);
		ck_assert_uint_eq(told.n_closed, 1);
		ck_assert_uint_eq(told.n_faults + told.n_finished, 0);
		ck_assert_uint_eq(store_written(&store), result > 0 ? 3 : 0);
		ck_assert(store_close(&store));
		end();
	}
}
END_TEST

START_TEST(closing_waits_for_the_file_being_cut_off)
{
	for (int result = -1; result <= 0; result++) {
		begin("a long text");
		fake_holds.files = true;
		fake_holds.cancels = true;
		open_at(0);
		store_finish(&store);
		fake_run();
		ck_assert(!store_close(&store));
		fake_complete(FAKE_TRUNCATE, descriptor.fd, result);
		ck_assert_uint_eq(told.n_closed, 1);
		ck_assert_uint_eq(told.n_faults + told.n_finished, 0);
		end();
	}
}
END_TEST

START_TEST(closed_before_it_could_finish_it_says_nothing)
{
	begin("");
	open_at(0);
	store_finish(&store);
	ck_assert(store_close(&store));
	fake_run();
	ck_assert_uint_eq(told.n_finished, 0);
	end();
}
END_TEST

static const struct refuse_case {
	struct ring_file file;
	const char *why;
} refuse_cases[] = {
	{{.kind = RING_FILE_OTHER, .can_write = true}, "the descriptor is not a file"},
	{{.kind = RING_FILE_PIPE, .can_write = true}, "the descriptor is not a file"},
	{{.kind = RING_FILE_REGULAR, .can_read = true}, "the descriptor is not open for writing"},
	{{.kind = RING_FILE_REGULAR, .can_write = true, .appends = true},
		"the descriptor is open for appending"},
};

START_TEST(what_cannot_be_written_is_refused)
{
	for (size_t i = 0; i < sizeof(refuse_cases) / sizeof(refuse_cases[0]); i++) {
		struct fault fault;

		begin("");
		*fake_look(descriptor.fd) = refuse_cases[i].file;
		ck_assert(!store_open(&store, &common, &descriptor, 0, &fault));
		ck_assert_int_eq(fault.code, FAULT_SINK_WRITE);
		ck_assert_str_eq(fault.message, refuse_cases[i].why);
		ck_assert(store_close(&store));
		end();
	}
}
END_TEST

START_TEST(without_memory_nothing_is_taken)
{
	begin("");
	open_at(0);
	memory_fail_bytes(4096);
	ck_assert(!store_take(&store, "hello", 5));
	ck_assert(memory_has_failed());
	take("hello");
	memory_fail_bytes(4096);
	ck_assert(!store_take(&store, "world", 5));
	ck_assert(memory_has_failed());
	fake_run();
	assert_content("hello");
	ck_assert(store_close(&store));
	end();
}
END_TEST

UNIT_MAIN("job/store", &the_file_holds_what_was_taken_and_no_more,
	&one_write_is_in_flight_at_a_time, &short_and_interrupted_writes_go_on,
	&a_write_that_fails_is_a_fault, &a_file_that_cannot_be_cut_off_is_a_fault,
	&it_is_full_where_a_buffer_waits_behind_another, &a_small_body_takes_little_memory,
	&what_it_has_is_counted, &near_to_the_bound_it_is_full_with_one_piece,
	&beyond_the_bound_it_takes_a_piece_and_no_more, &closing_waits_for_a_write_in_flight,
	&closing_waits_for_the_file_being_cut_off, &closed_before_it_could_finish_it_says_nothing,
	&what_cannot_be_written_is_refused, &without_memory_nothing_is_taken)
