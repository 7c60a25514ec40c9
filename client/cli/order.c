/* SPDX-License-Identifier: MIT */
#include "client/cli/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/panic.h"

struct order_slot {
	struct order_record record;
	bool is_over;
};

int order_init(struct order *order, uint32_t n_slots)
{
	*order = (struct order){.n_slots = n_slots};
	order->slots = calloc(n_slots, sizeof(*order->slots));
	return order->slots ? 0 : -ENOMEM;
}

void order_deinit(struct order *order)
{
	for (uint32_t i = 0; order->slots && i < order->n_slots; i++)
		free(order->slots[i].record.memory);
	free(order->slots);
	order->slots = NULL;
}

bool order_has_room(const struct order *order, uint64_t turn)
{
	if (turn == order->next)
		return true;
	return turn - order->next < order->n_slots && order->bytes < ORDER_BYTES_MAX;
}

static struct order_slot *order_slot(struct order *order, uint64_t turn)
{
	struct order_slot *slot = &order->slots[turn % order->n_slots];

	expect(turn >= order->next);
	expect(turn - order->next < order->n_slots);
	expect(!slot->is_over);
	return slot;
}

static struct text order_copy(char **at, struct text text)
{
	struct text copy = {*at, text.size};

	if (text.size > 0)
		memcpy(*at, text.data, text.size);
	*at += text.size;
	return copy;
}

static size_t order_size(const struct order_record *record)
{
	return record->json.size + record->body.size + record->job.size;
}

bool order_put(struct order *order, uint64_t turn, const struct order_record *record)
{
	struct order_slot *slot = order_slot(order, turn);
	char *memory = malloc(order_size(record) + 1), *at = memory;

	if (!memory)
		return false;
	slot->is_over = true;
	slot->record = *record;
	slot->record.memory = memory;
	slot->record.json = order_copy(&at, record->json);
	slot->record.body = order_copy(&at, record->body);
	slot->record.job = order_copy(&at, record->job);
	order->bytes += order_size(record);
	return true;
}

void order_pass(struct order *order, uint64_t turn)
{
	struct order_slot *slot = order_slot(order, turn);

	slot->is_over = true;
	slot->record = (struct order_record){0};
}

bool order_take(struct order *order, struct order_record *ret_record)
{
	for (uint32_t i = 0; i < order->n_slots; i++) {
		struct order_slot *slot = &order->slots[order->next % order->n_slots];

		if (!slot->is_over)
			return false;
		*ret_record = slot->record;
		*slot = (struct order_slot){0};
		order->next++;
		if (!ret_record->memory)
			continue;
		order->bytes -= order_size(ret_record);
		return true;
	}
	return false;
}
