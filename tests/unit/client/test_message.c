/* SPDX-License-Identifier: MIT */
#include "client/cli/message.h"

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

UNIT_MAIN("client/message", &is_one_clean_line, &is_not_heard_when_silenced)
