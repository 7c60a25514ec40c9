/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* The plan of a group "g" with these members and two jobs. */
static struct plan *group_plan(const char *members)
{
	char json[1024];

	snprintf(json, sizeof(json),
		"{'jobs':{'g':{%s'jobs':{'a':{'url':'http://h'},'b':{'url':'http://h'}}},"
		"'c':{'url':'http://h'}}}",
		members);
	return document_plan(json);
}

/* As document_job_refusals(), of the group. */
static void group_refusals(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct refusal wanted = cases[i];
		char json[1024], at[128];

		snprintf(json, sizeof(json),
			"{'jobs':{'g':{%s,'jobs':{'a':{'url':'http://h'}}},"
			"'c':{'url':'http://h'}}}",
			wanted.json);
		snprintf(at, sizeof(at), "/jobs/g%s", wanted.at);
		wanted.at = at;
		document_refusal(json, &wanted);
	}
}

START_TEST(a_group_that_says_nothing)
{
	struct plan *plan = group_plan("");
	const struct plan_spec *spec = plan->jobs[0].spec;

	ck_assert_uint_eq(spec->group->mode, PLAN_SETTLED);
	ck_assert_uint_eq(spec->group->concurrency, PLAN_UNBOUNDED);
	ck_assert_uint_eq(spec->group->timeout_ns, PLAN_NEVER);
	ck_assert_uint_eq(spec->needs, PLAN_NEEDS_FULFILLED);
	ck_assert(!spec->optional && !spec->when && !spec->fallback);
	plan_free(plan);
}
END_TEST

/* "A job with `jobs` is a group: `mode`, `concurrency`, `timeout`, `after`, `needs`, `when`,
 * `else`, `each`, `optional`, `fallback`, `defaults`." */
START_TEST(reads_every_key_of_a_group)
{
	struct plan *plan = group_plan(
		"'mode':'all','concurrency':3,'timeout':'2s','after':['c'],'needs':'any',"
		"'when':{'c#/x':1},'else':{'y':2},'optional':true,'fallback':[],"
		"'defaults':{'timeout':1},");
	const struct plan_spec *spec = plan->jobs[0].spec;

	ck_assert_uint_eq(spec->group->mode, PLAN_ALL);
	ck_assert_uint_eq(spec->group->concurrency, 3);
	ck_assert_uint_eq(spec->group->timeout_ns, UINT64_C(2000000000));
	ck_assert_uint_eq(spec->needs, PLAN_NEEDS_ANY);
	ck_assert(yyjson_is_obj(spec->when) && yyjson_is_obj(spec->otherwise));
	ck_assert(spec->optional && yyjson_is_arr(spec->fallback));
	ck_assert_uint_eq(plan->jobs[0].n_dependencies, 1);
	ck_assert_uint_eq(plan->jobs[1].spec->timeouts.job_ns, UINT64_C(1000000000));
	/* The group waits, and nobody in it says so again. */
	ck_assert_uint_eq(plan->jobs[1].n_dependencies, 0);
	plan_free(plan);
}
END_TEST

START_TEST(a_group_is_decided_in_one_of_four_ways)
{
	static const char *const modes[] = {
		[PLAN_SETTLED] = "settled",
		[PLAN_ALL] = "all",
		[PLAN_ANY] = "any",
		[PLAN_RACE] = "race",
	};
	static const struct refusal bad[] = {
		{"'mode':'first'", FAULT_GRAPH_VALUE, "/mode", "or \"race\", not \"first\""},
		{"'mode':'rase'", FAULT_GRAPH_VALUE, "/mode", "or \"race\", not \"rase\""},
		{"'mode':1", FAULT_GRAPH_TYPE, "/mode", "not a number"},
		{"'concurrency':0", FAULT_GRAPH_VALUE, "/concurrency", "from 1 on"},
		{"'concurrency':null", FAULT_GRAPH_TYPE, "/concurrency", "a number or"},
		{"'timeout':0", FAULT_GRAPH_VALUE, "/timeout", "longer than 0"},
		{"'defaults':[]", FAULT_GRAPH_TYPE, "/defaults", "an object"},
		{"'defaults':{'url':'http://h'}", FAULT_GRAPH_KEY, "/defaults/url",
			"may not stand in defaults"},
		{"'after':['d']", FAULT_GRAPH_UNKNOWN_JOB, "/after/0", "no job \"d\""},
	};

	for (size_t i = 0; i < countof(modes); i++) {
		char members[64];
		struct plan *plan;

		snprintf(members, sizeof(members), "'mode':'%s',", modes[i]);
		plan = group_plan(members);
		ck_assert_uint_eq(plan->jobs[0].spec->group->mode, i);
		plan_free(plan);
	}
	group_refusals(bad, countof(bad));
	plan_free(group_plan("'concurrency':'unbounded',"));
}
END_TEST

/* "`race` ... empty: refused: `GRAPH_EMPTY`"; the others are decided at once. */
START_TEST(only_a_race_may_not_be_empty)
{
	static const struct refusal bad[] = {
		{"{'jobs':{'g':{'mode':'race','jobs':{}}}}", FAULT_GRAPH_EMPTY, "/jobs/g/jobs",
			"a race needs jobs"},
		{"{'jobs':{'g':{'jobs':[],'mode':'race'}}}", FAULT_GRAPH_EMPTY, "/jobs/g/jobs",
			"a race needs jobs"},
		{"{'jobs':{'f':{'each':[],'mode':'race','jobs':{}}}}", FAULT_GRAPH_EMPTY,
			"/jobs/f/jobs", "a race needs jobs"},
	};

	document_refusals(bad, countof(bad));
	plan_free(document_plan("{'jobs':{'g':{'mode':'any','jobs':{}},"
				"'h':{'mode':'all','jobs':[]},'i':{'jobs':{}}}}"));
	/* What an `each` gives is known when it runs. */
	plan_free(
		document_plan("{'jobs':{'f':{'each':{'in':[],'mode':'race'},'url':'http://h'}}}"));
}
END_TEST

START_TEST(keys_of_a_request_are_not_a_groups)
{
	static const struct refusal bad[] = {
		{"'url':'http://h'", FAULT_GRAPH_KEY, "/url", "and this one is a group"},
		{"'headers':{'x':'y'}", FAULT_GRAPH_KEY, "/headers", "into its \"defaults\""},
		{"'json':1", FAULT_GRAPH_KEY, "/json", "into its \"defaults\""},
		{"'method':'PUT'", FAULT_GRAPH_KEY, "/method", "into its \"defaults\""},
		{"'retry':3", FAULT_GRAPH_KEY, "/retry", "into its \"defaults\""},
		{"'priority':3", FAULT_GRAPH_KEY, "/priority", "into its \"defaults\""},
		{"'omit':true", FAULT_GRAPH_KEY, "/omit", "is for a job that makes a request"},
		{"'ok':404", FAULT_GRAPH_KEY, "/ok", "is for a job that makes a request"},
		{"'queue_timeout':1", FAULT_GRAPH_KEY, "/queue_timeout", "makes a request"},
		{"'auth':{}", FAULT_GRAPH_KEY, "/auth", "makes a request"},
		{"'defautls':{}", FAULT_GRAPH_KEY, "/defautls", "did you mean \"defaults\"?"},
	};

	group_refusals(bad, countof(bad));
}
END_TEST

START_TEST(keys_of_a_group_are_not_a_requests)
{
	static const struct refusal bad[] = {
		{"'mode':'any'", FAULT_GRAPH_KEY, "/mode",
			"\"mode\" is for a group, which is a job with \"jobs\""},
		{"'defaults':{}", FAULT_GRAPH_KEY, "/defaults", "is for a group"},
		{"'each':[1],'mode':'any'", FAULT_GRAPH_KEY, "/mode", "is for a group"},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(groups_around_a_job_are_no_walls)
{
	struct plan *plan =
		document_plan("{'jobs':{'a':{'url':'http://h/{{c}}'},"
			      "'g':{'jobs':{'b':{'url':'http://h/{{a}}{{i}}','after':['d']},"
			      "'h':{'jobs':{'c':{'url':'http://h'}}}}},"
			      "'i':{'jobs':{'d':{'url':'http://h/{{c}}'}}}}}");
	const struct plan_job *b = plan_find(plan, TEXT("b"));

	ck_assert_uint_eq(b->n_dependencies, 3);
	ck_assert_uint_eq(plan->n_edges, 5);
	plan_free(plan);
}
END_TEST

/* "in `settled` and `all` an object of the children's bodies ..., in `any` and `race` the
 * winner's": so they are kept. */
START_TEST(who_refers_to_a_group_wants_what_is_in_it)
{
	static const struct {
		const char *reference;
		/* Of g, its child a, its group h, and b in that. */
		uint8_t keep[4];
	} cases[] = {
		{"{{g}}", {5, 5, 5, 5}},
		{"{{g#/h/b}}", {5, 5, 5, 5}},
		{"{{g.outcome}}", {4, 0, 0, 0}},
		{"{{h}}", {0, 0, 5, 5}},
		{"{{b.headers.x}}", {0, 0, 0, 6}},
		{"-", {0, 0, 0, 0}},
	};
	static const char *const modes[] = {"settled", "all", "any", "race"};

	for (size_t i = 0; i < countof(cases) * countof(modes); i++) {
		const char *reference = cases[i / countof(modes)].reference;
		struct plan *plan;
		char json[512];

		snprintf(json, sizeof(json),
			"{'jobs':{'g':{'mode':'%s','jobs':{'a':{'url':'http://h'},"
			"'h':{'jobs':{'b':{'url':'http://h'}}}}},"
			"'x':{'url':'http://h','json':'%s'}}}",
			modes[i % countof(modes)], reference);
		plan = document_plan(json);
		for (uint32_t k = 0; k < 4; k++)
			ck_assert_msg(plan->jobs[k].keep == cases[i / countof(modes)].keep[k],
				"%s: job %u keeps %u", reference, k, plan->jobs[k].keep);
		plan_free(plan);
	}
}
END_TEST

UNIT_MAIN("proto/document_group", &a_group_that_says_nothing, &reads_every_key_of_a_group,
	&a_group_is_decided_in_one_of_four_ways, &only_a_race_may_not_be_empty,
	&keys_of_a_request_are_not_a_groups, &keys_of_a_group_are_not_a_requests,
	&groups_around_a_job_are_no_walls, &who_refers_to_a_group_wants_what_is_in_it)
