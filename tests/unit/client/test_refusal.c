/* SPDX-License-Identifier: MIT */
#include "client/cli/refusal.h"

#include <stdio.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* What `function` says on stderr about `json`, and its status. */
static int refusal_capture(const char *json, struct buffer *out)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO), status;
	size_t size;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(saved, 0);
	dup2(fileno(file), STDERR_FILENO);
	status = refusal_tell(text_from(json));
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	buffer_init(out, 65536);
	ck_assert(buffer_reserve(out, 8192));
	size = fread(out->data, 1, 8191, file);
	out->data[size] = '\0';
	fclose(file);
	return status;
}

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
		{"{\"errors\":[{\"code\":\"QUOTA\",\"at\":\"\",\"message\":\"full\"}]}", EXIT_POLICY,
			"settle: QUOTA: full\n"},
		{"{\"errors\":[{\"code\":\"POLICY_HOST\",\"at\":\"/x\",\"message\":\"m\"}]}",
			EXIT_POLICY, "settle: POLICY_HOST at /x: m\n"},
		{"{\"errors\":[{\"code\":\"QUOTA\",\"message\":\"q\"},{\"code\":\"GRAPH_KEY\","
		 "\"message\":\"k\"}]}",
			EXIT_REFUSED, "settle: QUOTA: q\nsettle: GRAPH_KEY: k\n"},
		{"{}", EXIT_REFUSED, "settle: the graph was refused\n"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer lines;

		ck_assert_int_eq(refusal_capture(cases[i].json, &lines), cases[i].status);
		ck_assert_str_eq(lines.data, cases[i].lines);
		buffer_deinit(&lines);
	}
}
END_TEST

START_TEST(writes_errors_as_the_daemon_does)
{
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_int_eq(
		refusal_check(TEXT("{\"jobs\":{\"a\":{\"url\":\"http://x\"}}}"), &out), 0);
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
