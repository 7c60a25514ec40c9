/* SPDX-License-Identifier: MIT */
#include "job/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/container.h"
#include "util/panic.h"

/*
 * The client that passed a descriptor still has it, and so may others: its position and flags are
 * theirs, its file may grow and shrink while we read. So a file is read at our own offset, and what
 * was promised (its length when it was opened, which stands in the request's head) is what is
 * given: what is appended meanwhile is left out, and what was cut off is a fault.
 *
 * A pipe gives its bytes once: who has it open has it alone, and once anything was read of it,
 * nobody else opens it.
 *
 * A read that waits for a disk cannot be cancelled: who closes waits for it, in the rare case.
 */

/* What one read of a file brings at most; a pipe holds 64 KiB unless it was made larger. */
#define PIECE_FILE_MAX (256 * 1024)
#define PIECE_PIPE_MAX (64 * 1024)

static void source_on_read(struct op *op, const struct completion *completion);

void source_init(struct source *source, const struct source_events *events)
{
	*source = (struct source){.events = events};
}

static bool source_is_pipe(const struct source *source)
{
	return source->length == SOURCE_LENGTH_OPEN;
}

/* NULL: it can be a body. */
static const char *source_objection(
	const struct descriptor *descriptor, const struct ring_file *file)
{
	if (file->kind == RING_FILE_OTHER)
		return "the descriptor is neither a file nor a pipe";
	if (!file->can_read)
		return "the descriptor is not open for reading";
	if (file->kind == RING_FILE_PIPE && descriptor->is_spent)
		return "the pipe was read from already, and what it gave is gone";
	return NULL;
}

bool source_open(struct source *source, struct ring *ring, struct descriptor *descriptor,
	struct fault *ret_fault)
{
	struct ring_file file;
	const char *objection;
	int r = ring_look(ring, descriptor->fd, &file);

	expect(!source->is_open);
	objection = r < 0 ? strerrordesc_np(-r) : source_objection(descriptor, &file);
	if (objection) {
		fault_set(ret_fault, FAULT_BODY_SOURCE, "%s", objection);
		return false;
	}
	source->length = SOURCE_LENGTH_OPEN;
	source->offset = RING_HERE;
	source->room = PIECE_PIPE_MAX;
	if (file.kind == RING_FILE_REGULAR) {
		source->offset = file.position;
		source->length = file.size > file.position ? file.size - file.position : 0;
		source->room = source->length < PIECE_FILE_MAX ? source->length : PIECE_FILE_MAX;
	}
	/* Even of an empty file a byte is asked for. */
	source->room += source->room == 0;
	source->memory = malloc(source->room);
	if (!source->memory) {
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory to read the body");
		return false;
	}
	source->left = source->length;
	source->ring = ring;
	source->descriptor = descriptor;
	source->has_ended = false;
	source->is_open = true;
	return true;
}

uint64_t source_length(const struct source *source)
{
	expect(source->is_open);
	return source->length;
}

bool source_can_rewind(const struct source *source)
{
	expect(source->is_open);
	return !source_is_pipe(source) || !source->descriptor->is_spent;
}

void source_next(struct source *source)
{
	size_t size = source->room;

	expect(source->is_open && !source->is_closing && !source->has_ended);
	if (source->left > 0 && source->left < size)
		size = (size_t)source->left;
	ring_read(source->ring, &source->op, source->descriptor->fd, source->memory, size,
		source->offset, source_on_read);
}

static void source_release(struct source *source)
{
	free(source->memory);
	source->memory = NULL;
	source->descriptor = NULL;
	source->is_open = false;
	source->is_closing = false;
}

bool source_close(struct source *source)
{
	if (!source->is_open)
		return true;
	if (op_is_idle(&source->op)) {
		source_release(source);
		return true;
	}
	source->is_closing = true;
	ring_cancel(source->ring, &source->op);
	return false;
}

/* The upcalls. */

static void source_fail(struct source *source, const char *why)
{
	struct fault fault;

	source->has_ended = true;
	fault_set(&fault, FAULT_BODY_SOURCE, "%s", why);
	source->events->on_fault(source, &fault);
}

static void source_give(struct source *source, size_t size, bool is_last)
{
	source->has_ended = is_last;
	source->events->on_piece(source, (struct text){source->memory, size}, is_last);
}

static void source_give_of_file(struct source *source, size_t size)
{
	if (size == 0 && source->left > 0) {
		source_fail(source, "the file has become shorter");
		return;
	}
	/* Only of an empty file more can come than was asked for. */
	if (size > source->left)
		size = (size_t)source->left;
	source->offset += size;
	source->left -= size;
	source_give(source, size, source->left == 0);
}

static void source_on_read(struct op *op, const struct completion *completion)
{
	struct source *source = container_of(op, struct source, op);
	int result = completion->result;

	if (result > 0 && source_is_pipe(source))
		descriptor_spend(source->descriptor);
	if (source->is_closing) {
		source_release(source);
		source->events->on_closed(source);
	} else if (result == -EINTR) {
		source_next(source);
	} else if (result < 0) {
		source_fail(source, strerrordesc_np(-result));
	} else if (source_is_pipe(source)) {
		source_give(source, (size_t)result, result == 0);
	} else {
		source_give_of_file(source, (size_t)result);
	}
}
