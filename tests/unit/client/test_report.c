/* SPDX-License-Identifier: MIT */
#include "client/cli/render/report_private.h"

#include "tests/unit/client/golden.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

#define SUBMITTED_NS (UINT64_C(1700000000) * 1000000000)

struct report {
	struct sink sink;
	struct plan *plan;
	struct render *render;
};

static void report_open(struct report *report, struct plan *plan)
{
	sink_init(&report->sink, -1, SINK_RAW);
	report->plan = plan;
	report->render = render_report_new(&(struct render_options){
		.sink = &report->sink, .plan = plan, .submitted_unix_ns = SUBMITTED_NS});
	ck_assert_ptr_nonnull(report->render);
}

static void report_close(struct report *report)
{
	render_free(report->render);
	sink_deinit(&report->sink);
	plan_free(report->plan);
}

static bool report_has(const struct report *report, const char *text)
{
	return memmem(report->sink.buffer.data, report->sink.buffer.size, text, strlen(text));
}

/* How often a text stands on the page. */
static size_t report_count(const struct report *report, const char *text)
{
	struct text rest = buffer_text(&report->sink.buffer);
	size_t n = 0, size = strlen(text);

	for (;;) {
		const char *hit = memmem(rest.data, rest.size, text, size);

		if (!hit)
			return n;
		rest = text_from_at(rest, (size_t)(hit - rest.data) + size);
		n++;
	}
}

/* The page without its style sheet and script, which have tests of their own. */
static struct text report_body(const struct report *report)
{
	struct text page = buffer_text(&report->sink.buffer);
	const char *from = memmem(page.data, page.size, "<body>", 6);
	const char *to = memmem(page.data, page.size, "<script>", 8);

	ck_assert(from && to && from < to);
	return (struct text){from, (size_t)(to - from)};
}

START_TEST(looks_as_it_did)
{
	struct report report;

	report_open(&report, sample_plan());
	sample_settle_all(report.render);
	golden_expect("report", report_body(&report));
	report_close(&report);
	report_open(&report, NULL);
	sample_settle_all(report.render);
	golden_expect("report_no_plan", report_body(&report));
	report_close(&report);
}
END_TEST

START_TEST(needs_nothing_but_itself)
{
	struct report report;

	report_open(&report, sample_plan());
	sample_settle_all(report.render);
	ck_assert(report_has(&report, "content=\"default-src 'none'; style-src 'sha256-"));
	ck_assert(report_has(&report, "; script-src 'sha256-"));
	ck_assert_uint_eq(report_count(&report, "<script"), 1);
	ck_assert_uint_eq(report_count(&report, "<style"), 1);
	ck_assert(!report_has(&report, " src="));
	ck_assert(!report_has(&report, "<link"));
	ck_assert(!report_has(&report, "@import"));
	ck_assert(!report_has(&report, "href=\"h"));
	ck_assert(!report_has(&report, " style="));
	ck_assert(!report_has(&report, " on"
				       "click="));
	/* Only what is on the page itself. */
	ck_assert_uint_eq(report_count(&report, "url("), report_count(&report, "url(#"));
	report_close(&report);
}
END_TEST

#define HOSTILE "</script></style></title></pre><img src=x onerror=alert(1)>\\\"'&amp;"

START_TEST(words_of_others_stay_words)
{
	static const char json[] =
		"{\"job\":\"a\",\"index\":0,\"status\":\"rejected\",\"attempts\":1,\"reason\":{"
		"\"code\":\"" HOSTILE "\",\"message\":\"" HOSTILE "\\u0000\\u001b[31m\\u009b\","
		"\"sent\":\"" HOSTILE "\",\"stopped\":\"" HOSTILE "\",\"response\":{\"status\":500,"
		"\"url\":\"http://x/" HOSTILE "\",\"headers\":{\"" HOSTILE "\":\"" HOSTILE "\"},"
		"\"bytes\":3}},\"conn\":{\"remote\":\"" HOSTILE "\"},\"time\":{\"end\":5}}";
	static const char summary[] =
		"{\"graph\":\"" HOSTILE "\",\"status\":\"rejected\",\"wall_ms\":5,\"rejected\":1,"
		"\"critical_path\":[\"a\"],\"reason\":{\"code\":\"" HOSTILE
		"\",\"message\":\"" HOSTILE "\"}}";
	struct render_record record = {
		.json = text_from(json),
		.job = TEXT("</script><img src=x>"),
		.body = TEXT("</pre></script><img src=x>\xff\x00\x1b\xc2\x9b<"),
		.is_rejected = true,
	};
	struct report report;

	report_open(&report, NULL);
	render_record(report.render, &record);
	render_finish(report.render, &(struct render_end){text_from(summary)});
	ck_assert(!report_has(&report, "<img"));
	ck_assert_uint_eq(report_count(&report, "<script"), 1);
	ck_assert_uint_eq(report_count(&report, "</script"), 1);
	ck_assert_uint_eq(report_count(&report, "</style"), 1);
	ck_assert_uint_eq(report_count(&report, "<title>"), report_count(&report, "</title>"));
	ck_assert_uint_eq(report_count(&report, "<pre>"), report_count(&report, "</pre>"));
	ck_assert(report_has(&report, "&lt;/script&gt;&lt;img src=x&gt;"));
	ck_assert(text_is_utf8(buffer_text(&report.sink.buffer)));
	for (size_t i = 0; i < report.sink.buffer.size; i++) {
		unsigned char c = (unsigned char)report.sink.buffer.data[i];

		ck_assert(c >= 0x20 || c == '\n' || c == '\t');
	}
	report_close(&report);
}
END_TEST

START_TEST(shows_who_waits_for_whom_where_the_plan_is_known)
{
	struct report report;

	report_open(&report, sample_plan());
	sample_settle_all(report.render);
	ck_assert(report_has(&report, "id=\"show-arrows\""));
	/* user to posts and author, posts to audit; not between instances. */
	ck_assert_uint_eq(report_count(&report, "<g data-from="), 3);
	report_close(&report);
	report_open(&report, NULL);
	sample_settle_all(report.render);
	ck_assert(!report_has(&report, "id=\"show-arrows\""));
	ck_assert(!report_has(&report, "<g data-from="));
	report_close(&report);
}
END_TEST

START_TEST(says_when_the_end_is_missing)
{
	struct report report;

	report_open(&report, NULL);
	sample_settle(report.render, &sample_settled[0]);
	render_finish(report.render, &(struct render_end){{NULL, 0}});
	ck_assert(report_has(&report, "cut short"));
	ck_assert(report_has(&report, "The connection to the daemon was lost"));
	report_close(&report);
}
END_TEST

START_TEST(is_a_page_where_nothing_ran)
{
	struct report report;

	report_open(&report, NULL);
	render_finish(report.render, &(struct render_end){TEXT("{\"status\":\"fulfilled\"}")});
	ck_assert(report_has(&report, "<span class=\"verdict good\">fulfilled</span>"));
	ck_assert(!report_has(&report, "Failed jobs"));
	ck_assert(!report_has(&report, "<tr id="));
	ck_assert(report_has(&report, "</html>\n"));
	report_close(&report);
}
END_TEST

START_TEST(folds_big_fan_outs)
{
	struct report report;
	char job[32], json[256];

	report_open(&report, NULL);
	for (uint32_t i = 0; i < REPORT_CHILDREN_MAX + 50; i++) {
		bool is_rejected = i == REPORT_CHILDREN_MAX + 7;

		snprintf(job, sizeof(job), "f[%u]", i);
		snprintf(json, sizeof(json),
			"{\"job\":\"%s\",\"index\":0,\"item\":%u,%s,\"attempts\":1,\"time\":{"
			"\"end\":"
			"5}}",
			job, i, is_rejected ? "\"reason\":{\"code\":\"X\"}" : "\"value\":{}");
		render_record(report.render, &(struct render_record){.job = text_from(job),
						     .json = text_from(json),
						     .is_rejected = is_rejected});
	}
	render_finish(
		report.render, &(struct render_end){TEXT("{\"critical_path\":[\"f[240]\"]}")});
	ck_assert_uint_eq(report_count(&report, "<tr id="), REPORT_CHILDREN_MAX + 3);
	ck_assert(report_has(&report, ">48 more</th>"));
	ck_assert(report_has(&report, "48 rows are folded"));
	ck_assert(report_has(&report, "f[207]"));
	ck_assert(report_has(&report, "f[240]"));
	ck_assert(!report_has(&report, "f[241]"));
	report_close(&report);
}
END_TEST

UNIT_MAIN("client/report", &looks_as_it_did, &needs_nothing_but_itself, &words_of_others_stay_words,
	&shows_who_waits_for_whom_where_the_plan_is_known, &says_when_the_end_is_missing,
	&is_a_page_where_nothing_ran, &folds_big_fan_outs)
