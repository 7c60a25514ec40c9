/* SPDX-License-Identifier: MIT */
#include "tests/unit/front/client.h"

#include "proto/json.h"
#include "proto/line.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"

/* Saying. */

void client_say(int fd, const char *line)
{
	char *quoted = world_quoted(line);
	size_t size = strlen(quoted);

	quoted[size] = '\n';
	fake_receive_bytes(fd, quoted, size + 1);
	free(quoted);
	fake_run();
}

void client_submit(int fd, unsigned id, const char *document)
{
	struct buffer line;

	buffer_init(&line, SIZE_MAX);
	buffer_printf(&line, "{'id':%u,'submit':%s}", id, document);
	buffer_append_byte(&line, '\0');
	client_say(fd, line.data);
	buffer_deinit(&line);
}

void client_half_close(int fd)
{
	fake_complete(FAKE_RECEIVE, fd, 0);
	fake_run();
}

void client_close(int fd)
{
	fake_set_gone(fd);
	if (fake_find(FAKE_RECEIVE, fd))
		fake_complete(FAKE_RECEIVE, fd, 0);
	fake_run();
}

/* Hearing. */

void client_read(int fd, size_t size)
{
	while (size > 0) {
		struct fake_flight *send = fake_find(FAKE_SEND, fd);
		size_t n;

		ck_assert_msg(send, "%zu bytes more do not come", size);
		n = size < send->size ? size : send->size;
		fake_complete(FAKE_SEND, fd, (int)n);
		fake_run();
		size -= n;
	}
}

/* True where one was completed. */
static bool complete_other_sends(int fd)
{
	bool found = false;

	for (int other = FAKE_FD_FIRST; other < fake_end_fd(); other++) {
		struct fake_flight *send = fake_find(FAKE_SEND, other);

		if (!send || other == fd)
			continue;
		fake_complete(FAKE_SEND, other, (int)send->size);
		found = true;
	}
	fake_run();
	return found;
}

void client_stall(int fd)
{
	while (complete_other_sends(fd))
		;
}

struct heard {
	struct text line;
	/* data == NULL: none. */
	struct text payload;
};

/* Takes the next whole message off the front of what was sent. */
static bool heard_next(struct text *rest, struct heard *ret_heard)
{
	struct text line = {rest->data, text_find(*rest, '\n')};
	struct text payload = text_from_at(*rest, line.size + 1);
	uint64_t size;
	size_t at;

	if (line.size == rest->size)
		return false;
	ret_heard->line = line;
	ret_heard->payload = (struct text){NULL, 0};
	if (!line_find_payload(line, &at, &size)) {
		*rest = payload;
		return true;
	}
	if (payload.size < size)
		return false;
	ret_heard->payload = (struct text){payload.data, (size_t)size};
	*rest = text_from_at(payload, (size_t)size);
	return true;
}

static struct heard client_heard(int fd, unsigned n)
{
	struct text rest = fake_sent(fd);
	struct heard heard;

	for (unsigned i = 0; i <= n; i++)
		ck_assert_msg(heard_next(&rest, &heard), "message %u of %d is not there", n, fd);
	return heard;
}

unsigned client_n_heard(int fd)
{
	struct text rest = fake_sent(fd);
	struct heard heard;
	unsigned n = 0;

	while (heard_next(&rest, &heard))
		n++;
	return n;
}

struct text client_payload(int fd, unsigned n)
{
	return client_heard(fd, n).payload;
}

struct text client_line(int fd, unsigned n)
{
	return client_heard(fd, n).line;
}

static yyjson_doc *parse(struct text line)
{
	struct json_error error;
	yyjson_doc *doc = json_read(line, &error);

	ck_assert_msg(doc, "%.*s: %s", TEXT_ARGS(line), error.message);
	return doc;
}

/* "7:accepted" */
static void append_name(struct buffer *out, struct text line)
{
	yyjson_doc *doc = parse(line);
	yyjson_val *key;
	size_t at, n;
	yyjson_val *value;

	yyjson_obj_foreach(yyjson_doc_get_root(doc), at, n, key, value)
	{
		struct text name = json_string(key);

		if (text_is(name, "payload"))
			continue;
		if (text_is(name, "id")) {
			buffer_append_text(out, json_number(value));
			buffer_append_byte(out, ':');
		} else {
			buffer_append_text(out, name);
		}
	}
	yyjson_doc_free(doc);
}

void client_assert_heard(int fd, const char *names)
{
	struct text rest = fake_sent(fd);
	struct heard heard;
	struct buffer found;

	buffer_init(&found, SIZE_MAX);
	while (heard_next(&rest, &heard)) {
		if (found.size > 0)
			buffer_append_byte(&found, ' ');
		append_name(&found, heard.line);
	}
	if (rest.size > 0)
		buffer_append_literal(&found, " (and a part of one)");
	ck_assert_msg(text_is(buffer_text(&found), names), "%d heard \"%.*s\", not \"%s\"", fd,
		TEXT_ARGS(buffer_text(&found)), names);
	buffer_deinit(&found);
}

void client_assert(int fd, unsigned n, const char *pointer, const char *text)
{
	struct text line = client_line(fd, n);
	yyjson_doc *doc = parse(line);
	yyjson_val *value = json_pointer(yyjson_doc_get_root(doc), text_from(pointer));
	struct buffer found;

	buffer_init(&found, SIZE_MAX);
	if (value)
		json_append_as_text(&found, value);
	else
		buffer_append_byte(&found, '-');
	yyjson_doc_free(doc);
	ck_assert_msg(text_is(buffer_text(&found), text), "at %s is \"%.*s\", not \"%s\": %.*s",
		pointer, TEXT_ARGS(buffer_text(&found)), text, TEXT_ARGS(line));
	buffer_deinit(&found);
}
