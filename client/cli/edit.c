/* SPDX-License-Identifier: MIT */
/*
 * A document is text that somebody wrote, and numbers in it are digits that may not fit a double:
 * they are read raw and written raw. --input replaces the input; then each --arg and --argjson,
 * in the order given, sets a member of it.
 */
#include "client/cli/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <yyjson.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/value.h"
#include "proto/json.h"
#include "proto/plan.h"
#include "util/container.h"

/* A document being changed. */
struct edit {
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
};

static yyjson_mut_val *edit_string(const struct edit *edit, struct text text)
{
	return yyjson_mut_strncpy(edit->doc, text.data, text.size);
}

static yyjson_mut_val *edit_raw(const struct edit *edit, const struct buffer *digits)
{
	return yyjson_mut_rawncpy(edit->doc, digits->data, digits->size);
}

/* In place of every member of that name. */
static int edit_put(yyjson_mut_val *object, yyjson_mut_val *key, yyjson_mut_val *value)
{
	if (!key || !value || !yyjson_mut_obj_put(object, key, value))
		return -ENOMEM;
	return 0;
}

/* The JSON value an option gives. */
static int edit_read_value(const struct edit *edit, enum option_id option, const char *value,
	struct text json, yyjson_mut_val **ret_value)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);

	if (!doc) {
		value_refuse(option, value, "not JSON");
		return EXIT_USAGE;
	}
	*ret_value = yyjson_val_mut_copy(edit->doc, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	return *ret_value ? 0 : -ENOMEM;
}

/* The object that --arg sets a member of. */
static int edit_input(const struct edit *edit, enum option_id option, const char *value,
	yyjson_mut_val **ret_input)
{
	yyjson_mut_val *input = yyjson_mut_obj_get(edit->root, "input");
	int r;

	if (!input) {
		input = yyjson_mut_obj(edit->doc);
		r = edit_put(edit->root, edit_string(edit, TEXT("input")), input);
		if (r < 0)
			return r;
	}
	if (!yyjson_mut_is_obj(input)) {
		value_refuse(option, value, "for an input that is an object, and this one is not");
		return EXIT_USAGE;
	}
	*ret_input = input;
	return 0;
}

static int edit_argument(const struct edit *edit, const struct option_use *use)
{
	yyjson_mut_val *input, *value;
	struct text name, text;
	int r;

	if (!value_pair(use->option, use->value, &name, &text))
		return EXIT_USAGE;
	r = edit_input(edit, use->option, use->value, &input);
	if (r != 0)
		return r;
	if (use->option == OPTION_ARGJSON) {
		r = edit_read_value(edit, use->option, use->value, text, &value);
		if (r != 0)
			return r;
	} else {
		if (!text_is_utf8(text)) {
			value_refuse(use->option, use->value, "not UTF-8");
			return EXIT_USAGE;
		}
		value = edit_string(edit, text);
	}
	return edit_put(input, edit_string(edit, name), value);
}

static int edit_whole_input(const struct edit *edit, const char *json)
{
	yyjson_mut_val *value;
	int r = edit_read_value(edit, OPTION_INPUT, json, text_from(json), &value);

	return r ? r : edit_put(edit->root, edit_string(edit, TEXT("input")), value);
}

static int edit_mode(const struct edit *edit, const char *mode)
{
	if (!value_mode(mode))
		return EXIT_USAGE;
	return edit_put(
		edit->root, edit_string(edit, TEXT("mode")), edit_string(edit, text_from(mode)));
}

static int edit_timeout(const struct edit *edit, const char *value)
{
	struct buffer digits;
	uint64_t ns;
	int r;

	if (!value_duration(OPTION_TIMEOUT, value, &ns))
		return EXIT_USAGE;
	buffer_init(&digits, 64);
	value_append_seconds(&digits, ns);
	r = edit_put(edit->root, edit_string(edit, TEXT("timeout")), edit_raw(edit, &digits));
	buffer_deinit(&digits);
	return r;
}

static int edit_concurrency(const struct edit *edit, const char *value)
{
	yyjson_mut_val *key = edit_string(edit, TEXT("concurrency"));
	struct buffer digits;
	uint64_t n;
	int r;

	if (!value_concurrency(value, PLAN_JOBS_MAX, &n))
		return EXIT_USAGE;
	if (n == 0)
		return edit_put(edit->root, key, edit_string(edit, TEXT("unbounded")));
	buffer_init(&digits, 64);
	buffer_append_u64(&digits, n);
	r = edit_put(edit->root, key, edit_raw(edit, &digits));
	buffer_deinit(&digits);
	return r;
}

static int edit_apply(const struct edit *edit, const struct options *options)
{
	static const struct {
		enum option_id option;
		int (*apply)(const struct edit *edit, const char *value);
	} steps[] = {
		{OPTION_MODE, edit_mode},
		{OPTION_TIMEOUT, edit_timeout},
		{OPTION_CONCURRENCY, edit_concurrency},
		{OPTION_INPUT, edit_whole_input},
	};
	int r;

	for (size_t i = 0; i < countof(steps); i++) {
		const char *value = option_value(options, steps[i].option);

		r = value ? steps[i].apply(edit, value) : 0;
		if (r != 0)
			return r;
	}
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (use->option != OPTION_ARG && use->option != OPTION_ARGJSON)
			continue;
		r = edit_argument(edit, use);
		if (r != 0)
			return r;
	}
	return 0;
}

static int edit_write(const struct edit *edit, struct buffer *document)
{
	size_t size;
	char *text = yyjson_mut_write(edit->doc, 0, &size);

	if (!text)
		return -ENOMEM;
	buffer_clear(document);
	buffer_append(document, text, size);
	free(text);
	return document->failed ? -ENOMEM : 0;
}

static bool edit_is_wanted(const struct options *options)
{
	static const enum option_id editing[] = {OPTION_MODE, OPTION_TIMEOUT, OPTION_CONCURRENCY,
		OPTION_INPUT, OPTION_ARG, OPTION_ARGJSON};

	for (size_t i = 0; i < countof(editing); i++) {
		if (option_given(options, editing[i]))
			return true;
	}
	return false;
}

int edit_document(const struct options *options, struct buffer *document)
{
	struct edit edit = {NULL, NULL};
	struct json_error error;
	yyjson_doc *doc;
	int r = 0;

	if (!edit_is_wanted(options))
		return 0;
	doc = json_read(buffer_text(document), &error);
	if (!doc || !yyjson_is_obj(yyjson_doc_get_root(doc))) {
		yyjson_doc_free(doc);
		return 0;
	}
	edit.doc = yyjson_doc_mut_copy(doc, NULL);
	yyjson_doc_free(doc);
	edit.root = yyjson_mut_doc_get_root(edit.doc);
	r = edit.doc ? edit_apply(&edit, options) : -ENOMEM;
	if (r == 0)
		r = edit_write(&edit, document);
	yyjson_mut_doc_free(edit.doc);
	if (r >= 0)
		return r;
	message_print("no memory for the document");
	return EXIT_LOCAL_IO;
}
