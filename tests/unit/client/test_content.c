/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/message.h"
#include "client/cli/render/content.h"
#include "tests/unit/unit.h"

#define USER_HEAD "HTTP/1.1 200\r\ncontent-type: application/json\r\nx: a\r\nx: b\r\n\r\n"

static const char *const content_urls[] = {"http://a/", "http://b/"};

START_TEST(shows_bodies_as_curl_does)
{
	static const char *const outputs[] = {NULL, NULL};
	static const struct {
		struct content_options content;
		const struct render_record *record;
		const char *text;
	} cases[] = {
		{{.include_head = false}, &sample_user, "{\"id\":1}"},
		{{.include_head = true}, &sample_user, USER_HEAD "{\"id\":1}"},
		{{.is_head = true}, &sample_empty, "HTTP/1.1 204\r\n\r\n"},
		{{.fail = false}, &sample_profile, "oops"},
		{{.fail = true}, &sample_profile, ""},
		{{.include_head = true}, &sample_audit, ""},
	};

	message_silence();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct content_options content = cases[i].content;
		struct sink sink;
		struct render *render;

		content.urls = content_urls;
		content.outputs = outputs;
		content.n_urls = 2;
		sink_init(&sink, -1, SINK_RAW);
		render = render_content_new(&(struct render_options){.sink = &sink}, &content);
		ck_assert_int_eq(render_record(render, cases[i].record), 0);
		render_finish(render, &sample_end);
		sample_expect(&sink, cases[i].text);
		render_free(render);
		sink_deinit(&sink);
	}
}
END_TEST

START_TEST(leaves_no_file_for_what_was_rejected)
{
	char directory[] = "/tmp/settle-test.XXXXXX", good[64], bad[64];
	const char *outputs[] = {good, bad};
	struct content_options content = {.urls = content_urls, .outputs = outputs, .n_urls = 2};
	struct sink sink;
	struct render *render;
	struct stat status;

	message_silence();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(good, sizeof(good), "%s/good", directory);
	snprintf(bad, sizeof(bad), "%s/bad", directory);
	sink_init(&sink, -1, SINK_RAW);
	content.records = render_jsonl_new(&(struct render_options){.sink = &sink});
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_eq(render_record(render, &sample_user), 0);
	/* The record follows without the body that went to the file. */
	sample_expect(&sink, SAMPLE_USER "\n");
	ck_assert_int_eq(render_record(render, &sample_profile), 0);
	ck_assert_int_eq(stat(good, &status), 0);
	ck_assert_int_eq(status.st_size, 8);
	ck_assert_int_ne(stat(bad, &status), 0);
	render_free(render);
	sink_deinit(&sink);
	unlink(good);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(tells_that_a_file_cannot_be_written)
{
	static const char *const outputs[] = {"/nonexistent/file", NULL};
	struct content_options content = {.urls = content_urls, .outputs = outputs, .n_urls = 2};
	struct sink sink;
	struct render *render;

	message_silence();
	sink_init(&sink, -1, SINK_RAW);
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_lt(render_record(render, &sample_user), 0);
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/content", &shows_bodies_as_curl_does, &leaves_no_file_for_what_was_rejected,
	&tells_that_a_file_cannot_be_written)
