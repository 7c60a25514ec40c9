/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who gets a secret, and where it may go: the [Secrets] of the configuration as what
 * {{secret.NAME}} is filled from. A secret without hosts goes nowhere; one without users is
 * everybody's who may talk to the daemon.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "secret.h"
#include "util/buffer.h"
#include "util/text.h"

/* Users given by name get their uid (getpwnam(3): not for the loop). False, and the sentence in
 * `why`, where one is unknown: nobody is granted anything through it. */
bool grant_resolve_users(struct secret *secret, struct buffer *why);

/* The value, for a request of that user to that host (without brackets). `context` is a struct
 * secrets. False: there is none, or not for them. */
bool grant_find(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value);
