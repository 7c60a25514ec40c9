/* SPDX-License-Identifier: MIT */
#include "sim_net.h"

#include <string.h>

#include "sim_world.h"
#include "util/panic.h"

enum sim_segment_kind {
	SIM_SEGMENT_DATA,
	/* No more bytes; the end that said so still reads. */
	SIM_SEGMENT_SHUT,
	/* No more bytes, and nobody reads. */
	SIM_SEGMENT_CLOSE,
	SIM_SEGMENT_RESET,
};

struct sim_segment {
	struct sim_end *to;
	char *data;
	size_t size;
	enum sim_segment_kind kind;
};

void sim_bytes_append(struct sim_bytes *bytes, const char *data, size_t size)
{
	if (bytes->start + bytes->size + size > bytes->capacity) {
		size_t capacity = (bytes->size + size) * 2 < 256 ? 256 : (bytes->size + size) * 2;
		char *larger = sim_alloc(capacity);

		if (bytes->size)
			memcpy(larger, bytes->data + bytes->start, bytes->size);
		if (bytes->data)
			sim_release(bytes->data, bytes->capacity);
		bytes->data = larger;
		bytes->start = 0;
		bytes->capacity = capacity;
	}
	if (size)
		memcpy(bytes->data + bytes->start + bytes->size, data, size);
	bytes->size += size;
}

void sim_bytes_take(struct sim_bytes *bytes, size_t size)
{
	expect(size <= bytes->size);
	bytes->start += size;
	bytes->size -= size;
	if (bytes->size == 0)
		bytes->start = 0;
}

void sim_end_join(struct sim_end *a, struct sim_end *b, uint64_t latency_ns, size_t window)
{
	a->peer = b;
	b->peer = a;
	a->latency_ns = latency_ns;
	b->latency_ns = latency_ns;
	a->window = window;
	b->window = window;
}

static void sim_end_send(
	struct sim_end *end, enum sim_segment_kind kind, const char *data, size_t size);

static void sim_segment_arrive(void *context)
{
	struct sim_segment segment = *(struct sim_segment *)context;
	struct sim_end *to = segment.to;

	sim_release(context, sizeof(segment));
	to->on_the_way -= segment.size;
	if (to->closed && segment.kind == SIM_SEGMENT_DATA && !to->peer->reset)
		sim_end_send(to, SIM_SEGMENT_RESET, NULL, 0);
	if (!to->closed) {
		if (segment.kind == SIM_SEGMENT_DATA)
			sim_bytes_append(&to->in, segment.data, segment.size);
		else
			to->end = true;
		if (segment.kind == SIM_SEGMENT_RESET)
			to->reset = true;
		if (segment.kind == SIM_SEGMENT_RESET || segment.kind == SIM_SEGMENT_CLOSE)
			to->hangup = true;
	}
	if (segment.data)
		sim_release(segment.data, segment.size);
	if (!to->closed && to->on_change)
		to->on_change(to);
}

static void sim_end_send(
	struct sim_end *end, enum sim_segment_kind kind, const char *data, size_t size)
{
	struct sim_end *to = end->peer;
	struct sim_segment *segment = sim_alloc(sizeof(*segment));
	uint64_t arrival_ns = sim_now() + to->latency_ns + sim_delay(to->latency_ns / 4);

	if (arrival_ns < to->arrival_ns)
		arrival_ns = to->arrival_ns;
	to->arrival_ns = arrival_ns;
	to->on_the_way += size;
	segment->to = to;
	segment->kind = kind;
	segment->size = size;
	if (size) {
		segment->data = sim_alloc(size);
		memcpy(segment->data, data, size);
	}
	sim_after(arrival_ns - sim_now(), sim_segment_arrive, segment);
}

size_t sim_end_room(const struct sim_end *end)
{
	const struct sim_end *to = end->peer;
	size_t used = to->in.size + to->on_the_way;

	if (to->closed)
		return to->window;
	return used < to->window ? to->window - used : 0;
}

void sim_end_write(struct sim_end *end, const char *data, size_t size)
{
	if (end->shut || size == 0)
		return;
	end->written += size;
	sim_end_send(end, SIM_SEGMENT_DATA, data, size);
}

void sim_end_take(struct sim_end *end, size_t size)
{
	bool was_full = sim_end_room(end->peer) == 0;

	sim_bytes_take(&end->in, size);
	end->taken += size;
	if (was_full && size > 0 && end->peer->on_change && !end->peer->closed)
		end->peer->on_change(end->peer);
}

void sim_end_shut(struct sim_end *end)
{
	if (end->shut)
		return;
	end->shut = true;
	sim_end_send(end, SIM_SEGMENT_SHUT, NULL, 0);
}

void sim_end_close(struct sim_end *end)
{
	if (end->closed)
		return;
	if (end->in.size > 0) {
		sim_end_reset(end);
		return;
	}
	end->shut = true;
	end->closed = true;
	sim_end_send(end, SIM_SEGMENT_CLOSE, NULL, 0);
}

void sim_end_reset(struct sim_end *end)
{
	if (end->closed)
		return;
	end->shut = true;
	end->closed = true;
	sim_end_send(end, SIM_SEGMENT_RESET, NULL, 0);
}
