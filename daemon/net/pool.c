/* SPDX-License-Identifier: MIT */
#include "net/pool_private.h"

#include <stdlib.h>

#include "util/clock.h"
#include "util/panic.h"

/*
 * Whoever has a route (net/pool_route.c) may use any of its idle connections. The one used last
 * is lent first: its window is open and its memory warm, and the others grow old and go.
 *
 * Connections that are warmed are dialled for nobody. They become idle when they are ready; who
 * asks for a connection before that becomes the user of one that is still being dialled. They
 * are a guess, so they give way: nothing is closed to make room for one, one is given up where a
 * request needs the room, and one that takes too long goes.
 *
 * One timer looks after age: it closes idle connections past their time, and drops routes and
 * origins that nobody uses. It is armed only while there is something to look after, so an idle
 * daemon sleeps.
 */

/* Three texts of PEM of 1 MiB at most, with what else there is. */
#define KEY_MAX (8 * 1024 * 1024)

/* How long a connection may be dialled for nobody. */
#define WARM_TIMEOUT_NS (10 * NS_PER_S)

static void pool_on_sweep(struct timer *timer);

struct pool *pool_new(struct ring *ring, struct resolver *resolver, struct tls_store *tls_store,
	const struct pool_options *options)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->ring = ring;
	pool->resolver = resolver;
	pool->tls_store = tls_store;
	pool->options = *options;
	/* As many again may be closing to make room for others. */
	slab_init(&pool->conns, sizeof(struct conn), (size_t)options->conns_max * 2);
	slab_init(&pool->dials, sizeof(struct conn_dial), (size_t)options->conns_max * 2);
	table_init(&pool->routes);
	table_init(&pool->origins);
	list_init(&pool->all_routes);
	list_init(&pool->all_origins);
	list_init(&pool->idle);
	list_init(&pool->warming);
	timer_init(&pool->sweep, pool_on_sweep);
	dial_gate_init(&pool->gate, ring);
	pool->dropped_ns = ring_now(ring);
	buffer_init(&pool->key, KEY_MAX);
	return pool;
}

/* How often routes are looked through: there may be many. */
static uint64_t pool_drop_interval(const struct pool *pool)
{
	uint64_t interval = pool->options.idle_timeout_ns;

	return interval > NS_PER_S ? interval : NS_PER_S;
}

struct conn *pool_first(const struct list *conns)
{
	return list_is_empty(conns) ? NULL : list_entry(conns->next, struct conn, idle_link);
}

static uint64_t pool_idle_due(const struct pool *pool)
{
	const struct conn *conn = pool_first(&pool->idle);

	return conn ? conn->idle_since_ns + pool->options.idle_timeout_ns : TIMER_NEVER;
}

static uint64_t pool_warm_due(const struct pool *pool)
{
	const struct conn *conn = pool_first(&pool->warming);

	return conn ? conn->times.dialed_ns + WARM_TIMEOUT_NS : TIMER_NEVER;
}

void pool_watch(struct pool *pool)
{
	uint64_t due = TIMER_NEVER, idle_due = pool_idle_due(pool), warm_due = pool_warm_due(pool);

	if (!list_is_empty(&pool->all_origins))
		due = pool->dropped_ns + pool_drop_interval(pool);
	due = idle_due < due ? idle_due : due;
	due = warm_due < due ? warm_due : due;
	if (!timer_is_armed(&pool->sweep) || due < pool->sweep.deadline_ns)
		timer_set(ring_timers(pool->ring), &pool->sweep, due);
}

/* Leases. */

/* True where there may be one more: an idle one goes for it, or one that is dialled for nobody. */
static bool pool_make_room(struct pool *pool)
{
	struct conn *conn;

	if (pool->n_open < pool->options.conns_max)
		return true;
	conn = pool_first(&pool->idle);
	if (!conn)
		conn = pool_first(&pool->warming);
	if (!conn)
		return false;
	conn_abort(conn);
	return true;
}

struct conn *pool_dial(struct pool *pool, struct route *route, struct conn_user *user)
{
	struct conn_dial *dialling;
	struct conn *conn;

	if (!pool_make_room(pool))
		return NULL;
	dialling = slab_take(&pool->dials);
	if (!dialling)
		return NULL;
	conn = slab_take(&pool->conns);
	if (!conn) {
		slab_give(&pool->dials, dialling);
		return NULL;
	}
	memset(conn, 0, sizeof(*conn));
	route->n_conns++;
	pool->n_open++;
	pool->counters.dialled++;
	conn_start(conn, dialling, pool, route, user);
	return conn;
}

bool pool_lend(struct pool *pool, struct route *route, struct conn_user *user, bool fresh)
{
	struct conn *conn = NULL;

	if (!fresh && !list_is_empty(&route->idle))
		conn = list_entry(route->idle.next, struct conn, route_link);
	else if (!list_is_empty(&route->warming))
		conn = list_entry(route->warming.next, struct conn, route_link);
	if (!conn) {
		user->conn = pool_dial(pool, route, user);
		return user->conn;
	}
	pool_withdraw(pool, conn);
	pool->counters.reused += conn->state == CONN_IDLE;
	pool->counters.warm_used += conn->is_warm;
	conn_lend(conn, user);
	user->conn = conn;
	return true;
}

enum lease pool_lease(struct pool *pool, struct route *route, struct conn_user *user, bool fresh,
	struct mux **ret_mux)
{
	struct mux *mux = fresh ? NULL : pool_find_mux(route, 0);

	user->conn = NULL;
	user->route = NULL;
	list_init(&user->waiting);
	*ret_mux = mux;
	if (mux)
		return LEASE_SHARED;
	if (route->protocol == ROUTE_HTTP_1_1 || (!fresh && !list_is_empty(&route->idle)))
		return pool_lend(pool, route, user, fresh) ? LEASE_OWN : LEASE_NONE;
	return pool_await(pool, route, user, fresh) ? LEASE_AWAITED : LEASE_NONE;
}

void pool_keep(struct pool *pool, struct conn *conn)
{
	/* One that is shared is found among its route's muxes. */
	if (conn->state == CONN_IDLE)
		list_push_front(&conn->route->idle, &conn->route_link);
	list_push_back(&pool->idle, &conn->idle_link);
	conn->route->n_idle++;
	pool->n_idle++;
	pool_watch(pool);
	if (pool->n_idle > pool->options.idle_max)
		conn_abort(pool_first(&pool->idle));
}

void pool_return(struct pool *pool, struct conn *conn)
{
	conn_rest(conn);
	pool_keep(pool, conn);
}

void pool_withdraw(struct pool *pool, struct conn *conn)
{
	expect(list_is_linked(&conn->idle_link));
	list_remove(&conn->route_link);
	list_remove(&conn->idle_link);
	if (conn->state == CONN_IDLE || conn->state == CONN_ACTIVE) {
		conn->route->n_idle--;
		pool->n_idle--;
	} else {
		conn->route->n_warming--;
		pool->n_warming--;
	}
}

/* Warming. */

/* True where one more is not too many. */
static bool pool_may_warm(const struct pool *pool)
{
	return pool->n_idle + pool->n_warming < pool->options.idle_max;
}

static void pool_add_warm(struct pool *pool, struct conn *conn)
{
	struct route *route = conn->route;

	list_push_back(&route->warming, &conn->route_link);
	route->n_warming++;
	pool->n_warming++;
	conn->is_warm = true;
}

static bool pool_warm_one(struct pool *pool, struct route *route)
{
	struct conn *conn;

	/* Nothing is closed to make room for it. */
	if (pool->n_open >= pool->options.conns_max || !pool_may_warm(pool))
		return false;
	conn = pool_dial(pool, route, NULL);
	if (!conn)
		return false;
	pool_add_warm(pool, conn);
	list_push_back(&pool->warming, &conn->idle_link);
	pool->counters.warmed++;
	return true;
}

/* One connection that may be shared is as good as many. */
static uint32_t pool_warm_limit(const struct route *route, uint32_t n_wanted)
{
	if (route->protocol == ROUTE_HTTP_1_1)
		return n_wanted;
	if (route->pilot || !list_is_empty(&route->muxes))
		return 0;
	return n_wanted > 1 ? 1 : n_wanted;
}

void pool_warm(struct pool *pool, struct route *route, uint32_t n_wanted)
{
	uint32_t n = pool_warm_limit(route, n_wanted);

	while (route->n_idle + route->n_warming < n) {
		if (!pool_warm_one(pool, route))
			break;
	}
	pool_watch(pool);
}

void pool_keep_warm(struct pool *pool, struct conn *conn)
{
	if (!pool_may_warm(pool)) {
		conn_abort(conn);
		return;
	}
	pool_add_warm(pool, conn);
	/* It began long ago: its time is up before that of the others. */
	list_push_front(&pool->warming, &conn->idle_link);
	pool_watch(pool);
}

/* Nothing idle. */

static void pool_abort_all(struct list *conns)
{
	struct conn *conn;

	while ((conn = pool_first(conns)))
		conn_abort(conn);
}

void pool_drain(struct pool *pool)
{
	pool->options.idle_max = 0;
	pool_abort_all(&pool->idle);
	pool_abort_all(&pool->warming);
}

uint32_t pool_flush(struct pool *pool, uid_t uid)
{
	uint32_t n = 0;

	list_each_safe(link, &pool->idle) {
		struct conn *conn = list_entry(link, struct conn, idle_link);

		if (conn->route->share->uid != uid)
			continue;
		conn_abort(conn);
		n++;
	}
	return n;
}

void pool_closing(struct pool *pool)
{
	expect(pool->n_open > 0);
	pool->n_open--;
}

void pool_dial_done(struct pool *pool, struct conn_dial *dialling)
{
	slab_give(&pool->dials, dialling);
}

void pool_forget(struct pool *pool, struct conn *conn)
{
	expect(conn->route->n_conns > 0);
	conn->route->n_conns--;
	pool->counters.closed++;
	slab_give(&pool->conns, conn);
}

/* What is shared. */

void pool_rest(struct pool *pool, struct conn *conn)
{
	conn->idle_since_ns = ring_now(pool->ring);
	conn->reused = true;
	pool_keep(pool, conn);
}

void pool_wake(struct pool *pool, struct conn *conn)
{
	if (list_is_linked(&conn->idle_link))
		pool_withdraw(pool, conn);
}

void pool_on_stream(struct pool *pool, struct conn *conn, bool is_first)
{
	pool->n_streams++;
	pool->counters.streams++;
	pool->counters.reused += !is_first;
	pool->counters.warm_used += conn->is_warm;
	conn->is_warm = false;
}

void pool_on_stream_over(struct pool *pool)
{
	expect(pool->n_streams > 0);
	pool->n_streams--;
}

/* Age. */

static void pool_on_sweep(struct timer *timer)
{
	struct pool *pool = container_of(timer, struct pool, sweep);
	uint64_t now = ring_now(pool->ring);

	while (pool_idle_due(pool) <= now)
		conn_abort(pool_first(&pool->idle));
	while (pool_warm_due(pool) <= now)
		conn_abort(pool_first(&pool->warming));
	if (pool->dropped_ns + pool_drop_interval(pool) <= now) {
		pool->dropped_ns = now;
		pool_drop_unused(pool, false);
	}
	pool_watch(pool);
}

struct pool *pool_free(struct pool *pool)
{
	if (!pool)
		return NULL;
	expect(pool_is_empty(pool));
	dial_gate_deinit(&pool->gate);
	timer_stop(ring_timers(pool->ring), &pool->sweep);
	pool_drop_unused(pool, true);
	expect(list_is_empty(&pool->all_routes));
	expect(list_is_empty(&pool->all_origins));
	slab_deinit(&pool->conns);
	slab_deinit(&pool->dials);
	table_deinit(&pool->routes);
	table_deinit(&pool->origins);
	buffer_deinit(&pool->key);
	free(pool);
	return NULL;
}

bool pool_is_empty(const struct pool *pool)
{
	return pool->conns.n_used == 0;
}

struct pool_counters pool_counters(const struct pool *pool)
{
	struct pool_counters counters = pool->counters;

	counters.n_conns = (uint32_t)pool->conns.n_used;
	counters.n_idle = pool->n_idle;
	counters.n_warming = pool->n_warming;
	counters.n_shared = pool->n_shared;
	counters.n_streams = pool->n_streams;
	counters.n_routes = (uint32_t)pool->routes.count;
	counters.n_origins = (uint32_t)pool->origins.count;
	return counters;
}

void pool_set_owner(struct pool *pool, struct pool_owner *owner)
{
	pool->owner = owner;
}

struct ring *pool_ring(struct pool *pool)
{
	return pool->ring;
}

struct resolver *pool_resolver(struct pool *pool)
{
	return pool->resolver;
}

struct dial_gate *pool_gate(struct pool *pool)
{
	return &pool->gate;
}

struct tls_store *pool_tls_store(struct pool *pool)
{
	return pool->tls_store;
}

char *pool_plaintext(struct pool *pool)
{
	return pool->plaintext;
}
