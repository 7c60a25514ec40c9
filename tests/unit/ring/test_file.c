/* SPDX-License-Identifier: MIT */
#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/ring/passing.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

/* The real kernel, with what matters to files and what does not. */
static const char *const disables[] = {
	NULL,
	"defer",
	"restrictions",
	"truncate",
	"defer,multishot,buffers,registered,restrictions,slots,noiowait,sendwait,truncate",
};

static struct ring *ring_make(const char *disable)
{
	struct ring_options options = {
		.entries = 8,
		.completions = 64,
		.n_buffers = 4,
		.buffer_size = 64,
		.n_large_buffers = 2,
		.large_buffer_size = 4096,
		.disable = disable,
	};
	struct ring *ring;
	const char *why;
	int r = ring_new(&options, &ring, &why);

	ck_assert_msg(r == 0, "%s: %s", strerrordesc_np(-r), why);
	return ring;
}

static int memory_file(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

struct wait {
	struct op op;
	int result;
	bool is_over;
};

static void wait_on_complete(struct op *op, const struct completion *completion)
{
	struct wait *wait = container_of(op, struct wait, op);

	wait->result = completion->result;
	wait->is_over = true;
}

static int wait_for(struct ring *ring, struct wait *wait)
{
	for (int i = 0; !wait->is_over; i++) {
		ck_assert_int_lt(i, 1000);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns() + NS_PER_S), 0);
	}
	ck_assert(op_is_idle(&wait->op));
	wait->is_over = false;
	return wait->result;
}

START_TEST(reads_and_writes_where_it_is_told_and_moves_nothing)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i]);
		int fd = memory_file("hello world");
		struct wait wait = {0};
		char data[32];

		ck_assert_int_eq(lseek(fd, 2, SEEK_SET), 2);
		ring_read(ring, &wait.op, fd, data, sizeof(data), 6, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), 5);
		ck_assert_mem_eq(data, "world", 5);
		ring_read(ring, &wait.op, fd, data, sizeof(data), 11, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), 0);
		ring_write(ring, &wait.op, fd, "HELLO", 5, 8, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), 5);
		ck_assert_int_eq(pread(fd, data, sizeof(data), 0), 13);
		ck_assert_mem_eq(data, "hello woHELLO", 13);
		ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 2);
		close(fd);
		ring_free(ring);
	}
}
END_TEST

START_TEST(waits_for_a_pipe_s_bytes_and_its_end)
{
	for (size_t i = 0; i < countof(disables) * 2; i++) {
		struct ring *ring = ring_make(disables[i / 2]);
		struct wait wait = {0};
		char data[32];
		int pipes[2];

		ck_assert_int_eq(pipe2(pipes, O_CLOEXEC | (i % 2 ? O_NONBLOCK : 0)), 0);
		ring_read(
			ring, &wait.op, pipes[0], data, sizeof(data), RING_HERE, wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
		ck_assert(!wait.is_over);
		ck_assert_int_eq(write(pipes[1], "piece", 5), 5);
		ck_assert_int_eq(wait_for(ring, &wait), 5);
		ring_read(
			ring, &wait.op, pipes[0], data, sizeof(data), RING_HERE, wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
		close(pipes[1]);
		ck_assert_int_eq(wait_for(ring, &wait), 0);
		close(pipes[0]);
		ring_free(ring);
	}
}
END_TEST

/* Where a worker thread has it, too: a named one. */
START_TEST(a_read_of_a_silent_pipe_can_be_cancelled)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i]);
		struct wait wait = {0}, named = {0};
		char path[] = "/tmp/settled-fifo-XXXXXX";
		char data[32];
		int pipes[2], fifo;

		ck_assert_ptr_nonnull(mkdtemp(path));
		ck_assert_int_eq(rmdir(path), 0);
		ck_assert_int_eq(mkfifo(path, 0600), 0);
		fifo = open(path, O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(fifo, 0);
		unlink(path);
		ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
		ring_read(
			ring, &wait.op, pipes[0], data, sizeof(data), RING_HERE, wait_on_complete);
		ring_read(ring, &named.op, fifo, data, sizeof(data), RING_HERE, wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns() + NS_PER_MS), 0);
		ring_cancel(ring, &wait.op);
		ring_cancel(ring, &named.op);
		ck_assert_int_eq(wait_for(ring, &wait), -ECANCELED);
		ck_assert_int_lt(wait_for(ring, &named), 0);
		close(pipes[0]);
		close(pipes[1]);
		close(fifo);
		ring_free(ring);
	}
}
END_TEST

START_TEST(makes_a_file_shorter_and_longer)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i]);
		int fd = memory_file("hello world");
		struct wait wait = {0};
		struct stat status;

		ring_truncate(ring, &wait.op, fd, 5, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), 0);
		ck_assert_int_eq(fstat(fd, &status), 0);
		ck_assert_int_eq(status.st_size, 5);
		ring_truncate(ring, &wait.op, fd, 500, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), 0);
		ck_assert_int_eq(fstat(fd, &status), 0);
		ck_assert_int_eq(status.st_size, 500);
		close(fd);
		ring_free(ring);
	}
}
END_TEST

START_TEST(says_why_it_could_not)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i]);
		int fd = memory_file("hello world");
		struct wait wait = {0};
		char data[4];
		int pipes[2];

		ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
		ck_assert_int_eq(
			fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
		ring_truncate(ring, &wait.op, fd, 5, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), -EPERM);
		ring_write(ring, &wait.op, fd, "x", 1, 0, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), -EPERM);
		ring_truncate(ring, &wait.op, pipes[1], 5, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), -EINVAL);
		ring_read(ring, &wait.op, pipes[1], data, 4, RING_HERE, wait_on_complete);
		ck_assert_int_eq(wait_for(ring, &wait), -EBADF);
		close(pipes[0]);
		close(pipes[1]);
		close(fd);
		ring_free(ring);
	}
}
END_TEST

static const struct look_case {
	const char *path;
	int flags;
	enum ring_file_kind kind;
	bool can_read, can_write, appends;
} look_cases[] = {
	{"/dev/null", O_RDONLY, RING_FILE_OTHER, true, false, false},
	{"/dev/null", O_WRONLY, RING_FILE_OTHER, false, true, false},
	{"/", O_RDONLY | O_DIRECTORY, RING_FILE_OTHER, true, false, false},
	{"/proc/self/exe", O_RDONLY, RING_FILE_REGULAR, true, false, false},
	{"/proc/self/exe", O_PATH, RING_FILE_REGULAR, false, false, false},
	{"/proc/self/comm", O_RDWR | O_APPEND, RING_FILE_REGULAR, true, true, true},
	{"/proc/self/comm", O_WRONLY, RING_FILE_REGULAR, false, true, false},
};

START_TEST(looks_at_what_it_is)
{
	struct ring *ring = ring_make(NULL);
	struct ring_file file;
	int fd, pipes[2], pair[2];

	for (size_t i = 0; i < countof(look_cases); i++) {
		const struct look_case *at = &look_cases[i];

		fd = open(at->path, at->flags | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(ring_look(ring, fd, &file), 0);
		ck_assert_msg(file.kind == at->kind && file.can_read == at->can_read &&
				      file.can_write == at->can_write &&
				      file.appends == at->appends,
			"%s, %o", at->path, (unsigned)at->flags);
		close(fd);
	}
	fd = memory_file("hello");
	ck_assert_int_eq(lseek(fd, 3, SEEK_SET), 3);
	ck_assert_int_eq(ring_look(ring, fd, &file), 0);
	ck_assert_int_eq(file.kind, RING_FILE_REGULAR);
	ck_assert_uint_eq(file.size, 5);
	ck_assert_uint_eq(file.position, 3);
	close(fd);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	pair_make(pair);
	ck_assert_int_eq(ring_look(ring, pipes[0], &file), 0);
	ck_assert(file.kind == RING_FILE_PIPE && file.can_read && !file.can_write);
	ck_assert_int_eq(ring_look(ring, pipes[1], &file), 0);
	ck_assert(file.kind == RING_FILE_PIPE && !file.can_read && file.can_write);
	ck_assert_int_eq(ring_look(ring, pair[0], &file), 0);
	ck_assert_int_eq(file.kind, RING_FILE_OTHER);
	close(pipes[0]);
	close(pipes[1]);
	close(pair[0]);
	close(pair[1]);
	ck_assert_int_eq(ring_look(ring, pair[0], &file), -EBADF);
	ring_free(ring);
}
END_TEST

/* Who had it before us, and still has. */
static void wait_closed(struct ring *ring, int fd)
{
	for (int i = 0; fcntl(fd, F_GETFD) >= 0; i++) {
		ck_assert_int_lt(i, 1000);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns() + 10 * NS_PER_MS), 0);
	}
}

static int make_pipe(void)
{
	int pipes[2];

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	close(pipes[1]);
	return pipes[0];
}

static int make_file(void)
{
	return memory_file("hello");
}

static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int make_directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

START_TEST(what_was_passed_is_closed_and_nothing_else_is_done_to_it)
{
	static int (*const makes[])(void) = {make_pipe, make_file, make_socket, make_directory};

	for (size_t i = 0; i < countof(disables) * countof(makes); i++) {
		struct ring *ring = ring_make(disables[i / countof(makes)]);
		int fd = makes[i % countof(makes)](), same = dup(fd);
		/* Which does not wait, but resets. */
		struct linger linger = {1, 0};
		socklen_t size = sizeof(linger);
		bool lingers = setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0;

		ring_close_passed(ring, fd);
		wait_closed(ring, fd);
		ck_assert_int_ge(fcntl(same, F_GETFD), 0);
		if (lingers) {
			linger = (struct linger){0, 1};
			ck_assert_int_eq(
				getsockopt(same, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
			ck_assert_int_eq(linger.l_onoff, 1);
			ck_assert_int_eq(linger.l_linger, 0);
		}
		close(same);
		ring_free(ring);
	}
}
END_TEST

/* A connection whose peer reads nothing, and that has something to send. */
static int make_stuck(int *ret_peer)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	struct linger linger = {1, 3600};
	int listener = make_socket(), fd = make_socket();
	char data[4096] = {0};

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, size), 0);
	*ret_peer = accept(listener, NULL, NULL);
	close(listener);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	return fd;
}

/* The test would not end before its time is up. */
START_TEST(the_loop_does_not_wait_for_one_that_closes_slowly)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i]);
		int peer, fd = make_stuck(&peer), pipe = make_pipe();

		ring_close_passed(ring, fd);
		ring_close_passed(ring, pipe);
		wait_closed(ring, pipe);
		wait_closed(ring, fd);
		/* Its peer resets it. */
		close(peer);
		ring_free(ring);
	}
}
END_TEST

/* More than there are workers, whatever the machine. */
#define STUCK_MAX 64

/* The test would not end before its time is up: a worker is needed to make a file shorter. */
START_TEST(those_that_would_close_slowly_hold_no_worker)
{
	struct ring *ring = ring_make(NULL);
	int peers[STUCK_MAX], file = memory_file("hello world");
	struct wait wait = {0};

	for (size_t i = 0; i < STUCK_MAX; i++)
		ring_close_passed(ring, make_stuck(&peers[i]));
	ring_truncate(ring, &wait.op, file, 5, wait_on_complete);
	ck_assert_int_eq(wait_for(ring, &wait), 0);
	for (size_t i = 0; i < STUCK_MAX; i++)
		close(peers[i]);
	close(file);
	ring_free(ring);
}
END_TEST

UNIT_MAIN("ring/file", &reads_and_writes_where_it_is_told_and_moves_nothing,
	&waits_for_a_pipe_s_bytes_and_its_end, &a_read_of_a_silent_pipe_can_be_cancelled,
	&makes_a_file_shorter_and_longer, &says_why_it_could_not, &looks_at_what_it_is,
	&what_was_passed_is_closed_and_nothing_else_is_done_to_it,
	&the_loop_does_not_wait_for_one_that_closes_slowly,
	&those_that_would_close_slowly_hold_no_worker)
