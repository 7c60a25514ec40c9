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

/* A graph that was passed that one descriptor, where these are held. */
static void begin_holding(
	struct fake_holds holds, const char *document, int (*make)(void), int *ret_fd)
{
	world_begin();
	fake_holds = holds;
	*ret_fd = make();
	graph = calloc(1, sizeof(*graph));
	world_start(graph, document);
	graph_take_descriptors(graph->graph, descriptors_new(world.ring, ret_fd, 1));
	fake_run();
}

static void begin(const char *document, int (*make)(void), int *ret_fd)
{
	begin_holding((struct fake_holds){0}, document, make, ret_fd);
}

static void end(void)
{
	fake_holds = (struct fake_holds){0};
	world_give_up(graph);
	world_end();
}

static int make_file(void)
{
	return fake_file("hello");
}

static void redirect(const char *target, const char *status)
{
	char response[200];
	int size = snprintf(response, sizeof(response),
		"HTTP/1.1 %s\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", status);

	world_answer_bytes(target, response, (size_t)size);
}

/* The response, and the read of the pipe comes to that when all else is over. */
static void answer_and_read(const char *target, const char *response, int pipe, int result)
{
	int conn = world_fd(target);

	fake_holds.cancels = true;
	fake_receive(conn, response);
	fake_complete(FAKE_RECEIVE, conn, -ECANCELED);
	fake_run();
	ck_assert(!fake_is_open(conn));
	fake_complete(FAKE_READ, pipe, result);
	fake_holds.cancels = false;
	fake_run();
}

static void assert_sent(int fd, const char *end)
{
	struct text sent = fake_sent(fd);
	size_t size = strlen(end);

	ck_assert_msg(sent.size >= size && memcmp(sent.data + sent.size - size, end, size) == 0,
		"\"%.*s\" does not end with \"%s\"", TEXT_ARGS(sent), end);
}

START_TEST(a_pipe_is_sent_as_it_comes)
{
	int pipe, conn;

	begin("{'jobs':{'a':{'url':'@a','body_fd':0}}}", fake_pipe, &pipe);
	conn = world_fd("/a");
	assert_sent(conn, "Transfer-Encoding: chunked\r\n\r\n");
	fake_feed(pipe, "hello");
	fake_run();
	assert_sent(conn, "\r\n\r\n5\r\nhello\r\n");
	fake_complete(FAKE_READ, pipe, 0);
	fake_run();
	assert_sent(conn, "hello\r\n0\r\n\r\n");
	world_answer("/a", "200 OK", "");
	world_assert_fates(graph, "a");
	end();
}
END_TEST

/* A read of it is in flight when the redirect comes; what that brings is lost. */
START_TEST(a_pipe_that_gave_nothing_goes_along_with_a_redirect)
{
	static const struct {
		/* What the read comes to that is being cancelled. */
		int result;
		bool goes_on;
	} cases[] = {{-ECANCELED, true}, {-EINTR, true}, {0, true}, {3, false}};

	for (size_t i = 0; i < countof(cases); i++) {
		int pipe;

		begin("{'jobs':{'a':{'url':'@a','body_fd':0}}}", fake_pipe, &pipe);
		answer_and_read("/a",
			"HTTP/1.1 307 Temporary Redirect\r\nLocation: /b\r\n"
			"Content-Length: 0\r\n\r\n",
			pipe, cases[i].result);
		if (!cases[i].goes_on) {
			world_assert_fates(graph, "a=BODY_SOURCE");
			world_assert(graph, "a", "/reason/message",
				"the pipe was read from already, and what it gave is gone");
			end();
			continue;
		}
		fake_feed(pipe, "hello");
		fake_run();
		assert_sent(world_fd("/b"), "\r\n\r\n5\r\nhello\r\n");
		fake_complete(FAKE_READ, pipe, 0);
		fake_run();
		world_answer("/b", "200 OK", "");
		world_assert_fates(graph, "a");
		end();
	}
}
END_TEST

START_TEST(what_a_pipe_gave_does_not_go_along)
{
	static const struct {
		const char *status, *fates;
	} cases[] = {
		{"307 Temporary Redirect", "a=BODY_SOURCE"},
		{"308 Permanent Redirect", "a=BODY_SOURCE"},
		/* Its body is not wanted there. */
		{"303 See Other", ""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int pipe;

		begin("{'jobs':{'a':{'url':'@a','body_fd':0}}}", fake_pipe, &pipe);
		fake_feed(pipe, "hello");
		fake_run();
		redirect("/a", cases[i].status);
		world_assert_fates(graph, cases[i].fates);
		world_assert_on_wire(cases[i].fates[0] ? "" : "/b");
		end();
	}
}
END_TEST

#define RETRY "'retry':{'attempts':2,'delay':'1ms','jitter':'none','unsafe':true}"

START_TEST(a_pipe_that_gave_nothing_is_read_by_the_next_attempt)
{
	static const struct {
		bool gives;
		const char *fates, *stopped;
	} cases[] = {{false, "a", "-"}, {true, "a=HTTP_STATUS", "policy"}};

	for (size_t i = 0; i < countof(cases); i++) {
		int pipe;

		begin("{'jobs':{'a':{'url':'@a','body_fd':0," RETRY "}}}", fake_pipe, &pipe);
		if (cases[i].gives)
			fake_feed(pipe, "hello");
		fake_run();
		world_answer("/a", "503 Service Unavailable", "");
		fake_pass(2 * NS_PER_MS);
		if (!cases[i].gives) {
			fake_complete(FAKE_READ, pipe, 0);
			fake_run();
			world_answer("/a", "200 OK", "");
		}
		world_assert_fates(graph, cases[i].fates);
		world_assert(graph, "a", "/reason/stopped", cases[i].stopped);
		end();
	}
}
END_TEST

/* Until it is known whether something is left of it for them. */
START_TEST(those_who_want_the_same_pipe_wait)
{
	static const struct {
		/* What the first one's read comes to; its response then. */
		int result;
		const char *response, *fates;
	} cases[] = {
		{3, NULL, "b=BODY_SOURCE c=BODY_SOURCE"},
		{3, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			"a b=BODY_SOURCE c=BODY_SOURCE"},
		{-ECANCELED, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "a"},
		{0, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "a=HTTP_STATUS"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int pipe;

		begin("{'jobs':{'a':{'url':'@a','body_fd':0},'b':{'url':'@b','body_fd':0},"
		      "'c':{'url':'@c','body_fd':0},'d':{'url':'@d'}}}",
			fake_pipe, &pipe);
		world_assert_on_wire("/a /d");
		if (cases[i].response)
			answer_and_read("/a", cases[i].response, pipe, cases[i].result);
		else
			fake_complete(FAKE_READ, pipe, cases[i].result);
		fake_run();
		world_assert_fates(graph, cases[i].fates);
		if (!cases[i].response)
			world_assert_on_wire("/a /d");
		else
			world_assert_on_wire(cases[i].result > 0 ? "/d" : "/d /b");
		end();
	}
}
END_TEST

START_TEST(a_file_is_read_by_all_at_once)
{
	int file;

	begin("{'jobs':{'a':{'url':'@a','body_fd':0},'b':{'url':'@b','body_fd':0}}}", make_file,
		&file);
	fake_run();
	world_assert_on_wire("/a /b");
	assert_sent(world_fd("/a"), "Content-Length: 5\r\n\r\nhello");
	assert_sent(world_fd("/b"), "Content-Length: 5\r\n\r\nhello");
	end();
}
END_TEST

/* One that is both is read by nobody else, and written by nobody else. */
/* The kernel has the piece until it says so, whatever has become of the job. */
START_TEST(a_piece_stays_while_the_kernel_sends_it)
{
	struct attempt *attempt;
	int file, conn;

	begin_holding((struct fake_holds){.sends = true}, "{'jobs':{'a':{'url':'@a','body_fd':0}}}",
		make_file, &file);
	conn = fake_find(FAKE_SEND, -1)->fd;
	fake_complete(FAKE_SEND, conn, (int)fake_find(FAKE_SEND, conn)->size);
	fake_run();
	ck_assert_uint_eq(fake_find(FAKE_SEND, conn)->size, 5);
	attempt = world_job(graph, "a")->attempt;
	fake_holds.cancels = true;
	fake_holds.closes = true;
	ck_assert(graph_cancel_job(graph->graph, TEXT("a")));
	fake_run();
	world_assert_fate(graph, "a", "CANCELLED");
	ck_assert(attempt->source.is_open);
	ck_assert_int_eq(memcmp(fake_find(FAKE_SEND, conn)->data, "hello", 5), 0);
	/* The kernel has it no more, but the connection is not closed yet. */
	fake_complete(FAKE_SEND, conn, 3);
	fake_holds.cancels = false;
	fake_run();
	ck_assert(!graph->done);
	fake_holds = (struct fake_holds){0};
	fake_run();
	ck_assert(!fake_is_open(conn));
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(a_file_may_be_read_and_written_by_the_same_job)
{
	int file;

	begin("{'jobs':{'a':{'url':'@a','body_fd':0,'output':'file','fd':0}}}", make_file, &file);
	assert_sent(world_fd("/a"), "hello");
	world_answer("/a", "200 OK", "bye");
	world_assert_fates(graph, "a");
	ck_assert(text_is(fake_content(file), "bye"));
	end();
}
END_TEST

UNIT_MAIN("job/attempt_upload", &a_pipe_is_sent_as_it_comes,
	&a_pipe_that_gave_nothing_goes_along_with_a_redirect, &what_a_pipe_gave_does_not_go_along,
	&a_pipe_that_gave_nothing_is_read_by_the_next_attempt, &those_who_want_the_same_pipe_wait,
	&a_file_is_read_by_all_at_once, &a_piece_stays_while_the_kernel_sends_it,
	&a_file_may_be_read_and_written_by_the_same_job)
