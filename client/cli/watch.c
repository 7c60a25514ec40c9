/* SPDX-License-Identifier: MIT */
/*
 * The daemon tells when a job has settled, not when it begins: a message for each would cost every
 * graph what a person looks at for a moment. It follows from the plan: a job waits for its
 * dependencies, and for the group around it to begin; what is left of both is counted down here as
 * the daemon itself counts it. Jobs inside a fan-out exist once for each item, of which only the
 * daemon knows; they are told as counts of the outermost fan-out around them.
 *
 * Where more is under way than a terminal has lines, the lines are for origins.
 */
#include "client/cli/watch.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/render/place.h"
#include "util/container.h"

/* Origins that are told apart; the rest is left out. */
#define WATCH_ORIGINS_MAX 64

enum watch_state {
	WATCH_WAITING,
	WATCH_RUNNING,
	WATCH_SETTLED,
};

struct watch_job {
	uint64_t since_ns;
	/* Dependencies that have not settled, and 1 for a group that has not begun. */
	uint32_t blockers;
	/* Of a fan-out: leaves in it. */
	uint32_t settled, rejected;
	/* Of a leaf in a fan-out: how many there are of it, as far as records tell. */
	uint32_t known;
	enum watch_state state;
};

/* -- Beginning --------------------------------------------------------------------------------- */

/* A job that stands once in the graph, so that its turn can be told. */
static bool watch_is_single(const struct plan_job *job)
{
	return job->region == PLAN_NONE;
}

/* The jobs on the stack begin, and with a group its children, if nothing else holds them. */
static void watch_begin(struct watch *watch, uint32_t n_stack, uint64_t now_ns)
{
	const struct plan *plan = watch->plan;

	while (n_stack > 0) {
		uint32_t place = watch->stack[--n_stack];
		const struct plan_job *job = &plan->jobs[place];
		uint32_t end = place + 1 + job->n_below;

		if (watch->jobs[place].state != WATCH_WAITING)
			continue;
		watch->jobs[place].state = WATCH_RUNNING;
		watch->jobs[place].since_ns = now_ns;
		watch->n_running += job->kind == PLAN_LEAF;
		if (job->kind != PLAN_GROUP)
			continue;
		for (uint32_t i = place + 1; i < end; i += 1 + plan->jobs[i].n_below) {
			if (--watch->jobs[i].blockers == 0)
				watch->stack[n_stack++] = i;
		}
	}
}

void watch_init(struct watch *watch, const struct plan *plan, uint64_t now_ns)
{
	uint32_t n = 0;

	*watch = (struct watch){.start_ns = now_ns, .plan = plan};
	if (!plan || plan->n_jobs == 0)
		return;
	watch->jobs = calloc(plan->n_jobs, sizeof(*watch->jobs));
	watch->stack = calloc(plan->n_jobs, sizeof(*watch->stack));
	if (!watch->jobs || !watch->stack) {
		watch_deinit(watch);
		return;
	}
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];

		watch->jobs[i].blockers = job->n_dependencies + (job->parent != PLAN_NONE);
		if (watch_is_single(job) && watch->jobs[i].blockers == 0)
			watch->stack[n++] = i;
	}
	watch_begin(watch, n, now_ns);
}

void watch_deinit(struct watch *watch)
{
	free(watch->jobs);
	free(watch->stack);
	watch->jobs = NULL;
	watch->stack = NULL;
}

/* -- Settling ---------------------------------------------------------------------------------- */

static void watch_settle(struct watch *watch, uint32_t place, uint64_t now_ns)
{
	const struct plan *plan = watch->plan;
	const struct plan_job *job = &plan->jobs[place];
	struct watch_job *state = &watch->jobs[place];
	uint32_t n = 0;

	if (state->state == WATCH_SETTLED)
		return;
	watch->n_running -= state->state == WATCH_RUNNING && job->kind == PLAN_LEAF;
	state->state = WATCH_SETTLED;
	for (uint32_t i = 0; i < job->n_dependents; i++) {
		uint32_t at = plan->dependents[job->first_dependent + i];
		struct watch_job *dependent = &watch->jobs[at];
		bool is_first = plan->jobs[at].spec->needs == PLAN_NEEDS_ANY &&
				plan->jobs[at].parent == PLAN_NONE;

		dependent->blockers -= dependent->blockers > 0;
		if (watch_is_single(&plan->jobs[at]) && (dependent->blockers == 0 || is_first))
			watch->stack[n++] = at;
	}
	watch_begin(watch, n, now_ns);
}

/* The outermost fan-out around a job. */
static uint32_t watch_outermost(const struct plan *plan, uint32_t place)
{
	while (plan->jobs[place].region != PLAN_NONE)
		place = plan->jobs[place].region;
	return place;
}

/* A leaf of a fan-out has settled. Where one fan-out is around it, its number tells how many there
 * are at least: children begin in their order. */
static void watch_count(struct watch *watch, uint32_t place, struct text id)
{
	struct watch_job *state = &watch->jobs[place];
	struct text items = place_items(id);
	uint32_t known, item;

	state->settled++;
	known = state->settled;
	if (place_next_item(&items, &item) && items.size == 0 && item >= known &&
		item < PLAN_JOBS_MAX)
		known = item + 1;
	if (known <= state->known)
		return;
	/* The first stands in the document. */
	watch->n_more += known - (state->known > 0 ? state->known : 1);
	state->known = known;
}

void watch_take(struct watch *watch, const struct render_record *record, uint64_t now_ns)
{
	const struct plan_job *job = watch->jobs ? place_find(watch->plan, record->job) : NULL;
	uint32_t place;

	if (!record->is_group) {
		watch->n_settled++;
		watch->n_rejected += record->is_rejected;
	}
	if (!job)
		return;
	place = plan_index(watch->plan, job);
	if (watch_is_single(job)) {
		watch_settle(watch, place, now_ns);
	} else if (!record->is_group) {
		watch_count(watch, place, record->job);
		place = watch_outermost(watch->plan, place);
		watch->jobs[place].settled++;
		watch->jobs[place].rejected += record->is_rejected;
	}
}

uint32_t watch_total(const struct watch *watch)
{
	uint32_t n = watch->n_jobs + watch->n_more;

	if (watch->n_jobs == 0)
		return 0;
	return n > watch->n_settled ? n : watch->n_settled;
}

/* -- Frames ------------------------------------------------------------------------------------ */

/* A group is told by what is in it. */
static bool watch_is_shown(const struct watch *watch, uint32_t place)
{
	return watch->jobs[place].state == WATCH_RUNNING &&
	       watch->plan->jobs[place].kind != PLAN_GROUP &&
	       watch_is_single(&watch->plan->jobs[place]);
}

static uint64_t watch_age_ns(uint64_t since_ns, uint64_t now_ns)
{
	return now_ns > since_ns ? now_ns - since_ns : 0;
}

static struct text watch_url(const struct plan *plan, uint32_t place)
{
	/* A fan-out's child has it. */
	if (plan->jobs[place].kind == PLAN_EACH)
		return plan->jobs[place + 1].url;
	return plan->jobs[place].url;
}

static void watch_add_job(
	const struct watch *watch, uint32_t place, uint64_t now_ns, struct frame *frame)
{
	const struct watch_job *state = &watch->jobs[place];
	const struct plan_job *job = &watch->plan->jobs[place];

	frame->lines[frame->n_lines++] = (struct frame_line){
		.name = job->id,
		.what = watch_url(watch->plan, place),
		.settled = state->settled,
		.rejected = state->rejected,
		.has_counts = job->kind == PLAN_EACH,
		.age_ns = watch_age_ns(state->since_ns, now_ns),
	};
}

/* "http://api.local" of a URL; of one whose origin is a reference, all before it. */
static struct text watch_origin(struct text url)
{
	size_t start = 0;

	for (size_t i = 0; i + 2 < url.size && start == 0; i++) {
		if (memcmp(url.data + i, "://", 3) == 0)
			start = i + 3;
	}
	while (start < url.size && !memchr("/?#", url.data[start], 3))
		start++;
	return (struct text){url.data, start};
}

static struct frame_line *watch_find_origin(
	struct frame_line *lines, uint32_t *n_lines, struct text origin)
{
	for (uint32_t i = 0; i < *n_lines; i++) {
		if (text_equal(lines[i].name, origin))
			return &lines[i];
	}
	if (*n_lines == WATCH_ORIGINS_MAX)
		return NULL;
	lines[*n_lines] = (struct frame_line){.name = origin, .has_counts = true};
	return &lines[(*n_lines)++];
}

static int watch_compare_origins(const void *a, const void *b)
{
	const struct frame_line *left = a, *right = b;

	if (left->running != right->running)
		return left->running < right->running ? 1 : -1;
	return (left->age_ns < right->age_ns) - (left->age_ns > right->age_ns);
}

/* The busiest first; its age is that of its oldest job. */
static void watch_add_origins(
	const struct watch *watch, uint64_t now_ns, uint32_t room, struct frame *frame)
{
	struct frame_line origins[WATCH_ORIGINS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < watch->plan->n_jobs; i++) {
		uint64_t age_ns = watch_age_ns(watch->jobs[i].since_ns, now_ns);
		struct frame_line *line;

		if (!watch_is_shown(watch, i))
			continue;
		line = watch_find_origin(origins, &n, watch_origin(watch_url(watch->plan, i)));
		if (!line)
			continue;
		line->running++;
		if (age_ns > line->age_ns)
			line->age_ns = age_ns;
	}
	qsort(origins, n, sizeof(origins[0]), watch_compare_origins);
	frame->n_lines = n < room ? n : room;
	memcpy(frame->lines, origins, frame->n_lines * sizeof(origins[0]));
	frame->n_more = n - frame->n_lines;
	frame->more = "origin";
}

void watch_frame(const struct watch *watch, uint64_t now_ns, uint32_t rows, uint32_t columns,
	struct frame *ret_frame)
{
	uint32_t room = frame_room(rows), n_shown = 0;

	*ret_frame = (struct frame){
		.jobs = watch_total(watch),
		.settled = watch->n_settled,
		.rejected = watch->n_rejected,
		.running = watch->n_running,
		.has_running = watch->jobs && watch->plan->n_eaches == 0,
		.cancelled = watch->is_cancelled,
		.age_ns = watch_age_ns(watch->start_ns, now_ns),
		.columns = columns,
	};
	if (!watch->jobs || room == 0)
		return;
	for (uint32_t i = 0; i < watch->plan->n_jobs; i++) {
		if (!watch_is_shown(watch, i))
			continue;
		if (++n_shown <= room)
			watch_add_job(watch, i, now_ns, ret_frame);
	}
	if (n_shown > room) {
		ret_frame->n_lines = 0;
		watch_add_origins(watch, now_ns, room, ret_frame);
	}
}
