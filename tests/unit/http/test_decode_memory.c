/* SPDX-License-Identifier: MIT */
#include "http/decode.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>

#include "util/container.h"

#include "tests/unit/front/memory.h"
#include "tests/unit/http/coding.h"
#include "tests/unit/unit.h"

#define TEST_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define TEST_MIB      ((size_t)1024 * 1024)

static const struct coding_way test_whole;

static void test_begin_field(struct decode *decode, const char *field, uint64_t bytes_max)
{
	struct header header = {TEXT("content-encoding"), text_from(field)};

	decode_begin(decode, &header, 1, bytes_max);
}

/* 10 MiB of zeros. */
static void test_bomb(struct buffer *coded, const char *name)
{
	char *zeros = calloc(10, TEST_MIB);

	ck_assert_ptr_nonnull(zeros);
	coding_encode(name, (struct text){zeros, 10 * TEST_MIB}, coded);
	free(zeros);
}

/* As coding_read(), all at once and without a check, which would allocate. */
static enum decode_result test_read_quietly(
	struct decode *decode, const char *field, struct text coded, struct buffer *body)
{
	enum decode_result result;
	size_t used;

	test_begin_field(decode, field, UINT64_MAX);
	do {
		result = decode_feed(decode, coded, &used, body, DECODE_SLICE);
		coded = text_from_at(coded, used);
	} while (result == DECODE_MORE_OUTPUT);
	return result == DECODE_MORE_INPUT ? decode_end(decode) : result;
}

/* The process's memory now is its peak from here on; false where the kernel does not say. What is
 * allocated counts when it is used, so nothing may fill it (MALLOC_PERTURB_). */
static bool test_reset_peak(void)
{
	FILE *file = fopen("/proc/self/clear_refs", "w");
	bool done;

	mallopt(M_PERTURB, 0);
	malloc_trim(0);
	if (!file)
		return false;
	done = fputs("5", file) >= 0;
	return fclose(file) == 0 && done;
}

static size_t test_peak(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[200];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmHWM: %lu", &kib) == 1)
			break;
	}
	fclose(file);
	return kib * 1024;
}

static bool test_is_sanitized(void)
{
#ifdef __SANITIZE_ADDRESS__
	return true;
#elif defined __has_feature
#if __has_feature(address_sanitizer)
	return true;
#else
	return false;
#endif
#else
	return false;
#endif
}

START_TEST(a_bomb_needs_no_memory)
{
	struct decode *decode = decode_new();

	for (size_t i = 0; coding_names[i]; i++) {
		const struct coding_way way = {.bytes_max = TEST_MIB};
		struct buffer coded, body;
		bool is_measured;
		size_t before;

		buffer_init(&coded, TEST_SIZE_MAX);
		buffer_init(&body, TEST_SIZE_MAX);
		test_bomb(&coded, coding_names[i]);
		is_measured = !test_is_sanitized() && test_reset_peak();
		before = test_peak();
		ck_assert_int_eq(coding_read(decode, coding_field(coding_names[i]),
					 buffer_text(&coded), &way, &body),
			DECODE_FAULT);
		ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
		/* The body, and as much again (a window), and some tables. */
		ck_assert(!is_measured || test_peak() <= before + 5 * TEST_MIB / 2);
		buffer_deinit(&coded);
		buffer_deinit(&body);
	}
	decode_free(decode);
}
END_TEST

START_TEST(the_same_again_allocates_nothing)
{
	struct decode *decode = decode_new();
	struct buffer coded, body;

	buffer_init(&coded, 1000);
	buffer_init(&body, DECODE_SLICE);
	ck_assert(buffer_reserve(&body, DECODE_SLICE));
	coding_encode("gzip", TEXT("{\"id\":1}"), &coded);
	for (int i = 0; i < 3; i++) {
		enum decode_result result;

		if (i > 0)
			memory_fail_next();
		/* gzip outlives a rest, and a body that is not coded. */
		if (i > 1) {
			decode_rest(decode);
			test_read_quietly(decode, "", TEXT("x"), &body);
		}
		buffer_clear(&body);
		result = test_read_quietly(decode, "gzip", buffer_text(&coded), &body);
		ck_assert(!memory_has_failed());
		ck_assert_int_eq(result, DECODE_DONE);
		ck_assert(text_is(buffer_text(&body), "{\"id\":1}"));
	}
	buffer_deinit(&coded);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST

START_TEST(a_rest_gives_memory_back)
{
	struct decode *decode = decode_new();

	for (size_t i = 0; coding_names[i]; i++) {
		const char *field = coding_field(coding_names[i]);
		struct buffer plain, coded, body;
		size_t before;

		decode_rest(decode);
		buffer_init(&plain, TEST_SIZE_MAX);
		buffer_init(&coded, TEST_SIZE_MAX);
		buffer_init(&body, TEST_SIZE_MAX);
		coding_fill(&plain, 3 * TEST_MIB, 1);
		coding_encode(coding_names[i], buffer_text(&plain), &coded);
		ck_assert(buffer_reserve(&body, plain.size + DECODE_SLICE));
		before = mallinfo2().uordblks + mallinfo2().hblkhd;
		ck_assert_int_eq(
			coding_read(decode, field, buffer_text(&coded), &test_whole, &body),
			DECODE_DONE);
		decode_rest(decode);
		ck_assert_msg(mallinfo2().uordblks + mallinfo2().hblkhd <= before + 64 * 1024, "%s",
			coding_names[i]);
		buffer_deinit(&plain);
		buffer_deinit(&coded);
		buffer_deinit(&body);
	}
	decode_free(decode);
}
END_TEST

/* Each allocation that can be made to fail, one after the other: a fault, and then no trace. */
START_TEST(no_memory_is_a_fault_of_that_body)
{
	static const char *const fields[] = {"gzip", "deflate", "br", "zstd", "gzip, deflate"};
	struct buffer plain;

	buffer_init(&plain, TEST_SIZE_MAX);
	coding_fill(&plain, 100000, 7);
	for (size_t i = 0; i < countof(fields); i++) {
		struct buffer once, coded, body;
		struct decode *decode;
		unsigned n = 0;
		bool failed;

		if (i < 4 && !header_list_has(decode_accept(), text_from(fields[i])))
			continue;
		buffer_init(&once, TEST_SIZE_MAX);
		buffer_init(&coded, TEST_SIZE_MAX);
		coding_encode("gzip", buffer_text(&plain), &once);
		if (i == 4)
			coding_encode("deflate", buffer_text(&once), &coded);
		else
			coding_encode(fields[i], buffer_text(&plain), &coded);
		do {
			enum decode_result result;

			decode = decode_new();
			buffer_init(&body, TEST_SIZE_MAX);
			memory_fail_after(n++);
			result = test_read_quietly(decode, fields[i], buffer_text(&coded), &body);
			failed = memory_has_failed();
			ck_assert_msg((result == DECODE_FAULT) == failed, "%s, %u", fields[i], n);
			if (failed)
				ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_MEMORY);
			buffer_deinit(&body);
			buffer_init(&body, TEST_SIZE_MAX);
			ck_assert_int_eq(coding_read(decode, fields[i], buffer_text(&coded),
						 &test_whole, &body),
				DECODE_DONE);
			ck_assert(text_equal(buffer_text(&plain), buffer_text(&body)));
			buffer_deinit(&body);
			decode_free(decode);
		} while (failed);
		ck_assert_uint_ge(n, 3);
		buffer_deinit(&once);
		buffer_deinit(&coded);
	}
	buffer_deinit(&plain);
	memory_fail_next();
	ck_assert(!decode_new());
	ck_assert(memory_has_failed());
}
END_TEST

#ifdef DECODE_ZSTD
/* zstd has an allocator of its own: what fails here is its window. */
START_TEST(no_memory_for_a_window_is_a_fault)
{
	struct decode *decode = decode_new();
	struct buffer body;
	struct rlimit limit = {0, RLIM_INFINITY};
	enum decode_result result;
	size_t used;

	if (test_is_sanitized()) {
		decode_free(decode);
		return;
	}
	buffer_init(&body, DECODE_SLICE);
	ck_assert(buffer_reserve(&body, DECODE_SLICE));
	test_begin_field(decode, "zstd", UINT64_MAX);
	ck_assert_int_eq(decode_feed(decode, TEXT("\x28"), &used, &body, 100), DECODE_MORE_INPUT);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	result = decode_feed(
		decode, TEXT("\xb5\x2f\xfd\x00\x68\x29\x00\x00hello"), &used, &body, 100);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	ck_assert_int_eq(result, DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_MEMORY);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST
#endif

START_TEST(no_room_is_no_memory)
{
	struct decode *decode = decode_new();
	struct buffer coded, body;
	size_t used;

	buffer_init(&coded, 1000);
	buffer_init(&body, 5);
	coding_encode("gzip", TEXT("hello world"), &coded);
	test_begin_field(decode, "gzip", UINT64_MAX);
	ck_assert_int_eq(decode_feed(decode, buffer_text(&coded), &used, &body, 100), DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_MEMORY);
	/* Slices that fit do. */
	buffer_clear(&body);
	test_begin_field(decode, "gzip", UINT64_MAX);
	ck_assert_int_eq(
		decode_feed(decode, buffer_text(&coded), &used, &body, 5), DECODE_MORE_OUTPUT);
	ck_assert(text_is(buffer_text(&body), "hello"));
	buffer_deinit(&coded);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST

UNIT_MAIN("http/decode_memory", &a_bomb_needs_no_memory, &a_rest_gives_memory_back,
	&the_same_again_allocates_nothing, &no_memory_is_a_fault_of_that_body,
#ifdef DECODE_ZSTD
	&no_memory_for_a_window_is_a_fault,
#endif
	&no_room_is_no_memory)
