/* SPDX-License-Identifier: MIT */
#include "http/crlf.h"

#include "util/panic.h"

enum crlf_result crlf_take(
	struct buffer *part, struct text *rest, size_t max, struct text *ret_line)
{
	size_t lf = text_find(*rest, '\n');
	bool is_whole = lf < rest->size;
	struct text piece = {rest->data, is_whole ? lf + 1 : lf};

	if (part->size > 0 && part->data[part->size - 1] == '\n')
		buffer_clear(part);
	expect(part->size <= max);
	*rest = text_from_at(*rest, piece.size);
	if (piece.size > max - part->size)
		return CRLF_TOO_LONG;
	if (is_whole && part->size == 0) {
		*ret_line = piece;
		return CRLF_WHOLE;
	}
	buffer_append_text(part, piece);
	if (part->failed)
		return CRLF_NO_MEMORY;
	*ret_line = buffer_text(part);
	return is_whole ? CRLF_WHOLE : CRLF_PART;
}

const char *crlf_check(struct text line)
{
	if (line.size < 2 || line.data[line.size - 2] != '\r')
		return "a line does not end in CR LF";
	if (memchr(line.data, '\r', line.size - 2))
		return "a CR stands within a line";
	if (line.data[0] == ' ' || line.data[0] == '\t')
		return "a line begins with white space";
	return NULL;
}
