/* SPDX-License-Identifier: MIT */
#include "job/children.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/outcome.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

static void begin(const char *document)
{
	world_begin();
	graph = world_submit(document);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

/* What `return` says of g, whatever g is; keeps z on the wire so that g is looked at alone. */
struct body_case {
	const char *g, *script, *body;
};

static void check_body(const struct body_case *wanted)
{
	char document[600];

	snprintf(document, sizeof(document),
		"{'input':0,'jobs':{'g':%s,'d':{'url':'@d','needs':'settled','json':'{{g}}'}}}",
		wanted->g);
	begin(document);
	world_play(wanted->script);
	if (wanted->body) {
		struct text request = world_request("/d");
		size_t body = request.size;

		while (body > 4 && memcmp(request.data + body - 4, "\r\n\r\n", 4) != 0)
			body--;
		request = text_from_at(request, body);
		ck_assert_msg(text_is(request, wanted->body), "%.*s, not %s, of %s",
			TEXT_ARGS(request), wanted->body, wanted->g);
		world_play("d:200");
	} else {
		world_assert_fate(graph, "d", "REF_MISSING");
	}
	world_assert_body(graph, "g", NULL);
	ck_assert(graph->done);
	end();
}

START_TEST(a_group_s_body_is_made_of_its_children_s)
{
	static const struct body_case cases[] = {
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}", "b:200=[1] a:200={\"x\":2}",
			"{\"a\":{\"x\":2},\"b\":[1]}"},
		/* null for a rejected child, whatever it got. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}", "a:500=7 b:!",
			"{\"a\":null,\"b\":null}"},
		{"{'mode':'all','jobs':{'a':{'url':'@a','optional':true},'b':{'url':'@b'}}}",
			"a:500=7 b:200=8", "{\"a\":null,\"b\":8}"},
		/* What is no JSON is a string; numbers keep their digits. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}",
			"a:200=te\"xt b:200=9007199254740993.10",
			"{\"a\":\"te\\\"xt\",\"b\":9007199254740993.10}"},
		{"{'jobs':{'a':{'url':'@a'}}}", "a:200", "{\"a\":\"\"}"},
		{"{'jobs':{'a':{'url':'@a','output':'discard'}}}", "a:200=1", "{\"a\":null}"},
		/* `omit` is about the client. */
		{"{'jobs':{'a':{'url':'@a','omit':true}}}", "a:200=1", "{\"a\":1}"},
		/* A fallback and a skip have bodies. */
		{"{'jobs':{'a':{'url':'@a','fallback':{'f':1}},"
		 "'b':{'url':'@b','when':{'input':1},'else':[2]},"
		 "'c':{'url':'@c','when':{'input':1}}}}",
			"a:500", "{\"a\":{\"f\":1},\"b\":[2],\"c\":null}"},
		{"{'jobs':{}}", "", "{}"},
		/* The winner's. */
		{"{'mode':'any','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}", "a:500 b:200=[3]",
			"[3]"},
		{"{'mode':'race','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}", "a:200=[3]", "[3]"},
		{"{'mode':'any','jobs':{'a':{'url':'@a','fallback':4}}}", "a:500", "4"},
		/* What a group in it has. */
		{"{'jobs':{'h':{'jobs':{'a':{'url':'@a'}}},'i':{'mode':'any','jobs':{"
		 "'b':{'url':'@b'}}}}}",
			"a:200=1 b:500", "{\"h\":{\"a\":1},\"i\":null}"},
		{"{'mode':'any','jobs':{'h':{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}}}",
			"a:200=1 b:500", "{\"a\":1,\"b\":null}"},
		/* Its own fallback and `else`; and nothing where it was rejected. */
		{"{'mode':'any','fallback':{'f':1},'jobs':{'a':{'url':'@a'}}}", "a:500=9",
			"{\"f\":1}"},
		{"{'when':{'input':1},'else':5,'jobs':{'a':{'url':'@a'}}}", "", "5"},
		{"{'mode':'all','jobs':{'a':{'url':'@a'}}}", "a:500=9", NULL},
	};

	for (size_t i = 0; i < countof(cases); i++)
		check_body(&cases[i]);
}
END_TEST

START_TEST(a_fan_out_s_body_is_an_array_of_its_children_s)
{
	static const struct body_case cases[] = {
		{"{'each':[1,2,3],'url':'@{{item}}'}", "3:200=c 1:200=[1] 2:500=x",
			"[[1],null,\"c\"]"},
		{"{'each':[],'url':'@{{item}}'}", "", "[]"},
		{"{'each':[1,2],'when':{'item':2},'else':'no','url':'@{{item}}'}", "2:200=2",
			"[\"no\",2]"},
		{"{'each':{'in':[1,2],'mode':'any'},'url':'@{{item}}'}", "2:200=x", "\"x\""},
		{"{'each':{'in':[1,2],'mode':'race'},'url':'@{{item}}'}", "1:200=[0]", "[0]"},
		{"{'each':{'in':[1,2],'mode':'all'},'url':'@{{item}}'}", "1:500", NULL},
		{"{'each':{'in':[1,2],'concurrency':1},'url':'@{{item}}'}", "1:200=1 2:200=2",
			"[1,2]"},
		/* Of groups. */
		{"{'each':[1,2],'jobs':{'a':{'url':'@a{{item}}'},'b':{'url':'@b{{a}}'}}}",
			"a2:200=9 a1:200=8 b9:200=7 b8:200=6",
			"[{\"a\":8,\"b\":6},{\"a\":9,\"b\":7}]"},
		{"{'each':[1,2],'mode':'any','jobs':{'a':{'url':'@a{{item}}'}}}", "a2:200=9 a1:500",
			"[null,9]"},
		/* Of fan-outs. */
		{"{'each':[[1],[],[2,3]],'jobs':{'v':{'each':'{{item}}','url':'@{{item}}'}}}",
			"3:200=c 1:200=a 2:200=b",
			"[{\"v\":[\"a\"]},{\"v\":[]},{\"v\":[\"b\",\"c\"]}]"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		check_body(&cases[i]);
}
END_TEST

START_TEST(what_nobody_needs_is_not_made)
{
	static const char *const documents[] = {
		"{'jobs':{'g':{'jobs':{'a':{'url':'@a'}}},'d':{'url':'@d','after':['g']}}}",
		"{'jobs':{'g':{'jobs':{'a':{'url':'@a'}}},'d':{'url':'@d/{{g.outcome}}'}}}",
		"{'jobs':{'g':{'each':['a'],'url':'@{{item}}'},'d':{'url':'@d/{{g.outcome}}'}}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		begin(documents[i]);
		world_play("a:200=12345");
		ck_assert_uint_eq(world.scheduler.body_bytes, 0);
		ck_assert_uint_eq(world_n_on_wire(), 1);
		end();
	}
}
END_TEST

/* References into it, as into any body. */
START_TEST(a_part_of_it_is_a_value)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'g':{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}},"
		 "'d':{'url':'@d/{{g#/a/x}}/{{g#/b ?? none}}'}}}",
			"a:200={\"x\":5} b:500 d/5/null:200", "a b=HTTP_STATUS g d", NULL},
		{"{'jobs':{'p':{'each':[1,2],'url':'@{{item}}'},'d':{'url':'@d/{{p#/1}}'}}}",
			"1:200 2:200=v d/v:200", "p[0] p[1] p d", NULL},
		{"{'jobs':{'p':{'each':[1,2],'url':'@{{item}}'},'d':{'url':'@d/{{p#/2}}'}}}",
			"1:200 2:200=v", "p[0] p[1] p d=REF_MISSING", NULL},
		{"{'jobs':{'p':{'each':[1,2],'url':'@{{item}}'}},'return':{'all':'{{p}}'}}",
			"1:200=1 2:200=v", "p[0] p[1] p", "./return={\"all\":[1,\"v\"]}"},
		/* It has no response of its own. */
		{"{'jobs':{'g':{'jobs':{'a':{'url':'@a'}}},'d':{'url':'@d/{{g.status ?? no}}'}}}",
			"a:200 d/no:200", "a g d", NULL},
		{"{'jobs':{'g':{'mode':'any','jobs':{'a':{'url':'@a'}}},"
		 "'d':{'url':'@d/{{g.code}}/{{g.outcome}}','needs':'settled'}}}",
			"a:500 d/ALL_REJECTED/rejected:200", "a=HTTP_STATUS g=ALL_REJECTED d",
			NULL},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* A body that was lost is not taken for one that was null. */
START_TEST(without_memory_for_a_child_s_body_there_is_none)
{
	static const char document[] = "{'jobs':{'g':{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}},"
				       "'d':{'url':'@d/{{g#/b ?? 0}}'}}}";

	begin(document);
	world_play("a:200=1");
	/* One object with URL and body behind it. */
	memory_fail_object(sizeof(struct outcome) + strlen("http://192.0.2.1/b"
							   "2"));
	world_play("b:200=2");
	ck_assert(memory_has_failed());
	world_assert_fate(graph, "g", "fulfilled");
	world_assert_on_wire("");
	world_assert_fate(graph, "d", "OVERLOADED");
	ck_assert(graph->done);
	end();
}
END_TEST

UNIT_MAIN("job/children", &a_group_s_body_is_made_of_its_children_s,
	&a_fan_out_s_body_is_an_array_of_its_children_s, &what_nobody_needs_is_not_made,
	&a_part_of_it_is_a_value, &without_memory_for_a_child_s_body_there_is_none)
