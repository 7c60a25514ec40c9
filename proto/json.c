/* SPDX-License-Identifier: MIT */
#include "proto/json.h"

#include "util/panic.h"

/*
 * yyjson reads without recursion and lays the values of a document out in one array, each
 * container before what it holds, with the offset to what comes behind it. So a walk over a
 * value is a walk over an array, and what is open at a point is a stack of ends: bounded by
 * JSON_DEPTH_MAX, because json_read() lets nothing deeper in.
 *
 * Numbers are never turned into doubles: what was read is what is written.
 */

#define NS_PER_US 1000

/* True where a container nests deeper than JSON_DEPTH_MAX; the outermost one is the first. */
static bool json_is_too_deep(yyjson_doc *doc)
{
	yyjson_val *ends[JSON_DEPTH_MAX];
	yyjson_val *value = yyjson_doc_get_root(doc);
	yyjson_val *end = value + yyjson_doc_get_val_count(doc);
	size_t depth = 0;

	for (; value < end; value++) {
		while (depth > 0 && value == ends[depth - 1])
			depth--;
		if (!yyjson_is_ctn(value))
			continue;
		if (depth == JSON_DEPTH_MAX)
			return true;
		ends[depth++] = unsafe_yyjson_get_next(value);
	}
	return false;
}

yyjson_doc *json_read(struct text text, struct json_error *ret_error)
{
	yyjson_read_err error = {0};
	yyjson_doc *doc;

	*ret_error = (struct json_error){0};
	if (text.size == 0) {
		ret_error->message = "nothing to read";
		return NULL;
	}
	/* Without YYJSON_READ_INSITU the text is not written to: the cast is for its signature. */
	doc = yyjson_read_opts(
		(char *)(uintptr_t)text.data, text.size, YYJSON_READ_NUMBER_AS_RAW, NULL, &error);
	if (!doc) {
		ret_error->at = error.pos;
		ret_error->message = error.msg;
		ret_error->no_memory = error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION;
		return NULL;
	}
	if (!json_is_too_deep(doc))
		return doc;
	yyjson_doc_free(doc);
	ret_error->message = "it nests too deep";
	ret_error->too_deep = true;
	return NULL;
}

struct text json_string(yyjson_val *value)
{
	if (!yyjson_is_str(value))
		return (struct text){NULL, 0};
	return (struct text){unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value)};
}

struct text json_number(yyjson_val *value)
{
	if (!yyjson_is_raw(value))
		return (struct text){NULL, 0};
	return (struct text){unsafe_yyjson_get_raw(value), unsafe_yyjson_get_len(value)};
}

bool json_pointer_is_valid(struct text pointer)
{
	if (pointer.size > 0 && pointer.data[0] != '/')
		return false;
	for (size_t i = 0; i < pointer.size; i++) {
		if (pointer.data[i] != '~')
			continue;
		if (i + 1 == pointer.size ||
			(pointer.data[i + 1] != '0' && pointer.data[i + 1] != '1'))
			return false;
	}
	return true;
}

/* True where the token, its ~0 and ~1 undone, is the key. */
static bool json_token_is(struct text token, struct text key)
{
	size_t at = 0;

	for (size_t i = 0; i < token.size; i++, at++) {
		char c = token.data[i];

		if (c == '~')
			c = token.data[++i] == '0' ? '~' : '/';
		if (at == key.size || key.data[at] != c)
			return false;
	}
	return at == key.size;
}

static yyjson_val *json_member(yyjson_val *object, struct text token)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&iter))) {
		if (json_token_is(token, json_string(key)))
			return yyjson_obj_iter_get_val(key);
	}
	return NULL;
}

/* RFC 6901 section 4: digits without leading zeros; "-" names no element that exists. */
static yyjson_val *json_element(yyjson_val *array, struct text token)
{
	uint64_t index;

	if (token.size > 1 && token.data[0] == '0')
		return NULL;
	if (!text_to_u64(token, SIZE_MAX, &index))
		return NULL;
	return yyjson_arr_get(array, index);
}

yyjson_val *json_pointer(yyjson_val *value, struct text pointer)
{
	if (!json_pointer_is_valid(pointer))
		return NULL;
	while (value && pointer.size > 0) {
		struct text rest = text_from_at(pointer, 1);
		struct text token = {rest.data, text_find(rest, '/')};

		if (yyjson_is_obj(value))
			value = json_member(value, token);
		else if (yyjson_is_arr(value))
			value = json_element(value, token);
		else
			value = NULL;
		pointer = text_from_at(rest, token.size);
	}
	return value;
}

static bool json_is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void json_append_escape(struct buffer *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	switch (c) {
	case '"': buffer_append_literal(out, "\\\""); return;
	case '\\': buffer_append_literal(out, "\\\\"); return;
	case '\b': buffer_append_literal(out, "\\b"); return;
	case '\f': buffer_append_literal(out, "\\f"); return;
	case '\n': buffer_append_literal(out, "\\n"); return;
	case '\r': buffer_append_literal(out, "\\r"); return;
	case '\t': buffer_append_literal(out, "\\t"); return;
	default: break;
	}
	buffer_append_literal(out, "\\u00");
	buffer_append_byte(out, digits[c >> 4]);
	buffer_append_byte(out, digits[c & 15]);
}

/* UTF-8, escaped run by run. */
static void json_append_utf8(struct buffer *out, struct text text)
{
	size_t from = 0;

	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (json_is_plain(c))
			continue;
		buffer_append(out, text.data + from, i - from);
		json_append_escape(out, c);
		from = i + 1;
	}
	buffer_append(out, text.data + from, text.size - from);
}

/* The size of the longest start of the text that is ASCII or whole characters. A character is
 * looked for at each byte from 0x80 on only, so that this is linear. */
static size_t json_utf8_run(struct text text)
{
	size_t i = 0;

	while (i < text.size) {
		size_t n = 1;

		while (n <= 4 && i + n <= text.size &&
			!text_is_utf8((struct text){text.data + i, n}))
			n++;
		if (n > 4 || i + n > text.size)
			return i;
		i += n;
	}
	return i;
}

/* Not 0 where one of eight bytes is below `n`, which is 128 at most ("Bit Twiddling Hacks"). */
static uint64_t json_has_less(uint64_t eight, uint64_t n)
{
	return (eight - UINT64_C(0x0101010101010101) * n) & ~eight & UINT64_C(0x8080808080808080);
}

/* How many bytes of its start are ASCII and written as they are: mostly all. Eight at a time, for
 * a batch has a million URLs. */
static size_t json_ascii_run(struct text text)
{
	size_t n = 0;

	for (; text.size - n >= 8; n += 8) {
		uint64_t eight;

		memcpy(&eight, text.data + n, 8);
		if ((eight & UINT64_C(0x8080808080808080)) || json_has_less(eight, ' ') ||
			json_has_less(eight ^ UINT64_C(0x2222222222222222), 1) ||
			json_has_less(eight ^ UINT64_C(0x5c5c5c5c5c5c5c5c), 1))
			return n;
	}
	while (n < text.size && (unsigned char)text.data[n] < 0x80 &&
		json_is_plain((unsigned char)text.data[n]))
		n++;
	return n;
}

void json_append_escaped(struct buffer *out, struct text text)
{
	size_t ascii = json_ascii_run(text);

	buffer_append(out, text.data, ascii);
	text = text_from_at(text, ascii);
	while (text.size > 0 && !text_is_utf8(text)) {
		size_t run = json_utf8_run(text);

		json_append_utf8(out, (struct text){text.data, run});
		buffer_append_literal(out, "\xef\xbf\xbd");
		text = text_from_at(text, run + 1);
	}
	json_append_utf8(out, text);
}

void json_append_string(struct buffer *out, struct text text)
{
	buffer_append_byte(out, '"');
	json_append_escaped(out, text);
	buffer_append_byte(out, '"');
}

static void json_append_scalar(struct buffer *out, yyjson_val *value)
{
	switch (yyjson_get_type(value)) {
	case YYJSON_TYPE_NULL: buffer_append_literal(out, "null"); break;
	case YYJSON_TYPE_RAW: buffer_append_text(out, json_number(value)); break;
	case YYJSON_TYPE_STR: json_append_string(out, json_string(value)); break;
	case YYJSON_TYPE_BOOL:
		buffer_append_text(out, yyjson_is_true(value) ? TEXT("true") : TEXT("false"));
		break;
	default: unreachable("numbers are read raw, and containers are not scalars");
	}
}

/* What is open while a value is written. */
struct json_open {
	yyjson_val *end;
	/* Keys and values of an object take turns. */
	bool is_object, is_key_next, is_first;
};

static void json_append_separator(struct buffer *out, struct json_open *open)
{
	bool is_value_of_key = open->is_object && !open->is_key_next;

	if (is_value_of_key)
		buffer_append_byte(out, ':');
	else if (!open->is_first)
		buffer_append_byte(out, ',');
	open->is_first = false;
	open->is_key_next = !open->is_key_next;
}

void json_append_value(struct buffer *out, yyjson_val *value)
{
	yyjson_val *end = unsafe_yyjson_get_next(value);
	struct json_open open[JSON_DEPTH_MAX];
	size_t depth = 0;

	for (; value < end; value++) {
		if (depth > 0)
			json_append_separator(out, &open[depth - 1]);
		if (yyjson_is_ctn(value)) {
			bool is_object = yyjson_is_obj(value);

			expect(depth < JSON_DEPTH_MAX);
			buffer_append_byte(out, is_object ? '{' : '[');
			open[depth++] = (struct json_open){
				unsafe_yyjson_get_next(value), is_object, true, true};
		} else {
			json_append_scalar(out, value);
		}
		while (depth > 0 && value + 1 == open[depth - 1].end)
			buffer_append_byte(out, open[--depth].is_object ? '}' : ']');
	}
}

void json_append_as_text(struct buffer *out, yyjson_val *value)
{
	if (yyjson_is_str(value))
		buffer_append_text(out, json_string(value));
	else
		json_append_value(out, value);
}

void json_append_ms(struct buffer *out, uint64_t ns)
{
	uint64_t us = ns / NS_PER_US + (ns % NS_PER_US >= NS_PER_US / 2);
	unsigned fraction = (unsigned)(us % 1000);
	char digits[4] = {'.', (char)('0' + fraction / 100), (char)('0' + fraction / 10 % 10),
		(char)('0' + fraction % 10)};
	size_t size = sizeof(digits);

	buffer_append_u64(out, us / 1000);
	if (fraction == 0)
		return;
	while (digits[size - 1] == '0')
		size--;
	buffer_append(out, digits, size);
}
