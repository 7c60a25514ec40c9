/* SPDX-License-Identifier: MIT */
#include "util/queue.h"

#include "util/container.h"
#include "util/random.h"

#include "tests/unit/unit.h"

#define N 300

struct item {
	struct queue_node queued;
	/* First the key, then the number, so that the order is total. */
	unsigned key, number;
};

static struct item items[N];
static struct queue queue;

static const struct item *item_of(const struct heap_node *node)
{
	return container_of(node, const struct item, queued.node);
}

static bool item_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct item *x = item_of(a), *y = item_of(b);

	return x->key != y->key ? x->key < y->key : x->number < y->number;
}

static void begin(void)
{
	queue_init(&queue);
	for (unsigned i = 0; i < N; i++)
		items[i] = (struct item){.number = i};
}

/* The reference: what is in it, sorted. */
static struct item *sorted[N];
static unsigned n_sorted;

static void sorted_push(struct item *item)
{
	unsigned at = n_sorted++;

	for (; at > 0 && item_before(&item->queued.node, &sorted[at - 1]->queued.node); at--)
		sorted[at] = sorted[at - 1];
	sorted[at] = item;
}

static void sorted_remove(const struct item *item)
{
	unsigned at = 0;

	while (sorted[at] != item)
		at++;
	for (n_sorted--; at < n_sorted; at++)
		sorted[at] = sorted[at + 1];
}

static void push(unsigned i, unsigned key)
{
	items[i].key = key;
	queue_push(&queue, &items[i].queued, item_before);
}

static struct item *pop(void)
{
	struct queue_node *node = queue_pop(&queue, item_before);

	return node ? container_of(node, struct item, queued) : NULL;
}

START_TEST(an_empty_one_gives_nothing)
{
	begin();
	ck_assert(queue_is_empty(&queue));
	ck_assert_ptr_null(pop());
	ck_assert(!queue_is_in(&items[0].queued));
	push(0, 1);
	ck_assert(!queue_is_empty(&queue));
	ck_assert(queue_is_in(&items[0].queued));
	ck_assert_ptr_eq(pop(), &items[0]);
	ck_assert(queue_is_empty(&queue));
	ck_assert(!queue_is_in(&items[0].queued));
	ck_assert_ptr_null(pop());
}
END_TEST

/* Rising, falling, all equal, to and fro. */
static unsigned pattern(int kind, unsigned i)
{
	switch (kind) {
	case 0: return i;
	case 1: return N - i;
	case 2: return 7;
	default: return i % 2 ? N - i : i;
	}
}

START_TEST(everything_comes_out_in_order)
{
	for (int kind = 0; kind < 4; kind++) {
		const struct item *last = NULL;

		begin();
		for (unsigned i = 0; i < N; i++)
			push(i, pattern(kind, i));
		for (unsigned i = 0; i < N; i++) {
			const struct item *item = pop();

			ck_assert_ptr_nonnull(item);
			ck_assert(!last || item_before(&last->queued.node, &item->queued.node));
			last = item;
		}
		ck_assert(queue_is_empty(&queue));
	}
}
END_TEST

/* What neither goes before the other comes out as it went in: nobody is overtaken by its like. */
static bool key_before(const struct heap_node *a, const struct heap_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

START_TEST(equals_come_out_as_they_went_in)
{
	begin();
	for (unsigned i = 0; i < N; i++) {
		items[i].key = 7;
		queue_push(&queue, &items[i].queued, key_before);
	}
	for (unsigned i = 0; i < N; i++)
		ck_assert_ptr_eq(queue_pop(&queue, key_before), &items[i].queued);
}
END_TEST

START_TEST(any_one_can_be_taken_out)
{
	for (int kind = 0; kind < 4; kind++) {
		for (unsigned gone = 0; gone < 20; gone++) {
			begin();
			n_sorted = 0;
			for (unsigned i = 0; i < 20; i++) {
				push(i, pattern(kind, i));
				sorted_push(&items[i]);
			}
			queue_remove(&queue, &items[gone].queued, item_before);
			ck_assert(!queue_is_in(&items[gone].queued));
			sorted_remove(&items[gone]);
			/* And put in again, elsewhere. */
			push(gone, N / 2);
			sorted_push(&items[gone]);
			for (unsigned i = 0; i < 20; i++)
				ck_assert_ptr_eq(pop(), sorted[i]);
			ck_assert_ptr_null(pop());
		}
	}
}
END_TEST

/* Mostly rising keys, as they come; or any. */
static void against_a_sorted_list(uint64_t seed, unsigned spread)
{
	struct random random = {seed};

	begin();
	n_sorted = 0;
	for (unsigned step = 0; step < 50000; step++) {
		uint64_t r = random_next(&random);
		unsigned i = (unsigned)(r >> 32) % N;

		if (r % 8 == 0 && queue_is_in(&items[i].queued)) {
			queue_remove(&queue, &items[i].queued, item_before);
			sorted_remove(&items[i]);
		} else if (r % 8 < 5) {
			if (queue_is_in(&items[i].queued))
				continue;
			push(i, step / 64 + (unsigned)(r >> 8) % spread);
			sorted_push(&items[i]);
		} else {
			const struct item *expected = n_sorted > 0 ? sorted[0] : NULL;

			ck_assert_ptr_eq(pop(), expected);
			if (expected)
				sorted_remove(expected);
		}
		ck_assert(queue_is_empty(&queue) == (n_sorted == 0));
	}
	for (unsigned i = 0; i < n_sorted; i++)
		ck_assert_ptr_eq(pop(), sorted[i]);
	ck_assert(queue_is_empty(&queue));
}

START_TEST(a_sorted_list_would_do_the_same)
{
	against_a_sorted_list(20240229, 1);
	against_a_sorted_list(20240301, 3);
	against_a_sorted_list(20240302, 1000);
}
END_TEST

static unsigned comparisons;

static bool item_before_counted(const struct heap_node *a, const struct heap_node *b)
{
	comparisons++;
	return item_before(a, b);
}

START_TEST(what_comes_in_order_costs_one_comparison)
{
	begin();
	comparisons = 0;
	for (unsigned i = 0; i < N; i++) {
		items[i].key = i / 2;
		queue_push(&queue, &items[i].queued, item_before_counted);
	}
	while (queue_pop(&queue, item_before_counted))
		;
	ck_assert_uint_le(comparisons, N);
}
END_TEST

UNIT_MAIN("util/queue", &an_empty_one_gives_nothing, &everything_comes_out_in_order,
	&equals_come_out_as_they_went_in, &any_one_can_be_taken_out,
	&a_sorted_list_would_do_the_same, &what_comes_in_order_costs_one_comparison)
