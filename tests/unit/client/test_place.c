/* SPDX-License-Identifier: MIT */
#include "client/cli/render/place.h"

#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

START_TEST(takes_ids_apart)
{
	static const struct {
		const char *id, *base, *items;
		uint32_t n, last;
	} cases[] = {
		{"user", "user", "", 0, 0},
		{"posts[3]", "posts", "[3]", 1, 3},
		{"x[0][17]", "x", "[0][17]", 2, 17},
		{"x[4294967295]", "x", "[4294967295]", 1, UINT32_MAX},
		/* No numbers of items. */
		{"x[]", "x", "[]", 0, 0},
		{"x[-1]", "x", "[-1]", 0, 0},
		{"x[4294967296]", "x", "[4294967296]", 0, 0},
		{"x[1", "x", "[1", 0, 0},
		{"x[1]y", "x", "[1]y", 1, 1},
		{"", "", "", 0, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text id = text_from(cases[i].id), items = place_items(id);
		uint32_t n = 0, item = 0;

		ck_assert(text_is(place_base(id), cases[i].base));
		ck_assert(text_is(items, cases[i].items));
		while (place_next_item(&items, &item))
			n++;
		ck_assert_msg(n == cases[i].n && item == cases[i].last, "%s gave %u, %u",
			cases[i].id, n, item);
	}
	ck_assert(text_is(place_first_items(TEXT("[0][17][2]"), 2), "[0][17]"));
	ck_assert(text_is(place_first_items(TEXT("[0]"), 0), ""));
	ck_assert(text_is(place_first_items(TEXT("[0]"), 9), "[0]"));
}
END_TEST

START_TEST(orders_by_number_not_by_letter)
{
	/* Each before the next. */
	static const char *const order[] = {
		"", "[0]", "[0][0]", "[0][1]", "[1]", "[2]", "[9]", "[10]", "[10][3]", "[100]"};

	for (size_t i = 0; i < countof(order); i++) {
		for (size_t j = 0; j < countof(order); j++) {
			int wanted = (i > j) - (i < j);

			ck_assert_msg(place_compare_items(
					      text_from(order[i]), text_from(order[j])) == wanted,
				"%s and %s", order[i], order[j]);
		}
	}
}
END_TEST

START_TEST(finds_the_job_a_record_is_of)
{
	static const struct {
		const char *id;
		uint32_t place;
	} cases[] = {
		{"user", SAMPLE_AT_USER},
		{"posts", SAMPLE_AT_POSTS},
		{"posts[3]", SAMPLE_AT_POSTS_CHILD},
		{"author", SAMPLE_AT_AUTHOR},
		{"author[0]", SAMPLE_AT_AUTHOR_CHILD},
		{"profile[0]", SAMPLE_AT_PROFILE},
	};
	struct plan *plan = sample_plan();

	for (size_t i = 0; i < countof(cases); i++) {
		const struct plan_job *job = place_find(plan, text_from(cases[i].id));

		ck_assert_ptr_nonnull(job);
		ck_assert_uint_eq(plan_index(plan, job), cases[i].place);
	}
	ck_assert_ptr_null(place_find(plan, TEXT("nobody[0]")));
	ck_assert_ptr_null(place_find(NULL, TEXT("user")));
	ck_assert_uint_eq(place_depth(plan, &plan->jobs[SAMPLE_AT_POSTS]), 0);
	ck_assert_uint_eq(place_depth(plan, &plan->jobs[SAMPLE_AT_BADGE]), 1);
	plan_free(plan);
}
END_TEST

/* settle(1): "A job is required unless it or a group around it is optional; the
 * children of an any or race group are not, their group is." */
START_TEST(knows_whose_rejection_counts)
{
	struct plan *plan = sample_plan();
	struct plan_spec *posts;

	ck_assert(place_is_required(plan, &plan->jobs[SAMPLE_AT_USER]));
	ck_assert(!place_is_required(plan, &plan->jobs[SAMPLE_AT_CONFIG]));
	ck_assert(place_is_required(plan, &plan->jobs[SAMPLE_AT_MIRROR]));
	ck_assert(!place_is_required(plan, &plan->jobs[SAMPLE_AT_EU]));
	ck_assert(place_is_required(plan, &plan->jobs[SAMPLE_AT_POSTS_CHILD]));
	ck_assert(place_is_required(plan, &plan->jobs[SAMPLE_AT_BADGE]));
	posts = (struct plan_spec *)(uintptr_t)plan->jobs[SAMPLE_AT_POSTS].spec;
	((struct plan_each *)(uintptr_t)posts->each)->mode = PLAN_RACE;
	ck_assert(!place_is_required(plan, &plan->jobs[SAMPLE_AT_POSTS_CHILD]));
	ck_assert(place_is_required(plan, &plan->jobs[SAMPLE_AT_POSTS]));
	posts->optional = true;
	ck_assert(!place_is_required(plan, &plan->jobs[SAMPLE_AT_POSTS]));
	((struct plan_spec *)(uintptr_t)plan->jobs[SAMPLE_AT_AUTHOR].spec)->optional = true;
	ck_assert(!place_is_required(plan, &plan->jobs[SAMPLE_AT_BADGE]));
	plan->mode = PLAN_ANY;
	ck_assert(!place_is_required(plan, &plan->jobs[SAMPLE_AT_USER]));
	plan_free(plan);
}
END_TEST

UNIT_MAIN("client/place", &takes_ids_apart, &orders_by_number_not_by_letter,
	&finds_the_job_a_record_is_of, &knows_whose_rejection_counts)
