/* SPDX-License-Identifier: MIT */
#include "net/pool_private.h"

#include <stdlib.h>

#include "net/share.h"
#include "util/panic.h"

/*
 * A route is found by the text of everything that must be equal for two requests to share a
 * connection; an origin by its own. A digest of that text is what TLS sessions are kept by, so
 * that they are never shared more widely than connections. What is found stays at its place until
 * nobody has used it for a while: then pool_drop_unused() frees the routes first, then the shares
 * and the origins that no route leads to any more.
 */

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
	expect(list_is_empty(&origin->shares));
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
	list_init(&origin->shares);
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

/* Memory of the pool's text of a key that is kept. */
#define KEY_KEEP (16 * 1024)

/* The members that have a length each. */
enum route_part {
	ROUTE_HOST,
	ROUTE_CA,
	ROUTE_CERT,
	ROUTE_PRIVATE_KEY,
	ROUTE_SERVER_NAME,
	ROUTE_PINS,
	ROUTE_RESOLVE,
	ROUTE_PROXY_HOST,
	ROUTE_PROXY_CREDENTIALS,
	ROUTE_PARTS,
};

/* The members that have none, without holes. */
struct route_head {
	uint32_t uid;
	uint16_t port, proxy_port;
	uint8_t is_https, insecure;
	uint16_t http;
};

/* Where the parts of a key stand in its text. data == NULL: there is none. */
static void key_cut(struct text text, struct text parts[ROUTE_PARTS])
{
	text = text_from_at(text, sizeof(struct route_head));
	for (int i = 0; i < ROUTE_PARTS; i++) {
		uint32_t size;

		memcpy(&size, text.data, sizeof(size));
		text = text_from_at(text, sizeof(size));
		parts[i] = (struct text){
			size == UINT32_MAX ? NULL : text.data, size == UINT32_MAX ? 0 : size};
		text = text_from_at(text, parts[i].size);
	}
}

/* Every member, each with its length, so that no two keys can read the same. */
static bool pool_write_key(struct pool *pool, const struct route_key *key)
{
	const struct text parts[ROUTE_PARTS] = {
		[ROUTE_HOST] = key->host,
		[ROUTE_CA] = key->ca,
		[ROUTE_CERT] = key->cert,
		[ROUTE_PRIVATE_KEY] = key->key,
		[ROUTE_SERVER_NAME] = key->server_name,
		[ROUTE_PINS] = key->pins,
		[ROUTE_RESOLVE] = key->resolve,
		[ROUTE_PROXY_HOST] = key->proxy_host,
		[ROUTE_PROXY_CREDENTIALS] = key->proxy_credentials,
	};
	const struct route_head head = {
		.uid = key->uid,
		.port = key->port,
		.proxy_port = key->proxy_port,
		.is_https = key->is_https,
		.insecure = key->insecure,
		.http = (uint16_t)key->http,
	};
	struct buffer *text = &pool->key;
	size_t size = sizeof(head);

	for (int i = 0; i < ROUTE_PARTS; i++)
		size += sizeof(uint32_t) + parts[i].size;
	buffer_clear(text);
	/* At once: a buffer that grows leaves behind what it held. */
	if (!buffer_reserve(text, size))
		return false;
	buffer_append(text, &head, sizeof(head));
	for (int i = 0; i < ROUTE_PARTS; i++) {
		uint32_t part = parts[i].data ? (uint32_t)parts[i].size : UINT32_MAX;

		buffer_append(text, &part, sizeof(part));
		buffer_append_text(text, parts[i]);
	}
	return true;
}

/* Nothing of a private key, or of a proxy's credentials, stays where others write; and the key of
 * an origin has been written over the front of it. */
static void pool_wipe_key(struct pool *pool, const struct route_key *key)
{
	if ((key->key.data || key->proxy_credentials.data) && pool->key.data)
		explicit_bzero(pool->key.data, pool->key.capacity);
	buffer_reset(&pool->key, KEY_KEEP);
}

static void route_free(struct pool *pool, struct route *route)
{
	expect(route->n_conns == 0);
	expect(route->n_users == 0);
	expect(list_is_empty(&route->muxes));
	expect(list_is_empty(&route->waiting));
	task_cancel(&route->serve);
	route->origin->n_routes--;
	route->share->n_routes--;
	table_remove(&pool->routes, route->hash, route);
	list_remove(&route->link);
	free(route->addresses);
	explicit_bzero((char *)route->key.data, route->key.size);
	free(route);
}

static bool route_set_addresses(struct route *route, const struct route_key *key)
{
	if (key->n_addresses == 0 || route_has_proxy(route))
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

/* What the key says, and nothing of the pool's. NULL: no memory. */
static struct route *route_alloc(struct text text, const struct route_key *key, uint64_t hash)
{
	struct route *route = calloc(1, sizeof(*route) + text.size);
	struct text parts[ROUTE_PARTS];
	char *copy = (char *)(route + 1);

	if (!route)
		return NULL;
	memcpy(copy, text.data, text.size);
	route->hash = hash;
	route->key = (struct text){copy, text.size};
	key_cut(route->key, parts);
	route->host = parts[ROUTE_HOST];
	route->ca = parts[ROUTE_CA];
	route->cert = parts[ROUTE_CERT];
	route->private_key = parts[ROUTE_PRIVATE_KEY];
	route->server_name = parts[ROUTE_SERVER_NAME];
	route->pins = parts[ROUTE_PINS];
	route->proxy_host = parts[ROUTE_PROXY_HOST];
	route->proxy_credentials = parts[ROUTE_PROXY_CREDENTIALS];
	route->port = key->port;
	route->proxy_port = key->proxy_port;
	route->is_https = key->is_https;
	route->insecure = key->insecure;
	route->http = key->http;
	route->protocol = route_offers_h2(route) ? ROUTE_UNKNOWN : ROUTE_HTTP_1_1;
	route->keeps_sessions = key->is_https && tls_digest(route->key, route->session_key);
	list_init(&route->idle);
	list_init(&route->warming);
	list_init(&route->muxes);
	route->requests_max = UINT32_MAX;
	list_init(&route->waiting);
	task_init(&route->serve, pool_on_serve);
	return route;
}

static struct route *route_new(struct pool *pool, const struct route_key *key, uint64_t hash)
{
	struct route *route = route_alloc(buffer_text(&pool->key), key, hash);

	if (!route)
		return NULL;
	/* Writes a key of its own into the pool's buffer. */
	route->origin = pool_origin(pool, key);
	route->share = route->origin ? share_of(pool, route->origin, key->uid) : NULL;
	if (!route->share || !route_set_addresses(route, key) ||
		!table_insert(&pool->routes, hash, route)) {
		free(route->addresses);
		explicit_bzero((char *)route->key.data, route->key.size);
		free(route);
		return NULL;
	}
	route->pool = pool;
	route->origin->n_routes++;
	route->share->n_routes++;
	list_push_back(&pool->all_routes, &route->link);
	return route;
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
	pool_wipe_key(pool, key);
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

static void origin_drop_shares(struct origin *origin, uint64_t now_ns, bool all)
{
	list_each_safe(link, &origin->shares) {
		struct share *share = list_entry(link, struct share, link);

		if ((all && share->n_routes == 0) || share_is_unused(share, now_ns))
			share_free(share);
	}
}

void pool_drop_unused(struct pool *pool, bool all)
{
	uint64_t now_ns = ring_now(pool->ring);

	list_each_safe(link, &pool->all_routes) {
		struct route *route = list_entry(link, struct route, link);

		if (route->n_conns == 0 && route->n_users == 0)
			route_free(pool, route);
	}
	list_each_safe(link, &pool->all_origins) {
		struct origin *origin = list_entry(link, struct origin, link);

		origin_drop_shares(origin, now_ns, all);
		if (origin->n_routes == 0 && bound_is_unused(&origin->requests) &&
			list_is_empty(&origin->shares))
			origin_free(pool, origin);
	}
}
