/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

/*
 * What a group of jobs says that a request does not: how it is decided, how much of it runs at
 * once, what its jobs have in common. The graph says the same of all its jobs.
 */

void document_read_mode(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("settled"), PLAN_SETTLED},
		{TEXT_INIT("all"), PLAN_ALL},
		{TEXT_INIT("any"), PLAN_ANY},
		{TEXT_INIT("race"), PLAN_RACE},
		{{NULL, 0}, 0},
	};
	int mode = document_read_word(document, value, at, words);

	if (mode >= 0)
		job->group.mode = (enum plan_mode)mode;
}

void document_read_concurrency(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bound(document, value, at, &job->concurrency);
}

void document_note_jobs(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	if (!yyjson_is_ctn(value))
		document_refuse_type(document, at, value, "an object or an array");
	job->jobs = value;
}

void document_note_defaults(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	job->defaults = value;
}

void document_end_group(
	struct document *document, const struct document_job *job, const struct document_at *at)
{
	struct document_at member = {.parent = at, .key = TEXT("jobs")};

	if (job->group.mode == PLAN_RACE && yyjson_is_ctn(job->jobs) &&
		unsafe_yyjson_get_len(job->jobs) == 0)
		document_refuse(document, &member, FAULT_GRAPH_EMPTY,
			"a race needs jobs: without one nothing would ever decide it");
}
