/* SPDX-License-Identifier: MIT */
#include "job/template_json.h"

#include "job/template.h"
#include "proto/json.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define BODY                                                                                       \
	"{\"n\":9007199254740993,\"f\":1.10,\"s\":\"x\\\"y\",\"z\":null,\"t\":true,"               \
	"\"o\":{ \"k\": [1, 2] },\"e\":\"\"}"

#define RESPONSE "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" BODY

static struct world_graph *graph;

static void begin(void)
{
	world_begin();
	graph = world_hold("{'jobs':{'a':{'url':'@a'},'r':{'url':'@r/{{a}}','needs':'settled'},"
			   "'b':{'url':'@b'}}}",
		RESPONSE);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

/* Fills a template, with ' for ". False where it is refused. */
static bool fill(const char *template, bool lenient, struct buffer *out, struct fault *ret_fault)
{
	char *quoted = world_quoted(template);
	struct json_error error;
	yyjson_doc *doc = json_read(text_from(quoted), &error);
	bool filled;

	ck_assert_msg(doc, "%s: %s", template, error.message);
	buffer_init(out, SIZE_MAX);
	filled = template_json_fill(
		graph->graph->root, yyjson_doc_get_root(doc), lenient, out, ret_fault);
	yyjson_doc_free(doc);
	free(quoted);
	return filled;
}

START_TEST(strings_are_filled_and_all_else_is_kept)
{
	static const struct {
		const char *template, *filled;
	} cases[] = {
		{"'{{a#/n}}'", "9007199254740993"},
		{"'{{a#/f}}'", "1.10"},
		{"'{{a#/s}}'", "\"x\\\"y\""},
		{"'{{a#/z}}'", "null"},
		{"'{{a#/t}}'", "true"},
		{"'{{a#/o}}'", "{\"k\":[1,2]}"},
		{"'{{a#/e}}'", "\"\""},
		{"'{{a.status}}'", "200"},
		{"'{{a.outcome}}'", "\"fulfilled\""},
		{"'{{a#/none ?? 1.0}}'", "1.0"},
		{"'{{a#/none ?? [1, {}]}}'", "[1,{}]"},
		{"'{{a#/none ?? text}}'", "\"text\""},
		{"'{{a#/none ??}}'", "\"\""},
		/* A present null has a value. */
		{"'{{a#/z ?? 1}}'", "null"},
		{"' {{a#/n}}'", "\" 9007199254740993\""},
		{"'{{a#/n}}{{a#/t}}'", "\"9007199254740993true\""},
		{"'x {{a#/o}} y'", "\"x {\\\"k\\\":[1,2]} y\""},
		{"'{{a#/s}}!'", "\"x\\\"y!\""},
		{"'{{a#/none ?? 1}}!'", "\"1!\""},
		{"'\\\\{{a#/n}}'", "\"{{a#/n}}\""},
		{"'no reference'", "\"no reference\""},
		{"{'k':'{{a#/n}}','l':['{{a#/t}}',1.50,null,true,{}],'m':{'x':[]}}",
			"{\"k\":9007199254740993,\"l\":[true,1.50,null,true,{}],\"m\":{\"x\":[]}}"},
		/* Never in a key. */
		{"{'{{a}}':1}", "{\"{{a}}\":1}"},
		{"9007199254740993", "9007199254740993"},
		{"[]", "[]"},
		{"{}", "{}"},
	};

	begin();
	for (size_t i = 0; i < countof(cases); i++) {
		for (int lenient = 0; lenient < 2; lenient++) {
			struct fault fault = {0};
			struct buffer out;

			ck_assert_msg(fill(cases[i].template, lenient, &out, &fault), "%s: %s",
				cases[i].template, fault.message);
			ck_assert_msg(text_is(buffer_text(&out), cases[i].filled), "%s gave %.*s",
				cases[i].template, TEXT_ARGS(buffer_text(&out)));
			buffer_deinit(&out);
		}
	}
	end();
}
END_TEST

START_TEST(what_is_missing_is_a_fault_or_null)
{
	static const struct {
		const char *template;
		enum fault_code code;
		const char *lenient;
	} cases[] = {
		{"'{{a#/none}}'", FAULT_REF_MISSING, "null"},
		{"['{{a#/none}}',1]", FAULT_REF_MISSING, "[null,1]"},
		{"{'k':'{{a.headers.none}}'}", FAULT_REF_MISSING, "{\"k\":null}"},
		{"'x{{a#/none}}y'", FAULT_REF_MISSING, "\"xy\""},
		{"'{{input#/x}}'", FAULT_REF_MISSING, "null"},
		{"'{{secret.KEY}}'", FAULT_SECRET_UNKNOWN, "null"},
	};

	begin();
	for (size_t i = 0; i < countof(cases); i++) {
		struct fault fault = {0};
		struct buffer out;

		ck_assert_msg(
			!fill(cases[i].template, false, &out, &fault), "%s", cases[i].template);
		ck_assert_msg(fault.code == cases[i].code, "%s: %s", cases[i].template,
			fault_name(fault.code));
		buffer_deinit(&out);
		ck_assert(fill(cases[i].template, true, &out, &fault));
		ck_assert_msg(text_is(buffer_text(&out), cases[i].lenient), "%s gave %.*s",
			cases[i].template, TEXT_ARGS(buffer_text(&out)));
		buffer_deinit(&out);
	}
	end();
}
END_TEST

START_TEST(it_nests_as_deep_as_a_document_may)
{
	char template[2 * JSON_DEPTH_MAX + 16] = "", *at = template;
	struct fault fault;
	struct buffer out;

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		*at++ = '[';
	memcpy(at, "'{{a#/t}}'", 10);
	at += 10;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		*at++ = ']';
	*at = '\0';
	begin();
	ck_assert(fill(template, false, &out, &fault));
	ck_assert_uint_eq(out.size, 2 * JSON_DEPTH_MAX + 4);
	ck_assert_mem_eq(out.data + JSON_DEPTH_MAX, "true", 4);
	buffer_deinit(&out);
	end();
}
END_TEST

START_TEST(what_does_not_fit_has_failed)
{
	struct json_error error;
	yyjson_doc *doc = json_read(TEXT("[\"{{a#/s}} and {{a#/o}}\"]"), &error);
	struct buffer out;
	struct fault fault;

	begin();
	buffer_init(&out, 10);
	template_json_fill(graph->graph->root, yyjson_doc_get_root(doc), false, &out, &fault);
	ck_assert(out.failed);
	buffer_deinit(&out);
	yyjson_doc_free(doc);
	end();
}
END_TEST

UNIT_MAIN("job/template_json", &strings_are_filled_and_all_else_is_kept,
	&what_is_missing_is_a_fault_or_null, &it_nests_as_deep_as_a_document_may,
	&what_does_not_fit_has_failed)
