/* SPDX-License-Identifier: MIT */
#include "ring/buffers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/panic.h"

static size_t entries_size(unsigned n)
{
	return n * sizeof(struct io_uring_buf);
}

static void *pages_new(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

int buffers_init(
	struct buffers *buffers, struct io_uring *uring, unsigned n, unsigned size, uint16_t group)
{
	struct io_uring_buf_reg registration = {.ring_entries = n, .bgid = group};
	int r;

	expect(n > 0 && (n & (n - 1)) == 0);
	*buffers = (struct buffers){.n = n, .size = size, .group = group};
	buffers->entries = pages_new(entries_size(n));
	buffers->memory = pages_new((size_t)n * size);
	if (!buffers->entries || !buffers->memory) {
		buffers_deinit(buffers);
		return -ENOMEM;
	}
	registration.ring_addr = (uintptr_t)buffers->entries;
	r = io_uring_register_buf_ring(uring, &registration, 0);
	if (r < 0) {
		buffers_deinit(buffers);
		return r;
	}
	io_uring_buf_ring_init(buffers->entries);
	for (unsigned i = 0; i < n; i++)
		io_uring_buf_ring_add(buffers->entries, buffers->memory + (size_t)i * size, size,
			(uint16_t)i, io_uring_buf_ring_mask(n), (int)i);
	io_uring_buf_ring_advance(buffers->entries, (int)n);
	return 0;
}

int buffers_init_single(struct buffers *buffers, unsigned size)
{
	*buffers = (struct buffers){.n = 1, .size = size};
	buffers->memory = pages_new(size);
	return buffers->memory ? 0 : -ENOMEM;
}

void buffers_deinit(struct buffers *buffers)
{
	if (buffers->entries)
		munmap(buffers->entries, entries_size(buffers->n));
	if (buffers->memory)
		munmap(buffers->memory, (size_t)buffers->n * buffers->size);
	*buffers = (struct buffers){0};
}

static unsigned buffer_index(const struct buffers *buffers, uint32_t completion_flags)
{
	unsigned i = completion_flags >> IORING_CQE_BUFFER_SHIFT;

	expect(completion_flags & IORING_CQE_F_BUFFER);
	expect(i < buffers->n);
	return i;
}

char *buffers_get(const struct buffers *buffers, uint32_t completion_flags)
{
	return buffers->memory + (size_t)buffer_index(buffers, completion_flags) * buffers->size;
}

void buffers_put(struct buffers *buffers, uint32_t completion_flags)
{
	unsigned i = buffer_index(buffers, completion_flags);

	io_uring_buf_ring_add(buffers->entries, buffers->memory + (size_t)i * buffers->size,
		buffers->size, (uint16_t)i, io_uring_buf_ring_mask(buffers->n), 0);
	io_uring_buf_ring_advance(buffers->entries, 1);
}
