/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/daemon/scratch.h"
#include "tests/unit/unit.h"
#include "util/container.h"
#include "util/text.h"

struct bench {
	struct scratch scratch;
	struct endpoint endpoint;
	struct buffer why;
	char path[SCRATCH_PATH_MAX];
};

static void bench_init(struct bench *bench)
{
	scratch_make(&bench->scratch);
	endpoint_init(&bench->endpoint);
	buffer_init(&bench->why, 1024);
	(void)snprintf(
		bench->path, sizeof(bench->path), "%.150s", scratch_path(&bench->scratch, "s"));
}

static void bench_deinit(struct bench *bench)
{
	endpoint_deinit(&bench->endpoint);
	buffer_deinit(&bench->why);
	scratch_remove(&bench->scratch);
}

/* A refusal that has this in its sentence, and leaves nothing open. */
static void bench_refuses(struct bench *bench, const char *what)
{
	buffer_clear(&bench->why);
	ck_assert(endpoint_bind(&bench->endpoint, bench->path, &bench->why) == ENDPOINT_E_REFUSED);
	buffer_append_byte(&bench->why, '\0');
	ck_assert_msg(strstr(bench->why.data, what) != NULL, "%s", bench->why.data);
	ck_assert(bench->endpoint.fd < 0 && bench->endpoint.lock_fd < 0);
}

/* A socket at the path, listening or only left behind. */
static int plain_socket(const char *path, int type, bool listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	ck_assert(fd >= 0);
	ck_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	if (listens)
		ck_assert(listen(fd, 1) == 0);
	return fd;
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	ck_assert(fd >= 0);
	ck_assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

START_TEST(binds_for_owner_and_group_alone_and_cleans_up)
{
	struct bench bench;
	struct stat status;

	bench_init(&bench);
	ck_assert(endpoint_bind(&bench.endpoint, bench.path, &bench.why) == 0);
	ck_assert(stat(bench.path, &status) == 0);
	ck_assert(S_ISSOCK(status.st_mode));
	ck_assert((status.st_mode & 0777) == 0660);
	ck_assert(umask(022) != 0117);
	ck_assert((fcntl(bench.endpoint.fd, F_GETFL) & O_NONBLOCK) == 0);
	ck_assert(fcntl(bench.endpoint.fd, F_GETFD) == FD_CLOEXEC);
	ck_assert(close(connect_to(bench.path)) == 0);
	endpoint_deinit(&bench.endpoint);
	ck_assert(!is_there(bench.path));
	bench_deinit(&bench);
}
END_TEST

START_TEST(a_second_daemon_fails)
{
	struct endpoint second;
	struct bench bench;

	bench_init(&bench);
	endpoint_init(&second);
	ck_assert(endpoint_bind(&bench.endpoint, bench.path, &bench.why) == 0);
	ck_assert(endpoint_bind(&second, bench.path, &bench.why) == ENDPOINT_E_REFUSED);
	buffer_append_byte(&bench.why, '\0');
	ck_assert(strstr(bench.why.data, "another settled serves this socket"));
	ck_assert_msg(close(connect_to(bench.path)) == 0, "the first is unharmed");
	endpoint_deinit(&bench.endpoint);
	buffer_clear(&bench.why);
	ck_assert_msg(endpoint_bind(&second, bench.path, &bench.why) == 0, "and then it may");
	endpoint_deinit(&second);
	bench_deinit(&bench);
}
END_TEST

START_TEST(replaces_a_stale_socket)
{
	struct bench bench;

	bench_init(&bench);
	ck_assert(close(plain_socket(bench.path, SOCK_STREAM, true)) == 0);
	ck_assert(is_there(bench.path));
	ck_assert(endpoint_bind(&bench.endpoint, bench.path, &bench.why) == 0);
	ck_assert(close(connect_to(bench.path)) == 0);
	bench_deinit(&bench);
}
END_TEST

START_TEST(leaves_alone_what_is_not_a_stale_socket_of_its_own)
{
	struct bench bench;
	int fd;

	bench_init(&bench);
	fd = plain_socket(bench.path, SOCK_STREAM, true);
	bench_refuses(&bench, "another process serves this socket");
	ck_assert(is_there(bench.path));
	ck_assert(close(fd) == 0 && unlink(bench.path) == 0);

	fd = plain_socket(bench.path, SOCK_DGRAM, false);
	bench_refuses(&bench, "cannot tell whose socket this is");
	ck_assert(is_there(bench.path));
	ck_assert(close(fd) == 0 && unlink(bench.path) == 0);

	ck_assert(symlink("elsewhere", bench.path) == 0);
	bench_refuses(&bench, "a symbolic link");
	ck_assert(is_there(bench.path));
	ck_assert(unlink(bench.path) == 0);

	scratch_write(&bench.scratch, "s", "mine", 4);
	bench_refuses(&bench, "is not a socket");
	ck_assert(is_there(bench.path));
	ck_assert(unlink(bench.path) == 0);

	ck_assert(mkdir(bench.path, 0700) == 0);
	bench_refuses(&bench, "is not a socket");
	bench_deinit(&bench);
}
END_TEST

START_TEST(refuses_a_lock_that_is_no_file)
{
	struct bench bench;

	bench_init(&bench);
	ck_assert(symlink("elsewhere", scratch_path(&bench.scratch, "s.lock")) == 0);
	bench_refuses(&bench, "cannot open the lock file");
	ck_assert(unlink(scratch_path(&bench.scratch, "s.lock")) == 0);
	ck_assert(mkfifo(scratch_path(&bench.scratch, "s.lock"), 0600) == 0);
	bench_refuses(&bench, "not a regular file");
	bench_deinit(&bench);
}
END_TEST

START_TEST(refuses_paths_it_cannot_have)
{
	struct bench bench;

	bench_init(&bench);
	memset(bench.path, 'x', 108);
	bench.path[108] = '\0';
	bench_refuses(&bench, "longer than the path of a socket may be");
	bench.path[0] = '\0';
	bench_refuses(&bench, "is empty");
	(void)snprintf(bench.path, sizeof(bench.path), "/nonexistent/s");
	bench_refuses(&bench, "no directory for the socket");
	scratch_make_directory(&bench.scratch, "open");
	ck_assert(chmod(scratch_path(&bench.scratch, "open"), 0777) == 0);
	(void)snprintf(bench.path, sizeof(bench.path), "%s/open/s", bench.scratch.directory);
	bench_refuses(&bench, "every user can replace the socket");
	bench_deinit(&bench);
}
END_TEST

START_TEST(leaves_a_path_that_is_another_s_by_now)
{
	struct bench bench;

	bench_init(&bench);
	ck_assert(endpoint_bind(&bench.endpoint, bench.path, &bench.why) == 0);
	ck_assert(unlink(bench.path) == 0);
	ck_assert(close(plain_socket(bench.path, SOCK_STREAM, true)) == 0);
	endpoint_deinit(&bench.endpoint);
	ck_assert(is_there(bench.path));
	bench_deinit(&bench);
}
END_TEST

enum passed {
	PASSED_LISTENING,
	PASSED_NON_BLOCKING,
	PASSED_IDLE,
	PASSED_DATAGRAM,
	PASSED_TCP,
	PASSED_FILE,
	PASSED_NOTHING,
};

/* Puts what is to be passed in at descriptor 3. */
static void pass(enum passed what, const char *path)
{
	int fd = -1;

	switch (what) {
	case PASSED_LISTENING:
	case PASSED_NON_BLOCKING: fd = plain_socket(path, SOCK_STREAM, true); break;
	case PASSED_IDLE: fd = plain_socket(path, SOCK_STREAM, false); break;
	case PASSED_DATAGRAM: fd = plain_socket(path, SOCK_DGRAM, false); break;
	case PASSED_TCP: fd = socket(AF_INET, SOCK_STREAM, 0); break;
	case PASSED_FILE: fd = open("/dev/null", O_RDWR | O_CLOEXEC); break;
	case PASSED_NOTHING: (void)close(3); return;
	}
	if (fd != 3) {
		(void)dup2(fd, 3);
		(void)close(fd);
	}
	(void)fcntl(3, F_SETFD, 0);
	if (what == PASSED_NON_BLOCKING)
		(void)fcntl(3, F_SETFL, O_NONBLOCK);
}

struct activation {
	enum passed what;
	/* "self": of the process. */
	const char *pid, *fds, *names;
	int rc;
	bool taken;
};

static void set(const char *name, const char *value)
{
	if (value)
		(void)setenv(name, value, 1);
	else
		(void)unsetenv(name);
}

/* In a child, whose descriptor 3 it may take. The exit status says which check failed. */
static int activate(const struct activation *activation, const char *path)
{
	struct endpoint endpoint;
	struct buffer why;
	char pid[32];
	int rc;

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	pass(activation->what, path);
	set("LISTEN_PID",
		activation->pid && !strcmp(activation->pid, "self") ? pid : activation->pid);
	set("LISTEN_FDS", activation->fds);
	set("LISTEN_FDNAMES", activation->names);
	endpoint_init(&endpoint);
	buffer_init(&why, 1024);
	rc = endpoint_inherit(&endpoint, &why);
	if (rc != activation->rc)
		return 1;
	if ((endpoint.fd == 3) != activation->taken)
		return 2;
	if ((rc != 0) != (why.size > 0))
		return 3;
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
		return 4;
	if (endpoint.fd == 3 && (fcntl(3, F_GETFL) & O_NONBLOCK))
		return 5;
	if (endpoint.fd == 3 && fcntl(3, F_GETFD) != FD_CLOEXEC)
		return 6;
	endpoint_deinit(&endpoint);
	buffer_deinit(&why);
	if (activation->taken && !is_there(path))
		return 7;
	return 0;
}

START_TEST(takes_what_was_passed_in_and_nothing_else)
{
	static const struct activation cases[] = {
		{PASSED_LISTENING, "self", "1", "api", 0, true},
		{PASSED_LISTENING, "self", "1", NULL, 0, true},
		{PASSED_NON_BLOCKING, "self", "1", "api", 0, true},
		{PASSED_LISTENING, "1", "1", "api", 0, false},
		{PASSED_LISTENING, NULL, "1", "api", 0, false},
		{PASSED_LISTENING, "self", NULL, "api", 0, false},
		{PASSED_LISTENING, "self", "0", NULL, 0, false},
		{PASSED_LISTENING, "self", "one", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "me", "1", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "1", "metrics", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "1", "", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "1", "api:api", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "2", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "2", "api:api", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "2", "api:metrics", ENDPOINT_E_REFUSED, false},
		{PASSED_LISTENING, "self", "99999", NULL, ENDPOINT_E_REFUSED, false},
		{PASSED_IDLE, "self", "1", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_DATAGRAM, "self", "1", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_TCP, "self", "1", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_FILE, "self", "1", "api", ENDPOINT_E_REFUSED, false},
		{PASSED_NOTHING, "self", "1", "api", ENDPOINT_E_REFUSED, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct bench bench;
		int status = -1;
		pid_t pid;

		bench_init(&bench);
		pid = fork();
		ck_assert(pid >= 0);
		if (pid == 0)
			_exit(activate(&cases[i], bench.path));
		ck_assert(waitpid(pid, &status, 0) == pid);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "case %zu: check %d",
			i, WEXITSTATUS(status));
		bench_deinit(&bench);
	}
}
END_TEST

START_TEST(the_default_path_of_a_user_is_below_the_runtime_directory)
{
	struct bench bench;
	struct stat status;
	char *path;

	bench_init(&bench);
	/* The rule for root is another one; without the right to become somebody else there is
	 * nothing to see here. */
	if (geteuid() == 0)
		ck_assert(chmod(bench.scratch.directory, 0777) == 0);
	if (geteuid() == 0 && seteuid(65534) != 0) {
		bench_deinit(&bench);
		return;
	}
	(void)unsetenv("XDG_RUNTIME_DIR");
	ck_assert(endpoint_default_path(&bench.why) == NULL);
	ck_assert(bench.why.size > 0);
	ck_assert(setenv("XDG_RUNTIME_DIR", bench.scratch.directory, 1) == 0);
	path = endpoint_default_path(&bench.why);
	ck_assert(path != NULL);
	ck_assert_str_eq(path, scratch_path(&bench.scratch, "settled/settled.sock"));
	ck_assert(stat(scratch_path(&bench.scratch, "settled"), &status) == 0);
	ck_assert((status.st_mode & 07777) == 0700);
	free(path);
	if (getuid() == 0)
		ck_assert(seteuid(0) == 0);
	bench_deinit(&bench);
}
END_TEST

UNIT_MAIN("daemon/endpoint", &binds_for_owner_and_group_alone_and_cleans_up, &a_second_daemon_fails,
	&replaces_a_stale_socket, &leaves_alone_what_is_not_a_stale_socket_of_its_own,
	&refuses_a_lock_that_is_no_file, &refuses_paths_it_cannot_have,
	&leaves_a_path_that_is_another_s_by_now, &takes_what_was_passed_in_and_nothing_else,
	&the_default_path_of_a_user_is_below_the_runtime_directory)
