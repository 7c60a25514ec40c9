/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* The fan-out "f" with these members, and a job "a" before it. */
static struct plan *each_plan(const char *members)
{
	char json[1024];

	snprintf(json, sizeof(json), "{'jobs':{'a':{'url':'http://h'},'f':{'url':'http://h',%s}}}",
		members);
	return document_plan(json);
}

START_TEST(each_has_three_forms)
{
	static const struct {
		const char *members;
		uint32_t n_dependencies;
	} cases[] = {
		{"'each':'{{a#/ids}}'", 1},
		{"'each':'{{ a#/ids ?? [] }}'", 1},
		{"'each':'{{input#/ids}}'", 0},
		{"'each':[]", 0},
		{"'each':[1,{'x':[null]}]", 0},
		{"'each':['{{a}}',{'x':'y {{a.status}}'}]", 1},
		{"'each':{'in':'{{a}}'}", 1},
		{"'each':{'in':[1]}", 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = each_plan(cases[i].members);
		const struct plan_job *each = &plan->jobs[1], *child = &plan->jobs[2];

		ck_assert_uint_eq(each->kind, PLAN_EACH);
		ck_assert_uint_eq(child->kind, PLAN_LEAF);
		ck_assert_msg(
			each->n_dependencies == cases[i].n_dependencies, "%s", cases[i].members);
		ck_assert_uint_eq(child->n_dependencies, 0);
		ck_assert(
			yyjson_is_arr(each->spec->each->in) || yyjson_is_str(each->spec->each->in));
		plan_free(plan);
	}
}
END_TEST

START_TEST(a_fan_out_has_defaults)
{
	struct plan *plan = each_plan("'each':[]");
	const struct plan_each *each = plan->jobs[1].spec->each;

	ck_assert_uint_eq(each->mode, PLAN_SETTLED);
	ck_assert_uint_eq(each->concurrency, PLAN_UNBOUNDED);
	ck_assert_uint_eq(each->items_max, PLAN_JOBS_MAX);
	ck_assert_uint_eq(each->batch_size, 0);
	ck_assert_uint_eq(each->batch_delay_ns, 0);
	ck_assert_uint_eq(each->number, 0);
	plan_free(plan);
}
END_TEST

/* `{"in": ..., "concurrency": 5, "max": 10000, "batch": {"size": 20, "delay": "50ms"},
 * "mode": "settled"}` */
START_TEST(reads_every_key_of_each)
{
	struct plan *plan = each_plan("'each':{'in':'{{a}}','concurrency':5,'max':10000,"
				      "'batch':{'size':20,'delay':'50ms'},'mode':'any'}");
	const struct plan_each *each = plan->jobs[1].spec->each;

	document_assert_text(json_string(each->in), "{{a}}");
	ck_assert_uint_eq(each->mode, PLAN_ANY);
	ck_assert_uint_eq(each->concurrency, 5);
	ck_assert_uint_eq(each->items_max, 10000);
	ck_assert_uint_eq(each->batch_size, 20);
	ck_assert_uint_eq(each->batch_delay_ns, UINT64_C(50000000));
	plan_free(plan);

	plan = each_plan("'each':{'in':[],'batch':{'size':1,'delay':0},'max':9999999,"
			 "'concurrency':'unbounded'}");
	ck_assert_uint_eq(plan->jobs[1].spec->each->batch_delay_ns, 0);
	/* More than the daemon takes there cannot be. */
	ck_assert_uint_eq(plan->jobs[1].spec->each->items_max, PLAN_JOBS_MAX);
	ck_assert_uint_eq(plan->jobs[1].spec->each->concurrency, PLAN_UNBOUNDED);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_bad_fan_outs)
{
	static const struct refusal bad[] = {
		{"'each':5", FAULT_GRAPH_TYPE, "/each", "an array, a reference or an object"},
		{"'each':null", FAULT_GRAPH_TYPE, "/each", "not null"},
		{"'each':'x'", FAULT_GRAPH_VALUE, "/each", "one reference and nothing else"},
		{"'each':'{{b}}{{b}}'", FAULT_GRAPH_VALUE, "/each", "one reference"},
		{"'each':' {{b}}'", FAULT_GRAPH_VALUE, "/each", "one reference"},
		{"'each':'{{b'", FAULT_GRAPH_VALUE, "/each", "not closed"},
		{"'each':'{{c}}'", FAULT_GRAPH_UNKNOWN_JOB, "/each", "no job \"c\""},
		{"'each':['{{c}}']", FAULT_GRAPH_UNKNOWN_JOB, "/each/0", "no job \"c\""},
		{"'each':[{'{{b}}':1}]", FAULT_GRAPH_VALUE, "/each/0/{{b}}", "a key may not"},
		{"'each':'{{secret.x}}'", FAULT_GRAPH_VALUE, "/each", "header only"},
		{"'each':'{{item}}'", FAULT_GRAPH_VALUE, "/each", "inside a fan-out only"},
		{"'each':['{{index}}']", FAULT_GRAPH_VALUE, "/each/0", "inside a fan-out only"},
		{"'each':{}", FAULT_GRAPH_KEY, "/each", "the key \"in\" is missing"},
		{"'each':{'in':5}", FAULT_GRAPH_TYPE, "/each/in", "an array or a reference"},
		{"'each':{'in':{}}", FAULT_GRAPH_TYPE, "/each/in", "not an object"},
		{"'each':{'in':[],'maxx':5}", FAULT_GRAPH_KEY, "/each/maxx",
			"did you mean \"max\"?"},
		{"'each':{'in':[],'max':0}", FAULT_GRAPH_VALUE, "/each/max", "from 1 on"},
		{"'each':{'in':[],'max':'5'}", FAULT_GRAPH_TYPE, "/each/max", "a number"},
		{"'each':{'in':[],'concurrency':0}", FAULT_GRAPH_VALUE, "/each/concurrency",
			"from 1 on"},
		{"'each':{'in':[],'mode':'first'}", FAULT_GRAPH_VALUE, "/each/mode",
			"not \"first\""},
		{"'each':{'in':[],'batch':5}", FAULT_GRAPH_TYPE, "/each/batch", "an object"},
		{"'each':{'in':[],'batch':{}}", FAULT_GRAPH_KEY, "/each/batch",
			"the key \"size\" is missing"},
		{"'each':{'in':[],'batch':{'size':0}}", FAULT_GRAPH_VALUE, "/each/batch/size",
			"from 1 on"},
		{"'each':{'in':[],'batch':{'size':1,'delay':'x'}}", FAULT_GRAPH_VALUE,
			"/each/batch/delay", "no duration"},
		{"'each':{'in':[],'batch':{'size':1,'delay':-1}}", FAULT_GRAPH_VALUE,
			"/each/batch/delay", "no duration"},
		{"'each':{'in':[],'concurrency':2},'concurrency':2", FAULT_GRAPH_KEY,
			"/concurrency", "write it once"},
		{"'each':[],'concurrency':'many'", FAULT_GRAPH_VALUE, "/concurrency",
			"not \"many\""},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

/* "All other keys of the job hold for each child, `after` and `needs` for the fan-out as a
 * whole." */
START_TEST(keys_are_shared_out_between_a_fan_out_and_its_child)
{
	struct plan *plan = each_plan(
		"'each':[1],'concurrency':5,'after':['a'],'needs':'settled','when':{'item':1},"
		"'else':2,'optional':true,'fallback':3,'timeout':4,'retry':5,'method':'PUT',"
		"'headers':{'x':'{{item#/y}}'},'priority':6");
	const struct plan_job *jobs = plan->jobs;
	const struct plan_spec *each = jobs[1].spec, *child = jobs[2].spec;

	ck_assert_uint_eq(jobs[1].n_dependencies, 1);
	ck_assert_uint_eq(each->needs, PLAN_NEEDS_SETTLED);
	ck_assert_uint_eq(each->each->concurrency, 5);
	ck_assert(each->optional && child->optional);
	ck_assert(!each->when && !each->otherwise && !each->fallback && !each->retry);
	ck_assert_ptr_null(jobs[1].url.data);

	ck_assert_uint_eq(jobs[2].n_dependencies, 0);
	ck_assert_uint_eq(child->needs, PLAN_NEEDS_FULFILLED);
	ck_assert_ptr_null(child->each);
	ck_assert(child->when && child->otherwise && child->fallback);
	ck_assert_uint_eq(child->retry->attempts, 5);
	ck_assert_uint_eq(child->timeouts.job_ns, UINT64_C(4000000000));
	ck_assert_uint_eq(child->headers.n, 1);
	ck_assert_uint_eq(child->priority, 6);
	document_assert_text(jobs[2].url, "http://h");
	plan_free(plan);
}
END_TEST

START_TEST(children_that_say_nothing_share_what_is_said_for_them)
{
	struct plan *plan =
		document_plan("{'jobs':{'a':{'url':'http://h'},"
			      "'f':{'each':[1],'url':'http://h','needs':'any','concurrency':2},"
			      "'g':{'each':[1],'url':'http://h','optional':true},"
			      "'h':{'jobs':{}},'i':{'each':[1],'jobs':{}},'j':{'each':[1],'"
			      "concurrency':2,'jobs':{}}}}");
	const struct plan_job *jobs = plan->jobs;

	ck_assert_ptr_eq(jobs[2].spec, jobs[0].spec);
	ck_assert_ptr_ne(jobs[4].spec, jobs[0].spec);
	ck_assert_ptr_eq(jobs[7].spec, jobs[5].spec);
	ck_assert_ptr_ne(jobs[9].spec, jobs[5].spec);
	plan_free(plan);

	/* What the fan-out needs, its child does not. */
	plan = document_plan(
		"{'defaults':{'needs':'any'},'jobs':{'f':{'each':[1],'url':'http://h'}}}");
	ck_assert_uint_eq(plan->jobs[0].spec->needs, PLAN_NEEDS_ANY);
	ck_assert_uint_eq(plan->jobs[1].spec->needs, PLAN_NEEDS_FULFILLED);
	plan_free(plan);
}
END_TEST

START_TEST(what_a_fan_out_refers_to_is_waited_for_by_the_whole)
{
	static const char *const members[] = {"'each':[1],'json':'{{a}}'",
		"'each':[1],'headers':{'x':'{{a}}'}", "'each':[1],'when':{'a':1}",
		"'each':[1],'when':{'item':{'eq':'{{a}}'}}",
		"'each':'{{a}}','query':{'q':'{{a}}'}"};

	for (size_t i = 0; i < countof(members); i++) {
		struct plan *plan = each_plan(members[i]);

		ck_assert_uint_eq(plan->n_edges, 1);
		ck_assert_uint_eq(plan->jobs[1].n_dependencies, 1);
		plan_free(plan);
	}
}
END_TEST

/* "All other keys of the job hold for each child": `concurrency` beside `each` is the window,
 * unless `each` has one of its own; then it bounds what is in each child. */
START_TEST(a_group_may_be_a_fan_outs_child)
{
	struct plan *plan = document_plan(
		"{'jobs':{'u':{'url':'http://h'},"
		"'f':{'each':{'in':'{{u#/ids}}','concurrency':2,'mode':'all'},'concurrency':3,"
		"'mode':'any','timeout':4,'after':['u'],'needs':'any','when':{'item#/x':1,'u':2},"
		"'optional':true,'fallback':5,'defaults':{'query':{'i':'{{index}}'}},"
		"'jobs':{'p':{'url':'http://h/{{item}}/{{u}}'},"
		"'q':{'url':'http://h/{{p}}','after':['u']}}}}}");
	const struct plan_job *each = &plan->jobs[1], *group = &plan->jobs[2];

	ck_assert_uint_eq(each->spec->each->concurrency, 2);
	ck_assert_uint_eq(each->spec->each->mode, PLAN_ALL);
	ck_assert_uint_eq(each->spec->needs, PLAN_NEEDS_ANY);
	ck_assert(each->spec->optional && !each->spec->when && !each->spec->group);
	ck_assert_uint_eq(each->n_dependencies, 1);
	ck_assert_uint_eq(group->spec->group->concurrency, 3);
	ck_assert_uint_eq(group->spec->group->mode, PLAN_ANY);
	ck_assert_uint_eq(group->spec->group->timeout_ns, UINT64_C(4000000000));
	ck_assert_uint_eq(group->spec->needs, PLAN_NEEDS_FULFILLED);
	ck_assert(group->spec->optional && group->spec->when && group->spec->fallback);
	ck_assert_uint_eq(group->n_dependencies, 0);
	/* Jobs inside keep what they depend on themselves. */
	ck_assert_uint_eq(plan->jobs[3].n_dependencies, 1);
	ck_assert_uint_eq(plan->jobs[4].n_dependencies, 2);
	plan_free(plan);
}
END_TEST

START_TEST(of_a_group_concurrency_is_the_window_too)
{
	struct plan *plan = document_plan(
		"{'jobs':{'f':{'each':[1],'concurrency':3,'jobs':{'p':{'url':'http://h'}}}}}");

	ck_assert_uint_eq(plan->jobs[0].spec->each->concurrency, 3);
	ck_assert_uint_eq(plan->jobs[1].spec->group->concurrency, PLAN_UNBOUNDED);
	plan_free(plan);
}
END_TEST

START_TEST(fan_outs_nest)
{
	struct plan *plan = document_plan(
		"{'jobs':{'f':{'each':[[1,2],[3]],'jobs':{"
		"'g':{'each':'{{item}}','url':'http://h/{{item}}/{{index}}','after':['s']},"
		"'h':{'each':{'in':['{{item#/0}}','{{s}}']},'jobs':{"
		"'i':{'each':'{{s}}','url':'http://h/{{item}}/{{s}}'}}},"
		"'s':{'url':'http://h'}}}}}");
	static const struct {
		const char *id;
		uint32_t number, region, n_dependencies;
	} wanted[] = {{"f", 0, PLAN_NONE, 0}, {"g", 1, 0, 1}, {"h", 2, 0, 1}, {"i", 3, 4, 1}};

	ck_assert_uint_eq(plan->n_eaches, 4);
	for (size_t i = 0; i < countof(wanted); i++) {
		const struct plan_job *job = plan_find(plan, text_from(wanted[i].id));

		ck_assert_uint_eq(job->kind, PLAN_EACH);
		ck_assert_uint_eq(job->spec->each->number, wanted[i].number);
		ck_assert_uint_eq(job->region, wanted[i].region);
		ck_assert_uint_eq(job->n_dependencies, wanted[i].n_dependencies);
		ck_assert_uint_eq(job[1].region, plan_index(plan, job));
	}
	plan_free(plan);
}
END_TEST

/* "from outside, the parent's body is the array of its children's bodies" */
START_TEST(what_is_inside_a_fan_out_is_not_seen_from_outside)
{
	static const struct refusal bad[] = {
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h'}}},"
		 "'x':{'url':'http://h/{{a}}'}}}",
			FAULT_GRAPH_VALUE, "/jobs/x/url",
			"\"a\" is made for each item of the fan-out \"f\"; refer to that"},
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h'}}},"
		 "'x':{'url':'http://h','after':['a']}}}",
			FAULT_GRAPH_VALUE, "/jobs/x/after/0", "the fan-out \"f\""},
		/* The outermost that is not around both. */
		{"{'jobs':{'f':{'each':[1],'jobs':{'g':{'each':[1],'jobs':{"
		 "'a':{'url':'http://h'}}}}},'x':{'url':'http://h/{{a}}'}}}",
			FAULT_GRAPH_VALUE, "/jobs/x/url", "the fan-out \"f\""},
		{"{'jobs':{'f':{'each':[1],'jobs':{'x':{'url':'http://h/{{a}}'},"
		 "'g':{'each':[1],'jobs':{'h':{'jobs':{'a':{'url':'http://h'}}}}}}}}}",
			FAULT_GRAPH_VALUE, "/jobs/f/jobs/x/url", "the fan-out \"g\""},
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h'}}},"
		 "'g':{'each':[1],'jobs':{'x':{'url':'http://h/{{a}}'}}}}}",
			FAULT_GRAPH_VALUE, "/jobs/g/jobs/x/url", "the fan-out \"f\""},
		/* What a fan-out says itself stands outside of it. */
		{"{'jobs':{'f':{'each':'{{a}}','jobs':{'a':{'url':'http://h'}}}}}",
			FAULT_GRAPH_VALUE, "/jobs/f/each", "the fan-out \"f\""},
		{"{'jobs':{'f':{'each':[1],'when':{'a':1},'jobs':{'a':{'url':'http://h'}}}}}",
			FAULT_GRAPH_VALUE, "/jobs/f/when/a", "the fan-out \"f\""},
		{"{'jobs':{'f':{'each':[1],'url':'http://h'},'x':{'url':'http://h/{{item}}'}}}",
			FAULT_GRAPH_VALUE, "/jobs/x/url", "inside a fan-out only"},
		{"{'jobs':{'g':{'when':{'item':1},'jobs':{}}}}", FAULT_GRAPH_VALUE,
			"/jobs/g/when/item", "inside a fan-out only"},
	};

	document_refusals(bad, countof(bad));
	plan_free(document_plan(
		"{'jobs':{'x':{'url':'http://h/{{f#/0/a}}'},'y':{'url':'http://h','after':['f']},"
		"'f':{'each':[1],'jobs':{'a':{'url':'http://h'},"
		"'g':{'each':[1],'jobs':{'b':{'url':'http://h/{{a}}/{{z}}'}}}}},"
		"'z':{'url':'http://h'}}}"));
}
END_TEST

START_TEST(who_refers_to_a_fan_out_wants_its_childrens_bodies)
{
	struct plan *plan = document_plan(
		"{'jobs':{'f':{'each':[1],'url':'http://h'},"
		"'g':{'each':{'in':[1],'mode':'any'},'jobs':{'a':{'url':'http://h'}}},"
		"'h':{'each':[1],'url':'http://h'},"
		"'x':{'url':'http://h/{{f#/0}}/{{g}}/{{h.outcome}}'}}}");
	static const uint8_t wanted[] = {5, 5, 5, 5, 5, 4, 0, 0};

	for (uint32_t i = 0; i < plan->n_jobs; i++)
		ck_assert_uint_eq(plan->jobs[i].keep, wanted[i]);
	plan_free(plan);
}
END_TEST

UNIT_MAIN("proto/document_each", &each_has_three_forms, &a_fan_out_has_defaults,
	&reads_every_key_of_each, &refuses_bad_fan_outs,
	&keys_are_shared_out_between_a_fan_out_and_its_child,
	&children_that_say_nothing_share_what_is_said_for_them,
	&what_a_fan_out_refers_to_is_waited_for_by_the_whole, &a_group_may_be_a_fan_outs_child,
	&of_a_group_concurrency_is_the_window_too, &fan_outs_nest,
	&what_is_inside_a_fan_out_is_not_seen_from_outside,
	&who_refers_to_a_fan_out_wants_its_childrens_bodies)
