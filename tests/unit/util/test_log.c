/* SPDX-License-Identifier: MIT */
#include "util/log.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/util/stderr_capture.h"

START_TEST(prefixes_lines_for_the_journal)
{
	static struct stderr_capture capture;

	stderr_capture_begin(&capture);
	log_error("number %d", 1);
	log_warning("%s", "two");
	log_info("three");
	stderr_capture_end(&capture);
	ck_assert_str_eq(capture.text, "<3>number 1\n<4>two\n<6>three\n");
}
END_TEST

START_TEST(drops_what_is_above_the_level)
{
	static struct stderr_capture capture;

	stderr_capture_begin(&capture);
	log_debug("not at first");
	log_set_level(LOG_LEVEL_WARNING);
	log_info("not now");
	log_warning("this");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("that");
	log_set_level(LOG_LEVEL_INFO);
	stderr_capture_end(&capture);
	ck_assert_str_eq(capture.text, "<4>this\n<7>that\n");
}
END_TEST

START_TEST(cuts_long_lines)
{
	static struct stderr_capture capture;
	char large[3000];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	stderr_capture_begin(&capture);
	log_info("%s", large);
	log_info("next");
	stderr_capture_end(&capture);
	ck_assert(strncmp(capture.text, "<6>xxx", 6) == 0);
	ck_assert_uint_le(strcspn(capture.text, "\n"), 1024);
	ck_assert_uint_ge(strcspn(capture.text, "\n"), 1000);
	ck_assert_str_eq(strchr(capture.text, '\n'), "\n<6>next\n");
}
END_TEST

START_TEST(survives_a_closed_stderr)
{
	int saved = dup(STDERR_FILENO);

	close(STDERR_FILENO);
	log_error("nobody hears this");
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
}
END_TEST

UNIT_MAIN("util/log", &prefixes_lines_for_the_journal, &drops_what_is_above_the_level,
	&cuts_long_lines, &survives_a_closed_stderr)
