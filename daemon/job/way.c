/* SPDX-License-Identifier: MIT */
#include "job/way.h"

#include "job/graph.h"
#include "job/scheduler.h"
#include "job/trail.h"

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

bool way_is_bound(const struct plan_spec *spec, const struct url *url)
{
	const struct plan_tls *tls = &spec->tls;

	/* An authority that is a secret is the administrator's word, not the job's. */
	if (spec->proxy.url.data && !url->is_https)
		return false;
	return spec->n_resolve == 0 && !tls->insecure && !tls->server_name.data &&
	       (!tls->ca.data || plan_secret_name(tls->ca).data);
}

static bool way_has_secrets(const struct plan_tls *tls)
{
	return plan_secret_name(tls->ca).data || plan_secret_name(tls->cert).data ||
	       plan_secret_name(tls->key).data;
}

/* A member of `tls`: itself, or the secret it names. False: the fault. */
static bool way_fill_pem(
	const struct job *job, const struct url *url, struct text *pem, struct fault *ret_fault)
{
	const struct graph *graph = job_graph(job);
	const struct secret_source *secrets = &graph->scheduler->options.secrets;
	struct text name = plan_secret_name(*pem);

	if (!name.data)
		return true;
	if (secrets->find && secrets->find(secrets->context, name, graph->uid, url->host, pem))
		return true;
	fault_set(ret_fault, FAULT_SECRET_UNKNOWN, "no secret %.*s for this user and host",
		TEXT_ARGS(name));
	return false;
}

/* What the job says of TLS. False: the fault. */
static bool way_fill_tls(const struct job *job, const struct url *url, struct route_key *key,
	struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	const struct plan_tls *tls = &spec->tls;

	key->insecure = tls->insecure;
	key->ca = tls->ca;
	key->pins = tls->pins;
	/* What is said of one origin and shown to it is no business of another's. */
	if (!job->trail || !job->trail->is_foreign) {
		key->cert = tls->cert;
		key->key = tls->key;
		key->server_name = tls->server_name;
	}
	if (!way_is_bound(spec, url) &&
		(plan_secret_name(key->cert).data || plan_secret_name(key->key).data)) {
		fault_set(ret_fault, FAULT_SECRET_UNKNOWN,
			"a job that says itself where its host is, or how it proves itself, has no "
			"secret for it");
		return false;
	}
	return way_fill_pem(job, url, &key->ca, ret_fault) &&
	       way_fill_pem(job, url, &key->cert, ret_fault) &&
	       way_fill_pem(job, url, &key->key, ret_fault);
}

/* The proxy, and what it is shown. False: the fault. */
static bool way_fill_proxy(const struct job *job, struct route_key *key, struct fault *ret_fault)
{
	const struct graph *graph = job_graph(job);
	const struct secret_source *secrets = &graph->scheduler->options.secrets;
	const struct plan_proxy *proxy = &job_plan(job)->spec->proxy;

	if (!proxy->url.data)
		return true;
	key->proxy_host = proxy->host;
	key->proxy_port = proxy->port;
	key->proxy_credentials = proxy->credentials;
	if (!proxy->is_secret)
		return true;
	if (secrets->find && secrets->find(secrets->context, proxy->credentials, graph->uid,
				     proxy->host, &key->proxy_credentials))
		return true;
	fault_set(ret_fault, FAULT_SECRET_UNKNOWN, "no secret %.*s for this user and proxy",
		TEXT_ARGS(proxy->credentials));
	return false;
}

/* False: the fault. */
static bool way_fill_key(const struct job *job, const struct url *url, struct route_key *ret_key,
	struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	const struct plan_resolve *override = way_override(spec, url);

	*ret_key = (struct route_key){
		.uid = job_graph(job)->uid,
		.is_https = url->is_https,
		.http = spec->http,
		.port = url->port,
		.host = url->host,
	};
	if (override) {
		ret_key->resolve = spec->resolve_key;
		ret_key->addresses = override->addresses;
		ret_key->n_addresses = override->n_addresses;
	}
	return way_fill_proxy(job, ret_key, ret_fault) &&
	       (!url->is_https || way_fill_tls(job, url, ret_key, ret_fault));
}

struct route *way_find(
	const struct job *job, const struct url *url, bool http11_only, struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct graph *graph = job_graph(job);
	struct pool *pool = graph->scheduler->pool;
	struct route *route = http11_only ? NULL : known_route(&graph->known, url, spec);
	struct route_key key;

	if (route)
		return pool_stay(route);
	if (url->is_https && spec->tls.insecure && !graph->scheduler->options.insecure_allowed) {
		fault_set(ret_fault, FAULT_POLICY_TLS, "%s", "");
		return NULL;
	}
	if (!way_fill_key(job, url, &key, ret_fault))
		return NULL;
	if (http11_only)
		key.http = PLAN_HTTP_1_1;
	route = pool_route(pool, &key);
	if (!route)
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory for the route");
	/* Whether a secret may be used, and what it is, is asked each time. */
	else if (!http11_only && !spec->proxy.is_secret &&
		 (!url->is_https || !way_has_secrets(&spec->tls)))
		known_learn_route(&graph->known, pool, url, route, spec);
	return route;
}
