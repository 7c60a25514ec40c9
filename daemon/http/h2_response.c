/* SPDX-License-Identifier: MIT */
#include "http/h2_private.h"

#include "util/panic.h"

/*
 * What comes in on a stream. nghttp2 shows fields one by one, checked; they are put behind each
 * other in the stream's own memory, sizes alone in the list, and when the head is whole the views
 * are made: until then the memory may move. A copy, since nghttp2's own are in a table of the
 * connection's that a later head changes.
 *
 * What nghttp2 does not take, it resets: where it says so at once the stream is finished at once,
 * else when the reset goes out. A stream that nghttp2 has forgotten (h2_stream_of() is NULL) is
 * none of anybody's business any more.
 */

#define H2_FIELDS_MAX  1000
#define H2_INTERIM_MAX 50

/* Bytes that pay for a frame of the peer's: of a body, and of a head that was shown. */
#define H2_BODY_STEP 4
#define H2_HEAD_STEP 64

/* Faults. */

static const struct h2_fault h2_fault_large = {
	.kind = H2_FAULT_HEADERS_TOO_LARGE,
	.code = NGHTTP2_ENHANCE_YOUR_CALM,
	.why = "heads and trailers have more than 256 KiB or 1000 fields",
};

static const struct h2_fault h2_fault_interim = {
	.kind = H2_FAULT_HEADERS_TOO_LARGE,
	.code = NGHTTP2_ENHANCE_YOUR_CALM,
	.why = "there are too many 1xx responses",
};

static const struct h2_fault h2_fault_memory = {
	.kind = H2_FAULT_MEMORY,
	.code = NGHTTP2_INTERNAL_ERROR,
	.why = "there is no memory for the head",
};

static const struct h2_fault h2_fault_status = {
	.kind = H2_FAULT_PARSE,
	.code = NGHTTP2_PROTOCOL_ERROR,
	.why = "the status is below 100",
};

static const struct h2_fault h2_fault_malformed = {
	.kind = H2_FAULT_PARSE,
	.code = NGHTTP2_PROTOCOL_ERROR,
	.why = "a head has a field, or lacks one, against the rules of HTTP/2",
};

static const struct h2_fault h2_fault_framing = {
	.kind = H2_FAULT_FRAMING,
	.code = NGHTTP2_PROTOCOL_ERROR,
	.why = "the body is not as long as the head says",
};

/* The peer reset the stream. */
static struct h2_fault h2_fault_by_peer(const struct h2_stream *stream, uint32_t code)
{
	struct h2_fault fault = {
		.kind = H2_FAULT_STREAM,
		.code = code,
		.why = "the peer reset the stream",
	};

	/* With a response, it was processed, whatever the code says. */
	if (stream->has_begun)
		return fault;
	if (code == NGHTTP2_REFUSED_STREAM) {
		fault.kind = H2_FAULT_REFUSED;
		fault.why = "the peer refused the stream";
		fault.is_unprocessed = true;
	} else if (code == NGHTTP2_HTTP_1_1_REQUIRED) {
		fault.kind = H2_FAULT_HTTP_1_1;
		fault.why = "the peer wants HTTP/1.1";
		fault.is_unprocessed = true;
	}
	return fault;
}

/* The peer goes away, and the stream is beyond those it will answer. */
static struct h2_fault h2_fault_by_goaway(const struct h2 *h2, const struct h2_stream *stream)
{
	struct h2_fault fault = {
		.kind = H2_FAULT_GOAWAY,
		.code = h2->goaway_code,
		.why = "the peer closes the connection and has not seen the request",
		.is_unprocessed = true,
	};

	if (stream->has_begun) {
		fault.kind = H2_FAULT_CONNECTION;
		fault.why = "the peer closes the connection in the middle of a response";
		fault.is_unprocessed = false;
	} else if (h2->goaway_code == NGHTTP2_HTTP_1_1_REQUIRED) {
		fault.kind = H2_FAULT_HTTP_1_1;
		fault.why = "the peer wants HTTP/1.1";
	}
	return fault;
}

/* nghttp2 reset the stream, and this is the first we hear of it. */
static struct h2_fault h2_fault_by_us(const struct h2_stream *stream, uint32_t code)
{
	if (code == NGHTTP2_PROTOCOL_ERROR)
		return stream->has_head ? h2_fault_framing : h2_fault_malformed;
	return (struct h2_fault){
		.kind = H2_FAULT_STREAM,
		.code = code,
		.why = code == NGHTTP2_FLOW_CONTROL_ERROR
			       ? "the peer broke the rules of flow control"
			       : "the stream failed",
	};
}

/* Heads. */

static int h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_stream *stream = h2_stream_of(user, frame->hd.stream_id);

	if (!stream)
		return 0;
	stream->has_begun = true;
	if (!stream->has_head) {
		buffer_clear(&stream->head);
		stream->headers.n = 0;
		stream->status = 0;
	}
	return 0;
}

/* Of the head in the making; false: no memory. */
static bool h2_keep_field(struct h2_stream *stream, struct text name, struct text value)
{
	struct header_list *headers = &stream->headers;

	if (!header_list_reserve(headers, headers->n + 1))
		return false;
	headers->items[headers->n++] = (struct header){{NULL, name.size}, {NULL, value.size}};
	buffer_append_text(&stream->head, name);
	buffer_append_text(&stream->head, value);
	return !stream->head.failed;
}

static int h2_refuse_field(struct h2_stream *stream, const struct h2_fault *fault)
{
	h2_refuse(stream, fault, fault->code);
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int h2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
	struct h2_stream *stream = h2_stream_of(user, frame->hd.stream_id);
	size_t size = name_size + value_size + H2_FIELD_OVERHEAD;

	if (!stream)
		return 0;
	if (size > H2_HEADERS_SIZE_MAX - stream->heads_size || stream->n_fields == H2_FIELDS_MAX)
		return h2_refuse_field(stream, &h2_fault_large);
	stream->heads_size += (uint32_t)size;
	/* :status is no field: the only pseudo-header of a response, three digits. */
	if (name[0] == ':') {
		stream->status = (uint16_t)(100 * (value[0] - '0') + 10 * (value[1] - '0') +
					    (value[2] - '0'));
		return 0;
	}
	stream->n_fields++;
	/* Trailers come too late to say anything (RFC 9110 6.5.1). */
	if (!stream->has_head &&
		!h2_keep_field(stream, (struct text){(const char *)name, name_size},
			(struct text){(const char *)value, value_size}))
		return h2_refuse_field(stream, &h2_fault_memory);
	return 0;
}

/* nghttp2 would leave it out; it may mean another thing to somebody else (RFC 9113 8.2.1). */
static int h2_on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
	const uint8_t *name, size_t name_size, const uint8_t *value, size_t value_size,
	uint8_t flags, void *user)
{
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void h2_make_views(struct h2_stream *stream)
{
	const char *at = stream->head.data;

	for (uint32_t i = 0; i < stream->headers.n; i++) {
		struct header *header = &stream->headers.items[i];

		header->name.data = at;
		at += header->name.size;
		header->value.data = at;
		at += header->value.size;
	}
	expect(stream->headers.n == 0 || at == stream->head.data + stream->head.size);
}

/* What is wrong with it, or NULL: *ret_head. */
static const char *h2_judge_head(
	struct h2_stream *stream, bool is_all, struct response_head *ret_head)
{
	struct body_head head = {
		.headers = stream->headers.items,
		.n_headers = stream->headers.n,
		.status = stream->status,
		.version_minor = 1,
		.is_head = stream->is_head,
	};
	const char *why;

	*ret_head = (struct response_head){
		.reason = TEXT(""),
		.headers = stream->headers.items,
		.n_headers = stream->headers.n,
		.status = stream->status,
		.version_major = 2,
	};
	why = body_decide(&head, &ret_head->framing, &ret_head->length);
	if (ret_head->framing == BODY_CLOSE)
		ret_head->framing = is_all ? BODY_NONE : BODY_CHUNKED;
	return why;
}

/* The response is complete: what is left of the request is not wanted (RFC 9113 8.1). */
static void h2_complete(struct h2_stream *stream)
{
	if (stream->sent == H2_SENT_FULL)
		h2_finish(stream, NULL);
	else
		h2_refuse(stream, NULL, NGHTTP2_CANCEL);
}

static void h2_take_head(struct h2 *h2, struct h2_stream *stream, bool is_all)
{
	struct response_head head;
	struct h2_fault fault = h2_fault_framing;

	h2_make_views(stream);
	stream->has_head = true;
	fault.why = h2_judge_head(stream, is_all, &head);
	if (fault.why) {
		h2_refuse(stream, &fault, fault.code);
		return;
	}
	h2_meter_earn(&h2->meter, 1 + stream->heads_size / H2_HEAD_STEP);
	if (is_all)
		h2_complete(stream);
	stream->events->on_head(stream, &head);
}

static void h2_on_headers(struct h2 *h2, struct h2_stream *stream, uint8_t flags)
{
	bool is_all = flags & NGHTTP2_FLAG_END_STREAM;

	if (stream->has_head)
		h2_complete(stream);
	else if (stream->status < 100)
		h2_refuse(stream, &h2_fault_status, h2_fault_status.code);
	else if (stream->status >= 200)
		h2_take_head(h2, stream, is_all);
	else if (++stream->n_interim > H2_INTERIM_MAX)
		h2_refuse(stream, &h2_fault_interim, h2_fault_interim.code);
}

/* Bodies. */

static int h2_on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
	const uint8_t *data, size_t size, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream = h2_stream_of(h2, id);
	int error = nghttp2_session_consume_connection(session, size);

	if (error) {
		h2->error = error;
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	if (!stream)
		return 0;
	h2_meter_earn(&h2->meter, size / H2_BODY_STEP);
	stream->events->on_body(stream, (const char *)data, size);
	return 0;
}

/* Frames. */

/* The peer opens no streams any more: those it has not seen are told. nghttp2 closes those that
 * it has sent, by itself. */
static void h2_on_goaway(struct h2 *h2, const nghttp2_goaway *goaway)
{
	h2->has_goaway = true;
	h2->goaway_code = goaway->error_code;
	/* Ours are 1, 3, 5 and so on; the highest there is says nothing yet (RFC 9113 6.8). */
	if (goaway->error_code == NGHTTP2_NO_ERROR && goaway->last_stream_id != INT32_MAX)
		h2->n_accepted = ((uint32_t)goaway->last_stream_id + 1) / 2;
	list_each_safe(link, &h2->live) {
		struct h2_stream *stream = list_entry(link, struct h2_stream, link);
		struct h2_fault fault = h2_fault_by_goaway(h2, stream);

		if (stream->sent == H2_SENT_NONE)
			h2_refuse(stream, &fault, NGHTTP2_CANCEL);
	}
}

static void h2_on_stream_frame(struct h2 *h2, struct h2_stream *stream, const nghttp2_frame *frame)
{
	struct h2_fault fault;

	switch (frame->hd.type) {
	case NGHTTP2_HEADERS: h2_on_headers(h2, stream, frame->hd.flags); break;
	case NGHTTP2_DATA:
		if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
			h2_complete(stream);
		break;
	case NGHTTP2_RST_STREAM:
		fault = h2_fault_by_peer(stream, frame->rst_stream.error_code);
		h2_finish(stream, &fault);
		break;
	default: break;
	}
}

static int h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream;

	if (frame->hd.type == NGHTTP2_SETTINGS)
		h2->has_settings = true;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		h2_on_goaway(h2, &frame->goaway);
	if (frame->hd.stream_id == 0)
		return 0;
	stream = h2_stream_of(h2, frame->hd.stream_id);
	if (stream)
		h2_on_stream_frame(h2, stream, frame);
	return 0;
}

/* We said that there is no push before the first request (RFC 9113 8.4); nghttp2 itself minds
 * only when the peer has confirmed that. */
static int h2_on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
	struct h2 *h2 = user;

	if (head->type == NGHTTP2_PUSH_PROMISE)
		h2_note(h2, nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR));
	return 0;
}

/* nghttp2 resets the stream for its head or trailers, which have been read to their end or to the
 * field that is wrong. What it finds at fault with the connection is not the stream's. */
static int h2_on_invalid_frame(
	nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
	struct h2_stream *stream = h2_stream_of(user, frame->hd.stream_id);
	bool is_all = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (!stream || (error != NGHTTP2_ERR_HTTP_HEADER && error != NGHTTP2_ERR_HTTP_MESSAGING))
		return 0;
	if (error == NGHTTP2_ERR_HTTP_MESSAGING && is_all && stream->status >= 200)
		h2_finish(stream, &h2_fault_framing);
	else
		h2_finish(stream, &h2_fault_malformed);
	return 0;
}

static int h2_on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream = h2_stream_of(h2, id);
	struct h2_fault fault;

	h2->n_open--;
	/* What is still ours was not finished by a frame of the peer's. */
	if (!stream || h2->is_failing)
		return 0;
	fault = code == NGHTTP2_REFUSED_STREAM ? h2_fault_by_goaway(h2, stream)
					       : h2_fault_by_us(stream, code);
	h2_finish(stream, &fault);
	return 0;
}

void h2_response_set_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, h2_on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, h2_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, h2_on_invalid_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_on_data_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
		callbacks, h2_on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, h2_on_stream_close);
}
