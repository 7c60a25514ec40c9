/* SPDX-License-Identifier: MIT */
#include "net/stamp.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/container.h"

static struct {
	char directory[64];
	char file[96], other[96], link[96];
} world;

static void begin(void)
{
	strncpy(world.directory, "/tmp/stamp-XXXXXX", sizeof(world.directory) - 1);
	ck_assert_ptr_nonnull(mkdtemp(world.directory));
	snprintf(world.file, sizeof(world.file), "%s/file", world.directory);
	snprintf(world.other, sizeof(world.other), "%s/other", world.directory);
	snprintf(world.link, sizeof(world.link), "%s/link", world.directory);
}

static void end(void)
{
	unlink(world.file);
	unlink(world.other);
	unlink(world.link);
	ck_assert_int_eq(rmdir(world.directory), 0);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* The clock of a file system is coarse: what a test does at once stands for what takes a while. */
static void set_modified(const char *path, time_t seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void nothing(void)
{
}

static void make(void)
{
	put(world.file, "a");
}

static void grow(void)
{
	put(world.file, "ab");
}

static void rewrite(void)
{
	put(world.file, "c");
	set_modified(world.file, 2);
}

static void replace(void)
{
	put(world.other, "a");
	set_modified(world.other, 1);
	ck_assert_int_eq(rename(world.other, world.file), 0);
}

static void delete (void)
{
	ck_assert_int_eq(unlink(world.file), 0);
}

START_TEST(sees_each_change_once)
{
	static const struct {
		const char *what;
		bool is_there;
		void (*change)(void);
		bool changed;
	} cases[] = {
		{"nothing", true, nothing, false},
		{"nothing is there", false, nothing, false},
		{"made", false, make, true},
		{"grown", true, grow, true},
		{"written with the same size", true, rewrite, true},
		{"replaced by one that looks the same", true, replace, true},
		{"deleted", true, delete, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct stamp stamp = {0};

		begin();
		if (cases[i].is_there) {
			put(world.file, "a");
			set_modified(world.file, 1);
		}
		ck_assert_int_eq(stamp_update(&stamp, world.file), cases[i].is_there);
		cases[i].change();
		ck_assert_msg(
			stamp_update(&stamp, world.file) == cases[i].changed, "%s", cases[i].what);
		ck_assert_msg(!stamp_update(&stamp, world.file), "%s: seen twice", cases[i].what);
		end();
	}
}
END_TEST

START_TEST(follows_a_symbolic_link)
{
	struct stamp stamp = {0};

	begin();
	put(world.file, "a");
	put(world.other, "ab");
	ck_assert_int_eq(symlink(world.file, world.link), 0);
	ck_assert(stamp_update(&stamp, world.link));
	/* What it leads to is written to. */
	put(world.file, "abc");
	ck_assert(stamp_update(&stamp, world.link));
	/* It leads elsewhere. */
	ck_assert_int_eq(unlink(world.link), 0);
	ck_assert_int_eq(symlink(world.other, world.link), 0);
	ck_assert(stamp_update(&stamp, world.link));
	ck_assert(!stamp_update(&stamp, world.link));
	end();
}
END_TEST

UNIT_MAIN("net/stamp", &sees_each_change_once, &follows_a_symbolic_link)
