/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "sim_json.h"
#include "sim_judge.h"
#include "sim_oracle.h"
#include "sim_redirect.h"
#include "sim_retry.h"
#include "sim_server.h"
#include "sim_slot.h"
#include "sim_world.h"

/*
 * A job that ran: what its request had to look like is known from the records before it, so its
 * resource is known, and which of the resource's requests were its own. A response says by its
 * x-k which request it answers; of the others only the time tells where several jobs ask for the
 * same.
 */

/* What a job's requests were. */
struct sim_claim {
	struct sim_resource *resource;
	/* By attempt; NULL: nothing was sent, or it cannot be told. */
	struct sim_try *tries[SIM_ATTEMPTS_MAX];
	/* By what may have been known of its dependencies: one, but for `needs: any`. */
	struct sim_filled filled[64];
	unsigned n_filled;
};

/* What is decoded at once. */
#define SIM_SLICE_SIZE ((size_t)60 * 1024)

/* -- Whose request ------------------------------------------------------------------------ */

bool sim_leaf_is_alone(const struct sim_instance *leaf)
{
	return leaf->node->label->n_nodes == 1 && leaf->node->label->number > 0 &&
	       !sim_tree_item(leaf);
}

/* The request of that key, where the resource's led to it. */
static struct sim_try *sim_resource_key(const struct sim_resource *resource, uint32_t key)
{
	struct sim_try *try = key < sim_model.n_tries ? sim_model.tries[key] : NULL;

	if (!try || sim_redirect_first(try)->resource != resource)
		return NULL;
	return try;
}

/* Jobs may share what came of a request, or go on with one whose job was taken down. */
static bool sim_try_is_free(const struct sim_try *try, const struct sim_instance *leaf)
{
	const char *method = leaf->node->label->method;
	bool may_share =
		leaf->node->dedupes && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);

	return !try->owner || try->owner == leaf || may_share;
}

/* It was under way during the attempt. */
static bool sim_try_is_during(
	const struct sim_record *record, struct sim_try *try, const struct sim_attempt *attempt)
{
	const struct sim_graph *graph = record->graph;

	return sim_graph_us(graph, sim_redirect_first(try)->sent_ns) <=
		       attempt->end_us + SIM_ROUNDING_US &&
	       (!try->off_ns ||
		       sim_graph_us(graph, try->off_ns) + SIM_ROUNDING_US >= attempt->start_us);
}

/* The request of an attempt that got no response: where several may be, one that it was led to, or
 * that explains how it ended, and its own rather than one that it shared. */
static struct sim_try *sim_resource_during(const struct sim_record *record,
	const struct sim_resource *resource, const struct sim_attempt *attempt)
{
	bool is_alone = sim_leaf_is_alone(record->instance);
	bool is_last = attempt == &record->attempts[record->n_attempts - 1];
	struct sim_try *best = NULL;
	unsigned best_rank = 0;

	for (struct sim_try *first = resource ? resource->first : NULL; first;
		first = first->next) {
		struct sim_try *try = sim_redirect_last(first);
		bool is_own = sim_graph_us(record->graph, first->sent_ns) + SIM_ROUNDING_US >=
			      attempt->start_us;
		unsigned rank = 1u + is_own;

		if (!sim_try_is_free(try, record->instance) ||
			!sim_try_is_during(record, try, attempt) || (is_alone && !is_own))
			continue;
		rank += sim_reason_is_fair(record, attempt, try) ? 2 : 0;
		rank += is_last && sim_redirect_explains(record, try) ? 4 : 0;
		if (rank >= best_rank)
			best = try;
		if (rank >= best_rank)
			best_rank = rank;
	}
	return best;
}

static void sim_resource_join(struct sim_resource *resource, const struct sim_instance *leaf)
{
	resource->is_shared = resource->is_shared || (resource->job && resource->job != leaf);
	resource->job = leaf;
}

/* What it asks for is its own, or shared. Nothing of that need have been sent: others may go on
 * with what it only began. */
static void sim_leaf_join(const struct sim_record *record, const struct sim_claim *claim)
{
	if (claim->resource)
		sim_resource_join(claim->resource, record->instance);
	for (unsigned i = 0; i < claim->n_filled && !claim->resource; i++) {
		const struct sim_filled *filled = &claim->filled[i];

		if (record->n_attempts > 0)
			sim_resource_join(
				sim_resource_get(filled->method, filled->target, filled->header),
				record->instance);
	}
}

/* And all that led to it. */
static void sim_try_own(struct sim_try *try, struct sim_instance *owner)
{
	try->owner = owner;
	while ((try = try->from)) {
		if (!try->owner)
			try->owner = owner;
	}
}

static void sim_leaf_claim(const struct sim_record *record, struct sim_claim *claim)
{
	const char *key = sim_member(yyjson_obj_get(record->response, "headers"), "x-k");

	sim_leaf_join(record, claim);
	/* It says that it sent nothing: that is checked where it is alone. */
	if (strcmp(sim_member(record->reason, "sent"), "none") == 0 &&
		!sim_leaf_is_alone(record->instance))
		return;
	for (unsigned i = 0; i < record->n_attempts; i++) {
		bool is_last = i + 1 == record->n_attempts;

		if (is_last && record->response)
			claim->tries[i] =
				sim_resource_key(claim->resource, (uint32_t)strtoul(key, NULL, 10));
		else
			claim->tries[i] =
				sim_resource_during(record, claim->resource, &record->attempts[i]);
		/* It was the leader's; a taken down leader's, of the next. */
		if (claim->tries[i] && record->via != SIM_VIA_DEDUPE &&
			(!claim->tries[i]->owner || (is_last && record->response)))
			sim_try_own(claim->tries[i], record->instance);
	}
	/* Also what was sent again. */
	for (struct sim_try *try = claim->resource ? claim->resource->first : NULL;
		try && sim_leaf_is_alone(record->instance); try = try->next) {
		if (!try->owner)
			try->owner = record->instance;
	}
}

/* -- The request -------------------------------------------------------------------------- */

/* True where it was rejected because it could not be filled in. */
static bool sim_leaf_fill(const struct sim_record *record, struct sim_claim *claim)
{
	const struct sim_instance *leaf = record->instance;
	const char *key = sim_member(yyjson_obj_get(record->response, "headers"), "x-k");
	unsigned hidden[64], n = sim_views(leaf, record->end_us, hidden);

	for (unsigned i = 0; i < n; i++) {
		struct sim_filled filled = sim_fill(&(struct sim_view){leaf, hidden[i]});
		struct sim_resource *resource;

		if (filled.fails) {
			if (sim_codes_has(&filled.codes, record->code))
				return true;
			continue;
		}
		claim->filled[claim->n_filled++] = filled;
		resource = sim_resource_find(
			record->graph, filled.method, filled.target, filled.header);
		if (*key && !sim_resource_key(resource, (uint32_t)strtoul(key, NULL, 10)))
			continue;
		if (!claim->resource)
			claim->resource = resource;
	}
	return false;
}

static bool sim_leaf_sent(const struct sim_filled *filled, const struct sim_try *try)
{
	struct text sent = {try->body, try->body_size};

	if (!try->keeps_body)
		return !try->type && try->body_size == 0;

	if (filled->type && (!try->type || strcmp(try->type, filled->type) != 0))
		return false;
	if (!try->body)
		return true;
	return filled->type && strcmp(filled->type, "application/json") == 0
		       ? sim_json_is_equal(sent, filled->body)
		       : text_equal(sent, filled->body);
}

static void sim_leaf_check_body(const struct sim_claim *claim, const struct sim_try *try)
{
	const struct sim_filled *filled = &claim->filled[0];

	if (!try->is_read)
		return;
	for (unsigned i = 0; i < claim->n_filled; i++) {
		if (sim_leaf_sent(&claim->filled[i], try))
			return;
	}
	sim_fail("%s was sent with %.*s (%s), not %.*s (%s)", try->resource->target,
		(int)(try->body_size < 150 ? try->body_size : 150), try->body ? try->body : "",
		try->type ? try->type : "no type",
		(int)(filled->body.size < 150 ? filled->body.size : 150),
		filled->body.data ? filled->body.data : "",
		filled->type ? filled->type : "no type");
}

/* Of all hops. */
static void sim_leaf_check_bodies(const struct sim_claim *claim, const struct sim_try *try)
{
	for (; try; try = try->from)
		sim_leaf_check_body(claim, try);
}

/* -- The response ------------------------------------------------------------------------- */

/* What was in front of where its descriptor stands, and the body; nothing behind that. */
static void sim_leaf_check_file(const struct sim_record *record, const struct sim_try *try)
{
	const struct sim_file *file = record->instance->node->sink;
	const char *content = file->content.data + file->content.start;
	size_t size = sim_reply_size(try), from = (size_t)file->position;

	if (file->flaw == SIM_FILE_UNFIT)
		sim_fail("%s: its file cannot be written", record->instance->id);
	if (file->content.size != from + size ||
		(from > 0 && memcmp(content, file->before.data, from) != 0) ||
		(size > 0 && memcmp(content + from, try->reply.body, size) != 0))
		sim_fail("%s: its file has not what its origin said", record->instance->id);
}

static void sim_leaf_check_response(const struct sim_record *record, const struct sim_try *try)
{
	const struct sim_node *node = record->instance->node;
	const char *id = record->instance->id;
	size_t size = sim_reply_size(try);
	bool is_streamed = (node->is_streamed || node->sink) && !record->is_rejected;
	bool has_payload = !node->is_omitted && !node->is_discarded && !is_streamed;
	uint64_t bytes = yyjson_get_uint(yyjson_obj_get(record->response, "bytes"));
	const char *url = sim_format("%s%s", try->origin->base, try->resource->target);

	if (yyjson_get_uint(yyjson_obj_get(record->response, "status")) != try->reply.status)
		sim_fail("%s: its record has another status", id);
	if (strcmp(sim_member(record->response, "url"), url) != 0)
		sim_fail("%s: its record has the URL %s, not %s", id,
			sim_member(record->response, "url"), url);
	sim_redirect_check_record(record, try);
	if (node->is_streamed && !record->is_rejected)
		sim_stream_check(record->instance, try, true);
	if (node->sink && !record->is_rejected)
		sim_leaf_check_file(record, try);
	if (bytes != size)
		sim_fail("%s: its record has %llu bytes, its response %zu", id,
			(unsigned long long)bytes, size);
	if (record->payload.size != (has_payload ? size : 0))
		sim_fail("%s: %zu bytes of payload for a body of %zu", id, record->payload.size,
			size);
	if (has_payload && size && memcmp(record->payload.data, try->reply.body, size) != 0)
		sim_fail("%s: its body is not what its origin said", id);
}

/* When the daemon read the graph: as the end of a request says, from now on exactly. */
static void sim_graph_learn_start(struct sim_graph *graph, uint64_t at_ns, uint64_t at_us)
{
	uint64_t accepted_us = at_ns / 1000 - at_us;

	if (!graph->is_accepted_known && accepted_us + SIM_ROUNDING_US < graph->accepted_us)
		sim_fail("graph %llu began before the daemon had read it",
			(unsigned long long)graph->number);
	if (!graph->is_accepted_known)
		graph->accepted_us = accepted_us;
	graph->is_accepted_known = true;
}

/* A response that is whole settles its job then and there. */
static void sim_leaf_check_end(const struct sim_record *record, const struct sim_try *try)
{
	struct sim_graph *graph = record->graph;
	uint64_t slack_us = 0;

	if (!try->is_answered)
		sim_fail("%s: its record shows a response that has not come", record->instance->id);
	/* A file is to be written first. */
	if (record->instance->node->sink && record->code == FAULT_NONE)
		return;
	if (!try->reply.codings[0])
		sim_graph_learn_start(graph, try->answered_ns, record->end_us);
	/* And while its client takes no more, nothing is decoded at all. */
	if (try->reply.codings[0] && record->instance->node->is_streamed)
		return;
	/* What is long is decoded in slices, a turn each. */
	if (try->reply.codings[0] && sim_reply_size(try) > SIM_SLICE_SIZE)
		slack_us = 4 * SIM_LATE_US;
	if (!sim_is_at(record->end_us, sim_graph_us(graph, try->answered_ns), slack_us))
		sim_fail("%s: settled after %llu us, its response was there after %llu",
			record->instance->id, (unsigned long long)record->end_us,
			(unsigned long long)sim_graph_us(graph, try->answered_ns));
}

/* -- Its times ---------------------------------------------------------------------------- */

static uint64_t sim_limit_us(uint64_t ns, uint64_t otherwise_ns)
{
	return (ns ? ns : otherwise_ns) / 1000;
}

/* Nobody is kept waiting beyond a deadline. */
static void sim_leaf_check_times(const struct sim_record *record)
{
	const struct sim_timeouts *timeouts = &record->instance->node->timeouts;
	const struct sim_attempt *first = &record->attempts[0];
	uint64_t slot_us = record->start_us + record->queue_us;
	uint64_t job_us = sim_limit_us(timeouts->job_ns, 60 * NS_PER_S);
	uint64_t attempt_us = sim_limit_us(timeouts->attempt_ns, 30 * NS_PER_S);

	if (record->end_us > slot_us + job_us + SIM_LATE_US)
		sim_fail("%s: settled %llu us after its first slot, its deadline was after %llu",
			record->instance->id, (unsigned long long)(record->end_us - slot_us),
			(unsigned long long)job_us);
	for (unsigned i = 0; i < record->n_attempts; i++) {
		const struct sim_attempt *attempt = &record->attempts[i];

		/* It may have ended long before its job did, in a backoff. */
		if (record->code == FAULT_JOB_TIMEOUT && !record->has_tries)
			continue;
		if (attempt->end_us >
			attempt->start_us + attempt->queue_us + attempt_us + SIM_LATE_US)
			sim_fail("%s: attempt %u took longer than its %llu us",
				record->instance->id, i + 1, (unsigned long long)attempt_us);
	}
	if (timeouts->queue_ns && first->queue_us > timeouts->queue_ns / 1000 + SIM_LATE_US)
		sim_fail("%s: waited %llu us for a slot, it wanted to wait %llu",
			record->instance->id, (unsigned long long)first->queue_us,
			(unsigned long long)timeouts->queue_ns / 1000);
}

bool sim_leaf_is_bounded(const struct sim_record *record)
{
	const struct sim_node *node = record->instance->node;

	for (; node; node = node->parent) {
		if (node->concurrency || node->n_children > SIM_CONCURRENCY / 2)
			return true;
	}
	return sim_model.requests_max != UINT32_MAX ||
	       sim_model.requests_per_origin_max != UINT32_MAX || sim_model.has_pause;
}

/* Where nothing bounds it, a job does not wait. */
static void sim_leaf_check_queue(const struct sim_record *record)
{
	if (sim_leaf_is_bounded(record) || sim_is_hurried(record->graph))
		return;
	for (unsigned i = 0; i < record->n_attempts; i++) {
		if (record->attempts[i].queue_us > 0)
			sim_fail("%s: waited %llu us for a slot, and nothing bounds it",
				record->instance->id,
				(unsigned long long)record->attempts[i].queue_us);
	}
}

/* -- All of it ---------------------------------------------------------------------------- */

static void sim_leaf_check_unsent(const struct sim_record *record, const struct sim_claim *claim)
{
	unsigned n;

	if (!claim->resource || !sim_leaf_is_alone(record->instance))
		return;
	claim->resource->is_alone = true;
	n = claim->resource->n_tries - claim->resource->n_replays;
	if (n > record->n_attempts)
		sim_fail("%s was sent %u times, its record knows of %u attempts",
			record->instance->id, n, record->n_attempts);
}

/* Where several jobs ask for the same, any of their requests may explain it; so may all that it
 * may have asked for. */
static bool sim_leaf_is_explained(
	const struct sim_record *record, const struct sim_claim *claim, unsigned n)
{
	const struct sim_attempt *attempt = &record->attempts[n];

	if (sim_reason_is_fair(record, attempt, claim->tries[n]))
		return true;
	if (!sim_leaf_is_alone(record->instance) && sim_reason_is_fair(record, attempt, NULL))
		return true;
	for (unsigned i = 0; i < claim->n_filled; i++) {
		const struct sim_filled *filled = &claim->filled[i];
		const struct sim_resource *resource = sim_resource_find(
			record->graph, filled->method, filled->target, filled->header);

		if (claim->n_filled == 1 && sim_leaf_is_alone(record->instance))
			break;
		for (uint32_t n_tries = 0; resource && n_tries < sim_model.n_tries; n_tries++) {
			struct sim_try *try = sim_model.tries[n_tries];

			if (sim_redirect_first(try)->resource == resource &&
				sim_try_is_during(record, try, attempt) &&
				sim_reason_is_fair(record, attempt, try))
				return true;
		}
	}
	return false;
}

/* Who shared a flight asked for the same as its leader, and both were willing. */
static void sim_leaf_check_leader(const struct sim_record *record, const struct sim_claim *claim)
{
	const struct sim_instance *leader = record->leader, *leaf = record->instance;
	const char *method = leaf->node->label->method;
	unsigned hidden[64], n;
	bool is_same = false;

	if (!leader)
		return;
	if (leader->node->label != leaf->node->label || !leader->node->dedupes ||
		!leaf->node->dedupes || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
		sim_fail("%s shared a flight of %s, and must not", leaf->id, leader->id);
	n = sim_views(leader, record->end_us, hidden);
	for (unsigned i = 0; i < n; i++) {
		struct sim_filled filled = sim_fill(&(struct sim_view){leader, hidden[i]});

		is_same |= !filled.fails &&
			   claim->resource == sim_resource_find(record->graph, filled.method,
						      filled.target, filled.header);
	}
	if (!is_same)
		sim_fail("%s shared a flight of %s, which asked for something else", leaf->id,
			leader->id);
}

static void sim_leaf_keep(struct sim_record *record, const struct sim_try *try)
{
	struct sim_instance *leaf = record->instance;

	leaf->status = try->reply.status;
	leaf->key = try->key;
	leaf->url = sim_format("%s%s", try->origin->base, try->resource->target);
	if (!leaf->node->is_discarded && (record->is_rejected || !sim_node_is_closed(leaf->node)))
		leaf->body = (struct text){try->reply.body, sim_reply_size(try)};
}

void sim_leaf_take_down(const struct sim_record *record)
{
	struct sim_claim claim = {.n_filled = 0};
	struct sim_resource *resource;

	sim_leaf_fill(record, &claim);
	sim_leaf_join(record, &claim);
	resource = claim.resource;
	if (!sim_leaf_is_alone(record->instance))
		return;
	for (struct sim_try *try = resource ? resource->first : NULL; try; try = try->next) {
		if (!try->owner)
			try->owner = record->instance;
	}
	if (resource)
		resource->is_alone = true;
}

/* What it was to read from was looked at before anything was sent. */
static bool sim_leaf_has_no_source(const struct sim_record *record)
{
	const struct sim_file *source = record->instance->node->source;

	return record->code == FAULT_BODY_SOURCE && source && source->flaw == SIM_FILE_UNFIT;
}

void sim_leaf_judge(struct sim_record *record)
{
	struct sim_instance *leaf = record->instance;
	struct sim_claim claim = {.n_filled = 0};
	struct sim_try *last;
	bool is_answered = record->code == FAULT_NONE || record->code == FAULT_HTTP_STATUS;

	if (sim_leaf_fill(record, &claim))
		return;
	if (claim.n_filled == 0 && record->n_attempts > 0)
		sim_fail("%s ran, though a reference has no value", leaf->id);
	/* It is filled in when it has its slot. */
	if (claim.n_filled == 0 && record->code != FAULT_QUEUE_TIMEOUT &&
		!sim_leaf_has_no_source(record))
		sim_fail("%s: rejected with %s, but a reference has no value", leaf->id,
			sim_code_name(record->code));
	sim_leaf_claim(record, &claim);
	last = record->n_attempts ? claim.tries[record->n_attempts - 1] : NULL;
	if (is_answered && !last)
		sim_fail("%s: its record is of no request for %s", leaf->id,
			claim.n_filled ? claim.filled[0].target : "nothing");
	for (unsigned i = 0; i < record->n_attempts; i++) {
		if (!sim_leaf_is_explained(record, &claim, i))
			sim_fail("%s: attempt %u ended with %s (%s), and nothing explains it",
				leaf->id, i + 1, sim_code_name(record->attempts[i].code),
				sim_member(record->reason, "message"));
		/* It is known to be its own. */
		if (claim.tries[i] &&
			(sim_leaf_is_alone(leaf) || (is_answered && claim.tries[i] == last)))
			sim_leaf_check_bodies(&claim, claim.tries[i]);
	}
	if (record->n_attempts == 0 && record->code != FAULT_QUEUE_TIMEOUT &&
		!sim_leaf_has_no_source(record) && !sim_world.memory_failed)
		sim_fail("%s: %s without an attempt", leaf->id, sim_code_name(record->code));
	sim_leaf_check_leader(record, &claim);
	sim_leaf_check_times(record);
	sim_leaf_check_queue(record);
	sim_leaf_check_unsent(record, &claim);
	sim_retry_judge(record, claim.tries);
	for (unsigned i = 0; i < record->n_attempts; i++)
		sim_slot_note(record, i, claim.tries[i]);
	for (unsigned i = 0; i < record->n_attempts && !last; i++)
		last = claim.tries[i];
	if (record->reason)
		sim_reason_check_sent(record, last);
	if (record->is_rejected && !is_answered && record->n_attempts > 0 &&
		sim_leaf_is_alone(leaf))
		sim_stream_check(leaf, claim.tries[record->n_attempts - 1], false);
	if (!is_answered)
		return;
	last = claim.tries[record->n_attempts - 1];
	sim_leaf_check_end(record, last);
	if (record->via != SIM_VIA_FALLBACK) {
		sim_leaf_check_response(record, last);
		sim_leaf_keep(record, last);
	}
}
