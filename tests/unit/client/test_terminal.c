/* SPDX-License-Identifier: MIT */
#include "client/cli/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A terminal of that size, its other end in *ret_master. */
static int terminal_open(unsigned short rows, unsigned short columns, int *ret_master)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(slave, 0);
	ck_assert_int_eq(ioctl(slave, TIOCSWINSZ, &size), 0);
	*ret_master = master;
	return slave;
}

START_TEST(is_as_large_as_it_says)
{
	int master, fd = terminal_open(10, 33, &master);

	ck_assert_uint_eq(terminal_rows(fd), 10);
	ck_assert_uint_eq(terminal_columns(fd), 33);
	close(fd);
	close(master);
	fd = terminal_open(0, 0, &master);
	ck_assert_uint_eq(terminal_rows(fd), 24);
	ck_assert_uint_eq(terminal_columns(fd), 80);
	close(fd);
	close(master);
}
END_TEST

START_TEST(is_none_where_there_is_none)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_uint_eq(terminal_rows(fd), 0);
	ck_assert_uint_eq(terminal_columns(fd), 0);
	ck_assert(!terminal_has_color(fd));
	ck_assert(!terminal_is_ascii(fd));
	close(fd);
}
END_TEST

START_TEST(has_colour_unless_somebody_says_no)
{
	int master, fd = terminal_open(24, 80, &master);

	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	ck_assert(terminal_has_color(fd));
	setenv("NO_COLOR", "", 1);
	ck_assert(terminal_has_color(fd));
	setenv("NO_COLOR", "1", 1);
	ck_assert(!terminal_has_color(fd));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	ck_assert(!terminal_has_color(fd));
	unsetenv("TERM");
	ck_assert(terminal_is_dumb());
	close(fd);
	close(master);
}
END_TEST

START_TEST(shows_what_its_locale_has)
{
	int master, fd = terminal_open(24, 80, &master);

	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	unsetenv("LANG");
	ck_assert(terminal_is_ascii(fd));
	setenv("LANG", "de_DE.UTF-8", 1);
	ck_assert(!terminal_is_ascii(fd));
	setenv("LC_ALL", "C", 1);
	ck_assert(terminal_is_ascii(fd));
	setenv("LC_ALL", "C.utf8", 1);
	ck_assert(!terminal_is_ascii(fd));
	close(fd);
	close(master);
}
END_TEST

UNIT_MAIN("client/terminal", &is_as_large_as_it_says, &is_none_where_there_is_none,
	&has_colour_unless_somebody_says_no, &shows_what_its_locale_has)
