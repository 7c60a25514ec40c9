/* SPDX-License-Identifier: MIT */
#include "http/header.h"

#include <stdlib.h>

#include "util/container.h"

#define HEADER_LIST_MIN 16

/* tchar, RFC 9110 5.6.2. */
static const bool header_token_bytes[256] = {
	['!'] = true,
	['#'] = true,
	['$'] = true,
	['%'] = true,
	['&'] = true,
	['\''] = true,
	['*'] = true,
	['+'] = true,
	['-'] = true,
	['.'] = true,
	['^'] = true,
	['_'] = true,
	['`'] = true,
	['|'] = true,
	['~'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
};

/* field-vchar, space and tab, RFC 9110 5.5. */
static const bool header_value_bytes[256] = {
	['\t'] = true,
	[' ' ... '~'] = true,
	[0x80 ... 0xff] = true,
};

static bool header_bytes_are(const bool allowed[256], struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!allowed[(unsigned char)text.data[i]])
			return false;
	}
	return true;
}

static bool header_is_space(char c)
{
	return c == ' ' || c == '\t';
}

bool header_name_is_valid(struct text name)
{
	return name.size > 0 && header_bytes_are(header_token_bytes, name);
}

bool header_value_is_valid(struct text value)
{
	if (value.size == 0)
		return true;
	if (header_is_space(value.data[0]) || header_is_space(value.data[value.size - 1]))
		return false;
	return header_bytes_are(header_value_bytes, value);
}

struct text header_trim(struct text text)
{
	while (text.size > 0 && header_is_space(text.data[0]))
		text = text_from_at(text, 1);
	while (text.size > 0 && header_is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

bool header_split(struct text line, struct header *ret_header)
{
	size_t colon = text_find(line, ':');
	struct header header = {
		.name = {line.data, colon},
		.value = header_trim(text_from_at(line, colon + 1)),
	};

	if (colon == line.size)
		return false;
	if (!header_name_is_valid(header.name) || !header_value_is_valid(header.value))
		return false;
	*ret_header = header;
	return true;
}

bool header_is_one_of(struct text name, const struct text *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text_equal_nocase(name, names[i]))
			return true;
	}
	return false;
}

bool header_is_ours(struct text name)
{
	static const struct text ours[] = {
		TEXT_INIT("connection"),
		TEXT_INIT("content-length"),
		TEXT_INIT("expect"),
		TEXT_INIT("host"),
		TEXT_INIT("keep-alive"),
		TEXT_INIT("proxy-connection"),
		TEXT_INIT("te"),
		TEXT_INIT("trailer"),
		TEXT_INIT("transfer-encoding"),
		TEXT_INIT("upgrade"),
	};

	return header_is_one_of(name, ours, countof(ours));
}

struct text header_find(const struct header *headers, uint32_t n_headers, struct text name)
{
	for (uint32_t i = 0; i < n_headers; i++) {
		if (text_equal(headers[i].name, name))
			return headers[i].value;
	}
	return (struct text){NULL, 0};
}

bool header_list_has(struct text value, struct text token)
{
	size_t at = 0;

	while (at < value.size) {
		struct text rest = text_from_at(value, at);
		struct text item = {rest.data, text_find(rest, ',')};

		at += item.size + 1;
		if (text_equal_nocase(header_trim(item), token))
			return true;
	}
	return false;
}

bool header_list_reserve(struct header_list *list, uint32_t capacity)
{
	uint32_t grown = list->capacity ? list->capacity : HEADER_LIST_MIN;
	struct header *items;

	if (capacity <= list->capacity)
		return true;
	while (grown < capacity)
		grown *= 2;
	items = realloc(list->items, grown * sizeof(*items));
	if (!items)
		return false;
	list->items = items;
	list->capacity = grown;
	return true;
}

void header_list_reset(struct header_list *list, uint32_t keep)
{
	list->n = 0;
	if (list->capacity > keep)
		header_list_deinit(list);
}

void header_list_deinit(struct header_list *list)
{
	free(list->items);
	*list = (struct header_list){0};
}
