/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Every size and default of the daemon that is not a user's business, as sums with reasons.
 * Read by settled.c and the layers' options; what a user may set stands in config.def.
 */

/* Receive buffers: what one entry to the kernel brings is about 42 small messages, and a few
 * fast bodies take up to 32 each. 128 of 8 KiB are a megabyte: a second-level cache. */
#define LIMIT_BUFFERS     128
#define LIMIT_BUFFER_SIZE (8 * 1024)

/* Long bodies: a handful at a time is what one thread can copy. */
#define LIMIT_LARGE_BUFFERS     16
#define LIMIT_LARGE_BUFFER_SIZE (128 * 1024)

/* Submission entries: all that one turn starts, most of the time. */
#define LIMIT_RING_ENTRIES 1024

/* Completions: every request in flight may have two at once (its send, its receive), and there
 * are 10,000 requests and more. */
#define LIMIT_RING_COMPLETIONS 32768

/* Descriptors that are not connections to origins: stderr, the ring, the wake event, the
 * listener, what getaddrinfo opens in 8 threads, or in 32 where they stick (2 each), and a
 * reserve. What clients pass has a share of its own (settled.c). */
#define LIMIT_DESCRIPTORS_RESERVED 96

/* A session's output: what may wait for a slow reader before its graphs start nothing more, and
 * where they go on. */
#define LIMIT_SESSION_OUT_HIGH (256 * 1024)
#define LIMIT_SESSION_OUT_LOW  (64 * 1024)

/* Graphs of one session that are not done: looked through one by one. */
#define LIMIT_SESSION_GRAPHS 1024

/* Bodies held in memory, of all jobs: what a machine of this age can spare. */
#define LIMIT_BODY_BYTES (UINT64_C(1) << 30)

/* Memory from that size on has pages of its own, which go back at once; of what lies behind the
 * last piece in use in the heap, no more stays. */
#define LIMIT_MALLOC_KEEP (1024 * 1024)

/* Names remembered, and look-ups that wait for a thread. */
#define LIMIT_DNS_NAMES  1024
#define LIMIT_DNS_QUEUED 4096
