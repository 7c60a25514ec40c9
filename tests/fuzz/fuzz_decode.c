/* SPDX-License-Identifier: MIT */

/*
 * The first byte chooses the codings, the second where to cut; the rest is a body. From 0xf0 on,
 * the first line of the rest is the field Content-Encoding itself. In one piece and one slice, and
 * in random ones of both, by the same object, it must come to the same.
 */

#include <stdlib.h>

#include "http/decode.h"
#include "tests/fuzz/fuzz.h"
#include "util/container.h"

#define FUZZ_BYTES_MAX ((uint64_t)256 * 1024)

static const char *const fuzz_fields[] = {
	"gzip",
	"deflate",
	"br",
	"zstd",
	"gzip, deflate",
	"deflate, deflate, deflate",
	"br, deflate",
	"zstd, deflate",
	"deflate, br",
	"deflate, zstd",
	"br, zstd, x-gzip",
	"identity",
};

struct fuzz_reading {
	struct buffer body;
	enum decode_result result;
	struct decode_fault fault;
};

/* One piece; false after a fault. */
static bool fuzz_feed(struct decode *decode, struct text piece, struct fuzz_reading *reading,
	struct fuzz_choices *choices)
{
	enum decode_result result;

	do {
		size_t slice = choices ? 1 + fuzz_choose(choices, 5000) : 2 * FUZZ_BYTES_MAX;
		size_t before = reading->body.size, used = SIZE_MAX;

		result = decode_feed(decode, piece, &used, &reading->body, slice);
		expect(used <= piece.size);
		expect(reading->body.size - before <= slice);
		expect(result != DECODE_DONE);
		expect(result != DECODE_MORE_INPUT || used == piece.size);
		piece = text_from_at(piece, used);
	} while (result == DECODE_MORE_OUTPUT);
	return result == DECODE_MORE_INPUT;
}

static void fuzz_read(struct decode *decode, const struct header *header, struct text body,
	struct fuzz_reading *reading, struct fuzz_choices *choices)
{
	bool is_fine = true;

	buffer_init(&reading->body, 4 * FUZZ_BYTES_MAX);
	decode_begin(decode, header, 1, FUZZ_BYTES_MAX);
	while (body.size > 0 && is_fine) {
		struct text piece = body;

		/* Mostly a few bytes. */
		if (choices)
			piece.size = 1 + fuzz_choose(choices, fuzz_choose(choices, 8) ? 12 : 4096);
		if (piece.size > body.size)
			piece.size = body.size;
		is_fine = fuzz_feed(decode, piece, reading, choices);
		body = text_from_at(body, piece.size);
	}
	reading->result = is_fine ? decode_end(decode) : DECODE_FAULT;
	reading->fault = decode_fault(decode);
	expect(reading->result == DECODE_DONE || reading->result == DECODE_FAULT);
	expect((reading->fault.kind == DECODE_FAULT_NONE) == (reading->result == DECODE_DONE));
	expect((reading->fault.why[0] == '\0') == (reading->result == DECODE_DONE));
	expect(reading->fault.kind != DECODE_FAULT_MEMORY);
	expect(reading->body.size <= FUZZ_BYTES_MAX + 1);
	expect(reading->result == DECODE_FAULT || reading->body.size <= FUZZ_BYTES_MAX);
	expect(!reading->body.failed);
}

static struct text fuzz_take_line(struct text *rest)
{
	struct text line = {rest->data, text_find(*rest, '\n')};

	*rest = text_from_at(*rest, line.size + 1);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text body = {(const char *)data + (size < 2 ? size : 2), size < 2 ? 0 : size - 2};
	struct fuzz_choices choices = fuzz_choices_of(size < 2 ? 0 : data[1]);
	size_t at = size < 2 ? 0 : data[0];
	struct header header = {.name = TEXT("content-encoding")};
	struct fuzz_reading whole, pieces;
	struct decode *decode = decode_new();

	expect(decode);
	if (at >= 0xf0)
		header.value = fuzz_take_line(&body);
	else
		header.value = text_from(fuzz_fields[at % countof(fuzz_fields)]);
	fuzz_read(decode, &header, body, &whole, NULL);
	fuzz_read(decode, &header, body, &pieces, &choices);
	expect(whole.result == pieces.result);
	if (whole.result == DECODE_DONE)
		expect(text_equal(buffer_text(&whole.body), buffer_text(&pieces.body)));
	if (!decode_is_needed(&header, 1) && whole.result == DECODE_DONE)
		expect(text_equal(buffer_text(&whole.body), body));
	if (body.size == 0)
		expect(whole.result == DECODE_DONE);
	buffer_deinit(&whole.body);
	buffer_deinit(&pieces.body);
	decode_free(decode);
	return 0;
}
