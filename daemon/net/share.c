/* SPDX-License-Identifier: MIT */
#include "net/share.h"

#include <stdlib.h>

#include "net/pool_private.h"
#include "util/panic.h"

/*
 * A server that says Retry-After speaks to one user: what another one is told by it may differ,
 * so a pause is the user's own, in all of that user's graphs and on every route to the origin.
 * The same holds for how often requests were repeated: nobody uses up another's budget.
 *
 * Shares stand in a list of their origin, which is searched only when a route is made.
 */

static void share_on_resume(struct timer *timer)
{
	struct share *share = container_of(timer, struct share, resume);
	struct pool_owner *owner = share->pool->owner;

	share->requests.paused = false;
	share->paused_until_ns = 0;
	if (owner)
		owner->on_resumed(owner, share);
}

static struct share *share_new(struct pool *pool, struct origin *origin, uid_t uid)
{
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->pool = pool;
	share->origin = origin;
	share->uid = uid;
	bound_init(&share->requests, BOUND_NONE);
	timer_init(&share->resume, share_on_resume);
	list_push_back(&origin->shares, &share->link);
	return share;
}

struct share *share_of(struct pool *pool, struct origin *origin, uid_t uid)
{
	list_each(link, &origin->shares) {
		struct share *share = list_entry(link, struct share, link);

		if (share->uid == uid)
			return share;
	}
	return share_new(pool, origin, uid);
}

struct share *share_free(struct share *share)
{
	if (!share)
		return NULL;
	expect(share->n_routes == 0);
	expect(bound_is_unused(&share->requests));
	timer_stop(ring_timers(share->pool->ring), &share->resume);
	list_remove(&share->requests.freed);
	list_remove(&share->link);
	free(share);
	return NULL;
}

bool share_is_unused(struct share *share, uint64_t now_ns)
{
	return share->n_routes == 0 && bound_is_unused(&share->requests) &&
	       !share->requests.paused && rate_count(&share->sent, now_ns) == 0 &&
	       rate_count(&share->repeated, now_ns) == 0;
}

void share_pause(struct pool *pool, struct share *share, uint64_t until_ns)
{
	expect(share->pool == pool);
	if (until_ns <= ring_now(pool->ring) || until_ns <= share->paused_until_ns)
		return;
	share->paused_until_ns = until_ns;
	share->requests.paused = true;
	timer_set(ring_timers(pool->ring), &share->resume, until_ns);
}
