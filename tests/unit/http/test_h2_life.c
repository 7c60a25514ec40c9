/* SPDX-License-Identifier: MIT */

/*
 * Memory that runs out, anywhere, and what is kept from one request to the next.
 */

#include "http/h2_private.h"

#include "tests/unit/front/memory.h"
#include "tests/unit/http/h2_client.h"

/* Who only counts: nothing but h2 allocates. */
struct counter {
	struct h2_stream stream;
	struct h2_fault fault;
	unsigned n_heads, n_ends, n_resets;
};

static struct counter *counter_of(struct h2_stream *stream)
{
	return container_of(stream, struct counter, stream);
}

static void on_head(struct h2_stream *stream, const struct response_head *head)
{
	counter_of(stream)->n_heads++;
}

static void on_body(struct h2_stream *stream, const char *data, size_t size)
{
	h2_consume(stream, size);
}

static void on_end(struct h2_stream *stream)
{
	counter_of(stream)->n_ends++;
}

static void on_reset(struct h2_stream *stream, const struct h2_fault *fault)
{
	counter_of(stream)->n_resets++;
	counter_of(stream)->fault = *fault;
}

static const struct h2_stream_events events = {
	.on_head = on_head, .on_body = on_body, .on_end = on_end, .on_reset = on_reset};

/* SETTINGS, a PING, a GET's and a POST's response with many headers and a large body. */
static void write_responses(struct buffer *in)
{
	static const char zeros[16384];

	buffer_init(in, SIZE_MAX);
	frame(in, SETTINGS, 0, 0, TEXT(""));
	frame(in, SETTINGS, ACK, 0, TEXT(""));
	frame(in, PING, 0, 0, TEXT("12345678"));
	frame_headers(in, END_HEADERS, 1, ":status: 200\na: b\nc: d");
	for (unsigned i = 0; i < 40; i++)
		frame(in, DATA, 0, 1, (struct text){zeros, sizeof(zeros)});
	frame(in, DATA, END_STREAM, 1, TEXT(""));
	frame_headers(in, END, 3,
		":status: 200\n1: b\n2: d\n3: f\n4: h\n5: j\n6: l\n7: n\n8: o\n"
		"9: b\n10: d\n11: f\n12: h\n13: j\n14: l\n15: n\n16: o\n17: p");
	frame_headers(in, END, 5, ":status: 200\n:status: 200");
}

/* Opens three and reads their responses, as far as it gets. */
static void live(struct h2 *h2, struct counter counters[3], struct text in, struct buffer *out)
{
	static const struct header header = {TEXT_INIT("x"), TEXT_INIT("y")};
	struct h2_request request = client_request("POST", "/");
	struct h2_fault fault;

	request.headers = &header;
	request.n_headers = 1;
	request.body = TEXT("a body");
	request.has_body = true;
	for (unsigned i = 0; i < 3 && h2_can_open(h2); i++) {
		if (h2_request(h2, &counters[i].stream, &request, &fault))
			continue;
		ck_assert_int_eq(fault.kind, H2_FAULT_MEMORY);
		counters[i].n_resets++;
		counters[i].fault = fault;
	}
	h2_output(h2, out);
	h2_feed(h2, in.data, in.size, CLIENT_SECOND);
	while (h2_wants_output(h2) && h2_output(h2, out))
		;
	h2_feed_end(h2);
}

START_TEST(tells_everybody_when_memory_runs_out)
{
	struct buffer in;
	unsigned n, n_failed = 0;

	write_responses(&in);
	for (n = 0;; n++) {
		struct counter counters[3] = {0};
		struct buffer out;
		struct h2 *h2;
		bool has_failed;

		buffer_init(&out, SIZE_MAX);
		for (unsigned i = 0; i < 3; i++)
			h2_stream_init(&counters[i].stream, &events);
		memory_fail_after(n);
		h2 = h2_new(CLIENT_SECOND, 0);
		if (h2)
			live(h2, counters, buffer_text(&in), &out);
		has_failed = memory_has_failed();
		for (unsigned i = 0; i < 3 && h2; i++) {
			ck_assert(!h2_is_under_way(&counters[i].stream));
			ck_assert_int_le(counters[i].n_ends + counters[i].n_resets, 1);
			if (counters[i].n_resets && counters[i].fault.kind == H2_FAULT_MEMORY)
				n_failed++;
			h2_stream_deinit(&counters[i].stream);
		}
		h2_free(h2);
		buffer_deinit(&out);
		if (has_failed)
			continue;
		ck_assert_int_eq(counters[0].n_ends, 1);
		ck_assert_int_eq(counters[1].n_ends, 1);
		ck_assert_int_eq(counters[2].fault.kind, H2_FAULT_PARSE);
		break;
	}
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_gt(n_failed, 20);
	buffer_deinit(&in);
}
END_TEST

/* At every size of the bound on nghttp2's memory. */
START_TEST(tells_everybody_when_the_connection_may_have_no_more)
{
	struct buffer in;
	struct h2 *h2 = h2_new(CLIENT_SECOND, 0);
	size_t used = h2->memory.used;

	h2_free(h2);
	write_responses(&in);
	for (size_t more = 0; more < 8192; more += 8) {
		struct counter counters[3] = {0};
		struct buffer out;

		h2 = h2_new(CLIENT_SECOND, 0);
		h2->memory.used_max = used + more;
		buffer_init(&out, SIZE_MAX);
		for (unsigned i = 0; i < 3; i++)
			h2_stream_init(&counters[i].stream, &events);
		live(h2, counters, buffer_text(&in), &out);
		for (unsigned i = 0; i < 3; i++)
			h2_stream_deinit(&counters[i].stream);
		h2_free(h2);
		buffer_deinit(&out);
	}
	buffer_deinit(&in);
}
END_TEST

START_TEST(ends_where_the_output_has_no_room)
{
	for (size_t size = 0; size < 200; size++) {
		struct counter counter = {0};
		struct h2_request request = client_request("GET", "/");
		struct h2_fault fault;
		struct h2 *h2 = h2_new(CLIENT_SECOND, 0);
		struct buffer out;

		h2_stream_init(&counter.stream, &events);
		buffer_init(&out, size);
		ck_assert(h2_request(h2, &counter.stream, &request, &fault));
		if (!h2_output(h2, &out)) {
			ck_assert_int_eq(counter.n_resets, 1);
			ck_assert_int_eq(counter.fault.kind, H2_FAULT_MEMORY);
		} else {
			ck_assert_uint_gt(size, 60);
		}
		h2_feed_end(h2);
		ck_assert_int_eq(counter.n_resets, 1);
		h2_free(h2);
		h2_stream_deinit(&counter.stream);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(gives_the_memory_of_a_large_head_back)
{
	struct client client;
	struct buffer lines;
	size_t small;

	client_init(&client);
	frame(&client.in, SETTINGS, 0, 0, TEXT(""));
	client_open_get(&client, 0);
	client_output(&client);
	buffer_init(&lines, SIZE_MAX);
	buffer_append_literal(&lines, ":status: 200");
	for (unsigned i = 0; i < 400; i++)
		buffer_printf(&lines, "\nheader-%u: and its value", i);
	buffer_append_byte(&lines, '\0');
	frame_headers(&client.in, END, 1, lines.data);
	client_turn(&client);
	ck_assert_uint_eq(client.streams[0].shown.n_headers, 400);
	ck_assert_uint_gt(client.streams[0].stream.head.capacity, 8192);
	h2_stream_rest(&client.streams[0].stream);
	ck_assert_uint_eq(client.streams[0].stream.head.capacity, 0);
	ck_assert_uint_eq(client.streams[0].stream.headers.capacity, 0);
	/* A small one's is kept. */
	client.streams[0].n_heads = 0;
	client.streams[0].n_ends = 0;
	client_open_get(&client, 0);
	client_output(&client);
	frame_headers(&client.in, END, 3, ":status: 200\na: b");
	client_turn(&client);
	small = client.streams[0].stream.head.capacity;
	h2_stream_rest(&client.streams[0].stream);
	ck_assert_uint_gt(small, 0);
	ck_assert_uint_eq(client.streams[0].stream.head.capacity, small);
	buffer_deinit(&lines);
	client_deinit(&client);
}
END_TEST

START_TEST(takes_nothing)
{
	ck_assert_ptr_null(h2_free(NULL));
}
END_TEST

UNIT_MAIN("http/h2_life", &tells_everybody_when_memory_runs_out,
	&tells_everybody_when_the_connection_may_have_no_more, &ends_where_the_output_has_no_room,
	&gives_the_memory_of_a_large_head_back, &takes_nothing)
