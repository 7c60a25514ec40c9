/* SPDX-License-Identifier: MIT */
#include "job/retry.h"

#include "util/clock.h"
#include "util/container.h"

#include "tests/unit/unit.h"

#define NOW_NS (1000 * NS_PER_S)

static const struct plan_range statuses[] = {
	{408, 408}, {425, 425}, {429, 429}, {500, 500}, {502, 504}};

/* What "retry": 3 means. */
static const struct plan_retry three = {
	.attempts = 3,
	.delay_ns = 200 * NS_PER_MS,
	.max_delay_ns = 10 * NS_PER_S,
	.on_network = true,
	.on_timeout = true,
	.on = statuses,
	.n_on = countof(statuses),
	.retry_after = true,
};

/* A first attempt that was refused its connection. */
static struct retry_question ask(const struct plan_retry *retry)
{
	return (struct retry_question){
		.retry = retry,
		.n_attempts = 1,
		.code = FAULT_CONNECT_REFUSED,
		.is_idempotent = true,
		.now_ns = NOW_NS,
		.deadline_ns = UINT64_MAX,
		.retry_after_ns = RETRY_AFTER_NONE,
		.retry_after_max_ns = 300 * NS_PER_S,
		.has_budget = true,
	};
}

static void expect_again(const struct retry_question *question, uint64_t delay_ns)
{
	struct retry_answer answer = retry_decide(question);

	ck_assert_msg(answer.again, "stopped for %d", answer.stopped);
	ck_assert_int_eq(answer.stopped, RECORD_STOPPED_NONE);
	ck_assert_uint_eq(answer.delay_ns, delay_ns);
}

static void expect_stopped(const struct retry_question *question, enum record_stopped stopped)
{
	struct retry_answer answer = retry_decide(question);

	ck_assert(!answer.again);
	ck_assert_int_eq(answer.stopped, stopped);
}

/* Whatever is to be tried again: it need not have asked for a part. */
START_TEST(a_refused_part_is_wanted_whole)
{
	static const struct plan_retry timeouts = {.attempts = 3, .on_timeout = true};
	struct retry_question question = ask(&timeouts);

	question.code = FAULT_HTTP_STATUS;
	question.status = 416;
	expect_stopped(&question, RECORD_STOPPED_POLICY);
	question.is_part_refused = true;
	expect_again(&question, 0);
	question.code = FAULT_HTTP_FRAMING;
	question.status = 0;
	expect_again(&question, 0);
	question.n_attempts = 3;
	expect_stopped(&question, RECORD_STOPPED_ATTEMPTS);
	question.retry = NULL;
	expect_stopped(&question, RECORD_STOPPED_NONE);
}
END_TEST

START_TEST(where_none_was_allowed_none_was_stopped)
{
	struct plan_retry one = three;
	struct retry_question question = ask(NULL);

	expect_stopped(&question, RECORD_STOPPED_NONE);
	one.attempts = 1;
	question.retry = &one;
	expect_stopped(&question, RECORD_STOPPED_NONE);
	question.code = FAULT_CERT_EXPIRED;
	expect_stopped(&question, RECORD_STOPPED_NONE);
}
END_TEST

START_TEST(which_failures_are_tried_again)
{
	/* Which of the words in "on" covers it. */
	enum { NEITHER, NETWORK, TIMEOUT };
	static const struct {
		enum fault_code code;
		int kind;
	} cases[] = {
		{FAULT_DNS_NOT_FOUND, NEITHER},
		{FAULT_DNS_TEMPORARY, NETWORK},
		{FAULT_DNS_TIMEOUT, TIMEOUT},
		{FAULT_CONNECT_REFUSED, NETWORK},
		{FAULT_CONNECT_UNREACHABLE, NETWORK},
		{FAULT_CONNECT_TIMEOUT, TIMEOUT},
		{FAULT_CONNECT_RESET, NETWORK},
		{FAULT_CONNECT_LOCAL, NETWORK},
		{FAULT_PROXY_CONNECT, NETWORK},
		{FAULT_TLS_HANDSHAKE, NEITHER},
		{FAULT_TLS_TIMEOUT, TIMEOUT},
		{FAULT_CERT_UNTRUSTED, NEITHER},
		{FAULT_SEND_FAILED, NETWORK},
		{FAULT_EMPTY_REPLY, NETWORK},
		{FAULT_FIRST_BYTE_TIMEOUT, TIMEOUT},
		{FAULT_IDLE_TIMEOUT, TIMEOUT},
		{FAULT_ATTEMPT_TIMEOUT, TIMEOUT},
		{FAULT_RECV_RESET, NETWORK},
		{FAULT_BODY_TRUNCATED, NETWORK},
		{FAULT_JOB_TIMEOUT, NEITHER},
		{FAULT_GROUP_TIMEOUT, NEITHER},
		{FAULT_GRAPH_TIMEOUT, NEITHER},
		{FAULT_QUEUE_TIMEOUT, NEITHER},
		{FAULT_CANCELLED, NEITHER},
		{FAULT_HTTP_PARSE, NEITHER},
		{FAULT_BODY_TOO_LARGE, NEITHER},
		{FAULT_REF_MISSING, NEITHER},
		{FAULT_INTERNAL, NEITHER},
		{FAULT_SHUTDOWN, NEITHER},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		for (int on = 0; on < 4; on++) {
			struct plan_retry retry = three;
			struct retry_question question = ask(&retry);
			bool again;

			retry.on_network = on & NETWORK;
			retry.on_timeout = on & TIMEOUT;
			question.code = cases[i].code;
			again = on & cases[i].kind;
			ck_assert_msg(retry_decide(&question).again == again, "%s with %d",
				fault_name(cases[i].code), on);
			if (!again)
				expect_stopped(&question, RECORD_STOPPED_POLICY);
		}
	}
}
END_TEST

START_TEST(which_statuses_are_tried_again)
{
	static const struct {
		uint16_t status;
		bool again;
	} cases[] = {
		{404, false},
		{408, true},
		{409, false},
		{429, true},
		{500, true},
		{501, false},
		{502, true},
		{503, true},
		{504, true},
		{505, false},
	};
	struct retry_question question = ask(&three);

	question.code = FAULT_HTTP_STATUS;
	question.sent = RECORD_SENT_FULL;
	for (size_t i = 0; i < countof(cases); i++) {
		question.status = cases[i].status;
		ck_assert_msg(
			retry_decide(&question).again == cases[i].again, "%u", cases[i].status);
	}
}
END_TEST

START_TEST(what_may_have_been_done_is_not_done_twice)
{
	static const struct {
		enum record_sent sent;
		bool is_idempotent, unsafe, again;
	} cases[] = {
		{RECORD_SENT_NONE, true, false, true},
		{RECORD_SENT_NONE, false, false, true},
		{RECORD_SENT_PARTIAL, true, false, true},
		{RECORD_SENT_PARTIAL, false, false, false},
		{RECORD_SENT_FULL, true, false, true},
		{RECORD_SENT_FULL, false, false, false},
		{RECORD_SENT_FULL, false, true, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_retry retry = three;
		struct retry_question question = ask(&retry);
		struct retry_answer answer;

		retry.unsafe = cases[i].unsafe;
		question.code = FAULT_RECV_RESET;
		question.sent = cases[i].sent;
		question.is_idempotent = cases[i].is_idempotent;
		answer = retry_decide(&question);
		ck_assert_msg(answer.again == cases[i].again, "case %zu", i);
		ck_assert_int_eq(answer.stopped,
			answer.again ? RECORD_STOPPED_NONE : RECORD_STOPPED_NOT_IDEMPOTENT);
	}
}
END_TEST

/* Everything speaks against it; one after the other is put right. */
START_TEST(the_first_reason_against_it_is_named)
{
	struct retry_question question = ask(&three);

	question.code = FAULT_HTTP_PARSE;
	question.n_attempts = 3;
	question.sent = RECORD_SENT_FULL;
	question.is_idempotent = false;
	question.has_budget = false;
	question.deadline_ns = NOW_NS;
	expect_stopped(&question, RECORD_STOPPED_POLICY);
	question.code = FAULT_RECV_RESET;
	expect_stopped(&question, RECORD_STOPPED_ATTEMPTS);
	question.n_attempts = 2;
	expect_stopped(&question, RECORD_STOPPED_NOT_IDEMPOTENT);
	question.is_idempotent = true;
	expect_stopped(&question, RECORD_STOPPED_BUDGET);
	question.has_budget = true;
	expect_stopped(&question, RECORD_STOPPED_DEADLINE);
	question.deadline_ns = NOW_NS + 1;
	expect_again(&question, 0);
}
END_TEST

START_TEST(the_backoff_grows_as_its_kind_says_up_to_its_limit)
{
	static const struct {
		enum plan_backoff backoff;
		uint64_t delay_ms, max_ms;
		uint32_t n_attempts;
		uint64_t expected_ms;
	} cases[] = {
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 1, 200},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 2, 400},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 3, 800},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 6, 6400},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 7, 10000},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 64, 10000},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, 65, 10000},
		{PLAN_BACKOFF_EXPONENTIAL, 200, 10000, UINT32_MAX - 1, 10000},
		{PLAN_BACKOFF_EXPONENTIAL, 0, 10000, 100, 0},
		{PLAN_BACKOFF_LINEAR, 200, 10000, 1, 200},
		{PLAN_BACKOFF_LINEAR, 200, 10000, 2, 400},
		{PLAN_BACKOFF_LINEAR, 200, 10000, 3, 600},
		{PLAN_BACKOFF_LINEAR, 200, 10000, 51, 10000},
		{PLAN_BACKOFF_LINEAR, UINT64_C(10000000000), 10000, UINT32_MAX - 1, 10000},
		{PLAN_BACKOFF_FIXED, 200, 10000, 1, 200},
		{PLAN_BACKOFF_FIXED, 200, 10000, 50, 200},
		{PLAN_BACKOFF_FIXED, 200, 100, 1, 100},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_retry retry = three;
		struct retry_question question = ask(&retry);

		retry.attempts = UINT32_MAX;
		retry.jitter = PLAN_JITTER_NONE;
		retry.backoff = cases[i].backoff;
		retry.delay_ns = cases[i].delay_ms * NS_PER_MS;
		retry.max_delay_ns = cases[i].max_ms * NS_PER_MS;
		question.n_attempts = cases[i].n_attempts;
		question.random = UINT64_MAX;
		expect_again(&question, cases[i].expected_ms * NS_PER_MS);
	}
}
END_TEST

START_TEST(jitter_spreads_over_all_of_it_or_its_second_half)
{
	static const struct {
		enum plan_jitter jitter;
		uint64_t random, expected;
	} cases[] = {
		{PLAN_JITTER_FULL, 0, 0},
		{PLAN_JITTER_FULL, UINT64_C(1) << 63, 500},
		{PLAN_JITTER_FULL, UINT64_MAX, 1000},
		{PLAN_JITTER_EQUAL, 0, 500},
		{PLAN_JITTER_EQUAL, UINT64_C(1) << 63, 750},
		{PLAN_JITTER_EQUAL, UINT64_MAX, 1000},
		{PLAN_JITTER_NONE, 0, 1000},
		{PLAN_JITTER_NONE, UINT64_MAX, 1000},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_retry retry = three;
		struct retry_question question = ask(&retry);

		retry.delay_ns = 1000;
		retry.jitter = cases[i].jitter;
		question.random = cases[i].random;
		expect_again(&question, cases[i].expected);
	}
}
END_TEST

START_TEST(the_longest_backoff_there_is_can_be_spread)
{
	struct plan_retry retry = three;
	struct retry_question question = ask(&retry);

	retry.delay_ns = UINT64_MAX;
	retry.max_delay_ns = UINT64_MAX;
	question.random = UINT64_MAX;
	expect_again(&question, UINT64_MAX);
	question.random = 12345;
	expect_again(&question, 12345);
}
END_TEST

START_TEST(what_the_server_asks_for_wins)
{
	struct plan_retry retry = three;
	struct retry_question question = ask(&retry);

	retry.jitter = PLAN_JITTER_NONE;
	question.code = FAULT_HTTP_STATUS;
	question.status = 503;
	question.sent = RECORD_SENT_FULL;
	expect_again(&question, 200 * NS_PER_MS);
	question.retry_after_ns = 20 * NS_PER_S;
	expect_again(&question, 20 * NS_PER_S);
	question.retry_after_ns = 0;
	expect_again(&question, 0);
	question.retry_after_ns = 3600 * NS_PER_S;
	expect_again(&question, 300 * NS_PER_S);
	retry.retry_after = false;
	expect_again(&question, 200 * NS_PER_MS);
}
END_TEST

START_TEST(no_backoff_begins_that_ends_too_late)
{
	static const struct {
		uint64_t deadline_ms;
		bool again;
	} cases[] = {
		{0, false},
		{199, false},
		{200, false},
		{201, true},
	};
	struct plan_retry retry = three;

	retry.jitter = PLAN_JITTER_NONE;
	for (size_t i = 0; i < countof(cases); i++) {
		struct retry_question question = ask(&retry);

		question.deadline_ns = NOW_NS + cases[i].deadline_ms * NS_PER_MS;
		if (cases[i].again)
			expect_again(&question, 200 * NS_PER_MS);
		else
			expect_stopped(&question, RECORD_STOPPED_DEADLINE);
	}
}
END_TEST

UNIT_MAIN("job/retry", &a_refused_part_is_wanted_whole, &where_none_was_allowed_none_was_stopped,
	&which_failures_are_tried_again, &which_statuses_are_tried_again,
	&what_may_have_been_done_is_not_done_twice, &the_first_reason_against_it_is_named,
	&the_backoff_grows_as_its_kind_says_up_to_its_limit,
	&jitter_spreads_over_all_of_it_or_its_second_half,
	&the_longest_backoff_there_is_can_be_spread, &what_the_server_asks_for_wins,
	&no_backoff_begins_that_ends_too_late)
