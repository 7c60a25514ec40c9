/* SPDX-License-Identifier: MIT */
/*
 * A URL, and what it has of its own. A command line holds no references: in a URL braces are
 * percent-encoded, as they may not stand there anyway (RFC 3986 section 2).
 */
#include "client/cli/compose_private.h"

#include <string.h>

#include "client/cli/data.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "proto/json.h"

/* The largest body that may pass through memory unasked. */
#define BODY_BYTES_MAX (512u * 1024 * 1024)

/* -- The URL ----------------------------------------------------------------------------------- */

/* Most begin so: a batch has a million. */
static bool compose_has_scheme(struct text url)
{
	return text_starts_with(url, TEXT("http://")) || text_starts_with(url, TEXT("https://")) ||
	       memmem(url.data, url.size, "://", 3) != NULL;
}

static void compose_append_braced(struct buffer *whole, struct text text)
{
	if (!memchr(text.data, '{', text.size) && !memchr(text.data, '}', text.size)) {
		buffer_append_text(whole, text);
		return;
	}
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '{')
			buffer_append_literal(whole, "%7B");
		else if (text.data[i] == '}')
			buffer_append_literal(whole, "%7D");
		else
			buffer_append_byte(whole, text.data[i]);
	}
}

/* As curl: without a scheme it is http. */
static void compose_append_plain_url(struct buffer *whole, struct text url)
{
	if (!compose_has_scheme(url))
		buffer_append_literal(whole, "http://");
	compose_append_braced(whole, url);
}

/* Its path and what follows; it has a scheme. */
static struct text compose_path(struct text url)
{
	const char *scheme = memmem(url.data, url.size, "://", 3);
	struct text rest = url;
	size_t slash, query;

	if (scheme)
		rest = text_from_at(url, (size_t)(scheme - url.data) + 3);
	slash = text_find(rest, '/');
	query = text_find(rest, '?');
	return text_from_at(rest, slash < query ? slash : query);
}

/* As curl: a file that is sent to a directory keeps its name there. */
static void compose_append_name(struct buffer *whole, const char *upload)
{
	struct text path = compose_path(buffer_text(whole));
	const char *slash = strrchr(upload, '/');

	if (strcmp(upload, "-") == 0 || strcmp(upload, ".") == 0 ||
		text_find(path, '?') < path.size)
		return;
	if (path.size == 0)
		buffer_append_byte(whole, '/');
	else if (path.data[path.size - 1] != '/')
		return;
	data_append_percent(whole, text_from(slash ? slash + 1 : upload));
}

/* -G: what would have been a body. */
static void compose_append_query(struct buffer *whole, struct text query)
{
	struct text path = compose_path(buffer_text(whole));
	bool has_query = text_find(path, '?') < path.size;
	char last = path.size > 0 ? path.data[path.size - 1] : '\0';

	if (path.size == 0)
		buffer_append_byte(whole, '/');
	if (!has_query)
		buffer_append_byte(whole, '?');
	else if (last != '?' && last != '&')
		buffer_append_byte(whole, '&');
	compose_append_braced(whole, query);
}

static void compose_append_url(struct buffer *out, const struct buffer *whole)
{
	compose_key(out, "url");
	json_append_string(out, buffer_text(whole));
	if (whole->failed)
		out->failed = true;
}

void compose_append_job(struct buffer *out, struct text url)
{
	bool has_braces = memchr(url.data, '{', url.size) || memchr(url.data, '}', url.size);
	struct buffer whole;

	buffer_append_byte(out, '{');
	/* Most are as they are to be: a batch has a million. */
	if (compose_has_scheme(url) && !has_braces) {
		compose_key(out, "url");
		json_append_string(out, url);
	} else {
		buffer_init(&whole, SIZE_MAX / 4);
		compose_append_plain_url(&whole, url);
		compose_append_url(out, &whole);
		buffer_deinit(&whole);
	}
	buffer_append_byte(out, '}');
}

/* -- The job ----------------------------------------------------------------------------------- */

static void compose_job_url(struct compose *compose, const struct compose_job *job)
{
	bool has_query = option_given(compose->options, OPTION_GET) && compose->query.size > 0;
	struct text url = text_from(job->url);
	struct buffer whole;

	/* It is not sent anyway, and what is put behind it would not be either. */
	if (has_query || job->upload)
		url.size = text_find(url, '#');
	buffer_init(&whole, SIZE_MAX / 4);
	compose_append_plain_url(&whole, url);
	if (job->upload && !whole.failed)
		compose_append_name(&whole, job->upload);
	if (has_query && !whole.failed)
		compose_append_query(&whole, buffer_text(&compose->query));
	compose_append_url(compose->out, &whole);
	buffer_deinit(&whole);
}

static void compose_fd(struct buffer *out, const char *key, uint32_t fd)
{
	if (fd == COMPOSE_FD_NONE)
		return;
	compose_key(out, key);
	buffer_append_u64(out, fd);
}

static void compose_output(struct compose *compose, const struct compose_job *job)
{
	static const struct text words[] = {
		[PLAN_INLINE] = TEXT_INIT("inline"),
		[PLAN_DISCARD] = TEXT_INIT("discard"),
		[PLAN_STREAM] = TEXT_INIT("stream"),
		[PLAN_FILE] = TEXT_INIT("file"),
	};

	if (job->output == PLAN_INLINE) {
		/* What passes through memory has a limit, unless the user has set one for all. */
		if (option_given(compose->options, OPTION_MAX_FILESIZE))
			return;
		compose_key(compose->out, "max_body");
		buffer_append_u64(compose->out, BODY_BYTES_MAX);
		return;
	}
	compose_key(compose->out, "output");
	json_append_string(compose->out, words[job->output]);
	compose_fd(compose->out, "fd", job->output_fd);
}

int compose_job(struct compose *compose, const struct compose_job *job)
{
	int r;

	if (!text_is_utf8(text_from(job->url))) {
		message_print("a URL is not UTF-8: %s", job->url);
		return EXIT_USAGE;
	}
	buffer_append_byte(compose->out, '{');
	compose_job_url(compose, job);
	if (job->upload && !option_given(compose->options, OPTION_REQUEST)) {
		compose_key(compose->out, "method");
		buffer_append_literal(compose->out, "\"PUT\"");
	}
	compose_fd(compose->out, "body_fd", job->body_fd);
	compose_output(compose, job);
	r = compose_proxy_for(compose, text_from(job->url));
	buffer_append_byte(compose->out, '}');
	return r;
}
