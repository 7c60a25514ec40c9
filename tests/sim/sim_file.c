/* SPDX-License-Identifier: MIT */
#include "sim_file.h"

#include <errno.h>
#include <string.h>

#include "sim_fd.h"
#include "sim_world.h"
#include "util/clock.h"

/* -- Drawing ---------------------------------------------------------------------------------- */

static void sim_file_fill(struct sim_bytes *bytes, size_t size, unsigned salt)
{
	for (size_t i = 0; i < size; i++)
		sim_bytes_append(bytes, (const char[]){(char)(i * 7 + salt)}, 1);
}

static size_t sim_file_draw_size(void)
{
	return sim_chance(50) ? (size_t)sim_between(60000, 600000) : (size_t)sim_delay(20000);
}

struct sim_file *sim_file_draw_source(void)
{
	struct sim_file *file = sim_alloc(sizeof(*file));
	bool is_bad = sim_chance(sim_world.profile.reply_fault / 2);

	file->is_pipe = sim_chance(400);
	sim_file_fill(&file->content, sim_file_draw_size(), (unsigned)sim_below(256));
	if (!file->is_pipe && sim_chance(200))
		file->position = sim_between(0, file->content.size);
	if (is_bad)
		file->flaw = sim_chance(400) ? SIM_FILE_UNFIT : SIM_FILE_FAILS;
	if (is_bad && !file->is_pipe && sim_chance(300))
		file->flaw = SIM_FILE_SHRINKS;
	file->fails_at = sim_between(file->position, file->content.size);
	file->stalls = file->is_pipe && is_bad && sim_chance(200);
	return file;
}

struct sim_file *sim_file_draw_sink(void)
{
	struct sim_file *file = sim_alloc(sizeof(*file));

	file->is_sink = true;
	if (sim_chance(300))
		sim_file_fill(&file->content, sim_file_draw_size(), 3);
	sim_bytes_append(&file->before, file->content.data, file->content.size);
	if (sim_chance(200))
		file->position = sim_between(0, file->content.size);
	if (sim_chance(sim_world.profile.reply_fault / 2))
		file->flaw = (enum sim_file_flaw)sim_between(SIM_FILE_UNFIT, SIM_FILE_FULL);
	file->fails_at = file->position + sim_delay(3000);
	return file;
}

/* -- The daemon's descriptor ------------------------------------------------------------------ */

static void sim_file_supply(void *context)
{
	struct sim_file *file = context;
	size_t left = file->content.size - file->supplied;
	size_t n = left ? (size_t)sim_between(1, sim_chance(500) ? left : 1 + left / 4) : 0;

	if (left == 0 && !file->stalls)
		file->has_ended = true;
	file->supplied += n;
	if (file->fd && file->fd->other)
		sim_flight_poke(file->fd->other, sim_delay(sim_world.profile.operation_ns_max));
	if (left > 0)
		sim_after(sim_delay(10 * NS_PER_MS), sim_file_supply, file);
}

void sim_file_open(struct sim_file *file, struct sim_fd *fd)
{
	file->fd = fd;
	if (file->is_pipe)
		sim_after(sim_delay(10 * NS_PER_MS), sim_file_supply, file);
}

void sim_file_look(const struct sim_file *file, struct ring_file *ret_file)
{
	uint64_t fit = file->fails_at % 3;
	bool is_fit = file->flaw != SIM_FILE_UNFIT;

	*ret_file = (struct ring_file){
		.kind = file->is_pipe ? RING_FILE_PIPE : RING_FILE_REGULAR,
		.can_read = !file->is_sink,
		.can_write = file->is_sink,
		.size = file->content.size,
		.position = file->position,
	};
	if (!is_fit && (fit == 0 || (fit == 1 && !file->is_sink)))
		ret_file->kind = RING_FILE_OTHER;
	else if (!is_fit && fit == 1)
		ret_file->appends = true;
	else if (!is_fit)
		ret_file->can_read = ret_file->can_write = false;
}

/* -- Operations ---------------------------------------------------------------------------------
 */

/* How many bytes from there on, of so many; or why none. */
static int sim_file_bound(const struct sim_file *file, uint64_t offset, size_t size)
{
	if (file->flaw == SIM_FILE_FAILS && offset >= file->fails_at)
		return -EIO;
	if (file->flaw == SIM_FILE_FULL && offset >= file->fails_at)
		return -ENOSPC;
	if (file->flaw >= SIM_FILE_FAILS && size > file->fails_at - offset)
		size = (size_t)(file->fails_at - offset);
	if (size > 1 && sim_chance(sim_world.profile.short_send))
		size = (size_t)sim_between(1, size);
	return (int)size;
}

static int sim_file_read(struct sim_file *file, struct sim_flight *flight, uint64_t offset)
{
	size_t end = file->is_pipe ? file->supplied : file->content.size;
	size_t left = end > offset ? end - (size_t)offset : 0;
	int n;

	/* What was cut off is its end. */
	if (file->flaw == SIM_FILE_SHRINKS && offset >= file->fails_at)
		return 0;
	n = sim_file_bound(file, offset, left < flight->size ? left : flight->size);
	if (n > 0)
		memcpy(flight->memory, file->content.data + file->content.start + offset,
			(size_t)n);
	return n;
}

static int sim_file_write(struct sim_file *file, struct sim_flight *flight, uint64_t offset)
{
	int n = sim_file_bound(file, offset, flight->size);

	if (sim_sum(flight->data, flight->size) != flight->sum)
		sim_fail("bytes were changed while they were being written");
	if (n <= 0)
		return n;
	while (file->content.size < offset + (uint64_t)n)
		sim_bytes_append(&file->content, "", 1);
	memcpy(file->content.data + file->content.start + offset, flight->data, (size_t)n);
	return n;
}

static bool sim_pipe_read(struct sim_file *file, struct sim_flight *flight, int *ret_result)
{
	if (file->consumed == file->supplied && !file->has_ended && file->flaw != SIM_FILE_FAILS)
		return false;
	*ret_result = sim_file_read(file, flight, file->consumed);
	if (*ret_result == 0 && !file->has_ended)
		return false;
	if (*ret_result > 0)
		file->consumed += (size_t)*ret_result;
	return true;
}

bool sim_file_try(struct sim_flight *flight, int *ret_result)
{
	struct sim_file *file = sim_fds[flight->fd].file;

	if (flight->kind != SIM_TRUNCATE && sim_chance(sim_world.profile.interrupted)) {
		*ret_result = -EINTR;
		return true;
	}
	if (flight->kind == SIM_READ && file->is_pipe)
		return sim_pipe_read(file, flight, ret_result);
	if (flight->kind == SIM_READ)
		*ret_result = sim_file_read(file, flight, flight->offset);
	else if (flight->kind == SIM_WRITE)
		*ret_result = sim_file_write(file, flight, flight->offset);
	else
		*ret_result = 0;
	if (flight->kind == SIM_TRUNCATE && file->content.size > flight->offset)
		file->content.size = (size_t)flight->offset;
	return true;
}
