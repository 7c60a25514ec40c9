/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Options as a command line gives them.
 */

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "client/cli/option.h"

#define WORDS_MAX 24

/* Parses "get -k http://x": words stand between single blanks. `line` is cut up in place. */
static inline void words_parse(char *line, struct options *options)
{
	char *argv[WORDS_MAX + 1], *word, *rest = line;
	char name[] = "settle";
	struct buffer error;
	int argc = 0, r;

	argv[argc++] = name;
	while ((word = strsep(&rest, " ")) != NULL) {
		ck_assert_int_lt(argc, WORDS_MAX);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	buffer_init(&error, 4096);
	r = option_parse(argc, argv, options, &error);
	ck_assert_msg(r == 0, "%.*s", TEXT_ARGS(buffer_text(&error)));
	buffer_deinit(&error);
}
