/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

static void end(void)
{
	world_give_up(graph);
	world_end();
}

START_TEST(a_response_is_told_with_all_that_is_known_of_it)
{
	world_begin();
	fake_holds.connects = true;
	graph = world_submit("{'jobs':{'a':{'url':'http://a.example/x'}}}");
	fake_pass(2 * NS_PER_MS);
	fake_lookup_answer("a.example", "192.0.2.7");
	fake_pass(3 * NS_PER_MS);
	fake_complete(FAKE_CONNECT, FAKE_FD_FIRST, 0);
	fake_run();
	fake_pass(4 * NS_PER_MS);
	fake_receive(world_fd("/x"), "HTTP/1.0 201 Made\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhe");
	fake_pass(5 * NS_PER_MS);
	fake_receive(world_fd("/x"), "llo");
	world_assert(graph, "a", "/status", "fulfilled");
	world_assert(graph, "a", "/via", "network");
	world_assert(graph, "a", "/attempts", "1");
	world_assert(graph, "a", "/value/status", "201");
	world_assert(graph, "a", "/value/version", "1.0");
	world_assert(graph, "a", "/value/url", "http://a.example/x");
	world_assert(graph, "a", "/value/headers", "{\"content-length\":\"5\",\"x-a\":\"1\"}");
	world_assert(graph, "a", "/value/bytes", "5");
	world_assert(graph, "a", "/conn/remote", "192.0.2.7:80");
	world_assert(graph, "a", "/conn/reused", "false");
	world_assert(graph, "a", "/time",
		"{\"start\":0,\"queue\":0,\"dns\":2,\"connect\":3,\"tls\":0,\"first_byte\":4,"
		"\"body\":5,\"end\":14}");
	world_assert_body(graph, "a", "hello");
	end();
}
END_TEST

START_TEST(a_reused_connection_has_no_dial_s_times)
{
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	fake_pass(NS_PER_MS);
	world_answer("/a", "200 OK", "");
	fake_pass(7 * NS_PER_MS);
	world_answer("/b", "200 OK", "");
	world_assert(graph, "b", "/conn/reused", "true");
	world_assert(graph, "b", "/time/start", "1");
	world_assert(graph, "b", "/time/dns", "0");
	world_assert(graph, "b", "/time/connect", "0");
	world_assert(graph, "b", "/time/first_byte", "7");
	ck_assert_uint_eq(ring_counters(world.ring)->connects, 1);
	end();
}
END_TEST

/* What a job's request looks like when its connection is given back, or not. */
START_TEST(a_connection_is_kept_only_where_it_is_clean)
{
	static const struct {
		const char *response;
		bool is_kept;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true},
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", true},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", false},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
		{"garbage\r\n", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		world_begin();
		graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
		world_answer_bytes("/a", cases[i].response, strlen(cases[i].response));
		ck_assert_ptr_nonnull(graph->done);
		ck_assert_msg(pool_counters(world.pool).n_idle == cases[i].is_kept, "%s",
			cases[i].response);
		ck_assert_msg(pool_counters(world.pool).n_conns == cases[i].is_kept, "%s",
			cases[i].response);
		end();
	}
}
END_TEST

START_TEST(an_answer_before_the_request_is_sent_counts_and_closes)
{
	world_begin();
	fake_holds.sends = true;
	graph = world_submit("{'jobs':{'a':{'url':'@a','body':'x','ok':413}}}");
	fake_complete(FAKE_SEND, FAKE_FD_FIRST, 10);
	fake_receive(FAKE_FD_FIRST, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	world_assert_fate(graph, "a", "fulfilled");
	fake_run();
	ck_assert(!fake_is_open(FAKE_FD_FIRST));
	end();
}
END_TEST

START_TEST(whether_the_peer_may_have_acted)
{
	static const struct {
		const char *what;
		/* How far it came: connected, some bytes taken, all, a byte of the answer. */
		int steps;
		const char *sent, *attempts;
	} cases[] = {
		{"not connected", 0, "none", "1"},
		{"given to the kernel", 1, "partial", "1"},
		{"some bytes", 2, "partial", "1"},
		{"all bytes", 3, "full", "1"},
		{"answered early", 4, "full", "1"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd = FAKE_FD_FIRST;

		world_begin();
		fake_holds.connects = true;
		fake_holds.sends = true;
		graph = world_submit("{'jobs':{'a':{'url':'@a','timeout':1}}}");
		if (cases[i].steps >= 1)
			fake_complete(FAKE_CONNECT, fd, 0);
		if (cases[i].steps >= 2)
			fake_complete(FAKE_SEND, fd, 3);
		if (cases[i].steps == 3)
			fake_complete(FAKE_SEND, fd, (int)fake_find(FAKE_SEND, fd)->size);
		if (cases[i].steps == 4)
			fake_receive(fd, "H");
		fake_pass(NS_PER_S);
		world_assert(graph, "a", "/reason/code", "JOB_TIMEOUT");
		world_assert(graph, "a", "/reason/sent", cases[i].sent);
		world_assert(graph, "a", "/attempts", cases[i].attempts);
		end();
	}
}
END_TEST

START_TEST(a_status_that_is_not_ok_rejects_with_its_response)
{
	static const struct {
		const char *ok, *status, *fate, *retryable;
	} cases[] = {
		{"'200-399'", "200 OK", "fulfilled", NULL},
		{"'200-399'", "304 Not Modified", "fulfilled", NULL},
		{"'200-399'", "400 Bad Request", "HTTP_STATUS", "false"},
		{"'200-399'", "408 Request Timeout", "HTTP_STATUS", "true"},
		{"'200-399'", "425 Too Early", "HTTP_STATUS", "true"},
		{"'200-399'", "429 Too Many Requests", "HTTP_STATUS", "true"},
		{"'200-399'", "500 Internal Server Error", "HTTP_STATUS", "true"},
		{"'200-399'", "501 Not Implemented", "HTTP_STATUS", "false"},
		{"'200-399'", "502 Bad Gateway", "HTTP_STATUS", "true"},
		{"'200-399'", "503 Service Unavailable", "HTTP_STATUS", "true"},
		{"'200-399'", "504 Gateway Timeout", "HTTP_STATUS", "true"},
		{"'200-399'", "599 Odd", "HTTP_STATUS", "false"},
		{"404", "404 Not Found", "fulfilled", NULL},
		{"404", "200 OK", "HTTP_STATUS", "false"},
		{"'200-299,404'", "404 Not Found", "fulfilled", NULL},
		{"'200-299,404'", "403 Forbidden", "HTTP_STATUS", "false"},
		{"[200,'500-503']", "503 Service Unavailable", "fulfilled", NULL},
		{"[200,'500-503']", "504 Gateway Timeout", "HTTP_STATUS", "true"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[128];

		world_begin();
		snprintf(document, sizeof(document), "{'jobs':{'a':{'url':'@a','ok':%s}}}",
			cases[i].ok);
		graph = world_submit(document);
		world_answer("/a", cases[i].status, "");
		world_assert_fate(graph, "a", cases[i].fate);
		if (cases[i].retryable) {
			world_assert(graph, "a", "/reason/retryable", cases[i].retryable);
			world_assert(graph, "a", "/reason/message", cases[i].status);
			world_assert(graph, "a", "/reason/sent", "full");
		}
		end();
	}
}
END_TEST

START_TEST(a_rejecting_response_has_its_body)
{
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	world_answer("/a", "503 Service Unavailable", "sorry");
	world_assert(graph, "a", "/reason/response/status", "503");
	world_assert(graph, "a", "/reason/response/bytes", "5");
	world_assert(graph, "a", "/reason/response/headers/content-length", "5");
	world_assert(graph, "a", "/value", "-");
	world_assert_body(graph, "a", "sorry");
	end();
}
END_TEST

START_TEST(bodies_are_shown_as_asked_for)
{
	static const struct {
		const char *members, *body;
		const char *bytes;
	} cases[] = {
		{"", "hello", "5"},
		{",'output':'inline'", "hello", "5"},
		{",'output':'discard'", NULL, "5"},
		{",'omit':true", NULL, "5"},
		{",'method':'HEAD'", "", "0"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[128];

		world_begin();
		snprintf(document, sizeof(document), "{'jobs':{'a':{'url':'@a'%s}}}",
			cases[i].members);
		graph = world_submit(document);
		if (strstr(cases[i].members, "HEAD"))
			world_answer_bytes(
				"/a", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 38);
		else
			world_answer("/a", "200 OK", "hello");
		world_assert_body(graph, "a", cases[i].body);
		world_assert(graph, "a", "/value/bytes", cases[i].bytes);
		end();
	}
}
END_TEST

START_TEST(a_body_may_be_taken_with_its_memory)
{
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->takes_bodies = true;
	world_start(graph, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	fake_run();
	world_answer("/a", "200 OK", "first");
	/* The attempt's next body does not write into it. */
	world_answer("/b", "200 OK", "other");
	world_assert_body(graph, "a", "first");
	world_assert_body(graph, "b", "other");
	end();
}
END_TEST

START_TEST(bodies_are_bounded)
{
	struct scheduler_options options = world_options();

	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a','max_body':4},'b':{'url':'@b',"
			     "'max_body':5},'c':{'url':'@c','max_body':4,'output':'discard'}}}");
	world_answer("/a", "200 OK", "hello");
	world_answer("/b", "200 OK", "hello");
	world_answer("/c", "200 OK", "hello");
	world_assert_fate(graph, "a", "BODY_TOO_LARGE");
	world_assert_fate(graph, "b", "fulfilled");
	world_assert_fate(graph, "c", "BODY_TOO_LARGE");
	world_assert_body(graph, "a", NULL);
	end();

	/* Of all jobs together. */
	options.body_bytes_max = 8;
	world_begin_with(&options, BOUND_NONE);
	graph = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	fake_receive(world_fd("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
	ck_assert_uint_eq(world.scheduler.body_bytes, 5);
	world_answer("/b", "200 OK", "hello");
	world_assert_fate(graph, "b", "OVERLOADED");
	fake_receive(world_fd("/a"), "!");
	world_assert_fate(graph, "a", "fulfilled");
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	world_answer("/c", "200 OK", "hello");
	world_assert_fate(graph, "c", "fulfilled");
	end();
}
END_TEST

START_TEST(a_long_body_is_received_in_large_pieces)
{
	size_t size = 200 * 1024;
	char *body = malloc(size);
	int fd;

	memset(body, 'x', size);
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 204800\r\n\r\n");
	fake_run();
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_LARGE);
	fake_receive_bytes(fd, body, size);
	fake_run();
	world_assert(graph, "a", "/value/bytes", "204800");
	/* The connection is as good as any. */
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_MULTISHOT);
	end();
	free(body);
}
END_TEST

START_TEST(a_long_body_that_nobody_wants_is_dropped)
{
	int fd;

	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a','output':'discard'}}}");
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello");
	fake_run();
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_DROP);
	ck_assert_uint_eq(fake_find(FAKE_RECEIVE, fd)->size, 99995);
	fake_complete(FAKE_RECEIVE, fd, 99995);
	fake_run();
	world_assert(graph, "a", "/value/bytes", "100000");
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	end();
}
END_TEST

START_TEST(a_slot_is_free_when_the_wire_is)
{
	int fd;

	world_begin();
	graph = world_submit("{'concurrency':1,'jobs':{'a':{'url':'@a','timeout':1},"
			     "'b':{'url':'@b'}}}");
	fd = world_fd("/a");
	fake_holds.cancels = true;
	fake_pass(NS_PER_S);
	world_assert_fate(graph, "a", "JOB_TIMEOUT");
	fake_pass(NS_PER_S);
	ck_assert_int_eq(world_find("/b"), -1);
	fake_complete(FAKE_RECEIVE, fd, -ECANCELED);
	fake_holds.closes = true;
	fake_run();
	ck_assert_int_eq(world_find("/b"), -1);
	fake_complete(FAKE_CLOSE, fd, 0);
	fake_run();
	ck_assert_int_ge(world_find("/b"), 0);
	end();
}
END_TEST

START_TEST(an_answer_that_comes_while_the_wire_is_cleared_changes_nothing)
{
	int fd;

	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a','timeout':1}}}");
	fd = world_fd("/a");
	fake_holds.cancels = true;
	fake_pass(NS_PER_S);
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fake_run();
	ck_assert_uint_eq(graph->n_records, 1);
	ck_assert_ptr_null(graph->done);
	end();
}
END_TEST

START_TEST(connection_faults_are_the_job_s)
{
	static const struct {
		int connect, send, receive;
		const char *code, *sent;
	} cases[] = {
		{-ECONNREFUSED, 0, 0, "CONNECT_REFUSED", "none"},
		{-EHOSTUNREACH, 0, 0, "CONNECT_UNREACHABLE", "none"},
		{0, -ETIMEDOUT, 0, "SEND_FAILED", "partial"},
		{0, 0, 0, "EMPTY_REPLY", "full"},
		{0, 0, -ECONNRESET, "RECV_RESET", "full"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd = FAKE_FD_FIRST;

		world_begin();
		fake_holds.connects = true;
		fake_holds.sends = true;
		graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
		fake_complete(FAKE_CONNECT, fd, cases[i].connect);
		if (cases[i].send)
			fake_complete(FAKE_SEND, fd, cases[i].send);
		else if (cases[i].connect == 0)
			fake_complete(FAKE_SEND, fd, (int)fake_find(FAKE_SEND, fd)->size);
		if (cases[i].connect == 0 && cases[i].send == 0)
			fake_complete(FAKE_RECEIVE, fd, cases[i].receive);
		world_assert_fate(graph, "a", cases[i].code);
		world_assert(graph, "a", "/reason/sent", cases[i].sent);
		end();
	}
}
END_TEST

START_TEST(a_response_that_is_cut_is_told_without_its_body)
{
	int fd;

	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell");
	fake_complete(FAKE_RECEIVE, fd, 0);
	world_assert_fate(graph, "a", "BODY_TRUNCATED");
	world_assert(graph, "a", "/reason/response", "-");
	world_assert_body(graph, "a", NULL);
	end();
}
END_TEST

START_TEST(what_cannot_be_filled_is_never_sent)
{
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@{{input#/x}}'},"
			     "'b':{'url':'@b','body':'{{input#/x}}'}}}");
	world_assert_fate(graph, "a", "REF_MISSING");
	world_assert_fate(graph, "b", "REF_MISSING");
	world_assert(graph, "a", "/attempts", "0");
	world_assert(graph, "b", "/attempts", "0");
	world_assert(graph, "b", "/reason/sent", "none");
	ck_assert_uint_eq(ring_counters(world.ring)->connects, 0);
	ck_assert_ptr_nonnull(graph->done);
	end();
}
END_TEST

START_TEST(tls_without_verification_needs_permission)
{
	struct scheduler_options options = world_options();

	options.insecure_allowed = false;
	world_begin_with(&options, BOUND_NONE);
	graph = world_submit("{'jobs':{'a':{'url':'https://192.0.2.1/','tls':{'insecure':true}},"
			     /* It says nothing about http. */
			     "'b':{'url':'@b','tls':{'insecure':true}}}}");
	world_assert_fate(graph, "a", "POLICY_TLS");
	world_answer("/b", "200 OK", "");
	world_assert_fate(graph, "b", "fulfilled");
	end();
}
END_TEST

START_TEST(an_override_says_where_to_connect)
{
	static const char document[] =
		"{'defaults':{'resolve':{'a.example:80':'192.0.2.8','b.example:81':'192.0.2.9'}},"
		"'jobs':{'a':{'url':'http://A.example/a'},'b':{'url':'http://b.example:81/b'},"
		"'c':{'url':'http://b.example/c'}}}";

	world_begin();
	graph = world_submit(document);
	/* Of the third one the port is another. */
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	fake_lookup_answer("b.example", "192.0.2.1");
	fake_run();
	world_answer("/a", "200 OK", "");
	world_answer("/b", "200 OK", "");
	world_answer("/c", "200 OK", "");
	world_assert(graph, "a", "/conn/remote", "192.0.2.8:80");
	world_assert(graph, "b", "/conn/remote", "192.0.2.9:81");
	world_assert(graph, "c", "/conn/remote", "192.0.2.1:80");
	end();
}
END_TEST

START_TEST(without_memory_for_an_attempt_its_job_is_told)
{
	struct scheduler_options options = world_options();

	options.attempts_max = 1;
	world_begin_with(&options, BOUND_NONE);
	graph = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	world_assert_fate(graph, "a", "-");
	world_assert_fate(graph, "b", "OVERLOADED");
	world_answer("/a", "200 OK", "");
	world_assert_fate(graph, "a", "fulfilled");
	end();
}
END_TEST

/* It used to count on what it had asked for first. */
START_TEST(bytes_behind_a_dropped_body_harm_nobody)
{
	char piece[8 * 1024];
	int fd;

	memset(piece, 'x', sizeof(piece));
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a','output':'discard'}}}");
	fd = world_fd("/a");
	/* 70,000 to come: they are to be dropped. */
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n");
	/* But 8,192 of them come before the receive that is armed has ended. */
	fake_receive_bytes(fd, piece, sizeof(piece));
	fake_run();
	/* Then the rest of them, and as many of a stranger's. */
	for (size_t left = 70000; left > 0 && fake_is_open(fd);) {
		struct fake_flight *flight = fake_find(FAKE_RECEIVE, fd);
		size_t n = flight->how == FAKE_RECEIVE_MULTISHOT ? sizeof(piece) : 70000;

		n = flight->size > 0 && flight->size < n ? flight->size : n;
		n = left < n ? left : n;
		if (flight->how == FAKE_RECEIVE_DROP)
			fake_complete(FAKE_RECEIVE, fd, (int)n);
		else
			fake_receive_bytes(fd, piece, n < sizeof(piece) ? n : sizeof(piece));
		left -= flight->how == FAKE_RECEIVE_DROP || n < sizeof(piece) ? n : sizeof(piece);
		fake_run();
	}
	world_assert_fate(graph, "a", "fulfilled");
	world_assert(graph, "a", "/value/bytes", "70000");
	/* Such a connection serves nobody else. */
	ck_assert_uint_eq(pool_counters(world.pool).n_conns, 0);
	end();
}
END_TEST

START_TEST(idle_connections_do_not_keep_a_job_from_being_sent)
{
	struct scheduler_options options = world_options();

	/* As the daemon has it: as many requests as connections, idle ones among these. */
	options.requests_max = 2;
	world_conns_max = 2;
	world_begin_with(&options, BOUND_NONE);
	world_conns_max = WORLD_CONNS_MAX;
	graph = world_submit("{'jobs':{'a':{'url':'http://192.0.2.1/a'},"
			     "'b':{'url':'http://192.0.2.2/b'},"
			     "'c':{'url':'http://192.0.2.3/c','after':['a','b']}}}");
	world_answer("/a", "200 OK", "");
	world_answer("/b", "200 OK", "");
	fake_run();
	world_assert_fate(graph, "c", "-");
	world_answer("/c", "200 OK", "");
	world_assert_fate(graph, "c", "fulfilled");
	end();
}
END_TEST

START_TEST(a_connection_that_is_closing_does_not_keep_a_job_from_being_sent)
{
	struct scheduler_options options = world_options();
	struct world_graph *other;
	int fd;

	options.requests_max = 2;
	world_conns_max = 2;
	world_begin_with(&options, BOUND_NONE);
	world_conns_max = WORLD_CONNS_MAX;
	graph = world_submit("{'jobs':{'a':{'url':'http://192.0.2.1/a'},"
			     "'b':{'url':'http://192.0.2.2/b'}}}");
	fd = world_fd("/a");
	world_answer("/a", "200 OK", "");
	/* The peer of the idle one goes, and that takes a moment. */
	fake_holds.closes = true;
	fake_complete(FAKE_RECEIVE, fd, 0);
	other = world_submit("{'jobs':{'c':{'url':'http://192.0.2.3/c'}}}");
	world_assert_fate(other, "c", "-");
	world_give_up(other);
	end();
}
END_TEST

UNIT_MAIN("job/attempt", &a_response_is_told_with_all_that_is_known_of_it,
	&a_reused_connection_has_no_dial_s_times, &a_connection_is_kept_only_where_it_is_clean,
	&an_answer_before_the_request_is_sent_counts_and_closes, &whether_the_peer_may_have_acted,
	&a_status_that_is_not_ok_rejects_with_its_response, &a_rejecting_response_has_its_body,
	&bodies_are_shown_as_asked_for, &a_body_may_be_taken_with_its_memory, &bodies_are_bounded,
	&a_long_body_is_received_in_large_pieces, &a_long_body_that_nobody_wants_is_dropped,
	&a_slot_is_free_when_the_wire_is,
	&an_answer_that_comes_while_the_wire_is_cleared_changes_nothing,
	&connection_faults_are_the_job_s, &a_response_that_is_cut_is_told_without_its_body,
	&what_cannot_be_filled_is_never_sent, &tls_without_verification_needs_permission,
	&an_override_says_where_to_connect, &without_memory_for_an_attempt_its_job_is_told,
	&bytes_behind_a_dropped_body_harm_nobody,
	&idle_connections_do_not_keep_a_job_from_being_sent,
	&a_connection_that_is_closing_does_not_keep_a_job_from_being_sent)
