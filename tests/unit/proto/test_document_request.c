/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(follows_redirects_as_far_as_it_is_told)
{
	static const struct {
		const char *members;
		uint32_t redirects;
	} cases[] = {
		{"'redirects':0", 0},
		{"'redirects':1", 1},
		{"'redirects':100", PLAN_REDIRECTS_MAX},
		{"'ok':200", PLAN_REDIRECTS_DEFAULT},
	};
	static const struct refusal bad[] = {
		{"'redirects':101", FAULT_GRAPH_VALUE, "/redirects", "from 0 to 100"},
		{"'redirects':-1", FAULT_GRAPH_VALUE, "/redirects", "whole number"},
		{"'redirects':1.5", FAULT_GRAPH_VALUE, "/redirects", "whole number"},
		{"'redirects':'0'", FAULT_GRAPH_TYPE, "/redirects", "a number, not a string"},
		{"'redirects':true", FAULT_GRAPH_TYPE, "/redirects", "a number, not a boolean"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].members);

		ck_assert_uint_eq(plan->jobs[0].spec->redirects, cases[i].redirects);
		ck_assert_uint_eq(plan->jobs[1].spec->redirects, PLAN_REDIRECTS_DEFAULT);
		plan_free(plan);
	}
	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(decodes_unless_told_not_to)
{
	static const struct refusal bad[] = {
		{"'decode':0", FAULT_GRAPH_TYPE, "/decode", "a boolean"},
		{"'decode':'gzip'", FAULT_GRAPH_TYPE, "/decode", "a boolean"},
	};
	struct plan *plan = document_plan_of_job("'decode':false");

	ck_assert(!plan->jobs[0].spec->decode && plan->jobs[1].spec->decode);
	plan_free(plan);
	plan = document_plan("{'defaults':{'decode':false},'jobs':{'a':{'url':'http://h/',"
			     "'decode':true},'b':{'url':'http://h/'}}}");
	ck_assert(plan->jobs[0].spec->decode && !plan->jobs[1].spec->decode);
	plan_free(plan);
	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(http_2_is_for_https)
{
	static const struct {
		const char *json;
		enum plan_http http;
	} cases[] = {
		{"{'jobs':{'a':{'url':'https://h/'}}}", PLAN_HTTP_AUTO},
		{"{'jobs':{'a':{'url':'https://h/','http':'auto'}}}", PLAN_HTTP_AUTO},
		{"{'jobs':{'a':{'url':'http://h/','http':'1.1'}}}", PLAN_HTTP_1_1},
		{"{'jobs':{'a':{'url':'https://h/','http':'2'}}}", PLAN_HTTP_2},
		{"{'jobs':{'a':{'url':'HTTPS://h/{{index ?? 1}}','each':[1],'http':'2'}}}",
			PLAN_HTTP_2},
		{"{'defaults':{'http':'2'},'jobs':{'a':{'url':'https://h/'}}}", PLAN_HTTP_2},
		/* Where it leads is not known before it is filled in. */
		{"{'input':'http://h/','jobs':{'a':{'url':'{{input}}','http':'2'}}}", PLAN_HTTP_2},
		{"{'defaults':{'http':'2'},'jobs':{'a':{'url':'http://h/','http':'auto'}}}",
			PLAN_HTTP_AUTO},
	};
	static const struct refusal bad[] = {
		{"{'jobs':{'a':{'url':'http://h/','http':'2'}}}", FAULT_GRAPH_VALUE, "/jobs/a/http",
			"https"},
		{"{'jobs':{'a':{'http':'2','url':'HTTP://h/'}}}", FAULT_GRAPH_VALUE, "/jobs/a/http",
			"https"},
		{"{'jobs':{'a':{'url':'http://h/{{input}}','http':'2'}}}", FAULT_GRAPH_VALUE,
			"/jobs/a/http", "https"},
		{"{'defaults':{'http':'2'},'jobs':{'a':{'url':'http://h/'}}}", FAULT_GRAPH_VALUE,
			"/jobs/a/url", "https"},
		{"{'defaults':{'http':'2'},'jobs':{'a':{'url':'https://h/'},"
		 "'b':{'url':'http://h/'}}}",
			FAULT_GRAPH_VALUE, "/jobs/b/url", "https"},
		/* Also where the two jobs are alike. */
		{"{'jobs':{'a':{'http':'2','url':'https://h/'},'b':{'http':'2','url':'http://h/'}}"
		 "}",
			FAULT_GRAPH_VALUE, "/jobs/b/http", "https"},
		{"{'defaults':{'http':'2'},'jobs':{'a':{'ok':200,'url':'https://h/'},"
		 "'b':{'ok':200,'url':'http://h/'}}}",
			FAULT_GRAPH_VALUE, "/jobs/b/url", "https"},
		{"{'jobs':{'a':{'url':'https://h/','http':'3'}}}", FAULT_GRAPH_VALUE,
			"/jobs/a/http", "must be \"auto\""},
		{"{'jobs':{'a':{'url':'https://h/','http':2}}}", FAULT_GRAPH_TYPE, "/jobs/a/http",
			"not a number"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan(cases[i].json);

		ck_assert_msg(plan->jobs[plan->n_jobs - 1].spec->http == cases[i].http, "%s",
			cases[i].json);
		plan_free(plan);
	}
	document_refusals(bad, countof(bad));
}
END_TEST

START_TEST(a_body_goes_where_it_is_told)
{
	static const struct {
		const char *members;
		enum plan_output output;
		uint64_t max_body;
	} cases[] = {
		{"'output':'inline'", PLAN_INLINE, 16 * 1024 * 1024},
		{"'output':'discard'", PLAN_DISCARD, UINT64_MAX},
		{"'output':'stream'", PLAN_STREAM, UINT64_MAX},
		{"'output':'file','fd':7", PLAN_FILE, UINT64_MAX},
		{"'fd':7,'output':'file','max_body':'1k'", PLAN_FILE, 1024},
		{"'output':'stream','max_body':1", PLAN_STREAM, 1},
	};
	static const struct refusal bad[] = {
		{"'output':'file'", FAULT_GRAPH_KEY, "", "\"fd\" is missing"},
		{"'fd':0", FAULT_GRAPH_KEY, "/fd", "needs \"output\": \"file\""},
		{"'output':'stream','fd':0", FAULT_GRAPH_KEY, "/fd", "needs \"output\""},
		{"'output':'file','fd':'0'", FAULT_GRAPH_TYPE, "/fd", "a number, not a string"},
		{"'output':'file','fd':-1", FAULT_GRAPH_VALUE, "/fd", "from 0 on"},
		{"'output':'file','fd':0.5", FAULT_GRAPH_VALUE, "/fd", "from 0 on"},
		{"'output':'file','fd':253", FAULT_GRAPH_VALUE, "/fd", "no descriptor 253"},
		{"'output':'fiel'", FAULT_GRAPH_VALUE, "/output", "or \"file\", not \"fiel\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].members);
		const struct plan_spec *spec = plan->jobs[0].spec;

		ck_assert_uint_eq(spec->output, cases[i].output);
		ck_assert_uint_eq(spec->max_body, cases[i].max_body);
		ck_assert(spec->output != PLAN_FILE || spec->output_fd == 7);
		plan_free(plan);
	}
	document_job_refusals(bad, countof(bad));
}
END_TEST

/* "One `fd` may be the output of one job only and stands in no fan-out" */
START_TEST(one_job_writes_to_a_descriptor)
{
#define FILE_JOB(fd) "{'url':'http://h/','output':'file','fd':" #fd "}"
	static const struct refusal bad[] = {
		{"{'jobs':{'a':" FILE_JOB(1) ",'b':" FILE_JOB(1) "}}", FAULT_GRAPH_VALUE,
			"/jobs/b/fd", "the job \"a\" writes to the descriptor 1 already"},
		{"{'jobs':{'g':{'jobs':{'a':" FILE_JOB(0) "}},'b':" FILE_JOB(0) "}}",
			FAULT_GRAPH_VALUE, "/jobs/b/fd", "\"a\""},
		{"{'jobs':{'a':{'url':'http://h/','output':'file','fd':0,'each':[1]}}}",
			FAULT_GRAPH_VALUE, "/jobs/a/fd", "all children of the fan-out"},
		{"{'jobs':{'g':{'each':[1],'jobs':{'a':" FILE_JOB(0) "}}}}", FAULT_GRAPH_VALUE,
			"/jobs/g/jobs/a/fd", "all children of the fan-out"},
		{"{'defaults':{'output':'file','fd':0},'jobs':{}}", FAULT_GRAPH_KEY, "/defaults/fd",
			"may not stand in defaults"},
		{"{'defaults':{'output':'file'},'jobs':{'a':{'url':'http://h/'}}}", FAULT_GRAPH_KEY,
			"/jobs/a", "\"fd\" is missing"},
	};
	struct plan *plan = document_plan("{'defaults':{'output':'file'},'jobs':{"
					  "'a':{'url':'http://h/','fd':1},"
					  "'b':{'url':'http://h/','fd':0},"
					  "'c':{'url':'http://h/','output':'inline'}}}");

	document_refusals(bad, countof(bad));
	ck_assert_uint_eq(plan->jobs[0].spec->output_fd, 1);
	ck_assert_uint_eq(plan->jobs[1].spec->output_fd, 0);
	ck_assert_uint_eq(plan->jobs[0].spec->output, PLAN_FILE);
	ck_assert_uint_eq(plan->jobs[2].spec->output, PLAN_INLINE);
	plan_free(plan);
}
END_TEST

START_TEST(a_body_may_be_read_by_several)
{
	static const struct refusal bad[] = {
		{"'body_fd':0,'body':'x'", FAULT_GRAPH_KEY, "/body", "one of"},
		{"'json':1,'body_fd':0", FAULT_GRAPH_KEY, "/body_fd", "one of"},
		{"'body_fd':'0'", FAULT_GRAPH_TYPE, "/body_fd", "a number"},
		{"'body_fd':4294967296", FAULT_GRAPH_VALUE, "/body_fd", "from 0 on"},
		{"'body_fd':300", FAULT_GRAPH_VALUE, "/body_fd", "no descriptor 300"},
	};
	struct plan *plan = document_plan(
		"{'defaults':{'body_fd':3},'jobs':{'a':{'url':'http://h/'},"
		"'b':{'url':'http://h/','each':[1,2]},'c':{'url':'http://h/','body':'x'},"
		"'d':{'url':'http://h/','output':'file','fd':3}}}");

	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_FD);
	ck_assert_uint_eq(plan->jobs[0].spec->body_fd, 3);
	ck_assert_uint_eq(plan->jobs[2].spec->body, PLAN_BODY_FD);
	ck_assert_uint_eq(plan->jobs[3].spec->body, PLAN_BODY_TEXT);
	ck_assert_uint_eq(plan->jobs[3].spec->body_fd, 0);
	ck_assert_uint_eq(plan->jobs[4].spec->output_fd, 3);
	plan_free(plan);
	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(only_descriptors_that_came_may_be_named)
{
	static const struct {
		uint32_t n_fds;
		const char *json;
		/* NULL: it is right. */
		const char *at, *message;
	} cases[] = {
		{2, "{'jobs':{'a':{'url':'http://h/','body_fd':1}}}", NULL, NULL},
		{2, "{'jobs':{'a':{'url':'http://h/','body_fd':2}}}", "/jobs/a/body_fd",
			"there is no descriptor 2: 2 came with the graph, the first one is 0"},
		{0, "{'jobs':{'a':{'url':'http://h/','output':'file','fd':0}}}", "/jobs/a/fd",
			"there is no descriptor 0: 0 came with the graph"},
		{1000, "{'jobs':{'a':{'url':'http://h/','output':'file','fd':253}}}", "/jobs/a/fd",
			"there is no descriptor 253: 253 came"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct document_limits limits = document_limits_default;
		char *text = document_quoted(cases[i].json);
		struct plan_errors errors;
		struct plan *plan = NULL;
		int r;

		limits.n_fds = cases[i].n_fds;
		plan_errors_init(&errors);
		r = document_parse(text_from(text), &limits, &plan, &errors);
		ck_assert_int_eq(r, cases[i].at ? DOCUMENT_E_REFUSED : 0);
		if (cases[i].at) {
			const struct plan_error *error = &errors.errors[0];

			ck_assert_uint_eq(errors.n, 1);
			ck_assert_uint_eq(error->code, FAULT_GRAPH_VALUE);
			document_assert_text(error->at, cases[i].at);
			ck_assert_msg(text_starts_with(error->message, text_from(cases[i].message)),
				"%.*s", TEXT_ARGS(error->message));
		}
		plan_free(plan);
		plan_errors_deinit(&errors);
		free(text);
	}
}
END_TEST

START_TEST(a_body_that_is_not_kept_may_not_be_referred_to)
{
#define TO(output) "'a':{'url':'http://h/','output':'" output "'}"
	static const struct refusal bad[] = {
		{"{'jobs':{" TO("discard") ",'b':{'url':'http://h/{{a#/x}}'}}}", FAULT_GRAPH_VALUE,
			"/jobs/b/url",
			"the body of \"a\" is not kept: its \"output\" is \"discard\""},
		{"{'jobs':{'b':{'url':'http://h/','body':'{{a ?? x}}'}," TO("stream") "}}",
			FAULT_GRAPH_VALUE, "/jobs/b/body", "\"stream\""},
		{"{'jobs':{'a':{'url':'http://h/','output':'file','fd':0}},'return':'{{a}}'}",
			FAULT_GRAPH_VALUE, "/return", "\"file\""},
		{"{'jobs':{" TO("stream") ",'b':{'url':'http://h/','when':{'a#/x':1}}}}",
			FAULT_GRAPH_VALUE, "/jobs/b/when/a#~1x", "not kept"},
		{"{'jobs':{" TO("stream") ",'b':{'url':'http://h/','each':'{{a}}'}}}",
			FAULT_GRAPH_VALUE, "/jobs/b/each", "not kept"},
		{"{'defaults':{'output':'stream','headers':{'x':'{{a}}'}},'jobs':{"
		 "'a':{'url':'http://h/','headers':{'x':''}},'b':{'url':'http://h/'}}}",
			FAULT_GRAPH_VALUE, "/defaults/headers/x", "not kept"},
		/* The fan-out's body would be an array of nothing. */
		{"{'jobs':{'p':{'jobs':{'a':{'url':'http://h/','each':[1],'output':'discard'}}},"
		 "'b':{'url':'http://h/{{a#/0}}'}}}",
			FAULT_GRAPH_VALUE, "/jobs/b/url", "the body of \"a\" is not kept"},
	};
	static const char *const good[] = {
		"{'jobs':{" TO("discard") ",'b':{'url':'http://h/{{a.status}}{{a.headers.x}}'}}}",
		"{'jobs':{" TO("stream") ",'b':{'url':'http://h/','after':['a']}},"
					 "'return':'{{a.outcome}}'}",
		/* In a group's body it is null. */
		"{'jobs':{'g':{'jobs':{" TO("discard") "}},'b':{'url':'http://h/{{g#/c}}'}}}",
		"{'jobs':{" TO("inline") ",'b':{'url':'http://h/{{a}}','output':'stream'}}}",
	};

	document_refusals(bad, countof(bad));
	for (size_t i = 0; i < countof(good); i++)
		plan_free(document_plan(good[i]));
}
END_TEST

START_TEST(each_reference_to_a_body_that_is_not_kept_is_told)
{
	static const char *const at[] = {"/jobs/b/url", "/jobs/b/json/q/1", "/return/x"};
	struct plan_errors errors;
	struct plan *plan;

	ck_assert_int_eq(
		document_try("{'jobs':{'b':{'url':'http://h/{{a}}','json':{'q':[1,"
			     "'{{a#/x}}'],'r':'{{a.status}}'}}," TO(
				     "discard") ",'c':{"
						"'url':'http://h/"
						"','after':['a']}},'return':{'x':'{{a}}'}}",
			&plan, &errors),
		DOCUMENT_E_REFUSED);
	ck_assert_uint_eq(errors.n, countof(at));
	for (size_t i = 0; i < countof(at); i++)
		document_assert_text(errors.errors[i].at, at[i]);
	plan_errors_deinit(&errors);
}
END_TEST

START_TEST(reads_auth)
{
	static const struct refusal bad[] = {
		{"'auth':'basic'", FAULT_GRAPH_TYPE, "/auth", "an object"},
		{"'auth':{}", FAULT_GRAPH_KEY, "/auth", "one of \"basic\" and \"bearer\""},
		{"'auth':{'basic':'N','bearer':'N'}", FAULT_GRAPH_KEY, "/auth", "one of"},
		{"'auth':{'digest':'N','basic':'N'}", FAULT_GRAPH_KEY, "/auth/digest",
			"unknown key \"digest\"; known are \"basic\" and \"bearer\""},
		{"'auth':{'baisc':'N'}", FAULT_GRAPH_KEY, "/auth/baisc", "did you mean \"basic\"?"},
		{"'auth':{'basic':1}", FAULT_GRAPH_TYPE, "/auth/basic", "a string"},
		{"'auth':{'basic':'user:hush'}", FAULT_GRAPH_VALUE, "/auth/basic",
			"must be the name of a secret: 1 to 64"},
		{"'auth':{'bearer':''}", FAULT_GRAPH_VALUE, "/auth/bearer", "the name of a secret"},
	};
	static const struct {
		const char *json;
		enum plan_auth auth;
	} cases[] = {
		{"{'jobs':{'a':{'url':'http://h/'}}}", PLAN_AUTH_NONE},
		{"{'jobs':{'a':{'url':'http://h/','auth':{'basic':'NAME'}}}}", PLAN_AUTH_BASIC},
		{"{'defaults':{'auth':{'basic':'x'}},"
		 "'jobs':{'a':{'url':'http://h/','auth':{'bearer':'NAME'}}}}",
			PLAN_AUTH_BEARER},
		{"{'defaults':{'auth':{'bearer':'NAME'}},'jobs':{'a':{'url':'http://h/'}}}",
			PLAN_AUTH_BEARER},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan(cases[i].json);
		const struct plan_spec *spec = plan->jobs[0].spec;

		ck_assert_uint_eq(spec->auth, cases[i].auth);
		if (spec->auth != PLAN_AUTH_NONE)
			document_assert_text(spec->auth_secret, "NAME");
		plan_free(plan);
	}
	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(credentials_are_said_once)
{
#define AUTH  "'auth':{'basic':'N'}"
#define TOKEN "'headers':{'Authorization':'x'}"
	static const struct refusal bad[] = {
		{"{'jobs':{'a':{'url':'http://h/'," AUTH "," TOKEN "}}}", FAULT_GRAPH_KEY,
			"/jobs/a/auth", "\"auth\" makes the header \"authorization\""},
		{"{'defaults':{" AUTH "," TOKEN "},'jobs':{'a':{'url':'http://h/'},"
		 "'b':{'url':'http://h/','ok':200}}}",
			FAULT_GRAPH_KEY, "/defaults/auth", "a job has one of them"},
		{"{'defaults':{" AUTH "},'jobs':{'a':{'url':'http://h/'," TOKEN "}}}",
			FAULT_GRAPH_KEY, "/jobs/a/headers", "\"auth\""},
		{"{'defaults':{" TOKEN "},'jobs':{'a':{'url':'http://h/'," AUTH "}}}",
			FAULT_GRAPH_KEY, "/jobs/a/auth", "\"auth\""},
		{"{'defaults':{" TOKEN "},'jobs':{'g':{'defaults':{" AUTH "},'jobs':{}}}}",
			FAULT_GRAPH_KEY, "/jobs/g/defaults/auth", "\"auth\""},
		{"{'jobs':{'a':{'url':'http://h/','proxy':'http://u:p@h',"
		 "'headers':{'proxy-authorization':'x'}}}}",
			FAULT_GRAPH_KEY, "/jobs/a/proxy", "\"proxy-authorization\""},
	};
	static const char *const good[] = {
		"{'jobs':{'a':{'url':'http://h/'," TOKEN "},'b':{'url':'http://h/'," AUTH "}}}",
		"{'jobs':{'a':{'url':'http://h/','proxy':'http://h',"
		"'headers':{'proxy-authorization':'x'}}}}",
		"{'jobs':{'a':{'url':'http://h/'," AUTH ",'headers':{'proxy-authorization':'x'}}}}",
	};

	document_refusals(bad, countof(bad));
	for (size_t i = 0; i < countof(good); i++)
		plan_free(document_plan(good[i]));
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

/* "`dedupe` `true`" */
START_TEST(a_flight_is_shared_unless_the_job_says_no)
{
	static const struct refusal bad[] = {
		{"'dedupe':1", FAULT_GRAPH_TYPE, "/dedupe", "a boolean, not a number"},
	};
	struct plan *plan = document_plan_of_job("'dedupe':false");

	ck_assert(!plan->jobs[0].spec->dedupe && plan->jobs[1].spec->dedupe);
	plan_free(plan);
	plan = document_plan_of_job("'dedupe':true");
	ck_assert(plan->jobs[0].spec->dedupe);
	plan_free(plan);
	document_job_refusals(bad, countof(bad));
}
END_TEST

UNIT_MAIN("proto/document_request", &follows_redirects_as_far_as_it_is_told,
	&decodes_unless_told_not_to, &http_2_is_for_https, &a_body_goes_where_it_is_told,
	&one_job_writes_to_a_descriptor, &a_body_may_be_read_by_several,
	&only_descriptors_that_came_may_be_named, &a_body_that_is_not_kept_may_not_be_referred_to,
	&each_reference_to_a_body_that_is_not_kept_is_told, &reads_auth, &credentials_are_said_once,
	&checks_the_method, &a_job_has_one_body_at_most, &a_flight_is_shared_unless_the_job_says_no)
