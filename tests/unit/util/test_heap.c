/* SPDX-License-Identifier: MIT */
#include "util/heap.h"

#include "util/container.h"
#include "util/random.h"

#include "tests/unit/unit.h"

#define N 500

struct item {
	struct heap_node node;
	/* First the key, then the number, so that the order is total. */
	unsigned key, number;
};

static struct item items[N];
static struct heap heap;

static const struct item *item_of(const struct heap_node *node)
{
	return container_of(node, const struct item, node);
}

static bool item_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct item *x = item_of(a), *y = item_of(b);

	return x->key != y->key ? x->key < y->key : x->number < y->number;
}

static void begin(void)
{
	heap_init(&heap);
	for (unsigned i = 0; i < N; i++)
		items[i] = (struct item){.number = i};
}

/* The reference: the least of those that are linked, found by looking at all. */
static const struct item *least(void)
{
	const struct item *found = NULL;

	for (unsigned i = 0; i < N; i++) {
		if (heap_is_linked(&items[i].node) &&
			(!found || item_before(&items[i].node, &found->node)))
			found = &items[i];
	}
	return found;
}

static void push(unsigned i, unsigned key)
{
	items[i].key = key;
	heap_push(&heap, &items[i].node, item_before);
}

START_TEST(an_empty_one_gives_nothing)
{
	begin();
	ck_assert(heap_is_empty(&heap));
	ck_assert_ptr_null(heap_first(&heap));
	ck_assert_ptr_null(heap_pop(&heap, item_before));
	ck_assert(!heap_is_linked(&items[0].node));
	push(0, 1);
	ck_assert(!heap_is_empty(&heap));
	ck_assert(heap_is_linked(&items[0].node));
	ck_assert_ptr_eq(heap_first(&heap), &items[0].node);
	ck_assert_ptr_eq(heap_pop(&heap, item_before), &items[0].node);
	ck_assert(heap_is_empty(&heap));
	ck_assert(!heap_is_linked(&items[0].node));
}
END_TEST

/* Rising, falling, all equal, and to and fro. */
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
		ck_assert_uint_eq(heap.size, N);
		for (unsigned i = 0; i < N; i++) {
			const struct item *item = item_of(heap_pop(&heap, item_before));

			ck_assert(!last || item_before(&last->node, &item->node));
			last = item;
		}
		ck_assert(heap_is_empty(&heap));
		ck_assert_uint_eq(heap.size, 0);
	}
}
END_TEST

START_TEST(any_one_can_be_taken_out)
{
	for (unsigned gone = 0; gone < 20; gone++) {
		begin();
		for (unsigned i = 0; i < 20; i++)
			push(i, i * 7 % 20);
		/* So that there are trees of several levels. */
		push(20, 0);
		ck_assert_ptr_eq(heap_pop(&heap, item_before), &items[0].node);
		if (gone == 0)
			continue;
		heap_remove(&heap, &items[gone].node, item_before);
		ck_assert(!heap_is_linked(&items[gone].node));
		ck_assert_uint_eq(heap.size, 19);
		while (!heap_is_empty(&heap)) {
			const struct item *expected = least();

			ck_assert_ptr_eq(heap_pop(&heap, item_before), &expected->node);
		}
		ck_assert_ptr_null(least());
	}
}
END_TEST

START_TEST(a_sorted_list_would_do_the_same)
{
	struct random random = {20240229};
	size_t size = 0;

	begin();
	for (unsigned step = 0; step < 50000; step++) {
		uint64_t r = random_next(&random);
		unsigned i = (unsigned)(r >> 32) % N;

		if (heap_is_linked(&items[i].node)) {
			heap_remove(&heap, &items[i].node, item_before);
			size--;
		} else if (r % 8 < 5) {
			push(i, (unsigned)(r >> 8) % 100);
			size++;
		} else if (heap_pop(&heap, item_before)) {
			size--;
		}
		ck_assert_uint_eq(heap.size, size);
		if (step % 16 == 0) {
			const struct item *expected = least();

			ck_assert_ptr_eq(heap_first(&heap), expected ? &expected->node : NULL);
		}
	}
	while (size-- > 0) {
		const struct item *expected = least();

		ck_assert_ptr_eq(heap_pop(&heap, item_before), &expected->node);
	}
	ck_assert(heap_is_empty(&heap));
}
END_TEST

static unsigned comparisons;

static bool item_before_counted(const struct heap_node *a, const struct heap_node *b)
{
	comparisons++;
	return item_before(a, b);
}

START_TEST(the_work_is_that_of_sorting)
{
	begin();
	comparisons = 0;
	for (unsigned i = 0; i < N; i++) {
		items[i].key = (i * 7919) % N;
		heap_push(&heap, &items[i].node, item_before_counted);
	}
	while (heap_pop(&heap, item_before_counted))
		;
	/* N log2 N is 4,483; a list searched each time would take 124,750. */
	ck_assert_uint_lt(comparisons, 3 * 4483);
}
END_TEST

UNIT_MAIN("util/heap", &an_empty_one_gives_nothing, &everything_comes_out_in_order,
	&any_one_can_be_taken_out, &a_sorted_list_would_do_the_same, &the_work_is_that_of_sorting)
