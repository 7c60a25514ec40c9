/* SPDX-License-Identifier: MIT */
#include "client/cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/container.h"

#define FILE_PIECE_SIZE (64 * 1024)

static int file_read_fd(int fd, struct buffer *out)
{
	struct stat status;
	ssize_t size;

	/* One read more than the size tells that it was all. */
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
		(uint64_t)status.st_size < out->size_max - out->size)
		buffer_reserve(out, (size_t)status.st_size + 1);
	do {
		if (out->capacity == out->size && !buffer_reserve(out, FILE_PIECE_SIZE))
			return out->size_max - out->size < FILE_PIECE_SIZE ? -EFBIG : -ENOMEM;
		size = read(fd, out->data + out->size, out->capacity - out->size);
		if (size < 0 && errno == EINTR)
			return -EINTR;
		if (size < 0)
			return -errno;
		out->size += (size_t)size;
	} while (size > 0);
	return 0;
}

int file_read(const char *path, struct buffer *out)
{
	int fd, r;

	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, out);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_read_fd(fd, out);
	close(fd);
	return r;
}

int file_write(int fd, struct text text)
{
	while (text.size > 0) {
		ssize_t size = write(fd, text.data, text.size);

		if (size < 0 && errno != EINTR)
			return -errno;
		if (size > 0)
			text = text_from_at(text, (size_t)size);
	}
	return 0;
}

int file_descriptor(const char *path)
{
	static const struct text prefixes[] = {{"/dev/fd/", 8}, {"/proc/self/fd/", 14}};
	struct text name = text_from(path);
	uint64_t fd;

	if (text_is(name, "/dev/stdout"))
		return STDOUT_FILENO;
	if (text_is(name, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < countof(prefixes); i++) {
		if (text_starts_with(name, prefixes[i]) &&
			text_to_u64(text_from_at(name, prefixes[i].size), INT_MAX, &fd))
			return (int)fd;
	}
	return -1;
}

/* What is no regular file cannot be replaced, and has no half. */
static int file_save_in_place(const char *path, struct text head, struct text body)
{
	int fd = file_descriptor(path);
	int r;

	fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_write(fd, head);
	if (r == 0)
		r = file_write(fd, body);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

mode_t file_mode(const char *path)
{
	struct stat status;
	mode_t mask;

	if (stat(path, &status) == 0)
		return status.st_mode & 0777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static int file_save_beside(const char *path, struct text head, struct text body)
{
	char temporary[PATH_MAX];
	int size = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	int fd, r;

	if (size < 0 || (size_t)size >= sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_write(fd, head);
	if (r == 0)
		r = file_write(fd, body);
	if (r == 0 && fchmod(fd, file_mode(path)) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r != 0)
		unlink(temporary);
	return r;
}

int file_save(const char *path, struct text head, struct text body)
{
	char target[PATH_MAX];
	struct stat status;

	if (file_descriptor(path) >= 0)
		return file_save_in_place(path, head, body);
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? file_save_beside(path, head, body) : -errno;
	if (S_ISLNK(status.st_mode)) {
		if (!realpath(path, target))
			return -errno;
		path = target;
		if (stat(path, &status) < 0)
			return -errno;
	}
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!S_ISREG(status.st_mode))
		return file_save_in_place(path, head, body);
	return file_save_beside(path, head, body);
}

struct text file_name_from_url(struct text url)
{
	static const struct text none = {NULL, 0};
	size_t start = 0;
	struct text name;

	for (size_t i = 0; i + 2 < url.size && start == 0; i++) {
		if (memcmp(url.data + i, "://", 3) == 0)
			start = i + 3;
	}
	url = text_from_at(url, start);
	url.size = text_find(url, '#');
	url.size = text_find(url, '?');
	url = text_from_at(url, text_find(url, '/'));
	if (url.size == 0)
		return none;
	name = url;
	for (size_t i = 0; i < url.size; i++) {
		if (url.data[i] == '/')
			name = text_from_at(url, i + 1);
	}
	if (name.size == 0 || name.size > NAME_MAX - 7 || text_is(name, ".") || text_is(name, ".."))
		return none;
	for (size_t i = 0; i < name.size; i++) {
		if ((unsigned char)name.data[i] < 0x20 || name.data[i] == 0x7f ||
			name.data[i] == '\\')
			return none;
	}
	return name;
}
