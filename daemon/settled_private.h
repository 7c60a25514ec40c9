/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What settled.c makes and status.c shows.
 */

#include "front/front.h"
#include "front/listener.h"
#include "net/lookup.h"
#include "settled.h"

struct settled {
	struct ring *ring;
	struct settled_options options;
	struct lookup_pool *lookups;
	struct resolver *resolver;
	struct tls_store *tls_store;
	struct pool *pool;
	struct scheduler scheduler;
	struct front front;
	struct listener listener;
	struct timer drain_timer;
	uint64_t started_ns;
	bool is_draining;
	bool is_shut_down;
};
