/* SPDX-License-Identifier: MIT */
/*
 * The problem: most programs look at two or three members of a record, and some (a command line
 * that writes records out as they came) at none. Reading JSON that nobody looks at is the largest
 * cost a client could have.
 *
 * The idea: a record is read when an accessor needs it, and then once. The members that nearly
 * everybody looks at (job, index, item, group, status, via) stand at its beginning in a fixed form,
 * and are taken from there without reading the rest; where the form is another, the record is read.
 *
 * The daemon is not trusted to write records: what is not one makes every accessor answer
 * something harmless, a rejection with a code of its own, and the handle tells -EPROTO next.
 *
 * An accessor takes a const record because it changes nothing that can be seen; the objects
 * themselves are never const.
 */
#include "client/handle.h"

#include <errno.h>

#include "proto/json.h"

/* Records up to this size are read into memory that the handle keeps. */
#define ACCESS_KEPT_MAX (16u * 1024)

#define ACCESS_JSON_FLAGS YYJSON_READ_NUMBER_AS_RAW

static struct settle_record *access_mutable(const struct settle_record *record)
{
	return (struct settle_record *)(uintptr_t)record;
}

void access_init(struct settle_record *record, struct text json)
{
	record->json = json;
	record->item = -1;
	record->via = NULL;
	record->state = ACCESS_UNREAD;
}

void access_deinit(struct settle_record *record)
{
	yyjson_doc_free(record->doc);
	record->doc = NULL;
	record->outcome = NULL;
	record->response = NULL;
}

/* Takes `prefix` from the start of *text. */
static bool access_skip(struct text *text, struct text prefix)
{
	if (!text_starts_with(*text, prefix))
		return false;
	*text = text_from_at(*text, prefix.size);
	return true;
}

/* Takes a number from the start of *text, up to the next comma. */
static bool access_skip_number(struct text *text, uint64_t *ret_value)
{
	struct text digits = {text->data, text_find(*text, ',')};

	*text = text_from_at(*text, digits.size);
	return text_to_u64(digits, UINT32_MAX, ret_value);
}

/* Takes a way that is known; NULL where another stands there, or none. */
static const char *access_skip_via(struct text *text)
{
	static const char *const ways[] = {"network", "dedupe", "fallback", "skipped"};

	if (!access_skip(text, TEXT("\"via\":\"")))
		return NULL;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct text rest = *text;

		if (access_skip(&rest, text_from(ways[i])) && access_skip(&rest, TEXT("\",")))
			return ways[i];
	}
	return NULL;
}

/* {"job":"posts[3]","index":4,"item":3,"group":true,"status":"fulfilled","via":"network", and so
 * on, with an id that needs no escape; item, group and via may be missing. */
static bool access_peek(struct settle_record *record)
{
	struct text rest = record->json;
	uint64_t index, item;
	bool has_item, is_group, is_rejected;
	struct text job;

	if (record->state != ACCESS_UNREAD)
		return record->state != ACCESS_BROKEN;
	if (!access_skip(&rest, TEXT("{\"job\":\"")))
		return false;
	job = (struct text){rest.data, text_find(rest, '"')};
	rest = text_from_at(rest, job.size);
	if (text_find(job, '\\') < job.size || !access_skip(&rest, TEXT("\",\"index\":")) ||
		!access_skip_number(&rest, &index))
		return false;
	has_item = access_skip(&rest, TEXT(",\"item\":"));
	if (has_item && !access_skip_number(&rest, &item))
		return false;
	is_group = access_skip(&rest, TEXT(",\"group\":true"));
	is_rejected = access_skip(&rest, TEXT(",\"status\":\"rejected\","));
	if (!is_rejected && !access_skip(&rest, TEXT(",\"status\":\"fulfilled\",")))
		return false;
	record->job = job;
	record->index = (uint32_t)index;
	record->item = has_item ? (int64_t)item : -1;
	record->is_group = is_group;
	record->is_rejected = is_rejected;
	record->via = is_rejected ? NULL : access_skip_via(&rest);
	record->state = ACCESS_PEEKED;
	return true;
}

/* The parsed record, in kept memory where it is small. */
static yyjson_doc *access_parse(struct settle_record *record)
{
	char *text = (char *)(uintptr_t)record->json.data;
	size_t need = yyjson_read_max_memory_usage(record->json.size, ACCESS_JSON_FLAGS);
	bool is_kept = record->memory && record->json.size <= ACCESS_KEPT_MAX;
	yyjson_read_err error;
	yyjson_alc alc;

	if (is_kept) {
		buffer_clear(record->memory);
		is_kept = buffer_reserve(record->memory, need) &&
			  yyjson_alc_pool_init(&alc, record->memory->data, need);
	}
	/* Without YYJSON_READ_INSITU the text is only read. */
	return yyjson_read_opts(
		text, record->json.size, ACCESS_JSON_FLAGS, is_kept ? &alc : NULL, &error);
}

/* What all accessors rely on. */
static bool access_check(struct settle_record *record, yyjson_val *root)
{
	struct text job = json_string(yyjson_obj_get(root, "job"));
	struct text status = json_string(yyjson_obj_get(root, "status"));
	struct text index = json_number(yyjson_obj_get(root, "index"));
	struct text item = json_number(yyjson_obj_get(root, "item"));
	bool is_rejected = text_is(status, "rejected");
	uint64_t value, item_value;

	if (!job.data || !text_to_u64(index, UINT32_MAX, &value))
		return false;
	if (!is_rejected && !text_is(status, "fulfilled"))
		return false;
	record->outcome = yyjson_obj_get(root, is_rejected ? "reason" : "value");
	if (!yyjson_is_obj(record->outcome))
		return false;
	if (is_rejected && !yyjson_is_str(yyjson_obj_get(record->outcome, "code")))
		return false;
	record->response =
		is_rejected ? yyjson_obj_get(record->outcome, "response") : record->outcome;
	record->job = job;
	record->index = (uint32_t)value;
	if (text_to_u64(item, UINT32_MAX, &item_value))
		record->item = (int64_t)item_value;
	record->is_group = yyjson_is_true(yyjson_obj_get(root, "group"));
	record->is_rejected = is_rejected;
	return true;
}

bool access_read(struct settle_record *record)
{
	if (record->state == ACCESS_READ || record->state == ACCESS_BROKEN)
		return record->state == ACCESS_READ;
	record->doc = access_parse(record);
	if (record->doc && access_check(record, yyjson_doc_get_root(record->doc))) {
		record->state = ACCESS_READ;
		return true;
	}
	access_deinit(record);
	record->state = ACCESS_BROKEN;
	record->is_rejected = true;
	record->job = (struct text){NULL, 0};
	record->index = 0;
	record->item = -1;
	record->is_group = false;
	if (record->error && *record->error == 0)
		*record->error = -EPROTO;
	return false;
}

/* Job, index, item, group and status, as cheaply as can be. */
static const struct settle_record *access_outline(const struct settle_record *record)
{
	struct settle_record *mutable = access_mutable(record);

	if (!access_peek(mutable))
		access_read(mutable);
	return record;
}

/* As a pair of results; NULL and 0 for no text. */
static const char *access_give(struct text text, size_t *ret_size)
{
	if (ret_size)
		*ret_size = text.data ? text.size : 0;
	return text.data;
}

const char *settle_record_job(const struct settle_record *record, size_t *ret_size)
{
	return access_give(access_outline(record)->job, ret_size);
}

enum settle_status settle_record_status(const struct settle_record *record)
{
	return access_outline(record)->is_rejected ? SETTLE_REJECTED : SETTLE_FULFILLED;
}

uint32_t settle_record_index(const struct settle_record *record)
{
	return access_outline(record)->index;
}

int64_t settle_record_item(const struct settle_record *record)
{
	return access_outline(record)->item;
}

int settle_record_is_group(const struct settle_record *record)
{
	return access_outline(record)->is_group;
}

/* A member beside `status`; NULL where there is none. */
static yyjson_val *access_get(const struct settle_record *record, const char *name)
{
	if (!access_read(access_mutable(record)))
		return NULL;
	return yyjson_obj_get(yyjson_doc_get_root(record->doc), name);
}

/* A member of the reason; NULL where there is none. */
static yyjson_val *access_get_reason(const struct settle_record *record, const char *name)
{
	if (!access_outline(record)->is_rejected || !access_read(access_mutable(record)))
		return NULL;
	return yyjson_obj_get(record->outcome, name);
}

const char *settle_record_via(const struct settle_record *record)
{
	if (access_outline(record)->is_rejected)
		return NULL;
	return record->via ? record->via : yyjson_get_str(access_get(record, "via"));
}

uint32_t settle_record_attempts(const struct settle_record *record)
{
	struct text digits = json_number(access_get(record, "attempts"));
	uint64_t attempts;

	return text_to_u64(digits, UINT32_MAX, &attempts) ? (uint32_t)attempts : 0;
}

int settle_record_retryable(const struct settle_record *record)
{
	return yyjson_is_true(access_get_reason(record, "retryable"));
}

const char *settle_record_sent(const struct settle_record *record)
{
	return yyjson_get_str(access_get_reason(record, "sent"));
}

const char *settle_record_by(const struct settle_record *record)
{
	return yyjson_get_str(access_get_reason(record, "by"));
}

const char *settle_record_winner(const struct settle_record *record, size_t *ret_size)
{
	bool is_none = !access_outline(record)->is_group || record->is_rejected;
	yyjson_val *value = is_none ? NULL : access_get(record, "value");

	return access_give(json_string(yyjson_obj_get(value, "winner")), ret_size);
}

const char *settle_record_json(const struct settle_record *record, size_t *ret_size)
{
	return access_give(record->json, ret_size);
}

const char *settle_record_code(const struct settle_record *record)
{
	if (!access_outline(record)->is_rejected)
		return NULL;
	if (!access_read(access_mutable(record)))
		return "PROTOCOL";
	return record->is_rejected ? yyjson_get_str(yyjson_obj_get(record->outcome, "code")) : NULL;
}

const char *settle_record_message(const struct settle_record *record, size_t *ret_size)
{
	struct text message = {NULL, 0};

	if (access_outline(record)->is_rejected) {
		if (!access_read(access_mutable(record)))
			message = TEXT("The daemon sent what is no record");
		else
			message = json_string(yyjson_obj_get(record->outcome, "message"));
	}
	return access_give(message, ret_size);
}

int settle_record_http_status(const struct settle_record *record)
{
	uint64_t status = 0;
	struct text digits;

	if (!access_read(access_mutable(record)))
		return 0;
	digits = json_number(yyjson_obj_get(record->response, "status"));
	return text_to_u64(digits, 999, &status) ? (int)status : 0;
}

const char *settle_record_header(
	const struct settle_record *record, const char *name, size_t *ret_size)
{
	struct text found = {NULL, 0};
	yyjson_obj_iter iter;
	yyjson_val *key;

	if (access_read(access_mutable(record)))
		yyjson_obj_iter_init(yyjson_obj_get(record->response, "headers"), &iter);
	else
		yyjson_obj_iter_init(NULL, &iter);
	while (!found.data && (key = yyjson_obj_iter_next(&iter))) {
		yyjson_val *value = yyjson_obj_iter_get_val(key);

		if (!text_equal_nocase(json_string(key), text_from(name)))
			continue;
		if (yyjson_is_arr(value))
			value = yyjson_arr_get_first(value);
		found = json_string(value);
	}
	return access_give(found, ret_size);
}

const void *settle_record_body(const struct settle_record *record, size_t *ret_size)
{
	struct text none = {NULL, 0};

	return access_give(record->has_body ? record->body : none, ret_size);
}
