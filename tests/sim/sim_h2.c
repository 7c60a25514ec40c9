/* SPDX-License-Identifier: MIT */
#include "sim_h2.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "sim_oracle.h"
#include "sim_put.h"
#include "sim_world.h"

/*
 * A request is on the wire from the moment its head is said until the daemon is told its end, has
 * reset it, or is told that its connection is lost. What the server's bytes mean is noted where
 * they are said (marks), and comes to pass when the daemon is told of them.
 */

#define SIM_H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
/* RFC 9113 6.5.2: until the peer has said something else, which the daemon takes for this. */
#define SIM_H2_LIMIT_UNSAID 100

/* -- Frames ------------------------------------------------------------------------------- */

uint32_t sim_h2_u32(const char *data)
{
	const unsigned char *bytes = (const unsigned char *)data;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

void sim_h2_put_u32(struct sim_bytes *out, uint32_t value)
{
	char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};

	sim_bytes_append(out, bytes, sizeof(bytes));
}

void sim_h2_put_frame(struct sim_bytes *out, enum sim_h2_type type, uint8_t flags, uint32_t id,
	struct text payload)
{
	char head[SIM_H2_HEAD] = {(char)(payload.size >> 16), (char)(payload.size >> 8),
		(char)payload.size, (char)type, (char)flags, (char)(id >> 24), (char)(id >> 16),
		(char)(id >> 8), (char)id};

	sim_bytes_append(out, head, sizeof(head));
	sim_bytes_append(out, payload.data, payload.size);
}

/* RFC 7541 5.1, with a prefix of seven bits. */
static void sim_h2_put_length(struct sim_bytes *out, size_t size)
{
	char byte = (char)(size < 127 ? size : 127);

	sim_bytes_append(out, &byte, 1);
	if (size < 127)
		return;
	for (size -= 127; size >= 128; size >>= 7) {
		byte = (char)(size % 128 + 128);
		sim_bytes_append(out, &byte, 1);
	}
	byte = (char)size;
	sim_bytes_append(out, &byte, 1);
}

void sim_h2_put_field(struct sim_bytes *out, const char *name, const char *value)
{
	/* RFC 7541 6.2: some are to be remembered. */
	sim_bytes_append(out, strlen(value) % 3 ? "\0" : "\100", 1);
	sim_h2_put_length(out, strlen(name));
	sim_put_text(out, text_from(name));
	sim_h2_put_length(out, strlen(value));
	sim_put_text(out, text_from(value));
}

size_t sim_h2_cut(const struct sim_bytes *bytes, struct sim_frame *ret_frame)
{
	const char *at = bytes->data + bytes->start;
	size_t size;

	if (bytes->size < SIM_H2_HEAD)
		return 0;
	size = sim_h2_u32(at) >> 8;
	if (bytes->size < SIM_H2_HEAD + size)
		return 0;
	*ret_frame = (struct sim_frame){
		.type = (enum sim_h2_type)(unsigned char)at[3],
		.flags = (uint8_t)at[4],
		.id = sim_h2_u32(at + 5) & INT32_MAX,
		.payload = at + SIM_H2_HEAD,
		.size = size,
	};
	return SIM_H2_HEAD + size;
}

/* -- HPACK ---------------------------------------------------------------------------------- */

/* nghttp2's memory is this world's: the size stands before each block. */
#define SIM_H2_MEMORY_HEAD 16

static void *sim_h2_malloc(size_t size, void *context)
{
	char *at = sim_alloc(size + SIM_H2_MEMORY_HEAD);

	memcpy(at, &size, sizeof(size));
	return at + SIM_H2_MEMORY_HEAD;
}

static void sim_h2_free(void *memory, void *context)
{
	char *at = memory;
	size_t size;

	if (!at)
		return;
	memcpy(&size, at - SIM_H2_MEMORY_HEAD, sizeof(size));
	sim_release(at - SIM_H2_MEMORY_HEAD, size + SIM_H2_MEMORY_HEAD);
}

static void *sim_h2_calloc(size_t n, size_t size, void *context)
{
	return sim_h2_malloc(n * size, context);
}

static void *sim_h2_realloc(void *memory, size_t size, void *context)
{
	char *larger = sim_h2_malloc(size, context), *at = memory;
	size_t old = 0;

	if (at)
		memcpy(&old, at - SIM_H2_MEMORY_HEAD, sizeof(old));
	if (at)
		memcpy(larger, at, old < size ? old : size);
	sim_h2_free(at, context);
	return larger;
}

static nghttp2_hd_inflater *sim_h2_inflater(void)
{
	static nghttp2_mem memory = {
		NULL, sim_h2_malloc, sim_h2_free, sim_h2_calloc, sim_h2_realloc};
	nghttp2_hd_inflater *inflater;

	if (nghttp2_hd_inflate_new2(&inflater, &memory) != 0)
		sim_fail("the simulator has no memory for HPACK");
	return inflater;
}

/* Whether its connection fails is not known here: it may be answered, or not. */
static void sim_h2_doubt(struct sim_stream *stream)
{
	if (stream->is_over)
		return;
	sim_codes_add(&stream->try->codes, FAULT_HTTP2_CONNECTION);
	sim_codes_add(&stream->try->codes, FAULT_HEADERS_TOO_LARGE);
}

/* -- What the daemon says --------------------------------------------------------------------- */

/* The fields of a request that matter here. */
struct sim_h2_fields {
	const char *method, *scheme, *authority, *path, *header, *type, *length, *codings;
	bool has_regular;
};

static void sim_h2_take_field(struct sim_h2_fields *fields, const nghttp2_nv *field)
{
	const char *name = sim_copy((const char *)field->name, field->namelen);
	const struct {
		const char *name, **place;
	} places[] = {{":method", &fields->method}, {":scheme", &fields->scheme},
		{":authority", &fields->authority}, {":path", &fields->path},
		{"x-r", &fields->header}, {"content-type", &fields->type},
		{"content-length", &fields->length}, {"accept-encoding", &fields->codings}};
	static const char *const forbidden[] = {
		"connection", "host", "transfer-encoding", "keep-alive", "upgrade", "expect"};

	if (name[0] == ':' && fields->has_regular)
		sim_fail("%s stands behind other fields", name);
	fields->has_regular |= name[0] != ':';
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
		if (strcmp(name, forbidden[i]) == 0)
			sim_fail("%s was sent over HTTP/2", name);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (strcmp(name, places[i].name) != 0)
			continue;
		if (*places[i].place)
			sim_fail("a request says %s twice", name);
		*places[i].place = sim_copy((const char *)field->value, field->valuelen);
	}
}

static struct sim_h2_fields sim_h2_inflate(struct sim_h2 *h2)
{
	const uint8_t *at = (const uint8_t *)h2->block.data + h2->block.start;
	size_t left = h2->block.size;
	struct sim_h2_fields fields = {0};
	int flags = 0;

	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv field;
		ssize_t n = nghttp2_hd_inflate_hd2(h2->inflater, &field, &flags, at, left, 1);

		if (n < 0)
			sim_fail("a head is no HPACK");
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			sim_h2_take_field(&fields, &field);
		at += n;
		left -= (size_t)n;
		if (left == 0 && !(flags & (NGHTTP2_HD_INFLATE_EMIT | NGHTTP2_HD_INFLATE_FINAL)))
			break;
	}
	nghttp2_hd_inflate_end_headers(h2->inflater);
	sim_bytes_take(&h2->block, h2->block.size);
	return fields;
}

struct sim_stream *sim_h2_find(const struct sim_conn *conn, uint32_t id)
{
	struct sim_stream *stream = conn->h2->streams;

	while (stream && stream->id != id)
		stream = stream->next;
	return stream;
}

static void sim_h2_check_request(
	const struct sim_conn *conn, const struct sim_h2_fields *fields, uint32_t id)
{
	const struct sim_h2 *h2 = conn->h2;

	if (!fields->method || !fields->path || !fields->scheme || !fields->authority)
		sim_fail("a request lacks :method, :path, :scheme or :authority");
	if (strcmp(fields->scheme, "https") != 0)
		sim_fail("%s was sent with the scheme %s", fields->path, fields->scheme);
	if (strcmp(fields->authority, conn->origin->authority) != 0)
		sim_fail("%s was sent to %s, not %s", fields->path, fields->authority,
			conn->origin->authority);
	if (id % 2 == 0 || id <= h2->last_id)
		sim_fail("stream %u is opened after %u", id, h2->last_id);
	if (h2->n_open >= h2->limit)
		sim_fail("%s: %u streams are open already", fields->path, h2->n_open);
}

static void sim_h2_on_head(struct sim_conn *conn, uint32_t id)
{
	struct sim_h2 *h2 = conn->h2;
	struct sim_h2_fields fields = sim_h2_inflate(h2);
	struct sim_stream *stream = sim_alloc(sizeof(*stream));

	sim_h2_check_request(conn, &fields, id);
	h2->last_id = id;
	stream->conn = conn;
	stream->id = id;
	stream->next = h2->streams;
	stream->window = h2->stream_window;
	h2->streams = stream;
	h2->n_open++;
	stream->try = sim_oracle_on_request(conn, fields.method, fields.path, fields.header);
	stream->try->type = fields.type ? sim_copy(fields.type, strlen(fields.type)) : NULL;
	stream->try->length = fields.length ? strtoull(fields.length, NULL, 10) : 0;
	if ((fields.codings != NULL) != stream->try->label->decodes)
		sim_fail("%s does not ask for codings as its job wants", fields.path);
	if (h2->is_doubted)
		sim_h2_doubt(stream);
}

static void sim_h2_end_stream(struct sim_stream *stream)
{
	if (stream->is_over)
		return;
	stream->is_over = true;
	stream->conn->h2->n_open--;
	sim_oracle_off_wire(stream->try);
}

static void sim_h2_on_block(struct sim_conn *conn, const struct sim_frame *frame)
{
	struct sim_h2 *h2 = conn->h2;
	size_t from = 0, padding = 0;

	if (frame->type == SIM_H2_HEADERS) {
		if (frame->flags & SIM_H2_PADDED)
			padding = (unsigned char)frame->payload[from++];
		from += frame->flags & SIM_H2_PRIORITISED ? 5 : 0;
		h2->block_id = frame->id;
	}
	if (frame->id != h2->block_id || from + padding > frame->size)
		sim_fail("a head is cut wrongly");
	sim_bytes_append(&h2->block, frame->payload + from, frame->size - from - padding);
	if (!(frame->flags & SIM_H2_END_HEADERS))
		return;
	h2->block_id = 0;
	sim_h2_on_head(conn, frame->id);
}

static void sim_h2_on_frame(struct sim_conn *conn, const struct sim_frame *frame)
{
	struct sim_h2 *h2 = conn->h2;
	struct sim_stream *stream;

	if (h2->block_id && frame->type != SIM_H2_CONTINUATION)
		sim_fail("a head is interrupted");
	switch (frame->type) {
	case SIM_H2_HEADERS:
	case SIM_H2_CONTINUATION: sim_h2_on_block(conn, frame); break;
	case SIM_H2_RST_STREAM:
		stream = sim_h2_find(conn, frame->id);
		if (!stream)
			sim_fail("stream %u is reset, which there is not", frame->id);
		sim_trace("  %s is reset (%u)", stream->try->resource->target, stream->try->number);
		sim_h2_end_stream(stream);
		break;
	case SIM_H2_SETTINGS:
		if (frame->flags & SIM_H2_ACK)
			nghttp2_hd_inflate_change_table_size(h2->inflater, h2->table_size);
		break;
	default: break;
	}
}

void sim_h2_on_send(struct sim_conn *conn, const char *data, size_t size)
{
	struct sim_h2 *h2 = conn->h2;
	size_t preface = sizeof(SIM_H2_PREFACE) - 1, n;
	struct sim_frame frame;

	if (!h2->inflater)
		h2->inflater = sim_h2_inflater();
	sim_bytes_append(&h2->spoken, data, size);
	if (!h2->has_spoken) {
		if (h2->spoken.size < preface)
			return;
		if (memcmp(h2->spoken.data, SIM_H2_PREFACE, preface) != 0)
			sim_fail("an origin is not greeted as HTTP/2 has it");
		sim_bytes_take(&h2->spoken, preface);
		h2->has_spoken = true;
	}
	while ((n = sim_h2_cut(&h2->spoken, &frame)) > 0) {
		sim_h2_on_frame(conn, &frame);
		sim_bytes_take(&h2->spoken, n);
	}
}

/* -- What the daemon is told --------------------------------------------------------------------
 */

void sim_h2_mark(
	struct sim_conn *conn, enum sim_mark_kind kind, struct sim_stream *stream, uint32_t value)
{
	struct sim_h2 *h2 = conn->h2;
	struct sim_mark *mark = sim_alloc(sizeof(*mark));

	/* What is wrong may be found out at its first byte. */
	*mark = (struct sim_mark){
		.at = conn->said + (kind == SIM_MARK_WRONG || kind == SIM_MARK_DOUBT),
		.kind = kind,
		.stream = stream,
		.value = value,
	};
	if (h2->marks)
		h2->marks_end->next = mark;
	else
		h2->marks = mark;
	h2->marks_end = mark;
}

static void sim_h2_on_end(struct sim_stream *stream)
{
	struct sim_try *try = stream->try;

	if (stream->is_over || stream->is_wrong)
		return;
	sim_h2_end_stream(stream);
	sim_oracle_answered(try);
}

/* Not processed: it must be sent again, unless it had been. */
static void sim_h2_on_unprocessed(struct sim_stream *stream, enum fault_code code)
{
	struct sim_try *try = stream->try;
	/* This one is counted. */
	unsigned n_leaving = code == FAULT_HTTP2_CONNECTION ? 1 : 0;

	if (stream->is_over)
		return;
	sim_h2_end_stream(stream);
	/* Which of several equal requests was one sent again is not known; nor whether one was that
	 * had not been said when its connection was left. */
	if (try->is_replay || try->resource->n_tries > 1 || try->label->has_source ||
		stream->conn->origin->n_leaving > n_leaving)
		sim_codes_add(&try->codes, code);
	try->is_replay_due = true;
}

static void sim_h2_on_reset(struct sim_stream *stream, uint32_t code)
{
	bool is_refused = code == SIM_H2_REFUSED_STREAM || code == SIM_H2_HTTP_1_1_REQUIRED;

	if (stream->is_over)
		return;
	stream->try->resource->has_stepped_down |= code == SIM_H2_HTTP_1_1_REQUIRED;
	if (code == SIM_H2_HTTP_1_1_REQUIRED && stream->try->label->http == SIM_HTTP_2)
		is_refused = false;
	if (is_refused) {
		sim_h2_on_unprocessed(stream, FAULT_HTTP2_STREAM);
		return;
	}
	sim_codes_add(&stream->try->codes, FAULT_HTTP2_STREAM);
	sim_h2_end_stream(stream);
}

/* The daemon resets it, unless the connection ends before. */
static void sim_h2_on_wrong(struct sim_stream *stream, enum fault_code code)
{
	if (stream->is_over)
		return;
	stream->is_wrong = true;
	sim_codes_add(&stream->try->codes, code);
}

static void sim_h2_on_goaway(struct sim_conn *conn, uint32_t last)
{
	conn->is_doubtful = true;
	conn->origin->n_leaving++;
	for (struct sim_stream *stream = conn->h2->streams; stream; stream = stream->next) {
		if (stream->id > last)
			sim_h2_on_unprocessed(stream, FAULT_HTTP2_CONNECTION);
	}
}

static void sim_h2_on_doubt(struct sim_conn *conn)
{
	conn->h2->is_doubted = true;
	for (struct sim_stream *stream = conn->h2->streams; stream; stream = stream->next)
		sim_h2_doubt(stream);
}

static void sim_h2_on_mark(struct sim_conn *conn, const struct sim_mark *mark)
{
	switch (mark->kind) {
	case SIM_MARK_END: sim_h2_on_end(mark->stream); break;
	case SIM_MARK_RESET: sim_h2_on_reset(mark->stream, mark->value); break;
	case SIM_MARK_WRONG: sim_h2_on_wrong(mark->stream, (enum fault_code)mark->value); break;
	case SIM_MARK_LIMIT: conn->h2->limit = mark->value; break;
	case SIM_MARK_GOAWAY: sim_h2_on_goaway(conn, mark->value); break;
	case SIM_MARK_DOUBT: sim_h2_on_doubt(conn); break;
	}
}

void sim_h2_on_received(struct sim_conn *conn)
{
	struct sim_h2 *h2 = conn->h2;

	while (h2->marks && h2->marks->at <= conn->received) {
		struct sim_mark *mark = h2->marks;

		h2->marks = mark->next;
		sim_h2_on_mark(conn, mark);
		sim_release(mark, sizeof(*mark));
	}
}

void sim_h2_on_lost(struct sim_conn *conn, enum fault_code code)
{
	conn->is_doubtful = true;
	conn->origin->n_leaving++;
	for (struct sim_stream *stream = conn->h2->streams; stream; stream = stream->next) {
		if (stream->is_over)
			continue;
		sim_codes_add(&stream->try->codes, code);
		sim_h2_end_stream(stream);
	}
}

void sim_h2_on_closed(struct sim_conn *conn)
{
	for (struct sim_stream *stream = conn->h2->streams; stream; stream = stream->next)
		sim_h2_end_stream(stream);
}
