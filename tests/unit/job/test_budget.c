/* SPDX-License-Identifier: MIT */
#include "job/budget.h"

#include "job/graph.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define JOBS 6

static struct plan_spec spec;
static struct plan_job plan_jobs[JOBS];
static struct plan plan;
static struct graph graph;
static struct scope scope;
static struct job jobs[JOBS];
static struct bound bound;
static struct list freed;

/* Jobs in the order in which they became ready. */
static void begin(uint32_t limit)
{
	plan = (struct plan){.jobs = plan_jobs, .n_jobs = JOBS};
	graph = (struct graph){.plan = &plan};
	scope = (struct scope){.graph = &graph};
	for (uint64_t i = 0; i < JOBS; i++) {
		plan_jobs[i] = (struct plan_job){.spec = &spec};
		jobs[i] = (struct job){.scope = &scope, .order = i, .place = (uint32_t)i};
	}
	bound_init(&bound, limit);
	list_init(&freed);
}

/* Takes them all out. */
static void assert_waiting(const char *order)
{
	char found[JOBS + 1] = "";
	size_t n = 0;
	struct job *job;

	while ((job = budget_next(&bound)))
		found[n++] = (char)('0' + job->place);
	ck_assert_str_eq(found, order);
}

START_TEST(who_was_ready_first_is_served_first)
{
	/* Also who comes from another queue, late. */
	static const char *const orders[] = {"012345", "543210", "135024", "504132", "120543"};

	for (size_t i = 0; i < countof(orders); i++) {
		begin(1);
		for (const char *at = orders[i]; *at; at++)
			budget_wait(&bound, &jobs[*at - '0']);
		assert_waiting("012345");
	}
}
END_TEST

/* Jobs 0, 1, 2 … with what `order` looks at; who goes first in the bound of one graph, and in one
 * that several share. */
START_TEST(priority_then_turn_or_the_way_to_go)
{
	static const struct {
		uint8_t priority[3];
		uint64_t turn[3];
		uint32_t remaining[3];
		const char *own, *shared;
	} cases[] = {
		{{4, 4, 4}, {1, 1, 1}, {1, 1, 1}, "012", "012"},
		{{4, 9, 0}, {1, 1, 1}, {1, 1, 9}, "102", "102"},
		{{4, 4, 4}, {1, 1, 1}, {1, 3, 2}, "120", "120"},
		{{4, 4, 4}, {1, 2, 3}, {1, 3, 2}, "120", "012"},
		{{4, 4, 5}, {1, 2, 3}, {3, 2, 1}, "201", "201"},
	};
	struct plan_spec specs[3];

	for (size_t i = 0; i < 2 * countof(cases); i++) {
		begin(1);
		bound.is_private = i % 2;
		for (size_t job = 0; job < 3; job++) {
			specs[job] = (struct plan_spec){.priority = cases[i / 2].priority[job]};
			plan_jobs[job].spec = &specs[job];
			plan_jobs[job].remaining = cases[i / 2].remaining[job];
			jobs[job].turn_ns = cases[i / 2].turn[job];
		}
		for (size_t job = 0; job < 3; job++)
			budget_wait(&bound, &jobs[job]);
		assert_waiting(bound.is_private ? cases[i / 2].own : cases[i / 2].shared);
	}
}
END_TEST

START_TEST(a_place_is_given_only_where_there_is_room)
{
	struct claim claim = {.n = 0};

	begin(1);
	ck_assert_ptr_null(budget_next(&bound));
	budget_wait(&bound, &jobs[1]);
	budget_wait(&bound, &jobs[0]);
	claim_take(&claim, &bound);
	ck_assert_ptr_null(budget_next(&bound));
	claim_release(&claim, &freed);
	ck_assert_uint_eq(claim.n, 0);
	ck_assert_uint_eq(bound.used, 0);
	ck_assert_ptr_eq(budget_next(&bound), &jobs[0]);
	ck_assert(!queue_is_in(&jobs[0].queued));
	bound.paused = true;
	ck_assert_ptr_null(budget_next(&bound));
	bound.paused = false;
	ck_assert_ptr_eq(budget_next(&bound), &jobs[1]);
	ck_assert_ptr_null(budget_next(&bound));
	ck_assert(bound_is_unused(&bound));
}
END_TEST

START_TEST(who_leaves_the_queue_is_not_served)
{
	begin(1);
	for (size_t i = 0; i < 3; i++)
		budget_wait(&bound, &jobs[i]);
	budget_leave(&jobs[0]);
	budget_leave(&jobs[1]);
	budget_leave(&jobs[1]);
	ck_assert_ptr_eq(budget_next(&bound), &jobs[2]);
}
END_TEST

START_TEST(a_release_wakes_exactly_those_who_are_waited_for)
{
	struct bound others[2];
	struct claim claim = {.n = 0};

	begin(1);
	bound_init(&others[0], 1);
	bound_init(&others[1], 1);
	claim_take(&claim, &others[0]);
	claim_take(&claim, &bound);
	claim_take(&claim, &others[1]);
	budget_wait(&bound, &jobs[0]);
	claim_release(&claim, &freed);
	ck_assert_ptr_eq(freed.next, &bound.freed);
	ck_assert_ptr_eq(freed.previous, &bound.freed);
	ck_assert_uint_eq(others[0].used + others[1].used + bound.used, 0);
	/* Once is enough. */
	budget_freed(&bound, &freed);
	ck_assert_ptr_eq(freed.next, freed.previous);
	/* Nobody waits: nobody is woken. */
	list_remove(&bound.freed);
	budget_next(&bound);
	budget_freed(&bound, &freed);
	ck_assert(list_is_empty(&freed));
}
END_TEST

START_TEST(no_bound_is_no_bound)
{
	struct claim claims[100];

	begin(BOUND_NONE);
	for (size_t i = 0; i < countof(claims); i++) {
		claims[i].n = 0;
		claim_take(&claims[i], &bound);
	}
	ck_assert(bound_has_room(&bound));
	for (size_t i = 0; i < countof(claims); i++)
		claim_release(&claims[i], &freed);
	ck_assert_uint_eq(bound.used, 0);
}
END_TEST

UNIT_MAIN("job/budget", &who_was_ready_first_is_served_first, &priority_then_turn_or_the_way_to_go,
	&a_place_is_given_only_where_there_is_room, &who_leaves_the_queue_is_not_served,
	&a_release_wakes_exactly_those_who_are_waited_for, &no_bound_is_no_bound)
