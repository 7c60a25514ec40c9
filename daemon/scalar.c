/* SPDX-License-Identifier: MIT */
#include "scalar.h"

#include "util/container.h"
#include "util/log.h"
#include "util/panic.h"

/*
 * The spellings are those of systemd (systemd.time(7), and parse_boolean() and parse_size() of
 * its sources), which take in those of a graph document: whoever knows one of the two is
 * understood.
 */

#define SCALAR_SIZE_TEXT_MAX 24

struct scalar_word {
	struct text word;
	uint64_t value;
};

static const struct scalar_word scalar_booleans[] = {
	{TEXT_INIT("1"), 1},
	{TEXT_INIT("yes"), 1},
	{TEXT_INIT("y"), 1},
	{TEXT_INIT("true"), 1},
	{TEXT_INIT("t"), 1},
	{TEXT_INIT("on"), 1},
	{TEXT_INIT("0"), 0},
	{TEXT_INIT("no"), 0},
	{TEXT_INIT("n"), 0},
	{TEXT_INIT("false"), 0},
	{TEXT_INIT("f"), 0},
	{TEXT_INIT("off"), 0},
};

static const struct scalar_word scalar_levels[] = {
	{TEXT_INIT("err"), LOG_LEVEL_ERROR},
	{TEXT_INIT("error"), LOG_LEVEL_ERROR},
	{TEXT_INIT("warning"), LOG_LEVEL_WARNING},
	{TEXT_INIT("info"), LOG_LEVEL_INFO},
	{TEXT_INIT("debug"), LOG_LEVEL_DEBUG},
};

/* In microseconds; a number without a unit is seconds. */
static const struct scalar_word scalar_units[] = {
	{TEXT_INIT(""), 1000000},
	{TEXT_INIT("us"), 1},
	{TEXT_INIT("usec"), 1},
	{TEXT_INIT("ms"), 1000},
	{TEXT_INIT("msec"), 1000},
	{TEXT_INIT("s"), 1000000},
	{TEXT_INIT("sec"), 1000000},
	{TEXT_INIT("second"), 1000000},
	{TEXT_INIT("seconds"), 1000000},
	{TEXT_INIT("m"), 60000000},
	{TEXT_INIT("min"), 60000000},
	{TEXT_INIT("minute"), 60000000},
	{TEXT_INIT("minutes"), 60000000},
	{TEXT_INIT("h"), 3600000000},
	{TEXT_INIT("hr"), 3600000000},
	{TEXT_INIT("hour"), 3600000000},
	{TEXT_INIT("hours"), 3600000000},
	{TEXT_INIT("d"), 86400000000},
	{TEXT_INIT("day"), 86400000000},
	{TEXT_INIT("days"), 86400000000},
};

static bool scalar_find_word(
	const struct scalar_word *words, size_t n, struct text text, uint64_t *ret_value)
{
	for (size_t i = 0; i < n; i++) {
		if (text_equal_nocase(words[i].word, text)) {
			*ret_value = words[i].value;
			return true;
		}
	}
	return false;
}

static bool scalar_parse_count(struct text text, uint64_t *ret_value)
{
	if (text_is(text, "infinity") || text_is(text, "unbounded")) {
		*ret_value = SCALAR_UNBOUNDED;
		return true;
	}
	return text_to_u64(text, SCALAR_UNBOUNDED - 1, ret_value);
}

static bool scalar_is_digit(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* How many characters from the start are of a number (`digits`), or are not. */
static size_t scalar_span(struct text text, bool digits)
{
	size_t n = 0;

	while (n < text.size && text.data[n] != ' ' && scalar_is_digit(text.data[n]) == digits)
		n++;
	return n;
}

static struct text scalar_skip_spaces(struct text text)
{
	while (text.size > 0 && text.data[0] == ' ')
		text = text_from_at(text, 1);
	return text;
}

/* One number with its unit off the front: "5min 20s", "1.5 h". */
static bool scalar_take_span(struct text *rest, uint64_t *ret_ns)
{
	struct text number = {rest->data, scalar_span(*rest, true)};
	struct text after = scalar_skip_spaces(text_from_at(*rest, number.size));
	struct text unit = {after.data, scalar_span(after, false)};
	unsigned __int128 scaled;
	uint64_t ns, scale;

	if (!text_to_duration(number, &ns))
		return false;
	if (!scalar_find_word(scalar_units, countof(scalar_units), unit, &scale))
		return false;
	/* `ns` is the number taken as seconds. */
	scaled = (unsigned __int128)ns * scale / 1000000;
	if (scaled > UINT64_MAX)
		return false;
	*ret_ns = (uint64_t)scaled;
	*rest = scalar_skip_spaces(text_from_at(after, unit.size));
	return true;
}

static bool scalar_parse_duration(struct text text, uint64_t *ret_ns)
{
	uint64_t total = 0, ns;

	if (text.size == 0)
		return false;
	while (text.size > 0) {
		if (!scalar_take_span(&text, &ns) || __builtin_add_overflow(total, ns, &total))
			return false;
	}
	*ret_ns = total;
	return true;
}

static bool scalar_parse_size(struct text text, uint64_t *ret_bytes)
{
	char lower[SCALAR_SIZE_TEXT_MAX];

	if (text.size > sizeof(lower))
		return false;
	for (size_t i = 0; i < text.size; i++)
		lower[i] = text_lower(text.data[i]);
	return text_to_size((struct text){lower, text.size}, ret_bytes);
}

bool scalar_parse(enum scalar_type type, struct text text, uint64_t *ret_value)
{
	switch (type) {
	case SCALAR_BOOL:
		return scalar_find_word(scalar_booleans, countof(scalar_booleans), text, ret_value);
	case SCALAR_COUNT: return scalar_parse_count(text, ret_value);
	case SCALAR_DURATION: return scalar_parse_duration(text, ret_value);
	case SCALAR_LEVEL:
		return scalar_find_word(scalar_levels, countof(scalar_levels), text, ret_value);
	case SCALAR_SIZE: return scalar_parse_size(text, ret_value);
	}
	unreachable("a type of the table");
}

const char *scalar_describe(enum scalar_type type)
{
	switch (type) {
	case SCALAR_BOOL: return "yes or no";
	case SCALAR_COUNT: return "a whole number, or infinity";
	case SCALAR_DURATION: return "a time span, such as 30s or 5min";
	case SCALAR_LEVEL: return "error, warning, info or debug";
	case SCALAR_SIZE: return "a size, such as 65536, 64K or 16M";
	}
	unreachable("a type of the table");
}
