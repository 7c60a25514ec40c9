/* SPDX-License-Identifier: MIT */
#include "util/buffer.h"

#include "util/container.h"

#include "tests/unit/unit.h"

START_TEST(appends)
{
	struct buffer buffer;

	buffer_init(&buffer, 10000);
	ck_assert_ptr_null(buffer.data);
	buffer_append(&buffer, NULL, 0);
	ck_assert_ptr_null(buffer.data);
	buffer_append_literal(&buffer, "one ");
	buffer_append_text(&buffer, TEXT("two "));
	buffer_append_byte(&buffer, '3');
	buffer_printf(&buffer, " %s %d ", "four", 5);
	buffer_append_u64(&buffer, 6);
	ck_assert(text_is(buffer_text(&buffer), "one two 3 four 5 6"));
	ck_assert(!buffer.failed);
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(writes_whole_numbers)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{9, "9"},
		{10, "10"},
		{1234567890, "1234567890"},
		{UINT64_MAX, "18446744073709551615"},
	};
	struct buffer buffer;

	buffer_init(&buffer, 1000);
	for (size_t i = 0; i < countof(cases); i++) {
		buffer_clear(&buffer);
		buffer_append_u64(&buffer, cases[i].value);
		ck_assert(text_is(buffer_text(&buffer), cases[i].text));
	}
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(keeps_its_content_as_it_grows)
{
	struct buffer buffer;

	buffer_init(&buffer, 1024 * 1024);
	for (unsigned i = 0; i < 100000; i++)
		buffer_append_byte(&buffer, (char)(i % 251));
	ck_assert_uint_eq(buffer.size, 100000);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(buffer.data[i], (char)(i % 251));
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(takes_nothing_more_once_it_failed)
{
	struct buffer buffer;
	char large[600] = "";

	buffer_init(&buffer, 1000);
	buffer_append(&buffer, large, sizeof(large));
	ck_assert(!buffer.failed);
	buffer_append(&buffer, large, sizeof(large));
	ck_assert(buffer.failed);
	ck_assert_uint_eq(buffer.size, sizeof(large));
	/* What would fit is refused too: a hole would be worse than an end. */
	buffer_append_byte(&buffer, 'x');
	buffer_printf(&buffer, "x");
	ck_assert(!buffer_reserve(&buffer, 1));
	ck_assert_uint_eq(buffer.size, sizeof(large));
	buffer_clear(&buffer);
	ck_assert(!buffer.failed);
	buffer_append(&buffer, large, sizeof(large));
	ck_assert(!buffer.failed);
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(fills_up_to_its_bound)
{
	struct buffer buffer;

	buffer_init(&buffer, 1000);
	for (int i = 0; i < 1000; i++)
		buffer_append_byte(&buffer, 'x');
	ck_assert(!buffer.failed);
	ck_assert_uint_eq(buffer.size, 1000);
	ck_assert_uint_le(buffer.capacity, 1000);
	buffer_append_byte(&buffer, 'x');
	ck_assert(buffer.failed);
	ck_assert_uint_eq(buffer.size, 1000);
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(refuses_sizes_that_do_not_fit)
{
	struct buffer buffer;

	buffer_init(&buffer, 1000);
	buffer_append_literal(&buffer, "abc");
	ck_assert(!buffer_reserve(&buffer, SIZE_MAX));
	ck_assert_uint_eq(buffer.size, 3);
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(reset_gives_large_memory_back)
{
	struct buffer buffer;
	char *data;

	buffer_init(&buffer, 100000);
	buffer_append_literal(&buffer, "small");
	data = buffer.data;
	buffer_reset(&buffer, 4096);
	ck_assert_ptr_eq(buffer.data, data);
	ck_assert_uint_eq(buffer.size, 0);
	ck_assert(buffer_reserve(&buffer, 5000));
	buffer_reset(&buffer, 4096);
	ck_assert_ptr_null(buffer.data);
	ck_assert_uint_eq(buffer.capacity, 0);
	buffer_append_literal(&buffer, "again");
	ck_assert(text_is(buffer_text(&buffer), "again"));
	buffer_deinit(&buffer);
}
END_TEST

START_TEST(gives_its_memory_away)
{
	struct buffer buffer;
	char *data;

	buffer_init(&buffer, 1000);
	buffer_append(&buffer, "mine", 5);
	data = buffer_take(&buffer);
	ck_assert_str_eq(data, "mine");
	ck_assert_ptr_null(buffer.data);
	ck_assert_uint_eq(buffer.size, 0);
	free(data);
	buffer_append_literal(&buffer, "again");
	ck_assert(text_is(buffer_text(&buffer), "again"));
	buffer_deinit(&buffer);
}
END_TEST

UNIT_MAIN("util/buffer", &appends, &writes_whole_numbers, &keeps_its_content_as_it_grows,
	&takes_nothing_more_once_it_failed, &fills_up_to_its_bound, &refuses_sizes_that_do_not_fit,
	&reset_gives_large_memory_back, &gives_its_memory_away)
