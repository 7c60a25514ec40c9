/* SPDX-License-Identifier: MIT */
#include "proto/plan.h"

#include <stdio.h>

#include "tests/unit/unit.h"
#include "util/container.h"

static struct plan *make_plan(uint32_t n, const struct plan_edge *edges, uint32_t n_edges)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	arena_init(&plan->arena, SIZE_MAX);
	plan->jobs = arena_alloc_array(&plan->arena, n + 1, sizeof(*plan->jobs));
	plan->n_jobs = n;
	for (uint32_t i = 0; i < n; i++)
		plan->jobs[i].parent = PLAN_NONE;
	ck_assert_int_eq(plan_set_edges(plan, edges, n_edges), 0);
	return plan;
}

static void format_indices(char *out, size_t room, const uint32_t *indices, uint32_t n)
{
	size_t at = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, room - at, i ? " %u" : "%u", indices[i]);
}

START_TEST(edges_are_sorted_and_single_from_both_ends)
{
	static const struct plan_edge edges[] = {
		{3, 0}, {1, 4}, {1, 2}, {1, 4}, {0, 4}, {3, 4}, {3, 0}, {1, 0}, {1, 2}};
	static const struct {
		const char *dependents, *dependencies;
	} wanted[] = {{"4", "1 3"}, {"0 2 4", ""}, {"", "1"}, {"0 4", ""}, {"", "0 1 3"}};
	struct plan *plan = make_plan(5, edges, countof(edges));
	char line[64];

	ck_assert_uint_eq(plan->n_edges, 6);
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];

		format_indices(line, sizeof(line), plan->dependents + job->first_dependent,
			job->n_dependents);
		ck_assert_str_eq(line, wanted[i].dependents);
		format_indices(line, sizeof(line), plan->dependencies + job->first_dependency,
			job->n_dependencies);
		ck_assert_str_eq(line, wanted[i].dependencies);
	}
	plan_free(plan);
}
END_TEST

START_TEST(a_plan_may_have_no_edges_and_no_jobs)
{
	struct plan *plan = make_plan(0, NULL, 0);
	struct arena arena;
	uint32_t *path, n = 7;

	arena_init(&arena, 1 << 20);
	ck_assert_int_eq(plan_find_cycle(plan, &arena, &path, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_nonnull(plan_levels(plan, &arena, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(plan_longest_path(plan, &arena, &path, &n), 0);
	ck_assert_uint_eq(n, 0);
	arena_deinit(&arena);
	ck_assert_ptr_null(plan_free(plan));
	ck_assert_ptr_null(plan_free(NULL));
}
END_TEST

START_TEST(finds_a_cycle_from_its_first_job)
{
	static const struct {
		uint32_t n_jobs;
		struct plan_edge edges[8];
		uint32_t n_edges;
		const char *path;
	} cases[] = {
		{3, {{0, 1}, {1, 2}, {0, 2}}, 3, ""},
		{1, {{0, 0}}, 1, "0"},
		{2, {{0, 1}, {1, 0}}, 2, "0 1"},
		/* 1 needs 3, 3 needs 2, 2 needs 1. */
		{4, {{3, 1}, {2, 3}, {1, 2}}, 3, "1 3 2"},
		/* 0 and 4 hang on the circle and are not of it; 0 needs 2. */
		{5, {{2, 0}, {1, 2}, {2, 1}, {3, 4}, {4, 1}}, 5, "1 2"},
		/* Two circles: one of them. */
		{4, {{0, 1}, {1, 0}, {2, 3}, {3, 2}}, 4, "0 1"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = make_plan(cases[i].n_jobs, cases[i].edges, cases[i].n_edges);
		struct arena arena;
		uint32_t *path, n;
		char line[64];

		arena_init(&arena, 1 << 20);
		ck_assert_int_eq(plan_find_cycle(plan, &arena, &path, &n), 0);
		format_indices(line, sizeof(line), path, n);
		ck_assert_msg(strcmp(line, cases[i].path) == 0, "case %zu: %s", i, line);
		arena_deinit(&arena);
		plan_free(plan);
	}
}
END_TEST

START_TEST(levels_and_the_longest_path)
{
	/* The demo graph: user -> profile -> audit, user -> posts, and config alone. */
	static const struct plan_edge edges[] = {{0, 2}, {2, 4}, {0, 3}, {0, 4}};
	static const uint32_t wanted[] = {0, 0, 1, 1, 2};
	struct plan *plan = make_plan(5, edges, countof(edges));
	struct arena arena;
	uint32_t *levels, *path, n;
	char line[64];

	arena_init(&arena, 1 << 20);
	levels = plan_levels(plan, &arena, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(memcmp(levels, wanted, sizeof(wanted)), 0);
	ck_assert_int_eq(plan_longest_path(plan, &arena, &path, &n), 0);
	format_indices(line, sizeof(line), path, n);
	ck_assert_str_eq(line, "0 2 4");
	arena_deinit(&arena);
	plan_free(plan);
}
END_TEST

START_TEST(the_longest_path_ends_in_the_first_of_several)
{
	static const struct plan_edge edges[] = {{3, 1}, {0, 2}, {4, 1}};
	struct plan *plan = make_plan(5, edges, countof(edges));
	struct arena arena;
	uint32_t *path, n;
	char line[64];

	arena_init(&arena, 1 << 20);
	ck_assert_int_eq(plan_longest_path(plan, &arena, &path, &n), 0);
	format_indices(line, sizeof(line), path, n);
	ck_assert_str_eq(line, "3 1");
	arena_deinit(&arena);
	plan_free(plan);
}
END_TEST

/* A plan of containers: each job by its kind and parent. */
struct place {
	enum plan_kind kind;
	uint32_t parent;
};

static struct plan *make_nested(
	const struct place *places, uint32_t n, const struct plan_edge *edges, uint32_t n_edges)
{
	struct plan *plan = make_plan(n, edges, n_edges);

	for (uint32_t i = n; i > 0; i--) {
		struct plan_job *job = &plan->jobs[i - 1];

		job->kind = places[i - 1].kind;
		job->parent = places[i - 1].parent;
		if (job->parent != PLAN_NONE)
			plan->jobs[job->parent].n_below += 1 + job->n_below;
	}
	return plan;
}

#define ROOT PLAN_NONE

START_TEST(finds_a_cycle_through_groups)
{
	static const struct {
		uint32_t n_jobs;
		struct place places[6];
		struct plan_edge edges[6];
		uint32_t n_edges;
		const char *path;
	} cases[] = {
		/* Its child waits for a group to settle, which waits for its child. */
		{2, {{PLAN_GROUP, ROOT}, {PLAN_LEAF, 0}}, {{0, 1}}, 1, "0 1"},
		/* A group waits for its child to begin itself. */
		{2, {{PLAN_GROUP, ROOT}, {PLAN_LEAF, 0}}, {{1, 0}}, 1, "0 1"},
		/* Group 0 waits for 2, which waits for 1 in the group. */
		{3, {{PLAN_GROUP, ROOT}, {PLAN_LEAF, 0}, {PLAN_LEAF, ROOT}}, {{2, 0}, {1, 2}}, 2,
			"0 2 1"},
		/* Two groups, each with a job that waits for the other group. */
		{4, {{PLAN_GROUP, ROOT}, {PLAN_LEAF, 0}, {PLAN_GROUP, ROOT}, {PLAN_LEAF, 2}},
			{{2, 1}, {0, 3}}, 2, "0 1 2 3"},
		/* Two groups, and jobs that wait for a job in the other: none. */
		{6,
			{{PLAN_GROUP, ROOT}, {PLAN_LEAF, 0}, {PLAN_LEAF, 0}, {PLAN_GROUP, ROOT},
				{PLAN_LEAF, 3}, {PLAN_LEAF, 3}},
			{{1, 5}, {4, 2}}, 2, ""},
		/* A fan-out stands for its child. */
		{3, {{PLAN_EACH, ROOT}, {PLAN_GROUP, 0}, {PLAN_LEAF, 1}}, {{0, 2}}, 1, "0 2"},
		{2, {{PLAN_EACH, ROOT}, {PLAN_LEAF, 0}}, {{0, 0}}, 1, "0"},
		/* Who hangs on a cycle is not of it: 0 waits for the group. */
		{3, {{PLAN_LEAF, ROOT}, {PLAN_GROUP, ROOT}, {PLAN_LEAF, 1}}, {{1, 0}, {1, 2}}, 2,
			"1 2"},
		/* An empty group in a circle. */
		{2, {{PLAN_GROUP, ROOT}, {PLAN_LEAF, ROOT}}, {{0, 1}, {1, 0}}, 2, "0 1"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = make_nested(
			cases[i].places, cases[i].n_jobs, cases[i].edges, cases[i].n_edges);
		struct arena arena;
		uint32_t *path, n;
		char line[64];

		arena_init(&arena, 1 << 20);
		ck_assert_int_eq(plan_find_cycle(plan, &arena, &path, &n), 0);
		format_indices(line, sizeof(line), path, n);
		ck_assert_msg(strcmp(line, cases[i].path) == 0, "case %zu: %s", i, line);
		arena_deinit(&arena);
		plan_free(plan);
	}
}
END_TEST

START_TEST(chains_go_through_groups)
{
	static const struct {
		uint32_t n_jobs;
		struct place places[8];
		struct plan_edge edges[8];
		uint32_t n_edges;
		/* One for each job, and the path. */
		const char *levels, *remaining, *path;
	} cases[] = {
		/* 0 -> group 1 (2 -> 3) -> 4: its dependencies hold a group's children back. */
		{5,
			{{PLAN_LEAF, ROOT}, {PLAN_GROUP, ROOT}, {PLAN_LEAF, 1}, {PLAN_LEAF, 1},
				{PLAN_LEAF, ROOT}},
			{{0, 1}, {2, 3}, {1, 4}}, 3, "0 1 1 2 3", "4 3 3 2 1", "0 2 3 4"},
		/* A job outside that waits for one inside does not wait for the group. */
		{4, {{PLAN_GROUP, ROOT}, {PLAN_LEAF, 0}, {PLAN_LEAF, 0}, {PLAN_LEAF, ROOT}},
			{{1, 2}, {1, 3}}, 2, "0 0 1 1", "2 2 1 1", "1 2"},
		/* Without edges. */
		{4, {{PLAN_GROUP, ROOT}, {PLAN_GROUP, 0}, {PLAN_LEAF, 1}, {PLAN_GROUP, ROOT}}, {},
			0, "0 0 0 0", "1 1 1 0", "2"},
		/* An empty group is of no length. */
		{3, {{PLAN_LEAF, ROOT}, {PLAN_GROUP, ROOT}, {PLAN_LEAF, ROOT}}, {{0, 1}, {1, 2}}, 2,
			"0 1 1", "2 1 1", "0 2"},
		/* A fan-out counts as its child: 0 -> each 1 (group 2 (3 -> each 4 (5))) -> 6. */
		{7,
			{{PLAN_LEAF, ROOT}, {PLAN_EACH, ROOT}, {PLAN_GROUP, 1}, {PLAN_LEAF, 2},
				{PLAN_EACH, 2}, {PLAN_LEAF, 4}, {PLAN_LEAF, ROOT}},
			{{0, 1}, {3, 4}, {1, 6}}, 3, "0 1 1 1 2 2 3", "4 3 3 3 2 2 1", "0 3 5 6"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = make_nested(
			cases[i].places, cases[i].n_jobs, cases[i].edges, cases[i].n_edges);
		uint32_t *levels, *path, remaining[8], n;
		struct arena arena;
		char line[64];

		arena_init(&arena, 1 << 20);
		levels = plan_levels(plan, &arena, &n);
		format_indices(line, sizeof(line), levels, plan->n_jobs);
		ck_assert_msg(strcmp(line, cases[i].levels) == 0, "case %zu: %s", i, line);
		ck_assert_int_eq(plan_longest_path(plan, &arena, &path, &n), 0);
		format_indices(line, sizeof(line), path, n);
		ck_assert_msg(strcmp(line, cases[i].path) == 0, "case %zu: %s", i, line);
		ck_assert_int_eq(plan_set_remaining(plan), 0);
		for (uint32_t k = 0; k < plan->n_jobs; k++)
			remaining[k] = plan->jobs[k].remaining;
		format_indices(line, sizeof(line), remaining, plan->n_jobs);
		ck_assert_msg(strcmp(line, cases[i].remaining) == 0, "case %zu: %s", i, line);
		arena_deinit(&arena);
		plan_free(plan);
	}
}
END_TEST

START_TEST(a_chain_of_a_million_jobs_is_a_legal_graph)
{
	struct plan_edge *edges = calloc(PLAN_JOBS_MAX, sizeof(*edges));
	struct arena arena;
	uint32_t *path, n;
	struct plan *plan;

	for (uint32_t i = 0; i + 1 < PLAN_JOBS_MAX; i++)
		edges[i] = (struct plan_edge){i + 1, i};
	plan = make_plan(PLAN_JOBS_MAX, edges, PLAN_JOBS_MAX - 1);
	arena_init(&arena, SIZE_MAX);
	ck_assert_int_eq(plan_find_cycle(plan, &arena, &path, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(plan_longest_path(plan, &arena, &path, &n), 0);
	ck_assert_uint_eq(n, PLAN_JOBS_MAX);
	ck_assert_uint_eq(path[0], PLAN_JOBS_MAX - 1);
	ck_assert_int_eq(plan_set_remaining(plan), 0);
	ck_assert_uint_eq(plan->jobs[PLAN_JOBS_MAX - 1].remaining, PLAN_JOBS_MAX);
	ck_assert_uint_eq(plan->jobs[0].remaining, 1);
	plan_free(plan);

	edges[PLAN_JOBS_MAX - 1] = (struct plan_edge){0, PLAN_JOBS_MAX - 1};
	plan = make_plan(PLAN_JOBS_MAX, edges, PLAN_JOBS_MAX);
	ck_assert_int_eq(plan_find_cycle(plan, &arena, &path, &n), 0);
	ck_assert_uint_eq(n, PLAN_JOBS_MAX);
	ck_assert_uint_eq(path[0], 0);
	plan_free(plan);
	arena_deinit(&arena);
	free(edges);
}
END_TEST

START_TEST(knows_an_id)
{
	char long_id[PLAN_ID_MAX + 1];

	memset(long_id, 'a', sizeof(long_id));
	ck_assert(plan_id_is_valid(TEXT("aZ09_-")));
	ck_assert(plan_id_is_valid((struct text){long_id, PLAN_ID_MAX}));
	ck_assert(!plan_id_is_valid((struct text){long_id, PLAN_ID_MAX + 1}));
	ck_assert(!plan_id_is_valid(TEXT("")));
	ck_assert(!plan_id_is_valid(TEXT("a.b")));
	ck_assert(!plan_id_is_valid(TEXT("\xc3\xbc")));
	ck_assert(!plan_id_is_valid(TEXT("a\0")));
}
END_TEST

START_TEST(a_secret_is_named_behind_a_prefix)
{
	ck_assert(text_is(plan_secret_name(TEXT("secret:my-CA_1")), "my-CA_1"));
	ck_assert_ptr_null(plan_secret_name(TEXT("secret:")).data);
	ck_assert_ptr_null(plan_secret_name(TEXT("secret:a b")).data);
	ck_assert_ptr_null(plan_secret_name(TEXT("secret:a\n")).data);
	ck_assert_ptr_null(plan_secret_name(TEXT("secre")).data);
	ck_assert_ptr_null(plan_secret_name(TEXT("Secret:a")).data);
	ck_assert_ptr_null(plan_secret_name((struct text){NULL, 0}).data);
}
END_TEST

UNIT_MAIN("proto/plan", &a_secret_is_named_behind_a_prefix,
	&edges_are_sorted_and_single_from_both_ends, &a_plan_may_have_no_edges_and_no_jobs,
	&finds_a_cycle_from_its_first_job, &levels_and_the_longest_path,
	&the_longest_path_ends_in_the_first_of_several, &finds_a_cycle_through_groups,
	&chains_go_through_groups, &a_chain_of_a_million_jobs_is_a_legal_graph, &knows_an_id)
