/* SPDX-License-Identifier: MIT */
#include "http/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/decode_private.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * The codings of a body are a chain of layers: the first undoes what was applied last. Each step
 * runs the last layer that has anything to do, so what lies between two layers is never more than
 * a small buffer, and is empty whenever the layer before it runs.
 *
 *   in -> layer 0 -> between -> layer 1 -> between -> layer 2 -> out
 *
 * Three multiplications of a few bytes by a thousand are what a bomb is made of, so two things
 * are counted: what comes out, and what passes between layers, which a caller cannot see. A call
 * stops when either has come to `out_max`; a body is too large when the first is beyond its
 * bound, or the second is by more than what codings add to data that does not compress.
 *
 * A layer is opened by its first byte: an empty body is fine, and costs nothing.
 */

/* What is given into `out`, or lies between two layers, at once. */
#define DECODE_BETWEEN_SIZE ((size_t)16 * 1024)
#define DECODE_RESERVE      ((size_t)4096)
/* Coded data may be larger than the data by an eighth, and this. */
#define DECODE_OVERHEAD ((uint64_t)64 * 1024)
/* A coding's name in a message is cut there. */
#define DECODE_NAME_MAX 32
#define DECODE_WHY_MAX  128

struct decode {
	struct decode_layer layers[DECODE_LAYERS_MAX];
	/* At least one, which may be identity. */
	unsigned n_layers;
	enum decode_fault_kind fault;
	/* True once a byte has come. */
	bool has_begun;
	char why[DECODE_WHY_MAX];
};

/* One call of decode_feed(). */
struct decode_call {
	struct text in;
	struct buffer *out;
	/* What may still be given, and pass between layers. */
	size_t out_left, between_left;
};

static bool decode_identity_open(struct decode_layer *layer)
{
	layer->is_complete = true;
	return true;
}

static enum decode_fault_kind decode_identity_step(
	struct decode_layer *layer, struct decode_span *span)
{
	size_t n = span->in_size < span->out_size ? span->in_size : span->out_size;

	if (n > 0)
		memcpy(span->out, span->in, n);
	decode_span_advance(span, n, n);
	return DECODE_FAULT_NONE;
}

static const struct decode_coding decode_identity = {
	.name = "identity",
	.open = decode_identity_open,
	.step = decode_identity_step,
};

static const struct {
	struct text name;
	const struct decode_coding *coding;
} decode_codings[] = {
	{TEXT_INIT("gzip"), &decode_gzip},
	{TEXT_INIT("x-gzip"), &decode_gzip},
	{TEXT_INIT("deflate"), &decode_deflate},
#ifdef DECODE_BROTLI
	{TEXT_INIT("br"), &decode_br},
#endif
#ifdef DECODE_ZSTD
	{TEXT_INIT("zstd"), &decode_zstd},
#endif
};

#ifdef DECODE_BROTLI
#define DECODE_ACCEPTED_BR ", br"
#else
#define DECODE_ACCEPTED_BR ""
#endif
#ifdef DECODE_ZSTD
#define DECODE_ACCEPTED_ZSTD ", zstd"
#else
#define DECODE_ACCEPTED_ZSTD ""
#endif
#define DECODE_ACCEPTED "gzip, deflate" DECODE_ACCEPTED_BR DECODE_ACCEPTED_ZSTD

struct text decode_accept(void)
{
	return TEXT(DECODE_ACCEPTED);
}

struct text decode_accept_line(void)
{
	return TEXT("accept-encoding: " DECODE_ACCEPTED "\r\n");
}

/* Takes the next item off a comma separated list; empty ones count for nothing (RFC 9110
 * 5.6.1.2), and identity is none either (8.4.1). False: there is none. */
static bool decode_take_item(struct text *list, struct text *ret_item)
{
	while (list->size > 0) {
		size_t comma = text_find(*list, ',');
		struct text item = header_trim((struct text){list->data, comma});

		*list = text_from_at(*list, comma + 1);
		if (item.size == 0 || text_equal_nocase(item, TEXT("identity")))
			continue;
		*ret_item = item;
		return true;
	}
	return false;
}

static bool decode_is_field(const struct header *header)
{
	return text_equal(header->name, TEXT("content-encoding"));
}

bool decode_is_needed(const struct header *headers, uint32_t n_headers)
{
	for (uint32_t i = 0; i < n_headers; i++) {
		struct text list = headers[i].value, item;

		if (decode_is_field(&headers[i]) && decode_take_item(&list, &item))
			return true;
	}
	return false;
}

struct decode *decode_new(void)
{
	struct decode *decode = calloc(1, sizeof(*decode));

	if (decode)
		decode_begin(decode, NULL, 0, UINT64_MAX);
	return decode;
}

static void decode_layer_close(struct decode_layer *layer)
{
	if (layer->state)
		layer->owner->close(layer);
}

/* What the place has of the same coding serves again. */
static bool decode_layer_open(struct decode_layer *layer)
{
	if (layer->coding->close && layer->owner != layer->coding) {
		decode_layer_close(layer);
		layer->owner = layer->coding;
	}
	return layer->coding->open(layer);
}

struct decode *decode_free(struct decode *decode)
{
	if (!decode)
		return NULL;
	for (size_t i = 0; i < DECODE_LAYERS_MAX; i++) {
		decode_layer_close(&decode->layers[i]);
		free(decode->layers[i].between);
	}
	free(decode);
	return NULL;
}

void decode_rest(struct decode *decode)
{
	decode_begin(decode, NULL, 0, UINT64_MAX);
	for (size_t i = 0; i < DECODE_LAYERS_MAX; i++) {
		struct decode_layer *layer = &decode->layers[i];

		if (layer->owner && !layer->owner->is_small)
			decode_layer_close(layer);
		free(layer->between);
		layer->between = NULL;
	}
}

static enum decode_result decode_fail(struct decode *decode, enum decode_fault_kind kind)
{
	decode->fault = kind;
	return DECODE_FAULT;
}

static enum decode_result decode_fail_layer(
	struct decode *decode, const struct decode_layer *layer, enum decode_fault_kind kind)
{
	if (kind == DECODE_FAULT_CORRUPT)
		snprintf(decode->why, sizeof(decode->why), "%s: %s", layer->coding->name,
			layer->why);
	else
		snprintf(decode->why, sizeof(decode->why), "%s",
			kind == DECODE_FAULT_MEMORY ? "there is no memory for the decoded body"
						    : "the decoded body is larger than allowed");
	return decode_fail(decode, kind);
}

static void decode_fail_unknown(struct decode *decode, struct text name)
{
	if (name.size > DECODE_NAME_MAX)
		name.size = DECODE_NAME_MAX;
	snprintf(decode->why, sizeof(decode->why),
		"the coding \"%.*s\" is not supported; these are: %s", TEXT_ARGS(name),
		DECODE_ACCEPTED);
	decode_fail(decode, DECODE_FAULT_UNSUPPORTED);
}

static const struct decode_coding *decode_find(struct text name)
{
	for (size_t i = 0; i < countof(decode_codings); i++) {
		if (text_equal_nocase(decode_codings[i].name, name))
			return decode_codings[i].coding;
	}
	return NULL;
}

/* The codings of one field, behind those of the fields before it: what the limit is on is all of
 * them together (CVE-2023-23916). */
static void decode_read_field(struct decode *decode, struct text list,
	const struct decode_coding *codings[], unsigned *n_codings)
{
	struct text name;

	while (!decode->fault && decode_take_item(&list, &name)) {
		const struct decode_coding *coding = decode_find(name);

		if (!coding) {
			decode_fail_unknown(decode, name);
		} else if (*n_codings == DECODE_LAYERS_MAX) {
			snprintf(decode->why, sizeof(decode->why),
				"there are more than %d content codings", DECODE_LAYERS_MAX);
			decode_fail(decode, DECODE_FAULT_UNSUPPORTED);
		} else {
			codings[(*n_codings)++] = coding;
		}
	}
}

static void decode_layer_set(
	struct decode_layer *layer, const struct decode_coding *coding, uint64_t bytes_max)
{
	*layer = (struct decode_layer){
		.coding = coding,
		.state = layer->state,
		.owner = layer->owner,
		.between = layer->between,
		.bytes_max = bytes_max,
	};
}

/* The most that may pass between layers for so many bytes of a body. */
static uint64_t decode_between_max(uint64_t bytes_max)
{
	uint64_t overhead = bytes_max / 8 + DECODE_OVERHEAD;

	return bytes_max > UINT64_MAX - overhead ? UINT64_MAX : bytes_max + overhead;
}

void decode_begin(
	struct decode *decode, const struct header *headers, uint32_t n_headers, uint64_t bytes_max)
{
	const struct decode_coding *codings[DECODE_LAYERS_MAX] = {&decode_identity};
	uint64_t between_max = decode_between_max(bytes_max);
	unsigned n = 0;

	decode->fault = DECODE_FAULT_NONE;
	decode->has_begun = false;
	decode->why[0] = '\0';
	for (uint32_t i = 0; i < n_headers; i++) {
		if (decode_is_field(&headers[i]))
			decode_read_field(decode, headers[i].value, codings, &n);
	}
	n = n > 0 ? n : 1;
	decode->n_layers = n;
	for (unsigned i = 0; i < n; i++) {
		decode_layer_set(&decode->layers[i], codings[n - 1 - i],
			i == n - 1 ? bytes_max : between_max);
	}
}

/* The place of the last layer that has anything to do; n_layers: none has. */
static unsigned decode_next(const struct decode *decode, const struct decode_call *call)
{
	for (unsigned i = decode->n_layers; i-- > 0;) {
		const struct decode_layer *layer = &decode->layers[i];
		size_t unread = i == 0 ? call->in.size : layer->between_end - layer->between_at;

		if (unread > 0 || layer->holds_output)
			return i;
	}
	return decode->n_layers;
}

/* Room at the end of `out`: what it has to spare, or more. 0: no memory. */
static size_t decode_reserve(struct buffer *out, size_t left)
{
	size_t wanted = left < DECODE_RESERVE ? left : DECODE_RESERVE;
	size_t spare;

	if (out->capacity - out->size < wanted && !buffer_reserve(out, wanted))
		return 0;
	spare = out->capacity - out->size;
	return spare < left ? spare : left;
}

/* What layer `at` reads, and the room it writes to; false: no memory. */
static bool decode_span_set(struct decode *decode, unsigned at, const struct decode_call *call,
	struct decode_span *span)
{
	struct decode_layer *layer = &decode->layers[at];
	uint64_t bytes_left = layer->bytes_max - layer->bytes;

	span->in = call->in.data;
	span->in_size = call->in.size;
	if (at > 0) {
		span->in = layer->between + layer->between_at;
		span->in_size = layer->between_end - layer->between_at;
	}
	if (at == decode->n_layers - 1) {
		span->out_size = decode_reserve(call->out, call->out_left);
		span->out = call->out->data + call->out->size;
	} else {
		struct decode_layer *next = layer + 1;

		if (!next->between)
			next->between = malloc(DECODE_BETWEEN_SIZE);
		span->out = next->between;
		span->out_size = call->between_left < DECODE_BETWEEN_SIZE ? call->between_left
									  : DECODE_BETWEEN_SIZE;
	}
	if (!span->out || span->out_size == 0)
		return false;
	/* One byte more than there may be shows that there are more. */
	if (span->out_size - 1 > bytes_left)
		span->out_size = (size_t)bytes_left + 1;
	return true;
}

/* Layer `at` has read and written: so have those around it. */
static void decode_account(
	struct decode *decode, unsigned at, struct decode_call *call, size_t n_in, size_t n_out)
{
	struct decode_layer *layer = &decode->layers[at];

	layer->bytes += n_out;
	if (at == 0)
		call->in = text_from_at(call->in, n_in);
	else
		layer->between_at += n_in;
	if (at == decode->n_layers - 1) {
		call->out->size += n_out;
		call->out_left -= n_out;
	} else {
		layer[1].between_at = 0;
		layer[1].between_end = n_out;
		call->between_left -= n_out;
	}
}

static enum decode_fault_kind decode_run(
	struct decode *decode, unsigned at, struct decode_call *call)
{
	struct decode_layer *layer = &decode->layers[at];
	enum decode_fault_kind fault;
	struct decode_span span, begin;

	if (!decode_span_set(decode, at, call, &span))
		return DECODE_FAULT_MEMORY;
	if (!layer->has_begun && !decode_layer_open(layer))
		return DECODE_FAULT_MEMORY;
	layer->has_begun = true;
	begin = span;
	fault = layer->coding->step(layer, &span);
	layer->holds_output = span.out_size == 0 && !layer->is_complete;
	decode_account(
		decode, at, call, begin.in_size - span.in_size, begin.out_size - span.out_size);
	if (fault)
		return fault;
	/* So no loop is without end, whatever a library makes of its input. */
	if (begin.in_size > 0 && span.in_size == begin.in_size && span.out_size == begin.out_size)
		return decode_layer_corrupt(layer, "the data leads nowhere");
	return layer->bytes > layer->bytes_max ? DECODE_FAULT_TOO_LARGE : DECODE_FAULT_NONE;
}

static enum decode_result decode_flow(struct decode *decode, struct decode_call *call)
{
	while (call->out_left > 0 && call->between_left > 0) {
		unsigned at = decode_next(decode, call);
		enum decode_fault_kind fault;

		if (at == decode->n_layers)
			return DECODE_MORE_INPUT;
		fault = decode_run(decode, at, call);
		if (fault)
			return decode_fail_layer(decode, &decode->layers[at], fault);
	}
	if (decode_next(decode, call) == decode->n_layers)
		return DECODE_MORE_INPUT;
	return DECODE_MORE_OUTPUT;
}

enum decode_result decode_feed(
	struct decode *decode, struct text in, size_t *ret_used, struct buffer *out, size_t out_max)
{
	struct decode_call call = {
		.in = in,
		.out = out,
		.out_left = out_max,
		.between_left = out_max,
	};
	enum decode_result result;

	expect(out_max > 0);
	*ret_used = 0;
	decode->has_begun = decode->has_begun || in.size > 0;
	if (decode->fault)
		return decode->has_begun ? DECODE_FAULT : DECODE_MORE_INPUT;
	result = decode_flow(decode, &call);
	*ret_used = in.size - call.in.size;
	return result;
}

enum decode_result decode_end(struct decode *decode)
{
	struct decode_call call = {.in = {NULL, 0}};

	if (!decode->has_begun)
		return DECODE_DONE;
	if (decode->fault)
		return DECODE_FAULT;
	expect(decode_next(decode, &call) == decode->n_layers);
	for (unsigned i = 0; i < decode->n_layers; i++) {
		struct decode_layer *layer = &decode->layers[i];

		if (!layer->has_begun || layer->is_complete)
			continue;
		decode_layer_corrupt(layer, "it ends before it is complete");
		return decode_fail_layer(decode, layer, DECODE_FAULT_CORRUPT);
	}
	return DECODE_DONE;
}

struct decode_fault decode_fault(const struct decode *decode)
{
	if (!decode->has_begun)
		return (struct decode_fault){DECODE_FAULT_NONE, ""};
	return (struct decode_fault){decode->fault, decode->why};
}
