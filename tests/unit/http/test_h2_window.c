/* SPDX-License-Identifier: MIT */

/*
 * Bodies and their windows, both ways.
 */

#include "tests/unit/http/h2_server.h"

#define MIB ((size_t)1024 * 1024)

static struct client client;
static struct server server;

static void begin(void)
{
	client_init(&client);
	server_init(&server, 100);
	server_talk(&server, &client);
}

static void end(void)
{
	client_deinit(&client);
	server_deinit(&server);
}

static void get(unsigned i, const char *target)
{
	struct h2_request request = client_request("GET", target);

	client_open(&client, i, &request);
}

START_TEST(reads_a_body_larger_than_all_windows)
{
	begin();
	get(0, "/40000000");
	server_talk(&server, &client);
	ck_assert_int_eq(client.streams[0].n_ends, 1);
	ck_assert_uint_eq(client.streams[0].body.size, 40000000);
	end();
}
END_TEST

/* H7. */
START_TEST(holds_up_who_is_not_read_and_nobody_else)
{
	struct client_stream *slow = &client.streams[0];

	begin();
	slow->keeps = true;
	get(0, "/5000000");
	get(1, "/40000000");
	get(2, "/3000000");
	server_talk(&server, &client);
	ck_assert_uint_eq(slow->body.size, MIB);
	ck_assert_int_eq(slow->n_ends, 0);
	ck_assert_int_eq(client.streams[1].n_ends, 1);
	ck_assert_int_eq(client.streams[2].n_ends, 1);
	/* Half a window is opened at once, less is not worth a frame. */
	h2_consume(&slow->stream, MIB / 4);
	server_talk(&server, &client);
	ck_assert_uint_eq(slow->body.size, MIB);
	h2_consume(&slow->stream, MIB / 4);
	server_talk(&server, &client);
	ck_assert_uint_eq(slow->body.size, MIB + MIB / 2);
	slow->keeps = false;
	h2_consume(&slow->stream, MIB);
	server_talk(&server, &client);
	ck_assert_int_eq(slow->n_ends, 1);
	ck_assert_uint_eq(slow->body.size, 5000000);
	/* Of a stream that is over: nothing. */
	h2_consume(&slow->stream, MIB);
	end();
}
END_TEST

START_TEST(holds_up_many_without_holding_up_one)
{
	static struct client_stream many[40];
	struct h2_request request = client_request("GET", "/2000000");
	struct h2_fault fault;

	begin();
	for (size_t i = 0; i < countof(many); i++) {
		h2_stream_init(&many[i].stream, &client_events);
		buffer_init(&many[i].head, SIZE_MAX);
		buffer_init(&many[i].body, SIZE_MAX);
		many[i].keeps = true;
		ck_assert(h2_request(client.h2, &many[i].stream, &request, &fault));
	}
	server_talk(&server, &client);
	get(0, "/hello");
	server_talk(&server, &client);
	ck_assert_int_eq(client.streams[0].n_ends, 1);
	for (size_t i = 0; i < countof(many); i++) {
		ck_assert_uint_eq(many[i].body.size, MIB);
		h2_cancel(&many[i].stream);
		h2_stream_deinit(&many[i].stream);
		buffer_deinit(&many[i].head);
		buffer_deinit(&many[i].body);
	}
	server_talk(&server, &client);
	end();
}
END_TEST

static struct buffer body_of(size_t size)
{
	struct buffer body;

	buffer_init(&body, SIZE_MAX);
	ck_assert(buffer_reserve(&body, size));
	for (size_t i = 0; i < size; i++)
		body.data[i] = (char)(i * 7 + i / 251);
	body.size = size;
	return body;
}

START_TEST(sends_a_body_larger_than_all_windows)
{
	struct h2_request request = client_request("POST", "/echo");
	struct buffer body = body_of(3 * MIB + 1);

	begin();
	request.body = buffer_text(&body);
	request.has_body = true;
	client_open(&client, 0, &request);
	client_output(&client);
	ck_assert_int_eq(h2_sent(&client.streams[0].stream), H2_SENT_PARTIAL);
	server_talk(&server, &client);
	ck_assert_int_eq(client.streams[0].n_ends, 1);
	ck_assert_int_eq(h2_sent(&client.streams[0].stream), H2_SENT_FULL);
	ck_assert_uint_eq(h2_body_sent(&client.streams[0].stream), body.size);
	ck_assert(text_equal(buffer_text(&client.streams[0].body), buffer_text(&body)));
	buffer_deinit(&body);
	end();
}
END_TEST

/* Some 64 KiB at a time, however large the windows. */
START_TEST(puts_out_a_large_body_in_portions)
{
	struct h2_request request = client_request("POST", "/echo");
	struct buffer body = body_of(3 * MIB);

	client_init(&client);
	frame_setting(&client.in, 4, 0x7fffffff);
	frame_u32(&client.in, WINDOW_UPDATE, 0, 0, 0x7fff0000);
	client_turn(&client);
	request.body = buffer_text(&body);
	request.has_body = true;
	client_open(&client, 0, &request);
	while (h2_sent(&client.streams[0].stream) != H2_SENT_FULL) {
		size_t before = client.out.size;

		ck_assert(h2_wants_output(client.h2));
		ck_assert(h2_output(client.h2, &client.out));
		ck_assert_uint_gt(client.out.size, before);
		ck_assert_uint_le(client.out.size - before, 64 * 1024 + 16384 + 2 * 9);
	}
	ck_assert(!h2_wants_output(client.h2));
	buffer_deinit(&body);
	client_deinit(&client);
}
END_TEST

/* H6: nothing spins, and a reset goes out all the same. */
START_TEST(waits_for_a_window_that_never_opens)
{
	struct h2_request request = client_request("POST", "/echo");
	struct buffer body = body_of(MIB);

	begin();
	server.stalls = true;
	request.body = buffer_text(&body);
	request.has_body = true;
	client_open(&client, 0, &request);
	client_open(&client, 1, &request);
	server_talk(&server, &client);
	ck_assert_uint_eq(
		h2_body_sent(&client.streams[0].stream) + h2_body_sent(&client.streams[1].stream),
		65535);
	/* Both have their turns. */
	ck_assert_uint_gt(h2_body_sent(&client.streams[1].stream), 16384);
	ck_assert(!h2_wants_output(client.h2));
	get(2, "/hello");
	h2_cancel(&client.streams[0].stream);
	server_talk(&server, &client);
	ck_assert(server_stream_of(&server, 1)->is_reset);
	ck_assert_uint_eq(server_stream_of(&server, 1)->code, CANCEL);
	client_expect_end(&client, 2, "200\nserver: test\ncontent-length: 5\n", "hello");
	buffer_deinit(&body);
	end();
}
END_TEST

START_TEST(pulls_a_body_when_there_is_some)
{
	struct h2_request request = client_request("POST", "/echo");
	struct client_stream *stream = &client.streams[0];

	begin();
	request.pulls = true;
	request.pull_size = H2_LENGTH_OPEN;
	stream->pull = H2_PULL_LATER;
	client_open(&client, 0, &request);
	/* Not put off yet: nothing. */
	h2_resume(&stream->stream);
	server_talk(&server, &client);
	ck_assert_int_eq(stream->n_pulls, 1);
	ck_assert(!h2_wants_output(client.h2));
	stream->pull = H2_PULL_MORE;
	stream->pull_piece = TEXT("first, ");
	h2_resume(&stream->stream);
	ck_assert(h2_wants_output(client.h2));
	server_talk(&server, &client);
	ck_assert(text_is(buffer_text(&server_stream_of(&server, 1)->body), "first, "));
	ck_assert_int_eq(stream->n_ends, 0);
	stream->pull = H2_PULL_LAST;
	stream->pull_piece = TEXT("last");
	h2_resume(&stream->stream);
	server_talk(&server, &client);
	client_expect_end(&client, 0, "200\nserver: test\ncontent-length: 11\n", "first, last");
	end();
}
END_TEST

START_TEST(ends_an_upload_with_the_response)
{
	struct h2_request request = client_request("POST", "/status/413");

	begin();
	request.pulls = true;
	request.pull_size = 1000;
	client.streams[0].pull = H2_PULL_LATER;
	client_open(&client, 0, &request);
	server_talk(&server, &client);
	client_expect_end(&client, 0, "413\nserver: test\n", "");
	ck_assert_int_eq(h2_sent(&client.streams[0].stream), H2_SENT_PARTIAL);
	ck_assert(server_stream_of(&server, 1)->is_reset);
	ck_assert_uint_eq(server_stream_of(&server, 1)->code, CANCEL);
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	end();
}
END_TEST

START_TEST(has_the_stream_for_the_next_request)
{
	struct client_stream *stream = &client.streams[0];

	begin();
	for (unsigned i = 0; i < 100; i++) {
		get(0, i % 3 == 0 ? "/hello" : "/10000");
		server_talk(&server, &client);
		ck_assert_int_eq(stream->n_ends, 1);
		/* The head's views are still there. */
		ck_assert(text_is(stream->shown.headers[0].name, "server"));
		ck_assert(text_is(stream->shown.headers[0].value, "test"));
		h2_stream_rest(&stream->stream);
		stream->n_heads = 0;
		stream->n_ends = 0;
	}
	end();
}
END_TEST

UNIT_MAIN("http/h2_window", &reads_a_body_larger_than_all_windows,
	&holds_up_who_is_not_read_and_nobody_else, &holds_up_many_without_holding_up_one,
	&sends_a_body_larger_than_all_windows, &puts_out_a_large_body_in_portions,
	&waits_for_a_window_that_never_opens, &pulls_a_body_when_there_is_some,
	&ends_an_upload_with_the_response, &has_the_stream_for_the_next_request)
