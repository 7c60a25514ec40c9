/* SPDX-License-Identifier: MIT */
#include "client/cli/message.h"

#include <errno.h>
#include <signal.h>

#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/unit.h"

START_TEST(is_one_clean_line)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	struct buffer text;

	message_print("cannot open '%s': %d", "a\x1b[2J\nb\x9b", 7);
	text = capture_end(&capture);
	ck_assert_str_eq(text.data, "settle: cannot open 'a?[2J?b?': 7\n");
	buffer_deinit(&text);
}
END_TEST

START_TEST(is_not_heard_when_silenced)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	struct buffer text;

	ck_assert(message_is_heard());
	message_silence();
	message_print("nothing");
	ck_assert(!message_is_heard());
	text = capture_end(&capture);
	ck_assert_str_eq(text.data, "");
	buffer_deinit(&text);
}
END_TEST

START_TEST(says_what_cannot_be_done_but_not_when_a_signal_is_why)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	struct buffer text;

	ck_assert_int_eq(message_cannot("read", "a\nb", -ENOENT), EXIT_LOCAL_IO);
	ck_assert_int_eq(interrupt_init(), 0);
	ck_assert_int_eq(message_cannot("write", "c", -EINTR), EXIT_LOCAL_IO);
	ck_assert_int_eq(raise(SIGINT), 0);
	ck_assert_int_eq(message_cannot("write", "d", -EINTR), EXIT_SIGNAL + SIGINT);
	ck_assert_int_eq(message_cannot("write", "e", -EIO), EXIT_LOCAL_IO);
	text = capture_end(&capture);
	ck_assert_str_eq(text.data, "settle: cannot read a?b: No such file or directory\n"
				    "settle: cannot write c: Interrupted system call\n"
				    "settle: cannot write e: Input/output error\n");
	buffer_deinit(&text);
}
END_TEST

UNIT_MAIN("client/message", &is_one_clean_line,
	&says_what_cannot_be_done_but_not_when_a_signal_is_why, &is_not_heard_when_silenced)
