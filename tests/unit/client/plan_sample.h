/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Plans made of documents as they stand in a test, with ' for ".
 */

#include <check.h>

#include "proto/document.h"
#include "util/buffer.h"

/* To be freed by plan_free(). */
static inline struct plan *plan_sample(const char *quoted)
{
	struct plan_errors errors;
	struct plan *plan = NULL;
	struct buffer json;

	buffer_init(&json, 1 << 20);
	buffer_append_text(&json, text_from(quoted));
	for (size_t i = 0; i < json.size; i++) {
		if (json.data[i] == '\'')
			json.data[i] = '"';
	}
	plan_errors_init(&errors);
	ck_assert_msg(
		document_parse(buffer_text(&json), &document_limits_default, &plan, &errors) == 0,
		"%s: %.*s: %.*s", quoted, TEXT_ARGS(errors.errors[0].at),
		TEXT_ARGS(errors.errors[0].message));
	plan_errors_deinit(&errors);
	buffer_deinit(&json);
	return plan;
}

/* What is rendered of the document; terminated, the caller's to deinit. */
static inline struct buffer plan_sample_render(
	int (*render)(struct buffer *out, const struct plan *plan), const char *quoted)
{
	struct plan *plan = plan_sample(quoted);
	struct buffer out;

	buffer_init(&out, 1 << 24);
	ck_assert_int_eq(render(&out, plan), 0);
	buffer_append_byte(&out, '\0');
	plan_free(plan);
	return out;
}

static inline void plan_sample_expect(int (*render)(struct buffer *out, const struct plan *plan),
	const char *quoted, const char *text)
{
	struct buffer out = plan_sample_render(render, quoted);

	ck_assert_str_eq(out.data, text);
	buffer_deinit(&out);
}
