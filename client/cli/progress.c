/* SPDX-License-Identifier: MIT */
#include "client/cli/progress.h"

#include <limits.h>
#include <unistd.h>

#include "client/cli/terminal.h"
#include "util/clock.h"

#define PROGRESS_OFTEN_NS (100 * NS_PER_MS)
#define PROGRESS_PLAIN_NS (5 * NS_PER_S)

/* The process has one stderr. */
static struct {
	enum progress_mode mode;
	uint64_t next_ns;
	/* Lines of the picture that stands above the cursor; 0: none. */
	uint32_t n_lines;
	/* What the last JSON line has said. */
	uint32_t settled, rejected;
	bool cancelled, is_begun;
} progress;

static uint64_t progress_interval_ns(void)
{
	return progress.mode == PROGRESS_PLAIN ? PROGRESS_PLAIN_NS : PROGRESS_OFTEN_NS;
}

static void progress_write(const struct buffer *text)
{
	/* Where stderr takes nothing, nobody looks. */
	if (text->size > 0 && write(STDERR_FILENO, text->data, text->size) < 0)
		progress.mode = PROGRESS_NONE;
}

void progress_init(enum progress_mode mode)
{
	progress.mode = mode;
	progress.n_lines = 0;
	progress.is_begun = false;
	/* What is done sooner needs no line. */
	if (mode != PROGRESS_NONE)
		progress.next_ns = clock_now_ns() + progress_interval_ns();
}

bool progress_is_told(void)
{
	return progress.mode != PROGRESS_NONE;
}

bool progress_is_drawn(void)
{
	return progress.mode == PROGRESS_TTY;
}

int progress_wait_ms(void)
{
	uint64_t now_ns;

	if (progress.mode == PROGRESS_NONE)
		return -1;
	now_ns = clock_now_ns();
	if (now_ns >= progress.next_ns)
		return 0;
	return (int)((progress.next_ns - now_ns) / NS_PER_MS) + 1;
}

/* To the picture's first column, and nothing below it. */
static void progress_append_erase(struct buffer *out)
{
	if (progress.n_lines > 0)
		buffer_printf(out, "\r\x1b[%uA\x1b[J", progress.n_lines);
}

/* Without wrapping: a wide character may take more room than it was counted for. */
static void progress_draw(struct buffer *out, const struct watch *watch, uint64_t now_ns)
{
	struct frame frame;

	watch_frame(watch, now_ns, terminal_rows(STDERR_FILENO), terminal_columns(STDERR_FILENO),
		&frame);
	progress_append_erase(out);
	buffer_append_literal(out, "\x1b[?7l");
	progress.n_lines = frame_append(out, &frame);
	buffer_append_literal(out, "\x1b[?7h");
}

static void progress_append_plain(struct buffer *out, const struct watch *watch, uint64_t now_ns)
{
	struct frame frame;

	watch_frame(watch, now_ns, 0, 0, &frame);
	buffer_append_literal(out, "settle: ");
	frame_append_head(out, &frame);
	buffer_append_byte(out, '\n');
}

/* Only what is new. */
static void progress_append_json(struct buffer *out, const struct watch *watch, uint64_t now_ns)
{
	struct frame frame;

	if (progress.is_begun && progress.settled == watch->n_settled &&
		progress.rejected == watch->n_rejected && progress.cancelled == watch->is_cancelled)
		return;
	progress.is_begun = true;
	progress.settled = watch->n_settled;
	progress.rejected = watch->n_rejected;
	progress.cancelled = watch->is_cancelled;
	watch_frame(watch, now_ns, 0, 0, &frame);
	frame_append_json(out, &frame);
	buffer_append_byte(out, '\n');
}

static void progress_say(const struct watch *watch, uint64_t now_ns)
{
	struct buffer text;

	buffer_init(&text, SIZE_MAX / 4);
	switch (progress.mode) {
	case PROGRESS_TTY: progress_draw(&text, watch, now_ns); break;
	case PROGRESS_PLAIN: progress_append_plain(&text, watch, now_ns); break;
	case PROGRESS_JSON: progress_append_json(&text, watch, now_ns); break;
	case PROGRESS_NONE: break;
	}
	if (!text.failed)
		progress_write(&text);
	buffer_deinit(&text);
}

void progress_show(const struct watch *watch)
{
	uint64_t now_ns;

	if (progress.mode == PROGRESS_NONE)
		return;
	now_ns = clock_now_ns();
	if (now_ns < progress.next_ns)
		return;
	progress.next_ns = now_ns + progress_interval_ns();
	progress_say(watch, now_ns);
}

void progress_clear(void)
{
	struct buffer text;

	if (progress.n_lines == 0)
		return;
	buffer_init(&text, 64);
	progress_append_erase(&text);
	progress.n_lines = 0;
	progress_write(&text);
	buffer_deinit(&text);
}

void progress_finish(const struct watch *watch)
{
	progress_clear();
	if (progress.mode == PROGRESS_JSON)
		progress_say(watch, clock_now_ns());
	progress.mode = PROGRESS_NONE;
}
