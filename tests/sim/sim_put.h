/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writing into bytes: the simulator's own encoders, which share nothing with the daemon's.
 */

#include "sim_net.h"

void sim_put(struct sim_bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The inside of a JSON string. */
void sim_put_json(struct sim_bytes *out, const char *text);

/* All but unreserved characters percent-encoded (RFC 3986 2.3). */
void sim_put_url(struct sim_bytes *out, const char *text);

/* Terminated; the bytes stay. */
char *sim_put_end(struct sim_bytes *out);
