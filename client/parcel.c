/* SPDX-License-Identifier: MIT */
/*
 * The kernel gives descriptors to whoever receives the first byte of the send that they went with,
 * and joins what was sent without any to what was sent with some: so that the other side knows
 * whose they are, a send with descriptors has bytes of one line only.
 */
#include "client/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct parcel *parcel_new(void)
{
	return calloc(1, sizeof(struct parcel));
}

struct parcel *parcel_free(struct parcel *parcel)
{
	if (!parcel)
		return NULL;
	for (uint32_t i = 0; i < parcel->n; i++)
		close(parcel->fds[i]);
	free(parcel);
	return NULL;
}

int parcel_add(struct parcel *parcel, int fd)
{
	int copy;

	if (parcel->n == SETTLE_FDS_MAX)
		return -E2BIG;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	parcel->fds[parcel->n] = copy;
	return (int)parcel->n++;
}

ssize_t parcel_send(const struct parcel *parcel, int socket, struct text bytes)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(SETTLE_FDS_MAX * sizeof(int))];
	} control;
	size_t size = parcel->n * sizeof(parcel->fds[0]);
	struct iovec piece = {.iov_base = (char *)(uintptr_t)bytes.data, .iov_len = bytes.size};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	if (size > 0) {
		memset(&control, 0, CMSG_SPACE(size));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&control.head), parcel->fds, size);
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(size);
	}
	return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}
