/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many HTTP/2 frames a peer may send that bring nothing: a budget that frames take from,
 * and that time and useful work give back to. Reads the heads of frames in the bytes of a
 * connection, any pieces of them, and nothing else.
 */

#include <stddef.h>
#include <stdint.h>

#define H2_METER_HEAD_SIZE 9

/* Of one block of headers: the next one is one too many, whatever the budget. */
#define H2_METER_CONTINUATIONS_MAX 8

struct h2_meter {
	uint64_t filled_ns;
	uint32_t budget;
	/* Of the frame that bytes are being read of; while it is 0, a head is. */
	uint32_t payload_left;
	uint32_t head_size;
	/* CONTINUATION frames in a row. */
	uint32_t n_continuations;
	uint8_t head[H2_METER_HEAD_SIZE];
};

/* At the first frame of a connection, with a full budget. */
void h2_meter_init(struct h2_meter *meter, uint64_t now_ns);

/* The next bytes. How many of them may be read: all, or those before the frame that is one too
 * many; then it is over with the connection. */
size_t h2_meter_take(struct h2_meter *meter, const char *data, size_t size, uint64_t now_ns);

/* Something useful came of the frames. */
void h2_meter_earn(struct h2_meter *meter, uint64_t n);
