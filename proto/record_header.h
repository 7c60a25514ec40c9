/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The headers of a response as a record shows them: an object, its members in the order received,
 * but headers of one name one member, an array at the place of the first. Part of proto/record.
 */

#include <stddef.h>
#include <stdint.h>

#include "http/header.h"
#include "proto/writer.h"

/* What they take at most if nothing is escaped. */
size_t record_header_size(const struct header *headers, uint32_t n);

/* `n`: as many as a head may have, 1000 (http/h1.h). */
void record_header_write(struct writer *writer, const struct header *headers, uint32_t n);

/* The same behind what `out` has; where it takes no more nothing is written, and it has failed. */
void record_header_append(struct buffer *out, const struct header *headers, uint32_t n);
