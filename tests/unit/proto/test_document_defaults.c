/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(defaults_reach_jobs_key_by_key)
{
	struct plan *plan = document_plan(
		"{'defaults':{'timeout':2,'optional':true,'ok':'200-204','output':'discard',"
		"'timeouts':{'connect':1,'idle':1},'method':'PUT','json':{'a':1},"
		"'redirects':0},"
		"'jobs':{'a':{'url':'http://h/'},"
		"'b':{'url':'http://h/','timeout':3,'optional':false,'output':'inline',"
		"'timeouts':{'tls':2},'body':'x'},"
		"'c':{'url':'http://h/','method':'GET'}}}");
	const struct plan_spec *a = plan->jobs[0].spec, *b = plan->jobs[1].spec;

	ck_assert_uint_eq(a->timeouts.job_ns, UINT64_C(2000000000));
	ck_assert_uint_eq(b->timeouts.job_ns, UINT64_C(3000000000));
	ck_assert(a->optional && !b->optional);
	ck_assert_uint_eq(a->max_body, UINT64_MAX);
	ck_assert_uint_eq(b->max_body, 16 * 1024 * 1024);
	ck_assert_uint_eq(b->ok[0].to, 204);
	document_assert_text(b->method, "PUT");
	/* Only headers merge: the job's timeouts are all there is. */
	ck_assert_uint_eq(a->timeouts.connect_ns, UINT64_C(1000000000));
	ck_assert_uint_eq(b->timeouts.connect_ns, UINT64_C(10000000000));
	ck_assert_uint_eq(b->timeouts.tls_ns, UINT64_C(2000000000));
	ck_assert_uint_eq(b->timeouts.idle_ns, UINT64_C(30000000000));
	/* A body of the job's own takes the place of the defaults' one. */
	ck_assert_uint_eq(a->body, PLAN_BODY_JSON);
	ck_assert_uint_eq(b->body, PLAN_BODY_TEXT);
	ck_assert_ptr_null(b->body_value);
	ck_assert_uint_eq(plan->jobs[2].spec->body, PLAN_BODY_JSON);
	plan_free(plan);
}
END_TEST

START_TEST(a_max_body_of_the_defaults_holds_for_all_outputs)
{
	struct plan *plan = document_plan("{'defaults':{'max_body':7},'jobs':["
					  "{'url':'http://h'},"
					  "{'url':'http://h','output':'discard'},"
					  "{'url':'http://h','max_body':8}]}");

	ck_assert_uint_eq(plan->jobs[0].spec->max_body, 7);
	ck_assert_uint_eq(plan->jobs[1].spec->max_body, 7);
	ck_assert_uint_eq(plan->jobs[2].spec->max_body, 8);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_what_may_not_stand_in_defaults)
{
	static const struct refusal cases[] = {
		{"{'defaults':{'url':'http://h'},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/url",
			"may not stand in defaults"},
		{"{'defaults':{'after':[]},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/after",
			"may not stand in defaults"},
		{"{'defaults':{'id':'x'},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/id",
			"may not stand in defaults"},
		{"{'defaults':{'each':[]},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/each",
			"may not stand in defaults"},
		{"{'defaults':{'jobs':{}},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/jobs",
			"may not stand in defaults"},
		{"{'defaults':{'when':{}},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/when",
			"may not stand in defaults"},
		{"{'defaults':{'else':1},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/else",
			"may not stand in defaults"},
		{"{'defaults':{'fallback':1},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/fallback",
			"may not stand in defaults"},
		{"{'defaults':{'mode':'all'},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/mode",
			"may not stand in defaults"},
		{"{'defaults':{'defaults':{}},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/defaults",
			"may not stand in defaults"},
		{"{'defaults':{'headers':{'x':'{{item}}'}},'jobs':{}}", FAULT_GRAPH_VALUE,
			"/defaults/headers/x", "inside a fan-out only"},
		{"{'defaults':{'timeuot':3},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/timeuot",
			"did you mean \"timeout\"?"},
		{"{'defaults':{'json':1,'body':''},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/body",
			"one of"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

static const struct plan_spec *spec_of(const struct plan *plan, const char *id)
{
	return plan_find(plan, text_from(id))->spec;
}

/* "name=value;" of the headers of that job. */
static void assert_headers(const struct plan *plan, const char *id, const char *wanted)
{
	const struct plan_fields *headers = &spec_of(plan, id)->headers;
	char line[256] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < headers->n; i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%.*s=%.*s;",
			TEXT_ARGS(headers->fields[i].name), TEXT_ARGS(headers->fields[i].value));
	ck_assert_msg(strcmp(line, wanted) == 0, "%s: %s", id, line);
}

START_TEST(defaults_merge_from_the_outside_in)
{
	struct plan *plan = document_plan(
		"{'defaults':{'timeout':1,'retry':{'attempts':5,'delay':'1s'},"
		"'headers':{'a':'graph','b':'graph'},'query':{'q':1}},"
		"'jobs':{'first':{'url':'http://h'},"
		"'g':{'defaults':{'retry':2,'headers':{'B':'g','c':'g'},'max_body':7},'jobs':{"
		"'in':{'url':'http://h'},"
		"'own':{'url':'http://h','headers':{'C':'own'},'timeout':2,'retry':1},"
		"'h':{'jobs':{'plain':{'url':'http://h'}}},"
		"'i':{'defaults':{'headers':{'a':[]},'query':{}},'jobs':{"
		"'deep':{'url':'http://h','headers':{'d':'deep'}}}},"
		"'behind':{'url':'http://h'}}},"
		"'last':{'url':'http://h'}}}");

	assert_headers(plan, "first", "a=graph;b=graph;");
	assert_headers(plan, "in", "a=graph;B=g;c=g;");
	assert_headers(plan, "own", "a=graph;B=g;C=own;");
	assert_headers(plan, "plain", "a=graph;B=g;c=g;");
	assert_headers(plan, "deep", "B=g;c=g;d=deep;");
	assert_headers(plan, "behind", "a=graph;B=g;c=g;");
	assert_headers(plan, "last", "a=graph;b=graph;");
	/* What is no header is replaced as a whole. */
	ck_assert_uint_eq(spec_of(plan, "first")->retry->delay_ns, UINT64_C(1000000000));
	ck_assert_uint_eq(spec_of(plan, "in")->retry->attempts, 2);
	ck_assert_uint_eq(spec_of(plan, "in")->retry->delay_ns, UINT64_C(200000000));
	ck_assert_ptr_null(spec_of(plan, "own")->retry);
	ck_assert_uint_eq(spec_of(plan, "own")->timeouts.job_ns, UINT64_C(2000000000));
	ck_assert_uint_eq(spec_of(plan, "deep")->timeouts.job_ns, UINT64_C(1000000000));
	ck_assert_uint_eq(spec_of(plan, "deep")->query.n, 0);
	ck_assert_uint_eq(spec_of(plan, "plain")->query.n, 1);
	ck_assert_uint_eq(spec_of(plan, "deep")->max_body, 7);
	ck_assert_uint_gt(spec_of(plan, "last")->max_body, 7);
	/* Jobs that say nothing share what is said for them. */
	ck_assert_ptr_eq(spec_of(plan, "in"), spec_of(plan, "plain"));
	ck_assert_ptr_eq(spec_of(plan, "first"), spec_of(plan, "last"));
	plan_free(plan);
}
END_TEST

/* "they reach leaves, not groups" */
START_TEST(defaults_reach_leaves_only)
{
	struct plan *plan = document_plan(
		"{'defaults':{'optional':true,'timeout':1,'needs':'settled','concurrency':3},"
		"'jobs':{"
		"'g':{'after':['b'],'jobs':{'a':{'url':'http://h','after':['b']}}},"
		"'b':{'url':'http://h'},"
		"'f':{'each':[1],'url':'http://h'},"
		"'f2':{'each':[1],'url':'http://h','concurrency':2},"
		"'h':{'each':[1],'jobs':{}}}}");
	const struct plan_spec *g = spec_of(plan, "g"), *f = spec_of(plan, "f");

	ck_assert(!g->optional && spec_of(plan, "a")->optional && spec_of(plan, "b")->optional);
	ck_assert_uint_eq(g->needs, PLAN_NEEDS_FULFILLED);
	ck_assert_uint_eq(g->group->timeout_ns, PLAN_NEVER);
	ck_assert_uint_eq(g->group->concurrency, PLAN_UNBOUNDED);
	ck_assert_uint_eq(spec_of(plan, "a")->needs, PLAN_NEEDS_SETTLED);
	/* A fan-out's child is a leaf, and what is for the whole is the fan-out's. */
	ck_assert_uint_eq(f->needs, PLAN_NEEDS_SETTLED);
	ck_assert_uint_eq(f->each->concurrency, 3);
	ck_assert(f->optional && plan->jobs[4].spec->optional);
	ck_assert_uint_eq(plan->jobs[4].spec->needs, PLAN_NEEDS_FULFILLED);
	ck_assert_uint_eq(plan->jobs[4].spec->timeouts.job_ns, UINT64_C(1000000000));
	ck_assert_uint_eq(spec_of(plan, "f2")->each->concurrency, 2);
	ck_assert_uint_eq(spec_of(plan, "h")->each->concurrency, PLAN_UNBOUNDED);
	plan_free(plan);
}
END_TEST

/* The ids that job depends on, in the order of the document. */
static void assert_dependencies(const struct plan *plan, const char *id, const char *wanted)
{
	const struct plan_job *job = plan_find(plan, text_from(id));
	char line[256] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < job->n_dependencies; i++) {
		uint32_t from = plan->dependencies[job->first_dependency + i];

		at += (size_t)snprintf(
			line + at, sizeof(line) - at, "%.*s;", TEXT_ARGS(plan->jobs[from].id));
	}
	ck_assert_msg(strcmp(line, wanted) == 0, "%s: %s", id, line);
}

START_TEST(what_groups_give_brings_its_dependencies)
{
	struct plan *plan = document_plan(
		"{'jobs':{'x':{'url':'http://h'},'y':{'url':'http://h'},'z':{'url':'http://h'},"
		"'g':{'defaults':{'headers':{'a':'{{x}}','b':'{{y}}'},'query':{'q':'{{z}}'}},"
		"'jobs':{'all':{'url':'http://h'},"
		"'own':{'url':'http://h','headers':{'A':1}},"
		"'h':{'defaults':{'headers':{'B':'{{z}}'},'query':{},'json':'{{x}}{{y}}'},"
		"'jobs':{'deep':{'url':'http://h'},'body':{'url':'http://h','body':''},"
		"'each':{'each':[1],'url':'http://h'}}},"
		"'behind':{'url':'http://h'}}},"
		"'last':{'url':'http://h'}}}");

	assert_dependencies(plan, "g", "");
	assert_dependencies(plan, "all", "x;y;z;");
	assert_dependencies(plan, "own", "y;z;");
	assert_dependencies(plan, "deep", "x;y;z;");
	assert_dependencies(plan, "body", "x;z;");
	/* Of a fan-out it is the whole that waits. */
	assert_dependencies(plan, "each", "x;y;z;");
	ck_assert_uint_eq(plan_find(plan, TEXT("each"))[1].n_dependencies, 0);
	assert_dependencies(plan, "behind", "x;y;z;");
	assert_dependencies(plan, "last", "");
	plan_free(plan);
}
END_TEST

START_TEST(the_same_reference_in_two_defaults_is_two)
{
	struct plan *plan =
		document_plan("{'defaults':{'headers':{'a':'{{x}}'}},'jobs':{"
			      "'x':{'url':'http://h','headers':{'a':1}},"
			      "'g':{'defaults':{'headers':{'b':'{{x}}'}},'jobs':{"
			      "'both':{'url':'http://h'},"
			      "'own':{'url':'http://h','headers':{'a':1}},"
			      "'none':{'url':'http://h','headers':{'a':1,'b':1}}}}}}");

	assert_dependencies(plan, "both", "x;");
	assert_dependencies(plan, "own", "x;");
	assert_dependencies(plan, "none", "");
	plan_free(plan);
}
END_TEST

START_TEST(defaults_inside_a_fan_out_may_refer_to_what_is_inside)
{
	static const struct refusal bad[] = {
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h'},"
		 "'g':{'defaults':{'headers':{'x':'{{bb}}'}},'jobs':{}}}}}}",
			FAULT_GRAPH_UNKNOWN_JOB, "/jobs/f/jobs/g/defaults/headers/x", "no job"},
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h'}}},"
		 "'g':{'defaults':{'headers':{'x':'{{a}}'}},'jobs':{}}}}",
			FAULT_GRAPH_VALUE, "/jobs/g/defaults/headers/x", "fan-out \"f\""},
		{"{'jobs':{'g':{'defaults':{'body':'{{index}}'},'jobs':{}}}}", FAULT_GRAPH_VALUE,
			"/jobs/g/defaults/body", "inside a fan-out only"},
		/* A job that takes a default over that refers to it waits for itself. */
		{"{'jobs':{'g':{'defaults':{'headers':{'x':'{{a}}'}},'jobs':{"
		 "'a':{'url':'http://h'}}}}}",
			FAULT_GRAPH_CYCLE, "/jobs/g/jobs/a", "a -> a"},
	};
	struct plan *plan = document_plan(
		"{'jobs':{'f':{'each':[1],'defaults':{'query':{'i':'{{item}}{{index}}'}},'jobs':{"
		"'a':{'url':'http://h'},"
		"'g':{'defaults':{'headers':{'x':'{{a}}'}},'jobs':{'b':{'url':'http://h'}}}}}}}");

	assert_dependencies(plan, "a", "");
	assert_dependencies(plan, "b", "a;");
	plan_free(plan);
	document_refusals(bad, countof(bad));
}
END_TEST

START_TEST(defaults_of_groups_may_not_multiply_without_bound)
{
	const unsigned n_names = 1000, n_groups = 8000;
	size_t room = n_names * 16 + n_groups * 64, at;
	char *json = malloc(room);
	struct plan_errors errors;

	at = (size_t)snprintf(json, room, "{'defaults':{'headers':{");
	for (unsigned i = 0; i < n_names; i++)
		at += (size_t)snprintf(json + at, room - at, "%s'h%u':1", i ? "," : "", i);
	at += (size_t)snprintf(json + at, room - at, "}},'jobs':[");
	for (unsigned i = 0; i < n_groups; i++)
		at += (size_t)snprintf(json + at, room - at,
			"%s{'jobs':{},'defaults':{'headers':{'x':%u}}}", i ? "," : "", i);
	snprintf(json + at, room - at, "]}");
	document_errors(json, &errors);
	ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_TOO_LARGE);
	plan_errors_deinit(&errors);
	free(json);
}
END_TEST

UNIT_MAIN("proto/document_defaults", &defaults_reach_jobs_key_by_key,
	&a_max_body_of_the_defaults_holds_for_all_outputs, &refuses_what_may_not_stand_in_defaults,
	&defaults_merge_from_the_outside_in, &defaults_reach_leaves_only,
	&what_groups_give_brings_its_dependencies, &the_same_reference_in_two_defaults_is_two,
	&defaults_inside_a_fan_out_may_refer_to_what_is_inside,
	&defaults_of_groups_may_not_multiply_without_bound)
