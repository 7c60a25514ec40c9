/* SPDX-License-Identifier: MIT */
#include "client/cli/edit.h"

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(changes_what_the_options_say)
{
	static const struct {
		const char *words;
		const char *document;
		int status;
		const char *edited;
	} cases[] = {
		{"run", " { \"jobs\" : {} }\n", 0, " { \"jobs\" : {} }\n"},
		{"run --mode all", "{\"jobs\":{}}", 0, "{\"jobs\":{},\"mode\":\"all\"}"},
		{"run --mode all", "{\"mode\":\"settled\",\"a\":1.50}", 0,
			"{\"mode\":\"all\",\"a\":1.50}"},
		{"run --timeout 250ms", "{}", 0, "{\"timeout\":0.25}"},
		{"run -c 7", "{\"concurrency\":1}", 0, "{\"concurrency\":7}"},
		{"run -c unbounded", "{}", 0, "{\"concurrency\":\"unbounded\"}"},
		{"run --input [9007199254740993]", "{\"input\":{}}", 0,
			"{\"input\":[9007199254740993]}"},
		{"run --arg a=b=c --argjson n=9007199254740993", "{\"input\":{\"x\":1}}", 0,
			"{\"input\":{\"x\":1,\"a\":\"b=c\",\"n\":9007199254740993}}"},
		{"run --arg a=1 --input {\"z\":0}", "{}", 0, "{\"input\":{\"z\":0,\"a\":\"1\"}}"},
		{"run --arg a=1 --arg a=2", "{}", 0, "{\"input\":{\"a\":\"2\"}}"},
		{"run --arg a=\"\x1b", "{}", 0, "{\"input\":{\"a\":\"\\\"\\u001B\"}}"},
		{"run --mode all", "{\"jobs\"", 0, "{\"jobs\""},
		{"run --mode all", "[]", 0, "[]"},
		{"run --arg a=1", "{\"input\":[]}", EXIT_USAGE, NULL},
		{"run --mode first", "{}", EXIT_USAGE, NULL},
		{"run --arg a=1 --input 3", "{}", EXIT_USAGE, NULL},
		{"run --argjson a=x", "{}", EXIT_USAGE, NULL},
		{"run --input {", "{}", EXIT_USAGE, NULL},
		{"run --arg a", "{}", EXIT_USAGE, NULL},
		{"run --arg a=\xff", "{}", EXIT_USAGE, NULL},
		{"run --timeout x", "{}", EXIT_USAGE, NULL},
		{"run -c 0", "{}", EXIT_USAGE, NULL},
	};

	message_silence();
	for (size_t i = 0; i < countof(cases); i++) {
		char *line = strdup(cases[i].words);
		struct options options;
		struct buffer document;

		words_parse(line, &options);
		buffer_init(&document, 65536);
		buffer_append_text(&document, text_from(cases[i].document));
		ck_assert_msg(edit_document(&options, &document) == cases[i].status, "%s",
			cases[i].words);
		if (cases[i].edited)
			ck_assert_msg(text_is(buffer_text(&document), cases[i].edited),
				"%s gave %.*s", cases[i].words, TEXT_ARGS(buffer_text(&document)));
		buffer_deinit(&document);
		option_deinit(&options);
		free(line);
	}
}
END_TEST

UNIT_MAIN("client/edit", &changes_what_the_options_say)
