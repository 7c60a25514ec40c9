/* SPDX-License-Identifier: MIT */
#include "client/cli/data.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"

static bool data_is_form(enum option_id option)
{
	return option == OPTION_DATA || option == OPTION_DATA_RAW || option == OPTION_DATA_BINARY ||
	       option == OPTION_DATA_URLENCODE;
}

bool data_is_given(const struct options *options)
{
	for (size_t i = 0; i < options->n_uses; i++) {
		if (data_is_form(options->uses[i].option) || options->uses[i].option == OPTION_JSON)
			return true;
	}
	return false;
}

static int data_read(const char *path, struct buffer *out)
{
	int r = file_read(path, out);

	return r < 0 ? message_cannot("read", path, r) : 0;
}

/* As curl's -d: CR, LF and NUL of a file are left out. */
static void data_append_stripped(struct buffer *out, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c != '\r' && c != '\n' && c != '\0')
			buffer_append_byte(out, c);
	}
}

void data_append_percent(struct buffer *out, struct text text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (size_t i = 0; i < text.size; i++) {
		if (memchr(plain, text.data[i], sizeof(plain) - 1))
			buffer_append_byte(out, text.data[i]);
		else
			buffer_printf(out, "%%%02X", (unsigned char)text.data[i]);
	}
}

/* content, =content, name=content, @file, name@file: the first '=' or '@' decides. */
static int data_append_urlencode(struct buffer *out, const char *value)
{
	size_t name_size = strcspn(value, "=@");
	struct buffer file;
	int r = 0;

	if (value[name_size] == '\0') {
		data_append_percent(out, text_from(value));
		return 0;
	}
	if (name_size > 0) {
		buffer_append(out, value, name_size);
		buffer_append_byte(out, '=');
	}
	if (value[name_size] == '=') {
		data_append_percent(out, text_from(value + name_size + 1));
		return 0;
	}
	buffer_init(&file, out->size_max);
	r = data_read(value + name_size + 1, &file);
	if (r == 0)
		data_append_percent(out, buffer_text(&file));
	buffer_deinit(&file);
	return r;
}

static int data_append_file(struct buffer *out, const struct option_use *use)
{
	struct buffer file;
	int r;

	if (use->option != OPTION_DATA)
		return data_read(use->value + 1, out);
	buffer_init(&file, out->size_max);
	r = data_read(use->value + 1, &file);
	if (r == 0)
		data_append_stripped(out, buffer_text(&file));
	buffer_deinit(&file);
	return r;
}

static int data_append(struct buffer *out, const struct option_use *use)
{
	if (use->option == OPTION_DATA_URLENCODE)
		return data_append_urlencode(out, use->value);
	if (use->value[0] == '@' && use->option != OPTION_DATA_RAW)
		return data_append_file(out, use);
	buffer_append_text(out, text_from(use->value));
	return 0;
}

/* The one option that makes the body; NULL: there are several, or none. */
static const struct option_use *data_find_one(const struct options *options)
{
	const struct option_use *found = NULL;

	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (use->option != OPTION_JSON && !data_is_form(use->option))
			continue;
		if (found)
			return NULL;
		found = use;
	}
	return found;
}

int data_open(const struct options *options, int *ret_fd)
{
	const struct option_use *use = data_find_one(options);
	struct stat status;
	int fd;

	*ret_fd = -1;
	/* curl takes all there is on stdin before it sends, and says how much it is. */
	if (!use || use->option != OPTION_DATA_BINARY || use->value[0] != '@' ||
		strcmp(use->value, "@-") == 0 || stat(use->value + 1, &status) < 0 ||
		!S_ISREG(status.st_mode))
		return 0;
	fd = open(use->value + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return message_cannot("read", use->value + 1, -errno);
	*ret_fd = fd;
	return 0;
}

int data_collect(const struct options *options, struct buffer *out)
{
	bool has_form = false, has_json = option_given(options, OPTION_JSON);
	int r;

	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (use->option != OPTION_JSON && !data_is_form(use->option))
			continue;
		if (use->option != OPTION_JSON && has_json) {
			message_print(
				"--json and --%s cannot be combined", option_name(use->option));
			return EXIT_USAGE;
		}
		/* Pieces of JSON follow each other; fields of a form stand apart. */
		if (has_form)
			buffer_append_byte(out, '&');
		has_form = use->option != OPTION_JSON;
		r = data_append(out, use);
		if (r != 0)
			return r;
	}
	if (!out->failed)
		return 0;
	message_print("the body is too large");
	return EXIT_LOCAL_IO;
}
