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

void passed_common_init(struct passed_common *common, struct ring *ring, uint32_t n_max)
{
	*common = (struct passed_common){.ring = ring, .n_max = n_max};
}

void passed_refuse(struct passed_common *common, const int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ring_close_passed(common->ring, fds[i]);
}

void passed_on_closed(struct passed_common *common, uint32_t n)
{
	expect(n <= common->n);
	common->n -= n;
}

bool passed_add(struct passed *passed, struct passed_common *common, const int *fds, uint32_t n,
	uint64_t end)
{
	if (n == 0)
		return true;
	if (n > common->n_max - common->n) {
		passed_refuse(common, fds, n);
		passed_lose(passed, end);
		return true;
	}
	if (!passed->all && n <= PLAN_FDS_MAX)
		passed->all = calloc(PLAN_FDS_MAX, sizeof(*passed->all));
	if (!passed->all || n > PLAN_FDS_MAX - passed->n) {
		passed_refuse(common, fds, n);
		return false;
	}
	common->n += n;
	for (uint32_t i = 0; i < n; i++)
		passed->all[passed->n++] = (struct passed_fd){end, fds[i]};
	return true;
}

void passed_lose(struct passed *passed, uint64_t end)
{
	if (passed->lost_first == 0)
		passed->lost_first = end;
	passed->lost_last = end;
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

struct descriptors *passed_take(struct passed *passed, struct passed_common *common)
{
	int fds[PLAN_FDS_MAX];
	uint32_t n = passed_copy(passed, passed->n_line, fds);
	struct descriptors *descriptors;

	if (n == 0)
		return NULL;
	passed_drop(passed, n);
	descriptors = descriptors_new(common->ring, fds, n);
	if (!descriptors)
		passed_on_closed(common, n);
	return descriptors;
}

void passed_end_line(struct passed *passed, struct passed_common *common)
{
	int fds[PLAN_FDS_MAX];
	uint32_t n = passed_copy(passed, passed->n_line, fds);

	passed_drop(passed, n);
	passed_refuse(common, fds, n);
	passed_on_closed(common, n);
}

static void passed_find(struct passed *passed, uint64_t end)
{
	expect(passed->n_line == 0);
	while (passed->n_line < passed->n && passed->all[passed->n_line].at <= end)
		passed->n_line++;
	passed->line_lost = passed->lost_first > 0 && passed->lost_first <= end;
	if (passed->line_lost)
		passed->lost_first = passed->lost_last > end ? passed->lost_last : 0;
}

void passed_begin_line(
	struct passed *passed, struct passed_common *common, uint64_t begin, uint64_t end)
{
	passed_find(passed, begin);
	passed_end_line(passed, common);
	passed_find(passed, end);
}

void passed_close(struct passed *passed, struct passed_common *common)
{
	passed->n_line = passed->n;
	passed_end_line(passed, common);
	passed->lost_first = 0;
	passed->line_lost = false;
}
