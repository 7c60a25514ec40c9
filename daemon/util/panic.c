/* SPDX-License-Identifier: MIT */
#include "util/panic.h"

#include <stdio.h>
#include <stdlib.h>

static panic_hook panic_on_raise;

void panic_set_hook(panic_hook hook)
{
	panic_on_raise = hook;
}

void panic_raise(const char *file, int line, const char *function, const char *what)
{
	panic_hook hook = panic_on_raise;

	fprintf(stderr, "<0>panic: %s:%d: %s: %s\n", file, line, function, what);
	panic_on_raise = NULL;
	if (hook)
		hook();
	abort();
}
