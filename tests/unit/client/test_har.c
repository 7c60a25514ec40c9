/* SPDX-License-Identifier: MIT */
#include "proto/json.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

/* 2026-11-20 13:14:40.5 UTC. */
#define SUBMITTED UINT64_C(1795180480500000000)

/* The archive of the records given; the sink's to deinit. */
static yyjson_doc *archive(struct sink *sink, const struct plan *plan)
{
	struct json_error error;
	struct render *render;
	yyjson_doc *doc;

	sink_init(sink, -1, SINK_RAW);
	render = render_har_new(&(struct render_options){
		.sink = sink, .plan = plan, .submitted_unix_ns = SUBMITTED});
	sample_settle_all(render);
	render_free(render);
	doc = json_read(buffer_text(&sink->buffer), &error);
	ck_assert_msg(doc != NULL, "%s at byte %zu", error.message, error.at);
	return doc;
}

/* The `skip`-th entry of a job. */
static yyjson_val *find(yyjson_doc *doc, const char *job, size_t skip)
{
	yyjson_val *entries = json_pointer(yyjson_doc_get_root(doc), TEXT("/log/entries"));
	size_t i, n;
	yyjson_val *entry;

	yyjson_arr_foreach(entries, i, n, entry)
	{
		if (yyjson_equals_str(yyjson_obj_get(entry, "_job"), job) && skip-- == 0)
			return entry;
	}
	return NULL;
}

static bool is_at(yyjson_val *entry, const char *pointer, const char *json)
{
	yyjson_val *value = json_pointer(entry, text_from(pointer));
	struct buffer got;
	bool is_equal;

	buffer_init(&got, 65536);
	if (value)
		json_append_value(&got, value);
	is_equal = text_is(buffer_text(&got), json);
	if (!is_equal)
		fprintf(stderr, "%s is %.*s\n", pointer, TEXT_ARGS(buffer_text(&got)));
	buffer_deinit(&got);
	return is_equal;
}

/* HAR 1.2: every member that is not optional, and its type: string, number, array, object. */
START_TEST(has_every_member_that_is_required)
{
	static const struct {
		const char *pointer;
		char type;
	} members[] = {
		{"/startedDateTime", 's'},
		{"/time", 'n'},
		{"/request", 'o'},
		{"/request/method", 's'},
		{"/request/url", 's'},
		{"/request/httpVersion", 's'},
		{"/request/cookies", 'a'},
		{"/request/headers", 'a'},
		{"/request/queryString", 'a'},
		{"/request/headersSize", 'n'},
		{"/request/bodySize", 'n'},
		{"/response/status", 'n'},
		{"/response/statusText", 's'},
		{"/response/httpVersion", 's'},
		{"/response/cookies", 'a'},
		{"/response/headers", 'a'},
		{"/response/content", 'o'},
		{"/response/content/size", 'n'},
		{"/response/content/mimeType", 's'},
		{"/response/redirectURL", 's'},
		{"/response/headersSize", 'n'},
		{"/response/bodySize", 'n'},
		{"/cache", 'o'},
		{"/timings/send", 'n'},
		{"/timings/wait", 'n'},
		{"/timings/receive", 'n'},
	};
	struct plan *plan = sample_plan();
	struct sink sink;
	yyjson_doc *doc = archive(&sink, plan);
	yyjson_val *root = yyjson_doc_get_root(doc), *entries, *entry;
	size_t i, n;

	ck_assert(is_at(root, "/log/version", "\"1.2\""));
	ck_assert(is_at(root, "/log/creator/name", "\"settle\""));
	ck_assert_ptr_nonnull(json_pointer(root, TEXT("/log/creator/version")));
	entries = json_pointer(root, TEXT("/log/entries"));
	yyjson_arr_foreach(entries, i, n, entry)
	{
		for (size_t m = 0; m < countof(members); m++) {
			yyjson_val *value = json_pointer(entry, text_from(members[m].pointer));
			char type = json_string(value).data   ? 's'
				    : json_number(value).data ? 'n'
				    : yyjson_is_arr(value)    ? 'a'
				    : yyjson_is_obj(value)    ? 'o'
							      : '-';

			ck_assert_msg(type == members[m].type, "%s of entry %zu is '%c'",
				members[m].pointer, i, type);
		}
	}
	/* Each attempt; not what is skipped, nor groups. */
	ck_assert_uint_eq(n, 12 + 2 + 8);
	yyjson_doc_free(doc);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(tells_what_was_asked_and_answered)
{
	static const struct {
		const char *job, *pointer, *json;
		size_t attempt;
	} cases[] = {
		{"user", "/startedDateTime", "\"2026-11-20T13:14:40.500Z\"", 0},
		{"user", "/time", "12.01", 0},
		{"user", "/timings",
			"{\"blocked\":0.01,\"dns\":1,\"connect\":5,\"ssl\":3,\"send\":0,\"wait\":4,"
			"\"receive\":2}",
			0},
		{"user", "/request/method", "\"GET\"", 0},
		{"user", "/request/url", "\"http://api.local/user\"", 0},
		{"user", "/request/headers", "[{\"name\":\"accept\",\"value\":\"text/plain\"}]", 0},
		{"user", "/response/status", "200", 0},
		{"user", "/response/httpVersion", "\"HTTP/1.1\"", 0},
		/* Each value of a repeated header; cookies stay where they are. */
		{"user", "/response/headers",
			"[{\"name\":\"content-type\",\"value\":\"text/plain\"},{\"name\":\"vary\","
			"\"value\":\"x\"},{\"name\":\"vary\",\"value\":\"y\"}]",
			0},
		{"user", "/response/content",
			"{\"size\":5,\"mimeType\":\"text/plain\",\"text\":\"hello\"}", 0},
		{"user", "/serverIPAddress", "\"127.0.0.1\"", 0},
		/* What did not happen. */
		{"audit", "/startedDateTime", "\"2026-11-20T13:14:40.543Z\"", 0},
		{"audit", "/timings",
			"{\"blocked\":2,\"dns\":-1,\"connect\":-1,\"ssl\":-1,\"send\":0,\"wait\":"
			"10,"
			"\"receive\":5}",
			0},
		/* The attempt that failed, and the one behind its backoff. */
		{"config", "/response/status", "0", 0},
		{"config", "/_error", "\"CONNECT_REFUSED\"", 0},
		{"config", "/_attempt", "1", 0},
		{"config", "/time", "3", 0},
		{"config", "/startedDateTime", "\"2026-11-20T13:14:40.514Z\"", 1},
		{"config", "/response/status", "503", 1},
		{"config", "/_error", "", 1},
		{"config", "/_attempt", "2", 1},
		{"config", "/request/queryString",
			"[{\"name\":\"a\",\"value\":\"1\"},{\"name\":\"b\",\"value\":\"x%20y\"}]",
			1},
		/* What was cancelled has no response, and its URL is the plan's. */
		{"us", "/response/status", "0", 0},
		{"us", "/_error", "\"CANCELLED\"", 0},
		{"us", "/request/url", "\"http://us.local/x\"", 0},
	};
	struct plan *plan = sample_plan();
	struct sink sink;
	yyjson_doc *doc = archive(&sink, plan);

	for (size_t i = 0; i < countof(cases); i++) {
		yyjson_val *entry = find(doc, cases[i].job, cases[i].attempt);

		ck_assert_msg(is_at(entry, cases[i].pointer, cases[i].json), "%s of %s",
			cases[i].pointer, cases[i].job);
	}
	ck_assert_ptr_null(find(doc, "gone", 0));
	ck_assert_ptr_null(find(doc, "mirror", 0));
	ck_assert_ptr_null(memmem(sink.buffer.data, sink.buffer.size, "confidential", 12));
	ck_assert_ptr_null(memmem(sink.buffer.data, sink.buffer.size, "ookie\"", 6));
	yyjson_doc_free(doc);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(shows_bytes_and_fallbacks_as_they_were)
{
	static const struct render_record binary = {
		.job = TEXT_INIT("b"),
		.json = TEXT_INIT(
			"{\"job\":\"b\",\"index\":0,\"status\":\"fulfilled\",\"attempts\":1,"
			"\"value\":{\"status\":200,\"version\":\"2\",\"url\":\"http://b/\","
			"\"headers\":{\"location\":\"/c\"},\"bytes\":2},\"conn\":{\"reused\":"
			"true,\"remote\":\"[::1]:443\"}}"),
		.body = TEXT_INIT("\xff\xfe"),
	};
	/* JSON is shown as the text that it was. */
	static const struct render_record json = {
		.job = TEXT_INIT("j"),
		.index = 1,
		.json = TEXT_INIT(
			"{\"job\":\"j\",\"index\":1,\"status\":\"fulfilled\",\"attempts\":1,"
			"\"value\":{\"status\":200,\"url\":\"http://j/\",\"headers\":{"
			"\"content-type\":\"application/json\"},\"bytes\":10}}"),
		.body = TEXT_INIT("{ \"a\": 1 }"),
	};
	static const struct render_record fallback = {
		.job = TEXT_INIT("f"),
		.index = 2,
		.json = TEXT_INIT("{\"job\":\"f\",\"index\":2,\"status\":\"fulfilled\",\"via\":"
				  "\"fallback\",\"attempts\":1,\"value\":{\"bytes\":3},\"cause\":{"
				  "\"code\":\"HTTP_STATUS\",\"response\":{\"status\":500,\"url\":"
				  "\"http://f/\",\"headers\":{}}}}"),
		.body = TEXT_INIT("[1]"),
	};
	static const struct render_record shared = {
		.job = TEXT_INIT("s"),
		.index = 3,
		.json = TEXT_INIT(
			"{\"job\":\"s\",\"index\":3,\"status\":\"fulfilled\",\"via\":"
			"\"dedupe\",\"of\":\"j\",\"attempts\":1,\"value\":{\"status\":200}}"),
	};
	struct json_error error;
	struct render *render;
	struct sink sink;
	yyjson_doc *doc;

	sink_init(&sink, -1, SINK_RAW);
	render = render_har_new(&(struct render_options){.sink = &sink});
	render_record(render, &fallback);
	render_record(render, &json);
	render_record(render, &shared);
	render_record(render, &binary);
	render_finish(render, &(struct render_end){{NULL, 0}});
	render_free(render);
	doc = json_read(buffer_text(&sink.buffer), &error);
	ck_assert_ptr_nonnull(doc);
	ck_assert(is_at(find(doc, "b", 0), "/response/content",
		"{\"size\":2,\"mimeType\":\"\",\"encoding\":\"base64\",\"text\":\"//4=\"}"));
	ck_assert(is_at(find(doc, "b", 0), "/response/redirectURL", "\"/c\""));
	ck_assert(is_at(find(doc, "b", 0), "/response/httpVersion", "\"HTTP/2\""));
	ck_assert(is_at(find(doc, "b", 0), "/serverIPAddress", "\"::1\""));
	ck_assert(is_at(find(doc, "j", 0), "/response/content/text", "\"{ \\\"a\\\": 1 }\""));
	ck_assert(is_at(find(doc, "f", 0), "/response/status", "500"));
	ck_assert(is_at(find(doc, "f", 0), "/response/content", "{\"size\":0,\"mimeType\":\"\"}"));
	ck_assert_ptr_null(find(doc, "s", 0));
	yyjson_doc_free(doc);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/har", &has_every_member_that_is_required, &tells_what_was_asked_and_answered,
	&shows_bytes_and_fallbacks_as_they_were)
