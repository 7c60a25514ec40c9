/* SPDX-License-Identifier: MIT */
#include "job/descriptor.h"

#include <stdlib.h>

#include "ring/ring.h"

struct descriptors *descriptors_new(struct ring *ring, const int *fds, uint32_t n)
{
	struct descriptors *descriptors;

	if (n == 0)
		return NULL;
	descriptors = calloc(1, sizeof(*descriptors) + n * sizeof(descriptors->all[0]));
	for (uint32_t i = 0; i < n; i++) {
		if (descriptors)
			descriptors->all[i].fd = fds[i];
		else
			ring_close_forget(ring, fds[i]);
	}
	if (descriptors)
		descriptors->n = n;
	return descriptors;
}

struct descriptors *descriptors_free(struct ring *ring, struct descriptors *descriptors)
{
	for (uint32_t i = 0; descriptors && i < descriptors->n; i++)
		ring_close_forget(ring, descriptors->all[i].fd);
	free(descriptors);
	return NULL;
}
