/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What settle has to say besides its results: a line on stderr, "settle: …", without control
 * characters whatever it quotes.
 */

#include <stdbool.h>

/* With -s and not -S: nothing is said any more. */
void message_silence(void);

/* True where somebody may read messages. */
bool message_is_heard(void);

/* A line, without its end. */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
