/* SPDX-License-Identifier: MIT */
#include "util/panic.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "util/container.h"

#include "tests/unit/util/stderr_capture.h"

static void test_hook(void)
{
	fprintf(stderr, "the hook ran\n");
}

static void test_hook_that_fails(void)
{
	fprintf(stderr, "the hook ran\n");
	expect(!"a second mistake");
}

static void test_fail(panic_hook hook, bool is_unreachable)
{
	const struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	panic_set_hook(hook);
	if (is_unreachable)
		unreachable("both ways are blocked");
	expect(1 + 1 == 3);
}

/* In a child, which must abort; what it printed. */
static void test_panic(struct stderr_capture *capture, panic_hook hook, bool is_unreachable)
{
	int status = 0;
	pid_t child;

	stderr_capture_begin(capture);
	child = fork();
	if (child == 0) {
		test_fail(hook, is_unreachable);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	stderr_capture_end(capture);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}

START_TEST(passes_what_holds)
{
	int n = 0;

	expect(++n == 1);
	ck_assert_int_eq(n, 1);
}
END_TEST

START_TEST(says_what_did_not_hold_and_aborts)
{
	static struct stderr_capture capture;

	test_panic(&capture, NULL, false);
	ck_assert(strncmp(capture.text, "<0>panic: ", strlen("<0>panic: ")) == 0);
	ck_assert_ptr_nonnull(strstr(capture.text, "test_panic.c:"));
	ck_assert_ptr_nonnull(strstr(capture.text, "test_fail"));
	ck_assert_ptr_nonnull(strstr(capture.text, "1 + 1 == 3"));
	test_panic(&capture, NULL, true);
	ck_assert_ptr_nonnull(strstr(capture.text, "both ways are blocked"));
}
END_TEST

START_TEST(runs_the_hook_once)
{
	static const panic_hook hooks[] = {test_hook, test_hook_that_fails};
	static struct stderr_capture capture;

	for (size_t i = 0; i < countof(hooks); i++) {
		char *first;

		test_panic(&capture, hooks[i], false);
		first = strstr(capture.text, "the hook ran");
		ck_assert_ptr_nonnull(first);
		ck_assert_ptr_null(strstr(first + 1, "the hook ran"));
	}
	ck_assert_ptr_nonnull(strstr(capture.text, "a second mistake"));
}
END_TEST

UNIT_MAIN("util/panic", &passes_what_holds, &says_what_did_not_hold_and_aborts, &runs_the_hook_once)
