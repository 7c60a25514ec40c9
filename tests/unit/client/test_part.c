/* SPDX-License-Identifier: MIT */
#include "client/cli/part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A directory of its own; `path` is a name in it. */
static void make_directory(char *directory, char path[static 64])
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, 64, "%s/file", directory);
}

static size_t count_files(const char *directory)
{
	DIR *stream = opendir(directory);
	size_t n = 0;

	while (readdir(stream))
		n++;
	closedir(stream);
	return n - 2;
}

static void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, 0640), 0);
	close(fd);
}

static void expect_file(const char *path, const char *text, mode_t mode)
{
	char bytes[64];
	struct stat status;
	int fd = open(path, O_RDONLY);
	ssize_t size = read(fd, bytes, sizeof(bytes));

	ck_assert_int_eq(size, (ssize_t)strlen(text));
	ck_assert_int_eq(memcmp(bytes, text, (size_t)size), 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, mode);
	close(fd);
}

START_TEST(has_its_name_when_it_is_whole)
{
	char directory[] = "/tmp/settle-test.XXXXXX", path[64];
	struct part part;

	make_directory(directory, path);
	umask(022);
	ck_assert_int_eq(part_open(&part, path), 0);
	ck_assert_int_eq(write(part.fd, "new", 3), 3);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(part_keep(&part), 0);
	ck_assert_int_eq(part.fd, -1);
	part_drop(&part);
	expect_file(path, "new", 0644);
	ck_assert_uint_eq(count_files(directory), 1);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(replaces_what_stood_there_with_its_mode)
{
	char directory[] = "/tmp/settle-test.XXXXXX", path[64], name[64];
	struct part part;

	make_directory(directory, path);
	make_file(path, "old");
	snprintf(name, sizeof(name), "%s/link", directory);
	ck_assert_int_eq(symlink("file", name), 0);
	ck_assert_int_eq(part_open(&part, name), 0);
	ck_assert_int_eq(write(part.fd, "newer", 5), 5);
	expect_file(path, "old", 0640);
	ck_assert_int_eq(part_keep(&part), 0);
	expect_file(path, "newer", 0640);
	/* The link is one still. */
	ck_assert_int_ge(readlink(name, (char[64]){0}, 64), 0);
	ck_assert_uint_eq(count_files(directory), 2);
	unlink(name);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(makes_what_a_link_leads_to)
{
	char directory[] = "/tmp/settle-test.XXXXXX", path[64], name[64];
	struct part part;

	make_directory(directory, path);
	umask(022);
	snprintf(name, sizeof(name), "%s/link", directory);
	ck_assert_int_eq(symlink("file", name), 0);
	ck_assert_int_eq(part_open(&part, name), 0);
	ck_assert_int_eq(write(part.fd, "half", 4), 4);
	part_drop(&part);
	ck_assert_uint_eq(count_files(directory), 1);
	ck_assert_int_eq(part_open(&part, name), 0);
	ck_assert_int_eq(write(part.fd, "new", 3), 3);
	ck_assert_int_eq(part_keep(&part), 0);
	expect_file(path, "new", 0644);
	ck_assert_int_ge(readlink(name, (char[64]){0}, 64), 0);
	ck_assert_uint_eq(count_files(directory), 2);
	unlink(name);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(leaves_nothing_when_it_is_dropped)
{
	char directory[] = "/tmp/settle-test.XXXXXX", path[64];
	struct part part;

	make_directory(directory, path);
	make_file(path, "old");
	ck_assert_int_eq(part_open(&part, path), 0);
	ck_assert_int_eq(write(part.fd, "half", 4), 4);
	part_drop(&part);
	part_drop(&part);
	expect_file(path, "old", 0640);
	ck_assert_uint_eq(count_files(directory), 1);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(is_named_as_a_part_where_it_must_have_a_name)
{
	/* A file system that knows nothing else. */
	char directory[] = "/tmp/settle-test.XXXXXX", path[64], word[64];
	struct part part;

	make_directory(directory, path);
	snprintf(word, sizeof(word), "%s/.file.XXXXXX.part", directory);
	part = (struct part){.path = strdup(path), .temporary = strdup(word)};
	part.fd = mkostemps(part.temporary, 5, O_CLOEXEC);
	ck_assert_int_ge(part.fd, 0);
	ck_assert_int_eq(write(part.fd, "new", 3), 3);
	ck_assert_int_eq(part_keep(&part), 0);
	expect_file(path, "new", 0644);
	ck_assert_uint_eq(count_files(directory), 1);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(refuses_where_no_file_can_stand)
{
	char long_name[NAME_MAX + 1];
	struct part part;

	ck_assert_int_eq(part_open(&part, "/tmp"), -EISDIR);
	ck_assert_int_eq(part_open(&part, "/tmp/"), -EISDIR);
	ck_assert_int_eq(part_open(&part, "/nonexistent/file"), -ENOENT);
	ck_assert_int_eq(part_open(&part, "/dev/null"), -EINVAL);
	ck_assert_int_eq(part.fd, -1);
	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name, "/tmp/", 5);
	long_name[NAME_MAX] = '\0';
	/* As long as a name may be. */
	ck_assert_int_eq(part_open(&part, long_name), 0);
	ck_assert_int_eq(part_keep(&part), 0);
	unlink(long_name);
}
END_TEST

UNIT_MAIN("client/part", &has_its_name_when_it_is_whole, &replaces_what_stood_there_with_its_mode,
	&makes_what_a_link_leads_to, &leaves_nothing_when_it_is_dropped,
	&is_named_as_a_part_where_it_must_have_a_name, &refuses_where_no_file_can_stand)
