/* SPDX-License-Identifier: MIT */
#include "job/retry.h"

#include "util/panic.h"

/*
 * The reasons against come in one order, and the first that holds is the answer: so a person who
 * reads `stopped` knows what to change next. Whether there is time is the last, because it alone
 * needs the length of the backoff, and that is thrown.
 */

/* A limit of one attempt has passed. Those of a job, a group, a graph and a queue are none. */
static bool retry_is_timeout(enum fault_code code)
{
	switch (code) {
	case FAULT_DNS_TIMEOUT:
	case FAULT_CONNECT_TIMEOUT:
	case FAULT_TLS_TIMEOUT:
	case FAULT_FIRST_BYTE_TIMEOUT:
	case FAULT_IDLE_TIMEOUT:
	case FAULT_ATTEMPT_TIMEOUT: return true;
	default: return false;
	}
}

static bool retry_is_network(enum fault_code code)
{
	if (retry_is_timeout(code) || code == FAULT_JOB_TIMEOUT)
		return false;
	switch (fault_class(code)) {
	/* A name that does not exist will not exist in a second either. */
	case FAULT_CLASS_DNS: return code == FAULT_DNS_TEMPORARY;
	case FAULT_CLASS_CONNECT:
	case FAULT_CLASS_PROXY:
	case FAULT_CLASS_EXCHANGE: return true;
	default: return false;
	}
}

static bool retry_has_status(const struct plan_retry *retry, uint16_t status)
{
	for (uint32_t i = 0; i < retry->n_on; i++) {
		if (status >= retry->on[i].from && status <= retry->on[i].to)
			return true;
	}
	return false;
}

static bool retry_is_wanted(const struct retry_question *question)
{
	const struct plan_retry *retry = question->retry;

	if (question->is_part_refused)
		return true;
	if (question->code == FAULT_HTTP_STATUS)
		return retry_has_status(retry, question->status);
	return (retry->on_timeout && retry_is_timeout(question->code)) ||
	       (retry->on_network && retry_is_network(question->code));
}

static uint64_t retry_multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* How long the backoff may be behind that many attempts. */
static uint64_t retry_cap(const struct plan_retry *retry, uint32_t n_attempts)
{
	uint64_t factor = 1, cap;

	if (retry->backoff == PLAN_BACKOFF_EXPONENTIAL)
		factor = n_attempts > 64 ? UINT64_MAX : UINT64_C(1) << (n_attempts - 1);
	else if (retry->backoff == PLAN_BACKOFF_LINEAR)
		factor = n_attempts;
	cap = retry_multiply(retry->delay_ns, factor);
	return cap < retry->max_delay_ns ? cap : retry->max_delay_ns;
}

/* From 0 to `most`, evenly. */
static uint64_t retry_spread(uint64_t random, uint64_t most)
{
	unsigned __int128 n = (unsigned __int128)most + 1;

	return (uint64_t)((n * random) >> 64);
}

static uint64_t retry_backoff(const struct retry_question *question)
{
	const struct plan_retry *retry = question->retry;
	uint64_t cap = retry_cap(retry, question->n_attempts);

	switch (retry->jitter) {
	case PLAN_JITTER_FULL: return retry_spread(question->random, cap);
	case PLAN_JITTER_EQUAL: return cap / 2 + retry_spread(question->random, cap - cap / 2);
	case PLAN_JITTER_NONE: return cap;
	}
	unreachable("a jitter of no kind");
}

static uint64_t retry_delay(const struct retry_question *question)
{
	if (!question->retry->retry_after || question->retry_after_ns == RETRY_AFTER_NONE)
		return retry_backoff(question);
	return question->retry_after_ns < question->retry_after_max_ns
		       ? question->retry_after_ns
		       : question->retry_after_max_ns;
}

/* An attempt that begins at its deadline has no time either. */
static bool retry_has_time(const struct retry_question *question, uint64_t delay_ns)
{
	if (question->deadline_ns == UINT64_MAX)
		return true;
	return question->now_ns < question->deadline_ns &&
	       delay_ns < question->deadline_ns - question->now_ns;
}

static struct retry_answer retry_stop(enum record_stopped stopped)
{
	return (struct retry_answer){.stopped = stopped};
}

struct retry_answer retry_decide(const struct retry_question *question)
{
	const struct plan_retry *retry = question->retry;
	uint64_t delay_ns;

	expect(question->n_attempts > 0);
	if (!retry || retry->attempts <= 1)
		return retry_stop(RECORD_STOPPED_NONE);
	if (!retry_is_wanted(question))
		return retry_stop(RECORD_STOPPED_POLICY);
	if (question->n_attempts >= retry->attempts)
		return retry_stop(RECORD_STOPPED_ATTEMPTS);
	if (question->sent != RECORD_SENT_NONE && !question->is_idempotent && !retry->unsafe)
		return retry_stop(RECORD_STOPPED_NOT_IDEMPOTENT);
	if (!question->has_budget)
		return retry_stop(RECORD_STOPPED_BUDGET);
	delay_ns = retry_delay(question);
	if (!retry_has_time(question, delay_ns))
		return retry_stop(RECORD_STOPPED_DEADLINE);
	return (struct retry_answer){.again = true, .delay_ns = delay_ns};
}
