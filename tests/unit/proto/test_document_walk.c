/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

/* Groups and fan-outs of all kinds, one in another. */
static const char nested[] = "{'jobs':{'a':{'url':'http://h'},"
			     "'g':{'jobs':[{'id':'b','url':'http://h'},"
			     "{'id':'h','jobs':{'c':{'each':[1],'url':'http://h'}}}]},"
			     "'f':{'each':[1],'jobs':{'d':{'url':'http://h'},"
			     "'e':{'each':[2],'jobs':{'x':{'url':'http://h'}}}}},"
			     "'i':{'jobs':{}},'z':{'url':'http://h'}}}";

START_TEST(a_plan_is_flat_and_depth_first)
{
	static const struct {
		const char *id;
		enum plan_kind kind;
		uint32_t index, parent, region, n_below;
	} wanted[] = {
		{"a", PLAN_LEAF, 0, PLAN_NONE, PLAN_NONE, 0},
		{"g", PLAN_GROUP, 1, PLAN_NONE, PLAN_NONE, 4},
		{"b", PLAN_LEAF, 2, 1, PLAN_NONE, 0},
		{"h", PLAN_GROUP, 3, 1, PLAN_NONE, 2},
		{"c", PLAN_EACH, 4, 3, PLAN_NONE, 1},
		{"c", PLAN_LEAF, 4, 4, 4, 0},
		{"f", PLAN_EACH, 5, PLAN_NONE, PLAN_NONE, 5},
		{"f", PLAN_GROUP, 5, 6, 6, 4},
		{"d", PLAN_LEAF, 6, 7, 6, 0},
		{"e", PLAN_EACH, 7, 7, 6, 2},
		{"e", PLAN_GROUP, 7, 9, 9, 1},
		{"x", PLAN_LEAF, 8, 10, 9, 0},
		{"i", PLAN_GROUP, 9, PLAN_NONE, PLAN_NONE, 0},
		{"z", PLAN_LEAF, 10, PLAN_NONE, PLAN_NONE, 0},
	};
	struct plan *plan = document_plan(nested);

	ck_assert_uint_eq(plan->n_jobs, countof(wanted));
	ck_assert_uint_eq(plan->n_leaves, 6);
	ck_assert_uint_eq(plan->n_eaches, 3);
	for (uint32_t i = 0; i < countof(wanted); i++) {
		const struct plan_job *job = &plan->jobs[i];

		document_assert_text(job->id, wanted[i].id);
		ck_assert_msg(job->kind == wanted[i].kind && job->index == wanted[i].index &&
				      job->parent == wanted[i].parent &&
				      job->region == wanted[i].region &&
				      job->n_below == wanted[i].n_below,
			"job %u: kind %d index %u parent %u region %u below %u", i, job->kind,
			job->index, job->parent, job->region, job->n_below);
		ck_assert((job->spec->group != NULL) == (job->kind == PLAN_GROUP));
		ck_assert((job->spec->each != NULL) == (job->kind == PLAN_EACH));
	}
	plan_free(plan);
}
END_TEST

START_TEST(an_id_finds_its_job_and_of_a_fan_out_the_whole)
{
	static const struct {
		const char *id;
		uint32_t index;
	} cases[] = {{"a", 0}, {"g", 1}, {"h", 3}, {"c", 4}, {"f", 6}, {"e", 9}, {"x", 11}};
	struct plan *plan = document_plan(nested);

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_uint_eq(
			plan_index(plan, plan_find(plan, text_from(cases[i].id))), cases[i].index);
	plan_free(plan);
}
END_TEST

START_TEST(only_the_graphs_own_array_gives_ids)
{
	static const struct refusal bad[] = {
		{"{'jobs':{'g':{'jobs':[{'id':'a','url':'http://h'},{'url':'http://h'}]}}}",
			FAULT_GRAPH_KEY, "/jobs/g/jobs/1", "the key \"id\" is missing"},
		{"{'jobs':[{'jobs':[{'jobs':{}}]}]}", FAULT_GRAPH_KEY, "/jobs/0/jobs/0",
			"the key \"id\" is missing"},
		{"{'jobs':{'g':{'id':'h','jobs':{}}}}", FAULT_GRAPH_KEY, "/jobs/g/id",
			"in an object the key is the id"},
		{"{'jobs':[{'jobs':{'a':{'id':'b','url':'http://h'}}}]}", FAULT_GRAPH_KEY,
			"/jobs/0/jobs/a/id", "in an object the key is the id"},
	};
	struct plan *plan = document_plan(
		"{'jobs':[{'jobs':{'a':{'url':'http://h'},'b':{'url':'http://h'}}},"
		"{'url':'http://h/{{0}}/{{a}}'},{'id':'x','each':[],'url':'http://h'},"
		"{'each':[],'url':'http://h/{{1}}'}]}");

	document_assert_text(plan->jobs[0].id, "0");
	document_assert_text(plan->jobs[3].id, "1");
	document_assert_text(plan->jobs[4].id, "x");
	document_assert_text(plan->jobs[6].id, "3");
	document_assert_text(plan->jobs[7].id, "3");
	ck_assert_uint_eq(plan->n_edges, 3);
	plan_free(plan);
	document_refusals(bad, countof(bad));
}
END_TEST

/* "unique in the whole document (groups nest, names do not)" */
START_TEST(ids_are_unique_in_the_whole_document)
{
	static const struct refusal bad[] = {
		{"{'jobs':{'a':{'url':'http://h'},'g':{'jobs':{'a':{'url':'http://h'}}}}}",
			FAULT_GRAPH_DUPLICATE_ID, "/jobs/g/jobs/a", "two jobs \"a\""},
		{"{'jobs':{'g':{'jobs':{'g':{'url':'http://h'}}}}}", FAULT_GRAPH_DUPLICATE_ID,
			"/jobs/g/jobs/g", "two jobs \"g\""},
		{"{'jobs':{'g':{'jobs':{'a':{'url':'http://h'}}},"
		 "'h':{'each':[],'jobs':[{'id':'a','url':'http://h'}]}}}",
			FAULT_GRAPH_DUPLICATE_ID, "/jobs/h/jobs/0/id", "two jobs \"a\""},
		{"{'jobs':[{'jobs':{'1':{'url':'http://h'}}},{'url':'http://h'}]}",
			FAULT_GRAPH_DUPLICATE_ID, "/jobs/1", "two jobs \"1\""},
		{"{'jobs':{'g':{'jobs':{'item':{'url':'http://h'}}}}}", FAULT_GRAPH_VALUE,
			"/jobs/g/jobs/item", "meaning"},
		{"{'jobs':{'g':{'jobs':[{'id':'x y','url':'http://h'}]}}}", FAULT_GRAPH_VALUE,
			"/jobs/g/jobs/0/id", "no id"},
	};

	document_refusals(bad, countof(bad));
}
END_TEST

/* `n` groups, one in another, and a job in the innermost. */
static void nest(struct buffer *json, unsigned n)
{
	buffer_clear(json);
	for (unsigned i = 0; i < n; i++)
		buffer_printf(json, "{'jobs':{'g%u':", i);
	buffer_printf(json, "{'jobs':{'a':{'url':'http://h','json':[{}]}}}");
	for (unsigned i = 0; i < n; i++)
		buffer_printf(json, "}}");
	buffer_append_byte(json, '\0');
}

START_TEST(groups_nest_to_32_levels)
{
	struct plan_errors errors;
	struct buffer json;
	struct plan *plan;
	struct text at;

	buffer_init(&json, 1 << 16);
	nest(&json, PLAN_DEPTH_MAX - 1);
	plan = document_plan(json.data);
	ck_assert_uint_eq(plan->n_jobs, PLAN_DEPTH_MAX);
	ck_assert_uint_eq(plan->jobs[PLAN_DEPTH_MAX - 1].parent, PLAN_DEPTH_MAX - 2);
	plan_free(plan);

	nest(&json, PLAN_DEPTH_MAX);
	document_errors(json.data, &errors);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_TOO_LARGE);
	document_assert_text(errors.errors[0].message, "groups nest deeper than 32 levels");
	at = errors.errors[0].at;
	document_assert_text(
		text_from_at(at, at.size - strlen("/jobs/g31/jobs")), "/jobs/g31/jobs");
	plan_errors_deinit(&errors);
	buffer_deinit(&json);
}
END_TEST

START_TEST(jobs_in_groups_count)
{
	static const char json[] = "{\"jobs\":[{\"jobs\":{\"a\":{\"url\":\"http://h\"},"
				   "\"b\":{\"each\":[],\"url\":\"http://h\"}}}]}";

	for (uint32_t max = 2; max <= 3; max++) {
		struct document_limits limits = {.jobs_max = max, .bytes_max = sizeof(json)};
		struct plan_errors errors;
		struct plan *plan = NULL;
		int r;

		plan_errors_init(&errors);
		r = document_parse(TEXT(json), &limits, &plan, &errors);
		ck_assert_int_eq(r, max == 3 ? 0 : DOCUMENT_E_REFUSED);
		if (r != 0) {
			ck_assert_uint_eq(errors.errors[0].code, FAULT_GRAPH_TOO_LARGE);
			document_assert_text(errors.errors[0].at, "/jobs");
			document_assert_text(errors.errors[0].message,
				"3 jobs are more than the 2 there may be");
		}
		plan_free(plan);
		plan_errors_deinit(&errors);
	}
}
END_TEST

START_TEST(what_is_no_job_is_told_where_it_stands)
{
	static const struct refusal bad[] = {
		{"{'jobs':{'g':{'jobs':{'a':7}}}}", FAULT_GRAPH_TYPE, "/jobs/g/jobs/a",
			"must be an object, not a number"},
		{"{'jobs':{'g':{'jobs':7}}}", FAULT_GRAPH_TYPE, "/jobs/g/jobs",
			"an object or an array, not a number"},
		{"{'jobs':{'g':{'jobs':{},'jobs':{'a':{}}}}}", FAULT_GRAPH_KEY, "/jobs/g/jobs",
			"twice"},
		{"{'jobs':{'f':{'each':[],'each':[],'url':'http://h'}}}", FAULT_GRAPH_KEY,
			"/jobs/f/each", "twice"},
		{"{'jobs':{'g':{'jobs':{'h':{'jobs':[{'id':'a','url':'x'}]}}}}}", FAULT_URL_INVALID,
			"/jobs/g/jobs/h/jobs/0/url", ""},
	};

	document_refusals(bad, countof(bad));
}
END_TEST

UNIT_MAIN("proto/document_walk", &a_plan_is_flat_and_depth_first,
	&an_id_finds_its_job_and_of_a_fan_out_the_whole, &only_the_graphs_own_array_gives_ids,
	&ids_are_unique_in_the_whole_document, &groups_nest_to_32_levels, &jobs_in_groups_count,
	&what_is_no_job_is_told_where_it_stands)
