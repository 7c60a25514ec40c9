/* SPDX-License-Identifier: MIT */
#include "client/cli/progress.h"

#include <limits.h>
#include <unistd.h>

#include "util/clock.h"

#define PROGRESS_TTY_NS   (100 * NS_PER_MS)
#define PROGRESS_PLAIN_NS (5 * NS_PER_S)

/* The process has one stderr. */
static struct {
	enum progress_mode mode;
	uint64_t start_ns, next_ns;
	/* True exactly when a line stands where the cursor is. */
	bool is_shown;
} progress;

static uint64_t progress_interval_ns(void)
{
	return progress.mode == PROGRESS_TTY ? PROGRESS_TTY_NS : PROGRESS_PLAIN_NS;
}

static void progress_write(struct text text)
{
	/* Where stderr takes nothing, nobody looks. */
	if (text.size > 0 && write(STDERR_FILENO, text.data, text.size) < 0)
		progress.mode = PROGRESS_NONE;
}

void progress_init(enum progress_mode mode)
{
	progress.mode = mode;
	if (mode == PROGRESS_NONE)
		return;
	progress.start_ns = clock_now_ns();
	/* What is done sooner needs no line. */
	progress.next_ns = progress.start_ns + progress_interval_ns();
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

void progress_format(struct buffer *out, const struct progress_counts *counts, uint64_t since_ns)
{
	buffer_printf(out, "%u", counts->settled);
	if (counts->jobs)
		buffer_printf(out, " of %u", counts->jobs);
	buffer_append_literal(out, " settled");
	if (counts->rejected)
		buffer_printf(out, ", %u rejected", counts->rejected);
	if (counts->cancelled)
		buffer_append_literal(out, ", cancelled");
	buffer_printf(out, ", %ju.%ju s", (uintmax_t)(since_ns / NS_PER_S),
		(uintmax_t)(since_ns % NS_PER_S / (100 * NS_PER_MS)));
}

void progress_show(const struct progress_counts *counts)
{
	struct buffer line;
	uint64_t now_ns;

	if (progress.mode == PROGRESS_NONE)
		return;
	now_ns = clock_now_ns();
	if (now_ns < progress.next_ns)
		return;
	progress.next_ns = now_ns + progress_interval_ns();
	buffer_init(&line, 1024);
	if (progress.mode == PROGRESS_TTY)
		buffer_append_literal(&line, "\r\x1b[K");
	else
		buffer_append_literal(&line, "settle: ");
	progress_format(&line, counts, now_ns - progress.start_ns);
	if (progress.mode == PROGRESS_PLAIN)
		buffer_append_byte(&line, '\n');
	progress.is_shown = progress.mode == PROGRESS_TTY;
	progress_write(buffer_text(&line));
	buffer_deinit(&line);
}

void progress_clear(void)
{
	if (!progress.is_shown)
		return;
	progress.is_shown = false;
	progress_write(TEXT("\r\x1b[K"));
}
