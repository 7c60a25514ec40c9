/* SPDX-License-Identifier: MIT */
#include "sim_redirect.h"

#include <stdio.h>
#include <string.h>

#include "sim_world.h"
#include "util/container.h"

#define SIM_REDIRECTS 10

/* -- Drawing -------------------------------------------------------------------------------- */

/* As the Fetch standard has it (4.4), and a 303 never keeps a body. */
static void sim_redirect_turn(struct sim_try *try)
{
	struct sim_reply *reply = &try->reply;
	const char *method = try->resource->method;
	bool is_post = strcmp(method, "POST") == 0, is_head = strcmp(method, "HEAD") == 0;
	bool turns = (reply->status == 303 && !is_head) || (reply->status <= 302 && is_post);

	reply->to_method = turns ? "GET" : method;
	reply->to_keeps_body = !turns && reply->status != 303;
}

/* What does not parse, and where nobody may be sent. */
static const char *sim_redirect_draw_bad(struct sim_reply *reply, bool is_https)
{
	static const char *const invalid[] = {
		"http://[fd00::/", "http://user@host/", "https://host:99999/x", "http://", "/a\\b"};
	const struct sim_origin *origin = &sim_model.origins[sim_below(sim_model.n_origins)];

	if (sim_chance(400)) {
		reply->to_code = FAULT_REDIRECT_INVALID;
		return invalid[sim_below(countof(invalid))];
	}
	reply->to_code = FAULT_REDIRECT_BLOCKED;
	if (is_https && !origin->is_https && sim_chance(700))
		return sim_format("%s/", origin->base);
	return sim_chance(500) ? "ftp://host/x" : "mailto:somebody";
}

static const char *sim_redirect_draw_good(struct sim_try *try)
{
	struct sim_reply *reply = &try->reply;
	struct sim_origin *to = try->origin;
	const char *tail = sim_chance(100) ? "#part" : "", *target;

	if (sim_chance(500))
		to = &sim_model.origins[sim_below(sim_model.n_origins)];
	if (try->origin->is_https && !to->is_https)
		to = try->origin;
	reply->to = to;
	target = sim_format("/%u.%u/~%u", try->graph->key, try->label->number, try->key);
	switch (sim_below(4)) {
	case 0:
		if (to == try->origin)
			return sim_format("%s%s", target, tail);
		break;
	case 1:
		if (to->is_https == try->origin->is_https)
			return sim_format("//%s%s%s", to->authority, target, tail);
		break;
	case 2: return sim_format("%s/x/y/../..%s%s", to->base, target, tail);
	default: break;
	}
	return sim_format("%s%s%s", to->base, target, tail);
}

void sim_redirect_draw(struct sim_try *try)
{
	static const uint16_t statuses[] = {301, 302, 303, 307, 308};
	struct sim_reply *reply = &try->reply;

	if (!sim_chance(try->label->moves) || !sim_may(SIM_FEATURE_REDIRECTS))
		return;
	reply->is_redirect = true;
	reply->status = statuses[sim_below(countof(statuses))];
	sim_redirect_turn(try);
	if (sim_chance(sim_world.profile.reply_fault / 3))
		reply->location = sim_redirect_draw_bad(reply, try->origin->is_https);
	else
		reply->location = sim_redirect_draw_good(try);
}

/* -- Hops ------------------------------------------------------------------------------------- */

struct sim_try *sim_redirect_from(const char *target)
{
	const char *key = strstr(target, "/~");
	unsigned number;

	if (!key || sscanf(key, "/~%u", &number) != 1 || strchr(target + 1, '/') != key)
		return NULL;
	if (number >= sim_model.n_tries)
		sim_fail("a request for %.60s, which nobody was sent to", target);
	return sim_model.tries[number];
}

void sim_redirect_check(const struct sim_try *try)
{
	const struct sim_try *from = try->from;
	const char *target = try->resource->target, *header = try->resource->header;
	const char *expected =
		try->is_foreign ? NULL : sim_redirect_first(try->from)->resource->header;

	if (!from->reply.is_redirect || from->reply.to_code)
		sim_fail("%s was sent, but nobody was redirected there", target);
	if (strcmp(try->resource->method, from->reply.to_method) != 0)
		sim_fail("%s was sent as %s, not %s", target, try->resource->method,
			from->reply.to_method);
	if ((header != NULL) != (expected != NULL) || (header && strcmp(header, expected) != 0))
		sim_fail("%s was sent with the header %s, not %s", target,
			header ? header : "missing", expected ? expected : "none");
}

struct sim_try *sim_redirect_first(struct sim_try *try)
{
	while (try && try->from)
		try = try->from;
	return try;
}

struct sim_try *sim_redirect_last(struct sim_try *try)
{
	while (try && try->hop)
		try = try->hop;
	return try;
}

const struct sim_origin *sim_redirect_next(const struct sim_node *node, const struct sim_try *try)
{
	if (!try)
		return node->label->origin;
	return sim_redirect_is_followed(node, try) && try->reply.to ? try->reply.to : try->origin;
}

/* -- What a job makes of it ---------------------------------------------------------------------
 */

static unsigned sim_redirect_limit(const struct sim_node *node)
{
	return node->label->redirects < 0 ? SIM_REDIRECTS : (unsigned)node->label->redirects;
}

bool sim_redirect_is_followed(const struct sim_node *node, const struct sim_try *try)
{
	return try->reply.is_redirect && sim_redirect_limit(node) > 0;
}

enum fault_code sim_redirect_code(const struct sim_node *node, const struct sim_try *try)
{
	if (try->n_hops >= sim_redirect_limit(node))
		return FAULT_REDIRECT_LIMIT;
	return try->reply.to_code;
}

static bool sim_redirect_is_hop(yyjson_val *hop, const struct sim_try *from)
{
	const char *url = sim_format("%s%s", from->origin->base, from->resource->target);

	return yyjson_get_uint(yyjson_obj_get(hop, "status")) == from->reply.status &&
	       strcmp(sim_member(hop, "url"), url) == 0;
}

bool sim_redirect_explains(const struct sim_record *record, const struct sim_try *try)
{
	yyjson_val *hops = yyjson_obj_get(record->reason, "hops");
	size_t n = yyjson_arr_size(hops);

	/* The next one may not have been sent. */
	if (n == try->n_hops)
		try = try->from;
	else if (n != try->n_hops + 1)
		return false;
	for (; try && sim_redirect_is_hop(yyjson_arr_get(hops, n - 1), try); try = try->from)
		n--;
	return !try;
}

void sim_redirect_check_record(const struct sim_record *record, const struct sim_try *try)
{
	yyjson_val *hops = yyjson_obj_get(record->response, "hops");
	size_t n = yyjson_arr_size(hops);

	if (n != try->n_hops ||
		yyjson_get_uint(yyjson_obj_get(record->response, "redirects")) != try->n_hops)
		sim_fail("%s: its record has %zu hops, not %u", record->instance->id, n,
			try->n_hops);
	for (const struct sim_try *from = try->from; from; from = from->from) {
		if (!sim_redirect_is_hop(yyjson_arr_get(hops, --n), from))
			sim_fail("%s: its record does not have the hop of %s", record->instance->id,
				from->resource->target);
	}
}
