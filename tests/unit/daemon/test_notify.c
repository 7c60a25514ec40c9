/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/unit/daemon/scratch.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

/* The service manager's end. */
struct manager {
	struct scratch scratch;
	int fd;
};

static void manager_init(struct manager *manager, bool is_abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path;
	size_t size;

	scratch_make(&manager->scratch);
	path = scratch_path(&manager->scratch, "notify");
	size = strlen(path);
	memcpy(address.sun_path, path, size);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert(manager->fd >= 0);
	if (is_abstract) {
		address.sun_path[0] = '\0';
		manager->scratch.path[0] = '@';
	}
	ck_assert(bind(manager->fd, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) == 0);
	ck_assert(setenv("NOTIFY_SOCKET", manager->scratch.path, 1) == 0);
}

static void manager_deinit(struct manager *manager)
{
	(void)close(manager->fd);
	scratch_remove(&manager->scratch);
}

/* The next datagram is this one; NULL: there is none. */
static void manager_expect(struct manager *manager, const char *message)
{
	char got[1024];
	ssize_t size = recv(manager->fd, got, sizeof(got) - 1, 0);

	if (size < 0) {
		ck_assert_msg(message == NULL, "nothing came, not %s", message);
		return;
	}
	got[size] = '\0';
	ck_assert_msg(message && strcmp(got, message) == 0, "%s came, not %s", got,
		message ? message : "nothing");
}

static void life_of_a_service(bool is_abstract)
{
	struct manager manager;
	struct notify notify;

	manager_init(&manager, is_abstract);
	ck_assert(notify_init(&notify) == 0);
	ck_assert(getenv("NOTIFY_SOCKET") == NULL);
	notify_ready(&notify, "serving");
	manager_expect(&manager, "READY=1\nSTATUS=serving");
	notify_reloading(&notify, 12345678);
	manager_expect(&manager, "RELOADING=1\nMONOTONIC_USEC=12345");
	notify_stopping(&notify, "draining");
	manager_expect(&manager, "STOPPING=1\nSTATUS=draining");
	manager_expect(&manager, NULL);
	notify_deinit(&notify);
	manager_deinit(&manager);
}

START_TEST(tells_the_life_of_a_service)
{
	life_of_a_service(false);
}
END_TEST

START_TEST(speaks_to_an_abstract_socket)
{
	life_of_a_service(true);
}
END_TEST

START_TEST(tells_the_status_when_it_changed_and_not_too_often)
{
	struct manager manager;
	struct notify notify;

	manager_init(&manager, false);
	ck_assert(notify_init(&notify) == 0);
	ck_assert(notify_is_due(&notify, NS_PER_S));
	notify_tick(&notify, NS_PER_S, TEXT("one"));
	manager_expect(&manager, "STATUS=one");
	ck_assert(!notify_is_due(&notify, 2 * NS_PER_S));
	notify_tick(&notify, 2 * NS_PER_S, TEXT("two"));
	manager_expect(&manager, NULL);
	ck_assert(notify_due_ns(&notify) == 6 * NS_PER_S);
	notify_tick(&notify, 6 * NS_PER_S, TEXT("two\nlines"));
	manager_expect(&manager, "STATUS=two lines");
	notify_tick(&notify, 11 * NS_PER_S, TEXT("two\nlines"));
	manager_expect(&manager, NULL);
	notify_deinit(&notify);
	manager_deinit(&manager);
}
END_TEST

START_TEST(keeps_the_watchdog_content_at_half_its_time)
{
	struct manager manager;
	struct notify notify;

	manager_init(&manager, false);
	ck_assert(setenv("WATCHDOG_USEC", "4000000", 1) == 0);
	ck_assert(notify_init(&notify) == 0);
	ck_assert(getenv("WATCHDOG_USEC") == NULL);
	notify_tick(&notify, NS_PER_S, TEXT(""));
	manager_expect(&manager, "WATCHDOG=1");
	manager_expect(&manager, NULL);
	ck_assert(notify_due_ns(&notify) == 3 * NS_PER_S);
	notify_tick(&notify, 2 * NS_PER_S, TEXT(""));
	manager_expect(&manager, NULL);
	notify_tick(&notify, 3 * NS_PER_S, TEXT(""));
	manager_expect(&manager, "WATCHDOG=1");
	notify_deinit(&notify);
	manager_deinit(&manager);
}
END_TEST

START_TEST(minds_only_its_own_watchdog)
{
	static const struct {
		const char *usec, *pid;
		uint64_t ns;
	} cases[] = {
		{"4000000", NULL, 2 * NS_PER_S},
		{"4000000", "self", 2 * NS_PER_S},
		{"4000000", "1", 0},
		{"4000000", "no number", 0},
		{"no number", NULL, 0},
		{"0", NULL, 0},
		{NULL, NULL, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct manager manager;
		struct notify notify;
		char pid[32];

		manager_init(&manager, false);
		(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
		if (cases[i].usec)
			ck_assert(setenv("WATCHDOG_USEC", cases[i].usec, 1) == 0);
		if (cases[i].pid)
			ck_assert(
				setenv("WATCHDOG_PID",
					strcmp(cases[i].pid, "self") ? cases[i].pid : pid, 1) == 0);
		ck_assert(notify_init(&notify) == 0);
		ck_assert_msg(notify.watchdog_ns == cases[i].ns, "case %zu", i);
		ck_assert(getenv("WATCHDOG_PID") == NULL);
		notify_deinit(&notify);
		manager_deinit(&manager);
	}
}
END_TEST

START_TEST(asks_for_more_time_while_stopping)
{
	struct manager manager;
	struct notify notify;

	manager_init(&manager, false);
	ck_assert(notify_init(&notify) == 0);
	notify_stopping(&notify, "draining");
	manager_expect(&manager, "STOPPING=1\nSTATUS=draining");
	notify_tick(&notify, 10 * NS_PER_S, TEXT("3 requests"));
	manager_expect(&manager, "EXTEND_TIMEOUT_USEC=20000000\nSTATUS=3 requests");
	notify_tick(&notify, 12 * NS_PER_S, TEXT("3 requests"));
	manager_expect(&manager, NULL);
	notify_tick(&notify, 15 * NS_PER_S, TEXT("3 requests"));
	manager_expect(&manager, "EXTEND_TIMEOUT_USEC=20000000\nSTATUS=3 requests");
	notify_deinit(&notify);
	manager_deinit(&manager);
}
END_TEST

START_TEST(does_nothing_without_a_manager)
{
	struct notify notify;

	(void)unsetenv("NOTIFY_SOCKET");
	ck_assert(setenv("WATCHDOG_USEC", "1000000", 1) == 0);
	ck_assert(notify_init(&notify) == 0);
	notify_ready(&notify, "serving");
	notify_tick(&notify, NS_PER_S, TEXT("status"));
	ck_assert(notify_due_ns(&notify) == UINT64_MAX);
	ck_assert(!notify_is_due(&notify, UINT64_MAX - 1));
	notify_stopping(&notify, "");
	notify_deinit(&notify);
}
END_TEST

START_TEST(refuses_addresses_it_does_not_know)
{
	char too_long[200] = "/";
	const char *const paths[] = {"vsock:2:1234", "relative", "/", "@", too_long};

	memset(too_long + 1, 'x', 150);
	for (size_t i = 0; i < countof(paths); i++) {
		struct notify notify;

		ck_assert(setenv("NOTIFY_SOCKET", paths[i], 1) == 0);
		ck_assert_msg(notify_init(&notify) < 0, "%s", paths[i]);
		ck_assert(getenv("NOTIFY_SOCKET") == NULL);
		notify_ready(&notify, "serving");
		notify_deinit(&notify);
	}
}
END_TEST

START_TEST(never_waits_for_a_full_queue_in_the_loop)
{
	struct manager manager;
	struct notify notify;

	manager_init(&manager, false);
	ck_assert(setenv("WATCHDOG_USEC", "2", 1) == 0);
	ck_assert(notify_init(&notify) == 0);
	/* Far more than a queue holds (net.unix.max_dgram_qlen); the test's own time-out would
	 * catch a wait. */
	for (uint64_t i = 1; i < 20000; i++)
		notify_tick(&notify, i * NS_PER_S, TEXT(""));
	manager_expect(&manager, "WATCHDOG=1");
	notify_deinit(&notify);
	manager_deinit(&manager);
}
END_TEST

UNIT_MAIN("daemon/notify", &tells_the_life_of_a_service, &speaks_to_an_abstract_socket,
	&tells_the_status_when_it_changed_and_not_too_often,
	&keeps_the_watchdog_content_at_half_its_time, &minds_only_its_own_watchdog,
	&asks_for_more_time_while_stopping, &does_nothing_without_a_manager,
	&refuses_addresses_it_does_not_know, &never_waits_for_a_full_queue_in_the_loop)
