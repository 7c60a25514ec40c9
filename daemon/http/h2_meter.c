/* SPDX-License-Identifier: MIT */
#include "http/h2_meter.h"

#include <stdbool.h>
#include <string.h>

#include "util/panic.h"

/*
 * Most attacks on HTTP/2 are frames that are cheap to send and dear to take: PING, SETTINGS,
 * PRIORITY, WINDOW_UPDATE, RST_STREAM, empty or tiny DATA, unknown types, header blocks of
 * streams that are over (CVE-2019-9511 to 9518, CVE-2023-44487). Each may be sent by an honest
 * peer too, only not in great numbers without anything else. nghttp2 of Debian 12 counts only
 * what it must answer, and what it ignores it shows to nobody; so the frames are counted here,
 * before it sees them.
 *
 * A frame takes 1, a piece of a header block 1 more for each 64 bytes, since HPACK is the
 * dearest. What gives back is what h2 calls useful: a head that was shown, bytes of a body in
 * either direction, a request. And time, so that an idle connection may be asked for PINGs for
 * as long as it lives. The numbers are nghttp2's own of later versions: 10,000 at once, 330 a
 * second; a budget that is used up took some milliseconds of one processor.
 */

#define H2_METER_BUDGET_MAX 10000
#define H2_METER_PER_SECOND 330
#define H2_METER_NS         (UINT64_C(1000000000) / H2_METER_PER_SECOND)
#define H2_METER_BLOCK_STEP 64

/* RFC 9113 6. */
#define H2_METER_HEADERS      0x1
#define H2_METER_PUSH_PROMISE 0x5
#define H2_METER_CONTINUATION 0x9

void h2_meter_init(struct h2_meter *meter, uint64_t now_ns)
{
	*meter = (struct h2_meter){.filled_ns = now_ns, .budget = H2_METER_BUDGET_MAX};
}

void h2_meter_earn(struct h2_meter *meter, uint64_t n)
{
	uint32_t room = H2_METER_BUDGET_MAX - meter->budget;

	meter->budget += n < room ? (uint32_t)n : room;
}

static void h2_meter_fill(struct h2_meter *meter, uint64_t now_ns)
{
	uint64_t n;

	if (now_ns < meter->filled_ns + H2_METER_NS)
		return;
	n = (now_ns - meter->filled_ns) / H2_METER_NS;
	meter->filled_ns += n * H2_METER_NS;
	h2_meter_earn(meter, n);
}

/* The head is whole. False: the frame is one too many. */
static bool h2_meter_charge(struct h2_meter *meter)
{
	const uint8_t *head = meter->head;
	uint32_t length = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
	uint32_t cost = 1;

	if (head[3] == H2_METER_HEADERS || head[3] == H2_METER_PUSH_PROMISE ||
		head[3] == H2_METER_CONTINUATION)
		cost += length / H2_METER_BLOCK_STEP;
	meter->head_size = 0;
	meter->payload_left = length;
	meter->n_continuations = head[3] == H2_METER_CONTINUATION ? meter->n_continuations + 1 : 0;
	if (cost > meter->budget || meter->n_continuations > H2_METER_CONTINUATIONS_MAX)
		return false;
	meter->budget -= cost;
	return true;
}

/* Bytes up to the end of a head or of a payload. */
static size_t h2_meter_step(struct h2_meter *meter, const char *data, size_t size)
{
	size_t left = meter->payload_left;

	if (left > 0) {
		size = size < left ? size : left;
		meter->payload_left -= (uint32_t)size;
		return size;
	}
	left = H2_METER_HEAD_SIZE - meter->head_size;
	size = size < left ? size : left;
	memcpy(meter->head + meter->head_size, data, size);
	meter->head_size += (uint32_t)size;
	return size;
}

size_t h2_meter_take(struct h2_meter *meter, const char *data, size_t size, uint64_t now_ns)
{
	size_t at = 0;

	h2_meter_fill(meter, now_ns);
	while (at < size) {
		size_t before = at;

		at += h2_meter_step(meter, data + at, size - at);
		if (meter->head_size == H2_METER_HEAD_SIZE && !h2_meter_charge(meter))
			return before;
	}
	expect(at == size);
	return size;
}
