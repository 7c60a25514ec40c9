/* SPDX-License-Identifier: MIT */
#include "client/cli/render/why.h"

#include "proto/document.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/container.h"

START_TEST(tells_where_a_reference_stands)
{
	static const struct {
		/* The keys of job "b". */
		const char *keys;
		uint8_t why;
	} cases[] = {
		{"\"url\":\"http://x/\",\"after\":[\"a\"]", WHY_AFTER},
		{"\"url\":\"http://x/{{a}}\"", WHY_URL},
		{"\"url\":\"http://x/{{a#/x}}\",\"after\":[\"a\"]", WHY_AFTER | WHY_URL},
		{"\"url\":\"http://x/\",\"headers\":{\"x\":[\"1\",\"{{a.status}}\"]}", WHY_HEADERS},
		{"\"url\":\"http://x/\",\"query\":{\"x\":\"{{a.code}}\"}", WHY_QUERY},
		{"\"url\":\"http://x/\",\"form\":{\"x\":\"{{a ?? none}}\"}", WHY_FORM},
		{"\"url\":\"http://x/\",\"body\":\"-{{a.headers.etag}}-\"", WHY_BODY},
		{"\"url\":\"http://x/\",\"json\":\"{{a}}\"", WHY_JSON},
		{"\"url\":\"http://x/\",\"json\":[1,{\"x\":[[],{\"y\":\"{{a}}\"}]}]", WHY_JSON},
		{"\"url\":\"http://x/{{a}}{{input#/x}}\",\"json\":\"\\\\{{a}}{{a}}\"",
			WHY_URL | WHY_JSON},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_errors errors;
		struct buffer document;
		struct plan *plan = NULL;
		struct arena arena;
		uint8_t *reasons;

		buffer_init(&document, 65536);
		buffer_printf(&document, "{\"jobs\":{\"a\":{\"url\":\"http://x/\"},\"b\":{%s}}}",
			cases[i].keys);
		plan_errors_init(&errors);
		ck_assert_msg(document_parse(buffer_text(&document), &document_limits_default,
				      &plan, &errors) == 0,
			"%s", cases[i].keys);
		arena_init(&arena, 1 << 20);
		reasons = why_collect(plan, &arena);
		ck_assert_ptr_nonnull(reasons);
		ck_assert_uint_eq(plan->n_edges, 1);
		ck_assert_msg(reasons[0] == cases[i].why, "%s gave %u", cases[i].keys, reasons[0]);
		arena_deinit(&arena);
		plan_free(plan);
		plan_errors_deinit(&errors);
		buffer_deinit(&document);
	}
}
END_TEST

START_TEST(names_every_reason)
{
	ck_assert_str_eq(why_name(0), "after");
	ck_assert_str_eq(why_name(WHY_BITS - 1), "body");
}
END_TEST

UNIT_MAIN("client/why", &tells_where_a_reference_stands, &names_every_reason)
