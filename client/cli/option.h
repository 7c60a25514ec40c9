/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command line cut up: a command, its options in the order given, and what is left over.
 * Whether a value is a good one is its reader's to say (client/cli/value.h).
 *
 * A table, client/cli/option.def, drives getopt_long(3). Options may stand anywhere, also before
 * the command; "--" ends them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"

enum command {
	COMMAND_NONE,
	COMMAND_RUN,
	COMMAND_GET,
	COMMAND_BATCH,
	COMMAND_PLAN,
	COMMAND_STATUS,
	COMMAND_TOP,
	COMMAND_CANCEL,
	COMMAND_FLUSH,
	COMMAND_PING,
	COMMAND_COUNT,
};

enum option_id {
#define OPTION(name, letters, long, argument, commands, help) OPTION_##name,
#include "client/cli/option.def"
#undef OPTION
	OPTION_COUNT,
};

/* One option as it stood on the line. */
struct option_use {
	enum option_id option;
	/* NULL where the option takes none. */
	const char *value;
};

struct options {
	enum command command;
	/* In the order given. */
	struct option_use *uses;
	size_t n_uses;
	/* What is neither command nor option. */
	const char **operands;
	size_t n_operands;
};

enum {
	/* The command line makes no sense: the error text says why. */
	OPTION_E_USAGE = 1,
};

/* What the strings of argv say; they stay the caller's. 0; OPTION_E_USAGE, one line in `error`, and
 * in *ret_options the command alone, where it was found; -ENOMEM. With --help or --version anywhere
 * nothing else is looked at but the command. */
int option_parse(int argc, char **argv, struct options *ret_options, struct buffer *error);

/* Gives back what option_parse() took. */
void option_deinit(struct options *options);

bool option_given(const struct options *options, enum option_id option);

/* The value given last, or NULL. */
const char *option_value(const struct options *options, enum option_id option);

/* "concurrency". */
const char *option_name(enum option_id option);

/* "cP": its letters, the first one first. */
const char *option_letters(enum option_id option);

/* "run", "get" … */
const char *option_command_name(enum command command);

/* What --help shows, for one command or, with COMMAND_NONE, for all. */
void option_help(struct buffer *out, enum command command);
