/* SPDX-License-Identifier: MIT */
/*
 * The run as a trace that Perfetto and Chrome open ("Trace Event Format", the JSON object form).
 *
 * A viewer nests the slices of one track (a tid) by time, so that two of them may stand inside
 * each other or apart, but never overlap in part. Jobs do overlap: each goes to a track that is
 * free when it begins, the one that has been free the longest, as in any room plan; a new track is
 * opened where none is free. That takes as many tracks as jobs were under way at once. The pieces
 * of a job lie inside its slice. Groups and fan-outs, which last as long as what is in them, have
 * tracks of their own, in a process of their own as the format calls it.
 *
 * A job that took no time (it was never sent) is an instant, which nothing can overlap.
 *
 * An arrow ("s", "f") leads from the end of a job to the begin of each that depended on it. The
 * plan knows jobs, not records: inside a fan-out the dependency is the record of the same
 * instance, whose id has as many item numbers as there are fan-outs around it.
 *
 * Times are whole us since the graph's acceptance, as the format wants them.
 */
#include <stdlib.h>

#include "client/cli/message.h"
#include "client/cli/render/place.h"
#include "client/cli/render/render.h"
#include "client/cli/render/timeline.h"
#include "proto/json.h"
#include "util/container.h"
#include "util/heap.h"
#include "util/table.h"

/* "Processes" and tracks. */
#define TRACE_JOBS   1
#define TRACE_GROUPS 2
/* Of a job without any. */
#define TRACE_NO_TRACK 0

struct render_trace {
	struct render render;
	struct timeline timeline;
};

/* A track, and when it is free. */
struct trace_track {
	struct heap_node node;
	uint64_t free_us;
	uint32_t tid;
};

/* Tracks in use, the first one free first. */
struct trace_tracks {
	struct heap heap;
	/* Room for as many as there are jobs. */
	struct trace_track *tracks;
	uint32_t n;
};

struct trace {
	struct timeline *timeline;
	struct buffer *out;
	struct sink *sink;
	/* By place in timeline->jobs: its track. */
	uint32_t *tids;
	/* Jobs by id. */
	struct table ids;
	uint32_t n_tracks[TRACE_GROUPS + 1];
	bool has_groups;
	uint32_t n_arrows;
};

static struct render_trace *trace_from(struct render *render)
{
	return container_of(render, struct render_trace, render);
}

/* -- Tracks ------------------------------------------------------------------------------------ */

static int trace_compare(const void *a, const void *b)
{
	const struct timeline_job *left = *(const struct timeline_job *const *)a;
	const struct timeline_job *right = *(const struct timeline_job *const *)b;

	if (left->whole.from != right->whole.from)
		return left->whole.from < right->whole.from ? -1 : 1;
	/* Those of one time in input order, which is how they lie in memory. */
	return left < right ? -1 : left > right;
}

static struct trace_track *trace_track_of(const struct heap_node *node)
{
	return container_of(node, struct trace_track, node);
}

static bool trace_is_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct trace_track *left = trace_track_of(a), *right = trace_track_of(b);

	if (left->free_us != right->free_us)
		return left->free_us < right->free_us;
	return left->tid < right->tid;
}

static struct trace_track *trace_open_track(struct trace_tracks *tracks)
{
	struct trace_track *track = &tracks->tracks[tracks->n++];

	track->tid = tracks->n;
	return track;
}

static uint32_t trace_take_track(struct trace_tracks *tracks, const struct timeline_span *span)
{
	struct heap_node *first = heap_first(&tracks->heap);
	struct trace_track *track;

	if (first && trace_track_of(first)->free_us <= span->from)
		track = trace_track_of(heap_pop(&tracks->heap, trace_is_before));
	else
		track = trace_open_track(tracks);
	track->free_us = span->to;
	heap_push(&tracks->heap, &track->node, trace_is_before);
	return track->tid;
}

static uint32_t trace_process(const struct timeline_job *job)
{
	return job->is_group ? TRACE_GROUPS : TRACE_JOBS;
}

static bool trace_is_instant(const struct timeline_job *job)
{
	return job->whole.from == job->whole.to;
}

/* Gives each job of that process its track. */
static bool trace_plan_tracks(struct trace *trace, uint32_t process)
{
	struct timeline *timeline = trace->timeline;
	struct trace_tracks tracks = {.n = 0};
	struct timeline_job **order = arena_alloc_array(
		&timeline->arena, timeline->n_jobs, sizeof(struct timeline_job *));
	uint32_t n = 0;

	tracks.tracks =
		arena_alloc_array(&timeline->arena, timeline->n_jobs, sizeof(*tracks.tracks));
	if (!order || !tracks.tracks)
		return timeline->n_jobs == 0;
	for (uint32_t i = 0; i < timeline->n_jobs; i++) {
		struct timeline_job *job = &timeline->jobs[i];

		trace->has_groups |= job->is_group;
		if (trace_process(job) == process && !trace_is_instant(job))
			order[n++] = job;
	}
	if (n > 1)
		qsort(order, n, sizeof(struct timeline_job *), trace_compare);
	for (uint32_t i = 0; i < n; i++)
		trace->tids[order[i] - timeline->jobs] =
			trace_take_track(&tracks, &order[i]->whole);
	trace->n_tracks[process] = tracks.n;
	return true;
}

/* -- Events ------------------------------------------------------------------------------------ */

/* What every event begins with; the name stands between the two texts. */
static void trace_begin(struct trace *trace, const char *phase, struct text name)
{
	buffer_append_literal(trace->out, ",\n{\"ph\":\"");
	buffer_append_text(trace->out, text_from(phase));
	buffer_append_literal(trace->out, "\",\"name\":");
	json_append_string(trace->out, name);
}

static void trace_append_place(struct trace *trace, uint32_t pid, uint32_t tid, uint64_t us)
{
	buffer_printf(
		trace->out, ",\"pid\":%u,\"tid\":%u,\"ts\":%llu", pid, tid, (unsigned long long)us);
}

static void trace_append_argument(struct trace *trace, const char *name, struct text value)
{
	if (!value.data)
		return;
	buffer_printf(trace->out, ",\"%s\":", name);
	json_append_string(trace->out, value);
}

static void trace_append_arguments(struct trace *trace, const struct timeline_job *job)
{
	buffer_append_literal(trace->out, ",\"args\":{\"outcome\":");
	buffer_append_text(
		trace->out, job->is_rejected ? TEXT("\"rejected\"") : TEXT("\"fulfilled\""));
	trace_append_argument(trace, "method", job->method);
	trace_append_argument(trace, "url", job->url);
	if (job->status != 0)
		buffer_printf(trace->out, ",\"status\":%u", job->status);
	trace_append_argument(trace, "via", job->via);
	trace_append_argument(trace, "of", job->of);
	trace_append_argument(trace, "code", job->code);
	trace_append_argument(trace, "message", job->message);
	trace_append_argument(trace, "by", job->by);
	trace_append_argument(trace, "remote", job->remote);
	if (job->attempts > 0)
		buffer_printf(trace->out, ",\"attempts\":%u", job->attempts);
	if (job->is_critical)
		buffer_append_literal(trace->out, ",\"critical\":true");
	buffer_append_literal(trace->out, "}}");
}

static void trace_append_pieces(struct trace *trace, const struct timeline_job *job, uint32_t tid)
{
	for (uint32_t i = 0; i < job->n_pieces; i++) {
		const struct timeline_piece *piece = &job->pieces[i];

		if (piece->phase == TIMELINE_WAIT || job->is_group)
			continue;
		trace_begin(trace, "X", text_from(timeline_phase_name(piece->phase)));
		trace_append_place(trace, TRACE_JOBS, tid, piece->span.from);
		buffer_printf(trace->out,
			",\"dur\":%llu,\"cat\":\"piece\",\"args\":{\"attempt\":%u}}",
			(unsigned long long)(piece->span.to - piece->span.from), piece->attempt);
	}
}

static void trace_append_job(struct trace *trace, const struct timeline_job *job, uint32_t tid)
{
	uint32_t pid = trace_process(job);

	if (trace_is_instant(job)) {
		trace_begin(trace, "i", job->id);
		trace_append_place(trace, pid, TRACE_NO_TRACK, job->whole.from);
		buffer_append_literal(trace->out, ",\"s\":\"t\",\"cat\":\"job\"");
		trace_append_arguments(trace, job);
		return;
	}
	trace_begin(trace, "X", job->id);
	trace_append_place(trace, pid, tid, job->whole.from);
	buffer_printf(trace->out, ",\"dur\":%llu,\"cat\":\"%s\"",
		(unsigned long long)(job->whole.to - job->whole.from),
		job->is_group ? "group" : "job");
	trace_append_arguments(trace, job);
	trace_append_pieces(trace, job, tid);
}

static void trace_append_name(
	struct trace *trace, const char *what, uint32_t pid, uint32_t tid, struct text name)
{
	trace_begin(trace, "M", text_from(what));
	buffer_printf(trace->out, ",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":", pid, tid);
	json_append_string(trace->out, name);
	buffer_append_literal(trace->out, "}}");
}

static void trace_append_names(struct trace *trace, uint32_t pid, struct text process)
{
	char name[32];

	trace_append_name(trace, "process_name", pid, TRACE_NO_TRACK, process);
	trace_append_name(trace, "thread_name", pid, TRACE_NO_TRACK, TEXT("took no time"));
	for (uint32_t tid = 1; tid <= trace->n_tracks[pid]; tid++) {
		snprintf(name, sizeof(name), "%s %u", pid == TRACE_JOBS ? "jobs" : "groups", tid);
		trace_append_name(trace, "thread_name", pid, tid, text_from(name));
	}
}

/* -- Arrows ------------------------------------------------------------------------------------ */

static bool trace_match(const void *value, const void *key)
{
	const struct timeline_job *job = value;
	const struct text *id = key;

	return text_equal(job->id, *id);
}

static struct timeline_job *trace_find(const struct trace *trace, struct text id)
{
	return table_find(&trace->ids, table_hash(id), trace_match, &id);
}

static bool trace_collect_ids(struct trace *trace)
{
	struct timeline *timeline = trace->timeline;

	if (!table_reserve(&trace->ids, timeline->n_jobs))
		return false;
	for (uint32_t i = 0; i < timeline->n_jobs; i++) {
		struct timeline_job *job = &timeline->jobs[i];

		/* It has been made room for. */
		if (!trace_find(trace, job->id))
			(void)table_insert(&trace->ids, table_hash(job->id), job);
	}
	return true;
}

/* The record that `dependency` is to a job with these item numbers; NULL: there is none. */
static struct timeline_job *trace_dependency(
	const struct trace *trace, const struct plan_job *dependency, struct text items)
{
	struct text few = place_first_items(items, place_depth(trace->timeline->plan, dependency));
	struct timeline_job *job;
	struct buffer id;

	buffer_init(&id, SIZE_MAX / 4);
	buffer_append_text(&id, dependency->id);
	buffer_append_text(&id, few);
	job = trace_find(trace, buffer_text(&id));
	buffer_deinit(&id);
	return job;
}

static void trace_append_arrow(
	struct trace *trace, const struct timeline_job *from, const struct timeline_job *to)
{
	/* Arrows join slices. With `needs: any` a job need not have waited for this one. */
	if (trace_is_instant(from) || trace_is_instant(to) || from->whole.to > to->whole.from)
		return;
	trace->n_arrows++;
	trace_begin(trace, "s", TEXT("dependency"));
	/* At its very end a slice is over, and the next one on its track may have begun. */
	trace_append_place(trace, trace_process(from), trace->tids[from - trace->timeline->jobs],
		from->whole.to - 1);
	buffer_printf(trace->out, ",\"cat\":\"dependency\",\"id\":%u}", trace->n_arrows);
	trace_begin(trace, "f", TEXT("dependency"));
	trace_append_place(
		trace, trace_process(to), trace->tids[to - trace->timeline->jobs], to->whole.from);
	buffer_printf(
		trace->out, ",\"bp\":\"e\",\"cat\":\"dependency\",\"id\":%u}", trace->n_arrows);
}

static void trace_append_arrows(struct trace *trace, const struct timeline_job *job)
{
	const struct plan *plan = trace->timeline->plan;
	const struct plan_job *planned = place_find(plan, job->id);
	struct text items = place_items(job->id);

	for (uint32_t i = 0; planned && i < planned->n_dependencies; i++) {
		uint32_t place = plan->dependencies[planned->first_dependency + i];
		const struct timeline_job *from =
			trace_dependency(trace, &plan->jobs[place], items);

		if (from)
			trace_append_arrow(trace, from, job);
	}
}

/* -- The render -------------------------------------------------------------------------------- */

static int trace_record(struct render *render, const struct render_record *record)
{
	timeline_add(&trace_from(render)->timeline, record);
	return 0;
}

static void trace_write(struct trace *trace)
{
	struct timeline *timeline = trace->timeline;

	/* The first event has no comma before it. */
	buffer_append_literal(trace->out,
		"{\"displayTimeUnit\":\"ms\",\"otherData\":{\"version\":\"settle/" SETTLED_VERSION
		"\"},\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":1,"
		"\"tid\":0,\"args\":{\"sort_index\":1}}");
	trace_append_names(trace, TRACE_JOBS, timeline->name.data ? timeline->name : TEXT("graph"));
	if (trace->has_groups)
		trace_append_names(trace, TRACE_GROUPS, TEXT("groups"));
	for (uint32_t i = 0; i < timeline->n_jobs; i++) {
		trace_append_job(trace, &timeline->jobs[i], trace->tids[i]);
		trace_append_arrows(trace, &timeline->jobs[i]);
		sink_offer(trace->sink);
	}
	buffer_append_literal(trace->out, "\n]}\n");
}

static void trace_finish(struct render *render, const struct render_end *end)
{
	struct timeline *timeline = &trace_from(render)->timeline;
	struct trace trace = {.timeline = timeline, .sink = render->options.sink};

	trace.out = &trace.sink->buffer;
	timeline_finish(timeline, end);
	table_init(&trace.ids);
	trace.tids = arena_alloc_array(
		&timeline->arena, (size_t)timeline->n_jobs + 1, sizeof(*trace.tids));
	if (trace.tids && trace_collect_ids(&trace) && trace_plan_tracks(&trace, TRACE_JOBS) &&
		trace_plan_tracks(&trace, TRACE_GROUPS))
		trace_write(&trace);
	else
		timeline->no_memory = true;
	table_deinit(&trace.ids);
	if (timeline->no_memory)
		message_print("no memory for the whole trace: jobs are missing");
}

static void trace_free(struct render *render)
{
	struct render_trace *trace = trace_from(render);

	timeline_deinit(&trace->timeline);
	free(trace);
}

struct render *render_trace_new(const struct render_options *options)
{
	static const struct render_class class = {trace_record, trace_finish, trace_free, NULL};
	struct render_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	trace->render = (struct render){&class, *options};
	timeline_init(&trace->timeline, options->plan);
	return &trace->render;
}
