/* SPDX-License-Identifier: MIT */
#include "client/cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"

START_TEST(opens_the_socket_it_is_told)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct session session;
	struct options options;
	char line[256];

	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/settle-test.%d", getpid());
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	snprintf(line, sizeof(line), "ping --socket %s", address.sun_path);
	words_parse(line, &options);
	ck_assert_int_eq(session_open(&options, false, &session), 0);
	ck_assert_int_eq(session.pid, 0);
	session_close(&session);
	ck_assert_ptr_null(session.settle);
	close(fd);
	unlink(address.sun_path);
	option_deinit(&options);
}
END_TEST

/* It ends as EXIT_DAEMON, and says that nobody answers. */
static void assert_not_opened(char *line, bool may_spawn)
{
	static const char words[] = "settle: no daemon answers";
	struct session session;
	struct options options;
	struct capture capture;
	struct buffer text;
	int r;

	words_parse(line, &options);
	capture = capture_begin(STDERR_FILENO);
	r = session_open(&options, may_spawn, &session);
	text = capture_end(&capture);
	ck_assert_int_eq(r, EXIT_DAEMON);
	ck_assert_msg(strncmp(text.data, words, strlen(words)) == 0, "%s", text.data);
	buffer_deinit(&text);
	option_deinit(&options);
}

START_TEST(starts_no_daemon_where_it_may_not)
{
	char may[] = "run --socket /nonexistent --no-spawn", never[] = "ping --socket /nonexistent";

	/* It would be found. */
	setenv("SETTLE_DAEMON", "/bin/true", 1);
	assert_not_opened(may, true);
	assert_not_opened(never, false);
}
END_TEST

START_TEST(tells_how_a_private_daemon_ended)
{
	char line[] = "run --socket /nonexistent";
	struct session session;
	struct options options;
	struct capture capture;
	struct buffer text;

	setenv("SETTLE_DAEMON", "/bin/false", 1);
	words_parse(line, &options);
	ck_assert_int_eq(session_open(&options, true, &session), 0);
	ck_assert_int_gt(session.pid, 0);
	capture = capture_begin(STDERR_FILENO);
	session_tell_lost(&session, -EPIPE);
	text = capture_end(&capture);
	ck_assert_str_eq(text.data, "settle: the private daemon ended with status 1\n");
	session_close(&session);
	buffer_deinit(&text);
	option_deinit(&options);
}
END_TEST

UNIT_MAIN("client/session", &opens_the_socket_it_is_told, &starts_no_daemon_where_it_may_not,
	&tells_how_a_private_daemon_ended)
