/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_judge.h"
#include "sim_oracle.h"
#include "sim_redirect.h"
#include "sim_server.h"
#include "sim_world.h"

/*
 * Every rejection needs its reason: a code is fair only where the world did what it says. What
 * has no code of its own here was noted when it was done to the request (try->codes).
 */

#define SIM_JOB_TIMEOUT_NS     (60 * NS_PER_S)
#define SIM_ATTEMPT_TIMEOUT_NS (30 * NS_PER_S)
#define SIM_CONNECT_TIMEOUT_NS (10 * NS_PER_S)
#define SIM_TLS_TIMEOUT_NS     (10 * NS_PER_S)
#define SIM_IDLE_TIMEOUT_NS    (30 * NS_PER_S)

/* -- Deadlines ---------------------------------------------------------------------------- */

static bool sim_origin_is_slow(const struct sim_origin *origin)
{
	for (unsigned i = 0; i < origin->n_addresses; i++) {
		if (origin->addresses[i].behaviour == SIM_DEAD)
			return true;
	}
	return origin->lookup == SIM_LOOKUP_STUCK || origin->has_stalled;
}

/* True where something keeps the job waiting for long, at one of its hops; all else takes less than
 * some seconds. */
static bool sim_job_is_slow(const struct sim_record *record, const struct sim_try *last)
{
	const struct sim_node *node = record->instance->node;

	if (last && (last->reply.fault == SIM_REPLY_STALL ||
			    last->reply.fault == SIM_REPLY_STALL_HEAD ||
			    last->reply.fault == SIM_REPLY_STALL_BODY))
		return true;
	if (node->source && node->source->stalls)
		return true;
	/* Its client may be. */
	if (node->is_streamed && sim_is_hurried(record->graph))
		return true;
	if (sim_origin_is_slow(sim_redirect_next(node, last)))
		return true;
	/* A hop waits for its own place. */
	if (last && (last->from || last->reply.to) && sim_leaf_is_bounded(record))
		return true;
	for (; last; last = last->from) {
		if (sim_origin_is_slow(last->origin))
			return true;
	}
	return false;
}

/* The time that has passed, and a reason for it where the document set no limit. */
static bool sim_limit_is_over(
	uint64_t held_us, uint64_t limit_ns, uint64_t otherwise_ns, bool is_slow)
{
	if (!limit_ns && !is_slow)
		return false;
	return held_us + SIM_ROUNDING_US >= (limit_ns ? limit_ns : otherwise_ns) / 1000;
}

static bool sim_timeout_is_fair(const struct sim_origin *origin, const struct sim_record *record,
	const struct sim_attempt *attempt, const struct sim_try *last)
{
	const struct sim_node *node = record->instance->node;
	const struct sim_timeouts *timeouts = &node->timeouts;
	uint64_t held_us = attempt->end_us - attempt->start_us - attempt->queue_us;
	uint64_t whole_us = record->end_us - record->start_us - record->queue_us;
	bool is_slow = sim_job_is_slow(record, last);

	/* Who shares a flight shares the time that it has been under way. */
	if (!sim_leaf_is_alone(record->instance) && attempt->code != FAULT_JOB_TIMEOUT)
		held_us = UINT32_MAX;

	switch (attempt->code) {
	case FAULT_JOB_TIMEOUT:
		/* Between attempts the time passes as well. */
		return sim_limit_is_over(whole_us, timeouts->job_ns, SIM_JOB_TIMEOUT_NS,
			is_slow || node->retry.attempts > 1);
	case FAULT_ATTEMPT_TIMEOUT:
		return sim_limit_is_over(
			held_us, timeouts->attempt_ns, SIM_ATTEMPT_TIMEOUT_NS, is_slow);
	case FAULT_CONNECT_TIMEOUT:
		/* A connection that others await may have been begun long ago. */
		if (origin->is_https && is_slow)
			return true;
		return sim_limit_is_over(
			held_us, timeouts->connect_ns, SIM_CONNECT_TIMEOUT_NS, is_slow);
	case FAULT_TLS_TIMEOUT:
		return origin->is_https && sim_limit_is_over(held_us, timeouts->tls_ns,
						   SIM_TLS_TIMEOUT_NS, origin->has_stalled);
	case FAULT_IDLE_TIMEOUT:
		return sim_limit_is_over(held_us, timeouts->idle_ns, SIM_IDLE_TIMEOUT_NS, is_slow);
	case FAULT_FIRST_BYTE_TIMEOUT:
		return timeouts->first_byte_ns &&
		       held_us + SIM_ROUNDING_US >= timeouts->first_byte_ns / 1000;
	case FAULT_QUEUE_TIMEOUT:
		return timeouts->queue_ns &&
		       attempt->queue_us + SIM_ROUNDING_US >= timeouts->queue_ns / 1000;
	default: return false;
	}
}

/* -- Connections -------------------------------------------------------------------------- */

/* Where can a connection for this job go wrong for good? */
static bool sim_connect_is_fair(
	const struct sim_node *node, const struct sim_origin *origin, enum fault_code code)
{
	bool is_resolved = node->label->is_resolved && origin == node->label->origin;
	enum sim_behaviour wanted = code == FAULT_CONNECT_REFUSED ? SIM_REFUSES : SIM_UNREACHABLE;
	bool is_found = false;

	if (sim_codes_has(&origin->codes, code))
		return true;
	if (code == FAULT_CONNECT_RESET || is_resolved)
		return false;
	for (unsigned i = 0; i < origin->n_addresses; i++) {
		/* One that would have answered: unless something else kept it from being tried. */
		if (origin->addresses[i].behaviour == SIM_ALIVE &&
			sim_codes_is_empty(&origin->codes) && !sim_model.has_local_trouble)
			return false;
		is_found |= origin->addresses[i].behaviour == wanted;
	}
	return is_found;
}

/* All of it has come, and can be decoded. */
static bool sim_try_is_well(const struct sim_try *try)
{
	return try->is_answered && try->reply.fault != SIM_REPLY_CORRUPT &&
	       try->reply.fault != SIM_REPLY_UNSUPPORTED;
}

static bool sim_status_is_ok(const struct sim_node *node, uint16_t status)
{
	for (unsigned i = 0; i < node->n_ok; i++) {
		if (status >= node->ok[i].from && status <= node->ok[i].to)
			return true;
	}
	return false;
}

static bool sim_body_is_too_large(const struct sim_node *node, const struct sim_try *last)
{
	if (!last || !node->max_body)
		return false;
	/* A wrong length says one byte more; a bad chunk may bring bytes of its own. */
	return sim_reply_size(last) + (last->reply.fault == SIM_REPLY_CONFLICT) > node->max_body ||
	       last->reply.fault == SIM_REPLY_BAD_CHUNK;
}

/* A pipe can be read once, and a redirect may want its bytes again. */
static bool sim_source_is_bad(const struct sim_record *record, const struct sim_try *last)
{
	const struct sim_file *source = record->instance->node->source;

	if (!source)
		return false;
	return source->flaw ||
	       (source->is_pipe &&
		       (record->n_attempts > 1 || (last && (last->from || last->reply.to))));
}

/* By that origin. */
static bool sim_reason_is_fair_at(const struct sim_origin *origin, const struct sim_record *record,
	const struct sim_attempt *attempt, const struct sim_try *last)
{
	const struct sim_node *node = record->instance->node;
	bool moves = last && sim_redirect_is_followed(node, last);
	enum fault_code code = attempt->code;

	switch (code) {
	case FAULT_NONE:
		return last && sim_try_is_well(last) && !moves &&
		       sim_status_is_ok(node, last->reply.status) &&
		       !sim_body_is_too_large(node, last);
	case FAULT_HTTP_STATUS:
		return last && sim_try_is_well(last) && !moves &&
		       !sim_status_is_ok(node, last->reply.status) &&
		       attempt->status == last->reply.status;
	case FAULT_REDIRECT_LIMIT:
	case FAULT_REDIRECT_INVALID:
	case FAULT_REDIRECT_BLOCKED: return moves && sim_redirect_code(node, last) == code;
	case FAULT_BODY_SOURCE: return sim_source_is_bad(record, last);
	case FAULT_SINK_FULL: return node->sink && node->sink->flaw == SIM_FILE_FULL;
	case FAULT_SINK_WRITE:
		return node->sink &&
		       (node->sink->flaw == SIM_FILE_UNFIT || node->sink->flaw == SIM_FILE_FAILS);
	case FAULT_BODY_TOO_LARGE: return sim_body_is_too_large(node, last);
	case FAULT_CONNECT_LOCAL:
		return sim_model.has_local_trouble || sim_world.memory_failed ||
		       sim_codes_has(&origin->codes, code);
	case FAULT_CONNECT_REFUSED:
	case FAULT_CONNECT_UNREACHABLE:
	case FAULT_CONNECT_RESET: return sim_connect_is_fair(node, origin, code);
	case FAULT_DNS_NOT_FOUND:
	case FAULT_DNS_TEMPORARY:
	case FAULT_DNS_TIMEOUT:
		if (code == FAULT_DNS_TEMPORARY && sim_world.memory_failed)
			return true;
		return sim_codes_has(&origin->codes, code);
	case FAULT_TLS_HANDSHAKE:
		if (node->label->http == SIM_HTTP_2 && origin->has_chosen_h1)
			return true;
		/* fall through */
	case FAULT_TLS_NOT_TLS: return sim_codes_has(&origin->tls_codes, code);
	case FAULT_CERT_UNTRUSTED:
	case FAULT_CERT_EXPIRED:
	case FAULT_CERT_NAME:
		return !node->label->is_insecure && sim_codes_has(&origin->tls_codes, code);
	case FAULT_OVERLOADED: return sim_world.memory_failed;
	case FAULT_HTTP2_CONNECTION:
		/* A body that is read is not sent again, even if none of it was; and what is to be
		 * sent again may wait on a connection that is lost. */
		if (node->source && origin->n_leaving > 0)
			return true;
		if (last && last->is_replay_due && origin->n_leaving > 1)
			return true;
		/* fall through */
	default:
		return sim_timeout_is_fair(origin, record, attempt, last) ||
		       (last && sim_codes_has(&last->codes, code));
	}
}

bool sim_reason_is_fair(const struct sim_record *record, const struct sim_attempt *attempt,
	const struct sim_try *last)
{
	const struct sim_origin *next = sim_redirect_next(record->instance->node, last);

	return sim_reason_is_fair_at(next, record, attempt, last) ||
	       (last && sim_reason_is_fair_at(last->origin, record, attempt, last));
}

/* -- Cancels ------------------------------------------------------------------------------ */

/* Since when there was that reason to cancel it; false: never. */
static bool sim_cancel_since(
	const struct sim_record *record, const struct sim_instance *group, uint64_t *ret_us)
{
	enum sim_mode mode = sim_instance_mode(group);

	switch (record->by) {
	case SIM_BY_FAIL_FAST:
		*ret_us = group->decided_us;
		return group->is_decided && group->is_decided_rejected &&
		       (mode == SIM_ALL || mode == SIM_RACE);
	case SIM_BY_WINNER:
		*ret_us = group->decided_us;
		return group->is_decided && mode >= SIM_ANY && group->decider;
	case SIM_BY_TIMEOUT:
		*ret_us = group->begin_us + group->node->timeout_ns / 1000;
		return group->role == SIM_GROUP && group->node->timeout_ns && group->has_begun &&
		       record->end_us + SIM_ROUNDING_US >= *ret_us;
	default: return false;
	}
}

static bool sim_cancel_has_cause(const struct sim_record *record)
{
	struct sim_instance *group = record->instance;

	/* Its own timeout is no reason to cancel a group. */
	while ((group = group->parent)) {
		uint64_t since_us;

		/* When it began, if it has. */
		sim_fate_of(group);
		if (!sim_cancel_since(record, group, &since_us))
			continue;
		/* A deadline may be late, a decision is not. */
		if (record->by == SIM_BY_TIMEOUT)
			since_us += SIM_LATE_US;
		if (sim_is_hurried(record->graph) ||
			record->end_us <= since_us + group->begin_slack_us + SIM_CANCEL_US)
			return true;
	}
	return false;
}

bool sim_cancel_is_fair(const struct sim_record *record)
{
	const struct sim_client *client = record->graph->client;

	switch (record->by) {
	case SIM_BY_CLIENT: return sim_cancel_covers(record->instance, record->end_us);
	case SIM_BY_DISCONNECT: return client->is_over || client->is_rude;
	case SIM_BY_SHUTDOWN: return sim_model.drain_ns != 0;
	/* What was begun without memory had to end. */
	case SIM_BY_NONE: return sim_world.memory_failed;
	default: return sim_cancel_has_cause(record);
	}
}

/* -- Sent --------------------------------------------------------------------------------- */

void sim_reason_check_sent(const struct sim_record *record, const struct sim_try *any)
{
	const char *sent = sim_member(record->reason, "sent");
	const char *id = record->instance->id;

	if (strcmp(sent, "none") != 0 && strcmp(sent, "partial") != 0 && strcmp(sent, "full") != 0)
		sim_fail("%s: sent is \"%s\"", id, sent);
	if (!any && sim_leaf_is_alone(record->instance) && strcmp(sent, "none") != 0)
		sim_fail("%s: sent is \"%s\", and it was not", id, sent);
	if (any && any->is_read && record->n_attempts == 1 && sim_leaf_is_alone(record->instance) &&
		strcmp(sent, "none") == 0)
		sim_fail("%s: sent is \"none\", and its origin has read it", id);
}
