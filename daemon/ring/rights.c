/* SPDX-License-Identifier: MIT */
#include "ring/rights.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring/ring.h"

/*
 * The kernel puts the descriptors into our table before we see the message, so whatever it says
 * else, those it names are open and somebody's. Where the table is full it passes as many as
 * there is room for, closes the others, and says MSG_CTRUNC: with room for all that one message
 * can have, that flag means nothing else.
 *
 * The receive is made by ourselves, when a poll says that there is something: so no idle session
 * has a kilobyte of room for descriptors with the kernel.
 */

/* Descriptors that do not fit are nobody's. */
static void rights_take(struct rights *rights, const struct cmsghdr *header)
{
	size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
		if (rights->n_fds < RING_FDS_MAX)
			rights->fds[rights->n_fds++] = fd;
		else
			close(fd);
	}
}

int rights_receive(int fd, char *data, size_t size, struct rights *rights)
{
	union {
		/* Who listens may have asked for credentials (systemd's PassCredentials=). */
		char bytes[CMSG_SPACE(RING_FDS_MAX * sizeof(int)) +
			   CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr alignment;
	} control;
	struct iovec piece = {.iov_base = data, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	rights->n_fds = 0;
	rights->lost_fds = false;
	if (n < 0)
		return -errno;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
		if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS)
			rights_take(rights, at);
	}
	rights->lost_fds = message.msg_flags & MSG_CTRUNC;
	return (int)n;
}
