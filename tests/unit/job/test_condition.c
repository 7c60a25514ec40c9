/* SPDX-License-Identifier: MIT */
#include "job/condition.h"

#include <stdlib.h>

#include "proto/json.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* Job "b" refers to all that "a" has, so that all of it is kept. */
#define DOCUMENT                                                                                   \
	"{'input':{'n':9007199254740993,'s':'x y','z':null,'t':true,'l':[1,2,'three',{'k':[]}],"   \
	"'o':{'p':1,'q':[true]},'f':2.5,'e':'','big':100000000000000000000000000000000001},"       \
	"'jobs':{'a':{'url':'@a'},'b':{'url':'@b','needs':'settled',"                              \
	"'json':['{{a}}','{{a.headers.x}}','{{a.status}}','{{a.url}}']}}}"

#define RESPONSE(status, body)                                                                     \
	"HTTP/1.1 " status "\r\nETag: \"e\"\r\nContent-Type: text/html\r\n"                        \
	"Connection: close\r\n\r\n" body

struct condition_case {
	const char *when;
	bool holds;
};

static void check_condition(struct job *job, const struct condition_case *wanted)
{
	char *quoted = world_quoted(wanted->when);
	struct json_error error;
	yyjson_doc *doc = json_read(text_from(quoted), &error);
	struct fault fault = {.code = FAULT_INTERNAL};
	bool holds;

	ck_assert_msg(doc, "%s: %s", wanted->when, error.message);
	holds = condition_holds(job, yyjson_doc_get_root(doc), &fault);
	ck_assert_msg(holds == wanted->holds, "%s", wanted->when);
	ck_assert_int_eq(fault.code, FAULT_NONE);
	yyjson_doc_free(doc);
	free(quoted);
}

/* Seen from "b", when "a" has settled by that response. */
static void check_conditions(const char *response, const struct condition_case *cases, size_t n)
{
	struct world_graph *graph;

	world_begin();
	graph = world_hold(DOCUMENT, response);
	for (size_t i = 0; i < n; i++)
		check_condition(world_job(graph, "b"), &cases[i]);
	world_give_up(graph);
	world_end();
}

static const struct condition_case operators[] = {
	/* A bare operand is eq. */
	{"{'input#/s':'x y'}", true},
	{"{'input#/s':'x'}", false},
	{"{'input#/z':null}", true},
	{"{'input#/t':true}", true},
	{"{'input#/t':false}", false},
	{"{'input#/l':[1,2,'three',{'k':[]}]}", true},
	{"{'input#/l':[1,2,'three']}", false},
	{"{'{{input#/s}}':'x y'}", true},
	{"{'{{ input#/s }}':'x y'}", true},
	/* eq, ne */
	{"{'input#/n':{'eq':9007199254740993}}", true},
	{"{'input#/n':{'eq':9007199254740992}}", false},
	{"{'input#/n':{'ne':9007199254740992}}", true},
	{"{'input#/n':{'ne':9007199254740993}}", false},
	{"{'input#/n':{'eq':'9007199254740993'}}", false},
	{"{'input#/n':{'ne':'9007199254740993'}}", true},
	{"{'input#/f':{'eq':25e-1}}", true},
	{"{'input#/o':{'eq':{'q':[true],'p':1.0}}}", true},
	{"{'input#/o':{'ne':{'q':[true],'p':1.0}}}", false},
	{"{'input#/o':{'eq':{'p':1}}}", false},
	{"{'input#/z':{'eq':false}}", false},
	{"{'input#/e':{'eq':''}}", true},
	/* lt, le, gt, ge */
	{"{'input#/n':{'gt':9007199254740992}}", true},
	{"{'input#/n':{'gt':9007199254740993}}", false},
	{"{'input#/n':{'ge':9007199254740993}}", true},
	{"{'input#/n':{'lt':9007199254740994}}", true},
	{"{'input#/n':{'le':9007199254740992}}", false},
	{"{'input#/big':{'gt':100000000000000000000000000000000000}}", true},
	{"{'input#/f':{'lt':3,'gt':2}}", true},
	{"{'input#/f':{'lt':3,'gt':2.5}}", false},
	{"{'input#/s':{'gt':'x'}}", true},
	{"{'input#/s':{'lt':'x'}}", false},
	{"{'input#/s':{'le':'x y'}}", true},
	{"{'input#/s':{'ge':1}}", false},
	{"{'input#/f':{'ge':'1'}}", false},
	{"{'input#/t':{'ge':false}}", false},
	{"{'input#/z':{'le':null}}", false},
	{"{'input#/l':{'ge':[]}}", false},
	/* in */
	{"{'input#/s':{'in':['a','x y']}}", true},
	{"{'input#/s':{'in':['a']}}", false},
	{"{'input#/s':{'in':[]}}", false},
	{"{'input#/f':{'in':[1,2.50]}}", true},
	{"{'input#/z':{'in':[null]}}", true},
	{"{'input#/o':{'in':[{'p':1,'q':[true]}]}}", true},
	/* contains */
	{"{'input#/s':{'contains':' '}}", true},
	{"{'input#/s':{'contains':''}}", true},
	{"{'input#/e':{'contains':''}}", true},
	{"{'input#/e':{'contains':'x'}}", false},
	{"{'input#/s':{'contains':'xy'}}", false},
	{"{'input#/l':{'contains':2}}", true},
	{"{'input#/l':{'contains':'three'}}", true},
	{"{'input#/l':{'contains':'thr'}}", false},
	{"{'input#/l':{'contains':{'k':[]}}}", true},
	{"{'input#/l':{'contains':3}}", false},
	{"{'input#/o':{'contains':'p'}}", false},
	{"{'input#/n':{'contains':9}}", false},
	/* prefix */
	{"{'input#/s':{'prefix':'x '}}", true},
	{"{'input#/s':{'prefix':'x y'}}", true},
	{"{'input#/s':{'prefix':''}}", true},
	{"{'input#/s':{'prefix':'x yz'}}", false},
	{"{'input#/s':{'prefix':' y'}}", false},
	{"{'input#/n':{'prefix':'9'}}", false},
	{"{'input#/n':{'prefix':9}}", false},
	/* exists */
	{"{'input#/s':{'exists':true}}", true},
	{"{'input#/s':{'exists':false}}", false},
	{"{'input#/z':{'exists':true}}", true},
	{"{'input#/none':{'exists':true}}", false},
	{"{'input#/none':{'exists':false}}", true},
	{"{'input#/none':{'exists':false,'eq':1}}", false},
};

START_TEST(every_operator_and_its_types)
{
	check_conditions(RESPONSE("200 OK", "{}"), operators, countof(operators));
}
END_TEST

START_TEST(what_is_missing_is_false)
{
	static const struct condition_case cases[] = {
		{"{'input#/none':null}", false},
		{"{'input#/none':{'eq':null}}", false},
		{"{'input#/none':{'ne':1}}", false},
		{"{'input#/none':{'in':[null]}}", false},
		{"{'input#/none':{}}", false},
		{"{'input#/l/9':1}", false},
		{"{'a#/none':1}", false},
		{"{'a.headers.none':{'ne':'x'}}", false},
		/* An operand that refers to nothing. */
		{"{'input#/s':'{{input#/none}}'}", false},
		{"{'input#/s':{'ne':'{{input#/none}}'}}", false},
		{"{'input#/s':{'in':['x y','{{input#/none}}']}}", false},
		{"{'not':{'input#/none':1}}", true},
		/* A default stands for it, as JSON where it is. */
		{"{'{{input#/none ?? 5}}':5}", true},
		{"{'{{input#/none ?? 5}}':'5'}", false},
		{"{'{{input#/none ?? [1, 2]}}':{'contains':2}}", true},
		{"{'{{input#/none ?? free}}':'free'}", true},
		{"{'{{input#/none ?? }}':''}", true},
		{"{'{{input#/z ?? 5}}':null}", true},
		{"{'input#/none ?? x':{'exists':true}}", true},
	};

	check_conditions(RESPONSE("200 OK", "{}"), cases, countof(cases));
}
END_TEST

START_TEST(conditions_nest)
{
	static const struct condition_case cases[] = {
		{"{}", true},
		{"{'input#/t':true,'input#/f':2.5}", true},
		{"{'input#/t':true,'input#/f':2}", false},
		{"{'any':[]}", false},
		{"{'any':[{}]}", true},
		{"{'any':[{'input#/t':false},{'input#/f':2.5}]}", true},
		{"{'any':[{'input#/t':false},{'input#/f':2}]}", false},
		{"{'any':[{'input#/t':true},{'input#/f':2}],'input#/s':'x y'}", true},
		{"{'any':[{'input#/t':true},{'input#/f':2}],'input#/s':'x'}", false},
		{"{'input#/s':'x','any':[{'input#/t':true}]}", false},
		{"{'any':[{'input#/t':true,'input#/s':'x'},{'input#/f':2}]}", false},
		{"{'not':{}}", false},
		{"{'not':{'input#/t':false}}", true},
		{"{'not':{'input#/t':true}}", false},
		{"{'not':{'input#/t':true,'input#/f':2}}", true},
		{"{'not':{'not':{'input#/t':true}}}", true},
		{"{'not':{'not':{'not':{'input#/t':true}}}}", false},
		{"{'not':{'any':[{'input#/t':false},{'input#/f':2}]}}", true},
		{"{'not':{'any':[{'input#/t':false},{'input#/f':2.5}]}}", false},
		{"{'any':[{'not':{'input#/t':true}},{'not':{'input#/f':2}}]}", true},
		{"{'any':[{'not':{'input#/t':true}},{'not':{'input#/f':2.5}}]}", false},
		{"{'any':[{'any':[{'any':[{'input#/t':true}]}]}],'input#/t':true}", true},
		{"{'not':{'input#/t':false},'input#/t':false}", false},
	};

	check_conditions(RESPONSE("200 OK", "{}"), cases, countof(cases));
}
END_TEST

START_TEST(what_a_response_brought)
{
	static const struct condition_case cases[] = {
		{"{'a.status':200}", true},
		{"{'a.status':{'lt':300}}", true},
		{"{'a.status':{'in':[200,204]}}", true},
		{"{'a.status':'200'}", false},
		{"{'a.outcome':'fulfilled'}", true},
		{"{'a.code':''}", true},
		{"{'a.url':{'prefix':'http://192.0.2.1/'}}", true},
		{"{'a.headers.etag':'\\'e\\''}", true},
		{"{'a.headers.content-type':{'contains':'html'}}", true},
		{"{'a#/plan':'pro'}", true},
		{"{'a#/id':9007199254740993}", true},
		{"{'a#/id':9007199254740992}", false},
		{"{'a#/l':{'contains':3}}", true},
		{"{'a':{'eq':{'id':9007199254740993,'plan':'pro','l':[1,2,3]}}}", true},
		/* On the right, too. */
		{"{'input#/n':'{{a#/id}}'}", true},
		{"{'input#/n':{'gt':'{{a#/l/0}}'}}", true},
		{"{'a#/l':['{{input#/l/0}}',2,3]}", true},
		{"{'a#/l/1':{'in':'{{input#/l}}'}}", true},
		{"{'a#/l/2':{'in':'{{input#/l}}'}}", false},
		{"{'input#/s':{'in':'{{a#/plan}}'}}", false},
		{"{'a.url':'http://192.0.2.1/{{input#/e}}a'}", true},
		{"{'a#/plan':{'eq':'{{input#/none ?? pro}}'}}", true},
		{"{'a':{'eq':{'plan':'{{a#/plan}}','l':'{{a#/l}}','id':'{{a#/id}}'}}}", true},
	};

	check_conditions(RESPONSE("200 OK",
				 "{\"id\": 9007199254740993, \"plan\": \"pro\", \"l\": [1, 2, 3]}"),
		cases, countof(cases));
}
END_TEST

START_TEST(a_body_that_is_no_json_is_a_string)
{
	static const struct condition_case cases[] = {
		{"{'a':'up and running'}", true},
		{"{'a':{'prefix':'up'}}", true},
		{"{'a':{'contains':'and'}}", true},
		{"{'a':{'gt':1}}", false},
		{"{'a#/x':{'ne':1}}", false},
		{"{'input#/s':{'ne':'{{a}}'}}", true},
	};

	check_conditions(RESPONSE("200 OK", "up and running"), cases, countof(cases));
}
END_TEST

START_TEST(a_body_that_is_a_bare_number_is_one)
{
	static const struct condition_case cases[] = {
		{"{'a':42}", true},
		{"{'a':{'lt':43}}", true},
		{"{'a':'42'}", false},
	};

	check_conditions(RESPONSE("200 OK", "42"), cases, countof(cases));
}
END_TEST

START_TEST(a_job_that_was_rejected)
{
	static const struct condition_case cases[] = {
		{"{'a.outcome':'rejected'}", true},
		{"{'a.code':'CONNECT_REFUSED'}", true},
		{"{'a.status':{'exists':false}}", true},
		{"{'a':{'exists':false}}", true},
		{"{'a.status':{'ge':0}}", false},
	};

	check_conditions(NULL, cases, countof(cases));
}
END_TEST

UNIT_MAIN("job/condition", &every_operator_and_its_types, &what_is_missing_is_false,
	&conditions_nest, &what_a_response_brought, &a_body_that_is_no_json_is_a_string,
	&a_body_that_is_a_bare_number_is_one, &a_job_that_was_rejected)
