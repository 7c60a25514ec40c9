/* SPDX-License-Identifier: MIT */
#include "client/cli/option.h"

#include <stdio.h>

#include "client/cli/curl.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define OPTION_WORDS_MAX 16

/* Parses a line of words; a NUL ends `error`. */
static int option_parse_words(
	const char *const *words, struct options *options, struct buffer *error)
{
	char *argv[OPTION_WORDS_MAX + 1];
	int argc = 0, r;

	argv[argc++] = (char *)(uintptr_t) "settle";
	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	argv[argc] = NULL;
	buffer_init(error, 4096);
	r = option_parse(argc, argv, options, error);
	buffer_append_byte(error, '\0');
	return r;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(takes_options_anywhere_in_order)
{
	struct options options;
	struct buffer error;

	ck_assert_int_eq(option_parse_words(WORDS("-m", "2", "get", "-sSH", "a: b", "http://x",
						    "--header=c: d", "-P3", "--", "-y"),
				 &options, &error),
		0);
	ck_assert_int_eq(options.command, COMMAND_GET);
	ck_assert_uint_eq(options.n_operands, 2);
	ck_assert_str_eq(options.operands[0], "http://x");
	ck_assert_str_eq(options.operands[1], "-y");
	ck_assert_uint_eq(options.n_uses, 6);
	ck_assert_int_eq(options.uses[0].option, OPTION_MAX_TIME);
	ck_assert_int_eq(options.uses[3].option, OPTION_HEADER);
	ck_assert_str_eq(options.uses[3].value, "a: b");
	ck_assert_str_eq(option_value(&options, OPTION_HEADER), "c: d");
	ck_assert_str_eq(option_value(&options, OPTION_CONCURRENCY), "3");
	ck_assert(option_given(&options, OPTION_SILENT));
	ck_assert(!option_given(&options, OPTION_INSECURE));
	ck_assert_ptr_null(option_value(&options, OPTION_SOCKET));
	option_deinit(&options);
	buffer_deinit(&error);
}
END_TEST

START_TEST(takes_what_curl_s_users_type)
{
	static const struct {
		const char *words[3];
		enum option_id option;
		const char *value;
	} cases[] = {
		{{"get", "-r0-9"}, OPTION_RANGE, "0-9"},
		{{"batch", "--range", "5-"}, OPTION_RANGE, "5-"},
		{{"get", "-N"}, OPTION_NO_BUFFER, NULL},
		{{"get", "-#"}, OPTION_PROGRESS_BAR, NULL},
		{{"get", "--progress-bar"}, OPTION_PROGRESS_BAR, NULL},
		{{"get", "-Z"}, OPTION_PARALLEL, NULL},
		{{"get", "--create-dirs"}, OPTION_CREATE_DIRS, NULL},
		{{"get", "--tlsv1.2"}, OPTION_TLSV12, NULL},
		{{"get", "-gfsSL"}, OPTION_GLOBOFF, NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		const char *words[4] = {
			cases[i].words[0], cases[i].words[1], cases[i].words[2], NULL};
		struct options options;
		struct buffer error;

		ck_assert_msg(option_parse_words(words, &options, &error) == 0, "%s", error.data);
		ck_assert_int_eq(options.uses[0].option, cases[i].option);
		ck_assert_pstr_eq(options.uses[0].value, cases[i].value);
		option_deinit(&options);
		buffer_deinit(&error);
	}
}
END_TEST

START_TEST(tells_the_command_of_a_line_that_makes_no_sense)
{
	static const struct {
		const char *words[3];
		enum command command;
	} cases[] = {
		{{"get", "--nope"}, COMMAND_GET},
		{{"get", "-C"}, COMMAND_GET},
		{{"--nope", "get"}, COMMAND_NONE},
		{{"nope"}, COMMAND_NONE},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct options options = {.command = COMMAND_TOP};
		struct buffer error;

		ck_assert_int_eq(
			option_parse_words(cases[i].words, &options, &error), OPTION_E_USAGE);
		ck_assert_int_eq(options.command, cases[i].command);
		ck_assert_ptr_null(options.uses);
		buffer_deinit(&error);
	}
}
END_TEST

START_TEST(takes_a_dash_as_an_operand)
{
	struct options options;
	struct buffer error;

	ck_assert_int_eq(option_parse_words(WORDS("run", "-"), &options, &error), 0);
	ck_assert_uint_eq(options.n_operands, 1);
	ck_assert_str_eq(options.operands[0], "-");
	option_deinit(&options);
	buffer_deinit(&error);
}
END_TEST

START_TEST(refuses_with_one_line)
{
	static const struct {
		const char *words[4];
		const char *error;
	} cases[] = {
		{{NULL}, "no command: run, get, batch, plan, status, top, cancel, flush or ping"},
		{{"rnu", NULL}, "unknown command rnu, did you mean run?"},
		{{"elephant", NULL}, "unknown command elephant"},
		{{"http://x", NULL}, "unknown command http://x, did you mean settle get http://x?"},
		{{"run", "--formt", "x", NULL}, "unknown option --formt, did you mean --format?"},
		{{"run", "--xyzzy=3", NULL}, "unknown option --xyzzy"},
		{{"run", "-q", NULL}, "unknown option -q"},
		{{"get", "-m", NULL}, "option -m needs a value"},
		{{"get", "--max-time", NULL}, "option --max-time needs a value"},
		{{"get", "--raw=1", NULL}, "option --raw takes no value"},
		{{"get", "--max", "1", NULL}, "option --max is ambiguous"},
		{{"get", "-OJ", NULL}, "option -J is not supported: say -o FILE, a name that the "
				       "server gives is not taken"},
		{{"-4", NULL}, "option -4 is not supported: addresses of both families are tried, "
			       "--resolve HOST:PORT:ADDRESS names one"},
		{{"batch", "--form=a", NULL},
			"option --form is not supported: make the multipart body, and send it with "
			"--data-binary @FILE and its -H"},
		{{"get", "--cookie-j", "x", NULL}, "option --cookie-jar is not supported: cookies "
						   "are not kept, -b NAME=VALUE sends one"},
		{{"get", "-:", NULL}, "option -: is not supported: options hold for all URLs, in a "
				      "graph (settle run) each job has its own"},
		{{"run", "-J", NULL}, "unknown option -J"},
		{{"run", "--form", "json", NULL}, "unknown option --form, did you mean --format?"},
		{{"get", "--retry-", "1", NULL}, "option --retry- is ambiguous"},
		{{"run", "-v", NULL}, "run takes no option --verbose: get does"},
		{{"batch", "-T", "x", NULL}, "batch takes no option --upload-file: get does"},
		{{"batch", "--waterfall", NULL},
			"batch takes no option --waterfall: run and get do"},
		{{"batch", "--timeout", "1", NULL},
			"batch takes no option --timeout: run, get and plan do"},
		{{"run", "--resume-from", "x", NULL},
			"run takes no option --resume-from: batch does"},
		{{"status", "--once", NULL}, "status takes no option --once: top does"},
		{{"plan", "--body", "none", NULL},
			"plan takes no option --body: run, get and batch do"},
		{{"run", "-H", "a: b", NULL}, "run takes no option --header: get and batch do"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct options options;
		struct buffer error;

		ck_assert_int_eq(
			option_parse_words(cases[i].words, &options, &error), OPTION_E_USAGE);
		ck_assert_str_eq(error.data, cases[i].error);
		buffer_deinit(&error);
	}
}
END_TEST

START_TEST(helps_whatever_else_is_wrong)
{
	struct options options;
	struct buffer error;

	ck_assert_int_eq(option_parse_words(WORDS("top", "--help"), &options, &error), 0);
	ck_assert(option_given(&options, OPTION_HELP));
	option_deinit(&options);
	buffer_deinit(&error);
	ck_assert_int_eq(option_parse_words(WORDS("help", "run"), &options, &error), 0);
	ck_assert(option_given(&options, OPTION_HELP));
	ck_assert_int_eq(options.command, COMMAND_RUN);
	option_deinit(&options);
	buffer_deinit(&error);
	/* Behind a command it is a word. */
	ck_assert_int_eq(option_parse_words(WORDS("get", "help"), &options, &error), 0);
	ck_assert(!option_given(&options, OPTION_HELP));
	option_deinit(&options);
	buffer_deinit(&error);
}
END_TEST

START_TEST(helps_with_what_the_command_takes)
{
	struct buffer out;

	buffer_init(&out, 65536);
	option_help(&out, COMMAND_RUN);
	buffer_append_byte(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.data, "\n  -c, -P, --concurrency N "));
	ck_assert_ptr_null(strstr(out.data, "--insecure"));
	ck_assert_ptr_nonnull(strstr(out.data, "--waterfall"));
	ck_assert_ptr_nonnull(strstr(out.data, "--output-fd FILE"));
	buffer_clear(&out);
	option_help(&out, COMMAND_GET);
	buffer_append_byte(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.data, "\n  -T, --upload-file FILE "));
	ck_assert_ptr_null(strstr(out.data, "--remote-header-name"));
	ck_assert_ptr_nonnull(strstr(out.data, "\n  -#, --progress-bar "));
	buffer_clear(&out);
	option_help(&out, COMMAND_NONE);
	buffer_append_byte(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.data, "\n  get    URL...      "));
	ck_assert_ptr_nonnull(strstr(out.data, "\n  cancel GRAPH [JOB] "));
	buffer_deinit(&out);
}
END_TEST

/* The text of settle(1), terminated. */
static void option_read_manual(struct buffer *out)
{
	FILE *file = fopen(SETTLE_MANUAL, "re");
	size_t size;

	ck_assert_ptr_nonnull(file);
	buffer_init(out, SIZE_MAX / 4);
	do {
		ck_assert(buffer_reserve(out, 65536));
		size = fread(out->data + out->size, 1, 65536, file);
		out->size += size;
	} while (size > 0);
	fclose(file);
	buffer_append_byte(out, '\0');
}

START_TEST(is_what_the_manual_says)
{
	struct buffer manual;

	option_read_manual(&manual);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const char *letters = option_letters((enum option_id)i);
		char wanted[64];
		size_t at = 0;

		for (; *letters; letters++)
			at += (size_t)snprintf(
				wanted + at, sizeof(wanted) - at, "*-%c*, ", *letters);
		snprintf(
			wanted + at, sizeof(wanted) - at, "*--%s*", option_name((enum option_id)i));
		ck_assert_msg(strstr(manual.data, wanted), "settle(1) lacks %s", wanted);
	}
	buffer_deinit(&manual);
}
END_TEST

START_TEST(is_all_the_manual_says)
{
	struct buffer manual;

	option_read_manual(&manual);
	for (const char *at = manual.data; (at = strstr(at, "*--")) != NULL;) {
		struct text name = {at + 3, strcspn(at + 3, "* ")};
		bool is_known = name.size == 0;

		for (size_t i = 0; i < OPTION_COUNT && !is_known; i++)
			is_known = text_is(name, option_name((enum option_id)i));
		for (size_t i = 0; i < CURL_OPTION_COUNT && !is_known; i++)
			is_known = text_is(name, curl_options[i].name);
		ck_assert_msg(is_known, "settle(1) has --%.*s", TEXT_ARGS(name));
		at = name.data + name.size;
	}
	buffer_deinit(&manual);
}
END_TEST

UNIT_MAIN("client/option", &takes_options_anywhere_in_order, &takes_what_curl_s_users_type,
	&tells_the_command_of_a_line_that_makes_no_sense, &takes_a_dash_as_an_operand,
	&refuses_with_one_line, &helps_whatever_else_is_wrong, &helps_with_what_the_command_takes,
	&is_what_the_manual_says, &is_all_the_manual_says)
