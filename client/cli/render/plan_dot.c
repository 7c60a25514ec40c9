/* SPDX-License-Identifier: MIT */
/*
 * A digraph for Graphviz. An edge of it joins nodes, never clusters: one that is of a group is
 * drawn from or to a node inside it and clipped at the cluster's border (lhead, ltail). Labels
 * stand in quotes, where '"' and '\' are escaped, and '&' because entities are read even there.
 */
#include "client/cli/render/plan_private.h"

#include <errno.h>

#include "client/cli/clean.h"
#include "client/cli/render/why.h"

static void plan_dot_text(struct buffer *out, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		switch (text.data[i]) {
		case '\n': buffer_append_literal(out, "\\n"); break;
		case '"': buffer_append_literal(out, "\\\""); break;
		case '\\': buffer_append_literal(out, "\\\\"); break;
		case '&': buffer_append_literal(out, "&amp;"); break;
		default: buffer_append_byte(out, text.data[i]); break;
		}
	}
}

static void plan_dot_label(struct buffer *out, const struct plan *plan, uint32_t at)
{
	struct buffer label;

	buffer_init(&label, SIZE_MAX / 4);
	plan_word_label(&label, plan, at);
	plan_dot_text(out, buffer_text(&label));
	out->failed |= label.failed;
	buffer_deinit(&label);
}

static void plan_dot_open(
	struct buffer *out, const struct plan_view *view, uint32_t at, uint32_t depth)
{
	plan_picture_indent(out, depth);
	buffer_printf(out, "subgraph cluster_%u {\n", at);
	plan_picture_indent(out, depth + 1);
	buffer_append_literal(out, "label=\"");
	plan_dot_label(out, view->plan, at);
	buffer_append_literal(out, "\";\n");
}

static void plan_dot_node(
	struct buffer *out, const struct plan_view *view, uint32_t at, uint32_t depth)
{
	plan_picture_indent(out, depth);
	buffer_printf(out, "j%u [label=\"", at);
	plan_dot_label(out, view->plan, at);
	buffer_append_byte(out, '"');
	if (view->plan->jobs[at].kind == PLAN_EACH)
		buffer_append_literal(out, ", peripheries=2");
	if (plan_view_is_empty(view->plan, at))
		buffer_append_literal(out, ", style=dashed");
	else if (view->is_critical[at])
		buffer_append_literal(out, ", penwidth=3");
	buffer_append_literal(out, "];\n");
}

static void plan_dot_close(struct buffer *out, uint32_t depth)
{
	plan_picture_indent(out, depth);
	buffer_append_literal(out, "}\n");
}

/* The node that stands for what is drawn as a cluster, where an edge comes in: the first in it. */
static uint32_t plan_dot_head(const struct plan *plan, uint32_t at)
{
	uint32_t head = at;

	while (plan_view_inner(plan, head)->kind == PLAN_GROUP && !plan_view_is_empty(plan, head))
		head = plan_index(plan, plan_view_inner(plan, head)) + 1;
	return head;
}

/* And where one goes out: the last in it. */
static uint32_t plan_dot_tail(const struct plan *plan, uint32_t at)
{
	uint32_t tail = at + plan->jobs[at].n_below;

	return tail > at && plan_view_is_child(plan, tail) ? tail - 1 : tail;
}

static void plan_dot_edge(
	struct buffer *out, const struct plan_view *view, uint32_t to, uint32_t edge)
{
	uint32_t from = view->plan->dependencies[edge];
	uint32_t tail = plan_dot_tail(view->plan, from), head = plan_dot_head(view->plan, to);

	buffer_printf(out, "    j%u -> j%u [label=\"", tail, head);
	plan_word_why(out, view, edge);
	buffer_append_byte(out, '"');
	if (tail != from)
		buffer_printf(out, ", ltail=cluster_%u", from);
	if (head != to)
		buffer_printf(out, ", lhead=cluster_%u", to);
	if (view->reasons[edge] == WHY_AFTER)
		buffer_append_literal(out, ", style=dashed");
	if (plan_picture_is_critical(view, to, edge))
		buffer_append_literal(out, ", penwidth=3");
	buffer_append_literal(out, "];\n");
}

static void plan_dot_name(struct buffer *out, struct text name)
{
	struct buffer clean;

	buffer_init(&clean, SIZE_MAX / 4);
	clean_line(&clean, name.size > 0 ? name : TEXT("graph"));
	plan_dot_text(out, buffer_text(&clean));
	buffer_deinit(&clean);
}

int plan_render_dot(struct buffer *out, const struct plan *plan)
{
	static const struct plan_picture picture = {
		plan_dot_open, plan_dot_node, plan_dot_close, plan_dot_edge};
	struct plan_view view;
	int r = plan_view_init(&view, plan);

	if (r == 0) {
		buffer_append_literal(out, "digraph \"");
		plan_dot_name(out, plan->name);
		buffer_append_literal(out, "\" {\n"
					   "    compound=true;\n"
					   "    rankdir=LR;\n"
					   "    fontname=\"sans-serif\";\n"
					   "    node [shape=box, fontname=\"sans-serif\"];\n"
					   "    edge [fontname=\"sans-serif\", fontsize=10];\n");
		plan_picture_draw(out, &view, &picture);
		buffer_append_literal(out, "}\n");
	}
	plan_view_deinit(&view);
	return r == 0 && out->failed ? -ENOMEM : r;
}
