/* SPDX-License-Identifier: MIT */
#include "client/cli/refusal.h"

#include "client/cli/exit.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(says_a_line_for_each_error)
{
	static const struct {
		const char *json;
		int status;
		const char *lines;
	} cases[] = {
		{"{\"errors\":[{\"code\":\"GRAPH_CYCLE\",\"at\":\"/jobs/a\",\"message\":\"a -> b "
		 "-> a\"},{\"code\":\"GRAPH_SYNTAX\",\"at\":\"\",\"message\":\"no\\u001b\"}]}",
			EXIT_REFUSED,
			"settle: GRAPH_CYCLE at /jobs/a: a -> b -> a\nsettle: GRAPH_SYNTAX: no?\n"},
		{"{\"errors\":[{\"code\":\"QUOTA\",\"at\":\"\",\"message\":\"full\"}]}",
			EXIT_POLICY, "settle: QUOTA: full\n"},
		{"{\"errors\":[{\"code\":\"POLICY_HOST\",\"at\":\"/x\",\"message\":\"m\"}]}",
			EXIT_POLICY, "settle: POLICY_HOST at /x: m\n"},
		{"{\"errors\":[{\"code\":\"QUOTA\",\"message\":\"q\"},{\"code\":\"GRAPH_KEY\","
		 "\"message\":\"k\"}]}",
			EXIT_REFUSED, "settle: QUOTA: q\nsettle: GRAPH_KEY: k\n"},
		{"{}", EXIT_REFUSED, "settle: the graph was refused\n"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct capture capture = capture_begin(STDERR_FILENO);
		int status = refusal_tell(text_from(cases[i].json));
		struct buffer lines = capture_end(&capture);

		ck_assert_int_eq(status, cases[i].status);
		ck_assert_str_eq(lines.data, cases[i].lines);
		buffer_deinit(&lines);
	}
}
END_TEST

START_TEST(writes_errors_as_the_daemon_does)
{
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_int_eq(refusal_check(TEXT("{\"jobs\":{\"a\":{\"url\":\"http://x\"}}}"), &out), 0);
	ck_assert_uint_eq(out.size, 0);
	ck_assert_int_eq(refusal_check(TEXT("{\"jobs\":{\"a\":{\"url\":\"http://x\","
					    "\"after\":[\"a\"]}}}"),
				 &out),
		EXIT_REFUSED);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, "{\"errors\":[{\"code\":\"GRAPH_CYCLE\",\"at\":\"/jobs/a\","
				   "\"message\":\"a -> a\"}]}");
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("client/refusal", &says_a_line_for_each_error, &writes_errors_as_the_daemon_does)
