/* SPDX-License-Identifier: MIT */

/*
 * The first byte says how a body is shown, the first line is a record, the rest a body. Of a
 * record that is JSON, splicing makes JSON, on one line, with the record in it.
 */

#include <yyjson.h>

#include "proto/record.h"
#include "tests/fuzz/fuzz.h"

static bool fuzz_is_json(struct text text)
{
	yyjson_doc *doc =
		yyjson_read(text.size ? text.data : "", text.size, YYJSON_READ_NUMBER_AS_RAW);

	yyjson_doc_free(doc);
	return doc != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = {(const char *)data, size};
	struct text record, body;
	struct buffer out;
	bool ok;

	if (size == 0)
		return 0;
	record = text_from_at(input, 1);
	record.size = text_find(record, '\n');
	body = text_from_at(input, 1 + record.size + 1);
	buffer_init(&out, 8 * size + 1024);
	ok = record_splice(&out, record, body, (struct text){NULL, 0}, data[0] % 3);
	expect(!out.failed);
	if (!ok)
		expect(text_equal(buffer_text(&out), record));
	if (ok)
		expect(out.size > record.size);
	if (fuzz_is_json(record))
		expect(fuzz_is_json(buffer_text(&out)));
	expect(text_find(buffer_text(&out), '\n') == out.size);
	buffer_deinit(&out);
	return 0;
}
