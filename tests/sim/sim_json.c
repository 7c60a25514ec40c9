/* SPDX-License-Identifier: MIT */
#include "sim_json.h"

#include <string.h>

#include "proto/json.h"
#include "sim_put.h"
#include "sim_world.h"

static void *sim_json_malloc(void *context, size_t size)
{
	(void)context;
	return sim_alloc(size);
}

static void *sim_json_realloc(void *context, void *at, size_t old_size, size_t size)
{
	void *larger = sim_alloc(size);

	(void)context;
	memcpy(larger, at, old_size < size ? old_size : size);
	sim_release(at, old_size);
	return larger;
}

/* It goes with the world. */
static void sim_json_free(void *context, void *at)
{
	(void)context;
	(void)at;
}

static const yyjson_alc memory = {sim_json_malloc, sim_json_realloc, sim_json_free, NULL};

yyjson_val *sim_json_read(const char *text, size_t size)
{
	yyjson_doc *doc;

	if (size == 0)
		return NULL;
	doc = yyjson_read_opts(
		(char *)(uintptr_t)text, size, YYJSON_READ_NUMBER_AS_RAW, &memory, NULL);
	return doc ? yyjson_doc_get_root(doc) : NULL;
}

const char *sim_json_write(yyjson_val *value)
{
	return yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &memory, NULL, NULL);
}

struct text sim_json_text(yyjson_val *value)
{
	if (yyjson_is_str(value))
		return (struct text){yyjson_get_str(value), yyjson_get_len(value)};
	return text_from(sim_json_write(value));
}

yyjson_val *sim_json_at(yyjson_val *value, const char *pointer)
{
	return json_pointer(value, text_from(pointer));
}

const char *sim_json_quote(struct text text)
{
	struct sim_bytes out = {0};

	sim_put(&out, "\"");
	sim_put_json(&out, text.data, text.size);
	sim_put(&out, "\"");
	return sim_put_end(&out);
}

bool sim_json_is_equal(struct text a, struct text b)
{
	yyjson_val *one = sim_json_read(a.data, a.size), *other = sim_json_read(b.data, b.size);

	return one && other && yyjson_equals(one, other);
}
