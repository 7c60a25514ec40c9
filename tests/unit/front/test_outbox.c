/* SPDX-License-Identifier: MIT */
#include "front/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

/* Kept by the pool, and no more. */
#define POOL_FREE_MAX 16

static size_t held_bytes;
static struct outbox_pool pool;

static void begin(struct outbox *outbox)
{
	outbox_pool_init(&pool);
	outbox_init(outbox, &pool, &held_bytes);
}

static void end(struct outbox *outbox)
{
	ck_assert_uint_ge(held_bytes, outbox->bytes);
	outbox_clear(outbox);
	outbox_pool_deinit(&pool);
	ck_assert_uint_eq(held_bytes, 0);
}

/* The byte that stands at a place of the stream. */
static char byte_at(size_t at)
{
	return (char)('a' + at * 7 % 26 + at / 1000 % 3);
}

/* `size` bytes of the stream from `at` on, to free(). */
static char *make_bytes(size_t at, size_t size)
{
	char *bytes = malloc(size);

	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(at + i);
	return bytes;
}

static void append_bytes(struct outbox *outbox, size_t at, size_t size)
{
	char *bytes = make_bytes(at, size);

	outbox_append(outbox, bytes, size);
	free(bytes);
}

static void assert_front_size(const struct outbox *outbox, size_t size)
{
	const char *data;
	size_t found = 0;

	ck_assert_msg(outbox_front(outbox, &data, &found) == (size > 0), "%zu bytes wait", found);
	ck_assert_uint_eq(found, size);
}

/* Sends what is there in sends of at most `step` bytes; the number of sends. */
static unsigned assert_sends(struct outbox *outbox, size_t size, size_t step)
{
	unsigned n_sends = 0;
	const char *data;
	size_t n, at = 0;

	ck_assert_uint_eq(outbox->bytes, size);
	while (outbox_front(outbox, &data, &n)) {
		ck_assert_uint_gt(n, 0);
		n = n < step ? n : step;
		for (size_t i = 0; i < n; i++)
			ck_assert_msg(data[i] == byte_at(at + i), "wrong byte at %zu", at + i);
		outbox_sent(outbox, n);
		at += n;
		n_sends++;
		ck_assert_uint_eq(outbox->bytes, size - at);
	}
	ck_assert_uint_eq(at, size);
	return n_sends;
}

START_TEST(has_nothing_to_send_at_first)
{
	struct outbox outbox;

	begin(&outbox);
	assert_front_size(&outbox, 0);
	outbox_append(&outbox, "", 0);
	assert_front_size(&outbox, 0);
	ck_assert(!outbox.failed);
	end(&outbox);
}
END_TEST

/* A piece is appended `n` times, and sent in that many sends. */
static const struct boundary_case {
	size_t piece;
	unsigned n, n_sends;
} boundary_cases[] = {
	{1, 1, 1},
	{100, 3, 1},
	{OUTBOX_CHUNK_SIZE - 1, 1, 1},
	{OUTBOX_CHUNK_SIZE, 1, 1},
	{OUTBOX_CHUNK_SIZE + 1, 1, 2},
	/* A piece is cut where the chunk ends. */
	{OUTBOX_CHUNK_SIZE - 1, 2, 2},
	{OUTBOX_CHUNK_SIZE, 2, 2},
	{OUTBOX_CHUNK_SIZE / 2, 2, 1},
	{OUTBOX_CHUNK_SIZE / 2, 3, 2},
	{OUTBOX_CHUNK_SIZE / 2 + 1, 2, 2},
	{3 * OUTBOX_CHUNK_SIZE + 5, 1, 4},
	{1, OUTBOX_CHUNK_SIZE + 1, 2},
};

START_TEST(small_messages_share_a_chunk)
{
	for (size_t i = 0; i < sizeof(boundary_cases) / sizeof(boundary_cases[0]); i++) {
		const struct boundary_case *at = &boundary_cases[i];
		struct outbox outbox;
		unsigned n_sends;

		begin(&outbox);
		for (unsigned n = 0; n < at->n; n++)
			append_bytes(&outbox, n * at->piece, at->piece);
		assert_front_size(&outbox, at->n_sends > 1 ? OUTBOX_CHUNK_SIZE : outbox.bytes);
		n_sends = assert_sends(&outbox, at->n * at->piece, SIZE_MAX);
		ck_assert_msg(n_sends == at->n_sends, "%zu bytes %u times: %u sends", at->piece,
			at->n, n_sends);
		end(&outbox);
	}
}
END_TEST

START_TEST(partial_sends_go_on_where_they_stopped)
{
	static const size_t steps[] = {1, 7, 4096, OUTBOX_CHUNK_SIZE - 1, OUTBOX_CHUNK_SIZE};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t size = 2 * OUTBOX_CHUNK_SIZE + 10;
		struct outbox outbox;

		begin(&outbox);
		append_bytes(&outbox, 0, size);
		ck_assert_uint_ge(assert_sends(&outbox, size, steps[i]), size / steps[i]);
		end(&outbox);
	}
}
END_TEST

START_TEST(what_is_in_flight_stays_where_it_is_while_more_comes)
{
	struct outbox outbox;
	const char *before, *after;
	size_t n_before, n_after;

	begin(&outbox);
	append_bytes(&outbox, 0, 100);
	ck_assert(outbox_front(&outbox, &before, &n_before));
	append_bytes(&outbox, 100, 2 * OUTBOX_CHUNK_SIZE);
	ck_assert(outbox_front(&outbox, &after, &n_after));
	ck_assert_ptr_eq(before, after);
	ck_assert_uint_eq(n_after, OUTBOX_CHUNK_SIZE);
	/* The kernel has what was there when the send began, and the rest follows. */
	outbox_sent(&outbox, n_before);
	ck_assert(outbox_front(&outbox, &after, &n_after));
	ck_assert_ptr_eq(after, before + n_before);
	outbox_clear(&outbox);
	end(&outbox);
}
END_TEST

START_TEST(a_large_body_goes_out_in_its_own_memory)
{
	const size_t head = 50, body = 3 * OUTBOX_CHUNK_SIZE, tail = 20;
	char *memory = make_bytes(head, body);
	struct outbox outbox;
	const char *data;
	size_t size;

	begin(&outbox);
	append_bytes(&outbox, 0, head);
	outbox_append_memory(&outbox, memory, body);
	append_bytes(&outbox, head + body, tail);
	ck_assert_uint_eq(outbox.bytes, head + body + tail);
	assert_front_size(&outbox, head);
	outbox_sent(&outbox, head);
	/* One send, of the very bytes. */
	ck_assert(outbox_front(&outbox, &data, &size));
	ck_assert_ptr_eq(data, memory);
	ck_assert_uint_eq(size, body);
	outbox_sent(&outbox, body - 1);
	ck_assert(outbox_front(&outbox, &data, &size));
	ck_assert_ptr_eq(data, memory + body - 1);
	outbox_sent(&outbox, 1);
	assert_front_size(&outbox, tail);
	end(&outbox);
}
END_TEST

START_TEST(nothing_is_appended_to_a_body_s_memory)
{
	struct outbox outbox;

	begin(&outbox);
	outbox_append_memory(&outbox, make_bytes(0, 10), 10);
	append_bytes(&outbox, 10, 10);
	ck_assert_uint_eq(assert_sends(&outbox, 20, SIZE_MAX), 2);
	end(&outbox);
}
END_TEST

START_TEST(clear_forgets_what_waited)
{
	struct outbox outbox;

	begin(&outbox);
	append_bytes(&outbox, 0, OUTBOX_CHUNK_SIZE + 1);
	outbox_append_memory(&outbox, make_bytes(0, 100), 100);
	outbox_sent(&outbox, 10);
	outbox_clear(&outbox);
	ck_assert_uint_eq(outbox.bytes, 0);
	assert_front_size(&outbox, 0);
	/* It can be used again, from the start. */
	append_bytes(&outbox, 0, 30);
	ck_assert_uint_eq(assert_sends(&outbox, 30, SIZE_MAX), 1);
	end(&outbox);
}
END_TEST

START_TEST(empty_chunks_are_kept_for_all_and_not_without_end)
{
	struct outbox outbox, other;

	begin(&outbox);
	outbox_init(&other, &pool, &held_bytes);
	append_bytes(&outbox, 0, 3 * OUTBOX_CHUNK_SIZE);
	assert_sends(&outbox, 3 * OUTBOX_CHUNK_SIZE, SIZE_MAX);
	ck_assert_uint_eq(pool.n_free, 3);
	/* A body's memory is no chunk to keep. */
	outbox_append_memory(&outbox, make_bytes(0, 100), 100);
	assert_sends(&outbox, 100, SIZE_MAX);
	ck_assert_uint_eq(pool.n_free, 3);
	/* Taken without asking for memory. */
	memory_fail_next();
	outbox_append(&other, "abc", 3);
	ck_assert(!memory_has_failed());
	ck_assert_uint_eq(pool.n_free, 2);
	outbox_clear(&other);
	append_bytes(&outbox, 0, 2 * POOL_FREE_MAX * OUTBOX_CHUNK_SIZE);
	ck_assert_uint_eq(pool.n_free, 0);
	outbox_clear(&outbox);
	ck_assert_uint_eq(pool.n_free, POOL_FREE_MAX);
	end(&outbox);
	ck_assert_uint_eq(pool.n_free, 0);
}
END_TEST

START_TEST(without_memory_it_says_so_and_takes_no_more)
{
	char *bytes = make_bytes(0, 2 * OUTBOX_CHUNK_SIZE);
	struct outbox outbox;

	begin(&outbox);
	outbox_append(&outbox, bytes, 1);
	memory_fail_next();
	outbox_append(&outbox, bytes + 1, 2 * OUTBOX_CHUNK_SIZE - 1);
	ck_assert(memory_has_failed());
	ck_assert(outbox.failed);
	ck_assert_uint_eq(outbox.bytes, OUTBOX_CHUNK_SIZE);
	/* A stream with a hole is worse than its end. */
	outbox_append(&outbox, bytes, 10);
	outbox_append_memory(&outbox, make_bytes(0, 10), 10);
	ck_assert_uint_eq(outbox.bytes, OUTBOX_CHUNK_SIZE);
	free(bytes);
	end(&outbox);
}
END_TEST

START_TEST(a_body_without_memory_for_its_place_is_freed)
{
	char *bytes = make_bytes(0, 1000);
	struct outbox outbox;

	begin(&outbox);
	memory_fail_next();
	outbox_append_memory(&outbox, bytes, 1000);
	ck_assert(memory_has_failed());
	ck_assert(outbox.failed);
	assert_front_size(&outbox, 0);
	end(&outbox);
}
END_TEST

UNIT_MAIN("front/outbox", &has_nothing_to_send_at_first, &small_messages_share_a_chunk,
	&partial_sends_go_on_where_they_stopped,
	&what_is_in_flight_stays_where_it_is_while_more_comes,
	&a_large_body_goes_out_in_its_own_memory, &nothing_is_appended_to_a_body_s_memory,
	&clear_forgets_what_waited, &empty_chunks_are_kept_for_all_and_not_without_end,
	&without_memory_it_says_so_and_takes_no_more, &a_body_without_memory_for_its_place_is_freed)
