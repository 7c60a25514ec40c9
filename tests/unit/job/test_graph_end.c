/* SPDX-License-Identifier: MIT */
#include "job/graph.h"

#include <stdio.h>
#include <stdlib.h>

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

/* One job on the wire, one in the queue, one that waits, one that has settled. */
static void begin_all_states(void)
{
	begin("{'concurrency':1,'jobs':{'done':{'url':'@done','priority':9},'wire':{'url':'@wire'},"
	      "'queue':{'url':'@queue'},'wait':{'url':'@wait','after':['wire']}}}");
	world_answer("/done", "200 OK", "");
	ck_assert_int_ge(world_find("/wire"), 0);
}

START_TEST(an_end_settles_every_job_and_clears_the_wire)
{
	static const struct {
		enum record_by by;
		const char *name, *code, *reason;
	} cases[] = {
		{RECORD_BY_CLIENT, "client", "CANCELLED", "CANCELLED"},
		{RECORD_BY_DISCONNECT, "disconnect", "CANCELLED", "CANCELLED"},
		{RECORD_BY_TIMEOUT, "timeout", "CANCELLED", "GRAPH_TIMEOUT"},
		{RECORD_BY_SHUTDOWN, "shutdown", "SHUTDOWN", "SHUTDOWN"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd;

		begin_all_states();
		fd = world_fd("/wire");
		graph_cancel(graph->graph, cases[i].by);
		/* In flight: at once. */
		world_assert_fate(graph, "wire", cases[i].code);
		world_assert_decided(graph, "/reason/code", cases[i].reason);
		world_assert_decided(graph, "/reason/by", cases[i].name);
		world_assert_decided(graph, "/fulfilled", "1");
		fake_pass(10 * NS_PER_MS);
		ck_assert(!fake_is_open(fd));
		world_assert_fate(graph, "done", "fulfilled");
		world_assert_fate(graph, "queue", cases[i].code);
		world_assert_fate(graph, "wait", cases[i].code);
		world_assert(graph, "queue", "/reason/by", cases[i].name);
		world_assert(graph, "wait", "/reason/by", cases[i].name);
		world_assert(graph, "wait", "/reason/sent", "none");
		world_assert_done(graph, "/status", "rejected");
		world_assert_done(graph, "/reason/code", cases[i].reason);
		world_assert_done(graph, "/reason/by", cases[i].name);
		world_assert_done(graph, "/rejected", "3");
		ck_assert_uint_eq(ring_counters(world.ring)->sends, 2);
		end();
	}
}
END_TEST

START_TEST(the_first_end_counts)
{
	begin_all_states();
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	graph_cancel(graph->graph, RECORD_BY_SHUTDOWN);
	fake_pass(10 * NS_PER_MS);
	world_assert(graph, "wait", "/reason/by", "client");
	world_assert_done(graph, "/reason/code", "CANCELLED");
	end();
}
END_TEST

START_TEST(a_rejection_that_has_decided_stays_the_reason)
{
	begin("{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	fake_holds.closes = true;
	world_answer("/a", "500 No", "");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_holds.closes = false;
	fake_pass(NS_PER_MS);
	world_assert(graph, "b", "/reason/by", "fail_fast");
	world_assert_done(graph, "/reason/code", "JOB_REJECTED");
	end();
}
END_TEST

START_TEST(what_is_sent_after_an_end_is_nothing)
{
	/* Ready in the very turn in which it ends. */
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	fake_receive(world_fd("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(10 * NS_PER_MS);
	world_assert_fate(graph, "a", "fulfilled");
	world_assert_fate(graph, "b", "CANCELLED");
	world_assert(graph, "b", "/attempts", "0");
	ck_assert_uint_eq(ring_counters(world.ring)->sends, 1);
	end();
}
END_TEST

START_TEST(cancelled_wins_over_a_rejected_dependency)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	fake_receive(world_fd("/a"), "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(10 * NS_PER_MS);
	world_assert_fate(graph, "b", "CANCELLED");
	world_assert(graph, "b", "/reason/job", "-");
	world_assert(graph, "b", "/reason/root", "-");
	end();
}
END_TEST

START_TEST(a_deadline_ends_it)
{
	begin("{'timeout':3,'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
	      "'q':{'url':'@q','queue_timeout':3,'after':['a']}}}");
	fake_pass(3 * NS_PER_S - NS_PER_MS);
	ck_assert_ptr_null(graph->decided);
	fake_pass(NS_PER_MS);
	world_assert_decided(graph, "/reason/code", "GRAPH_TIMEOUT");
	fake_pass(10 * NS_PER_MS);
	world_assert(graph, "a", "/reason/code", "CANCELLED");
	world_assert(graph, "a", "/reason/by", "timeout");
	world_assert(graph, "b", "/reason/by", "timeout");
	world_assert_done(graph, "/reason/code", "GRAPH_TIMEOUT");
	end();
}
END_TEST

START_TEST(a_deadline_that_was_met_does_nothing)
{
	begin("{'timeout':3,'jobs':{'a':{'url':'@a'}}}");
	world_answer("/a", "200 OK", "");
	world_assert_done(graph, "/status", "fulfilled");
	fake_pass(10 * NS_PER_S);
	ck_assert_ptr_null(graph->decided);
	end();
}
END_TEST

/* All jobs have settled; that the wire is not clear yet is nobody's fault. */
START_TEST(what_has_settled_is_not_undone_by_a_late_end)
{
	static const enum record_by ends[] = {RECORD_BY_TIMEOUT, RECORD_BY_CLIENT};

	for (size_t i = 0; i < countof(ends); i++) {
		begin("{'timeout':3,'jobs':{'a':{'url':'@a'}}}");
		fake_holds.closes = true;
		world_answer_bytes("/a",
			"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 57);
		world_assert_fate(graph, "a", "fulfilled");
		ck_assert_ptr_null(graph->done);
		if (ends[i] == RECORD_BY_TIMEOUT)
			fake_pass(5 * NS_PER_S);
		else
			graph_cancel(graph->graph, ends[i]);
		fake_holds.closes = false;
		fake_run();
		world_assert_done(graph, "/status", "fulfilled");
		ck_assert_ptr_null(graph->decided);
		end();
	}
}
END_TEST

START_TEST(one_job_may_be_cancelled_in_each_state)
{
	static const struct {
		const char *job, *fate;
		bool is_known;
	} cases[] = {
		{"done", "fulfilled", true},
		{"wire", "CANCELLED", true},
		{"queue", "CANCELLED", true},
		{"wait", "CANCELLED", true},
		{"none", "-", false},
		{"", "-", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin_all_states();
		ck_assert(graph_cancel_job(graph->graph, text_from(cases[i].job)) ==
			  cases[i].is_known);
		fake_run();
		world_assert_fate(graph, cases[i].job, cases[i].fate);
		if (strcmp(cases[i].fate, "CANCELLED") == 0)
			world_assert(graph, cases[i].job, "/reason/by", "client");
		/* The others go on. */
		ck_assert_ptr_null(graph->decided);
		if (world_find("/wire") >= 0)
			world_answer("/wire", "200 OK", "");
		if (world_find("/queue") >= 0)
			world_answer("/queue", "200 OK", "");
		if (world_find("/wait") >= 0)
			world_answer("/wait", "200 OK", "");
		world_assert_done(graph, "/status", "fulfilled");
		end();
	}
}
END_TEST

START_TEST(dependents_of_a_cancelled_job_are_rejected)
{
	begin_all_states();
	ck_assert(graph_cancel_job(graph->graph, TEXT("wire")));
	fake_run();
	world_assert(graph, "wait", "/reason/code", "DEPENDENCY_REJECTED");
	world_assert(graph, "wait", "/reason/root", "wire");
	/* Its slot is free. */
	world_answer("/queue", "200 OK", "");
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

START_TEST(a_cancelled_job_decides_all)
{
	begin("{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	ck_assert(graph_cancel_job(graph->graph, TEXT("a")));
	fake_pass(NS_PER_MS);
	world_assert(graph, "a", "/reason/by", "client");
	world_assert(graph, "b", "/reason/by", "fail_fast");
	world_assert_done(graph, "/reason/code", "JOB_REJECTED");
	world_assert_done(graph, "/reason/job", "a");
	end();
}
END_TEST

START_TEST(done_comes_when_the_wire_is_clear)
{
	int fd;

	begin("{'jobs':{'a':{'url':'@a'}}}");
	fd = world_fd("/a");
	fake_holds.closes = true;
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(NS_PER_S);
	world_assert_fate(graph, "a", "CANCELLED");
	ck_assert_ptr_null(graph->done);
	fake_complete(FAKE_CLOSE, fd, 0);
	fake_run();
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

/* Many jobs that never start: a document of so many in a row. */
static void begin_many(int n)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'concurrency':1,'jobs':[{'id':'a','url':'@a'}");
	for (int i = 1; i < n; i++)
		buffer_printf(&out, ",{'id':'j%d','url':'@j','after':['a']}", i);
	buffer_append(&out, "]}", sizeof("]}"));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	world_start(graph, out.data);
	fake_run();
	buffer_deinit(&out);
}

START_TEST(an_ended_graph_is_swept_in_slices)
{
	begin_many(10000);
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	/* A part of it at once, and then other work comes in between. */
	fake_pass(NS_PER_MS);
	ck_assert_uint_gt(graph->n_records, 1000);
	ck_assert_uint_lt(graph->n_records, 5000);
	fake_pass(20 * NS_PER_MS);
	ck_assert_uint_eq(graph->n_records, 10000);
	world_assert_done(graph, "/rejected", "10000");
	end();
}
END_TEST

START_TEST(a_sweep_waits_for_a_slow_reader)
{
	uint32_t n;

	begin_many(10000);
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(NS_PER_MS);
	n = graph->n_records;
	ck_assert_uint_lt(n, 10000);
	graph_pause(graph->graph, true);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(graph->n_records, n);
	graph_pause(graph->graph, false);
	fake_pass(20 * NS_PER_MS);
	ck_assert_uint_eq(graph->n_records, 10000);
	ck_assert_ptr_nonnull(graph->done);
	end();

	/* Paused before it ends. */
	begin_many(10000);
	graph_pause(graph->graph, true);
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(graph->n_records, 1);
	graph_pause(graph->graph, false);
	fake_pass(20 * NS_PER_MS);
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

START_TEST(a_queue_timeout_of_an_ended_graph_is_its_end)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b','queue_timeout':1}}}");
	graph_pause(graph->graph, true);
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(2 * NS_PER_S);
	graph_pause(graph->graph, false);
	fake_pass(10 * NS_PER_MS);
	world_assert_fate(graph, "b", "CANCELLED");
	end();
}
END_TEST

START_TEST(the_end_of_one_graph_is_not_another_s)
{
	struct world_graph *other;

	begin("{'jobs':{'a':{'url':'@a'}}}");
	other = world_submit("{'jobs':{'b':{'url':'@b'}}}");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(10 * NS_PER_MS);
	ck_assert_ptr_nonnull(graph->done);
	world_answer("/b", "200 OK", "");
	world_assert_done(other, "/status", "fulfilled");
	world_free(other);
	end();
}
END_TEST

UNIT_MAIN("job/graph_end", &an_end_settles_every_job_and_clears_the_wire, &the_first_end_counts,
	&a_rejection_that_has_decided_stays_the_reason, &what_is_sent_after_an_end_is_nothing,
	&cancelled_wins_over_a_rejected_dependency, &a_deadline_ends_it,
	&a_deadline_that_was_met_does_nothing, &what_has_settled_is_not_undone_by_a_late_end,
	&one_job_may_be_cancelled_in_each_state, &dependents_of_a_cancelled_job_are_rejected,
	&a_cancelled_job_decides_all, &done_comes_when_the_wire_is_clear,
	&an_ended_graph_is_swept_in_slices, &a_sweep_waits_for_a_slow_reader,
	&a_queue_timeout_of_an_ended_graph_is_its_end, &the_end_of_one_graph_is_not_another_s)
