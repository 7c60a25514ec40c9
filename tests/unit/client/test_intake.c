/* SPDX-License-Identifier: MIT */
#include "client/cli/intake.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct intake_pipe {
	struct intake intake;
	int fds[2];
};

static void intake_open(struct intake_pipe *pipes)
{
	ck_assert_int_eq(pipe(pipes->fds), 0);
	intake_init(&pipes->intake, pipes->fds[0]);
}

static void intake_close(struct intake_pipe *pipes)
{
	intake_deinit(&pipes->intake);
	close(pipes->fds[0]);
	if (pipes->fds[1] >= 0)
		close(pipes->fds[1]);
}

static void intake_say(struct intake_pipe *pipes, const char *text, size_t size)
{
	ck_assert_int_eq(write(pipes->fds[1], text, size), (ssize_t)size);
	intake_read(&pipes->intake);
}

static void intake_hang_up(struct intake_pipe *pipes)
{
	close(pipes->fds[1]);
	pipes->fds[1] = -1;
	intake_read(&pipes->intake);
}

static void intake_expect(struct intake_pipe *pipes, enum intake_result wanted, const char *line)
{
	struct text text;

	ck_assert_int_eq(intake_next(&pipes->intake, &text), wanted);
	if (line)
		ck_assert_msg(text_is(text, line), "%.*s, not %s", TEXT_ARGS(text), line);
}

START_TEST(cuts_lines_and_counts_all)
{
	struct intake_pipe pipes;

	intake_open(&pipes);
	intake_expect(&pipes, INTAKE_MORE, NULL);
	intake_say(&pipes, "one\n\ntw", 7);
	intake_expect(&pipes, INTAKE_LINE, "one");
	intake_expect(&pipes, INTAKE_LINE, "");
	intake_expect(&pipes, INTAKE_MORE, NULL);
	intake_say(&pipes, "o\nlast", 6);
	intake_expect(&pipes, INTAKE_LINE, "two");
	intake_expect(&pipes, INTAKE_MORE, NULL);
	intake_hang_up(&pipes);
	intake_expect(&pipes, INTAKE_LINE, "last");
	intake_expect(&pipes, INTAKE_END, NULL);
	intake_expect(&pipes, INTAKE_END, NULL);
	ck_assert_uint_eq(pipes.intake.n_lines, 4);
	intake_close(&pipes);
}
END_TEST

START_TEST(an_end_behind_a_line_is_no_line)
{
	struct intake_pipe pipes;

	intake_open(&pipes);
	intake_say(&pipes, "one\n", 4);
	intake_hang_up(&pipes);
	intake_expect(&pipes, INTAKE_LINE, "one");
	intake_expect(&pipes, INTAKE_END, NULL);
	intake_close(&pipes);
}
END_TEST

START_TEST(throws_away_a_line_that_is_too_long)
{
	enum { PIECE = 32 * 1024 };
	struct intake_pipe pipes;
	char *piece = malloc(PIECE);

	ck_assert_ptr_nonnull(piece);
	memset(piece, 'a', PIECE);
	intake_open(&pipes);
	intake_say(&pipes, "one\n", 4);
	intake_expect(&pipes, INTAKE_LINE, "one");
	for (size_t size = 0; size <= INTAKE_LINE_MAX; size += PIECE) {
		intake_expect(&pipes, INTAKE_MORE, NULL);
		intake_say(&pipes, piece, PIECE);
	}
	intake_expect(&pipes, INTAKE_TOO_LONG, NULL);
	intake_say(&pipes, piece, PIECE);
	intake_expect(&pipes, INTAKE_MORE, NULL);
	intake_say(&pipes, "a\ntwo\nthree", 11);
	intake_expect(&pipes, INTAKE_LINE, "two");
	ck_assert_uint_eq(pipes.intake.n_lines, 3);
	intake_hang_up(&pipes);
	intake_expect(&pipes, INTAKE_LINE, "three");
	intake_expect(&pipes, INTAKE_END, NULL);
	intake_close(&pipes);
	free(piece);
}
END_TEST

START_TEST(ends_where_reading_fails)
{
	struct intake intake;
	struct text line;

	intake_init(&intake, -1);
	intake_read(&intake);
	ck_assert_int_eq(intake_next(&intake, &line), INTAKE_END);
	ck_assert_int_lt(intake.error, 0);
	intake_deinit(&intake);
}
END_TEST

UNIT_MAIN("client/intake", &cuts_lines_and_counts_all, &an_end_behind_a_line_is_no_line,
	&throws_away_a_line_that_is_too_long, &ends_where_reading_fails)
