/* SPDX-License-Identifier: MIT */
/*
 * The problem: on the wire a body follows its record, so that it is copied as it is; in what
 * people read, it stands in the record. Putting it there must not cost the reading of the record.
 *
 * The idea: in well-formed JSON a quote within a string stands behind a backslash, so the bytes
 * ,"bytes":<digit> are always a member called bytes that is a number, wherever they stand. The
 * first one of a record is the value's or the response's: headers are strings or arrays of them,
 * no member before the value or reason has one, and new members are added behind
 * (docs/PROTOCOL.md). In the same way the content type is found.
 *
 * A cause stands behind its value, and what it covers has no body here: what is found within it
 * (of a group, which has no body either) is no place. A value that begins with its length has no
 * response: it is a fallback, or what a skipped job has instead, out of the document, and JSON.
 *
 * A body that is JSON is put in as it is, so that numbers keep their digits; only where it has
 * line ends it goes in without its white space, because a record is one line. That it is JSON is
 * yyjson's word, asked for only if the content type says so; a small one is read on the stack.
 */
#include "proto/record.h"

#include <yyjson.h>

#include "proto/writer.h"
#include "util/base64.h"

/* Enough for bodies of a kilobyte. */
#define SPLICE_POOL_SIZE (16 * 1024)

#define SPLICE_JSON_FLAGS YYJSON_READ_NUMBER_AS_RAW

/* A member's name with its quotes and colon, and a letter of it that few other names have: one
 * memchr() from each to the next costs a third of what memmem() does. */
struct splice_key {
	struct text text;
	size_t anchor;
};

static const struct splice_key splice_bytes = {TEXT_INIT("\"bytes\":"), 2};
static const struct splice_key splice_type = {TEXT_INIT("\"content-type\":"), 10};
static const struct splice_key splice_via = {TEXT_INIT("\"via\":"), 1};
static const struct splice_key splice_cause = {TEXT_INIT("\"cause\":{"), 8};

/* Where the member's value begins, at or after `from`; the text's size where there is none. */
static size_t splice_find_value(struct text record, size_t from, const struct splice_key *key)
{
	char letter = key->text.data[key->anchor];
	size_t at = from + key->anchor + 1;

	while (at < record.size) {
		size_t start;

		at += text_find(text_from_at(record, at), letter);
		start = at - key->anchor;
		if (start + key->text.size > record.size)
			break;
		if (memcmp(record.data + start, key->text.data, key->text.size) == 0 &&
			(record.data[start - 1] == ',' || record.data[start - 1] == '{'))
			return start + key->text.size;
		at++;
	}
	return record.size;
}

/* Where a body goes. */
struct splice_place {
	/* Behind "bytes": N; 0: there is none. */
	size_t at;
	/* True exactly when the value begins with it: there is no response. */
	bool is_bare;
};

/* The number of a "bytes" begins at `at`. */
static bool splice_is_bare(struct text record, size_t at)
{
	struct text before = TEXT("\"value\":{\"bytes\":");

	return at >= before.size &&
	       memcmp(record.data + at - before.size, before.data, before.size) == 0;
}

/* True where a cause stands in `before`. A header may be called "via", and no header is an object;
 * of a job that was sent, `via` comes soon, and says so. */
static bool splice_has_cause(struct text before)
{
	struct text via = text_from_at(before, splice_find_value(before, 0, &splice_via));

	return text_starts_with(via, TEXT("\"fallback\"")) &&
	       splice_find_value(before, 0, &splice_cause) < before.size;
}

static struct splice_place splice_find_place(struct text record)
{
	struct splice_place none = {0, false};
	size_t at = 0;

	while (at < record.size) {
		size_t end;
		bool is_bare;

		at = splice_find_value(record, at, &splice_bytes);
		end = at;
		while (end < record.size && record.data[end] >= '0' && record.data[end] <= '9')
			end++;
		if (end == at || end == record.size ||
			(record.data[end] != ',' && record.data[end] != '}'))
			continue;
		is_bare = splice_is_bare(record, at);
		if (!is_bare && splice_has_cause((struct text){record.data, at}))
			return none;
		return (struct splice_place){end, is_bare};
	}
	return none;
}

/* The first Content-Type of the headers before the place; empty where there is none. */
static struct text splice_content_type(struct text record, size_t place)
{
	struct text before = {record.data, place};
	struct text rest = text_from_at(before, splice_find_value(before, 0, &splice_type));

	if (rest.size > 0 && rest.data[0] == '[')
		rest = text_from_at(rest, 1);
	if (rest.size == 0 || rest.data[0] != '"')
		return (struct text){rest.data, 0};
	rest = text_from_at(rest, 1);
	return (struct text){rest.data, text_find(rest, '"')};
}

/* As the MIME Sniffing standard, "JSON MIME type". */
static bool splice_type_is_json(struct text type)
{
	static const struct text whole[] = {TEXT_INIT("application/json"), TEXT_INIT("text/json")};
	struct text suffix = TEXT("+json");

	type.size = text_find(type, ';');
	while (type.size > 0 && (type.data[0] == ' ' || type.data[0] == '\t'))
		type = text_from_at(type, 1);
	while (type.size > 0 &&
		(type.data[type.size - 1] == ' ' || type.data[type.size - 1] == '\t'))
		type.size--;
	if (text_equal_nocase(type, whole[0]) || text_equal_nocase(type, whole[1]))
		return true;
	return type.size > suffix.size && text_find(type, '/') < type.size &&
	       text_equal_nocase(text_from_at(type, type.size - suffix.size), suffix);
}

static bool splice_body_is_json(struct text body)
{
	char pool[SPLICE_POOL_SIZE];
	size_t need = yyjson_read_max_memory_usage(body.size, SPLICE_JSON_FLAGS);
	yyjson_read_err error;
	yyjson_doc *doc;
	yyjson_alc alc;
	bool is_small;

	if (body.size == 0)
		return false;
	is_small = need <= sizeof(pool) && yyjson_alc_pool_init(&alc, pool, sizeof(pool));
	/* Without YYJSON_READ_INSITU the text is only read. */
	doc = yyjson_read_opts((char *)(uintptr_t)body.data, body.size, SPLICE_JSON_FLAGS,
		is_small ? &alc : NULL, &error);
	yyjson_doc_free(doc);
	return doc != NULL;
}

static bool splice_has_line_end(struct text body)
{
	return memchr(body.data, '\n', body.size) || memchr(body.data, '\r', body.size);
}

/* Well-formed JSON without its white space. */
static void splice_append_compact(struct buffer *out, struct text json)
{
	bool is_string = false;
	char *at;

	if (!buffer_reserve(out, json.size))
		return;
	at = out->data + out->size;
	for (size_t i = 0; i < json.size; i++) {
		char c = json.data[i];

		if (!is_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			continue;
		*at++ = c;
		if (c == '"')
			is_string = !is_string;
		else if (c == '\\' && i + 1 < json.size)
			*at++ = json.data[++i];
	}
	out->size = (size_t)(at - out->data);
}

static void splice_append_string(struct buffer *out, struct text body)
{
	struct writer writer;

	if (!writer_begin(&writer, out, body.size + 2))
		return;
	writer_string(&writer, body);
	writer_end(&writer);
}

static void splice_append_body(
	struct buffer *out, struct text body, bool may_be_json, enum record_body how)
{
	if (how == RECORD_BODY_AUTO && may_be_json && splice_body_is_json(body)) {
		buffer_append_literal(out, ",\"body\":");
		if (splice_has_line_end(body))
			splice_append_compact(out, body);
		else
			buffer_append_text(out, body);
	} else if (how == RECORD_BODY_TEXT || (how == RECORD_BODY_AUTO && text_is_utf8(body))) {
		buffer_append_literal(out, ",\"body\":");
		splice_append_string(out, body);
	} else {
		buffer_append_literal(out, ",\"body_base64\":\"");
		base64_append(out, body);
		buffer_append_byte(out, '"');
	}
}

bool record_splice(struct buffer *out, struct text record, struct text body,
	struct text content_type, enum record_body how)
{
	struct splice_place place = splice_find_place(record);

	if (place.at == 0) {
		buffer_append_text(out, record);
		return false;
	}
	if (!content_type.data)
		content_type = splice_content_type(record, place.at);
	buffer_append(out, record.data, place.at);
	splice_append_body(out, body, place.is_bare || splice_type_is_json(content_type), how);
	buffer_append(out, record.data + place.at, record.size - place.at);
	return true;
}
