/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the forms of a plan have in common, worked out once, and nobody else's.
 *
 * A plan has two jobs for a fan-out, which are one to whoever wrote it. What is shown is the
 * *node*: a leaf, a group, or a fan-out with its child. Its place is that of the job it begins
 * with; plan_view_inner() is the job that says what is requested, or has others in it.
 */

#include "client/cli/render/plan.h"
#include "client/cli/render/source.h"
#include "util/arena.h"

/* Something to think about. Never an error. */
struct plan_warning {
	/* A stable word for programs. */
	const char *kind;
	/* JSON pointer. Both are in the view's arena. */
	struct text at, message;
};

#define PLAN_WARNINGS_MAX 20

struct plan_view {
	const struct plan *plan;
	struct arena arena;
	struct source *sources;
	/* Of each job. */
	uint32_t *levels;
	bool *is_critical;
	/* Of each dependency, see why.h. */
	uint16_t *reasons;
	uint32_t n_levels;
	/* Nodes that make requests, and groups with nothing in them: by level, and in a level in
	 * the document's order; where each level begins. */
	uint32_t *order;
	uint32_t *starts;
	uint32_t *path;
	uint32_t n_path;
	struct plan_warning warnings[PLAN_WARNINGS_MAX];
	uint32_t n_warnings;
};

/* 0 or -ENOMEM; either way to be deinitialised. */
int plan_view_init(struct plan_view *view, const struct plan *plan);
void plan_view_deinit(struct plan_view *view);

/* True for a fan-out's child: it is no node. */
bool plan_view_is_child(const struct plan *plan, uint32_t at);

const struct plan_job *plan_view_inner(const struct plan *plan, uint32_t at);

/* The node around a node, or PLAN_NONE. */
uint32_t plan_view_parent(const struct plan *plan, uint32_t at);

/* Nodes from the outermost down to the parent. At most PLAN_DEPTH_MAX; returns how many. */
uint32_t plan_view_chain(const struct plan *plan, uint32_t at, uint32_t *chain);

/* Leaves directly or further down in a group. */
uint32_t plan_view_leaves(const struct plan *plan, uint32_t at);

/* True for a group with nothing in it, fanned out or not. */
bool plan_view_is_empty(const struct plan *plan, uint32_t at);

/* GET where it is not said otherwise. */
struct text plan_view_method(const struct plan_spec *spec);

const char *plan_view_mode(enum plan_mode mode);
const char *plan_view_needs(enum plan_needs needs);

/* A node in words, each put into a buffer: nothing where there is nothing to say. */

/* "GET http://…", or "group of 2 jobs, mode any, concurrency 5, timeout 2 s". */
void plan_word_inner(struct buffer *out, const struct plan *plan, uint32_t at);
/* "for each of {{user#/ids}}, concurrency 5, batches of 20, 50 ms apart". */
void plan_word_each(struct buffer *out, const struct plan *plan, uint32_t at);
/* "optional, fallback, needs settled, 3 attempts". */
void plan_word_notes(struct buffer *out, const struct plan *plan, uint32_t at);
/* "when {…}", "when {…}, else {…}". */
void plan_word_when(struct buffer *out, const struct plan *plan, uint32_t at);
/* "url, json", of the dependency with that number. */
void plan_word_why(struct buffer *out, const struct plan_view *view, uint32_t edge);
/* "250 ms", "1.5 s". */
void plan_word_duration(struct buffer *out, uint64_t ns);

/* For a picture: the node's name and the words above, a line each, long ones cut. */
void plan_word_label(struct buffer *out, const struct plan *plan, uint32_t at);

/* A language of pictures. What stands in a group is drawn between its opening and its closing,
 * edges when all nodes have been. */
struct plan_picture {
	void (*open)(struct buffer *out, const struct plan_view *view, uint32_t at, uint32_t depth);
	void (*node)(struct buffer *out, const struct plan_view *view, uint32_t at, uint32_t depth);
	void (*close)(struct buffer *out, uint32_t depth);
	/* `edge`: its place in plan->dependencies. */
	void (*edge)(struct buffer *out, const struct plan_view *view, uint32_t to, uint32_t edge);
};

/* The begin of a line that deep. */
void plan_picture_indent(struct buffer *out, uint32_t depth);

void plan_picture_draw(
	struct buffer *out, const struct plan_view *view, const struct plan_picture *picture);

/* True where the critical path goes along that edge, out of a group or into one as it may be. */
bool plan_picture_is_critical(const struct plan_view *view, uint32_t to, uint32_t edge);

/* Looks for what to think about. 0 or -ENOMEM. */
int plan_warning_collect(struct plan_view *view);
