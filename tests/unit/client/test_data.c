/* SPDX-License-Identifier: MIT */
#include "client/cli/data.h"

#include <stdio.h>
#include <unistd.h>

#include "client/cli/message.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(joins_as_curl_joins)
{
	static const struct {
		/* %s: a file of "a\r\nb\0c d". */
		const char *words;
		struct text body;
	} cases[] = {
		{"get -d a -d b x", TEXT_INIT("a&b")},
		{"get -d @%s -d x=1 x", TEXT_INIT("abc d&x=1")},
		{"get --data-binary @%s x", TEXT_INIT("a\r\nb\0c d")},
		{"get --data-raw @%s x", {NULL, 0}},
		{"get --json @%s --json 1 x", TEXT_INIT("a\r\nb\0c d1")},
		{"get --data-urlencode a=b+c --data-urlencode =d/e --data-urlencode f~g x",
			TEXT_INIT("a=b%2Bc&d%2Fe&f~g")},
		{"get --data-urlencode n@%s x", TEXT_INIT("n=a%0D%0Ab%00c%20d")},
		{"get -d  x", TEXT_INIT("")},
	};
	char path[] = "/tmp/settle-test.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "a\r\nb\0c d", 8), 8);
	close(fd);
	message_silence();
	for (size_t i = 0; i < countof(cases); i++) {
		struct options options;
		struct buffer out;
		char line[256];

		/* The format is the table's. */
		const char *at = strstr(cases[i].words, "%s");

		if (at)
			snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - cases[i].words),
				cases[i].words, path, at + 2);
		else
			snprintf(line, sizeof(line), "%s", cases[i].words);
		words_parse(line, &options);
		buffer_init(&out, 65536);
		ck_assert(data_is_given(&options));
		ck_assert_int_eq(data_collect(&options, &out), 0);
		if (cases[i].body.data)
			ck_assert_msg(
				text_equal(buffer_text(&out), cases[i].body), "%s", cases[i].words);
		else
			ck_assert_int_eq(out.data[0], '@');
		buffer_deinit(&out);
		option_deinit(&options);
	}
	unlink(path);
}
END_TEST

UNIT_MAIN("client/data", &joins_as_curl_joins)
