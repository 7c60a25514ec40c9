/* SPDX-License-Identifier: MIT */
#include "http/decode.h"

#include "util/container.h"

#include "tests/unit/http/coding.h"
#include "tests/unit/unit.h"

#define TEST_SIZE_MAX ((size_t)64 * 1024 * 1024)

static const struct coding_way test_whole;
static const struct coding_way test_bytes = {.piece = 1, .slice = 1};

struct test_world {
	struct decode *decode;
	struct buffer plain, coded, body;
};

static void test_begin(struct test_world *world)
{
	world->decode = decode_new();
	ck_assert(world->decode);
	buffer_init(&world->plain, TEST_SIZE_MAX);
	buffer_init(&world->coded, TEST_SIZE_MAX);
	buffer_init(&world->body, TEST_SIZE_MAX);
}

static void test_end(struct test_world *world)
{
	world->decode = decode_free(world->decode);
	ck_assert(!world->decode);
	buffer_deinit(&world->plain);
	buffer_deinit(&world->coded);
	buffer_deinit(&world->body);
}

/* `coded` is `size` bytes of words, in the coding. */
static void test_make(struct test_world *world, const char *name, size_t size)
{
	buffer_clear(&world->plain);
	buffer_clear(&world->coded);
	coding_fill(&world->plain, size, (uint32_t)size);
	coding_encode(name, buffer_text(&world->plain), &world->coded);
}

static enum decode_result test_read(
	struct test_world *world, const char *field, const struct coding_way *way)
{
	buffer_clear(&world->body);
	return coding_read(world->decode, field, buffer_text(&world->coded), way, &world->body);
}

static void test_expect_plain(
	struct test_world *world, const char *field, const struct coding_way *way)
{
	enum decode_result result = test_read(world, field, way);

	ck_assert_msg(result == DECODE_DONE, "%s, first %zu, piece %zu, slice %zu: %s", field,
		way->first, way->piece, way->slice, decode_fault(world->decode).why);
	ck_assert_msg(text_equal(buffer_text(&world->body), buffer_text(&world->plain)),
		"%s, first %zu, piece %zu, slice %zu", field, way->first, way->piece, way->slice);
}

static void test_expect_fault(
	struct test_world *world, const char *field, enum decode_fault_kind kind, const char *why)
{
	static const struct coding_way ways[] = {
		{.first = 0}, {.piece = 1}, {.slice = 1}, {.piece = 1, .slice = 1}};

	for (size_t i = 0; i < countof(ways); i++) {
		struct decode_fault fault;

		ck_assert_msg(test_read(world, field, &ways[i]) == DECODE_FAULT, "%s", field);
		fault = decode_fault(world->decode);
		ck_assert_msg(fault.kind == kind, "%s: %d %s", field, fault.kind, fault.why);
		ck_assert_msg(
			!why || text_is(text_from(fault.why), why), "%s: %s", field, fault.why);
	}
}

/* Bytes that no encoder of a test made. */
static void test_fixed(struct test_world *world, struct text coded, struct text plain)
{
	buffer_clear(&world->plain);
	buffer_clear(&world->coded);
	buffer_append_text(&world->coded, coded);
	buffer_append_text(&world->plain, plain);
}

START_TEST(decodes_every_coding_of_every_size)
{
	static const size_t sizes[] = {1, 2, 3, 300, 4095, 4096, 4097, 100000, 1000000};
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++) {
		const char *field = coding_field(coding_names[i]);

		for (size_t j = 0; j < countof(sizes); j++) {
			test_make(&world, coding_names[i], sizes[j]);
			test_expect_plain(&world, field, &test_whole);
			test_expect_plain(&world, field, &(struct coding_way){.piece = 1000});
			test_expect_plain(&world, field, &(struct coding_way){.slice = 1000});
			if (sizes[j] <= 5000)
				test_expect_plain(&world, field, &test_bytes);
		}
	}
	test_end(&world);
}
END_TEST

START_TEST(decodes_the_coding_of_nothing)
{
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++) {
		test_make(&world, coding_names[i], 0);
		ck_assert_uint_gt(world.coded.size, 0);
		test_expect_plain(&world, coding_field(coding_names[i]), &test_whole);
		test_expect_plain(&world, coding_field(coding_names[i]), &test_bytes);
	}
	test_end(&world);
}
END_TEST

START_TEST(any_cut_in_two_makes_no_difference)
{
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++) {
		test_make(&world, coding_names[i], 300);
		for (size_t at = 1; at < world.coded.size; at++) {
			struct coding_way way = {.first = at};

			test_expect_plain(&world, coding_field(coding_names[i]), &way);
			way.slice = 7;
			test_expect_plain(&world, coding_field(coding_names[i]), &way);
		}
	}
	test_end(&world);
}
END_TEST

START_TEST(decodes_all_stacks_of_three)
{
	struct test_world world;
	struct buffer once, twice, field;

	test_begin(&world);
	buffer_init(&once, TEST_SIZE_MAX);
	buffer_init(&twice, TEST_SIZE_MAX);
	buffer_init(&field, 100);
	for (size_t i = 0; i < 125; i++) {
		const char *names[3] = {
			coding_names[i % 5], coding_names[i / 5 % 5], coding_names[i / 25]};

		if (!names[0] || !names[1] || !names[2])
			continue;
		buffer_clear(&once);
		buffer_clear(&twice);
		buffer_clear(&field);
		test_make(&world, names[0], 2000);
		coding_encode(names[1], buffer_text(&world.coded), &once);
		buffer_clear(&world.coded);
		coding_encode(names[2], buffer_text(&once), &world.coded);
		/* As they were applied. */
		buffer_printf(&field, "%s, %s,%s", coding_field(names[0]), coding_field(names[1]),
			coding_field(names[2]));
		buffer_append_byte(&field, '\0');
		test_expect_plain(&world, field.data, &test_whole);
		test_expect_plain(&world, field.data, &test_bytes);
		test_expect_plain(&world, field.data, &(struct coding_way){.piece = 7});
		test_expect_plain(&world, field.data, &(struct coding_way){.slice = 100});
	}
	buffer_deinit(&once);
	buffer_deinit(&twice);
	buffer_deinit(&field);
	test_end(&world);
}
END_TEST

START_TEST(decodes_fixed_bytes)
{
	struct test_world world;

	test_begin(&world);
	/* A stored block, bare; then the same with a header and Adler-32. */
	test_fixed(&world, TEXT("\x01\x05\x00\xfa\xffhello"), TEXT("hello"));
	test_expect_plain(&world, "deflate", &test_whole);
	test_fixed(&world,
		TEXT("\x78\x01\x01\x05\x00\xfa\xffhello"
		     "\x06\x2c\x02\x15"),
		TEXT("hello"));
	test_expect_plain(&world, "deflate", &test_whole);
	test_fixed(&world,
		TEXT("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x05\x00\xfa\xffhello"
		     "\x86\xa6\x10\x36\x05\x00\x00\x00"),
		TEXT("hello"));
	test_expect_plain(&world, "gzip", &test_whole);
	/* With a name and a comment. */
	test_fixed(&world,
		TEXT("\x1f\x8b\x08\x18\x00\x00\x00\x00\x00\xff"
		     "name\x00"
		     "comment\x00"
		     "\x01\x05\x00\xfa\xffhello"
		     "\x86\xa6\x10\x36\x05\x00\x00\x00"),
		TEXT("hello"));
	test_expect_plain(&world, "gzip", &test_bytes);
#ifdef DECODE_ZSTD
	/* A raw block, no checksum. */
	test_fixed(&world, TEXT("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"), TEXT("hello"));
	test_expect_plain(&world, "zstd", &test_whole);
	test_expect_plain(&world, "zstd", &test_bytes);
#endif
#ifdef DECODE_BROTLI
	/* RFC 7932 9.2: window 16 bits, an uncompressed block, an empty last one. */
	test_fixed(&world, TEXT("\x0b\x02\x80hello\x03"), TEXT("hello"));
	test_expect_plain(&world, "br", &test_whole);
	test_expect_plain(&world, "br", &test_bytes);
#endif
	test_end(&world);
}
END_TEST

START_TEST(reads_names_as_rfc_9110_has_them)
{
	static const char *const fields[] = {"gzip", "GZIP", "x-gzip", "X-GZip", " gzip ", ",gzip,",
		"\t, ,gzip ,", "identity, gzip", "gzip, Identity",
		"identity,identity,gzip,,identity"};
	static const char *const plain_fields[] = {"", "identity", " , ", "Identity,identity"};
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; i < countof(fields); i++) {
		struct header header = {TEXT("content-encoding"), text_from(fields[i])};

		test_make(&world, "gzip", 300);
		ck_assert_msg(decode_is_needed(&header, 1), "%s", fields[i]);
		test_expect_plain(&world, fields[i], &test_whole);
	}
	for (size_t i = 0; i < countof(plain_fields); i++) {
		struct header header = {TEXT("content-encoding"), text_from(plain_fields[i])};

		test_make(&world, "identity", 20000);
		ck_assert_msg(!decode_is_needed(&header, 1), "%s", plain_fields[i]);
		test_expect_plain(&world, plain_fields[i], &test_whole);
		test_expect_plain(&world, plain_fields[i], &test_bytes);
	}
	test_end(&world);
}
END_TEST

START_TEST(takes_all_fields_as_one_list)
{
	struct header headers[] = {
		{TEXT_INIT("accept-encoding"), TEXT_INIT("compress")},
		{TEXT_INIT("content-encoding"), TEXT_INIT("gzip")},
		{TEXT_INIT("content-type"), TEXT_INIT("gzip")},
		{TEXT_INIT("content-encoding"), TEXT_INIT("deflate")},
	};
	struct test_world world;
	struct buffer once;
	size_t used;

	test_begin(&world);
	buffer_init(&once, TEST_SIZE_MAX);
	test_make(&world, "gzip", 1000);
	coding_encode("deflate", buffer_text(&world.coded), &once);
	ck_assert(!decode_is_needed(headers, 1));
	ck_assert(decode_is_needed(headers, countof(headers)));
	ck_assert(!decode_is_needed(NULL, 0));
	decode_begin(world.decode, headers, countof(headers), UINT64_MAX);
	ck_assert_int_eq(decode_feed(world.decode, buffer_text(&once), &used, &world.body, 100000),
		DECODE_MORE_INPUT);
	ck_assert_uint_eq(used, once.size);
	ck_assert_int_eq(decode_end(world.decode), DECODE_DONE);
	ck_assert(text_equal(buffer_text(&world.body), buffer_text(&world.plain)));
	buffer_deinit(&once);
	test_end(&world);
}
END_TEST

START_TEST(refuses_unknown_codings_and_more_than_three)
{
	static const char *const unknown[] = {"compress", "x-compress", "foo", "gzip, foo",
		"foo, gzip", "gzip;q=1", "gzip deflate", "x-deflate", "aes128gcm", "dcb", "*", "g"};
	static const char *const many[] = {"gzip,gzip,gzip,gzip",
		"gzip, identity, gzip, gzip, gzip, foo", "gzip,gzip,gzip,gzip,gzip,gzip,gzip"};
	struct header headers[20];
	struct test_world world;
	size_t used;

	test_begin(&world);
	test_make(&world, "gzip", 10);
	for (size_t i = 0; i < countof(unknown); i++)
		test_expect_fault(&world, unknown[i], DECODE_FAULT_UNSUPPORTED, NULL);
	for (size_t i = 0; i < countof(many); i++)
		test_expect_fault(&world, many[i], DECODE_FAULT_UNSUPPORTED,
			"there are more than 3 content codings");
	/* One a field. */
	for (size_t i = 0; i < countof(headers); i++)
		headers[i] = (struct header){TEXT("content-encoding"), TEXT("gzip")};
	decode_begin(world.decode, headers, countof(headers), UINT64_MAX);
	ck_assert_int_eq(
		decode_feed(world.decode, buffer_text(&world.coded), &used, &world.body, 100),
		DECODE_FAULT);
	ck_assert_int_eq(decode_fault(world.decode).kind, DECODE_FAULT_UNSUPPORTED);
	test_expect_fault(&world, "a-name-that-is-longer-than-any-coding-ever-had",
		DECODE_FAULT_UNSUPPORTED, NULL);
	ck_assert_ptr_nonnull(
		strstr(decode_fault(world.decode).why, "\"a-name-that-is-longer-than-any-c\""));
	ck_assert_ptr_nonnull(strstr(decode_fault(world.decode).why, decode_accept().data));
	test_end(&world);
}
END_TEST

START_TEST(an_empty_body_is_fine_whatever_the_codings)
{
	static const char *const fields[] = {"gzip", "deflate", "br", "zstd", "gzip,gzip,gzip",
		"foo", "gzip,gzip,gzip,gzip", "identity", ""};
	struct test_world world;
	size_t used;

	test_begin(&world);
	for (size_t i = 0; i < countof(fields); i++) {
		ck_assert_int_eq(test_read(&world, fields[i], &test_whole), DECODE_DONE);
		ck_assert_uint_eq(world.body.size, 0);
		/* Told as a piece of nothing. */
		ck_assert_int_eq(decode_feed(world.decode, TEXT(""), &used, &world.body, 1),
			DECODE_MORE_INPUT);
		ck_assert_int_eq(decode_end(world.decode), DECODE_DONE);
	}
	/* What is coded within a coding of nothing is nothing too. */
	test_make(&world, "gzip", 0);
	test_expect_plain(&world, "deflate, gzip", &test_whole);
	test_end(&world);
}
END_TEST

START_TEST(streams_that_may_follow_each_other_do)
{
	struct test_world world;
	const char *const names[] = {"gzip", "zstd"};

	test_begin(&world);
	for (size_t i = 0; i < countof(names); i++) {
#ifndef DECODE_ZSTD
		if (i == 1)
			continue;
#endif
		buffer_clear(&world.plain);
		buffer_clear(&world.coded);
		for (uint32_t j = 0; j < 5; j++) {
			size_t before = world.plain.size;

			coding_fill(&world.plain, j == 2 ? 0 : j * 100, j);
			coding_encode(names[i], text_from_at(buffer_text(&world.plain), before),
				&world.coded);
		}
		for (size_t at = 1; at < world.coded.size; at++)
			test_expect_plain(&world, names[i], &(struct coding_way){.first = at});
		test_expect_plain(&world, names[i], &test_whole);
		test_expect_plain(&world, names[i], &test_bytes);
	}
	test_end(&world);
}
END_TEST

#ifdef DECODE_ZSTD
START_TEST(skippable_frames_are_skipped)
{
	struct test_world world;

	test_begin(&world);
	test_fixed(&world,
		TEXT("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz"
		     "\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"
		     "\x5f\x2a\x4d\x18\x00\x00\x00\x00"
		     "\x5f\x2a\x4d\x18\x19\x00\x00\x00"
		     "a frame's header and more"
		     "\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00!"),
		TEXT("hello!"));
	test_expect_plain(&world, "zstd", &test_whole);
	test_expect_plain(&world, "zstd", &test_bytes);
	/* Alone, they are nothing. */
	test_fixed(&world, TEXT("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz"), TEXT(""));
	test_expect_plain(&world, "zstd", &test_whole);
	test_fixed(&world, TEXT("\x50\x2a\x4d\x18\x03\x00\x00\x00xy"), TEXT(""));
	test_expect_fault(&world, "zstd", DECODE_FAULT_CORRUPT, NULL);
	test_end(&world);
}
END_TEST
#endif

START_TEST(what_ends_early_is_corrupt)
{
	struct test_world world;
	struct buffer why;

	test_begin(&world);
	buffer_init(&why, 100);
	for (size_t i = 0; coding_names[i]; i++) {
		const char *field = coding_field(coding_names[i]);
		size_t size;

		buffer_clear(&why);
		buffer_printf(&why, "%s: it ends before it is complete", field);
		buffer_append_byte(&why, '\0');
		test_make(&world, coding_names[i], 300);
		size = world.coded.size;
		for (size_t at = 1; at < size; at++) {
			world.coded.size = at;
			test_expect_fault(&world, field, DECODE_FAULT_CORRUPT, why.data);
		}
		world.coded.size = size;
		test_expect_plain(&world, field, &test_whole);
	}
	buffer_deinit(&why);
	test_end(&world);
}
END_TEST

START_TEST(what_is_followed_by_anything_is_corrupt)
{
	static const struct text tails[] = {TEXT_INIT("\0"), TEXT_INIT("\r\n"), TEXT_INIT("x"),
		TEXT_INIT("\x1f"), TEXT_INIT("\x1f\x8b"), TEXT_INIT("\x1f\x8c"),
		TEXT_INIT("\x28\xb5\x2f\xfd"), TEXT_INIT("\x28\xb5\x2f\xfc"),
		TEXT_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")};
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++) {
		for (size_t j = 0; j < countof(tails); j++) {
			test_make(&world, coding_names[i], 300);
			buffer_append_text(&world.coded, tails[j]);
			test_expect_fault(
				&world, coding_field(coding_names[i]), DECODE_FAULT_CORRUPT, NULL);
		}
	}
	/* Within a stack too, where only the outer one has an end of its own. */
	test_make(&world, "gzip", 300);
	buffer_append_byte(&world.coded, 'x');
	buffer_clear(&world.plain);
	buffer_append_text(&world.plain, buffer_text(&world.coded));
	buffer_clear(&world.coded);
	coding_encode("gzip", buffer_text(&world.plain), &world.coded);
	test_expect_fault(&world, "gzip, gzip", DECODE_FAULT_CORRUPT, "gzip: bytes follow its end");
	test_end(&world);
}
END_TEST

/* True where the coding has a checksum of what is decoded. */
static bool test_is_checked(const char *name)
{
	return !text_is(text_from(name), "raw") && !text_is(text_from(name), "br");
}

START_TEST(a_changed_byte_is_never_a_changed_body)
{
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++) {
		size_t n_faults = 0;

		test_make(&world, coding_names[i], 300);
		for (size_t at = 0; at < world.coded.size * 8; at++) {
			enum decode_result result;
			const struct coding_way way = {.bytes_max = 1000000};

			world.coded.data[at / 8] ^= (char)(1 << at % 8);
			result = test_read(&world, coding_field(coding_names[i]), &way);
			world.coded.data[at / 8] ^= (char)(1 << at % 8);
			n_faults += result == DECODE_FAULT;
			/* A date in gzip's header may be any. */
			if (result == DECODE_DONE && test_is_checked(coding_names[i]))
				ck_assert_msg(text_equal(buffer_text(&world.body),
						      buffer_text(&world.plain)),
					"%s, bit %zu", coding_names[i], at);
		}
		ck_assert_uint_gt(
			n_faults, test_is_checked(coding_names[i]) ? world.coded.size : 0);
	}
	test_end(&world);
}
END_TEST

START_TEST(what_is_not_coded_is_corrupt)
{
	static const struct text bodies[] = {TEXT_INIT("{\"id\":1}"), TEXT_INIT("<html></html>"),
		TEXT_INIT("\x78\x9cxxxxxxxxxxxxxxxx"), TEXT_INIT("\x78\x02xxxxxx"),
		TEXT_INIT("PK\x03\x04xxxxxxxxxxxxxxxxxxxxx"), TEXT_INIT("\x1f\x8b\x07xxxxxxxxxxx"),
		TEXT_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff")};
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++) {
		for (size_t j = 0; j < countof(bodies); j++) {
			test_fixed(&world, bodies[j], TEXT(""));
			test_expect_fault(
				&world, coding_field(coding_names[i]), DECODE_FAULT_CORRUPT, NULL);
		}
	}
	/* A dictionary that nobody has (RFC 1950 2.2). */
	test_fixed(&world, TEXT("\x78\xbb\x00\x00\x00\x01\x01\x00\x00\xff\xff\x00\x00\x00\x01"),
		TEXT(""));
	test_expect_fault(&world, "deflate", DECODE_FAULT_CORRUPT,
		"deflate: it wants a dictionary that nobody has");
#ifdef DECODE_ZSTD
	test_fixed(&world, TEXT("\x28\xb5\x2f\xfd\x21\x07\x05\x29\x00\x00hello"), TEXT(""));
	test_expect_fault(&world, "zstd", DECODE_FAULT_CORRUPT,
		"zstd: it wants a dictionary that nobody has");
	/* The formats before RFC 8878. */
	test_fixed(&world, TEXT("\x27\xb5\x2f\xfd\x24\x05\x40\x00\x05hello\xc0\x00\x00"), TEXT(""));
	test_expect_fault(&world, "zstd", DECODE_FAULT_CORRUPT,
		"zstd: there is no frame where one should begin");
#endif
	test_end(&world);
}
END_TEST

START_TEST(says_what_it_accepts)
{
	struct text accept = decode_accept();
	struct test_world world;

	test_begin(&world);
	for (size_t i = 0; coding_names[i]; i++)
		ck_assert(header_list_has(accept, text_from(coding_field(coding_names[i]))));
	ck_assert(!header_list_has(accept, TEXT("identity")));
#if defined DECODE_BROTLI && defined DECODE_ZSTD
	ck_assert(text_is(accept, "gzip, deflate, br, zstd"));
#endif
	test_end(&world);
}
END_TEST

UNIT_MAIN("http/decode", &decodes_every_coding_of_every_size, &decodes_the_coding_of_nothing,
	&any_cut_in_two_makes_no_difference, &decodes_all_stacks_of_three, &decodes_fixed_bytes,
	&reads_names_as_rfc_9110_has_them, &takes_all_fields_as_one_list,
	&refuses_unknown_codings_and_more_than_three, &an_empty_body_is_fine_whatever_the_codings,
	&streams_that_may_follow_each_other_do,
#ifdef DECODE_ZSTD
	&skippable_frames_are_skipped,
#endif
	&what_ends_early_is_corrupt, &what_is_followed_by_anything_is_corrupt,
	&a_changed_byte_is_never_a_changed_body, &what_is_not_coded_is_corrupt,
	&says_what_it_accepts)
