/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/message.h"
#include "client/cli/render/content.h"
#include "tests/unit/unit.h"

#define USER_HEAD "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx: a\r\nx: b\r\n\r\n"

static const char *const content_urls[] = {"http://a/", "http://b/"};

START_TEST(shows_bodies_as_curl_does)
{
	static const struct {
		struct content_options content;
		const struct render_record *record;
		const char *text;
	} cases[] = {
		{{.include_head = false}, &sample_user, "{\"id\":1}"},
		{{.include_head = true}, &sample_user, USER_HEAD "{\"id\":1}"},
		{{.is_head = true}, &sample_empty, "HTTP/1.1 204 No Content\r\n\r\n"},
		{{.fail = false}, &sample_profile, "oops"},
		{{.fail = true}, &sample_profile, ""},
		{{.include_head = true}, &sample_audit, ""},
	};

	message_silence();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct content_options content = cases[i].content;
		struct sink sink;
		struct render *render;

		struct output outputs[2] = {{.path = NULL}};

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

/* Outputs as the command line makes them; the two paths may be NULL. */
static struct outputs open_outputs(const char *first, const char *second, bool has_head)
{
	struct option_use uses[2] = {
		{OPTION_OUTPUT, first ? first : "-"}, {OPTION_OUTPUT, second ? second : "-"}};
	const char *operands[] = {"http://a/", "http://b/"};
	struct options options = {.uses = uses, .n_uses = 2, .operands = operands, .n_operands = 2};
	struct outputs outputs;
	struct output_how how = {.is_held = has_head};

	ck_assert_int_eq(outputs_take(&options, &outputs), 0);
	for (size_t i = 0; i < outputs.n; i++)
		ck_assert_int_eq(output_open(&outputs.outputs[i], &how), 0);
	return outputs;
}

static void expect_file(const char *path, const char *text)
{
	char bytes[256];
	int fd = open(path, O_RDONLY);
	ssize_t size = read(fd, bytes, sizeof(bytes));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(size, (ssize_t)strlen(text));
	ck_assert_int_eq(memcmp(bytes, text, (size_t)size), 0);
	close(fd);
}

START_TEST(leaves_no_file_for_what_was_rejected)
{
	char directory[] = "/tmp/settle-test.XXXXXX", good[64], bad[64];
	struct content_options content = {.urls = content_urls, .n_urls = 2};
	struct outputs outputs;
	struct sink sink;
	struct render *render;
	struct stat status;

	message_silence();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(good, sizeof(good), "%s/good", directory);
	snprintf(bad, sizeof(bad), "%s/bad", directory);
	outputs = open_outputs(good, bad, false);
	content.outputs = outputs.outputs;
	ck_assert_int_eq(outputs.outputs[0].kind, OUTPUT_PART);
	/* What the daemon does. */
	ck_assert_int_eq(write(outputs.outputs[0].part.fd, "{\"id\":1}", 8), 8);
	ck_assert_int_eq(write(outputs.outputs[1].part.fd, "half", 4), 4);
	sink_init(&sink, -1, SINK_RAW);
	content.records = render_jsonl_new(&(struct render_options){.sink = &sink});
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_ne(stat(good, &status), 0);
	ck_assert_int_eq(render_record(render, &sample_user), 0);
	/* The record follows without the body that went to the file. */
	sample_expect(&sink, SAMPLE_USER "\n");
	ck_assert_int_eq(render_record(render, &sample_profile), 0);
	render_free(render);
	sink_deinit(&sink);
	outputs_close(&outputs);
	expect_file(good, "{\"id\":1}");
	unlink(good);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(saves_a_head_with_its_body)
{
	char path[] = "/tmp/settle-test.XXXXXX";
	struct content_options content = {.urls = content_urls, .n_urls = 2, .include_head = true};
	struct outputs outputs;
	struct sink sink;
	struct render *render;

	close(mkstemp(path));
	outputs = open_outputs(path, NULL, true);
	content.outputs = outputs.outputs;
	ck_assert_int_eq(outputs.outputs[0].kind, OUTPUT_SAVE);
	sink_init(&sink, -1, SINK_RAW);
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_eq(render_record(render, &sample_user), 0);
	sample_expect(&sink, "");
	render_free(render);
	sink_deinit(&sink);
	outputs_close(&outputs);
	expect_file(path, USER_HEAD "{\"id\":1}");
	unlink(path);
}
END_TEST

START_TEST(tells_that_a_file_cannot_be_written)
{
	static const struct render_record full = {
		.json = TEXT_INIT("{\"job\":\"0\",\"index\":0,\"status\":\"rejected\",\"reason\":{"
				  "\"code\":\"SINK_FULL\",\"message\":\"no room\"}}"),
		.job = TEXT_INIT("0"),
		.is_rejected = true,
	};
	struct output output = {.kind = OUTPUT_SAVE, .path = (char[]){"/nonexistent/file"}};
	struct content_options content = {.urls = content_urls, .outputs = &output, .n_urls = 1};
	struct sink sink;
	struct render *render;

	message_silence();
	sink_init(&sink, -1, SINK_RAW);
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_lt(render_record(render, &sample_user), 0);
	ck_assert_int_lt(render_record(render, &full), 0);
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

static struct render_chunk chunk_of(const char *job, uint64_t offset, const char *data)
{
	return (struct render_chunk){text_from(job), offset, text_from(data)};
}

START_TEST(shows_a_body_piece_by_piece)
{
	struct render_chunk pieces[] = {
		chunk_of("0", 0, "ab"), chunk_of("0", 2, "c"), chunk_of("0", 0, "ab")};
	struct output output = {.kind = OUTPUT_STDOUT};
	struct content_options content = {.urls = content_urls, .outputs = &output, .n_urls = 1};
	struct sink sink;
	struct render *render;

	message_silence();
	sink_init(&sink, -1, SINK_RAW);
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_eq(render_chunk(render, &pieces[0]), 0);
	sample_expect(&sink, "ab");
	ck_assert_int_eq(render_chunk(render, &pieces[1]), 0);
	sample_expect(&sink, "c");
	/* What was written cannot be taken back. */
	ck_assert_int_lt(render_chunk(render, &pieces[2]), 0);
	sample_expect(&sink, "");
	ck_assert_int_eq(render_record(render, &sample_discarded), 0);
	sample_expect(&sink, "");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(writes_pieces_where_no_file_is)
{
	struct render_chunk pieces[] = {chunk_of("1", 0, "ab"), chunk_of("1", 2, "c")};
	struct content_options content = {.urls = content_urls, .n_urls = 2};
	struct outputs outputs;
	char path[64], bytes[8];
	struct sink sink;
	struct render *render;
	int fds[2];

	message_silence();
	ck_assert_int_eq(pipe(fds), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[1]);
	outputs = open_outputs("/dev/null", path, false);
	content.outputs = outputs.outputs;
	ck_assert_int_eq(outputs.outputs[0].kind, OUTPUT_NOTHING);
	ck_assert_int_eq(outputs.outputs[1].kind, OUTPUT_PIPE);
	sink_init(&sink, -1, SINK_RAW);
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_eq(render_chunk(render, &pieces[0]), 0);
	ck_assert_int_eq(read(fds[0], bytes, sizeof(bytes)), 2);
	ck_assert_int_eq(render_chunk(render, &pieces[1]), 0);
	ck_assert_int_eq(read(fds[0], bytes, sizeof(bytes)), 1);
	ck_assert_int_eq(render_record(render, &sample_user), 0);
	sample_expect(&sink, "");
	render_free(render);
	sink_deinit(&sink);
	outputs_close(&outputs);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(shows_what_write_out_says_behind_it)
{
	struct output output = {.kind = OUTPUT_STDOUT};
	struct content_options content = {.urls = content_urls,
		.outputs = &output,
		.n_urls = 1,
		.write_out = TEXT("\\n%{http_code} %{url}\\n")};
	struct sink sink;
	struct render *render;

	message_silence();
	sink_init(&sink, -1, SINK_RAW);
	render = render_content_new(&(struct render_options){.sink = &sink}, &content);
	ck_assert_int_eq(render_record(render, &sample_user), 0);
	sample_expect(&sink, "{\"id\":1}\n200 http://a/\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/content", &shows_bodies_as_curl_does, &leaves_no_file_for_what_was_rejected,
	&saves_a_head_with_its_body, &tells_that_a_file_cannot_be_written,
	&shows_a_body_piece_by_piece, &writes_pieces_where_no_file_is,
	&shows_what_write_out_says_behind_it)
