/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP/1 responses: bytes in, a head and body spans out. llhttp parses heads and chunks, all its
 * lenient flags off; http/body decides the framing. No descriptor, no clock.
 *
 * One object serves one exchange after another: h1_begin() starts each, and keeps the memory for
 * heads, so that a small response allocates nothing in the steady state.
 *
 * The sink must not free or restart the h1 it is called from.
 *
 * Limits: 256 KiB and 1000 fields of heads, 1xx and trailers counted; 64 KiB and 100 fields are
 * always accepted (HEADERS_TOO_LARGE). At most 50 1xx responses. A chunk-size line with its
 * extensions: 16 KiB (HTTP_PARSE).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/response.h"

struct h1;
struct h1_sink;

struct h1_sink {
	/* The final head is complete (1xx are not shown). False: stop, the sink knows why. */
	bool (*on_head)(struct h1_sink *sink, const struct response_head *head);
	/* The next bytes of the body. False: stop, the sink knows why. */
	bool (*on_body)(struct h1_sink *sink, const char *data, size_t size);
};

enum h1_result {
	/* All was taken; the response is not complete. */
	H1_MORE,
	/* The response is complete; *ret_used says where it ended. */
	H1_DONE,
	/* The sink returned false. */
	H1_STOPPED,
	/* See h1_fault(). */
	H1_FAULT,
};

/* Why a response is no response. `code` is a reason code of proto/fault.def by name, so that
 * this layer need not know that table. */
enum h1_fault_kind {
	H1_FAULT_PARSE,             /* HTTP_PARSE */
	H1_FAULT_FRAMING,           /* HTTP_FRAMING */
	H1_FAULT_HEADERS_TOO_LARGE, /* HEADERS_TOO_LARGE */
	H1_FAULT_TRUNCATED,         /* BODY_TRUNCATED: the end came before it was complete */
	H1_FAULT_EMPTY,             /* EMPTY_REPLY: the end came before the first byte */
	H1_FAULT_MEMORY,
};

struct h1_fault {
	enum h1_fault_kind kind;
	/* One sentence without a full stop; static. */
	const char *why;
};

/* NULL where there is no memory. */
struct h1 *h1_new(void);

/* Takes NULL, returns NULL. */
struct h1 *h1_free(struct h1 *h1);

/* The next response is to be read, of a request that was a HEAD or not. Memory for heads beyond
 * a few KiB goes back. `sink` is borrowed until the response is complete or given up. */
void h1_begin(struct h1 *h1, struct h1_sink *sink, bool is_head);

/* Takes bytes; *ret_used is how many belong to this response (what is beyond them makes the
 * connection doubtful). After anything but H1_MORE, h1_begin() comes next. */
enum h1_result h1_feed(struct h1 *h1, const char *data, size_t size, size_t *ret_used);

/* The peer has closed: H1_DONE where the framing allows it (BODY_CLOSE), else H1_FAULT. */
enum h1_result h1_feed_end(struct h1 *h1);

/* After H1_FAULT. */
struct h1_fault h1_fault(const struct h1 *h1);

/* True once a byte of a response has come since h1_begin(). */
bool h1_has_begun(const struct h1 *h1);

/* True once the final head is complete. */
bool h1_has_head(const struct h1 *h1);

/* After H1_DONE: true where the connection may serve another request. */
bool h1_keeps_alive(const struct h1 *h1);

/* Bytes of the body still to come where that is known (BODY_LENGTH), UINT64_MAX where it is open
 * (BODY_CHUNKED, BODY_CLOSE), 0 where none are. */
uint64_t h1_body_left(const struct h1 *h1);

/* True where the bytes to come are the body's own, without chunk lines (BODY_LENGTH and
 * BODY_CLOSE): they may then be received elsewhere, and told by h1_skip(). */
bool h1_body_is_plain(const struct h1 *h1);

/* `size` bytes of a plain body were received elsewhere: not more than are left. H1_DONE or
 * H1_MORE. */
enum h1_result h1_skip(struct h1 *h1, uint64_t size);
