/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * {{references}} in a string: a cursor that cuts it into literal pieces and references. The same
 * cursor checks a document at admission and fills a request when the job starts, so nothing is
 * compiled and kept.
 *
 *   {{id}}  {{id#/json/pointer}}  {{id.status}}  {{id.outcome}}  {{id.code}}  {{id.url}}
 *   {{id.headers.name}}  {{input}}  {{input#/…}}  {{item}}  {{item#/…}}  {{index}}
 *   {{secret.NAME}}      and behind any of them   ?? text   and/or   | raw
 *
 * White space inside the braces is free around the parts; the default is what stands between
 * "??" and "}}" or "| raw", trimmed. "\{{" is a literal "{{". "}}" ends a reference at its first
 * occurrence. A pointer may use %XX, so that it can hold "}}" and " ".
 */

#include <stdbool.h>

#include "util/text.h"

enum reference_kind {
	REFERENCE_BODY,    /* {{id}}: the pointer is empty */
	REFERENCE_POINTER, /* {{id#/…}} */
	REFERENCE_STATUS,
	REFERENCE_OUTCOME,
	REFERENCE_CODE,
	REFERENCE_URL,
	REFERENCE_HEADER,
	REFERENCE_INPUT, /* with or without a pointer */
	REFERENCE_ITEM,  /* with or without a pointer */
	REFERENCE_INDEX,
	REFERENCE_SECRET,
};

/* Views into the string it was cut from. */
struct reference {
	enum reference_kind kind;
	/* The job's id. Empty for input, item, index and secret. */
	struct text job;
	/* As written: %XX still encoded, see reference_pointer(). */
	struct text pointer;
	/* The header's or the secret's name. */
	struct text name;
	/* data == NULL where there is none; `?? ` with nothing behind it is the empty text. */
	struct text fallback;
	bool raw;
};

struct reference_cursor {
	struct text rest;
};

enum reference_piece {
	REFERENCE_END,
	/* *ret_literal: the next literal text, a "\{{" already made "{{". */
	REFERENCE_LITERAL,
	/* *ret_reference. */
	REFERENCE_FOUND,
	/* *ret_literal: what is wrong, one sentence without a full stop, static. */
	REFERENCE_BAD,
};

static inline struct reference_cursor reference_cursor(struct text text)
{
	return (struct reference_cursor){text};
}

/* The next piece. After REFERENCE_END and REFERENCE_BAD it stays there. */
enum reference_piece reference_next(struct reference_cursor *cursor, struct text *ret_literal,
	struct reference *ret_reference);

/* A text that is one reference, with or without its braces, as the key of a condition is:
 * "user#/plan", "{{config.status}}". NULL and the reference, or what is wrong with it: one sentence
 * without a full stop, static. */
const char *reference_parse(struct text text, struct reference *ret_reference);

/* True where the text has a "{{" at all (an escaped one counts). */
bool reference_is_in(struct text text);

/* True where the whole text is one reference, which is then in *ret_reference. */
bool reference_is_whole(struct text text, struct reference *ret_reference);

/* The pointer with %XX decoded, into `memory` of at least pointer.size bytes. data == NULL where
 * it is malformed (bad %XX, bad '~', no leading '/'). */
struct text reference_pointer(const struct reference *reference, char *memory);
