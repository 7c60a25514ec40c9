/* SPDX-License-Identifier: MIT */
#include "client/cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/cli/exit.h"

/* A signal handler has nothing but globals. */
static volatile sig_atomic_t interrupt_count_now;
static volatile sig_atomic_t interrupt_first;
static int interrupt_eventfd = -1;

static void interrupt_on_signal(int number)
{
	static const uint64_t one = 1;
	int saved = errno;

	if (interrupt_count_now == 0)
		interrupt_first = number;
	if (++interrupt_count_now > 2)
		_exit(EXIT_SIGNAL + interrupt_first);
	/* It cannot fail but by being full, which wakes as well. */
	if (write(interrupt_eventfd, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}

static int interrupt_catch(int number)
{
	/* Without SA_RESTART, so that a blocked write returns. */
	struct sigaction action = {.sa_handler = interrupt_on_signal}, old;

	if (sigaction(number, NULL, &old) < 0)
		return -errno;
	if (old.sa_handler == SIG_IGN)
		return 0;
	return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

int interrupt_init(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	int r;

	interrupt_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interrupt_eventfd < 0)
		return -errno;
	if (sigaction(SIGPIPE, &ignore, NULL) < 0)
		return -errno;
	r = interrupt_catch(SIGINT);
	return r < 0 ? r : interrupt_catch(SIGTERM);
}

int interrupt_fd(void)
{
	return interrupt_eventfd;
}

void interrupt_drain(void)
{
	uint64_t count;

	/* EAGAIN: another one took it. */
	while (read(interrupt_eventfd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

unsigned interrupt_count(void)
{
	return (unsigned)interrupt_count_now;
}

int interrupt_signal(void)
{
	return interrupt_first;
}
