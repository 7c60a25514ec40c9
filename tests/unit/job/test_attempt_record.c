/* SPDX-License-Identifier: MIT */
#include "job/attempt_record.h"

#include "job/attempt_private.h"
#include "job/trail.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

/* A copy of an attempt on the wire, of which nothing is known yet. */
static struct attempt begin(void)
{
	struct attempt attempt;

	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	attempt = *world_job(graph, "a")->attempt;
	attempt.conn = NULL;
	attempt.state = ATTEMPT_JOIN;
	attempt.lease_ns = 0;
	attempt.begun_ns = 0;
	attempt.sent_ns = 0;
	return attempt;
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

START_TEST(whether_the_peer_may_have_had_it)
{
	enum { OWN, STREAM };
	static const struct {
		uint64_t begun_ns, sent_ns;
		int way;
		enum h2_sent of_stream;
		/* Of the requests before. */
		enum record_sent before;
		bool has_head;
		enum record_sent sent;
	} cases[] = {
		{.sent = RECORD_SENT_NONE},
		{.begun_ns = 1, .sent = RECORD_SENT_PARTIAL},
		{.begun_ns = 1, .sent_ns = 2, .sent = RECORD_SENT_FULL},
		{.begun_ns = 1, .has_head = true, .sent = RECORD_SENT_FULL},
		/* What a hop before had, or what was sent again. */
		{.before = RECORD_SENT_PARTIAL, .sent = RECORD_SENT_PARTIAL},
		{.before = RECORD_SENT_FULL, .sent = RECORD_SENT_FULL},
		{.begun_ns = 1, .before = RECORD_SENT_FULL, .sent = RECORD_SENT_FULL},
		/* It never left the codec. */
		{.begun_ns = 1, .way = STREAM, .sent = RECORD_SENT_NONE},
		{.begun_ns = 1,
			.way = STREAM,
			.before = RECORD_SENT_PARTIAL,
			.sent = RECORD_SENT_PARTIAL},
		{.begun_ns = 1,
			.way = STREAM,
			.of_stream = H2_SENT_PARTIAL,
			.sent = RECORD_SENT_PARTIAL},
		{.begun_ns = 1,
			.way = STREAM,
			.of_stream = H2_SENT_FULL,
			.sent = RECORD_SENT_PARTIAL},
		{.begun_ns = 1,
			.sent_ns = 2,
			.way = STREAM,
			.of_stream = H2_SENT_FULL,
			.sent = RECORD_SENT_FULL},
	};
	struct attempt attempt = begin();
	/* Only whether there is one matters. */
	char mux;

	for (size_t i = 0; i < countof(cases); i++) {
		attempt.begun_ns = cases[i].begun_ns;
		attempt.sent_ns = cases[i].sent_ns;
		attempt.sent_before = cases[i].before;
		attempt.exchange.has_head = cases[i].has_head;
		attempt.stream.sent = cases[i].of_stream;
		attempt.mux_user.mux = cases[i].way == STREAM ? (struct mux *)&mux : NULL;
		ck_assert_msg(attempt_sent(&attempt) == cases[i].sent, "%zu: %d", i,
			attempt_sent(&attempt));
	}
	end();
}
END_TEST

static uint32_t count_attempts(const struct attempt *attempt)
{
	struct record record = {0};

	attempt_record(attempt, attempt->job, &record);
	return record.attempts;
}

/* Also where the connection that it awaited with others has failed, and is gone. */
START_TEST(an_attempt_counts_from_its_wish_for_a_connection)
{
	struct attempt attempt = begin();
	struct trail trail = {.n_hops = 1};

	ck_assert_uint_eq(count_attempts(&attempt), 0);
	attempt.lease_ns = 1;
	ck_assert_uint_eq(count_attempts(&attempt), 1);
	/* Its first request was sent, whatever comes of this one. */
	attempt.lease_ns = 0;
	attempt.job->trail = &trail;
	ck_assert_uint_eq(count_attempts(&attempt), 1);
	attempt.job->trail = NULL;
	end();
}
END_TEST

UNIT_MAIN("job/attempt_record", &whether_the_peer_may_have_had_it,
	&an_attempt_counts_from_its_wish_for_a_connection)
