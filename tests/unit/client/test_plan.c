/* SPDX-License-Identifier: MIT */
#include "client/cli/render/plan.h"

#include "proto/document.h"
#include "tests/unit/unit.h"

#define GRAPH                                                                                      \
	"{\"name\":\"g\",\"timeout\":\"1.5s\",\"concurrency\":\"unbounded\","                      \
	"\"input\":{\"uid\":1},\"defaults\":{\"headers\":{\"x-trace\":\"{{user#/id}}\"}},"         \
	"\"jobs\":{"                                                                               \
	"\"audit\":{\"after\":[\"profile\"],\"needs\":\"settled\",\"optional\":true,"              \
	"\"url\":\"http://a/"                                                                      \
	"audit\",\"json\":{\"a\":[\"{{profile.status}}\",{\"b\":\"\\\\{{config}}\"}]}},"           \
	"\"profile\":{\"url\":\"http://a/p/{{user#/p}}\",\"query\":{\"c\":\"{{config}}\"}},"       \
	"\"user\":{\"url\":\"http://a/u/{{input#/uid}}\",\"headers\":{\"x-trace\":\"none\"}},"     \
	"\"config\":{\"url\":\"http://a/c\",\"headers\":{\"x-trace\":\"none\"},"                   \
	"\"method\":\"DELETE\"}}}"

static struct plan *plan_make(const char *json)
{
	struct plan_errors errors;
	struct plan *plan = NULL;

	plan_errors_init(&errors);
	ck_assert_msg(
		document_parse(text_from(json), &document_limits_default, &plan, &errors) == 0,
		"%.*s: %.*s", TEXT_ARGS(errors.errors[0].at), TEXT_ARGS(errors.errors[0].message));
	plan_errors_deinit(&errors);
	return plan;
}

static void plan_expect(int (*render)(struct buffer *out, const struct plan *plan),
	const char *json, const char *text)
{
	struct plan *plan = plan_make(json);
	struct buffer out;

	buffer_init(&out, 1 << 20);
	ck_assert_int_eq(render(&out, plan), 0);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, text);
	buffer_deinit(&out);
	plan_free(plan);
}

START_TEST(shows_levels_and_why)
{
	plan_expect(plan_render_text, GRAPH,
		"g: 4 jobs in 3 levels, mode settled, concurrency unbounded, timeout 1.5 s\n"
		"level 0\n"
		"  user     GET http://a/u/{{input#/uid}}\n"
		"  config   DELETE http://a/c\n"
		"level 1\n"
		"  profile  GET http://a/p/{{user#/p}}\n"
		"           <- user (url, headers)\n"
		"           <- config (query)\n"
		"level 2\n"
		"  audit    POST http://a/audit, optional, needs settled\n"
		"           <- profile (after, json)\n"
		"           <- user (headers)\n"
		"critical path: user > profile > audit\n");
}
END_TEST

START_TEST(shows_a_list_of_jobs)
{
	plan_expect(plan_render_text, "{\"jobs\":[{\"url\":\"http://a/\"}]}",
		"graph: 1 job in 1 level, mode settled, concurrency 256\n"
		"level 0\n"
		"  0  GET http://a/\n");
	plan_expect(plan_render_text, "{\"mode\":\"all\",\"jobs\":{}}",
		"graph: 0 jobs in 0 levels, mode all, concurrency 256\n");
}
END_TEST

START_TEST(has_a_stable_form_for_programs)
{
	plan_expect(plan_render_json,
		"{\"timeout\":2,\"jobs\":[{\"url\":\"http://a/\",\"form\":{\"x\":\"{{b}}\"}},"
		"{\"id\":\"b\",\"url\":\"http://b/\"}]}",
		"{\"mode\":\"settled\",\"concurrency\":256,\"timeout\":2,\"jobs\":["
		"{\"job\":\"0\",\"index\":0,\"level\":1,\"method\":\"POST\",\"url\":\"http://a/\","
		"\"needs\":\"fulfilled\",\"optional\":false,\"dependencies\":["
		"{\"job\":\"b\",\"by\":[\"form\"]}]},"
		"{\"job\":\"b\",\"index\":1,\"level\":0,\"method\":\"GET\",\"url\":\"http://b/\","
		"\"needs\":\"fulfilled\",\"optional\":false,\"dependencies\":[]}],"
		"\"levels\":[[\"b\"],[\"0\"]],\"critical_path\":[\"b\",\"0\"]}\n");
	plan_expect(plan_render_json, "{\"name\":\"n\",\"jobs\":{}}",
		"{\"graph\":\"n\",\"mode\":\"settled\",\"concurrency\":256,\"timeout\":null,"
		"\"jobs\":[],\"levels\":[],\"critical_path\":[]}\n");
}
END_TEST

UNIT_MAIN("client/plan", &shows_levels_and_why, &shows_a_list_of_jobs,
	&has_a_stable_form_for_programs)
