/* SPDX-License-Identifier: MIT */
#include "job/trail.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/plan.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct trail *trail;
static struct buffer memory;
static struct fault fault;

/* One response after the other, each to what the one before led to. */
static enum trail_verdict follow(
	const char *url, struct text method, uint16_t status, const char *location, uint32_t max)
{
	struct header headers[] = {{TEXT_INIT("location"), text_from(location ? location : "")}};
	struct response_head head = {
		.headers = headers, .n_headers = location != NULL, .status = status};
	struct plan_spec spec = {.redirects = max};
	struct url first;
	struct trail_request request = {
		.url = trail ? &trail->url : &first,
		.method = trail ? trail->method : method,
		.has_body = !trail || trail->keeps_body,
	};

	buffer_clear(&memory);
	if (!trail)
		ck_assert_int_eq(url_parse(text_from(url), &memory, &first), URL_OK);
	fault.code = FAULT_NONE;
	return trail_follow(&trail, &spec, &request, &head, &fault);
}

static void begin(void)
{
	trail = NULL;
	buffer_init(&memory, 1024 * 1024);
}

static void end(void)
{
	trail = trail_free(trail);
	buffer_deinit(&memory);
}

START_TEST(what_a_response_is_to_a_job)
{
	static const struct {
		uint16_t status;
		const char *location;
		uint32_t max;
		enum trail_verdict verdict;
		enum fault_code code;
	} cases[] = {
		{302, "/b", 10, TRAIL_GOES_ON, FAULT_NONE},
		{302, "/b", 1, TRAIL_GOES_ON, FAULT_NONE},
		{200, "/b", 10, TRAIL_ENDS, FAULT_NONE},
		{300, "/b", 10, TRAIL_ENDS, FAULT_NONE},
		{304, "/b", 10, TRAIL_ENDS, FAULT_NONE},
		{302, NULL, 10, TRAIL_ENDS, FAULT_NONE},
		/* Not asked to follow any. */
		{302, "/b", 0, TRAIL_ENDS, FAULT_NONE},
		{302, "ftp://h/", 10, TRAIL_FAULT, FAULT_REDIRECT_BLOCKED},
		{302, "http://h/", 10, TRAIL_FAULT, FAULT_REDIRECT_BLOCKED},
		{302, "https://h:0/", 10, TRAIL_FAULT, FAULT_REDIRECT_INVALID},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		enum trail_verdict verdict;

		begin();
		verdict = follow("https://h/a", TEXT("GET"), cases[i].status, cases[i].location,
			cases[i].max);
		ck_assert_msg(verdict == cases[i].verdict, "%zu: %d", i, verdict);
		ck_assert_int_eq(fault.code, cases[i].code);
		ck_assert((trail != NULL) == (verdict == TRAIL_GOES_ON));
		end();
	}
}
END_TEST

START_TEST(says_what_it_does_not_follow)
{
	static const struct {
		const char *location;
		uint32_t max;
		const char *message;
	} cases[] = {
		{"https://h:0/", 10,
			"the Location cannot be followed: the port is not a number from 1 to "
			"65535"},
		{"/b", 1, "more than 1 redirect"},
		{"/b", 2, "more than 2 redirects"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin();
		for (uint32_t n = 0; n < cases[i].max && cases[i].max < 10; n++)
			ck_assert_int_eq(follow(n ? NULL : "https://h/a", TEXT("GET"), 302, "/b",
						 cases[i].max),
				TRAIL_GOES_ON);
		ck_assert_int_eq(follow(cases[i].max < 10 ? NULL : "https://h/a", TEXT("GET"), 302,
					 cases[i].location, cases[i].max),
			TRAIL_FAULT);
		ck_assert_str_eq(fault.message, cases[i].message);
		end();
	}
}
END_TEST

START_TEST(a_trail_has_every_hop_and_where_it_goes_on)
{
	begin();
	ck_assert_int_eq(follow("http://h/a/b", TEXT("POST"), 301, "../c", 2), TRAIL_GOES_ON);
	ck_assert(text_is(trail->url.text, "http://h/c"));
	ck_assert(text_is(trail->url.target, "/c"));
	ck_assert(text_is(trail->url.authority, "h"));
	ck_assert(text_is(trail->method, "GET"));
	ck_assert(!trail->keeps_body);
	ck_assert(!trail->is_foreign);
	ck_assert_int_eq(trail->sent, RECORD_SENT_FULL);
	ck_assert_int_eq(follow(NULL, TEXT(""), 307, "//[::1]:81/d", 2), TRAIL_GOES_ON);
	ck_assert(text_is(trail->url.host, "::1"));
	ck_assert_uint_eq(trail->url.port, 81);
	ck_assert_uint_eq(trail->n_hops, 2);
	ck_assert_uint_eq(trail->hops[0].status, 301);
	ck_assert(text_is(trail->hops[0].url, "http://h/a/b"));
	ck_assert_uint_eq(trail->hops[1].status, 307);
	ck_assert(text_is(trail->hops[1].url, "http://h/c"));
	/* And no further. */
	ck_assert_int_eq(follow(NULL, TEXT(""), 307, "/e", 2), TRAIL_FAULT);
	ck_assert_int_eq(fault.code, FAULT_REDIRECT_LIMIT);
	ck_assert_uint_eq(trail->n_hops, 2);
	end();
}
END_TEST

START_TEST(who_was_sent_away_is_a_stranger_also_back_home)
{
	static const struct {
		const char *locations[3];
		bool is_foreign;
	} cases[] = {
		{{"/b", "c", "?d"}, false},
		{{"http://h:80/b"}, false},
		{{"http://g/b"}, true},
		{{"http://h:81/b"}, true},
		{{"https://h/b"}, true},
		{{"http://g/b", "http://h/a"}, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin();
		for (size_t j = 0; j < countof(cases[i].locations) && cases[i].locations[j]; j++)
			ck_assert_int_eq(
				follow("http://h/a", TEXT("GET"), 302, cases[i].locations[j], 10),
				TRAIL_GOES_ON);
		ck_assert_msg(
			trail->is_foreign == cases[i].is_foreign, "%s", cases[i].locations[0]);
		end();
	}
}
END_TEST

START_TEST(a_body_that_was_dropped_does_not_come_back)
{
	static const struct {
		uint16_t statuses[2];
		const char *method;
		bool keeps_body;
	} cases[] = {
		{{307, 308}, "POST", true},
		{{301, 307}, "GET", false},
		{{303, 308}, "GET", false},
		{{308, 302}, "GET", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin();
		for (size_t j = 0; j < 2; j++)
			ck_assert_int_eq(
				follow("http://h/a", TEXT("POST"), cases[i].statuses[j], "/b", 10),
				TRAIL_GOES_ON);
		ck_assert(text_is(trail->method, cases[i].method));
		ck_assert(trail->keeps_body == cases[i].keeps_body);
		end();
	}
}
END_TEST

START_TEST(as_many_as_a_document_may_ask_for)
{
	begin();
	for (int i = 0; i < PLAN_REDIRECTS_MAX; i++)
		ck_assert_int_eq(follow("http://h/a", TEXT("GET"), 302, "/b", PLAN_REDIRECTS_MAX),
			TRAIL_GOES_ON);
	ck_assert_uint_eq(trail->n_hops, PLAN_REDIRECTS_MAX);
	ck_assert(text_is(trail->hops[PLAN_REDIRECTS_MAX - 1].url, "http://h/b"));
	end();
}
END_TEST

UNIT_MAIN("job/trail", &what_a_response_is_to_a_job, &says_what_it_does_not_follow,
	&a_trail_has_every_hop_and_where_it_goes_on,
	&who_was_sent_away_is_a_stranger_also_back_home,
	&a_body_that_was_dropped_does_not_come_back, &as_many_as_a_document_may_ask_for)
