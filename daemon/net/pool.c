/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include <stdlib.h>

#include "util/clock.h"
#include "util/panic.h"

/*
 * A route is found by the text of everything that must be equal for two requests to share a
 * connection; whoever finds it may use any of its idle connections. The one used last is lent
 * first: its window is open and its memory warm, and the others grow old and go.
 *
 * One timer looks after age: it closes idle connections past their time, and drops routes and
 * origins that nobody uses. It is armed only while there is something to look after, so an idle
 * daemon sleeps.
 */

#define PLAINTEXT_MAX (16 * 1024)
#define KEY_MAX       (1024 * 1024)

struct pool {
	struct ring *ring;
	struct resolver *resolver;
	struct tls_store *tls_store;
	struct pool_options options;
	struct slab conns, dials;
	struct table routes, origins;
	/* All routes, all origins; and all idle connections, the one idle longest first. */
	struct list all_routes, all_origins, idle;
	uint32_t n_idle;
	/* Connections that are not being closed. */
	uint32_t n_open;
	struct timer sweep;
	/* When routes were looked through last. */
	uint64_t dropped_ns;
	struct dial_gate gate;
	/* Keys are put together here. */
	struct buffer key;
	struct pool_counters counters;
	char plaintext[PLAINTEXT_MAX];
};

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
	slab_init(&pool->dials, sizeof(struct conn_dial), options->conns_max);
	table_init(&pool->routes);
	table_init(&pool->origins);
	list_init(&pool->all_routes);
	list_init(&pool->all_origins);
	list_init(&pool->idle);
	timer_init(&pool->sweep, pool_on_sweep);
	dial_gate_init(&pool->gate, ring);
	pool->dropped_ns = ring_now(ring);
	buffer_init(&pool->key, KEY_MAX);
	return pool;
}

/* Origins. */

static bool text_matches_key(const struct text *own, const void *key)
{
	return text_equal(*own, *(const struct text *)key);
}

static bool origin_matches(const void *value, const void *key)
{
	return text_matches_key(&((const struct origin *)value)->key, key);
}

static bool route_matches(const void *value, const void *key)
{
	return text_matches_key(&((const struct route *)value)->key, key);
}

static void origin_free(struct pool *pool, struct origin *origin)
{
	expect(bound_is_unused(&origin->requests));
	list_remove(&origin->requests.freed);
	table_remove(&pool->origins, origin->hash, origin);
	list_remove(&origin->link);
	free(origin);
}

static struct origin *origin_new(struct pool *pool, struct text key, uint64_t hash)
{
	struct origin *origin = malloc(sizeof(*origin) + key.size);
	char *memory = (char *)(origin + 1);

	if (!origin)
		return NULL;
	*origin = (struct origin){.hash = hash, .key = {memory, key.size}};
	memcpy(memory, key.data, key.size);
	bound_init(&origin->requests, pool->options.requests_per_origin_max);
	if (!table_insert(&pool->origins, hash, origin)) {
		free(origin);
		return NULL;
	}
	list_push_back(&pool->all_origins, &origin->link);
	return origin;
}

static struct origin *pool_origin(struct pool *pool, const struct route_key *key)
{
	struct buffer *text = &pool->key;
	struct text origin_key;
	struct origin *origin;
	uint64_t hash;

	buffer_clear(text);
	buffer_printf(text, "%s://%.*s:%u", key->is_https ? "https" : "http", TEXT_ARGS(key->host),
		key->port);
	if (text->failed)
		return NULL;
	origin_key = buffer_text(text);
	hash = table_hash(origin_key);
	origin = table_find(&pool->origins, hash, origin_matches, &origin_key);
	return origin ? origin : origin_new(pool, origin_key, hash);
}

/* Routes. */

static void key_append_part(struct buffer *text, struct text part)
{
	uint32_t size = part.data ? (uint32_t)part.size : UINT32_MAX;

	buffer_append(text, &size, sizeof(size));
	buffer_append_text(text, part);
}

/* Every member, each with its length, so that no two keys can read the same. */
static bool pool_write_key(struct pool *pool, const struct route_key *key)
{
	struct buffer *text = &pool->key;
	struct {
		uint32_t uid;
		uint16_t port;
		uint8_t is_https, insecure;
	} fixed = {key->uid, key->port, key->is_https, key->insecure};

	buffer_clear(text);
	buffer_append(text, &fixed, sizeof(fixed));
	key_append_part(text, key->host);
	key_append_part(text, key->ca);
	key_append_part(text, key->server_name);
	key_append_part(text, key->resolve);
	return !text->failed;
}

static void route_free(struct pool *pool, struct route *route)
{
	expect(route->n_conns == 0);
	expect(route->n_users == 0);
	route->origin->n_routes--;
	table_remove(&pool->routes, route->hash, route);
	list_remove(&route->link);
	free(route->addresses);
	free(route);
}

static struct text text_put(char **at, struct text text)
{
	char *copy = *at;

	if (!text.data)
		return (struct text){NULL, 0};
	memcpy(copy, text.data, text.size);
	*at += text.size;
	return (struct text){copy, text.size};
}

static bool route_set_addresses(struct route *route, const struct route_key *key)
{
	if (key->n_addresses == 0)
		return true;
	route->addresses = calloc(key->n_addresses, sizeof(*route->addresses));
	if (!route->addresses)
		return false;
	for (uint32_t i = 0; i < key->n_addresses; i++) {
		if (address_parse(
			    key->addresses[i], key->port, &route->addresses[route->n_addresses]))
			route->n_addresses++;
	}
	return true;
}

static struct route *route_new(struct pool *pool, const struct route_key *key, uint64_t hash)
{
	struct text text = buffer_text(&pool->key);
	size_t size = text.size + key->host.size + key->ca.size + key->server_name.size;
	struct route *route = calloc(1, sizeof(*route) + size);
	char *at = (char *)(route + 1);

	if (!route)
		return NULL;
	route->hash = hash;
	route->key = text_put(&at, text);
	route->host = text_put(&at, key->host);
	route->ca = text_put(&at, key->ca);
	route->server_name = text_put(&at, key->server_name);
	route->port = key->port;
	route->is_https = key->is_https;
	route->insecure = key->insecure;
	list_init(&route->idle);
	route->origin = pool_origin(pool, key);
	if (!route->origin || !route_set_addresses(route, key) ||
		!table_insert(&pool->routes, hash, route)) {
		free(route->addresses);
		free(route);
		return NULL;
	}
	route->origin->n_routes++;
	list_push_back(&pool->all_routes, &route->link);
	return route;
}

/* How often routes are looked through: there may be many. */
static uint64_t pool_drop_interval(const struct pool *pool)
{
	uint64_t interval = pool->options.idle_timeout_ns;

	return interval > NS_PER_S ? interval : NS_PER_S;
}

/* The next time something is due. */
static void pool_watch(struct pool *pool)
{
	uint64_t due = TIMER_NEVER, idle_due;

	if (!list_is_empty(&pool->all_routes))
		due = pool->dropped_ns + pool_drop_interval(pool);
	if (!list_is_empty(&pool->idle)) {
		idle_due = list_entry(pool->idle.next, struct conn, idle_link)->idle_since_ns +
			   pool->options.idle_timeout_ns;
		due = idle_due < due ? idle_due : due;
	}
	if (!timer_is_armed(&pool->sweep) || due < pool->sweep.deadline_ns)
		timer_set(ring_timers(pool->ring), &pool->sweep, due);
}

struct route *pool_route(struct pool *pool, const struct route_key *key)
{
	struct route *route;
	struct text text;
	uint64_t hash;

	if (!pool_write_key(pool, key))
		return NULL;
	text = buffer_text(&pool->key);
	hash = table_hash(text);
	route = table_find(&pool->routes, hash, route_matches, &text);
	if (!route) {
		route = route_new(pool, key, hash);
		pool_watch(pool);
	}
	return route ? pool_stay(route) : NULL;
}

struct route *pool_stay(struct route *route)
{
	route->n_users++;
	return route;
}

void pool_leave(struct pool *pool, struct route *route)
{
	expect(route->n_users > 0);
	route->n_users--;
}

/* Leases. */

/* True where there may be one more: an idle one goes for it. */
static bool pool_make_room(struct pool *pool)
{
	if (pool->n_open < pool->options.conns_max)
		return true;
	if (list_is_empty(&pool->idle))
		return false;
	conn_abort(list_entry(pool->idle.next, struct conn, idle_link));
	return true;
}

static struct conn *pool_dial(struct pool *pool, struct route *route, struct conn_user *user)
{
	struct conn_dial *dialling = pool_make_room(pool) ? slab_take(&pool->dials) : NULL;
	struct conn *conn;

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

struct conn *pool_lease(struct pool *pool, struct route *route, struct conn_user *user, bool fresh)
{
	struct conn *conn;

	if (fresh || list_is_empty(&route->idle))
		return pool_dial(pool, route, user);
	conn = list_entry(route->idle.next, struct conn, route_link);
	pool_withdraw(pool, conn);
	pool->counters.reused++;
	conn_lend(conn, user);
	return conn;
}

void pool_return(struct pool *pool, struct conn *conn)
{
	conn_rest(conn);
	list_push_front(&conn->route->idle, &conn->route_link);
	list_push_back(&pool->idle, &conn->idle_link);
	pool->n_idle++;
	pool_watch(pool);
	if (pool->n_idle > pool->options.idle_max)
		conn_abort(list_entry(pool->idle.next, struct conn, idle_link));
}

void pool_drain(struct pool *pool)
{
	pool->options.idle_max = 0;
	while (!list_is_empty(&pool->idle))
		conn_abort(list_entry(pool->idle.next, struct conn, idle_link));
}

void pool_withdraw(struct pool *pool, struct conn *conn)
{
	expect(list_is_linked(&conn->idle_link));
	list_remove(&conn->route_link);
	list_remove(&conn->idle_link);
	pool->n_idle--;
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

/* Age. */

static void pool_drop_unused(struct pool *pool)
{
	list_each_safe(link, &pool->all_routes) {
		struct route *route = list_entry(link, struct route, link);

		if (route->n_conns == 0 && route->n_users == 0)
			route_free(pool, route);
	}
	list_each_safe(link, &pool->all_origins) {
		struct origin *origin = list_entry(link, struct origin, link);

		if (origin->n_routes == 0 && bound_is_unused(&origin->requests))
			origin_free(pool, origin);
	}
}

static void pool_on_sweep(struct timer *timer)
{
	struct pool *pool = container_of(timer, struct pool, sweep);
	uint64_t now = ring_now(pool->ring);

	while (!list_is_empty(&pool->idle)) {
		struct conn *conn = list_entry(pool->idle.next, struct conn, idle_link);

		if (conn->idle_since_ns + pool->options.idle_timeout_ns > now)
			break;
		conn_abort(conn);
	}
	if (pool->dropped_ns + pool_drop_interval(pool) <= now) {
		pool->dropped_ns = now;
		pool_drop_unused(pool);
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
	pool_drop_unused(pool);
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
	counters.n_routes = (uint32_t)pool->routes.count;
	counters.n_origins = (uint32_t)pool->origins.count;
	return counters;
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
