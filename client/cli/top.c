/* SPDX-License-Identifier: MIT */
#include "client/cli/top.h"

#include "client/cli/clean.h"
#include "proto/json.h"

/* Three that are always there, the table's head behind an empty one, what is left out, and the
 * cursor's. */
#define TOP_ROWS_OTHER 7

/* A name has what the other columns leave of the terminal. */
#define TOP_NAME_WIDTH  24
#define TOP_NAME_MIN    8
#define TOP_OTHER_WIDTH 60

static uint64_t top_number(yyjson_val *object, const char *key)
{
	struct text digits = json_number(yyjson_obj_get(object, key));
	uint64_t value;

	return digits.data && text_to_u64(digits, UINT64_MAX, &value) ? value : 0;
}

static void top_read_graph(struct top_graph *graph, yyjson_val *value)
{
	*graph = (struct top_graph){
		.number = top_number(value, "graph"),
		.name = json_string(yyjson_obj_get(value, "name")),
		.uid = top_number(value, "uid"),
		.has_uid = yyjson_obj_get(value, "uid"),
		.jobs = top_number(value, "jobs"),
		.settled = top_number(value, "settled"),
		.in_flight = top_number(value, "in_flight"),
		.age_ms = top_number(value, "age_ms"),
	};
}

void top_read(struct top_sample *sample, struct yyjson_val *status)
{
	yyjson_val *total = yyjson_obj_get(status, "total");
	yyjson_val *connections = yyjson_obj_get(status, "connections");
	yyjson_val *graph;
	size_t i, n;

	*sample = (struct top_sample){
		.server = json_string(yyjson_obj_get(status, "server")),
		.is_draining = yyjson_is_true(yyjson_obj_get(status, "draining")),
		.uptime_ms = top_number(status, "uptime_ms"),
		.sessions = top_number(status, "sessions"),
		.graphs = top_number(status, "graphs"),
		.in_flight = top_number(status, "in_flight"),
		.resolving = top_number(status, "resolving"),
		.body_bytes = top_number(status, "body_bytes"),
		.jobs = top_number(total, "jobs"),
		.attempts = top_number(total, "attempts"),
		.dialled = top_number(connections, "dialled"),
		.reused = top_number(connections, "reused"),
		.open = top_number(connections, "open"),
		.idle = top_number(connections, "idle"),
	};
	yyjson_arr_foreach(yyjson_obj_get(status, "graph_list"), i, n, graph)
	{
		if (sample->n_listed < TOP_GRAPHS_MAX)
			top_read_graph(&sample->listed[sample->n_listed++], graph);
	}
}

/* -- Drawing ----------------------------------------------------------------------------------- */

struct top {
	struct buffer *out;
	const struct top_view *view;
	/* Where the line began that is being written. */
	size_t start;
	uint32_t n_lines;
};

static void top_end_line(struct top *top)
{
	struct buffer *out = top->out;
	struct text line = text_from_at(buffer_text(out), top->start);

	if (top->view->columns > 0 && !out->failed)
		out->size = top->start + clean_cut(line, top->view->columns - 1).size;
	while (out->size > top->start && out->data[out->size - 1] == ' ')
		out->size--;
	buffer_append_byte(out, '\n');
	top->start = out->size;
	top->n_lines++;
}

static void top_append_age(struct buffer *out, uint64_t ms)
{
	uint64_t seconds = ms / 1000;

	if (seconds >= 86400)
		buffer_printf(out, "%jud %02juh", (uintmax_t)(seconds / 86400),
			(uintmax_t)(seconds / 3600 % 24));
	else if (seconds >= 3600)
		buffer_printf(out, "%juh %02jum", (uintmax_t)(seconds / 3600),
			(uintmax_t)(seconds / 60 % 60));
	else if (seconds >= 60)
		buffer_printf(
			out, "%jum %02jus", (uintmax_t)(seconds / 60), (uintmax_t)(seconds % 60));
	else
		buffer_printf(out, "%ju.%ju s", (uintmax_t)seconds, (uintmax_t)(ms % 1000 / 100));
}

static void top_append_bytes(struct buffer *out, uint64_t bytes)
{
	if (bytes >= UINT64_C(10) << 20)
		buffer_printf(out, "%ju MiB", (uintmax_t)(bytes >> 20));
	else if (bytes >= UINT64_C(10) << 10)
		buffer_printf(out, "%ju KiB", (uintmax_t)(bytes >> 10));
	else
		buffer_printf(out, "%ju bytes", (uintmax_t)bytes);
}

static void top_append_daemon(struct top *top, const struct top_sample *now)
{
	struct buffer *out = top->out;

	clean_line(out, now->server.data ? now->server : TEXT("a daemon"));
	buffer_append_literal(out, "  up ");
	top_append_age(out, now->uptime_ms);
	buffer_printf(out, "  %ju sessions  %ju graphs  %ju in flight", (uintmax_t)now->sessions,
		(uintmax_t)now->graphs, (uintmax_t)now->in_flight);
	if (now->resolving)
		buffer_printf(out, "  %ju resolving", (uintmax_t)now->resolving);
	buffer_append_literal(out, "  bodies ");
	top_append_bytes(out, now->body_bytes);
	if (now->is_draining)
		buffer_append_literal(out, "  draining");
	top_end_line(top);
}

/* Behind a count, ", 12/s": its difference to that of the sample before (NULL: there is none) over
 * the time between them; a daemon that was started anew counts anew. */
static void top_append_rate(
	struct buffer *out, uint64_t now, const uint64_t *before, uint64_t interval_ms)
{
	uint64_t n;

	if (!before)
		return;
	n = now > *before ? now - *before : 0;
	buffer_printf(out, ", %ju/s",
		(uintmax_t)(interval_ms ? (n * 1000 + interval_ms / 2) / interval_ms : 0));
}

static void top_append_work(
	struct top *top, const struct top_sample *now, const struct top_sample *before)
{
	uint64_t interval_ms = before && now->uptime_ms > before->uptime_ms
				       ? now->uptime_ms - before->uptime_ms
				       : 0;
	struct buffer *out = top->out;

	buffer_printf(out, "jobs %ju", (uintmax_t)now->jobs);
	top_append_rate(out, now->jobs, before ? &before->jobs : NULL, interval_ms);
	buffer_printf(out, "  attempts %ju", (uintmax_t)now->attempts);
	top_append_rate(out, now->attempts, before ? &before->attempts : NULL, interval_ms);
	top_end_line(top);
	buffer_printf(out, "connections %ju open, %ju idle, %ju dialled", (uintmax_t)now->open,
		(uintmax_t)now->idle, (uintmax_t)now->dialled);
	top_append_rate(out, now->dialled, before ? &before->dialled : NULL, interval_ms);
	buffer_printf(out, ", %ju reused", (uintmax_t)now->reused);
	top_append_rate(out, now->reused, before ? &before->reused : NULL, interval_ms);
	top_end_line(top);
}

static uint32_t top_name_width(const struct top_view *view)
{
	if (view->columns == 0 || view->columns >= TOP_OTHER_WIDTH + TOP_NAME_WIDTH)
		return TOP_NAME_WIDTH;
	if (view->columns <= TOP_OTHER_WIDTH + TOP_NAME_MIN)
		return TOP_NAME_MIN;
	return view->columns - TOP_OTHER_WIDTH;
}

static void top_append_graph(struct top *top, const struct top_graph *graph)
{
	struct buffer *out = top->out;
	uint32_t room = top_name_width(top->view);
	struct text name = clean_cut(graph->name.data ? graph->name : TEXT("-"), room);
	size_t width = clean_width(name);

	buffer_printf(out, "%8ju  ", (uintmax_t)graph->number);
	clean_line(out, name);
	buffer_printf(out, "%*s", (int)(room - width), "");
	if (graph->has_uid)
		buffer_printf(out, "  %6ju", (uintmax_t)graph->uid);
	else
		buffer_append_literal(out, "       -");
	buffer_printf(out, "  %8ju  %8ju  %9ju  ", (uintmax_t)graph->jobs,
		(uintmax_t)graph->settled, (uintmax_t)graph->in_flight);
	top_append_age(out, graph->age_ms);
	top_end_line(top);
}

static void top_append_graphs(struct top *top, const struct top_sample *now)
{
	uint32_t rows = top->view->rows, n = now->n_listed;
	uint64_t n_hidden;

	if (rows > 0 && n + TOP_ROWS_OTHER > rows)
		n = rows > TOP_ROWS_OTHER ? rows - TOP_ROWS_OTHER : 0;
	if (n == 0)
		return;
	top_end_line(top);
	buffer_printf(top->out, "%8s  %-*s  %6s  %8s  %8s  %9s  %s", "GRAPH",
		(int)top_name_width(top->view), "NAME", "UID", "JOBS", "SETTLED", "IN FLIGHT",
		"AGE");
	top_end_line(top);
	for (uint32_t i = 0; i < n; i++)
		top_append_graph(top, &now->listed[i]);
	n_hidden = now->graphs > n ? now->graphs - n : 0;
	if (n_hidden == 0)
		return;
	/* Those of others are counted, not listed. */
	buffer_printf(top->out, "%8s  and %ju more", "", (uintmax_t)n_hidden);
	top_end_line(top);
}

uint32_t top_append(struct buffer *out, const struct top_sample *now,
	const struct top_sample *before, const struct top_view *view)
{
	struct top top = {.out = out, .view = view, .start = out->size};

	top_append_daemon(&top, now);
	top_append_work(&top, now, before);
	top_append_graphs(&top, now);
	return top.n_lines;
}
