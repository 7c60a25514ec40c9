/* SPDX-License-Identifier: MIT */
#include "job/way.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "net/pool.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define PEM     "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----"
#define PEM2    "-----BEGIN CERTIFICATE-----\\nBBBB\\n-----END CERTIFICATE-----"
#define KEY     "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----"
#define KEY2    "-----BEGIN PRIVATE KEY-----\\nBBBB\\n-----END PRIVATE KEY-----"
#define PIN     "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN2    "sha256//BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define CLIENT  "'cert':'" PEM "','key':'" KEY "'"
#define CLIENT2 "'cert':'" PEM "','key':'" KEY2 "'"
#define CLIENT3 "'cert':'" PEM2 "','key':'" KEY "'"

static struct world_graph *graph;

/* What the secrets say: their name, and how often it was asked. "NONE" and other hosts have none.
 */
static unsigned n_asked;

static bool find_secret(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	/* Good for as long as the daemon's are: longer than it takes to ask for all three. */
	static char values[8][40];
	char *value = values[n_asked++ % 8];

	if (text_is(name, "NONE") || !text_is(host, "h"))
		return false;
	*ret_value = (struct text){value,
		(size_t)snprintf(value, sizeof(values[0]), "value of %.*s", TEXT_ARGS(name))};
	return true;
}

/* A graph of two jobs of which none begins. */
static void begin(const char *a, const char *b, bool insecure_allowed)
{
	struct scheduler_options options = world_options();
	char document[2000];

	snprintf(document, sizeof(document),
		"{'jobs':{'s':{'url':'http://192.0.2.99/s'},'a':{'after':['s'],%s},"
		"'b':{'after':['s'],%s}}}",
		a, b);
	options.insecure_allowed = insecure_allowed;
	options.secrets = (struct secret_source){find_secret, NULL};
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
	route = way_find(job, &url, false, ret_fault);
	buffer_deinit(&memory);
	return route;
}

static void check_pair(const char *keys_a, const char *keys_b, bool same)
{
	struct fault fault;
	struct route *a, *b;

	begin(keys_a, keys_b, true);
	a = way_of("a", &fault);
	b = way_of("b", &fault);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_msg((a == b) == same, "%s and %s", keys_a, keys_b);
	pool_leave(world.pool, a);
	pool_leave(world.pool, b);
	end();
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
		{"'url':'https://h/x'", "'url':'https://h/x','tls':{'ca':'" PEM "'}", false},
		{"'url':'https://h/x','tls':{'ca':'" PEM2 "'}",
			"'url':'https://h/x','tls':{'ca':'" PEM "'}", false},
		{"'url':'https://h/x','tls':{'ca':'" PEM "'}",
			"'url':'https://h/x','tls':{'ca':'" PEM "'}", true},
		{"'url':'https://h/x'", "'url':'https://h/x','tls':{" CLIENT "}", false},
		{"'url':'https://h/x','tls':{" CLIENT2 "}",
			"'url':'https://h/x','tls':{" CLIENT "}", false},
		{"'url':'https://h/x','tls':{" CLIENT3 "}",
			"'url':'https://h/x','tls':{" CLIENT "}", false},
		{"'url':'https://h/x','tls':{" CLIENT "}", "'url':'https://h/x','tls':{" CLIENT "}",
			true},
		{"'url':'https://h/x'", "'url':'https://h/x','tls':{'pin':'" PIN "'}", false},
		{"'url':'https://h/x','tls':{'pin':'" PIN2 "'}",
			"'url':'https://h/x','tls':{'pin':'" PIN "'}", false},
		{"'url':'https://h/x','tls':{'pin':['" PIN2 "','" PIN "']}",
			"'url':'https://h/x','tls':{'pin':'" PIN "'}", false},
		{"'url':'https://h/x','tls':{'pin':['" PIN2 "','" PIN "']}",
			"'url':'https://h/x','tls':{'pin':['" PIN "','" PIN2 "']}", true},
		{"'url':'https://h/x'", "'url':'https://h/x','http':'1.1'", false},
		{"'url':'https://h/x'", "'url':'https://h/x','http':'auto'", true},
		{"'url':'http://h/x'", "'url':'http://h/x','http':'1.1'", false},
		/* Without TLS it means nothing. */
		{"'url':'http://h/x'", "'url':'http://h/x','tls':{'insecure':true}", true},
		{"'url':'http://h/x'", "'url':'http://h/x','tls':{'server_name':'i'}", true},
		{"'url':'http://h/x'", "'url':'http://h/x','tls':{" CLIENT "}", true},
		{"'url':'http://h/x'", "'url':'http://h/x','tls':{'pin':'" PIN "'}", true},
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

	for (size_t i = 0; i < countof(cases); i++)
		check_pair(cases[i].a, cases[i].b, cases[i].same);
}
END_TEST

START_TEST(two_jobs_share_a_way_by_the_same_proxy_alone)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"'url':'https://h/x','proxy':'http://p:1'", "'url':'https://h/x'", false},
		{"'url':'http://h/x','proxy':'http://p:1'", "'url':'http://h/x'", false},
		{"'url':'https://h/x','proxy':'http://p:1'",
			"'url':'https://h/y','proxy':'http://P:1/'", true},
		{"'url':'https://h/x','proxy':'http://p:1'",
			"'url':'https://h/x','proxy':'http://p:2'", false},
		{"'url':'https://h/x','proxy':'http://p:1'",
			"'url':'https://h/x','proxy':'http://q:1'", false},
		{"'url':'https://h/x','proxy':'http://a:b\\u0040p:1'",
			"'url':'https://h/x','proxy':'http://p:1'", false},
		{"'url':'https://h/x','proxy':'http://a:b\\u0040p:1'",
			"'url':'https://h/x','proxy':'http://a:c\\u0040p:1'", false},
		{"'url':'https://h/x','proxy':'http://a:b\\u0040p:1'",
			"'url':'https://h/x','proxy':'http://a:b\\u0040p:1'", true},
	};

	for (size_t i = 0; i < countof(cases); i++)
		check_pair(cases[i].a, cases[i].b, cases[i].same);
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

START_TEST(secrets_stand_for_pem)
{
	struct fault fault;
	struct route *route;

	begin("'url':'https://h/x','tls':{'ca':'secret:CA','cert':'secret:CRT','key':'secret:K'}",
		"'url':'https://h/y','tls':{'cert':'" PEM "','key':'secret:OTHER'}", true);
	route = way_of("a", &fault);
	ck_assert(text_is(route->ca, "value of CA"));
	ck_assert(text_is(route->cert, "value of CRT"));
	ck_assert(text_is(route->private_key, "value of K"));
	pool_leave(world.pool, route);
	route = way_of("b", &fault);
	ck_assert_ptr_null(route->ca.data);
	ck_assert(text_starts_with(route->cert, TEXT("-----BEGIN")));
	ck_assert(text_is(route->private_key, "value of OTHER"));
	pool_leave(world.pool, route);
	end();
}
END_TEST

START_TEST(a_secret_stands_for_a_proxy_s_credentials)
{
	struct fault fault;
	struct route *route, *again;

	begin("'url':'https://i/x','proxy':'http://secret:P\\u0040h:1'",
		"'url':'https://h/y','proxy':'http://secret:P\\u0040i:1'", true);
	n_asked = 0;
	route = way_of("a", &fault);
	ck_assert(text_is(route->proxy_credentials, "value of P"));
	ck_assert(text_is(route->proxy_host, "h"));
	/* It is asked for each time, as it may be another one by then. */
	again = way_of("a", &fault);
	ck_assert_ptr_eq(again, route);
	ck_assert_uint_eq(n_asked, 2);
	pool_leave(world.pool, route);
	pool_leave(world.pool, again);
	/* It is the proxy who must be allowed to see it. */
	ck_assert_ptr_null(way_of("b", &fault));
	ck_assert_int_eq(fault.code, FAULT_SECRET_UNKNOWN);
	end();
}
END_TEST

START_TEST(secrets_are_asked_for_each_time)
{
	struct fault fault;
	struct route *a, *again;

	begin("'url':'https://h/x','tls':{'ca':'secret:CA'}", "'url':'https://h/y'", true);
	n_asked = 0;
	a = way_of("a", &fault);
	again = way_of("a", &fault);
	ck_assert_ptr_eq(a, again);
	ck_assert_uint_eq(n_asked, 2);
	pool_leave(world.pool, a);
	pool_leave(world.pool, again);
	end();
}
END_TEST

START_TEST(a_secret_that_is_not_for_this_job_is_refused)
{
	static const struct {
		const char *keys;
		bool refused;
	} cases[] = {
		{"'url':'https://h/','tls':{'cert':'secret:C','key':'secret:K'}", false},
		{"'url':'https://h/','tls':{'cert':'secret:C','key':'secret:NONE'}", true},
		{"'url':'https://h/','tls':{'cert':'secret:NONE','key':'secret:K'}", true},
		{"'url':'https://h/','tls':{'ca':'secret:NONE'}", true},
		{"'url':'https://i/','tls':{'ca':'secret:CA'}", true},
		{"'url':'https://i/','tls':{'cert':'secret:C','key':'secret:K'}", true},
		/* Without TLS nobody asks for it. */
		{"'url':'http://i/','tls':{'ca':'secret:NONE'}", false},
		/* A job that says itself where the host is, or whom it believes. */
		{"'url':'https://h/','tls':{'cert':'" PEM "','key':'secret:K','insecure':true}",
			true},
		{"'url':'https://h/','tls':{'cert':'secret:C','key':'secret:K',"
		 "'server_name':'h'}",
			true},
		{"'url':'https://h/','tls':{'cert':'secret:C','key':'secret:K','ca':'" PEM "'}",
			true},
		{"'url':'https://h/','tls':{'cert':'secret:C','key':'secret:K'},"
		 "'resolve':{'h:443':'192.0.2.1'}",
			true},
		{"'url':'https://h/','tls':{'cert':'secret:C','key':'secret:K',"
		 "'ca':'secret:CA','pin':'" PIN "'}",
			false},
		/* An authority is no secret of ours that could be used elsewhere. */
		{"'url':'https://h/','tls':{'ca':'secret:CA','server_name':'i'}", false},
		{"'url':'https://h/','tls':{" CLIENT ",'insecure':true}", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct fault fault = {.code = FAULT_NONE};
		struct route *route;

		begin(cases[i].keys, "'url':'@b'", true);
		route = way_of("a", &fault);
		ck_assert_msg(!route == cases[i].refused, "%s", cases[i].keys);
		if (route)
			pool_leave(world.pool, route);
		else
			ck_assert_int_eq(fault.code, FAULT_SECRET_UNKNOWN);
		end();
	}
}
END_TEST

UNIT_MAIN("job/way", &secrets_stand_for_pem, &a_secret_stands_for_a_proxy_s_credentials,
	&secrets_are_asked_for_each_time, &a_secret_that_is_not_for_this_job_is_refused,
	&two_jobs_share_a_way_where_all_of_it_is_equal,
	&two_jobs_share_a_way_by_the_same_proxy_alone, &it_says_what_a_connection_must_be_like,
	&insecure_is_refused_where_the_daemon_forbids_it,
	&what_was_known_of_one_job_is_not_taken_for_another)
