/* SPDX-License-Identifier: MIT */

/*
 * Peers that send more than they should.
 */

#include "tests/unit/http/h2_client.h"

#define OK ":status: 200\n"

static void begin(struct client *client)
{
	client_init(client);
	client_open_get(client, 0);
	client_open_get(client, 1);
	client_output(client);
	frame(&client->in, SETTINGS, 0, 0, TEXT(""));
	frame(&client->in, SETTINGS, ACK, 0, TEXT(""));
	frame_headers(&client->in, END_HEADERS, 1, OK);
	client_turn(client);
	ck_assert(client->is_alive);
}

/* Frames that bring nothing. */
static const struct {
	uint8_t type;
	uint8_t flags;
	uint32_t id;
	struct text payload;
} test_idle[] = {
	{PING, 0, 0, TEXT_INIT("12345678")},
	{PING, ACK, 0, TEXT_INIT("12345678")},
	{SETTINGS, 0, 0, TEXT_INIT("")},
	/* Table sizes and windows that go up and down. */
	{SETTINGS, 0, 0, TEXT_INIT("\0\1\0\0\0\0\0\1\xff\xff\xff\xff\0\1\0\0\0\0\0\1\0\0\1\0")},
	{SETTINGS, 0, 0, TEXT_INIT("\0\4\x7f\xff\xff\xff\0\4\0\0\0\0\0\4\0\0\xff\xff")},
	{DATA, 0, 1, TEXT_INIT("")},
	{DATA, 0, 1, TEXT_INIT("x")},
	{DATA, PADDED, 1,
		TEXT_INIT("\7"
			  "1234567")},
	{DATA, 0, 3, TEXT_INIT("")},
	{PRIORITY, 0, 1, TEXT_INIT("\0\0\0\3\x10")},
	{PRIORITY, 0, 77, TEXT_INIT("\0\0\0\1\x10")},
	{WINDOW_UPDATE, 0, 1, TEXT_INIT("\0\0\0\1")},
	{WINDOW_UPDATE, 0, 0, TEXT_INIT("\0\0\0\1")},
	{0x42, 0, 0, TEXT_INIT("")},
	{0x42, 0, 1, TEXT_INIT("unknown")},
};

static void flood(size_t i)
{
	struct client client;
	unsigned n;

	begin(&client);
	/* The second stream is over: RST_STREAM and DATA for it are ignored. */
	frame_headers(&client.in, END, 3, OK);
	for (n = 0; n < 15000 && client.is_alive; n += 100) {
		for (unsigned j = 0; j < 100; j++)
			frame(&client.in, test_idle[i].type, test_idle[i].flags, test_idle[i].id,
				test_idle[i].payload);
		client_turn(&client);
	}
	ck_assert_uint_gt(n, 9000);
	client_expect_failed(&client, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
	client_expect_reset(&client, 0, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
	client_expect_sent_code(&client, GOAWAY, 0, ENHANCE_YOUR_CALM);
	client_deinit(&client);
}

/* H3, H4, H5. */
START_TEST(ends_a_flood_of_frames_that_bring_nothing)
{
	for (size_t i = 0; i < countof(test_idle); i++)
		flood(i);
}
END_TEST

START_TEST(ends_a_storm_of_resets)
{
	struct client client;
	unsigned n;

	begin(&client);
	frame_headers(&client.in, END, 3, OK);
	for (n = 0; n < 15000 && client.is_alive; n += 100) {
		for (unsigned j = 0; j < 100; j++)
			frame_u32(&client.in, RST_STREAM, 0, 3, CANCEL);
		client_turn(&client);
	}
	ck_assert_uint_gt(n, 9000);
	client_expect_end(&client, 1, "200\n", "");
	client_expect_failed(&client, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
	client_deinit(&client);
}
END_TEST

/* H2: blocks that are decoded though nobody asks for them. */
START_TEST(ends_a_flood_of_heads_for_a_stream_that_is_over)
{
	struct client client;
	struct buffer block;
	unsigned n;

	begin(&client);
	frame_headers(&client.in, END, 3, OK);
	client_turn(&client);
	buffer_init(&block, SIZE_MAX);
	for (unsigned i = 0; i < 16384; i++)
		buffer_append_byte(&block, (char)0x88);
	for (n = 0; n < 1000 && client.is_alive; n++) {
		frame(&client.in, HEADERS, END, 3, buffer_text(&block));
		client_turn(&client);
	}
	ck_assert_uint_lt(n, 50);
	client_expect_failed(&client, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
	buffer_deinit(&block);
	client_deinit(&client);
}
END_TEST

START_TEST(bears_with_many_small_frames_that_bring_something)
{
	struct client client;
	unsigned n_bytes = 0;

	begin(&client);
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned j = 0; j < 100; j++)
			frame(&client.in, DATA, 0, 1, TEXT("data: 42\n"));
		n_bytes += 900;
		client_turn(&client);
		ck_assert(client.is_alive);
	}
	frame(&client.in, DATA, END_STREAM, 1, TEXT(""));
	client_turn(&client);
	ck_assert_int_eq(client.streams[0].n_ends, 1);
	ck_assert_uint_eq(client.streams[0].body.size, n_bytes);
	client_deinit(&client);
}
END_TEST

START_TEST(answers_pings_for_as_long_as_it_lives)
{
	struct client client;

	begin(&client);
	for (unsigned i = 0; i < 30000; i++) {
		client.now_ns += CLIENT_SECOND / 300;
		frame(&client.in, PING, 0, 0, TEXT("12345678"));
		client_turn(&client);
		ck_assert(client.is_alive);
	}
	ck_assert_uint_eq(client_n_sent(&client, PING, 0, NULL), 30000);
	client_deinit(&client);
}
END_TEST

/* H4: while nothing can be sent. */
START_TEST(keeps_1000_acknowledgements_and_no_more)
{
	struct client client;

	begin(&client);
	for (unsigned i = 0; i < 1000; i++)
		frame(&client.in, PING, 0, 0, TEXT("12345678"));
	client_feed(&client, buffer_text(&client.in));
	ck_assert(client.is_alive);
	buffer_clear(&client.in);
	frame(&client.in, PING, 0, 0, TEXT("12345678"));
	client_turn(&client);
	client_expect_failed(&client, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
	client_expect_sent_code(&client, GOAWAY, 0, ENHANCE_YOUR_CALM);
	client_deinit(&client);
}
END_TEST

/* H3. */
START_TEST(takes_32_settings_at_once_and_no_more)
{
	for (unsigned n = 32; n <= 33; n++) {
		struct client client;

		begin(&client);
		frame_head(&client.in, n * 6, SETTINGS, 0, 0);
		for (unsigned i = 0; i < n; i++)
			buffer_append(&client.in, "\x42\x42\0\0\0\0", 6);
		client_turn(&client);
		ck_assert(client.is_alive == (n == 32));
		if (n == 33)
			client_expect_failed(&client, H2_FAULT_CONNECTION, ENHANCE_YOUR_CALM);
		client_deinit(&client);
	}
}
END_TEST

START_TEST(ends_a_frame_that_is_too_large_at_its_head)
{
	struct client client;

	begin(&client);
	frame_head(&client.in, 16385, DATA, 0, 1);
	client_turn(&client);
	client_expect_failed(&client, H2_FAULT_CONNECTION, FRAME_SIZE_ERROR);
	client_deinit(&client);
}
END_TEST

START_TEST(resets_a_stream_whose_window_overflows)
{
	struct client client;

	begin(&client);
	frame_u32(&client.in, WINDOW_UPDATE, 0, 1, 0x7fffffff);
	client_turn(&client);
	client_expect_reset(&client, 0, H2_FAULT_STREAM, FLOW_CONTROL_ERROR);
	client_expect_sent_code(&client, RST_STREAM, 1, FLOW_CONTROL_ERROR);
	ck_assert(client.is_alive);
	client_deinit(&client);
}
END_TEST

static void feed_data(struct client *client, uint32_t id, size_t size)
{
	static const char zeros[16384];

	while (size > 0) {
		size_t step = size < sizeof(zeros) ? size : sizeof(zeros);

		frame(&client->in, DATA, 0, id, (struct text){zeros, step});
		size -= step;
	}
	client_turn(client);
}

START_TEST(resets_a_stream_that_overruns_its_window)
{
	struct client client;

	begin(&client);
	client.streams[0].keeps = true;
	feed_data(&client, 1, 1024 * 1024);
	ck_assert_int_eq(client.streams[0].n_resets, 0);
	feed_data(&client, 1, 1);
	client_expect_reset(&client, 0, H2_FAULT_STREAM, FLOW_CONTROL_ERROR);
	client_expect_sent_code(&client, RST_STREAM, 1, FLOW_CONTROL_ERROR);
	/* What is still on the way is dropped, and its windows are opened again. */
	for (unsigned i = 0; i < 5; i++) {
		feed_data(&client, 1, 8 * 1024 * 1024);
		ck_assert(client.is_alive);
	}
	ck_assert_uint_le(client.streams[0].body.size, 1024 * 1024 + 1);
	client_deinit(&client);
}
END_TEST

START_TEST(ends_a_connection_whose_window_is_overrun)
{
	struct client client;

	begin(&client);
	/* Fed in one go, without our WINDOW_UPDATEs having been sent. */
	client.streams[0].keeps = true;
	feed_data(&client, 1, 33 * 1024 * 1024);
	client_expect_failed(&client, H2_FAULT_CONNECTION, FLOW_CONTROL_ERROR);
	client_deinit(&client);
}
END_TEST

/* H3: no stream is allowed, and then some are. */
START_TEST(waits_while_no_stream_is_allowed)
{
	struct client client;

	client_init(&client);
	ck_assert(h2_can_open(client.h2));
	frame_setting(&client.in, 3, 0);
	client_turn(&client);
	ck_assert(!h2_can_open(client.h2));
	ck_assert(h2_is_usable(client.h2));
	ck_assert(!h2_wants_output(client.h2));
	frame_setting(&client.in, 3, 2);
	client_turn(&client);
	client_open_get(&client, 0);
	client_open_get(&client, 1);
	ck_assert(!h2_can_open(client.h2));
	/* Fewer than are open: those that are not out must wait, one after the other. */
	frame_setting(&client.in, 3, 1);
	client_turn(&client);
	ck_assert_uint_eq(client_n_sent(&client, HEADERS, 1, NULL), 1);
	ck_assert_uint_eq(client_n_sent(&client, HEADERS, 3, NULL), 0);
	ck_assert_int_eq(h2_sent(&client.streams[1].stream), H2_SENT_NONE);
	ck_assert(!h2_wants_output(client.h2));
	frame_headers(&client.in, END, 1, OK);
	client_turn(&client);
	ck_assert_uint_eq(client_n_sent(&client, HEADERS, 3, NULL), 1);
	ck_assert(!h2_can_open(client.h2));
	frame_headers(&client.in, END, 3, OK);
	client_turn(&client);
	client_expect_end(&client, 1, "200\n", "");
	ck_assert(h2_can_open(client.h2));
	client_deinit(&client);
}
END_TEST

UNIT_MAIN("http/h2_flood", &ends_a_flood_of_frames_that_bring_nothing, &ends_a_storm_of_resets,
	&ends_a_flood_of_heads_for_a_stream_that_is_over,
	&bears_with_many_small_frames_that_bring_something, &answers_pings_for_as_long_as_it_lives,
	&keeps_1000_acknowledgements_and_no_more, &takes_32_settings_at_once_and_no_more,
	&ends_a_frame_that_is_too_large_at_its_head, &resets_a_stream_whose_window_overflows,
	&resets_a_stream_that_overruns_its_window, &ends_a_connection_whose_window_is_overrun,
	&waits_while_no_stream_is_allowed)
