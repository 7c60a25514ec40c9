/* SPDX-License-Identifier: MIT */
#include "proto/record.h"

#include <yyjson.h>

#include "tests/unit/unit.h"
#include "util/container.h"

/* Of records, what redirects do to them. */

#define NO_TIME                                                                                    \
	",\"time\":{\"start\":0,\"queue\":0,\"dns\":0,\"connect\":0,\"tls\":0,\"first_byte\":0,"   \
	"\"body\":0,\"end\":0}"

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

#define TWO_HOPS                                                                                   \
	"\"redirects\":2,\"hops\":[{\"status\":302,\"url\":\"http://a/\"},"                        \
	"{\"status\":307,\"url\":\"http://a/\\\"\"}]"

static const struct record_hop two_hops[] = {
	{302, TEXT_INIT("http://a/")},
	{307, TEXT_INIT("http://a/\"")},
};

START_TEST(writes_the_redirects_that_led_to_a_response)
{
	struct fault fault = {.code = FAULT_HTTP_STATUS};
	struct record record = {.job = TEXT("a"), .via = RECORD_VIA_NETWORK, .attempts = 1};

	record.response = (struct record_response){
		.status = 200, .version = 2, .url = TEXT("http://b/"), .bytes = 2};
	record.response.hops = two_hops;
	record.response.n_hops = countof(two_hops);
	expect_record(&record,
		"{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\","
		"\"attempts\":1,\"value\":{\"status\":200,\"version\":\"2\","
		"\"url\":\"http://b/\"," TWO_HOPS ",\"headers\":{},\"bytes\":2}" NO_TIME "}");

	record.via = RECORD_VIA_NONE;
	record.reason.fault = &fault;
	expect_record(&record,
		"{\"job\":\"a\",\"index\":0,\"status\":\"rejected\",\"attempts\":1,"
		"\"reason\":{\"code\":\"HTTP_STATUS\",\"message\":\"The response's status is not "
		"one of those that are ok\",\"retryable\":false,\"sent\":\"none\","
		"\"response\":{\"status\":200,\"version\":\"2\",\"url\":\"http://b/\"," TWO_HOPS
		",\"headers\":{},\"bytes\":2}}" NO_TIME "}");

	/* It went wrong on the way: there is no response to tell them. */
	fault.code = FAULT_REDIRECT_LIMIT;
	record.response.status = 0;
	expect_record(&record,
		"{\"job\":\"a\",\"index\":0,\"status\":\"rejected\",\"attempts\":1,"
		"\"reason\":{\"code\":\"REDIRECT_LIMIT\",\"message\":\"There were more redirects "
		"than allowed\",\"retryable\":false,\"sent\":\"none\"," TWO_HOPS "}" NO_TIME "}");
}
END_TEST

/* What each takes is asked for before it is written. */
START_TEST(there_is_room_for_a_hundred_hops)
{
	struct record_hop hops[100];
	struct record record = {.job = TEXT("a"), .via = RECORD_VIA_NETWORK, .attempts = 1};
	struct buffer out;
	yyjson_doc *doc;

	for (size_t i = 0; i < countof(hops); i++)
		hops[i] = (struct record_hop){UINT16_MAX, TEXT("http://a/")};
	record.response = (struct record_response){.status = 200, .url = TEXT("http://a/")};
	record.response.hops = hops;
	for (uint32_t n = 0; n <= countof(hops); n++) {
		record.response.n_hops = n;
		/* Each is one byte less than RECORD_HOP_MORE at least. */
		buffer_init(&out, 1024 + 100 + n * (9 + 32));
		record_append(&out, &record);
		ck_assert(!out.failed);
		doc = yyjson_read(out.data, out.size, 0);
		ck_assert_ptr_nonnull(doc);
		ck_assert_uint_eq(
			yyjson_arr_size(yyjson_ptr_get(yyjson_doc_get_root(doc), "/value/hops")),
			n);
		yyjson_doc_free(doc);
		buffer_deinit(&out);
	}
}
END_TEST

/* A hop's URL is a stranger's, and may look like anything. */
START_TEST(a_body_is_put_in_behind_the_hops)
{
	static const struct record_hop hops[] = {
		{301, TEXT_INIT("http://a/?\"bytes\":1,\"content-type\":\"application/json\"")},
		{302, TEXT_INIT("http://a/?,\"via\":\"fallback\",\"cause\":{")},
	};
	struct record record = {.job = TEXT("a"), .via = RECORD_VIA_NETWORK, .attempts = 1};
	struct buffer out, spliced;
	yyjson_val *value;
	yyjson_doc *doc;

	record.response = (struct record_response){
		.status = 200, .version = 1, .url = TEXT("http://a/"), .bytes = 2};
	record.response.hops = hops;
	record.response.n_hops = countof(hops);
	buffer_init(&out, 1 << 20);
	buffer_init(&spliced, 1 << 20);
	record_append(&out, &record);
	ck_assert(record_splice(
		&spliced, buffer_text(&out), TEXT("{}"), (struct text){NULL, 0}, RECORD_BODY_AUTO));
	doc = yyjson_read(spliced.data, spliced.size, 0);
	ck_assert_ptr_nonnull(doc);
	value = yyjson_obj_get(yyjson_doc_get_root(doc), "value");
	ck_assert_str_eq(yyjson_get_str(yyjson_obj_get(value, "body")), "{}");
	ck_assert_uint_eq(yyjson_get_uint(yyjson_obj_get(value, "bytes")), 2);
	yyjson_doc_free(doc);
	buffer_deinit(&out);
	buffer_deinit(&spliced);
}
END_TEST

UNIT_MAIN("proto/record_hop", &writes_the_redirects_that_led_to_a_response,
	&there_is_room_for_a_hundred_hops, &a_body_is_put_in_behind_the_hops)
