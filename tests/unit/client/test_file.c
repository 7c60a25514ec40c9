/* SPDX-License-Identifier: MIT */
#include "client/cli/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(names_files_after_urls)
{
	static const struct {
		const char *url, *name;
	} cases[] = {
		{"http://h/a/b.txt", "b.txt"},
		{"http://h/a/b?c/d#e/f", "b"},
		{"h/a", "a"},
		{"http://h/a#x/y", "a"},
		{"http://h/", NULL},
		{"http://h", NULL},
		{"http://h?x/y", NULL},
		{"http://h/a/", NULL},
		{"http://h/..", NULL},
		{"http://h/.", NULL},
		{"http://h/a\\b", NULL},
		{"http://h/a\nb", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text name = file_name_from_url(text_from(cases[i].url));

		if (cases[i].name)
			ck_assert_msg(
				name.data && text_is(name, cases[i].name), "%s", cases[i].url);
		else
			ck_assert_msg(!name.data, "%s", cases[i].url);
	}
}
END_TEST

static void file_expect(const char *path, const char *text)
{
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_int_eq(file_read(path, &out), 0);
	ck_assert(text_is(buffer_text(&out), text));
	buffer_deinit(&out);
}

START_TEST(knows_names_of_descriptors)
{
	static const struct {
		const char *path;
		int fd;
	} cases[] = {
		{"/dev/stdout", 1},
		{"/dev/stderr", 2},
		{"/dev/fd/7", 7},
		{"/proc/self/fd/12", 12},
		{"/dev/fd/", -1},
		{"/dev/fd/x", -1},
		{"/dev/fd/99999999999", -1},
		{"/dev/null", -1},
		{"-", -1},
	};

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_int_eq(file_descriptor(cases[i].path), cases[i].fd);
}
END_TEST

START_TEST(saves_whole_files_or_none)
{
	char directory[] = "/tmp/settle-test.XXXXXX", path[64], link[64];
	struct stat status;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	snprintf(link, sizeof(link), "%s/link", directory);
	umask(022);
	ck_assert_int_eq(file_save(path, TEXT("head "), TEXT("body")), 0);
	file_expect(path, "head body");
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0644);
	/* What was there keeps its mode, and a link stays one. */
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(file_save(link, TEXT(""), TEXT("new")), 0);
	file_expect(path, "new");
	ck_assert_int_eq(lstat(link, &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(file_save(directory, TEXT(""), TEXT("x")), -EISDIR);
	ck_assert_int_eq(file_save("/nonexistent/x", TEXT(""), TEXT("x")), -ENOENT);
	ck_assert_int_eq(file_save("/dev/null", TEXT(""), TEXT("x")), 0);
	ck_assert_int_eq(stat("/dev/null", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
	unlink(path);
	unlink(link);
	/* Nothing else was left behind. */
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(reads_no_more_than_it_may)
{
	struct buffer out;

	buffer_init(&out, 16);
	ck_assert_int_eq(file_read("/proc/self/status", &out), -EFBIG);
	buffer_deinit(&out);
	buffer_init(&out, 16);
	ck_assert_int_eq(file_read("/nonexistent", &out), -ENOENT);
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("client/file", &names_files_after_urls, &knows_names_of_descriptors,
	&saves_whole_files_or_none, &reads_no_more_than_it_may)
