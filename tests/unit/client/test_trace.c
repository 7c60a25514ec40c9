/* SPDX-License-Identifier: MIT */
#include "proto/json.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

#define SLICES_MAX 1000

/* All that is written of them stays in the sink's buffer. */
#define JOBS 100

/* A complete event of a trace. */
struct slice {
	uint64_t pid, tid, from, to;
	yyjson_val *event;
};

struct slices {
	struct slice slices[SLICES_MAX];
	size_t n;
};

static uint64_t number(yyjson_val *event, const char *name)
{
	struct text digits = json_number(yyjson_obj_get(event, name));
	uint64_t value;

	ck_assert_msg(digits.data && text_to_u64(digits, UINT64_MAX, &value), "no %s", name);
	return value;
}

static bool is_phase(yyjson_val *event, const char *phase)
{
	return yyjson_equals_str(yyjson_obj_get(event, "ph"), phase);
}

static yyjson_doc *read_trace(struct sink *sink)
{
	struct json_error error;
	yyjson_doc *doc = json_read(buffer_text(&sink->buffer), &error);

	ck_assert_msg(doc != NULL, "%s at byte %zu", error.message, error.at);
	return doc;
}

static void collect(struct slices *slices, yyjson_doc *doc)
{
	yyjson_val *events = yyjson_obj_get(yyjson_doc_get_root(doc), "traceEvents");
	size_t i, n;
	yyjson_val *event;

	slices->n = 0;
	yyjson_arr_foreach(events, i, n, event)
	{
		struct slice *slice = &slices->slices[slices->n];

		number(event, "pid");
		number(event, "tid");
		if (!is_phase(event, "X"))
			continue;
		ck_assert_uint_lt(slices->n, SLICES_MAX);
		slice->pid = number(event, "pid");
		slice->tid = number(event, "tid");
		slice->from = number(event, "ts");
		slice->to = slice->from + number(event, "dur");
		slice->event = event;
		ck_assert_uint_gt(slice->to, slice->from);
		slices->n++;
	}
}

/* On one track, two slices are apart, or one is in the other. */
static void expect_no_partial_overlap(const struct slices *slices)
{
	for (size_t i = 0; i < slices->n; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct slice *a = &slices->slices[i], *b = &slices->slices[j];
			bool apart = a->to <= b->from || b->to <= a->from;
			bool nested = (a->from >= b->from && a->to <= b->to) ||
				      (b->from >= a->from && b->to <= a->to);
			/* Of two jobs, neither is a part of the other. */
			bool are_jobs =
				!yyjson_equals_str(yyjson_obj_get(a->event, "cat"), "piece") &&
				!yyjson_equals_str(yyjson_obj_get(b->event, "cat"), "piece");

			if (a->pid != b->pid || a->tid != b->tid)
				continue;
			ck_assert_msg(apart || (nested && !are_jobs),
				"%llu-%llu and %llu-%llu overlap on %llu/%llu",
				(unsigned long long)a->from, (unsigned long long)a->to,
				(unsigned long long)b->from, (unsigned long long)b->to,
				(unsigned long long)a->pid, (unsigned long long)a->tid);
		}
	}
}

static const struct slice *find(const struct slices *slices, const char *name)
{
	for (size_t i = 0; i < slices->n; i++) {
		if (yyjson_equals_str(yyjson_obj_get(slices->slices[i].event, "name"), name))
			return &slices->slices[i];
	}
	ck_abort_msg("no slice %s", name);
}

static struct slices slices;

static struct render *begin(struct sink *sink, const struct plan *plan)
{
	sink_init(sink, -1, SINK_RAW);
	return render_trace_new(&(struct render_options){.sink = sink, .plan = plan});
}

START_TEST(slices_of_a_track_never_overlap)
{
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);
	yyjson_doc *doc;

	sample_settle_all(render);
	render_free(render);
	doc = read_trace(&sink);
	collect(&slices, doc);
	/* All that took time, and their pieces. */
	ck_assert_uint_gt(slices.n, countof(sample_settled) + 20);
	expect_no_partial_overlap(&slices);
	yyjson_doc_free(doc);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

/* Jobs of all lengths at all times, groups among them: as many tracks as needed, no more. */
START_TEST(uses_as_few_tracks_as_it_takes)
{
	uint64_t state = 88172645463325252u, starts[JOBS], ends[JOBS], most = 0, tracks = 0;
	struct sink sink;
	struct render *render = begin(&sink, NULL);
	yyjson_doc *doc;

	for (uint32_t i = 0; i < JOBS; i++) {
		char id[16], json[160];
		struct render_record record = {.index = i};

		/* Marsaglia's xorshift64: the same numbers each time. */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		starts[i] = state % 300;
		ends[i] = starts[i] + 2 + (state >> 32) % 90;
		snprintf(id, sizeof(id), "j%u", i);
		snprintf(json, sizeof(json),
			"{\"time\":{\"start\":%llu,\"queue\":1,\"body\":1,\"end\":%llu}}",
			(unsigned long long)starts[i], (unsigned long long)ends[i]);
		record.job = text_from(id);
		record.json = text_from(json);
		render_record(render, &record);
	}
	render_finish(render, &(struct render_end){{NULL, 0}});
	render_free(render);
	doc = read_trace(&sink);
	collect(&slices, doc);
	expect_no_partial_overlap(&slices);
	for (uint64_t at = 0; at < 400; at++) {
		uint64_t n = 0;

		for (size_t i = 0; i < JOBS; i++)
			n += starts[i] <= at && at < ends[i];
		most = n > most ? n : most;
	}
	for (size_t i = 0; i < slices.n; i++)
		tracks = slices.slices[i].tid > tracks ? slices.slices[i].tid : tracks;
	ck_assert_uint_eq(tracks, most);
	yyjson_doc_free(doc);
	sink_deinit(&sink);
}
END_TEST

START_TEST(says_what_each_job_was)
{
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);
	yyjson_val *arguments;
	yyjson_doc *doc;

	sample_settle_all(render);
	render_free(render);
	doc = read_trace(&sink);
	collect(&slices, doc);
	arguments = yyjson_obj_get(find(&slices, "posts[7]")->event, "args");
	ck_assert_uint_eq(number(arguments, "status"), 500);
	ck_assert(yyjson_equals_str(yyjson_obj_get(arguments, "code"), "HTTP_STATUS"));
	ck_assert(yyjson_equals_str(yyjson_obj_get(arguments, "url"), "http://api.local/posts/7"));
	ck_assert(yyjson_equals_str(yyjson_obj_get(arguments, "outcome"), "rejected"));
	arguments = yyjson_obj_get(find(&slices, "config")->event, "args");
	ck_assert_uint_eq(number(arguments, "attempts"), 2);
	ck_assert_uint_eq(find(&slices, "mirror")->pid, 2);
	ck_assert_uint_eq(find(&slices, "backoff")->to - find(&slices, "backoff")->from, 10000);
	yyjson_doc_free(doc);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

/* The slice of a job on the track and at the time of an arrow's end. */
static const struct slice *slice_at(yyjson_val *event)
{
	for (size_t i = 0; i < slices.n; i++) {
		const struct slice *slice = &slices.slices[i];

		if (slice->pid == number(event, "pid") && slice->tid == number(event, "tid") &&
			slice->from <= number(event, "ts") && slice->to > number(event, "ts") &&
			!yyjson_equals_str(yyjson_obj_get(slice->event, "cat"), "piece"))
			return slice;
	}
	ck_abort_msg("an arrow from or to nowhere");
}

static struct text name_at(yyjson_val *event)
{
	return json_string(yyjson_obj_get(slice_at(event)->event, "name"));
}

START_TEST(arrows_lead_from_dependency_to_dependent)
{
	static const char *const wanted[][2] = {
		{"user", "posts"},
		{"user", "author"},
		{"profile[0]", "badge[0]"},
		{"profile[1]", "badge[1]"},
		{"posts", "audit"},
	};
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);
	yyjson_val *events, *event, *start = NULL;
	size_t i, n, found = 0;
	yyjson_doc *doc;

	sample_settle_all(render);
	render_free(render);
	doc = read_trace(&sink);
	collect(&slices, doc);
	events = yyjson_obj_get(yyjson_doc_get_root(doc), "traceEvents");
	yyjson_arr_foreach(events, i, n, event)
	{
		if (is_phase(event, "s"))
			start = event;
		if (!is_phase(event, "f"))
			continue;
		ck_assert_ptr_nonnull(start);
		ck_assert_uint_eq(number(start, "id"), number(event, "id"));
		ck_assert_uint_le(number(start, "ts"), number(event, "ts"));
		ck_assert_uint_lt(found, countof(wanted));
		ck_assert(text_is(name_at(start), wanted[found][0]));
		ck_assert(text_is(name_at(event), wanted[found][1]));
		found++;
	}
	ck_assert_uint_eq(found, countof(wanted));
	yyjson_doc_free(doc);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(names_every_track)
{
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);
	yyjson_val *events, *event;
	yyjson_doc *doc;

	sample_settle_all(render);
	render_free(render);
	doc = read_trace(&sink);
	collect(&slices, doc);
	events = yyjson_obj_get(yyjson_doc_get_root(doc), "traceEvents");
	for (size_t at = 0; at < slices.n; at++) {
		bool is_named = false;
		size_t i, n;

		yyjson_arr_foreach(events, i, n, event) is_named |=
			is_phase(event, "M") &&
			yyjson_equals_str(yyjson_obj_get(event, "name"), "thread_name") &&
			number(event, "pid") == slices.slices[at].pid &&
			number(event, "tid") == slices.slices[at].tid;
		ck_assert(is_named);
	}
	yyjson_doc_free(doc);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(is_a_trace_without_jobs_too)
{
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_finish(render, &(struct render_end){{NULL, 0}});
	render_free(render);
	yyjson_doc_free(read_trace(&sink));
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/trace", &slices_of_a_track_never_overlap, &uses_as_few_tracks_as_it_takes,
	&says_what_each_job_was, &arrows_lead_from_dependency_to_dependent, &names_every_track,
	&is_a_trace_without_jobs_too)
