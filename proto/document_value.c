/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/container.h"

/*
 * Values that are one thing: a word, a duration, a size, the statuses that are ok, base64. Each
 * reader says what is wrong and leaves what it should have set as it was.
 */

/* What a status may be (RFC 9110 section 15: three digits, the first from 1 on). */
#define DOCUMENT_STATUS_MIN 100
#define DOCUMENT_STATUS_MAX 999

bool document_read_bool(
	struct document *document, yyjson_val *value, const struct document_at *at, bool *ret_bool)
{
	if (!yyjson_is_bool(value)) {
		document_refuse_type(document, at, value, "a boolean");
		return false;
	}
	*ret_bool = yyjson_is_true(value);
	return true;
}

bool document_read_string(struct document *document, yyjson_val *value,
	const struct document_at *at, struct text *ret_string)
{
	if (!yyjson_is_str(value)) {
		document_refuse_type(document, at, value, "a string");
		return false;
	}
	*ret_string = json_string(value);
	return true;
}

/* The text of a number or a string. */
static struct text document_scalar(yyjson_val *value)
{
	return yyjson_is_str(value) ? json_string(value) : json_number(value);
}

/* A number of seconds is a number; a string names its unit. */
static bool document_has_unit(struct text text)
{
	char last = text.size ? text.data[text.size - 1] : '0';

	return last == 's' || last == 'm' || last == 'h';
}

bool document_read_delay(struct document *document, yyjson_val *value, const struct document_at *at,
	uint64_t *ret_ns)
{
	struct text text = document_scalar(value);
	uint64_t ns;

	if (!text.data) {
		document_refuse_type(document, at, value, "a number of seconds or a string");
		return false;
	}
	if (!text_to_duration(text, &ns) || (yyjson_is_str(value) && !document_has_unit(text))) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" is no duration; write seconds, or a number with ms, s, m or h",
			document_quote(text).text);
		return false;
	}
	*ret_ns = ns;
	return true;
}

bool document_read_duration(struct document *document, yyjson_val *value,
	const struct document_at *at, uint64_t *ret_ns)
{
	uint64_t ns;

	if (!document_read_delay(document, value, at, &ns))
		return false;
	if (ns == 0) {
		document_refuse(document, at, FAULT_GRAPH_VALUE, "must be longer than 0");
		return false;
	}
	*ret_ns = ns;
	return true;
}

bool document_read_size(struct document *document, yyjson_val *value, const struct document_at *at,
	uint64_t *ret_bytes)
{
	struct text text = document_scalar(value);

	if (!text.data) {
		document_refuse_type(document, at, value, "a number of bytes or a string");
		return false;
	}
	if (text_to_size(text, ret_bytes))
		return true;
	document_refuse(document, at, FAULT_GRAPH_VALUE,
		"\"%s\" is no size; write bytes, or a whole number with k, m or g",
		document_quote(text).text);
	return false;
}

/* A number that is a count; false where it is a number, but none. */
static bool document_is_count(struct text text, uint32_t *ret_count)
{
	uint64_t count;

	if (!text_to_u64(text, PLAN_UNBOUNDED - 1, &count) || count == 0)
		return false;
	*ret_count = (uint32_t)count;
	return true;
}

bool document_read_count(struct document *document, yyjson_val *value, const struct document_at *at,
	uint32_t *ret_count)
{
	struct text text = json_number(value);

	if (text.data && document_is_count(text, ret_count))
		return true;
	if (text.data)
		document_refuse(
			document, at, FAULT_GRAPH_VALUE, "must be a whole number from 1 on");
	else
		document_refuse_type(document, at, value, "a number");
	return false;
}

bool document_read_bound(struct document *document, yyjson_val *value, const struct document_at *at,
	uint32_t *ret_bound)
{
	struct text text = document_scalar(value);

	if (yyjson_equals_str(value, "unbounded")) {
		*ret_bound = PLAN_UNBOUNDED;
		return true;
	}
	if (!yyjson_is_str(value) && text.data && document_is_count(text, ret_bound))
		return true;
	if (yyjson_is_str(value))
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be a whole number from 1 on, or \"unbounded\", not \"%s\"",
			document_quote(text).text);
	else if (text.data)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be a whole number from 1 on, or \"unbounded\"");
	else
		document_refuse_type(document, at, value, "a number or \"unbounded\"");
	return false;
}

bool document_read_priority(struct document *document, yyjson_val *value,
	const struct document_at *at, uint8_t *ret_priority)
{
	struct text text = json_number(value);
	uint64_t priority;

	if (!text.data) {
		document_refuse_type(document, at, value, "a number");
		return false;
	}
	if (!text_to_u64(text, PLAN_PRIORITY_MAX, &priority)) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be a whole number from 0 to %u", PLAN_PRIORITY_MAX);
		return false;
	}
	*ret_priority = (uint8_t)priority;
	return true;
}

int document_read_word(struct document *document, yyjson_val *value, const struct document_at *at,
	const struct document_word *words)
{
	struct text text = json_string(value);
	struct document_list wanted;
	size_t n = 0;

	for (; words[n].name.data; n++) {
		if (text.data && text_equal(words[n].name, text))
			return words[n].value;
	}
	wanted = document_list("or", words, n, sizeof(words[0]));
	if (!text.data)
		document_refuse_type(document, at, value, wanted.text);
	else
		document_refuse(document, at, FAULT_GRAPH_VALUE, "must be %s, not \"%s\"",
			wanted.text, document_quote(text).text);
	return -1;
}

static struct text document_trim(struct text text)
{
	while (text.size > 0 && text.data[0] == ' ')
		text = text_from_at(text, 1);
	while (text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	return text;
}

static bool document_read_status(struct text text, uint16_t *ret_status)
{
	uint64_t status;

	if (!text_to_u64(document_trim(text), DOCUMENT_STATUS_MAX, &status))
		return false;
	*ret_status = (uint16_t)status;
	return status >= DOCUMENT_STATUS_MIN;
}

/* "404" or "200-299". */
static bool document_read_range(struct text text, struct plan_range *ret_range)
{
	size_t dash = text_find(text, '-');
	struct text from = {text.data, dash};
	struct text to = dash < text.size ? text_from_at(text, dash + 1) : from;

	return document_read_status(from, &ret_range->from) &&
	       document_read_status(to, &ret_range->to) && ret_range->from <= ret_range->to;
}

/* How many ranges a number or a string of them may have at most. */
static size_t document_count_ranges(struct text text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.size; i++)
		n += text.data[i] == ',';
	return n;
}

/* One of the words, which is then seen. */
static bool document_take_status_word(struct document_statuses *statuses, yyjson_val *value)
{
	const struct document_word *word = statuses->words;

	for (; word && word->name.data; word++) {
		if (!text_equal(word->name, json_string(value)))
			continue;
		statuses->seen |= 1u << word->value;
		return true;
	}
	return false;
}

/* The ranges of one number or string, put behind those before. */
static void document_read_ranges(struct document *document, struct document_statuses *statuses,
	yyjson_val *value, const struct document_at *at)
{
	struct text rest = document_scalar(value);
	bool is_last = false;

	if (!rest.data) {
		document_refuse_type(document, at, value, "a status or a string of ranges");
		return;
	}
	if (yyjson_is_str(value) && document_take_status_word(statuses, value))
		return;
	while (!is_last) {
		struct text range = {rest.data, text_find(rest, ',')};

		if (!document_read_range(range, &statuses->ranges[statuses->n])) {
			document_refuse(document, at, FAULT_GRAPH_VALUE,
				"\"%s\" is no status from 100 to 999, nor a range of them%s",
				document_quote(range).text,
				statuses->words ? ", nor \"network\" or \"timeout\"" : "");
			return;
		}
		statuses->n++;
		is_last = range.size == rest.size;
		rest = text_from_at(rest, range.size + 1);
	}
}

bool document_read_statuses(struct document *document, yyjson_val *value,
	const struct document_at *at, struct document_statuses *statuses)
{
	bool is_array = yyjson_is_arr(value);
	yyjson_arr_iter iter = yyjson_arr_iter_with(value);
	struct document_at element = {.parent = at};
	size_t n_max = 0;
	yyjson_val *member;

	if (!is_array)
		n_max = document_count_ranges(document_scalar(value));
	while ((member = yyjson_arr_iter_next(&iter)))
		n_max += document_count_ranges(document_scalar(member));
	if (n_max == 0) {
		document_refuse(document, at, FAULT_GRAPH_VALUE, "there is no status in it");
		return false;
	}
	statuses->n = 0;
	statuses->ranges = document_alloc(document, n_max, sizeof(*statuses->ranges));
	if (!statuses->ranges)
		return false;
	if (!is_array)
		document_read_ranges(document, statuses, value, at);
	iter = yyjson_arr_iter_with(value);
	while ((member = yyjson_arr_iter_next(&iter))) {
		document_read_ranges(document, statuses, member, &element);
		element.index++;
	}
	return true;
}

void document_read_ok(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct document_statuses statuses = {.words = NULL};

	if (!document_read_statuses(document, value, at, &statuses))
		return;
	job->spec.ok = statuses.ranges;
	job->spec.n_ok = statuses.n;
}

static int document_base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

ptrdiff_t document_decode_base64(struct text text, char *out)
{
	char *begin = out;
	size_t n_padding = 0;

	if (text.size % 4 != 0)
		return -1;
	while (n_padding < 2 && n_padding < text.size &&
		text.data[text.size - 1 - n_padding] == '=')
		n_padding++;
	for (size_t i = 0; i < text.size; i += 4) {
		size_t n = i + 4 == text.size ? 4 - n_padding : 4;
		uint32_t bits = 0;

		for (size_t k = 0; k < 4; k++) {
			int digit = k < n ? document_base64_digit(text.data[i + k]) : 0;

			if (digit < 0)
				return -1;
			bits = bits << 6 | (uint32_t)digit;
		}
		if (bits & ((n == 2 ? 0xffffu : n == 3 ? 0xffu : 0)))
			return -1;
		for (size_t k = 0; k + 1 < n; k++)
			*out++ = (char)(bits >> (16 - 8 * k) & 0xff);
	}
	return out - begin;
}

void document_read_base64(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct text text;
	char *bytes;
	ptrdiff_t size;

	if (!document_take_body(document, job, at) ||
		!document_read_string(document, value, at, &text))
		return;
	bytes = document_alloc(document, text.size / 4 * 3 + 1, 1);
	if (!bytes)
		return;
	size = document_decode_base64(text, bytes);
	if (size < 0) {
		document_refuse(document, at, FAULT_GRAPH_VALUE, "not base64 with its padding");
		return;
	}
	job->spec.body = PLAN_BODY_BYTES;
	job->spec.body_text = (struct text){bytes, (size_t)size};
}

static void document_read_connect(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.connect_ns);
}

static void document_read_handshake(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.tls_ns);
}

static void document_read_first_byte(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.first_byte_ns);
}

static void document_read_idle(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->spec.timeouts.idle_ns);
}

void document_read_timeouts(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_key keys[] = {
		{TEXT_INIT("connect"), document_read_connect, 0},
		{TEXT_INIT("tls"), document_read_handshake, 0},
		{TEXT_INIT("first_byte"), document_read_first_byte, 0},
		{TEXT_INIT("idle"), document_read_idle, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};

	document_read_object(document, &schema, value, job, at);
}
