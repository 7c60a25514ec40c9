/* SPDX-License-Identifier: MIT */
#include "client/cli/progress.h"

#include <unistd.h>

#include "tests/unit/client/capture.h"
#include "tests/unit/unit.h"

START_TEST(wakes_nobody_where_it_is_not_wanted)
{
	progress_init(PROGRESS_NONE);
	ck_assert_int_eq(progress_wait_ms(), -1);
	progress_init(PROGRESS_PLAIN);
	ck_assert_int_gt(progress_wait_ms(), 0);
}
END_TEST

/* What stderr is told of a graph whose end is all that is shown. */
static struct buffer progress_told(enum progress_mode mode, const struct watch *watch)
{
	struct capture capture = capture_begin(STDERR_FILENO);

	progress_init(mode);
	progress_show(watch);
	progress_finish(watch);
	progress_finish(watch);
	return capture_end(&capture);
}

START_TEST(ends_with_one_line_of_json)
{
	struct watch watch = {.n_jobs = 3, .n_settled = 3, .n_rejected = 1};
	struct buffer text = progress_told(PROGRESS_JSON, &watch);

	ck_assert_ptr_nonnull(strstr(text.data, ",\"jobs\":3,\"settled\":3,\"rejected\":1}\n"));
	ck_assert_int_eq(text.data[0], '{');
	ck_assert_ptr_eq(strchr(text.data, '\n') + 1, text.data + text.size);
	buffer_deinit(&text);
}
END_TEST

START_TEST(leaves_nothing_of_what_was_quick)
{
	static const enum progress_mode modes[] = {PROGRESS_NONE, PROGRESS_TTY, PROGRESS_PLAIN};
	struct watch watch = {.n_jobs = 3, .n_settled = 3};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct buffer text = progress_told(modes[i], &watch);

		ck_assert_str_eq(text.data, "");
		buffer_deinit(&text);
	}
}
END_TEST

START_TEST(is_drawn_on_a_terminal_until_its_end)
{
	struct watch watch = {0};

	progress_init(PROGRESS_JSON);
	ck_assert(!progress_is_drawn());
	progress_init(PROGRESS_TTY);
	ck_assert(progress_is_drawn());
	progress_finish(&watch);
	ck_assert(!progress_is_drawn());
	ck_assert_int_eq(progress_wait_ms(), -1);
}
END_TEST

UNIT_MAIN("client/progress", &wakes_nobody_where_it_is_not_wanted, &ends_with_one_line_of_json,
	&leaves_nothing_of_what_was_quick, &is_drawn_on_a_terminal_until_its_end)
