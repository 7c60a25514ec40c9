/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/client/peer.h"

/* What is submitted is this document. The graph is freed. */
static void expect_document(struct settle_graph *graph, const char *wanted)
{
	struct peer peer = peer_open();
	uint64_t number = 0;
	char line[2048];

	ck_assert_int_eq(settle_graph_submit(peer.settle, graph, &number), 0);
	ck_assert_uint_eq(number, 1);
	peer_expect_result(&peer, 0);
	snprintf(line, sizeof(line), "{\"id\":1,\"submit\":%s}\n", wanted);
	peer_expect_said(&peer, line);
	settle_graph_free(graph);
	peer_close(&peer);
}

START_TEST(builds_a_document)
{
	struct settle_graph *graph = settle_graph_new();

	settle_graph_set(graph, "name", "\"dashboard\"");
	settle_graph_set(graph, "concurrency", "8");
	settle_graph_job(graph, "user", "http://api.local/users/1");
	settle_graph_job_set(graph, "optional", "true");
	settle_graph_job_set_string(graph, "timeout", "2s");
	settle_graph_job_header(graph, "accept", "application/json");
	settle_graph_job(graph, NULL, "http://api.local/{{user#/id}}");
	settle_graph_job_set(graph, "json", "{\"big\": 9007199254740993, \"f\": 1.0}");
	expect_document(graph, "{\"jobs\":[{\"id\":\"user\",\"url\":\"http://api.local/users/"
			       "1\",\"optional\":true,"
			       "\"timeout\":\"2s\",\"headers\":{\"accept\":\"application/json\"}},"
			       "{\"url\":\"http://api.local/{{user#/id}}\","
			       "\"json\":{\"big\":9007199254740993,\"f\":1.0}}],"
			       "\"name\":\"dashboard\",\"concurrency\":8}");
	expect_document(settle_graph_new(), "{\"jobs\":[]}");
}
END_TEST

START_TEST(builds_groups_in_groups)
{
	struct settle_graph *graph = settle_graph_new();

	settle_graph_job(graph, "user", "http://a/");
	settle_graph_group(graph, "mirror");
	settle_graph_job_set_string(graph, "mode", "any");
	settle_graph_group(graph, "eu");
	settle_graph_job(graph, "eu1", "http://eu1/");
	settle_graph_job_header(graph, "x", "1");
	settle_graph_job(graph, "eu2", "http://eu2/");
	settle_graph_group_end(graph);
	settle_graph_job_set(graph, "each", "[1, 2]");
	settle_graph_job(graph, "us", "http://us/");
	settle_graph_group_end(graph);
	settle_graph_job_set(graph, "timeout", "2");
	settle_graph_group(graph, "empty");
	settle_graph_group_end(graph);
	settle_graph_job(graph, "last", "http://b/");
	expect_document(graph,
		"{\"jobs\":[{\"id\":\"user\",\"url\":\"http://a/\"},{\"id\":\"mirror\",\"jobs\":["
		"{\"id\":\"eu\",\"jobs\":[{\"id\":\"eu1\",\"url\":\"http://eu1/\","
		"\"headers\":{\"x\":\"1\"}},{\"id\":\"eu2\",\"url\":\"http://eu2/\"}],"
		"\"each\":[1,2]},{\"id\":\"us\",\"url\":\"http://us/\"}],\"mode\":\"any\","
		"\"timeout\":2},{\"id\":\"empty\",\"jobs\":[]},{\"id\":\"last\",\"url\":\"http://b/"
		"\"}]}");
}
END_TEST

START_TEST(takes_the_jobs_of_a_group_as_text)
{
	struct settle_graph *graph = settle_graph_new();

	settle_graph_group(graph, "m");
	settle_graph_job_set(
		graph, "jobs", "{\"a\": {\"jobs\": {\"b\": {\"url\": \"http://b/\"}}}}");
	settle_graph_group_end(graph);
	settle_graph_job(graph, "c", "http://c/");
	expect_document(graph, "{\"jobs\":[{\"id\":\"m\",\"jobs\":{\"a\":{\"jobs\":{\"b\":{\"url\":"
			       "\"http://b/\"}}}}},"
			       "{\"id\":\"c\",\"url\":\"http://c/\"}]}");

	/* An array of them can be added to. */
	graph = settle_graph_new();
	settle_graph_group(graph, "m");
	settle_graph_job_set(graph, "jobs", "[{\"id\":\"a\",\"url\":\"http://a/\"}]");
	settle_graph_job(graph, "b", "http://b/");
	settle_graph_group_end(graph);
	expect_document(graph,
		"{\"jobs\":[{\"id\":\"m\",\"jobs\":[{\"id\":\"a\",\"url\":\"http://a/\"},"
		"{\"id\":\"b\",\"url\":\"http://b/\"}]}]}");
}
END_TEST

START_TEST(keeps_the_last_value_of_a_key)
{
	struct settle_graph *graph = settle_graph_new();

	settle_graph_set(graph, "concurrency", "8");
	settle_graph_set(graph, "concurrency", "[1,2]");
	settle_graph_job(graph, NULL, "http://a/");
	settle_graph_job_set_string(graph, "url", "http://b/");
	expect_document(graph, "{\"jobs\":[{\"url\":\"http://b/\"}],\"concurrency\":[1,2]}");
}
END_TEST

START_TEST(keeps_all_values_of_a_header)
{
	struct settle_graph *graph = settle_graph_new();

	settle_graph_job(graph, NULL, "http://a/");
	settle_graph_job_header(graph, "x", "1");
	settle_graph_job_header(graph, "y", "\"quoted\"");
	settle_graph_job_header(graph, "x", "2");
	settle_graph_job_header(graph, "x", "3");
	settle_graph_job(graph, NULL, "http://b/");
	settle_graph_job_set(graph, "headers", "{\"z\":1}");
	settle_graph_job_header(graph, "z", "2");
	expect_document(graph,
		"{\"jobs\":[{\"url\":\"http://a/\",\"headers\":{\"x\":[\"1\",\"2\",\"3\"],"
		"\"y\":\"\\\"quoted\\\"\"}},{\"url\":\"http://b/"
		"\",\"headers\":{\"z\":[1,\"2\"]}}]}");
}
END_TEST

/* The graph, used wrongly, refuses to be submitted. It is freed. */
static void expect_refused(struct settle_graph *graph, int wanted)
{
	struct peer peer = peer_open();
	uint64_t number = 0;

	/* Later calls neither help nor harm. */
	settle_graph_set(graph, "name", "\"later\"");
	settle_graph_job(graph, "a", "http://a/");
	settle_graph_job_header(graph, "a", "b");
	ck_assert_int_eq(settle_graph_submit(peer.settle, graph, &number), wanted);
	ck_assert_uint_eq(number, 0);
	peer_expect_result(&peer, 0);
	peer_expect_said(&peer, "");
	ck_assert_ptr_null(settle_graph_free(graph));
	peer_close(&peer);
}

START_TEST(remembers_the_first_mistake)
{
	struct settle_graph *graph = settle_graph_new();

	settle_graph_set(graph, "name", "unquoted");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_set(graph, "jobs", "{}");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_set(graph, NULL, "{}");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_job_set(graph, "timeout", "1");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_job(graph, "a", NULL);
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_job(graph, "a", "http://a/\xff");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_job(graph, "a", "http://a/");
	settle_graph_job_header(graph, NULL, "value");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_job(graph, "a", "http://a/");
	settle_graph_job_set(graph, "headers", "[]");
	settle_graph_job_header(graph, "x", "value");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_group_end(graph);
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_group(graph, "open");
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_group(graph, "m");
	settle_graph_job_set(graph, "jobs", "{}");
	settle_graph_job(graph, "a", "http://a/");
	settle_graph_group_end(graph);
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	settle_graph_group(graph, "not utf-8 \xff");
	settle_graph_group_end(graph);
	expect_refused(graph, -EINVAL);

	graph = settle_graph_new();
	for (int i = 0; i < 33; i++)
		settle_graph_group(graph, "deep");
	for (int i = 0; i < 33; i++)
		settle_graph_group_end(graph);
	expect_refused(graph, -EINVAL);

	settle_graph_group(NULL, "a");
	settle_graph_group_end(NULL);
	expect_refused(NULL, -ENOMEM);
}
END_TEST

UNIT_MAIN("client/builder", &builds_a_document, &builds_groups_in_groups,
	&takes_the_jobs_of_a_group_as_text, &keeps_the_last_value_of_a_key,
	&keeps_all_values_of_a_header, &remembers_the_first_mistake)
