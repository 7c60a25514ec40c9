/* SPDX-License-Identifier: MIT */
#include "job/descriptor.h"

#include <stdlib.h>

#include "ring/ring.h"
#include "util/panic.h"

static void descriptor_init(struct descriptor *descriptor, int fd)
{
	descriptor->fd = fd;
	bound_init(&descriptor->writers, 1);
	bound_init(&descriptor->readers, 1);
	descriptor->writers.is_private = true;
	descriptor->readers.is_private = true;
}

struct descriptors *descriptors_new(struct ring *ring, const int *fds, uint32_t n)
{
	struct descriptors *descriptors;

	if (n == 0)
		return NULL;
	descriptors = calloc(1, sizeof(*descriptors) + n * sizeof(descriptors->all[0]));
	for (uint32_t i = 0; i < n; i++) {
		if (descriptors)
			descriptor_init(&descriptors->all[i], fds[i]);
		else
			ring_close_passed(ring, fds[i]);
	}
	if (descriptors)
		descriptors->n = n;
	return descriptors;
}

struct descriptor *descriptors_find(struct descriptors *descriptors, uint32_t n)
{
	return descriptors && n < descriptors->n ? &descriptors->all[n] : NULL;
}

void descriptor_spend(struct descriptor *descriptor)
{
	descriptor->is_spent = true;
	descriptor->readers.limit = BOUND_NONE;
}

static void descriptor_deinit(struct descriptor *descriptor, struct ring *ring)
{
	expect(bound_is_unused(&descriptor->writers));
	expect(bound_is_unused(&descriptor->readers));
	list_remove(&descriptor->writers.freed);
	list_remove(&descriptor->readers.freed);
	ring_close_passed(ring, descriptor->fd);
}

struct descriptors *descriptors_free(struct ring *ring, struct descriptors *descriptors)
{
	for (uint32_t i = 0; descriptors && i < descriptors->n; i++)
		descriptor_deinit(&descriptors->all[i], ring);
	free(descriptors);
	return NULL;
}
