/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/container.h"
#include "util/nearest.h"
#include "util/panic.h"

/*
 * What is said about a document that is refused, and the memory of one that is read.
 *
 * A document is a stranger's: a key may be megabytes long and hold anything JSON can. So a
 * message quotes little and only what prints, and a pointer that would be longer than
 * DOCUMENT_POINTER_MAX stops at the last object or array whose pointer is not.
 */

#define DOCUMENT_POINTER_MAX 4096
#define DOCUMENT_MESSAGE_MAX 1024
/* What a message quotes of a text. */
#define DOCUMENT_QUOTE_MAX 64
/* Ids beyond that many are not searched for a near one. */
#define DOCUMENT_HINTS_MAX 1000
/* Keys that are listed where none is near. */
#define DOCUMENT_LIST_MAX 10
/* The arena may take that much more from the host than it is asked for. */
#define DOCUMENT_BLOCK_MAX (2 * 1024 * 1024)

/* A step's characters (RFC 6901 section 3: '~' is ~0, '/' is ~1) before `end`, from its last one
 * to its '/'. Returns where it begins. */
static char *document_put_step(char *end, const struct document_at *at)
{
	size_t index = at->index;

	if (!at->key.data) {
		do {
			*--end = (char)('0' + index % 10);
			index /= 10;
		} while (index > 0);
	}
	for (size_t i = at->key.size; i > 0; i--) {
		char c = at->key.data[i - 1];
		bool is_escaped = c == '~' || c == '/';

		*--end = !is_escaped ? c : c == '~' ? '0' : '1';
		if (is_escaped)
			*--end = '~';
	}
	*--end = '/';
	return end;
}

static size_t document_step_size(const struct document_at *at)
{
	size_t size = 1 + at->key.size;
	size_t index = at->index;

	if (!at->key.data) {
		do {
			size++;
			index /= 10;
		} while (index > 0);
	}
	for (size_t i = 0; i < at->key.size && size <= DOCUMENT_POINTER_MAX; i++)
		size += at->key.data[i] == '~' || at->key.data[i] == '/';
	return size;
}

static size_t document_pointer_size(const struct document_at *at)
{
	size_t size = 0;

	for (; at && size <= DOCUMENT_POINTER_MAX; at = at->parent)
		size += document_step_size(at);
	return size;
}

static struct text document_pointer(struct document *document, const struct document_at *at)
{
	char memory[DOCUMENT_POINTER_MAX];
	char *begin = memory + sizeof(memory);

	while (document_pointer_size(at) > DOCUMENT_POINTER_MAX)
		at = at->parent;
	for (; at; at = at->parent)
		begin = document_put_step(begin, at);
	return arena_copy(&document->errors->arena,
		(struct text){begin, (size_t)(memory + sizeof(memory) - begin)});
}

void document_refuse(struct document *document, const struct document_at *at, enum fault_code code,
	const char *format, ...)
{
	struct plan_errors *errors = document->errors;
	char line[DOCUMENT_MESSAGE_MAX];
	struct plan_error error = {.code = code};
	va_list arguments;
	size_t size;

	if (errors->n == PLAN_ERRORS_MAX)
		return;
	va_start(arguments, format);
	size = fault_format(line, sizeof(line), format, arguments);
	va_end(arguments);
	error.at = document_pointer(document, at);
	error.message = arena_copy(&errors->arena, (struct text){line, size});
	if (error.at.data && error.message.data)
		errors->errors[errors->n++] = error;
	else
		document->no_memory = true;
}

void document_refuse_type(struct document *document, const struct document_at *at,
	yyjson_val *value, const char *wanted)
{
	const char *found = "a number";

	switch (yyjson_get_type(value)) {
	case YYJSON_TYPE_NULL: found = "null"; break;
	case YYJSON_TYPE_BOOL: found = "a boolean"; break;
	case YYJSON_TYPE_STR: found = "a string"; break;
	case YYJSON_TYPE_ARR: found = "an array"; break;
	case YYJSON_TYPE_OBJ: found = "an object"; break;
	default: break;
	}
	document_refuse(document, at, FAULT_GRAPH_TYPE, "must be %s, not %s", wanted, found);
}

bool document_is_over(const struct document *document)
{
	return document->errors->n == PLAN_ERRORS_MAX || document->no_memory ||
	       document->is_too_large;
}

void document_refuse_size(struct document *document, const struct document_at *at, const char *why)
{
	if (!document->is_too_large)
		document_refuse(document, at, FAULT_GRAPH_TOO_LARGE, "%s", why);
	document->is_too_large = true;
}

static void document_quote_set(struct document_quote *quote, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void document_quote_set(struct document_quote *quote, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fault_format(quote->text, sizeof(quote->text), format, arguments);
	va_end(arguments);
}

struct document_quote document_quote(struct text text)
{
	struct document_quote quote;
	size_t size = text.size;

	if (size <= DOCUMENT_QUOTE_MAX) {
		document_quote_set(&quote, "%.*s", TEXT_ARGS(text));
		return quote;
	}
	/* Not in the middle of a character. */
	size = DOCUMENT_QUOTE_MAX;
	while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
		size--;
	document_quote_set(&quote, "%.*s...", (int)size, text.data);
	return quote;
}

static const struct text *document_candidate(const void *candidates, size_t i, size_t size)
{
	return (const void *)((const char *)candidates + i * size);
}

struct document_hint document_hint(const struct document *document, struct text word,
	const void *candidates, size_t n, size_t size)
{
	struct document_hint hint = {""};
	struct text nearest = {NULL, 0};
	size_t distance = SIZE_MAX;

	if (n > DOCUMENT_HINTS_MAX || document_is_over(document))
		return hint;
	for (size_t i = 0; i < n; i++) {
		const struct text *name = document_candidate(candidates, i, size);

		if (name->size > 0 && nearest_is_better(word, *name, &distance))
			nearest = *name;
	}
	if (nearest.data)
		snprintf(hint.text, sizeof(hint.text), "; did you mean \"%.*s\"?",
			TEXT_ARGS(nearest));
	return hint;
}

/* What others call a key of ours. */
static const struct {
	struct text word, key;
} document_aliases[] = {
	{TEXT_INIT("depends_on"), TEXT_INIT("after")},
	{TEXT_INIT("depends"), TEXT_INIT("after")},
	{TEXT_INIT("dependencies"), TEXT_INIT("after")},
	{TEXT_INIT("dependson"), TEXT_INIT("after")},
	{TEXT_INIT("requires"), TEXT_INIT("after")},
	{TEXT_INIT("href"), TEXT_INIT("url")},
	{TEXT_INIT("endpoint"), TEXT_INIT("url")},
	{TEXT_INIT("verb"), TEXT_INIT("method")},
	{TEXT_INIT("params"), TEXT_INIT("query")},
	{TEXT_INIT("data"), TEXT_INIT("body")},
	{TEXT_INIT("payload"), TEXT_INIT("body")},
	{TEXT_INIT("cookies"), TEXT_INIT("headers")},
	{TEXT_INIT("steps"), TEXT_INIT("jobs")},
	{TEXT_INIT("tasks"), TEXT_INIT("jobs")},
	{TEXT_INIT("requests"), TEXT_INIT("jobs")},
	{TEXT_INIT("nodes"), TEXT_INIT("jobs")},
	{TEXT_INIT("retries"), TEXT_INIT("retry")},
	{TEXT_INIT("if"), TEXT_INIT("when")},
	{TEXT_INIT("condition"), TEXT_INIT("when")},
	{TEXT_INIT("foreach"), TEXT_INIT("each")},
	{TEXT_INIT("for_each"), TEXT_INIT("each")},
	{TEXT_INIT("items"), TEXT_INIT("each")},
	{TEXT_INIT("parallel"), TEXT_INIT("concurrency")},
	{TEXT_INIT("follow_redirects"), TEXT_INIT("redirects")},
	{TEXT_INIT("max_redirects"), TEXT_INIT("redirects")},
	{TEXT_INIT("insecure"), TEXT_INIT("tls")},
	{TEXT_INIT("verify"), TEXT_INIT("tls")},
	{TEXT_INIT("vars"), TEXT_INIT("input")},
	{TEXT_INIT("variables"), TEXT_INIT("input")},
	{TEXT_INIT("equals"), TEXT_INIT("eq")},
	{TEXT_INIT("=="), TEXT_INIT("eq")},
	{TEXT_INIT("!="), TEXT_INIT("ne")},
	{TEXT_INIT("<"), TEXT_INIT("lt")},
	{TEXT_INIT(">"), TEXT_INIT("gt")},
	{TEXT_INIT("<="), TEXT_INIT("le")},
	{TEXT_INIT("lte"), TEXT_INIT("le")},
	{TEXT_INIT(">="), TEXT_INIT("ge")},
	{TEXT_INIT("gte"), TEXT_INIT("ge")},
};

struct document_list document_list(const char *last, const void *candidates, size_t n, size_t size)
{
	struct document_list list = {""};
	size_t at = 0;

	for (size_t i = 0; i < n && at < sizeof(list.text); i++) {
		const struct text *name = document_candidate(candidates, i, size);

		at += (size_t)snprintf(
			list.text + at, sizeof(list.text) - at, "\"%.*s\"", TEXT_ARGS(*name));
		if (i + 1 < n && at < sizeof(list.text))
			at += (size_t)snprintf(list.text + at, sizeof(list.text) - at, "%s%s%s",
				i + 2 < n ? "," : " ", i + 2 < n ? "" : last, " ");
	}
	return list;
}

static bool document_has_candidate(const void *candidates, size_t n, size_t size, struct text name)
{
	for (size_t i = 0; i < n; i++) {
		if (text_equal(*document_candidate(candidates, i, size), name))
			return true;
	}
	return false;
}

struct document_hint document_hint_key(const struct document *document, struct text key,
	const void *candidates, size_t n, size_t size)
{
	struct document_hint hint = {""};

	for (size_t i = 0; i < countof(document_aliases); i++) {
		struct text ours = document_aliases[i].key;

		if (!text_equal_nocase(document_aliases[i].word, key) ||
			!document_has_candidate(candidates, n, size, ours))
			continue;
		snprintf(hint.text, sizeof(hint.text), "; did you mean \"%.*s\"?", TEXT_ARGS(ours));
		return hint;
	}
	hint = document_hint(document, key, candidates, n, size);
	if (hint.text[0] == '\0' && n <= DOCUMENT_LIST_MAX)
		snprintf(hint.text, sizeof(hint.text), "; known %s %s", n > 1 ? "are" : "is",
			document_list("and", candidates, n, size).text);
	return hint;
}

void *document_alloc(struct document *document, size_t n, size_t size)
{
	struct arena *arena = &document->plan->arena;
	size_t left = arena->bytes_max - arena->bytes;
	/* Of nothing there is one, so that NULL has one meaning. */
	size_t bytes = n > 0 ? n * size : size;
	void *memory;

	if (bytes > arena->left &&
		(left < DOCUMENT_BLOCK_MAX || bytes > left - DOCUMENT_BLOCK_MAX)) {
		document_refuse_size(document, NULL,
			"it makes too much of itself in memory, by its defaults or its fan-outs");
		return NULL;
	}
	memory = arena_alloc(arena, bytes);
	if (!memory)
		document->no_memory = true;
	return memory;
}

void *document_grow(
	struct document *document, void *array, uint32_t n, uint32_t *roomp, size_t size)
{
	uint32_t room = *roomp ? *roomp * 2 : 64;

	if (n < *roomp)
		return array;
	expect(room > n);
	array = reallocarray(array, room, size);
	if (array)
		*roomp = room;
	else
		document->no_memory = true;
	return array;
}
