/* SPDX-License-Identifier: MIT */
#include "job/group.h"

#include <stdlib.h>

#include "job/graph.h"
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

/* Modes: the same for a graph, a group and a fan-out of the three jobs a, b and c. */

enum shape {
	SHAPE_GRAPH,
	SHAPE_GROUP,
	SHAPE_EACH,
	SHAPES,
};

static const char *const shape_documents[] = {
	"{'input':0,'mode':'%s','jobs':{"
	"'a':{'url':'@a'%s},'b':{'url':'@b'%s},'c':{'url':'@c'%s}}}",
	"{'input':0,'jobs':{'g':{'mode':'%s','jobs':{"
	"'a':{'url':'@a'%s},'b':{'url':'@b'%s},'c':{'url':'@c'%s}}}}}",
	"{'input':0,'jobs':{'g':{'each':{'mode':'%s','in':['a','b','c']},'url':'@{{item}}'%s}}}",
};

static void shape_document(
	enum shape shape, struct buffer *out, const char *mode, const char *child_keys)
{
	buffer_init(out, SIZE_MAX);
	switch (shape) {
	case SHAPE_GRAPH:
		buffer_printf(out, shape_documents[0], mode, child_keys, child_keys, child_keys);
		break;
	case SHAPE_GROUP:
		buffer_printf(out, shape_documents[1], mode, child_keys, child_keys, child_keys);
		break;
	default: buffer_printf(out, shape_documents[2], mode, child_keys); break;
	}
	buffer_append_byte(out, '\0');
}

/* The name of one of the jobs in that shape. */
static const char *shape_name(enum shape shape, char job)
{
	switch (job) {
	case 'a': return shape == SHAPE_EACH ? "g[0]" : "a";
	case 'b': return shape == SHAPE_EACH ? "g[1]" : "b";
	case 'c': return shape == SHAPE_EACH ? "g[2]" : "c";
	default: ck_abort_msg("no job %c", job);
	}
}

/* "a=HTTP_STATUS b", with the names of that shape. */
static void shape_fates(enum shape shape, struct buffer *out, const char *fates, const char *code)
{
	buffer_init(out, SIZE_MAX);
	for (const char *at = fates; *at; at++) {
		if (at == fates || at[-1] == ' ')
			buffer_printf(out, "%s", shape_name(shape, *at));
		else
			buffer_append_byte(out, *at);
	}
	if (shape != SHAPE_GRAPH)
		buffer_printf(
			out, "%sg%s%s", out->size ? " " : "", code ? "=" : "", code ? code : "");
	buffer_append_byte(out, '\0');
}

struct mode_case {
	const char *mode, *child_keys, *script, *fates;
	/* NULL: fulfilled. '-': none. */
	const char *code;
	char decider;
};

static void check_mode(enum shape shape, const struct mode_case *wanted)
{
	struct buffer document, fates;
	bool has_decider = wanted->decider >= 'a';
	const char *decider = has_decider ? shape_name(shape, wanted->decider) : "-";

	shape_document(shape, &document, wanted->mode, wanted->child_keys);
	shape_fates(shape, &fates, wanted->fates, wanted->code);
	begin(document.data);
	world_play(wanted->script);
	world_assert_fates(graph, fates.data);
	ck_assert(graph->done);
	if (shape == SHAPE_GRAPH) {
		world_assert_done(graph, "/status", wanted->code ? "rejected" : "fulfilled");
		world_assert_done(graph, "/winner", wanted->code ? "-" : decider);
		world_assert_done(graph, "/reason/code", wanted->code ? wanted->code : "-");
		world_assert_done(graph, "/reason/job", wanted->code ? decider : "-");
		world_assert_done(graph, "/reason/by", "-");
	} else {
		world_assert(graph, "g", "/value/winner", wanted->code ? "-" : decider);
		world_assert(graph, "g", "/reason/job", wanted->code ? decider : "-");
		world_assert(graph, "g", "/reason/by", "-");
		world_assert(graph, "g", "/group", "true");
		world_assert_body(graph, "g", NULL);
		world_assert_done(graph, "/status", "fulfilled");
		world_assert_done(graph, "/winner", "-");
	}
	end();
	buffer_deinit(&document);
	buffer_deinit(&fates);
}

#define SKIPPED ",'when':{'input#/none':{'exists':true}}"

START_TEST(modes_decide_graphs_groups_and_fan_outs_alike)
{
	static const struct mode_case cases[] = {
		/* Fulfilled when all have settled. */
		{"settled", "", "a:200 b:500 c:200", "a b=HTTP_STATUS c", NULL, '-'},
		{"settled", "", "c:500 b:500 a:500", "c=HTTP_STATUS b=HTTP_STATUS a=HTTP_STATUS",
			NULL, '-'},
		{"settled", SKIPPED, "", "a/skipped b/skipped c/skipped", NULL, '-'},

		/* Rejected at the first rejection in time, else fulfilled when all are. */
		{"all", "", "b:200 a:200 c:200", "b a c", NULL, '-'},
		{"all", "", "b:500", "b=HTTP_STATUS a=CANCELLED/fail_fast c=CANCELLED/fail_fast",
			"JOB_REJECTED", 'b'},
		{"all", "", "a:200 c:200 b:404", "a c b=HTTP_STATUS", "JOB_REJECTED", 'b'},
		{"all", "", "c:!", "c=EMPTY_REPLY a=CANCELLED/fail_fast b=CANCELLED/fail_fast",
			"JOB_REJECTED", 'c'},
		{"all", ",'optional':true", "b:500 a:200 c:404", "b=HTTP_STATUS a c=HTTP_STATUS",
			NULL, '-'},
		{"all", ",'fallback':1", "b:500 a:200 c:200", "b/fallback a c", NULL, '-'},
		{"all", SKIPPED, "", "a/skipped b/skipped c/skipped", NULL, '-'},

		/* Fulfilled at the first fulfilled job; rejected when all are rejected. */
		{"any", "", "b:200", "b a=CANCELLED/winner c=CANCELLED/winner", NULL, 'b'},
		{"any", "", "a:500 c:200", "a=HTTP_STATUS c b=CANCELLED/winner", NULL, 'c'},
		{"any", "", "a:500 c:! b:200", "a=HTTP_STATUS c=EMPTY_REPLY b", NULL, 'b'},
		{"any", "", "c:500 a:404 b:500", "c=HTTP_STATUS a=HTTP_STATUS b=HTTP_STATUS",
			"ALL_REJECTED", '-'},
		{"any", ",'optional':true", "a:500 b:500 c:500",
			"a=HTTP_STATUS b=HTTP_STATUS c=HTTP_STATUS", "ALL_REJECTED", '-'},
		{"any", ",'optional':true", "a:500 b:200", "a=HTTP_STATUS b c=CANCELLED/winner",
			NULL, 'b'},
		{"any", ",'fallback':1", "a:500",
			"a/fallback b=CANCELLED/winner c=CANCELLED/winner", NULL, 'a'},
		{"any", SKIPPED, "", "a/skipped b/skipped c/skipped", "ALL_REJECTED", '-'},

		/* As the first job to settle. */
		{"race", "", "c:200", "c a=CANCELLED/winner b=CANCELLED/winner", NULL, 'c'},
		{"race", "", "b:500", "b=HTTP_STATUS a=CANCELLED/winner c=CANCELLED/winner",
			"JOB_REJECTED", 'b'},
		{"race", ",'optional':true", "a:500 b:200", "a=HTTP_STATUS b c=CANCELLED/winner",
			NULL, 'b'},
		{"race", ",'optional':true", "a:500 b:500 c:500",
			"a=HTTP_STATUS b=HTTP_STATUS c=HTTP_STATUS", "ALL_REJECTED", '-'},
		{"race", ",'fallback':1", "b:500",
			"b/fallback a=CANCELLED/winner c=CANCELLED/winner", NULL, 'b'},
		{"race", SKIPPED, "", "a/skipped b/skipped c/skipped", "ALL_REJECTED", '-'},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		for (enum shape shape = SHAPE_GRAPH; shape < SHAPES; shape++)
			check_mode(shape, &cases[i]);
	}
}
END_TEST

START_TEST(the_errors_of_all_rejected_are_in_input_order)
{
	static const struct {
		const char *at, *id;
	} errors[][3] = {
		[SHAPE_GRAPH] = {{"/reason/errors/0/job", "a"}, {"/reason/errors/1/job", "b"},
			{"/reason/errors/2/job", "c"}},
		[SHAPE_GROUP] = {{"/reason/errors/0/job", "a"}, {"/reason/errors/1/job", "b"},
			{"/reason/errors/2/job", "c"}},
		[SHAPE_EACH] = {{"/reason/errors/0/job", "g[0]"}, {"/reason/errors/1/job", "g[1]"},
			{"/reason/errors/2/job", "g[2]"}},
	};

	for (enum shape shape = SHAPE_GRAPH; shape < SHAPES; shape++) {
		struct buffer document;

		shape_document(shape, &document, "any", "");
		begin(document.data);
		world_play("c:500 a:! b:404");
		for (size_t i = 0; i < 3; i++) {
			if (shape == SHAPE_GRAPH)
				world_assert_done(graph, errors[shape][i].at, errors[shape][i].id);
			else
				world_assert(graph, "g", errors[shape][i].at, errors[shape][i].id);
		}
		if (shape == SHAPE_GRAPH) {
			world_assert_done(graph, "/reason/errors/0/code", "EMPTY_REPLY");
			world_assert_done(graph, "/reason/errors/1/message", "404 So");
			world_assert_done(graph, "/reason/errors/3", "-");
		} else {
			world_assert(graph, "g", "/reason/errors/0/code", "EMPTY_REPLY");
			world_assert(graph, "g", "/reason/errors/1/message", "404 So");
			world_assert(graph, "g", "/reason/errors/3", "-");
		}
		end();
		buffer_deinit(&document);
	}
}
END_TEST

START_TEST(empty_ones_are_decided_as_the_table_says)
{
	static const struct world_case cases[] = {
		{"{'mode':'settled','jobs':{}}", "", "", "./status=fulfilled ./jobs=0"},
		{"{'mode':'all','jobs':{}}", "", "", "./status=fulfilled ./jobs=0"},
		{"{'mode':'any','jobs':{}}", "", "",
			"./status=rejected ./reason/code=ALL_REJECTED ./reason/errors=- "
			"./winner=-"},
		{"{'jobs':{'g':{'jobs':{}}}}", "", "g",
			"./status=fulfilled ./jobs=0 "
			"g/value={\"jobs\":0,\"fulfilled\":0,\"rejected\":0}"},
		{"{'jobs':{'g':{'mode':'all','jobs':{}}}}", "", "g", NULL},
		{"{'jobs':{'g':{'mode':'any','jobs':{}}}}", "", "g=ALL_REJECTED",
			"./status=fulfilled g/reason/errors=-"},
		{"{'jobs':{'g':{'each':[],'url':'@x'}}}", "", "g",
			"./jobs=0 g/value={\"jobs\":0,\"fulfilled\":0,\"rejected\":0}"},
		{"{'jobs':{'g':{'each':{'in':[],'mode':'all'},'url':'@x'}}}", "", "g", NULL},
		{"{'jobs':{'g':{'each':{'in':[],'mode':'any'},'url':'@x'}}}", "", "g=ALL_REJECTED",
			NULL},
		/* What an empty fan-out is, nobody can know before. */
		{"{'jobs':{'g':{'each':{'in':[],'mode':'race'},'url':'@x'}}}", "", "g=ALL_REJECTED",
			NULL},
		{"{'input':[],'jobs':{'g':{'each':{'in':'{{input}}','mode':'race'},'url':'@x'}}}",
			"", "g=ALL_REJECTED", NULL},
		/* An empty group in a group. */
		{"{'mode':'all','jobs':{'g':{'jobs':{'h':{'mode':'all','jobs':{}}}}}}", "", "h g",
			"./status=fulfilled"},
		{"{'mode':'all','jobs':{'g':{'mode':'all','jobs':{'h':{'mode':'any','jobs':{}}}}}}",
			"", "h=ALL_REJECTED g=JOB_REJECTED",
			"./reason/code=JOB_REJECTED ./reason/job=g g/reason/job=h"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* Early decisions. */

START_TEST(an_early_decision_aborts_the_wire_in_the_same_turn)
{
	for (enum shape shape = SHAPE_GRAPH; shape < SHAPES; shape++) {
		struct buffer document;
		int fds[3];

		shape_document(shape, &document, "any", "");
		begin(document.data);
		fds[0] = world_fd("/a");
		fds[1] = world_fd("/b");
		fds[2] = world_fd("/c");
		fake_forget(fds[1]);
		fake_holds.cancels = true;
		fake_receive(fds[1], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		/* What was in flight has its record before anything else happens. */
		world_assert(graph, shape_name(shape, 'a'), "/reason/by", "winner");
		world_assert(graph, shape_name(shape, 'c'), "/reason/by", "winner");
		fake_holds.cancels = false;
		fake_turn();
		fake_turn();
		ck_assert(!fake_is_open(fds[0]));
		ck_assert(fake_is_open(fds[1]));
		ck_assert(!fake_is_open(fds[2]));
		fake_run();
		ck_assert(graph->done);
		end();
		buffer_deinit(&document);
	}
}
END_TEST

/* Very many that wait stand between those on the wire. */
START_TEST(the_wire_does_not_wait_for_the_sweep)
{
	struct buffer out;
	int fd;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'mode':'any','jobs':[{'id':'a','url':'@a'}");
	for (int i = 0; i < 6000; i++)
		buffer_printf(&out, ",{'id':'j%d','url':'@j','after':['a','z']}", i);
	buffer_append(&out, ",{'id':'z','url':'@z'}]}", sizeof(",{'id':'z','url':'@z'}]}"));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	world_start(graph, out.data);
	buffer_deinit(&out);
	fake_run();
	fd = world_fd("/z");
	world_answer("/a", "200 OK", "");
	ck_assert_uint_lt(graph->n_records, 6002);
	ck_assert(!fake_is_open(fd));
	fake_pass(20 * NS_PER_MS);
	ck_assert_uint_eq(graph->n_records, 6002);
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(what_waits_is_never_sent_once_it_is_decided)
{
	static const struct world_case cases[] = {
		{"{'mode':'any','concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		 "'c':{'url':'@c','after':['a']}}}",
			"a:200", "a b=CANCELLED/winner c=CANCELLED/winner",
			"b/reason/sent=none c/attempts=0"},
		{"{'jobs':{'g':{'mode':'all','concurrency':1,'jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'@b'},'c':{'url':'@c','after':['a']}}},'d':{'url':'@d'}}}",
			"a:500 d:200",
			"a=HTTP_STATUS b=CANCELLED/fail_fast c=CANCELLED/fail_fast g=JOB_REJECTED "
			"d",
			"b/reason/sent=none c/attempts=0"},
		/* A backoff is no exception. */
		{"{'jobs':{'g':{'mode':'race','jobs':{'a':{'url':'@a','retry':{'attempts':5,"
		 "'delay':9,'max_delay':9,'jitter':'none'}},'b':{'url':'@b'}}}}}",
			"a:500 b:200 +60000", "b a=CANCELLED/winner g", "a/attempts=1"},
		/* Nor is what waits for a batch, or for the window. */
		{"{'jobs':{'p':{'each':{'in':[1,2,3],'mode':'any','concurrency':1},"
		 "'url':'@{{item}}'}}}",
			"1:200", "p[0] p[1]=CANCELLED/winner p[2]=CANCELLED/winner p",
			"p/value/winner=p[0] p[2]/item=2 "
			"p/value={\"winner\":\"p[0]\",\"jobs\":3,\"fulfilled\":1,\"rejected\":2}"},
		{"{'jobs':{'p':{'each':{'in':[1,2,3],'mode':'all','batch':{'size':1,'delay':5}},"
		 "'url':'@{{item}}'}}}",
			"1:500",
			"p[0]=HTTP_STATUS p[1]=CANCELLED/fail_fast "
			"p[2]=CANCELLED/fail_fast p=JOB_REJECTED",
			"p/reason/job=p[0]"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* The last child's record, then the group's, however many slices that takes. */
static unsigned n_leaves_at_group;

static void note_group(struct world_graph *at, const struct record *record)
{
	if (record->is_group)
		n_leaves_at_group = at->n_leaves;
}

START_TEST(a_group_settles_after_all_its_children)
{
	static const char head[] = "{'jobs':[{'id':'g','mode':'any','jobs':[{'id':'a','url':'@a'}";
	static const char tail[] = "]},{'id':'d','url':'@d','after':['g']}]}";
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, head);
	for (int i = 0; i < 6000; i++)
		buffer_printf(&out, ",{'id':'j%d','url':'@j','after':['a']}", i);
	buffer_append(&out, tail, sizeof(tail));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	graph->on_settled = note_group;
	n_leaves_at_group = 0;
	world_start(graph, out.data);
	buffer_deinit(&out);
	fake_run();
	world_answer("/a", "200 OK", "");
	ck_assert_uint_gt(graph->n_records, 1);
	ck_assert_uint_lt(graph->n_records, 6000);
	ck_assert_uint_eq(n_leaves_at_group, 0);
	ck_assert_int_eq(world_find("/d"), -1);
	fake_pass(20 * NS_PER_MS);
	ck_assert_uint_eq(n_leaves_at_group, 6001);
	world_answer("/d", "200 OK", "");
	ck_assert(graph->done);
	end();
}
END_TEST

/* An outer decision while an inner one could still come. */
START_TEST(inside_of_what_has_ended_nothing_is_decided)
{
	static const struct world_case cases[] = {
		{"{'mode':'all','jobs':{'g':{'mode':'any','jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'@b'}}},'c':{'url':'@c'}}}",
			"c:500",
			"c=HTTP_STATUS a=CANCELLED/fail_fast b=CANCELLED/fail_fast "
			"g=CANCELLED/fail_fast",
			"g/reason/errors=- ./reason/job=c"},
		/* The inner one's own decision is what decides the outer one. */
		{"{'mode':'all','jobs':{'g':{'mode':'all','jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'@b'}}},'c':{'url':'@c'}}}",
			"b:500",
			"b=HTTP_STATUS a=CANCELLED/fail_fast g=JOB_REJECTED "
			"c=CANCELLED/fail_fast",
			"g/reason/job=b ./reason/code=JOB_REJECTED ./reason/job=g"},
		/* Of two groups that race, the loser is ended whole. */
		{"{'mode':'race','jobs':{'g':{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}},"
		 "'h':{'mode':'any','jobs':{'c':{'url':'@c'},'d':{'url':'@d','after':['c']}}}}}",
			"a:200 c:200",
			"a c d=CANCELLED/winner h b=CANCELLED/winner g=CANCELLED/winner",
			"./winner=h h/value/winner=c"},
		/* An optional group's rejection decides nothing. */
		{"{'mode':'all','jobs':{'g':{'mode':'all','optional':true,'jobs':{"
		 "'a':{'url':'@a'},'b':{'url':'@b'}}},'c':{'url':'@c'}}}",
			"b:500 c:200", "b=HTTP_STATUS a=CANCELLED/fail_fast g=JOB_REJECTED c",
			"./status=fulfilled ./rejected=2"},
		/* A group's fallback covers its rejection. */
		{"{'mode':'all','jobs':{'g':{'mode':'all','fallback':[1],'jobs':{"
		 "'a':{'url':'@a'},'b':{'url':'@b'}}},'c':{'url':'@c/{{g}}'}}}",
			"b:500 c/%5B1%5D:200", "b=HTTP_STATUS a=CANCELLED/fail_fast g/fallback c",
			"./status=fulfilled g/cause/code=JOB_REJECTED g/cause/job=b"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

UNIT_MAIN("job/group", &modes_decide_graphs_groups_and_fan_outs_alike,
	&the_errors_of_all_rejected_are_in_input_order, &empty_ones_are_decided_as_the_table_says,
	&an_early_decision_aborts_the_wire_in_the_same_turn, &the_wire_does_not_wait_for_the_sweep,
	&what_waits_is_never_sent_once_it_is_decided, &a_group_settles_after_all_its_children,
	&inside_of_what_has_ended_nothing_is_decided)
