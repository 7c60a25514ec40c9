/* SPDX-License-Identifier: MIT */
#include "client/cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static int take(const char *words, struct outputs *outputs)
{
	char *line = strdup(words);
	struct options options;
	int r;

	words_parse(line, &options);
	r = outputs_take(&options, outputs);
	option_deinit(&options);
	free(line);
	return r;
}

START_TEST(gives_the_nth_file_to_the_nth_url)
{
	struct outputs outputs;

	ck_assert_int_eq(take("get -o a -O -o - http://x/ http://y/p/b?q z w", &outputs), 0);
	ck_assert_uint_eq(outputs.n, 4);
	ck_assert_str_eq(outputs.outputs[0].path, "a");
	ck_assert_str_eq(outputs.outputs[1].path, "b");
	ck_assert_ptr_null(outputs.outputs[2].path);
	ck_assert_ptr_null(outputs.outputs[3].path);
	ck_assert(!outputs.is_complete);
	outputs_close(&outputs);
	ck_assert_int_eq(take("get -o a -o b x y", &outputs), 0);
	ck_assert(outputs.is_complete);
	outputs_close(&outputs);
}
END_TEST

START_TEST(refuses_names_that_are_none)
{
	static const char *const lines[] = {"get -o a -o b x", "get -O http://x/", "get -o  x",
		"get -O http://x/..", "get -O http://x"};

	message_silence();
	for (size_t i = 0; i < countof(lines); i++) {
		struct outputs outputs;

		ck_assert_int_eq(take(lines[i], &outputs), EXIT_USAGE);
		outputs_close(&outputs);
	}
}
END_TEST

START_TEST(chooses_who_writes)
{
	static const struct {
		const char *path;
		bool has_head;
		enum output_kind kind;
		int status;
	} cases[] = {
		{NULL, false, OUTPUT_STDOUT, 0},
		{"/dev/null", false, OUTPUT_NOTHING, 0},
		{"/dev/null", true, OUTPUT_NOTHING, 0},
		{"/dev/zero", false, OUTPUT_PIPE, 0},
		{"/tmp/settle-test-output", false, OUTPUT_PART, 0},
		{"/tmp/settle-test-output", true, OUTPUT_SAVE, 0},
		{"/tmp", false, OUTPUT_STDOUT, EXIT_LOCAL_IO},
		{"/nonexistent/file", false, OUTPUT_STDOUT, EXIT_LOCAL_IO},
		{"/tmp", true, OUTPUT_STDOUT, EXIT_LOCAL_IO},
		{"/nonexistent/file", true, OUTPUT_STDOUT, EXIT_LOCAL_IO},
		{"/tmp/nonexistent/", false, OUTPUT_STDOUT, EXIT_LOCAL_IO},
		{"/dev/fd/99", false, OUTPUT_STDOUT, EXIT_LOCAL_IO},
	};

	message_silence();
	for (size_t i = 0; i < countof(cases); i++) {
		struct outputs outputs;
		char line[128];

		snprintf(line, sizeof(line), "get -o %s x", cases[i].path ? cases[i].path : "-");
		ck_assert_int_eq(take(line, &outputs), 0);
		ck_assert_int_eq(output_open(&outputs.outputs[0],
					 &(struct output_how){.is_held = cases[i].has_head}),
			cases[i].status);
		ck_assert_msg(outputs.outputs[0].kind == cases[i].kind, "case %zu", i);
		outputs_close(&outputs);
		/* Nothing was kept. */
		ck_assert_int_ne(access("/tmp/settle-test-output", F_OK), 0);
	}
}
END_TEST

START_TEST(keeps_what_is_whole)
{
	char path[] = "/tmp/settle-test.XXXXXX", line[128];
	struct outputs outputs;

	close(mkstemp(path));
	unlink(path);
	snprintf(line, sizeof(line), "get -o %s x", path);
	ck_assert_int_eq(take(line, &outputs), 0);
	ck_assert_int_eq(output_open(&outputs.outputs[0], &(struct output_how){0}), 0);
	ck_assert_int_eq(output_keep(&outputs.outputs[0]), 0);
	outputs_close(&outputs);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(makes_directories_when_told_to)
{
	char directory[] = "/tmp/settle-test.XXXXXX", path[64], line[128];
	struct output_how how = {.makes_directories = true};
	struct outputs outputs;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a//b/file", directory);
	snprintf(line, sizeof(line), "get -o %s x", path);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(take(line, &outputs), 0);
		ck_assert_int_eq(output_open(&outputs.outputs[0], &how), 0);
		ck_assert_int_eq(output_keep(&outputs.outputs[0]), 0);
		outputs_close(&outputs);
	}
	ck_assert_int_eq(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/a/b", directory);
	ck_assert_int_eq(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

UNIT_MAIN("client/output", &gives_the_nth_file_to_the_nth_url, &refuses_names_that_are_none,
	&chooses_who_writes, &keeps_what_is_whole, &makes_directories_when_told_to)
