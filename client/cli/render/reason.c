/* SPDX-License-Identifier: MIT */
#include "client/cli/render/reason.h"

#include "client/cli/clean.h"
#include "util/container.h"

/* Two words of the record, and what they say. */
struct reason_word {
	const char *word, *words;
};

static const struct reason_word reason_by[] = {
	{"winner", "the winner was faster"},
	{"fail_fast", "another job's rejection decided it"},
	{"client", "its client asked for it"},
	{"disconnect", "its client went away"},
	{"timeout", "the deadline of what it is in has passed"},
	{"shutdown", "the daemon stops"},
};

static const struct reason_word reason_stopped[] = {
	{"budget", "the origin's retry budget is used up"},
	{"not_idempotent", "the request is not idempotent"},
	{"deadline", "the wait would have passed the deadline"},
};

static const char *reason_find(const struct reason_word *words, size_t n, struct text word)
{
	for (size_t i = 0; word.data && i < n; i++) {
		if (text_is(word, words[i].word))
			return words[i].words;
	}
	return NULL;
}

static void reason_append_string(struct buffer *out, struct text text)
{
	if (text.data)
		clean_line(out, text);
}

void reason_append(struct buffer *out, yyjson_val *reason)
{
	struct text code = json_string(yyjson_obj_get(reason, "code"));
	struct text job = json_string(yyjson_obj_get(reason, "job"));
	const char *by = reason_find(
		reason_by, countof(reason_by), json_string(yyjson_obj_get(reason, "by")));

	reason_append_string(out, code);
	buffer_append_literal(out, ": ");
	if (by && code.data && text_is(code, "CANCELLED")) {
		buffer_append_text(out, text_from(by));
		return;
	}
	reason_append_string(out, json_string(yyjson_obj_get(reason, "message")));
	if (job.data && code.data && text_is(code, "JOB_REJECTED")) {
		buffer_append_literal(out, ": ");
		clean_line(out, job);
	}
}

void reason_append_tries(struct buffer *out, uint32_t attempts, struct text stopped)
{
	const char *why = reason_find(reason_stopped, countof(reason_stopped), stopped);

	if (attempts == 0 || (attempts == 1 && !why))
		return;
	buffer_printf(out, "%u attempt%s", attempts, attempts == 1 ? "" : "s");
	if (why)
		buffer_printf(out, "; not tried again: %s", why);
}

void reason_append_note(struct buffer *out, yyjson_val *record)
{
	yyjson_val *stopped = yyjson_obj_get(yyjson_obj_get(record, "reason"), "stopped");
	struct text digits = json_number(yyjson_obj_get(record, "attempts"));
	struct buffer tries;
	uint64_t attempts = 0;

	if (digits.data && !text_to_u64(digits, UINT32_MAX, &attempts))
		attempts = 0;
	buffer_init(&tries, 4096);
	reason_append_tries(&tries, (uint32_t)attempts, json_string(stopped));
	if (tries.size > 0) {
		buffer_append_literal(out, " (");
		buffer_append_text(out, buffer_text(&tries));
		buffer_append_byte(out, ')');
	}
	buffer_deinit(&tries);
}
