/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A question to a daemon that is there, and its answer.
 */

#include "client/cli/session.h"
#include "client/cli/sink.h"
#include "util/text.h"

/* Waits for the answer of that type. 0 and its object, valid until the session's next event;
 * EXIT_DAEMON, which was said. */
int ask_await(struct session *session, enum settle_event_type type, struct text *ret_json);

/* That no operands were given: 0; EXIT_USAGE, which was said. */
int ask_check_operands(const struct options *options);

/* Writes what the sink holds, and ends it. The exit status. */
int ask_write(struct sink *sink);
