/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records that overtook others, held until it is their turn: a window of bounded size, beyond
 * which nothing may be begun. Each has a turn: 0, 1, 2 and so on without gaps.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

/* What may be held; the one whose turn it is may always be begun. */
#define ORDER_BYTES_MAX (32u * 1024 * 1024)

/* One record: its own copy. */
struct order_record {
	/* `json` and behind it the body; NULL: none, this turn is passed over. */
	char *memory;
	struct text json, body, job;
	uint64_t line;
	bool is_rejected;
};

struct order_slot;

struct order {
	struct order_slot *slots;
	uint32_t n_slots;
	/* Whose turn it is. */
	uint64_t next;
	size_t bytes;
};

/* 0 or -ENOMEM. */
int order_init(struct order *order, uint32_t n_slots);
void order_deinit(struct order *order);

/* May this turn be begun? */
bool order_has_room(const struct order *order, uint64_t turn);

/* A turn is over: a copy is held. False: no memory. */
bool order_put(struct order *order, uint64_t turn, const struct order_record *record);

/* There is nothing to be shown in this turn. */
void order_pass(struct order *order, uint64_t turn);

/* The next in order, if it is there: the caller's, its memory to be freed. */
bool order_take(struct order *order, struct order_record *ret_record);
