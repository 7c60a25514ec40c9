/* SPDX-License-Identifier: MIT */
#include "net/lookup.h"

#include <stdio.h>
#include <string.h>

#include "sim_lookup.h"
#include "sim_model.h"
#include "sim_ring.h"
#include "sim_world.h"
#include "util/panic.h"

/*
 * net/lookup.h over this world's names: each is answered after the time that its origin's name
 * takes, in the ring's thread, or never.
 */

struct lookup_pool {
	bool is_alive;
	/* Answers to an older pool's questions go nowhere. */
	unsigned generation;
	unsigned n_open;
};

struct sim_question {
	struct lookup *lookup;
	struct sim_origin *origin;
	unsigned generation;
};

static struct lookup_pool sim_pool;

int lookup_pool_new(struct ring *ring, unsigned n_threads_max, unsigned n_queued_max,
	struct lookup_pool **ret_pool)
{
	expect(!sim_pool.is_alive);
	sim_pool.is_alive = true;
	sim_pool.generation++;
	sim_pool.n_open = 0;
	*ret_pool = &sim_pool;
	return 0;
}

struct lookup_pool *lookup_pool_free(struct lookup_pool *pool)
{
	if (pool)
		pool->is_alive = false;
	return NULL;
}

void sim_lookup_begin(void)
{
	sim_pool.is_alive = false;
}

static void sim_question_tell(void *context)
{
	struct sim_question question = *(struct sim_question *)context;
	struct lookup *lookup = question.lookup;
	const struct sim_origin *origin = question.origin;

	sim_release(context, sizeof(question));
	if (!sim_pool.is_alive || question.generation != sim_pool.generation)
		return;
	sim_pool.n_open--;
	lookup->fault.code = FAULT_NONE;
	lookup->n_addresses = 0;
	if (!origin) {
		fault_set(&lookup->fault, FAULT_DNS_NOT_FOUND, "no such name");
	} else if (origin->lookup == SIM_LOOKUP_NOT_FOUND) {
		fault_set(&lookup->fault, FAULT_DNS_NOT_FOUND, "no such name");
	} else if (origin->lookup == SIM_LOOKUP_TEMPORARY) {
		fault_set(&lookup->fault, FAULT_DNS_TEMPORARY, "no answer for now");
	} else {
		lookup->n_addresses = origin->n_addresses;
		for (unsigned i = 0; i < origin->n_addresses; i++) {
			struct sockaddr_storage *address = &lookup->addresses[i];

			*address = origin->addresses[i].address;
			if (address->ss_family == AF_INET)
				((struct sockaddr_in *)address)->sin_port = 0;
			else
				((struct sockaddr_in6 *)address)->sin6_port = 0;
		}
	}
	sim_trace("  %s is looked up: %u addresses", lookup->host, lookup->n_addresses);
	lookup->on_done(lookup);
}

static void sim_question_answer(void *context)
{
	const struct sim_question *question = context;

	if (sim_pool.is_alive && question->generation == sim_pool.generation)
		sim_ring_call(sim_question_tell, context);
}

/* No look-up takes a thread here, and no file is asked. */
void lookup_pool_relieve(struct lookup_pool *pool)
{
	expect(pool->is_alive);
}

bool lookup_pool_has_changed(struct lookup_pool *pool)
{
	expect(pool->is_alive);
	return false;
}

bool lookup_start(struct lookup_pool *pool, struct lookup *lookup, lookup_callback on_done)
{
	struct sim_question *question = sim_alloc(sizeof(*question));
	unsigned n;

	if (!memchr(lookup->host, 0, sizeof(lookup->host)))
		sim_fail("a look-up of a host without an end");
	lookup->on_done = on_done;
	question->lookup = lookup;
	question->generation = pool->generation;
	pool->n_open++;
	if (sscanf(lookup->host, "o%u.sim.test", &n) == 1 && n < sim_model.n_origins)
		question->origin = &sim_model.origins[n];
	if (!question->origin)
		sim_fail("a look-up of %s, which nobody named", lookup->host);
	question->origin->n_begun++;
	switch (question->origin->lookup) {
	case SIM_LOOKUP_STUCK:
		sim_codes_add(&question->origin->codes, FAULT_DNS_TIMEOUT);
		return true;
	case SIM_LOOKUP_NOT_FOUND:
		sim_codes_add(&question->origin->codes, FAULT_DNS_NOT_FOUND);
		break;
	case SIM_LOOKUP_TEMPORARY:
		sim_codes_add(&question->origin->codes, FAULT_DNS_TEMPORARY);
		break;
	case SIM_LOOKUP_WELL: break;
	}
	sim_after(question->origin->lookup_ns, sim_question_answer, question);
	return true;
}
