/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A rejected job, told to a person while the graph still runs: what became of it, the first lines
 * of what the origin had to say, and the next thing to try.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/render.h"
#include "util/buffer.h"

/* Appends it, a few lines of that many characters at most (0: as many as it takes), each with its
 * end. False, and nothing, where it only follows from another's fate (CANCELLED,
 * DEPENDENCY_REJECTED). */
bool failure_append(struct buffer *out, const struct render_record *record, uint32_t columns);
