/* SPDX-License-Identifier: MIT */
#include "net/resolver.h"

#include <stdlib.h>

#include "ring/ring.h"
#include "util/panic.h"
#include "util/table.h"

/*
 * A name is an entry from the first question until its answer is too old. While it is asked for,
 * all who want it wait in the entry's list, and its look-up is in flight; afterwards the answer
 * stays for a while. An entry whose look-up is in flight is never freed: when the resolver goes
 * first, the pool forgets the look-up before (lookup_pool_free() comes first).
 *
 * The host's configuration is looked at when somebody asks, here in the loop: four stat(2) in
 * RESOLVER_LOOK_NS at most, of files that every look-up reads. Once it has changed, all answers go
 * at once. A look-up under way may be one that waits for a server which is gone: its entry leaves
 * the table, so that who asks from then on is not told by it, and who waits for it still is. The
 * history goes as well: a host that is given another name server has often moved to another
 * network (RFC 8305 section 4).
 *
 * While look-ups are open, the pool is asked from time to time to relieve those that wait behind
 * stuck ones (net/lookup.h).
 *
 * Limit: names_max entries; beyond it, the oldest answer goes for each new question. Questions that
 * are open are bounded by the pool's queue.
 */

/* A question that waits twice as long for a thread gets one of the reserve. */
#define RESOLVER_RELIEF_NS (250 * NS_PER_MS)

struct name {
	struct lookup lookup;
	struct resolver *resolver;
	struct list waiting;
	/* All names, the oldest answer first. */
	struct list link;
	uint64_t hash;
	uint64_t expires_ns;
	bool pending;
	/* True exactly while its answer is being told: it must stay, whatever the upcalls ask. */
	bool telling;
	/* True exactly when it was asked for under another configuration: it is not in the table.
	 */
	bool is_stale;
	struct address addresses[LOOKUP_ADDRESSES_MAX];
};

struct resolver {
	struct ring *ring;
	struct lookup_pool *pool;
	struct resolver_options options;
	struct table names;
	struct list all;
	struct history history;
	uint64_t looked_ns;
	/* Armed while look-ups are open. */
	struct timer relief;
	uint32_t n_pending;
};

static void resolver_on_relief(struct timer *timer);

struct resolver *resolver_new(
	struct ring *ring, struct lookup_pool *pool, const struct resolver_options *options)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return NULL;
	resolver->ring = ring;
	resolver->pool = pool;
	resolver->options = *options;
	table_init(&resolver->names);
	list_init(&resolver->all);
	history_init(&resolver->history);
	timer_init(&resolver->relief, resolver_on_relief);
	return resolver;
}

static void name_free(struct name *name)
{
	expect(list_is_empty(&name->waiting));
	if (!name->is_stale)
		table_remove(&name->resolver->names, name->hash, name);
	list_remove(&name->link);
	free(name);
}

struct resolver *resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return NULL;
	list_each_safe(link, &resolver->all)
		name_free(list_entry(link, struct name, link));
	timer_stop(ring_timers(resolver->ring), &resolver->relief);
	history_deinit(&resolver->history);
	table_deinit(&resolver->names);
	free(resolver);
	return NULL;
}

static bool name_matches(const void *value, const void *key)
{
	const struct name *name = value;
	const struct text *host = key;

	return text_is(*host, name->lookup.host);
}

static struct resolver_answer name_answer(const struct name *name)
{
	return (struct resolver_answer){
		.addresses = name->addresses,
		.n_addresses = name->lookup.n_addresses,
		.fault = name->lookup.fault.code == FAULT_NONE ? NULL : &name->lookup.fault,
	};
}

/* Everybody who waits now gets the answer; who asks again meanwhile gets it at once. */
static void name_tell(struct name *name)
{
	struct resolver_answer answer = name_answer(name);
	struct fault fault = name->lookup.fault;
	struct list waiting, *link;

	/* Who hears of it may ask again, which clears the name's own. */
	if (answer.fault)
		answer.fault = &fault;
	name->telling = true;
	list_init(&waiting);
	while ((link = list_pop_front(&name->waiting)))
		list_push_back(&waiting, link);
	while ((link = list_pop_front(&waiting))) {
		struct resolver_wait *wait = list_entry(link, struct resolver_wait, link);

		wait->on_answer(wait, &answer);
	}
	name->telling = false;
}

static void name_on_lookup(struct lookup *lookup)
{
	struct name *name = container_of(lookup, struct name, lookup);
	struct resolver *resolver = name->resolver;
	uint64_t keep_ns = lookup->fault.code == FAULT_NONE ? resolver->options.positive_ns
							    : resolver->options.negative_ns;

	for (uint32_t i = 0; i < lookup->n_addresses; i++)
		memcpy(&name->addresses[i], &lookup->addresses[i], sizeof(name->addresses[i]));
	/* A passing fault is never remembered. */
	if (lookup->fault.code == FAULT_DNS_TEMPORARY || name->is_stale)
		keep_ns = 0;
	name->pending = false;
	resolver->n_pending--;
	if (resolver->n_pending == 0)
		timer_stop(ring_timers(resolver->ring), &resolver->relief);
	name->expires_ns = ring_now(resolver->ring) + keep_ns;
	name_tell(name);
	if (keep_ns == 0 && !name->pending)
		name_free(name);
}

/* Room for one more: the oldest answer that nobody waits for goes. */
static void resolver_make_room(struct resolver *resolver)
{
	if (resolver->names.count < resolver->options.names_max)
		return;
	list_each_safe(link, &resolver->all) {
		struct name *name = list_entry(link, struct name, link);

		if (!name->pending && !name->telling) {
			name_free(name);
			return;
		}
	}
}

static struct name *name_new(struct resolver *resolver, struct text host, uint64_t hash)
{
	struct name *name;

	resolver_make_room(resolver);
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	name->resolver = resolver;
	name->hash = hash;
	list_init(&name->waiting);
	list_init(&name->lookup.link);
	memcpy(name->lookup.host, host.data, host.size);
	if (!table_insert(&resolver->names, hash, name)) {
		free(name);
		return NULL;
	}
	list_push_back(&resolver->all, &name->link);
	return name;
}

static void answer_fault(struct resolver_wait *wait, enum fault_code code, const char *message)
{
	struct fault fault;
	struct resolver_answer answer = {.fault = &fault};

	fault_set(&fault, code, "%s", message);
	wait->on_answer(wait, &answer);
}

static bool host_is_localhost(struct text host)
{
	struct text suffix = TEXT(".localhost");

	if (host.size > 0 && host.data[host.size - 1] == '.')
		host.size--;
	if (text_equal_nocase(host, TEXT("localhost")))
		return true;
	return host.size > suffix.size &&
	       text_equal_nocase(text_from_at(host, host.size - suffix.size), suffix);
}

static void answer_localhost(struct resolver_wait *wait)
{
	const struct address loopback[] = {
		{.v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}},
		{.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}},
	};
	struct resolver_answer answer = {.addresses = loopback, .n_addresses = 2};

	wait->on_answer(wait, &answer);
}

static void resolver_arm_relief(struct resolver *resolver)
{
	timer_set(ring_timers(resolver->ring), &resolver->relief,
		ring_now(resolver->ring) + RESOLVER_RELIEF_NS);
}

static void resolver_on_relief(struct timer *timer)
{
	struct resolver *resolver = container_of(timer, struct resolver, relief);

	lookup_pool_relieve(resolver->pool);
	resolver_arm_relief(resolver);
}

/* A new question, or an old one whose answer is too old. False: the answer was a fault. */
static bool name_ask(struct name *name)
{
	struct resolver *resolver = name->resolver;

	name->lookup.fault.code = FAULT_NONE;
	name->lookup.n_addresses = 0;
	if (!lookup_start(resolver->pool, &name->lookup, name_on_lookup))
		return false;
	name->pending = true;
	resolver->n_pending++;
	if (!timer_is_armed(&resolver->relief))
		resolver_arm_relief(resolver);
	list_remove(&name->link);
	list_push_back(&resolver->all, &name->link);
	return true;
}

/* Nothing that was found out by now is told to anybody who asks from now on. */
static void resolver_start_over(struct resolver *resolver)
{
	resolver_flush(resolver);
	list_each(link, &resolver->all) {
		struct name *name = list_entry(link, struct name, link);

		if (!name->pending || name->is_stale)
			continue;
		table_remove(&resolver->names, name->hash, name);
		name->is_stale = true;
	}
}

static void resolver_look(struct resolver *resolver)
{
	uint64_t now = ring_now(resolver->ring);

	if (resolver->looked_ns && now - resolver->looked_ns < RESOLVER_LOOK_NS)
		return;
	resolver->looked_ns = now;
	if (lookup_pool_has_changed(resolver->pool))
		resolver_start_over(resolver);
}

void resolver_ask(struct resolver *resolver, struct text host, struct resolver_wait *wait,
	resolver_callback on_answer)
{
	uint64_t hash;
	struct name *name;

	list_init(&wait->link);
	wait->on_answer = on_answer;
	if (host_is_localhost(host)) {
		answer_localhost(wait);
		return;
	}
	if (host.size >= LOOKUP_HOST_MAX) {
		answer_fault(wait, FAULT_DNS_NOT_FOUND, "the name is too long");
		return;
	}
	resolver_look(resolver);
	hash = table_hash(host);
	name = table_find(&resolver->names, hash, name_matches, &host);
	if (!name)
		name = name_new(resolver, host, hash);
	if (!name) {
		answer_fault(wait, FAULT_DNS_TEMPORARY, "no memory for the look-up");
		return;
	}
	if (!name->pending && name->expires_ns > ring_now(resolver->ring)) {
		struct resolver_answer answer = name_answer(name);

		wait->on_answer(wait, &answer);
		return;
	}
	if (!name->pending && !name_ask(name)) {
		if (!name->telling)
			name_free(name);
		answer_fault(wait, FAULT_DNS_TEMPORARY, "too many look-ups are waiting");
		return;
	}
	list_push_back(&name->waiting, &wait->link);
}

void resolver_leave(struct resolver_wait *wait)
{
	list_remove(&wait->link);
}

struct history *resolver_history(struct resolver *resolver)
{
	return &resolver->history;
}

uint32_t resolver_flush(struct resolver *resolver)
{
	uint64_t now = ring_now(resolver->ring);
	uint32_t n = 0;

	history_clear(&resolver->history);
	list_each_safe(link, &resolver->all) {
		struct name *name = list_entry(link, struct name, link);

		if (name->pending)
			continue;
		n += name->expires_ns > now;
		name->expires_ns = 0;
		if (!name->telling)
			name_free(name);
	}
	return n;
}

uint32_t resolver_pending(const struct resolver *resolver)
{
	return resolver->n_pending;
}
