/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client by hand, on a descriptor of the fake ring: the lines it says, and the messages it has
 * heard since fake_forget(). In lines ' stands for ", and @ for http://192.0.2.1/ .
 */

#include "tests/unit/net/fake_ring.h"

/* Says the line, LF added, and lets turns go by. */
void client_say(int fd, const char *line);

/* Submits the graph document under that number. */
void client_submit(int fd, unsigned id, const char *document);

/* Says no more, but still listens. */
void client_half_close(int fd);

/* Is gone for good. */
void client_close(int fd);

/* While fake_holds.sends: reads so many bytes of what waits for it. */
void client_read(int fd, size_t size);

/* While fake_holds.sends: all sends complete but this client's. */
void client_stall(int fd);

/* The messages' names in their order, each with its graph's number if it has one: "hello
 * 7:accepted 7:done". The last one must be whole. */
void client_assert_heard(int fd, const char *names);

/* What the n-th message says at a JSON pointer, "-" where it says nothing. */
void client_assert(int fd, unsigned n, const char *pointer, const char *text);

/* Messages heard so far, a part of one not counted. */
unsigned client_n_heard(int fd);

/* The n-th message's payload; data == NULL: it has none. */
struct text client_payload(int fd, unsigned n);

/* The n-th message as it came, without its LF and payload. */
struct text client_line(int fd, unsigned n);
