/* SPDX-License-Identifier: MIT */
#include "http/h2_private.h"

#include <stdlib.h>

#include "util/container.h"
#include "util/panic.h"

/*
 * nghttp2 knows the protocol: frames, HPACK, states of streams, windows, and what a response must
 * look like. What is added here is what it leaves to its user: limits, back-pressure, who is told
 * what, and whether a request that failed may be sent again.
 *
 * A stream is in one of two lists. While it is live, nghttp2 knows it by its id. What ends it,
 * whoever says so, goes through h2_finish(): nghttp2 forgets it (so nothing of it is ever touched
 * by a frame that comes late), and it waits to be told. That is done when nghttp2 has returned,
 * so its user may do as it likes: open streams, cancel others, let the stream go.
 *
 * A connection fails in one place, h2_fail(), with nghttp2 at rest. Our GOAWAY is kept, nghttp2
 * is freed, and all streams are finished with the same reason; from there on nothing can go wrong
 * any more. When nghttp2 itself finds the peer to be at fault it does not return an error: it
 * puts a GOAWAY into its output and ignores what comes. So the output is looked at.
 *
 * Windows. 1 MiB for a stream: at 50 ms of round trip that is 20 MB/s of one body, and as much as
 * a reader that stands still has to be kept. The connection's is 16 MiB, so that it does not
 * bind before a handful of streams do, and is opened as soon as bytes come: one limit for all
 * streams would let those who do not read hold up those who do, who may be waiting for them.
 */

#define H2_STREAM_WINDOW     (1024 * 1024)
#define H2_CONNECTION_WINDOW (16 * 1024 * 1024)

#define H2_STREAMS_MAX 1000
/* Before the peer has said. There is no limit then (RFC 9113 5.1.2), but most say that one, and it
 * is the least that is recommended (6.5.2): what is beyond it would be refused. */
#define H2_STREAMS_UNSAID 100

#define H2_CONTINUATIONS_MAX H2_METER_CONTINUATIONS_MAX
#define H2_SETTINGS_MAX      32
#define H2_ACKS_MAX          1000
#define H2_MEMORY_MAX        (16 * 1024 * 1024)

/* Read at once: what is useful in it is given back to the budget before the next. */
#define H2_FEED_STEP (16 * 1024)
/* Put out at once. */
#define H2_OUTPUT_STEP (64 * 1024)
/* A GOAWAY, behind the acknowledgements that may wait. */
#define H2_LAST_SIZE_MAX (64 * 1024)

/* What a stream keeps from one request to the next. */
#define H2_HEAD_KEEP    (4 * 1024)
#define H2_HEADERS_KEEP 64

/* Life. */

static const nghttp2_settings_entry h2_settings[] = {
	{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
	{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
	{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEADERS_SIZE_MAX},
};

static int h2_start_session(
	struct h2 *h2, const nghttp2_session_callbacks *callbacks, const nghttp2_option *option)
{
	nghttp2_mem memory = h2_memory_functions(&h2->memory);
	int error = nghttp2_session_client_new3(&h2->session, callbacks, h2, option, &memory);

	if (error)
		return error;
	error = nghttp2_submit_settings(
		h2->session, NGHTTP2_FLAG_NONE, h2_settings, countof(h2_settings));
	if (error)
		return error;
	return nghttp2_session_set_local_window_size(
		h2->session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW);
}

static bool h2_start(struct h2 *h2, uint32_t streams)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	bool started = false;

	if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
		goto done;
	h2_request_set_callbacks(callbacks);
	h2_response_set_callbacks(callbacks);
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_peer_max_concurrent_streams(
		option, streams > 0 && streams < H2_STREAMS_UNSAID ? streams : H2_STREAMS_UNSAID);
	nghttp2_option_set_max_reserved_remote_streams(option, 0);
	/* Twice what h2_request() lets pass, since nghttp2 counts the worst of each encoding. */
	nghttp2_option_set_max_send_header_block_length(option, 2 * H2_HEADERS_SIZE_MAX);
	/* nghttp2 counts one more whenever it is given a part of its head. The meter counts them.
	 */
	nghttp2_option_set_max_continuations(option, H2_CONTINUATIONS_MAX * H2_METER_HEAD_SIZE);
	nghttp2_option_set_max_settings(option, H2_SETTINGS_MAX);
	nghttp2_option_set_max_outbound_ack(option, H2_ACKS_MAX);
	started = h2_start_session(h2, callbacks, option) == 0;
done:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return started;
}

struct h2 *h2_new(uint64_t now_ns, uint32_t streams)
{
	struct h2 *h2 = calloc(1, sizeof(*h2));

	if (!h2)
		return NULL;
	h2->memory.used_max = H2_MEMORY_MAX;
	h2_meter_init(&h2->meter, now_ns);
	list_init(&h2->live);
	list_init(&h2->ended);
	buffer_init(&h2->last, H2_LAST_SIZE_MAX);
	h2->n_accepted = UINT32_MAX;
	return h2_start(h2, streams) ? h2 : h2_free(h2);
}

struct h2 *h2_free(struct h2 *h2)
{
	if (!h2)
		return NULL;
	expect(!h2->is_busy);
	expect(list_is_empty(&h2->live) && list_is_empty(&h2->ended));
	nghttp2_session_del(h2->session);
	expect(h2->memory.used == 0);
	buffer_deinit(&h2->last);
	free(h2->fields);
	free(h2);
	return NULL;
}

void h2_stream_init(struct h2_stream *stream, const struct h2_stream_events *events)
{
	*stream = (struct h2_stream){.events = events};
	list_init(&stream->link);
	buffer_init(&stream->head, H2_HEADERS_SIZE_MAX);
}

void h2_stream_deinit(struct h2_stream *stream)
{
	expect(!stream->h2);
	buffer_deinit(&stream->head);
	header_list_deinit(&stream->headers);
}

void h2_stream_rest(struct h2_stream *stream)
{
	expect(!stream->h2);
	buffer_reset(&stream->head, H2_HEAD_KEEP);
	header_list_reset(&stream->headers, H2_HEADERS_KEEP);
}

/* The end of streams. */

struct h2_stream *h2_stream_of(struct h2 *h2, int32_t id)
{
	return nghttp2_session_get_stream_user_data(h2->session, id);
}

void h2_note(struct h2 *h2, int result)
{
	if (nghttp2_is_fatal(result))
		h2->error = result;
}

/* nghttp2 knows nothing of it any more; it is in no list. */
static void h2_forget(struct h2_stream *stream)
{
	if (stream->id)
		nghttp2_session_set_stream_user_data(stream->h2->session, stream->id, NULL);
	stream->id = 0;
	list_remove(&stream->link);
}

void h2_finish(struct h2_stream *stream, const struct h2_fault *fault)
{
	struct h2 *h2 = stream->h2;

	h2_forget(stream);
	stream->fault = fault ? *fault : (struct h2_fault){0};
	list_push_back(&h2->ended, &stream->link);
}

static void h2_reset(struct h2_stream *stream, uint32_t code)
{
	h2_note(stream->h2, nghttp2_submit_rst_stream(
				    stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, code));
}

void h2_refuse(struct h2_stream *stream, const struct h2_fault *fault, uint32_t code)
{
	h2_reset(stream, code);
	h2_finish(stream, fault);
}

void h2_cancel(struct h2_stream *stream)
{
	if (!stream->h2)
		return;
	if (stream->id)
		h2_reset(stream, NGHTTP2_CANCEL);
	h2_forget(stream);
	stream->h2 = NULL;
}

void h2_consume(struct h2_stream *stream, size_t size)
{
	if (stream->h2 && stream->id)
		h2_note(stream->h2,
			nghttp2_session_consume_stream(stream->h2->session, stream->id, size));
}

void h2_resume(struct h2_stream *stream)
{
	/* Nothing was put off: that is no error. */
	if (stream->h2 && stream->id)
		h2_note(stream->h2, nghttp2_session_resume_data(stream->h2->session, stream->id));
}

/* All who wait to be told. */
static bool h2_deliver(struct h2 *h2)
{
	while (!list_is_empty(&h2->ended)) {
		struct h2_stream *stream = list_entry(h2->ended.next, struct h2_stream, link);
		struct h2_fault fault = stream->fault;

		list_remove(&stream->link);
		stream->h2 = NULL;
		if (fault.kind == H2_FAULT_NONE)
			stream->events->on_end(stream);
		else
			stream->events->on_reset(stream, &fault);
	}
	h2->is_busy = false;
	return h2->session;
}

static void h2_enter(struct h2 *h2)
{
	expect(!h2->is_busy);
	h2->is_busy = true;
}

/* The end of the connection. */

/* RFC 9113 6.8; no stream of the peer's was processed. */
static void h2_put_goaway(struct buffer *out, uint32_t code)
{
	char frame[17] = {
		[2] = 8,
		[3] = NGHTTP2_GOAWAY,
		[13] = (char)(code >> 24),
		[14] = (char)(code >> 16),
		[15] = (char)(code >> 8),
		[16] = (char)code,
	};

	buffer_append(out, frame, sizeof(frame));
}

/* Nobody speaks to the peer any more. */
static void h2_fail(struct h2 *h2, enum h2_fault_kind kind, uint32_t code, const char *why)
{
	h2->fault = (struct h2_fault){.kind = kind, .code = code, .why = why};
	nghttp2_session_del(h2->session);
	h2->session = NULL;
	h2->n_open = 0;
	while (!list_is_empty(&h2->live)) {
		struct h2_stream *stream = list_entry(h2->live.next, struct h2_stream, link);
		struct h2_fault fault = h2->fault;

		fault.is_unprocessed = stream->sent == H2_SENT_NONE;
		stream->id = 0;
		h2_finish(stream, &fault);
	}
}

/* The peer is told why. */
static void h2_fail_saying(struct h2 *h2, enum h2_fault_kind kind, uint32_t code, const char *why)
{
	h2_put_goaway(&h2->last, code);
	h2_fail(h2, kind, code, why);
}

static const char *h2_why(const struct h2 *h2, uint32_t code)
{
	if (!h2->has_settings)
		return "the peer does not begin with HTTP/2";
	switch (code) {
	case NGHTTP2_FLOW_CONTROL_ERROR: return "the peer broke the rules of flow control";
	case NGHTTP2_STREAM_CLOSED: return "a frame came on a stream that was over";
	case NGHTTP2_FRAME_SIZE_ERROR: return "a frame has a size that it must not have";
	case NGHTTP2_COMPRESSION_ERROR: return "headers cannot be decompressed";
	case NGHTTP2_ENHANCE_YOUR_CALM: return "there are too many frames or settings";
	default: return "the peer broke the rules of HTTP/2";
	}
}

/* A function of nghttp2's returned that: nothing more is asked of it. */
static void h2_fail_error(struct h2 *h2, int error)
{
	if (error == NGHTTP2_ERR_NOMEM || h2->error == NGHTTP2_ERR_NOMEM)
		h2_fail_saying(h2, H2_FAULT_MEMORY, NGHTTP2_INTERNAL_ERROR,
			"there is no memory for the connection");
	else if (error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
		h2_fail_saying(h2, H2_FAULT_CONNECTION, NGHTTP2_ENHANCE_YOUR_CALM,
			h2_why(h2, NGHTTP2_ENHANCE_YOUR_CALM));
	else
		h2_fail_saying(h2, H2_FAULT_CONNECTION, NGHTTP2_INTERNAL_ERROR,
			h2_why(h2, NGHTTP2_INTERNAL_ERROR));
}

/* nghttp2 has put out a GOAWAY, or is about to: then `out` gets it, behind what comes first. */
static void h2_fail_terminated(struct h2 *h2, struct buffer *out)
{
	const uint8_t *data;
	ssize_t size = 0;

	h2->is_failing = true;
	h2->out = out;
	h2->out_size_max = SIZE_MAX;
	while (!h2->said_goaway && (size = nghttp2_session_mem_send(h2->session, &data)) > 0)
		buffer_append(out, data, (size_t)size);
	if (!h2->said_goaway)
		h2_fail_error(h2, (int)size);
	else
		h2_fail(h2, H2_FAULT_CONNECTION, h2->own_code, h2_why(h2, h2->own_code));
}

/* True where nghttp2 has found the peer at fault, as far as that can be seen before its GOAWAY is
 * put out: it allows no request for no other reason. */
static bool h2_is_terminated(const struct h2 *h2)
{
	return !h2->has_goaway && !nghttp2_session_check_request_allowed(h2->session) &&
	       nghttp2_session_get_next_stream_id(h2->session) <= INT32_MAX;
}

/* In and out. */

static void h2_read(struct h2 *h2, const char *data, size_t size, uint64_t now_ns)
{
	size_t taken = h2_meter_take(&h2->meter, data, size, now_ns);
	ssize_t result = nghttp2_session_mem_recv(h2->session, (const uint8_t *)data, taken);

	if (result < 0 || h2->error)
		h2_fail_error(h2, result < 0 ? (int)result : h2->error);
	else if (h2_is_terminated(h2))
		h2_fail_terminated(h2, &h2->last);
	else if (taken < size)
		h2_fail_saying(h2, H2_FAULT_CONNECTION, NGHTTP2_ENHANCE_YOUR_CALM,
			h2_why(h2, NGHTTP2_ENHANCE_YOUR_CALM));
}

bool h2_feed(struct h2 *h2, const char *data, size_t size, uint64_t now_ns)
{
	h2_enter(h2);
	while (h2->session && size > 0) {
		size_t step = size < H2_FEED_STEP ? size : H2_FEED_STEP;

		h2_read(h2, data, step, now_ns);
		data += step;
		size -= step;
	}
	return h2_deliver(h2);
}

void h2_feed_end(struct h2 *h2)
{
	h2_enter(h2);
	if (h2->session)
		h2_fail(h2, H2_FAULT_CONNECTION, h2->goaway_code, "the connection was closed");
	h2_deliver(h2);
}

bool h2_wants_output(const struct h2 *h2)
{
	if (!h2->session)
		return h2->last.size > 0;
	return h2->error || nghttp2_session_want_write(h2->session);
}

static void h2_write(struct h2 *h2, struct buffer *out)
{
	const uint8_t *data;
	ssize_t size = 0;

	h2->out = out;
	h2->out_size_max = out->size + H2_OUTPUT_STEP;
	while (out->size < h2->out_size_max && !out->failed && !h2->said_goaway) {
		size = nghttp2_session_mem_send(h2->session, &data);
		if (size <= 0)
			break;
		buffer_append(out, data, (size_t)size);
	}
	h2->out = NULL;
	if (out->failed)
		h2_fail(h2, H2_FAULT_MEMORY, 0, "there is no memory for what is to be sent");
	else if (size < 0 || h2->error)
		h2_fail_error(h2, size < 0 ? (int)size : h2->error);
	else if (h2->said_goaway || h2_is_terminated(h2))
		h2_fail_terminated(h2, out);
}

bool h2_output(struct h2 *h2, struct buffer *out)
{
	h2_enter(h2);
	if (h2->session)
		h2_write(h2, out);
	if (!h2->session) {
		buffer_append(out, h2->last.data, h2->last.size);
		buffer_reset(&h2->last, 0);
	}
	return h2_deliver(h2);
}

/* What may be done with it. */

bool h2_is_usable(const struct h2 *h2)
{
	return h2->session && !h2->has_goaway && !h2->error &&
	       nghttp2_session_check_request_allowed(h2->session);
}

uint32_t h2_streams_max(const struct h2 *h2)
{
	uint32_t max = 0;

	if (h2->session)
		max = nghttp2_session_get_remote_settings(
			h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
	return max < H2_STREAMS_MAX ? max : H2_STREAMS_MAX;
}

bool h2_can_open(const struct h2 *h2)
{
	return h2_is_usable(h2) && h2->n_open < h2_streams_max(h2);
}

uint32_t h2_n_accepted(const struct h2 *h2)
{
	return h2->n_accepted;
}

uint32_t h2_n_streams(const struct h2 *h2)
{
	return h2->n_open;
}

struct h2_fault h2_fault(const struct h2 *h2)
{
	return h2->fault;
}

const char *h2_code_name(uint32_t code)
{
	return nghttp2_http2_strerror(code);
}
