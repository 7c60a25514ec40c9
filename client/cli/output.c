/* SPDX-License-Identifier: MIT */
#include "client/cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"

/* -- Taking ------------------------------------------------------------------------------------ */

static int output_take(struct output *output, const struct option_use *use, const char *url)
{
	struct text name;

	if (use->option == OPTION_OUTPUT) {
		if (strcmp(use->value, "-") == 0)
			return 0;
		if (use->value[0] == '\0') {
			message_print("option --output: the name of the file is empty");
			return EXIT_USAGE;
		}
		output->path = strdup(use->value);
	} else {
		name = file_name_from_url(text_from(url));
		if (!name.data) {
			message_print(
				"option --remote-name: %s does not end in the name of a file", url);
			return EXIT_USAGE;
		}
		output->path = strndup(name.data, name.size);
	}
	if (output->path)
		return 0;
	message_print("no memory for the name of a file");
	return EXIT_LOCAL_IO;
}

int outputs_take(const struct options *options, struct outputs *outputs)
{
	size_t at = 0;
	int r;

	*outputs = (struct outputs){.n = options->n_operands, .is_complete = true};
	outputs->outputs = calloc(outputs->n, sizeof(*outputs->outputs));
	if (!outputs->outputs) {
		message_print("no memory for the names of files");
		outputs->n = 0;
		return EXIT_LOCAL_IO;
	}
	for (size_t i = 0; i < outputs->n; i++) {
		outputs->outputs[i].part.fd = -1;
		sink_init(&outputs->outputs[i].sink, -1, SINK_RAW);
	}
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (use->option != OPTION_OUTPUT && use->option != OPTION_REMOTE_NAME)
			continue;
		if (at == outputs->n) {
			message_print("there are more -o and -O than URLs");
			return EXIT_USAGE;
		}
		r = output_take(&outputs->outputs[at], use, options->operands[at]);
		if (r != 0)
			return r;
		at++;
	}
	for (size_t i = 0; i < outputs->n; i++)
		outputs->is_complete = outputs->is_complete && outputs->outputs[i].path;
	return 0;
}

/* -- Opening ----------------------------------------------------------------------------------- */

static bool output_is_null(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISCHR(status.st_mode) &&
	       status.st_rdev == makedev(1, 3);
}

/* Before anything is sent: with what would help. */
static int output_refuse_place(const struct output *output, const struct output_how *how, int error)
{
	const char *help;

	if (error == -ENOENT && !how->makes_directories)
		help = ": --create-dirs makes its directory";
	else if (error == -EACCES && faccessat(AT_FDCWD, output->path, W_OK, AT_EACCESS) == 0)
		help = ": it could be, but not its directory, where a new one is made";
	else
		return message_cannot("write", output->path, error);
	message_print("cannot write %s: %s%s", output->path, strerror(-error), help);
	return EXIT_LOCAL_IO;
}

static int output_open_pipe(struct output *output, const char *path)
{
	int fd = file_descriptor(path);

	if (fd >= 0)
		fd = file_duplicate(fd);
	else
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return file_descriptor(path) >= 0 ? fd : -errno;
	output->sink.fd = fd;
	output->kind = OUTPUT_PIPE;
	return 0;
}

/* At a path that is resolved. */
static int output_open_at(struct output *output, const char *path, bool is_held)
{
	int r = 0;

	if (output_is_null(path)) {
		output->kind = OUTPUT_NOTHING;
		return 0;
	}
	if (!is_held && file_is_place(path))
		return output_open_pipe(output, path);
	if (!is_held)
		r = part_open(&output->part, path);
	else if (!file_is_place(path))
		r = file_check(path);
	if (r == 0)
		output->kind = is_held ? OUTPUT_SAVE : OUTPUT_PART;
	return r;
}

int output_open(struct output *output, const struct output_how *how)
{
	char *path = NULL;
	int r = 0;

	if (!output->path)
		return 0;
	if (how->makes_directories)
		r = file_make_directories(output->path);
	if (r == 0)
		r = file_resolve(output->path, &path);
	if (r == 0)
		r = output_open_at(output, path, how->is_held);
	free(path);
	return r < 0 ? output_refuse_place(output, how, r) : 0;
}

/* -- Writing ----------------------------------------------------------------------------------- */

int output_write(struct output *output, struct text piece)
{
	bool has_failed = output->sink.error != 0;
	int r;

	buffer_append_text(&output->sink.buffer, piece);
	r = sink_flush(&output->sink);
	/* Once; who closes a pipe knows that, and a second signal is no error. */
	if (r < 0 && r != -EPIPE && r != -EINTR && !has_failed)
		message_cannot("write", output->path, r);
	return r;
}

int output_keep(struct output *output)
{
	int r = output->kind == OUTPUT_PART ? part_keep(&output->part) : 0;

	if (r < 0)
		message_cannot("write", output->path, r);
	return r;
}

void outputs_close(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->n; i++) {
		struct output *output = &outputs->outputs[i];

		part_drop(&output->part);
		if (output->sink.fd >= 0)
			close(output->sink.fd);
		sink_deinit(&output->sink);
		free(output->path);
	}
	free(outputs->outputs);
	*outputs = (struct outputs){0};
}
