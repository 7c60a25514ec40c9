/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What may stand in a header (RFC 9110 5), and a list of received ones.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

struct header {
	/* Lower case where received. */
	struct text name;
	struct text value;
};

/* Grows, and keeps its memory from one response to the next. */
struct header_list {
	struct header *items;
	uint32_t n;
	uint32_t capacity;
};

/* A token: at least one tchar (RFC 9110 5.6.2). */
bool header_name_is_valid(struct text name);

/* No CR, LF, NUL or other control characters but tab; no white space at either end; bytes from
 * 0x80 on are allowed (obs-text). The empty value is valid. */
bool header_value_is_valid(struct text value);

/* Without spaces and tabs at either end. */
struct text header_trim(struct text text);

/* A line "name: value" without its CR LF, cut apart; false where a part is not valid. */
bool header_split(struct text line, struct header *ret_header);

/* True where it is one of those `n` names, in any case. */
bool header_is_one_of(struct text name, const struct text *names, size_t n);

/* One that the daemon writes itself: host, content-length, transfer-encoding, connection,
 * upgrade, te, expect; and keep-alive, proxy-connection, trailer, which belong to the
 * connection. */
bool header_is_ours(struct text name);

/* The first value of that name (lower case); data == NULL where there is none. */
struct text header_find(const struct header *headers, uint32_t n_headers, struct text name);

/* True where a comma separated list (RFC 9110 5.6.1) has the token, in any case. */
bool header_list_has(struct text value, struct text token);

/* Room for `capacity` items. False: no memory. A list begins as zeros. */
bool header_list_reserve(struct header_list *list, uint32_t capacity);

/* Empties it. Memory for more than `keep` items goes back. */
void header_list_reset(struct header_list *list, uint32_t keep);

void header_list_deinit(struct header_list *list);
