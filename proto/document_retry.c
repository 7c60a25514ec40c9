/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/container.h"

/*
 * `retry`: a number of attempts in all, or an object whose missing members are those of a number.
 */

#define DOCUMENT_RETRY_ATTEMPTS 3

enum {
	DOCUMENT_ON_NETWORK,
	DOCUMENT_ON_TIMEOUT,
};

/* What passes by itself (RFC 9110 section 15): the client was too slow or too early, or too fast;
 * the server fell over, or a gateway did. */
static const struct plan_range document_retry_on[] = {
	{408, 408}, {425, 425}, {429, 429}, {500, 500}, {502, 504}};

static const struct plan_retry document_base_retry = {
	.attempts = DOCUMENT_RETRY_ATTEMPTS,
	.backoff = PLAN_BACKOFF_EXPONENTIAL,
	.jitter = PLAN_JITTER_FULL,
	.delay_ns = UINT64_C(200000000),
	.max_delay_ns = UINT64_C(10000000000),
	.on_network = true,
	.on_timeout = true,
	.on = document_retry_on,
	.n_on = countof(document_retry_on),
	.retry_after = true,
};

static void document_read_attempts(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_count(document, value, at, &job->retry.attempts);
}

static void document_read_backoff(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("exponential"), PLAN_BACKOFF_EXPONENTIAL},
		{TEXT_INIT("linear"), PLAN_BACKOFF_LINEAR},
		{TEXT_INIT("fixed"), PLAN_BACKOFF_FIXED},
		{{NULL, 0}, 0},
	};
	int backoff = document_read_word(document, value, at, words);

	if (backoff >= 0)
		job->retry.backoff = (enum plan_backoff)backoff;
}

static void document_read_jitter(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("full"), PLAN_JITTER_FULL},
		{TEXT_INIT("equal"), PLAN_JITTER_EQUAL},
		{TEXT_INIT("none"), PLAN_JITTER_NONE},
		{{NULL, 0}, 0},
	};
	int jitter = document_read_word(document, value, at, words);

	if (jitter >= 0)
		job->retry.jitter = (enum plan_jitter)jitter;
}

static void document_read_first_delay(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_delay(document, value, at, &job->retry.delay_ns);
}

static void document_read_max_delay(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_delay(document, value, at, &job->retry.max_delay_ns);
}

static void document_read_on(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("network"), DOCUMENT_ON_NETWORK},
		{TEXT_INIT("timeout"), DOCUMENT_ON_TIMEOUT},
		{{NULL, 0}, 0},
	};
	struct document_statuses statuses = {.words = words};

	if (!document_read_statuses(document, value, at, &statuses))
		return;
	job->retry.on = statuses.ranges;
	job->retry.n_on = statuses.n;
	job->retry.on_network = statuses.seen & 1u << DOCUMENT_ON_NETWORK;
	job->retry.on_timeout = statuses.seen & 1u << DOCUMENT_ON_TIMEOUT;
}

static void document_read_retry_after(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bool(document, value, at, &job->retry.retry_after);
}

static void document_read_unsafe(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bool(document, value, at, &job->retry.unsafe);
}

/* A longest delay that nobody wrote is no shorter than the one that was. */
static void document_check_delays(struct plan_retry *retry, bool says_max)
{
	if (!says_max && retry->delay_ns > retry->max_delay_ns)
		retry->max_delay_ns = retry->delay_ns;
}

static void document_read_retry_object(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_key keys[] = {
		{TEXT_INIT("max_delay"), document_read_max_delay, 0},
		{TEXT_INIT("attempts"), document_read_attempts, 0},
		{TEXT_INIT("backoff"), document_read_backoff, 0},
		{TEXT_INIT("delay"), document_read_first_delay, 0},
		{TEXT_INIT("jitter"), document_read_jitter, 0},
		{TEXT_INIT("on"), document_read_on, 0},
		{TEXT_INIT("retry_after"), document_read_retry_after, 0},
		{TEXT_INIT("unsafe"), document_read_unsafe, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	uint64_t seen = document_read_object(document, &schema, value, job, at);

	document_check_delays(&job->retry, seen & 1);
}

void document_read_retry(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct plan_retry *retry;

	job->retry = document_base_retry;
	job->spec.retry = NULL;
	if (json_number(value).data)
		document_read_attempts(document, job, value, at);
	else if (yyjson_is_obj(value))
		document_read_retry_object(document, job, value, at);
	else
		document_refuse_type(document, at, value, "a number of attempts or an object");
	if (job->retry.attempts == 1)
		return;
	retry = document_alloc(document, 1, sizeof(*retry));
	if (!retry)
		return;
	*retry = job->retry;
	job->spec.retry = retry;
}
