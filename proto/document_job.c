/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/container.h"

/*
 * The keys of a job, whatever it is, and of defaults: one table, which knows who may have which.
 *
 * A leaf's spec is begun as a copy of the defaults, a group's as a copy of nothing said, and both
 * are changed key by key. A spec costs memory of its own only where a key changed it; and where a
 * job says what the one before it said, but for its id, url and after, they share one. That is
 * what a hundred thousand jobs written by a loop look like, so it is looked for by comparing the
 * two in the document, before anything is read.
 */

/* Bits of document_job_keys. */
enum {
	DOCUMENT_KEY_URL,
	DOCUMENT_KEY_AFTER,
	DOCUMENT_KEY_ID,
	DOCUMENT_KEY_JOBS,
	DOCUMENT_KEY_DEFAULTS,
	DOCUMENT_KEY_QUERY,
	DOCUMENT_KEY_JSON,
	DOCUMENT_KEY_FORM,
	DOCUMENT_KEY_BODY,
	DOCUMENT_KEY_BODY_BASE64,
	DOCUMENT_KEY_BODY_FD,
	DOCUMENT_KEY_EACH,
	DOCUMENT_KEY_CONCURRENCY,
	DOCUMENT_KEY_NEEDS,
	DOCUMENT_KEY_HEADERS,
	DOCUMENT_KEY_AUTH,
	DOCUMENT_KEY_PROXY,
	DOCUMENT_KEY_HTTP,
	DOCUMENT_KEY_OUTPUT,
	DOCUMENT_KEY_FD,
	DOCUMENT_KEY_OTHERS,
};

#define DOCUMENT_BIT(key) (UINT64_C(1) << DOCUMENT_KEY_##key)

/* Keys that leave the spec as it is. */
#define DOCUMENT_BITS_OWN                                                                          \
	(DOCUMENT_BIT(URL) | DOCUMENT_BIT(AFTER) | DOCUMENT_BIT(ID) | DOCUMENT_BIT(JOBS) |         \
		DOCUMENT_BIT(DEFAULTS))
/* Of a fan-out, those that are not its child's; of one of a leaf. */
#define DOCUMENT_BITS_EACH      (DOCUMENT_BIT(EACH) | DOCUMENT_BIT(NEEDS))
#define DOCUMENT_BITS_EACH_LEAF (DOCUMENT_BITS_EACH | DOCUMENT_BIT(CONCURRENCY))
#define DOCUMENT_BITS_BODY                                                                         \
	(DOCUMENT_BIT(JSON) | DOCUMENT_BIT(FORM) | DOCUMENT_BIT(BODY) |                            \
		DOCUMENT_BIT(BODY_BASE64) | DOCUMENT_BIT(BODY_FD))

/* Of a body that is kept in memory; one that is not kept has no limit of its own. */
#define DOCUMENT_MAX_BODY (16u * 1024 * 1024)

static const struct plan_range document_ok[] = {{200, 399}};

const struct plan_spec document_base_spec = {
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
	.max_body = DOCUMENT_MAX_BODY,
	.redirects = PLAN_REDIRECTS_DEFAULT,
	.priority = PLAN_PRIORITY_DEFAULT,
	.decode = true,
	.dedupe = true,
};

/* -- Keys of all jobs, and those that are not about the request -------------------------------- */

static void document_read_id(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	/* Of an element of an array it was read when the jobs were registered. */
	if (at->parent->key.data)
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
	from = document_find_job(document, job, id, at);
	if (from)
		document_depend(document, job, plan_index(document->plan, from));
}

static void document_read_after(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	yyjson_arr_iter iter = yyjson_arr_iter_with(value);
	struct document_at element = {.parent = at};
	yyjson_val *member;

	if (!yyjson_is_arr(value))
		document_refuse_type(document, at, value, "an array of ids");
	while ((member = yyjson_arr_iter_next(&iter))) {
		document_read_after_id(document, job, member, &element);
		element.index++;
	}
}

static void document_read_needs(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("fulfilled"), PLAN_NEEDS_FULFILLED},
		{TEXT_INIT("settled"), PLAN_NEEDS_SETTLED},
		{TEXT_INIT("rejected"), PLAN_NEEDS_REJECTED},
		{TEXT_INIT("any"), PLAN_NEEDS_ANY},
		{{NULL, 0}, 0},
	};
	int needs = document_read_word(document, value, at, words);

	if (needs >= 0)
		job->spec.needs = (enum plan_needs)needs;
}

/* Values that are taken as they stand: what looks like a reference is none. */

static void document_read_otherwise(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->place = DOCUMENT_IN_LITERAL;
	job->spec.otherwise = value;
	document_read_json(document, job, value, at);
}

static void document_read_fallback(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->place = DOCUMENT_IN_LITERAL;
	job->spec.fallback = value;
	document_read_json(document, job, value, at);
}

static void document_read_optional(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.optional);
}

static void document_read_job_priority(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_priority(document, value, at, &job->spec.priority);
}

static void document_read_timeout(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at,
		job->owner == DOCUMENT_OF_GROUP ? &job->group.timeout_ns
						: &job->spec.timeouts.job_ns);
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

enum {
	/* A job, group or not; any of these and defaults; what is about requests; one request. */
	DOCUMENT_OF_BOTH = DOCUMENT_OF_LEAF | DOCUMENT_OF_GROUP,
	DOCUMENT_OF_ALL = DOCUMENT_OF_BOTH | DOCUMENT_OF_DEFAULTS,
	DOCUMENT_OF_REQUEST = DOCUMENT_OF_LEAF | DOCUMENT_OF_DEFAULTS,
	DOCUMENT_OF_ONE = DOCUMENT_OF_LEAF,
};

static const struct document_key document_job_key_rows[] = {
	[DOCUMENT_KEY_URL] = {TEXT_INIT("url"), document_read_url, DOCUMENT_OF_ONE},
	[DOCUMENT_KEY_AFTER] = {TEXT_INIT("after"), document_read_after, DOCUMENT_OF_BOTH},
	[DOCUMENT_KEY_ID] = {TEXT_INIT("id"), document_read_id, DOCUMENT_OF_BOTH},
	[DOCUMENT_KEY_JOBS] = {TEXT_INIT("jobs"), document_note_jobs, DOCUMENT_OF_GROUP},
	[DOCUMENT_KEY_DEFAULTS] = {TEXT_INIT("defaults"), document_note_defaults,
		DOCUMENT_OF_GROUP},
	[DOCUMENT_KEY_QUERY] = {TEXT_INIT("query"), document_read_query, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_JSON] = {TEXT_INIT("json"), document_read_json_body, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_FORM] = {TEXT_INIT("form"), document_read_form, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_BODY] = {TEXT_INIT("body"), document_read_body, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_BODY_BASE64] = {TEXT_INIT("body_base64"), document_read_base64,
		DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_BODY_FD] = {TEXT_INIT("body_fd"), document_read_body_fd, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_EACH] = {TEXT_INIT("each"), document_read_each, DOCUMENT_OF_BOTH},
	[DOCUMENT_KEY_CONCURRENCY] = {TEXT_INIT("concurrency"), document_read_concurrency,
		DOCUMENT_OF_ALL},
	[DOCUMENT_KEY_NEEDS] = {TEXT_INIT("needs"), document_read_needs, DOCUMENT_OF_ALL},
	[DOCUMENT_KEY_HEADERS] = {TEXT_INIT("headers"), document_read_headers, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_AUTH] = {TEXT_INIT("auth"), document_read_auth, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_PROXY] = {TEXT_INIT("proxy"), document_read_proxy, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_HTTP] = {TEXT_INIT("http"), document_read_http, DOCUMENT_OF_REQUEST},
	[DOCUMENT_KEY_OUTPUT] = {TEXT_INIT("output"), document_read_output, DOCUMENT_OF_REQUEST},
	/* Several jobs with one descriptor would write over each other. */
	[DOCUMENT_KEY_FD] = {TEXT_INIT("fd"), document_read_fd, DOCUMENT_OF_ONE},
	[DOCUMENT_KEY_OTHERS] = {TEXT_INIT("method"), document_read_method, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("when"), document_read_when, DOCUMENT_OF_BOTH},
	{TEXT_INIT("else"), document_read_otherwise, DOCUMENT_OF_BOTH},
	{TEXT_INIT("mode"), document_read_mode, DOCUMENT_OF_GROUP},
	{TEXT_INIT("fallback"), document_read_fallback, DOCUMENT_OF_BOTH},
	{TEXT_INIT("ok"), document_read_ok, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("optional"), document_read_optional, DOCUMENT_OF_ALL},
	{TEXT_INIT("timeout"), document_read_timeout, DOCUMENT_OF_ALL},
	{TEXT_INIT("attempt_timeout"), document_read_attempt_timeout, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("queue_timeout"), document_read_queue_timeout, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("timeouts"), document_read_own_timeouts, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("retry"), document_read_retry, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("priority"), document_read_job_priority, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("dedupe"), document_read_dedupe, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("max_body"), document_read_max_body, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("omit"), document_read_omit, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("tls"), document_read_tls, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("resolve"), document_read_resolve, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("redirects"), document_read_redirects, DOCUMENT_OF_REQUEST},
	{TEXT_INIT("decode"), document_read_decode, DOCUMENT_OF_REQUEST},
};

const struct document_keys document_job_keys = {
	document_job_key_rows, countof(document_job_key_rows)};

/* -- Jobs that are alike ----------------------------------------------------------------------- */

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
	job->says_http = yyjson_obj_get(value, "http");
	document_check_http(document, job, document->alike_spec, at);
}

/* -- A job ------------------------------------------------------------------------------------- */

void document_end_spec(struct document_job *job)
{
	if (job->has_max_body)
		return;
	job->spec.max_body = job->spec.output == PLAN_INLINE ? DOCUMENT_MAX_BODY : UINT64_MAX;
}

/* A copy for the plan. NULL: no memory. */
static struct plan_spec *document_keep_spec(
	struct document *document, const struct document_job *job)
{
	struct plan_spec *spec = document_alloc(document, 1, sizeof(*spec));

	if (spec)
		*spec = job->spec;
	return spec;
}

static struct plan_spec *document_keep_group(struct document *document, struct document_job *job)
{
	struct plan_group *group = document_alloc(document, 1, sizeof(*group));

	if (!group)
		return NULL;
	*group = job->group;
	if (job->concurrency > 0)
		group->concurrency = job->concurrency;
	job->spec.group = group;
	return document_keep_spec(document, job);
}

/* The spec of a job in which these keys were seen; of a fan-out that of its child. */
static const struct plan_spec *document_make_spec(
	struct document *document, struct document_job *job, uint64_t seen)
{
	const struct plan_spec *defaults = document_defaults(document)->spec;
	bool is_leaf = job->owner == DOCUMENT_OF_LEAF;
	bool is_plain;

	if (job->dependent != job->index)
		seen &= ~(is_leaf ? DOCUMENT_BITS_EACH_LEAF : DOCUMENT_BITS_EACH);
	is_plain = !(seen & ~DOCUMENT_BITS_OWN);
	if (is_leaf) {
		if (is_plain && job->spec.needs == defaults->needs)
			return defaults;
		document_end_spec(job);
		return document_keep_spec(document, job);
	}
	if (!is_plain)
		return document_keep_group(document, job);
	if (!document->group_spec)
		document->group_spec = document_keep_group(document, job);
	return document->group_spec;
}

unsigned document_inherited_places(uint64_t seen)
{
	unsigned places = 1u << DOCUMENT_IN_HEADER;

	if (!(seen & DOCUMENT_BIT(QUERY)))
		places |= 1u << DOCUMENT_IN_QUERY;
	if (!(seen & DOCUMENT_BITS_BODY))
		places |= 1u << DOCUMENT_IN_BODY;
	return places;
}

/* Who is read, and what it may refer to. */
static void document_begin_job(struct document *document, struct document_job *job, uint32_t index)
{
	const struct plan_job *jobs = document->plan->jobs;

	job->dependent = index;
	job->index = jobs[index].kind == PLAN_EACH ? index + 1 : index;
	job->owner = jobs[job->index].kind == PLAN_GROUP ? DOCUMENT_OF_GROUP : DOCUMENT_OF_LEAF;
	job->region = jobs[index].region;
	job->has_item = jobs[job->index].region != PLAN_NONE;
	job->number = ++document->n_read;
	job->jobs = job->defaults = NULL;
}

/* What it says before it has said anything. */
static void document_begin_keys(struct document *document, struct document_job *job)
{
	bool is_leaf = job->owner == DOCUMENT_OF_LEAF;
	const struct document_defaults *defaults = document_defaults(document);

	job->spec = is_leaf ? *defaults->spec : document_base_spec;
	job->group = (struct plan_group){
		.concurrency = PLAN_UNBOUNDED,
		.timeout_ns = PLAN_NEVER,
	};
	job->each = (struct plan_each){0};
	job->concurrency = 0;
	job->has_body = job->has_fd = false;
	job->says_http = job->says_headers = job->says_auth = job->says_proxy = false;
	job->has_max_body = is_leaf && defaults->has_max_body;
	job->has_references = false;
}

/* Keys that need others. */
static void document_check_job(struct document *document, const struct document_job *job,
	uint64_t seen, const struct document_at *at)
{
	struct document_at member = {.parent = at, .key = TEXT("concurrency")};

	if (job->owner == DOCUMENT_OF_GROUP) {
		document_end_group(document, job, at);
		return;
	}
	if (!(seen & DOCUMENT_BIT(URL)))
		document_refuse(document, at, FAULT_GRAPH_KEY, "the key \"url\" is missing");
	if (job->concurrency > 0 && job->dependent == job->index)
		document_refuse(document, &member, FAULT_GRAPH_KEY,
			"\"concurrency\" needs \"each\", or \"jobs\"");
	document_check_request(document, job, at);
}

void document_read_job(struct document *document, struct document_job *job, uint32_t index,
	yyjson_val *value, const struct document_at *at)
{
	struct plan_job *jobs = document->plan->jobs;
	uint32_t n_errors = document->errors->n;
	bool is_simple;
	uint64_t seen;

	document_begin_job(document, job, index);
	is_simple = job->owner == DOCUMENT_OF_LEAF && job->dependent == job->index;
	if (is_simple && document->alike && document_job_is_alike(document->alike, value)) {
		document_read_own_keys(document, job, value, at);
		return;
	}
	document_begin_keys(document, job);
	seen = document_read_object(document, &document_job_keys, value, job, at);
	if (yyjson_is_obj(value))
		document_check_job(document, job, seen, at);
	if (job->owner == DOCUMENT_OF_LEAF)
		document_inherit(document, job, document_inherited_places(seen));
	if (job->dependent != job->index)
		jobs[job->dependent].spec = document_end_each(document, job, at);
	jobs[job->index].spec = document_make_spec(document, job, seen);

	if (!is_simple)
		return;
	document->alike = NULL;
	if (!(seen & ~DOCUMENT_BITS_OWN) || job->has_references || job->has_fd ||
		document->n_inheritance > 0 || document->errors->n > n_errors)
		return;
	document->alike = value;
	document->alike_spec = jobs[job->index].spec;
}
