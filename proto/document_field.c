/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "http/header.h"
#include "util/panic.h"

/*
 * Headers, query and form: objects of names and values, made flat lists of fields.
 *
 * Default headers reach a job, or the defaults of a group inside, unless that has one of the same
 * name (in any case). A graph may have a million jobs and a thousand default headers, so the two
 * lists are not compared: the names of the defaults are in a table, and a job takes those it has
 * itself by leaving its number at them.
 */

/* Names are put into lower case for their hash up to that size: the rest is the comparison's. */
#define DOCUMENT_NAME_HASHED 64

static uint64_t document_hash_name(struct text name)
{
	char lower[DOCUMENT_NAME_HASHED];
	size_t size = name.size < sizeof(lower) ? name.size : sizeof(lower);

	for (size_t i = 0; i < size; i++)
		lower[i] = text_lower(name.data[i]);
	return table_hash((struct text){lower, size});
}

static bool document_name_is(const void *value, const void *key)
{
	const struct document_name *name = value;
	const struct text *text = key;

	return text_equal_nocase(name->name, *text);
}

static struct document_name *document_find_name(
	const struct document_defaults *defaults, struct text name)
{
	return table_find(&defaults->name_table, document_hash_name(name), document_name_is, &name);
}

uint32_t document_name_number(const struct document_defaults *defaults, struct text name)
{
	const struct document_name *found = document_find_name(defaults, name);

	expect(found);
	return (uint32_t)(found - defaults->names);
}

void document_note_names(struct document *document, struct document_defaults *defaults)
{
	const struct plan_fields *headers = &defaults->spec->headers;
	uint32_t n = 0;

	defaults->owns_names = true;
	table_init(&defaults->name_table);
	if (headers->n == 0)
		return;
	defaults->names = document_alloc(document, headers->n, sizeof(*defaults->names));
	defaults->name_of_field =
		document_alloc(document, headers->n, sizeof(*defaults->name_of_field));
	if (!defaults->names || !defaults->name_of_field)
		return;
	for (uint32_t i = 0; i < headers->n; i++) {
		struct text name = headers->fields[i].name;
		struct document_name *known = document_find_name(defaults, name);

		if (!known) {
			known = &defaults->names[n++];
			known->name = name;
			if (!table_insert(&defaults->name_table, document_hash_name(name), known))
				document->no_memory = true;
		}
		defaults->name_of_field[i] = (uint32_t)(known - defaults->names);
	}
}

/* Texts of a header but for its references: no control character but tab (RFC 9110 5.5). */
static bool document_literal_is_valid(struct text literal)
{
	for (size_t i = 0; i < literal.size; i++) {
		unsigned char c = (unsigned char)literal.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool document_header_is_valid(const struct plan_field *field)
{
	struct reference_cursor cursor = reference_cursor(field->value);
	struct reference reference;
	enum reference_piece piece;
	struct text literal;

	if (!field->is_template)
		return header_value_is_valid(field->value);
	while ((piece = reference_next(&cursor, &literal, &reference)) == REFERENCE_LITERAL ||
		piece == REFERENCE_FOUND) {
		if (piece == REFERENCE_LITERAL && !document_literal_is_valid(literal))
			return false;
	}
	return true;
}

/* A string, number or boolean as text; data == NULL where it is none of them. */
static struct text document_field_text(yyjson_val *value)
{
	if (yyjson_is_bool(value))
		return yyjson_is_true(value) ? TEXT("true") : TEXT("false");
	return yyjson_is_str(value) ? json_string(value) : json_number(value);
}

/* One field of that name, behind those already read. */
static void document_add_field(struct document *document, struct document_job *job,
	struct text name, yyjson_val *value, const struct document_at *at)
{
	struct plan_field field = {.name = name, .value = document_field_text(value)};
	struct plan_field *fields = document->fields;

	if (!field.value.data) {
		document_refuse_type(document, at, value,
			at->key.data ? "a string, a number, a boolean or an array of them"
				     : "a string, a number or a boolean");
		return;
	}
	field.is_template = yyjson_is_str(value) && reference_is_in(field.value);
	if (field.is_template)
		document_read_template(document, job, field.value, at);
	if (job->place == DOCUMENT_IN_HEADER && !document_header_is_valid(&field))
		document_refuse(document, at, FAULT_HEADER_INVALID,
			"a value may hold no control characters and no white space at its ends");
	fields = document_grow(
		document, fields, document->n_fields, &document->fields_room, sizeof(*fields));
	if (!fields)
		return;
	document->fields = fields;
	fields[document->n_fields++] = field;
}

/* False, and refused, where the name may not be one. */
static bool document_check_name(struct document *document, const struct document_job *job,
	struct text name, const struct document_at *at)
{
	if (reference_is_in(name)) {
		document_refuse(document, at, FAULT_GRAPH_VALUE, "a name may not hold a reference");
		return false;
	}
	if (job->place != DOCUMENT_IN_HEADER)
		return true;
	if (!header_name_is_valid(name)) {
		document_refuse(document, at, FAULT_HEADER_INVALID, "\"%s\" is no name of a header",
			document_quote(name).text);
		return false;
	}
	if (header_is_ours(name)) {
		document_refuse(document, at, FAULT_HEADER_INVALID,
			"the header \"%s\" is the daemon's own to set%s", document_quote(name).text,
			text_equal_nocase(name, TEXT("host"))
				? ": write the host into the URL, and where it is into \"resolve\""
				: "");
		return false;
	}
	return true;
}

static void document_read_fields_of(struct document *document, struct document_job *job,
	struct text name, yyjson_val *value, const struct document_at *at)
{
	struct document_at element = {.parent = at};
	yyjson_arr_iter iter;
	yyjson_val *member;

	if (!document_check_name(document, job, name, at))
		return;
	job->field = document->n_fields;
	if (!yyjson_is_arr(value)) {
		document_add_field(document, job, name, value, at);
		return;
	}
	iter = yyjson_arr_iter_with(value);
	while ((member = yyjson_arr_iter_next(&iter))) {
		document_add_field(document, job, name, member, &element);
		element.index++;
	}
}

/* The object's fields, into document->fields. */
static void document_collect_fields(struct document *document, struct document_job *job,
	yyjson_val *object, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	yyjson_val *key;

	if (!yyjson_is_obj(object)) {
		document_refuse_type(document, at, object, "an object");
		return;
	}
	document_check_keys(document, object, at);
	while ((key = yyjson_obj_iter_next(&iter))) {
		struct document_at member = {.parent = at, .key = json_string(key)};

		document_read_fields_of(
			document, job, member.key, yyjson_obj_iter_get_val(key), &member);
	}
}

static void document_keep_fields(struct document *document, struct plan_fields *ret_fields)
{
	struct plan_field *fields = document_alloc(document, document->n_fields, sizeof(*fields));

	*ret_fields = (struct plan_fields){0};
	if (!fields || document->n_fields == 0)
		return;
	memcpy(fields, document->fields, document->n_fields * sizeof(*fields));
	*ret_fields = (struct plan_fields){fields, document->n_fields};
}

void document_read_query(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	job->place = DOCUMENT_IN_QUERY;
	document->n_fields = 0;
	document_collect_fields(document, job, value, at);
	document_keep_fields(document, &job->spec.query);
}

void document_read_form(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	if (!document_take_body(document, job, at))
		return;
	job->place = DOCUMENT_IN_BODY;
	document->n_fields = 0;
	document_collect_fields(document, job, value, at);
	job->spec.body = PLAN_BODY_FORM;
	document_keep_fields(document, &job->spec.form);
}

/* The default headers whose names the job's object does not have, into document->fields. */
static void document_merge_headers(
	struct document *document, const struct document_job *job, yyjson_val *object)
{
	const struct document_defaults *defaults = document_defaults(document);
	const struct plan_fields *headers = &defaults->spec->headers;
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&iter))) {
		struct document_name *name = document_find_name(defaults, json_string(key));

		if (name)
			name->taken = job->number;
	}
	if (document->no_memory || document->is_too_large)
		return;
	for (uint32_t i = 0; i < headers->n; i++) {
		struct plan_field *fields;

		if (defaults->names[defaults->name_of_field[i]].taken == job->number)
			continue;
		fields = document_grow(document, document->fields, document->n_fields,
			&document->fields_room, sizeof(*fields));
		if (!fields)
			return;
		document->fields = fields;
		fields[document->n_fields++] = headers->fields[i];
	}
}

void document_read_headers(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	job->place = DOCUMENT_IN_HEADER;
	job->says_headers = true;
	document->n_fields = 0;
	/* The graph's own are merged with none. */
	if (document->n_defaults > 0)
		document_merge_headers(document, job, value);
	document_collect_fields(document, job, value, at);
	document_keep_fields(document, &job->spec.headers);
}
