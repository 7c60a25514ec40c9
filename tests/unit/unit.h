/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file of unit tests: functions made by START_TEST(behaviour_it_shows), listed once.
 *
 *   UNIT_MAIN("http/url", &parses_what_curl_parses, &refuses_userinfo)
 *
 * Speaks TAP. CK_FORK=no runs all in one process (sanitizers, debuggers).
 */

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

static inline int unit_run(const char *name, const TTest *const *tests[], size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, *tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* START_TEST makes `static const TTest *name`. */
#define UNIT_MAIN(name, ...) \
	int main(void) \
	{ \
		const TTest *const *tests[] = {__VA_ARGS__}; \
\
		return unit_run(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}
