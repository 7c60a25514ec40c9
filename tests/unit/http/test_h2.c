/* SPDX-License-Identifier: MIT */
#include "http/h2.h"

#include "tests/unit/http/h2_server.h"

static struct client client;
static struct server server;

static void begin(uint32_t streams_max)
{
	client_init(&client);
	server_init(&server, streams_max);
	server_talk(&server, &client);
}

static void end(void)
{
	client_deinit(&client);
	server_deinit(&server);
}

static struct server_stream *of_server(unsigned i)
{
	return server_stream_of(&server, (int32_t)(2 * i + 1));
}

START_TEST(says_what_it_takes)
{
	begin(100);
	ck_assert_uint_eq(
		nghttp2_session_get_remote_settings(server.session, NGHTTP2_SETTINGS_ENABLE_PUSH),
		0);
	ck_assert_uint_eq(nghttp2_session_get_remote_settings(
				  server.session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE),
		1024 * 1024);
	ck_assert_uint_eq(nghttp2_session_get_remote_settings(
				  server.session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE),
		256 * 1024);
	ck_assert_int_eq(nghttp2_session_get_remote_window_size(server.session), 16 * 1024 * 1024);
	ck_assert(!h2_wants_output(client.h2));
	end();
}
END_TEST

START_TEST(sends_fields_as_http_2_wants_them)
{
	static const struct header headers[] = {
		{TEXT_INIT("X-Mixed"), TEXT_INIT("Case")},
		{TEXT_INIT("Host"), TEXT_INIT("another.test")},
		{TEXT_INIT("connection"), TEXT_INIT("keep-alive")},
		{TEXT_INIT("Authorization"), TEXT_INIT("Basic eDp5")},
		{TEXT_INIT("cookie"), TEXT_INIT("a=b")},
		{TEXT_INIT("proxy-Authorization"), TEXT_INIT("c")},
		{TEXT_INIT("te"), TEXT_INIT("trailers")},
		{TEXT_INIT("Transfer-Encoding"), TEXT_INIT("chunked")},
		{TEXT_INIT("upgrade"), TEXT_INIT("h2c")},
		{TEXT_INIT("keep-alive"), TEXT_INIT("5")},
		{TEXT_INIT("proxy-connection"), TEXT_INIT("close")},
		{TEXT_INIT("content-length"), TEXT_INIT("7")},
		{TEXT_INIT("x-empty"), TEXT_INIT("")},
	};
	struct h2_request request = client_request("GET", "/hello?x=y");

	begin(100);
	request.headers = headers;
	request.n_headers = countof(headers);
	client_open(&client, 0, &request);
	server_talk(&server, &client);
	ck_assert(text_is(buffer_text(&of_server(0)->head),
		":method: GET\n:scheme: https\n:authority: a.test\n:path: /hello?x=y\n"
		"x-mixed: Case\n!authorization: Basic eDp5\n!cookie: a=b\n"
		"!proxy-authorization: c\nx-empty: \n"));
	end();
}
END_TEST

START_TEST(says_how_long_a_body_is)
{
	static const struct {
		const char *method;
		const char *body;
		bool pulls;
		uint64_t pull_size;
		const char *length;
	} bodies[] = {
		{"GET", NULL, false, 0, NULL},
		{"DELETE", NULL, false, 0, NULL},
		{"POST", NULL, false, 0, "0"},
		{"PUT", NULL, false, 0, "0"},
		{"GET", "", false, 0, "0"},
		{"POST", "", false, 0, "0"},
		{"GET", "four", false, 0, "4"},
		{"POST", "four", false, 0, "4"},
		{"POST", "four", true, 4, "4"},
		{"POST", "four", true, H2_LENGTH_OPEN, NULL},
		{"GET", "", true, 0, "0"},
	};

	begin(100);
	for (unsigned i = 0; i < countof(bodies); i++) {
		struct h2_request request = client_request(bodies[i].method, "/hello");
		struct client_stream *stream = &client.streams[0];
		struct buffer expected;

		buffer_init(&expected, SIZE_MAX);
		buffer_printf(&expected,
			":method: %s\n:scheme: https\n:authority: a.test\n"
			":path: /hello\n",
			bodies[i].method);
		if (bodies[i].length)
			buffer_printf(&expected, "content-length: %s\n", bodies[i].length);
		request.pulls = bodies[i].pulls;
		request.pull_size = bodies[i].pull_size;
		request.has_body = bodies[i].body && !bodies[i].pulls;
		if (request.has_body)
			request.body = text_from(bodies[i].body);
		if (request.pulls)
			stream->pull_piece = text_from(bodies[i].body);
		stream->pull = H2_PULL_LAST;
		stream->n_heads = 0;
		stream->n_ends = 0;
		client_open(&client, 0, &request);
		server_talk(&server, &client);
		ck_assert_int_eq(stream->n_ends, 1);
		ck_assert_int_eq(h2_sent(&stream->stream), H2_SENT_FULL);
		ck_assert(text_equal(buffer_text(&of_server(i)->head), buffer_text(&expected)));
		ck_assert(text_is(
			buffer_text(&of_server(i)->body), bodies[i].body ? bodies[i].body : ""));
		ck_assert_uint_eq(h2_body_sent(&stream->stream), of_server(i)->body.size);
		buffer_deinit(&expected);
	}
	end();
}
END_TEST

START_TEST(shows_heads_and_bodies)
{
	static const struct {
		const char *method;
		const char *target;
		const char *head;
		const char *body;
		enum body_framing framing;
		uint64_t length;
	} responses[] = {
		{"GET", "/hello", "200\nserver: test\ncontent-length: 5\n", "hello", BODY_LENGTH,
			5},
		{"HEAD", "/hello", "200\nserver: test\ncontent-length: 5\n", "", BODY_NONE, 0},
		{"GET", "/0", "200\nserver: test\n", "", BODY_NONE, 0},
		{"GET", "/status/204", "204\nserver: test\n", "", BODY_NONE, 0},
		{"GET", "/status/304", "304\nserver: test\n", "", BODY_NONE, 0},
		{"GET", "/status/999", "999\nserver: test\n", "", BODY_NONE, 0},
	};

	for (size_t i = 0; i < countof(responses); i++) {
		struct h2_request request =
			client_request(responses[i].method, responses[i].target);

		begin(100);
		client_open(&client, 0, &request);
		server_talk(&server, &client);
		client_expect_end(&client, 0, responses[i].head, responses[i].body);
		ck_assert_int_eq(client.streams[0].shown.framing, responses[i].framing);
		ck_assert_uint_eq(client.streams[0].shown.length, responses[i].length);
		ck_assert_int_eq(client.streams[0].shown.version_major, 2);
		ck_assert_int_eq(client.streams[0].shown.version_minor, 0);
		end();
	}
}
END_TEST

/* A response cut in two at each byte, by what was sent of three streams at once. */
static void replay(struct text sent, size_t cut)
{
	struct h2_request request = client_request("GET", "/hello");
	struct h2_request head = client_request("HEAD", "/hello");
	struct h2_request empty = client_request("GET", "/0");

	client_init(&client);
	client_open(&client, 0, &request);
	client_open(&client, 1, &head);
	client_open(&client, 2, &empty);
	client_output(&client);
	client_feed(&client, (struct text){sent.data, cut});
	ck_assert(client.is_alive);
	client_output(&client);
	client_feed(&client, text_from_at(sent, cut));
	ck_assert(client.is_alive);
	client_expect_end(&client, 0, "200\nserver: test\ncontent-length: 5\n", "hello");
	client_expect_end(&client, 1, "200\nserver: test\ncontent-length: 5\n", "");
	client_expect_end(&client, 2, "200\nserver: test\n", "");
	client_deinit(&client);
}

START_TEST(reads_responses_however_they_are_cut)
{
	struct h2_request request = client_request("GET", "/hello");
	struct h2_request head = client_request("HEAD", "/hello");
	struct h2_request empty = client_request("GET", "/0");
	struct text sent;

	begin(100);
	client_open(&client, 0, &request);
	client_open(&client, 1, &head);
	client_open(&client, 2, &empty);
	server_talk(&server, &client);
	client_deinit(&client);
	sent = buffer_text(&server.sent);
	ck_assert_uint_gt(sent.size, 80);
	for (size_t cut = 0; cut <= sent.size; cut++)
		replay(sent, cut);
	server_deinit(&server);
}
END_TEST

START_TEST(puts_all_that_is_ready_into_one_buffer)
{
	static struct client_stream many[64];
	struct h2_request request = client_request("GET", "/hello");
	struct h2_fault fault;

	begin(100);
	for (size_t i = 0; i < countof(many); i++) {
		h2_stream_init(&many[i].stream, &client_events);
		buffer_init(&many[i].head, SIZE_MAX);
		buffer_init(&many[i].body, SIZE_MAX);
		ck_assert(h2_request(client.h2, &many[i].stream, &request, &fault));
	}
	ck_assert(h2_output(client.h2, &client.out));
	ck_assert(!h2_wants_output(client.h2));
	/* All headers but the first's are in the peer's table. */
	ck_assert_uint_lt(client.out.size, 64 * 24);
	server_talk(&server, &client);
	for (size_t i = 0; i < countof(many); i++) {
		ck_assert_int_eq(many[i].n_ends, 1);
		ck_assert(text_is(buffer_text(&many[i].body), "hello"));
		h2_stream_deinit(&many[i].stream);
		buffer_deinit(&many[i].head);
		buffer_deinit(&many[i].body);
	}
	end();
}
END_TEST

START_TEST(keeps_to_the_peers_limit_of_streams)
{
	begin(2);
	client_open_get(&client, 0);
	ck_assert(h2_can_open(client.h2));
	client_open_get(&client, 1);
	ck_assert(!h2_can_open(client.h2));
	ck_assert(h2_is_usable(client.h2));
	server_talk(&server, &client);
	ck_assert(h2_can_open(client.h2));
	client_open_get(&client, 2);
	server_talk(&server, &client);
	ck_assert_int_eq(client.streams[2].n_ends, 1);
	end();
}
END_TEST

/* Another connection of the same peer may have been allowed more. */
START_TEST(opens_no_more_than_100_until_the_peer_has_said)
{
	static const uint32_t told[] = {0, 3, 99, 100, 101, 1000, UINT32_MAX};
	static const uint32_t taken[] = {100, 3, 99, 100, 100, 100, 100};

	for (unsigned i = 0; i < countof(told); i++) {
		struct h2 *h2 = h2_new(0, told[i]);

		ck_assert_ptr_nonnull(h2);
		ck_assert_uint_eq(h2_streams_max(h2), taken[i]);
		h2_free(h2);
	}
}
END_TEST

START_TEST(refuses_headers_that_are_too_large)
{
	static char value[256 * 1024];
	struct header header = {TEXT_INIT("x"), {value, 0}};
	struct h2_request request = client_request("GET", "/hello");
	struct h2_fault fault;

	begin(100);
	memset(value, 'v', sizeof(value));
	request.headers = &header;
	request.n_headers = 1;
	header.value.size = sizeof(value) - 512;
	client_open(&client, 0, &request);
	client_output(&client);
	ck_assert_int_eq(h2_sent(&client.streams[0].stream), H2_SENT_FULL);
	header.value.size = sizeof(value);
	ck_assert(!h2_request(client.h2, &client.streams[1].stream, &request, &fault));
	ck_assert_int_eq(fault.kind, H2_FAULT_REQUEST_TOO_LARGE);
	ck_assert(!h2_is_under_way(&client.streams[1].stream));
	ck_assert_uint_eq(h2_n_streams(client.h2), 1);
	end();
}
END_TEST

START_TEST(sends_many_headers)
{
	static struct header headers[300];
	struct h2_request request = client_request("GET", "/hello");

	begin(100);
	for (size_t i = 0; i < countof(headers); i++)
		headers[i] = (struct header){TEXT_INIT("x"), TEXT_INIT("y")};
	request.headers = headers;
	request.n_headers = countof(headers);
	client_open(&client, 0, &request);
	server_talk(&server, &client);
	ck_assert_uint_gt(of_server(0)->head.size, 300 * strlen("x: y\n"));
	ck_assert_int_eq(client.streams[0].n_ends, 1);
	end();
}
END_TEST

/* The next one begins where the one before it ends, on the same stream; and another where a body
 * comes. */
static void open_next(struct h2_stream *stream)
{
	struct h2_request request = client_request("GET", "/0");
	struct h2_fault fault;

	client_on_end(stream);
	client_stream_of(stream)->n_heads = 0;
	client_stream_of(stream)->n_ends = 0;
	if (++client_stream_of(stream)->n_pulls < 10)
		ck_assert(h2_request(client.h2, stream, &request, &fault));
}

static void open_another(struct h2_stream *stream, const char *data, size_t size)
{
	client_on_body(stream, data, size);
	client_open_get(&client, 1);
}

START_TEST(opens_streams_in_upcalls)
{
	static const struct h2_stream_events events = {
		.on_head = client_on_head,
		.on_body = open_another,
		.on_end = open_next,
		.on_reset = client_on_reset,
	};
	struct h2_request request = client_request("GET", "/hello");

	begin(2);
	client.streams[0].stream.events = &events;
	client_open(&client, 0, &request);
	server_talk(&server, &client);
	ck_assert_int_eq(client.streams[0].n_pulls, 10);
	ck_assert_int_eq(client.streams[1].n_ends, 1);
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	end();
}
END_TEST

UNIT_MAIN("http/h2", &says_what_it_takes, &sends_fields_as_http_2_wants_them,
	&says_how_long_a_body_is, &shows_heads_and_bodies, &reads_responses_however_they_are_cut,
	&puts_all_that_is_ready_into_one_buffer, &keeps_to_the_peers_limit_of_streams,
	&opens_no_more_than_100_until_the_peer_has_said, &refuses_headers_that_are_too_large,
	&sends_many_headers, &opens_streams_in_upcalls)
