/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(a_key_may_stand_once)
{
	static const struct refusal cases[] = {
		{"'omit':true,'omit':true", FAULT_GRAPH_KEY, "/omit", "\"omit\" is there twice"},
		{"'headers':{'a':1,'b':2,'a':3}", FAULT_GRAPH_KEY, "/headers/a", "twice"},
		{"'query':{'a':1,'a':1}", FAULT_GRAPH_KEY, "/query/a", "twice"},
		{"'form':{'a':1,'a':1}", FAULT_GRAPH_KEY, "/form/a", "twice"},
		{"'timeouts':{'tls':1,'tls':1}", FAULT_GRAPH_KEY, "/timeouts/tls", "twice"},
		{"'json':[{'x':{'a':1,'b':2,'a':1}}]", FAULT_GRAPH_KEY, "/json/0/x/a", "twice"},
		{"'json':{'a':{'a':{'a':1}}},'json':1", FAULT_GRAPH_KEY, "/json", "twice"},
	};

	document_job_refusals(cases, countof(cases));
	/* The same key at different places is no duplicate. */
	plan_free(document_plan_of_job("'json':{'a':{'a':[{'a':1},{'a':2}]},'b':{'a':1}}"));
}
END_TEST

START_TEST(finds_duplicates_among_many_keys)
{
	struct refusal wanted = {NULL, FAULT_GRAPH_KEY, "/json/k3", "\"k3\" is there twice"};
	char json[4000] = "'json':{";
	size_t at = strlen(json);
	struct plan *plan;

	for (unsigned i = 0; i < 200; i++)
		at += (size_t)snprintf(json + at, sizeof(json) - at, "'k%u':%u,", i, i);
	snprintf(json + at, sizeof(json) - at, "'k200':0}");
	plan = document_plan_of_job(json);
	plan_free(plan);
	snprintf(json + at, sizeof(json) - at, "'k3':0}");
	wanted.json = json;
	document_job_refusals(&wanted, 1);
}
END_TEST

START_TEST(references_are_found_in_all_strings_of_json)
{
	struct plan *plan = document_plan(
		"{'jobs':{'t':{'url':'http://h/',"
		"'json':['{{a}}',[{'x':{'y':'{{b}}'}},'{{c}}'],{'z':[]},'n {{d}}',1,null,true]},"
		"'a':{'url':'http://h/'},'b':{'url':'http://h/'},'c':{'url':'http://h/'},"
		"'d':{'url':'http://h/'}}}");

	ck_assert_uint_eq(plan->jobs[0].n_dependencies, 4);
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_JSON);
	ck_assert(yyjson_is_arr(plan->jobs[0].spec->body_value));
	plan_free(plan);
}
END_TEST

START_TEST(tells_where_in_json)
{
	static const struct refusal cases[] = {
		{"'json':'{{x y}}'", FAULT_GRAPH_VALUE, "/json", "id"},
		{"'json':[0,[1,{'a':['{{x y}}']}]]", FAULT_GRAPH_VALUE, "/json/1/1/a/0", "id"},
		{"'json':{'a':{'b':1},'c':'{{nobody}}'}", FAULT_GRAPH_UNKNOWN_JOB, "/json/c",
			"no job \"nobody\""},
		{"'json':[[],[[]],{},'{{nobody}}']", FAULT_GRAPH_UNKNOWN_JOB, "/json/3", "nobody"},
		{"'json':{'x':[{'{{b}}':1}]}", FAULT_GRAPH_VALUE, "/json/x/0/{{b}}",
			"a key may not hold a reference"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

UNIT_MAIN("proto/document_object", &a_key_may_stand_once, &finds_duplicates_among_many_keys,
	&references_are_found_in_all_strings_of_json, &tells_where_in_json)
