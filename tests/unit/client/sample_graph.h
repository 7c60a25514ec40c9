/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A graph with one of everything, for the views: its plan, its records in the order of settling,
 * and its summary.
 *
 *   user
 *   config            optional, tried twice, rejected
 *   mirror            any: eu wins, us is cancelled
 *     eu
 *     us
 *   posts             a fan-out of twelve, after user
 *   author            a fan-out of a group, two instances, after user
 *     profile
 *     badge           after the profile of its instance
 *   audit             after posts
 *   gone              skipped
 */

#include <check.h>
#include <stdlib.h>

#include "client/cli/render/render.h"
#include "util/buffer.h"
#include "util/container.h"

/* Places in the plan; a fan-out is two. */
enum sample_place {
	SAMPLE_AT_USER,
	SAMPLE_AT_CONFIG,
	SAMPLE_AT_MIRROR,
	SAMPLE_AT_EU,
	SAMPLE_AT_US,
	SAMPLE_AT_POSTS,
	SAMPLE_AT_POSTS_CHILD,
	SAMPLE_AT_AUTHOR,
	SAMPLE_AT_AUTHOR_CHILD,
	SAMPLE_AT_PROFILE,
	SAMPLE_AT_BADGE,
	SAMPLE_AT_AUDIT,
	SAMPLE_AT_GONE,
	SAMPLE_PLACES,
};

/* One of the plan's jobs: what differs. */
struct sample_job {
	const char *id, *url;
	uint32_t index, parent, region, n_below;
	enum plan_kind kind;
	bool optional, url_is_template;
	enum plan_mode mode;
};

static const struct sample_job sample_jobs[SAMPLE_PLACES] = {
	[SAMPLE_AT_USER] = {"user", "http://api.local/user", 0, PLAN_NONE, PLAN_NONE, 0, PLAN_LEAF,
		false, false, 0},
	[SAMPLE_AT_CONFIG] = {"config", "http://api.local/config?a=1&b=x%20y", 1, PLAN_NONE,
		PLAN_NONE, 0, PLAN_LEAF, true, false, 0},
	[SAMPLE_AT_MIRROR] = {"mirror", NULL, 2, PLAN_NONE, PLAN_NONE, 2, PLAN_GROUP, false, false,
		PLAN_ANY},
	[SAMPLE_AT_EU] = {"eu", "http://eu.local:8080/x", 3, SAMPLE_AT_MIRROR, PLAN_NONE, 0,
		PLAN_LEAF, false, false, 0},
	[SAMPLE_AT_US] = {"us", "http://us.local/x", 4, SAMPLE_AT_MIRROR, PLAN_NONE, 0, PLAN_LEAF,
		false, false, 0},
	[SAMPLE_AT_POSTS] = {"posts", NULL, 5, PLAN_NONE, PLAN_NONE, 1, PLAN_EACH, false, false,
		PLAN_SETTLED},
	[SAMPLE_AT_POSTS_CHILD] = {"posts", "http://api.local/posts/{{item}}", 5, SAMPLE_AT_POSTS,
		SAMPLE_AT_POSTS, 0, PLAN_LEAF, false, true, 0},
	[SAMPLE_AT_AUTHOR] = {"author", NULL, 6, PLAN_NONE, PLAN_NONE, 3, PLAN_EACH, false, false,
		PLAN_SETTLED},
	[SAMPLE_AT_AUTHOR_CHILD] = {"author", NULL, 6, SAMPLE_AT_AUTHOR, SAMPLE_AT_AUTHOR, 2,
		PLAN_GROUP, false, false, PLAN_SETTLED},
	[SAMPLE_AT_PROFILE] = {"profile", "http://api.local/profile/{{item}}", 7,
		SAMPLE_AT_AUTHOR_CHILD, SAMPLE_AT_AUTHOR, 0, PLAN_LEAF, false, true, 0},
	[SAMPLE_AT_BADGE] = {"badge", "http://api.local/badge/{{profile#/b}}", 8,
		SAMPLE_AT_AUTHOR_CHILD, SAMPLE_AT_AUTHOR, 0, PLAN_LEAF, false, true, 0},
	[SAMPLE_AT_AUDIT] = {"audit", "http://api.local/audit", 9, PLAN_NONE, PLAN_NONE, 0,
		PLAN_LEAF, false, false, 0},
	[SAMPLE_AT_GONE] = {"gone", "http://api.local/gone", 10, PLAN_NONE, PLAN_NONE, 0, PLAN_LEAF,
		false, false, 0},
};

static inline void sample_fill_job(
	struct plan *plan, struct plan_job *job, const struct sample_job *from)
{
	static const struct plan_field headers[] = {
		{TEXT_INIT("accept"), TEXT_INIT("text/plain"), false},
		{TEXT_INIT("Authorization"), TEXT_INIT("Bearer confidential"), false},
	};
	struct plan_spec *spec = arena_alloc(&plan->arena, sizeof(*spec));
	struct plan_group *group = arena_alloc(&plan->arena, sizeof(*group));
	struct plan_each *each = arena_alloc(&plan->arena, sizeof(*each));

	group->mode = from->mode;
	each->mode = from->mode;
	spec->optional = from->optional;
	spec->group = from->kind == PLAN_GROUP ? group : NULL;
	spec->each = from->kind == PLAN_EACH ? each : NULL;
	spec->headers = (struct plan_fields){headers, countof(headers)};
	job->id = text_from(from->id);
	job->url = from->url ? text_from(from->url) : (struct text){NULL, 0};
	job->url_is_template = from->url_is_template;
	job->spec = spec;
	job->index = from->index;
	job->parent = from->parent;
	job->region = from->region;
	job->n_below = from->n_below;
	job->kind = from->kind;
	/* A fan-out stands before its child, and is what the id means. */
	if (job == plan->jobs || job->kind == PLAN_EACH || job[-1].kind != PLAN_EACH)
		ck_assert(table_insert(&plan->ids, table_hash(job->id), job));
}

/* To be given to plan_free(). */
static inline struct plan *sample_plan(void)
{
	static const struct plan_edge edges[] = {
		{SAMPLE_AT_USER, SAMPLE_AT_POSTS},
		{SAMPLE_AT_USER, SAMPLE_AT_AUTHOR},
		{SAMPLE_AT_PROFILE, SAMPLE_AT_BADGE},
		{SAMPLE_AT_POSTS, SAMPLE_AT_AUDIT},
	};
	struct plan *plan = calloc(1, sizeof(*plan));

	arena_init(&plan->arena, SIZE_MAX / 4);
	table_init(&plan->ids);
	plan->jobs = arena_alloc_array(&plan->arena, SAMPLE_PLACES, sizeof(*plan->jobs));
	plan->n_jobs = SAMPLE_PLACES;
	for (size_t i = 0; i < SAMPLE_PLACES; i++)
		sample_fill_job(plan, &plan->jobs[i], &sample_jobs[i]);
	ck_assert_int_eq(plan_set_edges(plan, edges, countof(edges)), 0);
	return plan;
}

/* -- Records ----------------------------------------------------------------------------------- */

/* "value" of a response; %s is what stands behind the host in its URL. */
#define SAMPLE_VALUE(path)                                                                         \
	"\"status\":\"fulfilled\",\"via\":\"network\",\"attempts\":1,\"value\":{\"status\":200,"   \
	"\"version\":\"1.1\",\"url\":\"http://api.local" path "\",\"redirects\":0,\"headers\":{"   \
	"\"content-type\":\"text/plain\",\"set-cookie\":[\"a=1\",\"b=2\"],\"vary\":[\"x\",\"y\"]}" \
	",\"bytes\":5},"

#define SAMPLE_CONN "},\"conn\":{\"reused\":false,\"remote\":\"127.0.0.1:80\"}"

#define SAMPLE_GROUP(jobs, fulfilled, rejected, more)                                              \
	"\"group\":true,\"status\":\"fulfilled\",\"value\":{" more "\"jobs\":" jobs                \
	",\"fulfilled\":" fulfilled ",\"rejected\":" rejected "},"

struct sample_settled {
	const char *job;
	uint32_t index;
	bool is_group, is_rejected;
	/* All members but job and index. */
	const char *rest;
	const char *body;
};

#define SAMPLE_POST(item, length, end)                                                             \
	{                                                                                          \
		"posts[" item "]", 5, false, false,                                                \
			SAMPLE_VALUE("/posts/" item) "\"time\":{\"start\":12.03,\"queue\":0.97,"   \
						     "\"first_byte\":" length                      \
						     ",\"end\":" end SAMPLE_CONN,                  \
			"hello"                                                                    \
	}

#define SAMPLE_MEMBER(name, index, item, start, length, end)                                       \
	{                                                                                          \
		name "[" item "]", index, false, false,                                            \
			SAMPLE_VALUE("/" name "/" item) "\"time\":{\"start\":" start               \
							",\"first_byte\":" length                  \
							",\"end\":" end SAMPLE_CONN,               \
			"hello"                                                                    \
	}

static const struct sample_settled sample_settled[] = {
	{"gone", 10, false, false,
		"\"status\":\"fulfilled\",\"via\":\"skipped\",\"attempts\":0,\"value\":{\"bytes\":"
		"4},"
		"\"time\":{\"start\":0.02,\"end\":0.02}",
		"null"},
	{"eu", 3, false, false,
		SAMPLE_VALUE(
			"/eu") "\"time\":{\"start\":0.02,\"queue\":0,\"dns\":1,\"connect\":3,"
			       "\"tls\":0,\"first_byte\":5,\"body\":0,\"end\":9.02" SAMPLE_CONN,
		"hello"},
	{"mirror", 2, true, false,
		SAMPLE_GROUP("2", "1", "1",
			"\"winner\":\"eu\",") "\"time\":{\"start\":0.02,\"end\":9.02}",
		NULL},
	{"us", 4, false, true,
		"\"status\":\"rejected\",\"attempts\":1,\"reason\":{\"code\":\"CANCELLED\","
		"\"message\":\"another job won\",\"retryable\":false,\"by\":\"winner\","
		"\"sent\":\"full\"},\"time\":{\"start\":0.02,\"connect\":3,\"end\":9.05}",
		NULL},
	{"user", 0, false, false,
		SAMPLE_VALUE("/user") "\"time\":{\"start\":0.02,\"queue\":0.01,\"dns\":1,"
				      "\"connect\":2,\"tls\":3,\"first_byte\":4,\"body\":2,"
				      "\"end\":12.03" SAMPLE_CONN,
		"hello"},
	SAMPLE_POST("0", "1", "14"),
	SAMPLE_POST("2", "2", "15"),
	SAMPLE_POST("1", "3", "16"),
	SAMPLE_POST("3", "4", "17"),
	SAMPLE_POST("4", "5", "18"),
	SAMPLE_POST("5", "6", "19"),
	SAMPLE_MEMBER("profile", 7, "1", "12.03", "6.97", "19"),
	SAMPLE_POST("6", "7", "20"),
	{"posts[7]", 5, false, true,
		"\"status\":\"rejected\",\"attempts\":1,\"reason\":{\"code\":\"HTTP_STATUS\","
		"\"message\":\"500 Oops\",\"retryable\":true,\"sent\":\"full\",\"response\":{"
		"\"status\":500,\"version\":\"1.1\",\"url\":\"http://api.local/posts/7\","
		"\"redirects\":0,\"headers\":{},\"bytes\":6}},\"time\":{\"start\":12.03,"
		"\"queue\":0.97,\"first_byte\":8,\"end\":21" SAMPLE_CONN,
		"broken"},
	{"config", 1, false, true,
		"\"status\":\"rejected\",\"attempts\":2,\"tries\":[{\"code\":\"CONNECT_REFUSED\","
		"\"time\":{\"start\":0.02,\"queue\":0,\"dns\":1,\"connect\":2,\"tls\":0,"
		"\"first_byte\":0,\"body\":0,\"end\":4.02},\"backoff\":10},{\"code\":"
		"\"HTTP_STATUS\",\"status\":503,\"time\":{\"start\":14.02,\"queue\":1,\"dns\":0,"
		"\"connect\":2,\"tls\":0,\"first_byte\":5,\"body\":0,\"end\":22.02}}],\"reason\":{"
		"\"code\":\"HTTP_STATUS\",\"message\":\"503 Service Unavailable\","
		"\"retryable\":true,\"sent\":\"full\",\"stopped\":\"attempts\",\"response\":{"
		"\"status\":503,\"version\":\"1.1\",\"url\":\"http://api.local/"
		"config?a=1&b=x%20y\","
		"\"redirects\":0,\"headers\":{},\"bytes\":0}},\"time\":{\"start\":0.02,\"queue\":1,"
		"\"connect\":2,\"first_byte\":5,\"end\":22.02" SAMPLE_CONN,
		NULL},
	SAMPLE_POST("8", "9", "22"),
	SAMPLE_MEMBER("profile", 7, "0", "12.03", "9.97", "22"),
	SAMPLE_POST("9", "10", "23"),
	SAMPLE_MEMBER("badge", 8, "1", "19", "5", "24"),
	{"author[1]", 6, true, false,
		SAMPLE_GROUP("2", "2", "0", "") "\"time\":{\"start\":12.03,\"end\":24}", NULL},
	SAMPLE_POST("10", "20", "33"),
	SAMPLE_MEMBER("badge", 8, "0", "22", "18", "40"),
	{"author[0]", 6, true, false,
		SAMPLE_GROUP("2", "2", "0", "") "\"time\":{\"start\":12.03,\"end\":40}", NULL},
	{"author", 6, true, false,
		SAMPLE_GROUP("4", "4", "0", "") "\"time\":{\"start\":12.03,\"end\":40}", NULL},
	SAMPLE_POST("11", "30", "43"),
	{"posts", 5, true, false,
		SAMPLE_GROUP("12", "11", "1", "") "\"time\":{\"start\":12.03,\"end\":43}", NULL},
	{"audit", 9, false, false,
		SAMPLE_VALUE("/audit") "\"time\":{\"start\":43,\"queue\":2,\"first_byte\":10,"
				       "\"body\":5,\"end\":60" SAMPLE_CONN,
		"hello"},
};

#define SAMPLE_GRAPH_SUMMARY                                                                       \
	"{\"graph\":\"dashboard\",\"status\":\"fulfilled\",\"jobs\":22,\"fulfilled\":19,"          \
	"\"rejected\":3,\"skipped\":1,\"wall_ms\":60.1,\"sum_ms\":204.3,\"speedup\":3.4,"          \
	"\"critical_path\":[\"user\",\"posts[11]\",\"audit\"]}"

static const struct render_end sample_graph_end = {.summary = TEXT_INIT(SAMPLE_GRAPH_SUMMARY)};

static inline void sample_settle(struct render *render, const struct sample_settled *settled)
{
	struct render_record record = {
		.job = text_from(settled->job),
		.index = settled->index,
		.is_group = settled->is_group,
		.is_rejected = settled->is_rejected,
	};
	struct buffer json;

	buffer_init(&json, SIZE_MAX / 4);
	buffer_printf(&json, "{\"job\":\"%s\",\"index\":%u,%s}", settled->job, settled->index,
		settled->rest);
	record.json = buffer_text(&json);
	if (settled->body)
		record.body = text_from(settled->body);
	ck_assert_int_eq(render_record(render, &record), 0);
	buffer_deinit(&json);
}

/* All records, and the end. */
static inline void sample_settle_all(struct render *render)
{
	for (size_t i = 0; i < countof(sample_settled); i++)
		sample_settle(render, &sample_settled[i]);
	render_finish(render, &sample_graph_end);
}
