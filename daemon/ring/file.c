/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/compat.h"
#include "ring/ring_private.h"

/*
 * Descriptors that are no sockets: those that clients pass. The kernel reads and writes what is in
 * its memory at once, waits for a pipe as it waits for a socket, and lets one of its worker
 * threads wait for a disk.
 *
 * The owner of a descriptor shares its position and its flags with us: we move neither, and ask
 * nothing of its file system that could wait for a server.
 *
 * We may be the last to close it, and that may take long: a large file that has no name any more is
 * given back to its disk, a terminal waits until it has shown everything. So a worker does it; a
 * pipe alone is closed at once. But the kernel has few workers, and files need them: a socket that
 * would wait for its peer for as long as its owner likes (SO_LINGER) is told not to, which is the
 * one thing that we change about what others share. What it has to send is sent all the same.
 */

/* How it was opened. */
static int file_look_flags(int fd, struct ring_file *file)
{
	int flags = fcntl(fd, F_GETFL);
	int access = flags & O_ACCMODE;

	if (flags < 0)
		return -errno;
	/* A mere name for a file can do neither. */
	file->can_read = !(flags & O_PATH) && (access == O_RDONLY || access == O_RDWR);
	file->can_write = !(flags & O_PATH) && (access == O_WRONLY || access == O_RDWR);
	file->appends = flags & O_APPEND;
	return 0;
}

/* What is known of it already will do: a server need not be asked. 0 or -errno. */
static int file_look_status(int fd, struct statx *ret_status)
{
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, ret_status) <
		0)
		return -errno;
	return 0;
}

int ring_look(struct ring *ring, int fd, struct ring_file *ret_file)
{
	struct ring_file file = {.kind = RING_FILE_OTHER};
	struct statx status;
	off_t position;
	int r = file_look_status(fd, &status);

	(void)ring;
	if (r < 0)
		return r;
	if (file_look_flags(fd, &file) < 0)
		return -errno;
	if (S_ISFIFO(status.stx_mode))
		file.kind = RING_FILE_PIPE;
	if (S_ISREG(status.stx_mode)) {
		file.kind = RING_FILE_REGULAR;
		file.size = status.stx_size;
		position = lseek(fd, 0, SEEK_CUR);
		file.position = position < 0 ? 0 : (uint64_t)position;
	}
	*ret_file = file;
	return 0;
}

void ring_read(struct ring *ring, struct op *op, int fd, void *data, size_t size, uint64_t offset,
	op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	io_uring_prep_read(sqe, fd, data, (unsigned)size, offset);
	ring_start(sqe, op, OP_PLAIN);
}

void ring_write(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	uint64_t offset, op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	io_uring_prep_write(sqe, fd, data, (unsigned)size, offset);
	ring_start(sqe, op, OP_PLAIN);
}

void ring_truncate(struct ring *ring, struct op *op, int fd, uint64_t size, op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);
	enum op_kind kind = OP_PLAIN;

	op_begin(op, fd, on_complete);
	if (ring->features.truncate) {
		io_uring_prep_rw(IORING_OP_FTRUNCATE_, sqe, fd, NULL, 0, size);
		ring_start(sqe, op, kind);
		return;
	}
	if (ftruncate(fd, (off_t)size) < 0)
		kind = (enum op_kind)(OP_FAILED + errno);
	io_uring_prep_nop(sqe);
	ring_start(sqe, op, kind);
}

/* One that resets its connection (a time of zero) does not wait. */
static void file_stop_linger(int fd)
{
	struct linger linger, off = {0};
	socklen_t size = sizeof(linger);

	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) < 0)
		return;
	if (linger.l_onoff && linger.l_linger > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

void ring_close_passed(struct ring *ring, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);
	struct statx status = {0};

	ring->counters.closes++;
	io_uring_prep_close(sqe, fd);
	sqe->user_data = 0;
	if (file_look_status(fd, &status) == 0 && S_ISFIFO(status.stx_mode))
		return;
	if (S_ISSOCK(status.stx_mode))
		file_stop_linger(fd);
	sqe->flags |= IOSQE_ASYNC;
}
