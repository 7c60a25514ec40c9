/* SPDX-License-Identifier: MIT */
#include "front/submission.h"

#include "front/session.h"
#include "tests/unit/front/front_world.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

static void give(int fd, const char *job, uint64_t offset, const char *data, size_t size)
{
	struct graph *graph = submission_find(front_world_session(fd), 1)->graph;

	graph->owner->events->on_chunk(graph, text_from(job), offset, (struct text){data, size});
}

static const struct chunk_case {
	const char *job;
	uint64_t offset;
	size_t size;
	const char *line;
} chunk_cases[] = {
	{"a", 0, 5, "{\"id\":1,\"chunk\":{\"job\":\"a\",\"offset\":0},\"payload\":5}"},
	{"a", 5, 0, "{\"id\":1,\"chunk\":{\"job\":\"a\",\"offset\":5},\"payload\":0}"},
	{"a", 5000000000, 100000,
		"{\"id\":1,\"chunk\":{\"job\":\"a\",\"offset\":5000000000},\"payload\":100000}"},
	{"posts[3]", 0, 16384,
		"{\"id\":1,\"chunk\":{\"job\":\"posts[3]\",\"offset\":0},\"payload\":16384}"},
	{"a\"\n", 0, 1, "{\"id\":1,\"chunk\":{\"job\":\"a\\\"\\n\",\"offset\":0},\"payload\":1}"},
};

START_TEST(a_piece_is_told_with_its_job_and_place)
{
	for (size_t i = 0; i < sizeof(chunk_cases) / sizeof(chunk_cases[0]); i++) {
		const struct chunk_case *at = &chunk_cases[i];
		char *data = malloc(at->size + 1);
		char *copy = malloc(at->size + 1);
		int fd;

		memset(data, 'x', at->size);
		if (at->size > 0)
			data[at->size - 1] = '\n';
		memcpy(copy, data, at->size);
		front_world_begin();
		fd = front_world_connect_busy();
		fake_forget(fd);
		give(fd, at->job, at->offset, data, at->size);
		/* It was a view. */
		memset(data, '?', at->size);
		fake_run();
		client_assert_heard(fd, "1:chunk");
		ck_assert(text_is(client_line(fd, 0), at->line));
		ck_assert_uint_eq(client_payload(fd, 0).size, at->size);
		if (at->size > 0)
			ck_assert_mem_eq(client_payload(fd, 0).data, copy, at->size);
		free(copy);
		free(data);
		front_world_leave();
	}
}
END_TEST

START_TEST(pieces_keep_their_order_among_messages)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	fake_forget(fd);
	give(fd, "a", 0, "one", 3);
	give(fd, "a", 3, "two", 3);
	client_say(fd, "{'id':1,'cancel':{}}");
	client_assert_heard(fd, "1:chunk 1:chunk 1:decided 1:settled 1:done");
	ck_assert(text_is(client_payload(fd, 1), "two"));
	front_world_leave();
}
END_TEST

START_TEST(a_reader_that_is_slow_pauses_its_graph)
{
	struct front_options options = front_world_options();
	struct graph *graph;
	char data[1000] = {0};
	int fd;

	options.out_high = 5000;
	options.out_low = 1000;
	front_world_begin_with(&options);
	fake_holds.sends = true;
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'}}}");
	graph = submission_find(front_world_session(fd), 1)->graph;
	for (uint64_t i = 0; i < 4; i++) {
		give(fd, "a", i * sizeof(data), data, sizeof(data));
		ck_assert(!graph->is_paused);
	}
	give(fd, "a", 4000, data, sizeof(data));
	ck_assert(graph->is_paused);
	/* What was on its way all the same. */
	give(fd, "a", 5000, data, sizeof(data));
	fake_holds.sends = false;
	fake_run();
	ck_assert(!graph->is_paused);
	ck_assert_uint_eq(front_world_session(fd)->out.bytes, 0);
	front_world_leave();
}
END_TEST

START_TEST(nobody_is_told_who_does_not_listen)
{
	struct graph *graph;
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	graph = submission_find(front_world_session(fd), 1)->graph;
	fake_holds.cancels = true;
	fake_forget(fd);
	fake_set_gone(fd);
	fake_complete(FAKE_RECEIVE, fd, 0);
	graph->owner->events->on_chunk(graph, TEXT("a"), 0, TEXT("x"));
	fake_holds.cancels = false;
	fake_run();
	ck_assert_uint_eq(fake_sent(fd).size, 0);
	front_world_leave();
}
END_TEST

START_TEST(without_memory_for_it_the_session_ends)
{
	char *data = calloc(1, 200 * 1000);
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	memory_fail_bytes(OUTBOX_CHUNK_SIZE);
	give(fd, "a", 0, data, 200 * 1000);
	ck_assert(memory_has_failed());
	fake_run();
	ck_assert(!fake_is_open(fd));
	free(data);
	front_world_leave();
}
END_TEST

UNIT_MAIN("front/submission_chunk", &a_piece_is_told_with_its_job_and_place,
	&pieces_keep_their_order_among_messages, &a_reader_that_is_slow_pauses_its_graph,
	&nobody_is_told_who_does_not_listen, &without_memory_for_it_the_session_ends)
