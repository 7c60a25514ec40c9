/* SPDX-License-Identifier: MIT */
#include "http/h2_private.h"

#include <stdlib.h>

#include "http/request.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * What goes out on a stream: a head, copied once by nghttp2, and perhaps a body, which is not
 * copied but into the output: nghttp2 asks first how long the next piece is, and then for the
 * frame with it.
 */

/* :method, :scheme, :authority, :path and content-length. */
#define H2_FIELDS_OWN 5
#define H2_FIELDS_MIN 32

/* Sent bytes of a body that earn one frame of the peer's, who opens windows for them. */
#define H2_SENT_STEP 256
/* Frames of the peer's that a request calls for: its head, its body, its end, a window. */
#define H2_REQUEST_FRAMES 4

/* Fields. */

/* Not in the peer's table, where guesses beside them could be compared (RFC 7541 7.1). */
static bool h2_field_is_sensitive(struct text name)
{
	static const struct text sensitive[] = {
		TEXT_INIT("authorization"),
		TEXT_INIT("cookie"),
		TEXT_INIT("proxy-authorization"),
	};

	return header_is_one_of(name, sensitive, countof(sensitive));
}

/* nghttp2 copies what it points at, and only reads it. */
static uint8_t *h2_field_bytes(struct text text)
{
	union {
		const char *given;
		uint8_t *wanted;
	} data = {.given = text.data ? text.data : ""};

	return data.wanted;
}

static nghttp2_nv h2_field(struct text name, struct text value)
{
	return (nghttp2_nv){
		.name = h2_field_bytes(name),
		.namelen = name.size,
		.value = h2_field_bytes(value),
		.valuelen = value.size,
		.flags = h2_field_is_sensitive(name) ? NGHTTP2_NV_FLAG_NO_INDEX
						     : NGHTTP2_NV_FLAG_NONE,
	};
}

static bool h2_fields_reserve(struct h2 *h2, size_t n)
{
	size_t capacity = h2->fields_capacity ? h2->fields_capacity : H2_FIELDS_MIN;
	nghttp2_nv *fields;

	if (n <= h2->fields_capacity)
		return true;
	while (capacity < n)
		capacity *= 2;
	fields = realloc(h2->fields, capacity * sizeof(*fields));
	if (!fields)
		return false;
	h2->fields = fields;
	h2->fields_capacity = capacity;
	return true;
}

/* The headers that are sent, of all that are given, behind `n` fields; how many there are then. */
static size_t h2_fields_put(struct h2 *h2, size_t n, const struct h2_request *request)
{
	for (uint32_t i = 0; i < request->n_headers; i++) {
		const struct header *header = &request->headers[i];

		/* The last door before the wire, as in http/request. */
		expect(header_name_is_valid(header->name));
		expect(header_value_is_valid(header->value));
		if (!header_is_ours(header->name))
			h2->fields[n++] = h2_field(header->name, header->value);
	}
	return n;
}

/* data == NULL: none is sent. `digits` has room for one. */
static struct text h2_request_length(const struct h2_request *request, struct buffer *digits)
{
	uint64_t length = request->pulls ? request->pull_size : request->body.size;

	if (!request->pulls && !request->has_body && !request_method_expects_body(request->method))
		return (struct text){NULL, 0};
	if (length == H2_LENGTH_OPEN)
		return (struct text){NULL, 0};
	buffer_append_u64(digits, length);
	return buffer_text(digits);
}

static bool h2_request_is_large(const struct h2_request *request)
{
	size_t size = request->method.size + request->scheme.size + request->authority.size +
		      request->target.size + H2_FIELDS_OWN * (H2_FIELD_OVERHEAD + 20);

	for (uint32_t i = 0; i < request->n_headers && size <= H2_HEADERS_SIZE_MAX; i++)
		size += request->headers[i].name.size + request->headers[i].value.size +
			H2_FIELD_OVERHEAD;
	return size > H2_HEADERS_SIZE_MAX;
}

/* The body. */

/* How long the next frame is: the piece is kept for h2_send_piece(), which follows at once. */
static ssize_t h2_read_piece(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t size,
	uint32_t *ret_flags, nghttp2_data_source *source, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream = h2_stream_of(h2, id);
	enum h2_pull pull = H2_PULL_MORE;
	struct text piece = {NULL, 0};

	/* Cancelled, its RST_STREAM on the way. */
	if (!stream)
		return NGHTTP2_ERR_DEFERRED;
	if (stream->pulls) {
		pull = stream->events->on_pull(stream, size, &piece);
		expect(pull == H2_PULL_LATER || piece.size <= size);
	} else {
		piece = (struct text){
			stream->body.data, stream->body.size < size ? stream->body.size : size};
		stream->body = text_from_at(stream->body, piece.size);
		if (stream->body.size == 0)
			pull = H2_PULL_LAST;
	}
	if (pull == H2_PULL_LATER || (pull == H2_PULL_MORE && piece.size == 0))
		return NGHTTP2_ERR_DEFERRED;
	if (pull == H2_PULL_LAST)
		*ret_flags |= NGHTTP2_DATA_FLAG_EOF;
	*ret_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	h2->piece = piece;
	return (ssize_t)piece.size;
}

static int h2_send_piece(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
	size_t size, nghttp2_data_source *source, void *user)
{
	struct h2 *h2 = user;

	expect(size == h2->piece.size);
	buffer_append(h2->out, head, H2_METER_HEAD_SIZE);
	buffer_append_text(h2->out, h2->piece);
	/* A window may be larger than what is sent at once. */
	return h2->out->size < h2->out_size_max ? 0 : NGHTTP2_ERR_PAUSE;
}

/* A frame has been put out. */
static int h2_on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream;

	if (frame->hd.type == NGHTTP2_GOAWAY) {
		h2->said_goaway = true;
		h2->own_code = frame->goaway.error_code;
		return 0;
	}
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	stream = h2_stream_of(h2, frame->hd.stream_id);
	if (!stream)
		return 0;
	if (frame->hd.type == NGHTTP2_DATA) {
		stream->body_sent += frame->hd.length;
		h2_meter_earn(&h2->meter, frame->hd.length / H2_SENT_STEP);
	}
	stream->sent = frame->hd.flags & NGHTTP2_FLAG_END_STREAM ? H2_SENT_FULL : H2_SENT_PARTIAL;
	return 0;
}

void h2_request_set_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_send_piece);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, h2_on_frame_send);
}

/* The request. */

static void h2_stream_begin(struct h2_stream *stream, const struct h2_request *request)
{
	h2_stream_rest(stream);
	stream->body = request->pulls ? (struct text){NULL, 0} : request->body;
	stream->pulls = request->pulls;
	stream->is_head = text_is(request->method, "HEAD");
	stream->body_sent = 0;
	stream->heads_size = 0;
	stream->n_fields = 0;
	stream->n_interim = 0;
	stream->status = 0;
	stream->sent = H2_SENT_NONE;
	stream->has_begun = false;
	stream->has_head = false;
}

static bool h2_request_refuse(struct h2_fault *ret_fault, enum h2_fault_kind kind, const char *why)
{
	*ret_fault = (struct h2_fault){.kind = kind, .why = why, .is_unprocessed = true};
	return false;
}

/* The stream's id, or an error of nghttp2's. */
static int32_t h2_request_submit(
	struct h2 *h2, struct h2_stream *stream, const struct h2_request *request)
{
	char room[20];
	struct buffer digits = {.data = room, .capacity = sizeof(room), .size_max = sizeof(room)};
	nghttp2_data_provider provider = {.read_callback = h2_read_piece};
	bool has_body = request->pulls || request->body.size > 0;
	struct text length = h2_request_length(request, &digits);
	size_t n = 4;

	if (!h2_fields_reserve(h2, H2_FIELDS_OWN + (size_t)request->n_headers))
		return NGHTTP2_ERR_NOMEM;
	h2->fields[0] = h2_field(TEXT(":method"), request->method);
	h2->fields[1] = h2_field(TEXT(":scheme"), request->scheme);
	h2->fields[2] = h2_field(TEXT(":authority"), request->authority);
	h2->fields[3] = h2_field(TEXT(":path"), request->target);
	n = h2_fields_put(h2, n, request);
	if (length.data)
		h2->fields[n++] = h2_field(TEXT("content-length"), length);
	return nghttp2_submit_request(
		h2->session, NULL, h2->fields, n, has_body ? &provider : NULL, stream);
}

bool h2_request(struct h2 *h2, struct h2_stream *stream, const struct h2_request *request,
	struct h2_fault *ret_fault)
{
	int32_t id;

	expect(!stream->h2);
	expect(h2_can_open(h2));
	expect(request_method_is_valid(request->method));
	expect(!request->pulls || stream->events->on_pull);
	if (h2_request_is_large(request))
		return h2_request_refuse(ret_fault, H2_FAULT_REQUEST_TOO_LARGE,
			"the request's headers are larger than 256 KiB");
	h2_stream_begin(stream, request);
	id = h2_request_submit(h2, stream, request);
	if (id < 0)
		return h2_request_refuse(
			ret_fault, H2_FAULT_MEMORY, "there is no memory for the request");
	stream->h2 = h2;
	stream->id = id;
	h2->n_open++;
	list_push_back(&h2->live, &stream->link);
	h2_meter_earn(&h2->meter, H2_REQUEST_FRAMES);
	return true;
}
