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

	record.response.headers_json = TEXT("{}");
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

START_TEST(writes_why_there_was_no_further_attempt)
{
	static const struct {
		enum record_stopped stopped;
		const char *wanted;
	} cases[] = {
		{RECORD_STOPPED_NONE, ""},
		{RECORD_STOPPED_POLICY, ",\"stopped\":\"policy\""},
		{RECORD_STOPPED_ATTEMPTS, ",\"stopped\":\"attempts\""},
		{RECORD_STOPPED_NOT_IDEMPOTENT, ",\"stopped\":\"not_idempotent\""},
		{RECORD_STOPPED_BUDGET, ",\"stopped\":\"budget\""},
		{RECORD_STOPPED_DEADLINE, ",\"stopped\":\"deadline\""},
	};
	struct fault fault = {.code = FAULT_HTTP_STATUS};

	for (size_t i = 0; i < countof(cases); i++) {
		struct record record = {.job = TEXT("p"), .attempts = 1};
		char wanted[600];

		record.reason.fault = &fault;
		record.reason.sent = RECORD_SENT_FULL;
		record.reason.stopped = cases[i].stopped;
		record.response = (struct record_response){.status = 503, .url = TEXT("http://a/")};
		snprintf(wanted, sizeof(wanted),
			"{\"job\":\"p\",\"index\":0,\"status\":\"rejected\",\"attempts\":1,"
			"\"reason\":{\"code\":\"HTTP_STATUS\",\"message\":\"%s\","
			"\"retryable\":false,\"sent\":\"full\"%s,\"response\":{\"status\":503,"
			"\"version\":\"1.0\",\"url\":\"http://a/\",\"redirects\":0,\"headers\":{},"
			"\"bytes\":0}}" NO_TIME "}",
			fault_sentence(FAULT_HTTP_STATUS), cases[i].wanted);
		expect_record(&record, wanted);
	}
}
END_TEST

START_TEST(writes_the_item_of_a_child)
{
	struct fault fault = {.code = FAULT_EACH_NOT_ARRAY};
	struct record record = user;

	record.job = TEXT("posts[0]");
	record.index = 3;
	record.has_item = true;
	record.response.n_headers = 0;
	record.conn.remote.data = NULL;
	record.time = (struct record_time){0};
	expect_record(&record,
		"{\"job\":\"posts[0]\",\"index\":3,\"item\":0,\"status\":\"fulfilled\","
		"\"via\":\"network\",\"attempts\":1,\"value\":{\"status\":200,\"version\":\"1.1\","
		"\"url\":\"http://api.local/users/1\",\"redirects\":0,\"headers\":{},"
		"\"bytes\":41}" NO_TIME "}");

	/* A fan-out in a fan-out. */
	record = (struct record){.job = TEXT("x[0][17]"), .index = 4, .has_item = true, .item = 17};
	record.is_group = true;
	record.reason.fault = &fault;
	expect_record(&record, "{\"job\":\"x[0][17]\",\"index\":4,\"item\":17,\"group\":true,"
			       "\"status\":\"rejected\",\"reason\":{\"code\":\"EACH_NOT_ARRAY\","
			       "\"message\":\"What each should fan out over is not an array\","
			       "\"retryable\":false,\"sent\":\"none\"}" NO_TIME "}");
}
END_TEST

START_TEST(writes_whose_flight_was_shared)
{
	struct record record = user;

	record.job = TEXT("again");
	record.index = 7;
	record.via = RECORD_VIA_DEDUPE;
	record.of = TEXT("us\"er");
	record.attempts = 0;
	record.response.n_headers = 0;
	record.time = (struct record_time){0};
	expect_record(&record,
		"{\"job\":\"again\",\"index\":7,\"status\":\"fulfilled\",\"via\":\"dedupe\","
		"\"of\":\"us\\\"er\",\"attempts\":0,\"value\":{\"status\":200,"
		"\"version\":\"1.1\",\"url\":\"http://api.local/users/1\",\"redirects\":0,"
		"\"headers\":{},\"bytes\":41}" NO_TIME
		",\"conn\":{\"reused\":false,\"remote\":\"127.0.0.1:80\"}}");
}
END_TEST

START_TEST(writes_a_fallback_with_its_cause)
{
	struct fault fault = {.code = FAULT_CONNECT_REFUSED};
	struct record record = {.job = TEXT("config"), .index = 1, .attempts = 3};

	record.via = RECORD_VIA_FALLBACK;
	record.reason.fault = &fault;
	record.reason.retryable = true;
	record.reason.stopped = RECORD_STOPPED_ATTEMPTS;
	record.response.bytes = 17;
	expect_record(&record,
		"{\"job\":\"config\",\"index\":1,\"status\":\"fulfilled\",\"via\":\"fallback\","
		"\"attempts\":3,\"value\":{\"bytes\":17},\"cause\":{\"code\":\"CONNECT_REFUSED\","
		"\"message\":\"The host refused the connection\",\"retryable\":true,"
		"\"sent\":\"none\",\"stopped\":\"attempts\"}" NO_TIME "}");

	/* The cause's response has a head, and neither length nor body. */
	fault_set(&fault, FAULT_HTTP_STATUS, "503 Service Unavailable");
	record.reason.sent = RECORD_SENT_FULL;
	record.response = (struct record_response){
		.status = 503,
		.version = 1,
		.url = TEXT("http://a/"),
		.headers = user_headers,
		.n_headers = 1,
		.bytes = 17,
	};
	record.conn.remote = TEXT("[::1]:80");
	expect_record(&record,
		"{\"job\":\"config\",\"index\":1,\"status\":\"fulfilled\",\"via\":\"fallback\","
		"\"attempts\":3,\"value\":{\"bytes\":17},\"cause\":{\"code\":\"HTTP_STATUS\","
		"\"message\":\"503 Service Unavailable\",\"retryable\":true,\"sent\":\"full\","
		"\"stopped\":\"attempts\",\"response\":{\"status\":503,\"version\":\"1.1\","
		"\"url\":\"http://a/\",\"redirects\":0,"
		"\"headers\":{\"content-type\":\"application/json\"}}}" NO_TIME
		",\"conn\":{\"reused\":false,\"remote\":\"[::1]:80\"}}");
}
END_TEST

static const struct record_error two_errors[] = {
	{TEXT_INIT("eu"), FAULT_CONNECT_TIMEOUT, TEXT_INIT("no answer within 10s")},
	{TEXT_INIT("us"), FAULT_HTTP_STATUS, TEXT_INIT("503 \"no\"")},
};

#define TWO_ERRORS                                                                                 \
	"\"errors\":[{\"job\":\"eu\",\"code\":\"CONNECT_TIMEOUT\","                                \
	"\"message\":\"no answer within 10s\"},{\"job\":\"us\",\"code\":\"HTTP_STATUS\","          \
	"\"message\":\"503 \\\"no\\\"\"}]"

START_TEST(writes_a_group_without_a_body)
{
	struct fault fault = {.code = FAULT_ALL_REJECTED};
	struct record record = {
		.job = TEXT("mirror"),
		.index = 4,
		.via = RECORD_VIA_NETWORK,
		.is_group = true,
		.group = {.winner = TEXT("eu"), .jobs = 2, .fulfilled = 1, .rejected = 1},
	};

	expect_record(&record,
		"{\"job\":\"mirror\",\"index\":4,\"group\":true,\"status\":\"fulfilled\","
		"\"value\":{\"winner\":\"eu\",\"jobs\":2,\"fulfilled\":1,\"rejected\":1}" NO_TIME
		"}");

	record.group.winner.data = NULL;
	record.via = RECORD_VIA_SKIPPED;
	expect_record(&record,
		"{\"job\":\"mirror\",\"index\":4,\"group\":true,\"status\":\"fulfilled\","
		"\"via\":\"skipped\",\"value\":{\"jobs\":2,\"fulfilled\":1,\"rejected\":1}" NO_TIME
		"}");

	record.via = RECORD_VIA_FALLBACK;
	record.reason.fault = &fault;
	record.reason.errors = two_errors;
	record.reason.n_errors = countof(two_errors);
	expect_record(&record,
		"{\"job\":\"mirror\",\"index\":4,\"group\":true,\"status\":\"fulfilled\","
		"\"via\":\"fallback\",\"value\":{\"jobs\":2,\"fulfilled\":1,\"rejected\":1},"
		"\"cause\":{\"code\":\"ALL_REJECTED\",\"message\":\"Every job was rejected\","
		"\"retryable\":false," TWO_ERRORS ",\"sent\":\"none\"}" NO_TIME "}");
}
END_TEST

START_TEST(writes_a_rejected_group_with_its_errors)
{
	struct fault fault = {.code = FAULT_ALL_REJECTED};
	struct record record = {.job = TEXT("mirror"), .index = 4, .is_group = true};

	record.reason.fault = &fault;
	record.reason.errors = two_errors;
	record.reason.n_errors = countof(two_errors);
	expect_record(&record,
		"{\"job\":\"mirror\",\"index\":4,\"group\":true,\"status\":\"rejected\","
		"\"reason\":{\"code\":\"ALL_REJECTED\",\"message\":\"Every job was rejected\","
		"\"retryable\":false," TWO_ERRORS ",\"sent\":\"none\"}" NO_TIME "}");
}
END_TEST

START_TEST(writes_all_attempts_where_there_were_several)
{
	static const struct record_try tries[] = {
		{.code = FAULT_CONNECT_REFUSED, .time = {.end = MS(0.2)}, .backoff = MS(100.5)},
		{.code = FAULT_HTTP_STATUS, .status = 503, .time = {.start = MS(100.7)}},
		{.status = 200, .time = {.start = MS(101), .first_byte = MS(1), .end = MS(102)}},
	};
	struct record record = {.job = TEXT("a"), .via = RECORD_VIA_NETWORK, .attempts = 3};

	record.tries = tries;
	record.n_tries = countof(tries);
	record.response = (struct record_response){
		.status = 200, .version = 1, .url = TEXT("http://a/"), .bytes = 2};
	record.conn = (struct record_conn){TEXT("127.0.0.1:80"), true};
	expect_record(&record,
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\","
		"\"attempts\":3,\"value\":{\"status\":200,\"version\":\"1.1\","
		"\"url\":\"http://a/\",\"redirects\":0,\"headers\":{},\"bytes\":2},"
		"\"tries\":[{\"code\":\"CONNECT_REFUSED\",\"time\":{\"start\":0,\"queue\":0,"
		"\"dns\":0,\"connect\":0,\"tls\":0,\"first_byte\":0,\"body\":0,\"end\":0.2},"
		"\"backoff\":100.5},{\"code\":\"HTTP_STATUS\",\"status\":503,\"time\":{"
		"\"start\":100.7,\"queue\":0,\"dns\":0,\"connect\":0,\"tls\":0,\"first_byte\":0,"
		"\"body\":0,\"end\":0}},{\"status\":200,\"time\":{\"start\":101,\"queue\":0,"
		"\"dns\":0,\"connect\":0,\"tls\":0,\"first_byte\":1,\"body\":0,\"end\":102}}"
		"]" NO_TIME ",\"conn\":{\"reused\":true,\"remote\":\"127.0.0.1:80\"}}");

	/* One attempt is what the record itself says. */
	record.n_tries = 1;
	record.conn.remote.data = NULL;
	expect_record(&record,
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\","
		"\"attempts\":3,\"value\":{\"status\":200,\"version\":\"1.1\","
		"\"url\":\"http://a/\",\"redirects\":0,\"headers\":{},\"bytes\":2}" NO_TIME "}");
}
END_TEST

/* How long the record is; it is JSON. */
static size_t expect_json(const struct record *record)
{
	struct buffer out;
	yyjson_doc *doc;
	size_t size;

	buffer_init(&out, 1 << 20);
	record_append(&out, record);
	doc = yyjson_read(out.data, out.size, 0);
	ck_assert_ptr_nonnull(doc);
	yyjson_doc_free(doc);
	size = out.size;
	buffer_deinit(&out);
	return size;
}

/* A record with the largest of all numbers, and of all words but the code. */
static struct record large_record(enum record_via via)
{
	struct record record = user;

	record.via = via;
	record.index = record.item = record.attempts = UINT32_MAX;
	record.has_item = true;
	record.response.status = UINT16_MAX;
	record.response.bytes = UINT64_MAX;
	record.group = (struct record_group){.winner = TEXT("w"),
		.jobs = UINT32_MAX,
		.fulfilled = UINT32_MAX,
		.rejected = UINT32_MAX};
	memset(&record.time, 0xff, sizeof(record.time));
	return record;
}

START_TEST(fits_its_own_estimate_whatever_the_numbers)
{
	struct record record = large_record(RECORD_VIA_NETWORK);
	size_t largest = 0;

	record.of = TEXT("o");
	/* Far from the 1024 bytes of record.c. */
	ck_assert_uint_le(expect_json(&record), 700);

	for (unsigned i = 0; i < 4 * FAULT_COUNT; i++) {
		struct fault fault = {.code = (enum fault_code)(i / 4)};
		size_t size;

		if (fault.code == FAULT_NONE)
			continue;
		record = large_record(i & 1 ? RECORD_VIA_NONE : RECORD_VIA_FALLBACK);
		record.is_group = i & 2;
		record.reason = (struct record_reason){.fault = &fault,
			.by = RECORD_BY_DISCONNECT,
			.sent = RECORD_SENT_PARTIAL,
			.stopped = RECORD_STOPPED_NOT_IDEMPOTENT,
			.job = TEXT("j"),
			.root = TEXT("r")};
		size = expect_json(&record) - strlen(fault_sentence(fault.code));
		if (size > largest)
			largest = size;
	}
	/* The message has room of its own. */
	ck_assert_uint_ge(largest, 700);
	ck_assert_uint_le(largest, 900);
}
END_TEST

START_TEST(counts_room_for_each_error_and_each_attempt)
{
	static struct record_error errors[FAULT_COUNT];
	static struct record_try tries[FAULT_COUNT];
	struct fault fault = {.code = FAULT_ALL_REJECTED};
	struct record record = {.job = TEXT("a")};
	size_t before;

	record.reason.fault = &fault;
	record.reason.errors = errors;
	record.tries = tries;
	memset(tries, 0xff, sizeof(tries));
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		errors[i] = (struct record_error){.code = (enum fault_code)i};
		tries[i].code = (enum fault_code)i;
	}
	record.reason.n_errors = record.n_tries = 2;
	before = expect_json(&record);
	/* By RECORD_ERROR_MORE and RECORD_TRY_MAX each, at most. */
	for (uint32_t n = 3; n <= FAULT_COUNT; n++) {
		size_t after;

		record.reason.n_errors = n;
		after = expect_json(&record);
		ck_assert_uint_le(after - before, 72);
		before = after;
		record.n_tries = n;
		after = expect_json(&record);
		ck_assert_uint_le(after - before, 336);
		before = after;
	}
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

	summary.winner = TEXT("profile");
	summary.n_critical_path = 1;
	summary.result.data = NULL;
	expect_summary(&summary,
		"{\"graph\":\"dashboard\",\"status\":\"fulfilled\",\"winner\":\"profile\","
		"\"jobs\":6,\"fulfilled\":5,\"rejected\":1,\"skipped\":0,\"wall_ms\":12.1,"
		"\"sum_ms\":40.2,\"speedup\":3.3,\"critical_path\":[\"user\"]}");

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

START_TEST(writes_the_errors_of_a_graph_in_which_all_were_rejected)
{
	struct fault fault = {.code = FAULT_ALL_REJECTED};
	struct record_summary summary = {.is_rejected = true, .jobs = 2, .rejected = 2};

	summary.reason.fault = &fault;
	summary.reason.errors = two_errors;
	summary.reason.n_errors = countof(two_errors);
	expect_summary(&summary,
		"{\"status\":\"rejected\",\"jobs\":2,\"fulfilled\":0,\"rejected\":2,\"skipped\":0,"
		"\"wall_ms\":0,\"sum_ms\":0,\"speedup\":0.0,\"critical_path\":[],"
		"\"reason\":{\"code\":\"ALL_REJECTED\",\"message\":\"Every job was "
		"rejected\"," TWO_ERRORS "}}");
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
	&writes_who_caused_a_rejection, &writes_why_there_was_no_further_attempt,
	&writes_the_item_of_a_child, &writes_whose_flight_was_shared,
	&writes_a_fallback_with_its_cause, &writes_a_group_without_a_body,
	&writes_a_rejected_group_with_its_errors, &writes_all_attempts_where_there_were_several,
	&fits_its_own_estimate_whatever_the_numbers, &counts_room_for_each_error_and_each_attempt,
	&leaves_a_buffer_that_is_too_small_as_it_was, &writes_a_summary_as_documented,
	&writes_the_errors_of_a_graph_in_which_all_were_rejected,
	&rounds_the_speedup_to_one_decimal)
