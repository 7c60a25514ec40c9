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

UNIT_MAIN("job/attempt_hop", &a_redirect_is_followed_and_told,
	&an_attempt_goes_on_before_others_begin, &how_it_may_end, &no_more_than_allowed,
	&what_fails_behind_a_redirect_tells_the_way, &hops_compete_for_places,
	&all_hops_have_one_attempt_s_time, &an_attempt_begins_anew_where_it_began,
	&who_shares_a_flight_follows_for_itself, &a_cancel_ends_it_wherever_it_is,
	&a_long_body_of_a_redirect_is_not_waited_for)
