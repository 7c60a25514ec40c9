/* SPDX-License-Identifier: MIT */
#include "job/trail.h"

#include <stdlib.h>

#include "http/redirect.h"
#include "proto/plan.h"

/*
 * What a redirect means is http/redirect's to say; here it is what it means to a job that may
 * have followed others before: how many there may be, and that whoever has been sent to another
 * origin once is a stranger from then on, also back home. A loop is not looked for: it ends by
 * the count, and a page that sends to itself once with a cookie more is none.
 */

/* A URL in normal form, its base before it; and all that a trail has. */
#define TRAIL_URL_MAX   ((size_t)8 * URL_SIZE_MAX)
#define TRAIL_BYTES_MAX ((size_t)(PLAN_REDIRECTS_MAX + 2) * TRAIL_URL_MAX)

static struct text trail_location(const struct response_head *head)
{
	return header_find(head->headers, head->n_headers, TEXT("location"));
}

bool trail_wants(const struct plan_spec *spec, const struct response_head *head)
{
	return spec->redirects > 0 && redirect_is_status(head->status) && trail_location(head).data;
}

static struct trail *trail_new(void)
{
	struct trail *trail = calloc(1, sizeof(*trail));

	if (!trail)
		return NULL;
	arena_init(&trail->arena, TRAIL_BYTES_MAX);
	trail->keeps_body = true;
	return trail;
}

struct trail *trail_free(struct trail *trail)
{
	if (!trail)
		return NULL;
	arena_deinit(&trail->arena);
	free(trail->hops);
	free(trail);
	return NULL;
}

static enum trail_verdict trail_fail(struct fault *ret_fault, enum fault_code code, const char *why)
{
	fault_set(ret_fault, code, "%s", why);
	return TRAIL_FAULT;
}

/* Who has answered. */
static bool trail_note(struct trail *trail, struct text url, uint16_t status)
{
	uint32_t room = trail->room ? trail->room * 2 : 4;
	struct text copy = arena_copy(&trail->arena, url);

	if (!copy.data)
		return false;
	if (trail->n_hops == trail->room) {
		struct record_hop *hops = reallocarray(trail->hops, room, sizeof(*hops));

		if (!hops)
			return false;
		trail->hops = hops;
		trail->room = room;
	}
	trail->hops[trail->n_hops++] = (struct record_hop){.status = status, .url = copy};
	return true;
}

/* The same URL in memory that stays. */
static bool trail_keep_url(struct trail *trail, const struct url *url)
{
	struct text copy = arena_copy(&trail->arena, url->text);

	if (!copy.data)
		return false;
	trail->url = *url;
	trail->url.text = copy;
	trail->url.host.data = copy.data + (url->host.data - url->text.data);
	trail->url.authority.data = copy.data + (url->authority.data - url->text.data);
	trail->url.target.data = copy.data + (url->target.data - url->text.data);
	return true;
}

/* Where it leads, and what is asked there. */
static bool trail_turn(struct trail *trail, const struct trail_request *request, uint16_t status,
	const struct url *url)
{
	struct redirect_request next = redirect_next(status, request->method, request->has_body);
	struct text method = arena_copy(&trail->arena, next.method);

	if (!method.data || !trail_note(trail, request->url->text, status))
		return false;
	trail->is_foreign = trail->is_foreign || !redirect_is_same_origin(request->url, url);
	trail->keeps_body = trail->keeps_body && next.keeps_body;
	trail->method = method;
	trail->sent = RECORD_SENT_FULL;
	return trail_keep_url(trail, url);
}

enum trail_verdict trail_follow(struct trail **trailp, const struct plan_spec *spec,
	const struct trail_request *request, const struct response_head *head,
	struct fault *ret_fault)
{
	uint32_t n_hops = *trailp ? (*trailp)->n_hops : 0;
	enum redirect_error error;
	struct buffer memory;
	const char *why;
	struct url url;

	if (!trail_wants(spec, head))
		return TRAIL_ENDS;
	if (n_hops >= spec->redirects) {
		fault_set(ret_fault, FAULT_REDIRECT_LIMIT, "more than %u redirect%s",
			spec->redirects, spec->redirects == 1 ? "" : "s");
		return TRAIL_FAULT;
	}
	buffer_init(&memory, TRAIL_URL_MAX);
	error = redirect_resolve(request->url, trail_location(head), &memory, &url, &why);
	if (error == REDIRECT_OK && !*trailp)
		*trailp = trail_new();
	if (error == REDIRECT_OK && (!*trailp || !trail_turn(*trailp, request, head->status, &url)))
		error = REDIRECT_E_MEMORY;
	buffer_deinit(&memory);
	switch (error) {
	case REDIRECT_OK: return TRAIL_GOES_ON;
	case REDIRECT_E_INVALID:
		/* Some of what may be wrong is said of a URL, whichever it is. */
		fault_set(ret_fault, FAULT_REDIRECT_INVALID, "the Location cannot be followed: %s",
			why);
		return TRAIL_FAULT;
	case REDIRECT_E_BLOCKED: return trail_fail(ret_fault, FAULT_REDIRECT_BLOCKED, why);
	case REDIRECT_E_MEMORY: break;
	}
	return trail_fail(ret_fault, FAULT_OVERLOADED, "no memory for the redirect");
}
