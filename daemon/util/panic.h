/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * For our own mistakes only, in every build. What a host, a client or the network did is never
 * an expectation: it is a value.
 */

/* A fact that must hold here: the argument, the state on entry, the state on exit. */
#define expect(condition)                                                                          \
	((condition) ? (void)0 : panic_raise(__FILE__, __LINE__, __func__, #condition))

/* A branch that cannot be taken. */
#define unreachable(why) panic_raise(__FILE__, __LINE__, __func__, why)

/* Called once, before the process aborts: print what is known. NULL: nothing more to print. */
typedef void (*panic_hook)(void);

void panic_set_hook(panic_hook hook);

_Noreturn void panic_raise(const char *file, int line, const char *function, const char *what);
