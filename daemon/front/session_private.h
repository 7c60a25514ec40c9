/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a session offers its submissions.
 */

#include "front/session.h"

/* True where the client still hears us. */
bool session_is_listening(const struct session *session);

/* An empty buffer to put a message together in; then session_say() queues it. */
struct buffer *session_message(struct session *session);
void session_say(struct session *session);

/* Something was put into the outbox directly. */
void session_said(struct session *session);

/* One graph less; the session may be gone after it. */
void session_on_graph_gone(struct session *session);
