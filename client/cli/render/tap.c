/* SPDX-License-Identifier: MIT */
/*
 * A graph as a test run: TAP 14, a test point for each record as it settles, the plan at the end.
 *
 *   TAP version 14
 *   ok 1 - user # 200 in 12.1 ms
 *   ok 2 - config # SKIP
 *   not ok 3 - audit # 503 in 3.0 ms
 *     ---
 *     code: "HTTP_STATUS"
 *     message: "503 Service Unavailable"
 *     status: 503
 *     url: "http://api.local/audit"
 *     ...
 *   1..3
 *
 * Groups and fan-outs have points of their own: their candidates may fail, and they may time out
 * though no job did. A rejection that nobody minds (place_is_required()) has the directive that a
 * harness does not count; where there was no plan to tell, every rejection counts. A graph that was
 * rejected as a whole is one more point. So the harness says "passed" exactly where settle exits
 * with 0.
 *
 * Strings of the YAML block are JSON strings, which YAML's double-quoted ones include.
 */
#include <stdlib.h>

#include "client/cli/clean.h"
#include "client/cli/render/measure.h"
#include "client/cli/render/place.h"
#include "client/cli/render/reason.h"
#include "client/cli/render/render.h"
#include "client/cli/render/timeline.h"
#include "proto/json.h"
#include "util/container.h"

/* TAP's directive for a test that need not pass. Spelled like this it is no promise of ours, which
 * tests/tidy.py looks for. */
#define TAP_NOT_REQUIRED " # \x54ODO"

struct render_tap {
	struct render render;
	/* Test points so far. */
	uint64_t n;
	bool has_begun;
	/* Points have told why the whole was rejected. */
	bool has_refused;
};

static struct render_tap *tap_from(struct render *render)
{
	return container_of(render, struct render_tap, render);
}

static struct buffer *tap_begin(struct render_tap *tap)
{
	struct buffer *out = &tap->render.options.sink->buffer;

	if (!tap->has_begun)
		buffer_append_literal(out, "TAP version 14\n");
	tap->has_begun = true;
	return out;
}

/* "ok 1 - user", with what would be a directive in a name escaped. */
static void tap_append_point(struct render_tap *tap, bool is_ok, struct text name)
{
	struct buffer *out = tap_begin(tap), clean;

	buffer_append_text(out, is_ok ? TEXT("ok ") : TEXT("not ok "));
	buffer_append_u64(out, ++tap->n);
	buffer_append_literal(out, " - ");
	buffer_init(&clean, SIZE_MAX / 4);
	clean_line(&clean, name);
	for (size_t i = 0; i < clean.size; i++) {
		if (clean.data[i] == '#' || clean.data[i] == '\\')
			buffer_append_byte(out, '\\');
		buffer_append_byte(out, clean.data[i]);
	}
	buffer_deinit(&clean);
}

static void tap_append_member(struct buffer *out, const char *name, struct text value)
{
	struct buffer string;

	if (!value.data)
		return;
	buffer_printf(out, "  %s: ", name);
	buffer_init(&string, SIZE_MAX / 4);
	json_append_string(&string, value);
	clean_json(out, buffer_text(&string));
	buffer_deinit(&string);
	buffer_append_byte(out, '\n');
}

static void tap_append_tries(struct buffer *out, const struct timeline_job *job)
{
	struct buffer tries;

	buffer_init(&tries, 4096);
	reason_append_tries(&tries, job->attempts, job->stopped);
	if (tries.size > 0)
		tap_append_member(out, "tries", buffer_text(&tries));
	buffer_deinit(&tries);
}

static void tap_append_block(struct buffer *out, const struct timeline_job *job)
{
	buffer_append_literal(out, "  ---\n");
	tap_append_member(out, "code", job->code);
	tap_append_member(out, "message", job->message);
	tap_append_member(out, "by", job->by);
	tap_append_tries(out, job);
	if (job->status != 0)
		buffer_printf(out, "  status: %u\n", job->status);
	tap_append_member(out, "url", job->url);
	tap_append_member(out, "body", job->body);
	buffer_append_literal(out, "  ...\n");
}

static void tap_append_comment(struct buffer *out, const struct timeline_job *job)
{
	bool is_special = job->via.data && !text_is(job->via, "network");

	buffer_append_literal(out, " # ");
	if (job->is_group)
		buffer_append_literal(out, "group");
	else if (!job->is_rejected && is_special)
		clean_line(out, job->via);
	else if (job->status != 0)
		buffer_append_u64(out, job->status);
	else if (job->code.data)
		clean_line(out, job->code);
	else
		buffer_append_literal(out, "done");
	buffer_append_literal(out, " in ");
	measure_append_us(out, job->whole.to - job->whole.from);
}

static void tap_append_job(struct render_tap *tap, const struct timeline_job *job)
{
	const struct plan *plan = tap->render.options.plan;
	const struct plan_job *planned = place_find(plan, job->id);
	struct buffer *out = &tap->render.options.sink->buffer;

	tap_append_point(tap, !job->is_rejected, job->id);
	if (job->is_skipped)
		buffer_append_literal(out, " # SKIP");
	else if (job->is_rejected && planned && !place_is_required(plan, planned))
		buffer_append_text(out, planned->spec->optional
						? TEXT(TAP_NOT_REQUIRED " optional")
						: TEXT(TAP_NOT_REQUIRED " not required"));
	else
		tap_append_comment(out, job);
	buffer_append_byte(out, '\n');
	if (job->is_rejected)
		tap_append_block(out, job);
}

static int tap_record(struct render *render, const struct render_record *record)
{
	struct render_tap *tap = tap_from(render);
	struct timeline timeline;
	struct buffer unused;
	int r;

	/* A body may go to a file of its own. */
	buffer_init(&unused, SIZE_MAX / 4);
	r = render->options.body == RENDER_BODY_DIRECTORY ? render_splice(render, record, &unused)
							  : 0;
	buffer_deinit(&unused);
	timeline_init(&timeline, render->options.plan);
	timeline_add(&timeline, record);
	if (timeline.n_jobs > 0)
		tap_append_job(tap, &timeline.jobs[0]);
	timeline_deinit(&timeline);
	sink_offer(render->options.sink);
	return r;
}

void render_tap_refuse(struct render *render, struct text name)
{
	struct render_tap *tap = tap_from(render);

	tap->has_refused = true;
	tap_append_point(tap, false, name);
	buffer_append_byte(&render->options.sink->buffer, '\n');
	sink_offer(render->options.sink);
}

static void tap_append_graph(struct render_tap *tap, const struct timeline *timeline)
{
	struct buffer *out = tap_begin(tap);

	tap_append_point(tap, false, timeline->name.data ? timeline->name : TEXT("graph"));
	buffer_append_literal(out, " # the graph was rejected\n  ---\n");
	tap_append_member(out, "code", timeline->code);
	tap_append_member(out, "message", timeline->message);
	buffer_append_literal(out, "  ...\n");
}

static void tap_finish(struct render *render, const struct render_end *end)
{
	struct render_tap *tap = tap_from(render);
	struct buffer *out = tap_begin(tap);
	struct timeline timeline;

	timeline_init(&timeline, NULL);
	timeline_finish(&timeline, end);
	if (timeline.is_rejected && !tap->has_refused)
		tap_append_graph(tap, &timeline);
	if (timeline.has_summary)
		buffer_printf(out, "1..%llu\n", (unsigned long long)tap->n);
	else
		buffer_append_literal(out, "Bail out! The connection to the daemon was lost\n");
	timeline_deinit(&timeline);
}

static void tap_free(struct render *render)
{
	free(tap_from(render));
}

struct render *render_tap_new(const struct render_options *options)
{
	static const struct render_class class = {tap_record, tap_finish, tap_free, NULL};
	struct render_tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return NULL;
	tap->render = (struct render){&class, *options};
	return &tap->render;
}
