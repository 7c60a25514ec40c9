/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes as base64 (RFC 4648 section 4): with padding, in one line.
 */

#include "util/buffer.h"
#include "util/text.h"

/* Appends it. */
void base64_append(struct buffer *out, struct text bytes);
