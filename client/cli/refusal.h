/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A refused graph: a line on stderr for each error, and the exit status that follows.
 */

#include <stddef.h>

#include "proto/plan.h"
#include "util/buffer.h"
#include "util/text.h"

/* What a document was made of that nobody wrote: its errors name options and URLs in place of keys
 * and places. Borrowed. */
struct refusal_source {
	/* Of its jobs, from the first one on; n_urls == 0: they are not told by name. */
	const char *const *urls;
	size_t n_urls;
};

/* From the daemon: {"errors":[{"code","at","message"},…]}. `source` == NULL: the document is the
 * user's own. EXIT_REFUSED or EXIT_POLICY. */
int refusal_tell(struct text json, const struct refusal_source *source);

/* From a check of our own. The same. */
int refusal_tell_errors(const struct plan_errors *errors);

/* Checks a document and tells its errors, on stderr and, where `ret_json` is not NULL, there as
 * the daemon would write them. EXIT_REFUSED; 0 where there are none; EXIT_LOCAL_IO, said. */
int refusal_check(
	struct text document, const struct refusal_source *source, struct buffer *ret_json);

/* The errors as the daemon would write them: {"errors":[…]}. */
void refusal_append(struct buffer *out, const struct plan_errors *errors);
