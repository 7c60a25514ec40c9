/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What exchange.c and exchange_decode.c share.
 */

#include "job/exchange.h"
#include "util/text.h"

/* exchange.c */

/* Sets exchange->fault; false. */
bool exchange_fail(struct exchange *exchange, enum fault_code code, const char *why);

/* Bytes into a buffer of the exchange's, where all bodies together leave room for them. False:
 * exchange->fault. */
bool exchange_hold(struct exchange *exchange, struct buffer *buffer, const char *data, size_t size);

/* Bytes of the decoded body, to where it goes. False: exchange->fault. */
bool exchange_take(struct exchange *exchange, const char *data, size_t size);

/* exchange_decode.c. Each but the last: false: exchange->fault. */

/* The body has codings, which the head names. */
bool exchange_decode_begin(struct exchange *exchange);

/* The next bytes off the wire. */
bool exchange_decode(struct exchange *exchange, struct text in);

/* Another slice of what waits. */
bool exchange_decode_on(struct exchange *exchange);

/* All has come and been worked off: was it complete? Also of a body that has no codings. */
bool exchange_decode_finish(struct exchange *exchange);

/* The decoder and what waits for it go. */
void exchange_decode_end(struct exchange *exchange);
