/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the bodies of settle get go: for each URL standard output, or the file of its -o or -O.
 */

#include <stdbool.h>
#include <stddef.h>

#include "client/cli/option.h"
#include "client/cli/part.h"
#include "client/cli/sink.h"
#include "util/text.h"

enum output_kind {
	/* Nowhere of its own: standard output, or its record. */
	OUTPUT_STDOUT,
	/* To a file when it is whole: from memory, behind its head if that is shown. */
	OUTPUT_SAVE,
	/* To a file that the daemon writes. */
	OUTPUT_PART,
	/* To what is no regular file (a terminal, a pipe), or a descriptor of ours by its name
	 * (/dev/stdout), piece by piece as it comes. */
	OUTPUT_PIPE,
	/* To /dev/null: nowhere at all. */
	OUTPUT_NOTHING,
};

struct output {
	enum output_kind kind;
	/* NULL: OUTPUT_STDOUT. */
	char *path;
	/* OUTPUT_PART. */
	struct part part;
	/* OUTPUT_PIPE; else its descriptor is -1. */
	struct sink sink;
};

struct outputs {
	struct output *outputs;
	size_t n;
	/* True exactly when each has a path. */
	bool is_complete;
};

/* Takes -o and -O: the i-th is the i-th URL's, as with curl. Nothing is opened. 0; EXIT_USAGE or
 * EXIT_LOCAL_IO, which was said. Either way the caller's to close. */
int outputs_take(const struct options *options, struct outputs *outputs);

struct output_how {
	/* The body is not to be written before it is whole, because a head stands in front of it or
	 * no descriptor can be passed. */
	bool is_held;
	/* The directories that lead to it are made. */
	bool makes_directories;
};

/* Opens it, or looks whether it could be. 0; EXIT_LOCAL_IO, which was said. */
int output_open(struct output *output, const struct output_how *how);

/* A piece of the body of one that is OUTPUT_PIPE. 0; -errno, which was said. */
int output_write(struct output *output, struct text piece);

/* The body is whole, and was written: it gets its name. 0; -errno, which was said. */
int output_keep(struct output *output);

/* What is not kept by now leaves no file. */
void outputs_close(struct outputs *outputs);
