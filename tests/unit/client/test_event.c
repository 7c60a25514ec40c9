/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/client/peer.h"
#include "util/container.h"

START_TEST(knows_every_message)
{
	static const struct {
		const char *line;
		enum settle_event_type type;
		uint64_t graph;
		const char *json;
	} cases[] = {
		{"{\"hello\":{\"version\":1}}\n", SETTLE_HELLO, 0, "{\"version\":1}"},
		{"{\"id\":7,\"accepted\":{\"jobs\":6}}\n", SETTLE_ACCEPTED, 7, "{\"jobs\":6}"},
		{"{\"id\":7,\"refused\":{\"errors\":[{\"code\":\"GRAPH_KEY\"}]}}\n", SETTLE_REFUSED,
			7, "{\"errors\":[{\"code\":\"GRAPH_KEY\"}]}"},
		{"{\"id\":7,\"settled\":{\"job\":\"a\"}}\n", SETTLE_SETTLED, 7, "{\"job\":\"a\"}"},
		{"{\"id\":7,\"settled\":{},\"payload\":0}\n", SETTLE_SETTLED, 7, "{}"},
		{"{\"id\":7,\"chunk\":{\"job\":\"big\",\"offset\":0},\"payload\":2}\nab",
			SETTLE_CHUNK, 7, "{\"job\":\"big\",\"offset\":0}"},
		{"{\"id\":7,\"decided\":{}}\n", SETTLE_DECIDED, 7, "{}"},
		{"{\"id\":7,\"done\":{\"wall_ms\":1.50}}\n", SETTLE_DONE, 7, "{\"wall_ms\":1.50}"},
		{"{\"status\":{\"sessions\":1}}\n", SETTLE_STATUS, 0, "{\"sessions\":1}"},
		{"{\"error\":{\"code\":\"PROTOCOL\"}}\n", SETTLE_ERROR, 0,
			"{\"code\":\"PROTOCOL\"}"},
		{"{\"cancelled\":{\"graph\":12,\"found\":true}}\n", SETTLE_CANCELLED, 0,
			"{\"graph\":12,\"found\":true}"},
		{"{\"flushed\":{\"dns\":12}}\n", SETTLE_FLUSHED, 0, "{\"dns\":12}"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer peer = peer_open_graphs(7);

		peer_say(&peer, cases[i].line);
		peer_expect_json(
			peer_expect_event(&peer, cases[i].type, cases[i].graph), cases[i].json);
		peer_expect_result(&peer, 0);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(reads_a_message_in_another_form)
{
	static const struct {
		const char *line;
		const char *json;
	} cases[] = {
		{" { \"id\" : 7, \"done\" : { \"a\" : 1.0 } } \n", "{\"a\":1.0}"},
		{"{\"done\":{\"a\":9007199254740993},\"id\":7}\n", "{\"a\":9007199254740993}"},
		{"{\"id\":7,\"since\":1,\"done\":{}}\n", "{}"},
		{"{\"id\":7,\"done\":{\"a\":[{}]},\"more\":{\"done\":2}}\n", "{\"a\":[{}]}"},
		{"{\"id\":7,\"done\":{\"a\":1}}\r\n", "{\"a\":1}"},
		{"\n\n{\"id\":7,\"done\":{\"a\":1}}\n", "{\"a\":1}"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer peer = peer_open_graphs(7);

		peer_say(&peer, cases[i].line);
		peer_expect_json(peer_expect_event(&peer, SETTLE_DONE, 7), cases[i].json);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(passes_over_messages_of_later_versions)
{
	struct peer peer = peer_open_graphs(1);

	peer_say(&peer, "{\"weather\":{\"sky\":\"blue\"}}\n"
			"{\"id\":1,\"progress\":{},\"payload\":3}\n\n}\n"
			"{\"id\":1,\"done\":{}}\n");
	peer_expect_event(&peer, SETTLE_DONE, 1);
	peer_expect_result(&peer, 0);
	peer_close(&peer);
}
END_TEST

START_TEST(tells_an_empty_payload_from_none)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_event *event;
	size_t size = 1;

	peer_say(&peer, "{\"id\":1,\"settled\":{},\"payload\":0}\n{\"id\":1,\"settled\":{}}\n");
	event = peer_expect_event(&peer, SETTLE_SETTLED, 1);
	ck_assert_ptr_nonnull(settle_event_payload(event, &size));
	ck_assert_uint_eq(size, 0);
	ck_assert_ptr_nonnull(settle_record_body(settle_event_record(event), &size));
	event = peer_expect_event(&peer, SETTLE_SETTLED, 1);
	ck_assert_ptr_null(settle_event_payload(event, &size));
	ck_assert_ptr_null(settle_record_body(settle_event_record(event), NULL));
	peer_close(&peer);
}
END_TEST

START_TEST(has_a_record_only_where_a_job_settled)
{
	struct peer peer = peer_open_graphs(1);

	peer_say(&peer, "{\"id\":1,\"settled\":{}}\n"
			"{\"id\":1,\"chunk\":{\"job\":\"a\",\"offset\":0},\"payload\":1}\nx");
	ck_assert_ptr_nonnull(settle_event_record(peer_expect_event(&peer, SETTLE_SETTLED, 1)));
	ck_assert_ptr_null(settle_event_record(peer_expect_event(&peer, SETTLE_CHUNK, 1)));
	peer_close(&peer);
}
END_TEST

/* What the transcripts of docs/PROTOCOL.md say the daemon sends: all lines with "< ". */
static void say_transcripts(const struct peer *peer)
{
	FILE *file = fopen(PROTOCOL_MD, "r");
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size;

	ck_assert_ptr_nonnull(file);
	while ((size = getline(&line, &capacity, file)) > 0) {
		if (size > 2 && memcmp(line, "< ", 2) == 0)
			peer_say_bytes(peer, line + 2, (size_t)size - 2);
	}
	free(line);
	fclose(file);
}

/* It is a record, and what makes requests has a response where it says so. */
static void look_at(const struct settle_record *record)
{
	const char *via = settle_record_via(record);
	bool was_sent = via && (strcmp(via, "network") == 0 || strcmp(via, "dedupe") == 0);

	ck_assert_ptr_nonnull(settle_record_job(record, NULL));
	if (settle_record_status(record) == SETTLE_REJECTED)
		ck_assert_str_ne(settle_record_code(record), "PROTOCOL");
	else
		ck_assert_int_eq(settle_record_http_status(record), was_sent ? 200 : 0);
	if (settle_record_is_group(record))
		ck_assert_ptr_null(settle_record_body(record, NULL));
	else if (!was_sent && via)
		ck_assert_ptr_nonnull(settle_record_body(record, NULL));
}

START_TEST(understands_the_documented_transcripts)
{
	struct peer peer = peer_open_graphs(20);
	size_t seen[SETTLE_FLUSHED + 1] = {0};
	const struct settle_event *event;
	int result;

	say_transcripts(&peer);
	peer_hang_up(&peer);
	while ((result = settle_next(peer.settle, 0, &event)) == 1) {
		const struct settle_record *record = settle_event_record(event);

		seen[settle_event_type(event)]++;
		if (record)
			look_at(record);
	}
	ck_assert_int_eq(result, -EPIPE);
	ck_assert(line_reader_is_empty(&peer.settle->in));
	for (size_t type = 0; type < countof(seen); type++)
		ck_assert_msg(seen[type] > 0, "no event %zu", type);
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/event", &knows_every_message, &reads_a_message_in_another_form,
	&passes_over_messages_of_later_versions, &tells_an_empty_payload_from_none,
	&has_a_record_only_where_a_job_settled, &understands_the_documented_transcripts)
