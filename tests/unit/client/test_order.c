/* SPDX-License-Identifier: MIT */
#include "client/cli/order.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static void order_put_line(struct order *order, uint64_t turn, const char *json)
{
	struct order_record record = {
		.json = text_from(json),
		.body = TEXT("body"),
		.job = TEXT("7"),
		.line = 100 + turn,
		.is_rejected = turn == 1,
	};

	ck_assert(order_put(order, turn, &record));
}

static void order_expect(struct order *order, const char *json)
{
	struct order_record record;

	if (!json) {
		ck_assert(!order_take(order, &record));
		return;
	}
	ck_assert(order_take(order, &record));
	ck_assert(text_is(record.json, json));
	ck_assert(text_is(record.body, "body"));
	ck_assert(text_is(record.job, "7"));
	free(record.memory);
}

START_TEST(gives_in_turn)
{
	struct order order;

	ck_assert_int_eq(order_init(&order, 4), 0);
	order_expect(&order, NULL);
	order_put_line(&order, 2, "two");
	order_put_line(&order, 1, "one");
	order_expect(&order, NULL);
	order_put_line(&order, 0, "zero");
	order_expect(&order, "zero");
	order_expect(&order, "one");
	order_expect(&order, "two");
	order_expect(&order, NULL);
	ck_assert_uint_eq(order.bytes, 0);
	order_put_line(&order, 3, "three");
	order_expect(&order, "three");
	order_deinit(&order);
}
END_TEST

START_TEST(passes_over_what_has_no_record)
{
	struct order order;

	ck_assert_int_eq(order_init(&order, 3), 0);
	order_put_line(&order, 1, "one");
	order_pass(&order, 2);
	order_pass(&order, 0);
	order_expect(&order, "one");
	order_expect(&order, NULL);
	ck_assert_uint_eq(order.next, 3);
	order_put_line(&order, 3, "three");
	order_expect(&order, "three");
	order_deinit(&order);
}
END_TEST

START_TEST(has_room_for_a_window_and_always_for_the_next)
{
	struct order_record large = {.json = {NULL, 0}};
	struct order order;

	ck_assert_int_eq(order_init(&order, 3), 0);
	ck_assert(order_has_room(&order, 0));
	ck_assert(order_has_room(&order, 2));
	ck_assert(!order_has_room(&order, 3));
	large.json.size = ORDER_BYTES_MAX;
	large.json.data = calloc(1, large.json.size);
	ck_assert_ptr_nonnull(large.json.data);
	ck_assert(order_put(&order, 1, &large));
	ck_assert(!order_has_room(&order, 2));
	ck_assert(order_has_room(&order, 0));
	free((char *)(uintptr_t)large.json.data);
	order_deinit(&order);
}
END_TEST

UNIT_MAIN("client/order", &gives_in_turn, &passes_over_what_has_no_record,
	&has_room_for_a_window_and_always_for_the_next)
