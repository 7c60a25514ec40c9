/* SPDX-License-Identifier: MIT */

/*
 * Frames made by hand: what no server of a library would send.
 */

#include "tests/unit/http/h2_client.h"

#define OK ":status: 200\n"
#define BYTES(literal)                                                                             \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

/* Two streams, 1 and 3, and the peer's first SETTINGS. */
static void begin(struct client *client)
{
	client_init(client);
	client_open_get(client, 0);
	client_open_get(client, 1);
	client_output(client);
	frame(&client->in, SETTINGS, 0, 0, TEXT(""));
	frame(&client->in, SETTINGS, ACK, 0, TEXT(""));
	client_turn(client);
	ck_assert(client->is_alive);
}

/* A stream that is at fault harms no other. */
static void expect_bystander(struct client *client)
{
	frame_headers(&client->in, END, 3, OK "who: bystander");
	client_turn(client);
	ck_assert(client->is_alive);
	client_expect_end(client, 1, "200\nwho: bystander\n", "");
	ck_assert_uint_eq(h2_n_streams(client->h2), 0);
}

/* A response of one head, and perhaps one DATA frame that ends it, that must not pass. */
static const struct {
	const char *head;
	uint8_t flags;
	const char *data;
	enum h2_fault_kind kind;
} test_malformed[] = {
	/* H10: heads. */
	{"a: b", END, NULL, H2_FAULT_PARSE},
	{"", END, NULL, H2_FAULT_PARSE},
	{":status: 200\n:status: 200", END, NULL, H2_FAULT_PARSE},
	{":status: 099", END, NULL, H2_FAULT_PARSE},
	{":status: 000", END, NULL, H2_FAULT_PARSE},
	{":status: 20", END, NULL, H2_FAULT_PARSE},
	{":status: 2000", END, NULL, H2_FAULT_PARSE},
	{":status: 2x0", END, NULL, H2_FAULT_PARSE},
	{":status: 101", END_HEADERS, NULL, H2_FAULT_PARSE},
	{"a: b\n:status: 200", END, NULL, H2_FAULT_PARSE},
	{":status: 200\n:path: /", END, NULL, H2_FAULT_PARSE},
	{":status: 200\n:x: y", END, NULL, H2_FAULT_PARSE},
	{OK "Upper: x", END, NULL, H2_FAULT_PARSE},
	{OK "sp ace: x", END, NULL, H2_FAULT_PARSE},
	{OK "a:  leads with a space", END, NULL, H2_FAULT_PARSE},
	{OK "a: ends with one ", END, NULL, H2_FAULT_PARSE},
	{OK "a: x\ry", END, NULL, H2_FAULT_PARSE},
	{OK "a: \x01", END, NULL, H2_FAULT_PARSE},
	{OK "connection: close", END, NULL, H2_FAULT_PARSE},
	{OK "keep-alive: 5", END, NULL, H2_FAULT_PARSE},
	{OK "proxy-connection: close", END, NULL, H2_FAULT_PARSE},
	{OK "transfer-encoding: chunked", END_HEADERS, NULL, H2_FAULT_PARSE},
	{OK "upgrade: h2c", END, NULL, H2_FAULT_PARSE},
	{OK "te: gzip", END, NULL, H2_FAULT_PARSE},
	/* Lengths. */
	{OK "content-length: 5\ncontent-length: 5", END_HEADERS, NULL, H2_FAULT_PARSE},
	{OK "content-length: -5", END_HEADERS, NULL, H2_FAULT_PARSE},
	{OK "content-length: 5, 5", END_HEADERS, NULL, H2_FAULT_PARSE},
	{OK "content-length: 99999999999999999999", END_HEADERS, NULL, H2_FAULT_PARSE},
	{OK "content-length: 9223372036854775807", END, NULL, H2_FAULT_FRAMING},
	{OK "content-length: 5", END, NULL, H2_FAULT_FRAMING},
	{OK "content-length: 5", END_HEADERS, "four", H2_FAULT_FRAMING},
	{OK "content-length: 3", END_HEADERS, "four", H2_FAULT_FRAMING},
	{OK "content-length: 0", END_HEADERS, "four", H2_FAULT_FRAMING},
	{":status: 204", END_HEADERS, "four", H2_FAULT_FRAMING},
	{":status: 204\ncontent-length: 4", END_HEADERS, "four", H2_FAULT_PARSE},
	{":status: 304\ncontent-length: 4", END_HEADERS, "four", H2_FAULT_FRAMING},
	/* H12. */
	{":status: 100", END, NULL, H2_FAULT_PARSE},
	{":status: 103", END_HEADERS, "four", H2_FAULT_PARSE},
	{":status: 103\ncontent-length: 0", END_HEADERS, NULL, H2_FAULT_PARSE},
};

static void be_malformed(size_t i)
{
	struct client client;

	begin(&client);
	frame_headers(&client.in, test_malformed[i].flags, 1, test_malformed[i].head);
	if (test_malformed[i].data)
		frame(&client.in, DATA, END_STREAM, 1, text_from(test_malformed[i].data));
	client_turn(&client);
	client_expect_reset(&client, 0, test_malformed[i].kind, PROTOCOL_ERROR);
	ck_assert(!client.streams[0].fault.is_unprocessed);
	client_expect_sent_code(&client, RST_STREAM, 1, PROTOCOL_ERROR);
	expect_bystander(&client);
	client_deinit(&client);
}

START_TEST(refuses_malformed_responses)
{
	for (size_t i = 0; i < countof(test_malformed); i++)
		be_malformed(i);
}
END_TEST

/* What the peer sends next, that ends the connection with our code. */
static const struct {
	uint8_t type;
	uint8_t flags;
	uint32_t id;
	struct text payload;
	uint32_t code;
} test_violations[] = {
	/* H9: no push was wanted. */
	{PUSH_PROMISE, END_HEADERS, 1, BYTES("\0\0\0\2\x82\x84\x87"), PROTOCOL_ERROR},
	/* H11: sizes. */
	{SETTINGS, 0, 0, BYTES("\0\1\0\0\0"), FRAME_SIZE_ERROR},
	{SETTINGS, ACK, 0, BYTES("\0\1\0\0\0\0"), FRAME_SIZE_ERROR},
	{PING, 0, 0, BYTES("1234567"), FRAME_SIZE_ERROR},
	{PRIORITY, 0, 1, BYTES("1234"), FRAME_SIZE_ERROR},
	{RST_STREAM, 0, 1, BYTES("\0\0\0"), FRAME_SIZE_ERROR},
	{WINDOW_UPDATE, 0, 0, BYTES("\0\0\0\1\0"), FRAME_SIZE_ERROR},
	{GOAWAY, 0, 0, BYTES("\0\0\0\0"), FRAME_SIZE_ERROR},
	/* Streams. */
	{DATA, 0, 0, BYTES("x"), PROTOCOL_ERROR},
	{DATA, 0, 5, BYTES("x"), PROTOCOL_ERROR},
	{DATA, 0, 2, BYTES("x"), PROTOCOL_ERROR},
	{DATA, 0, 1, BYTES("before the head"), PROTOCOL_ERROR},
	{HEADERS, END, 0, BYTES("\x88"), PROTOCOL_ERROR},
	{HEADERS, END, 2, BYTES("\x88"), PROTOCOL_ERROR},
	{HEADERS, END, 5, BYTES("\x88"), PROTOCOL_ERROR},
	{RST_STREAM, 0, 0, BYTES("\0\0\0\1"), PROTOCOL_ERROR},
	{RST_STREAM, 0, 5, BYTES("\0\0\0\1"), PROTOCOL_ERROR},
	{WINDOW_UPDATE, 0, 5, BYTES("\0\0\0\1"), PROTOCOL_ERROR},
	{SETTINGS, 0, 1, BYTES(""), PROTOCOL_ERROR},
	{PING, 0, 1, BYTES("12345678"), PROTOCOL_ERROR},
	{GOAWAY, 0, 1, BYTES("\0\0\0\0\0\0\0\0"), PROTOCOL_ERROR},
	{GOAWAY, 0, 0, BYTES("\0\0\0\2\0\0\0\0"), PROTOCOL_ERROR},
	{CONTINUATION, END_HEADERS, 1, BYTES("\x88"), PROTOCOL_ERROR},
	/* Windows. */
	{WINDOW_UPDATE, 0, 0, BYTES("\0\0\0\0"), PROTOCOL_ERROR},
	{WINDOW_UPDATE, 0, 1, BYTES("\0\0\0\0"), PROTOCOL_ERROR},
	{WINDOW_UPDATE, 0, 0, BYTES("\x7f\xff\xff\xff"), FLOW_CONTROL_ERROR},
	{SETTINGS, 0, 0, BYTES("\0\4\x80\0\0\0"), FLOW_CONTROL_ERROR},
	/* Settings. */
	{SETTINGS, 0, 0, BYTES("\0\2\0\0\0\1"), PROTOCOL_ERROR},
	{SETTINGS, 0, 0, BYTES("\0\5\0\0\0\0"), PROTOCOL_ERROR},
	{SETTINGS, ACK, 0, BYTES(""), PROTOCOL_ERROR},
	/* HPACK: an index that is not there, and a string that ends too early. */
	{HEADERS, END, 1, BYTES("\xff\x7f"), COMPRESSION_ERROR},
	{HEADERS, END, 1, BYTES("\x88\0\5ab"), COMPRESSION_ERROR},
	{HEADERS, END, 1, BYTES("\x3f\xff\xff\x7f"), COMPRESSION_ERROR},
	/* Padding. */
	{DATA, PADDED, 1, BYTES(""), PROTOCOL_ERROR},
	{HEADERS, END | PADDED, 1, BYTES("\5\x88"), PROTOCOL_ERROR},
};

static void violate(size_t i)
{
	struct client client;

	begin(&client);
	frame(&client.in, test_violations[i].type, test_violations[i].flags, test_violations[i].id,
		test_violations[i].payload);
	/* Not looked at any more. */
	frame_headers(&client.in, END, 1, OK "too: late");
	client_turn(&client);
	client_expect_failed(&client, H2_FAULT_CONNECTION, test_violations[i].code);
	client_expect_reset(&client, 0, H2_FAULT_CONNECTION, test_violations[i].code);
	client_expect_reset(&client, 1, H2_FAULT_CONNECTION, test_violations[i].code);
	ck_assert(!client.streams[0].fault.is_unprocessed);
	client_expect_sent_code(&client, GOAWAY, 0, test_violations[i].code);
	client_deinit(&client);
}

START_TEST(ends_a_connection_that_breaks_the_rules)
{
	for (size_t i = 0; i < countof(test_violations); i++)
		violate(i);
}
END_TEST

START_TEST(finds_fault_after_a_goaway_too)
{
	struct client client;

	begin(&client);
	frame_goaway(&client.in, 3, NO_ERROR);
	frame(&client.in, PING, 0, 1, TEXT("12345678"));
	client_turn(&client);
	client_expect_failed(&client, H2_FAULT_CONNECTION, PROTOCOL_ERROR);
	client_expect_reset(&client, 0, H2_FAULT_CONNECTION, PROTOCOL_ERROR);
	client_deinit(&client);
}
END_TEST

START_TEST(knows_another_protocol_by_its_first_bytes)
{
	static const struct text others[] = {
		TEXT_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"),
		TEXT_INIT("\0\0\x8\6\0\0\0\0\0"
			  "12345678"),
		TEXT_INIT("\0\0\0\4\1\0\0\0\0"),
		TEXT_INIT("SSH-2.0-OpenSSH_9.2"),
	};

	for (size_t i = 0; i < countof(others); i++) {
		struct client client;

		client_init(&client);
		client_open_get(&client, 0);
		client_feed(&client, (struct text){others[i].data, 8});
		ck_assert(client.is_alive);
		client_feed(&client, text_from_at(others[i], 8));
		client_expect_failed(&client, H2_FAULT_CONNECTION, PROTOCOL_ERROR);
		client_expect_reset(&client, 0, H2_FAULT_CONNECTION, PROTOCOL_ERROR);
		/* It was never put out. */
		ck_assert(client.streams[0].fault.is_unprocessed);
		ck_assert_str_eq(
			client.streams[0].fault.why, "the peer does not begin with HTTP/2");
		client_deinit(&client);
	}
}
END_TEST

/* H11: what RFC 9113 says is to be ignored. */
START_TEST(ignores_what_is_to_be_ignored)
{
	struct client client;

	begin(&client);
	frame(&client.in, 0x42, 0xff, 1, TEXT("an unknown type"));
	frame(&client.in, 0xa, 0, 0, TEXT("\0\0ALTSVC"));
	frame_setting(&client.in, 0x4242, 7);
	/* The reserved bit. */
	frame(&client.in, PING, 0, 0x80000000, TEXT("12345678"));
	frame(&client.in, PRIORITY, 0, 9, TEXT("\0\0\0\0\x10"));
	frame_headers(&client.in, 0xd2 | END, 1, OK "a: b");
	client_turn(&client);
	/* Of a stream that is over. */
	frame_u32(&client.in, WINDOW_UPDATE, 0, 1, 1);
	frame_u32(&client.in, RST_STREAM, 0, 1, CANCEL);
	frame(&client.in, DATA, 0, 1, TEXT("too late"));
	frame_headers(&client.in, END, 1, OK "too: late");
	client_turn(&client);
	client_expect_end(&client, 0, "200\na: b\n", "");
	ck_assert_uint_eq(client_n_sent(&client, PING, 0, NULL), 1);
	expect_bystander(&client);
	client_deinit(&client);
}
END_TEST

START_TEST(drops_interim_heads_and_trailers)
{
	struct client client;

	begin(&client);
	frame_headers(&client.in, END_HEADERS, 1, ":status: 100");
	frame_headers(&client.in, END_HEADERS, 1, ":status: 103\nlink: </x>");
	client_turn(&client);
	ck_assert(h2_has_begun(&client.streams[0].stream));
	ck_assert(!h2_has_begun(&client.streams[1].stream));
	ck_assert_int_eq(client.streams[0].n_heads, 0);
	frame_headers(&client.in, END_HEADERS, 1, OK "a: b\nset-cookie: c\nset-cookie: d");
	frame(&client.in, DATA, 0, 1, TEXT("body"));
	frame_headers(&client.in, END, 1, "digest: x\netag: y");
	client_turn(&client);
	client_expect_end(&client, 0, "200\na: b\nset-cookie: c\nset-cookie: d\n", "body");
	expect_bystander(&client);
	client_deinit(&client);
}
END_TEST

START_TEST(refuses_bad_trailers)
{
	static const struct {
		const char *trailer;
		uint8_t flags;
		enum h2_fault_kind kind;
	} trailers[] = {
		{":status: 200", END, H2_FAULT_PARSE},
		{"a: b\n:path: /", END, H2_FAULT_PARSE},
		{"connection: close", END, H2_FAULT_PARSE},
		{"a: b", END_HEADERS, H2_FAULT_PARSE},
		/* The length of the head, 9, was not kept. */
		{"a: b", END, H2_FAULT_FRAMING},
	};

	for (size_t i = 0; i < countof(trailers); i++) {
		struct client client;

		begin(&client);
		frame_headers(&client.in, END_HEADERS, 1, OK "content-length: 9");
		frame(&client.in, DATA, 0, 1, TEXT("body"));
		frame_headers(&client.in, trailers[i].flags, 1, trailers[i].trailer);
		client_turn(&client);
		client_expect_reset(&client, 0, trailers[i].kind, PROTOCOL_ERROR);
		expect_bystander(&client);
		client_deinit(&client);
	}
}
END_TEST

/* H8 and H10: after END_STREAM, while our side is over too, and while it is not. */
START_TEST(refuses_what_comes_after_the_end)
{
	struct h2_request request = client_request("POST", "/");
	struct client client;

	begin(&client);
	request.pulls = true;
	request.pull_size = H2_LENGTH_OPEN;
	client.streams[2].pull = H2_PULL_LATER;
	client_open(&client, 2, &request);
	client_output(&client);
	/* In one piece, before our reset of the upload is out. */
	frame_headers(&client.in, END, 5, OK);
	frame(&client.in, DATA, 0, 5, TEXT("more"));
	client_turn(&client);
	client_expect_end(&client, 2, "200\n", "");
	client_expect_failed(&client, H2_FAULT_CONNECTION, STREAM_CLOSED);
	client_deinit(&client);
}
END_TEST

/* H2. */
static void feed_fields(struct client *client, unsigned n, size_t size, uint8_t flags)
{
	struct buffer value, block;

	buffer_init(&value, SIZE_MAX);
	buffer_init(&block, SIZE_MAX);
	for (size_t i = 0; i < size; i++)
		buffer_append_byte(&value, 'v');
	buffer_append_byte(&block, (char)0x88);
	/* With incremental indexing once, then the entry of the table again and again. */
	buffer_append(&block, "\x40\x0aset-cookie", 12);
	hpack_length(&block, size);
	buffer_append_text(&block, buffer_text(&value));
	for (unsigned i = 1; i < n; i++)
		buffer_append_byte(&block, (char)(0x80 | 62));
	ck_assert_uint_le(block.size, 16384);
	frame(&client->in, HEADERS, flags, 1, buffer_text(&block));
	client_turn(client);
	buffer_deinit(&value);
	buffer_deinit(&block);
}

START_TEST(bounds_heads_by_their_fields_and_their_size)
{
	static const struct {
		unsigned n;
		size_t size;
		bool fits;
	} heads[] = {
		{100, 600, true},
		{1000, 100, true},
		{1001, 1, false},
		/* With 10 bytes of name and 32 of overhead: 62 times 4090 is less than 256 KiB. */
		{60, 3900, true},
		{65, 4000, false},
		{12000, 4000, false},
	};

	for (size_t i = 0; i < countof(heads); i++) {
		struct client client;

		begin(&client);
		feed_fields(&client, heads[i].n, heads[i].size, END);
		if (heads[i].fits) {
			ck_assert_int_eq(client.streams[0].n_ends, 1);
			ck_assert_uint_eq(client.streams[0].shown.n_headers, heads[i].n);
		} else {
			client_expect_reset(
				&client, 0, H2_FAULT_HEADERS_TOO_LARGE, ENHANCE_YOUR_CALM);
			client_expect_sent_code(&client, RST_STREAM, 1, ENHANCE_YOUR_CALM);
		}
		expect_bystander(&client);
		client_deinit(&client);
	}
}
END_TEST

START_TEST(takes_64_kib_of_one_field)
{
	struct client client;
	struct buffer value, block;
	struct text rest;

	begin(&client);
	buffer_init(&value, SIZE_MAX);
	buffer_init(&block, SIZE_MAX);
	for (size_t i = 0; i < 65536 - 32; i++)
		buffer_append_byte(&value, 'v');
	buffer_append_byte(&block, (char)0x88);
	hpack_field(&block, TEXT("x"), buffer_text(&value));
	rest = text_from_at(buffer_text(&block), 16384);
	frame(&client.in, HEADERS, END_STREAM, 1, (struct text){block.data, 16384});
	while (rest.size > 16384) {
		frame(&client.in, CONTINUATION, 0, 1, (struct text){rest.data, 16384});
		rest = text_from_at(rest, 16384);
	}
	frame(&client.in, CONTINUATION, END_HEADERS, 1, rest);
	client_turn(&client);
	ck_assert_int_eq(client.streams[0].n_ends, 1);
	ck_assert(text_equal(client.streams[0].shown.headers[0].value, buffer_text(&value)));
	expect_bystander(&client);
	buffer_deinit(&value);
	buffer_deinit(&block);
	client_deinit(&client);
}
END_TEST

START_TEST(counts_interim_heads_and_trailers_with_the_head)
{
	for (unsigned n = 949; n <= 950; n++) {
		struct client client;
		struct buffer lines;

		begin(&client);
		buffer_init(&lines, SIZE_MAX);
		for (unsigned i = 0; i < 50; i++)
			frame_headers(&client.in, END_HEADERS, 1, ":status: 103\na: b");
		frame_headers(&client.in, END_HEADERS, 1, OK "a: b");
		for (unsigned i = 0; i < n; i++)
			buffer_append_literal(&lines, "a: b\n");
		buffer_append_byte(&lines, '\0');
		frame_headers(&client.in, END, 1, lines.data);
		client_turn(&client);
		ck_assert_int_eq(client.streams[0].n_heads, 1);
		ck_assert_int_eq(client.streams[0].n_ends, n == 949);
		if (n == 950)
			client_expect_reset(
				&client, 0, H2_FAULT_HEADERS_TOO_LARGE, ENHANCE_YOUR_CALM);
		expect_bystander(&client);
		buffer_deinit(&lines);
		client_deinit(&client);
	}
}
END_TEST

/* H12. */
START_TEST(takes_50_interim_heads_and_no_more)
{
	struct client client;

	begin(&client);
	for (unsigned i = 0; i < 51; i++)
		frame_headers(&client.in, END_HEADERS, 1, ":status: 100");
	client_turn(&client);
	client_expect_reset(&client, 0, H2_FAULT_HEADERS_TOO_LARGE, ENHANCE_YOUR_CALM);
	expect_bystander(&client);
	client_deinit(&client);
}
END_TEST

/* H1. */
START_TEST(takes_eight_continuations_and_no_more)
{
	for (unsigned n = 8; n <= 9; n++) {
		struct client client;

		begin(&client);
		frame(&client.in, HEADERS, END_STREAM, 1, TEXT("\x88"));
		for (unsigned i = 1; i < n; i++)
			frame(&client.in, CONTINUATION, 0, 1, TEXT(""));
		frame(&client.in, CONTINUATION, END_HEADERS, 1, TEXT(""));
		client_turn(&client);
		if (n == 8) {
			client_expect_end(&client, 0, "200\n", "");
			expect_bystander(&client);
		} else {
			client_expect_failed(&client, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
			client_expect_sent_code(&client, GOAWAY, 0, ENHANCE_YOUR_CALM);
		}
		client_deinit(&client);
	}
}
END_TEST

UNIT_MAIN("http/h2_frames", &refuses_malformed_responses, &ends_a_connection_that_breaks_the_rules,
	&finds_fault_after_a_goaway_too, &knows_another_protocol_by_its_first_bytes,
	&ignores_what_is_to_be_ignored, &drops_interim_heads_and_trailers, &refuses_bad_trailers,
	&refuses_what_comes_after_the_end, &bounds_heads_by_their_fields_and_their_size,
	&takes_64_kib_of_one_field, &counts_interim_heads_and_trailers_with_the_head,
	&takes_50_interim_heads_and_no_more, &takes_eight_continuations_and_no_more)
