/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/client/peer.h"
#include "util/container.h"

#define FULFILLED                                                                                  \
	"{\"job\":\"user\",\"index\":4,\"status\":\"fulfilled\",\"via\":\"network\",\"attempts\":" \
	"1,"                                                                                       \
	"\"value\":{\"status\":200,\"version\":\"1.1\",\"url\":\"http://a/\",\"redirects\":0,"     \
	"\"headers\":{\"content-type\":\"application/json\",\"set-cookie\":[\"a=1\",\"b=2\"]},"    \
	"\"bytes\":2},\"time\":{}}"

#define REJECTED                                                                                   \
	"{\"job\":\"po\\u0073ts[3]\",\"index\":5,\"status\":\"rejected\",\"attempts\":1,"          \
	"\"reason\":{\"code\":\"HTTP_STATUS\",\"message\":\"503 \\\"no\\\"\",\"retryable\":true,"  \
	"\"response\":{\"status\":503,\"headers\":{\"retry-after\":\"1\"},\"bytes\":0}},\"time\":" \
	"{}}"

static const struct settle_record *say_record(const struct peer *peer, const char *record)
{
	peer_say(peer, "{\"id\":1,\"settled\":");
	peer_say(peer, record);
	peer_say(peer, ",\"payload\":2}\n{}");
	return settle_event_record(peer_expect_event(peer, SETTLE_SETTLED, 1));
}

static void expect_text(const char *data, size_t size, const char *wanted)
{
	ck_assert_ptr_nonnull(data);
	ck_assert_msg(text_is((struct text){data, size}, wanted), "got %.*s, wanted %s", (int)size,
		data, wanted);
}

START_TEST(shows_a_fulfilled_record)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer, FULFILLED);
	const char *data;
	size_t size;

	data = settle_record_job(record, &size);
	expect_text(data, size, "user");
	ck_assert_int_eq(settle_record_status(record), SETTLE_FULFILLED);
	ck_assert_uint_eq(settle_record_index(record), 4);
	ck_assert_ptr_null(settle_record_code(record));
	ck_assert_ptr_null(settle_record_message(record, &size));
	/* None of that needed the record to be read. */
	ck_assert_int_eq(record->state, ACCESS_PEEKED);
	ck_assert_int_eq(settle_record_http_status(record), 200);
	ck_assert_int_eq(record->state, ACCESS_READ);
	data = settle_record_header(record, "Content-Type", &size);
	expect_text(data, size, "application/json");
	data = settle_record_header(record, "set-cookie", &size);
	expect_text(data, size, "a=1");
	ck_assert_ptr_null(settle_record_header(record, "content", &size));
	ck_assert_uint_eq(size, 0);
	data = settle_record_body(record, &size);
	expect_text(data, size, "{}");
	data = settle_record_job(record, NULL);
	expect_text(data, 4, "user");
	peer_close(&peer);
}
END_TEST

START_TEST(shows_a_rejected_record)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer, REJECTED);
	const char *data;
	size_t size;

	ck_assert_int_eq(settle_record_status(record), SETTLE_REJECTED);
	data = settle_record_job(record, &size);
	expect_text(data, size, "posts[3]");
	ck_assert_uint_eq(settle_record_index(record), 5);
	ck_assert_str_eq(settle_record_code(record), "HTTP_STATUS");
	data = settle_record_message(record, &size);
	expect_text(data, size, "503 \"no\"");
	ck_assert_int_eq(settle_record_http_status(record), 503);
	data = settle_record_header(record, "RETRY-AFTER", &size);
	expect_text(data, size, "1");
	data = settle_record_body(record, &size);
	expect_text(data, size, "{}");
	peer_close(&peer);
}
END_TEST

START_TEST(shows_a_rejection_without_a_response)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer,
		"{\"job\":\"a\",\"index\":0,\"status\":\"rejected\",\"attempts\":0,"
		"\"reason\":{\"code\":\"CANCELLED\",\"message\":\"m\"},\"time\":{}}");

	ck_assert_str_eq(settle_record_code(record), "CANCELLED");
	ck_assert_int_eq(settle_record_http_status(record), 0);
	ck_assert_ptr_null(settle_record_header(record, "date", NULL));
	peer_close(&peer);
}
END_TEST

static const char *or_none(const char *word)
{
	return word ? word : "none";
}

/* What the accessors without a size say of a record, as one line. */
static void expect_words(const char *json, const char *wanted)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer, json);
	char got[300];
	size_t size;

	/* The outline needs no reading. */
	settle_record_item(record);
	settle_record_is_group(record);
	ck_assert_int_eq(record->state, ACCESS_PEEKED);
	snprintf(got, sizeof(got),
		"item %d group %d via %s attempts %u retryable %d sent %s by %s winner %s",
		(int)settle_record_item(record), settle_record_is_group(record),
		or_none(settle_record_via(record)), settle_record_attempts(record),
		settle_record_retryable(record), or_none(settle_record_sent(record)),
		or_none(settle_record_by(record)), or_none(settle_record_winner(record, &size)));
	ck_assert_str_eq(got, wanted);
	/* Read, they are the same. */
	ck_assert_int_eq(record->state, ACCESS_READ);
	snprintf(got, sizeof(got), "item %d group %d ", (int)settle_record_item(record),
		settle_record_is_group(record));
	ck_assert_int_eq(strncmp(got, wanted, strlen(got)), 0);
	peer_expect_result(&peer, 0);
	peer_close(&peer);
}

START_TEST(shows_how_a_job_settled)
{
	expect_words(FULFILLED, "item -1 group 0 via network attempts 1 retryable 0 sent none by "
				"none winner none");
	expect_words(
		"{\"job\":\"posts[3]\",\"index\":5,\"item\":3,\"status\":\"fulfilled\","
		"\"via\":\"dedupe\",\"of\":\"posts[1]\",\"attempts\":0,\"value\":{\"status\":200}}",
		"item 3 group 0 via dedupe attempts 0 retryable 0 sent none by none winner none");
	/* The cause is no reason. */
	expect_words("{\"job\":\"a\",\"index\":5,\"status\":\"fulfilled\",\"via\":\"fallback\","
		     "\"attempts\":3,\"value\":{\"bytes\":2,\"winner\":\"w\"},\"cause\":{"
		     "\"code\":\"CONNECT_REFUSED\",\"retryable\":true,\"sent\":\"full\"}}",
		"item -1 group 0 via fallback attempts 3 retryable 0 sent none by none winner "
		"none");
	expect_words(
		"{\"job\":\"a\",\"index\":5,\"status\":\"rejected\",\"attempts\":2,\"reason\":{"
		"\"code\":\"HTTP_STATUS\",\"retryable\":true,\"sent\":\"partial\"}}",
		"item -1 group 0 via none attempts 2 retryable 1 sent partial by none winner none");
	expect_words("{\"job\":\"a\",\"index\":5,\"status\":\"rejected\",\"attempts\":1,"
		     "\"reason\":{\"code\":\"CANCELLED\",\"retryable\":false,\"by\":\"winner\","
		     "\"sent\":\"none\"}}",
		"item -1 group 0 via none attempts 1 retryable 0 sent none by winner winner none");
	expect_words(
		"{\"job\":\"m\",\"index\":4294967295,\"item\":4294967,\"group\":true,"
		"\"status\":\"fulfilled\",\"value\":{\"winner\":\"eu\",\"jobs\":2},\"time\":{}}",
		"item 4294967 group 1 via none attempts 0 retryable 0 sent none by none winner eu");
	expect_words("{\"job\":\"m\",\"index\":0,\"group\":true,\"status\":\"rejected\","
		     "\"reason\":{\"code\":\"ALL_REJECTED\",\"sent\":\"none\"}}",
		"item -1 group 1 via none attempts 0 retryable 0 sent none by none winner none");
}
END_TEST

START_TEST(shows_the_same_of_a_record_in_another_form)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer,
		"{\"group\":true,\"item\":7,\"status\":\"fulfilled\",\"index\":2,\"job\":\"x[7]\","
		"\"value\":{\"winner\":\"eu\"},\"via\":\"skipped\"}");
	const char *data;
	size_t size;

	ck_assert_int_eq(settle_record_item(record), 7);
	ck_assert_int_eq(record->state, ACCESS_READ);
	ck_assert_int_eq(settle_record_is_group(record), 1);
	ck_assert_str_eq(settle_record_via(record), "skipped");
	data = settle_record_winner(record, &size);
	expect_text(data, size, "eu");
	peer_close(&peer);
}
END_TEST

/* What a command line looks at that writes records out as they came. */
START_TEST(reads_no_record_for_its_beginning)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer, FULFILLED);
	size_t size;

	ck_assert_int_eq(settle_record_status(record), SETTLE_FULFILLED);
	ck_assert_ptr_nonnull(settle_record_job(record, &size));
	ck_assert_uint_eq(settle_record_index(record), 4);
	ck_assert_int_eq(settle_record_is_group(record), 0);
	ck_assert_str_eq(settle_record_via(record), "network");
	ck_assert_int_eq(record->state, ACCESS_PEEKED);
	peer_close(&peer);
}
END_TEST

START_TEST(shows_all_of_a_record)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *record = say_record(&peer, FULFILLED);
	const char *data;
	size_t size;

	data = settle_record_json(record, &size);
	expect_text(data, size, FULFILLED);
	ck_assert_int_eq(record->state, ACCESS_UNREAD);
	peer_close(&peer);
}
END_TEST

START_TEST(takes_what_is_no_record_for_a_rejection)
{
	static const char *const records[] = {
		"{}",
		"{\"job\":\"a\"}",
		"{\"job\":\"a\",\"index\":0,\"status\":\"pending\",\"value\":{}}",
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\"}",
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\",\"value\":[]}",
		"{\"job\":\"a\",\"index\":0,\"status\":\"rejected\",\"reason\":{\"code\":7}}",
		"{\"job\":\"a\",\"index\":4294967296,\"status\":\"fulfilled\",\"value\":{}}",
		"{\"job\":\"a\",\"index\":0,\"item\":1,\"status\":\"rejected\",\"value\":{}}",
		"{\"job\":7,\"index\":0,\"status\":\"fulfilled\",\"value\":{}}",
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\",\"value\":{} garbage}",
		"{\"job\":\"\xff\",\"index\":0,\"status\":\"fulfilled\",\"value\":{}}",
	};

	for (size_t i = 0; i < countof(records); i++) {
		struct peer peer = peer_open_graphs(1);
		const struct settle_record *record = say_record(&peer, records[i]);
		size_t size;

		ck_assert_int_eq(settle_record_http_status(record), 0);
		ck_assert_int_eq(settle_record_status(record), SETTLE_REJECTED);
		ck_assert_str_eq(settle_record_code(record), "PROTOCOL");
		ck_assert_ptr_nonnull(settle_record_message(record, &size));
		ck_assert_ptr_null(settle_record_job(record, &size));
		ck_assert_ptr_null(settle_record_header(record, "date", &size));
		ck_assert_uint_eq(settle_record_index(record), 0);
		ck_assert_int_eq(settle_record_item(record), -1);
		ck_assert_int_eq(settle_record_is_group(record), 0);
		ck_assert_ptr_null(settle_record_via(record));
		ck_assert_uint_eq(settle_record_attempts(record), 0);
		ck_assert_int_eq(settle_record_retryable(record), 0);
		ck_assert_ptr_null(settle_record_sent(record));
		ck_assert_ptr_null(settle_record_by(record));
		ck_assert_ptr_null(settle_record_winner(record, &size));
		peer_expect_result(&peer, -EPROTO);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(reads_a_record_too_large_for_the_kept_memory)
{
	static char record[200000];
	struct peer peer = peer_open_graphs(1);
	const struct settle_record *shown;
	size_t size;
	int n = snprintf(record, sizeof(record),
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\",\"value\":{\"status\":200,"
		"\"headers\":{\"x\":\"%0100000d\"}}}",
		0);

	ck_assert_int_gt(n, 100000);
	shown = say_record(&peer, record);
	ck_assert_ptr_nonnull(settle_record_header(shown, "x", &size));
	ck_assert_uint_eq(size, 100000);
	peer_expect_result(&peer, 0);
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/access", &shows_a_fulfilled_record, &shows_a_rejected_record,
	&shows_a_rejection_without_a_response, &shows_how_a_job_settled,
	&shows_the_same_of_a_record_in_another_form, &reads_no_record_for_its_beginning,
	&shows_all_of_a_record, &takes_what_is_no_record_for_a_rejection,
	&reads_a_record_too_large_for_the_kept_memory)
