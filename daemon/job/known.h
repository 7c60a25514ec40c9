/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The origin a graph asked last. The jobs of a graph mostly go to one origin, and their URLs were
 * checked at admission: where one begins as the last did, and the rest needs no encoding, it need
 * not be parsed again, nor its route be looked up.
 */

#include <stdbool.h>

#include "http/url.h"
#include "proto/plan.h"
#include "util/text.h"

struct pool;
struct route;

struct known {
	/* "http://host:port", as a URL of the document has it; data == NULL: nothing is known. */
	struct text prefix;
	/* Its views are into that URL. */
	struct url url;
	/* The route, and the spec it holds for; NULL: not known. Counted as a user of it. */
	struct route *route;
	const struct plan_spec *spec;
};

/* The URL cut up, if it is of the known origin and in normal form. Views into `text`, and into
 * the document. */
bool known_url(const struct known *known, struct text text, struct url *ret_url);

/* `text`, of the document, was parsed as `url`. False: it is not in normal form, and not kept. */
bool known_learn_url(
	struct known *known, struct pool *pool, struct text text, const struct url *url);

/* The route for a URL that known_url() gave, and that spec; NULL: not known. */
struct route *known_route(
	const struct known *known, const struct url *url, const struct plan_spec *spec);

/* The route that was found for that URL and spec; kept if it is the known origin's. */
void known_learn_route(struct known *known, struct pool *pool, const struct url *url,
	struct route *route, const struct plan_spec *spec);

/* Nothing is known any more. */
void known_forget(struct known *known, struct pool *pool);
