/* SPDX-License-Identifier: MIT */
#include "client/cli/upload.h"

#include <stdbool.h>
#include <string.h>

#include "client/cli/data.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"

static int upload_open(const char *path, struct compose_job *job, struct passed *passed)
{
	bool is_stdin = strcmp(path, "-") == 0 || strcmp(path, ".") == 0;

	job->upload = path;
	return passed_read(passed, is_stdin ? NULL : path, &job->body_fd);
}

int upload_take(const struct options *options, struct compose_job *jobs, size_t n_jobs,
	struct passed *passed)
{
	size_t at = 0;

	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];
		int r;

		if (use->option != OPTION_UPLOAD_FILE)
			continue;
		if (at == n_jobs) {
			message_print("there are more -T than URLs");
			return EXIT_USAGE;
		}
		if (use->value[0] == '\0') {
			message_print("option --upload-file: the name of the file is empty");
			return EXIT_USAGE;
		}
		r = upload_open(use->value, &jobs[at++], passed);
		if (r != 0)
			return r;
	}
	return 0;
}

int upload_take_data(const struct options *options, struct passed *passed, uint32_t *ret_fd)
{
	int fd, r;

	*ret_fd = COMPOSE_FD_NONE;
	if (option_given(options, OPTION_GET))
		return 0;
	r = data_open(options, &fd);
	return r == 0 && fd >= 0 ? passed_take(passed, fd, ret_fd) : r;
}
