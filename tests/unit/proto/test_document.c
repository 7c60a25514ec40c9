/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* The graph of CONTRACT 2. */
START_TEST(reads_the_graph_of_the_manual)
{
	struct plan *plan = document_plan(
		"{'version':1,'name':'dashboard','mode':'all','concurrency':8,'timeout':'5s',"
		"'input':{'uid':1},"
		"'defaults':{'timeout':'2s','headers':{'accept':'application/json'},'retry':3},"
		"'jobs':{"
		"'user':{'url':'http://api.local/users/{{input#/uid}}'},"
		"'config':{'url':'http://api.local/config','fallback':{'theme':'light'}},"
		"'profile':{'url':'http://api.local/profiles/{{user#/profile_id}}'},"
		"'posts':{'each':'{{user#/post_ids}}','concurrency':5,"
		"'url':'http://api.local/posts/{{item}}'},"
		"'mirror':{'mode':'any','jobs':{'eu':{'url':'http://eu.local/x'},"
		"'us':{'url':'http://us.local/x'}}},"
		"'audit':{'after':['profile'],'needs':'settled','url':'http://api.local/audit',"
		"'json':{'uid':'{{user#/id}}','profile':'{{profile.status}}'}}},"
		"'return':{'name':'{{user#/name}}','theme':'{{config#/theme}}'}}");
	const struct plan_job *user = plan_find(plan, TEXT("user"));
	const struct plan_job *audit = plan_find(plan, TEXT("audit"));

	document_assert_text(plan->name, "dashboard");
	ck_assert_uint_eq(plan->mode, PLAN_ALL);
	ck_assert_uint_eq(plan->concurrency, 8);
	ck_assert_uint_eq(plan->timeout_ns, UINT64_C(5000000000));
	ck_assert_ptr_nonnull(plan->input);
	ck_assert_ptr_nonnull(plan->result);
	ck_assert_uint_eq(plan->n_jobs, 9);
	ck_assert_uint_eq(plan->n_leaves, 7);
	ck_assert_uint_eq(plan->n_eaches, 1);
	ck_assert(!plan->is_array);
	ck_assert_uint_eq(plan->n_edges, 4);
	ck_assert_uint_eq(plan_index(plan, user), 0);
	ck_assert_uint_eq(user->n_dependents, 3);
	ck_assert_uint_eq(user->keep, PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME);
	ck_assert_uint_eq(user->remaining, 3);
	ck_assert_uint_eq(audit->n_dependencies, 2);
	ck_assert_uint_eq(audit->index, 7);
	ck_assert_uint_eq(audit->keep, 0);
	ck_assert_uint_eq(plan->jobs[2].keep, PLAN_KEEP_OUTCOME);
	ck_assert_uint_eq(plan->jobs[3].kind, PLAN_EACH);
	ck_assert_uint_eq(plan->jobs[5].kind, PLAN_GROUP);
	ck_assert_uint_eq(plan->jobs[5].spec->group->mode, PLAN_ANY);
	ck_assert_uint_eq(plan->jobs[6].spec->retry->attempts, 3);
	ck_assert_uint_eq(audit->spec->needs, PLAN_NEEDS_SETTLED);
	ck_assert_uint_eq(audit->spec->timeouts.job_ns, UINT64_C(2000000000));
	ck_assert_ptr_null(plan_find(plan, TEXT("nobody")));
	plan_free(plan);
}
END_TEST

START_TEST(a_graph_is_decided_in_one_of_four_ways)
{
	static const struct {
		const char *json;
		enum plan_mode mode;
	} cases[] = {
		{"{'mode':'settled','jobs':{}}", PLAN_SETTLED},
		{"{'mode':'all','jobs':{}}", PLAN_ALL},
		{"{'mode':'any','jobs':{}}", PLAN_ANY},
		{"{'mode':'race','jobs':[{'url':'http://h'}]}", PLAN_RACE},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan(cases[i].json);

		ck_assert_uint_eq(plan->mode, cases[i].mode);
		plan_free(plan);
	}
}
END_TEST

START_TEST(a_graph_has_defaults)
{
	struct plan *plan = document_plan("{'jobs':{}}");

	ck_assert_ptr_null(plan->name.data);
	ck_assert_uint_eq(plan->mode, PLAN_SETTLED);
	ck_assert_uint_eq(plan->concurrency, PLAN_CONCURRENCY_DEFAULT);
	ck_assert_uint_eq(plan->timeout_ns, PLAN_NEVER);
	ck_assert_ptr_null(plan->input);
	ck_assert_ptr_null(plan->result);
	ck_assert_uint_eq(plan->n_jobs, 0);
	ck_assert_ptr_null(plan_find(plan, TEXT("a")));
	plan_free(plan);

	plan = document_plan("{'concurrency':'unbounded','input':null,'return':null,'jobs':[]}");
	ck_assert_uint_eq(plan->concurrency, PLAN_UNBOUNDED);
	ck_assert_ptr_nonnull(plan->input);
	ck_assert_ptr_nonnull(plan->result);
	ck_assert(plan->is_array);
	plan_free(plan);
}
END_TEST

START_TEST(jobs_of_an_array_have_their_index_or_an_id)
{
	struct plan *plan = document_plan(
		"{'jobs':[{'url':'http://h/0'},{'id':'x','url':'http://h/{{0}}'},"
		"{'url':'http://h/2'},{'url':'http://h/3'},{'url':'http://h/4'},"
		"{'url':'http://h/5'},{'url':'http://h/6'},{'url':'http://h/7'},"
		"{'url':'http://h/8'},{'url':'http://h/9'},{'url':'http://h/{{x}}'}]}");

	ck_assert(plan->is_array);
	ck_assert_uint_eq(plan->n_jobs, 11);
	document_assert_text(plan->jobs[0].id, "0");
	document_assert_text(plan->jobs[1].id, "x");
	document_assert_text(plan->jobs[2].id, "2");
	document_assert_text(plan->jobs[9].id, "9");
	document_assert_text(plan->jobs[10].id, "10");
	ck_assert_ptr_eq(plan_find(plan, TEXT("10")), &plan->jobs[10]);
	ck_assert_ptr_null(plan_find(plan, TEXT("1")));
	ck_assert_uint_eq(plan->n_edges, 2);
	plan_free(plan);
}
END_TEST

/* Where no job says an id, none is looked up: it is the place. */
START_TEST(an_index_has_one_form)
{
	static const char *const nobody[] = {"", "00", "01", "2", "+1", "-1", " 1", "1 ", "1x", "x",
		"0x1", "4294967296", "18446744073709551616"};
	struct plan *plan =
		document_plan("{'jobs':[{'url':'http://h/0'},{'url':'http://h/{{0}}'}]}");

	ck_assert_ptr_eq(plan_find(plan, TEXT("0")), &plan->jobs[0]);
	ck_assert_ptr_eq(plan_find(plan, TEXT("1")), &plan->jobs[1]);
	for (size_t i = 0; i < countof(nobody); i++)
		ck_assert_msg(!plan_find(plan, text_from(nobody[i])), "\"%s\"", nobody[i]);
	ck_assert_uint_eq(plan->n_edges, 1);
	plan_free(plan);

	/* The child of a fan-out has a place of its own, and a group's jobs have ids. */
	plan = document_plan("{'jobs':[{'each':[1,2],'url':'http://h/0'},{'url':'http://h/1'}]}");
	ck_assert_ptr_eq(plan_find(plan, TEXT("0")), &plan->jobs[0]);
	ck_assert_ptr_eq(plan_find(plan, TEXT("1")), &plan->jobs[2]);
	plan_free(plan);
	plan = document_plan("{'jobs':[{'jobs':{'a':{'url':'http://h/0'}}},{'url':'http://h/1'}]}");
	ck_assert_ptr_eq(plan_find(plan, TEXT("a")), &plan->jobs[1]);
	ck_assert_ptr_eq(plan_find(plan, TEXT("1")), &plan->jobs[2]);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_what_is_not_json)
{
	static const struct refusal cases[] = {
		{"", FAULT_GRAPH_SYNTAX, "", "nothing to read"},
		{"{'jobs':{}", FAULT_GRAPH_SYNTAX, "", "byte 10, line 1, column 11"},
		{"{\n 'ü':x}", FAULT_GRAPH_SYNTAX, "", "byte 8, line 2, column 6"},
		{"{'jobs':{}} x", FAULT_GRAPH_SYNTAX, "", "byte 12"},
		{"{jobs:{}}", FAULT_GRAPH_SYNTAX, "", "byte 1, line 1, column 2"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(refuses_what_a_graph_may_not_say)
{
	static const struct refusal cases[] = {
		{"[]", FAULT_GRAPH_TYPE, "", "must be an object, not an array"},
		{"7", FAULT_GRAPH_TYPE, "", "must be an object, not a number"},
		{"null", FAULT_GRAPH_TYPE, "", "not null"},
		{"{}", FAULT_GRAPH_KEY, "", "\"jobs\" is missing"},
		{"{'jobs':7}", FAULT_GRAPH_TYPE, "/jobs", "an object or an array, not a number"},
		{"{'jobs':{},'jobs':{}}", FAULT_GRAPH_KEY, "/jobs", "twice"},
		{"{'job':{},'jobs':{}}", FAULT_GRAPH_KEY, "/job", "did you mean \"jobs\"?"},
		{"{'jobs':{},'priority':10}", FAULT_GRAPH_VALUE, "/priority",
			"a whole number from 0 to 9"},
		{"{'jobs':{},'priority':-1}", FAULT_GRAPH_VALUE, "/priority", "from 0 to 9"},
		{"{'jobs':{},'priority':'high'}", FAULT_GRAPH_TYPE, "/priority", "a number"},
		{"{'jobs':{},'version':2}", FAULT_GRAPH_VALUE, "/version", "version 1"},
		{"{'jobs':{},'version':'1'}", FAULT_GRAPH_TYPE, "/version", "not a string"},
		{"{'jobs':{},'name':1}", FAULT_GRAPH_TYPE, "/name", "a string, not a number"},
		{"{'jobs':{},'mode':'race'}", FAULT_GRAPH_EMPTY, "/jobs", "a race needs jobs"},
		{"{'jobs':[],'mode':'race'}", FAULT_GRAPH_EMPTY, "/jobs", "a race needs jobs"},
		{"{'jobs':{},'mode':'setled'}", FAULT_GRAPH_VALUE, "/mode",
			"must be \"settled\", \"all\", \"any\" or \"race\", not \"setled\""},
		{"{'jobs':{},'mode':true}", FAULT_GRAPH_TYPE, "/mode",
			"or \"race\", not a boolean"},
		{"{'tasks':[],'jobs':{}}", FAULT_GRAPH_KEY, "/tasks",
			"unknown key \"tasks\"; did you mean \"jobs\"?"},
		{"{'jobs':{},'concurrency':0}", FAULT_GRAPH_VALUE, "/concurrency", "from 1 on"},
		{"{'jobs':{},'concurrency':1.5}", FAULT_GRAPH_VALUE, "/concurrency", "whole"},
		{"{'jobs':{},'concurrency':-1}", FAULT_GRAPH_VALUE, "/concurrency", "from 1 on"},
		{"{'jobs':{},'concurrency':4294967295}", FAULT_GRAPH_VALUE, "/concurrency",
			"whole"},
		{"{'jobs':{},'concurrency':'many'}", FAULT_GRAPH_VALUE, "/concurrency",
			"from 1 on, or \"unbounded\", not \"many\""},
		{"{'jobs':{},'concurrency':'8'}", FAULT_GRAPH_VALUE, "/concurrency", "not \"8\""},
		{"{'jobs':{},'concurrency':[]}", FAULT_GRAPH_TYPE, "/concurrency", "an array"},
		{"{'jobs':{},'timeout':0}", FAULT_GRAPH_VALUE, "/timeout", "longer than 0"},
		{"{'jobs':{},'timeout':'soon'}", FAULT_GRAPH_VALUE, "/timeout", "no duration"},
		{"{'jobs':{},'defaults':[]}", FAULT_GRAPH_TYPE, "/defaults", "an object"},
		{"{'jobs':{},'input':{'a':[0,{'b':1,'b':2}]}}", FAULT_GRAPH_KEY, "/input/a/1/b",
			"twice"},
		{"{'jobs':{},'return':{'a':1,'a':2}}", FAULT_GRAPH_KEY, "/return/a", "twice"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(refuses_bad_ids)
{
	static const struct refusal cases[] = {
		{"{'jobs':{'a b':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/a b", "no id"},
		{"{'jobs':{'':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/", "no id"},
		{"{'jobs':{'a/~b':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/a~1~0b",
			"no id"},
		{"{'jobs':{'input':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/input",
			"meaning"},
		{"{'jobs':{'item':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/item", "item"},
		{"{'jobs':{'index':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/index",
			"index"},
		{"{'jobs':{'secret':{'url':'http://h'}}}", FAULT_GRAPH_VALUE, "/jobs/secret",
			"secret"},
		{"{'jobs':[{'id':7,'url':'http://h'}]}", FAULT_GRAPH_TYPE, "/jobs/0/id",
			"a string"},
		{"{'jobs':[{'id':'ä','url':'http://h'}]}", FAULT_GRAPH_VALUE, "/jobs/0/id",
			"no id"},
		{"{'jobs':{'a':{'url':'http://h'},'a':{'url':'http://h'}}}",
			FAULT_GRAPH_DUPLICATE_ID, "/jobs/a", "two jobs \"a\""},
		{"{'jobs':[{'id':'x','url':'http://h'},{'id':'x','url':'http://h'}]}",
			FAULT_GRAPH_DUPLICATE_ID, "/jobs/1/id", "two jobs \"x\""},
		{"{'jobs':[{'id':'1','url':'http://h'},{'url':'http://h'}]}",
			FAULT_GRAPH_DUPLICATE_ID, "/jobs/1", "two jobs \"1\""},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(shows_the_path_of_a_cycle)
{
	static const struct refusal cases[] = {
		{"{'jobs':{'a':{'url':'http://h/{{b}}'},'b':{'url':'http://h/{{a}}'}}}",
			FAULT_GRAPH_CYCLE, "/jobs/a", "a -> b -> a"},
		{"{'jobs':{'a':{'url':'http://h/{{a.status}}'}}}", FAULT_GRAPH_CYCLE, "/jobs/a",
			"a -> a"},
		/* Each needs the next, from the first job of the circle in the document on. */
		{"{'jobs':{'z':{'url':'http://h/{{c}}'},'a':{'url':'http://h','after':['b']},"
		 "'b':{'url':'http://h','after':['c']},'c':{'url':'http://h','after':['a']}}}",
			FAULT_GRAPH_CYCLE, "/jobs/a", "a -> b -> c -> a"},
		{"{'jobs':[{'url':'http://h','after':['1']},{'url':'http://h','after':['0']}]}",
			FAULT_GRAPH_CYCLE, "/jobs/0", "0 -> 1 -> 0"},
		/* What is in a group needs it to begin, and is needed by it to settle. */
		{"{'jobs':{'g':{'jobs':{'a':{'url':'http://h/{{g}}'}}}}}", FAULT_GRAPH_CYCLE,
			"/jobs/g", "g -> a -> g"},
		{"{'jobs':{'x':{'url':'http://h'},'o':{'jobs':[{'id':'g','after':['b'],'jobs':"
		 "{'a':{'url':'http://h'}}},{'id':'b','url':'http://h/{{a}}'}]}}}",
			FAULT_GRAPH_CYCLE, "/jobs/o/jobs/0", "g -> b -> a -> g"},
		{"{'jobs':{'g':{'jobs':{'h':{'jobs':{'a':{'url':'http://h','after':['g']}}}}}}}",
			FAULT_GRAPH_CYCLE, "/jobs/g", "g -> h -> a -> g"},
		{"{'jobs':{'g':{'after':['g'],'jobs':{}}}}", FAULT_GRAPH_CYCLE, "/jobs/g",
			"g -> g"},
		{"{'jobs':{'g':{'when':{'a':1},'jobs':{'a':{'url':'http://h'}}}}}",
			FAULT_GRAPH_CYCLE, "/jobs/g", "g -> a -> g"},
		/* A fan-out stands for its child. */
		{"{'jobs':{'f':{'each':[1],'url':'http://h/{{f}}'}}}", FAULT_GRAPH_CYCLE, "/jobs/f",
			"f -> f"},
		{"{'jobs':{'f':{'each':'{{a}}','url':'http://h'},'a':{'url':'http://h/{{f}}'}}}",
			FAULT_GRAPH_CYCLE, "/jobs/f", "f -> a -> f"},
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h/{{f}}'}}}}}",
			FAULT_GRAPH_CYCLE, "/jobs/f", "f -> a -> f"},
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h/{{b}}'},"
		 "'b':{'url':'http://h/{{a}}'}}}}}",
			FAULT_GRAPH_CYCLE, "/jobs/f/jobs/a", "a -> b -> a"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(a_long_cycle_is_told_in_short)
{
	char json[8192] = "{'jobs':[";
	struct plan_errors errors;
	size_t at = strlen(json);

	for (unsigned i = 0; i < 100; i++)
		at += (size_t)snprintf(json + at, sizeof(json) - at,
			"{'url':'http://h','after':['%u']}%s", (i + 1) % 100, i < 99 ? "," : "]}");
	document_errors(json, &errors);
	ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_CYCLE);
	document_assert_text(errors.errors[0].message,
		"0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 6 -> 7 -> ... 91 more ... -> 99 -> 0");
	plan_errors_deinit(&errors);
}
END_TEST

START_TEST(return_keeps_but_does_not_depend)
{
	struct plan *plan = document_plan(
		"{'jobs':{'a':{'url':'http://h'},'b':{'url':'http://h'},'c':{'url':'http://h'},"
		"'d':{'url':'http://h'}},"
		"'return':['{{a.headers.etag}}',{'x':'{{b.code}} {{c.url ?? "
		"none}}'},'{{input}}']}");

	ck_assert_uint_eq(plan->n_edges, 0);
	ck_assert_uint_eq(plan->jobs[0].keep, PLAN_KEEP_HEADERS | PLAN_KEEP_OUTCOME);
	ck_assert_uint_eq(plan->jobs[1].keep, PLAN_KEEP_OUTCOME);
	ck_assert_uint_eq(plan->jobs[2].keep, PLAN_KEEP_OUTCOME);
	ck_assert_uint_eq(plan->jobs[3].keep, 0);
	plan_free(plan);
}
END_TEST

START_TEST(return_may_refer_to_all_that_is_made_once)
{
	struct plan *plan = document_plan("{'jobs':{'g':{'jobs':{'a':{'url':'http://h'}}},"
					  "'f':{'each':[1],'url':'http://h'},"
					  "'ff':{'each':[1],'jobs':{'b':{'url':'http://h'}}}},"
					  "'return':['{{g}}','{{a#/x}}','{{f}}','{{ff#/0/b}}']}");

	for (uint32_t i = 0; i < plan->n_jobs; i++)
		ck_assert_uint_eq(plan->jobs[i].keep, PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_bad_references_in_return)
{
	static const struct refusal cases[] = {
		{"{'jobs':{'user':{'url':'http://h'}},'return':{'a':['x','{{usr#/x}}']}}",
			FAULT_GRAPH_UNKNOWN_JOB, "/return/a/1", "did you mean \"user\"?"},
		{"{'jobs':{},'return':'{{secret.X}}'}", FAULT_GRAPH_VALUE, "/return", "header"},
		{"{'jobs':{},'return':{'{{a}}':1}}", FAULT_GRAPH_VALUE, "/return/{{a}}", "key"},
		{"{'jobs':{},'return':'{{a'}", FAULT_GRAPH_VALUE, "/return", "not closed"},
		{"{'jobs':{},'return':'{{item}}'}", FAULT_GRAPH_VALUE, "/return", "fan-out"},
		{"{'jobs':{'f':{'each':[1],'jobs':{'a':{'url':'http://h'}}}},'return':'{{a}}'}",
			FAULT_GRAPH_VALUE, "/return",
			"\"a\" is made for each item of the fan-out \"f\"; refer to that"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(input_is_left_alone)
{
	plan_free(document_plan("{'input':{'{{a}}':'{{nobody}} {{'},'jobs':{}}"));
}
END_TEST

START_TEST(bounds_jobs_bytes_and_nesting)
{
	static const char json[] = "{\"jobs\":[{\"url\":\"http://h\"},{\"url\":\"http://h\"}]}";
	static const struct {
		struct document_limits limits;
		int r;
		const char *at;
	} cases[] = {
		{{2, sizeof(json) - 1, 0}, 0, NULL},
		{{1, sizeof(json) - 1, 0}, DOCUMENT_E_REFUSED, "/jobs"},
		{{2, sizeof(json) - 2, 0}, DOCUMENT_E_REFUSED, ""},
	};
	char deep[4 * JSON_DEPTH_MAX] = "{'jobs':{},'input':";
	struct plan_errors errors;
	struct plan *plan;

	for (size_t i = 0; i < countof(cases); i++) {
		plan_errors_init(&errors);
		plan = NULL;
		ck_assert_int_eq(
			document_parse(TEXT(json), &cases[i].limits, &plan, &errors), cases[i].r);
		if (cases[i].r != 0) {
			ck_assert_uint_eq(errors.n, 1);
			ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_TOO_LARGE);
			document_assert_text(errors.errors[0].at, cases[i].at);
		}
		plan_free(plan);
		plan_errors_deinit(&errors);
	}
	memset(deep + strlen(deep), '[', JSON_DEPTH_MAX);
	memset(deep + strlen(deep), ']', JSON_DEPTH_MAX);
	deep[strlen(deep)] = '}';
	document_errors(deep, &errors);
	ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_TOO_LARGE);
	document_assert_text(errors.errors[0].message, "it nests deeper than 128 levels");
	plan_errors_deinit(&errors);
}
END_TEST

START_TEST(defaults_may_not_multiply_without_bound)
{
	const unsigned n_names = 1000, n_jobs = 8000;
	size_t room = n_names * 16 + n_jobs * 64, at;
	char *json = malloc(room);
	struct plan_errors errors;

	at = (size_t)snprintf(json, room, "{'defaults':{'headers':{");
	for (unsigned i = 0; i < n_names; i++)
		at += (size_t)snprintf(json + at, room - at, "%s'h%u':1", i ? "," : "", i);
	at += (size_t)snprintf(json + at, room - at, "}},'jobs':[");
	for (unsigned i = 0; i < n_jobs; i++)
		at += (size_t)snprintf(json + at, room - at,
			"%s{'url':'http://h','headers':{'x':%u}}", i ? "," : "", i);
	snprintf(json + at, room - at, "]}");
	document_errors(json, &errors);
	ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_TOO_LARGE);
	plan_errors_deinit(&errors);
	free(json);
}
END_TEST

START_TEST(a_value_of_a_message_is_taken)
{
	static const char *const messages[] = {
		"{\"id\":7,\"submit\":{\"jobs\":{\"a\":{\"url\":\"http://h\"}}}}",
		"{\"id\":7,\"submit\":{\"jobs\":{\"a\":{}}}}",
	};

	for (size_t i = 0; i < countof(messages); i++) {
		struct json_error error;
		yyjson_doc *doc = json_read(text_from(messages[i]), &error);
		yyjson_val *graph = yyjson_obj_get(yyjson_doc_get_root(doc), "submit");
		struct plan_errors errors;
		struct plan *plan = NULL;
		int r;

		plan_errors_init(&errors);
		r = document_parse_value(&doc, graph, &document_limits_default, &plan, &errors);
		ck_assert_ptr_null(doc);
		ck_assert_int_eq(r, i == 0 ? 0 : DOCUMENT_E_REFUSED);
		if (r == 0) {
			document_assert_text(plan->jobs[0].id, "a");
		} else {
			document_assert_text(errors.errors[0].at, "/jobs/a");
			document_assert_text(
				errors.errors[0].message, "the key \"url\" is missing");
		}
		plan_free(plan);
		plan_errors_deinit(&errors);
	}
}
END_TEST

UNIT_MAIN("proto/document", &reads_the_graph_of_the_manual, &a_graph_has_defaults,
	&a_graph_is_decided_in_one_of_four_ways, &return_may_refer_to_all_that_is_made_once,
	&jobs_of_an_array_have_their_index_or_an_id, &an_index_has_one_form,
	&refuses_what_is_not_json, &refuses_what_a_graph_may_not_say, &refuses_bad_ids,
	&shows_the_path_of_a_cycle, &a_long_cycle_is_told_in_short,
	&return_keeps_but_does_not_depend, &refuses_bad_references_in_return, &input_is_left_alone,
	&bounds_jobs_bytes_and_nesting, &defaults_may_not_multiply_without_bound,
	&a_value_of_a_message_is_taken)
