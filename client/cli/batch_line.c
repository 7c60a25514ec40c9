/* SPDX-License-Identifier: MIT */
/*
 * Lines meet in a graph by chance, so that none may speak of another, nor be more than one
 * request: what a batch says in its lines holds in any order and any grouping. What is wrong with
 * a line otherwise (an unknown key, a bad URL) the daemon says, where it stands.
 */
#include "client/cli/batch_line.h"

#include "client/cli/compose.h"
#include "proto/json.h"
#include "proto/reference.h"
#include "util/container.h"

static struct text batch_line_trim(struct text line)
{
	static const char blanks[] = " \t\r\v\f";

	while (line.size > 0 && memchr(blanks, line.data[0], sizeof(blanks) - 1))
		line = text_from_at(line, 1);
	while (line.size > 0 && memchr(blanks, line.data[line.size - 1], sizeof(blanks) - 1))
		line.size--;
	return line;
}

/* A reference to another job in one of its strings: yyjson keeps a value and all in it side by
 * side, in the order of the text. */
static bool batch_line_refers(yyjson_val *job)
{
	yyjson_val *end = unsafe_yyjson_get_next(job);

	for (yyjson_val *at = job; at < end; at++) {
		struct text text = json_string(at), literal;
		struct reference_cursor cursor;
		struct reference reference;
		enum reference_piece piece;

		if (!text.data || !reference_is_in(text))
			continue;
		cursor = reference_cursor(text);
		do {
			piece = reference_next(&cursor, &literal, &reference);
			if (piece == REFERENCE_FOUND && reference.job.size > 0)
				return true;
		} while (piece == REFERENCE_FOUND || piece == REFERENCE_LITERAL);
	}
	return false;
}

/* A body that would come in pieces, or to a file that nobody has opened. */
static bool batch_line_is_elsewhere(yyjson_val *job)
{
	yyjson_val *output = yyjson_obj_get(job, "output");

	return yyjson_equals_str(output, "stream") || yyjson_equals_str(output, "file");
}

static enum batch_line batch_line_check(yyjson_val *job, struct fault *ret_fault)
{
	static const char *const keys[] = {"id", "after", "each", "jobs"};

	if (!yyjson_is_obj(job)) {
		fault_set(ret_fault, FAULT_GRAPH_TYPE, "it is neither a URL nor a JSON object");
		return BATCH_LINE_BAD;
	}
	for (size_t i = 0; i < countof(keys); i++) {
		if (!yyjson_obj_get(job, keys[i]))
			continue;
		fault_set(ret_fault, FAULT_GRAPH_KEY,
			"a line is one request by itself, and takes no \"%s\"", keys[i]);
		return BATCH_LINE_BAD;
	}
	if (batch_line_is_elsewhere(job)) {
		fault_set(ret_fault, FAULT_GRAPH_VALUE,
			"a line's body is in its record: leave \"output\" out, or use --body DIR/");
		return BATCH_LINE_BAD;
	}
	if (!batch_line_refers(job))
		return BATCH_LINE_JOB;
	fault_set(ret_fault, FAULT_GRAPH_UNKNOWN_JOB,
		"a line is one request by itself, and refers to no job");
	return BATCH_LINE_BAD;
}

static enum batch_line batch_line_read_job(struct text line, struct fault *ret_fault)
{
	struct json_error error;
	yyjson_doc *doc = json_read(line, &error);
	enum batch_line result;

	if (!doc) {
		fault_set(ret_fault, FAULT_GRAPH_SYNTAX, "%s at column %zu", error.message,
			error.at + 1);
		return BATCH_LINE_BAD;
	}
	result = batch_line_check(yyjson_doc_get_root(doc), ret_fault);
	yyjson_doc_free(doc);
	return result;
}

enum batch_line batch_line_read(struct text *line, struct fault *ret_fault)
{
	*line = batch_line_trim(*line);
	if (line->size == 0 || line->data[0] == '#')
		return BATCH_LINE_NOTHING;
	if (line->data[0] == '{' || line->data[0] == '[')
		return batch_line_read_job(*line, ret_fault);
	if (text_is_utf8(*line))
		return BATCH_LINE_URL;
	fault_set(ret_fault, FAULT_URL_INVALID, "it is not UTF-8");
	return BATCH_LINE_BAD;
}

void batch_line_append(struct buffer *out, struct text line)
{
	if (line.data[0] == '{')
		buffer_append_text(out, line);
	else
		compose_append_job(out, line);
}
