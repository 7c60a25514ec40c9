/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/panic.h"

/*
 * Objects: those whose keys are ours, each with its reader, and those whose keys are anybody's.
 * In both a key may stand only once: what two readers of a document could take in two ways is
 * refused (RFC 8259 section 4 leaves it open).
 */

/* Objects up to that size are looked through pair by pair, larger ones by a table. */
#define DOCUMENT_PAIRS_MAX 16

static bool document_key_may_stand(const struct document_key *key, const struct document_job *job)
{
	return key->owners == 0 || (key->owners & (unsigned)job->owner);
}

/* The key is known, but of others than this one. */
static void document_refuse_owner(struct document *document, const struct document_key *key,
	const struct document_job *job, const struct document_at *at)
{
	const char *name = key->name.data;

	if (job->owner == DOCUMENT_OF_DEFAULTS)
		document_refuse(
			document, at, FAULT_GRAPH_KEY, "\"%s\" may not stand in defaults", name);
	else if (job->owner == DOCUMENT_OF_LEAF)
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"\"%s\" is for a group, which is a job with \"jobs\"", name);
	else
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"\"%s\" is for a job that makes a request, and this one is a group%s", name,
			key->owners & DOCUMENT_OF_DEFAULTS
				? "; for all in it, write it into its \"defaults\""
				: "");
}

uint64_t document_read_object(struct document *document, const struct document_keys *keys,
	yyjson_val *object, struct document_job *job, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	uint64_t seen = 0;
	yyjson_val *key;

	expect(keys->n <= 64);
	if (!yyjson_is_obj(object))
		document_refuse_type(document, at, object, "an object");
	while ((key = yyjson_obj_iter_next(&iter))) {
		struct document_at member = {.parent = at, .key = json_string(key)};
		struct text name = member.key;
		size_t i = 0;

		while (i < keys->n && !text_equal(keys->keys[i].name, name))
			i++;
		if (i == keys->n) {
			document_refuse(document, &member, FAULT_GRAPH_KEY, "unknown key \"%s\"%s",
				document_quote(name).text,
				document_hint_key(
					document, name, keys->keys, keys->n, sizeof(keys->keys[0]))
					.text);
			continue;
		}
		if (seen & UINT64_C(1) << i)
			document_refuse(document, &member, FAULT_GRAPH_KEY,
				"the key \"%s\" is there twice", document_quote(name).text);
		else if (!document_key_may_stand(&keys->keys[i], job))
			document_refuse_owner(document, &keys->keys[i], job, &member);
		else
			keys->keys[i].read(document, job, yyjson_obj_iter_get_val(key), &member);
		seen |= UINT64_C(1) << i;
	}
	return seen;
}

static void document_refuse_twice(
	struct document *document, yyjson_val *key, const struct document_at *at)
{
	struct document_at member = {.parent = at, .key = json_string(key)};

	document_refuse(document, &member, FAULT_GRAPH_KEY, "the key \"%s\" is there twice",
		document_quote(member.key).text);
}

/* Of the keys before `key`, one is the same. */
static bool document_key_is_behind_its_like(yyjson_val *object, yyjson_val *key)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	yyjson_val *other;

	while ((other = yyjson_obj_iter_next(&iter)) != key) {
		if (text_equal(json_string(other), json_string(key)))
			return true;
	}
	return false;
}

static bool document_key_is(const void *value, const void *key)
{
	/* Only to be read: yyjson's signatures know no const. */
	yyjson_val *other = (yyjson_val *)(uintptr_t)value;
	const struct text *text = key;

	return text_equal(json_string(other), *text);
}

static void document_check_many_keys(
	struct document *document, yyjson_val *object, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	struct table table;
	yyjson_val *key;

	table_init(&table);
	if (!table_reserve(&table, yyjson_obj_size(object)))
		document->no_memory = true;
	while (!document->no_memory && (key = yyjson_obj_iter_next(&iter))) {
		struct text name = json_string(key);
		uint64_t hash = table_hash(name);

		if (table_find(&table, hash, document_key_is, &name))
			document_refuse_twice(document, key, at);
		else if (!table_insert(&table, hash, key))
			document->no_memory = true;
	}
	table_deinit(&table);
}

void document_check_keys(
	struct document *document, yyjson_val *object, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	yyjson_val *key;

	if (yyjson_obj_size(object) > DOCUMENT_PAIRS_MAX) {
		document_check_many_keys(document, object, at);
		return;
	}
	while ((key = yyjson_obj_iter_next(&iter))) {
		if (document_key_is_behind_its_like(object, key))
			document_refuse_twice(document, key, at);
	}
}

/* An object or array that is open while a value is walked through. */
struct document_open {
	yyjson_val *end;
	/* Keys and values of an object take turns. */
	bool is_object, is_key_next;
	/* Of the member or element the walk is at. */
	struct document_at at;
};

/* A step of the walk: true where `value` was a key. */
static bool document_step(struct document *document, struct document_open *open,
	const struct document_job *job, yyjson_val *value)
{
	if (!open->is_object) {
		open->at.index++;
		return false;
	}
	open->is_key_next = !open->is_key_next;
	if (open->is_key_next)
		return false;
	open->at.key = json_string(value);
	if (job->place != DOCUMENT_IN_LITERAL && reference_is_in(open->at.key))
		document_refuse(
			document, &open->at, FAULT_GRAPH_VALUE, "a key may not hold a reference");
	return true;
}

/* The values of a document lie in one array, each container before its content: the walk is over
 * that array, and what is open is a stack, bounded by json_read(). */
void document_read_json(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct document_open open[JSON_DEPTH_MAX];
	yyjson_val *end = unsafe_yyjson_get_next(value);
	const struct document_at *here = at;
	size_t depth = 0;

	for (; value < end; value++) {
		while (depth > 0 && value == open[depth - 1].end)
			depth--;
		here = depth > 0 ? &open[depth - 1].at : at;
		if (depth > 0 && document_step(document, &open[depth - 1], job, value))
			continue;
		if (yyjson_is_str(value) && job->place != DOCUMENT_IN_LITERAL)
			document_read_template(document, job, json_string(value), here);
		if (!yyjson_is_ctn(value))
			continue;
		if (yyjson_is_obj(value))
			document_check_keys(document, value, here);
		expect(depth < JSON_DEPTH_MAX);
		open[depth++] = (struct document_open){
			.end = unsafe_yyjson_get_next(value),
			.is_object = yyjson_is_obj(value),
			.is_key_next = true,
			.at = {.parent = here, .index = SIZE_MAX},
		};
	}
}
