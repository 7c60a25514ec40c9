/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a client says: one line, understood and done.
 */

#include "util/text.h"

struct session;

/* NULL; or what is wrong with it, one sentence without a full stop or quotes, static: the session
 * is told, and closed. */
const char *message_read(struct session *session, struct text line);
