/* SPDX-License-Identifier: MIT */
#include "job/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/container.h"
#include "util/panic.h"

/*
 * What comes from the network comes when it will, and a file takes it when it can. Two buffers: one
 * is with the kernel, the other collects what comes meanwhile; when the write is over they change
 * places. So a slow file is written in large pieces and a fast one at once, and a small body takes
 * little memory, because a buffer grows only as far as it is filled.
 *
 * Full is not a bound but a wish: who has more than fits may still hand it over (what a decoder
 * makes of one piece has to go somewhere), and then waits.
 *
 * Its memory is that of bodies, which all have one bound. Near to it a store is tight: full as soon
 * as a write is in flight, so that it has little more than a piece, and its origin waits for the
 * file. What one that is full is given all the same (a stream of HTTP/2 brings its window) has no
 * other bound, and is refused beyond that one. One that has nothing to write has no memory.
 *
 * Writes go to our own offset, behind where the client's descriptor stands, which is not moved: a
 * second attempt begins at the same place. What an earlier one has written beyond the end is cut
 * off.
 */

/* A buffer as large as this is full; its first and its usual size. */
#define STORE_FULL (256 * 1024)
#define STORE_MIN  4096

static void store_on_task(struct task *task);
static void store_on_write(struct op *op, const struct completion *completion);

void store_common_init(
	struct store_common *common, struct ring *ring, size_t *held_bytes, size_t held_bytes_max)
{
	*common = (struct store_common){
		.ring = ring,
		.held_bytes = held_bytes,
		.held_bytes_max = held_bytes_max,
	};
}

void store_init(struct store *store, const struct store_events *events)
{
	*store = (struct store){.events = events};
	task_init(&store->task, store_on_task);
}

/* NULL: it can be written. */
static const char *store_objection(const struct ring_file *file)
{
	if (file->kind != RING_FILE_REGULAR)
		return "the descriptor is not a file";
	if (!file->can_write)
		return "the descriptor is not open for writing";
	/* The kernel would write at the end, whatever the offset. */
	if (file->appends)
		return "the descriptor is open for appending";
	return NULL;
}

bool store_open(struct store *store, struct store_common *common, struct descriptor *descriptor,
	uint64_t offset, struct fault *ret_fault)
{
	struct ring_file file;
	const char *objection;
	int r = ring_look(common->ring, descriptor->fd, &file);

	expect(!store->is_open);
	objection = r < 0 ? strerrordesc_np(-r) : store_objection(&file);
	if (objection) {
		fault_set(ret_fault, FAULT_SINK_WRITE, "%s", objection);
		return false;
	}
	store->common = common;
	store->descriptor = descriptor;
	store->start = file.position;
	store->offset = file.position + offset;
	store->end = file.size;
	store->front = 0;
	store->written = 0;
	store->is_finishing = false;
	store->was_full = false;
	store->has_failed = false;
	store->is_open = true;
	return true;
}

/* Memory. */

static void store_drop(struct store *store, uint32_t i)
{
	free(store->memory[i]);
	*store->common->held_bytes -= store->capacities[i];
	store->memory[i] = NULL;
	store->capacities[i] = 0;
	store->sizes[i] = 0;
}

/* What stores have leaves a quarter to others. */
static bool store_is_tight(const struct store *store)
{
	size_t max = store->common->held_bytes_max;

	return *store->common->held_bytes > max - max / 4;
}

/* No less than that; more where there is room, so that what comes later needs none. */
static size_t store_capacity(const struct store *store, size_t capacity, size_t wanted)
{
	if (store_is_tight(store))
		return wanted;
	if (capacity < STORE_MIN)
		capacity = STORE_MIN;
	while (capacity < wanted && capacity < STORE_FULL)
		capacity *= 2;
	return capacity < wanted ? wanted : capacity;
}

static bool store_reserve(struct store *store, uint32_t i, size_t size)
{
	struct store_common *common = store->common;
	size_t wanted = store->sizes[i] + size, before = store->capacities[i];
	size_t capacity;
	char *memory;

	if (wanted <= before)
		return true;
	capacity = store_capacity(store, before, wanted);
	if (store_is_full(store) &&
		*common->held_bytes + (capacity - before) > common->held_bytes_max)
		return false;
	memory = realloc(store->memory[i], capacity);
	if (!memory)
		return false;
	*common->held_bytes += capacity - before;
	store->memory[i] = memory;
	store->capacities[i] = capacity;
	return true;
}

static void store_release(struct store *store)
{
	task_cancel(&store->task);
	store_drop(store, 0);
	store_drop(store, 1);
	store->descriptor = NULL;
	store->is_open = false;
	store->is_closing = false;
}

bool store_close(struct store *store)
{
	if (!store->is_open)
		return true;
	if (op_is_idle(&store->op)) {
		store_release(store);
		return true;
	}
	store->is_closing = true;
	ring_cancel(store->common->ring, &store->op);
	return false;
}

uint64_t store_written(const struct store *store)
{
	return store->offset - store->start;
}

/* Writing. */

static void store_write(struct store *store)
{
	uint32_t front = store->front;

	ring_write(store->common->ring, &store->op, store->descriptor->fd,
		store->memory[front] + store->written, store->sizes[front] - store->written,
		store->offset, store_on_write);
}

bool store_take(struct store *store, const char *data, size_t size)
{
	bool is_idle = op_is_idle(&store->op);
	uint32_t i = is_idle ? store->front : !store->front;

	expect(store->is_open && !store->is_closing && !store->is_finishing);
	if (size == 0 || store->has_failed)
		return true;
	if (!store_reserve(store, i, size))
		return false;
	memcpy(store->memory[i] + store->sizes[i], data, size);
	store->sizes[i] += size;
	if (is_idle)
		store_write(store);
	store->was_full = store_is_full(store);
	return true;
}

bool store_is_full(const struct store *store)
{
	return !op_is_idle(&store->op) &&
	       (store->sizes[!store->front] >= STORE_FULL || store_is_tight(store));
}

static void store_fail(struct store *store, int error)
{
	bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
	struct fault fault;

	store->has_failed = true;
	fault_set(
		&fault, is_full ? FAULT_SINK_FULL : FAULT_SINK_WRITE, "%s", strerrordesc_np(error));
	store->events->on_fault(store, &fault);
}

/* Finishing. */

static void store_on_truncate(struct op *op, const struct completion *completion)
{
	struct store *store = container_of(op, struct store, op);

	if (store->is_closing) {
		store_release(store);
		store->events->on_closed(store);
		return;
	}
	if (completion->result < 0) {
		store_fail(store, -completion->result);
		return;
	}
	store->is_finishing = false;
	store->events->on_finished(store);
}

/* All is written. */
static void store_cut_off(struct store *store)
{
	if (store->end > store->offset) {
		ring_truncate(store->common->ring, &store->op, store->descriptor->fd, store->offset,
			store_on_truncate);
		return;
	}
	store->is_finishing = false;
	store->events->on_finished(store);
}

static void store_on_task(struct task *task)
{
	store_cut_off(container_of(task, struct store, task));
}

void store_finish(struct store *store)
{
	expect(store->is_open && !store->is_closing && !store->is_finishing);
	if (store->has_failed)
		return;
	store->is_finishing = true;
	if (op_is_idle(&store->op))
		task_defer(ring_tasks(store->common->ring), &store->task);
}

/* Bytes of the front are in the file: the next ones; true where there are. */
static bool store_advance(struct store *store, size_t size)
{
	store->written += size;
	store->offset += size;
	if (store->written == store->sizes[store->front]) {
		store->sizes[store->front] = 0;
		if (store_is_tight(store))
			store_drop(store, store->front);
		store->written = 0;
		store->front = !store->front;
	}
	if (store->sizes[store->front] > 0) {
		store_write(store);
		return true;
	}
	store_drop(store, 0);
	store_drop(store, 1);
	return false;
}

static void store_on_write(struct op *op, const struct completion *completion)
{
	struct store *store = container_of(op, struct store, op);
	int result = completion->result;
	bool is_writing;

	if (store->is_closing) {
		store->offset += result > 0 ? (uint64_t)result : 0;
		store_release(store);
		store->events->on_closed(store);
		return;
	}
	if (result <= 0 && result != -EINTR) {
		/* Taking nothing is no progress, and would be none the next time. */
		store_fail(store, result == 0 ? EIO : -result);
		return;
	}
	is_writing = store_advance(store, result > 0 ? (size_t)result : 0);
	if (!is_writing && store->is_finishing) {
		store_cut_off(store);
	} else if (store->was_full && !store_is_full(store)) {
		store->was_full = false;
		store->events->on_room(store);
	}
}
