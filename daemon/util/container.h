/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a member to what holds it, and the sizes of things.
 */

#include <stddef.h>

/* The object of `type` whose `member` is at `pointer`. */
#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define countof(array) (sizeof(array) / sizeof((array)[0]))
