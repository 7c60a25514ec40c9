/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <stdio.h>

#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

static void end(void)
{
	world_give_up(graph);
	world_end();
}

START_TEST(each_limit_fires_on_the_wire)
{
	static const struct {
		const char *members;
		/* How far the exchange comes: nothing, resolved, connected and sending, sent,
		 * head, some body. */
		int steps;
		enum fault_code code;
		uint64_t ms;
	} cases[] = {
		{"", 0, FAULT_DNS_TIMEOUT, 5000},
		{"'timeouts':{'connect':2}", 1, FAULT_CONNECT_TIMEOUT, 2000},
		{"'timeouts':{'idle':3}", 2, FAULT_IDLE_TIMEOUT, 3000},
		{"'timeouts':{'first_byte':4}", 3, FAULT_FIRST_BYTE_TIMEOUT, 4000},
		{"'timeouts':{'idle':3}", 4, FAULT_IDLE_TIMEOUT, 3000},
		{"'timeouts':{'idle':3}", 5, FAULT_IDLE_TIMEOUT, 3000},
		{"'attempt_timeout':2", 3, FAULT_ATTEMPT_TIMEOUT, 2000},
		{"'attempt_timeout':2", 0, FAULT_ATTEMPT_TIMEOUT, 2000},
		{"'timeout':1", 0, FAULT_JOB_TIMEOUT, 1000},
		{"'timeout':1", 5, FAULT_JOB_TIMEOUT, 1000},
		/* By default. */
		{"", 1, FAULT_CONNECT_TIMEOUT, 10000},
		{"", 3, FAULT_ATTEMPT_TIMEOUT, 30000},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd = FAKE_FD_FIRST;
		char document[160], code[64];

		world_begin();
		fake_holds.connects = true;
		fake_holds.sends = true;
		snprintf(document, sizeof(document),
			"{'jobs':{'a':{'url':'http://a.example/'%s%s}}}",
			cases[i].members[0] ? "," : "", cases[i].members);
		graph = world_submit(document);
		if (cases[i].steps >= 1)
			fake_lookup_answer("a.example", "192.0.2.1");
		if (cases[i].steps >= 2)
			fake_complete(FAKE_CONNECT, fd, 0);
		if (cases[i].steps >= 3)
			fake_complete(FAKE_SEND, fd, (int)fake_find(FAKE_SEND, fd)->size);
		if (cases[i].steps >= 4)
			fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
		if (cases[i].steps >= 5)
			fake_receive(fd, "x");
		fake_pass(cases[i].ms * NS_PER_MS - 1);
		world_assert_fate(graph, "a", "-");
		fake_pass(NS_PER_MS);
		snprintf(code, sizeof(code), "%s", fault_name(cases[i].code));
		world_assert_fate(graph, "a", code);
		world_assert(graph, "a", "/reason/retryable", "true");
		end();
	}
}
END_TEST

START_TEST(an_upload_that_moves_is_not_idle)
{
	enum { PIECES = 5, PIECE = 256 * 1024 };
	struct buffer document;
	int fd = FAKE_FD_FIRST;

	buffer_init(&document, SIZE_MAX);
	buffer_append_literal(&document, "{'jobs':{'a':{'url':'http://a.example/','timeouts':"
					 "{'idle':3},'body':'");
	for (int i = 0; i < PIECES * PIECE; i++)
		buffer_append_byte(&document, 'x');
	buffer_append(&document, "'}}}", sizeof("'}}}"));
	world_begin();
	fake_holds.sends = true;
	graph = world_submit(document.data);
	buffer_deinit(&document);
	fake_lookup_answer("a.example", "192.0.2.1");
	for (int i = 0; i < PIECES; i++) {
		fake_pass(2 * NS_PER_S);
		world_assert_fate(graph, "a", "-");
		fake_complete(FAKE_SEND, fd, PIECE);
	}
	/* The rest does not move. */
	fake_pass(6 * NS_PER_S + NS_PER_MS);
	world_assert_fate(graph, "a", "IDLE_TIMEOUT");
	end();
}
END_TEST

START_TEST(a_handshake_is_limited)
{
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'https://192.0.2.1/','timeouts':{'tls':3},"
			     "'tls':{'insecure':true}}}}");
	fake_pass(3 * NS_PER_S - 1);
	world_assert_fate(graph, "a", "-");
	fake_pass(NS_PER_MS);
	world_assert_fate(graph, "a", "TLS_TIMEOUT");
	world_assert(graph, "a", "/reason/sent", "none");
	end();
}
END_TEST

START_TEST(a_body_that_moves_is_not_idle)
{
	int fd;

	/* Coming in. */
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a','timeouts':{'idle':1}}}}");
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	for (int i = 0; i < 5; i++) {
		fake_pass(900 * NS_PER_MS);
		fake_receive(fd, "x");
	}
	world_assert_fate(graph, "a", "fulfilled");
	end();

	/* And going out. */
	world_begin();
	fake_holds.sends = true;
	graph = world_submit("{'jobs':{'a':{'url':'@a','body':'x','timeouts':{'idle':1}}}}");
	for (int i = 0; i < 5; i++) {
		fake_pass(900 * NS_PER_MS);
		fake_complete(FAKE_SEND, FAKE_FD_FIRST, 1);
	}
	world_assert_fate(graph, "a", "-");
	fake_pass(2 * NS_PER_S);
	world_assert_fate(graph, "a", "IDLE_TIMEOUT");
	world_assert(graph, "a", "/reason/sent", "partial");
	end();
}
END_TEST

UNIT_MAIN("job/attempt_timeout", &each_limit_fires_on_the_wire, &an_upload_that_moves_is_not_idle,
	&a_handshake_is_limited, &a_body_that_moves_is_not_idle)
