/* SPDX-License-Identifier: MIT */
#include "client/cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/spawn.h"

/* True where nobody answers, or nobody we may talk to. */
static bool session_is_unanswered(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
	case EACCES:
	case EPERM: return true;
	default: return false;
	}
}

static int session_spawn(struct session *session)
{
	int fd = -1, r;

	r = spawn_daemon(&fd, &session->pid);
	if (r == -ENOENT) {
		message_print("no daemon answers, and no settled to run is found: "
			      "set SETTLE_DAEMON");
		return EXIT_DAEMON;
	}
	if (r < 0) {
		message_print(
			"no daemon answers, and no private one can be started: %s", strerror(-r));
		return EXIT_DAEMON;
	}
	r = settle_open_fd(fd, &session->settle);
	if (r < 0) {
		message_print("cannot talk to the private daemon: %s", strerror(-r));
		return EXIT_DAEMON;
	}
	return 0;
}

/* Where it was looked for, which is where the next question would be. */
static void session_tell_unanswered(const struct options *options, int error)
{
	const char *path = option_value(options, OPTION_SOCKET), *runtime = "";

	if (!path)
		path = getenv("SETTLE_SOCKET");
	if (!path || !*path) {
		path = "/run/settled/settled.sock";
		if (getenv("XDG_RUNTIME_DIR"))
			runtime = ", nor below $XDG_RUNTIME_DIR";
	}
	message_print("no daemon answers at %s%s: %s%s", path, runtime, strerror(-error),
		error == -EACCES ? " (its group may connect, see settled(8))" : "");
}

int session_open(const struct options *options, bool may_spawn, struct session *ret_session)
{
	struct session session = {0};
	int r = settle_open(option_value(options, OPTION_SOCKET), &session.settle);

	if (r < 0 && session_is_unanswered(r) && may_spawn &&
		!option_given(options, OPTION_NO_SPAWN)) {
		r = session_spawn(&session);
		if (r != 0)
			return r;
	} else if (r < 0) {
		session_tell_unanswered(options, r);
		return EXIT_DAEMON;
	}
	*ret_session = session;
	return 0;
}

void session_close(struct session *session)
{
	session->settle = settle_close(session->settle);
	if (session->pid)
		spawn_wait(session->pid);
	session->pid = 0;
}

/* True where it was told: a private daemon that has closed is at its end. */
static bool session_tell_ended(struct session *session)
{
	int status = session->pid ? spawn_wait(session->pid) : -1;

	session->pid = 0;
	if (status < 0)
		return false;
	if (WIFSIGNALED(status))
		message_print("the private daemon was killed by signal %d", WTERMSIG(status));
	else
		message_print("the private daemon ended with status %d", WEXITSTATUS(status));
	return true;
}

void session_tell_lost(struct session *session, int error)
{
	if (error == -EPROTO)
		message_print("the daemon did not keep to the protocol");
	else if (error != -EPIPE)
		message_print("the connection to the daemon failed: %s", strerror(-error));
	else if (!session_tell_ended(session))
		message_print("the connection to the daemon was lost");
}
