/* SPDX-License-Identifier: MIT */
/*
 * A flowchart for Mermaid. Nodes are named by number, because ids of jobs may be words of the
 * language ("end"). A label stands in quotes; what has a meaning even there is written as one of
 * Mermaid's entities (#35;): quotes, what HTML and Markdown know, "#" itself, and "%%", which
 * begins a comment or a directive anywhere.
 */
#include "client/cli/render/plan_private.h"

#include <errno.h>

#include "client/cli/clean.h"
#include "client/cli/render/why.h"
#include "proto/json.h"

/* Characters of a subgraph's heading. */
#define PLAN_HEADING_WIDTH 60

/* True where Mermaid takes a line of its source for a style, wherever the word stands in it, and
 * takes the last ';' behind a ':' and a '#' for that style's end, which it drops. */
static bool plan_mermaid_is_styled(struct text text)
{
	return memmem(text.data, text.size, "style", 5) ||
	       memmem(text.data, text.size, "classDef", 8);
}

static void plan_mermaid_text(struct buffer *out, struct text text)
{
	const char *special = plan_mermaid_is_styled(text) ? "\"#<>&`*\\|~:" : "\"#<>&`*\\|~";

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		bool is_double = i + 1 < text.size && text.data[i + 1] == c;

		if (c == '\n')
			buffer_append_literal(out, "<br>");
		else if (strchr(special, c) || (is_double && (c == '%' || c == '_')))
			buffer_printf(out, "#%d;", c);
		else
			buffer_append_byte(out, c);
		/* A formula begins with two of them; with something of no width between, none does.
		 */
		if (c == '$' && is_double)
			buffer_append_literal(out, "#8203;");
	}
}

static void plan_mermaid_label(struct buffer *out, const struct plan *plan, uint32_t at)
{
	struct buffer label;

	buffer_init(&label, SIZE_MAX / 4);
	plan_word_label(&label, plan, at);
	plan_mermaid_text(out, buffer_text(&label));
	out->failed |= label.failed;
	buffer_deinit(&label);
}

/* On one line: Mermaid leaves no room for more above what is in a subgraph. */
static void plan_mermaid_heading(struct buffer *out, const struct plan *plan, uint32_t at)
{
	struct buffer label;

	buffer_init(&label, SIZE_MAX / 4);
	buffer_append_text(&label, plan->jobs[at].id);
	buffer_append_literal(&label, ": ");
	if (plan->jobs[at].kind == PLAN_EACH)
		plan_word_each(&label, plan, at);
	else
		plan_word_inner(&label, plan, at);
	plan_mermaid_text(out, clean_cut(buffer_text(&label), PLAN_HEADING_WIDTH));
	if (clean_width(buffer_text(&label)) > PLAN_HEADING_WIDTH)
		buffer_append_literal(out, "...");
	out->failed |= label.failed;
	buffer_deinit(&label);
}

static void plan_mermaid_open(
	struct buffer *out, const struct plan_view *view, uint32_t at, uint32_t depth)
{
	plan_picture_indent(out, depth);
	buffer_printf(out, "subgraph j%u[\"", at);
	plan_mermaid_heading(out, view->plan, at);
	buffer_append_literal(out, "\"]\n");
}

static void plan_mermaid_node(
	struct buffer *out, const struct plan_view *view, uint32_t at, uint32_t depth)
{
	bool is_each = view->plan->jobs[at].kind == PLAN_EACH;

	plan_picture_indent(out, depth);
	buffer_printf(out, "j%u%s\"", at, is_each ? "[[" : "[");
	plan_mermaid_label(out, view->plan, at);
	buffer_printf(out, "\"%s\n", is_each ? "]]" : "]");
}

static void plan_mermaid_close(struct buffer *out, uint32_t depth)
{
	plan_picture_indent(out, depth);
	buffer_append_literal(out, "end\n");
}

static void plan_mermaid_edge(
	struct buffer *out, const struct plan_view *view, uint32_t to, uint32_t edge)
{
	const char *arrow = view->reasons[edge] == WHY_AFTER ? "-.->" : "-->";

	if (plan_picture_is_critical(view, to, edge))
		arrow = "==>";
	buffer_printf(out, "    j%u %s", view->plan->dependencies[edge], arrow);
	if (view->reasons[edge]) {
		buffer_append_byte(out, '|');
		plan_word_why(out, view, edge);
		buffer_append_byte(out, '|');
	}
	buffer_printf(out, " j%u\n", to);
}

static void plan_mermaid_critical(struct buffer *out, const struct plan_view *view)
{
	const char *separator = "    class ";

	if (view->n_path < 2)
		return;
	buffer_append_literal(out, "    classDef critical stroke-width:4px\n");
	for (uint32_t i = 0; i < view->plan->n_jobs; i++) {
		if (!view->is_critical[i] || plan_view_is_child(view->plan, i))
			continue;
		buffer_printf(out, "%sj%u", separator, i);
		separator = ",";
	}
	buffer_append_literal(out, " critical\n");
}

/* YAML's double quotes are JSON's. */
static void plan_mermaid_title(struct buffer *out, struct text name)
{
	struct buffer clean;

	if (name.size == 0)
		return;
	buffer_init(&clean, SIZE_MAX / 4);
	clean_line(&clean, name);
	buffer_append_literal(out, "---\ntitle: ");
	json_append_string(out, buffer_text(&clean));
	buffer_append_literal(out, "\n---\n");
	buffer_deinit(&clean);
}

int plan_render_mermaid(struct buffer *out, const struct plan *plan)
{
	static const struct plan_picture picture = {
		plan_mermaid_open, plan_mermaid_node, plan_mermaid_close, plan_mermaid_edge};
	struct plan_view view;
	int r = plan_view_init(&view, plan);

	if (r == 0) {
		plan_mermaid_title(out, plan->name);
		buffer_append_literal(out, "flowchart LR\n");
		plan_picture_draw(out, &view, &picture);
		plan_mermaid_critical(out, &view);
	}
	plan_view_deinit(&view);
	return r == 0 && out->failed ? -ENOMEM : r;
}
