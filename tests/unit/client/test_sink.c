/* SPDX-License-Identifier: MIT */
#include "client/cli/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "tests/unit/unit.h"

START_TEST(writes_in_big_pieces)
{
	static char piece[4096];
	struct sink sink;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	sink_init(&sink, fds[1], SINK_RAW);
	for (int i = 0; i < 15; i++) {
		buffer_append(&sink.buffer, piece, sizeof(piece));
		ck_assert_int_eq(sink_offer(&sink), 0);
	}
	ck_assert_int_eq(read(fds[0], piece, 1), -1);
	ck_assert_uint_gt(sink.buffer.size, 0);
	buffer_append(&sink.buffer, piece, sizeof(piece));
	ck_assert_int_eq(sink_offer(&sink), 0);
	ck_assert_uint_eq(sink.buffer.size, 0);
	ck_assert_int_eq(read(fds[0], piece, 1), 1);
	ck_assert_uint_eq(sink_age_ns(&sink), 0);
	sink_deinit(&sink);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(remembers_its_first_error)
{
	struct sink sink;
	int fds[2];

	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	sink_init(&sink, fds[1], SINK_RAW);
	buffer_append_literal(&sink.buffer, "x");
	ck_assert_int_eq(sink_flush(&sink), -EPIPE);
	ck_assert_int_eq(sink_flush(&sink), -EPIPE);
	ck_assert_int_eq(sink.error, -EPIPE);
	sink_deinit(&sink);
	close(fds[1]);
}
END_TEST

START_TEST(cleans_for_a_terminal)
{
	struct sink sink;
	char text[64];
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	sink_init(&sink, fds[1], SINK_TERMINAL_TEXT);
	buffer_append_literal(&sink.buffer, "a\x1b[b\n");
	ck_assert_int_eq(sink_flush(&sink), 0);
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 6);
	ck_assert_mem_eq(text, "a^[[b\n", 6);
	sink.escape = SINK_TERMINAL_JSON;
	buffer_append_literal(&sink.buffer, "\"\x7f\"\n");
	ck_assert_int_eq(sink_flush(&sink), 0);
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 9);
	ck_assert_mem_eq(text, "\"\\u007f\"\n", 9);
	sink_deinit(&sink);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(holds_back_half_a_character)
{
	struct sink sink;
	char text[64];
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	sink_init(&sink, fds[1], SINK_TERMINAL_TEXT);
	buffer_append_literal(&sink.buffer, "a\xe2\x82");
	ck_assert_int_eq(sink_flush(&sink), 0);
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 1);
	buffer_append_literal(&sink.buffer, "\xac\xf0\x9f\x98");
	ck_assert_int_eq(sink_flush(&sink), 0);
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 3);
	ck_assert_mem_eq(text, "\xe2\x82\xac", 3);
	/* Nothing follows: it is shown by number. */
	ck_assert_int_eq(sink_flush(&sink), 0);
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 12);
	ck_assert_mem_eq(text, "\\xf0\\x9f\\x98", 12);
	ck_assert_uint_eq(sink.buffer.size, 0);
	buffer_append_literal(&sink.buffer, "\x82\x82\x82\x82");
	ck_assert_int_eq(sink_flush(&sink), 0);
	ck_assert_uint_eq(sink.buffer.size, 0);
	sink_deinit(&sink);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

UNIT_MAIN("client/sink", &writes_in_big_pieces, &remembers_its_first_error, &cleans_for_a_terminal,
	&holds_back_half_a_character)
