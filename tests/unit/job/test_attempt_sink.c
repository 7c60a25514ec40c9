/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/descriptor.h"
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

static void assert_stream(const char *text)
{
	ck_assert_uint_eq(graph->stream_size, strlen(text));
	ck_assert(graph->stream_size == 0 || memcmp(graph->stream, text, strlen(text)) == 0);
}

START_TEST(a_stream_is_given_as_it_comes)
{
	int fd;

	begin("{'jobs':{'a':{'url':'@a','output':'stream'}}}");
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab");
	assert_stream("ab");
	fake_receive(fd, "cd");
	assert_stream("abcd");
	world_assert_fate(graph, "a", "-");
	fake_receive(fd, "ef");
	fake_run();
	assert_stream("abcdef");
	world_assert_fates(graph, "a");
	world_assert(graph, "a", "/value/bytes", "6");
	world_assert_body(graph, "a", NULL);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	end();
}
END_TEST

START_TEST(only_what_fulfils_is_streamed)
{
	begin("{'jobs':{'a':{'url':'@a','output':'stream'}}}");
	world_answer("/a", "404 Not Found", "no such page");
	assert_stream("");
	world_assert_fates(graph, "a=HTTP_STATUS");
	world_assert_body(graph, "a", "no such page");
	end();

	/* Unless it is what was asked for. */
	begin("{'jobs':{'a':{'url':'@a','output':'stream','ok':404}}}");
	world_answer("/a", "404 Not Found", "no such page");
	assert_stream("no such page");
	world_assert_fates(graph, "a");
	end();
}
END_TEST

START_TEST(who_takes_slowly_slows_the_origin_down)
{
	int fd;

	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->chunks_until_pause = 1;
	world_start(graph, "{'jobs':{'a':{'url':'@a','output':'stream'}}}");
	fake_run();
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	fake_run();
	ck_assert_ptr_null(fake_find(FAKE_RECEIVE, fd));
	/* Whoever reads slowly is no silent peer. */
	fake_pass(40 * NS_PER_S);
	world_assert_fate(graph, "a", "ATTEMPT_TIMEOUT");
	end();

	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->chunks_until_pause = 1;
	world_start(graph, "{'jobs':{'a':{'url':'@a','output':'stream'}}}");
	fake_run();
	fd = world_fd("/a");
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	fake_run();
	graph_pause(graph->graph, false);
	fake_run();
	ck_assert_ptr_nonnull(fake_find(FAKE_RECEIVE, fd));
	fake_receive(fd, "cd");
	fake_run();
	assert_stream("abcd");
	world_assert_fates(graph, "a");
	end();
}
END_TEST

/* Who takes nothing is given no more than there may be in memory: streams of HTTP/2 bring up to a
 * window each after they are held. */
START_TEST(what_is_given_counts_like_what_is_kept)
{
	size_t room = world_options().body_bytes_max;
	int fd;

	begin("{'jobs':{'a':{'url':'@a','output':'stream'}}}");
	fd = world_fd("/a");
	/* Others wait for their clients. */
	world.scheduler.body_bytes = room - 2;
	fake_receive(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab");
	fake_run();
	world_assert_fate(graph, "a", "-");
	fake_receive(fd, "cde");
	fake_run();
	assert_stream("ab");
	world_assert_fate(graph, "a", "OVERLOADED");
	world.scheduler.body_bytes = 0;
	end();
}
END_TEST

START_TEST(what_was_given_is_not_tried_again)
{
	static const struct {
		const char *response, *stopped;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", "policy"},
		/* Nothing was given yet. */
		{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "-"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd;

		begin("{'jobs':{'a':{'url':'@a','output':'stream','retry':2}}}");
		fd = world_fd("/a");
		fake_receive(fd, cases[i].response);
		fake_complete(FAKE_RECEIVE, fd, 0);
		fake_run();
		if (cases[i].stopped[0] == '-') {
			world_assert_fate(graph, "a", "-");
		} else {
			world_assert_fate(graph, "a", "BODY_TRUNCATED");
			world_assert(graph, "a", "/reason/stopped", cases[i].stopped);
		}
		end();
	}
}
END_TEST

START_TEST(a_file_without_a_descriptor_is_told)
{
	begin("{'jobs':{'a':{'url':'@a','output':'file','fd':0}}}");
	world_answer("/a", "200 OK", "x");
	world_assert_fate(graph, "a", "SINK_WRITE");
	end();
}
END_TEST

/* A graph of one job that stores what it gets in a file, with so many attempts. */
static int begin_file_tried(const char *keys, unsigned attempts)
{
	char document[300];
	int fd;

	snprintf(document, sizeof(document),
		"{'jobs':{'a':{'url':'@a','output':'file','fd':0,%s"
		"'retry':{'attempts':%u,'delay':'1ms','jitter':'none'}}}}",
		keys, attempts);
	world_begin();
	fd = fake_file("");
	graph = calloc(1, sizeof(*graph));
	world_start(graph, document);
	graph_take_descriptors(graph->graph, descriptors_new(world.ring, &fd, 1));
	fake_run();
	return fd;
}

static int begin_file(const char *keys)
{
	return begin_file_tried(keys, 2);
}

/* The connection ends in the middle of that; the next attempt is on the wire. */
static void break_off(const char *response)
{
	int fd = world_fd("/a");

	fake_receive(fd, response);
	fake_run();
	fake_complete(FAKE_RECEIVE, fd, 0);
	fake_pass(2 * NS_PER_MS);
}

START_TEST(a_file_goes_on_where_it_ends)
{
	static const struct {
		const char *first, *keys;
		/* What is asked for; NULL: all of it. */
		const char *range;
		const char *status, *headers, *body;
		const char *fate, *content, *bytes;
	} cases[] = {
		{"ETag: \"v1\"\r\n", "", "Range: bytes=4-\r\nIf-Range: \"v1\"\r\n", "206 Partial",
			"ETag: \"v1\"\r\nContent-Range: bytes 4-9/10\r\n", "456789", "fulfilled",
			"0123456789", "10"},
		/* It is another one by now. */
		{"ETag: \"v1\"\r\n", "", "Range: bytes=4-\r\nIf-Range: \"v1\"\r\n", "200 OK",
			"ETag: \"v2\"\r\n", "new", "fulfilled", "new", "3"},
		{"ETag: \"v1\"\r\n", "", "Range: bytes=4-\r\nIf-Range: \"v1\"\r\n", "206 Partial",
			"Content-Range: bytes 3-9/10\r\n", "3456789", "HTTP_FRAMING", "0123", NULL},
		/* Nothing says that it is the same. */
		{"ETag: W/\"v1\"\r\n", "", NULL, "200 OK", "", "0123456789", "fulfilled",
			"0123456789", "10"},
		{"", "", NULL, "200 OK", "", "0123456789", "fulfilled", "0123456789", "10"},
		/* The author asks for a part himself. */
		{"ETag: \"v1\"\r\n", "'headers':{'range':'bytes=0-99'},", NULL, "200 OK", "",
			"0123456789", "fulfilled", "0123456789", "10"},
		/* A part would not be a result. */
		{"ETag: \"v1\"\r\n", "'ok':200,", NULL, "200 OK", "", "0123456789", "fulfilled",
			"0123456789", "10"},
		{"ETag: \"v1\"\r\n", "'method':'PUT',", NULL, "200 OK", "", "0123456789",
			"fulfilled", "0123456789", "10"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char response[400];
		struct text request;
		int fd, size;

		fd = begin_file(cases[i].keys);
		snprintf(response, sizeof(response),
			"HTTP/1.1 200 OK\r\n%sContent-Length: 10\r\n\r\n0123", cases[i].first);
		break_off(response);
		request = world_request("/a");
		if (cases[i].range) {
			ck_assert_msg(memmem(request.data, request.size, cases[i].range,
					      strlen(cases[i].range)),
				"%zu: %.*s", i, TEXT_ARGS(request));
			/* Parts of a coded one could not be put together. */
			ck_assert_ptr_null(
				memmem(request.data, request.size, "accept-encoding", 15));
		} else {
			ck_assert_ptr_null(memmem(request.data, request.size, "If-Range", 8));
		}
		size = snprintf(response, sizeof(response),
			"HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", cases[i].status,
			cases[i].headers, strlen(cases[i].body), cases[i].body);
		world_answer_bytes("/a", response, (size_t)size);
		fake_run();
		world_assert_fate(graph, "a", cases[i].fate);
		if (cases[i].bytes)
			world_assert(graph, "a", "/value/bytes", cases[i].bytes);
		ck_assert_msg(text_is(fake_content(fd), cases[i].content), "%zu: %.*s", i,
			TEXT_ARGS(fake_content(fd)));
		end();
	}
}
END_TEST

/* The second attempt is answered so: is there a third one, and what does it ask for? */
START_TEST(a_part_that_is_refused_is_asked_for_whole)
{
	static const struct {
		const char *keys, *answer, *fate, *range;
	} cases[] = {
		{"", "416 Range Not Satisfiable\r\nContent-Range: bytes */4\r\nETag: \"v1\"", "-",
			NULL},
		{"", "416 Range Not Satisfiable", "-", NULL},
		{"", "400 Bad Request", "-", NULL},
		{"", "206 Partial\r\nContent-Range: bytes 3-9/10", "-", NULL},
		{"", "206 Partial\r\nContent-Range: bytes 4-9/10\r\nETag: \"v2\"", "-", NULL},
		/* Also where that is one of those that are wanted. */
		{"'ok':'200-499',", "416 Range Not Satisfiable", "-", NULL},
		/* What is of the moment says nothing about parts. */
		{"", "503 Later", "-", "Range: bytes=4-\r\n"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd = begin_file_tried(cases[i].keys, 3);
		struct text request;
		char response[400];
		int size;

		break_off("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n0123");
		size = snprintf(response, sizeof(response),
			"HTTP/1.1 %s\r\nContent-Length: 1\r\n\r\nx", cases[i].answer);
		world_answer_bytes("/a", response, (size_t)size);
		fake_pass(3 * NS_PER_MS);
		world_assert_fate(graph, "a", cases[i].fate);
		ck_assert(text_is(fake_content(fd), "0123"));
		request = world_request("/a");
		ck_assert_msg(!memmem(request.data, request.size, "Range: ", 7) == !cases[i].range,
			"%zu", i);
		world_answer("/a", "200 OK", "new");
		world_assert_fates(graph, "a");
		world_assert_says(graph, "a/attempts=3 a/value/status=200");
		ck_assert(text_is(fake_content(fd), "new"));
		end();
	}
}
END_TEST

START_TEST(a_refused_part_without_an_attempt_left_is_told)
{
	static const struct {
		const char *answer, *says;
	} cases[] = {
		{"416 Range Not Satisfiable", "a/reason/code=HTTP_STATUS a/reason/stopped=attempts "
					      "a/reason/response/status=416"},
		{"206 Partial\r\nContent-Range: bytes 3-9/10",
			"a/reason/code=HTTP_FRAMING a/reason/stopped=attempts"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char response[400];
		int size;

		begin_file("");
		break_off("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n0123");
		size = snprintf(response, sizeof(response),
			"HTTP/1.1 %s\r\nContent-Length: 1\r\n\r\nx", cases[i].answer);
		world_answer_bytes("/a", response, (size_t)size);
		fake_run();
		world_assert_says(graph, cases[i].says);
		end();
	}
}
END_TEST

/* The tag is that of the response behind a redirect, which may lead elsewhere the next time. */
START_TEST(only_the_same_url_is_asked_for_the_rest)
{
	static const char redirect[] =
		"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n";
	static const struct {
		const char *target;
		bool is_asked;
	} cases[] = {{"/b", true}, {"/c", false}};

	for (size_t i = 0; i < countof(cases); i++) {
		char response[200];
		struct text request;
		int fd, size;

		begin_file("");
		size = snprintf(response, sizeof(response), redirect, "/b");
		world_answer_bytes("/a", response, (size_t)size);
		fd = world_fd("/b");
		fake_receive(fd, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\n"
				 "Content-Length: 10\r\n\r\n0123");
		fake_run();
		fake_complete(FAKE_RECEIVE, fd, 0);
		fake_pass(2 * NS_PER_MS);
		request = world_request("/a");
		ck_assert_ptr_null(memmem(request.data, request.size, "Range: ", 7));
		size = snprintf(response, sizeof(response), redirect, cases[i].target);
		world_answer_bytes("/a", response, (size_t)size);
		request = world_request(cases[i].target);
		ck_assert_int_eq(memmem(request.data, request.size, "If-Range: ", 10) != NULL,
			cases[i].is_asked);
		end();
	}
}
END_TEST

/* What it writes late would be in the middle of what the next attempt writes. */
START_TEST(a_file_is_written_by_one_attempt_at_a_time)
{
	static const struct {
		/* What the write in flight comes to when its attempt has given up. */
		int result;
	} cases[] = {{4}, {2}, {-ECANCELED}, {-EIO}};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd = begin_file(""), conn = world_fd("/a");

		fake_holds.files = true;
		fake_holds.cancels = true;
		fake_receive(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
		fake_complete(FAKE_RECEIVE, conn, 0);
		fake_pass(2 * NS_PER_S);
		/* Its backoff is long over. */
		world_assert_on_wire("");
		ck_assert_uint_eq(world.scheduler.requests.used, 1);
		fake_complete(FAKE_WRITE, fd, cases[i].result);
		fake_run();
		world_assert_on_wire("/a");
		fake_holds.files = false;
		fake_holds.cancels = false;
		world_answer("/a", "200 OK", "abc");
		world_assert_fates(graph, "a");
		ck_assert(text_is(fake_content(fd), "abc"));
		end();
	}
}
END_TEST

/* Who waits for the file waits for nothing else, and may be cancelled. */
START_TEST(who_waits_for_a_file_may_run_out_of_time)
{
	static const struct {
		bool is_cancelled;
		const char *fate;
	} cases[] = {{false, "a=JOB_TIMEOUT"}, {true, "a=CANCELLED/client"}};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd = begin_file("'timeout':3,"), conn = world_fd("/a");

		fake_holds.files = true;
		fake_holds.cancels = true;
		fake_receive(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
		fake_complete(FAKE_RECEIVE, conn, 0);
		fake_pass(NS_PER_S);
		if (cases[i].is_cancelled)
			graph_cancel(graph->graph, RECORD_BY_CLIENT);
		fake_pass(3 * NS_PER_S);
		world_assert_fates(graph, cases[i].fate);
		/* The kernel still has the file. */
		ck_assert_ptr_null(graph->done);
		fake_complete(FAKE_WRITE, fd, -ECANCELED);
		fake_run();
		ck_assert_ptr_nonnull(graph->done);
		fake_holds = (struct fake_holds){0};
		end();
	}
}
END_TEST

START_TEST(others_do_not_wait_for_a_file)
{
	int fds[2], conn;

	world_begin();
	fds[0] = fake_file("");
	fds[1] = fake_file("");
	graph = calloc(1, sizeof(*graph));
	world_start(graph, "{'concurrency':2,'jobs':{"
			   "'a':{'url':'@a','output':'file','fd':0,"
			   "'retry':{'attempts':2,'delay':'1ms','jitter':'none'}},"
			   "'b':{'url':'@b','output':'file','fd':1},'c':{'url':'@c'}}}");
	graph_take_descriptors(graph->graph, descriptors_new(world.ring, fds, 2));
	fake_run();
	world_assert_on_wire("/a /b");
	conn = world_fd("/a");
	fake_holds.files = true;
	fake_holds.cancels = true;
	fake_receive(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
	fake_complete(FAKE_RECEIVE, conn, 0);
	fake_pass(NS_PER_S);
	/* One of the graph's two places is still that of the file being written. */
	world_answer("/b", "404 Not Found", "");
	world_assert_on_wire("/c");
	world_answer("/c", "200 OK", "");
	world_assert_fates(graph, "b=HTTP_STATUS c");
	fake_complete(FAKE_WRITE, fds[0], -ECANCELED);
	fake_holds = (struct fake_holds){0};
	fake_run();
	world_assert_on_wire("/a");
	end();
}
END_TEST

/* A slow disk slows the origin down where memory is short, and nothing fails. */
START_TEST(a_file_waits_where_bodies_have_what_they_may)
{
	size_t room = world_options().body_bytes_max;
	int fd = begin_file(""), conn = world_fd("/a");

	fake_holds.files = true;
	world.scheduler.body_bytes = room;
	fake_receive(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab");
	fake_run();
	ck_assert_ptr_null(fake_find(FAKE_RECEIVE, conn));
	ck_assert_uint_eq(world.scheduler.body_bytes, room + 2);
	fake_complete(FAKE_WRITE, fd, 2);
	fake_run();
	ck_assert_uint_eq(world.scheduler.body_bytes, room);
	fake_receive(conn, "cdef");
	fake_complete(FAKE_WRITE, fd, 4);
	fake_run();
	world_assert_fates(graph, "a");
	ck_assert(text_is(fake_content(fd), "abcdef"));
	fake_holds.files = false;
	world.scheduler.body_bytes -= room;
	end();
}
END_TEST

START_TEST(streams_share_no_flights)
{
	begin("{'jobs':{'a':{'url':'@a','output':'stream'},'b':{'url':'@a','output':'stream'}}}");
	ck_assert_uint_eq(world_n_on_wire(), 2);
	end();
}
END_TEST

UNIT_MAIN("job/attempt_sink", &a_stream_is_given_as_it_comes, &only_what_fulfils_is_streamed,
	&who_takes_slowly_slows_the_origin_down, &what_is_given_counts_like_what_is_kept,
	&what_was_given_is_not_tried_again, &a_file_without_a_descriptor_is_told,
	&a_file_goes_on_where_it_ends, &a_part_that_is_refused_is_asked_for_whole,
	&a_refused_part_without_an_attempt_left_is_told, &only_the_same_url_is_asked_for_the_rest,
	&a_file_is_written_by_one_attempt_at_a_time, &who_waits_for_a_file_may_run_out_of_time,
	&others_do_not_wait_for_a_file, &a_file_waits_where_bodies_have_what_they_may,
	&streams_share_no_flights)
