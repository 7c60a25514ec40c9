/* SPDX-License-Identifier: MIT */
/*
 * For people: what runs at once, level by level, and what each job waits for and why.
 *
 *   dashboard: 7 jobs in 3 levels, mode settled, concurrency 8, timeout 5 s
 *
 *   level 0: 4 jobs
 *     user     GET http://api.local/users/{{input#/uid}}
 *     mirror   group of 2 jobs, mode any
 *       eu     GET http://eu.local/x
 *   ...
 *   level 1: 2 jobs
 *     profile  GET http://api.local/profiles/{{user#/profile_id}}
 *              <- user (url)
 *
 *   critical path: user > profile > audit
 *
 * A group whose jobs are on several levels is named on each, but explained on the first alone.
 * Lines are folded at PLAN_COLUMNS between words, a long word anywhere; nothing is cut but what
 * fills more than PLAN_LINES_MAX of them.
 */
#include "client/cli/render/plan_private.h"

#include <errno.h>

#include "client/cli/clean.h"

/* Names wider than this do not move what stands beside the others. */
#define PLAN_NAME_WIDTH_MAX 24

/* Of one paragraph, but for dependencies, paths and warnings. */
#define PLAN_LINES_MAX 4

/* A paragraph: where its lines begin, and how many there may be (0: any number). */
struct plan_fold {
	size_t margin, hanging;
	uint32_t lines_max;
};

struct plan_page {
	struct buffer *out;
	struct plan_view view;
	/* The paragraph being put together. */
	struct buffer words;
	/* Of names, with their indentation. */
	size_t width;
	/* For each node the level, plus 1, on which it was last named. */
	uint32_t *named;
};

/* How much of the text goes on a line of that width: up to a blank; or as much as there is room
 * for, where the word behind it is too long for any line and half of this one would stay empty. */
static size_t plan_fold_size(struct text text, size_t width)
{
	size_t size = clean_cut(text, width).size, at = size;

	if (size == text.size)
		return size;
	while (at > 0 && text.data[at] != ' ')
		at--;
	if (at <= size / 2 && text_find(text_from_at(text, at + 1), ' ') > width)
		return size;
	return at > 0 ? at : size;
}

/* The paragraph's lines, the first one behind what stands on the line already. */
static void plan_fold(struct buffer *out, struct text text, struct plan_fold fold)
{
	uint32_t n = 0;

	while (text.size > 0) {
		size_t margin = fold.margin + (n > 0 ? fold.hanging : 0);
		size_t width = margin < PLAN_COLUMNS - 20 ? PLAN_COLUMNS - margin : 20;
		bool is_last = ++n == fold.lines_max;
		size_t size = plan_fold_size(text, is_last ? width - 3 : width);

		if (n > 1)
			buffer_printf(out, "%*s", (int)margin, "");
		buffer_append(out, text.data, size);
		if (is_last && size < text.size)
			buffer_append_literal(out, "...");
		buffer_append_byte(out, '\n');
		if (is_last)
			return;
		while (size < text.size && text.data[size] == ' ')
			size++;
		text = text_from_at(text, size);
	}
}

/* What was put together, on lines of its own below the name. */
static void plan_page_paragraph(struct plan_page *page, uint32_t lines_max, size_t hanging)
{
	size_t margin = page->width + 4;

	if (page->words.size > 0) {
		buffer_printf(page->out, "%*s", (int)margin, "");
		plan_fold(page->out, buffer_text(&page->words),
			(struct plan_fold){margin, hanging, lines_max});
	}
	page->out->failed |= page->words.failed;
	buffer_clear(&page->words);
}

/* -- A node ------------------------------------------------------------------------------------ */

static size_t plan_page_indent(const struct plan *plan, uint32_t at)
{
	uint32_t chain[PLAN_DEPTH_MAX];

	return 2 * (size_t)plan_view_chain(plan, at, chain);
}

static size_t plan_page_width(const struct plan *plan)
{
	size_t width = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		size_t own = plan_page_indent(plan, i) + plan->jobs[i].id.size;

		if (own > width)
			width = own;
	}
	return width < PLAN_NAME_WIDTH_MAX ? width : PLAN_NAME_WIDTH_MAX;
}

/* The name, and beside it what was put together; below it where the name leaves no room. */
static void plan_page_name(struct plan_page *page, uint32_t at)
{
	const struct plan *plan = page->view.plan;
	size_t indent = plan_page_indent(plan, at);
	int room = indent < page->width ? (int)(page->width - indent) : 0;

	buffer_printf(
		page->out, "  %*s%-*.*s", (int)indent, "", room, TEXT_ARGS(plan->jobs[at].id));
	if (plan->jobs[at].id.size > (size_t)room) {
		buffer_append_byte(page->out, '\n');
		plan_page_paragraph(page, PLAN_LINES_MAX, 0);
		return;
	}
	buffer_append_literal(page->out, "  ");
	plan_fold(page->out, buffer_text(&page->words),
		(struct plan_fold){page->width + 4, 0, PLAN_LINES_MAX});
	buffer_clear(&page->words);
}

static void plan_page_dependencies(struct plan_page *page, uint32_t at)
{
	const struct plan_view *view = &page->view;
	const struct plan_job *job = &view->plan->jobs[at];
	uint32_t first = job->first_dependency;

	for (uint32_t i = first; i < first + job->n_dependencies; i++) {
		const struct plan_job *target = &view->plan->jobs[view->plan->dependencies[i]];

		buffer_append_text(&page->words, i == first ? TEXT("<- ") : TEXT(", "));
		buffer_append_text(&page->words, target->id);
		if (view->reasons[i]) {
			buffer_append_literal(&page->words, " (");
			plan_word_why(&page->words, view, i);
			buffer_append_byte(&page->words, ')');
		}
	}
	plan_page_paragraph(page, 0, 3);
}

/* What is requested, or what group it is, and in parentheses what else is to know about it. */
static void plan_page_inner(struct plan_page *page, uint32_t at)
{
	struct buffer *words = &page->words;
	size_t size;

	plan_word_inner(words, page->view.plan, at);
	buffer_append_literal(words, " (");
	size = words->size;
	plan_word_notes(words, page->view.plan, at);
	if (words->size > size)
		buffer_append_byte(words, ')');
	else if (!words->failed)
		words->size -= 2;
}

static void plan_page_node(struct plan_page *page, uint32_t at)
{
	const struct plan *plan = page->view.plan;

	if (plan->jobs[at].kind == PLAN_EACH) {
		plan_word_each(&page->words, plan, at);
		plan_page_name(page, at);
		plan_page_inner(page, at);
		plan_page_paragraph(page, PLAN_LINES_MAX, 0);
	} else {
		plan_page_inner(page, at);
		plan_page_name(page, at);
	}
	plan_word_when(&page->words, plan, at);
	plan_page_paragraph(page, PLAN_LINES_MAX, 5);
	plan_page_dependencies(page, at);
}

/* The groups around a node, those that this level has not named yet. */
static void plan_page_groups(struct plan_page *page, uint32_t at, uint32_t level)
{
	uint32_t chain[PLAN_DEPTH_MAX];
	uint32_t n = plan_view_chain(page->view.plan, at, chain);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t named = page->named[chain[i]];

		page->named[chain[i]] = level + 1;
		if (named == 0) {
			plan_page_node(page, chain[i]);
		} else if (named != level + 1) {
			buffer_append_literal(&page->words, "(see above)");
			plan_page_name(page, chain[i]);
		}
	}
}

/* -- The whole --------------------------------------------------------------------------------- */

static void plan_page_head(struct plan_page *page)
{
	const struct plan *plan = page->view.plan;
	struct buffer *words = &page->words;

	clean_line(words, plan->name.size > 0 ? plan->name : TEXT("graph"));
	buffer_printf(words, ": %u %s in %u %s, mode %s, concurrency ", plan->n_leaves,
		plan->n_leaves == 1 ? "job" : "jobs", page->view.n_levels,
		page->view.n_levels == 1 ? "level" : "levels", plan_view_mode(plan->mode));
	if (plan->concurrency == PLAN_UNBOUNDED)
		buffer_append_literal(words, "unbounded");
	else
		buffer_append_u64(words, plan->concurrency);
	if (plan->timeout_ns != PLAN_NEVER) {
		buffer_append_literal(words, ", timeout ");
		plan_word_duration(words, plan->timeout_ns);
	}
	plan_fold(page->out, buffer_text(words), (struct plan_fold){0, 2, 0});
	buffer_clear(words);
}

static void plan_page_level(struct plan_page *page, uint32_t level)
{
	const struct plan_view *view = &page->view;
	uint32_t begin = view->starts[level], end = view->starts[level + 1], n = 0;

	for (uint32_t i = begin; i < end; i++)
		n += !plan_view_is_empty(view->plan, view->order[i]);
	buffer_printf(page->out, "\nlevel %u: %u %s\n", level, n, n == 1 ? "job" : "jobs");
	for (uint32_t i = begin; i < end; i++) {
		plan_page_groups(page, view->order[i], level);
		plan_page_node(page, view->order[i]);
	}
}

static void plan_page_path(struct plan_page *page)
{
	const struct plan_view *view = &page->view;

	if (view->n_path < 2)
		return;
	buffer_append_literal(&page->words, "critical path: ");
	for (uint32_t i = 0; i < view->n_path; i++) {
		if (i > 0)
			buffer_append_literal(&page->words, " > ");
		buffer_append_text(&page->words, view->plan->jobs[view->path[i]].id);
	}
	buffer_append_byte(page->out, '\n');
	plan_fold(page->out, buffer_text(&page->words), (struct plan_fold){0, 2, 0});
	buffer_clear(&page->words);
}

static void plan_page_warnings(struct plan_page *page)
{
	for (uint32_t i = 0; i < page->view.n_warnings; i++) {
		const struct plan_warning *warning = &page->view.warnings[i];

		buffer_append_literal(&page->words, "warning: ");
		clean_line(&page->words, warning->at);
		buffer_append_literal(&page->words, ": ");
		clean_line(&page->words, warning->message);
		if (i == 0)
			buffer_append_byte(page->out, '\n');
		plan_fold(page->out, buffer_text(&page->words), (struct plan_fold){0, 2, 0});
		buffer_clear(&page->words);
	}
	if (page->view.n_warnings == PLAN_WARNINGS_MAX)
		buffer_append_literal(page->out, "There may be more.\n");
}

int plan_render_text(struct buffer *out, const struct plan *plan)
{
	struct plan_page page = {.out = out};
	int r = plan_view_init(&page.view, plan);

	buffer_init(&page.words, SIZE_MAX / 4);
	if (r == 0) {
		page.width = plan_page_width(plan);
		page.named = arena_alloc_array(
			&page.view.arena, (size_t)plan->n_jobs + 1, sizeof(*page.named));
		r = page.named ? 0 : -ENOMEM;
	}
	if (r == 0) {
		plan_page_head(&page);
		for (uint32_t level = 0; level < page.view.n_levels; level++)
			plan_page_level(&page, level);
		plan_page_path(&page);
		plan_page_warnings(&page);
	}
	plan_view_deinit(&page.view);
	buffer_deinit(&page.words);
	return r == 0 && out->failed ? -ENOMEM : r;
}
