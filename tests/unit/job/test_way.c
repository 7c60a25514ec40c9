/* SPDX-License-Identifier: MIT */
#include "job/way.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "net/pool.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

/* A graph of two jobs of which none begins. */
static void begin(const char *a, const char *b, bool insecure_allowed)
{
	struct scheduler_options options = world_options();
	char document[600];

	snprintf(document, sizeof(document),
		"{'jobs':{'s':{'url':'http://192.0.2.99/s'},'a':{'after':['s'],%s},"
		"'b':{'after':['s'],%s}}}",
		a, b);
	options.insecure_allowed = insecure_allowed;
	world_begin_with(&options, BOUND_NONE);
	graph = world_submit(document);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

static struct route *way_of(const char *id, struct fault *ret_fault)
{
	const struct job *job = world_job(graph, id);
	struct buffer memory;
	struct route *route;
	struct url url;

	buffer_init(&memory, SIZE_MAX);
	ck_assert_int_eq(url_parse(job_plan(job)->url, &memory, &url), URL_OK);
	route = way_find(job, &url, ret_fault);
	buffer_deinit(&memory);
	return route;
}

START_TEST(two_jobs_share_a_way_where_all_of_it_is_equal)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"'url':'http://h/x'", "'url':'http://h/y'", true},
		{"'url':'http://h/x'", "'url':'http://h:80/x'", true},
		{"'url':'http://h/x'", "'url':'http://H/x'", true},
		{"'url':'http://h/x'", "'url':'http://h:81/x'", false},
		{"'url':'http://h/x'", "'url':'http://i/x'", false},
		{"'url':'http://h/x'", "'url':'https://h/x'", false},
		{"'url':'http://h/x'", "'url':'https://h:80/x'", false},
		{"'url':'https://h/x'", "'url':'https://h/x','tls':{'insecure':true}", false},
		{"'url':'https://h/x'", "'url':'https://h/x','tls':{'server_name':'i'}", false},
		{"'url':'https://h/x','tls':{'server_name':'i'}",
			"'url':'https://h/x','tls':{'server_name':'i'}", true},
		/* Without TLS it means nothing. */
		{"'url':'http://h/x'", "'url':'http://h/x','tls':{'insecure':true}", true},
		{"'url':'http://h/x'", "'url':'http://h/x','tls':{'server_name':'i'}", true},
		/* An override that is not for this host and port means nothing either. */
		{"'url':'http://h/x'", "'url':'http://h/x','resolve':{'h:80':'192.0.2.1'}", false},
		{"'url':'http://h/x'", "'url':'http://h/x','resolve':{'h:81':'192.0.2.1'}", true},
		{"'url':'http://h/x'", "'url':'http://h/x','resolve':{'i:80':'192.0.2.1'}", true},
		{"'url':'http://h/x','resolve':{'h:80':'192.0.2.1'}",
			"'url':'http://h/x','resolve':{'H:80':['192.0.2.1']}", true},
		{"'url':'http://h/x','resolve':{'h:80':'192.0.2.1'}",
			"'url':'http://h/x','resolve':{'h:80':'192.0.2.2'}", false},
		/* What is asked there, and how often, is no part of it. */
		{"'url':'http://h/x'",
			"'url':'http://h/x','method':'PUT','headers':{'a':'b'},"
			"'timeout':1,'retry':3",
			true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct fault fault;
		struct route *a, *b;

		begin(cases[i].a, cases[i].b, true);
		a = way_of("a", &fault);
		b = way_of("b", &fault);
		ck_assert_ptr_nonnull(a);
		ck_assert_ptr_nonnull(b);
		ck_assert_msg((a == b) == cases[i].same, "%s and %s", cases[i].a, cases[i].b);
		pool_leave(world.pool, a);
		pool_leave(world.pool, b);
		end();
	}
}
END_TEST

START_TEST(it_says_what_a_connection_must_be_like)
{
	struct fault fault;
	struct route *route;

	begin("'url':'https://h:444/x','tls':{'insecure':true,'server_name':'sni.example'},"
	      "'resolve':{'h:444':['192.0.2.1','2001:db8::1']}",
		"'url':'http://192.0.2.7/'", true);
	route = way_of("a", &fault);
	ck_assert(text_is(route->host, "h"));
	ck_assert_uint_eq(route->port, 444);
	ck_assert(route->is_https && route->insecure);
	ck_assert(text_is(route->server_name, "sni.example"));
	ck_assert_uint_eq(route->n_addresses, 2);
	ck_assert_uint_eq(route->share->uid, 1000);
	pool_leave(world.pool, route);
	route = way_of("b", &fault);
	ck_assert(!route->is_https && !route->insecure);
	ck_assert_uint_eq(route->port, 80);
	ck_assert_uint_eq(route->n_addresses, 0);
	pool_leave(world.pool, route);
	end();
}
END_TEST

START_TEST(insecure_is_refused_where_the_daemon_forbids_it)
{
	static const struct {
		const char *keys;
		bool refused;
	} cases[] = {
		{"'url':'https://h/','tls':{'insecure':true}", true},
		{"'url':'https://h/','tls':{'insecure':false}", false},
		{"'url':'https://h/'", false},
		{"'url':'http://h/','tls':{'insecure':true}", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct fault fault = {.code = FAULT_NONE};
		struct route *route;

		begin(cases[i].keys, "'url':'@b'", false);
		route = way_of("a", &fault);
		ck_assert_msg(!route == cases[i].refused, "%s", cases[i].keys);
		if (route)
			pool_leave(world.pool, route);
		else
			ck_assert_int_eq(fault.code, FAULT_POLICY_TLS);
		end();
	}
}
END_TEST

/* Also after another job's way was the last one. */
START_TEST(what_was_known_of_one_job_is_not_taken_for_another)
{
	struct fault fault;
	struct route *a, *b, *again;

	begin("'url':'https://h/x'", "'url':'https://h/x','tls':{'insecure':true}", true);
	a = way_of("a", &fault);
	b = way_of("b", &fault);
	again = way_of("a", &fault);
	ck_assert_ptr_eq(a, again);
	ck_assert_ptr_ne(a, b);
	ck_assert(!a->insecure);
	ck_assert(b->insecure);
	pool_leave(world.pool, a);
	pool_leave(world.pool, b);
	pool_leave(world.pool, again);
	end();
}
END_TEST

UNIT_MAIN("job/way", &two_jobs_share_a_way_where_all_of_it_is_equal,
	&it_says_what_a_connection_must_be_like, &insecure_is_refused_where_the_daemon_forbids_it,
	&what_was_known_of_one_job_is_not_taken_for_another)
