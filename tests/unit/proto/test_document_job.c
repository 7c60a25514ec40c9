/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(reads_every_key_that_is_served)
{
	struct plan *plan = document_plan_of_job(
		"'method':'PATCH','headers':{'a':'b'},'query':{'c':'d'},'body':'e',"
		"'after':['b'],'needs':'settled','ok':404,'optional':true,'timeout':1,"
		"'attempt_timeout':1,'queue_timeout':1,'timeouts':{'idle':1},'max_body':1,"
		"'output':'discard','omit':true,'http':'1.1','tls':{'insecure':true},"
		"'resolve':{'h:80':'127.0.0.1'},'redirects':0,'decode':false,'dedupe':false");
	const struct plan_spec *spec = plan->jobs[0].spec;

	document_assert_text(spec->method, "PATCH");
	ck_assert_uint_eq(spec->headers.n, 1);
	ck_assert_uint_eq(spec->query.n, 1);
	ck_assert_uint_eq(spec->body, PLAN_BODY_TEXT);
	document_assert_text(spec->body_text, "e");
	ck_assert_uint_eq(spec->needs, PLAN_NEEDS_SETTLED);
	ck_assert_uint_eq(spec->output, PLAN_DISCARD);
	ck_assert(spec->optional && spec->omit && spec->http11_only);
	ck_assert_uint_eq(spec->max_body, 1);
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
	ck_assert(!spec->optional && !spec->omit && !spec->http11_only);
	plan_free(plan);
}
END_TEST

START_TEST(what_is_not_served_yet_is_refused)
{
	static const char *const keys[] = {"body_fd", "auth", "when", "else", "each", "concurrency",
		"fallback", "retry", "proxy", "priority", "jobs", "mode", "defaults"};
	static const struct refusal values[] = {
		{"'redirects':10", FAULT_GRAPH_VALUE, "/redirects",
			"not supported by this version"},
		{"'redirects':-1", FAULT_GRAPH_VALUE, "/redirects", "whole number"},
		{"'redirects':'0'", FAULT_GRAPH_TYPE, "/redirects", "a number, not a string"},
		{"'decode':true", FAULT_GRAPH_VALUE, "/decode", "not supported by this version"},
		{"'decode':0", FAULT_GRAPH_TYPE, "/decode", "a boolean"},
		{"'dedupe':true", FAULT_GRAPH_VALUE, "/dedupe", "not supported by this version"},
		{"'http':'2'", FAULT_GRAPH_VALUE, "/http", "not supported by this version"},
		{"'output':'stream'", FAULT_GRAPH_VALUE, "/output",
			"not supported by this version"},
		{"'output':'file'", FAULT_GRAPH_VALUE, "/output", "not supported by this version"},
		{"'needs':'any'", FAULT_GRAPH_VALUE, "/needs", "not supported by this version"},
		{"'needs':'rejected'", FAULT_GRAPH_VALUE, "/needs",
			"not supported by this version"},
	};

	for (size_t i = 0; i < countof(keys); i++) {
		struct refusal wanted = {NULL, FAULT_GRAPH_KEY, NULL, NULL};
		char json[64], at[64], message[128];

		snprintf(json, sizeof(json), "'%s':1", keys[i]);
		snprintf(at, sizeof(at), "/%s", keys[i]);
		snprintf(message, sizeof(message), "\"%s\" is not supported by this version",
			keys[i]);
		wanted.json = json;
		wanted.at = at;
		wanted.message = message;
		document_job_refusals(&wanted, 1);
	}
	document_job_refusals(values, countof(values));
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
		{"{'jobs':{'g':{'jobs':{}}}}", FAULT_GRAPH_KEY, "/jobs/g/jobs",
			"not supported by this version"},
		{"{'jobs':{'a':{'id':'b','url':'http://h'}}}", FAULT_GRAPH_KEY, "/jobs/a/id",
			"in an object the key is the id"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(checks_the_method)
{
	static const struct refusal cases[] = {
		{"'method':'CONNECT'", FAULT_GRAPH_VALUE, "/method", "CONNECT"},
		{"'method':''", FAULT_GRAPH_VALUE, "/method", "no method"},
		{"'method':'GET /'", FAULT_GRAPH_VALUE, "/method", "no method"},
		{"'method':'{{b}}'", FAULT_GRAPH_VALUE, "/method", "no method"},
		{"'method':1", FAULT_GRAPH_TYPE, "/method", "a string"},
	};
	struct plan *plan = document_plan_of_job("'method':'get'");

	document_assert_text(plan->jobs[0].spec->method, "get");
	plan_free(plan);
	document_job_refusals(cases, countof(cases));
	plan_free(document_plan_of_job("'method':'GET','body':'x'"));
}
END_TEST

START_TEST(a_job_has_one_body_at_most)
{
	static const struct refusal cases[] = {
		{"'json':1,'body':'x'", FAULT_GRAPH_KEY, "/body", "one of"},
		{"'form':{},'json':1", FAULT_GRAPH_KEY, "/json", "one of"},
		{"'body':'x','body_base64':''", FAULT_GRAPH_KEY, "/body_base64", "one of"},
		{"'body_base64':'','form':{}", FAULT_GRAPH_KEY, "/form", "one of"},
		{"'body':1", FAULT_GRAPH_TYPE, "/body", "a string"},
		{"'body_base64':1", FAULT_GRAPH_TYPE, "/body_base64", "a string"},
	};
	struct plan *plan;

	document_job_refusals(cases, countof(cases));
	plan = document_plan_of_job("'json':null");
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_JSON);
	ck_assert(yyjson_is_null(plan->jobs[0].spec->body_value));
	plan_free(plan);
	plan = document_plan_of_job("'body':''");
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_TEXT);
	ck_assert_ptr_nonnull(plan->jobs[0].spec->body_text.data);
	plan_free(plan);
	plan = document_plan_of_job("'form':{}");
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_FORM);
	plan_free(plan);
}
END_TEST

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
		{"{'defaults':{'each':[]},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/each", ""},
		{"{'defaults':{'jobs':{}},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/jobs", ""},
		{"{'defaults':{'when':{}},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/when", ""},
		{"{'defaults':{'else':1},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/else", ""},
		{"{'defaults':{'fallback':1},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/fallback",
			""},
		{"{'defaults':{'retry':3},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/retry",
			"not supported by this version"},
		{"{'defaults':{'timeuot':3},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/timeuot",
			"did you mean \"timeout\"?"},
		{"{'defaults':{'json':1,'body':''},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/body",
			"one of"},
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
	&what_is_not_served_yet_is_refused, &refuses_bad_jobs, &checks_the_method,
	&a_job_has_one_body_at_most, &defaults_reach_jobs_key_by_key,
	&a_max_body_of_the_defaults_holds_for_all_outputs, &refuses_what_may_not_stand_in_defaults,
	&jobs_that_say_the_same_share_what_they_say, &jobs_whose_keys_refer_to_others_do_not_share,
	&a_mistake_is_told_for_each_job_that_makes_it)
