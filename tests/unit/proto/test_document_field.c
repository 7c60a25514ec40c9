/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* "name=value;name=value;", a template with '~' for '='. */
static void assert_fields(const struct plan_fields *fields, const char *wanted)
{
	char line[512] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < fields->n; i++) {
		const struct plan_field *field = &fields->fields[i];

		at += (size_t)snprintf(line + at, sizeof(line) - at, "%.*s%s%.*s;",
			TEXT_ARGS(field->name), field->is_template ? "~" : "=",
			TEXT_ARGS(field->value));
	}
	ck_assert_str_eq(line, wanted);
}

START_TEST(fields_are_flat_text)
{
	struct plan *plan = document_plan_of_job(
		"'headers':{'X-A':'a','b':7,'c':true,'d':[1.50,'x',false],'e':[],'f':''},"
		"'query':{'q':'x y','n':[1,2],'t':'{{b}}','':'empty','lit':'\\\\{{'},"
		"'form':{'f':'x{{b}}','g':['{{b}}',12345678901234567890]}");
	const struct plan_spec *spec = plan->jobs[0].spec;

	assert_fields(&spec->headers, "X-A=a;b=7;c=true;d=1.50;d=x;d=false;f=;");
	assert_fields(&spec->query, "q=x y;n=1;n=2;t~{{b}};=empty;lit~\\{{;");
	assert_fields(&spec->form, "f~x{{b}};g~{{b}};g=12345678901234567890;");
	ck_assert_uint_eq(spec->body, PLAN_BODY_FORM);
	plan_free(plan);
}
END_TEST

START_TEST(headers_merge_by_name_and_the_rest_is_replaced)
{
	struct plan *plan =
		document_plan("{'defaults':{'headers':{'Accept':'a','X-Many':['1','2'],'keep':'k'},"
			      "'query':{'q':'default'}},"
			      "'jobs':{'a':{'url':'http://h/'},"
			      "'b':{'url':'http://h/','headers':{'ACCEPT':'b','new':'n'}},"
			      "'c':{'url':'http://h/','headers':{'x-many':[],'accept':['1','2']},"
			      "'query':{'p':1}},"
			      "'d':{'url':'http://h/','headers':{}}}}");

	assert_fields(&plan->jobs[0].spec->headers, "Accept=a;X-Many=1;X-Many=2;keep=k;");
	assert_fields(&plan->jobs[1].spec->headers, "X-Many=1;X-Many=2;keep=k;ACCEPT=b;new=n;");
	assert_fields(&plan->jobs[2].spec->headers, "keep=k;accept=1;accept=2;");
	assert_fields(&plan->jobs[3].spec->headers, "Accept=a;X-Many=1;X-Many=2;keep=k;");
	assert_fields(&plan->jobs[0].spec->query, "q=default;");
	assert_fields(&plan->jobs[1].spec->query, "q=default;");
	assert_fields(&plan->jobs[2].spec->query, "p=1;");
	plan_free(plan);
}
END_TEST

START_TEST(what_is_taken_over_brings_its_dependencies)
{
	struct plan *plan = document_plan(
		"{'defaults':{'headers':{'a':'{{x}}','B':['{{y}}','{{x}}']},"
		"'query':{'q':'{{z}}'},'json':'{{w}}'},"
		"'jobs':["
		"{'id':'0all','url':'http://h/'},"
		"{'id':'1a','url':'http://h/','headers':{'A':'-'}},"
		"{'id':'2b','url':'http://h/','headers':{'b':[]}},"
		"{'id':'3ab','url':'http://h/','headers':{'b':1,'a':1},'query':{},'body':''},"
		"{'id':'4own','url':'http://h/','json':1},"
		"{'id':'x','url':'http://h/','headers':{'a':1,'b':1},'query':{},'form':{}},"
		"{'id':'y','url':'http://h/','headers':{'a':1,'b':1},'query':{},'form':{}},"
		"{'id':'z','url':'http://h/','headers':{'a':1,'b':1},'query':{},'form':{}},"
		"{'id':'w','url':'http://h/','headers':{'a':1,'b':1},'query':{},'form':{}}]}");
	/* Bits of x, y, z, w. */
	static const unsigned wanted[] = {15, 15, 13, 0, 7, 0, 0, 0, 0};

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];
		unsigned found = 0;

		for (uint32_t k = 0; k < job->n_dependencies; k++)
			found |= 1u << (plan->dependencies[job->first_dependency + k] - 5);
		ck_assert_msg(found == wanted[i], "job %u: %u", i, found);
	}
	ck_assert_uint_eq(plan->jobs[5].keep, PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME);
	plan_free(plan);
}
END_TEST

START_TEST(a_default_that_refers_to_a_job_holds_for_that_job_too)
{
	static const struct refusal cases[] = {
		{"{'defaults':{'headers':{'x':'{{a}}'}},'jobs':{'a':{'url':'http://h'}}}",
			FAULT_GRAPH_CYCLE, "/jobs/a", "a -> a"},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

START_TEST(refuses_bad_headers)
{
	static const struct refusal cases[] = {
		{"'headers':{'host':'x'}", FAULT_HEADER_INVALID, "/headers/host", "daemon's own"},
		{"'headers':{'Content-Length':1}", FAULT_HEADER_INVALID, "/headers/Content-Length",
			"daemon's own"},
		{"'headers':{'TE':'x'}", FAULT_HEADER_INVALID, "/headers/TE", "daemon's own"},
		{"'headers':{'a b':'x'}", FAULT_HEADER_INVALID, "/headers/a b", "no name"},
		{"'headers':{'':'x'}", FAULT_HEADER_INVALID, "/headers/", "no name"},
		{"'headers':{'a:':'x'}", FAULT_HEADER_INVALID, "/headers/a:", "no name"},
		{"'headers':{'a':'x\\r\\ny: z'}", FAULT_HEADER_INVALID, "/headers/a", "control"},
		{"'headers':{'a':'x\\u0000'}", FAULT_HEADER_INVALID, "/headers/a", "control"},
		{"'headers':{'a':' x'}", FAULT_HEADER_INVALID, "/headers/a", "white space"},
		{"'headers':{'a':['x','y\\n']}", FAULT_HEADER_INVALID, "/headers/a/1", "control"},
		{"'headers':{'a':'{{b}}\\r\\ny: z'}", FAULT_HEADER_INVALID, "/headers/a",
			"control"},
		{"'headers':{'a':'\\\\{{b}}\\n'}", FAULT_HEADER_INVALID, "/headers/a", "control"},
		{"'headers':{'{{b}}':'x'}", FAULT_GRAPH_VALUE, "/headers/{{b}}", "reference"},
		{"'headers':{'a':null}", FAULT_GRAPH_TYPE, "/headers/a", "an array of them"},
		{"'headers':{'a':[['x']]}", FAULT_GRAPH_TYPE, "/headers/a/0", "not an array"},
		{"'headers':{'a':{}}", FAULT_GRAPH_TYPE, "/headers/a", "an object"},
		{"'headers':[]", FAULT_GRAPH_TYPE, "/headers", "an object, not an array"},
	};

	document_job_refusals(cases, countof(cases));
	plan_free(document_plan_of_job("'headers':{'a':' {{b}} ','b':'x\\ty','c':'\xc3\xbc'}"));
}
END_TEST

START_TEST(refuses_bad_query_and_form)
{
	static const struct refusal cases[] = {
		{"'query':'a=b'", FAULT_GRAPH_TYPE, "/query", "an object, not a string"},
		{"'query':{'{{b}}':1}", FAULT_GRAPH_VALUE, "/query/{{b}}", "reference"},
		{"'query':{'a':null}", FAULT_GRAPH_TYPE, "/query/a", "not null"},
		{"'form':7", FAULT_GRAPH_TYPE, "/form", "an object, not a number"},
		{"'form':{'a':[{}]}", FAULT_GRAPH_TYPE, "/form/a/0", "an object"},
		{"'form':{'x{{b}}':1}", FAULT_GRAPH_VALUE, "/form/x{{b}}", "reference"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

START_TEST(bad_default_headers_are_told_once)
{
	struct plan_errors errors;

	document_errors("{'defaults':{'headers':{'a':'x\\n','b':'{{nobody}}'}},"
			"'jobs':[{'url':'http://h','headers':{'c':1}},{'url':'http://h'}]}",
		&errors);
	ck_assert_uint_eq(errors.n, 2);
	document_assert_text(errors.errors[0].at, "/defaults/headers/a");
	document_assert_text(errors.errors[1].at, "/defaults/headers/b");
	plan_errors_deinit(&errors);
}
END_TEST

UNIT_MAIN("proto/document_field", &fields_are_flat_text,
	&headers_merge_by_name_and_the_rest_is_replaced,
	&what_is_taken_over_brings_its_dependencies,
	&a_default_that_refers_to_a_job_holds_for_that_job_too, &refuses_bad_headers,
	&refuses_bad_query_and_form, &bad_default_headers_are_told_once)
