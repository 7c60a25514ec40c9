/* SPDX-License-Identifier: MIT */
#include "client/cli/view.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"

static struct buffer view_read(const char *path)
{
	FILE *file = fopen(path, "re");
	struct buffer text;

	ck_assert_ptr_nonnull(file);
	buffer_init(&text, SIZE_MAX / 4);
	ck_assert(buffer_reserve(&text, 1 << 20));
	text.size = fread(text.data, 1, (1 << 20) - 1, file);
	text.data[text.size] = '\0';
	fclose(file);
	return text;
}

START_TEST(each_has_a_file_of_its_own)
{
	static const struct render_options render = {.keep_order = true, .columns = 80};
	char directory[] = "/tmp/settle-test.XXXXXX", line[512], path[128];
	static const struct {
		const char *name, *begin;
	} files[] = {
		{"r", "<!"},
		{"t", "{"},
		{"h", "{"},
		{"j", "Seq\t"},
	};
	struct options options;
	struct views views;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(line, sizeof(line),
		"run --report %s/r --trace %s/t --har %s/h --joblog %s/j --summary", directory,
		directory, directory, directory);
	words_parse(line, &options);
	ck_assert(view_is_wanted(&options));
	ck_assert_int_eq(view_open(&views, &options, &render), 0);
	ck_assert_uint_eq(views.n, 4);
	view_record(&views, &sample_user);
	view_record(&views, &sample_profile);
	view_flush(&views);
	ck_assert_int_eq(view_finish(&views, &sample_end), 0);
	view_close(&views);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct buffer text;

		snprintf(path, sizeof(path), "%s/%s", directory, files[i].name);
		text = view_read(path);
		ck_assert_msg(text_starts_with(buffer_text(&text), text_from(files[i].begin)),
			"%s: %.60s", path, text.data);
		buffer_deinit(&text);
		unlink(path);
	}
	rmdir(directory);
	option_deinit(&options);
}
END_TEST

START_TEST(the_waterfall_goes_to_stderr)
{
	static const struct render_options render = {0};
	struct capture capture = capture_begin(STDERR_FILENO);
	char line[] = "run --waterfall";
	struct options options;
	struct buffer text;
	struct views views;

	words_parse(line, &options);
	ck_assert_int_eq(view_open(&views, &options, &render), 0);
	view_record(&views, &sample_user);
	ck_assert_int_eq(view_finish(&views, &sample_end), 0);
	view_close(&views);
	option_deinit(&options);
	text = capture_end(&capture);
	ck_assert_ptr_nonnull(strstr(text.data, "user"));
	ck_assert_ptr_null(strchr(text.data, '\x1b'));
	buffer_deinit(&text);
}
END_TEST

START_TEST(a_dash_takes_the_place_of_the_results)
{
	static const struct render_options render = {0};
	char none[] = "run --trace x --waterfall", both[] = "run --report x --har -";
	char one[] = "run --har -";
	struct options options;
	struct views views;
	enum view_kind kind;

	words_parse(none, &options);
	ck_assert(!view_on_stdout(&options, &kind));
	option_deinit(&options);
	words_parse(both, &options);
	ck_assert(view_on_stdout(&options, &kind));
	ck_assert_int_eq(kind, VIEW_HAR);
	option_deinit(&options);
	words_parse(one, &options);
	ck_assert_int_eq(view_open(&views, &options, &render), 0);
	ck_assert_uint_eq(views.n, 0);
	view_close(&views);
	option_deinit(&options);
}
END_TEST

START_TEST(tells_what_cannot_be_written)
{
	static const struct render_options render = {0};
	char missing[] = "run --trace /nonexistent/x", full[] = "run --har /dev/full";
	struct options options;
	struct views views;

	message_silence();
	words_parse(missing, &options);
	ck_assert_int_eq(view_open(&views, &options, &render), EXIT_LOCAL_IO);
	view_close(&views);
	option_deinit(&options);
	words_parse(full, &options);
	ck_assert_int_eq(view_open(&views, &options, &render), 0);
	view_record(&views, &sample_user);
	ck_assert_int_lt(view_finish(&views, &sample_end), 0);
	view_close(&views);
	option_deinit(&options);
}
END_TEST

UNIT_MAIN("client/view", &each_has_a_file_of_its_own, &the_waterfall_goes_to_stderr,
	&a_dash_takes_the_place_of_the_results, &tells_what_cannot_be_written)
