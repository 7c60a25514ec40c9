/* SPDX-License-Identifier: MIT */
#include "proto/reference.h"

#include "http/header.h"
#include "proto/json.h"
#include "proto/plan.h"
#include "util/container.h"

/*
 * A string with references is read from left to right and never looked back into:
 *
 *   string     = *( literal / "\{{" / "{{" ws what ws [ "??" text ] [ "|" ws "raw" ws ] "}}" )
 *   what       = id [ "#" pointer / "." part ] / "input" [ "#" pointer ] / "item" [ "#" pointer ]
 *              / "index" / "secret." name
 *   part       = "status" / "outcome" / "code" / "url" / "headers." token
 *
 * A reference ends at the first "}}", so what looks like one is either well-formed or an error,
 * never text: a mistyped reference must not be sent. All pieces are views, so that the literal
 * "\{{" costs a cut (before the backslash, and on behind it) instead of a copy.
 */

static bool reference_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct text reference_trim(struct text text)
{
	while (text.size > 0 && reference_is_space(text.data[0]))
		text = text_from_at(text, 1);
	while (text.size > 0 && reference_is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

/* Where the two characters first stand together at or behind `from`, or the text's size. */
static size_t reference_find(struct text text, char twice, size_t from)
{
	while (from + 1 < text.size) {
		size_t at = from + text_find(text_from_at(text, from), twice);

		if (at + 1 >= text.size)
			break;
		if (text.data[at + 1] == twice)
			return at;
		from = at + 1;
	}
	return text.size;
}

bool reference_is_in(struct text text)
{
	return reference_find(text, '{', 0) < text.size;
}

static int reference_hex(char c)
{
	char lower = text_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The next byte of a pointer, %XX undone; -1 where it is malformed. */
static int reference_pointer_byte(struct text *rest)
{
	char c = rest->data[0];
	int high, low;

	if (c != '%') {
		*rest = text_from_at(*rest, 1);
		return (unsigned char)c;
	}
	if (rest->size < 3)
		return -1;
	high = reference_hex(rest->data[1]);
	low = reference_hex(rest->data[2]);
	*rest = text_from_at(*rest, 3);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

struct text reference_pointer(const struct reference *reference, char *memory)
{
	struct text rest = reference->pointer;
	struct text pointer = {memory, 0};

	if (rest.size == 0)
		return TEXT("");
	while (rest.size > 0) {
		int byte = reference_pointer_byte(&rest);

		if (byte < 0)
			return (struct text){NULL, 0};
		memory[pointer.size++] = (char)byte;
	}
	if (!json_pointer_is_valid(pointer))
		return (struct text){NULL, 0};
	return pointer;
}

/* NULL, or what is wrong with the pointer: reference_pointer() without memory. White space must be
 * %20, because around it it is free. */
static const char *reference_check_pointer(struct text pointer)
{
	struct text rest = pointer;
	bool is_escape = false, is_first = true;

	while (rest.size > 0) {
		bool is_space = reference_is_space(rest.data[0]);
		int byte = reference_pointer_byte(&rest);

		if (is_space)
			return "white space in a pointer is written %20";
		if (byte < 0)
			return "a '%' in a pointer is followed by two hexadecimal digits";
		if (is_first && byte != '/')
			return "a pointer begins with '/'";
		if (is_escape && byte != '0' && byte != '1')
			return "a '~' in a pointer is followed by 0 or 1";
		is_escape = byte == '~' && !is_escape;
		is_first = false;
	}
	return is_escape ? "a '~' in a pointer is followed by 0 or 1" : NULL;
}

/* What follows "id." */
static const char *reference_read_part(struct text part, struct reference *reference)
{
	static const struct {
		struct text name;
		enum reference_kind kind;
	} parts[] = {
		{TEXT_INIT("status"), REFERENCE_STATUS},
		{TEXT_INIT("outcome"), REFERENCE_OUTCOME},
		{TEXT_INIT("code"), REFERENCE_CODE},
		{TEXT_INIT("url"), REFERENCE_URL},
	};

	for (size_t i = 0; i < countof(parts); i++) {
		if (!text_equal(part, parts[i].name))
			continue;
		reference->kind = parts[i].kind;
		return NULL;
	}
	if (!text_starts_with(part, TEXT("headers.")))
		return "a job has .status, .outcome, .code, .url and .headers.NAME";
	reference->kind = REFERENCE_HEADER;
	reference->name = text_from_at(part, strlen("headers."));
	return header_name_is_valid(reference->name) ? NULL : "that is no name of a header";
}

/* input, item, index and secret, which are no jobs. `marker` is what stands between the word and
 * the rest: NUL for nothing. */
static const char *reference_read_reserved(
	struct text word, char marker, struct text rest, struct reference *reference)
{
	bool is_bare = marker == '\0' || marker == '#';

	if (text_is(word, "input") || text_is(word, "item")) {
		reference->kind = text_is(word, "input") ? REFERENCE_INPUT : REFERENCE_ITEM;
		return is_bare ? NULL : "input and item may have a #/pointer and nothing else";
	}
	if (text_is(word, "index")) {
		reference->kind = REFERENCE_INDEX;
		return marker == '\0' ? NULL : "index stands alone";
	}
	reference->kind = REFERENCE_SECRET;
	reference->name = rest;
	return marker == '.' && plan_id_is_valid(rest) ? NULL : "a secret is written secret.NAME";
}

static bool reference_is_reserved(struct text word)
{
	return text_is(word, "input") || text_is(word, "item") || text_is(word, "index") ||
	       text_is(word, "secret");
}

/* What is referred to, without a default and "| raw". NULL, or what is wrong with it. */
static const char *reference_read_what(struct text what, struct reference *reference)
{
	size_t size = 0;
	struct text word, rest;
	char marker;

	while (size < what.size && what.data[size] != '#' && what.data[size] != '.')
		size++;
	word = (struct text){what.data, size};
	marker = size < what.size ? what.data[size] : '\0';
	rest = text_from_at(what, size + 1);
	if (!plan_id_is_valid(word))
		return "a reference begins with an id of letters, digits, '_' and '-'";
	if (marker == '#') {
		const char *why = reference_check_pointer(rest);

		if (why)
			return why;
		reference->pointer = rest;
	}
	if (reference_is_reserved(word))
		return reference_read_reserved(word, marker, rest, reference);
	reference->job = word;
	if (marker == '.')
		return reference_read_part(rest, reference);
	reference->kind = marker == '#' ? REFERENCE_POINTER : REFERENCE_BODY;
	return NULL;
}

/* Takes "| raw" off the end. */
static bool reference_take_raw(struct text *text)
{
	struct text trimmed = reference_trim(*text);
	struct text raw = TEXT("raw");

	if (trimmed.size <= raw.size)
		return false;
	trimmed.size -= raw.size;
	if (memcmp(trimmed.data + trimmed.size, raw.data, raw.size) != 0)
		return false;
	trimmed = reference_trim(trimmed);
	if (trimmed.size == 0 || trimmed.data[trimmed.size - 1] != '|')
		return false;
	trimmed.size--;
	*text = trimmed;
	return true;
}

/* What stands between the braces. NULL, or what is wrong with it. */
static const char *reference_read(struct text inside, struct reference *reference)
{
	size_t at = reference_find(inside, '?', 0);
	struct text what = {inside.data, at};

	*reference = (struct reference){0};
	if (at < inside.size) {
		struct text fallback = text_from_at(inside, at + 2);

		reference->raw = reference_take_raw(&fallback);
		reference->fallback = reference_trim(fallback);
	} else {
		reference->raw = reference_take_raw(&what);
	}
	if (text_find(what, '|') < what.size)
		return "only \"raw\" may stand behind '|'";
	return reference_read_what(reference_trim(what), reference);
}

/* The end of the literal at the start of the text: the next "{{" that is none of its own. */
static size_t reference_literal_size(struct text text, size_t from)
{
	size_t at = reference_find(text, '{', from);
	bool is_escaped = at < text.size && at > 0 && text.data[at - 1] == '\\';

	return is_escaped ? at - 1 : at;
}

static enum reference_piece reference_cut_literal(
	struct reference_cursor *cursor, size_t skip, size_t own, struct text *ret_literal)
{
	struct text rest = text_from_at(cursor->rest, skip);
	size_t size = reference_literal_size(rest, own);

	*ret_literal = (struct text){rest.data, size};
	cursor->rest = text_from_at(rest, size);
	return REFERENCE_LITERAL;
}

static enum reference_piece reference_fail(struct text *ret_literal, const char *why)
{
	*ret_literal = text_from(why);
	return REFERENCE_BAD;
}

enum reference_piece reference_next(
	struct reference_cursor *cursor, struct text *ret_literal, struct reference *ret_reference)
{
	struct text rest = cursor->rest;
	struct reference reference;
	const char *why;
	size_t end;

	if (rest.size == 0)
		return REFERENCE_END;
	if (text_starts_with(rest, TEXT("\\{{")))
		return reference_cut_literal(cursor, 1, 2, ret_literal);
	if (!text_starts_with(rest, TEXT("{{")))
		return reference_cut_literal(cursor, 0, 0, ret_literal);

	end = reference_find(rest, '}', 2);
	if (end == rest.size)
		return reference_fail(ret_literal, "a reference is not closed by \"}}\"");
	why = reference_read((struct text){rest.data + 2, end - 2}, &reference);
	if (why)
		return reference_fail(ret_literal, why);
	*ret_reference = reference;
	cursor->rest = text_from_at(rest, end + 2);
	return REFERENCE_FOUND;
}

bool reference_is_whole(struct text text, struct reference *ret_reference)
{
	struct reference_cursor cursor = reference_cursor(text);
	struct reference reference;
	struct text literal;

	if (reference_next(&cursor, &literal, &reference) != REFERENCE_FOUND ||
		cursor.rest.size > 0)
		return false;
	*ret_reference = reference;
	return true;
}

const char *reference_parse(struct text text, struct reference *ret_reference)
{
	struct text inside = reference_trim(text);
	struct reference reference;
	const char *why;

	if (text_starts_with(inside, TEXT("{{"))) {
		size_t end = reference_find(inside, '}', 2);

		if (end + 2 != inside.size)
			return "a reference is closed by \"}}\", and nothing stands behind it";
		inside = (struct text){inside.data + 2, end - 2};
	}
	why = reference_read(inside, &reference);
	if (!why)
		*ret_reference = reference;
	return why;
}
