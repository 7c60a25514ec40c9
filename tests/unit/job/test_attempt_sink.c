/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <stdio.h>
#include <stdlib.h>

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

START_TEST(streams_share_no_flights)
{
	begin("{'jobs':{'a':{'url':'@a','output':'stream'},'b':{'url':'@a','output':'stream'}}}");
	ck_assert_uint_eq(world_n_on_wire(), 2);
	end();
}
END_TEST

UNIT_MAIN("job/attempt_sink", &a_stream_is_given_as_it_comes, &only_what_fulfils_is_streamed,
	&who_takes_slowly_slows_the_origin_down, &what_was_given_is_not_tried_again,
	&a_file_without_a_descriptor_is_told, &streams_share_no_flights)
