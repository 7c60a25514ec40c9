/* SPDX-License-Identifier: MIT */
#include "client/cli/target.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"

static int target_open(struct targets *targets, const struct option_use *use, struct passed *passed)
{
	struct part part = {.fd = -1};
	uint32_t index = passed->n;
	int r;

	if (use->option == OPTION_BODY_FD)
		return passed_read(
			passed, strcmp(use->value, "-") == 0 ? NULL : use->value, &index);
	r = part_open(&part, use->value);
	if (r < 0)
		return message_cannot("write", use->value, r);
	r = passed_borrow(passed, part.fd, &index);
	if (r != 0)
		part_drop(&part);
	else
		targets->parts[index] = part;
	return r;
}

int targets_open(struct targets *targets, const struct options *options, struct passed *passed)
{
	targets->n = SETTLE_FDS_MAX;
	for (uint32_t i = 0; i < SETTLE_FDS_MAX; i++)
		targets->parts[i] = (struct part){.fd = -1};
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];
		int r = 0;

		if (use->option == OPTION_BODY_FD && strcmp(use->value, "-") == 0 &&
			(options->n_operands == 0 || strcmp(options->operands[0], "-") == 0)) {
			message_print("option --body-fd: the graph is on standard input already");
			return EXIT_USAGE;
		}
		if (use->option == OPTION_BODY_FD || use->option == OPTION_OUTPUT_FD)
			r = target_open(targets, use, passed);
		if (r != 0)
			return r;
	}
	return 0;
}

/* The part that the job writes; NULL: it writes none. */
static struct part *target_find(struct targets *targets, const struct plan *plan, uint32_t index)
{
	for (uint32_t i = 0; plan && i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];

		if (job->index == index && job->kind == PLAN_LEAF &&
			job->spec->output == PLAN_FILE && job->spec->output_fd < targets->n)
			return &targets->parts[job->spec->output_fd];
	}
	return NULL;
}

int targets_keep(struct targets *targets, const struct plan *plan, uint32_t index)
{
	struct part *part = target_find(targets, plan, index);
	char *path;
	int r;

	if (!part || part->fd < 0)
		return 0;
	path = strdup(part->path);
	r = part_keep(part);
	if (r < 0)
		message_cannot("write", path ? path : "a file", r);
	free(path);
	return r;
}

void targets_close(struct targets *targets)
{
	for (uint32_t i = 0; i < targets->n; i++)
		part_drop(&targets->parts[i]);
	targets->n = 0;
}
