/* SPDX-License-Identifier: MIT */
/*
 * The problem: on the wire a body follows its record, so that it is copied as it is; in what
 * people read, it stands in the record. Putting it there must not cost the reading of the record.
 *
 * The idea: in well-formed JSON a quote within a string stands behind a backslash, so the bytes
 * ,"bytes":<digit> are always a member called bytes that is a number, wherever they stand. The
 * first one of a record is the response's: headers are strings or arrays of them, no member
 * before the value or reason has one, and new members are added behind (docs/PROTOCOL.md). In the
 * same way the content type is found.
 *
 * A body that is JSON is put in as it is, so that numbers keep their digits; only where it has
 * line ends it goes in without its white space, because a record is one line. That it is JSON is
 * yyjson's word, asked for only if the content type says so; a small one is read on the stack.
 */
#include "proto/record.h"

#include <yyjson.h>

#include "proto/writer.h"

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

/* Behind the response's "bytes": N; 0 where there is none. */
static size_t splice_find_place(struct text record)
{
	size_t at = 0;

	while (at < record.size) {
		size_t end;

		at = splice_find_value(record, at, &splice_bytes);
		end = at;
		while (end < record.size && record.data[end] >= '0' && record.data[end] <= '9')
			end++;
		if (end > at && end < record.size &&
			(record.data[end] == ',' || record.data[end] == '}'))
			return end;
	}
	return 0;
}

/* The first Content-Type of the record's headers; empty where there is none. */
static struct text splice_content_type(struct text record)
{
	size_t at = splice_find_value(record, 0, &splice_type);
	struct text rest = text_from_at(record, at);

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

/* RFC 4648 section 4, with padding. */
static void splice_append_base64(struct buffer *out, struct text body)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *from = (const unsigned char *)body.data;
	size_t left = body.size;
	char *at;

	if (body.size > SIZE_MAX / 2 || !buffer_reserve(out, (body.size + 2) / 3 * 4))
		return;
	at = out->data + out->size;
	for (; left >= 3; left -= 3, from += 3) {
		uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];

		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = digits[bits >> 6 & 63];
		*at++ = digits[bits & 63];
	}
	if (left > 0) {
		uint32_t bits = (uint32_t)from[0] << 16 | (left > 1 ? (uint32_t)from[1] << 8 : 0);

		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*at++ = '=';
	}
	out->size = (size_t)(at - out->data);
}

static void splice_append_body(
	struct buffer *out, struct text body, struct text content_type, enum record_body how)
{
	bool is_json = how == RECORD_BODY_AUTO && splice_type_is_json(content_type) &&
		       splice_body_is_json(body);

	if (is_json) {
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
		splice_append_base64(out, body);
		buffer_append_byte(out, '"');
	}
}

bool record_splice(struct buffer *out, struct text record, struct text body,
	struct text content_type, enum record_body how)
{
	size_t place = splice_find_place(record);

	if (place == 0) {
		buffer_append_text(out, record);
		return false;
	}
	if (!content_type.data)
		content_type = splice_content_type(record);
	buffer_append(out, record.data, place);
	splice_append_body(out, body, content_type, how);
	buffer_append(out, record.data + place, record.size - place);
	return true;
}
