/* SPDX-License-Identifier: MIT */
#include "job/attempt_limit.h"

#include "job/attempt.h"
#include "job/graph.h"
#include "job/scheduler.h"
#include "job/trail.h"
#include "proto/plan.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

/* Seconds on the fake clock. */
#define AT(s) ((s)*NS_PER_S)

/* A fresh attempt that got its slot at second 1000, and the limits of its job. */
static struct scheduler scheduler;
static struct plan_spec spec;
static struct plan_job plan_job;
static struct plan plan;
static struct graph graph;
static struct scope scope;
static struct job job;
static struct conn conn;
static struct attempt attempt;
static struct route route;

static void begin(struct plan_timeouts timeouts)
{
	scheduler.options.dns_timeout_ns = AT(5);
	spec.timeouts = timeouts;
	plan_job.spec = &spec;
	plan.jobs = &plan_job;
	graph.plan = &plan;
	scope.graph = &graph;
	job.scope = &scope;
	job.slot_ns = AT(1000);
	memset(&conn, 0, sizeof(conn));
	memset(&attempt, 0, sizeof(attempt));
	attempt.scheduler = &scheduler;
	attempt.route = &route;
	attempt.job = &job;
	attempt.slot_ns = AT(1000);
}

static const struct plan_timeouts all = {
	.job_ns = AT(100),
	.attempt_ns = AT(50),
	.connect_ns = AT(10),
	.tls_ns = AT(8),
	.first_byte_ns = AT(7),
	.idle_ns = AT(6),
};

static const struct plan_timeouts none = {
	.job_ns = PLAN_NEVER,
	.attempt_ns = PLAN_NEVER,
	.connect_ns = PLAN_NEVER,
	.tls_ns = PLAN_NEVER,
	.first_byte_ns = PLAN_NEVER,
	.idle_ns = PLAN_NEVER,
};

/* Phases, each with what is known in it. Times are seconds; 0: not yet. */
static const struct phase {
	const char *what;
	enum attempt_state state;
	bool has_conn;
	unsigned dialed, resolved, connected, begun, sent, first_byte, active;
	bool has_head;
	enum fault_code code;
	/* After the slot; and without any of the job's limits, 0: never. */
	unsigned at, at_without;
} phases[] = {
	{"no connection yet", ATTEMPT_LEASE, .code = FAULT_ATTEMPT_TIMEOUT, .at = 50},
	{"looking up", ATTEMPT_LEASE, true, 1001, .code = FAULT_DNS_TIMEOUT, .at = 6,
		.at_without = 6},
	{"connecting", ATTEMPT_LEASE, true, 1001, 1002, .code = FAULT_CONNECT_TIMEOUT, .at = 12},
	{"handshaking", ATTEMPT_LEASE, true, 1001, 1002, 1003, .code = FAULT_TLS_TIMEOUT, .at = 11},
	{"sending", ATTEMPT_EXCHANGE, true, 1001, 1002, 1003, 1004, .active = 1004,
		.code = FAULT_IDLE_TIMEOUT, .at = 10},
	{"sending on", ATTEMPT_EXCHANGE, true, 1001, 1002, 1003, 1004, .active = 1007,
		.code = FAULT_IDLE_TIMEOUT, .at = 13},
	{"sent", ATTEMPT_EXCHANGE, true, 1001, 1002, 1003, 1004, 1005, .active = 1005,
		.code = FAULT_FIRST_BYTE_TIMEOUT, .at = 12},
	{"in the head", ATTEMPT_EXCHANGE, true, 1001, 1002, 1003, 1004, 1005, 1006, .active = 1006,
		.code = FAULT_ATTEMPT_TIMEOUT, .at = 50},
	{"in the body", ATTEMPT_EXCHANGE, true, 1001, 1002, 1003, 1004, 1005, 1006, .active = 1008,
		.has_head = true, .code = FAULT_IDLE_TIMEOUT, .at = 14},
	{"answered while sending", ATTEMPT_EXCHANGE, true, 1001, 1002, 1003, 1004, 0, 1006,
		.active = 1006, .has_head = true, .code = FAULT_IDLE_TIMEOUT, .at = 12},
	{"on a reused connection", ATTEMPT_EXCHANGE, true, 900, 900, 900, 1000, 1000,
		.active = 1000, .code = FAULT_FIRST_BYTE_TIMEOUT, .at = 7},
	{"before a replay", ATTEMPT_REPLAY, true, 900, 900, 900, 1000, 1000, .active = 1000,
		.code = FAULT_ATTEMPT_TIMEOUT, .at = 50},
};

static void enter(const struct phase *phase)
{
	attempt.state = phase->state;
	attempt.conn = phase->has_conn ? &conn : NULL;
	conn.times.dialed_ns = AT(phase->dialed);
	conn.times.resolved_ns = AT(phase->resolved);
	conn.times.connected_ns = AT(phase->connected);
	attempt.begun_ns = AT(phase->begun);
	attempt.sent_ns = AT(phase->sent);
	attempt.first_byte_ns = AT(phase->first_byte);
	attempt.active_ns = AT(phase->active);
	attempt.exchange.has_head = phase->has_head;
}

START_TEST(each_phase_has_its_limit)
{
	for (size_t i = 0; i < countof(phases); i++) {
		struct limit limit;

		begin(all);
		enter(&phases[i]);
		limit = attempt_limit(&attempt);
		ck_assert_msg(limit.code == phases[i].code, "%s: %s", phases[i].what,
			fault_name(limit.code));
		ck_assert_msg(limit.deadline_ns == AT(1000 + phases[i].at), "%s: %f s",
			phases[i].what, (double)limit.deadline_ns / 1e9);
		ck_assert_ptr_nonnull(limit.what);
	}
}
END_TEST

START_TEST(what_is_not_limited_never_ends)
{
	for (size_t i = 0; i < countof(phases); i++) {
		uint64_t wanted =
			phases[i].at_without ? AT(1000 + phases[i].at_without) : TIMER_NEVER;

		begin(none);
		enter(&phases[i]);
		ck_assert_msg(attempt_limit(&attempt).deadline_ns == wanted, "%s", phases[i].what);
	}
}
END_TEST

START_TEST(the_earliest_limit_names_the_code_in_each_phase)
{
	for (size_t i = 0; i < countof(phases); i++) {
		struct limit limit;
		struct plan_timeouts timeouts = all;

		timeouts.job_ns = AT(5) + 1;
		begin(timeouts);
		enter(&phases[i]);
		limit = attempt_limit(&attempt);
		ck_assert_msg(limit.code == FAULT_JOB_TIMEOUT, "%s", phases[i].what);
		ck_assert_uint_eq(limit.deadline_ns, AT(1005) + 1);
		ck_assert_uint_eq(limit.length_ns, AT(5) + 1);
		timeouts.attempt_ns = AT(5);
		begin(timeouts);
		enter(&phases[i]);
		limit = attempt_limit(&attempt);
		ck_assert_msg(limit.code == FAULT_ATTEMPT_TIMEOUT, "%s", phases[i].what);
		ck_assert_uint_eq(limit.length_ns, AT(5));
	}
}
END_TEST

START_TEST(of_equal_limits_the_job_s_counts)
{
	struct plan_timeouts timeouts = none;

	timeouts.job_ns = AT(5);
	timeouts.attempt_ns = AT(5);
	begin(timeouts);
	ck_assert_int_eq(attempt_limit(&attempt).code, FAULT_JOB_TIMEOUT);
}
END_TEST

START_TEST(a_limit_of_the_job_alone_ends_nobody_else)
{
	/* When its redirects began; 0: there are none. The attempt has its slot at second 1000. */
	static const struct {
		uint64_t job_ns, trail_ns, deadline_ns;
		bool is_own;
	} cases[] = {
		{PLAN_NEVER, 0, AT(1005), false},
		{PLAN_NEVER, AT(1000), AT(1005), false},
		{PLAN_NEVER, AT(999), AT(1004), true},
		{AT(3), 0, AT(1003), true},
		{AT(3), AT(999), AT(1003), true},
		{AT(6), AT(1000), AT(1005), false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct trail trail = {.slot_ns = cases[i].trail_ns};
		struct plan_timeouts timeouts = none;
		struct limit limit;

		timeouts.job_ns = cases[i].job_ns;
		timeouts.attempt_ns = AT(5);
		begin(timeouts);
		job.trail = cases[i].trail_ns ? &trail : NULL;
		limit = attempt_limit(&attempt);
		ck_assert_uint_eq(limit.deadline_ns, cases[i].deadline_ns);
		ck_assert_msg(limit.is_own == cases[i].is_own, "case %zu", i);
		job.trail = NULL;
	}
}
END_TEST

UNIT_MAIN("job/attempt_limit", &each_phase_has_its_limit, &what_is_not_limited_never_ends,
	&the_earliest_limit_names_the_code_in_each_phase, &of_equal_limits_the_job_s_counts,
	&a_limit_of_the_job_alone_ends_nobody_else)
