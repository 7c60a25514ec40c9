/* SPDX-License-Identifier: MIT */
#include "http/decode.h"

#include "util/container.h"

#include "tests/unit/http/coding.h"
#include "tests/unit/unit.h"

#define TEST_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define TEST_MIB      ((size_t)1024 * 1024)

static const struct coding_way test_whole;

/* `size` zeros in the codings, from the innermost on. */
static void test_bomb(struct buffer *coded, size_t size, const char *const names[], size_t n)
{
	struct buffer plain;

	buffer_init(&plain, TEST_SIZE_MAX);
	ck_assert(buffer_reserve(&plain, size));
	memset(plain.data, 0, size);
	plain.size = size;
	for (size_t i = 0; i < n; i++) {
		buffer_deinit(coded);
		buffer_init(coded, TEST_SIZE_MAX);
		coding_encode(names[i], buffer_text(&plain), coded);
		buffer_clear(&plain);
		buffer_append_text(&plain, buffer_text(coded));
	}
	buffer_deinit(&plain);
}

static void test_begin_field(struct decode *decode, const char *field, uint64_t bytes_max)
{
	struct header header = {TEXT("content-encoding"), text_from(field)};

	decode_begin(decode, &header, 1, bytes_max);
}

START_TEST(a_bomb_comes_out_in_slices)
{
	struct decode *decode = decode_new();

	for (size_t i = 0; coding_names[i]; i++) {
		const char *names[] = {coding_names[i]};
		struct buffer coded, slice;
		size_t n_slices = 0, total = 0;
		enum decode_result result;
		struct text rest;

		buffer_init(&coded, TEST_SIZE_MAX);
		buffer_init(&slice, DECODE_SLICE);
		test_bomb(&coded, 10 * TEST_MIB, names, 1);
		ck_assert_uint_le(coded.size, 12 * 1024);
		test_begin_field(decode, coding_field(names[0]), UINT64_MAX);
		rest = buffer_text(&coded);
		do {
			size_t used;

			buffer_clear(&slice);
			result = decode_feed(decode, rest, &used, &slice, DECODE_SLICE);
			rest = text_from_at(rest, used);
			total += slice.size;
			n_slices++;
		} while (result == DECODE_MORE_OUTPUT);
		ck_assert_int_eq(result, DECODE_MORE_INPUT);
		ck_assert_int_eq(decode_end(decode), DECODE_DONE);
		ck_assert_uint_eq(total, 10 * TEST_MIB);
		ck_assert_uint_ge(n_slices, 10 * TEST_MIB / DECODE_SLICE);
		ck_assert_uint_le(n_slices, 10 * TEST_MIB / DECODE_SLICE + 2);
		/* It never needed more than a slice of room. */
		ck_assert(!slice.failed);
		buffer_deinit(&coded);
		buffer_deinit(&slice);
	}
	decode_free(decode);
}
END_TEST

START_TEST(a_bomb_is_stopped_one_byte_beyond_its_bound)
{
	struct decode *decode = decode_new();

	for (size_t i = 0; coding_names[i]; i++) {
		const char *names[] = {coding_names[i]};
		const struct coding_way way = {.bytes_max = TEST_MIB};
		struct buffer coded, body;

		buffer_init(&coded, TEST_SIZE_MAX);
		buffer_init(&body, TEST_SIZE_MAX);
		test_bomb(&coded, 10 * TEST_MIB, names, 1);
		ck_assert_int_eq(coding_read(decode, coding_field(names[0]), buffer_text(&coded),
					 &way, &body),
			DECODE_FAULT);
		ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
		ck_assert_str_eq(
			decode_fault(decode).why, "the decoded body is larger than allowed");
		ck_assert_uint_le(body.size, TEST_MIB + 1);
		buffer_deinit(&coded);
		buffer_deinit(&body);
	}
	decode_free(decode);
}
END_TEST

START_TEST(the_bound_itself_is_allowed)
{
	static const size_t sizes[] = {1, 4096, 65536, 100000, 3 * TEST_MIB};
	struct decode *decode = decode_new();

	for (size_t i = 0; coding_names[i]; i++) {
		const char *field = coding_field(coding_names[i]);

		for (size_t j = 0; j < countof(sizes); j++) {
			struct coding_way way = {.bytes_max = sizes[j]};
			struct buffer plain, coded, body;

			buffer_init(&plain, TEST_SIZE_MAX);
			buffer_init(&coded, TEST_SIZE_MAX);
			buffer_init(&body, TEST_SIZE_MAX);
			coding_fill(&plain, sizes[j], 1);
			coding_encode(coding_names[i], buffer_text(&plain), &coded);
			ck_assert_int_eq(
				coding_read(decode, field, buffer_text(&coded), &way, &body),
				DECODE_DONE);
			ck_assert(text_equal(buffer_text(&plain), buffer_text(&body)));
			buffer_clear(&body);
			/* 0 would be no bound at all. */
			way.bytes_max = sizes[j] > 1 ? sizes[j] - 1 : 0;
			if (way.bytes_max > 0) {
				ck_assert_int_eq(coding_read(decode, field, buffer_text(&coded),
							 &way, &body),
					DECODE_FAULT);
				ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
			}
			buffer_deinit(&plain);
			buffer_deinit(&coded);
			buffer_deinit(&body);
		}
	}
	decode_free(decode);
}
END_TEST

START_TEST(no_byte_may_come_out_where_none_is_allowed)
{
	struct decode *decode = decode_new();
	struct buffer coded, body;
	size_t used;

	buffer_init(&coded, 1000);
	buffer_init(&body, 1000);
	coding_encode("gzip", TEXT("x"), &coded);
	test_begin_field(decode, "gzip", 0);
	ck_assert_int_eq(decode_feed(decode, buffer_text(&coded), &used, &body, 100), DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
	buffer_clear(&coded);
	coding_encode("gzip", TEXT(""), &coded);
	test_begin_field(decode, "gzip", 0);
	ck_assert_int_eq(
		decode_feed(decode, buffer_text(&coded), &used, &body, 100), DECODE_MORE_INPUT);
	ck_assert_int_eq(decode_end(decode), DECODE_DONE);
	test_begin_field(decode, "identity", 3);
	ck_assert_int_eq(decode_feed(decode, TEXT("abcd"), &used, &body, 100), DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
	buffer_deinit(&coded);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST

/* Each call does a slice's work, whatever comes out of it. */
START_TEST(a_bomb_in_a_bomb_is_sliced_where_nobody_sees_it)
{
	struct decode *decode = decode_new();
	struct buffer coded, body;
	struct text rest;
	size_t n_calls = 0;
	enum decode_result result;

	/* 40 MiB of zeros between the layers, of which the inner makes nothing: a long name. */
	buffer_init(&coded, TEST_SIZE_MAX);
	buffer_init(&body, TEST_SIZE_MAX);
	{
		struct buffer inner;

		buffer_init(&inner, TEST_SIZE_MAX);
		buffer_append(&inner, "\x1f\x8b\x08\x08\0\0\0\0\0\xff", 10);
		ck_assert(buffer_reserve(&inner, 40 * TEST_MIB));
		memset(inner.data + inner.size, 'n', 40 * TEST_MIB);
		inner.size += 40 * TEST_MIB;
		coding_encode("gzip", buffer_text(&inner), &coded);
		buffer_deinit(&inner);
	}
	ck_assert_uint_le(coded.size, 64 * 1024);
	test_begin_field(decode, "gzip, gzip", UINT64_MAX);
	rest = buffer_text(&coded);
	do {
		size_t used;

		result = decode_feed(decode, rest, &used, &body, DECODE_SLICE);
		rest = text_from_at(rest, used);
		n_calls++;
	} while (result == DECODE_MORE_OUTPUT);
	ck_assert_int_eq(result, DECODE_MORE_INPUT);
	ck_assert_uint_ge(n_calls, 40 * TEST_MIB / DECODE_SLICE);
	ck_assert_int_eq(decode_end(decode), DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_CORRUPT);
	/* With a bound on the body there is one on what lies between. */
	test_begin_field(decode, "gzip, gzip", TEST_MIB);
	rest = buffer_text(&coded);
	n_calls = 0;
	do {
		size_t used;

		result = decode_feed(decode, rest, &used, &body, DECODE_SLICE);
		rest = text_from_at(rest, used);
		n_calls++;
	} while (result == DECODE_MORE_OUTPUT);
	ck_assert_int_eq(result, DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
	ck_assert_uint_le(n_calls, 2 * TEST_MIB / DECODE_SLICE);
	ck_assert_uint_eq(body.size, 0);
	buffer_deinit(&coded);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST

START_TEST(three_bombs_in_each_other_are_stopped)
{
	static const char *const names[] = {"gzip", "gzip", "gzip"};
	const struct coding_way way = {.bytes_max = TEST_MIB};
	struct decode *decode = decode_new();
	struct buffer coded, body;

	buffer_init(&coded, TEST_SIZE_MAX);
	buffer_init(&body, TEST_SIZE_MAX);
	test_bomb(&coded, 100 * TEST_MIB, names, countof(names));
	ck_assert_uint_le(coded.size, 1024);
	ck_assert_int_eq(coding_read(decode, "gzip,gzip,gzip", buffer_text(&coded), &way, &body),
		DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_TOO_LARGE);
	ck_assert_uint_le(body.size, TEST_MIB + 1);
	buffer_deinit(&coded);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST

/* What does not compress is larger between the layers than it is. */
START_TEST(what_does_not_compress_fits_its_bound_in_a_stack)
{
	struct decode *decode = decode_new();
	struct buffer plain, once, coded, body;
	uint32_t state = 1;

	buffer_init(&plain, TEST_SIZE_MAX);
	buffer_init(&once, TEST_SIZE_MAX);
	buffer_init(&coded, TEST_SIZE_MAX);
	buffer_init(&body, TEST_SIZE_MAX);
	for (size_t i = 0; i < 500000; i++) {
		state = state * 1664525 + 1013904223;
		buffer_append_byte(&plain, (char)(state >> 24));
	}
	coding_encode("gzip", buffer_text(&plain), &once);
	ck_assert_uint_gt(once.size, plain.size);
	coding_encode("deflate", buffer_text(&once), &coded);
	ck_assert_int_eq(coding_read(decode, "gzip, deflate", buffer_text(&coded),
				 &(struct coding_way){.bytes_max = plain.size}, &body),
		DECODE_DONE);
	ck_assert(text_equal(buffer_text(&plain), buffer_text(&body)));
	buffer_deinit(&plain);
	buffer_deinit(&once);
	buffer_deinit(&coded);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST

#ifdef DECODE_ZSTD
START_TEST(windows_of_zstd_are_bounded)
{
	/* Window descriptors (RFC 8878 3.1.1.1.2) of 8 MiB, 9 MiB, 16 MiB and 3.75 TiB. */
	static const struct {
		struct text coded;
		bool is_fine;
	} cases[] = {
		{TEXT_INIT("\x28\xb5\x2f\xfd\x00\x68\x29\x00\x00hello"), true},
		{TEXT_INIT("\x28\xb5\x2f\xfd\x00\x69\x29\x00\x00hello"), false},
		{TEXT_INIT("\x28\xb5\x2f\xfd\x00\x70\x29\x00\x00hello"), false},
		{TEXT_INIT("\x28\xb5\x2f\xfd\x00\xff\x29\x00\x00hello"), false},
		/* The content's size is known and small: the library would not look. */
		{TEXT_INIT("\x28\xb5\x2f\xfd\x80\x70\x05\x00\x00\x00\x29\x00\x00hello"), false},
	};
	struct decode *decode = decode_new();

	for (size_t i = 0; i < countof(cases); i++) {
		for (size_t first = 0; first < cases[i].coded.size; first++) {
			const struct coding_way way = {.first = first};
			enum decode_result result;
			struct buffer body;

			buffer_init(&body, DECODE_SLICE);
			result = coding_read(decode, "zstd", cases[i].coded, &way, &body);
			ck_assert_msg(
				(result == DECODE_DONE) == cases[i].is_fine, "%zu, %zu", i, first);
			if (!cases[i].is_fine)
				ck_assert_str_eq(decode_fault(decode).why,
					"zstd: its window is larger than 8 MiB (RFC 9659)");
			buffer_deinit(&body);
		}
	}
	decode_free(decode);
}
END_TEST
#endif

#ifdef DECODE_BROTLI
START_TEST(windows_of_brotli_are_bounded)
{
	struct decode *decode = decode_new();
	struct buffer body;

	buffer_init(&body, DECODE_SLICE);
	/* The large window of another format, 30 bits. */
	ck_assert_int_eq(
		coding_read(decode, "br", TEXT("\x11\x1e\x02\x80hello\x03"), &test_whole, &body),
		DECODE_FAULT);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_CORRUPT);
	buffer_deinit(&body);
	decode_free(decode);
}
END_TEST
#endif

START_TEST(one_object_serves_many_bodies)
{
	struct decode *decode = decode_new();

	/* Each coding after each, the first of them left complete, in the middle or at fault. */
	for (size_t i = 0; coding_names[i]; i++) {
		for (size_t j = 0; coding_names[j]; j++) {
			for (size_t how = 0; how < 4; how++) {
				struct buffer plain, coded, body;
				size_t used;

				buffer_init(&plain, TEST_SIZE_MAX);
				buffer_init(&coded, TEST_SIZE_MAX);
				buffer_init(&body, TEST_SIZE_MAX);
				coding_fill(&plain, 100000, (uint32_t)(i + j));
				coding_encode(coding_names[i], buffer_text(&plain), &coded);
				if (how == 2)
					memset(coded.data + coded.size / 2, 0xff, 50);
				test_begin_field(decode, coding_field(coding_names[i]), UINT64_MAX);
				decode_feed(decode, buffer_text(&coded), &used, &body,
					how == 1 ? 10 : 200000);
				if (how == 3)
					decode_rest(decode);
				buffer_clear(&coded);
				buffer_clear(&body);
				coding_encode(coding_names[j], buffer_text(&plain), &coded);
				ck_assert_int_eq(coding_read(decode, coding_field(coding_names[j]),
							 buffer_text(&coded), &test_whole, &body),
					DECODE_DONE);
				ck_assert(text_equal(buffer_text(&plain), buffer_text(&body)));
				buffer_deinit(&plain);
				buffer_deinit(&coded);
				buffer_deinit(&body);
			}
		}
	}
	decode_free(decode);
}
END_TEST

START_TEST(a_fault_stays_until_the_next_body)
{
	struct decode *decode = decode_new();
	struct buffer body;
	size_t used;

	buffer_init(&body, 1000);
	test_begin_field(decode, "gzip", UINT64_MAX);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(decode_feed(decode, TEXT("{}"), &used, &body, 100), DECODE_FAULT);
		ck_assert_int_eq(decode_end(decode), DECODE_FAULT);
		ck_assert_str_eq(decode_fault(decode).why, "gzip: incorrect header check");
	}
	/* Without a field, a body is as it came. */
	decode_begin(decode, NULL, 0, UINT64_MAX);
	ck_assert_int_eq(decode_fault(decode).kind, DECODE_FAULT_NONE);
	ck_assert_int_eq(decode_feed(decode, TEXT("{}"), &used, &body, 100), DECODE_MORE_INPUT);
	ck_assert_int_eq(decode_end(decode), DECODE_DONE);
	ck_assert(text_is(buffer_text(&body), "{}"));
	buffer_deinit(&body);
	decode_free(decode);
	ck_assert(!decode_free(NULL));
}
END_TEST

UNIT_MAIN("http/decode_life", &a_bomb_comes_out_in_slices,
	&a_bomb_is_stopped_one_byte_beyond_its_bound, &the_bound_itself_is_allowed,
	&no_byte_may_come_out_where_none_is_allowed,
	&a_bomb_in_a_bomb_is_sliced_where_nobody_sees_it, &three_bombs_in_each_other_are_stopped,
	&what_does_not_compress_fits_its_bound_in_a_stack,
#ifdef DECODE_ZSTD
	&windows_of_zstd_are_bounded,
#endif
#ifdef DECODE_BROTLI
	&windows_of_brotli_are_bounded,
#endif
	&one_object_serves_many_bodies, &a_fault_stays_until_the_next_body)
