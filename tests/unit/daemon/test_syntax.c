/* SPDX-License-Identifier: MIT */
#include "syntax.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/container.h"

/* The lines of a file, one letter for each kind: "1S:Daemon 2A:Key=value". */
static void read_all(const char *text, size_t size, struct buffer *out)
{
	static const char kinds[] = {
		[SYNTAX_SECTION] = 'S', [SYNTAX_ASSIGNMENT] = 'A', [SYNTAX_ERROR] = 'E'};
	struct syntax_reader reader;
	struct syntax_line line;
	char *copy = malloc(size + 1);

	ck_assert(copy != NULL);
	memcpy(copy, text, size);
	syntax_init(&reader, copy, size);
	for (syntax_next(&reader, &line); line.kind != SYNTAX_END; syntax_next(&reader, &line)) {
		buffer_printf(out, "%s%u%c", out->size ? " " : "", line.number, kinds[line.kind]);
		if (line.kind == SYNTAX_ERROR)
			continue;
		buffer_printf(out, ":%.*s", TEXT_ARGS(line.name));
		if (line.value.data)
			buffer_printf(out, "=%.*s", TEXT_ARGS(line.value));
	}
	syntax_next(&reader, &line);
	ck_assert(line.kind == SYNTAX_END);
	free(copy);
}

START_TEST(reads_the_dialect)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{"", ""},
		{"\n\n# c\n; c\n   # c\n", ""},
		{"[A]\nk=v\n", "1S:A 2A:k=v"},
		{"[A]\r\nk=v\r\n", "1S:A 2A:k=v"},
		{"\xef\xbb\xbf[A]", "1S:A"},
		{"  [A]  \n  k  =  v v  ", "1S:A 2A:k=v v"},
		{"k=", "1A:k="},
		{"k=a=b", "1A:k=a=b"},
		{"k=v # no comment", "1A:k=v # no comment"},
		{"[Host \"*.a.b\"]", "1S:Host=*.a.b"},
		{"[Host '*.a.b' ]", "1S:Host=*.a.b"},
		{"[Host x]", "1S:Host=x"},
		{"[A", "1E"},
		{"[]", "1E"},
		{"[ ]", "1E"},
		{"[A \"x]", "1E"},
		{"[A \"x\" y]", "1E"},
		{"[A] x", "1E"},
		{"word", "1E"},
		{"=v", "1E"},
		{"k\xff=v", "1E"},
		{"k=a\\\nb", "1A:k=a b"},
		{"k=a \\\n   b\nl=c", "1A:k=a  b 3A:l=c"},
		{"k=a\\\n# left out\n; and this\\\nb\nl=c", "1A:k=a b 5A:l=c"},
		{"k=a\\\\\nl=c", "1A:k=a\\\\ 2A:l=c"},
		{"k=a\\\\\\\nb", "1A:k=a\\\\ b"},
		{"k=a\\\nb\\\nc\nl=d", "1A:k=a b c 4A:l=d"},
		{"k=a\\\n\nl=c", "1A:k=a 3A:l=c"},
		{"k=a\\", "1A:k=a"},
		{"k=a\\\n", "1A:k=a"},
		{"\\\nk=a", "1A:k=a"},
		{"\\", ""},
		{"# comment \\\nk=a", "2A:k=a"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, 4096);
		read_all(cases[i].text, strlen(cases[i].text), &out);
		buffer_append_byte(&out, '\0');
		ck_assert_msg(strcmp(out.data, cases[i].lines) == 0, "%s gave %s, not %s",
			cases[i].text, out.data, cases[i].lines);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(refuses_a_nul_byte)
{
	struct buffer out;

	buffer_init(&out, 4096);
	read_all("k=a\0b", 5, &out);
	ck_assert(text_is(buffer_text(&out), "1E"));
	buffer_deinit(&out);
}
END_TEST

START_TEST(takes_words_off_a_list)
{
	static const struct {
		const char *text, *words;
		int rc;
	} cases[] = {
		{"", "", 0},
		{"  \t ", "", 0},
		{"a", "<a>", 0},
		{" a  b\tc ", "<a><b><c>", 0},
		{"\"a b\" 'c \"d\"' e", "<a b><c \"d\"><e>", 0},
		{"a\"b", "<a\"b>", 0},
		{"\"\"", "<>", 0},
		{"a \"b", "<a>", -EINVAL},
		{"'a'b", "", -EINVAL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text rest = text_from(cases[i].text), word;
		struct buffer out;
		int rc;

		buffer_init(&out, 4096);
		while ((rc = syntax_next_word(&rest, &word)) == 1)
			buffer_printf(&out, "<%.*s>", TEXT_ARGS(word));
		ck_assert_msg(rc == cases[i].rc, "%s", cases[i].text);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].words), "%s", cases[i].text);
		buffer_deinit(&out);
	}
}
END_TEST

UNIT_MAIN("daemon/syntax", &reads_the_dialect, &refuses_a_nul_byte, &takes_words_off_a_list)
