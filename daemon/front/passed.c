/* SPDX-License-Identifier: MIT */
#include "front/passed.h"

#include <stdlib.h>
#include <string.h>

#include "proto/plan.h"
#include "ring/ring.h"
#include "util/panic.h"

/*
 * Few clients pass any, so a session has no room for them until it needs it, and then for as many
 * as there can be.
 *
 * Places are counted from the begin of the stream, as the bytes that had come when they did: what a
 * line reader makes of its memory does not move them.
 */

struct passed_fd {
	/* Behind the last byte it came with. */
	uint64_t at;
	int fd;
};

void passed_refuse(struct ring *ring, const int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ring_close_forget(ring, fds[i]);
}

bool passed_add(struct passed *passed, struct ring *ring, const int *fds, uint32_t n, uint64_t end)
{
	if (n == 0)
		return true;
	if (!passed->all && n <= PLAN_FDS_MAX)
		passed->all = calloc(PLAN_FDS_MAX, sizeof(*passed->all));
	if (!passed->all || n > PLAN_FDS_MAX - passed->n) {
		passed_refuse(ring, fds, n);
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		passed->all[passed->n++] = (struct passed_fd){end, fds[i]};
	return true;
}

void passed_lose(struct passed *passed, uint64_t end)
{
	passed->lost_at = end;
}

/* The first `n` are somebody's. */
static void passed_drop(struct passed *passed, uint32_t n)
{
	if (n == 0)
		return;
	passed->n -= n;
	passed->n_line = 0;
	if (passed->n > 0) {
		memmove(passed->all, passed->all + n, passed->n * sizeof(*passed->all));
		return;
	}
	free(passed->all);
	passed->all = NULL;
}

static uint32_t passed_copy(const struct passed *passed, uint32_t n, int fds[PLAN_FDS_MAX])
{
	for (uint32_t i = 0; i < n; i++)
		fds[i] = passed->all[i].fd;
	return n;
}

struct descriptors *passed_take(struct passed *passed, struct ring *ring)
{
	int fds[PLAN_FDS_MAX];
	uint32_t n = passed_copy(passed, passed->n_line, fds);

	passed_drop(passed, n);
	return descriptors_new(ring, fds, n);
}

void passed_end_line(struct passed *passed, struct ring *ring)
{
	int fds[PLAN_FDS_MAX];
	uint32_t n = passed_copy(passed, passed->n_line, fds);

	passed_drop(passed, n);
	passed_refuse(ring, fds, n);
}

static void passed_find(struct passed *passed, uint64_t end)
{
	expect(passed->n_line == 0);
	while (passed->n_line < passed->n && passed->all[passed->n_line].at <= end)
		passed->n_line++;
	passed->line_lost = passed->lost_at > 0 && passed->lost_at <= end;
	if (passed->line_lost)
		passed->lost_at = 0;
}

void passed_begin_line(struct passed *passed, struct ring *ring, uint64_t begin, uint64_t end)
{
	passed_find(passed, begin);
	passed_end_line(passed, ring);
	passed_find(passed, end);
}

void passed_close(struct passed *passed, struct ring *ring)
{
	passed->n_line = passed->n;
	passed_end_line(passed, ring);
	passed->lost_at = 0;
	passed->line_lost = false;
}
