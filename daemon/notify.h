/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon tells the service manager (sd_notify(3)), without libsystemd: datagrams to the
 * socket that NOTIFY_SOCKET names. Without one every call does nothing.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/text.h"

/* The status line is cut beyond this. */
#define NOTIFY_STATUS_MAX 200

struct notify {
	/* -1: there is nobody to tell. */
	int fd;
	struct sockaddr_un address;
	socklen_t address_size;
	/* Half of what the watchdog waits; 0: there is no watchdog. */
	uint64_t watchdog_ns;
	/* When each is due. */
	uint64_t watchdog_due_ns, status_due_ns;
	/* True from notify_stopping() on. */
	bool is_stopping;
	char status[NOTIFY_STATUS_MAX + 1];
};

/* Reads the environment and takes its variables away, so that no child talks in our name. 0, or
 * -errno: it names a socket we cannot use, and nobody is told anything. */
int notify_init(struct notify *notify);

void notify_deinit(struct notify *notify);

/* These three are waited for, a second at most. */
void notify_ready(struct notify *notify, const char *status);
void notify_reloading(struct notify *notify, uint64_t now_ns);
void notify_stopping(struct notify *notify, const char *status);

/* To be called whenever the loop has turned, and at notify_due_ns() at the latest: keeps the
 * watchdog content, and the status line fresh; while stopping, asks for more time. Never waits. */
void notify_tick(struct notify *notify, uint64_t now_ns, struct text status);

/* True where notify_tick() would tell something, so that the status is worth writing. */
bool notify_is_due(const struct notify *notify, uint64_t now_ns);

/* When it will be; UINT64_MAX: never. */
uint64_t notify_due_ns(const struct notify *notify);
