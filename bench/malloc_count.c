/* SPDX-License-Identifier: MIT */
/*
 * Loaded into the daemon by LD_PRELOAD: counts what it allocates. The count is the first eight
 * bytes of the file that $MALLOC_COUNT names, which bench/run maps too, so that it can be read at
 * any time and asking costs the daemon nothing.
 *
 * glibc's own names for the real functions spare the look-up of the next definition, which itself
 * allocates.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* Until the file is there. */
static uint64_t count_early;
static uint64_t *count = &count_early;

static void count_add(void)
{
	__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void count_open(void)
{
	const char *path = getenv("MALLOC_COUNT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared;

	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared != MAP_FAILED)
		count = shared;
}

void *malloc(size_t size)
{
	count_add();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count_add();
	return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	count_add();
	return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count_add();
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory;

	count_add();
	memory = __libc_memalign(alignment, size);
	if (!memory)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}
