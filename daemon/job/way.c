/* SPDX-License-Identifier: MIT */
#include "job/way.h"

#include "job/graph.h"
#include "job/scheduler.h"

/* Which address overrides hold for this URL. */
static const struct plan_resolve *way_override(const struct plan_spec *spec, const struct url *url)
{
	for (uint32_t i = 0; i < spec->n_resolve; i++) {
		const struct plan_resolve *entry = &spec->resolve[i];

		if (entry->port == url->port && text_equal_nocase(entry->host, url->host))
			return entry;
	}
	return NULL;
}

static struct route_key way_key(const struct job *job, const struct url *url)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	const struct plan_resolve *override = way_override(spec, url);
	struct route_key key = {
		.uid = job_graph(job)->uid,
		.is_https = url->is_https,
		.port = url->port,
		.host = url->host,
	};

	if (url->is_https) {
		key.insecure = spec->tls.insecure;
		key.ca = spec->tls.ca;
		key.server_name = spec->tls.server_name;
	}
	if (override) {
		key.resolve = spec->resolve_key;
		key.addresses = override->addresses;
		key.n_addresses = override->n_addresses;
	}
	return key;
}

struct route *way_find(const struct job *job, const struct url *url, struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct graph *graph = job_graph(job);
	struct pool *pool = graph->scheduler->pool;
	struct route *route = known_route(&graph->known, url, spec);
	struct route_key key;

	if (route)
		return pool_stay(route);
	key = way_key(job, url);
	if (key.insecure && !graph->scheduler->options.insecure_allowed) {
		fault_set(ret_fault, FAULT_POLICY_TLS, "%s", "");
		return NULL;
	}
	route = pool_route(pool, &key);
	if (!route)
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory for the route");
	else
		known_learn_route(&graph->known, pool, url, route, spec);
	return route;
}
