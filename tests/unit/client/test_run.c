/* SPDX-License-Identifier: MIT */
#include "client/cli/run.h"

#include <signal.h>

#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "tests/unit/client/peer.h"
#include "tests/unit/client/sample.h"
#include "util/container.h"

#define ACCEPTED           "{\"id\":1,\"accepted\":{\"jobs\":3}}\n"
#define SETTLED(record)    "{\"id\":1,\"settled\":" record "}\n"
#define DONE(status, more) "{\"id\":1,\"done\":{\"status\":\"" status "\",\"jobs\":3" more "}}\n"

#define REQUIRED                                                                                   \
	"{\"jobs\":{\"user\":{\"url\":\"http://x\"},\"profile\":{\"url\":\"http://x\"},"           \
	"\"audit\":{\"url\":\"http://x\"}}}"
#define OPTIONAL                                                                                   \
	"{\"jobs\":{\"user\":{\"url\":\"http://x\"},\"profile\":{\"url\":\"http://x\"},"           \
	"\"audit\":{\"url\":\"http://x\",\"optional\":true}}}"
#define ESCAPED                                                                                    \
	"{\"jobs\":{\"user\":{\"url\":\"http://x\"},\"profile\":{\"url\":\"http://x\"},"           \
	"\"audit\":{\"url\":\"http://x\",\"o\\u0070tional\":true}}}"

#define IN_ANY                                                                                     \
	"{\"jobs\":{\"g\":{\"mode\":\"any\",\"jobs\":{\"user\":{\"url\":\"http://x\"},"            \
	"\"audit\":{\"url\":\"http://x\"}}}}}"
#define IN_OPTIONAL                                                                                \
	"{\"jobs\":{\"g\":{\"optional\":true,\"jobs\":{\"user\":{\"url\":\"http://x\"},"           \
	"\"audit\":{\"url\":\"http://x\"}}}}}"
#define IN_GROUP                                                                                   \
	"{\"jobs\":{\"g\":{\"jobs\":{\"user\":{\"url\":\"http://x\",\"optional\":true},"           \
	"\"audit\":{\"url\":\"http://x\"}}}}}"
#define GROUP_REJECTED                                                                             \
	"{\"job\":\"g\",\"index\":0,\"group\":true,\"status\":\"rejected\",\"reason\":{"           \
	"\"code\":\"ALL_REJECTED\",\"message\":\"all\"},\"time\":{}}"

#define TIMED_OUT                                                                                  \
	"{\"job\":\"audit\",\"index\":2,\"status\":\"rejected\",\"attempts\":1,\"reason\":{"       \
	"\"code\":\"JOB_TIMEOUT\",\"message\":\"too long\"},\"time\":{}}"

/* Runs a document against a daemon that has said all it will say. Returns the status; what was
 * written is in *sink, which is the caller's. */
static int run_against(const char *document, const char *said, struct sink *sink, bool times_out)
{
	struct peer peer = peer_open();
	struct session session = {.settle = peer.settle};
	struct run_options options = {
		.session = &session,
		.document = text_from(document),
		.sink = sink,
		.refusal_is_shown = true,
		.job_timeout_is_graphs = times_out,
	};
	int fds[2], status;
	ssize_t size;

	message_silence();
	ck_assert_int_eq(interrupt_init(), 0);
	ck_assert_int_eq(pipe(fds), 0);
	peer_say(&peer, said);
	shutdown(peer.fd, SHUT_WR);
	sink_init(sink, fds[1], SINK_RAW);
	options.render = render_jsonl_new(&(struct render_options){.sink = sink});
	status = run_graph(&options);
	ck_assert_uint_eq(sink->buffer.size, 0);
	close(fds[1]);
	ck_assert(buffer_reserve(&sink->buffer, 65536));
	size = read(fds[0], sink->buffer.data, 65535);
	ck_assert_int_ge(size, 0);
	sink->buffer.size = (size_t)size;
	close(fds[0]);
	render_free(options.render);
	peer_close(&peer);
	return status;
}

START_TEST(exits_as_the_contract_says)
{
	static const struct {
		const char *document, *said;
		bool times_out;
		int status;
	} cases[] = {
		{REQUIRED, ACCEPTED SETTLED(SAMPLE_EMPTY) DONE("fulfilled", ""), false,
			EXIT_FULFILLED},
		{REQUIRED, ACCEPTED SETTLED(SAMPLE_AUDIT) DONE("fulfilled", ""), false,
			EXIT_REJECTED},
		{OPTIONAL, ACCEPTED SETTLED(SAMPLE_AUDIT) DONE("fulfilled", ""), false,
			EXIT_FULFILLED},
		{ESCAPED, ACCEPTED SETTLED(SAMPLE_AUDIT) DONE("fulfilled", ""), false,
			EXIT_FULFILLED},
		{OPTIONAL,
			ACCEPTED SETTLED(SAMPLE_AUDIT) SETTLED(SAMPLE_PROFILE)
				DONE("fulfilled", ""),
			false, EXIT_REJECTED},
		{OPTIONAL, ACCEPTED DONE("rejected", ""), false, EXIT_REJECTED},
		{REQUIRED, ACCEPTED DONE("rejected", ",\"reason\":{\"code\":\"GRAPH_TIMEOUT\"}"),
			false, EXIT_GRAPH_TIMEOUT},
		{REQUIRED, ACCEPTED SETTLED(TIMED_OUT) DONE("fulfilled", ""), true,
			EXIT_GRAPH_TIMEOUT},
		{REQUIRED, ACCEPTED SETTLED(TIMED_OUT) DONE("fulfilled", ""), false, EXIT_REJECTED},
		{REQUIRED, ACCEPTED SETTLED(SAMPLE_EMPTY), false, EXIT_DAEMON},
		{IN_ANY, ACCEPTED SETTLED(SAMPLE_AUDIT) DONE("fulfilled", ""), false,
			EXIT_FULFILLED},
		{IN_ANY,
			ACCEPTED SETTLED(SAMPLE_AUDIT) SETTLED(GROUP_REJECTED)
				DONE("fulfilled", ""),
			false, EXIT_REJECTED},
		{IN_OPTIONAL,
			ACCEPTED SETTLED(SAMPLE_AUDIT) SETTLED(GROUP_REJECTED)
				DONE("fulfilled", ""),
			false, EXIT_FULFILLED},
		{IN_GROUP, ACCEPTED SETTLED(SAMPLE_AUDIT) DONE("fulfilled", ""), false,
			EXIT_REJECTED},
		{REQUIRED, "", false, EXIT_DAEMON},
		{REQUIRED, "garbage\n", false, EXIT_DAEMON},
		{REQUIRED, "{\"error\":{\"code\":\"PROTOCOL\",\"message\":\"?\"}}\n", false,
			EXIT_DAEMON},
		{REQUIRED, "{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"GRAPH_KEY\"}]}}\n",
			false, EXIT_REFUSED},
		{REQUIRED, "{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"QUOTA\"}]}}\n", false,
			EXIT_POLICY},
		{"{\"jobs\"", "", false, EXIT_REFUSED},
		{"", "", false, EXIT_REFUSED},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct sink sink;

		ck_assert_msg(run_against(cases[i].document, cases[i].said, &sink,
				      cases[i].times_out) == cases[i].status,
			"case %zu", i);
		sink_deinit(&sink);
	}
}
END_TEST

START_TEST(shows_what_settled_before_the_end)
{
	struct sink sink;

	ck_assert_int_eq(
		run_against(REQUIRED, ACCEPTED SETTLED(SAMPLE_AUDIT), &sink, false), EXIT_DAEMON);
	sample_expect(&sink, SAMPLE_AUDIT "\n");
	sink_deinit(&sink);
}
END_TEST

START_TEST(shows_a_refusal_as_json)
{
	struct sink sink;

	run_against(REQUIRED, "{\"id\":1,\"refused\":{\"errors\":[]}}\n", &sink, false);
	sample_expect(&sink, "{\"refused\":{\"errors\":[]}}\n");
	sink_deinit(&sink);
	run_against("", "", &sink, false);
	buffer_append_byte(&sink.buffer, '\0');
	ck_assert_int_eq(strncmp(sink.buffer.data,
				 "{\"refused\":{\"errors\":[{\"code\":\"GRAPH_SYNTAX\"", 40),
		0);
	sink_deinit(&sink);
}
END_TEST

START_TEST(cancels_at_the_first_signal)
{
	struct peer peer = peer_open();
	struct session session = {.settle = peer.settle};
	struct run_options options = {.session = &session, .document = TEXT(REQUIRED)};
	struct sink sink;
	char heard[1024];
	ssize_t size;

	message_silence();
	ck_assert_int_eq(interrupt_init(), 0);
	sink_init(&sink, STDERR_FILENO, SINK_RAW);
	options.sink = &sink;
	options.render = render_jsonl_new(&(struct render_options){.sink = &sink});
	raise(SIGTERM);
	peer_say(&peer, ACCEPTED DONE("rejected", ""));
	ck_assert_int_eq(run_graph(&options), EXIT_SIGNAL + SIGTERM);
	ck_assert_int_eq(interrupt_signal(), SIGTERM);
	/* It was queued behind the submission, and goes with the next turn. */
	settle_next(peer.settle, 0, &(const struct settle_event *){NULL});
	size = recv(peer.fd, heard, sizeof(heard) - 1, 0);
	ck_assert_int_gt(size, 0);
	heard[size] = '\0';
	ck_assert_ptr_nonnull(strstr(heard, "\n{\"id\":1,\"cancel\":{}}\n"));
	render_free(options.render);
	sink_deinit(&sink);
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/run", &exits_as_the_contract_says, &shows_what_settled_before_the_end,
	&shows_a_refusal_as_json, &cancels_at_the_first_signal)
