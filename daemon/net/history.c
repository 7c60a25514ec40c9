/* SPDX-License-Identifier: MIT */
/*
 * A preference and no verdict: an entry moves its address within an answer, and an answer is
 * tried whole. So a wrong entry costs a quarter of a second at most, and the memory may be short.
 *
 * Who connects at the first try is not noted: the order has proven right, and a name whose answer
 * is turned round for each question goes on spreading its load. Nor does winning as the first one
 * prolong an entry: once in HISTORY_WON_NS the order of the resolver is tried again, which costs
 * one request its quarter of a second where it is as bad as it was, and finds out where it is not.
 */
#include "net/history.h"

#include <stdlib.h>

#include "util/clock.h"

/* An IPv6 that leads nowhere stays so for long. */
#define HISTORY_WON_NS (600 * NS_PER_S)

/* A server that is started again is back sooner. */
#define HISTORY_FAILED_NS (60 * NS_PER_S)

struct history_entry {
	struct list link;
	uint64_t hash;
	uint64_t until_ns;
	enum history_rank rank;
	struct address address;
};

static struct text address_bytes(const struct address *address)
{
	return (struct text){(const char *)address, address_size(address)};
}

static bool history_matches(const void *value, const void *key)
{
	const struct history_entry *entry = value;

	return text_equal(address_bytes(&entry->address), address_bytes(key));
}

static struct history_entry *history_find(
	const struct history *history, const struct address *address)
{
	return table_find(
		&history->table, table_hash(address_bytes(address)), history_matches, address);
}

static void history_drop(struct history *history, struct history_entry *entry)
{
	table_remove(&history->table, entry->hash, entry);
	list_remove(&entry->link);
	free(entry);
}

void history_init(struct history *history)
{
	table_init(&history->table);
	list_init(&history->entries);
}

void history_deinit(struct history *history)
{
	history_clear(history);
	table_deinit(&history->table);
}

void history_clear(struct history *history)
{
	list_each_safe(link, &history->entries)
		history_drop(history, list_entry(link, struct history_entry, link));
}

enum history_rank history_rank(
	const struct history *history, const struct address *address, uint64_t now_ns)
{
	const struct history_entry *entry = history_find(history, address);

	return entry && entry->until_ns > now_ns ? entry->rank : HISTORY_UNKNOWN;
}

/* A new entry, and room for it; NULL: no memory. */
static struct history_entry *history_add(struct history *history, const struct address *address)
{
	struct history_entry *entry;

	if (history->table.count >= HISTORY_MAX)
		history_drop(
			history, list_entry(history->entries.next, struct history_entry, link));
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	memcpy(&entry->address, address, address_size(address));
	entry->hash = table_hash(address_bytes(address));
	list_init(&entry->link);
	if (!table_insert(&history->table, entry->hash, entry)) {
		free(entry);
		return NULL;
	}
	return entry;
}

static void history_note(struct history *history, const struct address *address,
	enum history_rank rank, uint64_t until_ns)
{
	struct history_entry *entry = history_find(history, address);

	if (!entry)
		entry = history_add(history, address);
	if (!entry)
		return;
	entry->rank = rank;
	entry->until_ns = until_ns;
	list_remove(&entry->link);
	list_push_back(&history->entries, &entry->link);
}

void history_connected(
	struct history *history, const struct address *address, bool over_another, uint64_t now_ns)
{
	struct history_entry *entry;

	if (over_another) {
		history_note(history, address, HISTORY_WON, now_ns + HISTORY_WON_NS);
		return;
	}
	entry = history_find(history, address);
	if (entry && entry->rank == HISTORY_FAILED)
		history_drop(history, entry);
}

void history_failed(struct history *history, const struct address *address, uint64_t now_ns)
{
	history_note(history, address, HISTORY_FAILED, now_ns + HISTORY_FAILED_NS);
}
