/* SPDX-License-Identifier: MIT */

/*
 * How streams and connections end before their time: resets, GOAWAY, closed connections.
 */

#include "http/h2_private.h"

#include "tests/unit/http/h2_client.h"

#define OK ":status: 200\n"

/* Four streams, 1 to 7; the last is not put out. */
static void begin(struct client *client)
{
	client_init(client);
	for (unsigned i = 0; i < 3; i++)
		client_open_get(client, i);
	client_output(client);
	frame(&client->in, SETTINGS, 0, 0, TEXT(""));
	frame(&client->in, SETTINGS, ACK, 0, TEXT(""));
	client_turn(client);
	client_open_get(client, 3);
	ck_assert(client->is_alive);
}

static void expect_unprocessed(const struct client *client, unsigned i, bool is_unprocessed)
{
	ck_assert(client->streams[i].fault.is_unprocessed == is_unprocessed);
}

/* H15, and any other code. */
START_TEST(says_whether_a_reset_stream_was_processed)
{
	static const struct {
		uint32_t code;
		bool has_head;
		enum h2_fault_kind kind;
		bool is_unprocessed;
	} resets[] = {
		{REFUSED_STREAM, false, H2_FAULT_REFUSED, true},
		{REFUSED_STREAM, true, H2_FAULT_STREAM, false},
		{HTTP_1_1_REQUIRED, false, H2_FAULT_HTTP_1_1, true},
		{HTTP_1_1_REQUIRED, true, H2_FAULT_STREAM, false},
		{NO_ERROR, false, H2_FAULT_STREAM, false},
		{NO_ERROR, true, H2_FAULT_STREAM, false},
		{CANCEL, false, H2_FAULT_STREAM, false},
		{INTERNAL_ERROR, true, H2_FAULT_STREAM, false},
		{ENHANCE_YOUR_CALM, false, H2_FAULT_STREAM, false},
		{0xff, false, H2_FAULT_STREAM, false},
	};

	for (size_t i = 0; i < countof(resets); i++) {
		struct client client;

		begin(&client);
		if (resets[i].has_head)
			frame_headers(&client.in, END_HEADERS, 1, OK);
		frame_u32(&client.in, RST_STREAM, 0, 1, resets[i].code);
		frame_headers(&client.in, END, 3, OK);
		client_turn(&client);
		client_expect_reset(&client, 0, resets[i].kind, resets[i].code);
		expect_unprocessed(&client, 0, resets[i].is_unprocessed);
		client_expect_end(&client, 1, "200\n", "");
		ck_assert(h2_can_open(client.h2));
		ck_assert_uint_eq(h2_n_streams(client.h2), 2);
		client_deinit(&client);
	}
}
END_TEST

START_TEST(names_codes)
{
	ck_assert_str_eq(h2_code_name(REFUSED_STREAM), "REFUSED_STREAM");
	ck_assert_str_eq(h2_code_name(0xffffffff), "unknown");
}
END_TEST

/* H8: streams up to the last id go on, those above were not seen; nothing new. */
START_TEST(tells_streams_above_a_goaway_that_they_were_not_seen)
{
	struct client client;

	begin(&client);
	frame_goaway(&client.in, 3, ENHANCE_YOUR_CALM);
	client_turn(&client);
	ck_assert(client.is_alive);
	ck_assert(!h2_can_open(client.h2));
	ck_assert(!h2_is_usable(client.h2));
	client_expect_reset(&client, 2, H2_FAULT_GOAWAY, ENHANCE_YOUR_CALM);
	client_expect_reset(&client, 3, H2_FAULT_GOAWAY, ENHANCE_YOUR_CALM);
	expect_unprocessed(&client, 2, true);
	expect_unprocessed(&client, 3, true);
	ck_assert_uint_eq(client_n_sent(&client, HEADERS, 7, NULL), 0);
	ck_assert_uint_eq(h2_n_streams(client.h2), 2);
	frame_headers(&client.in, END, 1, OK);
	frame_headers(&client.in, END_HEADERS, 3, OK);
	client_turn(&client);
	client_expect_end(&client, 0, "200\n", "");
	ck_assert_int_eq(client.streams[1].n_resets, 0);
	frame(&client.in, DATA, END_STREAM, 3, TEXT("all"));
	client_turn(&client);
	client_expect_end(&client, 1, "200\n", "all");
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	client_deinit(&client);
}
END_TEST

START_TEST(goes_away_in_two_steps)
{
	struct client client;

	begin(&client);
	frame_goaway(&client.in, 0x7fffffff, NO_ERROR);
	client_turn(&client);
	/* What was not out is told at once; what was may still be seen. */
	client_expect_reset(&client, 3, H2_FAULT_GOAWAY, NO_ERROR);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(client.streams[i].n_resets, 0);
	frame_goaway(&client.in, 1, NO_ERROR);
	client_turn(&client);
	client_expect_reset(&client, 1, H2_FAULT_GOAWAY, NO_ERROR);
	client_expect_reset(&client, 2, H2_FAULT_GOAWAY, NO_ERROR);
	ck_assert_int_eq(client.streams[0].n_resets, 0);
	/* Not up again. */
	frame_goaway(&client.in, 3, NO_ERROR);
	client_turn(&client);
	client_expect_failed(&client, H2_FAULT_CONNECTION, PROTOCOL_ERROR);
	client_expect_reset(&client, 0, H2_FAULT_CONNECTION, PROTOCOL_ERROR);
	client_deinit(&client);
}
END_TEST

START_TEST(goes_away_abruptly)
{
	struct client client;

	begin(&client);
	frame_headers(&client.in, END_HEADERS, 1, OK);
	frame_goaway(&client.in, 0, INTERNAL_ERROR);
	frame_u32(&client.in, RST_STREAM, 0, 1, REFUSED_STREAM);
	frame_u32(&client.in, RST_STREAM, 0, 5, CANCEL);
	client_feed(&client, buffer_text(&client.in));
	/* The first was seen: there is a response. */
	client_expect_reset(&client, 0, H2_FAULT_CONNECTION, INTERNAL_ERROR);
	expect_unprocessed(&client, 0, false);
	for (unsigned i = 1; i < 4; i++) {
		client_expect_reset(&client, i, H2_FAULT_GOAWAY, INTERNAL_ERROR);
		expect_unprocessed(&client, i, true);
	}
	client_output(&client);
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	client_deinit(&client);
}
END_TEST

START_TEST(goes_away_while_nothing_is_under_way)
{
	struct client client;

	client_init(&client);
	frame(&client.in, SETTINGS, 0, 0, TEXT(""));
	frame_goaway(&client.in, 0, NO_ERROR);
	client_turn(&client);
	ck_assert(!h2_is_usable(client.h2));
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	client_deinit(&client);
}
END_TEST

START_TEST(is_told_to_use_http_1_1)
{
	struct client client;

	begin(&client);
	frame_goaway(&client.in, 0, HTTP_1_1_REQUIRED);
	client_turn(&client);
	for (unsigned i = 0; i < 4; i++) {
		client_expect_reset(&client, i, H2_FAULT_HTTP_1_1, HTTP_1_1_REQUIRED);
		expect_unprocessed(&client, i, true);
	}
	client_deinit(&client);
}
END_TEST

/* H11: in the middle of a frame; with a GOAWAY before; twice. */
START_TEST(tells_all_streams_when_the_connection_is_closed)
{
	for (unsigned goes_away = 0; goes_away < 2; goes_away++) {
		struct client client;

		begin(&client);
		if (goes_away)
			frame_goaway(&client.in, 5, CONNECT_ERROR);
		frame_headers(&client.in, END, 1, OK);
		frame_headers(&client.in, END_HEADERS, 3, OK);
		frame(&client.in, DATA, END_STREAM, 3, TEXT("whole"));
		client.in.size -= 1;
		client_feed(&client, buffer_text(&client.in));
		h2_feed_end(client.h2);
		h2_feed_end(client.h2);
		client_expect_end(&client, 0, "200\n", "");
		for (unsigned i = 1; i < 3; i++) {
			client_expect_reset(&client, i, H2_FAULT_CONNECTION,
				goes_away ? CONNECT_ERROR : NO_ERROR);
			expect_unprocessed(&client, i, false);
		}
		ck_assert_int_eq(client.streams[3].n_resets, 1);
		expect_unprocessed(&client, 3, true);
		ck_assert(!h2_wants_output(client.h2));
		ck_assert(!h2_feed(client.h2, "x", 1, client.now_ns));
		ck_assert(!h2_output(client.h2, &client.out));
		client_deinit(&client);
	}
}
END_TEST

/* H13. */
START_TEST(opens_nothing_when_its_ids_are_used_up)
{
	struct client client;

	client_init(&client);
	frame(&client.in, SETTINGS, 0, 0, TEXT(""));
	client_turn(&client);
	ck_assert_int_eq(nghttp2_session_set_next_stream_id(client.h2->session, 0x7ffffffd), 0);
	client_open_get(&client, 0);
	ck_assert(h2_is_usable(client.h2));
	client_open_get(&client, 1);
	ck_assert(!h2_is_usable(client.h2));
	ck_assert(!h2_can_open(client.h2));
	client_output(&client);
	ck_assert(client.is_alive);
	frame_headers(&client.in, END, 0x7ffffffd, OK);
	frame_headers(&client.in, END, 0x7fffffff, OK);
	client_turn(&client);
	client_expect_end(&client, 0, "200\n", "");
	client_expect_end(&client, 1, "200\n", "");
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	client_deinit(&client);
}
END_TEST

START_TEST(opens_no_more_than_1000)
{
	static struct h2_stream streams[1001];
	struct h2_request request = client_request("GET", "/");
	struct h2_fault fault;
	struct client client;
	unsigned n;

	client_init(&client);
	frame(&client.in, SETTINGS, 0, 0, TEXT(""));
	client_turn(&client);
	for (n = 0; n < countof(streams) && h2_can_open(client.h2); n++) {
		h2_stream_init(&streams[n], &client_events);
		ck_assert(h2_request(client.h2, &streams[n], &request, &fault));
	}
	ck_assert_uint_eq(n, 1000);
	client_output(&client);
	for (unsigned i = 0; i < n; i++) {
		h2_cancel(&streams[i]);
		h2_stream_deinit(&streams[i]);
	}
	ck_assert(!h2_can_open(client.h2));
	client_output(&client);
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	client_deinit(&client);
}
END_TEST

/* Cancelling. */

START_TEST(cancels_before_it_was_sent)
{
	struct client client;

	begin(&client);
	h2_cancel(&client.streams[3].stream);
	h2_cancel(&client.streams[3].stream);
	ck_assert(!h2_is_under_way(&client.streams[3].stream));
	client_output(&client);
	ck_assert_uint_eq(client_n_sent(&client, HEADERS, 7, NULL), 0);
	ck_assert_uint_eq(client_n_sent(&client, RST_STREAM, 7, NULL), 0);
	ck_assert_uint_eq(h2_n_streams(client.h2), 3);
	ck_assert_int_eq(client.streams[3].n_resets, 0);
	client_deinit(&client);
}
END_TEST

START_TEST(cancels_and_harms_no_other)
{
	struct client client;

	begin(&client);
	client.streams[1].cancels = CLIENT_CANCEL_ON_HEAD;
	client.streams[2].cancels = CLIENT_CANCEL_ON_BODY;
	h2_cancel(&client.streams[0].stream);
	for (uint32_t id = 1; id <= 5; id += 2) {
		frame_headers(&client.in, END_HEADERS, id, OK);
		frame(&client.in, DATA, 0, id, TEXT("a body"));
		frame(&client.in, DATA, END_STREAM, id, TEXT("more"));
	}
	client_turn(&client);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(client.streams[i].n_heads, i > 0);
		ck_assert_int_eq(client.streams[i].n_bodies, i > 1);
		ck_assert_int_eq(client.streams[i].n_ends + client.streams[i].n_resets, 0);
		client_expect_sent_code(&client, RST_STREAM, 2 * i + 1, CANCEL);
	}
	frame_headers(&client.in, END, 7, OK);
	client_turn(&client);
	client_expect_end(&client, 3, "200\n", "");
	ck_assert_uint_eq(h2_n_streams(client.h2), 0);
	client_deinit(&client);
}
END_TEST

START_TEST(cancels_what_is_over_without_a_word)
{
	struct client client;

	begin(&client);
	client.streams[0].cancels = CLIENT_CANCEL_ON_HEAD;
	frame_headers(&client.in, END, 1, OK);
	client_turn(&client);
	ck_assert_int_eq(client.streams[0].n_heads, 1);
	ck_assert_int_eq(client.streams[0].n_ends, 0);
	ck_assert_uint_eq(client_n_sent(&client, RST_STREAM, 1, NULL), 0);
	client_deinit(&client);
}
END_TEST

/* One that is told its end cancels another that is to be told, too. */
static struct client *ender;

static void end_all(struct h2_stream *stream, const struct h2_fault *fault)
{
	ck_assert_int_eq(fault->kind, H2_FAULT_GOAWAY);
	client_stream_of(stream)->n_resets++;
	h2_cancel(&ender->streams[1].stream);
	h2_cancel(&ender->streams[2].stream);
	ck_assert(!h2_can_open(ender->h2));
	ck_assert(!h2_is_usable(ender->h2));
	ck_assert(!h2_is_under_way(stream));
}

START_TEST(may_be_cancelled_by_another_that_ends)
{
	static const struct h2_stream_events events = {.on_head = client_on_head,
		.on_body = client_on_body,
		.on_end = client_on_end,
		.on_reset = end_all};
	struct client client;

	begin(&client);
	ender = &client;
	client.streams[3].stream.events = &events;
	frame_goaway(&client.in, 0, NO_ERROR);
	client_turn(&client);
	ck_assert_int_eq(client.streams[3].n_resets, 1);
	ck_assert_int_eq(client.streams[1].n_resets + client.streams[2].n_resets, 0);
	client_deinit(&client);
}
END_TEST

UNIT_MAIN("http/h2_end", &says_whether_a_reset_stream_was_processed, &names_codes,
	&tells_streams_above_a_goaway_that_they_were_not_seen, &goes_away_in_two_steps,
	&goes_away_abruptly, &goes_away_while_nothing_is_under_way, &is_told_to_use_http_1_1,
	&tells_all_streams_when_the_connection_is_closed, &opens_nothing_when_its_ids_are_used_up,
	&opens_no_more_than_1000, &cancels_before_it_was_sent, &cancels_and_harms_no_other,
	&cancels_what_is_over_without_a_word, &may_be_cancelled_by_another_that_ends)
