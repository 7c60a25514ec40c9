/* SPDX-License-Identifier: MIT */
#include "client/cli/render/plan.h"

#include "client/cli/clean.h"
#include "proto/json.h"
#include "tests/unit/client/golden.h"
#include "tests/unit/client/plan_sample.h"
#include "tests/unit/unit.h"
#include "util/container.h"

typedef int (*plan_render)(struct buffer *out, const struct plan *plan);

static const struct {
	const char *name;
	plan_render render;
} forms[] = {
	{"text", plan_render_text},
	{"json", plan_render_json},
	{"mermaid", plan_render_mermaid},
	{"dot", plan_render_dot},
};

static const struct {
	const char *name, *document;
} graphs[] = {
	{"flat", "{'name':'g','timeout':'1.5s','concurrency':'unbounded','input':{'uid':1},"
		 "'defaults':{'headers':{'x-trace':'{{user#/id}}'}},'jobs':{"
		 "'audit':{'after':['profile'],'needs':'settled','optional':true,"
		 "'url':'http://a/audit','json':{'a':['{{profile.status ?? 0}}',"
		 "{'b':'\\\\{{config}}'}]}},"
		 "'profile':{'url':'http://a/p/{{user#/p}}','query':{'c':'{{config}}'}},"
		 "'user':{'url':'http://a/u/{{input#/uid}}','headers':{'x-trace':'none'}},"
		 "'config':{'url':'http://a/c','headers':{'x-trace':'none'},'method':'DELETE'}}}"},
	{"groups", "{'name':'dashboard','concurrency':8,'timeout':'5s','input':{'uid':1},'jobs':{"
		   "'user':{'url':'http://api.local/users/{{input#/uid}}'},"
		   "'config':{'url':'http://api.local/config','fallback':{'theme':'light'}},"
		   "'posts':{'each':'{{user#/post_ids}}','concurrency':5,"
		   "'url':'http://api.local/posts/{{item}}','retry':3},"
		   "'mirror':{'mode':'any','timeout':'250ms','jobs':{"
		   "'eu':{'url':'http://eu.local/x'},'us':{'url':'http://us.local/x'}}},"
		   "'author':{'each':{'in':[1,2,3],'mode':'all','batch':{'size':2,'delay':'50ms'}},"
		   "'when':{'user#/plan':'pro'},'else':[],'after':['mirror'],'jobs':{"
		   "'profile':{'url':'http://api.local/p/{{item}}'},"
		   "'book':{'url':'http://api.local/b/{{profile#/book}}','output':'discard'},"
		   "'none':{'jobs':{}}}},"
		   "'audit':{'after':['author'],'needs':'settled','method':'POST',"
		   "'url':'http://api.local/audit','json':{'n':'{{posts}}'}}}}"},
	{"wide", "{'jobs':{'first':{'url':'http://api.local/a/very/long/path/that/does/not/fit/on/"
		 "a/line/of/eighty/columns/and/goes/on/and/on?with=a&query=string&that=is&too=long"
		 "&even=for&four=lines&of=a&terminal=because&it=never&ends=ever&ends=ever&ends=ever"
		 "&ends=ever&ends=ever'},"
		 "'a_job_with_a_name_that_is_longer_than_the_column':{'url':'http://x/{{first}}'},"
		 "'last':{'url':'http://x/','query':{'a':'{{first}}','b':"
		 "'{{a_job_with_a_name_that_is_longer_than_the_column}}'},'after':['first']}}}"},
	{"hostile",
		"{'name':'x --- : %%{init: {}}%% <b>','jobs':{"
		"'end':{'url':'http://style.example/%%7B{{subgraph#/a}}?x=&lt;'},"
		"'subgraph':{'url':'http://h/*a*_b__c__d/[x](y)/~~s~~|p|</b>$$'},"
		"'g':{'jobs':{'click':{'url':'http://h/','when':{'input#/a':'`\\u009b\\u0007\\\\'}"
		"}}}}}"},
	{"empty", "{'name':'n','mode':'all','jobs':{}}"},
	{"list", "{'timeout':2,'jobs':[{'url':'http://a/','form':{'x':'{{b}}'}},"
		 "{'id':'b','url':'http://b/'}]}"},
};

START_TEST(looks_as_it_did)
{
	for (size_t i = 0; i < countof(graphs); i++) {
		for (size_t k = 0; k < countof(forms); k++) {
			struct buffer out = plan_sample_render(forms[k].render, graphs[i].document);
			char name[64];

			snprintf(name, sizeof(name), "plan_%s_%s", graphs[i].name, forms[k].name);
			out.size--;
			golden_expect(name, buffer_text(&out));
			buffer_deinit(&out);
		}
	}
}
END_TEST

START_TEST(text_keeps_to_its_columns)
{
	for (size_t i = 0; i < countof(graphs); i++) {
		struct buffer out = plan_sample_render(plan_render_text, graphs[i].document);
		struct text rest = buffer_text(&out);

		while (rest.size > 0) {
			size_t size = text_find(rest, '\n');

			ck_assert_uint_le(
				clean_width((struct text){rest.data, size}), PLAN_COLUMNS);
			ck_assert(size == 0 || rest.data[size - 1] != ' ');
			rest = text_from_at(rest, size + 1);
		}
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(json_is_json)
{
	for (size_t i = 0; i < countof(graphs); i++) {
		struct buffer out = plan_sample_render(plan_render_json, graphs[i].document);
		struct json_error error;
		yyjson_doc *doc;

		out.size--;
		ck_assert_uint_eq(text_find(buffer_text(&out), '\n'), out.size - 1);
		doc = json_read(buffer_text(&out), &error);
		ck_assert_ptr_nonnull(doc);
		yyjson_doc_free(doc);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(nothing_has_control_characters)
{
	for (size_t i = 0; i < countof(graphs); i++) {
		for (size_t k = 0; k < countof(forms); k++) {
			struct buffer out = plan_sample_render(forms[k].render, graphs[i].document);

			/* JSON has C1 as it is: the sink escapes it for terminals. */
			ck_assert(forms[k].render == plan_render_json ||
				  !memmem(out.data, out.size, "\xc2\x9b", 2));
			ck_assert(!memchr(out.data, '\a', out.size));
			buffer_deinit(&out);
		}
	}
}
END_TEST

START_TEST(a_long_chain_is_no_problem)
{
	struct buffer document, out;

	buffer_init(&document, 1 << 24);
	buffer_append_literal(&document, "{'jobs':[{'url':'http://x/'}");
	for (int i = 1; i < 10000; i++)
		buffer_printf(&document, ",{'url':'http://x/{{%d}}'}", i - 1);
	buffer_append_literal(&document, "]}");
	buffer_append_byte(&document, '\0');
	for (size_t k = 0; k < countof(forms); k++) {
		out = plan_sample_render(forms[k].render, document.data);
		ck_assert_uint_gt(out.size, 10000);
		buffer_deinit(&out);
	}
	buffer_deinit(&document);
}
END_TEST

UNIT_MAIN("client/plan", &looks_as_it_did, &text_keeps_to_its_columns, &json_is_json,
	&nothing_has_control_characters, &a_long_chain_is_no_problem)
