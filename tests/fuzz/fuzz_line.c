/* SPDX-License-Identifier: MIT */

/*
 * A stream in pieces of any size gives the messages that can be read off the whole, in that
 * order, and no others.
 */

#include "proto/line.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_BOUND 512

/* What is left of the stream, read off without a reader. */
struct fuzz_whole {
	struct text rest;
	/* True exactly when the next line is beyond the bound. */
	bool is_too_long;
};

/* False where there is no whole message. */
static bool fuzz_whole_next(
	struct fuzz_whole *whole, struct text *ret_line, struct text *ret_payload)
{
	size_t end;
	uint64_t size;

	while (whole->rest.size > 0 && whole->rest.data[0] == '\n')
		whole->rest = text_from_at(whole->rest, 1);
	end = text_find(whole->rest, '\n');
	whole->is_too_long = end > FUZZ_BOUND;
	if (end == whole->rest.size || whole->is_too_long)
		return false;
	*ret_line = (struct text){whole->rest.data, end};
	size = line_payload_size(*ret_line);
	if (size > whole->rest.size - end - 1)
		return false;
	*ret_payload = (struct text){whole->rest.data + end + 1, (size_t)size};
	whole->rest = text_from_at(whole->rest, end + 1 + (size_t)size);
	return true;
}

/* All messages that are whole so far. False: the stream ends here, it is too long. */
static bool fuzz_take(struct line_reader *reader, struct fuzz_whole *whole)
{
	for (;;) {
		struct text line, payload, wanted_line, wanted_payload;

		switch (line_reader_next(reader, &line)) {
		case LINE_MORE: return true;
		case LINE_TOO_LONG: return false;
		case LINE_FOUND: break;
		}
		if (line_payload_size(line) > SIZE_MAX ||
			!line_reader_payload(reader, (size_t)line_payload_size(line), &payload)) {
			line_reader_unread(reader, line);
			return true;
		}
		expect(fuzz_whole_next(whole, &wanted_line, &wanted_payload));
		expect(text_equal(line, wanted_line));
		expect(text_equal(payload, wanted_payload));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_choices choices = fuzz_choices_of(size ? data[0] : 0);
	struct fuzz_whole whole = {.rest = {(const char *)data, size}};
	struct text rest = whole.rest, line, payload;
	struct line_reader reader;
	bool is_fine = true;

	line_reader_init(&reader, FUZZ_BOUND);
	while (is_fine && rest.size > 0) {
		size_t piece = 1 + fuzz_choose(&choices, rest.size < 100 ? rest.size : 100);

		/* A payload is not bounded here, so that there may be no room. */
		if (!line_reader_append(&reader, rest.data, piece))
			break;
		rest = text_from_at(rest, piece);
		is_fine = fuzz_take(&reader, &whole);
	}
	if (rest.size == 0 || !is_fine) {
		expect(!fuzz_whole_next(&whole, &line, &payload));
		expect(is_fine == !whole.is_too_long);
	}
	line_reader_deinit(&reader);
	return 0;
}
