/* SPDX-License-Identifier: MIT */
#include "job/known.h"

#include "net/pool.h"
#include "util/container.h"

#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"

/* Two URLs of one document: the second as the first left it known. */
START_TEST(cuts_up_what_begins_as_the_last_one)
{
	static const struct {
		const char *first, *second;
		bool is_known;
	} cases[] = {
		{"http://a.example/1", "http://a.example/2?q=%20", true},
		{"http://a.example:81/1", "http://a.example:81/2", true},
		{"https://a.example/1", "https://a.example/2", true},
		{"http://[::1]:8080/", "http://[::1]:8080/x", true},
		{"http://a.example/", "http://a.example/", true},
		/* Another origin, however alike. */
		{"http://a.example/1", "https://a.example/2", false},
		{"http://a.example/1", "http://a.example:81/2", false},
		{"http://a.example:8/1", "http://a.example:80/2", false},
		{"http://a.example/1", "http://a.example.evil/2", false},
		{"http://a.example/1", "http://a.example@evil/2", false},
		/* Not in normal form. */
		{"http://A.example/1", "http://A.example/2", false},
		{"http://a.example:80/1", "http://a.example:80/2", false},
		{"http://a.example/1", "http://a.example/2#x", false},
		{"http://a.example/1", "http://a.example/\xc3\xa4", false},
		{"http://a.example/1", "http://a.example?x", false},
		{"http://a.example/1", "http://a.example", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text first = text_from(cases[i].first), second = text_from(cases[i].second);
		struct url url, known_one, parsed;
		struct known known = {0};
		struct buffer out;

		world_begin();
		buffer_init(&out, 4096);
		ck_assert_int_eq(url_parse(first, &out, &url), URL_OK);
		known_learn_url(&known, world.pool, first, &url);
		ck_assert_msg(known_url(&known, second, &known_one) == cases[i].is_known, "%s",
			cases[i].second);
		if (cases[i].is_known) {
			buffer_clear(&out);
			ck_assert_int_eq(url_parse(second, &out, &parsed), URL_OK);
			ck_assert(text_equal(known_one.text, parsed.text));
			ck_assert(text_equal(known_one.host, parsed.host));
			ck_assert(text_equal(known_one.authority, parsed.authority));
			ck_assert(text_equal(known_one.target, parsed.target));
			ck_assert_uint_eq(known_one.port, parsed.port);
			ck_assert_int_eq(known_one.is_https, parsed.is_https);
			ck_assert_int_eq(known_one.is_ipv6, parsed.is_ipv6);
		}
		known_forget(&known, world.pool);
		buffer_deinit(&out);
		world_end();
	}
}
END_TEST

START_TEST(a_route_is_known_for_its_origin_and_spec_alone)
{
	struct text text = TEXT("http://a.example/1"), other_text = TEXT("http://b.example/");
	struct route_key key = {.port = 80, .host = TEXT("a.example")};
	struct plan_spec spec = {0}, other_spec = {0};
	struct known known = {0};
	struct url url, other;
	struct buffer out;
	struct route *route;

	world_begin();
	buffer_init(&out, 4096);
	ck_assert_int_eq(url_parse(text, &out, &url), URL_OK);
	ck_assert(known_learn_url(&known, world.pool, text, &url));
	ck_assert(known_url(&known, text, &url));
	route = pool_route(world.pool, &key);
	ck_assert_ptr_null(known_route(&known, &url, &spec));
	known_learn_route(&known, world.pool, &url, route, &spec);
	ck_assert_uint_eq(route->n_users, 2);
	ck_assert_ptr_eq(known_route(&known, &url, &spec), route);
	ck_assert_ptr_null(known_route(&known, &url, &other_spec));
	ck_assert_int_eq(url_parse(other_text, &out, &other), URL_OK);
	ck_assert_ptr_null(known_route(&known, &other, &spec));
	/* A route for another URL is not learnt. */
	known_learn_route(&known, world.pool, &other, route, &other_spec);
	ck_assert_uint_eq(route->n_users, 2);
	known_forget(&known, world.pool);
	ck_assert_uint_eq(route->n_users, 1);
	pool_leave(world.pool, route);
	buffer_deinit(&out);
	world_end();
}
END_TEST

START_TEST(jobs_of_one_graph_go_where_each_says)
{
	struct world_graph *graph;

	world_begin();
	graph = world_submit("{'concurrency':1,'jobs':{'a':{'url':'http://192.0.2.1/a'},"
			     "'b':{'url':'http://192.0.2.1/b'},"
			     "'c':{'url':'http://192.0.2.1/c','resolve':"
			     "{'192.0.2.1:80':'192.0.2.9'}},"
			     "'d':{'url':'http://192.0.2.2/d'},"
			     "'e':{'url':'http://192.0.2.1:80/e'},"
			     "'f':{'url':'http://192.0.2.1/f','query':{'q':1}}}}");
	world_answer("/a", "200 OK", "");
	world_answer("/b", "200 OK", "");
	world_answer("/c", "200 OK", "");
	world_answer("/d", "200 OK", "");
	world_answer("/e", "200 OK", "");
	world_answer("/f?q=1", "200 OK", "");
	world_assert(graph, "b", "/conn/reused", "true");
	world_assert(graph, "b", "/value/url", "http://192.0.2.1/b");
	world_assert(graph, "c", "/conn/remote", "192.0.2.9:80");
	world_assert(graph, "d", "/conn/remote", "192.0.2.2:80");
	world_assert(graph, "e", "/conn/remote", "192.0.2.1:80");
	world_assert(graph, "f", "/value/url", "http://192.0.2.1/f?q=1");
	world_give_up(graph);
	world_end();
}
END_TEST

UNIT_MAIN("job/known", &cuts_up_what_begins_as_the_last_one,
	&a_route_is_known_for_its_origin_and_spec_alone, &jobs_of_one_graph_go_where_each_says)
