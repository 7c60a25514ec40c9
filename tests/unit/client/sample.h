/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records as the daemon writes them, and a sink whose bytes a test looks at.
 */

#include <check.h>
#include <stdio.h>

#include "client/cli/render/render.h"
#include "client/cli/sink.h"

#define SAMPLE_USER                                                                                \
	"{\"job\":\"user\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\",\"attempts\":" \
	"1,"                                                                                       \
	"\"value\":{\"status\":200,\"version\":\"1.1\",\"url\":\"http://api.local/users/1\","      \
	"\"redirects\":0,\"headers\":{\"content-type\":\"application/json\",\"x\":[\"a\",\"b\"]}," \
	"\"bytes\":8},\"time\":{\"start\":0.02,\"queue\":0.01,\"end\":10.26}}"

#define SAMPLE_PROFILE                                                                             \
	"{\"job\":\"profile\",\"index\":1,\"status\":\"rejected\",\"attempts\":1,\"reason\":{"     \
	"\"code\":\"HTTP_STATUS\",\"message\":\"503 Service Unavailable\",\"response\":{"          \
	"\"status\":503,\"version\":\"1.1\",\"url\":\"http://api.local/p\",\"redirects\":0,"       \
	"\"headers\":{\"content-type\":\"text/plain\"},\"bytes\":4}},\"time\":{\"start\":10.3,"    \
	"\"end\":2010.3}}"

#define SAMPLE_AUDIT                                                                               \
	"{\"job\":\"audit\",\"index\":2,\"status\":\"rejected\",\"attempts\":0,\"reason\":{"       \
	"\"code\":\"DEPENDENCY_REJECTED\",\"message\":\"profile was rejected\","                   \
	"\"job\":\"profile\",\"root\":\"profile\"},\"time\":{}}"

#define SAMPLE_EMPTY                                                                               \
	"{\"job\":\"empty\",\"index\":3,\"status\":\"fulfilled\",\"via\":\"network\","             \
	"\"attempts\":1,"                                                                          \
	"\"value\":{\"status\":204,\"version\":\"1.1\",\"url\":\"http://api.local/e\","            \
	"\"redirects\":0,\"headers\":{},\"bytes\":0},\"time\":{}}"

#define SAMPLE_DISCARDED                                                                           \
	"{\"job\":\"gone\",\"index\":4,\"status\":\"fulfilled\",\"via\":\"network\",\"attempts\":" \
	"1,"                                                                                       \
	"\"value\":{\"status\":200,\"version\":\"1.1\",\"url\":\"http://api.local/d\","            \
	"\"redirects\":0,\"headers\":{},\"bytes\":70000},\"time\":{}}"

#define SAMPLE_SUMMARY                                                                             \
	"{\"graph\":\"g\",\"status\":\"fulfilled\",\"jobs\":3,\"fulfilled\":1,\"rejected\":2,"     \
	"\"skipped\":0,\"wall_ms\":2010.3,\"sum_ms\":4000,\"speedup\":1.98,"                       \
	"\"critical_path\":[\"user\",\"profile\"],\"return\":{\"n\":9007199254740993}}"

static const struct render_record sample_user = {
	.json = TEXT_INIT(SAMPLE_USER),
	.body = TEXT_INIT("{\"id\":1}"),
	.job = TEXT_INIT("user"),
	.index = 0,
};

static const struct render_record sample_profile = {
	.json = TEXT_INIT(SAMPLE_PROFILE),
	.body = TEXT_INIT("oops"),
	.job = TEXT_INIT("profile"),
	.index = 1,
	.is_rejected = true,
};

static const struct render_record sample_audit = {
	.json = TEXT_INIT(SAMPLE_AUDIT),
	.job = TEXT_INIT("audit"),
	.index = 2,
	.is_rejected = true,
};

static const struct render_record sample_empty = {
	.json = TEXT_INIT(SAMPLE_EMPTY),
	.job = TEXT_INIT("empty"),
	.index = 3,
};

static const struct render_record sample_discarded = {
	.json = TEXT_INIT(SAMPLE_DISCARDED),
	.job = TEXT_INIT("gone"),
	.index = 4,
};

static const struct render_end sample_end = {.summary = TEXT_INIT(SAMPLE_SUMMARY)};

/* The sample with another index. */
static inline struct render_record sample_at(struct render_record record, uint32_t index)
{
	record.index = index;
	return record;
}

/* What was written since the last call. */
static inline void sample_expect(struct sink *sink, const char *text)
{
	buffer_append_byte(&sink->buffer, '\0');
	ck_assert_str_eq(sink->buffer.data, text);
	buffer_clear(&sink->buffer);
}
