/* SPDX-License-Identifier: MIT */
#include "ring/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/panic.h"

int slots_init(struct slots *slots, struct io_uring *uring, uint32_t n)
{
	int r;

	slots->free = calloc(n, sizeof(*slots->free));
	if (!slots->free)
		return -ENOMEM;
	r = io_uring_register_files_sparse(uring, n);
	if (r < 0) {
		slots_deinit(slots);
		return r;
	}
	while (slots->n_free < n) {
		slots->free[slots->n_free] = n - 1 - slots->n_free;
		slots->n_free++;
	}
	return 0;
}

void slots_deinit(struct slots *slots)
{
	free(slots->free);
	*slots = (struct slots){0};
}

int slots_take(struct slots *slots, struct io_uring *uring, int fd)
{
	uint32_t slot;

	if (slots->n_free == 0)
		return fd;
	slot = slots->free[slots->n_free - 1];
	if (io_uring_register_files_update(uring, slot, &fd, 1) != 1)
		return fd;
	slots->n_free--;
	close(fd);
	return SLOTS_BASE + (int)slot;
}

void slots_give(struct slots *slots, uint32_t slot)
{
	expect(slots->free);
	slots->free[slots->n_free++] = slot;
}
