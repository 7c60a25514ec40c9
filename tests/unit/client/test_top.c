/* SPDX-License-Identifier: MIT */
#include "client/cli/top.h"

#include "proto/json.h"
#include "tests/unit/unit.h"

#define STATUS                                                                                     \
	"{\"server\":\"settled/0.1.0\",\"uptime_ms\":3723000,\"draining\":false,\"sessions\":3,"   \
	"\"graphs\":5,\"in_flight\":7,\"resolving\":1,\"body_bytes\":204800,"                      \
	"\"total\":{\"jobs\":1500,\"attempts\":1600},"                                             \
	"\"connections\":{\"open\":9,\"idle\":2,\"dialled\":10,\"reused\":1590},"                  \
	"\"graph_list\":[{\"graph\":12,\"name\":\"dash\\u001b[1m\",\"uid\":1000,\"jobs\":6,"       \
	"\"settled\":4,\"in_flight\":2,\"age_ms\":61000},"                                         \
	"{\"graph\":13,\"jobs\":1,\"settled\":0,\"in_flight\":1,\"age_ms\":90}]}"

#define HEAD                                                                                       \
	"settled/0.1.0  up 1h 02m  3 sessions  5 graphs  7 in flight  1 resolving  "               \
	"bodies 200 KiB\n"
#define TABLE "\n   GRAPH  NAME                         UID      JOBS   SETTLED  IN FLIGHT  AGE\n"
#define DASH  "      12  dash?[1m                    1000         6         4          2  1m 01s\n"

static struct top_sample sample;
static yyjson_doc *doc;

static void top_begin(const char *json)
{
	struct json_error error;

	doc = json_read(text_from(json), &error);
	ck_assert_ptr_nonnull(doc);
	top_read(&sample, yyjson_doc_get_root(doc));
}

static void top_expect(const struct top_sample *before, const struct top_view *view,
	uint32_t n_lines, const char *wanted)
{
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_uint_eq(top_append(&out, &sample, before, view), n_lines);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, wanted);
	buffer_deinit(&out);
	yyjson_doc_free(doc);
}

START_TEST(shows_the_daemon_and_its_graphs)
{
	top_begin(STATUS);
	top_expect(NULL, &(struct top_view){0}, 8,
		HEAD "jobs 1500  attempts 1600\n"
		     "connections 9 open, 2 idle, 10 dialled, 1590 reused\n" TABLE DASH
		     "      13  -                              -         1         0          1  "
		     "0.0 s\n"
		     "          and 3 more\n");
}
END_TEST

START_TEST(tells_rates_between_two_samples)
{
	struct top_sample before;

	top_begin(STATUS);
	before = sample;
	before.uptime_ms -= 2000;
	before.jobs -= 300;
	before.attempts -= 301;
	before.dialled -= 1;
	/* Of a daemon that was started anew. */
	before.reused = 100000;
	sample.n_listed = 0;
	sample.is_draining = true;
	top_expect(&before, &(struct top_view){0}, 3,
		"settled/0.1.0  up 1h 02m  3 sessions  5 graphs  7 in flight  1 resolving  "
		"bodies 200 KiB  draining\n"
		"jobs 1500, 150/s  attempts 1600, 151/s\n"
		"connections 9 open, 2 idle, 10 dialled, 1/s, 1590 reused, 0/s\n");
}
END_TEST

START_TEST(fits_the_terminal)
{
	top_begin(STATUS);
	top_expect(NULL, &(struct top_view){.rows = 8, .columns = 20}, 7,
		"settled/0.1.0  up 1\n"
		"jobs 1500  attempts\n"
		"connections 9 open,\n"
		"\n"
		"   GRAPH  NAME\n"
		"      12  dash?[1m\n"
		"          and 4 mor\n");
	top_begin(STATUS);
	top_expect(NULL, &(struct top_view){.rows = 4, .columns = 20}, 3,
		"settled/0.1.0  up 1\n"
		"jobs 1500  attempts\n"
		"connections 9 open,\n");
}
END_TEST

START_TEST(an_age_is_not_cut_at_80_columns)
{
	top_begin("{\"graphs\":1,\"graph_list\":[{\"graph\":12,\"name\":\"a name that is longer "
		  "than this\","
		  "\"jobs\":5,\"age_ms\":86300000}]}");
	top_expect(NULL, &(struct top_view){.rows = 24, .columns = 80}, 6,
		"a daemon  up 0.0 s  0 sessions  1 graphs  0 in flight  bodies 0 bytes\n"
		"jobs 0  attempts 0\n"
		"connections 0 open, 0 idle, 0 dialled, 0 reused\n"
		"\n"
		"   GRAPH  NAME                     UID      JOBS   SETTLED  IN FLIGHT  AGE\n"
		"      12  a name that is longe       -         5         0          0  23h 58m\n");
}
END_TEST

START_TEST(shows_what_is_not_there_as_nothing)
{
	top_begin("{}");
	top_expect(NULL, &(struct top_view){0}, 3,
		"a daemon  up 0.0 s  0 sessions  0 graphs  0 in flight  bodies 0 bytes\n"
		"jobs 0  attempts 0\n"
		"connections 0 open, 0 idle, 0 dialled, 0 reused\n");
	top_begin("[1]");
	ck_assert_uint_eq(sample.n_listed, 0);
	yyjson_doc_free(doc);
}
END_TEST

UNIT_MAIN("client/top", &shows_the_daemon_and_its_graphs, &tells_rates_between_two_samples,
	&fits_the_terminal, &an_age_is_not_cut_at_80_columns, &shows_what_is_not_there_as_nothing)
