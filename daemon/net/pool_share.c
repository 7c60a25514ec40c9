/* SPDX-License-Identifier: MIT */
#include "net/pool_private.h"

#include "net/mux.h"
#include "util/panic.h"

/*
 * Whether an origin speaks HTTP/2 is known after the first handshake with it. So as long as that
 * is not known one connection is dialled, the route's pilot, and everybody waits for it, however
 * many they are: if it is shared all of them go on it, else the first one has it and the others
 * dial. The same holds where all that are shared are full: one more is dialled, and who waits has
 * it or room on another, whatever comes first.
 *
 * The pilot has no user, so who waits may go at any time and nothing happens to the others. When
 * the last one has given it up it ends; when all got room elsewhere, it goes on as a warmed one.
 * When it fails, that was everybody's attempt.
 *
 * Upcalls are made from lists that those who are told may change: the first one is taken, told,
 * and forgotten. Who comes back in the upcall finds the route as it is then.
 */

struct mux *pool_find_mux(const struct route *route, uint64_t muxes_seen)
{
	list_each(link, &route->muxes) {
		struct mux *mux = mux_of_link(link);

		if (mux_number(mux) > muxes_seen && mux_can_open(mux))
			return mux;
	}
	return NULL;
}

static struct conn_user *conn_user_of(struct list *link)
{
	return list_entry(link, struct conn_user, waiting);
}

/* The next one waits no more. */
static struct conn_user *route_pop(struct route *route, struct list *waiting)
{
	struct conn_user *user = conn_user_of(list_pop_front(waiting));

	route->n_waiting--;
	user->route = NULL;
	return user;
}

/* All who wait, taken to a list of the caller's. */
static void route_take_waiting(struct route *route, struct list *ret_waiting)
{
	list_init(ret_waiting);
	if (list_is_empty(&route->waiting))
		return;
	list_insert_before(route->waiting.next, ret_waiting);
	list_remove(&route->waiting);
}

/* Waiting. */

/* Something is being dialled for those who wait, or is from now on. False: it cannot be. */
static bool pool_pilot(struct pool *pool, struct route *route)
{
	struct conn *conn = NULL;

	if (route->pilot)
		return true;
	if (!list_is_empty(&route->warming)) {
		conn = list_entry(route->warming.next, struct conn, route_link);
		pool_withdraw(pool, conn);
		pool->counters.warm_used++;
	} else {
		conn = pool_dial(pool, route, NULL);
	}
	if (!conn)
		return false;
	conn_hurry(conn);
	route->pilot = conn;
	return true;
}

/* Nobody waits for the pilot any more. Where all got what they wanted it goes on as a warmed one;
 * but nobody is to wait for what others have given up, as it may be for good reason. */
static void route_drop_pilot(struct route *route, bool is_given_up)
{
	struct conn *conn = route->pilot;

	if (!conn || route->n_waiting > 0 || conn->state > CONN_IDLE)
		return;
	route->pilot = NULL;
	if (is_given_up)
		conn_abort(conn);
	else
		pool_keep_warm(route->pool, conn);
}

bool pool_await(struct pool *pool, struct route *route, struct conn_user *user, bool fresh)
{
	/* There may come to be room on what is there. */
	bool may_wait = !fresh && !list_is_empty(&route->muxes);

	if (!pool_pilot(pool, route) && !may_wait)
		return false;
	user->route = route;
	user->wants_fresh = fresh;
	user->muxes_seen = fresh ? route->muxes_made : 0;
	list_push_back(&route->waiting, &user->waiting);
	route->n_waiting++;
	return true;
}

void pool_unlease(struct pool *pool, struct conn_user *user)
{
	struct route *route = user->route;

	if (!route)
		return;
	expect(route->pool == pool);
	list_remove(&user->waiting);
	user->route = NULL;
	route->n_waiting--;
	route_drop_pilot(route, true);
}

const struct conn *pool_awaited(const struct route *route)
{
	return route->pilot;
}

/* How it went. */

void pool_on_progress(struct pool *pool, struct conn *conn)
{
	struct route *route = conn->route;
	struct list waiting, *link;

	if (conn != route->pilot)
		return;
	route_take_waiting(route, &waiting);
	while ((link = list_pop_front(&waiting))) {
		struct conn_user *user = conn_user_of(link);

		list_push_back(&route->waiting, link);
		user->events->on_progress(user);
	}
}

void pool_on_lost(struct pool *pool, struct conn *conn, const struct fault *fault)
{
	struct route *route = conn->route;
	struct list waiting;
	struct fault copy;

	conn_abort(conn);
	if (conn != route->pilot)
		return;
	/* One that has not been ready has not been closed properly. */
	expect(fault);
	copy = *fault;
	route_take_waiting(route, &waiting);
	while (!list_is_empty(&waiting)) {
		struct conn_user *user = route_pop(route, &waiting);

		user->events->on_end(user, &copy);
	}
	/* Up to here it could be asked how far it had come. Who came back meanwhile waits for
	 * another one. */
	route->pilot = NULL;
	if (route->n_waiting > 0)
		task_defer(ring_tasks(pool->ring), &route->serve);
}

void pool_on_ready(struct pool *pool, struct conn *conn)
{
	struct route *route = conn->route;

	route->protocol = ROUTE_HTTP_1_1;
	if (conn->user)
		return;
	if (conn == route->pilot) {
		struct conn_user *user = route_pop(route, &route->waiting);

		route->pilot = NULL;
		user->conn = conn;
		conn_give(conn, user);
		/* The others dial, each its own. */
		if (route->n_waiting > 0)
			task_defer(ring_tasks(pool->ring), &route->serve);
		return;
	}
	/* Others have become idle meanwhile: they are worth more than a guess. */
	if (pool->n_idle >= pool->options.idle_max) {
		conn_abort(conn);
		return;
	}
	pool_withdraw(pool, conn);
	conn_rest(conn);
	pool_keep(pool, conn);
}

/* Nobody has asked for it by name: it is idle soon, if there is room for that. */
static bool pool_is_in_the_way(const struct pool *pool, const struct conn *conn)
{
	return !conn->user && conn != conn->route->pilot && pool->n_idle >= pool->options.idle_max;
}

bool pool_on_shared(struct pool *pool, struct conn *conn)
{
	struct route *route = conn->route;
	struct conn_user *user = conn->user;
	struct mux *mux;

	route->protocol = ROUTE_HTTP_2;
	if (pool_is_in_the_way(pool, conn)) {
		conn_abort(conn);
		return true;
	}
	mux = mux_new(pool, conn, route->muxes_made + 1);
	if (!mux)
		return false;
	route->muxes_made++;
	pool->n_shared++;
	pool->counters.shared++;
	list_push_back(&route->muxes, mux_link(mux));
	if (conn == route->pilot)
		route->pilot = NULL;
	else if (!user)
		pool_withdraw(pool, conn);
	conn_give(conn, mux_conn_user(mux));
	if (user) {
		user->conn = NULL;
		user->events->on_shared(user, mux);
	}
	pool_serve(route);
	mux_push(mux);
	return true;
}

void pool_on_unshared(struct pool *pool, struct route *route)
{
	expect(pool->n_shared > 0);
	pool->n_shared--;
	if (route->n_waiting > 0)
		task_defer(ring_tasks(pool->ring), &route->serve);
}

/* Giving. */

static void pool_refuse(struct route *route)
{
	struct conn_user *user = route_pop(route, &route->waiting);
	struct fault fault;

	fault_set(&fault, FAULT_OVERLOADED, "no memory for a connection");
	user->events->on_end(user, &fault);
}

/* A connection of its own for the first one who waits. */
static void pool_serve_own(struct pool *pool, struct route *route)
{
	struct conn_user *user = conn_user_of(route->waiting.next);

	if (!pool_lend(pool, route, user, user->wants_fresh)) {
		pool_refuse(route);
		return;
	}
	route_pop(route, &route->waiting);
	if (user->conn->state == CONN_ACTIVE)
		user->events->on_ready(user);
	else
		user->events->on_progress(user);
}

/* True where the first one who waits has something to wait for. */
static bool pool_has_hope(struct pool *pool, struct route *route)
{
	const struct conn_user *user = conn_user_of(route->waiting.next);

	if (pool_pilot(pool, route))
		return true;
	return !list_is_empty(&route->muxes) && user->muxes_seen < route->muxes_made;
}

void pool_serve(struct route *route)
{
	struct pool *pool = route->pool;

	while (!list_is_empty(&route->waiting)) {
		struct conn_user *user = conn_user_of(route->waiting.next);
		struct mux *mux = pool_find_mux(route, user->muxes_seen);

		if (mux) {
			route_pop(route, &route->waiting);
			user->events->on_shared(user, mux);
		} else if (route->protocol == ROUTE_HTTP_1_1) {
			pool_serve_own(pool, route);
		} else if (pool_has_hope(pool, route)) {
			break;
		} else {
			pool_refuse(route);
		}
	}
	route_drop_pilot(route, false);
}

void pool_on_serve(struct task *task)
{
	pool_serve(container_of(task, struct route, serve));
}
