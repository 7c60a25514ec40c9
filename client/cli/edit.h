/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the options of run and plan change in a graph document.
 */

#include "client/cli/option.h"
#include "util/buffer.h"

/* Changes the document in place; without such options it is not even read. What is no JSON object
 * stays as it is, for those to refuse who can say why. 0; EXIT_USAGE or
 * EXIT_LOCAL_IO, which was said. */
int edit_document(const struct options *options, struct buffer *document);
