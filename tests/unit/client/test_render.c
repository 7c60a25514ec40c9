/* SPDX-License-Identifier: MIT */
#include "client/cli/render/render.h"

#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/message.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/unit.h"

START_TEST(puts_bodies_into_files)
{
	char directory[] = "/tmp/settle-test.XXXXXX", with_slash[64], path[64];
	struct render_record evil = sample_user;
	struct render render = {
		.options = {.body = RENDER_BODY_DIRECTORY, .directory = with_slash}};
	struct buffer out;
	struct stat status;

	message_silence();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(with_slash, sizeof(with_slash), "%s/", directory);
	snprintf(path, sizeof(path), "%s/user", directory);
	buffer_init(&out, 65536);
	ck_assert_int_eq(render_splice(&render, &sample_user, &out), 0);
	ck_assert(text_is(buffer_text(&out), SAMPLE_USER));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_size, 8);
	/* A name leads nowhere else, whoever made it up. */
	evil.job = TEXT("../user");
	ck_assert_int_lt(render_splice(&render, &evil, &out), 0);
	evil.job = TEXT("..");
	ck_assert_int_lt(render_splice(&render, &evil, &out), 0);
	buffer_deinit(&out);
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(frees_nothing)
{
	ck_assert_ptr_null(render_free(NULL));
}
END_TEST

UNIT_MAIN("client/render", &puts_bodies_into_files, &frees_nothing)
