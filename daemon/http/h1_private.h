/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of h1 share, and nobody else: h1.c is the response, h1_head.c the head.
 */

#include <llhttp.h>

#include "http/body.h"
#include "http/h1.h"
#include "http/header.h"
#include "util/buffer.h"

#define H1_HEADS_SIZE_MAX (256 * 1024)
#define H1_FIELDS_MAX     1000
/* What is copied at once before it is searched for the head's end. */
#define H1_HEAD_STEP (2 * 1024)
/* A longer head is not looked for again. */
#define H1_KNOWN_MAX 1024

enum h1_state {
	H1_AT_HEAD,
	H1_AT_LENGTH,
	H1_AT_CLOSE,
	H1_AT_SIZE,
	H1_AT_DATA,
	H1_AT_TRAILER,
	H1_AT_END,
};

struct h1 {
	llhttp_t parser;
	/* Of the caller. */
	struct h1_sink *sink;
	/* The head in the making, or the final one. */
	struct buffer head;
	/* The first part of a chunk-size or trailer line whose end has not come. */
	struct buffer line;
	struct header_list headers;
	/* The last head that came whole, as it came; empty where `head` and `headers` are not
	 * what it was parsed to. */
	struct buffer known;
	/* How many fields it has, and the parser behind it. */
	uint32_t known_fields;
	/* It was a final one, and the sink was shown it. */
	bool known_was_shown;
	llhttp_t known_parser;
	struct text reason;
	struct h1_fault fault;
	/* AT_LENGTH: bytes of the body to come; AT_CLOSE: as many as can be, never reached;
	 * AT_DATA: of the chunk, with its CR LF. */
	uint64_t left;
	/* Where the line in the making begins in `head`. */
	size_t line_at;
	/* Of the heads and trailers before the line or head in the making. */
	size_t heads_size;
	/* Of all heads and trailers. */
	uint32_t n_fields;
	uint32_t n_interim;
	enum h1_state state;
	enum body_framing framing;
	/* The request was a HEAD. */
	bool is_head;
	bool has_begun;
	bool has_head;
	bool keeps_alive;
	/* The sink returned false within llhttp. */
	bool is_stopped;
};

/* H1_FAULT; `why` is static. */
enum h1_result h1_fail(struct h1 *h1, enum h1_fault_kind kind, const char *why);
enum h1_result h1_fail_large(struct h1 *h1);
enum h1_result h1_fail_memory(struct h1 *h1);

/* Takes bytes of the head. H1_DONE: h1->head, ->headers, ->reason and ->parser are it. */
enum h1_result h1_take_head(struct h1 *h1, struct text *rest);

/* A chunk's data, from llhttp. */
int h1_on_body(llhttp_t *parser, const char *at, size_t size);
