/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a job's attempts have come to, from the first that is followed by another one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/record.h"
#include "util/text.h"

/* Attempts that are kept one by one; beyond it they are only counted. */
#define TRIAL_TRIES_MAX 1000

struct resume;

struct trial {
	/* Attempts that are over. */
	uint32_t n_attempts;
	/* How long the job waited for its first place. */
	uint64_t queue_ns;
	/* The backoff that it is in, or was. */
	uint64_t backoff_ns;
	/* Whether any of them may have been acted on. */
	enum record_sent sent;
	struct record_try *tries;
	uint32_t n_tries, room;
	/* What the job's file has of a response that broke off; owned; NULL: nothing to go on with.
	 */
	struct resume *resume;
};

/* NULL: no memory. */
struct trial *trial_new(void);

/* Takes NULL, returns NULL. */
struct trial *trial_free(struct trial *trial);

/* What a request to that URL goes on with; NULL: nothing. Takes NULL. */
const struct resume *trial_resume(const struct trial *trial, struct text url);

/* The next request asks for all. */
void trial_begin_anew(struct trial *trial);

/* One more is over. Without memory it is only counted. */
void trial_add(struct trial *trial, const struct record_try *one, enum record_sent sent);

/* The backoff behind the last one. */
void trial_set_backoff(struct trial *trial, uint64_t backoff_ns);
