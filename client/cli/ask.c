/* SPDX-License-Identifier: MIT */
#include "client/cli/ask.h"

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "util/clock.h"

/* A daemon that is alive answers in one turn of its loop. */
#define ASK_WAIT_MS 5000

static struct text ask_json(const struct settle_event *event)
{
	struct text json;

	json.data = settle_event_json(event, &json.size);
	return json;
}

int ask_await(struct session *session, enum settle_event_type type, struct text *ret_json)
{
	uint64_t deadline_ns = clock_now_ns() + ASK_WAIT_MS * NS_PER_MS;

	while (clock_now_ns() < deadline_ns) {
		const struct settle_event *event;
		int r = settle_next(session->settle, ASK_WAIT_MS, &event);

		if (r < 0) {
			session_tell_lost(session, r);
			return EXIT_DAEMON;
		}
		if (r == 1 && settle_event_type(event) == SETTLE_ERROR) {
			message_print("the daemon does not understand us: %.*s",
				TEXT_ARGS(ask_json(event)));
			return EXIT_DAEMON;
		}
		if (r == 1 && settle_event_type(event) == type) {
			*ret_json = ask_json(event);
			return 0;
		}
	}
	message_print("the daemon does not answer");
	return EXIT_DAEMON;
}

int ask_check_operands(const struct options *options)
{
	if (options->n_operands == 0)
		return 0;
	message_print("%s takes no operand", option_command_name(options->command));
	return EXIT_USAGE;
}

int ask_write(struct sink *sink)
{
	int r = sink_flush(sink);

	sink_deinit(sink);
	return r < 0 ? EXIT_LOCAL_IO : EXIT_FULFILLED;
}
