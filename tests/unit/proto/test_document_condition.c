/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* In these, "b" is the other job. */
START_TEST(a_condition_is_made_of_references_and_operators)
{
	static const struct {
		const char *when;
		uint8_t keep;
	} cases[] = {
		{"{}", 0},
		{"{'b#/plan':'pro'}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"{'b':null}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"{'b#/list':[1,2]}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"{'b.status':{'lt':300}}", PLAN_KEEP_OUTCOME},
		{"{'b.outcome':'rejected','b.code':{'prefix':'CERT_'}}", PLAN_KEEP_OUTCOME},
		{"{'b.headers.etag':{'exists':true}}", PLAN_KEEP_HEADERS | PLAN_KEEP_OUTCOME},
		{"{'input#/x':{'in':[1,'2',null]}}", 0},
		{"{'{{b#/x}}':1}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"{'{{ b.url ?? none }}':{'contains':'x'}}", PLAN_KEEP_OUTCOME},
		{"{'input#/x':'{{b}}'}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"{'input#/x':{'in':'{{b#/list}}'}}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"{'input#/x':{'eq':{'y':['{{b.status}} z']}}}", PLAN_KEEP_OUTCOME},
		{"{'input':{'ge':1,'le':2.5,'gt':'a','lt':'{{b.code}}','ne':[],'eq':{}}}",
			PLAN_KEEP_OUTCOME},
		{"{'input':{'prefix':'/{{b.code}}'}}", PLAN_KEEP_OUTCOME},
		{"{'any':[]}", 0},
		{"{'any':[{'b.code':1},{'input#/x':2}]}", PLAN_KEEP_OUTCOME},
		{"{'not':{'b.code':{'eq':1}}}", PLAN_KEEP_OUTCOME},
		{"{'not':{'any':[{'not':{'not':{'any':[{'any':[]},{'b.code':1}]}}}]},"
		 "'input':1}",
			PLAN_KEEP_OUTCOME},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char members[512];
		struct plan *plan;

		snprintf(members, sizeof(members), "'when':%s", cases[i].when);
		plan = document_plan_of_job(members);
		ck_assert(yyjson_is_obj(plan->jobs[0].spec->when));
		/* A reference is a dependency. */
		ck_assert_uint_eq(plan->jobs[0].n_dependencies, cases[i].keep != 0);
		ck_assert_msg(plan->jobs[1].keep == cases[i].keep, "%s: %u", cases[i].when,
			plan->jobs[1].keep);
		plan_free(plan);
	}
}
END_TEST

START_TEST(refuses_what_is_no_condition)
{
	static const struct refusal bad[] = {
		{"'when':true", FAULT_GRAPH_TYPE, "/when", "an object, not a boolean"},
		{"'when':'{{b}}'", FAULT_GRAPH_TYPE, "/when", "an object, not a string"},
		{"'when':[]", FAULT_GRAPH_TYPE, "/when", "an object, not an array"},
		{"'when':{'any':{}}", FAULT_GRAPH_TYPE, "/when/any",
			"an array of conditions, not an object"},
		{"'when':{'any':[1]}", FAULT_GRAPH_TYPE, "/when/any/0", "an object"},
		{"'when':{'any':[{'b':1},{'not':[]}]}", FAULT_GRAPH_TYPE, "/when/any/1/not",
			"an object, not an array"},
		{"'when':{'not':'b'}", FAULT_GRAPH_TYPE, "/when/not", "an object, not a string"},
		{"'when':{'b':1,'b':2}", FAULT_GRAPH_KEY, "/when/b", "twice"},
		{"'when':{'b':{'lt':1,'lt':2}}", FAULT_GRAPH_KEY, "/when/b/lt", "twice"},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(refuses_keys_that_are_no_references)
{
	static const struct refusal bad[] = {
		{"'when':{'':1}", FAULT_GRAPH_VALUE, "/when/", "begins with an id"},
		{"'when':{'b plan':1}", FAULT_GRAPH_VALUE, "/when/b plan", "begins with an id"},
		{"'when':{'b.size':1}", FAULT_GRAPH_VALUE, "/when/b.size", "a job has .status"},
		{"'when':{'b#plan':1}", FAULT_GRAPH_VALUE, "/when/b#plan", "begins with '/'"},
		{"'when':{'{{b':1}", FAULT_GRAPH_VALUE, "/when/{{b", "closed"},
		{"'when':{'{{b}} ':1,'{{b}}x':1}", FAULT_GRAPH_VALUE, "/when/{{b}}x", "behind it"},
		{"'when':{'x{{b}}':1}", FAULT_GRAPH_VALUE, "/when/x{{b}}", "begins with an id"},
		{"'when':{'c#/x':1}", FAULT_GRAPH_UNKNOWN_JOB, "/when/c#~1x", "no job \"c\""},
		{"'when':{'any':[{'not':{'c':1}}]}", FAULT_GRAPH_UNKNOWN_JOB, "/when/any/0/not/c",
			"no job \"c\""},
		{"'when':{'item#/x':1}", FAULT_GRAPH_VALUE, "/when/item#~1x",
			"inside a fan-out only"},
		{"'when':{'index':1}", FAULT_GRAPH_VALUE, "/when/index", "inside a fan-out only"},
		{"'when':{'secret.x':1}", FAULT_GRAPH_VALUE, "/when/secret.x", "header only"},
		{"'when':{'b | raw':1}", FAULT_GRAPH_VALUE, "/when/b | raw", "no meaning"},
		{"'when':{'lt':1}", FAULT_GRAPH_VALUE, "/when/lt", "stands behind a reference"},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

/* "Operators ...: `eq ne lt le gt ge in contains prefix exists`" */
START_TEST(refuses_operators_that_are_none_and_operands_they_cannot_take)
{
	static const struct refusal bad[] = {
		{"'when':{'b':{}}", FAULT_GRAPH_VALUE, "/when/b", "no operator"},
		{"'when':{'b':{'equals':1}}", FAULT_GRAPH_KEY, "/when/b/equals",
			"unknown operator \"equals\"; did you mean \"eq\"?"},
		{"'when':{'b':{'~':1}}", FAULT_GRAPH_KEY, "/when/b/~0",
			"\"~\"; known are \"eq\", \"ne\", \"lt\", \"le\", \"gt\", \"ge\", \"in\", "
			"\"contains\", \"prefix\" and \"exists\""},
		{"'when':{'b':{'perfix':'x'}}", FAULT_GRAPH_KEY, "/when/b/perfix",
			"did you mean \"prefix\"?"},
		{"'when':{'b':{'contain':'x'}}", FAULT_GRAPH_KEY, "/when/b/contain",
			"did you mean \"contains\"?"},
		{"'when':{'b':{'any':[1]}}", FAULT_GRAPH_KEY, "/when/b/any", "unknown operator"},
		{"'when':{'b':{'in':1}}", FAULT_GRAPH_TYPE, "/when/b/in", "an array"},
		{"'when':{'b':{'in':'x{{b}}'}}", FAULT_GRAPH_TYPE, "/when/b/in", "an array"},
		{"'when':{'b':{'exists':1}}", FAULT_GRAPH_TYPE, "/when/b/exists", "a boolean"},
		{"'when':{'b':{'exists':'{{b}}'}}", FAULT_GRAPH_TYPE, "/when/b/exists",
			"a boolean, not a string"},
		{"'when':{'b':{'prefix':1}}", FAULT_GRAPH_TYPE, "/when/b/prefix", "a string"},
		{"'when':{'b':{'lt':null}}", FAULT_GRAPH_TYPE, "/when/b/lt",
			"a number or a string, not null"},
		{"'when':{'b':{'ge':[1]}}", FAULT_GRAPH_TYPE, "/when/b/ge", "not an array"},
		{"'when':{'b':{'eq':'{{c}}'}}", FAULT_GRAPH_UNKNOWN_JOB, "/when/b/eq", "no job"},
		{"'when':{'b':['x','{{c}}']}", FAULT_GRAPH_UNKNOWN_JOB, "/when/b/1", "no job"},
		{"'when':{'b':{'eq':{'{{b}}':1}}}", FAULT_GRAPH_VALUE, "/when/b/eq/{{b}}",
			"a key may not hold a reference"},
		{"'when':{'b':'{{item}}'}", FAULT_GRAPH_VALUE, "/when/b", "inside a fan-out"},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

START_TEST(jobs_may_be_called_as_operators_are)
{
	struct plan *plan = document_plan(
		"{'jobs':{'lt':{'url':'http://h'},'any':{'url':'http://h'},'not':{'url':'http://"
		"h'},"
		"'x':{'url':'http://h','when':{'lt':{'lt':1},'{{any}}':[1],'{{not}}':2}}}}");

	ck_assert_uint_eq(plan->jobs[3].n_dependencies, 3);
	plan_free(plan);
}
END_TEST

START_TEST(a_condition_may_be_as_deep_as_a_document)
{
	const unsigned n = JSON_DEPTH_MAX - 4;
	struct buffer json;

	buffer_init(&json, 1 << 16);
	buffer_printf(&json, "{'jobs':{'a':{'url':'http://h','when':");
	for (unsigned i = 0; i < n; i++)
		buffer_printf(&json, "{'not':");
	buffer_printf(&json, "{}");
	for (unsigned i = 0; i < n; i++)
		buffer_append_byte(&json, '}');
	buffer_printf(&json, "}}}");
	buffer_append_byte(&json, '\0');
	plan_free(document_plan(json.data));
	buffer_deinit(&json);
}
END_TEST

UNIT_MAIN("proto/document_condition", &a_condition_is_made_of_references_and_operators,
	&refuses_what_is_no_condition, &refuses_keys_that_are_no_references,
	&refuses_operators_that_are_none_and_operands_they_cannot_take,
	&jobs_may_be_called_as_operators_are, &a_condition_may_be_as_deep_as_a_document)
