/* SPDX-License-Identifier: MIT */
#include "settled.h"

#include <errno.h>
#include <sys/resource.h>

#include "limit.h"
#include "tests/unit/daemon/settled_world.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

#define DRAIN_NS (30 * NS_PER_S)

/* A connected client with that document as graph 1. */
static int submit(const char *document)
{
	int fd = settled_world_connect();

	client_submit(fd, 1, document);
	return fd;
}

START_TEST(is_made_and_freed_without_use)
{
	ck_assert_int_eq(settled_new(fake_ring_begin(), &settled_options_default, &settled), 0);
	ck_assert(settled_is_idle(settled));
	ck_assert(settled_has_no_session(settled));
	ck_assert_ptr_null(settled_free(settled));
	ck_assert_ptr_null(settled_free(NULL));
	fake_ring_end();
}
END_TEST

START_TEST(runs_a_graph_over_an_adopted_session)
{
	int fd;

	settled_world_begin();
	fd = submit("{'jobs':{'a':{'url':'http://named.test/a'}}}");
	ck_assert(!settled_has_no_session(settled));
	ck_assert(!settled_is_idle(settled));
	fake_lookup_answer("named.test", "192.0.2.9");
	fake_run();
	world_answer("/a", "200 OK", "hi");
	client_assert_heard(fd, "1:accepted 1:settled 1:done");
	client_assert(fd, 1, "/settled/conn/remote", "192.0.2.9:80");
	ck_assert(text_is(client_payload(fd, 1), "hi"));
	client_close(fd);
	ck_assert(settled_has_no_session(settled));
	settled_world_end();
}
END_TEST

START_TEST(listens_until_it_drains)
{
	int listener, fd;

	settled_world_begin();
	listener = fake_descriptor(0);
	settled_listen(settled, listener);
	fd = fake_descriptor(1234);
	fake_complete_more(FAKE_ACCEPT, listener, fd);
	client_say(fd, "{'status':{}}");
	client_assert_heard(fd, "status");
	client_close(fd);
	/* It has no session, and is not idle: it listens. */
	ck_assert(settled_has_no_session(settled));
	ck_assert(!settled_is_idle(settled));
	settled_drain(settled);
	fake_run();
	ck_assert_ptr_null(fake_find(FAKE_ACCEPT, listener));
	ck_assert(settled_is_idle(settled));
	/* Its owner's. */
	ck_assert(fake_is_open(listener));
	ring_close_forget(settled->ring, listener);
	settled_world_end();
}
END_TEST

/* Bounds from the options. */

START_TEST(requests_in_flight_have_a_bound)
{
	struct settled_options options = settled_options_default;
	int fd;

	options.requests_max = 2;
	settled_world_begin_with(&options);
	fd = submit("{'jobs':{'a':{'url':'http://192.0.2.1/a'},'b':{'url':'http://192.0.2.2/b'},"
		    "'c':{'url':'http://192.0.2.3/c'}}}");
	ck_assert_int_ge(world_find("/b"), 0);
	ck_assert_int_lt(world_find("/c"), 0);
	world_answer("/a", "200 OK", "");
	ck_assert_int_ge(world_find("/c"), 0);
	client_close(fd);
	settled_world_end();
}
END_TEST

START_TEST(requests_to_one_origin_have_a_bound)
{
	struct settled_options options = settled_options_default;
	int fd;

	options.requests_per_origin_max = 1;
	settled_world_begin_with(&options);
	fd = submit("{'jobs':{'a':{'url':'http://192.0.2.1/a'},'b':{'url':'http://192.0.2.1/b'},"
		    "'c':{'url':'http://192.0.2.3/c'}}}");
	ck_assert_int_lt(world_find("/b"), 0);
	ck_assert_int_ge(world_find("/c"), 0);
	world_answer("/a", "200 OK", "");
	ck_assert_int_ge(world_find("/b"), 0);
	client_close(fd);
	settled_world_end();
}
END_TEST

START_TEST(sessions_have_a_bound)
{
	struct settled_options options = settled_options_default;
	int fd;

	options.sessions_max = 1;
	settled_world_begin_with(&options);
	settled_world_connect();
	fd = fake_descriptor(1000);
	ck_assert_int_eq(settled_adopt(settled, fd, 1000), -EMFILE);
	ck_assert(!fake_is_open(fd));
	settled_world_end();
}
END_TEST

START_TEST(jobs_and_lines_have_a_bound)
{
	struct settled_options options = settled_options_default;
	int fd;

	options.jobs_max = 1;
	options.line_max = 100;
	settled_world_begin_with(&options);
	fd = submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	client_assert(fd, 0, "/refused/errors/0/code", "GRAPH_TOO_LARGE");
	client_say(fd, "{'hello':{}}");
	client_assert(fd, 1, "/hello/limits/line", "100");
	client_assert(fd, 1, "/hello/limits/jobs", "1");
	client_submit(fd, 2,
		"{'jobs':{'a':{'url':'@a/path/that/makes/the/line/longer/than/it/"
		"may/be/and/that/is/all/it/does'}}}");
	client_assert_heard(fd, "1:refused hello error");
	settled_world_end();
}
END_TEST

START_TEST(an_unverified_peer_may_be_forbidden)
{
	struct settled_options options = settled_options_default;
	int fd;

	options.insecure_allowed = false;
	settled_world_begin_with(&options);
	fd = submit("{'jobs':{'a':{'url':'https://192.0.2.1/','tls':{'insecure':true}}}}");
	client_assert_heard(fd, "1:accepted 1:settled 1:done");
	client_assert(fd, 1, "/settled/reason/code", "POLICY_TLS");
	settled_world_end();
}
END_TEST

static bool find_secret(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	ck_assert_ptr_eq(context, &settled);
	ck_assert_uint_eq(uid, 1000);
	ck_assert(text_is(host, "192.0.2.1"));
	*ret_value = TEXT("s3cret");
	return text_is(name, "TOKEN");
}

START_TEST(secrets_come_from_their_source)
{
	struct settled_options options = settled_options_default;
	struct text request;
	int fd;

	options.secrets = (struct secret_source){find_secret, &settled};
	settled_world_begin_with(&options);
	fd = submit("{'jobs':{'a':{'url':'@a','headers':{'x-key':'{{secret.TOKEN}}'}},"
		    "'b':{'url':'@b','headers':{'x-key':'{{secret.OTHER}}'}}}}");
	client_assert(fd, 1, "/settled/job", "b");
	client_assert(fd, 1, "/settled/reason/code", "SECRET_UNKNOWN");
	request = world_request("/a");
	ck_assert_ptr_nonnull(memmem(request.data, request.size, "s3cret", 6));
	settled_world_end();
}
END_TEST

START_TEST(names_are_remembered_as_long_as_the_options_say)
{
	struct settled_options options = settled_options_default;
	const char *document = "{'jobs':{'a':{'url':'http://named.test/a'}}}";
	int fd;

	options.dns_positive_ns = 2 * NS_PER_S;
	options.dns_negative_ns = NS_PER_S;
	settled_world_begin_with(&options);
	fd = settled_world_connect();
	client_submit(fd, 1, document);
	fake_lookup_fail("named.test", FAULT_DNS_NOT_FOUND);
	fake_run();
	client_assert(fd, 1, "/settled/reason/code", "DNS_NOT_FOUND");
	client_submit(fd, 2, document);
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	fake_pass(NS_PER_S + NS_PER_MS);
	client_submit(fd, 3, document);
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	fake_lookup_answer("named.test", "192.0.2.9");
	fake_run();
	fake_pass(NS_PER_S + NS_PER_MS);
	client_submit(fd, 4, document);
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	fake_pass(NS_PER_S);
	client_submit(fd, 5, document);
	ck_assert_uint_eq(fake_lookup_n_asked(), 3);
	fake_lookup_answer("named.test", "192.0.2.9");
	settled_world_end();
}
END_TEST

START_TEST(a_lookup_that_takes_too_long_is_given_up)
{
	struct settled_options options = settled_options_default;
	int fd;

	options.dns_timeout_ns = 3 * NS_PER_S;
	settled_world_begin_with(&options);
	fd = submit("{'jobs':{'a':{'url':'http://named.test/a'}}}");
	fake_pass(3 * NS_PER_S - NS_PER_MS);
	client_assert_heard(fd, "1:accepted");
	fake_pass(2 * NS_PER_MS);
	client_assert(fd, 1, "/settled/reason/code", "DNS_TIMEOUT");
	fake_lookup_answer("named.test", "192.0.2.9");
	settled_world_end();
}
END_TEST

START_TEST(idle_connections_are_kept_as_the_options_say)
{
	struct settled_options options = settled_options_default;
	int fds[2], client;

	options.idle_max = 1;
	options.idle_timeout_ns = 7 * NS_PER_S;
	settled_world_begin_with(&options);
	client = submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	fds[0] = world_fd("/a");
	fds[1] = world_fd("/b");
	world_answer("/a", "200 OK", "");
	world_answer("/b", "200 OK", "");
	ck_assert_uint_eq(fake_is_open(fds[0]) + fake_is_open(fds[1]), 1);
	fake_pass(7 * NS_PER_S - NS_PER_MS);
	ck_assert_uint_eq(fake_is_open(fds[0]) + fake_is_open(fds[1]), 1);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(fake_is_open(fds[0]) + fake_is_open(fds[1]), 0);
	ck_assert(fake_is_open(client));
	settled_world_end();
}
END_TEST

/* Descriptors there are, sessions and requests as of the options: the requests at once. */
static const struct bound_case {
	rlim_t descriptors;
	uint32_t sessions_max, requests_max, bound, passed;
} bound_cases[] = {
	{1000, 100, UINT32_MAX, 1000 - 100 - LIMIT_DESCRIPTORS_RESERVED - 250, 250},
	{1000, 100, 500, 500, 250},
	{1000, 100, 999, 1000 - 100 - LIMIT_DESCRIPTORS_RESERVED - 250, 250},
	/* Half of them at least, however many sessions may come. */
	{1000, 5000, UINT32_MAX, 500, 250},
	{1000, UINT32_MAX, UINT32_MAX, 500, 250},
	{128, 128, UINT32_MAX, 64, 32},
	/* A graph with as many as there can be is taken on wherever there are a thousand. */
	{1024, 1024, UINT32_MAX, 512, 256},
};

START_TEST(requests_are_no_more_than_descriptors_allow)
{
	struct rlimit before, limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < sizeof(bound_cases) / sizeof(bound_cases[0]); i++) {
		const struct bound_case *at = &bound_cases[i];
		struct settled_options options = settled_options_default;

		options.sessions_max = at->sessions_max;
		options.requests_max = at->requests_max;
		limit = (struct rlimit){at->descriptors, before.rlim_max};
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		settled_world_begin_with(&options);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		ck_assert_msg(settled->scheduler.requests.limit == at->bound,
			"case %zu: %u requests", i, settled->scheduler.requests.limit);
		ck_assert_uint_eq(settled->front.passed.n_max, at->passed);
		settled_world_end();
	}
}
END_TEST

/* Draining. */

START_TEST(drain_lets_graphs_finish_and_then_is_idle)
{
	int busy, idle;

	settled_world_begin();
	busy = submit("{'jobs':{'a':{'url':'@a'}}}");
	idle = settled_world_connect();
	settled_drain(settled);
	fake_pass(DRAIN_NS / 2);
	ck_assert(!fake_is_open(idle));
	client_submit(busy, 2, "{'jobs':{}}");
	ck_assert(!settled_is_idle(settled));
	world_answer("/a", "200 OK", "hi");
	client_assert_heard(busy, "1:accepted 2:refused 1:settled 1:done");
	client_assert(busy, 2, "/settled/status", "fulfilled");
	/* Its connection is not kept either. */
	ck_assert(settled_is_idle(settled));
	/* The timeout that is still armed goes with it. */
	settled = settled_free(settled);
	fake_ring_end();
}
END_TEST

START_TEST(drain_closes_idle_connections)
{
	int fd;

	settled_world_begin();
	fd = submit("{'jobs':{'a':{'url':'@a'}}}");
	world_answer("/a", "200 OK", "hi");
	client_close(fd);
	ck_assert(settled_has_no_session(settled));
	ck_assert(!settled_is_idle(settled));
	settled_drain(settled);
	fake_run();
	ck_assert(settled_is_idle(settled));
	ck_assert_uint_eq(fake_n_open(), 0);
	settled = settled_free(settled);
	fake_ring_end();
}
END_TEST

START_TEST(what_has_not_finished_in_time_is_shut_down)
{
	int fd;

	settled_world_begin();
	fd = submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	settled_drain(settled);
	fake_pass(DRAIN_NS - NS_PER_MS);
	client_assert_heard(fd, "1:accepted");
	fake_pass(3 * NS_PER_MS);
	client_assert_heard(fd, "1:accepted 1:decided 1:settled 1:settled 1:done");
	client_assert(fd, 2, "/settled/reason/code", "SHUTDOWN");
	client_assert(fd, 3, "/settled/reason/code", "SHUTDOWN");
	ck_assert(!fake_is_open(fd));
	ck_assert(settled_is_idle(settled));
	settled_world_end();
}
END_TEST

START_TEST(drained_twice_it_shuts_down_at_once)
{
	int fd;

	settled_world_begin();
	fd = submit("{'jobs':{'a':{'url':'@a'}}}");
	settled_drain(settled);
	fake_pass(NS_PER_S);
	client_assert_heard(fd, "1:accepted");
	settled_drain(settled);
	fake_pass(NS_PER_MS);
	client_assert_heard(fd, "1:accepted 1:decided 1:settled 1:done");
	client_assert(fd, 2, "/settled/reason/code", "SHUTDOWN");
	/* And again, which changes nothing. */
	settled_drain(settled);
	fake_pass(NS_PER_MS);
	ck_assert(settled_is_idle(settled));
	settled_world_end();
}
END_TEST

START_TEST(a_reader_that_reads_nothing_does_not_hold_up_the_end)
{
	int fd;

	settled_world_begin();
	fd = submit("{'jobs':{'a':{'url':'@a'}}}");
	fake_holds.sends = true;
	settled_drain(settled);
	fake_pass(DRAIN_NS + NS_PER_S);
	ck_assert(fake_is_open(fd));
	fake_pass(10 * NS_PER_S);
	ck_assert(!fake_is_open(fd));
	ck_assert(settled_is_idle(settled));
	settled_world_end();
}
END_TEST

/* Failing. */

START_TEST(without_memory_nothing_is_left_behind)
{
	unsigned n = 0;
	bool has_failed;

	do {
		struct ring *ring = fake_ring_begin();
		int r;

		settled = NULL;
		memory_fail_after(n++);
		r = settled_new(ring, &settled_options_default, &settled);
		has_failed = memory_has_failed();
		ck_assert_int_eq(r, has_failed ? -ENOMEM : 0);
		ck_assert((settled == NULL) == has_failed);
		settled_free(settled);
		fake_ring_end();
	} while (has_failed);
	/* The daemon itself, the resolver, the store, and the pool. */
	ck_assert_uint_gt(n, 4);
}
END_TEST

UNIT_MAIN("daemon/settled", &is_made_and_freed_without_use, &runs_a_graph_over_an_adopted_session,
	&listens_until_it_drains, &requests_in_flight_have_a_bound,
	&requests_to_one_origin_have_a_bound, &sessions_have_a_bound, &jobs_and_lines_have_a_bound,
	&an_unverified_peer_may_be_forbidden, &secrets_come_from_their_source,
	&names_are_remembered_as_long_as_the_options_say, &a_lookup_that_takes_too_long_is_given_up,
	&idle_connections_are_kept_as_the_options_say, &requests_are_no_more_than_descriptors_allow,
	&drain_lets_graphs_finish_and_then_is_idle, &drain_closes_idle_connections,
	&what_has_not_finished_in_time_is_shut_down, &drained_twice_it_shuts_down_at_once,
	&a_reader_that_reads_nothing_does_not_hold_up_the_end,
	&without_memory_nothing_is_left_behind)
