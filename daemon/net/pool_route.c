/* SPDX-License-Identifier: MIT */
#include "net/pool_private.h"

#include <stdlib.h>

#include "net/share.h"
#include "util/panic.h"

/*
 * A route is found by the text of everything that must be equal for two requests to share a
 * connection; an origin by its own. What is found stays at its place until nobody has used it for
 * a while: then pool_drop_unused() frees the routes first, then the shares and the origins that
 * no route leads to any more.
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
	route->share->n_routes--;
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
	list_init(&route->warming);
	route->origin = pool_origin(pool, key);
	route->share = route->origin ? share_of(pool, route->origin, key->uid) : NULL;
	if (!route->share || !route_set_addresses(route, key) ||
		!table_insert(&pool->routes, hash, route)) {
		free(route->addresses);
		free(route);
		return NULL;
	}
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
