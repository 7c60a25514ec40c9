/* SPDX-License-Identifier: MIT */
#include "client/cli/upload.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(gives_the_nth_file_to_the_nth_url)
{
	char line[] = "get -T /etc/passwd -T - -T /dev/null x y z w";
	struct compose_job jobs[4];
	struct passed passed = {.n = 0};
	struct options options;

	for (size_t i = 0; i < countof(jobs); i++)
		jobs[i] = (struct compose_job){.body_fd = COMPOSE_FD_NONE};
	words_parse(line, &options);
	ck_assert_int_eq(upload_take(&options, jobs, 4, &passed), 0);
	ck_assert_str_eq(jobs[0].upload, "/etc/passwd");
	ck_assert_uint_eq(jobs[0].body_fd, 0);
	ck_assert_str_eq(jobs[1].upload, "-");
	ck_assert_uint_eq(jobs[1].body_fd, 1);
	/* /dev/null, and what a test has for standard input, may be by way of a pipe. */
	ck_assert_int_ge(passed.fds[1], STDIN_FILENO);
	ck_assert_uint_eq(jobs[2].body_fd, 2);
	ck_assert_ptr_null(jobs[3].upload);
	ck_assert_uint_eq(jobs[3].body_fd, COMPOSE_FD_NONE);
	passed_close(&passed);
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
	option_deinit(&options);
}
END_TEST

START_TEST(refuses_what_it_cannot_send)
{
	static const struct {
		const char *words;
		int status;
	} cases[] = {
		{"get -T /nonexistent x", EXIT_LOCAL_IO},
		{"get -T /tmp x", EXIT_LOCAL_IO},
		{"get -T - -T - x", EXIT_USAGE},
		{"get -T  x", EXIT_USAGE},
	};

	message_silence();
	for (size_t i = 0; i < countof(cases); i++) {
		char *line = strdup(cases[i].words);
		struct compose_job job = {.url = "x"};
		struct passed passed = {.n = 0};
		struct options options;

		words_parse(line, &options);
		ck_assert_int_eq(upload_take(&options, &job, 1, &passed), cases[i].status);
		passed_close(&passed);
		option_deinit(&options);
		free(line);
	}
}
END_TEST

START_TEST(passes_a_file_that_is_the_whole_body)
{
	static const struct {
		const char *words;
		bool is_passed;
	} cases[] = {
		{"get --data-binary @/etc/passwd x", true},
		{"get --data-binary @/etc/passwd -d a x", false},
		{"get --data-binary @/etc/passwd -G x", false},
		{"get --data-binary @/dev/null x", false},
		{"get --data-binary @/nonexistent x", false},
		{"get --data-binary @- x", false},
		{"get --data-binary a x", false},
		{"get -d @/etc/passwd x", false},
		{"get --json @/etc/passwd x", false},
		{"get x", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char *line = strdup(cases[i].words);
		struct passed passed = {.n = 0};
		struct options options;
		uint32_t fd;

		words_parse(line, &options);
		ck_assert_int_eq(upload_take_data(&options, &passed, &fd), 0);
		ck_assert_msg((fd == 0) == cases[i].is_passed, "%s", cases[i].words);
		ck_assert_uint_eq(passed.n, cases[i].is_passed);
		passed_close(&passed);
		option_deinit(&options);
		free(line);
	}
}
END_TEST

UNIT_MAIN("client/upload", &gives_the_nth_file_to_the_nth_url, &refuses_what_it_cannot_send,
	&passes_a_file_that_is_the_whole_body)
