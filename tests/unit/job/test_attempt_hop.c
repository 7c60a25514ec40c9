/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/trail.h"
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

/* Answers the request for that target by a redirect. */
static void redirect(const char *target, const char *status, const char *location)
{
	char response[400];
	int size = snprintf(response, sizeof(response),
		"HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 2\r\n\r\nno", status, location);

	world_answer_bytes(target, response, (size_t)size);
}

START_TEST(a_redirect_is_followed_and_told)
{
	begin("{'jobs':{'a':{'url':'@a'}}}");
	redirect("/a", "302 Found", "/b");
	redirect("/b", "307 Temporary Redirect", "http://192.0.2.1/c?x");
	world_answer("/c?x", "200 OK", "there");
	world_assert_fates(graph, "a");
	world_assert_body(graph, "a", "there");
	world_assert(graph, "a", "/attempts", "1");
	world_assert(graph, "a", "/value/url", "http://192.0.2.1/c?x");
	world_assert(graph, "a", "/value/redirects", "2");
	world_assert(graph, "a", "/value/hops",
		"[{\"status\":302,\"url\":\"http://192.0.2.1/a\"},"
		"{\"status\":307,\"url\":\"http://192.0.2.1/b\"}]");
	/* Clean answers: one connection did. */
	ck_assert_uint_eq(ring_counters(world.ring)->connects, 1);
	end();
}
END_TEST

/* Who has begun ends before others begin: what is known of the way there is kept for few. */
START_TEST(an_attempt_goes_on_before_others_begin)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	world_assert_on_wire("/a");
	fake_pass(NS_PER_MS);
	redirect("/a", "302 Found", "/a2");
	world_assert_on_wire("/a2");
	fake_pass(NS_PER_MS);
	redirect("/a2", "302 Found", "/a3");
	world_assert_on_wire("/a3");
	world_answer("/a3", "200 OK", "");
	world_assert_on_wire("/b");
	end();
}
END_TEST

START_TEST(how_it_may_end)
{
	static const struct {
		const char *document, *location, *fate;
	} cases[] = {
		{"{'jobs':{'a':{'url':'@a','redirects':0}}}", "/b", "fulfilled"},
		{"{'jobs':{'a':{'url':'@a','redirects':0,'ok':200}}}", "/b", "HTTP_STATUS"},
		{"{'jobs':{'a':{'url':'@a'}}}", "gopher://h/", "REDIRECT_BLOCKED"},
		{"{'jobs':{'a':{'url':'@a'}}}", "http://h:0/", "REDIRECT_INVALID"},
		{"{'jobs':{'a':{'url':'@a','retry':3}}}", "gopher://h/", "REDIRECT_BLOCKED"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].document);
		redirect("/a", "302 Found", cases[i].location);
		world_assert_fate(graph, "a", cases[i].fate);
		if (strncmp(cases[i].fate, "REDIRECT", 8) == 0)
			world_assert(graph, "a", "/reason/response/status", "302");
		end();
	}
}
END_TEST

START_TEST(no_more_than_allowed)
{
	begin("{'jobs':{'a':{'url':'@a','redirects':2}}}");
	redirect("/a", "302 Found", "/b");
	redirect("/b", "302 Found", "/a");
	redirect("/a", "302 Found", "/b");
	world_assert_fate(graph, "a", "REDIRECT_LIMIT");
	world_assert(graph, "a", "/reason/sent", "full");
	world_assert(graph, "a", "/reason/response/redirects", "2");
	end();
}
END_TEST

/* There is no response, but those who sent it there are named. */
START_TEST(what_fails_behind_a_redirect_tells_the_way)
{
	begin("{'jobs':{'a':{'url':'@a'}}}");
	redirect("/a", "302 Found", "/b");
	fake_holds.connects = true;
	redirect("/b", "302 Found", "http://192.0.2.9/c");
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	fake_holds.connects = false;
	fake_run();
	world_assert_fate(graph, "a", "CONNECT_REFUSED");
	world_assert(graph, "a", "/reason/response", "-");
	/* Those before have had it. */
	world_assert(graph, "a", "/reason/sent", "full");
	world_assert(graph, "a", "/attempts", "1");
	world_assert(graph, "a", "/reason/redirects", "2");
	world_assert(graph, "a", "/reason/hops",
		"[{\"status\":302,\"url\":\"http://192.0.2.1/a\"},"
		"{\"status\":302,\"url\":\"http://192.0.2.1/b\"}]");
	end();
}
END_TEST

/* Its place is another's who comes first, and then it waits for the next one. */
START_TEST(hops_compete_for_places)
{
	begin("{'concurrency':2,'jobs':{'a':{'url':'@a'},'s':{'url':'@s'},"
	      "'b':{'url':'@b','after':['s'],'priority':9},"
	      "'c':{'url':'@c','after':['s'],'priority':8}}}");
	world_assert_on_wire("/s /a");
	world_play("s:200");
	world_assert_on_wire("/b /a");
	redirect("/a", "302 Found", "/a2");
	world_assert_on_wire("/b /c");
	world_play("b:200");
	world_assert_on_wire("/a2 /c");
	world_play("a2:200 c:200");
	world_assert_fates(graph, "s b a c");
	end();
}
END_TEST

START_TEST(all_hops_have_one_attempt_s_time)
{
	begin("{'jobs':{'a':{'url':'@a','attempt_timeout':'100ms'}}}");
	fake_pass(60 * NS_PER_MS);
	redirect("/a", "302 Found", "/b");
	fake_pass(39 * NS_PER_MS);
	world_assert_fate(graph, "a", "-");
	fake_pass(2 * NS_PER_MS);
	world_assert_fate(graph, "a", "ATTEMPT_TIMEOUT");
	end();
}
END_TEST

START_TEST(an_attempt_begins_anew_where_it_began)
{
	begin("{'jobs':{'a':{'url':'@a','retry':{'attempts':2,'delay':'10ms','jitter':'none'}}}}");
	redirect("/a", "302 Found", "/b");
	world_answer("/b", "503 Service Unavailable", "");
	fake_pass(20 * NS_PER_MS);
	world_assert_on_wire("/a");
	redirect("/a", "302 Found", "/b");
	world_answer("/b", "200 OK", "");
	world_assert_fates(graph, "a");
	world_assert(graph, "a", "/attempts", "2");
	world_assert(graph, "a", "/value/redirects", "1");
	end();
}
END_TEST

/* What a redirect has made of it is the hop's, and not the job's. */
START_TEST(what_is_repeated_is_the_first_request)
{
	static const struct {
		const char *keys, *status;
		/* The beginning of the second attempt's request; NULL: there is none. */
		const char *again;
	} cases[] = {
		{"'method':'POST','body':'x'", "303 See Other", NULL},
		{"'method':'POST','body':'x'", "302 Found", NULL},
		{"'method':'POST','body':'x'", "307 Temporary Redirect", NULL},
		{"'method':'POST','body':'x','headers':{'idempotency-key':1}", "303 See Other",
			"POST /a "},
		{"'method':'PUT','body':'x'", "303 See Other", "PUT /a "},
		{"'method':'GET'", "303 See Other", "GET /a "},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[300];

		snprintf(document, sizeof(document),
			"{'jobs':{'a':{'url':'@a',%s,'retry':{'attempts':2,'delay':'1ms',"
			"'jitter':'none'}}}}",
			cases[i].keys);
		begin(document);
		redirect("/a", cases[i].status, "/b");
		world_answer("/b", "503 Service Unavailable", "");
		if (cases[i].again) {
			world_assert_fate(graph, "a", "-");
			fake_pass(2 * NS_PER_MS);
			ck_assert(text_starts_with(world_request("/a"), text_from(cases[i].again)));
		} else {
			world_assert_fate(graph, "a", "HTTP_STATUS");
			world_assert(graph, "a", "/attempts", "1");
			world_assert(graph, "a", "/reason/stopped", "not_idempotent");
		}
		end();
	}
}
END_TEST

/* A hop that is never sent does not undo what was done before it. */
START_TEST(what_a_hop_before_had_is_not_repeated)
{
	begin("{'jobs':{'a':{'url':'@a','method':'POST','body':'x','retry':{'attempts':2,"
	      "'on':['network']}}}}");
	fake_holds.connects = true;
	redirect("/a", "307 Temporary Redirect", "http://192.0.2.9/b");
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	fake_holds.connects = false;
	fake_run();
	world_assert_fate(graph, "a", "CONNECT_REFUSED");
	world_assert_says(graph, "a/attempts=1 a/reason/sent=full a/reason/stopped=not_idempotent");
	end();
}
END_TEST

START_TEST(tries_are_attempts_from_their_first_request_to_their_last)
{
	begin("{'jobs':{'a':{'url':'@a','retry':{'attempts':2,'delay':'10ms','jitter':'none'}}}}");
	fake_pass(3 * NS_PER_MS);
	redirect("/a", "302 Found", "/b");
	fake_pass(4 * NS_PER_MS);
	world_answer("/b", "503 Service Unavailable", "");
	fake_pass(10 * NS_PER_MS);
	redirect("/a", "302 Found", "/b");
	fake_pass(NS_PER_MS);
	redirect("/b", "302 Found", "/c");
	fake_pass(NS_PER_MS);
	world_answer("/c", "200 OK", "");
	world_assert_says(graph,
		"a/attempts=2 a/value/redirects=2 "
		"a/tries/0/code=HTTP_STATUS a/tries/0/status=503 a/tries/0/backoff=10 "
		"a/tries/0/time/start=0 a/tries/0/time/queue=0 a/tries/0/time/end=7 "
		"a/tries/1/status=200 "
		"a/tries/1/time/start=17 a/tries/1/time/queue=0 a/tries/1/time/end=19");
	end();
}
END_TEST

/* While a hop of its second attempt waits for its place. */
START_TEST(an_attempt_that_ends_between_two_hops_is_one)
{
	begin("{'concurrency':2,'jobs':{'a':{'url':'@a',"
	      "'retry':{'attempts':2,'delay':'1ms','jitter':'none'}},'s':{'url':'@s'},"
	      "'b':{'url':'@b','after':['s'],'priority':9},"
	      "'c':{'url':'@c','after':['s'],'priority':8}}}");
	world_answer("/a", "503 Service Unavailable", "");
	fake_pass(NS_PER_MS);
	world_assert_on_wire("/s /a");
	fake_pass(NS_PER_MS);
	world_play("s:200");
	redirect("/a", "302 Found", "/a2");
	world_assert_on_wire("/b /c");
	fake_pass(5 * NS_PER_MS);
	ck_assert(graph_cancel_job(graph->graph, TEXT("a")));
	fake_run();
	world_assert_fate(graph, "a", "CANCELLED");
	world_assert_says(graph,
		"a/attempts=2 a/reason/sent=full a/tries/0/status=503 a/tries/1/code=CANCELLED "
		"a/tries/1/time/start=1 a/tries/1/time/queue=0 a/tries/1/time/end=7");
	end();
}
END_TEST

START_TEST(who_shares_a_flight_follows_for_itself)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@a'}}}");
	world_assert_on_wire("/a");
	redirect("/a", "302 Found", "/b");
	/* And they share the next one. */
	world_assert_on_wire("/b");
	world_answer("/b", "200 OK", "x");
	world_assert_fates(graph, "a b/dedupe");
	world_assert(graph, "b", "/value/redirects", "1");
	world_assert_body(graph, "b", "x");
	end();
}
END_TEST

START_TEST(a_cancel_ends_it_wherever_it_is)
{
	/* On the wire to the second place; and waiting for a place there. */
	static const char *const documents[] = {
		"{'jobs':{'a':{'url':'@a'}}}",
		"{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		begin(documents[i]);
		redirect("/a", "302 Found", "/c");
		graph_cancel(graph->graph, RECORD_BY_CLIENT);
		fake_run();
		world_assert_fate(graph, "a", "CANCELLED");
		world_assert(graph, "a", "/attempts", "1");
		world_assert(graph, "a", "/reason/sent", "full");
		end();
	}
}
END_TEST

START_TEST(a_long_body_of_a_redirect_is_not_waited_for)
{
	static char body[65537];
	char head[] = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 1000000\r\n\r\n";
	int fd;

	begin("{'jobs':{'a':{'url':'@a','max_body':10}}}");
	fd = world_fd("/a");
	world_answer_bytes("/a", head, sizeof(head) - 1);
	world_assert_fate(graph, "a", "-");
	fake_receive_bytes(fd, body, sizeof(body));
	fake_run();
	ck_assert(!fake_is_open(fd));
	world_answer("/b", "200 OK", "x");
	world_assert_fates(graph, "a");
	end();
}
END_TEST

/* Two places: "a" gives its own back, and those who come first have both for as long as they like.
 * It has had 60 ms. */
static void begin_waiting_hop(const char *members)
{
	char document[600];

	snprintf(document, sizeof(document),
		"{'concurrency':2,'jobs':{'a':{'url':'@a',%s},'s':{'url':'@s'},"
		"'b':{'url':'@b','after':['s'],'priority':9},"
		"'c':{'url':'@c','after':['s'],'priority':8}}}",
		members);
	begin(document);
	fake_pass(60 * NS_PER_MS);
	world_answer("/s", "200 OK", "");
	redirect("/a", "302 Found", "/a2");
	world_assert_on_wire("/b /c");
}

START_TEST(the_wait_for_a_place_has_one_limit)
{
	static const struct {
		const char *members, *code;
		uint64_t ms;
	} cases[] = {
		{"'attempt_timeout':'100ms'", "ATTEMPT_TIMEOUT", 100},
		{"'attempt_timeout':'100ms','timeout':'101ms'", "ATTEMPT_TIMEOUT", 100},
		{"'attempt_timeout':'100ms','timeout':'100ms'", "JOB_TIMEOUT", 100},
		{"'attempt_timeout':'100ms','timeout':'99ms'", "JOB_TIMEOUT", 99},
		{"'attempt_timeout':'100ms','queue_timeout':'10ms'", "ATTEMPT_TIMEOUT", 100},
		/* By default. */
		{"'optional':false", "ATTEMPT_TIMEOUT", 30000},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin_waiting_hop(cases[i].members);
		fake_pass((cases[i].ms - 60) * NS_PER_MS - 1);
		world_assert_fate(graph, "a", "-");
		fake_pass(1);
		world_assert_fate(graph, "a", cases[i].code);
		world_assert_says(graph, "a/attempts=1 a/reason/sent=full a/reason/redirects=1 "
					 "a/reason/retryable=true a/time/queue=0");
		/* It takes no place when there is one. */
		world_play("b:200 c:200");
		world_assert_fate(graph, "c", "fulfilled");
		world_assert_on_wire("");
		end();
	}
}
END_TEST

START_TEST(an_attempt_whose_time_is_up_in_its_wait_is_tried_again)
{
	begin_waiting_hop("'attempt_timeout':'100ms',"
			  "'retry':{'attempts':2,'delay':'10ms','jitter':'none'}");
	fake_pass(40 * NS_PER_MS);
	world_assert_fate(graph, "a", "-");
	fake_pass(10 * NS_PER_MS);
	/* Not before there is a place, and then from the beginning. */
	world_assert_on_wire("/b /c");
	fake_pass(500 * NS_PER_MS);
	world_play("b:200 a:200 c:200");
	world_assert_fate(graph, "a", "fulfilled");
	world_assert_says(graph, "a/attempts=2 a/value/redirects=0 "
				 "a/tries/0/code=ATTEMPT_TIMEOUT a/tries/0/time/start=0 "
				 "a/tries/0/time/queue=0 a/tries/0/time/end=100 "
				 "a/tries/0/backoff=10 a/tries/1/time/start=110 "
				 "a/tries/1/time/queue=500 a/tries/1/time/end=610");
	ck_assert_uint_eq(world.scheduler.counters.retries, 1);
	/* Without its waits: 60 and 10 of "a", 60 of "s", 550 of "b" and of "c". */
	world_assert_done(graph, "/sum_ms", "1230");
	end();
}
END_TEST

START_TEST(why_it_is_not_tried_again)
{
	static const struct {
		const char *members, *stopped;
	} cases[] = {
		{"'retry':{'attempts':2,'on':['network']}", "policy"},
		{"'retry':{'attempts':2,'delay':'10s','jitter':'none'},'timeout':'5s'", "deadline"},
		{"'retry':2,'method':'POST'", "not_idempotent"},
		{"'retry':1", "-"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char members[200];

		snprintf(
			members, sizeof(members), "'attempt_timeout':'100ms',%s", cases[i].members);
		begin_waiting_hop(members);
		fake_pass(40 * NS_PER_MS);
		world_assert_fate(graph, "a", "ATTEMPT_TIMEOUT");
		world_assert(graph, "a", "/reason/stopped", cases[i].stopped);
		end();
	}
}
END_TEST

/* The second one, too: both tries are told. */
START_TEST(each_attempt_s_wait_is_told)
{
	begin_waiting_hop("'attempt_timeout':'100ms',"
			  "'retry':{'attempts':2,'delay':'10ms','jitter':'none'}");
	fake_pass(50 * NS_PER_MS);
	world_play("b:200");
	redirect("/a", "302 Found", "/a2");
	world_assert_on_wire("/a2 /c");
	fake_pass(100 * NS_PER_MS);
	world_assert_fate(graph, "a", "ATTEMPT_TIMEOUT");
	world_assert_says(graph, "a/attempts=2 a/reason/stopped=attempts a/tries/0/time/end=100 "
				 "a/tries/1/time/start=110 a/tries/1/time/end=210");
	end();
}
END_TEST

/* And a fallback is what it is for any rejection. */
START_TEST(a_fallback_covers_what_waited_too_long)
{
	begin_waiting_hop("'attempt_timeout':'100ms','fallback':7");
	fake_pass(40 * NS_PER_MS);
	world_assert_fates(graph, "s a/fallback");
	end();
}
END_TEST

/* "a" has had 60 ms when it comes where "b" has been for 10. */
static void begin_shared_hop(void)
{
	begin("{'jobs':{'a':{'url':'@a','attempt_timeout':'100ms'},'s':{'url':'@s'},"
	      "'b':{'url':'@x','after':['s'],'attempt_timeout':'100ms'}}}");
	fake_pass(50 * NS_PER_MS);
	world_answer("/s", "200 OK", "");
	fake_pass(10 * NS_PER_MS);
	redirect("/a", "302 Found", "/x");
	world_assert_on_wire("/x");
}

START_TEST(who_joins_a_later_flight_has_no_more_time)
{
	begin_shared_hop();
	fake_pass(40 * NS_PER_MS);
	world_assert_fate(graph, "a", "ATTEMPT_TIMEOUT");
	world_assert_fate(graph, "b", "-");
	world_answer("/x", "200 OK", "");
	world_assert_fate(graph, "b", "fulfilled");
	end();
}
END_TEST

START_TEST(who_takes_over_a_later_flight_has_no_more_time)
{
	begin_shared_hop();
	graph_cancel_job(graph->graph, TEXT("b"));
	fake_run();
	world_assert_fate(graph, "b", "CANCELLED");
	world_assert_on_wire("/x");
	fake_pass(39 * NS_PER_MS);
	world_assert_fate(graph, "a", "-");
	fake_pass(NS_PER_MS);
	world_assert_fate(graph, "a", "ATTEMPT_TIMEOUT");
	world_assert_on_wire("");
	end();
}
END_TEST

START_TEST(who_joins_a_flight_late_begins_its_attempt_then)
{
	static const char retry[] = "'retry':{'attempts':2,'delay':'10ms','jitter':'none'}";
	char document[400];

	snprintf(document, sizeof(document),
		"{'jobs':{'a':{'url':'@a',%s},'s':{'url':'@s'},"
		"'b':{'url':'@a','after':['s'],%s}}}",
		retry, retry);
	begin(document);
	fake_pass(50 * NS_PER_MS);
	world_answer("/s", "200 OK", "");
	world_assert_on_wire("/a");
	fake_pass(10 * NS_PER_MS);
	redirect("/a", "302 Found", "/x");
	world_answer("/x", "503 Service Unavailable", "");
	fake_pass(10 * NS_PER_MS);
	world_answer("/a", "200 OK", "");
	world_assert_fates(graph, "s a b/dedupe");
	world_assert_says(graph, "b/tries/0/time/start=50 b/tries/0/time/queue=0 "
				 "b/tries/0/time/end=60 b/tries/1/time/start=70");
	end();
}
END_TEST

UNIT_MAIN("job/attempt_hop", &a_redirect_is_followed_and_told,
	&an_attempt_goes_on_before_others_begin, &how_it_may_end, &no_more_than_allowed,
	&what_fails_behind_a_redirect_tells_the_way, &hops_compete_for_places,
	&all_hops_have_one_attempt_s_time, &an_attempt_begins_anew_where_it_began,
	&who_shares_a_flight_follows_for_itself, &a_cancel_ends_it_wherever_it_is,
	&a_long_body_of_a_redirect_is_not_waited_for, &the_wait_for_a_place_has_one_limit,
	&an_attempt_whose_time_is_up_in_its_wait_is_tried_again, &why_it_is_not_tried_again,
	&each_attempt_s_wait_is_told, &a_fallback_covers_what_waited_too_long,
	&who_joins_a_later_flight_has_no_more_time, &who_takes_over_a_later_flight_has_no_more_time,
	&who_joins_a_flight_late_begins_its_attempt_then, &what_is_repeated_is_the_first_request,
	&what_a_hop_before_had_is_not_repeated,
	&tries_are_attempts_from_their_first_request_to_their_last,
	&an_attempt_that_ends_between_two_hops_is_one)
