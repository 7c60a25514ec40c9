/* SPDX-License-Identifier: MIT */
/*
 * The log that GNU parallel writes with --joblog, so that what reads one reads the other: a line
 * with nine columns, separated by tabs, for each job that makes a request, as it settles.
 *
 *   Seq Host Starttime JobRuntime Send Receive Exitval Signal Command
 *   1   api.local 1700000000.012 0.010 0 41 0 0 http://api.local/users/1
 *
 * Seq is the place in the document from 1 on (of settle batch, the line of the input). Times are
 * seconds, from when the job had its place on the wire. Nothing is known of the bytes sent.
 * Exitval is 0 or 1; Signal is 15 (SIGTERM) where the job was cancelled. Command is the URL that
 * was asked for, and the job's id where a record and the plan tell of none: of a job that was never
 * sent the plan may have references that nothing was filled in for.
 */
#include <stdlib.h>

#include "client/cli/clean.h"
#include "client/cli/render/render.h"
#include "client/cli/render/timeline.h"
#include "http/url.h"
#include "util/container.h"

#define JOBLOG_CANCELLED 15

#define JOBLOG_US_PER_MS 1000
#define JOBLOG_NS_PER_US 1000

struct render_joblog {
	struct render render;
	bool has_begun;
};

static struct render_joblog *joblog_from(struct render *render)
{
	return container_of(render, struct render_joblog, render);
}

static void joblog_begin(struct render_joblog *joblog)
{
	if (!joblog->has_begun)
		buffer_append_literal(&joblog->render.options.sink->buffer,
			"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\t"
			"Command\n");
	joblog->has_begun = true;
}

/* The origin's host; ":", which is parallel's word for no host at all, where it is not known. */
static void joblog_append_host(struct buffer *out, struct text url)
{
	struct buffer normal;
	struct url parsed;

	buffer_init(&normal, 2 * URL_SIZE_MAX);
	if (url.data && url_parse(url, &normal, &parsed) == URL_OK)
		buffer_append_text(out, parsed.host);
	else
		buffer_append_byte(out, ':');
	buffer_deinit(&normal);
}

/* Seconds with three decimals. */
static void joblog_append_seconds(struct buffer *out, uint64_t us)
{
	uint64_t ms = us / JOBLOG_US_PER_MS;

	buffer_printf(out, "%llu.%03u\t", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

/* When the job first had its place on the wire. */
static uint64_t joblog_begin_us(const struct timeline_job *job)
{
	uint64_t begin_us = job->whole.from;

	for (uint32_t i = 0; i < job->n_pieces; i++) {
		if (job->pieces[i].phase > TIMELINE_QUEUE)
			break;
		begin_us = job->pieces[i].span.to;
	}
	return begin_us;
}

static void joblog_append_job(
	struct buffer *out, const struct timeline_job *job, uint64_t submitted_ns)
{
	uint64_t begin_us = joblog_begin_us(job);
	struct text url = job->url_is_template ? (struct text){NULL, 0} : job->url;

	buffer_append_u64(out, (uint64_t)job->index + 1);
	buffer_append_byte(out, '\t');
	joblog_append_host(out, url);
	buffer_append_byte(out, '\t');
	joblog_append_seconds(out, submitted_ns / JOBLOG_NS_PER_US + begin_us);
	joblog_append_seconds(out, job->whole.to - begin_us);
	buffer_printf(out, "0\t%llu\t%d\t%d\t", (unsigned long long)job->bytes, job->is_rejected,
		job->is_cancelled ? JOBLOG_CANCELLED : 0);
	clean_line(out, url.data ? url : job->id);
	buffer_append_byte(out, '\n');
}

static int joblog_record(struct render *render, const struct render_record *record)
{
	struct sink *sink = render->options.sink;
	struct timeline timeline;

	joblog_begin(joblog_from(render));
	timeline_init(&timeline, render->options.plan);
	timeline_add(&timeline, record);
	if (timeline.n_jobs > 0 && !timeline.jobs[0].is_group)
		joblog_append_job(
			&sink->buffer, &timeline.jobs[0], render->options.submitted_unix_ns);
	timeline_deinit(&timeline);
	sink_offer(sink);
	return 0;
}

static void joblog_finish(struct render *render, const struct render_end *end)
{
	joblog_begin(joblog_from(render));
}

static void joblog_free(struct render *render)
{
	free(joblog_from(render));
}

struct render *render_joblog_new(const struct render_options *options)
{
	static const struct render_class class = {joblog_record, joblog_finish, joblog_free, NULL};
	struct render_joblog *joblog = calloc(1, sizeof(*joblog));

	if (!joblog)
		return NULL;
	joblog->render = (struct render){&class, *options};
	return &joblog->render;
}
