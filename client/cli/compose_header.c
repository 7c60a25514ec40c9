/* SPDX-License-Identifier: MIT */
/*
 * Request headers as curl's -H says them: "Name: value", "Name;" for an empty one, "Name:" for one
 * that is not to be sent, and @FILE with one a line. Headers of one name become one member of the
 * document, its value an array.
 */
#include "client/cli/compose_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/compose.h"
#include "client/cli/data.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/value.h"
#include "proto/json.h"
#include "util/base64.h"

static struct text compose_trim(struct text text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = text_from_at(text, 1);
	while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]))
		text.size--;
	return text;
}

static int compose_take_header(struct compose *compose, struct text line)
{
	struct compose_header header;
	size_t colon = text_find(line, ':');

	if (!text_is_utf8(line)) {
		message_print("a header is not UTF-8: %.*s", TEXT_ARGS(line));
		return EXIT_USAGE;
	}
	header.name = compose_trim((struct text){line.data, colon});
	header.value = compose_trim(text_from_at(line, colon + 1));
	if (colon == line.size && header.name.size > 1 &&
		header.name.data[header.name.size - 1] == ';') {
		/* curl's way to say that it is empty. */
		header.name.size--;
		header.value = TEXT("");
	} else if (colon == line.size || header.name.size == 0) {
		message_print("a header is not of the form \"Name: value\": %.*s", TEXT_ARGS(line));
		return EXIT_USAGE;
	} else if (header.value.size == 0) {
		header.value.data = NULL;
	}
	buffer_append(&compose->headers, &header, sizeof(header));
	return compose->headers.failed ? -ENOMEM : 0;
}

static int compose_take_header_file(struct compose *compose, const char *path)
{
	struct buffer file;
	struct text rest;
	char **files;
	int r = compose_read(path, &file);

	if (r != 0)
		return r;
	rest = buffer_text(&file);
	files = realloc(compose->files, (compose->n_files + 1) * sizeof(*files));
	if (!files) {
		buffer_deinit(&file);
		return -ENOMEM;
	}
	compose->files = files;
	compose->files[compose->n_files++] = buffer_take(&file);
	while (rest.size > 0) {
		size_t end = text_find(rest, '\n');
		struct text line = compose_trim((struct text){rest.data, end});

		rest = text_from_at(rest, end + 1);
		r = line.size > 0 ? compose_take_header(compose, line) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

static int compose_take_headers(struct compose *compose)
{
	for (size_t i = 0; i < compose->options->n_uses; i++) {
		const struct option_use *use = &compose->options->uses[i];
		int r;

		if (use->option != OPTION_HEADER)
			continue;
		r = use->value[0] == '@' ? compose_take_header_file(compose, use->value + 1)
					 : compose_take_header(compose, text_from(use->value));
		if (r != 0)
			return r;
	}
	return 0;
}

static size_t compose_header_count(const struct compose *compose)
{
	return compose->headers.size / sizeof(struct compose_header);
}

static struct compose_header *compose_header_get(const struct compose *compose, size_t i)
{
	return (struct compose_header *)(void *)compose->headers.data + i;
}

/* The place of the first one of that name at or after `from`; the count where there is none. */
static size_t compose_header_find(const struct compose *compose, size_t from, struct text name)
{
	size_t n = compose_header_count(compose);
	size_t i = from;

	while (i < n && !text_equal_nocase(compose_header_get(compose, i)->name, name))
		i++;
	return i;
}

/* All headers named as the i-th, which is the first of them. */
static void compose_append_header(struct compose *compose, size_t i)
{
	struct text name = compose_header_get(compose, i)->name;
	size_t n = compose_header_count(compose), values = 0, written = 0;

	for (size_t j = i; j < n; j = compose_header_find(compose, j + 1, name))
		values += compose_header_get(compose, j)->value.data != NULL;
	if (values == 0)
		return;
	if (compose->out->data[compose->out->size - 1] != '{')
		buffer_append_byte(compose->out, ',');
	json_append_string(compose->out, name);
	buffer_append_text(compose->out, values > 1 ? TEXT(":[") : TEXT(":"));
	for (size_t j = i; j < n; j = compose_header_find(compose, j + 1, name)) {
		struct text value = compose_header_get(compose, j)->value;

		if (!value.data)
			continue;
		if (written++ > 0)
			buffer_append_byte(compose->out, ',');
		compose_append_escaped(compose->out, value);
	}
	if (values > 1)
		buffer_append_byte(compose->out, ']');
}

/* One that an option brings along, unless the user has said otherwise. */
static int compose_imply_header(struct compose *compose, const char *name, const char *value)
{
	struct compose_header header = {text_from(name), text_from(value)};

	if (!text_is_utf8(header.value)) {
		message_print("the header %s is not UTF-8", name);
		return EXIT_USAGE;
	}
	if (compose_header_find(compose, 0, header.name) < compose_header_count(compose))
		return 0;
	buffer_append(&compose->headers, &header, sizeof(header));
	return compose->headers.failed ? -ENOMEM : 0;
}

/* The text stays until all is written. */
static int compose_keep(struct compose *compose, struct buffer *text, const char **ret_text)
{
	char **files = realloc(compose->files, (compose->n_files + 1) * sizeof(*files));

	buffer_append_byte(text, '\0');
	if (!files || text->failed) {
		compose->files = files ? files : compose->files;
		buffer_deinit(text);
		return -ENOMEM;
	}
	compose->files = files;
	*ret_text = compose->files[compose->n_files++] = buffer_take(text);
	return 0;
}

/* RFC 7617. */
static int compose_imply_user(struct compose *compose)
{
	const char *user = option_value(compose->options, OPTION_USER), *value;
	struct buffer text;
	int r;

	if (!user)
		return 0;
	if (!strchr(user, ':')) {
		message_print("option --user: write USER:PASSWORD, or USER: where there is none; "
			      "nothing is asked for");
		return EXIT_USAGE;
	}
	buffer_init(&text, SIZE_MAX / 4);
	buffer_append_literal(&text, "Basic ");
	base64_append(&text, text_from(user));
	r = compose_keep(compose, &text, &value);
	return r < 0 ? r : compose_imply_header(compose, "authorization", value);
}

/* Several are one header (RFC 6265 section 5.4). */
static int compose_imply_cookies(struct compose *compose)
{
	const struct options *options = compose->options;
	struct buffer text;
	const char *value;
	int r;

	if (!option_given(options, OPTION_COOKIE))
		return 0;
	buffer_init(&text, SIZE_MAX / 4);
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (use->option != OPTION_COOKIE)
			continue;
		if (!strchr(use->value, '=')) {
			value_refuse(OPTION_COOKIE, use->value,
				"not of the form NAME=VALUE: no file of cookies is read");
			buffer_deinit(&text);
			return EXIT_USAGE;
		}
		if (text.size > 0)
			buffer_append_literal(&text, "; ");
		buffer_append_text(&text, text_from(use->value));
	}
	r = compose_keep(compose, &text, &value);
	return r < 0 ? r : compose_imply_header(compose, "cookie", value);
}

/* As curl: a number alone begins a range that has no end. RFC 9110 section 14.1.2 */
static int compose_imply_range(struct compose *compose)
{
	const char *range = option_value(compose->options, OPTION_RANGE), *value;
	struct buffer text;
	int r;

	if (!range)
		return 0;
	if (range[0] == '\0' || range[strspn(range, "0123456789-,")] != '\0') {
		value_refuse(OPTION_RANGE, range, "no range (0-499, 500-, -500, 0-9,20-29)");
		return EXIT_USAGE;
	}
	buffer_init(&text, SIZE_MAX / 4);
	buffer_printf(&text, "bytes=%s%s", range, strchr(range, '-') ? "" : "-");
	r = compose_keep(compose, &text, &value);
	return r < 0 ? r : compose_imply_header(compose, "range", value);
}

/* Options that are a header each. */
static int compose_imply_options(struct compose *compose)
{
	const char *agent = option_value(compose->options, OPTION_USER_AGENT);
	const char *referer = option_value(compose->options, OPTION_REFERER);
	int r = compose_imply_user(compose);

	if (r == 0)
		r = compose_imply_cookies(compose);
	if (r == 0)
		r = compose_imply_range(compose);
	if (r == 0 && agent)
		r = compose_imply_header(compose, "user-agent", agent);
	if (r == 0 && referer && strstr(referer, ";auto")) {
		value_refuse(OPTION_REFERER, referer, "not supported: ;auto");
		return EXIT_USAGE;
	}
	if (r == 0 && referer && *referer)
		r = compose_imply_header(compose, "referer", referer);
	return r;
}

int compose_headers(struct compose *compose)
{
	bool is_json = option_given(compose->options, OPTION_JSON);
	int r = compose_take_headers(compose);

	if (r == 0)
		r = compose_imply_options(compose);
	if (r == 0 && data_is_given(compose->options) &&
		!option_given(compose->options, OPTION_GET))
		r = compose_imply_header(compose, "content-type",
			is_json ? "application/json" : "application/x-www-form-urlencoded");
	if (r == 0 && is_json)
		r = compose_imply_header(compose, "accept", "application/json");
	if (r != 0 || compose_header_count(compose) == 0)
		return r;
	compose_key(compose->out, "headers");
	buffer_append_byte(compose->out, '{');
	for (size_t i = 0; i < compose_header_count(compose); i++) {
		struct text name = compose_header_get(compose, i)->name;

		if (compose_header_find(compose, 0, name) == i)
			compose_append_header(compose, i);
	}
	buffer_append_byte(compose->out, '}');
	return 0;
}

bool compose_has_no_type(const struct compose *compose)
{
	size_t at = compose_header_find(compose, 0, TEXT("content-type"));

	return !compose_header_get(compose, at)->value.data;
}
