/* SPDX-License-Identifier: MIT */
#include "front/submission.h"

#include "front/session.h"
#include "job/graph.h"
#include "tests/unit/front/front_world.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

/* Admission. */

START_TEST(an_accepted_graph_s_jobs_are_counted)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	ck_assert(text_is(client_line(fd, 0), "{\"id\":7,\"accepted\":{\"jobs\":3}}"));
	ck_assert_uint_eq(front_world_session(fd)->n_graphs, 1);
	ck_assert_ptr_nonnull(submission_find(front_world_session(fd), 7));
	ck_assert_ptr_null(submission_find(front_world_session(fd), 8));
	front_world_leave();
}
END_TEST

START_TEST(a_graph_without_jobs_is_done_at_once)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 0, "{'name':'nothing','jobs':{}}");
	client_assert_heard(fd, "0:accepted 0:done");
	client_assert(fd, 0, "/accepted/jobs", "0");
	client_assert(fd, 1, "/done/graph", "nothing");
	client_assert(fd, 1, "/done/status", "fulfilled");
	front_world_leave();
}
END_TEST

START_TEST(a_refusal_says_all_that_is_wrong)
{
	/* In no particular order. What the client said stands in it escaped. */
	static const char *const errors[] = {
		"{\"code\":\"GRAPH_KEY\",\"at\":\"/jobs/a/methd\",\"message\":\"",
		"{\"code\":\"URL_INVALID\",\"at\":\"/jobs/b/url\",\"message\":\"",
		"{\"code\":\"GRAPH_KEY\",\"at\":\"/jobs/c/\\u0001\\\"~1\",\"message\":\"",
		"unknown key \\\"methd\\\"; did you mean \\\"method\\\"?\"}",
	};
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 9,
		"{'jobs':{'a':{'url':'@a','methd':'GET'},'b':{'url':'http://'},"
		"'c':{'url':'@c','\\u0001\\'/':1}}}");
	client_assert_heard(fd, "9:refused");
	client_assert(fd, 0, "/refused/errors/3", "-");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct text line = client_line(fd, 0);

		ck_assert_msg(memmem(line.data, line.size, errors[i], strlen(errors[i])),
			"%s is not in %.*s", errors[i], TEXT_ARGS(line));
	}
	/* Nothing of it is left, and nothing was sent. */
	ck_assert_uint_eq(world.scheduler.n_graphs, 0);
	ck_assert_int_lt(world_find("/a"), 0);
	fake_forget(fd);
	client_submit(fd, 9, "{'jobs':{}}");
	client_assert_heard(fd, "9:accepted 9:done");
	front_world_leave();
}
END_TEST

START_TEST(jobs_have_the_front_s_bound)
{
	struct front_options options = front_world_options();
	int fd;

	options.jobs_max = 2;
	front_world_begin_with(&options);
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	client_submit(fd, 2, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	client_assert_heard(fd, "1:accepted 2:refused");
	client_assert(fd, 1, "/refused/errors/0/code", "GRAPH_TOO_LARGE");
	front_world_leave();
}
END_TEST

START_TEST(while_draining_every_graph_is_refused)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	front_drain(&front_world.front);
	client_submit(fd, 2, "{'jobs':{}}");
	/* Also what is no graph at all: it is not looked at. */
	client_submit(fd, 3, "'x'");
	client_assert_heard(fd, "1:accepted 2:refused 3:refused");
	for (unsigned i = 1; i < 3; i++) {
		client_assert(fd, i, "/refused/errors/0/code", "DRAINING");
		client_assert(fd, i, "/refused/errors/0/at", "");
		client_assert(fd, i, "/refused/errors/1", "-");
	}
	front_world_leave();
}
END_TEST

START_TEST(a_session_has_a_bound_on_its_graphs)
{
	struct front_options options = front_world_options();
	int fd;

	options.graphs_max = 2;
	front_world_begin_with(&options);
	fd = front_world_connect();
	for (unsigned i = 1; i <= 3; i++)
		client_submit(fd, i, "{'jobs':[{'url':'@slow'}]}");
	client_assert_heard(fd, "1:accepted 2:accepted 3:refused");
	client_assert(fd, 2, "/refused/errors/0/code", "QUOTA");
	front_world_leave();
}
END_TEST

START_TEST(without_memory_a_graph_is_refused_as_overloaded)
{
	static const size_t sizes[] = {
		sizeof(struct submission), sizeof(struct graph),
		sizeof(struct scope) + 3 * sizeof(struct job)};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd;

		front_world_begin();
		fd = front_world_connect();
		memory_fail_object(sizes[i]);
		client_submit(fd, 1,
			"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
			"'c':{'url':'@c'}}}");
		ck_assert_msg(memory_has_failed(), "%zu bytes", sizes[i]);
		client_assert_heard(fd, "1:refused");
		client_assert(fd, 0, "/refused/errors/0/code", "OVERLOADED");
		ck_assert_uint_eq(world.scheduler.n_graphs, 0);
		ck_assert_uint_eq(front_world_session(fd)->n_graphs, 0);
		client_submit(fd, 1, "{'jobs':{}}");
		client_assert_heard(fd, "1:refused 1:accepted 1:done");
		front_world_leave();
	}
}
END_TEST

/* Records. */

/* A job and its answer: the payload; NULL: none. */
static const struct payload_case {
	const char *job, *status, *body, *payload;
} payload_cases[] = {
	{"{'url':'@a'}", "200 OK", "hello", "hello"},
	{"{'url':'@a'}", "200 OK", "", ""},
	/* What a client could take for a message. */
	{"{'url':'@a'}", "200 OK", "{\"id\":1,\"done\":{}}\n", "{\"id\":1,\"done\":{}}\n"},
	{"{'url':'@a'}", "404 Not Found", "gone\n", "gone\n"},
	{"{'url':'@a','omit':true}", "200 OK", "hello", NULL},
	{"{'url':'@a','output':'discard'}", "200 OK", "hello", NULL},
};

START_TEST(a_record_is_followed_by_its_body_if_it_has_one)
{
	for (size_t i = 0; i < sizeof(payload_cases) / sizeof(payload_cases[0]); i++) {
		const struct payload_case *at = &payload_cases[i];
		char document[200], size[20] = "-";
		struct text payload;
		int fd;

		front_world_begin();
		fd = front_world_connect();
		snprintf(document, sizeof(document), "{'jobs':{'a':%s}}", at->job);
		client_submit(fd, 1, document);
		world_answer("/a", at->status, at->body);
		client_assert_heard(fd, "1:accepted 1:settled 1:done");
		payload = client_payload(fd, 1);
		ck_assert_msg((payload.data != NULL) == (at->payload != NULL), "%s", at->job);
		if (at->payload) {
			ck_assert(text_is(payload, at->payload));
			snprintf(size, sizeof(size), "%zu", strlen(at->payload));
		}
		client_assert(fd, 1, "/payload", size);
		client_assert(fd, 1, "/settled/job", "a");
		front_world_leave();
	}
}
END_TEST

START_TEST(a_job_without_a_response_has_no_payload)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	client_say(fd, "{'id':1,'cancel':{'job':'a'}}");
	client_assert_heard(fd, "1:accepted 1:settled 1:done");
	client_assert(fd, 1, "/payload", "-");
	front_world_leave();
}
END_TEST

/* A body of that size: does it go out in a send of its own? */
static const struct move_case {
	size_t size;
	bool moves;
} move_cases[] = {
	{1, false},
	{16 * 1024 - 1, false},
	{16 * 1024, true},
	{300 * 1000, true},
};

static char *make_body(size_t size)
{
	char *body = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		body[i] = (char)('a' + i % 23);
	body[size] = '\0';
	return body;
}

START_TEST(a_large_body_is_handed_over_and_a_small_one_copied)
{
	for (size_t i = 0; i < sizeof(move_cases) / sizeof(move_cases[0]); i++) {
		const struct move_case *at = &move_cases[i];
		char *body = make_body(at->size);
		struct fake_flight *send;
		struct text payload;
		int fd;

		front_world_begin();
		fd = front_world_connect_busy();
		fake_holds.sends = true;
		world_answer("/a", "200 OK", body);
		/* The record, and what came with it in that chunk. */
		send = fake_find(FAKE_SEND, fd);
		ck_assert_ptr_nonnull(send);
		ck_assert_msg((send->size < at->size + 100) == at->moves, "%zu: a send of %zu",
			at->size, send->size);
		client_read(fd, send->size);
		send = fake_find(FAKE_SEND, fd);
		if (at->moves)
			ck_assert_uint_eq(send->size, at->size);
		fake_holds.sends = false;
		fake_run();
		client_assert_heard(fd, "1:accepted 1:settled 1:done");
		payload = client_payload(fd, 1);
		ck_assert(text_is(payload, body));
		/* The memory is the session's, and no longer counted. */
		ck_assert_uint_eq(world.scheduler.body_bytes, 0);
		free(body);
		front_world_leave();
	}
}
END_TEST

START_TEST(a_large_body_others_need_is_theirs_too)
{
	char *body = make_body(20000);
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','body':'{{a}}'}}}");
	world_answer("/a", "200 OK", body);
	client_assert_heard(fd, "1:accepted 1:settled");
	ck_assert(text_is(client_payload(fd, 1), body));
	ck_assert(memmem(world_request("/b").data, world_request("/b").size, body, 20000));
	world_answer("/b", "200 OK", "");
	free(body);
	front_world_leave();
}
END_TEST

START_TEST(a_graph_decided_early_says_so_before_it_is_done)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 4, "{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	world_answer("/a", "500 Oops", "");
	client_assert_heard(fd, "4:accepted 4:settled 4:decided 4:settled 4:done");
	client_assert(fd, 2, "/decided/status", "rejected");
	client_assert(fd, 2, "/decided/reason/code", "JOB_REJECTED");
	client_assert(fd, 2, "/decided/reason/job", "a");
	client_assert(fd, 3, "/settled/job", "b");
	client_assert(fd, 3, "/settled/reason/by", "fail_fast");
	client_assert(fd, 4, "/done/rejected", "2");
	front_world_leave();
}
END_TEST

START_TEST(several_graphs_speak_under_their_own_numbers)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 1, "{'name':'x','jobs':{'a':{'url':'@a'}}}");
	client_submit(fd, 992, "{'name':'y','jobs':{'a':{'url':'@b'}}}");
	world_answer("/b", "200 OK", "bee");
	world_answer("/a", "200 OK", "ay");
	client_assert_heard(fd, "1:accepted 992:accepted 992:settled 992:done 1:settled 1:done");
	ck_assert(text_is(client_payload(fd, 2), "bee"));
	client_assert(fd, 3, "/done/graph", "y");
	ck_assert(text_is(client_payload(fd, 4), "ay"));
	client_assert(fd, 5, "/done/graph", "x");
	front_world_leave();
}
END_TEST

START_TEST(nothing_is_said_to_a_client_that_left)
{
	struct session *session;
	size_t waiting;
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 1, "{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	session = front_world_session(fd);
	fake_holds.sends = true;
	fake_holds.closes = true;
	client_say(fd, "what");
	waiting = session->out.bytes;
	/* Its graph ends meanwhile, and is done. */
	fake_holds.closes = false;
	fake_pass(NS_PER_MS);
	ck_assert_uint_eq(session->n_graphs, 0);
	ck_assert_uint_eq(session->out.bytes, waiting);
	fake_holds.sends = false;
	fake_run();
	client_assert_heard(fd, "1:accepted error");
	front_world_end();
}
END_TEST

UNIT_MAIN("front/submission", &an_accepted_graph_s_jobs_are_counted,
	&a_graph_without_jobs_is_done_at_once, &a_refusal_says_all_that_is_wrong,
	&jobs_have_the_front_s_bound, &while_draining_every_graph_is_refused,
	&a_session_has_a_bound_on_its_graphs,
	&without_memory_a_graph_is_refused_as_overloaded,
	&a_record_is_followed_by_its_body_if_it_has_one, &a_job_without_a_response_has_no_payload,
	&a_large_body_is_handed_over_and_a_small_one_copied,
	&a_large_body_others_need_is_theirs_too, &a_graph_decided_early_says_so_before_it_is_done,
	&several_graphs_speak_under_their_own_numbers, &nothing_is_said_to_a_client_that_left)
