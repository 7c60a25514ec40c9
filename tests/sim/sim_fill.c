/* SPDX-License-Identifier: MIT */
#include "sim_fill.h"

#include <string.h>

#include "sim_json.h"
#include "sim_put.h"
#include "sim_world.h"

/* How a value's text is put where it is to go. */
typedef void (*sim_encode)(struct sim_bytes *out, struct text text);

/* What is being filled in. */
struct sim_filling {
	const struct sim_view *view;
	struct sim_filled *filled;
	struct sim_bytes out;
	bool is_lenient;
};

static void sim_fill_fail(struct sim_filling *filling, enum fault_code code)
{
	sim_codes_add(&filling->filled->codes, code);
	filling->filled->fails = true;
}

/* A string: literals as they stand (or encoded too), references encoded. */
static void sim_fill_string(
	struct sim_filling *filling, const char *template, sim_encode encode, bool all)
{
	struct sim_reference reference;
	struct text literal;

	for (;;) {
		size_t size = sim_reference_next(template, &literal, &reference);
		struct sim_value value;

		if (all)
			encode(&filling->out, literal);
		else
			sim_put_text(&filling->out, literal);
		if (size == SIZE_MAX)
			return;
		template += size;
		value = sim_value_of(filling->view, &reference);
		if (value.why != FAULT_NONE)
			sim_fill_fail(filling, value.why);
		else if (reference.is_raw)
			sim_put_text(&filling->out, value.text);
		else
			encode(&filling->out, value.text);
	}
}

/* -- JSON --------------------------------------------------------------------------------- */

static void sim_fill_json_string(struct sim_filling *filling, const char *template)
{
	struct sim_filling inner = *filling;
	struct sim_reference reference;
	struct text literal;
	size_t size = sim_reference_next(template, &literal, &reference);
	struct sim_value value;

	if (literal.size > 0 || size != strlen(template)) {
		inner.out = (struct sim_bytes){0};
		sim_fill_string(&inner, template, sim_put_text, false);
		sim_put_text(&filling->out,
			text_from(sim_json_quote((struct text){inner.out.data, inner.out.size})));
		return;
	}
	value = sim_value_of(filling->view, &reference);
	if (value.why == FAULT_NONE)
		sim_put_text(&filling->out, text_from(value.json));
	else if (filling->is_lenient)
		sim_put(&filling->out, "null");
	else
		sim_fill_fail(filling, value.why);
}

/* As deep as the templates that are drawn here. */
static void sim_fill_json_value(struct sim_filling *filling, yyjson_val *value)
{
	yyjson_val *key, *child;
	size_t i, n;

	if (yyjson_is_str(value)) {
		sim_fill_json_string(filling, yyjson_get_str(value));
	} else if (yyjson_is_obj(value)) {
		yyjson_obj_foreach(value, i, n, key, child)
		{
			sim_put(&filling->out, "%s\"%s\":", i ? "," : "{", yyjson_get_str(key));
			sim_fill_json_value(filling, child);
		}
		sim_put(&filling->out, n ? "}" : "{}");
	} else if (yyjson_is_arr(value)) {
		yyjson_arr_foreach(value, i, n, child)
		{
			sim_put(&filling->out, i ? "," : "[");
			sim_fill_json_value(filling, child);
		}
		sim_put(&filling->out, n ? "]" : "[]");
	} else {
		sim_put_text(&filling->out, text_from(sim_json_write(value)));
	}
}

const char *sim_fill_json(
	const struct sim_view *view, const char *template, bool lenient, struct sim_filled *filled)
{
	struct sim_filling filling = {.view = view, .filled = filled, .is_lenient = lenient};

	sim_fill_json_value(&filling, sim_json_read(template, strlen(template)));
	return sim_put_end(&filling.out);
}

yyjson_val *sim_fill_items(const struct sim_instance *each, enum fault_code *ret_code)
{
	const struct sim_fan *fan = each->node->fan;
	struct sim_view view = {.instance = each};
	struct sim_filled filled = {0};
	const char *text = sim_fill_json(&view, fan->in, false, &filled);
	yyjson_val *items = filled.fails ? NULL : sim_json_read(text, strlen(text));

	*ret_code = FAULT_NONE;
	if (filled.fails)
		*ret_code = sim_codes_has(&filled.codes, FAULT_REF_MISSING) ? FAULT_REF_MISSING
									    : FAULT_REF_NOT_JSON;
	else if (!yyjson_is_arr(items))
		*ret_code = FAULT_EACH_NOT_ARRAY;
	else if (fan->items_max && yyjson_arr_size(items) > fan->items_max)
		*ret_code = FAULT_EACH_TOO_LARGE;
	return *ret_code == FAULT_NONE ? items : NULL;
}

/* -- The URL ------------------------------------------------------------------------------ */

/* Names and values, of a query or a form. */
static void sim_fill_fields(struct sim_filling *filling, const struct sim_field *fields,
	unsigned n_fields, sim_encode encode)
{
	const char *mark = encode == sim_put_form ? "" : "?";

	if (*mark && filling->out.size && memchr(filling->out.data, '?', filling->out.size))
		mark = "&";
	for (unsigned f = 0; f < n_fields; f++) {
		yyjson_val *json = sim_json_read(fields[f].json, strlen(fields[f].json));
		size_t n = yyjson_is_arr(json) ? yyjson_arr_size(json) : 1;

		for (size_t i = 0; i < n; i++) {
			yyjson_val *value = yyjson_is_arr(json) ? yyjson_arr_get(json, i) : json;

			sim_put(&filling->out, "%s", mark);
			mark = "&";
			encode(&filling->out, text_from(fields[f].name));
			sim_put(&filling->out, "=");
			sim_fill_string(filling, sim_json_text(value).data, encode, true);
		}
	}
}

static bool sim_segment_is_dots(const char *segment, size_t size)
{
	return (size == 1 && segment[0] == '.') ||
	       (size == 2 && segment[0] == '.' && segment[1] == '.');
}

static void sim_fill_check_url(struct sim_filling *filling, const char *target)
{
	const char *end = target + strcspn(target, "?");

	if (strpbrk(target, "\r\n "))
		sim_fill_fail(filling, FAULT_TEMPLATE_UNSAFE);
	while (target < end) {
		size_t size = strcspn(target, "/?");

		if (sim_segment_is_dots(target, size))
			sim_fill_fail(filling, FAULT_TEMPLATE_UNSAFE);
		target += size + 1;
	}
}

static const char *sim_fill_url(struct sim_filling *filling, const struct sim_node *node)
{
	bool is_whole = strncmp(node->url, "{{", 2) == 0;
	const char *url, *target;

	filling->out = (struct sim_bytes){0};
	sim_fill_string(filling, node->url, is_whole ? sim_put_text : sim_put_url, false);
	sim_fill_fields(filling, node->query, node->n_query, sim_put_url);
	url = sim_put_end(&filling->out);
	target = strstr(url, "://");
	target = target ? strchr(target + 3, '/') : NULL;
	if (!target)
		return "";
	sim_fill_check_url(filling, target);
	return target;
}

/* -- All of it ---------------------------------------------------------------------------- */

static void sim_fill_body(struct sim_filling *filling, const struct sim_node *node)
{
	struct sim_filled *filled = filling->filled;

	filling->out = (struct sim_bytes){0};
	switch (node->body) {
	case SIM_FORM_NONE: return;
	case SIM_FORM_FILE: filled->body = sim_file_body(node->source); return;
	case SIM_FORM_JSON:
		filled->type = "application/json";
		filled->body = text_from(sim_fill_json(filling->view, node->json, false, filled));
		return;
	case SIM_FORM_FORM:
		filled->type = "application/x-www-form-urlencoded";
		sim_fill_fields(filling, node->form, node->n_form, sim_put_form);
		break;
	case SIM_FORM_TEXT:
		filled->type = "text/plain;charset=utf-8";
		sim_fill_string(filling, node->text, sim_put_text, false);
		break;
	}
	sim_put_end(&filling->out);
	filled->body = (struct text){filling->out.data, filling->out.size};
}

struct sim_filled sim_fill(const struct sim_view *view)
{
	const struct sim_node *node = view->instance->node;
	struct sim_filled filled = {.method = node->label->method};
	struct sim_filling filling = {.view = view, .filled = &filled};

	filled.target = sim_fill_url(&filling, node);
	if (node->header) {
		filling.out = (struct sim_bytes){0};
		sim_fill_string(&filling, node->header, sim_put_text, false);
		filled.header = sim_put_end(&filling.out);
		if (strpbrk(filled.header, "\r\n"))
			sim_fill_fail(&filling, FAULT_TEMPLATE_UNSAFE);
	}
	sim_fill_body(&filling, node);
	return filled;
}
