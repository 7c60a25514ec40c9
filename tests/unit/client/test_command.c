/* SPDX-License-Identifier: MIT */
#include "client/cli/command.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static int command_call(const char *words)
{
	static int (*const commands[COMMAND_COUNT])(const struct options *options) = {
		[COMMAND_RUN] = command_run,
		[COMMAND_GET] = command_get,
		[COMMAND_PLAN] = command_plan,
		[COMMAND_STATUS] = command_status,
		[COMMAND_BATCH] = command_batch,
		[COMMAND_TOP] = command_top,
		[COMMAND_CANCEL] = command_cancel,
		[COMMAND_FLUSH] = command_flush,
		[COMMAND_PING] = command_ping,
	};
	char *line = strdup(words);
	struct options options;
	int status;

	words_parse(line, &options);
	status = commands[options.command](&options);
	option_deinit(&options);
	free(line);
	return status;
}

START_TEST(exits_for_what_is_wrong_here)
{
	static const struct {
		const char *words;
		int status;
	} cases[] = {
		{"run /nonexistent", EXIT_LOCAL_IO},
		{"run a b", EXIT_USAGE},
		{"run --format xml /dev/null", EXIT_USAGE},
		{"run --no-spawn --socket /nonexistent /dev/null", EXIT_DAEMON},
		{"plan /nonexistent", EXIT_LOCAL_IO},
		{"plan /dev/null", EXIT_REFUSED},
		{"plan --format jsonl /dev/null", EXIT_USAGE},
		{"get", EXIT_USAGE},
		{"get -o a -o b http://x", EXIT_USAGE},
		{"get -O http://x/", EXIT_USAGE},
		{"get -i http://x http://y", EXIT_USAGE},
		{"get -i --format json http://x", EXIT_USAGE},
		{"get --no-spawn --socket /nonexistent http://x", EXIT_DAEMON},
		{"status --socket /nonexistent", EXIT_DAEMON},
		{"status more", EXIT_USAGE},
		{"ping --socket /nonexistent", EXIT_DAEMON},
		{"ping more", EXIT_USAGE},
		{"batch --socket /nonexistent --no-spawn /dev/null", EXIT_DAEMON},
		{"batch /nonexistent", EXIT_LOCAL_IO},
		{"batch --format json /dev/null", EXIT_USAGE},
		{"batch a b", EXIT_USAGE},
		{"top more", EXIT_USAGE},
		{"top --socket /nonexistent", EXIT_DAEMON},
		{"cancel", EXIT_USAGE},
		{"cancel x", EXIT_USAGE},
		{"cancel --socket /nonexistent 7", EXIT_DAEMON},
		{"flush", EXIT_USAGE},
		{"flush dns --socket /nonexistent", EXIT_DAEMON},
	};

	message_silence();
	for (size_t i = 0; i < countof(cases); i++) {
		struct capture capture = capture_begin(STDOUT_FILENO);
		int status = command_call(cases[i].words);
		struct buffer text = capture_end(&capture);

		ck_assert_msg(status == cases[i].status, "%s gave %d", cases[i].words, status);
		ck_assert_str_eq(text.data, "");
		buffer_deinit(&text);
	}
}
END_TEST

/* A daemon in two lines of shell, which answers one message in the same way whatever it is. */
static void command_serve(char *path, const char *answer)
{
	struct buffer script;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	buffer_init(&script, 65536);
	buffer_printf(&script, "#!/bin/sh\nread line <&3\ncat >&3 <<'END'\n%sEND\n", answer);
	ck_assert_int_eq(write(fd, script.data, script.size), (ssize_t)script.size);
	ck_assert_int_eq(fchmod(fd, 0700), 0);
	close(fd);
	buffer_deinit(&script);
	setenv("SETTLE_DAEMON", path, 1);
	unsetenv("SETTLE_SOCKET");
}

#define RECORD(status, bytes)                                                                      \
	"{\"job\":\"0\",\"index\":0,\"status\":\"fulfilled\",\"value\":{\"status\":" status ","    \
	"\"version\":\"1.1\",\"headers\":{},\"bytes\":" bytes "}}"

START_TEST(gets_a_body_from_a_private_daemon)
{
	char path[] = "/tmp/settle-test.XXXXXX";
	struct capture capture;
	struct buffer text;
	int status;

	command_serve(path, "{\"id\":1,\"accepted\":{\"jobs\":1}}\n"
			    "{\"id\":1,\"settled\":" RECORD(
				    "200", "6") ",\"payload\":6}\n"
						"hello\n"
						"{\"id\":1,\"done\":{\"status\":\"fulfilled\"}}\n");
	ck_assert_int_eq(interrupt_init(), 0);
	capture = capture_begin(STDOUT_FILENO);
	status = command_call("get --socket /nonexistent http://x");
	text = capture_end(&capture);
	ck_assert_int_eq(status, EXIT_FULFILLED);
	ck_assert_str_eq(text.data, "hello\n");
	buffer_deinit(&text);
	capture = capture_begin(STDOUT_FILENO);
	status = command_call("get --socket /nonexistent --body base64 http://x");
	text = capture_end(&capture);
	ck_assert_int_eq(status, EXIT_FULFILLED);
	ck_assert_ptr_nonnull(strstr(text.data, "\"body_base64\":\"aGVsbG8K\"}}\n"));
	buffer_deinit(&text);
	unlink(path);
}
END_TEST

START_TEST(plans_without_a_daemon)
{
	char path[] = "/tmp/settle-test.XXXXXX", line[128];
	static const char graph[] = "{\"jobs\":{\"a\":{\"url\":\"http://x/{{input#/n}}\"}}}";
	int fd = mkstemp(path);
	struct capture capture;
	struct buffer text;

	ck_assert_int_eq(write(fd, graph, sizeof(graph) - 1), (ssize_t)sizeof(graph) - 1);
	close(fd);
	snprintf(line, sizeof(line), "plan -c 3 --arg n=1 %s", path);
	capture = capture_begin(STDOUT_FILENO);
	ck_assert_int_eq(command_call(line), EXIT_FULFILLED);
	text = capture_end(&capture);
	ck_assert_str_eq(text.data, "graph: 1 job in 1 level, mode settled, concurrency 3\n\n"
				    "level 0: 1 job\n  a  GET http://x/{{input#/n}}\n");
	buffer_deinit(&text);
	unlink(path);
}
END_TEST

UNIT_MAIN("client/command", &exits_for_what_is_wrong_here, &gets_a_body_from_a_private_daemon,
	&plans_without_a_daemon)
