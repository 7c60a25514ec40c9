/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* "100-199,404;" and the words. */
static void assert_on(const struct plan_retry *retry, const char *wanted)
{
	char line[256] = "";
	size_t at = 0;

	if (retry->on_network)
		at += (size_t)snprintf(line + at, sizeof(line) - at, "network ");
	if (retry->on_timeout)
		at += (size_t)snprintf(line + at, sizeof(line) - at, "timeout ");
	for (uint32_t i = 0; i < retry->n_on; i++)
		at += (size_t)snprintf(
			line + at, sizeof(line) - at, "%u-%u ", retry->on[i].from, retry->on[i].to);
	ck_assert_str_eq(line, wanted);
}

/* The defaults of 2.7, which both `"retry": 3` and `{}` mean. */
START_TEST(a_number_and_an_object_have_the_same_defaults)
{
	static const char *const cases[] = {"'retry':3", "'retry':{}", "'retry':{'attempts':3}"};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i]);
		const struct plan_retry *retry = plan->jobs[0].spec->retry;

		ck_assert_uint_eq(retry->attempts, 3);
		ck_assert_uint_eq(retry->backoff, PLAN_BACKOFF_EXPONENTIAL);
		ck_assert_uint_eq(retry->jitter, PLAN_JITTER_FULL);
		ck_assert_uint_eq(retry->delay_ns, UINT64_C(200000000));
		ck_assert_uint_eq(retry->max_delay_ns, UINT64_C(10000000000));
		assert_on(retry, "network timeout 408-408 425-425 429-429 500-500 502-504 ");
		ck_assert(retry->retry_after && !retry->unsafe);
		ck_assert_ptr_null(plan->jobs[1].spec->retry);
		plan_free(plan);
	}
}
END_TEST

START_TEST(reads_every_key_of_retry)
{
	struct plan *plan = document_plan_of_job(
		"'retry':{'attempts':7,'backoff':'linear','delay':'1s','max_delay':2,"
		"'jitter':'equal','on':['timeout',404,'500-503, 599'],'retry_after':false,"
		"'unsafe':true}");
	const struct plan_retry *retry = plan->jobs[0].spec->retry;

	ck_assert_uint_eq(retry->attempts, 7);
	ck_assert_uint_eq(retry->backoff, PLAN_BACKOFF_LINEAR);
	ck_assert_uint_eq(retry->jitter, PLAN_JITTER_EQUAL);
	ck_assert_uint_eq(retry->delay_ns, UINT64_C(1000000000));
	ck_assert_uint_eq(retry->max_delay_ns, UINT64_C(2000000000));
	assert_on(retry, "timeout 404-404 500-503 599-599 ");
	ck_assert(!retry->retry_after && retry->unsafe);
	plan_free(plan);

	plan = document_plan_of_job(
		"'retry':{'backoff':'fixed','jitter':'none','delay':0,'on':'network'}");
	retry = plan->jobs[0].spec->retry;
	ck_assert_uint_eq(retry->backoff, PLAN_BACKOFF_FIXED);
	ck_assert_uint_eq(retry->jitter, PLAN_JITTER_NONE);
	ck_assert_uint_eq(retry->delay_ns, 0);
	assert_on(retry, "network ");
	plan_free(plan);
}
END_TEST

START_TEST(one_attempt_is_no_retry)
{
	static const char *const cases[] = {"'retry':1", "'retry':{'attempts':1,'delay':1}"};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i]);

		ck_assert_ptr_null(plan->jobs[0].spec->retry);
		plan_free(plan);
	}
}
END_TEST

/* Who writes a long delay alone did not mean it cut to the longest one; who writes both did. */
START_TEST(the_longest_delay_is_not_shorter_than_the_first_unless_it_says_so)
{
	struct plan *plan = document_plan_of_job("'retry':{'delay':'30s'}");

	ck_assert_uint_eq(plan->jobs[0].spec->retry->max_delay_ns, UINT64_C(30000000000));
	plan_free(plan);
	plan = document_plan_of_job("'retry':{'delay':'30s','max_delay':'20s'}");
	ck_assert_uint_eq(plan->jobs[0].spec->retry->max_delay_ns, UINT64_C(20000000000));
	plan_free(plan);
}
END_TEST

START_TEST(refuses_bad_retries)
{
	static const struct refusal bad[] = {
		{"'retry':0", FAULT_GRAPH_VALUE, "/retry", "from 1 on"},
		{"'retry':-1", FAULT_GRAPH_VALUE, "/retry", "from 1 on"},
		{"'retry':1.5", FAULT_GRAPH_VALUE, "/retry", "whole"},
		{"'retry':true", FAULT_GRAPH_TYPE, "/retry", "a number of attempts or an object"},
		{"'retry':'3'", FAULT_GRAPH_TYPE, "/retry", "not a string"},
		{"'retry':{'attempts':0}", FAULT_GRAPH_VALUE, "/retry/attempts", "from 1 on"},
		{"'retry':{'attempts':'3'}", FAULT_GRAPH_TYPE, "/retry/attempts", "a number"},
		{"'retry':{'atempts':3}", FAULT_GRAPH_KEY, "/retry/atempts",
			"did you mean \"attempts\"?"},
		{"'retry':{'backoff':'exponental'}", FAULT_GRAPH_VALUE, "/retry/backoff",
			"must be \"exponential\", \"linear\" or \"fixed\", not \"exponental\""},
		{"'retry':{'backoff':2}", FAULT_GRAPH_TYPE, "/retry/backoff",
			"\"fixed\", not a number"},
		{"'retry':{'jitter':'half'}", FAULT_GRAPH_VALUE, "/retry/jitter",
			"must be \"full\", \"equal\" or \"none\", not \"half\""},
		{"'retry':{'jitter':false}", FAULT_GRAPH_TYPE, "/retry/jitter", "not a boolean"},
		{"'retry':{'delay':'200'}", FAULT_GRAPH_VALUE, "/retry/delay", "no duration"},
		{"'retry':{'delay':[]}", FAULT_GRAPH_TYPE, "/retry/delay", "seconds"},
		{"'retry':{'max_delay':'x'}", FAULT_GRAPH_VALUE, "/retry/max_delay", "no duration"},
		{"'retry':{'on':[]}", FAULT_GRAPH_VALUE, "/retry/on", "there is no status"},
		{"'retry':{'on':['net']}", FAULT_GRAPH_VALUE, "/retry/on/0",
			"nor \"network\" or \"timeout\""},
		{"'retry':{'on':[99]}", FAULT_GRAPH_VALUE, "/retry/on/0", "from 100 to 999"},
		{"'retry':{'on':['503-500']}", FAULT_GRAPH_VALUE, "/retry/on/0", "range"},
		{"'retry':{'on':[null]}", FAULT_GRAPH_TYPE, "/retry/on/0", "a status"},
		{"'retry':{'on':true}", FAULT_GRAPH_TYPE, "/retry/on", "a status"},
		{"'retry':{'retry_after':1}", FAULT_GRAPH_TYPE, "/retry/retry_after", "a boolean"},
		{"'retry':{'unsafe':'yes'}", FAULT_GRAPH_TYPE, "/retry/unsafe", "a boolean"},
	};

	document_job_refusals(bad, countof(bad));
}
END_TEST

UNIT_MAIN("proto/document_retry", &a_number_and_an_object_have_the_same_defaults,
	&reads_every_key_of_retry, &one_attempt_is_no_retry,
	&the_longest_delay_is_not_shorter_than_the_first_unless_it_says_so, &refuses_bad_retries)
