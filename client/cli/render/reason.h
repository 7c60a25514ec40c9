/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why a job was rejected, in words for people: what its code alone does not tell.
 */

#include "proto/json.h"
#include "util/buffer.h"

/* "CODE: message" of a record's "reason" or "cause", cleaned for one line. Of a cancelled job the
 * message is who cancelled it, and of what another job's rejection decided, which job that was. */
void reason_append(struct buffer *out, yyjson_val *reason);

/* "1 attempt; not tried again: the origin's retry budget is used up", of how many attempts there
 * were, and `stopped` of its reason (data == NULL: none). Nothing where there is nothing to tell:
 * one attempt at most, and no reason against another that would surprise. */
void reason_append_tries(struct buffer *out, uint32_t attempts, struct text stopped);

/* The same of a rejected record, in parentheses behind a blank. */
void reason_append_note(struct buffer *out, yyjson_val *record);
