/* SPDX-License-Identifier: MIT */
#include "client/cli/sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/clean.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "util/clock.h"

#define SINK_PIECE_SIZE (64 * 1024)

/* Kept from piece to piece; a giant record's memory goes back. */
#define SINK_KEEP_SIZE (256 * 1024)

void sink_init(struct sink *sink, int fd, enum sink_escape escape)
{
	*sink = (struct sink){.fd = fd, .escape = escape};
	buffer_init(&sink->buffer, SIZE_MAX / 4);
}

void sink_deinit(struct sink *sink)
{
	buffer_deinit(&sink->buffer);
}

static int sink_write(struct sink *sink, struct text text)
{
	while (text.size > 0) {
		ssize_t size = write(sink->fd, text.data, text.size);

		if (size >= 0) {
			text = text_from_at(text, (size_t)size);
			continue;
		}
		if (errno != EINTR)
			return -errno;
		if (interrupt_count() > 1)
			return -EINTR;
	}
	return 0;
}

/* Bytes at the end that begin a character whose rest may be on its way. */
static size_t sink_begun(const struct sink *sink)
{
	struct text text = buffer_text(&sink->buffer);
	size_t n = 0, size;
	unsigned char lead;

	while (n < text.size && n < 3 &&
		((unsigned char)text.data[text.size - n - 1] & 0xc0) == 0x80)
		n++;
	if (n == text.size)
		return 0;
	n++;
	lead = (unsigned char)text.data[text.size - n];
	size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return size > n ? n : 0;
}

/* On a terminal bytes are few, and a copy costs nothing. */
static int sink_write_escaped(struct sink *sink, struct text text)
{
	struct buffer clean;
	int r;

	progress_clear();
	buffer_init(&clean, SIZE_MAX / 4);
	if (sink->escape == SINK_TERMINAL_JSON)
		clean_json(&clean, text);
	else
		clean_body(&clean, text);
	r = clean.failed ? -ENOMEM : sink_write(sink, buffer_text(&clean));
	buffer_deinit(&clean);
	return r;
}

int sink_flush(struct sink *sink)
{
	struct text text = buffer_text(&sink->buffer);
	size_t begun = 0;
	char rest[4];
	int r;

	sink->since_ns = 0;
	if (sink->error)
		return sink->error;
	/* What was held back and got no rest is what it is. */
	if (sink->escape == SINK_TERMINAL_TEXT && !sink->buffer.failed)
		begun = sink_begun(sink);
	if (begun == text.size && sink->is_held)
		begun = 0;
	text.size -= begun;
	if (begun > 0)
		memcpy(rest, text.data + text.size, begun);
	if (sink->buffer.failed)
		r = -ENOMEM;
	else if (sink->escape == SINK_RAW)
		r = sink_write(sink, text);
	else
		r = sink_write_escaped(sink, text);
	sink->error = r;
	buffer_reset(&sink->buffer, SINK_KEEP_SIZE);
	buffer_append(&sink->buffer, rest, begun);
	sink->is_held = begun > 0;
	return r;
}

int sink_offer(struct sink *sink)
{
	if (sink->buffer.size < SINK_PIECE_SIZE && !sink->error && !sink->buffer.failed)
		return 0;
	return sink_flush(sink);
}

uint64_t sink_age_ns(struct sink *sink)
{
	uint64_t now_ns;

	if (sink->buffer.size == 0)
		return 0;
	now_ns = clock_now_ns();
	if (sink->since_ns == 0)
		sink->since_ns = now_ns;
	return now_ns - sink->since_ns;
}
