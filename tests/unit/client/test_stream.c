/* SPDX-License-Identifier: MIT */
#include "client/cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "client/cli/message.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/unit.h"

static int take(struct streams *streams, const char *job, uint64_t offset, const char *data)
{
	struct render_chunk chunk = {text_from(job), offset, text_from(data)};

	return streams_take(streams, &chunk);
}

static struct render_record record_of(const char *job)
{
	return (struct render_record){.json = TEXT("{}"), .job = text_from(job)};
}

START_TEST(puts_pieces_together_for_the_record)
{
	struct render_options options = {.body = RENDER_BODY_AUTO};
	struct render_record a = record_of("a"), b = record_of("b"), c = record_of("c");
	struct streams streams;

	streams_init(&streams, &options);
	ck_assert_int_eq(take(&streams, "a", 0, "one"), 0);
	ck_assert_int_eq(take(&streams, "b", 0, "x"), 0);
	ck_assert_int_eq(take(&streams, "a", 3, "two"), 0);
	ck_assert_int_eq(take(&streams, "b", 0, "y"), 0);
	ck_assert_int_eq(streams_settle(&streams, &a), 0);
	ck_assert(text_is(a.body, "onetwo"));
	/* What begins anew forgets what came before. */
	ck_assert_int_eq(streams_settle(&streams, &b), 0);
	ck_assert(text_is(b.body, "y"));
	/* Another one's body stays its own. */
	c.body = TEXT("inline");
	ck_assert_int_eq(streams_settle(&streams, &c), 0);
	ck_assert(text_is(c.body, "inline"));
	ck_assert_uint_eq(streams.n_bytes, 0);
	streams_deinit(&streams);
}
END_TEST

START_TEST(forgets_what_was_rejected)
{
	struct render_options options = {.body = RENDER_BODY_AUTO};
	struct render_record a = record_of("a");
	struct streams streams;

	streams_init(&streams, &options);
	a.is_rejected = true;
	a.body = TEXT("not found");
	ck_assert_int_eq(take(&streams, "a", 0, "half"), 0);
	ck_assert_int_eq(streams_settle(&streams, &a), 0);
	ck_assert(text_is(a.body, "not found"));
	/* And what never settled. */
	ck_assert_int_eq(take(&streams, "b", 0, "half"), 0);
	streams_deinit(&streams);
	ck_assert_uint_eq(streams.n_bytes, 0);
}
END_TEST

START_TEST(keeps_no_more_than_its_bound)
{
	static char piece[1024 * 1024];
	struct render_options options = {.body = RENDER_BODY_AUTO};
	struct render_chunk chunk = {TEXT("a"), 0, {piece, sizeof(piece)}};
	struct render_record a = record_of("a");
	struct capture capture = capture_begin(STDERR_FILENO);
	struct streams streams;
	struct buffer said;

	streams_init(&streams, &options);
	for (size_t i = 0; i < 17; i++) {
		ck_assert_int_eq(streams_take(&streams, &chunk), 0);
		chunk.offset += sizeof(piece);
		ck_assert_uint_le(streams.n_bytes, STREAM_BYTES_MAX);
	}
	ck_assert_uint_eq(streams.n_bytes, 0);
	ck_assert_int_eq(streams_settle(&streams, &a), 0);
	ck_assert_uint_eq(a.body.size, 0);
	said = capture_end(&capture);
	ck_assert_ptr_nonnull(strstr(said.data, "a: its body of 17825792 bytes is more"));
	buffer_deinit(&said);
	streams_deinit(&streams);
}
END_TEST

START_TEST(writes_files_that_appear_when_they_are_whole)
{
	char directory[] = "/tmp/settle-test.XXXXXX", root[64], path[64], bytes[16];
	struct render_options options = {.body = RENDER_BODY_DIRECTORY, .directory = root};
	struct render_record a = record_of("a[1]"), b = record_of("b");
	struct streams streams;
	int fd;

	message_silence();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(root, sizeof(root), "%s/", directory);
	snprintf(path, sizeof(path), "%s/a[1]", directory);
	streams_init(&streams, &options);
	ck_assert_int_eq(take(&streams, "a[1]", 0, "one"), 0);
	ck_assert_int_eq(take(&streams, "b", 0, "half"), 0);
	ck_assert_int_eq(take(&streams, "a[1]", 3, "two"), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(streams_settle(&streams, &a), 0);
	ck_assert_uint_eq(a.body.size, 0);
	b.is_rejected = true;
	ck_assert_int_eq(streams_settle(&streams, &b), 0);
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), 6);
	ck_assert_mem_eq(bytes, "onetwo", 6);
	close(fd);
	/* Names that lead elsewhere. */
	ck_assert_int_eq(take(&streams, "../c", 0, "x"), -EINVAL);
	ck_assert_int_eq(take(&streams, ".c", 0, "x"), -EINVAL);
	streams_deinit(&streams);
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(keeps_nothing_that_nobody_wants)
{
	struct render_options options = {.body = RENDER_BODY_NONE};
	struct render_record a = record_of("a");
	struct streams streams;

	streams_init(&streams, &options);
	ck_assert_int_eq(take(&streams, "a", 0, "one"), 0);
	ck_assert_ptr_null(streams.first);
	ck_assert_int_eq(streams_settle(&streams, &a), 0);
	ck_assert_uint_eq(a.body.size, 0);
	streams_deinit(&streams);
}
END_TEST

UNIT_MAIN("client/stream", &puts_pieces_together_for_the_record, &forgets_what_was_rejected,
	&keeps_no_more_than_its_bound, &writes_files_that_appear_when_they_are_whole,
	&keeps_nothing_that_nobody_wants)
