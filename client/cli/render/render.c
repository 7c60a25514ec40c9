/* SPDX-License-Identifier: MIT */
#include "client/cli/render/render.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/file.h"
#include "client/cli/message.h"
#include "proto/record.h"

struct render *render_free(struct render *render)
{
	if (render)
		render->class->free(render);
	return NULL;
}

static int render_save(const struct render *render, const struct render_record *record)
{
	char path[PATH_MAX];
	int size, r;

	/* An id has no slash and is not ".", or the daemon would have refused it; but what says
	 * so is the daemon, and a path is ours. */
	if (record->job.size == 0 || memchr(record->job.data, '/', record->job.size) ||
		record->job.data[0] == '.')
		r = -EINVAL;
	else {
		size = snprintf(path, sizeof(path), "%s%.*s", render->options.directory,
			TEXT_ARGS(record->job));
		r = size < 0 || (size_t)size >= sizeof(path)
			    ? -ENAMETOOLONG
			    : file_save(path, (struct text){0}, record->body);
	}
	if (r < 0)
		message_print("cannot write %s%.*s: %s", render->options.directory,
			TEXT_ARGS(record->job), strerror(-r));
	return r;
}

/* No body came: there was an empty one, or one that was not wanted here (discard, omit), or none
 * because the response broke off. Only the first is the empty string. */
static bool render_body_is_absent(const struct render_record *record)
{
	static const char empty[] = "\"bytes\":0";

	return record->body.size == 0 &&
	       !memmem(record->json.data, record->json.size, empty, sizeof(empty) - 1);
}

int render_splice(
	const struct render *render, const struct render_record *record, struct buffer *out)
{
	static const enum record_body how[] = {
		[RENDER_BODY_AUTO] = RECORD_BODY_AUTO,
		[RENDER_BODY_TEXT] = RECORD_BODY_TEXT,
		[RENDER_BODY_BASE64] = RECORD_BODY_BASE64,
	};
	enum render_body body = render->options.body;
	int r = 0;

	if (body == RENDER_BODY_DIRECTORY && record->body.size > 0)
		r = render_save(render, record);
	if (body == RENDER_BODY_DIRECTORY || body == RENDER_BODY_NONE ||
		render_body_is_absent(record))
		buffer_append_text(out, record->json);
	else
		record_splice(out, record->json, record->body, (struct text){0}, how[body]);
	return r;
}
