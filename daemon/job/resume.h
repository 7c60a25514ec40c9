/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A response that went into a file and broke off, and how the next attempt goes on with it
 * (RFC 9110 13.1.5, 14): with a Range from where the file ends, if the response is still the same
 * by its strong validator. An origin that refuses a part is asked for the whole. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/response.h"
#include "util/buffer.h"
#include "util/text.h"

struct resume {
	/* Bytes that the file has. */
	uint64_t offset;
	/* The entity tag with its quotes, and whose it is; the memory is behind this struct. */
	struct text etag, url;
};

/* What the file has of the response from that URL: `offset` bytes. NULL: it cannot be gone on with
 * (no strong entity tag, nothing there, no response to a plain GET), or no memory. */
struct resume *resume_new(const struct response_head *head, struct text url, uint64_t offset);

/* Takes NULL, returns NULL. */
struct resume *resume_free(struct resume *resume);

/* The two header lines of the request. */
void resume_append_headers(const struct resume *resume, struct buffer *out);

enum resume_answer {
	/* The rest comes: the file goes on where it ends. */
	RESUME_GOES_ON,
	/* Another response, or all of it: the file begins anew. */
	RESUME_BEGINS_ANEW,
	/* No part, or one that nobody asked for. */
	RESUME_WRONG,
};

/* What such a response means, if it fulfils the job. */
enum resume_answer resume_answer(const struct resume *resume, const struct response_head *head);
