/* SPDX-License-Identifier: MIT */
#include "job/known.h"

#include "net/pool.h"

bool known_url(const struct known *known, struct text text, struct url *ret_url)
{
	struct text target = text_from_at(text, known->prefix.size);

	if (!known->prefix.data || !text_starts_with(text, known->prefix))
		return false;
	if (target.size == 0 || target.data[0] != '/' || text.size > URL_SIZE_MAX)
		return false;
	for (size_t i = 0; i < target.size; i++) {
		if (!url_is_target_byte((unsigned char)target.data[i]))
			return false;
	}
	*ret_url = known->url;
	ret_url->text = text;
	ret_url->target = target;
	return true;
}

/* The same place in the document's text, which says the same. */
static struct text text_moved(struct text view, struct text from, struct text to)
{
	return (struct text){to.data + (view.data - from.data), view.size};
}

bool known_learn_url(
	struct known *known, struct pool *pool, struct text text, const struct url *url)
{
	if (!text_equal(text, url->text))
		return false;
	known_forget(known, pool);
	known->prefix = (struct text){text.data, text.size - url->target.size};
	known->url = *url;
	known->url.host = text_moved(url->host, url->text, text);
	known->url.authority = text_moved(url->authority, url->text, text);
	return true;
}

struct route *known_route(
	const struct known *known, const struct url *url, const struct plan_spec *spec)
{
	if (!known->prefix.data || known->spec != spec || url->host.data != known->url.host.data)
		return NULL;
	return known->route;
}

void known_learn_route(struct known *known, struct pool *pool, const struct url *url,
	struct route *route, const struct plan_spec *spec)
{
	if (!known->prefix.data || url->host.data != known->url.host.data)
		return;
	if (known->route)
		pool_leave(pool, known->route);
	known->route = pool_stay(route);
	known->spec = spec;
}

void known_forget(struct known *known, struct pool *pool)
{
	if (known->route)
		pool_leave(pool, known->route);
	*known = (struct known){0};
}
