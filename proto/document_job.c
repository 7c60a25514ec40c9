/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "http/request.h"
#include "util/container.h"

/*
 * The keys of a job, and of the defaults, which are the same but for a few.
 *
 * A job's spec is begun as a copy of the defaults and changed key by key. It costs memory of its
 * own only where a key changed it; and where a job says what the one before it said, but for its
 * id, url and after, they share one. That is what a hundred thousand jobs written by a loop look
 * like, so it is looked for by comparing the two in the document, before anything is read.
 */

/* Bits of document_job_keys. */
enum {
	DOCUMENT_KEY_URL,
	DOCUMENT_KEY_AFTER,
	DOCUMENT_KEY_ID,
	DOCUMENT_KEY_JOBS,
	DOCUMENT_KEY_QUERY,
	DOCUMENT_KEY_JSON,
	DOCUMENT_KEY_FORM,
	DOCUMENT_KEY_BODY,
	DOCUMENT_KEY_BODY_BASE64,
	DOCUMENT_KEY_OTHERS,
};

#define DOCUMENT_BIT(key) (UINT64_C(1) << DOCUMENT_KEY_##key)

/* Keys that leave the spec as it is. */
#define DOCUMENT_BITS_OWN (DOCUMENT_BIT(URL) | DOCUMENT_BIT(AFTER) | DOCUMENT_BIT(ID))
#define DOCUMENT_BITS_BODY                                                                         \
	(DOCUMENT_BIT(JSON) | DOCUMENT_BIT(FORM) | DOCUMENT_BIT(BODY) | DOCUMENT_BIT(BODY_BASE64))

/* Of a body that is kept in memory; one that is not kept has no limit of its own. */
#define DOCUMENT_MAX_BODY (16u * 1024 * 1024)

static const struct plan_range document_ok[] = {{200, 399}};

static const struct plan_spec document_base_spec = {
	.timeouts =
		{
			.job_ns = UINT64_C(60000000000),
			.attempt_ns = UINT64_C(30000000000),
			.queue_ns = PLAN_NEVER,
			.connect_ns = UINT64_C(10000000000),
			.tls_ns = UINT64_C(10000000000),
			.first_byte_ns = PLAN_NEVER,
			.idle_ns = UINT64_C(30000000000),
		},
	.ok = document_ok,
	.n_ok = 1,
};

bool document_take_body(
	struct document *document, struct document_job *job, const struct document_at *at)
{
	struct plan_spec *spec = &job->spec;

	if (job->has_body) {
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"a job has one of \"json\", \"form\", \"body\" and \"body_base64\"");
		return false;
	}
	job->has_body = true;
	job->place = DOCUMENT_IN_BODY;
	spec->body = PLAN_BODY_NONE;
	spec->body_text = (struct text){NULL, 0};
	spec->body_value = NULL;
	spec->form = (struct plan_fields){NULL, 0};
	return true;
}

static void document_read_id(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	/* Of an element of an array it was read when the jobs were registered. */
	if (job->owner == DOCUMENT_OF_DEFAULTS)
		document_refuse(document, at, FAULT_GRAPH_KEY, "\"id\" may not stand in defaults");
	else if (!document->plan->is_array)
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"\"id\" is for an array of jobs; in an object the key is the id");
}

static void document_read_after_id(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct plan_job *from;
	struct text id;

	if (!document_read_string(document, value, at, &id))
		return;
	if (!plan_id_is_valid(id)) {
		document_refuse(document, at, FAULT_GRAPH_VALUE, "\"%s\" is no id of a job",
			document_quote(id).text);
		return;
	}
	from = document_find_job(document, id, at);
	if (from)
		document_depend(document, job, plan_index(document->plan, from));
}

static void document_read_after(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	yyjson_arr_iter iter = yyjson_arr_iter_with(value);
	struct document_at element = {.parent = at};
	yyjson_val *member;

	if (job->owner != DOCUMENT_OF_JOB) {
		document_refuse(
			document, at, FAULT_GRAPH_KEY, "\"after\" may not stand in defaults");
		return;
	}
	if (!yyjson_is_arr(value))
		document_refuse_type(document, at, value, "an array of ids");
	while ((member = yyjson_arr_iter_next(&iter))) {
		document_read_after_id(document, job, member, &element);
		element.index++;
	}
}

static void document_read_method(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct text method;

	if (!document_read_string(document, value, at, &method))
		return;
	if (request_method_is_valid(method))
		job->spec.method = method;
	else
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" is no method that can be sent", document_quote(method).text);
}

static void document_read_json_body(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	if (!document_take_body(document, job, at))
		return;
	job->spec.body = PLAN_BODY_JSON;
	job->spec.body_value = value;
	document_read_json(document, job, value, at);
}

static void document_read_body(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct text text;

	if (!document_take_body(document, job, at) ||
		!document_read_string(document, value, at, &text))
		return;
	job->spec.body = PLAN_BODY_TEXT;
	job->spec.body_text = text;
	document_read_template(document, job, text, at);
}

static void document_read_needs(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("fulfilled"), PLAN_NEEDS_FULFILLED},
		{TEXT_INIT("settled"), PLAN_NEEDS_SETTLED},
		{TEXT_INIT("rejected"), -1},
		{TEXT_INIT("any"), -1},
		{{NULL, 0}, 0},
	};
	int needs = document_read_word(document, value, at, words);

	if (needs >= 0)
		job->spec.needs = (enum plan_needs)needs;
}

static void document_read_output(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("inline"), PLAN_INLINE},
		{TEXT_INIT("discard"), PLAN_DISCARD},
		{TEXT_INIT("stream"), -1},
		{TEXT_INIT("file"), -1},
		{{NULL, 0}, 0},
	};
	int output = document_read_word(document, value, at, words);

	if (output >= 0)
		job->spec.output = (enum plan_output)output;
}

static void document_read_http(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("auto"), false},
		{TEXT_INIT("1.1"), true},
		{TEXT_INIT("2"), -1},
		{{NULL, 0}, 0},
	};
	int is_http11 = document_read_word(document, value, at, words);

	if (is_http11 >= 0)
		job->spec.http11_only = is_http11;
}

static void document_read_optional(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.optional);
}

static void document_read_omit(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.omit);
}

static void document_read_timeout(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.job_ns);
}

static void document_read_attempt_timeout(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.attempt_ns);
}

static void document_read_queue_timeout(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.queue_ns);
}

/* Another job's `timeouts` is not merged with: only headers are. */
static void document_read_own_timeouts(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	const struct plan_timeouts *base = &document_base_spec.timeouts;
	struct plan_timeouts *timeouts = &job->spec.timeouts;

	timeouts->connect_ns = base->connect_ns;
	timeouts->tls_ns = base->tls_ns;
	timeouts->first_byte_ns = base->first_byte_ns;
	timeouts->idle_ns = base->idle_ns;
	document_read_timeouts(document, job, value, at);
}

static void document_read_max_body(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->has_max_body = document_read_size(document, value, at, &job->spec.max_body);
}

/* Keys of which only the value that asks for nothing is supported by now. */

static void document_read_redirects(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct text text = json_number(value);
	uint64_t redirects;

	if (!text.data)
		document_refuse_type(document, at, value, "a number");
	else if (!text_to_u64(text, UINT32_MAX, &redirects))
		document_refuse(document, at, FAULT_GRAPH_VALUE, "must be a whole number");
	else if (redirects > 0)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"following redirects is not supported by this version; leave it out or "
			"write 0");
}

static void document_read_decode(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	bool decode;

	if (document_read_bool(document, value, at, &decode) && decode)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"decoding is not supported by this version; leave it out or write false");
}

static void document_read_dedupe(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	bool dedupe;

	if (document_read_bool(document, value, at, &dedupe) && dedupe)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"sharing a flight is not supported by this version; leave it out or write "
			"false");
}

static const struct document_key document_job_key_rows[] = {
	[DOCUMENT_KEY_URL] = {TEXT_INIT("url"), document_read_url},
	[DOCUMENT_KEY_AFTER] = {TEXT_INIT("after"), document_read_after},
	[DOCUMENT_KEY_ID] = {TEXT_INIT("id"), document_read_id},
	[DOCUMENT_KEY_JOBS] = {TEXT_INIT("jobs"), NULL},
	[DOCUMENT_KEY_QUERY] = {TEXT_INIT("query"), document_read_query},
	[DOCUMENT_KEY_JSON] = {TEXT_INIT("json"), document_read_json_body},
	[DOCUMENT_KEY_FORM] = {TEXT_INIT("form"), document_read_form},
	[DOCUMENT_KEY_BODY] = {TEXT_INIT("body"), document_read_body},
	[DOCUMENT_KEY_BODY_BASE64] = {TEXT_INIT("body_base64"), document_read_base64},
	[DOCUMENT_KEY_OTHERS] = {TEXT_INIT("method"), document_read_method},
	{TEXT_INIT("headers"), document_read_headers},
	{TEXT_INIT("needs"), document_read_needs},
	{TEXT_INIT("ok"), document_read_ok},
	{TEXT_INIT("optional"), document_read_optional},
	{TEXT_INIT("timeout"), document_read_timeout},
	{TEXT_INIT("attempt_timeout"), document_read_attempt_timeout},
	{TEXT_INIT("queue_timeout"), document_read_queue_timeout},
	{TEXT_INIT("timeouts"), document_read_own_timeouts},
	{TEXT_INIT("max_body"), document_read_max_body},
	{TEXT_INIT("output"), document_read_output},
	{TEXT_INIT("omit"), document_read_omit},
	{TEXT_INIT("http"), document_read_http},
	{TEXT_INIT("tls"), document_read_tls},
	{TEXT_INIT("resolve"), document_read_resolve},
	{TEXT_INIT("redirects"), document_read_redirects},
	{TEXT_INIT("decode"), document_read_decode},
	{TEXT_INIT("dedupe"), document_read_dedupe},
	{TEXT_INIT("body_fd"), NULL},
	{TEXT_INIT("fd"), NULL},
	{TEXT_INIT("auth"), NULL},
	{TEXT_INIT("when"), NULL},
	{TEXT_INIT("else"), NULL},
	{TEXT_INIT("each"), NULL},
	{TEXT_INIT("concurrency"), NULL},
	{TEXT_INIT("fallback"), NULL},
	{TEXT_INIT("retry"), NULL},
	{TEXT_INIT("proxy"), NULL},
	{TEXT_INIT("priority"), NULL},
	{TEXT_INIT("mode"), NULL},
	{TEXT_INIT("defaults"), NULL},
};

static const struct document_keys document_job_keys = {
	document_job_key_rows, countof(document_job_key_rows)};

/* All keys are read: what one says depends on another. */
static void document_end_spec(struct document_job *job)
{
	if (job->has_max_body)
		return;
	job->spec.max_body = job->spec.output == PLAN_INLINE ? DOCUMENT_MAX_BODY : UINT64_MAX;
}

void document_read_defaults(struct document *document, yyjson_val *value)
{
	struct document_at at = {.key = TEXT("defaults")};
	struct document_job job = {.owner = DOCUMENT_OF_DEFAULTS, .spec = document_base_spec};
	struct plan_spec *spec = document_alloc(document, 1, sizeof(*spec));

	if (!spec)
		return;
	if (value)
		document_read_object(document, &document_job_keys, value, &job, &at);
	document_end_spec(&job);
	*spec = job.spec;
	document->default_spec = spec;
	document->default_has_max_body = job.has_max_body;
	document_note_default_headers(document);
}

/* The same bytes in the same order, whatever they mean. */
static bool document_value_is_alike(yyjson_val *a, yyjson_val *b)
{
	yyjson_val *end = unsafe_yyjson_get_next(a);

	if ((unsafe_yyjson_get_next(b) - b) != end - a)
		return false;
	for (; a < end; a++, b++) {
		if (a->tag != b->tag)
			return false;
		if ((yyjson_is_str(a) || yyjson_is_raw(a)) &&
			memcmp(a->uni.str, b->uni.str, unsafe_yyjson_get_len(a)) != 0)
			return false;
	}
	return true;
}

static bool document_key_is_own(yyjson_val *key)
{
	struct text name = json_string(key);

	return text_equal(name, TEXT("url")) || text_equal(name, TEXT("after")) ||
	       text_equal(name, TEXT("id"));
}

/* Two jobs say the same, but for what is each one's own. */
static bool document_job_is_alike(yyjson_val *a, yyjson_val *b)
{
	yyjson_obj_iter left = yyjson_obj_iter_with(a), right = yyjson_obj_iter_with(b);
	yyjson_val *key, *other;

	if (yyjson_obj_size(a) != yyjson_obj_size(b))
		return false;
	while ((key = yyjson_obj_iter_next(&left))) {
		other = yyjson_obj_iter_next(&right);
		if (!text_equal(json_string(key), json_string(other)))
			return false;
		if (!document_key_is_own(key) &&
			!document_value_is_alike(
				yyjson_obj_iter_get_val(key), yyjson_obj_iter_get_val(other)))
			return false;
	}
	return true;
}

/* A job that is alike: its spec is known to be right, and every key is there once. */
static void document_read_own_keys(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(value);
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&iter))) {
		struct document_at member = {.parent = at, .key = json_string(key)};

		if (text_equal(member.key, TEXT("url")))
			document_read_url(document, job, yyjson_obj_iter_get_val(key), &member);
		else if (text_equal(member.key, TEXT("after")))
			document_read_after(document, job, yyjson_obj_iter_get_val(key), &member);
	}
	document->plan->jobs[job->index].spec = document->alike_spec;
}

/* The spec of a job with keys that change it. */
static void document_keep_spec(struct document *document, struct document_job *job)
{
	struct plan_spec *spec = document_alloc(document, 1, sizeof(*spec));

	if (!spec)
		return;
	document_end_spec(job);
	*spec = job->spec;
	document->plan->jobs[job->index].spec = spec;
}

static unsigned document_inherited_places(uint64_t seen)
{
	unsigned places = 1u << DOCUMENT_IN_HEADER;

	if (!(seen & DOCUMENT_BIT(QUERY)))
		places |= 1u << DOCUMENT_IN_QUERY;
	if (!(seen & DOCUMENT_BITS_BODY))
		places |= 1u << DOCUMENT_IN_BODY;
	return places;
}

void document_read_job(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct plan_job *plan_job = &document->plan->jobs[job->index];
	uint32_t n_errors = document->errors->n;
	uint64_t seen;

	plan_job->spec = document->default_spec;
	if (document->alike && document_job_is_alike(document->alike, value)) {
		document_read_own_keys(document, job, value, at);
		return;
	}
	job->owner = DOCUMENT_OF_JOB;
	job->spec = *document->default_spec;
	job->has_body = false;
	job->has_max_body = document->default_has_max_body;
	job->has_references = false;
	seen = document_read_object(document, &document_job_keys, value, job, at);
	if (yyjson_is_obj(value) && !(seen & (DOCUMENT_BIT(URL) | DOCUMENT_BIT(JOBS))))
		document_refuse(document, at, FAULT_GRAPH_KEY, "the key \"url\" is missing");
	document_inherit(document, job, document_inherited_places(seen));

	document->alike = NULL;
	if (!(seen & ~DOCUMENT_BITS_OWN))
		return;
	document_keep_spec(document, job);
	if (job->has_references || document->n_inheritance > 0 || document->errors->n > n_errors)
		return;
	document->alike = value;
	document->alike_spec = plan_job->spec;
}
