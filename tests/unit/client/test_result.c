/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>

#include "tests/unit/client/peer.h"
#include "util/container.h"

static const char *const urls[] = {"http://a/", "http://b/"};

#define ACCEPTED "{\"id\":1,\"accepted\":{\"jobs\":2}}\n"
#define FIRST                                                                                      \
	"{\"id\":1,\"settled\":{\"job\":\"0\",\"index\":0,\"status\":\"fulfilled\","               \
	"\"value\":{\"status\":200,\"headers\":{},\"bytes\":3}},\"payload\":3}\none"
#define SECOND                                                                                     \
	"{\"id\":1,\"settled\":{\"job\":\"1\",\"index\":1,\"status\":\"rejected\","                \
	"\"reason\":{\"code\":\"DNS_NOT_FOUND\",\"message\":\"no\"}}}\n"
#define DONE "{\"id\":1,\"done\":{}}\n"

START_TEST(gives_results_in_the_order_of_the_urls)
{
	struct peer peer = peer_open();
	struct settle_results *results = NULL;
	const struct settle_record *record;
	size_t size;

	/* The answer may well be there first. */
	peer_say(&peer, ACCEPTED SECOND FIRST DONE);
	ck_assert_int_eq(settle_all_settled(peer.settle, urls, 2, &results), 0);
	peer_expect_said(&peer, "{\"id\":1,\"submit\":{\"jobs\":[{\"url\":\"http://a/\"},"
				"{\"url\":\"http://b/\"}]}}\n");
	peer_close(&peer);

	/* They are the caller's, handle or not. */
	ck_assert_uint_eq(settle_results_count(results), 2);
	record = settle_results_get(results, 0);
	ck_assert_int_eq(settle_record_status(record), SETTLE_FULFILLED);
	ck_assert_int_eq(settle_record_http_status(record), 200);
	ck_assert(memcmp(settle_record_body(record, &size), "one", 3) == 0);
	ck_assert_uint_eq(size, 3);
	record = settle_results_get(results, 1);
	ck_assert_str_eq(settle_record_code(record), "DNS_NOT_FOUND");
	ck_assert_ptr_null(settle_record_body(record, &size));
	ck_assert_ptr_null(settle_results_get(results, 2));
	ck_assert_ptr_null(settle_results_free(results));
	ck_assert_ptr_null(settle_results_free(NULL));
}
END_TEST

START_TEST(asks_for_nothing_where_there_is_nothing)
{
	struct peer peer = peer_open();
	struct settle_results *results = NULL;

	ck_assert_int_eq(settle_all_settled(peer.settle, NULL, 0, &results), 0);
	ck_assert_uint_eq(settle_results_count(results), 0);
	settle_results_free(results);
	peer_close(&peer);
}
END_TEST

START_TEST(fails_without_a_result)
{
	static const struct {
		const char *answer;
		int result;
	} cases[] = {
		{"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"URL_INVALID\"}]}}\n", -EINVAL},
		{"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"DRAINING\"}]}}\n", -ESHUTDOWN},
		{"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"QUOTA\"}]}}\n", -EDQUOT},
		{"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"NOT_PERMITTED\"}]}}\n", -EACCES},
		{"{\"id\":1,\"refused\":{}}\n", -EINVAL},
		{ACCEPTED DONE, -EPROTO},
		{ACCEPTED FIRST DONE, -EPROTO},
		{ACCEPTED FIRST FIRST, -EPROTO},
		{ACCEPTED
			"{\"id\":1,\"settled\":{\"job\":\"7\",\"index\":7,\"status\":\"fulfilled\","
			"\"value\":{}}}\n",
			-EPROTO},
		{ACCEPTED "{\"id\":1,\"settled\":{}}\n", -EPROTO},
		{ACCEPTED FIRST, -EPIPE},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer peer = peer_open();
		struct settle_results *results = NULL;
		int result;

		peer_say(&peer, cases[i].answer);
		shutdown(peer.fd, SHUT_WR);
		result = settle_all_settled(peer.settle, urls, 2, &results);
		ck_assert_msg(result == cases[i].result, "%s gave %d", cases[i].answer, result);
		ck_assert_ptr_null(results);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(refuses_a_handle_with_graphs_open)
{
	struct peer peer = peer_open();
	struct settle_results *results = NULL;

	ck_assert_int_eq(settle_submit(peer.settle, "{}", 2, NULL), 0);
	ck_assert_int_eq(settle_all_settled(peer.settle, urls, 2, &results), -EBUSY);
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/result", &gives_results_in_the_order_of_the_urls,
	&asks_for_nothing_where_there_is_nothing, &fails_without_a_result,
	&refuses_a_handle_with_graphs_open)
