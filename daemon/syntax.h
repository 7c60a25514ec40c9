/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines of a configuration file in systemd's dialect (systemd.syntax(7)): sections,
 * assignments, comments with '#' or ';', and lines continued by a backslash at their end.
 *
 * The reader works in the file's own memory, which it changes where lines are joined; what it
 * returns are views into that. It allocates nothing.
 */

#include <stddef.h>

#include "util/text.h"

enum syntax_kind {
	/* `name`, and `value` where the section has an argument: [Host "*.example.com"]. */
	SYNTAX_SECTION,
	/* `name` and `value`, which may be empty. */
	SYNTAX_ASSIGNMENT,
	/* `value` says what is wrong with the line. */
	SYNTAX_ERROR,
	SYNTAX_END,
};

struct syntax_line {
	enum syntax_kind kind;
	/* Where it begins, from 1. */
	unsigned number;
	struct text name;
	/* data == NULL: none. */
	struct text value;
};

struct syntax_reader {
	char *at;
	char *end;
	unsigned number;
};

/* The memory is the caller's, and stays until the last view is done with. */
void syntax_init(struct syntax_reader *reader, char *data, size_t size);

/* The next line that says something; SYNTAX_END at the end, and ever after. */
void syntax_next(struct syntax_reader *reader, struct syntax_line *ret_line);

/* Takes the next word off a list separated by blanks. Quotes around a whole word are taken off,
 * and let it hold blanks; there are no escapes. 1: a word; 0: there was none left; -EINVAL: a
 * quote that is not closed, or has something right behind it. */
int syntax_next_word(struct text *rest, struct text *ret_word);

/* The text without the blanks around it. */
struct text syntax_trim(struct text text);
