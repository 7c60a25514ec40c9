/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The memory of one HTTP/2 connection's nghttp2: counted, and bounded, so that whatever a peer
 * makes it keep, it is the connection that runs out of memory and not the daemon.
 */

#include <nghttp2/nghttp2.h>
#include <stddef.h>

struct h2_memory {
	size_t used;
	size_t used_max;
};

/* As malloc() and its kin, NULL beyond the bound. `memory` is borrowed. */
nghttp2_mem h2_memory_functions(struct h2_memory *memory);
