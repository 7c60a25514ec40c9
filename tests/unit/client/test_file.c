/* SPDX-License-Identifier: MIT */
#include "client/cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

START_TEST(follows_links_as_far_as_they_lead)
{
	static const struct {
		const char *link, *target;
	} links[] = {
		{"a", "b"},
		{"b", "d/c"},
		{"d/c", "../file"},
		{"loop", "pool"},
		{"pool", "loop"},
		{"abs", "/dev/stdout"},
		{"err", "abs2"},
		{"abs2", "/dev/fd/2"},
		{"gone", "nowhere/file"},
	};
	static const struct {
		const char *path, *target;
		int r;
	} cases[] = {
		{"a", "d/../file", 0},
		{"b", "d/../file", 0},
		{"plain", "plain", 0},
		{"nowhere/x", "nowhere/x", 0},
		{"gone", "nowhere/file", 0},
		{"loop", NULL, -ELOOP},
		{"abs", "/dev/stdout", 0},
		{"err", "/dev/fd/2", 0},
		{"", "", 0},
	};
	char directory[] = "/tmp/settle-test.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("d", 0755), 0);
	for (size_t i = 0; i < countof(links); i++)
		ck_assert_int_eq(symlink(links[i].target, links[i].link), 0);
	for (size_t i = 0; i < countof(cases); i++) {
		char *target = NULL;

		ck_assert_int_eq(file_resolve(cases[i].path, &target), cases[i].r);
		ck_assert_pstr_eq(target, cases[i].target);
		free(target);
	}
	ck_assert_int_eq(file_save("a", TEXT(""), TEXT("made")), 0);
	file_expect("file", "made");
	ck_assert_int_eq(file_save("gone", TEXT(""), TEXT("made")), -ENOENT);
	for (size_t i = countof(links); i > 0; i--)
		ck_assert_int_eq(unlink(links[i - 1].link), 0);
	ck_assert_int_eq(unlink("file"), 0);
	ck_assert_int_eq(rmdir("d"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

/* As root everything may be written: what is checked here is checked as somebody else. */
START_TEST(leaves_alone_what_is_read_only)
{
	char directory[] = "/tmp/settle-test.XXXXXX";
	struct stat status;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0777), 0);
	ck_assert_int_eq(chdir(directory), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
	ck_assert_int_eq(file_save("file", TEXT(""), TEXT("old")), 0);
	ck_assert_int_eq(chmod("file", 0444), 0);
	ck_assert_int_eq(file_check("file"), -EACCES);
	ck_assert_int_eq(file_save("file", TEXT(""), TEXT("new")), -EACCES);
	file_expect("file", "old");
	ck_assert_int_eq(mkdir("d", 0555), 0);
	ck_assert_int_eq(file_check("d/file"), -EACCES);
	ck_assert_int_eq(rmdir("d"), 0);
	ck_assert_int_eq(file_check("new"), 0);
	ck_assert_int_eq(unlink("file"), 0);
	ck_assert_int_eq(lstat("new", &status), -1);
	if (getuid() == 65534)
		ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(makes_the_directories_of_a_path)
{
	char directory[] = "/tmp/settle-test.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(file_make_directories("file"), 0);
	ck_assert_int_eq(file_make_directories("a//b/./file"), 0);
	ck_assert_int_eq(file_make_directories("a/b/file"), 0);
	ck_assert_int_eq(file_save("f", TEXT(""), TEXT("")), 0);
	ck_assert_int_eq(file_make_directories("f/x/file"), -ENOTDIR);
	ck_assert_int_eq(unlink("f"), 0);
	ck_assert_int_eq(rmdir("a/b"), 0);
	ck_assert_int_eq(rmdir("a"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(duplicates_only_what_we_were_given)
{
	int ours = open("/dev/null", O_WRONLY | O_CLOEXEC), given = open("/dev/null", O_WRONLY);
	int fd = file_duplicate(given);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_duplicate(ours), -EBADF);
	ck_assert_int_eq(file_duplicate(999), -EBADF);
	close(fd);
	close(given);
	close(ours);
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
	&follows_links_as_far_as_they_lead, &leaves_alone_what_is_read_only,
	&makes_the_directories_of_a_path, &duplicates_only_what_we_were_given,
	&saves_whole_files_or_none, &reads_no_more_than_it_may)
