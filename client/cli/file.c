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

/* As the kernel's (path_resolution(7)). */
#define FILE_LINKS_MAX 40

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

int file_duplicate(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	/* One that would be closed by execve(2) was opened since: it is of our own making. */
	if (flags < 0 || flags & FD_CLOEXEC)
		return -EBADF;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* -- Places ------------------------------------------------------------------------------------ */

/* Bytes of the path that are its directory, the last slash included. */
static size_t file_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Puts where the link leads into its place. 1: it was none. */
static int file_step(char path[static PATH_MAX])
{
	char target[PATH_MAX], whole[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target));
	size_t directory;
	int n;

	if (size < 0)
		return 1;
	directory = target[0] == '/' ? 0 : file_directory(path);
	n = snprintf(whole, sizeof(whole), "%.*s%.*s", (int)directory, path, (int)size, target);
	if (n < 0 || (size_t)n >= sizeof(whole))
		return -ENAMETOOLONG;
	memcpy(path, whole, (size_t)n + 1);
	return 0;
}

int file_resolve(const char *path, char **ret_path)
{
	char at[PATH_MAX];
	struct stat status;
	int r = 0;

	if (strlen(path) >= sizeof(at))
		return -ENAMETOOLONG;
	memcpy(at, path, strlen(path) + 1);
	/* The kernel does not follow each link for everybody (protected_symlinks, proc(5)). */
	if (file_descriptor(path) < 0 && stat(path, &status) < 0 && errno != ENOENT)
		return -errno;
	for (unsigned i = 0; r == 0; i++) {
		if (i > FILE_LINKS_MAX)
			return -ELOOP;
		r = file_descriptor(at) >= 0 ? 1 : file_step(at);
	}
	if (r < 0)
		return r;
	*ret_path = strdup(at);
	return *ret_path ? 0 : -ENOMEM;
}

bool file_is_place(const char *path)
{
	struct stat status;

	if (file_descriptor(path) >= 0)
		return true;
	return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

int file_check(const char *path)
{
	size_t size = file_directory(path);
	char directory[PATH_MAX] = ".";
	struct stat status;
	bool is_there = stat(path, &status) == 0;

	if ((is_there && S_ISDIR(status.st_mode)) || path[size] == '\0')
		return -EISDIR;
	if (size >= sizeof(directory))
		return -ENAMETOOLONG;
	if (size > 0)
		memcpy(directory, path, size);
	if (size > 0)
		directory[size] = '\0';
	/* Who may write to the directory may replace any file in it, but that is not what a file
	 * that is read-only is for. */
	if (is_there && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
		return -errno;
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int file_make_directories(const char *path)
{
	char directory[PATH_MAX];

	if (strlen(path) >= sizeof(directory))
		return -ENAMETOOLONG;
	for (size_t i = 1; path[0] && path[i]; i++) {
		if (path[i] != '/' || path[i - 1] == '/')
			continue;
		memcpy(directory, path, i);
		directory[i] = '\0';
		if (mkdir(directory, 0777) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* -- Saving ------------------------------------------------------------------------------------ */

/* What is no regular file cannot be replaced, and has no half. */
static int file_save_in_place(const char *path, struct text head, struct text body)
{
	int fd = file_descriptor(path);
	int r;

	fd = fd >= 0 ? file_duplicate(fd) : open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return file_descriptor(path) >= 0 ? fd : -errno;
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
	char *target;
	int r = file_resolve(path, &target);

	if (r < 0)
		return r;
	if (file_is_place(target)) {
		r = file_save_in_place(target, head, body);
	} else {
		r = file_check(target);
		if (r == 0)
			r = file_save_beside(target, head, body);
	}
	free(target);
	return r;
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
