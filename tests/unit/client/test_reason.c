/* SPDX-License-Identifier: MIT */
#include "client/cli/render/reason.h"

#include "tests/unit/unit.h"
#include "util/container.h"

static void reason_expect(const char *record, const char *wanted)
{
	struct json_error error;
	yyjson_doc *doc = json_read(text_from(record), &error);
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct buffer out;

	ck_assert_ptr_nonnull(doc);
	buffer_init(&out, 4096);
	reason_append(&out, yyjson_obj_get(root, "reason"));
	reason_append_note(&out, root);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, wanted);
	buffer_deinit(&out);
	yyjson_doc_free(doc);
}

#define RECORD(attempts, code, more)                                                               \
	"{\"attempts\":" attempts ",\"reason\":{\"code\":\"" code                                  \
	"\",\"message\":\"no\x7f way\"" more "}}"

START_TEST(tells_why_in_words)
{
	static const struct {
		const char *record, *wanted;
	} cases[] = {
		{RECORD("1", "HTTP_STATUS", ""), "HTTP_STATUS: no? way"},
		{RECORD("0", "REF_MISSING", ",\"stopped\":\"budget\""), "REF_MISSING: no? way"},
		{RECORD("1", "HTTP_STATUS", ",\"stopped\":\"budget\""),
			"HTTP_STATUS: no? way (1 attempt; not tried again: the origin's retry "
			"budget is used up)"},
		{RECORD("1", "IDLE_TIMEOUT", ",\"stopped\":\"not_idempotent\""),
			"IDLE_TIMEOUT: no? way (1 attempt; not tried again: the request is not "
			"idempotent)"},
		{RECORD("2", "HTTP_STATUS", ",\"stopped\":\"deadline\""),
			"HTTP_STATUS: no? way (2 attempts; not tried again: the wait would have "
			"passed the deadline)"},
		{RECORD("3", "HTTP_STATUS", ",\"stopped\":\"attempts\""),
			"HTTP_STATUS: no? way (3 attempts)"},
		{RECORD("1", "HTTP_STATUS", ",\"stopped\":\"policy\""), "HTTP_STATUS: no? way"},
		{RECORD("0", "CANCELLED", ",\"by\":\"winner\""),
			"CANCELLED: the winner was faster"},
		{RECORD("0", "CANCELLED", ",\"by\":\"fail_fast\""),
			"CANCELLED: another job's rejection decided it"},
		{RECORD("0", "CANCELLED", ",\"by\":\"timeout\""),
			"CANCELLED: the deadline of what it is in has passed"},
		{RECORD("0", "CANCELLED", ",\"by\":\"client\""),
			"CANCELLED: its client asked for it"},
		{RECORD("0", "CANCELLED", ",\"by\":\"disconnect\""),
			"CANCELLED: its client went away"},
		{RECORD("0", "CANCELLED", ",\"by\":\"shutdown\""), "CANCELLED: the daemon stops"},
		{RECORD("0", "CANCELLED", ",\"by\":\"nobody\""), "CANCELLED: no? way"},
		{RECORD("0", "JOB_REJECTED", ",\"job\":\"a\x7f\""), "JOB_REJECTED: no? way: a?"},
		{RECORD("0", "DEPENDENCY_REJECTED", ",\"job\":\"a\""),
			"DEPENDENCY_REJECTED: no? way"},
		{"{}", ": "},
	};

	for (size_t i = 0; i < countof(cases); i++)
		reason_expect(cases[i].record, cases[i].wanted);
}
END_TEST

UNIT_MAIN("client/reason", &tells_why_in_words)
