/* SPDX-License-Identifier: MIT */
#include "sim_retry.h"

#include <string.h>

#include "sim_oracle.h"
#include "sim_redirect.h"
#include "sim_world.h"

/*
 * Retry by the book (settled-graph(5), "Retry"): was there to be another attempt, was it waited
 * for as long as the backoff says, and is the reason for stopping the first that holds.
 */

#define SIM_RETRY_AFTER_MAX_S 300
#define SIM_BUDGET_US         10000000
#define SIM_BUDGET_FLOOR      3
#define SIM_JOB_US            60000000

static const uint16_t usual_statuses[] = {408, 425, 429, 500, 502, 503, 504};

/* -- Whether ------------------------------------------------------------------------------ */

static bool sim_is_timeout(enum fault_code code)
{
	return code == FAULT_DNS_TIMEOUT || code == FAULT_CONNECT_TIMEOUT ||
	       code == FAULT_TLS_TIMEOUT || code == FAULT_FIRST_BYTE_TIMEOUT ||
	       code == FAULT_IDLE_TIMEOUT || code == FAULT_ATTEMPT_TIMEOUT;
}

/* "the classes dns (temporary), connect, proxy, exchange except timeouts" */
static bool sim_is_network(enum fault_code code)
{
	switch (code) {
	case FAULT_DNS_TEMPORARY:
	case FAULT_CONNECT_REFUSED:
	case FAULT_CONNECT_UNREACHABLE:
	case FAULT_CONNECT_RESET:
	case FAULT_CONNECT_LOCAL:
	case FAULT_SEND_FAILED:
	case FAULT_EMPTY_REPLY:
	case FAULT_RECV_RESET:
	case FAULT_BODY_TRUNCATED: return true;
	default: return false;
	}
}

static bool sim_retry_wants(const struct sim_retry *retry, const struct sim_attempt *attempt)
{
	const uint16_t *on = retry->on ? retry->on : usual_statuses;
	unsigned n_on = retry->on ? retry->n_on : sizeof(usual_statuses) / sizeof(*on);

	/* Without `on` the usual ones, unless only classes were said. */
	if (!retry->on && !(retry->on_network && retry->on_timeout))
		n_on = 0;
	for (unsigned i = 0; i < n_on && attempt->code == FAULT_HTTP_STATUS; i++) {
		if (on[i] == attempt->status)
			return true;
	}
	return (retry->on_network && sim_is_network(attempt->code)) ||
	       (retry->on_timeout && sim_is_timeout(attempt->code));
}

static bool sim_retry_may_repeat(const struct sim_node *node, const struct sim_try *try)
{
	const char *method = node->label->method;

	if (!try || node->retry.unsafe || node->has_key)
		return true;
	return strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
}

/* -- When --------------------------------------------------------------------------------- */

/* What the backoff may be, in microseconds; from 0 attempts on. */
static void sim_retry_backoff(const struct sim_retry *retry, unsigned n_attempts,
	uint64_t *ret_least_us, uint64_t *ret_most_us)
{
	uint64_t cap = retry->delay_ns;

	if (retry->backoff == SIM_EXPONENTIAL)
		cap <<= n_attempts - 1;
	else if (retry->backoff == SIM_LINEAR)
		cap *= n_attempts;
	if (cap > retry->max_delay_ns)
		cap = retry->max_delay_ns;
	*ret_most_us = cap / 1000;
	*ret_least_us = *ret_most_us;
	if (retry->jitter == SIM_FULL)
		*ret_least_us = 0;
	else if (retry->jitter == SIM_EQUAL)
		*ret_least_us = cap / 2000;
}

/* What the response asked for instead. False: nothing. */
static bool sim_retry_later(const struct sim_record *record, unsigned n, const struct sim_try *try,
	uint64_t *ret_least_us, uint64_t *ret_most_us)
{
	uint64_t at_us = record->graph->accepted_us + record->attempts[n].end_us;
	uint64_t seconds, now_s;

	if (!record->instance->node->retry.retry_after || !try ||
		try->reply.later == SIM_LATER_NONE)
		return false;
	seconds = try->reply.later_s;
	if (try->reply.later == SIM_LATER_DATE) {
		now_s = (SIM_UNIX_NS + at_us * 1000) / NS_PER_S;
		seconds = try->reply.later_at_s > now_s ? try->reply.later_at_s - now_s : 0;
	}
	if (seconds > SIM_RETRY_AFTER_MAX_S)
		seconds = SIM_RETRY_AFTER_MAX_S;
	*ret_least_us = seconds * 1000000;
	*ret_most_us = seconds * 1000000;
	/* A date is a second, of which a part has passed. */
	if (try->reply.later == SIM_LATER_DATE && seconds > 0)
		*ret_least_us -= 1000000;
	return true;
}

/* What may be waited for after attempt `n`, from 0 on. */
static void sim_retry_bounds(const struct sim_record *record, unsigned n, const struct sim_try *try,
	uint64_t *ret_least_us, uint64_t *ret_most_us)
{
	bool is_alone = sim_leaf_is_alone(record->instance);
	/* The head of a response that broke off may have come, or not. */
	bool is_certain = record->attempts[n].code == FAULT_HTTP_STATUS && is_alone;
	uint64_t least_us, most_us;

	sim_retry_backoff(&record->instance->node->retry, n + 1, ret_least_us, ret_most_us);
	if (sim_retry_later(record, n, try, &least_us, &most_us)) {
		if (is_certain || least_us < *ret_least_us)
			*ret_least_us = least_us;
		if (is_certain || most_us > *ret_most_us)
			*ret_most_us = most_us;
	}
	/* Whose response it was is not known where several ask for the same. */
	if (!is_alone && sim_model.has_pause) {
		*ret_least_us = 0;
		*ret_most_us = UINT64_C(1000000) * SIM_RETRY_AFTER_MAX_S;
	}
}

/* -- Attempts ----------------------------------------------------------------------------- */

static void sim_retry_check_wait(
	const struct sim_record *record, unsigned n, const struct sim_try *try)
{
	const struct sim_attempt *before = &record->attempts[n - 1], *next = &record->attempts[n];
	const char *id = record->instance->id;
	uint64_t least_us, most_us;

	sim_retry_bounds(record, n - 1, try, &least_us, &most_us);
	if (before->backoff_us + SIM_ROUNDING_US < least_us ||
		before->backoff_us > most_us + SIM_ROUNDING_US)
		sim_fail("%s: its backoff after attempt %u is %llu us, not %llu to %llu", id, n,
			(unsigned long long)before->backoff_us, (unsigned long long)least_us,
			(unsigned long long)most_us);
	if (!sim_is_at(next->start_us, before->end_us + before->backoff_us,
		    sim_is_hurried(record->graph) ? UINT32_MAX : SIM_LATE_US))
		sim_fail("%s: attempt %u is ready after %llu us, its backoff was over after %llu",
			id, n + 1, (unsigned long long)next->start_us,
			(unsigned long long)(before->end_us + before->backoff_us));
}

static void sim_retry_check_again(
	const struct sim_record *record, unsigned n, struct sim_try *const *tries)
{
	const struct sim_node *node = record->instance->node;
	const struct sim_attempt *before = &record->attempts[n - 1];

	if (!sim_retry_wants(&node->retry, before))
		sim_fail("%s: tried again after %s (%u)", record->instance->id,
			sim_code_name(before->code), before->status);
	if (sim_leaf_is_alone(record->instance) && !sim_retry_may_repeat(node, tries[n - 1]))
		sim_fail("%s: a %s was repeated", record->instance->id, node->label->method);
	sim_retry_check_wait(record, n, tries[n - 1]);
}

/* -- The end ------------------------------------------------------------------------------ */

/* How many repetitions its origin may have seen: of jobs that may have another attempt there is
 * no knowing, for not all of them are sent. */
static unsigned sim_retry_repetitions(const struct sim_record *record)
{
	const struct sim_origin *origin = record->instance->node->label->origin;
	unsigned n = 0;

	for (unsigned g = 0; g < sim_model.n_graphs; g++) {
		const struct sim_graph *graph = sim_model.graphs[g];

		for (unsigned i = 0; i < graph->n_nodes; i++) {
			const struct sim_node *node = graph->nodes[i];

			if (!node->is_group && node->label->origin == origin)
				n += node->retry.attempts > 1 ? SIM_BUDGET_FLOOR : 0;
		}
		for (const struct sim_resource *resource = graph->resources; resource;
			resource = resource->next) {
			if (resource->label->origin == origin && resource->n_tries > 1)
				n += resource->n_tries - 1;
		}
	}
	return n;
}

/* The least that there was to wait. */
static bool sim_retry_has_no_time(const struct sim_record *record, const struct sim_try *last)
{
	const struct sim_instance *i = record->instance;
	uint64_t job_us = i->node->timeouts.job_ns ? i->node->timeouts.job_ns / 1000 : SIM_JOB_US;
	uint64_t deadline_us = record->start_us + record->queue_us + job_us, least_us, most_us;

	for (i = i->parent; i; i = i->parent) {
		uint64_t at_us = i->begin_us + i->begin_slack_us + i->node->timeout_ns / 1000;

		if (i->role == SIM_GROUP && i->node->timeout_ns && at_us < deadline_us)
			deadline_us = at_us;
	}
	sim_retry_bounds(record, record->n_attempts - 1, last, &least_us, &most_us);
	return record->end_us + most_us + SIM_LATE_US >= deadline_us;
}

/* The first reason that holds; NULL: one that only time decides, or none. */
static const char *sim_retry_expect(const struct sim_record *record, const struct sim_try *last)
{
	const struct sim_node *node = record->instance->node;
	const struct sim_attempt *attempt = &record->attempts[record->n_attempts - 1];

	if (!sim_retry_wants(&node->retry, attempt))
		return "policy";
	if (record->n_attempts >= node->retry.attempts)
		return "attempts";
	/* Whose request went out is not known where several ask for the same. */
	if (!sim_retry_may_repeat(node, last) && sim_leaf_is_alone(record->instance))
		return "not_idempotent";
	return NULL;
}

static void sim_retry_check_stopped(const struct sim_record *record, const struct sim_try *last)
{
	const struct sim_node *node = record->instance->node;
	const char *stopped = sim_member(record->reason, "stopped"), *expected;
	const char *id = record->instance->id;

	if (node->retry.attempts < 2) {
		if (*stopped)
			sim_fail("%s: stopped by %s, but no retry was allowed", id, stopped);
		return;
	}
	/* What ends a job from outside needs no reason. */
	if (record->code == FAULT_JOB_TIMEOUT || record->code == FAULT_QUEUE_TIMEOUT)
		return;
	expected = sim_retry_expect(record, last);
	if (expected && strcmp(stopped, expected) != 0)
		sim_fail("%s: stopped by \"%s\", not %s", id, stopped, expected);
	if (expected)
		return;
	/* Its client has had a piece of it. */
	if (record->instance->given.size > 0 && strcmp(stopped, "policy") == 0)
		return;
	if (node->source && node->source->is_pipe && strcmp(stopped, "policy") == 0)
		return;
	if (strcmp(stopped, "budget") == 0) {
		if (sim_retry_repetitions(record) < SIM_BUDGET_FLOOR)
			sim_fail("%s: stopped by the budget, which was not used", id);
	} else if (strcmp(stopped, "deadline") == 0) {
		if (!sim_retry_has_no_time(record, last))
			sim_fail("%s: stopped by the deadline, which was far", id);
	} else if (strcmp(stopped, "not_idempotent") != 0 ||
		   (sim_retry_may_repeat(node, last) &&
			   (last || sim_leaf_is_alone(record->instance)))) {
		sim_fail("%s: stopped by \"%s\", and could have been tried again", id, stopped);
	}
}

/* -- Pauses ------------------------------------------------------------------------------- */

/* An origin asked one user to leave it alone. */
struct sim_pause {
	struct sim_pause *next;
	const struct sim_origin *origin;
	uid_t uid;
	uint64_t from_us, until_us;
};

/* An attempt got its slot; its request, or NULL. */
struct sim_beginning {
	struct sim_beginning *next;
	const struct sim_instance *job;
	struct sim_try *try;
	uint64_t at_us;
};

static void sim_retry_note(const struct sim_record *record, unsigned n, struct sim_try *try)
{
	const struct sim_attempt *attempt = &record->attempts[n];
	const struct sim_instance *job = record->instance;
	uint64_t accepted_us = record->graph->accepted_us, least_us, most_us;
	struct sim_beginning *beginning;
	struct sim_pause *pause;

	/* Who shares a flight begins nothing. */
	if (!record->graph->is_accepted_known || !sim_model.has_pause || record->leader)
		return;
	beginning = sim_alloc(sizeof(*beginning));
	*beginning = (struct sim_beginning){sim_model.beginnings, job, try,
		accepted_us + attempt->start_us + attempt->queue_us};
	sim_model.beginnings = beginning;
	if (attempt->code != FAULT_HTTP_STATUS || job->node->retry.attempts < 2)
		return;
	if ((attempt->status != 429 && attempt->status != 503) || !sim_leaf_is_alone(job))
		return;
	if (!sim_retry_later(record, n, try, &least_us, &most_us))
		return;
	pause = sim_alloc(sizeof(*pause));
	*pause = (struct sim_pause){sim_model.pauses, try->origin, record->graph->client->uid,
		accepted_us + attempt->end_us, accepted_us + attempt->end_us + least_us};
	sim_model.pauses = pause;
}

static void sim_retry_check_pause(
	const struct sim_pause *pause, const struct sim_beginning *beginning)
{
	const struct sim_instance *job = beginning->job;
	struct sim_try *try = beginning->try;

	/* Who joined a flight, and went on with it alone, began nothing. */
	if (try ? sim_redirect_first(try)->resource->is_shared : !sim_leaf_is_alone(job))
		return;
	if (job->node->label->origin != pause->origin || job->graph->client->uid != pause->uid)
		return;
	if (beginning->at_us > pause->from_us + SIM_ROUNDING_US &&
		beginning->at_us + SIM_ROUNDING_US < pause->until_us)
		sim_fail("%s was begun at %llu us while its origin wanted to be left alone from "
			 "%llu to %llu",
			job->id, (unsigned long long)beginning->at_us,
			(unsigned long long)pause->from_us, (unsigned long long)pause->until_us);
}

void sim_retry_check_pauses(void)
{
	for (struct sim_pause *pause = sim_model.pauses; pause; pause = pause->next) {
		for (struct sim_beginning *beginning = sim_model.beginnings; beginning;
			beginning = beginning->next)
			sim_retry_check_pause(pause, beginning);
	}
}

/* -- All of it ---------------------------------------------------------------------------- */

void sim_retry_judge(const struct sim_record *record, struct sim_try *const *tries)
{
	const struct sim_node *node = record->instance->node;
	unsigned n_max = node->retry.attempts ? node->retry.attempts : 1;

	if (record->n_attempts > n_max)
		sim_fail("%s: %u attempts, it may have %u", record->instance->id,
			record->n_attempts, n_max);
	for (unsigned n = 1; n < record->n_attempts; n++)
		sim_retry_check_again(record, n, tries);
	for (unsigned n = 0; n < record->n_attempts; n++)
		sim_retry_note(record, n, tries[n]);
	if (record->code != FAULT_NONE && record->n_attempts > 0 && !sim_world.memory_failed)
		sim_retry_check_stopped(record, tries[record->n_attempts - 1]);
}
