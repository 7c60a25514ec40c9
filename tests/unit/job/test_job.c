/* SPDX-License-Identifier: MIT */
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>

#include "job/attempt.h"
#include "job/outcome.h"
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

START_TEST(its_states_follow_each_other)
{
	struct job *a, *b, *c;

	begin("{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9},'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['b']},'z':{'url':'@z','after':['c']}}}");
	a = world_job(graph, "a");
	b = world_job(graph, "b");
	c = world_job(graph, "c");
	ck_assert_int_eq(a->state, JOB_RUNNING);
	ck_assert_ptr_nonnull(a->attempt);
	ck_assert_ptr_eq(a->attempt->job, a);
	ck_assert_int_eq(b->state, JOB_QUEUED);
	ck_assert_ptr_null(b->attempt);
	ck_assert_int_eq(c->state, JOB_WAITING);
	ck_assert_uint_eq(c->n_waiting, 1);
	world_answer("/a", "200 OK", "");
	ck_assert_int_eq(a->state, JOB_SETTLED);
	ck_assert_ptr_null(a->attempt);
	ck_assert_int_eq(b->state, JOB_RUNNING);
	/* Ready, until the turn ends. */
	fake_receive(world_fd("/b"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ck_assert_int_eq(c->state, JOB_READY);
	ck_assert_uint_eq(c->n_waiting, 0);
	ck_assert_uint_eq(c->released_by, 1);
	ck_assert_uint_eq(a->released_by, JOB_NONE);
	end();
}
END_TEST

START_TEST(times_run_from_the_graph_s_acceptance)
{
	struct record record;

	begin("{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
	      "'c':{'url':'@c','after':['a']}}}");
	fake_pass(3 * NS_PER_MS);
	/* It is not ready yet: it starts when it ends. */
	job_record(world_job(graph, "b"), &record);
	ck_assert(text_is(record.job, "b"));
	ck_assert_uint_eq(record.index, 1);
	ck_assert_uint_eq(record.time.start, 3 * NS_PER_MS);
	ck_assert_uint_eq(record.time.end, 3 * NS_PER_MS);
	world_answer("/a", "200 OK", "");
	fake_pass(4 * NS_PER_MS);
	world_answer("/b", "200 OK", "");
	fake_pass(5 * NS_PER_MS);
	world_answer("/c", "200 OK", "");
	world_assert(graph, "a", "/time/start", "0");
	world_assert(graph, "a", "/time/end", "3");
	world_assert(graph, "b", "/time/start", "3");
	world_assert(graph, "b", "/time/end", "7");
	world_assert(graph, "c", "/time/start", "3");
	world_assert(graph, "c", "/time/queue", "4");
	world_assert(graph, "c", "/time/end", "12");
	end();
}
END_TEST

START_TEST(a_rejection_says_how_long_it_waited)
{
	struct fault fault = {.code = FAULT_QUEUE_TIMEOUT};

	begin("{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9},'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['a']}}}");
	fake_pass(6 * NS_PER_MS);
	job_reject(world_job(graph, "b"), &fault, RECORD_BY_NONE);
	job_reject(world_job(graph, "c"), &fault, RECORD_BY_CLIENT);
	world_assert(graph, "b", "/time/queue", "6");
	world_assert(graph, "b", "/reason/retryable", "true");
	world_assert(graph, "b", "/reason/by", "-");
	world_assert(graph, "b", "/reason/message",
		"The job waited for a slot longer than its queue_timeout");
	/* It was never ready. */
	world_assert(graph, "c", "/time/queue", "0");
	world_assert(graph, "c", "/time/start", "6");
	world_assert(graph, "c", "/reason/by", "client");
	end();
}
END_TEST

START_TEST(what_is_kept_is_what_others_ask_for)
{
	static const struct {
		const char *reference;
		bool body, headers, any;
	} cases[] = {
		{"{{a}}", true, false, true},
		{"{{a#/x ?? 1}}", true, false, true},
		{"{{a.headers.x ?? 1}}", false, true, true},
		{"{{a.status}}", false, false, true},
		{"{{a.url}}", false, false, true},
		{"{{a.code}}", false, false, true},
		{"none", false, false, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[160];
		const struct outcome *outcome;

		snprintf(document, sizeof(document),
			"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b/%s','after':['a']}}}",
			cases[i].reference);
		world_begin();
		graph = world_hold(
			document, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n{}");
		outcome = world_job(graph, "a")->outcome;
		ck_assert_msg((outcome != NULL) == cases[i].any, "%s", cases[i].reference);
		if (outcome) {
			ck_assert_uint_eq(outcome->n_users, 1);
			ck_assert_msg((outcome->body.data != NULL) == cases[i].body, "%s",
				cases[i].reference);
			ck_assert_msg((outcome->n_headers > 0) == cases[i].headers, "%s",
				cases[i].reference);
		}
		end();
	}
}
END_TEST

START_TEST(an_omitted_body_is_still_there_for_others)
{
	begin("{'jobs':{'a':{'url':'@a','omit':true},'b':{'url':'@b/{{a}}'}}}");
	world_answer("/a", "200 OK", "kept");
	world_assert_body(graph, "a", NULL);
	world_assert(graph, "a", "/value/bytes", "4");
	ck_assert_int_ge(world_find("/b/kept"), 0);
	end();
}
END_TEST

static unsigned n_settled;

static void note_settled(struct world_graph *at, const struct record *record)
{
	const struct job *job = world_job(at, "a");

	n_settled++;
	/* It has settled when it is told. */
	ck_assert_int_eq(job->state, JOB_SETTLED);
	ck_assert_ptr_null(job->attempt);
	ck_assert(!list_is_linked(&job->link));
	ck_assert_uint_eq(job->root, 0);
	ck_assert(job->is_rejected);
}

START_TEST(it_settles_once_and_leaves_all_queues)
{
	struct fault fault = {.code = FAULT_CANCELLED};

	world_begin();
	n_settled = 0;
	graph = calloc(1, sizeof(*graph));
	graph->on_settled = note_settled;
	world_start(graph, "{'jobs':{'a':{'url':'@a','queue_timeout':1}}}");
	/* Ready, with a timer armed. */
	ck_assert_int_eq(world_job(graph, "a")->state, JOB_READY);
	ck_assert(timer_is_armed(&world_job(graph, "a")->timer));
	job_reject(world_job(graph, "a"), &fault, RECORD_BY_CLIENT);
	ck_assert_uint_eq(n_settled, 1);
	fake_pass(10 * NS_PER_S);
	ck_assert_uint_eq(n_settled, 1);
	ck_assert_uint_eq(world.scheduler.counters.jobs_settled, 1);
	ck_assert_uint_eq(world.scheduler.counters.attempts, 0);
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

START_TEST(the_root_is_handed_down)
{
	struct fault fault = {.code = FAULT_CANCELLED};

	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
	      "'c':{'url':'@c','after':['b']},'z':{'url':'@z'}}}");
	job_reject(world_job(graph, "b"), &fault, RECORD_BY_CLIENT);
	ck_assert_uint_eq(world_job(graph, "b")->root, 1);
	ck_assert_uint_eq(world_job(graph, "c")->root, 1);
	ck_assert_uint_eq(world_job(graph, "c")->cause, 1);
	ck_assert(world_job(graph, "c")->is_doomed);
	fake_run();
	world_assert(graph, "c", "/reason/root", "b");
	world_assert(graph, "b", "/reason/root", "-");
	end();
}
END_TEST

UNIT_MAIN("job/job", &its_states_follow_each_other, &times_run_from_the_graph_s_acceptance,
	&a_rejection_says_how_long_it_waited, &what_is_kept_is_what_others_ask_for,
	&an_omitted_body_is_still_there_for_others, &it_settles_once_and_leaves_all_queues,
	&the_root_is_handed_down)
