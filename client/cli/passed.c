/* SPDX-License-Identifier: MIT */
#include "client/cli/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/pump.h"

int passed_borrow(struct passed *passed, int fd, uint32_t *ret_index)
{
	if (passed->n == SETTLE_FDS_MAX) {
		message_print("no more than %d files go with a graph", SETTLE_FDS_MAX);
		return EXIT_USAGE;
	}
	passed->borrowed[passed->n / 64] |= UINT64_C(1) << passed->n % 64;
	passed->fds[passed->n] = fd;
	*ret_index = passed->n++;
	return 0;
}

int passed_take(struct passed *passed, int fd, uint32_t *ret_index)
{
	int r = passed_borrow(passed, fd, ret_index);

	if (r == 0)
		passed->borrowed[*ret_index / 64] &= ~(UINT64_C(1) << *ret_index % 64);
	else
		close(fd);
	return r;
}

int passed_read(struct passed *passed, const char *path, uint32_t *ret_index)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	int r, readable;

	r = fd < 0 ? -errno : pump_open(fd, &readable);
	if (r < 0) {
		if (path && fd >= 0)
			close(fd);
		return message_cannot("read", path ? path : "standard input", r);
	}
	if (!path && readable == fd)
		return passed_borrow(passed, fd, ret_index);
	return passed_take(passed, readable, ret_index);
}

void passed_close(struct passed *passed)
{
	for (uint32_t i = 0; i < passed->n; i++) {
		if (!(passed->borrowed[i / 64] >> i % 64 & 1))
			close(passed->fds[i]);
	}
	passed->n = 0;
}

int passed_hand_over(const struct passed *passed, struct settle *settle)
{
	for (uint32_t i = 0; i < passed->n; i++) {
		int r = settle_pass_fd(settle, passed->fds[i]);

		if (r < 0)
			return r;
	}
	return 0;
}
