/* SPDX-License-Identifier: MIT */
#include "job/trial.h"

#include <stdlib.h>

#include "job/resume.h"

struct trial *trial_new(void)
{
	return calloc(1, sizeof(struct trial));
}

struct trial *trial_free(struct trial *trial)
{
	if (!trial)
		return NULL;
	resume_free(trial->resume);
	free(trial->tries);
	free(trial);
	return NULL;
}

const struct resume *trial_resume(const struct trial *trial, struct text url)
{
	if (!trial || !trial->resume || !text_equal(trial->resume->url, url))
		return NULL;
	return trial->resume;
}

void trial_begin_anew(struct trial *trial)
{
	trial->resume = resume_free(trial->resume);
}

static bool trial_make_room(struct trial *trial)
{
	uint32_t room = trial->room ? trial->room * 2 : 4;
	struct record_try *tries;

	if (trial->n_tries < trial->room)
		return true;
	if (room > TRIAL_TRIES_MAX)
		room = TRIAL_TRIES_MAX;
	if (trial->n_tries == room)
		return false;
	tries = reallocarray(trial->tries, room, sizeof(*tries));
	if (!tries)
		return false;
	trial->tries = tries;
	trial->room = room;
	return true;
}

void trial_add(struct trial *trial, const struct record_try *one, enum record_sent sent)
{
	trial->n_attempts++;
	if (sent > trial->sent)
		trial->sent = sent;
	if (trial_make_room(trial))
		trial->tries[trial->n_tries++] = *one;
}

void trial_set_backoff(struct trial *trial, uint64_t backoff_ns)
{
	trial->backoff_ns = backoff_ns;
	if (trial->n_tries == trial->n_attempts)
		trial->tries[trial->n_tries - 1].backoff = backoff_ns;
}
