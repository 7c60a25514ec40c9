/* SPDX-License-Identifier: MIT */
#include "job/flight.h"

#include "job/attempt_private.h"
#include "job/attempt_record.h"
#include "job/template.h"

/*
 * Flights are found by their URL; whether it is the same request is then seen by its bytes, which
 * have the method and every header, and by its route, which has all that a connection must have
 * in common. A job that is refused by a bound looks too, because who follows needs no place.
 */

/* Who asks. */
struct flight_question {
	const struct plan_spec *spec;
	struct text request;
	/* NULL: not known yet. */
	const struct route *route;
};

static bool flight_is_shareable(const struct job *job)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct text method;

	/* What a stream or a file gets is one job's. */
	if (!spec->dedupe || spec->output == PLAN_STREAM || spec->output == PLAN_FILE)
		return false;
	/* Mostly nobody has said anything. */
	if (!spec->method.data && !job->trail)
		return spec->body == PLAN_BODY_NONE;
	/* What a descriptor holds is no part of the request's bytes. */
	if (spec->body == PLAN_BODY_FD && template_has_body(job))
		return false;
	method = template_method(job);
	return text_is(method, "GET") || text_is(method, "HEAD");
}

/* All that would make an attempt end otherwise, but for what the request's bytes say. */
static bool spec_has_same_limits(const struct plan_spec *a, const struct plan_spec *b)
{
	struct plan_timeouts times = b->timeouts;

	if (a == b)
		return true;
	/* The wait for a place is over. */
	times.queue_ns = a->timeouts.queue_ns;
	return memcmp(&a->timeouts, &times, sizeof(times)) == 0 && a->max_body == b->max_body &&
	       a->output == b->output && a->http == b->http && a->decode == b->decode &&
	       a->redirects == b->redirects;
}

static bool flight_is_same(const void *value, const void *key)
{
	const struct attempt *attempt = value;
	const struct flight_question *question = key;

	return attempt->route == question->route &&
	       text_equal(buffer_text(&attempt->request), question->request) &&
	       spec_has_same_limits(job_plan(attempt->job)->spec, question->spec);
}

static bool flight_is_any(const void *value, const void *key)
{
	return true;
}

static uint64_t flight_hash(const struct url *url)
{
	return table_hash(url->text);
}

static void flight_follow(struct attempt *leader, struct job *job)
{
	struct scheduler *scheduler = leader->scheduler;

	job->state = JOB_RUNNING;
	job->attempt = leader;
	job->held_ns = ring_now(scheduler->ring);
	if (!job->slot_ns)
		job->slot_ns = job->held_ns;
	/* Its own time, as long as it only follows. */
	timer_set(ring_timers(scheduler->ring), &job->timer, job_waits_until(job));
	list_push_back(&leader->followers, &job->link);
	scope_begin(job->scope);
}

void flight_leave(struct job *job)
{
	if (!job->attempt || job->attempt->job == job)
		return;
	job->flown_sent = attempt_sent(job->attempt);
	attempt_count(job->attempt, job);
	job->has_flown = true;
	job->attempt = NULL;
	list_remove(&job->link);
}

bool flight_join_instead(struct attempt *attempt)
{
	struct graph *graph = attempt->graph;
	struct job *job = attempt->job;
	struct flight_question question = {job_plan(job)->spec, {NULL, 0}, attempt->route};
	struct attempt *leader;
	struct fault fault;

	if (!flight_is_shareable(job))
		return false;
	attempt->flight_hash = flight_hash(&attempt->url);
	if (!table_find(&graph->flights, attempt->flight_hash, flight_is_any, NULL))
		return false;
	if (!template_request(job, &attempt->url, UINT64_MAX, &attempt->request, &fault))
		return false;
	question.request = buffer_text(&attempt->request);
	leader = table_find(&graph->flights, attempt->flight_hash, flight_is_same, &question);
	if (leader)
		flight_follow(leader, job);
	return leader;
}

/* True where the job's URL, if it stands in the document as it will be sent, is none of those in
 * flight: most are not, and then nothing need be filled in. */
static bool flight_is_unknown(const struct job *job)
{
	const struct plan_job *plan = job_plan(job);
	const struct table *flights = &job_graph(job)->flights;

	return !job->trail && !plan->url_is_template && plan->spec->query.n == 0 &&
	       !table_find(flights, table_hash(plan->url), flight_is_any, NULL);
}

bool flight_join(struct job *job)
{
	struct graph *graph = job_graph(job);

	if (graph->flights.count == 0 || !flight_is_shareable(job) || flight_is_unknown(job))
		return false;
	return attempt_follow(graph->scheduler, job);
}

void flight_open(struct attempt *attempt)
{
	if (!flight_is_shareable(attempt->job))
		return;
	/* Without memory it is not shared. */
	attempt->is_flight = table_insert(&attempt->graph->flights, attempt->flight_hash, attempt);
}

void flight_close(struct attempt *attempt)
{
	if (!attempt->is_flight)
		return;
	table_remove(&attempt->graph->flights, attempt->flight_hash, attempt);
	attempt->is_flight = false;
}
