/* SPDX-License-Identifier: MIT */
#include "job/source.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/front/memory.h"
#include "tests/unit/net/fake_file.h"
#include "tests/unit/unit.h"

/* What the source has told. */
static struct told {
	unsigned n_pieces, n_faults, n_closed;
	struct buffer bytes;
	bool is_last;
	struct fault fault;
} told;

static void on_piece(struct source *source, struct text piece, bool is_last)
{
	ck_assert(!told.is_last);
	ck_assert(piece.size > 0 || is_last);
	told.n_pieces++;
	told.is_last = is_last;
	buffer_append_text(&told.bytes, piece);
}

static void on_fault(struct source *source, const struct fault *fault)
{
	told.n_faults++;
	told.fault = *fault;
}

static void on_closed(struct source *source)
{
	ck_assert(!source->is_open);
	told.n_closed++;
}

static const struct source_events events = {
	.on_piece = on_piece, .on_fault = on_fault, .on_closed = on_closed};

static struct ring *ring;
static struct source source;
static struct descriptor descriptor;

static void begin(void)
{
	ring = fake_ring_begin();
	told = (struct told){0};
	buffer_init(&told.bytes, SIZE_MAX);
	source_init(&source, &events);
}

static void open_on(int fd)
{
	struct fault fault;

	descriptor = (struct descriptor){.fd = fd};
	ck_assert(source_open(&source, ring, &descriptor, &fault));
}

static void end(void)
{
	ck_assert(!source.is_open);
	ck_assert_ptr_null(source.memory);
	buffer_deinit(&told.bytes);
	ring_close_passed(ring, descriptor.fd);
	fake_ring_end();
}

/* Pieces until the last one. */
static void read_all(void)
{
	for (int i = 0; !told.is_last && told.n_faults == 0; i++) {
		ck_assert_int_lt(i, 1000);
		source_next(&source);
		fake_run();
	}
}

static char *letters(size_t size)
{
	char *text = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + i % 23);
	text[size] = '\0';
	return text;
}

static const struct file_case {
	size_t size;
	uint64_t position, length;
	unsigned n_pieces;
} file_cases[] = {
	{0, 0, 0, 1},
	{1, 0, 1, 1},
	{1000, 0, 1000, 1},
	{1000, 400, 600, 1},
	{1000, 1000, 0, 1},
	{1000, 5000, 0, 1},
	{256 * 1024, 0, 256 * 1024, 1},
	{256 * 1024 + 1, 0, 256 * 1024 + 1, 2},
	{1000 * 1000, 3, 999997, 4},
};

START_TEST(a_file_is_read_from_where_it_stands_to_its_end)
{
	for (size_t i = 0; i < sizeof(file_cases) / sizeof(file_cases[0]); i++) {
		const struct file_case *at = &file_cases[i];
		char *text = letters(at->size);
		int fd;

		begin();
		fd = fake_file(text);
		fake_look(fd)->position = at->position;
		open_on(fd);
		ck_assert_uint_eq(source_length(&source), at->length);
		ck_assert(source_can_rewind(&source));
		read_all();
		ck_assert_uint_eq(told.n_pieces, at->n_pieces);
		ck_assert_uint_eq(told.bytes.size, at->length);
		if (at->length > 0)
			ck_assert_mem_eq(told.bytes.data, text + at->position, at->length);
		ck_assert(source_close(&source));
		ck_assert(!descriptor.is_spent);
		free(text);
		end();
	}
}
END_TEST

START_TEST(a_file_can_be_read_again)
{
	begin();
	open_on(fake_file("hello"));
	for (int i = 0; i < 3; i++) {
		struct fault fault;

		read_all();
		ck_assert(text_is(buffer_text(&told.bytes), "hello"));
		ck_assert(source_close(&source));
		buffer_clear(&told.bytes);
		told.is_last = false;
		ck_assert(source_open(&source, ring, &descriptor, &fault));
	}
	ck_assert(source_close(&source));
	ck_assert(source_close(&source));
	end();
}
END_TEST

START_TEST(nothing_is_read_before_it_is_asked_for)
{
	begin();
	open_on(fake_file("hello"));
	fake_run();
	ck_assert_ptr_null(fake_find(FAKE_READ, descriptor.fd));
	source_next(&source);
	ck_assert_uint_eq(told.n_pieces, 0);
	fake_run();
	ck_assert_uint_eq(told.n_pieces, 1);
	ck_assert(source_close(&source));
	end();
}
END_TEST

/* Lengths of the reads, as the kernel has it. */
START_TEST(short_reads_are_pieces_of_their_own)
{
	static const int results[] = {1, -EINTR, 2, -EINTR, -EINTR, 3};

	begin();
	open_on(fake_file("abcdef"));
	fake_holds.files = true;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (op_is_idle(&source.op))
			source_next(&source);
		fake_complete(FAKE_READ, descriptor.fd, results[i]);
	}
	ck_assert(told.is_last);
	ck_assert_uint_eq(told.n_pieces, 3);
	ck_assert(text_is(buffer_text(&told.bytes), "abcdef"));
	ck_assert(source_close(&source));
	end();
}
END_TEST

static const struct change_case {
	const char *text, *bytes;
	const char *fault;
} change_cases[] = {
	/* It was "0123456789". */
	{"0123456789 and more", "0123456789", NULL},
	{"01234", "01234", "the file has become shorter"},
	{"", "", "the file has become shorter"},
};

START_TEST(as_many_bytes_are_given_as_were_promised)
{
	for (size_t i = 0; i < sizeof(change_cases) / sizeof(change_cases[0]); i++) {
		const struct change_case *at = &change_cases[i];

		begin();
		open_on(fake_file("0123456789"));
		fake_change(descriptor.fd, at->text);
		read_all();
		ck_assert(text_is(buffer_text(&told.bytes), at->bytes));
		ck_assert_int_eq(told.is_last, !at->fault);
		ck_assert_uint_eq(told.n_faults, at->fault ? 1 : 0);
		if (at->fault) {
			ck_assert_int_eq(told.fault.code, FAULT_BODY_SOURCE);
			ck_assert_str_eq(told.fault.message, at->fault);
		}
		ck_assert(source_close(&source));
		end();
	}
	/* An empty one that has grown. */
	begin();
	open_on(fake_file(""));
	fake_change(descriptor.fd, "late");
	read_all();
	ck_assert_uint_eq(told.bytes.size, 0);
	ck_assert(source_close(&source));
	end();
}
END_TEST

START_TEST(a_read_that_fails_is_a_fault)
{
	static const int errors[] = {EIO, EBADF, EINVAL, ENOMEM, EAGAIN, ESTALE};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		begin();
		open_on(i % 2 ? fake_file("hello") : fake_pipe());
		fake_holds.files = true;
		source_next(&source);
		fake_complete(FAKE_READ, descriptor.fd, -errors[i]);
		ck_assert_uint_eq(told.n_faults, 1);
		ck_assert_int_eq(told.fault.code, FAULT_BODY_SOURCE);
		ck_assert_str_eq(told.fault.message, strerrordesc_np(errors[i]));
		ck_assert(source_close(&source));
		end();
	}
}
END_TEST

START_TEST(a_pipe_gives_what_comes_until_it_ends)
{
	begin();
	open_on(fake_pipe());
	ck_assert(source_length(&source) == SOURCE_LENGTH_OPEN);
	source_next(&source);
	fake_run();
	ck_assert_uint_eq(told.n_pieces, 0);
	/* Nothing is gone yet. */
	ck_assert(source_can_rewind(&source));
	fake_feed(descriptor.fd, "hello ");
	ck_assert(!source_can_rewind(&source));
	ck_assert_uint_eq(told.n_pieces, 1);
	ck_assert(!told.is_last);
	source_next(&source);
	fake_complete(FAKE_READ, descriptor.fd, -EINTR);
	fake_feed(descriptor.fd, "world");
	source_next(&source);
	fake_complete(FAKE_READ, descriptor.fd, 0);
	ck_assert(told.is_last);
	ck_assert_uint_eq(told.n_pieces, 3);
	ck_assert(text_is(buffer_text(&told.bytes), "hello world"));
	ck_assert(source_close(&source));
	ck_assert(descriptor.is_spent);
	end();
}
END_TEST

START_TEST(a_pipe_that_ends_at_once_is_empty)
{
	begin();
	open_on(fake_pipe());
	source_next(&source);
	fake_complete(FAKE_READ, descriptor.fd, 0);
	ck_assert(told.is_last);
	ck_assert_uint_eq(told.bytes.size, 0);
	ck_assert(source_close(&source));
	end();
}
END_TEST

static bool can_open_again(void)
{
	struct source second;
	struct fault fault;

	source_init(&second, &events);
	if (source_open(&second, ring, &descriptor, &fault)) {
		ck_assert(source_close(&second));
		return true;
	}
	ck_assert_int_eq(fault.code, FAULT_BODY_SOURCE);
	ck_assert_str_eq(fault.message, "the pipe was read from already, and what it gave is gone");
	return false;
}

START_TEST(a_pipe_is_spent_by_who_has_read_of_it)
{
	begin();
	open_on(fake_pipe());
	ck_assert(source_close(&source));
	/* Nothing was read. */
	ck_assert(can_open_again());
	open_on(descriptor.fd);
	source_next(&source);
	ck_assert(!source_close(&source));
	fake_run();
	ck_assert_uint_eq(told.n_closed, 1);
	ck_assert(can_open_again());
	/* Its end takes nothing, either. */
	open_on(descriptor.fd);
	source_next(&source);
	fake_complete(FAKE_READ, descriptor.fd, 0);
	ck_assert(source_can_rewind(&source));
	ck_assert(source_close(&source));
	told.is_last = false;
	ck_assert(can_open_again());
	open_on(descriptor.fd);
	source_next(&source);
	fake_feed(descriptor.fd, "x");
	ck_assert(source_close(&source));
	ck_assert(!can_open_again());
	end();
}
END_TEST

START_TEST(what_came_in_spite_of_a_cancel_is_lost_and_the_pipe_spent)
{
	begin();
	open_on(fake_pipe());
	source_next(&source);
	ck_assert(!source_close(&source));
	fake_feed(descriptor.fd, "x");
	ck_assert_uint_eq(told.n_closed, 1);
	ck_assert_uint_eq(told.n_pieces, 0);
	ck_assert(!can_open_again());
	end();
}
END_TEST

/* What a read that is being cancelled may come to. */
static const int cancel_results[] = {-ECANCELED, -EINTR, -EIO, 0, 5};

START_TEST(closing_waits_for_a_read_in_flight)
{
	for (size_t i = 0; i < sizeof(cancel_results) / sizeof(cancel_results[0]); i++) {
		begin();
		fake_holds.files = true;
		fake_holds.cancels = true;
		open_on(fake_file("hello"));
		source_next(&source);
		ck_assert(!source_close(&source));
		ck_assert(!source_close(&source));
		fake_run();
		ck_assert_uint_eq(told.n_closed, 0);
		fake_complete(FAKE_READ, descriptor.fd, cancel_results[i]);
		ck_assert_uint_eq(told.n_closed, 1);
		ck_assert_uint_eq(told.n_pieces + told.n_faults, 0);
		ck_assert(source_close(&source));
		end();
	}
}
END_TEST

static const struct refuse_case {
	struct ring_file file;
	const char *why;
} refuse_cases[] = {
	{{.kind = RING_FILE_OTHER, .can_read = true},
		"the descriptor is neither a file nor a pipe"},
	{{.kind = RING_FILE_REGULAR, .can_write = true}, "the descriptor is not open for reading"},
	{{.kind = RING_FILE_PIPE, .can_write = true}, "the descriptor is not open for reading"},
};

START_TEST(what_cannot_be_read_is_refused)
{
	for (size_t i = 0; i < sizeof(refuse_cases) / sizeof(refuse_cases[0]); i++) {
		struct fault fault;

		begin();
		descriptor = (struct descriptor){.fd = fake_odd()};
		*fake_look(descriptor.fd) = refuse_cases[i].file;
		ck_assert(!source_open(&source, ring, &descriptor, &fault));
		ck_assert_int_eq(fault.code, FAULT_BODY_SOURCE);
		ck_assert_str_eq(fault.message, refuse_cases[i].why);
		ck_assert(source_close(&source));
		end();
	}
}
END_TEST

START_TEST(without_memory_it_is_not_opened)
{
	struct fault fault;

	begin();
	descriptor = (struct descriptor){.fd = fake_pipe()};
	memory_fail_bytes(4096);
	ck_assert(!source_open(&source, ring, &descriptor, &fault));
	ck_assert(memory_has_failed());
	ck_assert_int_eq(fault.code, FAULT_OVERLOADED);
	ck_assert(can_open_again());
	end();
}
END_TEST

START_TEST(a_small_file_takes_little_memory)
{
	begin();
	open_on(fake_file("hello"));
	ck_assert_uint_eq(source.room, 5);
	ck_assert(source_close(&source));
	end();
}
END_TEST

UNIT_MAIN("job/source", &a_file_is_read_from_where_it_stands_to_its_end, &a_file_can_be_read_again,
	&nothing_is_read_before_it_is_asked_for, &short_reads_are_pieces_of_their_own,
	&as_many_bytes_are_given_as_were_promised, &a_read_that_fails_is_a_fault,
	&a_pipe_gives_what_comes_until_it_ends, &a_pipe_that_ends_at_once_is_empty,
	&a_pipe_is_spent_by_who_has_read_of_it,
	&what_came_in_spite_of_a_cancel_is_lost_and_the_pipe_spent,
	&closing_waits_for_a_read_in_flight, &what_cannot_be_read_is_refused,
	&without_memory_it_is_not_opened, &a_small_file_takes_little_memory)
