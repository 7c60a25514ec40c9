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

/* "cannot read FILE: No such file or directory", and EXIT_LOCAL_IO. What a signal broke off
 * (-EINTR) is no news: nothing is said, and the status is the signal's. */
int message_cannot(const char *verb, const char *path, int error);

/* A line, without its end. */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
