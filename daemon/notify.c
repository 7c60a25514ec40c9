/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "util/clock.h"

/*
 * The protocol is a datagram of NAME=value lines, which the manual page invites everybody to
 * write by hand. The watchdog's message comes from the loop itself, so that a loop which hangs
 * is a daemon that hangs (systemd.service(5), WatchdogSec=).
 *
 * The manager's queue may be full. What it must know (ready, reloading, stopping) is waited for,
 * once at a time when nothing is served or everything may pause for a moment; the rest is
 * dropped and comes again.
 */

#define NOTIFY_STATUS_NS   (5 * NS_PER_S)
#define NOTIFY_MESSAGE_MAX 512

/* While stopping, each status asks for this much more: three missed ones may be lost. */
#define NOTIFY_EXTEND_US 20000000

/* The address in NOTIFY_SOCKET: a path, or '@' and a name without a path (unix(7)). */
static int notify_set_address(struct notify *notify, const char *path)
{
	size_t size = strlen(path);

	if (path[0] != '/' && path[0] != '@')
		return -EAFNOSUPPORT;
	if (size < 2 || size >= sizeof(notify->address.sun_path))
		return -EINVAL;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, path, size);
	if (path[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return 0;
}

/* A number in the environment; 0 where it is not there, or none. */
static uint64_t notify_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t number = 0;

	if (text)
		(void)text_to_u64(text_from(text), UINT64_MAX / NS_PER_S, &number);
	return number;
}

static void notify_set_watchdog(struct notify *notify)
{
	uint64_t us = notify_number("WATCHDOG_USEC");
	uint64_t pid = notify_number("WATCHDOG_PID");

	/* A variable left over from the parent is not for us. */
	if (getenv("WATCHDOG_PID") && pid != (uint64_t)getpid())
		return;
	notify->watchdog_ns = us * 1000 / 2;
}

static int notify_open(struct notify *notify, const char *path)
{
	struct timeval patience = {.tv_sec = 1};
	int rc = notify_set_address(notify, path);

	if (rc < 0)
		return rc;
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify->fd < 0)
		return -errno;
	(void)setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return 0;
}

int notify_init(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");
	int rc = 0;

	*notify = (struct notify){.fd = -1};
	if (path && path[0])
		rc = notify_open(notify, path);
	if (notify->fd >= 0)
		notify_set_watchdog(notify);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return rc;
}

void notify_deinit(struct notify *notify)
{
	if (notify->fd >= 0)
		(void)close(notify->fd);
	notify->fd = -1;
}

/* The manager may be gone, or its queue full: neither is our business. */
static void notify_send(struct notify *notify, const char *message, int flags)
{
	if (notify->fd < 0)
		return;
	(void)sendto(notify->fd, message, strlen(message), MSG_NOSIGNAL | flags,
		(const struct sockaddr *)&notify->address, notify->address_size);
}

/* A status is one line. */
static void notify_keep_status(struct notify *notify, struct text status)
{
	size_t size = status.size < NOTIFY_STATUS_MAX ? status.size : NOTIFY_STATUS_MAX;

	for (size_t i = 0; i < size; i++)
		notify->status[i] = status.data[i] == '\n' ? ' ' : status.data[i];
	notify->status[size] = '\0';
}

void notify_ready(struct notify *notify, const char *status)
{
	char message[NOTIFY_MESSAGE_MAX];

	notify_keep_status(notify, text_from(status));
	(void)snprintf(message, sizeof(message), "READY=1\nSTATUS=%s", notify->status);
	notify_send(notify, message, 0);
}

void notify_reloading(struct notify *notify, uint64_t now_ns)
{
	char message[NOTIFY_MESSAGE_MAX];

	/* Type=notify-reload wants both in one datagram. */
	(void)snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%ju",
		(uintmax_t)(now_ns / 1000));
	notify_send(notify, message, 0);
}

void notify_stopping(struct notify *notify, const char *status)
{
	char message[NOTIFY_MESSAGE_MAX];

	notify->is_stopping = true;
	notify->status_due_ns = 0;
	notify_keep_status(notify, text_from(status));
	(void)snprintf(message, sizeof(message), "STOPPING=1\nSTATUS=%s", notify->status);
	notify_send(notify, message, 0);
}

static void notify_tick_status(struct notify *notify, uint64_t now_ns, struct text status)
{
	char message[NOTIFY_MESSAGE_MAX], before[NOTIFY_STATUS_MAX + 1];
	bool changed;

	memcpy(before, notify->status, sizeof(before));
	notify_keep_status(notify, status);
	changed = strcmp(before, notify->status) != 0;
	notify->status_due_ns = now_ns + NOTIFY_STATUS_NS;
	if (notify->is_stopping)
		(void)snprintf(message, sizeof(message), "EXTEND_TIMEOUT_USEC=%d\nSTATUS=%s",
			NOTIFY_EXTEND_US, notify->status);
	else
		(void)snprintf(message, sizeof(message), "STATUS=%s", notify->status);
	if (changed || notify->is_stopping)
		notify_send(notify, message, MSG_DONTWAIT);
}

void notify_tick(struct notify *notify, uint64_t now_ns, struct text status)
{
	if (notify->fd < 0)
		return;
	if (notify->watchdog_ns > 0 && now_ns >= notify->watchdog_due_ns) {
		notify->watchdog_due_ns = now_ns + notify->watchdog_ns;
		notify_send(notify, "WATCHDOG=1", MSG_DONTWAIT);
	}
	if (now_ns >= notify->status_due_ns)
		notify_tick_status(notify, now_ns, status);
}

bool notify_is_due(const struct notify *notify, uint64_t now_ns)
{
	return now_ns >= notify_due_ns(notify);
}

uint64_t notify_due_ns(const struct notify *notify)
{
	if (notify->fd < 0)
		return UINT64_MAX;
	if (notify->watchdog_ns > 0 && notify->watchdog_due_ns < notify->status_due_ns)
		return notify->watchdog_due_ns;
	return notify->status_due_ns;
}
