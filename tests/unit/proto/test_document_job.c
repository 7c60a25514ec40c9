/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(reads_every_key_that_is_served)
{
	struct plan *plan = document_plan_of_job(
		"'method':'PATCH','headers':{'a':'b'},'query':{'c':'d'},'body':'e',"
		"'after':['b'],'needs':'settled','ok':404,'optional':true,'timeout':1,"
		"'attempt_timeout':1,'queue_timeout':1,'timeouts':{'idle':1},'max_body':1,"
		"'output':'discard','omit':true,'http':'1.1','tls':{'insecure':true},"
		"'auth':{'bearer':'t'},'proxy':'http://p:1',"
		"'resolve':{'h:80':'127.0.0.1'},'redirects':3,'decode':false,'dedupe':false,"
		"'priority':9,'fallback':null,'when':{'b.status':200},'else':[],'retry':2");
	const struct plan_spec *spec = plan->jobs[0].spec;

	document_assert_text(spec->method, "PATCH");
	ck_assert_uint_eq(spec->headers.n, 1);
	ck_assert_uint_eq(spec->query.n, 1);
	ck_assert_uint_eq(spec->body, PLAN_BODY_TEXT);
	document_assert_text(spec->body_text, "e");
	ck_assert_uint_eq(spec->needs, PLAN_NEEDS_SETTLED);
	ck_assert_uint_eq(spec->output, PLAN_DISCARD);
	ck_assert(spec->optional && spec->omit && spec->http == PLAN_HTTP_1_1 && !spec->dedupe);
	ck_assert_uint_eq(spec->max_body, 1);
	ck_assert(spec->redirects == 3 && !spec->decode && spec->auth == PLAN_AUTH_BEARER);
	document_assert_text(spec->proxy.url, "http://p:1");
	ck_assert_uint_eq(spec->priority, 9);
	ck_assert(yyjson_is_null(spec->fallback));
	ck_assert(yyjson_is_obj(spec->when));
	ck_assert(yyjson_is_arr(spec->otherwise));
	ck_assert_uint_eq(spec->retry->attempts, 2);
	plan_free(plan);
}
END_TEST

START_TEST(a_job_has_defaults)
{
	struct plan *plan = document_plan("{'jobs':{'a':{'url':'http://h/'}}}");
	const struct plan_spec *spec = plan->jobs[0].spec;

	ck_assert_ptr_null(spec->method.data);
	ck_assert_uint_eq(spec->headers.n + spec->query.n + spec->form.n, 0);
	ck_assert_uint_eq(spec->body, PLAN_BODY_NONE);
	ck_assert_ptr_null(spec->body_value);
	ck_assert_uint_eq(spec->n_ok, 1);
	ck_assert_uint_eq(spec->ok[0].from, 200);
	ck_assert_uint_eq(spec->ok[0].to, 399);
	ck_assert_uint_eq(spec->max_body, 16 * 1024 * 1024);
	ck_assert_uint_eq(spec->needs, PLAN_NEEDS_FULFILLED);
	ck_assert_uint_eq(spec->output, PLAN_INLINE);
	ck_assert(!spec->optional && !spec->omit && spec->http == PLAN_HTTP_AUTO && spec->dedupe);
	ck_assert_uint_eq(spec->priority, PLAN_PRIORITY_DEFAULT);
	ck_assert(!spec->when && !spec->otherwise && !spec->fallback && !spec->retry);
	ck_assert(!spec->group && !spec->each);
	ck_assert(spec->redirects == PLAN_REDIRECTS_DEFAULT && spec->decode);
	ck_assert(spec->auth == PLAN_AUTH_NONE && !spec->proxy.url.data);
	plan_free(plan);
}
END_TEST

START_TEST(a_job_needs_of_its_dependencies_one_of_four_things)
{
	static const struct {
		const char *members;
		enum plan_needs needs;
	} cases[] = {
		{"'after':['b']", PLAN_NEEDS_FULFILLED},
		{"'needs':'fulfilled'", PLAN_NEEDS_FULFILLED},
		{"'needs':'settled'", PLAN_NEEDS_SETTLED},
		{"'needs':'rejected'", PLAN_NEEDS_REJECTED},
		{"'needs':'any'", PLAN_NEEDS_ANY},
	};
	static const struct refusal bad[] = {
		{"'needs':'all'", FAULT_GRAPH_VALUE, "/needs", "not \"all\""},
		{"'needs':'reject'", FAULT_GRAPH_VALUE, "/needs",
			"must be \"fulfilled\", \"settled\", \"rejected\" or \"any\", not "
			"\"reject\""},
		{"'needs':1", FAULT_GRAPH_TYPE, "/needs", "not a number"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].members);

		ck_assert_uint_eq(plan->jobs[0].spec->needs, cases[i].needs);
		plan_free(plan);
	}
	document_job_refusals(bad, countof(bad));
}
END_TEST

/* "`priority` 0-9, higher first (the graph's)" */
START_TEST(a_job_has_the_priority_of_the_graph_or_its_own)
{
	static const struct refusal bad[] = {
		{"'priority':10", FAULT_GRAPH_VALUE, "/priority", "from 0 to 9"},
		{"'priority':0.5", FAULT_GRAPH_VALUE, "/priority", "whole"},
		{"'priority':null", FAULT_GRAPH_TYPE, "/priority", "a number"},
	};
	struct plan *plan =
		document_plan("{'jobs':[{'url':'http://h'},{'url':'http://h','priority':0},"
			      "{'id':'g','jobs':[{'id':'x','url':'http://h'}]}],'priority':7}");

	ck_assert_uint_eq(plan->jobs[0].spec->priority, 7);
	ck_assert_uint_eq(plan->jobs[1].spec->priority, 0);
	ck_assert_uint_eq(plan->jobs[3].spec->priority, 7);
	plan_free(plan);
	document_job_refusals(bad, countof(bad));
}
END_TEST

/* "`fallback`: any JSON", and `else` too; "References may stand in ...; nowhere else" */
START_TEST(fallback_and_else_are_taken_as_they_stand)
{
	static const struct refusal bad[] = {
		{"'fallback':{'a':1,'a':2}", FAULT_GRAPH_KEY, "/fallback/a", "twice"},
		{"'else':[{'a':1,'a':2}]", FAULT_GRAPH_KEY, "/else/0/a", "twice"},
	};
	struct plan *plan = document_plan_of_job(
		"'fallback':['{{nobody}} {{',{'{{b}}':1}],'else':'{{b}}','needs':'rejected'");

	ck_assert_uint_eq(plan->n_edges, 0);
	ck_assert_uint_eq(plan->jobs[1].keep, 0);
	document_assert_text(json_string(plan->jobs[0].spec->otherwise), "{{b}}");
	plan_free(plan);
	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(concurrency_needs_a_fan_out_or_a_group)
{
	static const struct refusal bad[] = {
		{"'concurrency':5", FAULT_GRAPH_KEY, "/concurrency", "needs \"each\""},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(refuses_bad_jobs)
{
	static const struct refusal cases[] = {
		{"{'jobs':{'a':{}}}", FAULT_GRAPH_KEY, "/jobs/a", "\"url\" is missing"},
		{"{'jobs':[{'method':'GET'}]}", FAULT_GRAPH_KEY, "/jobs/0", "\"url\" is missing"},
		{"{'jobs':{'a':'http://h'}}", FAULT_GRAPH_TYPE, "/jobs/a",
			"an object, not a string"},
		{"{'jobs':['http://h']}", FAULT_GRAPH_TYPE, "/jobs/0", "an object, not a string"},
		{"{'jobs':{'a':{'id':'b','url':'http://h'}}}", FAULT_GRAPH_KEY, "/jobs/a/id",
			"in an object the key is the id"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(jobs_that_say_the_same_share_what_they_say)
{
	struct plan *plan =
		document_plan("{'jobs':{"
			      "'a':{'url':'http://h/1'},'b':{'url':'http://h/2','after':['a']},"
			      "'c':{'url':'http://h/3','headers':{'x':['y',1]},'omit':true},"
			      "'d':{'url':'http://h/{{a}}','headers':{'x':['y',1]},'omit':true},"
			      "'e':{'url':'http://h/5','headers':{'x':['y',2]},'omit':true},"
			      "'f':{'url':'http://h/6','headers':{'x':['y',2]},'omit':false},"
			      "'g':{'url':'http://h/7','after':['b'],'omit':true},"
			      "'h':{'url':'http://h/8','after':['a','g'],'omit':true},"
			      "'i':{'url':'http://h/9'}}}");
	const struct plan_job *jobs = plan->jobs;

	ck_assert_ptr_eq(jobs[0].spec, jobs[1].spec);
	ck_assert_ptr_eq(jobs[2].spec, jobs[3].spec);
	ck_assert_ptr_ne(jobs[3].spec, jobs[4].spec);
	ck_assert_ptr_ne(jobs[4].spec, jobs[5].spec);
	ck_assert_ptr_eq(jobs[6].spec, jobs[7].spec);
	ck_assert_ptr_eq(jobs[8].spec, jobs[0].spec);
	ck_assert(jobs[3].url_is_template);
	ck_assert_uint_eq(jobs[3].n_dependencies, 1);
	ck_assert_uint_eq(jobs[7].n_dependencies, 2);
	plan_free(plan);
}
END_TEST

START_TEST(jobs_in_groups_share_too)
{
	struct plan *plan = document_plan(
		"{'jobs':{'g':{'jobs':{'a':{'url':'http://h/1','omit':true}}},"
		"'h':{'jobs':{'b':{'url':'http://h/2','omit':true},"
		"'f':{'each':[1],'url':'http://h/{{item}}','omit':true}}},"
		"'i':{'defaults':{'timeout':1},'jobs':{'c':{'url':'http://h/3','omit':true}}},"
		"'d':{'url':'http://h/4','omit':true}}}");
	const struct plan_spec *a = plan_find(plan, TEXT("a"))->spec;

	ck_assert_ptr_eq(plan_find(plan, TEXT("b"))->spec, a);
	ck_assert_ptr_ne(plan_find(plan, TEXT("c"))->spec, a);
	ck_assert_ptr_ne(plan_find(plan, TEXT("d"))->spec, plan_find(plan, TEXT("c"))->spec);
	ck_assert_ptr_eq(plan_find(plan, TEXT("g"))->spec, plan_find(plan, TEXT("h"))->spec);
	plan_free(plan);
}
END_TEST

START_TEST(jobs_whose_keys_refer_to_others_do_not_share)
{
	struct plan *plan = document_plan(
		"{'jobs':{'a':{'url':'http://h/1'},"
		"'b':{'url':'http://h/2','body':'{{a}}'},'c':{'url':'http://h/3','body':'{{a}}'},"
		"'d':{'url':'http://h/4','body':'{{a}}'}}}");

	for (uint32_t i = 1; i < plan->n_jobs; i++)
		ck_assert_uint_eq(plan->jobs[i].n_dependencies, 1);
	plan_free(plan);
}
END_TEST

START_TEST(a_mistake_is_told_for_each_job_that_makes_it)
{
	struct plan_errors errors;

	document_errors("{'jobs':{'a':{'url':'http://h','tymeout':1},"
			"'b':{'url':'http://h','tymeout':1},'c':{'url':'x','omit':true},"
			"'d':{'url':'y','omit':true}}}",
		&errors);
	ck_assert_uint_eq(errors.n, 4);
	document_assert_text(errors.errors[1].at, "/jobs/b/tymeout");
	document_assert_text(errors.errors[3].at, "/jobs/d/url");
	plan_errors_deinit(&errors);
}
END_TEST

UNIT_MAIN("proto/document_job", &reads_every_key_that_is_served, &a_job_has_defaults,
	&a_job_needs_of_its_dependencies_one_of_four_things,
	&a_job_has_the_priority_of_the_graph_or_its_own, &fallback_and_else_are_taken_as_they_stand,
	&concurrency_needs_a_fan_out_or_a_group, &refuses_bad_jobs,
	&jobs_that_say_the_same_share_what_they_say, &jobs_in_groups_share_too,
	&jobs_whose_keys_refer_to_others_do_not_share,
	&a_mistake_is_told_for_each_job_that_makes_it)
