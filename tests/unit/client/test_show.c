/* SPDX-License-Identifier: MIT */
#include "client/cli/show.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define DOCUMENT "{\"jobs\":{\"a\":{\"url\":\"http://x/\"}}}"

/* The status of choosing and opening; standard output is no terminal meanwhile. */
static int show_try(const char *words, struct show *show)
{
	struct capture capture = capture_begin(STDOUT_FILENO);
	char *line = strdup(words);
	enum show_format format;
	struct options options;
	struct buffer text;
	int status;

	words_parse(line, &options);
	status = show_choose(&options, &format);
	if (status == 0)
		status = show_open(show,
			&(struct show_options){
				.options = &options, .format = format, .document = TEXT(DOCUMENT)});
	option_deinit(&options);
	free(line);
	text = capture_end(&capture);
	buffer_deinit(&text);
	return status;
}

START_TEST(takes_formats_and_their_options)
{
	static const struct {
		const char *words;
		enum show_format format;
		bool color;
		enum render_body body;
	} cases[] = {
		{"run", SHOW_JSONL, false, RENDER_BODY_AUTO},
		{"run --format json --body none", SHOW_JSON, false, RENDER_BODY_NONE},
		{"run --format table --color always", SHOW_TABLE, true, RENDER_BODY_AUTO},
		{"run --format table --color auto", SHOW_TABLE, false, RENDER_BODY_AUTO},
		{"run --format partition --body text", SHOW_PARTITION, false, RENDER_BODY_TEXT},
		{"run --format return --body base64", SHOW_RETURN, false, RENDER_BODY_BASE64},
		{"run --progress plain", SHOW_JSONL, false, RENDER_BODY_AUTO},
		{"run --progress json", SHOW_JSONL, false, RENDER_BODY_AUTO},
		{"run --format tap", SHOW_TAP, false, RENDER_BODY_AUTO},
		{"run --trace -", SHOW_VIEW, false, RENDER_BODY_AUTO},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct show show;

		ck_assert_int_eq(show_try(cases[i].words, &show), 0);
		ck_assert_int_eq(show.format, cases[i].format);
		ck_assert_int_eq(show.render->options.color, cases[i].color);
		ck_assert_int_eq(show.render->options.body, cases[i].body);
		ck_assert_uint_eq(show.render->options.columns, 0);
		ck_assert_int_eq(show.sink.escape, SINK_RAW);
		ck_assert_int_eq(show_has_refusal(&show),
			cases[i].format == SHOW_JSONL || cases[i].format == SHOW_JSON);
		show_close(&show);
	}
}
END_TEST

START_TEST(refuses_what_it_does_not_know)
{
	static const char *const lines[] = {"run --format xml", "run --body some",
		"run --color maybe", "run --progress often", "run --format json --har -",
		"run --report - --trace -", "get http://x/ --har - --joblog -"};

	for (size_t i = 0; i < countof(lines); i++) {
		struct capture errors = capture_begin(STDERR_FILENO);
		struct show show = {0};
		int status = show_try(lines[i], &show);
		struct buffer text = capture_end(&errors);

		ck_assert_int_eq(status, EXIT_USAGE);
		ck_assert_uint_gt(text.size, 0);
		buffer_deinit(&text);
	}
}
END_TEST

START_TEST(reads_the_document_only_for_who_needs_it)
{
	static const struct {
		const char *words;
		bool has_plan;
	} cases[] = {
		{"run", false},
		{"run --format table", false},
		{"run --keep-order", true},
		{"run --waterfall", true},
		{"run --trace -", true},
		{"run --progress plain", true},
		{"run --progress tty", true},
		{"get -#", true},
		{"get -# --progress none", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct show show;

		ck_assert_int_eq(show_try(cases[i].words, &show), 0);
		ck_assert_msg((show.plan != NULL) == cases[i].has_plan, "%s", cases[i].words);
		ck_assert_ptr_eq(show.render->options.plan, show.plan);
		show_close(&show);
	}
}
END_TEST

START_TEST(makes_the_directory_for_bodies)
{
	char path[64], line[128];
	struct show show;
	struct stat status;

	snprintf(path, sizeof(path), "/tmp/settle-test.%d", getpid());
	snprintf(line, sizeof(line), "run --body %s", path);
	ck_assert_int_eq(show_try(line, &show), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert(S_ISDIR(status.st_mode));
	ck_assert_int_eq(show.render->options.directory[strlen(path)], '/');
	show_close(&show);
	/* It may be there. */
	ck_assert_int_eq(show_try(line, &show), 0);
	show_close(&show);
	rmdir(path);
	message_silence();
	ck_assert_int_eq(show_try("run --body /nonexistent/a/b/", &show), EXIT_LOCAL_IO);
}
END_TEST

UNIT_MAIN("client/show", &takes_formats_and_their_options, &refuses_what_it_does_not_know,
	&reads_the_document_only_for_who_needs_it, &makes_the_directory_for_bodies)
