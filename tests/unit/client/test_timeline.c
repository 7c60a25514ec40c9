/* SPDX-License-Identifier: MIT */
#include "client/cli/render/timeline.h"

#include <stdio.h>

#include "client/cli/render/timeline_piece.h"
#include "proto/json.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

/* "wait 0-20 connect 20-30", a try's number before what is not the first's. */
static void format_pieces(struct buffer *out, const struct timeline_job *job)
{
	for (uint32_t i = 0; i < job->n_pieces; i++) {
		const struct timeline_piece *piece = &job->pieces[i];

		if (i > 0)
			buffer_append_byte(out, ' ');
		if (piece->attempt > 0)
			buffer_printf(out, "%u:", piece->attempt);
		buffer_printf(out, "%s %llu-%llu", timeline_phase_name(piece->phase),
			(unsigned long long)piece->span.from, (unsigned long long)piece->span.to);
	}
	buffer_append_byte(out, '\0');
}

START_TEST(cuts_a_jobs_time_into_pieces)
{
	static const struct {
		const char *json, *pieces;
	} cases[] = {
		{"{\"time\":{\"start\":2,\"queue\":1,\"dns\":0,\"connect\":3,\"first_byte\":4,"
		 "\"body\":1,\"end\":12}}",
			"wait 0-2000 queue 2000-3000 connect 3000-6000 first byte 6000-10000 "
			"body 10000-11000 other 11000-12000"},
		/* What rounding left belongs to the last piece. */
		{"{\"time\":{\"start\":0.001,\"tls\":0.5,\"end\":0.509}}", "wait 0-1 tls 1-509"},
		{"{\"time\":{\"start\":0,\"tls\":0.5,\"end\":0.509}}", "tls 0-500 other 500-509"},
		/* Lengths beyond the end are cut. */
		{"{\"time\":{\"start\":1,\"dns\":2,\"connect\":5,\"body\":7,\"end\":4}}",
			"wait 0-1000 dns 1000-3000 connect 3000-4000"},
		{"{\"time\":{\"start\":9,\"dns\":2,\"end\":4}}", "wait 0-4000"},
		/* Sent by nobody. */
		{"{\"time\":{\"start\":4,\"end\":4}}", "wait 0-4000"},
		{"{\"time\":{}}", ""},
		{"{}", ""},
		{"{\"time\":{\"start\":-1,\"end\":\"x\"}}", ""},
		/* Two attempts, a backoff between; the numbers of the whole are not used. */
		{"{\"tries\":[{\"time\":{\"start\":1,\"connect\":2,\"end\":3},\"backoff\":10},"
		 "{\"time\":{\"start\":13,\"queue\":1,\"connect\":1,\"body\":2,\"end\":18}}],"
		 "\"time\":{\"start\":1,\"queue\":99,\"end\":18}}",
			"wait 0-1000 connect 1000-3000 backoff 3000-13000 1:queue 13000-14000 "
			"1:connect 14000-15000 1:body 15000-17000 1:other 17000-18000"},
		/* A second attempt that begins late; cancelled in its backoff. */
		{"{\"tries\":[{\"time\":{\"start\":0,\"end\":1},\"backoff\":1},{\"time\":{"
		 "\"start\":"
		 "4,\"dns\":1,\"end\":5},\"backoff\":50}],\"time\":{\"start\":0,\"end\":7}}",
			"other 0-1000 backoff 1000-2000 backoff 2000-4000 1:dns 4000-5000 "
			"1:backoff 5000-7000"},
		/* Attempts that claim to overlap do not. */
		{"{\"tries\":[{\"time\":{\"start\":0,\"body\":6,\"end\":6}},{\"time\":{\"start\":3,"
		 "\"body\":5,\"end\":8}}],\"time\":{\"start\":0,\"end\":9}}",
			"body 0-6000 1:body 6000-8000 1:other 8000-9000"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct render_record record = {.job = TEXT("x"), .json = text_from(cases[i].json)};
		struct timeline timeline;
		struct buffer got;

		timeline_init(&timeline, NULL);
		timeline_add(&timeline, &record);
		ck_assert_uint_eq(timeline.n_jobs, 1);
		buffer_init(&got, 4096);
		format_pieces(&got, &timeline.jobs[0]);
		ck_assert_msg(strcmp(got.data, cases[i].pieces) == 0, "%s\ngave %s\nwanted %s",
			cases[i].json, got.data, cases[i].pieces);
		buffer_deinit(&got);
		timeline_deinit(&timeline);
	}
}
END_TEST

START_TEST(reads_milliseconds_exactly)
{
	static const struct {
		const char *json;
		uint64_t us;
	} cases[] = {
		{"0", 0},
		{"0.02", 20},
		{"12.1", 12100},
		{"7", 7000},
		{"2010.345", 2010345},
		{"0.0019", 1},
		{"1e3", 0},
		{"-5", 0},
		{"99999999999999999999", 0},
		{"\"1\"", 0},
		{"null", 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct json_error error;
		yyjson_doc *doc = json_read(text_from(cases[i].json), &error);

		ck_assert_msg(
			timeline_us(yyjson_doc_get_root(doc)) == cases[i].us, "%s", cases[i].json);
		yyjson_doc_free(doc);
	}
	ck_assert_uint_eq(timeline_us(NULL), 0);
}
END_TEST

static const struct timeline_job *find(const struct timeline *timeline, const char *id)
{
	for (uint32_t i = 0; i < timeline->n_jobs; i++) {
		if (text_is(timeline->jobs[i].id, id))
			return &timeline->jobs[i];
	}
	ck_abort_msg("no %s", id);
}

/* A render that fills a timeline. */
struct filler {
	struct render render;
	struct timeline timeline;
};

static int filler_record(struct render *render, const struct render_record *record)
{
	timeline_add(&container_of(render, struct filler, render)->timeline, record);
	return 0;
}

static void filler_finish(struct render *render, const struct render_end *end)
{
	timeline_finish(&container_of(render, struct filler, render)->timeline, end);
}

static const struct render_class filler_class = {filler_record, filler_finish, NULL, NULL};

START_TEST(is_in_input_order)
{
	static const char *const order[] = {"user", "config", "mirror", "eu", "us", "posts",
		"posts[0]", "posts[1]", "posts[2]", "posts[3]", "posts[4]", "posts[5]", "posts[6]",
		"posts[7]", "posts[8]", "posts[9]", "posts[10]", "posts[11]", "author", "author[0]",
		"author[1]", "profile[0]", "profile[1]", "badge[0]", "badge[1]", "audit", "gone"};
	struct filler filler = {.render = {.class = &filler_class}};

	timeline_init(&filler.timeline, NULL);
	sample_settle_all(&filler.render);
	ck_assert_uint_eq(filler.timeline.n_jobs, countof(order));
	for (size_t i = 0; i < countof(order); i++) {
		struct text id = filler.timeline.jobs[i].id;

		ck_assert_msg(
			text_is(id, order[i]), "%zu is %.*s, not %s", i, TEXT_ARGS(id), order[i]);
	}
	timeline_deinit(&filler.timeline);
}
END_TEST

START_TEST(keeps_what_views_need)
{
	struct plan *plan = sample_plan();
	struct filler filler = {.render = {.class = &filler_class}};
	struct timeline *timeline = &filler.timeline;
	const struct timeline_job *job;

	timeline_init(timeline, plan);
	sample_settle_all(&filler.render);
	ck_assert(!timeline->no_memory);

	job = find(timeline, "posts[7]");
	ck_assert(job->is_rejected && job->has_item && !job->is_group && !job->is_critical);
	ck_assert_uint_eq(job->item, 7);
	ck_assert_uint_eq(job->status, 500);
	ck_assert_uint_eq(job->bytes, 6);
	ck_assert(text_is(job->code, "HTTP_STATUS") && text_is(job->message, "500 Oops"));
	ck_assert(text_is(job->body, "broken"));
	ck_assert(text_is(job->url, "http://api.local/posts/7"));
	ck_assert(text_is(job->method, "GET"));
	ck_assert(text_is(job->remote, "127.0.0.1:80") && !job->reused);
	ck_assert_uint_eq(job->whole.from, 12030);
	ck_assert_uint_eq(job->whole.to, 21000);
	ck_assert(text_starts_with(job->json, TEXT("{\"job\":\"posts[7]\"")));

	/* What its record does not say, the plan does. */
	job = find(timeline, "us");
	ck_assert(job->is_cancelled && text_is(job->by, "winner"));
	ck_assert(text_is(job->url, "http://us.local/x"));
	job = find(timeline, "gone");
	ck_assert(job->is_skipped && !job->is_rejected && text_is(job->via, "skipped"));
	ck_assert_uint_eq(job->status, 0);
	ck_assert(find(timeline, "posts")->is_group);
	ck_assert(find(timeline, "posts[11]")->is_critical);
	ck_assert(find(timeline, "user")->is_critical);
	ck_assert_uint_eq(find(timeline, "config")->attempts, 2);

	ck_assert(timeline->has_summary && !timeline->is_rejected);
	ck_assert(text_is(timeline->name, "dashboard") && !timeline->code.data);
	ck_assert_uint_eq(timeline->wall_us, 60100);
	ck_assert_uint_eq(timeline->sum_us, 204300);
	ck_assert_uint_eq(timeline->n_fulfilled, 19);
	ck_assert_uint_eq(timeline->n_rejected, 3);
	ck_assert_uint_eq(timeline->n_skipped, 1);
	timeline_deinit(timeline);
	plan_free(plan);
}
END_TEST

START_TEST(knows_what_a_fallback_covers)
{
	static const struct render_record record = {
		.job = TEXT_INIT("x"),
		.json = TEXT_INIT(
			"{\"via\":\"fallback\",\"value\":{\"bytes\":2},\"cause\":{\"code\":"
			"\"HTTP_STATUS\",\"message\":\"503\",\"response\":{\"status\":503,"
			"\"url\":\"http://a/\"}}}"),
		.body = TEXT_INIT("{}"),
	};
	struct timeline timeline;

	timeline_init(&timeline, NULL);
	timeline_add(&timeline, &record);
	ck_assert(text_is(timeline.jobs[0].code, "HTTP_STATUS"));
	ck_assert(text_is(timeline.jobs[0].url, "http://a/"));
	ck_assert_uint_eq(timeline.jobs[0].status, 503);
	ck_assert_uint_eq(timeline.jobs[0].bytes, 2);
	ck_assert(!timeline.jobs[0].is_rejected && !timeline.jobs[0].is_cancelled);
	timeline_deinit(&timeline);
}
END_TEST

START_TEST(survives_what_is_no_record)
{
	static const char *const texts[] = {"", "{", "[]", "null", "{\"time\":[],\"tries\":{}}",
		"{\"tries\":[1,null,{}],\"conn\":3,\"value\":\"x\",\"attempts\":-1}"};
	struct timeline timeline;

	timeline_init(&timeline, NULL);
	for (size_t i = 0; i < countof(texts); i++)
		timeline_add(&timeline,
			&(struct render_record){.job = TEXT("x"), .json = text_from(texts[i])});
	timeline_finish(&timeline, &(struct render_end){TEXT("{")});
	ck_assert_uint_eq(timeline.n_jobs, countof(texts));
	ck_assert(!timeline.has_summary);
	timeline_deinit(&timeline);
}
END_TEST

UNIT_MAIN("client/timeline", &cuts_a_jobs_time_into_pieces, &reads_milliseconds_exactly,
	&is_in_input_order, &keeps_what_views_need, &knows_what_a_fallback_covers,
	&survives_what_is_no_record)
