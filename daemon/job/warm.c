/* SPDX-License-Identifier: MIT */
#include "job/warm.h"

#include "job/graph.h"
#include "job/scheduler.h"
#include "job/way.h"

/*
 * One step ahead, and no further: when a job begins, its dependents will be ready in about as long
 * as a handshake takes. Their URLs may not be known yet, but where they go mostly is: a reference
 * may not stand in scheme, host or port, unless it is the whole URL. The connection of the job
 * itself will be free by then, which makes one less for its own route.
 */

/* Dependents looked at. */
#define WARM_MAX 8

/* "https://host:port" of a URL with references, or nothing where that is not known. */
static struct text warm_base(struct text url)
{
	size_t scheme = text_find(url, ':');
	size_t at = scheme + 3;

	if (scheme == url.size || at >= url.size)
		return (struct text){NULL, 0};
	for (; at < url.size; at++) {
		char c = url.data[at];

		if (c == '{' || c == '\\')
			return (struct text){NULL, 0};
		if (c == '/' || c == '?' || c == '#')
			break;
	}
	return (struct text){url.data, at};
}

/* Where the job will go. `memory` must outlive the URL. */
static bool warm_url(const struct job *job, struct buffer *memory, struct url *ret_url)
{
	const struct plan_job *plan = job_plan(job);

	if (known_url(&job_graph(job)->known, plan->url, ret_url))
		return true;
	return url_parse(warm_base(plan->url), memory, ret_url) == URL_OK;
}

static bool warm_is_next(const struct job *job)
{
	return job->state == JOB_WAITING && !job->group && !job->is_doomed && !job_is_ended(job);
}

/* The route it will take, counted; NULL: that is not known. */
static struct route *warm_route(const struct job *job)
{
	struct buffer memory;
	struct fault fault;
	struct route *route = NULL;
	struct url url;

	buffer_init(&memory, 2 * URL_SIZE_MAX);
	if (warm_url(job, &memory, &url))
		route = way_find(job, &url, false, &fault);
	buffer_deinit(&memory);
	return route;
}

void warm_dependents(const struct job *job, const struct route *route)
{
	const struct graph *graph = job_graph(job);
	const struct plan_job *plan = job_plan(job);
	uint32_t n = plan->n_dependents < WARM_MAX ? plan->n_dependents : WARM_MAX;
	const struct route *last = NULL;
	uint32_t n_wanted = 0;

	if (!graph->scheduler->options.prewarm)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t place = graph->plan->dependents[plan->first_dependent + i];
		const struct job *next = scope_job(job->scope, place);
		struct route *way;

		if (!next || !warm_is_next(next))
			continue;
		way = warm_route(next);
		if (!way)
			continue;
		if (way != last)
			n_wanted = way == route ? 0 : 1;
		else
			n_wanted++;
		last = way;
		if (n_wanted > 0)
			/* The job itself is about to take one. */
			pool_warm(graph->scheduler->pool, way, n_wanted + (way == route));
		pool_leave(graph->scheduler->pool, way);
	}
}
