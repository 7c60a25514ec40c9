/* SPDX-License-Identifier: MIT */
#include "proto/reference.h"

#include <stdio.h>

#include "tests/unit/unit.h"
#include "util/container.h"

static void assert_text(struct text text, const char *wanted, const char *of)
{
	if (!wanted)
		ck_assert_msg(text.data == NULL, "%s: \"%.*s\"", of, TEXT_ARGS(text));
	else
		ck_assert_msg(text_is(text, wanted), "%s: \"%.*s\", not \"%s\"", of,
			TEXT_ARGS(text), wanted);
}

START_TEST(reads_every_form)
{
	static const struct {
		const char *text;
		enum reference_kind kind;
		const char *job, *pointer, *name, *fallback;
		bool raw;
	} cases[] = {
		{"{{a}}", REFERENCE_BODY, "a", "", "", NULL, false},
		{"{{A-_9}}", REFERENCE_BODY, "A-_9", "", "", NULL, false},
		{"{{0}}", REFERENCE_BODY, "0", "", "", NULL, false},
		{"{{a#}}", REFERENCE_POINTER, "a", "", "", NULL, false},
		{"{{a#/b/0}}", REFERENCE_POINTER, "a", "/b/0", "", NULL, false},
		{"{{a#/b.c#d}}", REFERENCE_POINTER, "a", "/b.c#d", "", NULL, false},
		{"{{a#/x%7D%7d%20~0~1}}", REFERENCE_POINTER, "a", "/x%7D%7d%20~0~1", "", NULL,
			false},
		{"{{a.status}}", REFERENCE_STATUS, "a", "", "", NULL, false},
		{"{{a.outcome}}", REFERENCE_OUTCOME, "a", "", "", NULL, false},
		{"{{a.code}}", REFERENCE_CODE, "a", "", "", NULL, false},
		{"{{a.url}}", REFERENCE_URL, "a", "", "", NULL, false},
		{"{{a.headers.ETag}}", REFERENCE_HEADER, "a", "", "ETag", NULL, false},
		{"{{a.headers.x.y}}", REFERENCE_HEADER, "a", "", "x.y", NULL, false},
		{"{{input}}", REFERENCE_INPUT, "", "", "", NULL, false},
		{"{{input#/uid}}", REFERENCE_INPUT, "", "/uid", "", NULL, false},
		{"{{item}}", REFERENCE_ITEM, "", "", "", NULL, false},
		{"{{item#/x}}", REFERENCE_ITEM, "", "/x", "", NULL, false},
		{"{{index}}", REFERENCE_INDEX, "", "", "", NULL, false},
		{"{{secret.API_key-1}}", REFERENCE_SECRET, "", "", "API_key-1", NULL, false},
		{"{{ a }}", REFERENCE_BODY, "a", "", "", NULL, false},
		{"{{\t\r\na#/b \n}}", REFERENCE_POINTER, "a", "/b", "", NULL, false},
		{"{{a ?? none}}", REFERENCE_BODY, "a", "", "", "none", false},
		{"{{a??none}}", REFERENCE_BODY, "a", "", "", "none", false},
		{"{{a ??}}", REFERENCE_BODY, "a", "", "", "", false},
		{"{{a ??   }}", REFERENCE_BODY, "a", "", "", "", false},
		{"{{a ?? two  words }}", REFERENCE_BODY, "a", "", "", "two  words", false},
		{"{{a ?? {\"x\": 1} }}", REFERENCE_BODY, "a", "", "", "{\"x\": 1}", false},
		{"{{a ?? b ?? c}}", REFERENCE_BODY, "a", "", "", "b ?? c", false},
		{"{{a | raw}}", REFERENCE_BODY, "a", "", "", NULL, true},
		{"{{a|raw}}", REFERENCE_BODY, "a", "", "", NULL, true},
		{"{{a#/p|  raw }}", REFERENCE_POINTER, "a", "/p", "", NULL, true},
		{"{{a ?? x | raw}}", REFERENCE_BODY, "a", "", "", "x", true},
		{"{{a ?? | raw}}", REFERENCE_BODY, "a", "", "", "", true},
		{"{{a ?? x | y}}", REFERENCE_BODY, "a", "", "", "x | y", false},
		{"{{a ?? draw}}", REFERENCE_BODY, "a", "", "", "draw", false},
		{"{{a ?? raw}}", REFERENCE_BODY, "a", "", "", "raw", false},
		{"{{inputs}}", REFERENCE_BODY, "inputs", "", "", NULL, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct reference reference;

		ck_assert_msg(reference_is_whole(text_from(cases[i].text), &reference), "%s",
			cases[i].text);
		ck_assert_msg(reference.kind == cases[i].kind, "%s", cases[i].text);
		assert_text(reference.job, cases[i].job, cases[i].text);
		assert_text(reference.pointer, cases[i].pointer, cases[i].text);
		assert_text(reference.name, cases[i].name, cases[i].text);
		assert_text(reference.fallback, cases[i].fallback, cases[i].text);
		ck_assert_msg(reference.raw == cases[i].raw, "%s", cases[i].text);
	}
}
END_TEST

START_TEST(refuses_what_only_looks_like_one)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"{{", "not closed"},
		{"{{a", "not closed"},
		{"{{a}", "not closed"},
		{"{{}}", "begins with an id"},
		{"{{ }}", "begins with an id"},
		{"{{a b}}", "begins with an id"},
		{"{{{a}}", "begins with an id"},
		{"{{\xc3\xbc}}", "begins with an id"},
		{"{{posts[0]}}", "begins with an id"},
		{"{{#/a}}", "begins with an id"},
		{"{{.status}}", "begins with an id"},
		{"{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}",
			"begins with an id"},
		{"{{a.body}}", ".status"},
		{"{{a.}}", ".status"},
		{"{{a.Status}}", ".status"},
		{"{{a.status.x}}", ".status"},
		{"{{a.headers}}", ".status"},
		{"{{a.headers.}}", "no name of a header"},
		{"{{a.headers.x y}}", "no name of a header"},
		{"{{a#b}}", "begins with '/'"},
		{"{{a#%2}}", "'%'"},
		{"{{a#/%zz}}", "'%'"},
		{"{{a#/~}}", "'~'"},
		{"{{a#/~2}}", "'~'"},
		{"{{a#/%7E2}}", "'~'"},
		{"{{a#/b c}}", "%20"},
		{"{{input.x}}", "#/pointer"},
		{"{{item.status}}", "#/pointer"},
		{"{{index#/a}}", "stands alone"},
		{"{{index.x}}", "stands alone"},
		{"{{secret}}", "secret.NAME"},
		{"{{secret.}}", "secret.NAME"},
		{"{{secret.a.b}}", "secret.NAME"},
		{"{{secret#/a}}", "secret.NAME"},
		{"{{a | upper}}", "raw"},
		{"{{a |}}", "raw"},
		{"{{a | raw | raw}}", "raw"},
		{"{{ ?? x}}", "begins with an id"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct reference_cursor cursor = reference_cursor(text_from(cases[i].text));
		struct reference reference;
		struct text why;

		ck_assert_msg(reference_next(&cursor, &why, &reference) == REFERENCE_BAD, "%s",
			cases[i].text);
		ck_assert_msg(
			memmem(why.data, why.size, cases[i].why, strlen(cases[i].why)) != NULL,
			"%s: %.*s", cases[i].text, TEXT_ARGS(why));
		/* It stays there. */
		ck_assert_uint_eq(reference_next(&cursor, &why, &reference), REFERENCE_BAD);
		ck_assert(!reference_is_whole(text_from(cases[i].text), &reference));
	}
}
END_TEST

/* Pieces as "literal" and "<job>", one behind the other, each ended by '|'. */
START_TEST(cuts_a_string_into_pieces)
{
	static const struct {
		const char *text, *pieces;
	} cases[] = {
		{"", ""},
		{"plain", "plain|"},
		{"a{b}c", "a{b}c|"},
		{"{{a}}", "<a>|"},
		{"x{{a}}y{{b}}", "x|<a>|y|<b>|"},
		{"{{a}}{{b}}", "<a>|<b>|"},
		{"{{a}}}", "<a>|}|"},
		{"\\{{a}}", "{{a}}|"},
		{"x\\{{a}}{{b}}", "x|{{a}}|<b>|"},
		{"\\{{\\{{", "{{|{{|"},
		{"\\\\{{a}}", "\\|{{a}}|"},
		{"\\{{{a}}", "{{{a}}|"},
		{"\\{{{{a}}", "{{|<a>|"},
		{"a\\b", "a\\b|"},
		{"{", "{|"},
		{"x{{a", "x|!"},
		{"{{a}}{{", "<a>|!"},
		{"}}", "}}|"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct reference_cursor cursor = reference_cursor(text_from(cases[i].text));
		struct reference reference;
		enum reference_piece piece;
		char pieces[256] = "";
		struct text literal;

		while ((piece = reference_next(&cursor, &literal, &reference)) ==
				REFERENCE_LITERAL ||
			piece == REFERENCE_FOUND) {
			bool is_literal = piece == REFERENCE_LITERAL;
			struct text text = is_literal ? literal : reference.job;
			size_t at = strlen(pieces);

			snprintf(pieces + at, sizeof(pieces) - at, is_literal ? "%.*s|" : "<%.*s>|",
				TEXT_ARGS(text));
		}
		if (piece == REFERENCE_BAD)
			strncat(pieces, "!", sizeof(pieces) - strlen(pieces) - 1);
		ck_assert_msg(
			strcmp(pieces, cases[i].pieces) == 0, "%s: %s", cases[i].text, pieces);
	}
}
END_TEST

START_TEST(is_in_where_braces_are)
{
	ck_assert(reference_is_in(TEXT("a{{b")));
	ck_assert(reference_is_in(TEXT("\\{{")));
	ck_assert(reference_is_in(TEXT("{ {{{")));
	ck_assert(!reference_is_in(TEXT("{ { }}")));
	ck_assert(!reference_is_in(TEXT("a{")));
	ck_assert(!reference_is_in(TEXT("")));
}
END_TEST

START_TEST(whole_is_nothing_but_one_reference)
{
	struct reference reference;

	ck_assert(reference_is_whole(TEXT("{{a}}"), &reference));
	ck_assert(!reference_is_whole(TEXT(" {{a}}"), &reference));
	ck_assert(!reference_is_whole(TEXT("{{a}} "), &reference));
	ck_assert(!reference_is_whole(TEXT("{{a}}{{b}}"), &reference));
	ck_assert(!reference_is_whole(TEXT("\\{{a}}"), &reference));
	ck_assert(!reference_is_whole(TEXT(""), &reference));
}
END_TEST

/* The keys of a condition are "references without braces", and with them. */
START_TEST(parses_one_with_braces_and_without)
{
	static const struct {
		const char *text;
		enum reference_kind kind;
		const char *job, *pointer;
	} cases[] = {
		{"user#/plan", REFERENCE_POINTER, "user", "/plan"},
		{"{{user#/plan}}", REFERENCE_POINTER, "user", "/plan"},
		{" {{ user#/plan }} ", REFERENCE_POINTER, "user", "/plan"},
		{"config.status", REFERENCE_STATUS, "config", ""},
		{"user", REFERENCE_BODY, "user", ""},
		{"item#/x", REFERENCE_ITEM, "", "/x"},
		{"input", REFERENCE_INPUT, "", ""},
		{"index", REFERENCE_INDEX, "", ""},
		{"user#/a ?? b", REFERENCE_POINTER, "user", "/a"},
	};
	static const char *const bad[] = {"", "{{user", "{{user}", "user}}", "{{user}}x",
		"x{{user}}", "{{a}}{{b}}", "user#x", "user.x", "\\{{user}}", "user | x"};

	for (size_t i = 0; i < countof(cases); i++) {
		struct reference reference;
		const char *why = reference_parse(text_from(cases[i].text), &reference);

		ck_assert_msg(!why, "%s: %s", cases[i].text, why);
		ck_assert_uint_eq(reference.kind, cases[i].kind);
		assert_text(reference.job, cases[i].job, cases[i].text);
		assert_text(reference.pointer, cases[i].pointer, cases[i].text);
	}
	for (size_t i = 0; i < countof(bad); i++) {
		struct reference reference;

		ck_assert_msg(reference_parse(text_from(bad[i]), &reference) != NULL, "%s", bad[i]);
	}
}
END_TEST

START_TEST(undoes_percent_encoding_of_pointers)
{
	static const struct {
		const char *pointer, *decoded;
	} cases[] = {
		{"", ""},
		{"/a", "/a"},
		{"/a%20b%7D%7d", "/a b}}"},
		{"%2Fa", "/a"},
		{"/%7E0", "/~0"},
		{"/%25", "/%"},
		{"/%C3%BC", "/\xc3\xbc"},
		{"a", NULL},
		{"/%", NULL},
		{"/%4", NULL},
		{"/%4g", NULL},
		{"/~", NULL},
		{"/~3", NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct reference reference = {.pointer = text_from(cases[i].pointer)};
		char memory[64];

		assert_text(
			reference_pointer(&reference, memory), cases[i].decoded, cases[i].pointer);
	}
}
END_TEST

UNIT_MAIN("proto/reference", &reads_every_form, &refuses_what_only_looks_like_one,
	&cuts_a_string_into_pieces, &is_in_where_braces_are, &whole_is_nothing_but_one_reference,
	&parses_one_with_braces_and_without, &undoes_percent_encoding_of_pointers)
