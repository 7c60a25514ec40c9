/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "http/retry_after.h"
#include "job/attempt_record.h"
#include "job/resume.h"
#include "job/retry.h"
#include "job/template.h"
#include "job/trail.h"
#include "job/trial.h"
#include "net/share.h"
#include "util/clock.h"

/*
 * Whether what failed is tried again. The rules are job/retry's; here they are asked, with what
 * the response says, what the origin may still bear, and what the job has been through.
 */

static bool status_asks_for_pause(uint16_t status)
{
	return status == 429 || status == 503;
}

/* What the response asks for, where the job listens to that. */
static uint64_t attempt_retry_after(const struct attempt *attempt, const struct plan_spec *spec)
{
	const struct response_head *head = &attempt->exchange.head;
	uint64_t after_ns;

	if (!attempt->exchange.has_head || (spec->retry && !spec->retry->retry_after))
		return RETRY_AFTER_NONE;
	for (uint32_t i = 0; i < head->n_headers; i++) {
		if (text_equal_nocase(head->headers[i].name, TEXT("retry-after")) &&
			retry_after_parse(head->headers[i].value,
				(int64_t)(clock_unix_ns() / NS_PER_S), &after_ns))
			return after_ns;
	}
	return RETRY_AFTER_NONE;
}

void attempt_pause_origin(struct attempt *attempt)
{
	struct scheduler *scheduler = attempt->scheduler;
	uint64_t after_ns;

	if (!attempt->exchange.has_head || !status_asks_for_pause(attempt->exchange.head.status))
		return;
	after_ns = attempt_retry_after(attempt, job_plan(attempt->job)->spec);
	if (after_ns == RETRY_AFTER_NONE || after_ns == 0)
		return;
	if (after_ns > scheduler->options.retry_after_max_ns)
		after_ns = scheduler->options.retry_after_max_ns;
	share_pause(scheduler->pool, attempt->route->share, attempt_now(attempt) + after_ns);
}

static bool job_is_idempotent(const struct job *job)
{
	static const struct text methods[] = {TEXT_INIT("GET"), TEXT_INIT("HEAD"), TEXT_INIT("PUT"),
		TEXT_INIT("DELETE"), TEXT_INIT("OPTIONS"), TEXT_INIT("TRACE")};
	const struct plan_fields *headers = &job_plan(job)->spec->headers;
	/* Another attempt begins with the first request. */
	struct text method = template_first_method(job);

	for (size_t i = 0; i < countof(methods); i++) {
		if (text_equal(method, methods[i]))
			return true;
	}
	for (uint32_t i = 0; i < headers->n; i++) {
		if (text_equal_nocase(headers->fields[i].name, TEXT("idempotency-key")))
			return true;
	}
	return false;
}

/* The job's own deadline, or an earlier one of what is around it. */
static uint64_t job_deadline(const struct job *job)
{
	uint64_t above = job_deadline_above(job);
	uint64_t length = job_plan(job)->spec->timeouts.job_ns;

	return length < above - job->slot_ns ? job->slot_ns + length : above;
}

/* A fifth of what goes there may be repetitions, and a few in any case. */
#define BUDGET_FLOOR 3

static bool share_has_budget(struct share *share, uint64_t now_ns)
{
	uint64_t allowed = rate_count(&share->sent, now_ns) / 5;

	return rate_count(&share->repeated, now_ns) <
	       (allowed > BUDGET_FLOOR ? allowed : BUDGET_FLOOR);
}

/* The rest of what its file has was asked for, and a response came that is not of the moment and
 * not that: whoever does not give parts may still give the whole. */
static bool attempt_is_part_refused(
	const struct attempt *attempt, const struct job *job, const struct attempt_result *result)
{
	if (!trial_resume(job->trial, attempt->url.text) || !attempt->exchange.has_head ||
		attempt->store.is_open)
		return false;
	return result->fault->code == FAULT_HTTP_FRAMING ||
	       (result->fault->code == FAULT_HTTP_STATUS && !result->retryable);
}

static struct retry_answer attempt_ask_retry(
	const struct attempt *attempt, const struct job *job, const struct attempt_result *result)
{
	struct scheduler *scheduler = attempt->scheduler;
	const struct plan_spec *spec = job_plan(job)->spec;
	uint64_t now_ns = attempt_now(attempt);
	enum record_sent sent = attempt_sent(attempt);
	struct retry_question question = {
		.retry = spec->retry,
		.n_attempts = (job->trial ? job->trial->n_attempts : 0) + 1,
		.code = result->fault->code,
		.status = result->show_response ? attempt->exchange.head.status : 0,
		.is_part_refused = attempt_is_part_refused(attempt, job, result),
		.sent = job->trial && job->trial->sent > sent ? job->trial->sent : sent,
		.is_idempotent = job_is_idempotent(job),
		.now_ns = now_ns,
		.deadline_ns = job_deadline(job),
		.retry_after_ns = attempt_retry_after(attempt, spec),
		.retry_after_max_ns = scheduler->options.retry_after_max_ns,
		.has_budget = share_has_budget(attempt->route->share, now_ns),
		.random = random_next(&scheduler->random),
	};

	return retry_decide(&question);
}

bool attempt_note_try(
	const struct attempt *attempt, struct job *job, const struct attempt_result *result)
{
	struct record_try one = {.code = FAULT_NONE};
	struct record record;
	uint64_t turn_ns;

	attempt_record(attempt, job, &record);
	one.time = record.time;
	if (result->fault)
		one.code = result->fault->code;
	if (result->show_response)
		one.status = record.response.status;
	if (!job->trial) {
		job->trial = trial_new();
		if (!job->trial)
			return false;
		job->trial->queue_ns = record.time.queue;
	}
	turn_ns = job->trail ? job->trail->turn_ns : job->turn_ns;
	one.time.start = turn_ns - attempt->graph->accepted_ns;
	one.time.queue = (job->trail ? job->trail->slot_ns : job->held_ns) - turn_ns;
	trial_add(job->trial, &one, attempt_sent(attempt));
	return true;
}

void attempt_count(struct attempt *attempt, const struct job *job)
{
	attempt->graph->sum_ns += attempt_now(attempt) - job->held_ns;
}

/* False: its client has had a piece of the body already, or the request's body is read and gone. */
static bool attempt_is_repeatable(const struct attempt *attempt)
{
	return !attempt->has_given &&
	       (!attempt->source.is_open || source_can_rewind(&attempt->source));
}

/* What its file has of the response, for the next attempt to go on with. One that was decoded on
 * its way has another length than what would be asked for; and a part must be a result. */
static void attempt_note_part(
	const struct attempt *attempt, struct job *job, const struct attempt_result *result)
{
	const struct exchange *exchange = &attempt->exchange;

	/* It did not come so far: what there was is still there. */
	if (!attempt->store.is_open && !attempt_is_part_refused(attempt, job, result))
		return;
	trial_begin_anew(job->trial);
	if (attempt->store.is_open && !exchange->decode && template_may_resume(job) &&
		attempt_status_is_ok(job_plan(job)->spec, 206))
		job->trial->resume = resume_new(
			&exchange->head, attempt->url.text, store_written(&attempt->store));
}

bool attempt_try_again(struct attempt *attempt, struct job *job,
	const struct attempt_result *result, enum record_stopped *ret_stopped)
{
	struct retry_answer answer = attempt_ask_retry(attempt, job, result);

	if (answer.again && !attempt_is_repeatable(attempt))
		answer = (struct retry_answer){.stopped = RECORD_STOPPED_POLICY};
	*ret_stopped = answer.stopped;
	if (!answer.again || job_is_ended(job) || !attempt_note_try(attempt, job, result))
		return false;
	attempt_note_part(attempt, job, result);
	attempt_count(attempt, job);
	rate_add(&attempt->route->share->repeated, attempt_now(attempt));
	attempt->scheduler->counters.retries++;
	job_back_off(job, answer.delay_ns);
	return true;
}
