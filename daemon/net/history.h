/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What became of the addresses dialled of late, where there was a choice: one that connected when
 * another had not is tried first for a while, one that failed last. It orders what the resolver
 * says and adds nothing to it (RFC 8305 section 4, on a client with a history). Shared by all
 * users: that an address does not answer is nobody's secret.
 *
 * Limits: HISTORY_MAX addresses; beyond them, what was noted first goes. Without memory nothing is
 * noted.
 */

#include "net/address.h"
#include "util/list.h"
#include "util/table.h"

#define HISTORY_MAX 512

/* In the order in which to try. */
enum history_rank {
	HISTORY_WON,
	HISTORY_UNKNOWN,
	HISTORY_FAILED,
	HISTORY_RANKS,
};

struct history {
	struct table table;
	/* All entries, the one noted first first. */
	struct list entries;
};

void history_init(struct history *history);
void history_deinit(struct history *history);

/* Forgets all: the network is another one. */
void history_clear(struct history *history);

/* The port counts. */
enum history_rank history_rank(
	const struct history *history, const struct address *address, uint64_t now_ns);

/* It connected; `over_another`: another one was begun before it and did not. */
void history_connected(
	struct history *history, const struct address *address, bool over_another, uint64_t now_ns);

/* It refused, or was silent while others were tried. */
void history_failed(struct history *history, const struct address *address, uint64_t now_ns);
