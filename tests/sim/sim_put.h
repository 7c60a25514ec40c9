/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text for documents, requests and replies, into this world's memory.
 */

#include "sim_net.h"
#include "util/text.h"

/* Formatted, up to 4 KiB. */
void sim_put(struct sim_bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void sim_put_text(struct sim_bytes *out, struct text text);

/* The inside of a JSON string. */
void sim_put_json(struct sim_bytes *out, const char *text, size_t size);

/* Percent-encoded but for unreserved characters (RFC 3986 2.3). */
void sim_put_url(struct sim_bytes *out, struct text text);

/* As application/x-www-form-urlencoded (URL Standard 5.2). */
void sim_put_form(struct sim_bytes *out, struct text text);

/* The text, terminated; there is nothing more to put. */
char *sim_put_end(struct sim_bytes *out);
