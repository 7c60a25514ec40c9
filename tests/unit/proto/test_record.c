/* SPDX-License-Identifier: MIT */
#include "proto/record.h"

#include <stdio.h>
#include <yyjson.h>

#include "tests/unit/unit.h"
#include "util/container.h"

#define MS(ms) ((uint64_t)((ms)*1000000))

static const struct header user_headers[] = {
	{TEXT_INIT("content-type"), TEXT_INIT("application/json")},
	{TEXT_INIT("etag"), TEXT_INIT("\"abc\"")},
};

static const struct record user = {
	.job = TEXT_INIT("user"),
	.attempts = 1,
	.via = RECORD_VIA_NETWORK,
	.response =
		{
			.status = 200,
			.version = 1,
			.url = TEXT_INIT("http://api.local/users/1"),
			.headers = user_headers,
			.n_headers = countof(user_headers),
			.bytes = 41,
		},
	.time =
		{
			.start = MS(0.02),
			.queue = MS(0.01),
			.connect = MS(0.11),
			.first_byte = MS(0.42),
			.body = MS(0.01),
			.end = MS(0.61),
		},
	.conn = {.remote = TEXT_INIT("127.0.0.1:80")},
};

static void expect_record(const struct record *record, const char *wanted)
{
	struct buffer out;

	buffer_init(&out, 1 << 20);
	record_append(&out, record);
	ck_assert(!out.failed);
	ck_assert_msg(text_is(buffer_text(&out), wanted), "got %.*s\nwanted %s",
		TEXT_ARGS(buffer_text(&out)), wanted);
	buffer_deinit(&out);
}

START_TEST(writes_a_fulfilled_record_as_documented)
{
	struct record record = user;

	expect_record(&user,
		"{\"job\":\"user\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\","
		"\"attempts\":1,\"value\":{\"status\":200,\"version\":\"1.1\","
		"\"url\":\"http://api.local/users/1\",\"redirects\":0,"
		"\"headers\":{\"content-type\":\"application/json\",\"etag\":\"\\\"abc\\\"\"},"
		"\"bytes\":41},\"time\":{\"start\":0.02,\"queue\":0.01,\"dns\":0,\"connect\":0.11,"
		"\"tls\":0,\"first_byte\":0.42,\"body\":0.01,\"end\":0.61},"
		"\"conn\":{\"reused\":false,\"remote\":\"127.0.0.1:80\"}}");

	record.response.n_headers = 0;
	record.response.version = 2;
	record.conn.reused = true;
	record.time = (struct record_time){.end = MS(12345.6785)};
	expect_record(&record,
		"{\"job\":\"user\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\","
		"\"attempts\":1,\"value\":{\"status\":200,\"version\":\"2\","
		"\"url\":\"http://api.local/users/1\",\"redirects\":0,\"headers\":{},"
		"\"bytes\":41},\"time\":{\"start\":0,\"queue\":0,\"dns\":0,\"connect\":0,"
		"\"tls\":0,\"first_byte\":0,\"body\":0,\"end\":12345.679},"
		"\"conn\":{\"reused\":true,\"remote\":\"127.0.0.1:80\"}}");
}
END_TEST

START_TEST(writes_a_fulfilled_record_without_a_response)
{
	struct record record = {.job = TEXT("late"), .index = 3, .via = RECORD_VIA_SKIPPED};

	record.response.bytes = 4;
	expect_record(&record,
		"{\"job\":\"late\",\"index\":3,\"status\":\"fulfilled\",\"via\":\"skipped\","
		"\"attempts\":0,\"value\":{\"bytes\":4},\"time\":{\"start\":0,\"queue\":0,"
		"\"dns\":0,\"connect\":0,\"tls\":0,\"first_byte\":0,\"body\":0,\"end\":0}}");
}
END_TEST

#define NO_TIME                                                                                    \
	",\"time\":{\"start\":0,\"queue\":0,\"dns\":0,\"connect\":0,\"tls\":0,\"first_byte\":0,"   \
	"\"body\":0,\"end\":0}"

START_TEST(writes_a_rejected_record_as_documented)
{
	struct fault fault;
	struct record record = {.job = TEXT("profile"), .index = 2, .attempts = 3};

	fault_set(&fault, FAULT_HTTP_STATUS, "503 %s", "Service \"Unavailable\"");
	record.reason = (struct record_reason){
		.fault = &fault, .retryable = true, .sent = RECORD_SENT_FULL};
	record.response = (struct record_response){.status = 503, .url = TEXT("http://a/")};
	record.response.bytes = 12;
	record.conn.remote = TEXT("[::1]:80");
	expect_record(&record,
		"{\"job\":\"profile\",\"index\":2,\"status\":\"rejected\",\"attempts\":3,"
		"\"reason\":{\"code\":\"HTTP_STATUS\",\"message\":\"503 Service "
		"\\\"Unavailable\\\"\","
		"\"retryable\":true,\"sent\":\"full\",\"response\":{\"status\":503,"
		"\"version\":\"1.0\",\"url\":\"http://a/\",\"redirects\":0,\"headers\":{},"
		"\"bytes\":12}}" NO_TIME ",\"conn\":{\"reused\":false,\"remote\":\"[::1]:80\"}}");
}
END_TEST

START_TEST(writes_who_caused_a_rejection)
{
	struct fault fault = {.code = FAULT_DEPENDENCY_REJECTED};
	struct record record = {.job = TEXT("c"), .index = 2};

	record.reason.fault = &fault;
	record.reason.job = TEXT("b");
	record.reason.root = TEXT("a");
	expect_record(&record,
		"{\"job\":\"c\",\"index\":2,\"status\":\"rejected\",\"attempts\":0,"
		"\"reason\":{\"code\":\"DEPENDENCY_REJECTED\","
		"\"message\":\"A job it depends on was rejected, so it was never sent\","
		"\"retryable\":false,\"job\":\"b\",\"root\":\"a\",\"sent\":\"none\"}" NO_TIME "}");

	fault.code = FAULT_CANCELLED;
	record.reason = (struct record_reason){
		.fault = &fault, .by = RECORD_BY_FAIL_FAST, .sent = RECORD_SENT_PARTIAL};
	expect_record(&record,
		"{\"job\":\"c\",\"index\":2,\"status\":\"rejected\",\"attempts\":0,"
		"\"reason\":{\"code\":\"CANCELLED\",\"message\":\"It was cancelled before it "
		"settled\","
		"\"retryable\":false,\"by\":\"fail_fast\",\"sent\":\"partial\"}" NO_TIME "}");
}
END_TEST

/* The "headers" object of a record with these headers. */
static void expect_headers(const struct header *headers, uint32_t n, const char *wanted)
{
	struct record record = user;
	struct buffer out;
	const char *from, *to;

	record.response.headers = headers;
	record.response.n_headers = n;
	buffer_init(&out, 1 << 20);
	record_append(&out, &record);
	buffer_append_byte(&out, '\0');
	ck_assert(!out.failed);
	from = strstr(out.data, "\"headers\":") + strlen("\"headers\":");
	to = strstr(from, ",\"bytes\":41}");
	ck_assert_ptr_nonnull(to);
	ck_assert_msg(text_is((struct text){from, (size_t)(to - from)}, wanted),
		"got %.*s\nwanted %s", (int)(to - from), from, wanted);
	buffer_deinit(&out);
}

START_TEST(gathers_repeated_headers_at_their_first_place)
{
	static const struct header headers[] = {
		{TEXT_INIT("set-cookie"), TEXT_INIT("a=1")},
		{TEXT_INIT("date"), TEXT_INIT("today")},
		{TEXT_INIT("set-cookie"), TEXT_INIT("b=2")},
		{TEXT_INIT("via"), TEXT_INIT("x")},
		{TEXT_INIT("set-cookie"), TEXT_INIT("c=3")},
		{TEXT_INIT("via"), TEXT_INIT("")},
	};

	expect_headers(headers, 2, "{\"set-cookie\":\"a=1\",\"date\":\"today\"}");
	expect_headers(headers, 3, "{\"set-cookie\":[\"a=1\",\"b=2\"],\"date\":\"today\"}");
	expect_headers(headers, countof(headers),
		"{\"set-cookie\":[\"a=1\",\"b=2\",\"c=3\"],\"date\":\"today\",\"via\":[\"x\",\"\"]"
		"}");
	/* Names that look alike to a hurried eye. */
	expect_headers((const struct header[]){{TEXT("abc"), TEXT("1")}, {TEXT("abd"), TEXT("2")}},
		2, "{\"abc\":\"1\",\"abd\":\"2\"}");
}
END_TEST

START_TEST(gathers_repeated_headers_of_the_largest_head)
{
	static struct header headers[1000];
	static char names[1000][8];
	struct buffer wanted;

	buffer_init(&wanted, 1 << 20);
	buffer_append_byte(&wanted, '{');
	for (unsigned i = 0; i < 1000; i++) {
		int size = snprintf(names[i], sizeof(names[i]), "x-%u", i % 500);

		headers[i] = (struct header){{names[i], (size_t)size}, TEXT("v")};
	}
	for (unsigned i = 0; i < 500; i++)
		buffer_printf(&wanted, "%s\"x-%u\":[\"v\",\"v\"]", i ? "," : "", i);
	buffer_append(&wanted, "}", 2);
	expect_headers(headers, 1000, wanted.data);
	buffer_deinit(&wanted);
}
END_TEST

START_TEST(makes_utf8_of_any_header)
{
	static const struct {
		struct text value;
		const char *wanted;
	} cases[] = {
		{TEXT_INIT("tab\there"), "tab\\there"},
		{TEXT_INIT("back\\slash, \"quote\""), "back\\\\slash, \\\"quote\\\""},
		{TEXT_INIT("caf\xe9"), "caf\xef\xbf\xbd"},
		{TEXT_INIT("caf\xc3\xa9 cr\xc3\xa8me"), "caf\xc3\xa9 cr\xc3\xa8me"},
		{TEXT_INIT("\xf0\x9f\x8e\x89\xf0\x9f"), "\xf0\x9f\x8e\x89\xef\xbf\xbd\xef\xbf\xbd"},
		{TEXT_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{TEXT_INIT("\x01\x1f"), "\\u0001\\u001f"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header header = {TEXT("h"), cases[i].value};
		char wanted[100];

		snprintf(wanted, sizeof(wanted), "{\"h\":\"%s\"}", cases[i].wanted);
		expect_headers(&header, 1, wanted);
	}
}
END_TEST

START_TEST(fits_its_own_estimate_whatever_the_numbers)
{
	struct record record = user;
	struct buffer out;
	yyjson_doc *doc;

	record.index = record.attempts = UINT32_MAX;
	record.response.status = UINT16_MAX;
	record.response.redirects = UINT32_MAX;
	record.response.bytes = UINT64_MAX;
	memset(&record.time, 0xff, sizeof(record.time));
	buffer_init(&out, 1 << 20);
	record_append(&out, &record);
	doc = yyjson_read(out.data, out.size, 0);
	ck_assert_ptr_nonnull(doc);
	yyjson_doc_free(doc);
	/* Far from the 1024 bytes of record.c. */
	ck_assert_uint_le(out.size, 700);

	buffer_clear(&out);
	for (unsigned code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
		struct fault fault = {.code = (enum fault_code)code};

		record.via = RECORD_VIA_NONE;
		record.reason = (struct record_reason){.fault = &fault,
			.by = RECORD_BY_DISCONNECT,
			.sent = RECORD_SENT_PARTIAL,
			.job = TEXT("j"),
			.root = TEXT("r")};
		record_append(&out, &record);
		ck_assert_uint_le(out.size, 1000);
		doc = yyjson_read(out.data, out.size, 0);
		ck_assert_ptr_nonnull(doc);
		yyjson_doc_free(doc);
		buffer_clear(&out);
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(leaves_a_buffer_that_is_too_small_as_it_was)
{
	static char quotes[3000];
	struct header header = {TEXT("q"), {quotes, sizeof(quotes)}};
	struct record record = user;
	struct buffer out;

	buffer_init(&out, 100);
	buffer_append_literal(&out, "before");
	record_append(&out, &record);
	ck_assert(out.failed);
	ck_assert(text_is(buffer_text(&out), "before"));
	buffer_deinit(&out);

	/* Room as it stands, but not with its escapes. */
	memset(quotes, '"', sizeof(quotes));
	record.response.headers = &header;
	record.response.n_headers = 1;
	buffer_init(&out, 5000);
	buffer_append_literal(&out, "before");
	record_append(&out, &record);
	ck_assert(out.failed);
	ck_assert(text_is(buffer_text(&out), "before"));
	buffer_deinit(&out);
}
END_TEST

static void expect_summary(const struct record_summary *summary, const char *wanted)
{
	struct buffer out;

	buffer_init(&out, 1 << 20);
	record_append_summary(&out, summary);
	ck_assert(!out.failed);
	ck_assert_msg(text_is(buffer_text(&out), wanted), "got %.*s\nwanted %s",
		TEXT_ARGS(buffer_text(&out)), wanted);
	buffer_deinit(&out);
}

START_TEST(writes_a_summary_as_documented)
{
	static const struct text path[] = {TEXT_INIT("user"), TEXT_INIT("profile")};
	struct fault fault = {.code = FAULT_JOB_REJECTED};
	struct record_summary summary = {
		.graph = TEXT("dashboard"),
		.jobs = 6,
		.fulfilled = 5,
		.rejected = 1,
		.wall_ns = MS(12.1),
		.sum_ns = MS(40.2),
		.critical_path = path,
		.n_critical_path = countof(path),
		.result = TEXT("{\"a\":1}"),
	};

	expect_summary(&summary,
		"{\"graph\":\"dashboard\",\"status\":\"fulfilled\",\"jobs\":6,\"fulfilled\":5,"
		"\"rejected\":1,\"skipped\":0,\"wall_ms\":12.1,\"sum_ms\":40.2,\"speedup\":3.3,"
		"\"critical_path\":[\"user\",\"profile\"],\"return\":{\"a\":1}}");

	summary = (struct record_summary){.is_rejected = true, .jobs = 1, .rejected = 1};
	summary.reason.fault = &fault;
	summary.reason.job = TEXT("user");
	expect_summary(&summary,
		"{\"status\":\"rejected\",\"jobs\":1,\"fulfilled\":0,\"rejected\":1,\"skipped\":0,"
		"\"wall_ms\":0,\"sum_ms\":0,\"speedup\":0.0,\"critical_path\":[],"
		"\"reason\":{\"code\":\"JOB_REJECTED\","
		"\"message\":\"A job was rejected, and that decided the "
		"graph\",\"job\":\"user\"}}");
}
END_TEST

START_TEST(rounds_the_speedup_to_one_decimal)
{
	static const struct {
		uint64_t sum, wall;
		const char *wanted;
	} cases[] = {
		{0, 0, "0.0"},
		{1, 1, "1.0"},
		{199, 100, "2.0"},
		{194, 100, "1.9"},
		{195, 100, "2.0"},
		{UINT64_MAX, UINT64_MAX, "1.0"},
		{UINT64_MAX, 1, "1844674407370955161.5"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct record_summary summary = {.sum_ns = cases[i].sum, .wall_ns = cases[i].wall};
		char wanted[100];
		struct buffer out;

		buffer_init(&out, 1 << 20);
		record_append_summary(&out, &summary);
		buffer_append_byte(&out, '\0');
		snprintf(wanted, sizeof(wanted), "\"speedup\":%s,", cases[i].wanted);
		ck_assert_msg(strstr(out.data, wanted), "%s has no %s", out.data, wanted);
		buffer_deinit(&out);
	}
}
END_TEST

UNIT_MAIN("proto/record", &writes_a_fulfilled_record_as_documented,
	&writes_a_fulfilled_record_without_a_response, &writes_a_rejected_record_as_documented,
	&writes_who_caused_a_rejection, &gathers_repeated_headers_at_their_first_place,
	&gathers_repeated_headers_of_the_largest_head, &makes_utf8_of_any_header,
	&fits_its_own_estimate_whatever_the_numbers, &leaves_a_buffer_that_is_too_small_as_it_was,
	&writes_a_summary_as_documented, &rounds_the_speedup_to_one_decimal)
