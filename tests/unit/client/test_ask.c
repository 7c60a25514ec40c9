/* SPDX-License-Identifier: MIT */
#include "client/cli/ask.h"

#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/client/peer.h"

/* What a daemon that says this, and then closes, is taken for. */
static int ask_hear(const char *said, enum settle_event_type type, const char *wanted)
{
	struct peer peer = peer_open();
	struct session session = {.settle = peer.settle};
	struct text json;
	int status;

	message_silence();
	peer_say(&peer, said);
	peer_hang_up(&peer);
	status = ask_await(&session, type, &json);
	if (status == 0)
		ck_assert_msg(text_is(json, wanted), "%.*s", TEXT_ARGS(json));
	peer_close(&peer);
	return status;
}

START_TEST(waits_for_its_answer)
{
	ck_assert_int_eq(
		ask_hear("{\"status\":{\"a\":1}}\n", SETTLE_STATUS, "{\"a\":1}"), EXIT_FULFILLED);
	ck_assert_int_eq(
		ask_hear("{\"hello\":{}}\n{\"status\":{\"a\":1}}\n", SETTLE_STATUS, "{\"a\":1}"),
		EXIT_FULFILLED);
	ck_assert_int_eq(ask_hear("{\"flushed\":{\"dns\":3}}\n", SETTLE_FLUSHED, "{\"dns\":3}"),
		EXIT_FULFILLED);
}
END_TEST

START_TEST(tells_when_there_is_none)
{
	ck_assert_int_eq(ask_hear("", SETTLE_STATUS, ""), EXIT_DAEMON);
	ck_assert_int_eq(ask_hear("{\"hello\":{}}\n", SETTLE_STATUS, ""), EXIT_DAEMON);
	ck_assert_int_eq(ask_hear("{\"error\":{\"code\":\"PROTOCOL\"}}\n{\"status\":{}}\n",
				 SETTLE_STATUS, ""),
		EXIT_DAEMON);
}
END_TEST

START_TEST(writes_what_it_was_told)
{
	struct capture capture = capture_begin(STDOUT_FILENO);
	struct buffer text;
	struct sink sink;

	sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	buffer_append_literal(&sink.buffer, "it\n");
	ck_assert_int_eq(ask_write(&sink), EXIT_FULFILLED);
	text = capture_end(&capture);
	ck_assert_str_eq(text.data, "it\n");
	buffer_deinit(&text);
	sink_init(&sink, -1, SINK_RAW);
	buffer_append_literal(&sink.buffer, "it\n");
	ck_assert_int_eq(ask_write(&sink), EXIT_LOCAL_IO);
}
END_TEST

UNIT_MAIN("client/ask", &waits_for_its_answer, &tells_when_there_is_none, &writes_what_it_was_told)
