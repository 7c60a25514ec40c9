/* SPDX-License-Identifier: MIT */
#include "job/flight.h"

#include <stdio.h>
#include <stdlib.h>

#include "job/attempt.h"
#include "job/descriptor.h"
#include "job/graph.h"
#include "job/outcome.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/net/fake_file.h"
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

START_TEST(who_asks_for_the_same_shares_the_flight)
{
	begin("{'jobs':{'a':{'url':'@x','priority':9},'b':{'url':'@x'},'c':{'url':'@x'},"
	      "'d':{'url':'@d/{{b}}'}}}");
	world_assert_on_wire("/x");
	ck_assert_uint_eq(graph->graph->group.requests.used, 1);
	ck_assert_uint_eq(graph->graph->n_attempts, 1);
	fake_pass(5 * NS_PER_MS);
	world_answer_bytes("/x", "HTTP/1.1 200 OK\r\nETag: e\r\nContent-Length: 2\r\n\r\nhi", 49);
	world_assert_fates(graph, "a b/dedupe c/dedupe");
	world_assert_says(graph, "a/via=network a/of=- b/of=a c/of=a b/status=fulfilled "
				 "b/value/status=200 b/value/headers/etag=e b/value/bytes=2 "
				 "b/value/url=http://192.0.2.1/x b/index=1 b/attempts=1 "
				 "b/time/end=5 b/time/first_byte=5");
	world_assert_body(graph, "a", "hi");
	world_assert_body(graph, "b", "hi");
	world_assert_body(graph, "c", "hi");
	world_play("d/hi:200");
	ck_assert_uint_eq(ring_counters(world.ring)->sends, 2);
	world_assert_done(graph, "/fulfilled", "4");
	end();
}
END_TEST

/* Two jobs, a and b: is b sent by itself? */
START_TEST(what_makes_two_requests_the_same)
{
	static const struct {
		const char *a, *b;
		bool shared;
	} cases[] = {
		{"'url':'@x'", "'url':'@x'", true},
		{"'url':'@x'", "'url':'@y'", false},
		{"'url':'@x'", "'url':'http://192.0.2.1:80/x'", true},
		{"'url':'@x'", "'url':'http://192.0.2.2/x'", false},
		{"'url':'@x'", "'url':'http://192.0.2.1:81/x'", false},
		{"'url':'@x?a=1'", "'url':'@x','query':{'a':1}", true},
		{"'url':'@x?a=1'", "'url':'@x?a=2'", false},
		{"'url':'@{{input}}'", "'url':'@x'", true},
		/* The method: safe ones alone, and only with themselves. */
		{"'url':'@x','method':'HEAD'", "'url':'@x','method':'HEAD'", true},
		{"'url':'@x','method':'HEAD'", "'url':'@x'", false},
		{"'url':'@x','method':'POST'", "'url':'@x','method':'POST'", false},
		{"'url':'@x','json':1", "'url':'@x','json':1", false},
		{"'url':'@x','method':'PUT'", "'url':'@x','method':'PUT'", false},
		{"'url':'@x','method':'OPTIONS'", "'url':'@x','method':'OPTIONS'", false},
		{"'url':'@x','method':'GET','body':'1'", "'url':'@x','method':'GET','body':'1'",
			true},
		{"'url':'@x','method':'GET','body':'1'", "'url':'@x','method':'GET','body':'2'",
			false},
		/* Headers, as they are sent. */
		{"'url':'@x','headers':{'a':'1'}", "'url':'@x','headers':{'a':'1'}", true},
		{"'url':'@x','headers':{'a':'1'}", "'url':'@x','headers':{'a':'{{input}}'}", false},
		{"'url':'@x','headers':{'a':'x'}", "'url':'@x','headers':{'a':'{{input}}'}", true},
		{"'url':'@x','headers':{'a':'1'}", "'url':'@x'", false},
		/* Limits. */
		{"'url':'@x','timeout':1", "'url':'@x','timeout':1", true},
		{"'url':'@x','timeout':1", "'url':'@x','timeout':2", false},
		{"'url':'@x'", "'url':'@x','attempt_timeout':2", false},
		{"'url':'@x'", "'url':'@x','timeouts':{'idle':2}", false},
		{"'url':'@x'", "'url':'@x','timeouts':{'first_byte':2}", false},
		{"'url':'@x'", "'url':'@x','max_body':7", false},
		{"'url':'@x'", "'url':'@x','output':'discard'", false},
		{"'url':'@x','output':'discard'", "'url':'@x','output':'discard'", true},
		/* The place. */
		{"'url':'@x','resolve':{'192.0.2.1:80':'192.0.2.9'}", "'url':'@x'", false},
		{"'url':'@x','resolve':{'192.0.2.1:80':'192.0.2.9'}",
			"'url':'@x','resolve':{'192.0.2.1:80':'192.0.2.9'}", true},
		{"'url':'@x','resolve':{'192.0.2.1:81':'192.0.2.9'}", "'url':'@x'", true},
		/* What is each job's own affair. */
		{"'url':'@x'", "'url':'@x','ok':'404'", true},
		{"'url':'@x'", "'url':'@x','retry':3", true},
		{"'url':'@x'", "'url':'@x','fallback':1,'optional':true,'omit':true,'priority':2",
			true},
		{"'url':'@x'", "'url':'@x','queue_timeout':1", true},
		/* Neither wants it not. */
		{"'url':'@x','dedupe':false", "'url':'@x'", false},
		{"'url':'@x'", "'url':'@x','dedupe':false", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[400];

		snprintf(document, sizeof(document), "{'input':'x','jobs':{'a':{%s},'b':{%s}}}",
			cases[i].a, cases[i].b);
		begin(document);
		ck_assert_msg(world_n_on_wire() == (cases[i].shared ? 1 : 2), "%s: %u", document,
			world_n_on_wire());
		end();
	}
}
END_TEST

/* What a descriptor holds is not seen by who compares requests. */
START_TEST(bodies_of_descriptors_are_not_compared)
{
	static const char *const methods[] = {"GET", "HEAD", "POST"};

	for (size_t i = 0; i < countof(methods); i++) {
		char document[400];
		int fds[2];

		snprintf(document, sizeof(document),
			"{'jobs':{'a':{'url':'@x','method':'%s','body_fd':0},"
			"'b':{'url':'@x','method':'%s','body_fd':1}}}",
			methods[i], methods[i]);
		world_begin();
		fds[0] = fake_pipe();
		fds[1] = fake_pipe();
		graph = calloc(1, sizeof(*graph));
		world_start(graph, document);
		graph_take_descriptors(graph->graph, descriptors_new(world.ring, fds, 2));
		fake_run();
		ck_assert_msg(world_n_on_wire() == 2, "%s: %u", document, world_n_on_wire());
		end();
	}
}
END_TEST

START_TEST(only_jobs_of_the_same_graph_share)
{
	struct world_graph *other;

	begin("{'jobs':{'a':{'url':'@x'}}}");
	other = world_submit("{'jobs':{'a':{'url':'@x'}}}");
	ck_assert_uint_eq(world_n_on_wire(), 2);
	world_give_up(other);
	end();
}
END_TEST

START_TEST(nothing_that_has_settled_is_shared)
{
	begin("{'jobs':{'a':{'url':'@x'},'b':{'url':'@x','after':['a']},"
	      "'c':{'url':'@x','after':['b']}}}");
	/* Ready in the very turn. */
	world_play("x:200");
	world_assert_on_wire("/x");
	world_play("x:500");
	world_assert_fates(graph, "a b=HTTP_STATUS c=DEPENDENCY_REJECTED");
	ck_assert_uint_eq(ring_counters(world.ring)->sends, 2);
	end();
	/* Nor what failed before it was sent. */
	begin("{'jobs':{'a':{'url':'@x','headers':{'a':'{{input#/n}}'}},"
	      "'b':{'url':'@x','headers':{'a':'{{input#/n}}'}}},'input':{}}");
	world_assert_fates(graph, "a=REF_MISSING b=REF_MISSING");
	end();
}
END_TEST

/* On its way already, whatever came of it so far. */
START_TEST(who_comes_late_joins_too)
{
	int fd;

	begin("{'jobs':{'a':{'url':'@x'},'s':{'url':'@s'},'b':{'url':'@x','after':['s']}}}");
	fd = world_fd("/x");
	fake_forget(fd);
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	fake_run();
	fake_pass(3 * NS_PER_MS);
	world_play("s:200");
	ck_assert_uint_eq(world_n_on_wire(), 0);
	fake_receive(fd, "cd");
	fake_run();
	world_assert_fates(graph, "s a b/dedupe");
	world_assert_body(graph, "b", "abcd");
	world_assert_says(graph, "b/time/start=3 b/time/queue=0");
	end();
}
END_TEST

START_TEST(who_follows_needs_no_place)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@c'},"
	      "'d':{'url':'@{{input}}'}},'input':'x'}");
	world_assert_on_wire("/x");
	ck_assert_int_eq(world_job(graph, "b")->state, JOB_RUNNING);
	ck_assert_int_eq(world_job(graph, "c")->state, JOB_QUEUED);
	ck_assert_int_eq(world_job(graph, "d")->state, JOB_RUNNING);
	world_play("x:200");
	world_assert_fates(graph, "a b/dedupe d/dedupe");
	world_assert_on_wire("/c");
	end();

	/* What waited for a place does not look again: it is sent when it has one. */
	begin("{'concurrency':1,'jobs':{'s':{'url':'@s','priority':9},'a':{'url':'@x'},"
	      "'b':{'url':'@x'}}}");
	world_play("s:200");
	world_assert_on_wire("/x");
	world_play("x:200");
	ck_assert_uint_le(ring_counters(world.ring)->sends, 3);
	if (!graph->done)
		world_play("x:200");
	ck_assert(graph->done);
	end();
}
END_TEST

/* Ends. */

START_TEST(a_leader_that_goes_hands_the_flight_over)
{
	begin("{'jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@x'}}}");
	ck_assert(graph_cancel_job(graph->graph, TEXT("a")));
	fake_run();
	world_assert_fates(graph, "a=CANCELLED/client");
	world_assert_on_wire("/x");
	ck_assert_ptr_eq(world_job(graph, "c")->attempt->job, world_job(graph, "b"));
	world_play("x:200=hi");
	world_assert_fates(graph, "a=CANCELLED/client b c/dedupe");
	world_assert_says(graph, "b/via=network b/of=- c/of=b");
	world_assert_body(graph, "b", "hi");
	world_assert_body(graph, "c", "hi");
	ck_assert_uint_eq(ring_counters(world.ring)->sends, 1);
	end();
}
END_TEST

START_TEST(a_follower_that_goes_leaves_the_flight_alone)
{
	begin("{'jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@x'}}}");
	ck_assert(graph_cancel_job(graph->graph, TEXT("b")));
	fake_run();
	world_assert_fates(graph, "b=CANCELLED/client");
	world_assert_says(graph, "b/reason/sent=full b/attempts=1");
	world_play("x:200");
	world_assert_fates(graph, "b=CANCELLED/client a c/dedupe");
	end();
}
END_TEST

START_TEST(the_last_one_that_goes_ends_it_on_the_wire)
{
	static const char *const orders[][3] = {
		{"a", "b", "c"}, {"c", "b", "a"}, {"b", "a", "c"}, {"a", "c", "b"}};

	for (size_t i = 0; i < countof(orders); i++) {
		int fd;

		begin("{'jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@x'}}}");
		fd = world_fd("/x");
		for (size_t k = 0; k < 3; k++) {
			ck_assert(fake_is_open(fd));
			graph_cancel_job(graph->graph, text_from(orders[i][k]));
			fake_run();
		}
		ck_assert(!fake_is_open(fd));
		ck_assert(graph->done);
		end();
	}

	/* And all at once. */
	begin("{'mode':'any','jobs':{'g':{'timeout':1,'jobs':{'a':{'url':'@x'},"
	      "'b':{'url':'@x'}}},'c':{'url':'@c'}}}");
	fake_pass(NS_PER_S);
	world_assert_fates(
		graph, "a=CANCELLED/timeout b=CANCELLED/timeout g=GROUP_TIMEOUT/timeout");
	world_assert_on_wire("/c");
	end();
}
END_TEST

START_TEST(a_flight_outlives_the_group_of_its_leader)
{
	begin("{'jobs':{'g':{'concurrency':1,'timeout':1,'jobs':{'a':{'url':'@x'}}},"
	      "'b':{'url':'@x'}}}");
	/* Whoever leads. */
	world_play("+1000");
	world_assert_fates(graph, "a=CANCELLED/timeout g=GROUP_TIMEOUT/timeout");
	world_assert_on_wire("/x");
	world_play("x:200");
	world_assert_fate(graph, "b", "fulfilled");
	ck_assert(graph->done);
	end();

	/* In an instance of a fan-out, whose memory waits for the wire. */
	begin("{'jobs':{'p':{'each':[1,2],'timeout':1,'jobs':{'a':{'url':'@x'},"
	      "'n':{'url':'@n{{index}}','after':['a']}}}}}");
	graph_cancel_job(graph->graph, TEXT("p[0]"));
	fake_run();
	world_assert_fates(graph, "a[0]=CANCELLED/client n[0]=CANCELLED/client "
				  "p[0]=CANCELLED/client");
	world_play("x:200 n1:200");
	world_assert_fates(graph, "a[0]=CANCELLED/client n[0]=CANCELLED/client "
				  "p[0]=CANCELLED/client a[1] n[1] p[1] p");
	end();
}
END_TEST

/* A later one has its own time. */
START_TEST(the_leader_s_timeout_is_the_leader_s_alone)
{
	begin("{'defaults':{'timeout':2,'attempt_timeout':9},'jobs':{'a':{'url':'@x'},"
	      "'s':{'url':'@s'},'b':{'url':'@x','after':['s']}}}");
	world_play("+1500 s:200 +500");
	world_assert_fates(graph, "s a=JOB_TIMEOUT");
	ck_assert_uint_eq(world_n_on_wire(), 1);
	world_play("+1499");
	world_assert_fate(graph, "b", "-");
	world_play("+1");
	world_assert_fate(graph, "b", "JOB_TIMEOUT");
	ck_assert_uint_eq(world_n_on_wire(), 0);
	end();

	/* All at one time: nobody is left. */
	begin("{'defaults':{'timeout':2},'jobs':{'a':{'url':'@x'},'b':{'url':'@x'},"
	      "'c':{'url':'@x'}}}");
	world_play("+2000");
	world_assert_fates(graph, "a=JOB_TIMEOUT b=JOB_TIMEOUT c=JOB_TIMEOUT");
	ck_assert(graph->done);
	end();

	begin("{'defaults':{'timeout':2},'jobs':{'a':{'url':'@x'},"
	      "'s':{'url':'@s'},'b':{'url':'@x','after':['s']}}}");
	world_play("+1500 s:200 +500 x:200");
	world_assert_fates(graph, "s a=JOB_TIMEOUT b");
	world_assert_says(graph, "b/via=network b/time/start=1500 b/time/end=2000");
	end();
}
END_TEST

/* A follower whose time began before the flight did: in its first attempt. */
START_TEST(a_follower_s_own_timeout_holds_too)
{
	begin("{'defaults':{'timeout':10,'retry':{'attempts':3,'delay':1,'jitter':'none'}},"
	      "'jobs':{'a':{'url':'@x'},'s':{'url':'@s','timeout':60},"
	      "'b':{'url':'@x','after':['s']}}}");
	world_play("+8000 x:500 +500 s:200 +500");
	/* "b" leads since 8.5 s, "a" follows since 9 s, and has been at it since 0 s. */
	ck_assert_uint_eq(world_n_on_wire(), 1);
	ck_assert_ptr_eq(world_job(graph, "a")->attempt->job, world_job(graph, "b"));
	world_play("+1000");
	world_assert_fates(graph, "s a=JOB_TIMEOUT");
	ck_assert_uint_eq(world_n_on_wire(), 1);
	world_play("x:200");
	world_assert_fates(graph, "s a=JOB_TIMEOUT b");
	end();
}
END_TEST

START_TEST(one_attempt_s_limits_are_everybody_s)
{
	begin("{'defaults':{'attempt_timeout':2},'jobs':{'a':{'url':'@x'},'b':{'url':'@x'}}}");
	world_play("+2000");
	world_assert_fates(graph, "a=ATTEMPT_TIMEOUT b=ATTEMPT_TIMEOUT");
	ck_assert(graph->done);
	end();
	begin("{'jobs':{'a':{'url':'@x'},'b':{'url':'@x'}}}");
	world_play("x:!");
	world_assert_fates(graph, "a=EMPTY_REPLY b=EMPTY_REPLY");
	world_assert_says(graph, "b/reason/sent=full b/attempts=1 b/reason/retryable=true b/via=-");
	end();
}
END_TEST

/* Own rules. */

START_TEST(each_judges_the_response_by_its_own_rules)
{
	static const struct {
		const char *a, *b, *script, *fates;
	} cases[] = {
		{"", ",'ok':404", "x:404", "a=HTTP_STATUS b/dedupe"},
		{",'ok':404", "", "x:404", "a b=HTTP_STATUS"},
		{",'ok':404", "", "x:200", "a=HTTP_STATUS b/dedupe"},
		{"", ",'fallback':1", "x:500", "a=HTTP_STATUS b/fallback"},
		{",'fallback':1", "", "x:500", "a/fallback b=HTTP_STATUS"},
		{"", ",'retry':{'attempts':2,'delay':1,'jitter':'none'}", "x:500 +1000 x:200",
			"a=HTTP_STATUS b"},
		{",'retry':{'attempts':2,'delay':1,'jitter':'none'}", "", "x:500 +1000 x:200",
			"b=HTTP_STATUS a"},
		/* Both again, and together. */
		{",'retry':{'attempts':2,'delay':1,'jitter':'none'}",
			",'retry':{'attempts':2,'delay':1,'jitter':'none'}", "x:500 +1000 x:200",
			"a b/dedupe"},
		/* Whether it is tried again, too: one lets pass what another repeats. */
		{",'retry':{'attempts':2,'delay':1,'jitter':'none'}", ",'ok':503",
			"x:503 +1000 x:200", "b/dedupe a"},
		{",'ok':503", ",'retry':{'attempts':2,'delay':1,'jitter':'none'}",
			"x:503 +1000 x:200", "a b"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[400];

		snprintf(document, sizeof(document),
			"{'jobs':{'a':{'url':'@x'%s},'b':{'url':'@x'%s}}}", cases[i].a, cases[i].b);
		begin(document);
		world_play(cases[i].script);
		world_assert_fates(graph, cases[i].fates);
		ck_assert(graph->done);
		end();
	}
}
END_TEST

START_TEST(what_is_omitted_for_one_is_shown_to_the_other)
{
	begin("{'jobs':{'a':{'url':'@x','omit':true},'b':{'url':'@x'},'d':{'url':'@{{a}}'}}}");
	world_play("x:200=hi");
	world_assert_body(graph, "a", NULL);
	world_assert_body(graph, "b", "hi");
	world_play("hi:200");
	end();
	begin("{'jobs':{'a':{'url':'@x'},'b':{'url':'@x','omit':true}}}");
	graph->takes_bodies = true;
	world_play("x:200=hi");
	world_assert_body(graph, "a", "hi");
	world_assert_body(graph, "b", NULL);
	end();
}
END_TEST

/* The answer is there for all; the first one's settling decides, and nobody settles twice. */
START_TEST(the_first_of_a_flight_may_decide_for_all)
{
	static const struct {
		const char *document, *script, *decider;
	} cases[] = {
		{"{'mode':'any','jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@c'}}}",
			"x:200", "/winner"},
		{"{'mode':'race','jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@c'}}}",
			"x:200", "/winner"},
		{"{'mode':'all','jobs':{'a':{'url':'@x'},'b':{'url':'@x'},'c':{'url':'@c'}}}",
			"x:500", "/reason/job"},
		{"{'mode':'all','jobs':{'a':{'url':'@x'},'b':{'url':'@x','retry':3},"
		 "'c':{'url':'@c'}}}",
			"x:500", "/reason/job"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].document);
		world_play(cases[i].script);
		ck_assert(graph->done);
		world_assert_done(graph, cases[i].decider, "a");
		world_assert_fate(graph, "c", "CANCELLED");
		ck_assert_uint_eq(graph->n_records, 3);
		end();
	}
}
END_TEST

START_TEST(very_many_share_one_flight)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'jobs':[");
	for (int i = 0; i < 5000; i++)
		buffer_printf(&out, "%s{'id':'j%d','url':'@x'}", i ? "," : "", i);
	buffer_append(&out, "]}", sizeof("]}"));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	world_start(graph, out.data);
	buffer_deinit(&out);
	fake_run();
	world_assert_on_wire("/x");
	world_play("x:200");
	ck_assert(graph->done);
	world_assert_done(graph, "/fulfilled", "5000");
	end();
}
END_TEST

UNIT_MAIN("job/flight", &who_asks_for_the_same_shares_the_flight, &what_makes_two_requests_the_same,
	&bodies_of_descriptors_are_not_compared, &only_jobs_of_the_same_graph_share,
	&nothing_that_has_settled_is_shared, &who_comes_late_joins_too, &who_follows_needs_no_place,
	&a_leader_that_goes_hands_the_flight_over, &a_follower_that_goes_leaves_the_flight_alone,
	&the_last_one_that_goes_ends_it_on_the_wire, &a_flight_outlives_the_group_of_its_leader,
	&the_leader_s_timeout_is_the_leader_s_alone, &a_follower_s_own_timeout_holds_too,
	&one_attempt_s_limits_are_everybody_s, &each_judges_the_response_by_its_own_rules,
	&what_is_omitted_for_one_is_shown_to_the_other, &the_first_of_a_flight_may_decide_for_all,
	&very_many_share_one_flight)
