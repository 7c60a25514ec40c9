/* SPDX-License-Identifier: MIT */
#include "client/cli/compose.h"

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "proto/document.h"
#include "tests/unit/client/words.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define JOB ",\"jobs\":[{\"url\":\"http://x/\"}]}"

/* Without what every document of get has: no limit of time, and one of size. */
static void take_out(struct buffer *out, const char *piece)
{
	size_t size = strlen(piece);
	char *at;

	buffer_append_byte(out, '\0');
	out->size--;
	at = strstr(out->data, piece);
	if (!at)
		return;
	/* The comma before it, or the one behind. */
	if (at[-1] == ',')
		at--, size++;
	else if (at[size] == ',')
		size++;
	memmove(at, at + size, out->size - (size_t)(at - out->data) - size);
	out->size -= size;
}

#define NO_TIME_LIMIT "\"timeout\":31536000,\"attempt_timeout\":31536000"
#define SIZE_LIMIT    "\"max_body\":536870912"

START_TEST(makes_a_document_of_curls_options)
{
	static const struct {
		const char *words;
		const char *document;
	} cases[] = {
		{"get http://x/", "{\"defaults\":{}" JOB},
		{"get x/", "{\"defaults\":{}" JOB},
		{"get http://x/ https://y/{{a}}?b",
			"{\"defaults\":{},\"jobs\":[{\"url\":\"http://x/\"},"
			"{\"url\":\"https://y/%7B%7Ba%7D%7D?b\"}]}"},
		{"get -X PUT x/", "{\"defaults\":{\"method\":\"PUT\"}" JOB},
		{"get -I x/", "{\"defaults\":{\"method\":\"HEAD\"}" JOB},
		{"get -H a:1 -H A:2 -H b:{{c}} -H d; -H e: x/",
			"{\"defaults\":{\"headers\":{\"a\":[\"1\",\"2\"],\"b\":\"\\\\{{c}}\","
			"\"d\":\"\"}}" JOB},
		{"get -d a=1 -d b=2 x/",
			"{\"defaults\":{\"headers\":{\"content-type\":"
			"\"application/x-www-form-urlencoded\"},\"body\":\"a=1&b=2\"}" JOB},
		{"get -d {{a}} -H Content-Type:text/x x/",
			"{\"defaults\":{\"headers\":{\"Content-Type\":\"text/x\"},"
			"\"body_base64\":\"e3thfX0=\"}" JOB},
		{"get -d a -H content-type: x/",
			"{\"defaults\":{\"headers\":{},\"body_base64\":\"YQ==\"}" JOB},
		{"get --json {\"a\": --json 1} x/",
			"{\"defaults\":{\"headers\":{\"content-type\":\"application/json\","
			"\"accept\":\"application/json\"},\"body\":\"{\\\"a\\\":1}\"}" JOB},
		{"get -m 2.5 x/", "{\"defaults\":{\"timeout\":2.5,\"attempt_timeout\":2.5}" JOB},
		{"get -m 9 --timeout 2 x/", "{\"timeout\":2,\"defaults\":{\"timeout\":9,"
					    "\"attempt_timeout\":9}" JOB},
		{"get -m 9 x/ y",
			"{\"defaults\":{\"timeout\":9,\"attempt_timeout\":9},\"jobs\":[{\"url\":"
			"\"http://x/\"},{\"url\":\"http://y\"}]}"},
		{"get --retry 3 x/", "{\"defaults\":{\"retry\":4}" JOB},
		{"get --retry 0 x/", "{\"defaults\":{}" JOB},
		{"get --retry 1 -m 9 x/", "{\"defaults\":{\"retry\":2,\"timeout\":31536000,"
					  "\"attempt_timeout\":9}" JOB},
		{"get --connect-timeout 3 x/",
			"{\"defaults\":{\"timeouts\":{\"connect\":3,\"tls\":3}}" JOB},
		{"get -c 4 --mode all x/",
			"{\"mode\":\"all\",\"concurrency\":4,\"defaults\":{}" JOB},
		{"get --max-filesize 1K --raw --http1.1 --max-redirs 0 x/",
			"{\"defaults\":{\"max_body\":1024,\"redirects\":0,\"decode\":false,"
			"\"http\":\"1.1\"}" JOB},
		{"get -k x/", "{\"defaults\":{\"tls\":{\"insecure\":true}}" JOB},
		{"get --resolve h:80:127.0.0.1,[::1] --resolve +[::2]:1:::3 x/",
			"{\"defaults\":{\"resolve\":{\"h:80\":[\"127.0.0.1\",\"::1\"],"
			"\"[::2]:1\":[\"::3\"]}}" JOB},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char *line = strdup(cases[i].words);
		struct options options;
		struct buffer out;

		words_parse(line, &options);
		buffer_init(&out, 65536);
		ck_assert_int_eq(compose_document(&options, &out), 0);
		take_out(&out, NO_TIME_LIMIT);
		take_out(&out, SIZE_LIMIT);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].document), "%s gave %.*s",
			cases[i].words, TEXT_ARGS(buffer_text(&out)));
		buffer_deinit(&out);
		option_deinit(&options);
		free(line);
	}
}
END_TEST

START_TEST(makes_documents_that_are_admitted)
{
	static const char *const lines[] = {
		"get http://x/ y:8080/a?b",
		"get -H a:{{b}} -d {{c}} -m 1 --connect-timeout 2 -c 3 --timeout 4 x",
		"get -k --resolve h:80:127.0.0.1 --http1.1 --raw --max-redirs 0 x",
		"get --json {} --max-filesize 1g x/{{a}}",
		"get --retry 1000 --mode any x",
	};

	for (size_t i = 0; i < countof(lines); i++) {
		char *line = strdup(lines[i]);
		struct plan_errors errors;
		struct options options;
		struct plan *plan = NULL;
		struct buffer out;

		words_parse(line, &options);
		buffer_init(&out, 65536);
		ck_assert_int_eq(compose_document(&options, &out), 0);
		plan_errors_init(&errors);
		ck_assert_msg(document_parse(buffer_text(&out), &document_limits_default, &plan,
				      &errors) == 0,
			"%s: %.*s: %.*s", lines[i], TEXT_ARGS(errors.errors[0].at),
			TEXT_ARGS(errors.errors[0].message));
		plan_free(plan);
		plan_errors_deinit(&errors);
		buffer_deinit(&out);
		option_deinit(&options);
		free(line);
	}
}
END_TEST

START_TEST(refuses_what_it_cannot_say)
{
	static const struct {
		const char *words;
		int status;
	} cases[] = {
		{"get -H nocolon x", EXIT_USAGE},
		{"get -H :x x", EXIT_USAGE},
		{"get -H a:\xff x", EXIT_USAGE},
		{"get \xff", EXIT_USAGE},
		{"get -H @/nonexistent x", EXIT_LOCAL_IO},
		{"get -d @/nonexistent x", EXIT_LOCAL_IO},
		{"get --cacert /nonexistent x", EXIT_LOCAL_IO},
		{"get -I -d a x", EXIT_USAGE},
		{"get --json 1 -d a x", EXIT_USAGE},
		{"get -m 0 x", EXIT_USAGE},
		{"get --retry x x", EXIT_USAGE},
		{"get --retry 1001 x", EXIT_USAGE},
		{"get --connect-timeout x x", EXIT_USAGE},
		{"get --max-filesize x x", EXIT_USAGE},
		{"get --max-redirs 3 x", EXIT_USAGE},
		{"get --timeout x x", EXIT_USAGE},
		{"get -c x x", EXIT_USAGE},
		{"get --resolve x x", EXIT_USAGE},
		{"get --resolve h:80 x", EXIT_USAGE},
		{"get --resolve :80:1.2.3.4 x", EXIT_USAGE},
		{"get --resolve h:80: x", EXIT_USAGE},
		{"get --resolve h:80:1.2.3.4, x", EXIT_USAGE},
	};

	message_silence();
	for (size_t i = 0; i < countof(cases); i++) {
		char *line = strdup(cases[i].words);
		struct options options;
		struct buffer out;

		words_parse(line, &options);
		buffer_init(&out, 65536);
		ck_assert_msg(
			compose_document(&options, &out) == cases[i].status, "%s", cases[i].words);
		buffer_deinit(&out);
		option_deinit(&options);
		free(line);
	}
}
END_TEST

START_TEST(makes_the_head_of_a_batch_s_graphs)
{
	char line[] = "batch -H a:1 -c 9 --retry 1", bad[] = "batch -H a";
	struct options options;
	struct buffer out;

	words_parse(line, &options);
	buffer_init(&out, 65536);
	ck_assert_int_eq(compose_head(&options, &out), 0);
	take_out(&out, NO_TIME_LIMIT);
	take_out(&out, SIZE_LIMIT);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, "{\"defaults\":{\"headers\":{\"a\":\"1\"},"
				   "\"retry\":2,\"dedupe\":false},\"jobs\":");
	buffer_deinit(&out);
	option_deinit(&options);
	message_silence();
	words_parse(bad, &options);
	buffer_init(&out, 65536);
	ck_assert_int_eq(compose_head(&options, &out), EXIT_USAGE);
	buffer_deinit(&out);
	option_deinit(&options);
}
END_TEST

START_TEST(limits_time_as_curl_does_and_size_by_memory)
{
	char line[] = "get x/";
	struct options options;
	struct buffer out;

	words_parse(line, &options);
	buffer_init(&out, 65536);
	ck_assert_int_eq(compose_document(&options, &out), 0);
	ck_assert(text_is(buffer_text(&out), "{\"defaults\":{" NO_TIME_LIMIT "," SIZE_LIMIT
					     "},\"jobs\":[{\"url\":\"http://x/\"}]}"));
	buffer_deinit(&out);
	option_deinit(&options);
}
END_TEST

UNIT_MAIN("client/compose", &makes_a_document_of_curls_options, &makes_the_head_of_a_batch_s_graphs,
	&limits_time_as_curl_does_and_size_by_memory, &makes_documents_that_are_admitted,
	&refuses_what_it_cannot_say)
