/* SPDX-License-Identifier: MIT */
#include "client/cli/compose.h"

#include <stdio.h>
#include <unistd.h>

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
	while ((at = strstr(out->data, piece)) != NULL) {
		size_t cut = size;

		/* The comma before it, or the one behind. */
		if (at[-1] == ',')
			at--, cut++;
		else if (at[cut] == ',')
			cut++;
		memmove(at, at + cut, out->size + 1 - (size_t)(at - out->data) - cut);
		out->size -= cut;
	}
}

/* As settle get does it: a job for each URL, its body in its record. */
static int compose(const struct options *options, struct buffer *out)
{
	struct compose_job jobs[WORDS_MAX];
	struct compose_request request = {
		.jobs = jobs, .n_jobs = options->n_operands, .data_fd = COMPOSE_FD_NONE};

	for (size_t i = 0; i < options->n_operands; i++)
		jobs[i] = (struct compose_job){.url = options->operands[i],
			.body_fd = COMPOSE_FD_NONE,
			.output_fd = COMPOSE_FD_NONE};
	return compose_document(options, &request, out);
}

#define NO_TIME_LIMIT "\"timeout\":31536000,\"attempt_timeout\":31536000"
#define SIZE_LIMIT    "\"max_body\":536870912"

static const struct {
	const char *words;
	const char *document;
} compose_cases[] = {
	{"get http://x/", "{\"defaults\":{}" JOB},
	{"get x/", "{\"defaults\":{}" JOB},
	{"get http://x/ https://y/{{a}}?b", "{\"defaults\":{},\"jobs\":[{\"url\":\"http://x/\"},"
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
	{"get -m 9 x/ y", "{\"defaults\":{\"timeout\":9,\"attempt_timeout\":9},\"jobs\":[{\"url\":"
			  "\"http://x/\"},{\"url\":\"http://y\"}]}"},
	{"get --retry 3 x/", "{\"defaults\":{\"retry\":4}" JOB},
	{"get --retry 0 x/", "{\"defaults\":{}" JOB},
	{"get --retry 1 -m 9 x/", "{\"defaults\":{\"retry\":2,\"timeout\":31536000,"
				  "\"attempt_timeout\":9}" JOB},
	{"get --connect-timeout 3 x/",
		"{\"defaults\":{\"timeouts\":{\"connect\":3,\"tls\":3}}" JOB},
	{"get -c 4 --mode all x/", "{\"mode\":\"all\",\"concurrency\":4,\"defaults\":{}" JOB},
	{"get --max-filesize 1K --raw --http1.1 --max-redirs 0 x/",
		"{\"defaults\":{\"max_body\":1024,\"redirects\":0,\"decode\":false,"
		"\"http\":\"1.1\"}" JOB},
	{"get --max-redirs -1 -L --compressed --http1.1 --http2 x/",
		"{\"defaults\":{\"redirects\":100}" JOB},
	{"get -r 0-9,20-29 x/", "{\"defaults\":{\"headers\":{\"range\":\"bytes=0-9,20-29\"},"
				"\"decode\":false}" JOB},
	{"get -r 7 --compressed x/",
		"{\"defaults\":{\"headers\":{\"range\":\"bytes=7-\"},\"decode\":false}" JOB},
	{"get -r -7 -H Range:x x/",
		"{\"defaults\":{\"headers\":{\"Range\":\"x\"},\"decode\":false}" JOB},
	{"get -g -Z -N --tlsv1.2 -# --create-dirs x/", "{\"defaults\":{}" JOB},
	{"get -u me:p:w x/", "{\"defaults\":{\"headers\":{\"authorization\":"
			     "\"Basic bWU6cDp3\"}}" JOB},
	{"get -u me: -H Authorization:x x/",
		"{\"defaults\":{\"headers\":{\"Authorization\":\"x\"}}" JOB},
	{"get -A a{{b -e http://r/ -b c=1 -b d=2;e=3 x/",
		"{\"defaults\":{\"headers\":{\"cookie\":\"c=1; d=2;e=3\","
		"\"user-agent\":\"a\\\\{{b\",\"referer\":\"http://r/\"}}" JOB},
	{"get --pinnedpubkey sha256//YQ==;sha256//Yg== x/",
		"{\"defaults\":{\"tls\":{\"pin\":[\"sha256//YQ==\",\"sha256//"
		"Yg==\"]}}" JOB},
	{"get -E secret:me x/", "{\"defaults\":{\"tls\":{\"cert\":\"secret:me\","
				"\"key\":\"secret:me\"}}" JOB},
	{"get -E secret:me --key secret:k --cacert secret:ca x/",
		"{\"defaults\":{\"tls\":{\"ca\":\"secret:ca\",\"cert\":\"secret:me\","
		"\"key\":\"secret:k\"}}" JOB},
	{"get -x p x/", "{\"defaults\":{\"proxy\":\"http://p:1080\"}" JOB},
	{"get -x http://u:p@[::1]:8/x x/", "{\"defaults\":{\"proxy\":\"http://u:p@[::1]:8\"}" JOB},
	{"get -x u:p@[::1] -U a@b:c/d x/",
		"{\"defaults\":{\"proxy\":\"http://a%40b:c%2Fd@[::1]:1080\"}" JOB},
	{"get -x secret:me@p:1 x/", "{\"defaults\":{\"proxy\":\"http://secret:me@p:1\"}" JOB},
	{"get -x socks5://p:1 x/", "{\"defaults\":{\"proxy\":\"socks5://p:1\"}" JOB},
	{"get -x  x/", "{\"defaults\":{}" JOB},
	{"get -k x/", "{\"defaults\":{\"tls\":{\"insecure\":true}}" JOB},
	{"get --resolve h:80:127.0.0.1,[::1] --resolve +[::2]:1:::3 x/",
		"{\"defaults\":{\"resolve\":{\"h:80\":[\"127.0.0.1\",\"::1\"],"
		"\"[::2]:1\":[\"::3\"]}}" JOB},
};

START_TEST(makes_a_document_of_curls_options)
{
	for (size_t i = 0; i < countof(compose_cases); i++) {
		char *line = strdup(compose_cases[i].words);
		struct options options;
		struct buffer out;

		words_parse(line, &options);
		buffer_init(&out, 65536);
		ck_assert_int_eq(compose(&options, &out), 0);
		take_out(&out, NO_TIME_LIMIT);
		take_out(&out, SIZE_LIMIT);
		ck_assert_msg(text_is(buffer_text(&out), compose_cases[i].document), "%s gave %.*s",
			compose_cases[i].words, TEXT_ARGS(buffer_text(&out)));
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
		ck_assert_int_eq(compose(&options, &out), 0);
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
		{"get --max-redirs 101 x", EXIT_USAGE},
		{"get --max-redirs -2 x", EXIT_USAGE},
		{"get -u me x", EXIT_USAGE},
		{"get -b jar x", EXIT_USAGE},
		{"get -e http://r/;auto x", EXIT_USAGE},
		{"get -A \xff x", EXIT_USAGE},
		{"get --key secret:k x", EXIT_USAGE},
		{"get -E /nonexistent x", EXIT_LOCAL_IO},
		{"get -E /etc/passwd x", EXIT_USAGE},
		{"get --pinnedpubkey key.der x", EXIT_USAGE},
		{"get -x p -U me x", EXIT_USAGE},
		{"get -G --json 1 x", EXIT_USAGE},
		{"get -G -T f -d a x", EXIT_USAGE},
		{"get -T f -d a x", EXIT_USAGE},
		{"get -T f -I x", EXIT_USAGE},
		{"get -G -d \xff x", EXIT_USAGE},
		{"get --timeout x x", EXIT_USAGE},
		{"get -c x x", EXIT_USAGE},
		{"get -c jar.txt x", EXIT_USAGE},
		{"get --mode first x", EXIT_USAGE},
		{"get -r x x", EXIT_USAGE},
		{"get -r  x", EXIT_USAGE},
		{"get -r bytes=0-9 x", EXIT_USAGE},
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
		ck_assert_msg(compose(&options, &out) == cases[i].status, "%s", cases[i].words);
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
	ck_assert_int_eq(compose(&options, &out), 0);
	ck_assert(
		text_is(buffer_text(&out), "{\"defaults\":{" NO_TIME_LIMIT
					   "},\"jobs\":[{\"url\":\"http://x/\"," SIZE_LIMIT "}]}"));
	buffer_deinit(&out);
	option_deinit(&options);
}
END_TEST

/* The words' document but for its defaults. */
static void expect_jobs(const char *words, const struct compose_request *request, const char *jobs)
{
	char *line = strdup(words);
	struct options options;
	struct buffer out;
	struct text text;
	size_t at;

	words_parse(line, &options);
	buffer_init(&out, 65536);
	ck_assert_int_eq(compose_document(&options, request, &out), 0);
	take_out(&out, SIZE_LIMIT);
	text = buffer_text(&out);
	at = (size_t)((const char *)memmem(text.data, text.size, "\"jobs\":", 7) - text.data) + 7;
	ck_assert_msg(text_is(text_from_at(text, at), jobs), "%s gave %.*s", words,
		TEXT_ARGS(text_from_at(text, at)));
	buffer_deinit(&out);
	option_deinit(&options);
	free(line);
}

START_TEST(says_what_each_url_has_of_its_own)
{
	static const struct {
		const char *words;
		struct compose_job job;
		const char *jobs;
	} cases[] = {
		{"get x", {"http://h/a", NULL, 3, 4, PLAN_FILE},
			"[{\"url\":\"http://h/a\",\"body_fd\":3,\"output\":\"file\",\"fd\":4}]}"},
		{"get x", {"h/a", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_STREAM},
			"[{\"url\":\"http://h/a\",\"output\":\"stream\"}]}"},
		{"get x", {"h/a", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_DISCARD},
			"[{\"url\":\"http://h/a\",\"output\":\"discard\"}]}"},
		/* -T: the name goes with it. */
		{"get x", {"h", "d/a b", 0, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/a%20b\",\"method\":\"PUT\",\"body_fd\":0}]}"},
		{"get x", {"http://h/d/#f", "{a}", 0, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/d/%7Ba%7D\",\"method\":\"PUT\",\"body_fd\":0}]}"},
		{"get x", {"http://h/d/e", "a", 0, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/d/e\",\"method\":\"PUT\",\"body_fd\":0}]}"},
		{"get x", {"http://h/d/?q", "a", 0, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/d/?q\",\"method\":\"PUT\",\"body_fd\":0}]}"},
		{"get x", {"http://h/", "-", 0, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/\",\"method\":\"PUT\",\"body_fd\":0}]}"},
		{"get -X POST x", {"http://h/", ".", 0, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/\",\"body_fd\":0}]}"},
		/* -G: the body goes behind the URL. */
		{"get -G -d a=1 -d b={ x",
			{"h", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/?a=1&b=%7B\"}]}"},
		{"get -G -d a=1 x",
			{"http://h/p?q#f", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/p?q&a=1\"}]}"},
		{"get -G -d a=1 x",
			{"http://h/p?", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/p?a=1\"}]}"},
		{"get -G x", {"http://h/p#f", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_INLINE},
			"[{\"url\":\"http://h/p#f\"}]}"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct compose_request request = {&cases[i].job, 1, COMPOSE_FD_NONE};

		expect_jobs(cases[i].words, &request, cases[i].jobs);
	}
}
END_TEST

START_TEST(reads_the_body_of_all_from_a_descriptor)
{
	char line[] = "get --data-binary @/nonexistent x/";
	struct compose_job job = {"x/", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_INLINE};
	struct compose_request request = {&job, 1, 5};
	struct options options;
	struct buffer out;

	words_parse(line, &options);
	buffer_init(&out, 65536);
	ck_assert_int_eq(compose_document(&options, &request, &out), 0);
	ck_assert_ptr_nonnull(memmem(out.data, out.size, "\"body_fd\":5", 11));
	ck_assert_ptr_null(memmem(out.data, out.size, "\"body\"", 6));
	buffer_deinit(&out);
	option_deinit(&options);
}
END_TEST

/* Which of four URLs go by the proxy. */
START_TEST(spares_hosts_the_proxy)
{
	static const struct {
		const char *list;
		bool goes[5];
	} cases[] = {
		{"x", {true, true, true, true, true}},
		{"*", {false, false, false, false, false}},
		{"example.com", {false, false, true, true, true}},
		{".example.com.", {false, false, true, true, true}},
		{"www.example.com,10.0.0.0/8", {true, false, true, false, true}},
		{"10.1.2.3,2001:db8::/32", {true, true, true, false, false}},
		{"10.1.2.4/31,2001:db8::2", {true, true, true, true, true}},
		{"10.1.2.3/33,ample.com", {true, true, true, true, true}},
	};
	static const char *const urls[] = {"example.com", "https://WWW.example.com:8/",
		"http://badexample.com/x", "http://10.1.2.3:80?q", "http://[2001:db8::1]/"};

	for (size_t i = 0; i < countof(cases); i++) {
		char line[128];

		for (size_t j = 0; j < countof(urls); j++) {
			struct compose_job job = {
				urls[j], NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_DISCARD};
			struct compose_request request = {&job, 1, COMPOSE_FD_NONE};
			struct options options;
			struct buffer out;

			snprintf(line, sizeof(line), "get -x p:1 --noproxy %s x", cases[i].list);
			words_parse(line, &options);
			buffer_init(&out, 65536);
			ck_assert_int_eq(compose_document(&options, &request, &out), 0);
			ck_assert_msg((memmem(out.data, out.size, "\"proxy\":", 8) != NULL) ==
					      cases[i].goes[j],
				"%s: %s: %.*s", cases[i].list, urls[j],
				TEXT_ARGS(buffer_text(&out)));
			buffer_deinit(&out);
			option_deinit(&options);
		}
	}
}
END_TEST

START_TEST(asks_the_environment_for_a_proxy_only_when_told_to)
{
	static const struct {
		const char *words, *url, *proxy;
	} cases[] = {
		{"get x", "http://h/", NULL},
		{"get --proxy-from-env x", "http://h/", "http://for-http:1080"},
		{"get --proxy-from-env x", "h", "http://for-http:1080"},
		{"get --proxy-from-env x", "HTTPS://h/", "http://u:p@for-https:3"},
		{"get --proxy-from-env x", "http://spared.org/", NULL},
		{"get --proxy-from-env --noproxy h x", "http://spared.org/",
			"http://for-http:1080"},
		{"get --proxy-from-env -x o:1 x", "http://h/", "http://o:1"},
		{"get --proxy-from-env -x  x", "http://h/", NULL},
	};

	setenv("http_proxy", "for-http", 1);
	setenv("HTTP_PROXY", "http://never:1", 1);
	setenv("HTTPS_PROXY", "http://u:p@for-https:3/", 1);
	setenv("ALL_PROXY", "http://never:2", 1);
	setenv("no_proxy", "spared.org", 1);
	for (size_t i = 0; i < countof(cases); i++) {
		struct compose_job job = {
			cases[i].url, NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_DISCARD};
		struct compose_request request = {&job, 1, COMPOSE_FD_NONE};
		char *line = strdup(cases[i].words), wanted[128] = "\"proxy\":";
		struct options options;
		struct buffer out;

		if (cases[i].proxy)
			snprintf(wanted, sizeof(wanted), "\"proxy\":\"%s\"", cases[i].proxy);
		words_parse(line, &options);
		buffer_init(&out, 65536);
		ck_assert_int_eq(compose_document(&options, &request, &out), 0);
		ck_assert_msg((memmem(out.data, out.size, wanted, strlen(wanted)) != NULL) ==
				      (cases[i].proxy != NULL),
			"case %zu: %.*s", i, TEXT_ARGS(buffer_text(&out)));
		buffer_deinit(&out);
		option_deinit(&options);
		free(line);
	}
	unsetenv("http_proxy");
	unsetenv("HTTPS_PROXY");
	{
		struct compose_job job = {
			"http://h/", NULL, COMPOSE_FD_NONE, COMPOSE_FD_NONE, PLAN_DISCARD};
		struct compose_request request = {&job, 1, COMPOSE_FD_NONE};

		expect_jobs("get --proxy-from-env x", &request,
			"[{\"url\":\"http://h/\",\"output\":\"discard\","
			"\"proxy\":\"http://never:2\"}]}");
	}
}
END_TEST

START_TEST(reads_certificates_and_keys)
{
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\n";
	char path[] = "/tmp/settle-test.XXXXXX", line[128];
	int fd = mkstemp(path);
	struct options options;
	struct buffer out;

	ck_assert_int_eq(write(fd, pem, sizeof(pem) - 1), sizeof(pem) - 1);
	close(fd);
	snprintf(line, sizeof(line), "get -E %s --cacert %s x/", path, path);
	words_parse(line, &options);
	buffer_init(&out, 65536);
	ck_assert_int_eq(compose(&options, &out), 0);
	take_out(&out, NO_TIME_LIMIT);
	take_out(&out, SIZE_LIMIT);
#define LABEL "-----BEGIN PRIVATE KEY-----\\n"
	ck_assert(text_is(buffer_text(&out),
		"{\"defaults\":{\"tls\":{\"ca\":\"" LABEL "\",\"cert\":\"" LABEL "\","
		"\"key\":\"" LABEL "\"}}" JOB));
#undef LABEL
	buffer_deinit(&out);
	option_deinit(&options);
	unlink(path);
}
END_TEST

UNIT_MAIN("client/compose", &makes_a_document_of_curls_options, &makes_the_head_of_a_batch_s_graphs,
	&limits_time_as_curl_does_and_size_by_memory, &makes_documents_that_are_admitted,
	&refuses_what_it_cannot_say, &says_what_each_url_has_of_its_own,
	&reads_the_body_of_all_from_a_descriptor, &spares_hosts_the_proxy,
	&asks_the_environment_for_a_proxy_only_when_told_to, &reads_certificates_and_keys)
