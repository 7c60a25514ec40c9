/* SPDX-License-Identifier: MIT */
#include "settled.h"

#include <stdio.h>
#include <unistd.h>

#include "front/session.h"
#include "proto/json.h"
#include "tests/unit/daemon/settled_world.h"
#include "tests/unit/unit.h"

static struct buffer out;

static struct text status(void)
{
	buffer_clear(&out);
	settled_status(settled, &out);
	ck_assert(!out.failed);
	return buffer_text(&out);
}

static struct text dump(void)
{
	buffer_clear(&out);
	settled_dump(settled, &out);
	return buffer_text(&out);
}

static void begin(void)
{
	buffer_init(&out, SIZE_MAX);
	settled_world_begin();
}

static void end(void)
{
	settled_world_end();
	buffer_deinit(&out);
}

static void assert_at(yyjson_val *root, const char *pointer, const char *expected)
{
	yyjson_val *value = json_pointer(root, text_from(pointer));
	struct buffer found;

	ck_assert_msg(value, "nothing at %s", pointer);
	buffer_init(&found, SIZE_MAX);
	json_append_as_text(&found, value);
	ck_assert_msg(text_is(buffer_text(&found), expected), "%s: %.*s, not %s", pointer,
		TEXT_ARGS(buffer_text(&found)), expected);
	buffer_deinit(&found);
}

/* What stands at a pointer into the status. */
struct member {
	const char *pointer, *text;
};

/* Up to a pointer that is NULL. */
static void assert_status(const struct member *members)
{
	struct json_error error;
	struct text json = status();
	yyjson_doc *doc = json_read(json, &error);

	ck_assert_msg(doc, "%s in %.*s", error.message, TEXT_ARGS(json));
	for (; members->pointer; members++)
		assert_at(yyjson_doc_get_root(doc), members->pointer, members->text);
	yyjson_doc_free(doc);
}

static void assert_describes(const char *expected)
{
	buffer_clear(&out);
	settled_describe(settled, &out);
	ck_assert_msg(text_is(buffer_text(&out), expected), "%.*s", TEXT_ARGS(buffer_text(&out)));
}

static bool text_has(struct text text, const char *part)
{
	return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

START_TEST(status_of_an_idle_daemon)
{
	static const struct member members[] = {
		{"/draining", "false"},
		{"/sessions", "0"},
		{"/graphs", "0"},
		{"/in_flight", "0"},
		{"/resolving", "0"},
		{"/body_bytes", "0"},
		{"/passed", "0"},
		{"/timers", "0"},
		{"/total/sessions", "0"},
		{"/total/jobs", "0"},
		{"/total/attempts", "0"},
		{"/total/replays", "0"},
		{"/connections/open", "0"},
		{"/connections/idle", "0"},
		{"/connections/dialled", "0"},
		{"/connections/warmed", "0"},
		{"/connections/warm_used", "0"},
		{"/connections/shared", "0"},
		{"/connections/streams", "0"},
		{"/connections/reused", "0"},
		{"/connections/closed", "0"},
		{"/connections/routes", "0"},
		{"/connections/origins", "0"},
		{"/connections/tls_full", "0"},
		{"/connections/tls_resumed", "0"},
		{"/connections/tls_sessions", "0"},
		{"/ring/enters", "0"},
		{"/ring/completions", "0"},
		{"/ring/sends", "0"},
		{"/ring/receives", "0"},
		{"/ring/connects", "0"},
		{"/ring/accepts", "0"},
		{"/ring/cancels", "0"},
		{"/ring/closes", "0"},
		{"/ring/buffers_empty", "0"},
		{"/ring/overflows", "0"},
		{"/ring/stale", "0"},
		{"/ring/features", "[\"defer\",\"multishot\"]"},
		{NULL, NULL},
	};

	begin();
	assert_status(members);
	end();
}
END_TEST

/* docs/PROTOCOL.md shows it. */
START_TEST(status_begins_as_documented)
{
	char expected[300];

	begin();
	fake_pass(2798 * NS_PER_MS + 1);
	snprintf(expected, sizeof(expected),
		"{\"server\":\"settled/" SETTLED_VERSION "\",\"pid\":%d,\"uptime_ms\":2798,"
		"\"draining\":false,\"sessions\":0,\"graphs\":0,\"in_flight\":0,",
		(int)getpid());
	ck_assert_msg(text_starts_with(status(), text_from(expected)), "%.*s",
		TEXT_ARGS(buffer_text(&out)));
	end();
}
END_TEST

START_TEST(status_counts_what_is_going_on)
{
	static const struct member members[] = {
		{"/sessions", "2"},
		{"/graphs", "2"},
		{"/in_flight", "3"},
		{"/resolving", "1"},
		{"/total/sessions", "3"},
		{"/total/jobs", "2"},
		{"/total/attempts", "5"},
		{"/connections/open", "3"},
		{"/connections/idle", "0"},
		{"/connections/dialled", "4"},
		{"/connections/reused", "1"},
		{"/connections/closed", "1"},
		{"/connections/origins", "2"},
		{NULL, NULL},
	};
	int fd, other;

	begin();
	client_close(settled_world_connect());
	fd = settled_world_connect();
	other = settled_world_connect();
	client_submit(fd, 1,
		"{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		"'c':{'url':'@c'}}}");
	world_answer("/a", "200 OK", "");
	world_answer("/b", "200 OK\r\nConnection: close", "");
	client_submit(other, 1, "{'jobs':{'a':{'url':'@d'},'b':{'url':'http://named.test/'}}}");
	assert_status(members);
	fake_lookup_fail("named.test", FAULT_DNS_NOT_FOUND);
	end();
}
END_TEST

START_TEST(status_is_what_a_client_is_told)
{
	int fd;

	begin();
	fd = settled_world_connect();
	client_say(fd, "{'status':{}}");
	client_assert_heard(fd, "status");
	client_assert(fd, 0, "/status/sessions", "1");
	client_assert(fd, 0, "/status/server", "settled/" SETTLED_VERSION);
	end();
}
END_TEST

START_TEST(describes_itself_in_a_line)
{
	int fd;

	begin();
	assert_describes("0 sessions, 0 graphs, 0 requests in flight");
	fd = settled_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	assert_describes("1 sessions, 1 graphs, 2 requests in flight");
	settled_drain(settled);
	assert_describes("draining: 1 sessions, 1 graphs, 2 requests in flight");
	assert_status((const struct member[]){{"/draining", "true"}, {NULL, NULL}});
	end();
}
END_TEST

/* What a client or a peer has said stays with them. */
START_TEST(neither_status_nor_dump_shows_what_was_asked_for)
{
	static const char *const secrets[] = {
		"192.0.2.1",
		"named.test",
		"hush",
		"http:",
		"x-key",
		"Bearer",
		"ANSWER",
		"my-name",
	};
	int fd;

	begin();
	fd = settled_world_connect();
	client_submit(fd, 1,
		"{'name':'my-name','input':'hush','concurrency':2,'jobs':{"
		"'a':{'url':'@a?hush','method':'POST','body':'hush'},"
		"'hush':{'url':'http://named.test/hush',"
		"'headers':{'x-key':'hush','authorization':'Bearer hush'}},"
		"'c':{'url':'@c','json':'{{a}}'}}}");
	fake_receive(world_fd("/a?hush"), "HTTP/1.1 200 ANSWER\r\nContent-Length: 10\r\n"
					  "x-key: ANSWER\r\n\r\nANSWER");
	fake_run();
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		ck_assert_msg(!text_has(status(), secrets[i]), "%s in status", secrets[i]);
		ck_assert_msg(!text_has(dump(), secrets[i]), "%s in dump", secrets[i]);
	}
	fake_lookup_fail("named.test", FAULT_DNS_NOT_FOUND);
	end();
}
END_TEST

START_TEST(dump_is_a_line_for_each_session_and_graph)
{
	struct text rest;
	char expected[2000];
	int fd, other;

	begin();
	fd = settled_world_connect();
	other = settled_world_connect();
	client_submit(fd, 1,
		"{'concurrency':2,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		"'c':{'url':'@c'}}}");
	world_answer("/a", "200 OK", "");
	fake_holds.sends = true;
	fake_holds.closes = true;
	client_submit(other, 1, "{'jobs':{'a':{'url':'@d'}}}");
	client_say(other, "{'id':1,'cancel':{}}");
	rest = dump();
	snprintf(expected, sizeof(expected),
		"2 sessions, 2 graphs, 3 requests in flight\n"
		"session: fd %d, uid 1000, state 0, 1 graphs, 0 bytes out\n"
		"session: fd %d, uid 1000, state 0, 1 graphs, %zu bytes out\n"
		"graph: uid 1000, 3 jobs, 1 settled, 2 of 2 slots, 2 attempts\n"
		"graph: uid 1000, 1 jobs, 1 settled, 1 of 256 slots, 1 attempts, ended\n"
		"{\"server\":",
		fd, other,
		list_entry(settled->front.sessions.previous, struct session, link)->out.bytes);
	ck_assert_msg(text_starts_with(rest, text_from(expected)), "%.*s", TEXT_ARGS(rest));
	ck_assert_int_eq(rest.data[rest.size - 1], '\n');
	end();
}
END_TEST

START_TEST(dump_tells_of_a_slow_reader)
{
	static const char lines[] = "{\"status\":{}}\n";
	int fd;

	begin();
	fd = settled_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'}}}");
	fake_holds.sends = true;
	while (fake_find(FAKE_RECEIVE, fd)) {
		ck_assert(!text_has(dump(), "its reader is slow"));
		fake_receive(fd, lines);
	}
	ck_assert(text_has(dump(), "its reader is slow"));
	end();
}
END_TEST

UNIT_MAIN("daemon/status", &status_of_an_idle_daemon, &status_begins_as_documented,
	&status_counts_what_is_going_on, &status_is_what_a_client_is_told,
	&describes_itself_in_a_line, &neither_status_nor_dump_shows_what_was_asked_for,
	&dump_is_a_line_for_each_session_and_graph, &dump_tells_of_a_slow_reader)
