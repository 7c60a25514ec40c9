/* SPDX-License-Identifier: MIT */
/*
 * getopt_long(3) does the cutting. It is asked to give non-options back in their order (the
 * leading '-'), so that the command may stand anywhere and POSIXLY_CORRECT changes nothing, and to
 * be silent, because its messages know nothing of commands and of curl.
 *
 * All options share one name space: an option that the command does not take is told apart from
 * one that does not exist, and for what curl's users have in their fingers there is advice.
 */
#include "client/cli/option.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/curl.h"
#include "util/container.h"
#include "util/nearest.h"
#include "util/panic.h"

/* Values of getopt_long() for long options, beyond every character; curl's are behind ours. */
#define OPTION_LONG_BASE 256
#define OPTION_CURL_BASE (OPTION_LONG_BASE + OPTION_COUNT)

enum {
	RUN = 1 << COMMAND_RUN,
	GET = 1 << COMMAND_GET,
	BATCH = 1 << COMMAND_BATCH,
	PLAN = 1 << COMMAND_PLAN,
	TOP = 1 << COMMAND_TOP,
	/* What makes its requests of curl's options; and what shows records. */
	FETCH = GET | BATCH,
	RECORDS = RUN | FETCH,
	/* All that talk to one. */
	DAEMON = RECORDS | 1 << COMMAND_STATUS | TOP | 1 << COMMAND_CANCEL | 1 << COMMAND_FLUSH |
		 1 << COMMAND_PING,
	ANY = (1 << COMMAND_COUNT) - 1,
};

static const struct option_row {
	const char *letters;
	const char *name;
	const char *argument;
	unsigned commands;
	const char *help;
} option_rows[OPTION_COUNT] = {
#define OPTION(name, letters, long, argument, commands, help)                                      \
	[OPTION_##name] = {letters, long, argument, commands, help},
#include "client/cli/option.def"
#undef OPTION
};

static const struct {
	const char *name;
	const char *operands;
	const char *help;
} option_commands[COMMAND_COUNT] = {
	[COMMAND_RUN] = {"run", "[FILE|-]", "Run a graph of requests"},
	[COMMAND_GET] = {"get", "URL...", "Fetch: one URL to stdout, of several the records"},
	[COMMAND_BATCH] = {"batch", "[FILE|-]", "Fetch a URL, or run a job, for each line"},
	[COMMAND_PLAN] = {"plan", "[FILE|-]", "Check a graph and show it, without any network"},
	[COMMAND_STATUS] = {"status", "", "Show what the daemon is doing"},
	[COMMAND_TOP] = {"top", "", "Watch what the daemon is doing"},
	[COMMAND_CANCEL] = {"cancel", "GRAPH [JOB]", "Cancel a graph, or one job of it"},
	[COMMAND_FLUSH] = {"flush", "dns|conns", "Forget names, or close idle connections"},
	[COMMAND_PING] = {"ping", "", "See whether a daemon answers"},
};

const char *option_name(enum option_id option)
{
	return option_rows[option].name;
}

const char *option_letters(enum option_id option)
{
	return option_rows[option].letters;
}

const char *option_command_name(enum command command)
{
	return option_commands[command].name;
}

bool option_given(const struct options *options, enum option_id option)
{
	for (size_t i = 0; i < options->n_uses; i++) {
		if (options->uses[i].option == option)
			return true;
	}
	return false;
}

const char *option_value(const struct options *options, enum option_id option)
{
	for (size_t i = options->n_uses; i > 0; i--) {
		if (options->uses[i - 1].option == option)
			return options->uses[i - 1].value;
	}
	return NULL;
}

/* -- The nearest name -------------------------------------------------------------------------- */

/* One of ours, or NULL. */
static const char *option_nearest(struct text written)
{
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const char *name = option_rows[i].name;

		if (nearest_is_better(written, text_from(name), &distance))
			nearest = name;
	}
	return nearest;
}

static const char *option_nearest_command(struct text written)
{
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;

	for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		const char *name = option_commands[i].name;

		if (nearest_is_better(written, text_from(name), &distance))
			nearest = name;
	}
	return nearest;
}

/* -- Errors: each is the whole of `error`, and OPTION_E_USAGE ---------------------------------- */

/* Is the command, as far as it is known, one that is used like curl? */
static bool option_is_like_curl(const struct options *options)
{
	return (1u << options->command) & (FETCH | 1u << COMMAND_NONE);
}

static int option_refuse_letter(const struct options *options, int letter, struct buffer *error)
{
	const struct curl_option *curl = curl_find(letter);

	if (curl && option_is_like_curl(options))
		buffer_printf(error, "option -%c is not supported: %s", letter, curl->advice);
	else
		buffer_printf(error, "unknown option -%c", letter);
	return OPTION_E_USAGE;
}

static int option_refuse_unknown(struct text name, struct buffer *error)
{
	const char *nearest = option_nearest(name);

	buffer_printf(error, "unknown option --%.*s", TEXT_ARGS(name));
	if (nearest)
		buffer_printf(error, ", did you mean --%s?", nearest);
	return OPTION_E_USAGE;
}

static int option_refuse_curl(
	const struct options *options, const struct curl_option *curl, struct buffer *error)
{
	if (!option_is_like_curl(options))
		return option_refuse_unknown(text_from(curl->name), error);
	buffer_printf(error, "option --%s is not supported: %s", curl->name, curl->advice);
	return OPTION_E_USAGE;
}

/* Not in the tables, or as the beginning of more than one. */
static int option_refuse_name(const char *argument, struct buffer *error)
{
	const char *name = argument + strspn(argument, "-");
	size_t size = strcspn(name, "=");
	unsigned hits = 0;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		hits += strncmp(option_rows[i].name, name, size) == 0;
	for (size_t i = 0; i < CURL_OPTION_COUNT; i++)
		hits += strncmp(curl_options[i].name, name, size) == 0;
	if (hits < 2)
		return option_refuse_unknown((struct text){name, size}, error);
	buffer_printf(error, "option %s is ambiguous", argument);
	return OPTION_E_USAGE;
}

/* getopt_long() says '?' for all of these; `letter` is its optopt. */
static int option_refuse(
	const struct options *options, int letter, const char *argument, struct buffer *error)
{
	if (letter == 0)
		return option_refuse_name(argument, error);
	if (letter < OPTION_LONG_BASE)
		return option_refuse_letter(options, letter, error);
	buffer_printf(
		error, "option --%s takes no value", option_rows[letter - OPTION_LONG_BASE].name);
	return OPTION_E_USAGE;
}

static int option_refuse_missing(int letter, struct buffer *error)
{
	if (letter >= OPTION_LONG_BASE)
		buffer_printf(error, "option --%s needs a value",
			option_rows[letter - OPTION_LONG_BASE].name);
	else
		buffer_printf(error, "option -%c needs a value", letter);
	return OPTION_E_USAGE;
}

static int option_refuse_command(const char *name, struct buffer *error)
{
	const char *nearest = option_nearest_command(text_from(name));

	buffer_printf(error, "unknown command %s", name);
	if (nearest)
		buffer_printf(error, ", did you mean %s?", nearest);
	else if (strstr(name, "://"))
		buffer_printf(error, ", did you mean settle get %s?", name);
	return OPTION_E_USAGE;
}

/* -- Parsing ----------------------------------------------------------------------------------- */

struct option_tables {
	/* Two leading characters, each letter with its ':', the end. */
	char letters[3 + 2 * OPTION_COUNT * 2];
	struct option longs[OPTION_COUNT + CURL_OPTION_COUNT + 1];
};

static void option_make_tables(struct option_tables *tables)
{
	size_t at = 0;

	tables->letters[at++] = '-';
	tables->letters[at++] = ':';
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		tables->longs[i] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = OPTION_LONG_BASE + (int)i,
		};
		for (const char *letter = row->letters; *letter; letter++) {
			expect(at + 3 <= sizeof(tables->letters));
			tables->letters[at++] = *letter;
			if (row->argument)
				tables->letters[at++] = ':';
		}
	}
	tables->letters[at] = '\0';
	/* Else "--form" would be a short way to say "--format". */
	for (size_t i = 0; i < CURL_OPTION_COUNT; i++)
		tables->longs[OPTION_COUNT + i] = (struct option){
			.name = curl_options[i].name,
			.has_arg = optional_argument,
			.val = OPTION_CURL_BASE + (int)i,
		};
	tables->longs[OPTION_COUNT + CURL_OPTION_COUNT] = (struct option){0};
}

/* What getopt_long() returned, back to its row. */
static enum option_id option_from_value(int value)
{
	if (value >= OPTION_LONG_BASE)
		return (enum option_id)(value - OPTION_LONG_BASE);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (strchr(option_rows[i].letters, value))
			return (enum option_id)i;
	}
	unreachable("getopt_long() returns what is in its tables");
}

static int option_take_operand(struct options *options, const char *word, struct buffer *error)
{
	if (options->command != COMMAND_NONE) {
		options->operands[options->n_operands++] = word;
		return 0;
	}
	/* Of many programs it is a command. */
	if (strcmp(word, "help") == 0) {
		options->uses[options->n_uses++] = (struct option_use){.option = OPTION_HELP};
		return 0;
	}
	for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		if (strcmp(word, option_commands[i].name) == 0) {
			options->command = (enum command)i;
			return 0;
		}
	}
	return option_refuse_command(word, error);
}

static int option_collect(int argc, char **argv, struct options *options, struct buffer *error)
{
	struct option_tables tables;
	int value, r;

	option_make_tables(&tables);
	/* glibc: 0 makes it begin anew, whatever was parsed before. */
	optind = 0;
	opterr = 0;
	while ((value = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
		switch (value) {
		case 1:
			r = option_take_operand(options, optarg, error);
			if (r != 0)
				return r;
			break;
		case '?': return option_refuse(options, optopt, argv[optind - 1], error);
		case ':': return option_refuse_missing(optopt, error);
		default:
			if (value >= OPTION_CURL_BASE)
				return option_refuse_curl(
					options, &curl_options[value - OPTION_CURL_BASE], error);
			options->uses[options->n_uses++] =
				(struct option_use){option_from_value(value), optarg};
			break;
		}
	}
	for (int i = optind; i < argc; i++) {
		r = option_take_operand(options, argv[i], error);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ": get and batch do" */
static void option_append_takers(struct buffer *error, unsigned commands)
{
	unsigned n = 0, left = (unsigned)__builtin_popcount(commands);

	for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		if (!(commands & (1u << i)))
			continue;
		left--;
		buffer_printf(error, "%s%s",
			n == 0      ? ": "
			: left == 0 ? " and "
				    : ", ",
			option_commands[i].name);
		n++;
	}
	buffer_append_text(error, n > 1 ? TEXT(" do") : TEXT(" does"));
}

/* Whether the command takes what it was given. */
static int option_check(const struct options *options, struct buffer *error)
{
	const char *command = option_commands[options->command].name;

	if (options->command == COMMAND_NONE) {
		buffer_printf(error,
			"no command: run, get, batch, plan, status, top, cancel, flush or ping");
		return OPTION_E_USAGE;
	}
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_row *row = &option_rows[options->uses[i].option];

		if (row->commands & (1u << options->command))
			continue;
		buffer_printf(error, "%s takes no option --%s", command, row->name);
		option_append_takers(error, row->commands);
		return OPTION_E_USAGE;
	}
	return 0;
}

int option_parse(int argc, char **argv, struct options *ret_options, struct buffer *error)
{
	struct options options = {0};
	int r;

	/* A cluster of letters ("-sSk") gives more uses than words, but no more than bytes. */
	size_t n_uses_max = 1;

	for (int i = 0; i < argc; i++)
		n_uses_max += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) : 1;
	options.uses = calloc(n_uses_max, sizeof(*options.uses));
	options.operands = calloc((size_t)argc + 1, sizeof(*options.operands));
	if (!options.uses || !options.operands) {
		option_deinit(&options);
		return -ENOMEM;
	}
	r = option_collect(argc, argv, &options, error);
	if (r == 0 && !option_given(&options, OPTION_HELP) &&
		!option_given(&options, OPTION_VERSION))
		r = option_check(&options, error);
	*ret_options = options;
	if (r != 0) {
		option_deinit(&options);
		*ret_options = (struct options){.command = ret_options->command};
	}
	return r;
}

void option_deinit(struct options *options)
{
	free(options->uses);
	free(options->operands);
	*options = (struct options){0};
}

/* -- Help -------------------------------------------------------------------------------------- */

#define OPTION_HELP_COLUMN 34

static void option_help_row(struct buffer *out, const struct option_row *row)
{
	size_t start = out->size, width;

	buffer_append_literal(out, "  ");
	if (row->letters[0] == '\0')
		buffer_append_literal(out, "    ");
	for (const char *letter = row->letters; *letter; letter++)
		buffer_printf(out, "-%c, ", *letter);
	buffer_printf(out, "--%s%s%s", row->name, row->argument ? " " : "",
		row->argument ? row->argument : "");
	width = out->size - start;
	/* A long one has its help on a line of its own. */
	if (width + 2 > OPTION_HELP_COLUMN) {
		buffer_append_byte(out, '\n');
		width = 0;
	}
	buffer_printf(out, "%*s%s\n", (int)(OPTION_HELP_COLUMN - width), "", row->help);
}

static void option_help_commands(struct buffer *out)
{
	static const char head[] =
		"Usage: settle COMMAND [OPTION]...\n"
		"Send graphs of HTTP requests to settled, and show what became of them.\n"
		"\nCommands:\n";
	static const char foot[] =
		"\nOptions of a command: settle COMMAND --help. All of them: settle(1).\n";

	buffer_append_literal(out, head);
	for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		buffer_printf(out, "  %-6s %-11s %s\n", option_commands[i].name,
			option_commands[i].operands, option_commands[i].help);
	}
	buffer_append_literal(out, foot);
}

void option_help(struct buffer *out, enum command command)
{
	if (command == COMMAND_NONE) {
		option_help_commands(out);
		return;
	}
	buffer_printf(out, "Usage: settle %s [OPTION]... %s\n%s.\n\nOptions:\n",
		option_commands[command].name, option_commands[command].operands,
		option_commands[command].help);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->commands & (1u << command))
			option_help_row(out, row);
	}
	buffer_append_literal(out, "\nSee settle(1).\n");
}
