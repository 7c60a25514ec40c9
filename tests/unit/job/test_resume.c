/* SPDX-License-Identifier: MIT */
#include "job/resume.h"

#include <stdlib.h>

#include "tests/unit/unit.h"
#include "util/container.h"

/* Values of headers; NULL: none. */
static struct response_head head_of(
	struct header headers[2], uint16_t status, const char *etag, const char *range)
{
	struct response_head head = {.headers = headers, .status = status};

	if (etag)
		headers[head.n_headers++] = (struct header){TEXT("etag"), text_from(etag)};
	if (range)
		headers[head.n_headers++] =
			(struct header){TEXT("content-range"), text_from(range)};
	return head;
}

START_TEST(only_a_strong_tag_says_the_same)
{
	static const struct {
		uint16_t status;
		const char *etag;
		uint64_t offset;
		bool can_resume;
	} cases[] = {
		{200, "\"a\"", 10, true},
		{206, "\"a\"", 10, true},
		{200, "\"\"", 10, true},
		{200, "W/\"a\"", 10, false},
		{200, "a", 10, false},
		{200, "\"", 10, false},
		{200, NULL, 10, false},
		{200, "\"a\"", 0, false},
		{404, "\"a\"", 10, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header headers[2];
		struct response_head head = head_of(headers, cases[i].status, cases[i].etag, NULL);
		struct resume *resume = resume_new(&head, TEXT("http://h/a"), cases[i].offset);

		ck_assert_msg((resume != NULL) == cases[i].can_resume, "%zu", i);
		resume_free(resume);
	}
}
END_TEST

START_TEST(what_the_next_attempt_asks_for)
{
	struct header headers[2];
	struct response_head head = head_of(headers, 200, "\"v1\"", NULL);
	struct resume *resume = resume_new(&head, TEXT("http://h/a"), 18446744073709551614u);
	struct buffer out;

	buffer_init(&out, 1000);
	resume_append_headers(resume, &out);
	ck_assert(text_is(resume->url, "http://h/a"));
	ck_assert(text_is(
		buffer_text(&out), "Range: bytes=18446744073709551614-\r\nIf-Range: \"v1\"\r\n"));
	buffer_deinit(&out);
	resume_free(resume);
}
END_TEST

START_TEST(what_an_answer_means)
{
	static const struct {
		uint16_t status;
		const char *etag, *range;
		enum resume_answer answer;
	} cases[] = {
		{206, "\"v1\"", "bytes 10-19/20", RESUME_GOES_ON},
		{206, "\"v1\"", "bytes 10-19/*", RESUME_GOES_ON},
		{206, NULL, "bytes 10-19/20", RESUME_GOES_ON},
		{200, "\"v2\"", NULL, RESUME_BEGINS_ANEW},
		{200, "\"v1\"", NULL, RESUME_BEGINS_ANEW},
		{404, NULL, NULL, RESUME_BEGINS_ANEW},
		/* Never a result, though it may be the end. */
		{416, "\"v1\"", "bytes */10", RESUME_WRONG},
		{416, NULL, NULL, RESUME_WRONG},
		{206, "\"v2\"", "bytes 10-19/20", RESUME_WRONG},
		{206, "\"v1\"", "bytes 0-19/20", RESUME_WRONG},
		{206, "\"v1\"", "bytes 11-19/20", RESUME_WRONG},
		{206, "\"v1\"", NULL, RESUME_WRONG},
		{206, "\"v1\"", "items 10-19/20", RESUME_WRONG},
		{206, "\"v1\"", "bytes */20", RESUME_WRONG},
		{206, "\"v1\"", "bytes 10", RESUME_WRONG},
		{206, "\"v1\"", "bytes 99999999999999999999-1/2", RESUME_WRONG},
		{206, "\"v1\"", "bytes -10", RESUME_WRONG},
	};
	struct header own[2];
	struct response_head first = head_of(own, 200, "\"v1\"", NULL);
	struct resume *resume = resume_new(&first, TEXT("http://h/a"), 10);

	for (size_t i = 0; i < countof(cases); i++) {
		struct header headers[2];
		struct response_head head =
			head_of(headers, cases[i].status, cases[i].etag, cases[i].range);

		ck_assert_msg(resume_answer(resume, &head) == cases[i].answer, "%zu", i);
	}
	resume_free(resume);
}
END_TEST

UNIT_MAIN("job/resume", &only_a_strong_tag_says_the_same, &what_the_next_attempt_asks_for,
	&what_an_answer_means)
