/* SPDX-License-Identifier: MIT */
#include "client/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit/client/peer.h"

/* What one receive brings, and the descriptors with it. */
struct brought {
	char bytes[1024];
	struct text text;
	int fds[SETTLE_FDS_MAX];
	size_t n_fds;
};

static void receive(int fd, struct brought *brought)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(SETTLE_FDS_MAX * sizeof(int))];
	} control;
	struct iovec piece = {brought->bytes, sizeof(brought->bytes)};
	struct msghdr message = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	brought->text = (struct text){brought->bytes, size > 0 ? (size_t)size : 0};
	brought->n_fds = head ? (head->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	if (head)
		memcpy(brought->fds, CMSG_DATA(head), brought->n_fds * sizeof(int));
}

/* A file that says `word`, its name gone. */
static int file_of(const char *word)
{
	char path[] = "/tmp/settle-test.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq(write(fd, word, strlen(word)), (ssize_t)strlen(word));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void expect_file(int fd, const char *word)
{
	char bytes[64];
	ssize_t size = read(fd, bytes, sizeof(bytes));

	ck_assert_int_eq(size, (ssize_t)strlen(word));
	ck_assert_int_eq(memcmp(bytes, word, (size_t)size), 0);
	close(fd);
}

static void pass(const struct peer *peer, const char *word, int index)
{
	int fd = file_of(word);

	ck_assert_int_eq(settle_pass_fd(peer->settle, fd), index);
	/* What is passed is a copy. */
	close(fd);
}

START_TEST(goes_with_the_line_it_was_passed_for)
{
	struct peer peer = peer_open();
	struct brought brought;
	uint64_t graph;

	ck_assert_int_eq(settle_ask_status(peer.settle), 0);
	pass(&peer, "one", 0);
	pass(&peer, "two", 1);
	ck_assert_int_eq(settle_ask_hello(peer.settle), 0);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, &graph), 0);
	pass(&peer, "three", 0);
	ck_assert_int_eq(settle_submit(peer.settle, "[]", 2, &graph), 0);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, &graph), 0);
	peer_expect_result(&peer, 0);
	/* The last byte of what came with descriptors is their line's. */
	receive(peer.fd, &brought);
	ck_assert(text_is(brought.text,
		"{\"status\":{}}\n{\"hello\":{\"version\":1}}\n{\"id\":1,\"submit\":{}}\n"));
	ck_assert_uint_eq(brought.n_fds, 2);
	expect_file(brought.fds[0], "one");
	expect_file(brought.fds[1], "two");
	receive(peer.fd, &brought);
	ck_assert(text_is(brought.text, "{\"id\":2,\"submit\":[]}\n"));
	ck_assert_uint_eq(brought.n_fds, 1);
	expect_file(brought.fds[0], "three");
	receive(peer.fd, &brought);
	ck_assert(text_is(brought.text, "{\"id\":3,\"submit\":{}}\n"));
	ck_assert_uint_eq(brought.n_fds, 0);
	peer_close(&peer);
}
END_TEST

START_TEST(is_kept_until_its_first_byte_is_sent)
{
	struct peer peer = peer_open();
	struct brought brought = {.n_fds = 0};
	int pipe_fds[2];
	size_t n = 0;

	/* More than the socket takes stands before it. */
	for (size_t i = 0; i < 100000; i++)
		ck_assert_int_eq(settle_ask_status(peer.settle), 0);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(settle_pass_fd(peer.settle, pipe_fds[0]), 0);
	close(pipe_fds[0]);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, NULL), 0);
	for (; brought.n_fds == 0 && n < 100000; n++) {
		/* Somebody can read from it all the while. */
		ck_assert_int_eq(poll(&(struct pollfd){.fd = pipe_fds[1]}, 1, 0), 0);
		peer_expect_result(&peer, 0);
		receive(peer.fd, &brought);
		ck_assert_uint_gt(brought.text.size, 0);
	}
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_eq(brought.n_fds, 1);
	ck_assert_ptr_null(peer.settle->parcels);
	close(brought.fds[0]);
	ck_assert_int_eq(poll(&(struct pollfd){.fd = pipe_fds[1]}, 1, 0), 1);
	close(pipe_fds[1]);
	peer_close(&peer);
}
END_TEST

/* Closes what is passed when it is given up: the other end of a pipe tells. */
static void expect_forgotten(int fd)
{
	struct pollfd poller = {.fd = fd};

	ck_assert_int_eq(poll(&poller, 1, 0), 1);
	ck_assert_int_eq(poller.revents & POLLERR, POLLERR);
	close(fd);
}

static int pass_pipe(const struct peer *peer)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(settle_pass_fd(peer->settle, fds[0]), 0);
	close(fds[0]);
	return fds[1];
}

START_TEST(is_forgotten_with_what_it_was_for)
{
	struct peer peer = peer_open();
	int fd = pass_pipe(&peer), other;

	ck_assert_int_eq(settle_submit(peer.settle, "{", 1, NULL), -EINVAL);
	expect_forgotten(fd);
	fd = pass_pipe(&peer);
	ck_assert_int_eq(settle_graph_submit(peer.settle, NULL, NULL), -ENOMEM);
	expect_forgotten(fd);
	/* Submitted and never sent; and passed and never submitted. */
	fd = pass_pipe(&peer);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, NULL), 0);
	other = pass_pipe(&peer);
	peer_close(&peer);
	expect_forgotten(fd);
	expect_forgotten(other);

	peer = peer_open();
	fd = pass_pipe(&peer);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, NULL), 0);
	peer_hang_up(&peer);
	peer_expect_result(&peer, -EPIPE);
	expect_forgotten(fd);
	ck_assert_int_eq(settle_pass_fd(peer.settle, STDIN_FILENO), -EPIPE);
	peer_close(&peer);
}
END_TEST

START_TEST(has_a_bound)
{
	struct peer peer = peer_open();
	struct brought brought;

	ck_assert_int_eq(settle_pass_fd(peer.settle, -1), -EBADF);
	for (int i = 0; i < SETTLE_FDS_MAX; i++)
		ck_assert_int_eq(settle_pass_fd(peer.settle, peer.fd), i);
	ck_assert_int_eq(settle_pass_fd(peer.settle, peer.fd), -E2BIG);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, NULL), 0);
	peer_expect_result(&peer, 0);
	receive(peer.fd, &brought);
	ck_assert_uint_eq(brought.n_fds, SETTLE_FDS_MAX);
	for (size_t i = 0; i < brought.n_fds; i++) {
		ck_assert_int_eq(fcntl(brought.fds[i], F_GETFD), FD_CLOEXEC);
		close(brought.fds[i]);
	}
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/parcel", &goes_with_the_line_it_was_passed_for,
	&is_kept_until_its_first_byte_is_sent, &is_forgotten_with_what_it_was_for, &has_a_bound)
