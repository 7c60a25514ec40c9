/* SPDX-License-Identifier: MIT */
#include "client/cli/failure.h"

#include "tests/unit/client/sample.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define REJECTED(code, more)                                                                       \
	"{\"job\":\"j\",\"index\":0,\"status\":\"rejected\",\"attempts\":3,\"reason\":{"           \
	"\"code\":\"" code "\",\"message\":\"no\x7f way\"" more "},\"time\":{}}"

static void failure_expect(const char *json, const char *body, uint32_t columns, const char *wanted)
{
	struct render_record record = {
		.json = text_from(json),
		.body = text_from(body),
		.job = TEXT("j"),
		.is_rejected = true,
	};
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_int_eq(failure_append(&out, &record, columns), wanted[0] != '\0');
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, wanted);
	buffer_deinit(&out);
}

START_TEST(tells_what_became_of_it_and_what_to_try)
{
	static const struct {
		const char *json, *body;
		const char *wanted;
	} cases[] = {
		{REJECTED("HTTP_STATUS", ",\"retryable\":true"), "one\r\n\ntwo\nthree\nfour\n",
			"j: HTTP_STATUS: no? way (3 attempts)\n    | one\n    | two\n"
			"    it may pass: \"retry\" tries again (get: --retry)\n"},
		{REJECTED("HTTP_STATUS", ",\"retryable\":true,\"stopped\":\"attempts\""), "",
			"j: HTTP_STATUS: no? way (3 attempts)\n"},
		{REJECTED("CONNECT_REFUSED", ",\"retryable\":true"), "",
			"j: CONNECT_REFUSED: no? way (3 attempts)\n"
			"    is the server up, and the port the right one?\n"},
		{REJECTED("HTTP_PARSE", ""), "\x1b[31mx",
			"j: HTTP_PARSE: no? way (3 attempts)\n    | ?[31mx\n"},
		{REJECTED("CANCELLED", ""), "", ""},
		{REJECTED("DEPENDENCY_REJECTED", ""), "", ""},
		{"{}", "", ""},
		{"", "", ""},
	};

	for (size_t i = 0; i < countof(cases); i++)
		failure_expect(cases[i].json, cases[i].body, 0, cases[i].wanted);
}
END_TEST

START_TEST(fits_the_terminal)
{
	failure_expect(REJECTED("HTTP_PARSE", ""), "0123456789012345", 16,
		"j: HTTP_PARSE: \n    | 012345678\n");
}
END_TEST

UNIT_MAIN("client/failure", &tells_what_became_of_it_and_what_to_try, &fits_the_terminal)
