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

static bool output_is_null(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

static int output_refuse(const struct output *output, int error)
{
	message_print("cannot write %s: %s", output->path, strerror(-error));
	return EXIT_LOCAL_IO;
}

static int output_open_pipe(struct output *output)
{
	int fd = file_descriptor(output->path);

	output->sink.fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0)
				  : open(output->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (output->sink.fd < 0)
		return output_refuse(output, -errno);
	output->kind = OUTPUT_PIPE;
	return 0;
}

int output_open(struct output *output, bool is_held)
{
	struct stat status;
	bool is_there = output->path && stat(output->path, &status) == 0;
	int r;

	if (!output->path)
		return 0;
	if (is_there && output_is_null(&status)) {
		output->kind = OUTPUT_NOTHING;
		return 0;
	}
	if (is_held) {
		output->kind = OUTPUT_SAVE;
		return 0;
	}
	if (file_descriptor(output->path) >= 0 ||
		(is_there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
		return output_open_pipe(output);
	r = part_open(&output->part, output->path);
	if (r < 0)
		return output_refuse(output, r);
	output->kind = OUTPUT_PART;
	return 0;
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
		output_refuse(output, r);
	return r;
}

int output_keep(struct output *output)
{
	int r = output->kind == OUTPUT_PART ? part_keep(&output->part) : 0;

	if (r < 0)
		output_refuse(output, r);
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
