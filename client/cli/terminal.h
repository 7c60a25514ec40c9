/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a descriptor's terminal is like, if it is one.
 */

#include <stdbool.h>
#include <stdint.h>

/* TERM is "dumb" or says nothing: no colour, no cursor that moves. */
bool terminal_is_dumb(void);

/* A terminal, not dumb, and NO_COLOR does not say no. */
bool terminal_has_color(int fd);

/* 0: no terminal. */
uint32_t terminal_columns(int fd);
uint32_t terminal_rows(int fd);

/* A terminal whose locale has no more than ASCII. */
bool terminal_is_ascii(int fd);
