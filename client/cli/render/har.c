/* SPDX-License-Identifier: MIT */
/*
 * HTTP Archive 1.2, for every tool that reads what a browser's network panel exports: an entry
 * for each attempt that was made, so that retries are seen as the requests they were.
 *
 * Not in it: jobs that sent nothing (skipped, rejected before), those that shared another's
 * flight, and groups. Of an attempt that was not the last one a record keeps its status and its
 * times alone. What was never measured is -1, or "" or an empty array where the format wants
 * one; where there was no response, the status is 0 and "_error" says why, as in Chrome.
 *
 * Archives are made to be handed on. Like the ones a browser exports unless told otherwise, they
 * have no cookies and no authorization; and a header or URL of the request with a reference in it
 * stands there as the document has it, because what it was filled with is in no record. (The
 * response names the URL that was asked for.)
 *
 * A record becomes its entries when it comes, because its body is gone afterwards.
 */
#include <stdlib.h>
#include <time.h>

#include "client/cli/message.h"
#include "client/cli/render/phrase.h"
#include "client/cli/render/place.h"
#include "client/cli/render/render.h"
#include "client/cli/render/store.h"
#include "client/cli/render/timeline.h"
#include "http/url.h"
#include "proto/json.h"
#include "proto/record.h"
#include "util/container.h"

#define HAR_NS_PER_SECOND UINT64_C(1000000000)

struct render_har {
	struct render render;
	/* Each text is the entries of a record, separated by commas. */
	struct store store;
};

/* A record on its way into the archive. */
struct har_entry {
	const struct timeline_job *job;
	/* NULL: no plan. */
	const struct plan_job *planned;
	/* The record with its body in it, and the response in it; NULL: none. */
	yyjson_val *root, *response;
	uint64_t submitted_ns;
	uint32_t attempt;
	/* Of this attempt. */
	uint64_t us[TIMELINE_PHASES];
	uint64_t begin_us;
};

static struct render_har *har_from(struct render *render)
{
	return container_of(render, struct render_har, render);
}

/* -- Pieces of JSON ---------------------------------------------------------------------------- */

/* ISO 8601 in UTC, to the millisecond. */
static void har_append_date(struct buffer *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / HAR_NS_PER_SECOND);
	char date[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_printf(out, "\"%s.%03uZ\"", date,
		(unsigned)(ns % HAR_NS_PER_SECOND / (HAR_NS_PER_SECOND / 1000)));
}

static bool har_is_private(struct text name)
{
	static const char *const names[] = {
		"authorization", "cookie", "proxy-authorization", "set-cookie"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (text_equal_nocase(name, text_from(names[i])))
			return true;
	}
	return false;
}

/* {"name":…,"value":…}, with a comma before it where it is not the first. */
static void har_append_pair(struct buffer *out, struct text name, struct text value, bool *is_first)
{
	if (!*is_first)
		buffer_append_byte(out, ',');
	*is_first = false;
	buffer_append_literal(out, "{\"name\":");
	json_append_string(out, name);
	buffer_append_literal(out, ",\"value\":");
	json_append_string(out, value);
	buffer_append_byte(out, '}');
}

static void har_append_headers(struct buffer *out, yyjson_val *headers)
{
	bool is_first = true;
	size_t i, n, j, m;
	yyjson_val *key, *value, *one;

	yyjson_obj_foreach(headers, i, n, key, value)
	{
		struct text name = json_string(key), text = json_string(value);

		if (har_is_private(name))
			continue;
		if (text.data)
			har_append_pair(out, name, text, &is_first);
		yyjson_arr_foreach(value, j, m, one)
		{
			text = json_string(one);
			if (text.data)
				har_append_pair(out, name, text, &is_first);
		}
	}
}

/* -- The request ------------------------------------------------------------------------------- */

/* The query's pairs as they stand in the URL: the format wants them, and not what they mean. */
static void har_append_query(struct buffer *out, struct text url)
{
	struct text query = text_from_at(url, text_find(url, '?') + 1);
	bool is_first = true;

	query.size = text_find(query, '#');
	while (query.size > 0) {
		struct text pair = {query.data, text_find(query, '&')};
		size_t equals = text_find(pair, '=');

		if (pair.size > 0)
			har_append_pair(out, (struct text){pair.data, equals},
				text_from_at(pair, equals + 1), &is_first);
		query = text_from_at(query, pair.size + 1);
	}
}

static void har_append_request(struct buffer *out, const struct har_entry *entry)
{
	const struct timeline_job *job = entry->job;
	struct text url = job->url.data ? job->url : TEXT("");
	bool is_first = true;

	buffer_append_literal(out, "\"request\":{\"method\":");
	json_append_string(out, job->method.data ? job->method : TEXT("GET"));
	buffer_append_literal(out, ",\"url\":");
	json_append_string(out, url);
	buffer_append_literal(out, ",\"httpVersion\":\"HTTP/1.1\",\"cookies\":[],\"headers\":[");
	for (uint32_t i = 0; entry->planned && i < entry->planned->spec->headers.n; i++) {
		const struct plan_field *header = &entry->planned->spec->headers.fields[i];

		if (!har_is_private(header->name))
			har_append_pair(out, header->name, header->value, &is_first);
	}
	buffer_append_literal(out, "],\"queryString\":[");
	har_append_query(out, url);
	buffer_append_literal(out, "],\"headersSize\":-1,\"bodySize\":-1}");
}

/* -- The response ------------------------------------------------------------------------------ */

static void har_append_text(struct buffer *out, yyjson_val *response)
{
	struct text base64 = json_string(yyjson_obj_get(response, "body_base64"));
	struct text body = json_string(yyjson_obj_get(response, "body"));

	if (base64.data) {
		buffer_append_literal(out, ",\"encoding\":\"base64\",\"text\":");
		json_append_string(out, base64);
	} else if (body.data) {
		buffer_append_literal(out, ",\"text\":");
		json_append_string(out, body);
	}
}

static void har_append_content(struct buffer *out, yyjson_val *response)
{
	yyjson_val *headers = yyjson_obj_get(response, "headers");
	struct text type = json_string(yyjson_obj_get(headers, "content-type"));
	struct text bytes = json_number(yyjson_obj_get(response, "bytes"));

	buffer_append_literal(out, "\"content\":{\"size\":");
	buffer_append_text(out, bytes.data ? bytes : TEXT("0"));
	buffer_append_literal(out, ",\"mimeType\":");
	json_append_string(out, type.data ? type : TEXT(""));
	har_append_text(out, response);
	buffer_append_byte(out, '}');
}

static void har_append_response(struct buffer *out, const struct har_entry *entry, uint32_t status)
{
	yyjson_val *response = entry->response;
	yyjson_val *headers = yyjson_obj_get(response, "headers");
	struct text version = json_string(yyjson_obj_get(response, "version"));
	struct text location = json_string(yyjson_obj_get(headers, "location"));
	struct text phrase = phrase_registered(status);

	if (!phrase.data || (version.data && text_is(version, "2")))
		phrase = TEXT("");
	buffer_printf(out, "\"response\":{\"status\":%u,\"statusText\":\"%.*s\",\"httpVersion\":",
		status, TEXT_ARGS(phrase));
	if (version.data)
		buffer_append_literal(out, "\"HTTP/");
	else
		buffer_append_byte(out, '"');
	if (version.data)
		json_append_escaped(out, version);
	buffer_append_literal(out, "\",\"cookies\":[],\"headers\":[");
	har_append_headers(out, headers);
	buffer_append_literal(out, "],");
	har_append_content(out, response);
	buffer_append_literal(out, ",\"redirectURL\":");
	json_append_string(out, location.data ? location : TEXT(""));
	buffer_append_literal(out, ",\"headersSize\":-1,\"bodySize\":-1}");
}

/* -- The times --------------------------------------------------------------------------------- */

/* Milliseconds, or -1 where this did not happen. */
static void har_append_us(struct buffer *out, const char *name, uint64_t us)
{
	buffer_printf(out, "\"%s\":", name);
	if (us > 0)
		json_append_ms(out, us * 1000);
	else
		buffer_append_literal(out, "-1");
}

/* These three must be there, and must not be -1. */
static void har_append_known_us(struct buffer *out, const char *name, uint64_t us)
{
	buffer_printf(out, ",\"%s\":", name);
	json_append_ms(out, us * 1000);
}

static void har_append_timings(struct buffer *out, const struct har_entry *entry)
{
	buffer_append_literal(out, "\"timings\":{");
	har_append_us(out, "blocked", entry->us[TIMELINE_QUEUE]);
	buffer_append_byte(out, ',');
	har_append_us(out, "dns", entry->us[TIMELINE_DNS]);
	buffer_append_byte(out, ',');
	/* The format counts the handshake as part of connecting, too. */
	har_append_us(out, "connect", entry->us[TIMELINE_CONNECT] + entry->us[TIMELINE_TLS]);
	buffer_append_byte(out, ',');
	har_append_us(out, "ssl", entry->us[TIMELINE_TLS]);
	/* A record's first byte counts from the begin of the request. */
	har_append_known_us(out, "send", 0);
	har_append_known_us(out, "wait", entry->us[TIMELINE_FIRST_BYTE]);
	har_append_known_us(out, "receive", entry->us[TIMELINE_BODY]);
	buffer_append_byte(out, '}');
}

/* The sum of all timings, the handshake once. */
static uint64_t har_total_us(const struct har_entry *entry)
{
	return entry->us[TIMELINE_QUEUE] + entry->us[TIMELINE_DNS] + entry->us[TIMELINE_CONNECT] +
	       entry->us[TIMELINE_TLS] + entry->us[TIMELINE_FIRST_BYTE] + entry->us[TIMELINE_BODY];
}

static void har_add_up(struct har_entry *entry)
{
	const struct timeline_job *job = entry->job;
	bool has_begun = false;

	memset(entry->us, 0, sizeof(entry->us));
	entry->begin_us = job->whole.from;
	for (uint32_t i = 0; i < job->n_pieces; i++) {
		const struct timeline_piece *piece = &job->pieces[i];

		if (piece->attempt != entry->attempt || piece->phase == TIMELINE_WAIT ||
			piece->phase == TIMELINE_BACKOFF)
			continue;
		if (!has_begun)
			entry->begin_us = piece->span.from;
		has_begun = true;
		entry->us[piece->phase] += piece->span.to - piece->span.from;
	}
}

/* -- Entries ----------------------------------------------------------------------------------- */

/* "_error" where there was no response, the address, and what is ours. */
static void har_append_extras(
	struct buffer *out, const struct har_entry *entry, struct text code, bool is_last)
{
	struct text remote = entry->job->remote;
	size_t port = remote.size;

	if (is_last && remote.data) {
		/* "127.0.0.1:80", "[::1]:443": without the port, without brackets. */
		while (port > 0 && remote.data[port - 1] != ':')
			port--;
		remote.size = port > 0 ? port - 1 : remote.size;
		if (remote.size > 2 && remote.data[0] == '[')
			remote = (struct text){remote.data + 1, remote.size - 2};
		buffer_append_literal(out, ",\"serverIPAddress\":");
		json_append_string(out, remote);
	}
	buffer_append_literal(out, ",\"_job\":");
	json_append_string(out, entry->job->id);
	buffer_printf(out, ",\"_attempt\":%u", entry->attempt + 1);
	if (code.data && code.size > 0) {
		buffer_append_literal(out, ",\"_error\":");
		json_append_string(out, code);
	}
}

static void har_append_entry(
	struct buffer *out, struct har_entry *entry, uint32_t status, struct text code)
{
	bool is_last = entry->response != NULL || entry->attempt + 1 >= entry->job->attempts;

	har_add_up(entry);
	buffer_append_literal(out, "{\"startedDateTime\":");
	har_append_date(out, entry->submitted_ns + entry->begin_us * 1000);
	har_append_known_us(out, "time", har_total_us(entry));
	buffer_append_byte(out, ',');
	har_append_request(out, entry);
	buffer_append_byte(out, ',');
	har_append_response(out, entry, status);
	buffer_append_literal(out, ",\"cache\":{},");
	har_append_timings(out, entry);
	har_append_extras(out, entry, status == 0 ? code : (struct text){0}, is_last);
	buffer_append_byte(out, '}');
}

static uint32_t har_status(yyjson_val *response)
{
	struct text digits = json_number(yyjson_obj_get(response, "status"));
	uint64_t status;

	return digits.data && text_to_u64(digits, 999, &status) ? (uint32_t)status : 0;
}

static void har_append_entries(struct buffer *out, struct har_entry *entry)
{
	yyjson_val *tries = yyjson_obj_get(entry->root, "tries");
	yyjson_val *response = entry->response, *attempt;
	size_t i, n = yyjson_arr_size(tries);

	if (n == 0) {
		har_append_entry(out, entry, entry->job->status, entry->job->code);
		return;
	}
	yyjson_arr_foreach(tries, i, n, attempt)
	{
		if (i > 0)
			buffer_append_byte(out, ',');
		entry->attempt = (uint32_t)i;
		/* The record has the last one's response. */
		entry->response = i + 1 == n ? response : NULL;
		har_append_entry(out, entry, har_status(attempt),
			json_string(yyjson_obj_get(attempt, "code")));
	}
}

/* -- The render -------------------------------------------------------------------------------- */

static bool har_was_sent(const struct timeline_job *job)
{
	return job->attempts > 0 && !job->is_group &&
	       !(job->via.data && text_is(job->via, "dedupe"));
}

/* A fallback's body is not the response's: without the record's place for it, none is shown. */
static yyjson_val *har_response(yyjson_val *root)
{
	yyjson_val *value = yyjson_obj_get(root, "value");
	yyjson_val *reason = yyjson_obj_get(root, "reason");

	if (yyjson_obj_get(value, "status"))
		return value;
	return yyjson_obj_get(reason ? reason : yyjson_obj_get(root, "cause"), "response");
}

static void har_read(
	struct render_har *har, const struct render_record *record, const struct timeline_job *job)
{
	const struct render_options *options = &har->render.options;
	struct har_entry entry = {
		.job = job,
		.planned = place_find(options->plan, record->job),
		.submitted_ns = options->submitted_unix_ns,
	};
	struct json_error error;
	struct buffer spliced;
	yyjson_doc *doc;

	buffer_init(&spliced, SIZE_MAX / 4);
	/* A type that is no JSON: all text stays text. */
	if (record->body.size == 0 || !record_splice(&spliced, record->json, record->body,
					      TEXT("text/plain"), RECORD_BODY_AUTO)) {
		buffer_clear(&spliced);
		buffer_append_text(&spliced, record->json);
	}
	doc = json_read(buffer_text(&spliced), &error);
	buffer_deinit(&spliced);
	if (!doc)
		return;
	entry.root = yyjson_doc_get_root(doc);
	entry.response = har_response(entry.root);
	har_append_entries(store_begin(&har->store), &entry);
	store_end(&har->store, record);
	yyjson_doc_free(doc);
}

static int har_record(struct render *render, const struct render_record *record)
{
	struct timeline timeline;

	timeline_init(&timeline, render->options.plan);
	timeline_add(&timeline, record);
	if (timeline.n_jobs > 0 && har_was_sent(&timeline.jobs[0]))
		har_read(har_from(render), record, &timeline.jobs[0]);
	timeline_deinit(&timeline);
	return 0;
}

static void har_finish(struct render *render, const struct render_end *end)
{
	struct render_har *har = har_from(render);
	struct sink *sink = render->options.sink;

	store_sort(&har->store);
	buffer_append_literal(
		&sink->buffer, "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"settle\","
			       "\"version\":\"" SETTLED_VERSION "\"},\"entries\":[");
	for (size_t i = 0; i < store_count(&har->store); i++) {
		buffer_append_text(&sink->buffer, i > 0 ? TEXT(",\n") : TEXT("\n"));
		buffer_append_text(
			&sink->buffer, store_text(&har->store, store_get(&har->store, i)));
		sink_offer(sink);
	}
	buffer_append_literal(&sink->buffer, "\n]}}\n");
	if (store_failed(&har->store))
		message_print("no memory for the whole archive: entries are missing");
}

static void har_free(struct render *render)
{
	struct render_har *har = har_from(render);

	store_deinit(&har->store);
	free(har);
}

struct render *render_har_new(const struct render_options *options)
{
	static const struct render_class class = {har_record, har_finish, har_free, NULL};
	struct render_har *har = calloc(1, sizeof(*har));

	if (!har)
		return NULL;
	har->render = (struct render){&class, *options};
	store_init(&har->store);
	return &har->render;
}
