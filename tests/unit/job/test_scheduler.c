/* SPDX-License-Identifier: MIT */
#include "job/scheduler.h"

#include <stdio.h>
#include <stdlib.h>

#include "job/job.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* Bounds of the daemon and of each origin. */
static void begin(uint32_t requests_max, uint32_t requests_per_origin_max)
{
	struct scheduler_options options = world_options();

	options.requests_max = requests_max;
	world_begin_with(&options, requests_per_origin_max);
}

/* "a b": the targets of these are on the wire, and no others. */
static void assert_on_wire(const char *targets)
{
	char target[] = "/x";
	unsigned n = 0;

	for (const char *at = targets; *at; at++) {
		if (*at == ' ')
			continue;
		target[1] = *at;
		ck_assert_msg(world_find(target) >= 0, "%s is not on the wire", target);
		n++;
	}
	ck_assert_msg(
		world_n_on_wire() == n, "%u are on the wire, not %s", world_n_on_wire(), targets);
}

START_TEST(the_daemon_s_bound_holds_for_all_graphs)
{
	struct world_graph *one, *two;

	begin(3, BOUND_NONE);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	two = world_submit("{'jobs':{'c':{'url':'@c'},'d':{'url':'@d'},'e':{'url':'@e'}}}");
	assert_on_wire("a b c");
	world_answer("/c", "200 OK", "");
	assert_on_wire("a b d");
	world_answer("/a", "200 OK", "");
	assert_on_wire("b d e");
	world_answer("/b", "200 OK", "");
	world_answer("/d", "200 OK", "");
	world_answer("/e", "200 OK", "");
	world_free(one);
	world_free(two);
	world_end();
}
END_TEST

START_TEST(first_come_is_first_served_over_all_graphs)
{
	struct world_graph *one, *two;

	begin(1, BOUND_NONE);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
			   "'e':{'url':'@e','after':['a']}}}");
	two = world_submit("{'jobs':{'c':{'url':'@c'},'d':{'url':'@d'}}}");
	assert_on_wire("a");
	/* A later turn. */
	fake_pass(NS_PER_MS);
	world_answer("/a", "200 OK", "");
	assert_on_wire("b");
	world_answer("/b", "200 OK", "");
	assert_on_wire("c");
	world_answer("/c", "200 OK", "");
	assert_on_wire("d");
	world_answer("/d", "200 OK", "");
	/* It was ready after all others. */
	assert_on_wire("e");
	world_answer("/e", "200 OK", "");
	world_free(one);
	world_free(two);
	world_end();
}
END_TEST

START_TEST(who_waits_for_one_bound_blocks_nobody_who_does_not)
{
	struct world_graph *one, *two;

	/* Both of one origin; and another origin's. */
	begin(BOUND_NONE, 1);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
			   "'c':{'url':'http://192.0.2.2/c'}}}");
	assert_on_wire("a c");
	world_answer("/a", "200 OK", "");
	assert_on_wire("b c");
	world_give_up(one);

	/* Both of one graph; and another graph's. */
	one = world_submit("{'concurrency':1,'jobs':{'a':{'url':'http://192.0.2.3/a'},"
			   "'b':{'url':'http://192.0.2.4/b'}}}");
	two = world_submit("{'jobs':{'c':{'url':'http://192.0.2.5/c'}}}");
	assert_on_wire("a c");
	world_answer("/a", "200 OK", "");
	assert_on_wire("b c");
	world_give_up(one);
	world_give_up(two);
	world_end();
}
END_TEST

START_TEST(who_waits_holds_nothing)
{
	struct world_graph *one, *two;

	/* "b" waits for its origin, and "c" may have the daemon's other place. */
	begin(2, 1);
	one = world_submit("{'concurrency':2,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	two = world_submit("{'jobs':{'c':{'url':'http://192.0.2.2/c'}}}");
	assert_on_wire("a c");
	ck_assert_uint_eq(world.scheduler.requests.used, 2);
	ck_assert_uint_eq(one->graph->group.requests.used, 1);
	/* Its origin is free, and then it waits for the daemon with "d". */
	graph_pause(one->graph, true);
	world_answer("/a", "200 OK", "");
	assert_on_wire("c");
	graph_pause(one->graph, false);
	fake_run();
	assert_on_wire("b c");
	world_give_up(one);
	world_give_up(two);
	world_end();
}
END_TEST

START_TEST(no_wake_up_is_lost_when_one_bound_gives_way_to_another)
{
	struct world_graph *one, *two;

	begin(2, 1);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'},"
			   "'d':{'url':'@d'}}}");
	two = world_submit("{'jobs':{'x':{'url':'http://192.0.2.2/x'},"
			   "'y':{'url':'http://192.0.2.2/y'},"
			   "'z':{'url':'http://192.0.2.3/z'}}}");
	assert_on_wire("a x");
	/* Origin and daemon have a place: who became ready first of those who may go. */
	world_answer("/a", "200 OK", "");
	ck_assert_uint_eq(world_n_on_wire(), 2);
	/* Whatever settles, there are always two on the wire until there is one left. */
	for (int left = 6; left > 0; left--) {
		static const char *const targets[] = {"/b", "/c", "/d", "/x", "/y", "/z"};
		size_t i = 0;

		ck_assert_uint_eq(world_n_on_wire(), left > 1 ? 2 : 1);
		while (world_find(targets[i]) < 0)
			i++;
		world_answer(targets[i], "200 OK", "");
	}
	world_free(one);
	world_free(two);
	world_end();
}
END_TEST

START_TEST(a_place_that_nobody_took_is_offered_on)
{
	struct world_graph *one;

	/* Who waits for the place turns out to be rejected when it gets it. */
	begin(1, BOUND_NONE);
	one = world_submit("{'input':{'u':1},'jobs':{'a':{'url':'@a'},"
			   "'b':{'url':'@b/{{input#/none}}'},'c':{'url':'{{input#/u}}'},"
			   "'d':{'url':'@d'}}}");
	assert_on_wire("a");
	world_answer("/a", "200 OK", "");
	world_assert_fate(one, "b", "REF_MISSING");
	world_assert_fate(one, "c", "URL_INVALID");
	assert_on_wire("d");
	world_answer("/d", "200 OK", "");
	world_free(one);
	world_end();
}
END_TEST

START_TEST(who_leaves_the_queue_gives_its_turn_to_the_next)
{
	struct world_graph *one;

	begin(BOUND_NONE, 1);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	graph_cancel_job(one->graph, TEXT("b"));
	fake_run();
	assert_on_wire("a");
	world_answer("/a", "200 OK", "");
	assert_on_wire("c");
	/* And an ended graph's jobs hold nobody up. */
	graph_cancel(one->graph, RECORD_BY_CLIENT);
	fake_pass(10 * NS_PER_MS);
	world_free(one);
	one = world_submit("{'jobs':{'d':{'url':'@d'}}}");
	assert_on_wire("d");
	world_give_up(one);
	world_end();
}
END_TEST

START_TEST(the_queue_of_an_ended_graph_does_not_hold_up_another)
{
	struct world_graph *one, *two;

	begin(1, BOUND_NONE);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	two = world_submit("{'jobs':{'d':{'url':'@d'}}}");
	/* Its sweep is held up by its reader; its place in the queue is not. */
	graph_pause(one->graph, true);
	graph_cancel(one->graph, RECORD_BY_CLIENT);
	fake_run();
	assert_on_wire("d");
	graph_pause(one->graph, false);
	world_answer("/d", "200 OK", "");
	fake_pass(10 * NS_PER_MS);
	world_free(one);
	world_free(two);
	world_end();
}
END_TEST

START_TEST(no_bound_is_ever_exceeded)
{
	struct world_graph *graphs[3];
	unsigned n_answered = 0;

	begin(5, 2);
	for (size_t i = 0; i < countof(graphs); i++)
		graphs[i] = world_submit(
			"{'concurrency':3,'defaults':{'dedupe':false},'jobs':["
			"{'id':'a','url':'http://192.0.2.1/'},{'id':'b','url':'http://192.0.2.1/'},"
			"{'id':'c','url':'http://192.0.2.2/'},{'id':'d','url':'http://192.0.2.2/'},"
			"{'id':'e','url':'http://192.0.2.3/'},{'id':'f','url':'http://192.0.2.3/'},"
			"{'id':'g','url':'http://192.0.2.4/'},{'id':'h','url':'http://192.0.2.4/'}"
			"]}");
	while (world_n_on_wire() > 0) {
		unsigned n = world_n_on_wire();

		ck_assert_uint_le(n, 5);
		ck_assert_uint_eq(world.scheduler.requests.used, n);
		for (size_t i = 0; i < countof(graphs); i++)
			ck_assert(!graphs[i]->graph || graphs[i]->graph->group.requests.used <= 3);
		world_answer("/", "200 OK", "");
		n_answered++;
	}
	ck_assert_uint_eq(n_answered, 24);
	for (size_t i = 0; i < countof(graphs); i++)
		world_free(graphs[i]);
	world_end();
}
END_TEST

/* Which is sent first once "s" has settled, one at a time: all in the order of being sent. */
static void assert_sent(const char *document, const char *order)
{
	struct world_graph *one;

	world_begin();
	one = world_submit(document);
	for (const char *at = order; *at; at++) {
		char target[] = {'/', *at, '\0'};

		ck_assert_msg(world_find(target) >= 0, "%s is not next of %s", target, document);
		ck_assert_uint_eq(world_n_on_wire(), 1);
		fake_pass(NS_PER_MS);
		world_answer(target, "200 OK", "");
	}
	ck_assert(one->done);
	world_free(one);
	world_end();
}

START_TEST(in_a_graph_s_own_bound_priority_and_then_the_longest_way_go_first)
{
	static const struct {
		const char *jobs, *order;
	} cases[] = {
		/* All alike: as they stand. */
		{"'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}", "abc"},
		{"'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c','after':['b']}", "bac"},
		{"'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c','after':['b']},"
		 "'d':{'url':'@d','after':['c']}",
			"bcad"},
		{"'a':{'url':'@a','priority':5},'b':{'url':'@b'},'c':{'url':'@c','after':['b']}",
			"abc"},
		{"'a':{'url':'@a','priority':3},'b':{'url':'@b'},'c':{'url':'@c','priority':9}",
			"cba"},
		/* Also before what has been waiting for longer. */
		{"'s':{'url':'@s','priority':9},'a':{'url':'@a'},'b':{'url':'@b','after':['s']},"
		 "'c':{'url':'@c','after':['b']}",
			"sbac"},
		/* The way through a group, and through a fan-out. */
		{"'a':{'url':'@a'},'b':{'url':'@b'},'g':{'after':['b'],'jobs':{'c':{'url':'@c'}}}",
			"bac"},
		{"'a':{'url':'@a'},'b':{'url':'@b'},'p':{'after':['b'],'each':['c'],"
		 "'url':'@{{item}}'}",
			"bac"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[400];

		snprintf(
			document, sizeof(document), "{'concurrency':1,'jobs':{%s}}", cases[i].jobs);
		assert_sent(document, cases[i].order);
		/* The same in a group. */
		snprintf(document, sizeof(document), "{'jobs':{'z':{'concurrency':1,'jobs':{%s}}}}",
			cases[i].jobs);
		assert_sent(document, cases[i].order);
	}
}
END_TEST

START_TEST(between_graphs_priority_and_then_the_turn_go_first)
{
	struct world_graph *one, *two, *three;

	begin(1, BOUND_NONE);
	one = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	fake_pass(NS_PER_MS);
	/* However long a way it says it has. */
	two = world_submit("{'jobs':{'c':{'url':'@c'},'d':{'url':'@d','after':['c']}}}");
	fake_pass(NS_PER_MS);
	three = world_submit("{'priority':9,'jobs':{'e':{'url':'@e'},"
			     "'f':{'url':'@f','priority':0}}}");
	fake_pass(NS_PER_MS);
	for (const char *at = "aebcdf"; *at; at++) {
		char target[] = {'/', *at, '\0'}, name[] = {*at, '\0'};

		assert_on_wire(name);
		fake_pass(NS_PER_MS);
		world_answer(target, "200 OK", "");
	}
	world_free(one);
	world_free(two);
	world_free(three);
	world_end();
}
END_TEST

/* Each record costs the machine a millisecond. */
static void take_time(struct world_graph *graph, const struct record *record)
{
	world_clock_ns += NS_PER_MS;
}

START_TEST(a_turn_s_work_ends_when_it_has_taken_long_enough)
{
	struct world_graph *one = calloc(1, sizeof(*one));
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'input':{},'jobs':[");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&out, "%s{'id':'j%d','url':'@{{input#/x}}'}", i ? "," : "", i);
	buffer_append(&out, "]}", sizeof("]}"));
	begin(BOUND_NONE, BOUND_NONE);
	one->counts_only = true;
	one->on_settled = take_time;
	world_start(one, out.data);
	buffer_deinit(&out);
	fake_turn();
	ck_assert_uint_ge(one->n_records, 1);
	ck_assert_uint_le(one->n_records, 100);
	for (int ms = 0; ms < 2000 && !one->done; ms++)
		fake_pass(NS_PER_MS);
	world_assert_done(one, "/rejected", "1000");
	world_free(one);
	world_end();
}
END_TEST

UNIT_MAIN("job/scheduler", &the_daemon_s_bound_holds_for_all_graphs,
	&first_come_is_first_served_over_all_graphs,
	&who_waits_for_one_bound_blocks_nobody_who_does_not, &who_waits_holds_nothing,
	&no_wake_up_is_lost_when_one_bound_gives_way_to_another,
	&a_place_that_nobody_took_is_offered_on, &who_leaves_the_queue_gives_its_turn_to_the_next,
	&the_queue_of_an_ended_graph_does_not_hold_up_another, &no_bound_is_ever_exceeded,
	&in_a_graph_s_own_bound_priority_and_then_the_longest_way_go_first,
	&between_graphs_priority_and_then_the_turn_go_first,
	&a_turn_s_work_ends_when_it_has_taken_long_enough)
