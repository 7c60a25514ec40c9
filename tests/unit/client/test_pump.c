/* SPDX-License-Identifier: MIT */
#include "client/cli/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(leaves_files_and_pipes_as_they_are)
{
	int ends[2], fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC), readable;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(pump_open(fd, &readable), 0);
	ck_assert_int_eq(readable, fd);
	ck_assert_int_eq(pump_open(ends[0], &readable), 0);
	ck_assert_int_eq(readable, ends[0]);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(refuses_what_has_no_bytes)
{
	int fd = open("/tmp", O_RDONLY | O_CLOEXEC), readable;

	ck_assert_int_eq(pump_open(fd, &readable), -EISDIR);
	close(fd);
	ck_assert_int_eq(pump_open(-1, &readable), -EBADF);
}
END_TEST

/* All that comes until the end. */
static size_t read_all(int fd, char *out, size_t room)
{
	size_t size = 0;
	ssize_t r;

	while (size < room && (r = read(fd, out + size, room - size)) > 0)
		size += (size_t)r;
	return size;
}

START_TEST(makes_a_pipe_of_a_device)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), readable;
	struct stat status;
	char byte;

	ck_assert_int_eq(pump_open(fd, &readable), 0);
	ck_assert_int_ne(readable, fd);
	ck_assert_int_eq(fstat(readable, &status), 0);
	ck_assert(S_ISFIFO(status.st_mode));
	ck_assert_uint_eq(read_all(readable, &byte, 1), 0);
	close(readable);
}
END_TEST

START_TEST(copies_a_socket_to_its_end)
{
	static char sent[300000], got[sizeof(sent) + 1];
	int pair[2], readable;
	size_t size = 0;
	ssize_t r;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i % 251);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(pump_open(pair[0], &readable), 0);
	/* In turns, so that neither side fills up. */
	for (size_t at = 0; at < sizeof(sent); at += 30000) {
		size_t n_read = 0;

		ck_assert_int_eq(write(pair[1], sent + at, 30000), 30000);
		while (n_read < 30000 && (r = read(readable, got + size, 30000 - n_read)) > 0) {
			n_read += (size_t)r;
			size += (size_t)r;
		}
	}
	close(pair[1]);
	size += read_all(readable, got + size, sizeof(got) - size);
	ck_assert_uint_eq(size, sizeof(sent));
	ck_assert(memcmp(sent, got, sizeof(sent)) == 0);
	close(readable);
}
END_TEST

UNIT_MAIN("client/pump", &leaves_files_and_pipes_as_they_are, &refuses_what_has_no_bytes,
	&makes_a_pipe_of_a_device, &copies_a_socket_to_its_end)
