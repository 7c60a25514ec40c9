/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Descriptors passed over a pair of sockets.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static inline void pair_make(int pair[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

/* The lowest number that is free. */
static inline int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

/* Sends the text in one go, with `n` descriptors. */
static inline void pass(int fd, const char *text, unsigned n)
{
	union {
		char bytes[CMSG_SPACE(253 * sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec piece = {(void *)text, strlen(text)};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	int passed[253];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (unsigned i = 0; i < n; i++)
		passed[i] = null;
	if (n > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(n * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.header), passed, n * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(fd, &message, MSG_NOSIGNAL), (int)strlen(text));
	close(null);
}
