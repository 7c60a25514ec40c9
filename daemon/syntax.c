/* SPDX-License-Identifier: MIT */
#include "syntax.h"

#include <errno.h>

/*
 * The problem: administrators know one dialect from all of systemd's files, and a file that
 * nearly follows it must not be read as something else. The idea: find the logical line first,
 * with systemd's own rules for joining, and only then look at what it is. Joined lines are
 * never longer than what they were made of, so they are put together where they stand.
 *
 * As in systemd: a comment line within a continued line is left out; each joint is one blank;
 * an even number of backslashes at the end joins nothing. Other than in systemd, a line that is
 * nothing known is an error: a typing mistake should not silently become a default.
 */

static bool syntax_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct text syntax_trim(struct text text)
{
	while (text.size > 0 && syntax_is_blank(text.data[0]))
		text = text_from_at(text, 1);
	while (text.size > 0 && syntax_is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

void syntax_init(struct syntax_reader *reader, char *data, size_t size)
{
	static const struct text mark = TEXT_INIT("\xef\xbb\xbf");
	struct text text = {data, size};
	size_t skip = text_starts_with(text, mark) ? mark.size : 0;

	*reader = (struct syntax_reader){.at = data + skip, .end = data + size};
}

/* One physical line without its end and the blanks around it. */
static struct text syntax_take_line(struct syntax_reader *reader)
{
	struct text left = {reader->at, (size_t)(reader->end - reader->at)};
	size_t size = text_find(left, '\n');

	reader->at += size < left.size ? size + 1 : size;
	reader->number++;
	return syntax_trim((struct text){left.data, size});
}

static bool syntax_is_comment(struct text line)
{
	return line.size > 0 && (line.data[0] == '#' || line.data[0] == ';');
}

static bool syntax_is_continued(struct text line)
{
	size_t n_backslashes = 0;

	while (n_backslashes < line.size && line.data[line.size - 1 - n_backslashes] == '\\')
		n_backslashes++;
	return n_backslashes % 2 == 1;
}

/* `line` ends in a backslash: what follows moves up to it. */
static struct text syntax_join(struct syntax_reader *reader, struct text line)
{
	/* The line is a view into the reader's own memory. */
	char *start = (char *)line.data;
	size_t size = line.size;

	while (reader->at < reader->end) {
		struct text more = syntax_take_line(reader);
		bool is_continued = syntax_is_continued(more);

		if (syntax_is_comment(more))
			continue;
		start[size - 1] = ' ';
		memmove(start + size, more.data, more.size);
		size += more.size;
		if (!is_continued)
			return (struct text){start, size};
	}
	/* The file ends where more should follow. */
	return (struct text){start, size - 1};
}

static void syntax_fail(struct syntax_line *line, const char *what)
{
	line->kind = SYNTAX_ERROR;
	line->value = text_from(what);
}

/* [Name] or [Name "argument"]. */
static void syntax_read_section(struct text text, struct syntax_line *line)
{
	struct text inner, argument;
	size_t blank = 0;
	int rc;

	if (text.data[text.size - 1] != ']') {
		syntax_fail(line, "a section ends with ]");
		return;
	}
	inner = syntax_trim((struct text){text.data + 1, text.size - 2});
	while (blank < inner.size && !syntax_is_blank(inner.data[blank]))
		blank++;
	line->kind = SYNTAX_SECTION;
	line->name = (struct text){inner.data, blank};
	argument = text_from_at(inner, blank);
	rc = syntax_next_word(&argument, &line->value);
	if (blank == 0)
		syntax_fail(line, "a section has a name");
	else if (rc < 0 || (rc == 1 && syntax_trim(argument).size > 0))
		syntax_fail(line, "a section is [Name] or [Name \"argument\"]");
}

static void syntax_read_assignment(struct text text, struct syntax_line *line)
{
	size_t equals = text_find(text, '=');

	if (equals == text.size) {
		syntax_fail(line, "neither a section, nor an assignment, nor a comment");
		return;
	}
	line->kind = SYNTAX_ASSIGNMENT;
	line->name = syntax_trim((struct text){text.data, equals});
	line->value = syntax_trim(text_from_at(text, equals + 1));
	if (line->name.size == 0)
		syntax_fail(line, "an assignment has a name before the =");
}

void syntax_next(struct syntax_reader *reader, struct syntax_line *ret_line)
{
	*ret_line = (struct syntax_line){.kind = SYNTAX_END};
	while (reader->at < reader->end) {
		struct text line = syntax_take_line(reader);

		if (line.size == 0 || syntax_is_comment(line))
			continue;
		ret_line->number = reader->number;
		if (syntax_is_continued(line))
			line = syntax_trim(syntax_join(reader, line));
		if (line.size == 0)
			continue;
		if (memchr(line.data, '\0', line.size) || !text_is_utf8(line))
			syntax_fail(ret_line, "not UTF-8 text");
		else if (line.data[0] == '[')
			syntax_read_section(line, ret_line);
		else
			syntax_read_assignment(line, ret_line);
		return;
	}
}

int syntax_next_word(struct text *rest, struct text *ret_word)
{
	struct text text = syntax_trim(*rest);
	size_t size = 0;

	*ret_word = (struct text){NULL, 0};
	*rest = text;
	if (text.size == 0)
		return 0;
	if (text.data[0] == '"' || text.data[0] == '\'') {
		struct text inner = text_from_at(text, 1);

		size = text_find(inner, text.data[0]);
		if (size == inner.size)
			return -EINVAL;
		*rest = text_from_at(inner, size + 1);
		*ret_word = (struct text){inner.data, size};
		return rest->size == 0 || syntax_is_blank(rest->data[0]) ? 1 : -EINVAL;
	}
	while (size < text.size && !syntax_is_blank(text.data[size]))
		size++;
	*ret_word = (struct text){text.data, size};
	*rest = text_from_at(text, size);
	return 1;
}
