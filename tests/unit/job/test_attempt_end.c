/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <errno.h>
#include <stdio.h>

#include "job/graph.h"
#include "job/trial.h"
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

/* Three attempts, a second apart. */
#define RETRY "'retry':{'attempts':3,'delay':1,'backoff':'fixed','jitter':'none'}"

static void answer_after(const char *target, const char *status, const char *after)
{
	char response[200];
	int size = snprintf(response, sizeof(response),
		"HTTP/1.1 %s\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", status, after);

	world_answer_bytes(target, response, (size_t)size);
}

/* Once more. */

START_TEST(what_failed_is_tried_again_after_its_backoff)
{
	begin("{'jobs':{'a':{'url':'@a'," RETRY "}}}");
	world_play("+5 a:! +999");
	world_assert_on_wire("");
	world_assert_fates(graph, "");
	ck_assert_int_eq(world_job(graph, "a")->state, JOB_BACKOFF);
	world_play("+1");
	world_assert_on_wire("/a");
	world_play("+7 a:503 +1000 +9 a:200=hi");
	world_assert_fates(graph, "a");
	world_assert_body(graph, "a", "hi");
	world_assert_says(graph,
		"a/attempts=3 a/tries/0/code=EMPTY_REPLY a/tries/0/status=- "
		"a/tries/0/time/start=0 a/tries/0/time/end=5 a/tries/0/backoff=1000 "
		"a/tries/1/code=HTTP_STATUS a/tries/1/status=503 a/tries/1/time/start=1005 "
		"a/tries/1/time/end=1012 a/tries/1/backoff=1000 a/tries/2/code=- "
		"a/tries/2/status=200 a/tries/2/time/start=2012 a/tries/2/time/end=2021 "
		"a/tries/2/backoff=- a/tries/3=- a/time/start=0 a/time/queue=0 a/time/end=2021");
	ck_assert_uint_eq(world.scheduler.counters.retries, 2);
	end();
}
END_TEST

START_TEST(one_attempt_has_no_tries)
{
	begin("{'jobs':{'a':{'url':'@a'," RETRY "},'b':{'url':'@b'}}}");
	world_play("a:200 b:500");
	world_assert_says(graph, "a/tries=- a/attempts=1 b/tries=- b/reason/stopped=-");
	end();
}
END_TEST

START_TEST(why_it_is_not_tried_again_is_said)
{
	static const struct {
		const char *keys, *script, *code, *stopped, *attempts;
	} cases[] = {
		/* None was allowed. */
		{"'url':'@a'", "a:500", "HTTP_STATUS", "-", "1"},
		{"'url':'@a','retry':1", "a:500", "HTTP_STATUS", "-", "1"},
		{"'url':'@a','retry':{'attempts':3,'on':[503]}", "a:500", "HTTP_STATUS", "policy",
			"1"},
		{"'url':'@a'," RETRY, "a:404", "HTTP_STATUS", "policy", "1"},
		{"'url':'@a','retry':{'attempts':3,'on':['timeout']}", "a:!", "EMPTY_REPLY",
			"policy", "1"},
		{"'url':'@a'," RETRY, "a:! +1000 a:500 +1000 a:503", "HTTP_STATUS", "attempts",
			"3"},
		{"'url':'@a'," RETRY, "a:500 +1000 a:404", "HTTP_STATUS", "policy", "2"},
		{"'url':'@a','method':'POST'," RETRY, "a:500", "HTTP_STATUS", "not_idempotent",
			"1"},
		{"'url':'@a','method':'PATCH'," RETRY, "a:!", "EMPTY_REPLY", "not_idempotent", "1"},
		{"'url':'@a','method':'PUT'," RETRY, "a:! +1000 a:! +1000 a:!", "EMPTY_REPLY",
			"attempts", "3"},
		{"'url':'@a','method':'POST','retry':{'attempts':2,'delay':1,'jitter':'none',"
		 "'unsafe':true}",
			"a:500 +1000 a:500", "HTTP_STATUS", "attempts", "2"},
		{"'url':'@a','method':'POST','headers':{'Idempotency-KEY':'k'}," RETRY,
			"a:500 +1000 a:500 +1000 a:500", "HTTP_STATUS", "attempts", "3"},
		/* No backoff begins that would end too late. */
		{"'url':'@a','timeout':1," RETRY, "a:500", "HTTP_STATUS", "deadline", "1"},
		{"'url':'@a','timeout':1.5," RETRY, "+500 a:500", "HTTP_STATUS", "deadline", "1"},
		{"'url':'@a','timeout':1.5," RETRY, "+499 a:! +1000 a:500", "HTTP_STATUS",
			"deadline", "2"},
		/* A limit of one attempt is a failure of one attempt. */
		{"'url':'@a','attempt_timeout':1," RETRY, "+1000 +1000 +1000 +1000 +1000",
			"ATTEMPT_TIMEOUT", "attempts", "3"},
		{"'url':'@a','timeouts':{'first_byte':1}," RETRY, "+1000 +1000 a:404",
			"HTTP_STATUS", "policy", "2"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[400];

		snprintf(document, sizeof(document), "{'jobs':{'a':{%s}}}", cases[i].keys);
		begin(document);
		world_play(cases[i].script);
		world_assert(graph, "a", "/reason/code", cases[i].code);
		world_assert(graph, "a", "/reason/stopped", cases[i].stopped);
		world_assert(graph, "a", "/attempts", cases[i].attempts);
		ck_assert(graph->done);
		end();
	}
}
END_TEST

START_TEST(a_deadline_of_what_is_around_it_counts_too)
{
	static const char *const documents[] = {
		"{'timeout':1,'jobs':{'a':{'url':'@a'," RETRY "}}}",
		"{'jobs':{'g':{'timeout':1,'jobs':{'a':{'url':'@a'," RETRY "}}}}}",
		"{'timeout':9,'jobs':{'g':{'timeout':1,'jobs':{'h':{'timeout':3,'jobs':{"
		"'a':{'url':'@a'," RETRY "}}}}}}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		begin(documents[i]);
		world_play("+1 a:500");
		world_assert_says(graph, "a/reason/code=HTTP_STATUS a/reason/stopped=deadline "
					 "a/time/end=1");
		ck_assert(graph->done);
		end();
	}
}
END_TEST

START_TEST(what_was_never_sent_may_be_sent_again_whatever_it_is)
{
	world_begin();
	fake_holds.connects = true;
	graph = world_submit("{'jobs':{'a':{'url':'@a','method':'POST'," RETRY "}}}");
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	fake_holds.connects = false;
	fake_run();
	world_assert_fates(graph, "");
	world_play("+1000");
	world_assert_on_wire("/a");
	/* And from now on it was. */
	world_play("a:!");
	world_assert_says(graph, "a/reason/stopped=not_idempotent a/reason/sent=full a/attempts=2 "
				 "a/tries/0/code=CONNECT_REFUSED");
	end();
}
END_TEST

START_TEST(what_any_attempt_has_sent_is_sent)
{
	begin("{'jobs':{'a':{'url':'@a'," RETRY "}}}");
	world_play("a:500");
	fake_holds.connects = true;
	fake_pass(NS_PER_S);
	/* The connection was kept: take another way. */
	graph_cancel_job(graph->graph, TEXT("a"));
	fake_holds.connects = false;
	fake_run();
	world_assert_says(graph, "a/reason/code=CANCELLED a/reason/sent=full");
	end();
}
END_TEST

/* Backoff. */

START_TEST(a_backoff_holds_no_place)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9," RETRY "},"
	      "'b':{'url':'@b'},'c':{'url':'@c'}}}");
	world_assert_on_wire("/a");
	world_play("a:500");
	world_assert_on_wire("/b");
	/* It has to queue again; by priority it is the next. */
	world_play("+2000");
	world_assert_on_wire("/b");
	ck_assert_int_eq(world_job(graph, "a")->state, JOB_QUEUED);
	world_play("b:200");
	world_assert_on_wire("/a");
	world_play("a:200");
	world_assert_on_wire("/c");
	world_play("c:200");
	world_assert_says(graph, "a/attempts=2 a/time/queue=0 a/tries/1/time/start=1000");
	end();
}
END_TEST

START_TEST(a_job_s_time_runs_while_it_is_queued_again)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9,'timeout':3,"
	      "'queue_timeout':1," RETRY "},'b':{'url':'@b'}}}");
	world_play("a:500 +2999");
	/* The wait for its first place is over: that limit does not hold again. */
	world_assert_fates(graph, "");
	world_play("+1");
	world_assert_fates(graph, "a=JOB_TIMEOUT");
	world_assert_says(graph, "a/attempts=1 a/reason/sent=full a/time/end=3000");
	world_play("b:200");
	ck_assert(graph->done);
	end();

	/* On the wire, too: of all attempts together. */
	begin("{'jobs':{'a':{'url':'@a','timeout':3," RETRY "}}}");
	world_play("+500 a:500 +2499");
	world_assert_on_wire("/a");
	world_play("+1");
	world_assert_fates(graph, "a=JOB_TIMEOUT");
	world_assert_says(graph, "a/attempts=2 a/tries/1/code=JOB_TIMEOUT");
	end();
}
END_TEST

START_TEST(a_job_s_timeout_says_that_it_ended_the_retries)
{
	static const struct {
		const char *document, *script;
	} cases[] = {
		{"{'jobs':{'a':{'url':'@a','timeout':3," RETRY "}}}", "a:500 +3000"},
		{"{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9,'timeout':3," RETRY "},"
		 "'b':{'url':'@b'}}}",
			"a:500 +3000"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].document);
		world_play(cases[i].script);
		world_assert_fate(graph, "a", "JOB_TIMEOUT");
		world_assert(graph, "a", "/reason/stopped", "policy");
		end();
	}
}
END_TEST

START_TEST(it_may_be_ended_in_its_backoff)
{
	static const struct {
		const char *document, *fates;
		/* -1: it ends by itself. */
		int by;
	} cases[] = {
		{"{'jobs':{'a':{'url':'@a'," RETRY "}}}", "a=CANCELLED/client", RECORD_BY_CLIENT},
		{"{'jobs':{'a':{'url':'@a'," RETRY "}}}", "a=SHUTDOWN/shutdown",
			RECORD_BY_SHUTDOWN},
		{"{'jobs':{'g':{'jobs':{'a':{'url':'@a'," RETRY "}}}}}",
			"a=CANCELLED/client g=CANCELLED/client", RECORD_BY_CLIENT},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].document);
		world_play("a:500");
		graph_cancel(graph->graph, (enum record_by)cases[i].by);
		fake_run();
		world_assert_fates(graph, cases[i].fates);
		world_assert_says(graph, "a/attempts=1 a/reason/sent=full a/tries=-");
		fake_pass(5 * NS_PER_S);
		ck_assert_uint_eq(ring_counters(world.ring)->sends, 1);
		end();
	}
}
END_TEST

/* A slow reader's job goes on when it reads again. */
START_TEST(a_pause_outlasts_a_backoff)
{
	begin("{'jobs':{'a':{'url':'@a'," RETRY "}}}");
	world_play("a:500");
	graph_pause(graph->graph, true);
	world_play("+5000");
	world_assert_on_wire("");
	graph_pause(graph->graph, false);
	fake_run();
	world_assert_on_wire("/a");
	world_play("a:200");
	end();
}
END_TEST

/* The origin's say. */

START_TEST(retry_after_wins_over_the_backoff)
{
	static const struct {
		const char *retry, *status, *after;
		unsigned ms;
	} cases[] = {
		{RETRY, "503 No", "3", 3000},
		{RETRY, "429 No", "3", 3000},
		{RETRY, "500 No", "3", 3000},
		{RETRY, "503 No", "0", 0},
		{RETRY, "503 No", "soon", 1000},
		{RETRY, "503 No", "-1", 1000},
		/* As a date; one that has passed is now. */
		{RETRY, "503 No", "Thu, 01 Jan 2026 00:00:07 GMT", 7000},
		{RETRY, "503 No", "Wed, 31 Dec 2025 23:59:59 GMT", 0},
		/* At most so much of it. */
		{"'timeout':'1h'," RETRY, "503 No", "9999", 300000},
		{"'retry':{'attempts':2,'delay':1,'jitter':'none','retry_after':false}", "503 No",
			"3", 1000},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[300];

		snprintf(document, sizeof(document), "{'jobs':{'a':{'url':'@a',%s}}}",
			cases[i].retry);
		begin(document);
		answer_after("/a", cases[i].status, cases[i].after);
		if (cases[i].ms > 0) {
			fake_pass(cases[i].ms * NS_PER_MS - 1000);
			world_assert_on_wire("");
			fake_pass(NS_PER_MS);
		} else {
			fake_pass(2 * NS_PER_MS);
		}
		world_assert_on_wire("/a");
		world_play("a:200");
		world_assert_fate(graph, "a", "fulfilled");
		end();
	}
}
END_TEST

START_TEST(a_retry_after_that_is_too_late_ends_it)
{
	begin("{'jobs':{'a':{'url':'@a','timeout':5," RETRY "}}}");
	answer_after("/a", "503 No", "5");
	world_assert_says(graph, "a/reason/stopped=deadline a/reason/response/status=503");
	end();
}
END_TEST

START_TEST(an_origin_that_asks_for_it_is_left_alone)
{
	static const struct {
		const char *status;
		bool pauses;
	} cases[] = {{"429 Slow", true}, {"503 No", true}, {"500 No", false}, {"200 OK", false}};

	for (size_t i = 0; i < countof(cases); i++) {
		struct world_graph *other, *stranger, *elsewhere;

		/* By all graphs of the user, also if nothing is to be tried again. */
		begin("{'jobs':{'a':{'url':'@a'},'w':{'url':'@w'},"
		      "'b':{'url':'@b','after':['a'],'needs':'settled'}}}");
		answer_after("/a", cases[i].status, "2");
		other = world_submit("{'jobs':{'c':{'url':'@c'}}}");
		elsewhere = world_submit("{'jobs':{'d':{'url':'http://192.0.2.2/d'}}}");
		world_uid = 1001;
		stranger = world_submit("{'jobs':{'e':{'url':'@e'}}}");
		ck_assert_int_eq(world_find("/b") >= 0, !cases[i].pauses);
		ck_assert_int_eq(world_find("/c") >= 0, !cases[i].pauses);
		ck_assert_int_ge(world_find("/d"), 0);
		ck_assert_int_ge(world_find("/e"), 0);
		/* What is on the wire goes on. */
		world_play("w:200");
		world_assert_fate(graph, "w", "fulfilled");
		fake_pass(2 * NS_PER_S - NS_PER_MS);
		ck_assert_int_eq(world_find("/b") >= 0, !cases[i].pauses);
		fake_pass(NS_PER_MS);
		ck_assert_int_ge(world_find("/b"), 0);
		ck_assert_int_ge(world_find("/c"), 0);
		world_play("b:200 c:200 d:200 e:200");
		if (cases[i].pauses) {
			world_assert_says(graph, "b/time/queue=2000");
			world_assert_says(other, "c/time/queue=2000 c/attempts=1");
		}
		world_free(other);
		world_free(stranger);
		world_free(elsewhere);
		end();
	}
}
END_TEST

START_TEST(who_waits_for_a_pause_holds_nothing_and_may_give_up)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9},"
	      "'b':{'url':'@b','priority':8,'queue_timeout':1},"
	      "'c':{'url':'http://192.0.2.2/c'}}}");
	answer_after("/a", "503 No", "60");
	/* "b" waits for its origin; the graph's place is another's. */
	world_assert_on_wire("/c");
	world_play("+1000");
	world_assert_fate(graph, "b", "QUEUE_TIMEOUT");
	world_play("c:200");
	ck_assert(graph->done);
	end();

	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a'],'needs':'settled'}}}");
	answer_after("/a", "503 No", "60");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_run();
	world_assert_fates(graph, "a=HTTP_STATUS b=CANCELLED/client");
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(the_latest_of_several_pauses_counts)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['a','b'],'needs':'settled'}}}");
	answer_after("/a", "503 No", "5");
	answer_after("/b", "429 No", "2");
	world_play("+4999");
	world_assert_on_wire("");
	world_play("+1");
	world_assert_on_wire("/c");
	end();
}
END_TEST

/* The budget. */

START_TEST(repetitions_are_a_fifth_of_what_goes_there_and_three_in_any_case)
{
	struct world_graph *other;

	begin("{'jobs':{'a':{'url':'@a','retry':{'attempts':9,'delay':0.1,'jitter':'none',"
	      "'backoff':'fixed'}}}}");
	world_play("a:500 +100 a:500 +100 a:500 +100 a:500");
	world_assert_says(graph, "a/attempts=4 a/reason/stopped=budget a/reason/code=HTTP_STATUS");
	/* Of the same user, the same origin: nothing left, for ten seconds. */
	other = world_submit("{'jobs':{'b':{'url':'@b'," RETRY "},"
			     "'c':{'url':'http://192.0.2.2/c'," RETRY "}}}");
	world_play("b:500 c:500");
	world_assert_says(other, "b/attempts=1 b/reason/stopped=budget");
	world_assert_fate(other, "c", "-");
	world_give_up(other);
	world_uid = 1001;
	other = world_submit("{'jobs':{'b':{'url':'@b'," RETRY "}}}");
	world_play("b:500");
	world_assert_fate(other, "b", "-");
	world_give_up(other);
	world_uid = 1000;
	fake_pass(11 * NS_PER_S);
	other = world_submit("{'jobs':{'b':{'url':'@b'," RETRY "}}}");
	world_play("b:500");
	world_assert_fate(other, "b", "-");
	world_give_up(other);
	end();

	/* Thirty requests that went well earn it a few more. */
	begin("{'jobs':{'p':{'each':[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,"
	      "23,24,25,26,27,28,29],'url':'@p','dedupe':false}}}");
	for (int i = 0; i < 30; i++)
		world_play("p:200");
	other = world_submit("{'jobs':{'a':{'url':'@a','retry':{'attempts':99,'delay':0.1,"
			     "'jitter':'none','backoff':'fixed'}}}}");
	for (int i = 0; i < 99 && !other->done; i++)
		world_play("a:500 +100");
	/* 6 of 30; with these among all that were sent, a seventh. */
	world_assert_says(other, "a/attempts=8 a/reason/stopped=budget");
	world_free(other);
	end();
}
END_TEST

/* Memory. */

START_TEST(without_memory_for_a_second_attempt_the_first_counts)
{
	begin("{'jobs':{'a':{'url':'@a'," RETRY "}}}");
	memory_fail_object(sizeof(struct trial));
	world_play("a:500");
	ck_assert(memory_has_failed());
	world_assert_fates(graph, "a=HTTP_STATUS");
	world_assert_says(graph, "a/attempts=1 a/reason/response/status=500");
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(a_fallback_and_an_optional_job_come_after_the_retries)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'a':{'url':'@a','fallback':1," RETRY "}}}",
			"a:500 +1000 a:500 +1000 a:500", "a/fallback",
			"a/attempts=3 a/cause/stopped=attempts a/cause/code=HTTP_STATUS "
			"a/tries/2/status=500"},
		{"{'mode':'any','jobs':{'a':{'url':'@a'," RETRY "},'b':{'url':'@b'}}}",
			"b:500 a:500 +1000 a:200", "b=HTTP_STATUS a", "./winner=a"},
		{"{'mode':'all','jobs':{'a':{'url':'@a'," RETRY "}}}", "a:500 +1000 a:404",
			"a=HTTP_STATUS", "./reason/job=a"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

UNIT_MAIN("job/attempt_end", &what_failed_is_tried_again_after_its_backoff,
	&one_attempt_has_no_tries, &why_it_is_not_tried_again_is_said,
	&a_deadline_of_what_is_around_it_counts_too,
	&what_was_never_sent_may_be_sent_again_whatever_it_is, &what_any_attempt_has_sent_is_sent,
	&a_backoff_holds_no_place, &a_job_s_time_runs_while_it_is_queued_again,
	&a_job_s_timeout_says_that_it_ended_the_retries, &it_may_be_ended_in_its_backoff,
	&a_pause_outlasts_a_backoff, &retry_after_wins_over_the_backoff,
	&a_retry_after_that_is_too_late_ends_it, &an_origin_that_asks_for_it_is_left_alone,
	&who_waits_for_a_pause_holds_nothing_and_may_give_up, &the_latest_of_several_pauses_counts,
	&repetitions_are_a_fifth_of_what_goes_there_and_three_in_any_case,
	&without_memory_for_a_second_attempt_the_first_counts,
	&a_fallback_and_an_optional_job_come_after_the_retries)
