/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/client/peer.h"
#include "util/container.h"

static void expect_chunk(const struct settle_event *event, const char *job, uint64_t offset)
{
	struct text name, data;

	name.data = settle_chunk_job(event, &name.size);
	data.data = settle_chunk_data(event, &data.size);
	ck_assert_msg(text_is(name, job), "%.*s", TEXT_ARGS(name));
	ck_assert_uint_eq(settle_chunk_offset(event), offset);
	ck_assert(text_is(data, "a\nb"));
	/* Nothing was copied. */
	ck_assert_ptr_eq(data.data, settle_event_payload(event, NULL));
}

START_TEST(says_whose_it_is_and_where_it_belongs)
{
	static const struct {
		const char *json, *job;
		uint64_t offset;
	} cases[] = {
		{"{\"job\":\"big\",\"offset\":0}", "big", 0},
		{"{\"job\":\"p[3]\",\"offset\":18446744073709551615}", "p[3]", UINT64_MAX},
		{"{\"job\":\"a\",\"offset\":7,\"more\":{}}", "a", 7},
		{"{\"offset\":7,\"job\":\"a\"}", "a", 7},
		{"{ \"job\": \"\\u0061\", \"offset\": 7 }", "a", 7},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer peer = peer_open_graphs(7);
		char line[256];

		snprintf(line, sizeof(line), "{\"id\":7,\"chunk\":%s,\"payload\":3}\na\nb",
			cases[i].json);
		peer_say(&peer, line);
		expect_chunk(
			peer_expect_event(&peer, SETTLE_CHUNK, 7), cases[i].job, cases[i].offset);
		peer_expect_result(&peer, 0);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(is_none_where_it_does_not_say)
{
	static const char *const lines[] = {
		"{\"id\":7,\"chunk\":{},\"payload\":0}\n",
		"{\"id\":7,\"chunk\":{\"job\":\"a\"},\"payload\":0}\n",
		"{\"id\":7,\"chunk\":{\"job\":\"a\",\"offset\":-1},\"payload\":0}\n",
		"{\"id\":7,\"chunk\":{\"job\":\"a\",\"offset\":\"0\"},\"payload\":0}\n",
		"{\"id\":7,\"chunk\":{\"job\":1,\"offset\":0},\"payload\":0}\n",
		"{\"id\":7,\"chunk\":{\"job\":\"a\",\"offset\":0x},\"payload\":0}\n",
	};

	for (size_t i = 0; i < countof(lines); i++) {
		struct peer peer = peer_open_graphs(7);

		peer_say(&peer, lines[i]);
		peer_expect_result(&peer, -EPROTO);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(other_events_are_none)
{
	struct peer peer = peer_open_graphs(1);
	const struct settle_event *event;
	size_t size = 1;

	peer_say(&peer, "{\"id\":1,\"settled\":{\"job\":\"a\",\"index\":0,\"offset\":3},"
			"\"payload\":1}\nx");
	event = peer_expect_event(&peer, SETTLE_SETTLED, 1);
	ck_assert_ptr_null(settle_chunk_job(event, &size));
	ck_assert_uint_eq(size, 0);
	ck_assert_uint_eq(settle_chunk_offset(event), 0);
	size = 1;
	ck_assert_ptr_null(settle_chunk_data(event, &size));
	ck_assert_uint_eq(size, 0);
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/chunk", &says_whose_it_is_and_where_it_belongs, &is_none_where_it_does_not_say,
	&other_events_are_none)
