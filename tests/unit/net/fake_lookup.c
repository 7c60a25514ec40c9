/* SPDX-License-Identifier: MIT */
#include "net/lookup.h"

#include "tests/unit/net/fake_ring.h"
#include "tests/unit/unit.h"

struct lookup_pool {
	struct list waiting;
	unsigned n_asked;
};

static struct lookup_pool fake;

bool fake_lookup_is_full, fake_lookup_has_changed;
unsigned fake_lookup_n_looks, fake_lookup_n_reliefs;

struct lookup_pool *fake_lookup_begin(void)
{
	list_init(&fake.waiting);
	fake.n_asked = 0;
	fake_lookup_is_full = false;
	fake_lookup_has_changed = false;
	fake_lookup_n_looks = 0;
	fake_lookup_n_reliefs = 0;
	return &fake;
}

int lookup_pool_new(struct ring *ring, unsigned n_threads_max, unsigned n_queued_max,
	struct lookup_pool **ret_pool)
{
	*ret_pool = fake_lookup_begin();
	return 0;
}

struct lookup_pool *lookup_pool_free(struct lookup_pool *pool)
{
	if (pool)
		list_init(&pool->waiting);
	return NULL;
}

bool lookup_start(struct lookup_pool *pool, struct lookup *lookup, lookup_callback on_done)
{
	if (fake_lookup_is_full)
		return false;
	pool->n_asked++;
	lookup->on_done = on_done;
	list_push_back(&pool->waiting, &lookup->link);
	return true;
}

void lookup_pool_relieve(struct lookup_pool *pool)
{
	fake_lookup_n_reliefs++;
}

bool lookup_pool_has_changed(struct lookup_pool *pool)
{
	bool changed = fake_lookup_has_changed;

	fake_lookup_n_looks++;
	fake_lookup_has_changed = false;
	return changed;
}

unsigned fake_lookup_n_waiting(void)
{
	unsigned n = 0;

	list_each(link, &fake.waiting)
		n++;
	return n;
}

unsigned fake_lookup_n_asked(void)
{
	return fake.n_asked;
}

static struct lookup *fake_lookup_take(const char *host)
{
	list_each_safe(link, &fake.waiting) {
		struct lookup *lookup = list_entry(link, struct lookup, link);

		if (strcmp(lookup->host, host) == 0) {
			list_remove(link);
			return lookup;
		}
	}
	ck_abort_msg("nobody has asked for %s", host);
}

void fake_lookup_answer(const char *host, const char *addresses)
{
	struct lookup *lookup = fake_lookup_take(host);
	struct text rest = text_from(addresses);

	lookup->fault.code = FAULT_NONE;
	lookup->n_addresses = 0;
	while (rest.size > 0) {
		size_t comma = text_find(rest, ',');
		struct address address;

		ck_assert(address_parse((struct text){rest.data, comma}, 0, &address));
		memcpy(&lookup->addresses[lookup->n_addresses++], &address, sizeof(address));
		rest = text_from_at(rest, comma + 1);
	}
	lookup->on_done(lookup);
}

void fake_lookup_fail(const char *host, enum fault_code code)
{
	struct lookup *lookup = fake_lookup_take(host);

	lookup->n_addresses = 0;
	fault_set(&lookup->fault, code, "%s has no address", host);
	lookup->on_done(lookup);
}
