/* SPDX-License-Identifier: MIT */
#include "client/cli/target.h"

#include <stdio.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static int open_targets(const char *words, struct targets *targets, struct passed *passed)
{
	char *line = strdup(words);
	struct options options;
	int r;

	*passed = (struct passed){.n = 0};
	words_parse(line, &options);
	r = targets_open(targets, &options, passed);
	option_deinit(&options);
	free(line);
	return r;
}

START_TEST(names_a_file_when_its_job_is_fulfilled)
{
	char directory[] = "/tmp/settle-test.XXXXXX", kept[64], left[64], line[256];
	struct plan_spec specs[] = {{.output = PLAN_INLINE}, {.output = PLAN_FILE, .output_fd = 1},
		{.output = PLAN_FILE, .output_fd = 2}};
	struct plan_job jobs[] = {{.spec = &specs[0], .index = 0}, {.spec = &specs[1], .index = 1},
		{.spec = &specs[2], .index = 2}};
	struct plan plan = {.jobs = jobs, .n_jobs = countof(jobs)};
	static struct targets targets;
	struct passed passed;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(kept, sizeof(kept), "%s/kept", directory);
	snprintf(left, sizeof(left), "%s/left", directory);
	snprintf(line, sizeof(line), "run --body-fd /etc/passwd --output-fd %s --output-fd %s g",
		kept, left);
	ck_assert_int_eq(open_targets(line, &targets, &passed), 0);
	ck_assert_uint_eq(passed.n, 3);
	ck_assert_int_eq(passed.fds[2], targets.parts[2].fd);
	ck_assert_int_eq(targets_keep(&targets, &plan, 0), 0);
	ck_assert_int_ne(access(kept, F_OK), 0);
	ck_assert_int_eq(targets_keep(&targets, &plan, 1), 0);
	ck_assert_int_eq(access(kept, F_OK), 0);
	ck_assert_int_eq(targets_keep(&targets, NULL, 2), 0);
	passed_close(&passed);
	targets_close(&targets);
	ck_assert_int_ne(access(left, F_OK), 0);
	unlink(kept);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(refuses_what_cannot_be_opened)
{
	static const char *const lines[] = {"run --body-fd /nonexistent g",
		"run --output-fd /nonexistent/file g", "run --output-fd /dev/null g",
		"run --output-fd /tmp g"};
	static struct targets targets;
	struct passed passed;

	message_silence();
	for (size_t i = 0; i < countof(lines); i++) {
		ck_assert_int_eq(open_targets(lines[i], &targets, &passed), EXIT_LOCAL_IO);
		passed_close(&passed);
		targets_close(&targets);
	}
}
END_TEST

START_TEST(reads_standard_input_that_has_no_graph)
{
	static struct targets targets;
	struct passed passed;

	message_silence();
	ck_assert_int_eq(open_targets("run --body-fd - g", &targets, &passed), 0);
	/* Or a pipe from it, where it is /dev/null. */
	ck_assert_int_ge(passed.fds[0], STDIN_FILENO);
	passed_close(&passed);
	targets_close(&targets);
	ck_assert_int_eq(open_targets("run --body-fd -", &targets, &passed), EXIT_USAGE);
	targets_close(&targets);
	ck_assert_int_eq(open_targets("run --body-fd - -", &targets, &passed), EXIT_USAGE);
	targets_close(&targets);
}
END_TEST

UNIT_MAIN("client/target", &names_a_file_when_its_job_is_fulfilled, &refuses_what_cannot_be_opened,
	&reads_standard_input_that_has_no_graph)
