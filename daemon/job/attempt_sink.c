/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "job/attempt_record.h"
#include "job/name.h"
#include "job/resume.h"
#include "job/trail.h"
#include "job/trial.h"

/*
 * Where a response's body goes is decided when its head has come: that of a redirect that will be
 * followed nowhere; that of a response that fulfils its job to where the job says; that of any
 * other into its record, because a client that streams or stores wants what it asked for, and not
 * an error page.
 *
 * Who takes pieces may be full: a client that reads slowly, a file on a slow disk. Then the
 * exchange holds, and nothing more is received.
 */

/* An error's body in a record, where the job's own limit is for what it streams or stores. */
#define SINK_ERROR_BYTES_MAX (16u * 1024 * 1024)

static struct attempt *attempt_of_exchange(struct exchange *exchange)
{
	return container_of(exchange, struct attempt, exchange);
}

/* The head. */

/* How much of the response the file has already. False: exchange->fault. */
static bool attempt_resume_at(struct attempt *attempt, uint64_t *ret_offset)
{
	const struct resume *resume = trial_resume(attempt->job->trial, attempt->url.text);
	struct exchange *exchange = &attempt->exchange;

	*ret_offset = 0;
	if (!resume)
		return true;
	switch (resume_answer(resume, &exchange->head)) {
	case RESUME_BEGINS_ANEW: return true;
	case RESUME_GOES_ON:
		*ret_offset = resume->offset;
		exchange->body_bytes = resume->offset;
		exchange->decodes = false;
		return true;
	case RESUME_WRONG: break;
	}
	fault_set(&exchange->fault, FAULT_HTTP_FRAMING,
		"it is not the part of the response that was asked for");
	return false;
}

static bool attempt_open_store(struct attempt *attempt)
{
	struct fault *fault = &attempt->exchange.fault;
	uint32_t n = attempt_spec(attempt)->output_fd;
	struct descriptor *descriptor = descriptors_find(attempt->graph->descriptors, n);
	uint64_t offset;

	if (!attempt_resume_at(attempt, &offset))
		return false;
	if (descriptor)
		return store_open(
			&attempt->store, &attempt->scheduler->stores, descriptor, offset, fault);
	fault_set(fault, FAULT_SINK_WRITE, "no descriptor %u was passed", n);
	return false;
}

/* Of a response that is the job's result. */
static bool attempt_choose_output(struct attempt *attempt)
{
	struct exchange *exchange = &attempt->exchange;
	const struct plan_spec *spec = attempt_spec(attempt);
	enum plan_output output = spec->output;

	if ((output == PLAN_STREAM || output == PLAN_FILE) &&
		!attempt_status_is_ok(spec, exchange->head.status)) {
		output = PLAN_INLINE;
		if (exchange->body_bytes_max > SINK_ERROR_BYTES_MAX)
			exchange->body_bytes_max = SINK_ERROR_BYTES_MAX;
	}
	switch (output) {
	case PLAN_INLINE: exchange->to = EXCHANGE_KEEP; return true;
	case PLAN_DISCARD: exchange->to = EXCHANGE_DROP; return true;
	case PLAN_STREAM: exchange->to = EXCHANGE_GIVE; return true;
	case PLAN_FILE: exchange->to = EXCHANGE_GIVE; return attempt_open_store(attempt);
	}
	unreachable("an output of another kind");
}

static bool attempt_on_exchange_head(struct exchange *exchange)
{
	struct attempt *attempt = attempt_of_exchange(exchange);

	attempt->is_hop = trail_wants(attempt_spec(attempt), &exchange->head);
	if (!attempt->is_hop)
		return attempt_choose_output(attempt);
	exchange->to = EXCHANGE_DROP;
	exchange->decodes = false;
	exchange->body_bytes_max = UINT64_MAX;
	return true;
}

/* Pieces. */

static void attempt_give(struct attempt *attempt, struct text piece)
{
	struct graph *graph = attempt->graph;
	uint64_t offset = attempt->exchange.body_bytes - piece.size;

	attempt->has_given = true;
	graph->owner->events->on_chunk(
		graph, job_name(attempt->job, attempt->scheduler->names.job), offset, piece);
	attempt->exchange.is_full = graph->is_paused;
}

static bool attempt_on_exchange_piece(struct exchange *exchange, const char *data, size_t size)
{
	struct attempt *attempt = attempt_of_exchange(exchange);

	if (!attempt->store.is_open) {
		/* Until its client takes it, it is held like any other. */
		if (!exchange_may_hold(exchange, size))
			return exchange_fail_room(exchange);
		attempt_give(attempt, (struct text){data, size});
		return true;
	}
	if (!store_take(&attempt->store, data, size)) {
		fault_set(&exchange->fault, FAULT_OVERLOADED, "no memory for the file");
		return false;
	}
	exchange->is_full = store_is_full(&attempt->store);
	return true;
}

const struct exchange_events attempt_exchange_events = {
	.on_head = attempt_on_exchange_head,
	.on_piece = attempt_on_exchange_piece,
};

/* The end. */

void attempt_complete(struct attempt *attempt)
{
	if (!attempt->store.is_open) {
		attempt_on_response(attempt);
		return;
	}
	attempt_enter(attempt, ATTEMPT_STORE);
	store_finish(&attempt->store);
}

/* What the file tells. */

static struct attempt *attempt_of(struct store *store)
{
	return container_of(store, struct attempt, store);
}

static void attempt_on_room(struct store *store)
{
	struct attempt *attempt = attempt_of(store);

	attempt->active_ns = attempt_now(attempt);
	attempt_resume(attempt);
}

static void attempt_on_finished(struct store *store)
{
	attempt_on_response(attempt_of(store));
}

static void attempt_on_store_fault(struct store *store, const struct fault *fault)
{
	attempt_reject(attempt_of(store), fault);
}

static void attempt_on_store_closed(struct store *store)
{
	attempt_joined(attempt_of(store));
}

const struct store_events attempt_store_events = {
	.on_room = attempt_on_room,
	.on_finished = attempt_on_finished,
	.on_fault = attempt_on_store_fault,
	.on_closed = attempt_on_store_closed,
};
