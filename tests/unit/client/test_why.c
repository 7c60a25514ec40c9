/* SPDX-License-Identifier: MIT */
#include "client/cli/render/why.h"

#include "tests/unit/client/plan_sample.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(tells_where_a_reference_stands)
{
	static const struct {
		/* The keys of job "b". */
		const char *keys;
		uint16_t why;
	} cases[] = {
		{"'url':'http://x/','after':['a']", WHY_AFTER},
		{"'url':'http://x/{{a}}'", WHY_URL},
		{"'url':'http://x/{{a#/x}}','after':['a']", WHY_AFTER | WHY_URL},
		{"'url':'http://x/','headers':{'x':['1','{{a.status}}']}", WHY_HEADERS},
		{"'url':'http://x/','query':{'x':'{{a.code}}'}", WHY_QUERY},
		{"'url':'http://x/','form':{'x':'{{a ?? none}}'}", WHY_FORM},
		{"'url':'http://x/','body':'-{{a.headers.etag}}-'", WHY_BODY},
		{"'url':'http://x/','json':'{{a}}'", WHY_JSON},
		{"'url':'http://x/','json':[1,{'x':[[],{'y':'{{a}}'}]}]", WHY_JSON},
		{"'url':'http://x/{{a}}{{input#/x}}','json':'\\\\{{a}}{{a}}'", WHY_URL | WHY_JSON},
		{"'url':'http://x/','when':{'a#/x':1}", WHY_WHEN},
		{"'url':'http://x/','when':{'not':{'a.status':{'lt':300}}}", WHY_WHEN},
		{"'url':'http://x/','when':{'input#/x':1,'any':[{'input#/y':'a'},{'not':"
		 "{'any':[{'a#/x':{'exists':true}}]}}]}",
			WHY_WHEN},
		{"'url':'http://x/','each':'{{a#/x}}'", WHY_EACH},
		{"'url':'http://x/{{a}}','each':['{{a#/x}}']", WHY_EACH | WHY_URL},
		{"'each':{'in':'{{a}}'},'jobs':{'c':{'url':'http://x/{{item}}'}},'when':{'a':1}",
			WHY_EACH | WHY_WHEN},
		{"'jobs':{'c':{'url':'http://x/'}},'after':['a']", WHY_AFTER},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer document;
		struct plan *plan;
		struct arena arena;
		uint16_t *reasons;

		buffer_init(&document, 65536);
		buffer_printf(
			&document, "{'jobs':{'a':{'url':'http://x/'},'b':{%s}}}", cases[i].keys);
		buffer_append_byte(&document, '\0');
		plan = plan_sample(document.data);
		arena_init(&arena, 1 << 20);
		reasons = why_collect(plan, source_collect(plan, &arena), &arena);
		ck_assert_ptr_nonnull(reasons);
		ck_assert_uint_eq(plan->n_edges, 1);
		ck_assert_msg(reasons[0] == cases[i].why, "%s gave %u", cases[i].keys, reasons[0]);
		arena_deinit(&arena);
		plan_free(plan);
		buffer_deinit(&document);
	}
}
END_TEST

START_TEST(tells_of_all_edges_at_once)
{
	struct plan *plan = plan_sample("{'defaults':{'headers':{'x':'{{a#/t}}'}},'jobs':{"
					"'g':{'jobs':{'c':{'url':'http://x/{{b}}'}},'after':['b']},"
					"'a':{'url':'http://x/','headers':{'x':'1'}},"
					"'b':{'url':'http://x/{{a}}'},"
					"'d':{'url':'http://x/{{g}}','headers':{'x':'1'}}}}");
	static const struct {
		uint32_t job, dependency;
		uint16_t why;
	} edges[] = {
		{0, 3, WHY_AFTER},
		{1, 2, WHY_HEADERS},
		{1, 3, WHY_URL},
		{3, 2, WHY_URL | WHY_HEADERS},
		{4, 0, WHY_URL},
	};
	struct arena arena;
	uint16_t *reasons;
	uint32_t n = 0;

	arena_init(&arena, 1 << 20);
	reasons = why_collect(plan, source_collect(plan, &arena), &arena);
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		for (uint32_t k = 0; k < plan->jobs[i].n_dependencies; k++, n++) {
			uint32_t edge = plan->jobs[i].first_dependency + k;

			ck_assert_uint_lt(n, countof(edges));
			ck_assert_uint_eq(i, edges[n].job);
			ck_assert_uint_eq(plan->dependencies[edge], edges[n].dependency);
			ck_assert_uint_eq(reasons[edge], edges[n].why);
		}
	}
	ck_assert_uint_eq(n, countof(edges));
	arena_deinit(&arena);
	plan_free(plan);
}
END_TEST

START_TEST(names_every_reason)
{
	ck_assert_str_eq(why_name(0), "after");
	ck_assert_str_eq(why_name(WHY_BITS - 1), "each");
}
END_TEST

UNIT_MAIN("client/why", &tells_where_a_reference_stands, &tells_of_all_edges_at_once,
	&names_every_reason)
