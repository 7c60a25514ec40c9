/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Files and pipes on the fake ring: descriptors that a client could pass. What regular files do
 * completes by itself unless fake_holds.files; what a pipe brings, the test says.
 */

#include "tests/unit/net/fake_ring.h"

/* A regular file that holds these bytes, open for both, standing at its begin. */
int fake_file(const char *text);

/* The end of a pipe that is read. */
int fake_pipe(void);

/* What is neither. */
int fake_odd(void);

/* What ring_look() says of it, to be changed at will. */
struct ring_file *fake_look(int fd);

/* What is in the file now. */
struct text fake_content(int fd);

/* The file has become these bytes, behind our back. */
void fake_change(int fd, const char *text);

/* The pipe brings these bytes, which must be waited for. */
void fake_feed(int fd, const char *text);
