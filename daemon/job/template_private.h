/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of template share, and nobody else.
 */

#include "job/template.h"
#include "util/text.h"

/* Where a filled-in value goes. */
struct template_sink {
	struct job *job;
	struct buffer *out;
	struct fault *fault;
	/* How a reference's text is put there. */
	void (*encode)(struct buffer *out, struct text text);
	/* True where the author's own text is no more than a value either. */
	bool encodes_literals;
	/* Where a secret may go; data == NULL: it may not stand here. */
	struct text secret_host;
};

/* Sets the fault; false. */
bool template_no_memory(struct fault *fault);

/* A whole string: literals as they are, references encoded. False: the fault. */
bool template_fill(struct template_sink *sink, struct text template);

/* template_header.c: all headers of the request to that URL but Host and those about the body's
 * length. False: the fault. */
bool template_headers(struct template_sink *sink, const struct url *url);
