/* SPDX-License-Identifier: MIT */
#include "client/cli/render/source.h"

#include "tests/unit/client/plan_sample.h"
#include "tests/unit/unit.h"

static void source_expect(const char *document, const char *const *pointers)
{
	struct plan *plan = plan_sample(document);
	struct arena arena;
	struct source *sources;
	struct buffer at;

	arena_init(&arena, 1 << 20);
	buffer_init(&at, 1 << 20);
	sources = source_collect(plan, &arena);
	ck_assert_ptr_nonnull(sources);
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		ck_assert_ptr_nonnull(pointers[i]);
		buffer_clear(&at);
		source_append_pointer(&at, plan, sources, i);
		buffer_append_byte(&at, '\0');
		ck_assert_str_eq(at.data, pointers[i]);
		ck_assert_ptr_nonnull(yyjson_doc_ptr_get(plan->doc, pointers[i]));
		ck_assert_ptr_eq(yyjson_doc_ptr_get(plan->doc, pointers[i]), sources[i].value);
	}
	ck_assert_ptr_null(pointers[plan->n_jobs]);
	buffer_deinit(&at);
	arena_deinit(&arena);
	plan_free(plan);
}

START_TEST(finds_jobs_by_name_and_by_place)
{
	source_expect("{'jobs':{'b':{'url':'http://x/'},'a':{'url':'http://x/'}}}",
		(const char *const[]){"/jobs/b", "/jobs/a", NULL});
	source_expect("{'jobs':[{'url':'http://x/'},{'id':'n','url':'http://x/'}]}",
		(const char *const[]){"/jobs/0", "/jobs/1", NULL});
	source_expect("{'jobs':{}}", (const char *const[]){NULL});
}
END_TEST

START_TEST(goes_into_groups_and_out_again)
{
	source_expect("{'jobs':{'g':{'jobs':{'h':{'jobs':{'x':{'url':'http://x/'}}},"
		      "'y':{'url':'http://x/'}}},'none':{'jobs':{}},'z':{'url':'http://x/'}}}",
		(const char *const[]){"/jobs/g", "/jobs/g/jobs/h", "/jobs/g/jobs/h/jobs/x",
			"/jobs/g/jobs/y", "/jobs/none", "/jobs/z", NULL});
	source_expect("{'jobs':[{'id':'g','jobs':[{'id':'a','url':'http://x/'},"
		      "{'id':'b','url':'http://x/'}]}]}",
		(const char *const[]){"/jobs/0", "/jobs/0/jobs/0", "/jobs/0/jobs/1", NULL});
}
END_TEST

START_TEST(a_fan_out_and_its_child_are_one)
{
	source_expect("{'jobs':{'f':{'each':[1],'url':'http://x/'},"
		      "'g':{'each':[1],'jobs':{'x':{'each':[2],'url':'http://x/'}}}}}",
		(const char *const[]){"/jobs/f", "/jobs/f", "/jobs/g", "/jobs/g", "/jobs/g/jobs/x",
			"/jobs/g/jobs/x", NULL});
}
END_TEST

UNIT_MAIN("client/source", &finds_jobs_by_name_and_by_place, &goes_into_groups_and_out_again,
	&a_fan_out_and_its_child_are_one)
