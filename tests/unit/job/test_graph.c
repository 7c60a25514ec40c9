/* SPDX-License-Identifier: MIT */
#include "job/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/outcome.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define MANY 100000

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

START_TEST(no_jobs_are_fulfilled_at_once)
{
	static const char *const documents[] = {
		"{'jobs':{}}",
		"{'jobs':[]}",
		"{'mode':'all','jobs':{}}",
		"{'mode':'settled','jobs':{},'timeout':1,'name':'n','return':{'x':1}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		begin(documents[i]);
		world_assert_done(graph, "/status", "fulfilled");
		world_assert_done(graph, "/jobs", "0");
		world_assert_done(graph, "/critical_path", "[]");
		ck_assert_ptr_null(graph->decided);
		end();
	}
}
END_TEST

START_TEST(a_job_is_sent_in_the_turn_in_which_its_dependency_settles)
{
	int fd;

	begin("{'jobs':{'b':{'url':'@b/{{a}}'},'a':{'url':'@a'}}}");
	fd = world_fd("/a");
	ck_assert_int_eq(world_find("/b/1"), -1);
	fake_forget(fd);
	fake_holds.sends = true;
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
	ck_assert_ptr_null(fake_find(FAKE_SEND, fd));
	fake_turn();
	ck_assert_ptr_nonnull(fake_find(FAKE_SEND, fd));
	end();
}
END_TEST

START_TEST(what_depends_on_nothing_starts_at_once)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},'c':{'url':'@c'},"
	      "'d':{'url':'@d','after':['b','c']}}}");
	ck_assert_int_ge(world_find("/a"), 0);
	ck_assert_int_ge(world_find("/c"), 0);
	ck_assert_uint_eq(world_n_on_wire(), 2);
	world_answer("/c", "200 OK", "");
	ck_assert_uint_eq(world_n_on_wire(), 1);
	world_answer("/a", "200 OK", "");
	ck_assert_int_ge(world_find("/b"), 0);
	ck_assert_uint_eq(world_n_on_wire(), 1);
	world_answer("/b", "200 OK", "");
	world_answer("/d", "200 OK", "");
	world_assert_order(graph, "c a b d");
	world_assert(graph, "d", "/index", "3");
	world_assert_done(graph, "/fulfilled", "4");
	end();
}
END_TEST

START_TEST(settled_is_fulfilled_whatever_became_of_the_jobs)
{
	begin("{'name':'n','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	world_answer("/a", "500 No", "");
	ck_assert_ptr_null(graph->decided);
	world_answer("/b", "404 No", "");
	ck_assert_ptr_null(graph->decided);
	world_assert_done(graph, "/graph", "n");
	world_assert_done(graph, "/status", "fulfilled");
	world_assert_done(graph, "/reason", "-");
	world_assert_done(graph, "/jobs", "2");
	world_assert_done(graph, "/fulfilled", "0");
	world_assert_done(graph, "/rejected", "2");
	end();
}
END_TEST

START_TEST(all_is_fulfilled_when_all_are)
{
	begin("{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b','optional':true}}}");
	world_answer("/b", "500 No", "");
	ck_assert_ptr_null(graph->decided);
	world_answer("/a", "200 OK", "");
	ck_assert_ptr_null(graph->decided);
	world_assert_done(graph, "/status", "fulfilled");
	world_assert_done(graph, "/reason", "-");
	world_assert_done(graph, "/rejected", "1");
	end();
}
END_TEST

START_TEST(all_is_decided_by_the_first_rejection_in_time)
{
	int fd;

	begin("{'mode':'all','concurrency':2,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
	      "'c':{'url':'@c'},'d':{'url':'@d','after':['b']}}}");
	fd = world_fd("/a");
	fake_holds.closes = true;
	world_answer("/b", "500 No", "");
	/* Decided, but not done: what is in flight is being ended. */
	world_assert_decided(graph, "/status", "rejected");
	world_assert_decided(graph, "/reason/code", "JOB_REJECTED");
	world_assert_decided(graph, "/reason/job", "b");
	world_assert_decided(graph, "/rejected", "1");
	ck_assert_uint_eq(graph->n_records_decided, 1);
	fake_pass(100 * NS_PER_MS);
	world_assert_order(graph, "b a c d");
	world_assert(graph, "a", "/reason/code", "CANCELLED");
	world_assert(graph, "a", "/reason/by", "fail_fast");
	world_assert(graph, "a", "/reason/sent", "full");
	world_assert(graph, "c", "/reason/by", "fail_fast");
	world_assert(graph, "c", "/reason/sent", "none");
	world_assert(graph, "c", "/attempts", "0");
	world_assert_fate(graph, "d", "CANCELLED");
	ck_assert_ptr_null(graph->done);
	ck_assert_int_eq(world_find("/c"), -1);
	fake_complete(FAKE_CLOSE, fd, 0);
	fake_run();
	world_assert_done(graph, "/status", "rejected");
	world_assert_done(graph, "/reason/code", "JOB_REJECTED");
	world_assert_done(graph, "/reason/job", "b");
	world_assert_done(graph, "/reason/by", "-");
	world_assert_done(graph, "/rejected", "4");
	end();
}
END_TEST

START_TEST(dependents_of_a_rejected_job_are_rejected_unsent_at_once)
{
	begin("{'jobs':{'d':{'url':'@d/{{c}}'},'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
	      "'c':{'url':'@c','after':['b','x']},'x':{'url':'@x'},"
	      "'s':{'url':'@s','after':['c'],'needs':'settled'}}}");
	world_answer("/a", "500 No", "");
	/* Also where another dependency is still at work. */
	world_assert_order(graph, "a b c d");
	world_assert(graph, "b", "/reason/code", "DEPENDENCY_REJECTED");
	world_assert(graph, "b", "/reason/job", "a");
	world_assert(graph, "b", "/reason/root", "a");
	world_assert(graph, "b", "/reason/message", "a was rejected");
	world_assert(graph, "b", "/attempts", "0");
	world_assert(graph, "c", "/reason/job", "b");
	world_assert(graph, "c", "/reason/root", "a");
	world_assert(graph, "d", "/reason/job", "c");
	world_assert(graph, "d", "/reason/root", "a");
	ck_assert_int_ge(world_find("/s"), 0);
	world_answer("/x", "200 OK", "");
	world_answer("/s", "200 OK", "");
	world_assert_order(graph, "a b c d x s");
	world_assert_done(graph, "/rejected", "4");
	end();
}
END_TEST

START_TEST(the_first_of_two_rejected_dependencies_is_the_cause)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['a','b']}}}");
	world_answer("/b", "500 No", "");
	world_assert(graph, "c", "/reason/job", "b");
	world_answer("/a", "500 No", "");
	world_assert_done(graph, "/rejected", "3");
	end();
}
END_TEST

START_TEST(needs_settled_waits_for_all_and_runs_whatever_they_became)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
	      "'c':{'url':'@c/{{a.outcome}}/{{b.outcome}}','needs':'settled'}}}");
	world_answer("/a", "500 No", "");
	ck_assert_int_eq(world_find("/c/rejected/fulfilled"), -1);
	world_answer("/b", "200 OK", "");
	world_answer("/c/rejected/fulfilled", "200 OK", "");
	world_assert_done(graph, "/fulfilled", "2");
	end();
}
END_TEST

START_TEST(ties_of_one_turn_go_by_job_order)
{
	begin("{'jobs':{'z':{'url':'@{{input#/x}}'},'y':{'url':'@{{input#/x}}'},"
	      "'x':{'url':'@{{input#/x}}'},'w':{'url':'@w','after':['z']}}}");
	world_assert_order(graph, "z y x w");
	end();
}
END_TEST

START_TEST(no_more_than_concurrency_are_on_the_wire)
{
	begin("{'concurrency':2,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'},"
	      "'d':{'url':'@d'}}}");
	ck_assert_uint_eq(world_n_on_wire(), 2);
	ck_assert_int_ge(world_find("/b"), 0);
	world_answer("/b", "200 OK", "");
	ck_assert_uint_eq(world_n_on_wire(), 2);
	ck_assert_int_ge(world_find("/c"), 0);
	world_answer("/c", "500 No", "");
	ck_assert_int_ge(world_find("/d"), 0);
	world_answer("/a", "200 OK", "");
	world_answer("/d", "200 OK", "");
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

START_TEST(an_outcome_is_kept_as_long_as_it_is_needed)
{
	struct job *a;

	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b/{{a}}'},'c':{'url':'@c/{{a}}'},"
	      "'n':{'url':'@n','after':['a']},'x':{'url':'@x'}}}");
	a = world_job(graph, "a");
	world_answer("/a", "200 OK", "1");
	ck_assert_ptr_nonnull(a->outcome);
	world_answer("/b/1", "200 OK", "1");
	world_answer("/n", "200 OK", "1");
	ck_assert_ptr_nonnull(a->outcome);
	/* Nobody refers to these. */
	ck_assert_ptr_null(world_job(graph, "b")->outcome);
	world_answer("/c/1", "200 OK", "1");
	ck_assert_ptr_null(a->outcome);
	end();

	/* `return` needs it to the end. */
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b/{{a}}'},'x':{'url':'@x'}},"
	      "'return':'{{a}}'}");
	a = world_job(graph, "a");
	world_answer("/a", "200 OK", "1");
	world_answer("/b/1", "200 OK", "1");
	ck_assert_ptr_nonnull(a->outcome);
	world_answer("/x", "200 OK", "1");
	world_assert_done(graph, "/return", "1");
	end();
}
END_TEST

START_TEST(an_outcome_is_not_kept_for_who_has_settled_before)
{
	struct job *a;

	begin("{'jobs':{'a':{'url':'@a'},'y':{'url':'@y'},"
	      "'b':{'url':'@b/{{a}}','after':['y']},'x':{'url':'@x'}}}");
	a = world_job(graph, "a");
	world_answer("/y", "500 No", "");
	world_assert_fate(graph, "b", "DEPENDENCY_REJECTED");
	world_answer("/a", "200 OK", "a body that nobody will ever look at");
	world_assert_fate(graph, "a", "fulfilled");
	ck_assert_msg(!a->outcome, "kept though its only dependent has settled");
	end();
}
END_TEST

START_TEST(a_job_waits_for_a_slot_no_longer_than_it_says)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9},"
	      "'b':{'url':'@b','queue_timeout':2},"
	      "'c':{'url':'@c','queue_timeout':9},'d':{'url':'@d','after':['b']}}}");
	fake_pass(2 * NS_PER_S - NS_PER_MS);
	world_assert_fate(graph, "b", "-");
	fake_pass(NS_PER_MS);
	world_assert_fate(graph, "b", "QUEUE_TIMEOUT");
	world_assert_fate(graph, "d", "DEPENDENCY_REJECTED");
	world_assert(graph, "b", "/time/queue", "2000");
	world_assert(graph, "b", "/reason/retryable", "true");
	world_answer("/a", "200 OK", "");
	/* It has its slot: the wait is over. */
	fake_pass(20 * NS_PER_S);
	ck_assert_int_ge(world_find("/c"), 0);
	world_answer("/c", "200 OK", "");
	world_assert(graph, "c", "/time/queue", "2000");
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

START_TEST(the_wait_for_a_slot_begins_when_it_is_ready)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a'},'x':{'url':'@x','after':['a']},"
	      "'b':{'url':'@b','queue_timeout':2,'after':['a']}}}");
	fake_pass(10 * NS_PER_S);
	world_answer("/a", "200 OK", "");
	fake_pass(2 * NS_PER_S - NS_PER_MS);
	world_assert_fate(graph, "b", "-");
	fake_pass(NS_PER_MS);
	world_assert_fate(graph, "b", "QUEUE_TIMEOUT");
	world_assert(graph, "b", "/time/start", "10000");
	end();
}
END_TEST

START_TEST(paused_it_starts_nothing_more)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
	      "'c':{'url':'@c','after':['a']}}}");
	graph_pause(graph->graph, true);
	graph_pause(graph->graph, true);
	/* What is in flight goes on. */
	world_answer("/a", "200 OK", "");
	world_assert_fate(graph, "a", "fulfilled");
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(world_n_on_wire(), 0);
	graph_pause(graph->graph, false);
	fake_run();
	ck_assert_int_lt(world_fd("/b"), world_fd("/c"));
	world_answer("/b", "200 OK", "");
	world_answer("/c", "200 OK", "");
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

/* "{'jobs':[{'id':'j0','url':…},{'id':'j1',…},…]}" */
static char *chain_document(const char *url, const char *needs)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'jobs':[");
	for (int i = 0; i < MANY; i++) {
		buffer_printf(&out, "%s{'id':'j%d','url':'%s'", i ? "," : "", i, url);
		if (i > 0)
			buffer_printf(&out, ",'after':['j%d'],'needs':'%s'", i - 1, needs);
		buffer_append_byte(&out, '}');
	}
	buffer_append(&out, "]}", sizeof("]}"));
	return buffer_take(&out);
}

/* Neither the stack nor the order suffers however long a chain settles in one turn. */
START_TEST(a_chain_of_very_many_jobs_settles_in_slices)
{
	static const char *const needs[] = {"fulfilled", "settled"};

	for (size_t i = 0; i < countof(needs); i++) {
		char *document = chain_document("@{{input#/x}}", needs[i]);

		world_begin();
		graph = calloc(1, sizeof(*graph));
		graph->counts_only = true;
		world_start(graph, document);
		fake_turn();
		/* In slices: the loop has other work. */
		ck_assert_uint_lt(graph->n_records, MANY / 2);
		for (int ms = 0; ms < 1000 && graph->n_records < MANY; ms++)
			fake_pass(NS_PER_MS);
		ck_assert_uint_eq(graph->n_records, MANY);
		world_assert_done(graph, "/rejected", "100000");
		free(document);
		end();
	}
}
END_TEST

START_TEST(very_many_jobs_depend_on_one)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'jobs':[{'id':'a','url':'@a'}");
	for (int i = 0; i < MANY / 4; i++)
		buffer_printf(&out, ",{'id':'j%d','url':'@j','after':['a']}", i);
	buffer_append(&out, "]}", sizeof("]}"));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	world_start(graph, out.data);
	buffer_deinit(&out);
	fake_run();
	world_answer("/a", "500 No", "");
	for (int ms = 0; ms < 1000 && graph->n_records < MANY / 4 + 1; ms++)
		fake_pass(NS_PER_MS);
	ck_assert_uint_eq(graph->n_records, MANY / 4 + 1);
	world_assert_done(graph, "/rejected", "25001");
	end();
}
END_TEST

UNIT_MAIN("job/graph", &no_jobs_are_fulfilled_at_once,
	&a_job_is_sent_in_the_turn_in_which_its_dependency_settles,
	&what_depends_on_nothing_starts_at_once, &settled_is_fulfilled_whatever_became_of_the_jobs,
	&all_is_fulfilled_when_all_are, &all_is_decided_by_the_first_rejection_in_time,
	&dependents_of_a_rejected_job_are_rejected_unsent_at_once,
	&the_first_of_two_rejected_dependencies_is_the_cause,
	&needs_settled_waits_for_all_and_runs_whatever_they_became,
	&ties_of_one_turn_go_by_job_order, &no_more_than_concurrency_are_on_the_wire,
	&an_outcome_is_kept_as_long_as_it_is_needed,
	&an_outcome_is_not_kept_for_who_has_settled_before,
	&a_job_waits_for_a_slot_no_longer_than_it_says,
	&the_wait_for_a_slot_begins_when_it_is_ready, &paused_it_starts_nothing_more,
	&a_chain_of_very_many_jobs_settles_in_slices, &very_many_jobs_depend_on_one)
