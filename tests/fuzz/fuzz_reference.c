/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a string with references. The pieces follow each other without a gap, so that put
 * together again (a "\" before each escaped "{{", the braces around each reference) they are the
 * input; the cursor always advances; what is called a reference is well-formed.
 */

#include <stdlib.h>

#include "http/header.h"
#include "proto/json.h"
#include "proto/plan.h"
#include "proto/reference.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_check_inside(struct text part, const char *begin, const char *end)
{
	expect(part.size == 0 || (part.data >= begin && part.data + part.size <= end));
}

static void fuzz_check_job(const struct reference *reference)
{
	switch (reference->kind) {
	case REFERENCE_INPUT:
	case REFERENCE_ITEM:
	case REFERENCE_INDEX:
	case REFERENCE_SECRET: expect(reference->job.size == 0); break;
	default:
		expect(plan_id_is_valid(reference->job));
		expect(!text_is(reference->job, "input") && !text_is(reference->job, "item"));
		expect(!text_is(reference->job, "index") && !text_is(reference->job, "secret"));
		break;
	}
	if (reference->kind == REFERENCE_HEADER)
		expect(header_name_is_valid(reference->name));
	else if (reference->kind == REFERENCE_SECRET)
		expect(plan_id_is_valid(reference->name));
	else
		expect(reference->name.size == 0);
}

static void fuzz_check_pointer(const struct reference *reference)
{
	char *memory = malloc(reference->pointer.size + 1);
	struct text pointer = reference_pointer(reference, memory);

	expect(pointer.data && pointer.size <= reference->pointer.size);
	expect(json_pointer_is_valid(pointer));
	free(memory);
}

/* `text` is the braces and what stands between them. */
static void fuzz_check_reference(const struct reference *reference, struct text text)
{
	const char *end = text.data + text.size;
	struct reference again;

	expect(text.size >= 5 && text.data[0] == '{' && text.data[1] == '{');
	expect(end[-1] == '}' && end[-2] == '}');
	fuzz_check_inside(reference->job, text.data + 2, end - 2);
	fuzz_check_inside(reference->pointer, text.data + 2, end - 2);
	fuzz_check_inside(reference->name, text.data + 2, end - 2);
	fuzz_check_inside(reference->fallback, text.data + 2, end - 2);
	fuzz_check_job(reference);
	fuzz_check_pointer(reference);
	expect(reference_is_whole(text, &again));
	expect(again.kind == reference->kind && again.raw == reference->raw);
	expect(text_equal(again.pointer, reference->pointer));
}

/* Where a literal begins: behind the backslash of an escaped "{{". */
static void fuzz_check_literal(struct text literal, struct text rest)
{
	bool is_escaped = text_starts_with(literal, TEXT("{{"));

	expect(literal.size > 0);
	expect(literal.data == rest.data + (is_escaped ? 1 : 0));
	expect(!is_escaped || rest.data[0] == '\\');
	expect(literal.size < 2 || !reference_is_in(text_from_at(literal, is_escaped ? 2 : 0)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = {(const char *)data, size};
	struct reference_cursor cursor = reference_cursor(input);
	enum reference_piece piece = REFERENCE_LITERAL;

	while (piece == REFERENCE_LITERAL || piece == REFERENCE_FOUND) {
		struct text rest = cursor.rest, literal;
		struct reference reference;
		size_t taken;

		piece = reference_next(&cursor, &literal, &reference);
		taken = rest.size - cursor.rest.size;
		expect(cursor.rest.size <= rest.size);
		expect(cursor.rest.size == 0 || cursor.rest.data == rest.data + taken);
		if (piece == REFERENCE_LITERAL) {
			fuzz_check_literal(literal, rest);
			expect((size_t)(literal.data + literal.size - rest.data) == taken);
		} else if (piece == REFERENCE_FOUND) {
			fuzz_check_reference(&reference, (struct text){rest.data, taken});
		} else {
			expect(taken == 0);
			expect((piece == REFERENCE_END) == (rest.size == 0));
		}
	}
	if (piece == REFERENCE_BAD)
		expect(reference_is_in(input));
	return 0;
}
