/* SPDX-License-Identifier: MIT */
/*
 * What was done is remembered as eight bytes a line: a million lines take 8 MiB, and a line whose
 * text has changed since is fetched again. Exitval is 0 exactly where it was fulfilled, Signal 15
 * where it was cancelled.
 */
#include "client/cli/batch_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/clean.h"
#include "client/cli/intake.h"
#include "client/cli/message.h"
#include "http/url.h"
#include "proto/json.h"
#include "util/clock.h"

#define BATCH_LOG_COLUMNS   9
#define BATCH_LOG_LINES_MAX UINT64_C(100000000)

static const char batch_log_head[] =
	"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

/* -- Reading ----------------------------------------------------------------------------------- */

/* FNV-1a, never 0, of the text as the log shows it. */
static uint64_t batch_log_sum(struct text shown)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < shown.size; i++)
		sum = (sum ^ (unsigned char)shown.data[i]) * UINT64_C(1099511628211);
	return sum ? sum : 1;
}

static int batch_log_set(struct batch_log *log, uint64_t line, uint64_t sum)
{
	uint64_t n = log->n_done ? log->n_done : 1024;
	uint64_t *done;

	while (n <= line)
		n *= 2;
	if (n > log->n_done) {
		done = realloc(log->done, n * sizeof(*done));
		if (!done)
			return -ENOMEM;
		memset(done + log->n_done, 0, (n - log->n_done) * sizeof(*done));
		log->done = done;
		log->n_done = n;
	}
	log->done[line] = sum;
	return 0;
}

/* A row of the log; other lines say nothing. */
static int batch_log_take(struct batch_log *log, struct text row)
{
	struct text columns[BATCH_LOG_COLUMNS];
	uint64_t seq;

	for (size_t i = 0; i + 1 < BATCH_LOG_COLUMNS; i++) {
		columns[i] = (struct text){row.data, text_find(row, '\t')};
		row = text_from_at(row, columns[i].size + 1);
	}
	columns[BATCH_LOG_COLUMNS - 1] = row;
	if (!text_to_u64(columns[0], BATCH_LOG_LINES_MAX, &seq) || seq == 0)
		return 0;
	/* The last row of a line counts. */
	if (!text_is(columns[6], "0") || !text_is(columns[7], "0"))
		return seq - 1 < log->n_done ? batch_log_set(log, seq - 1, 0) : 0;
	return batch_log_set(log, seq - 1, batch_log_sum(row));
}

static int batch_log_read_fd(struct batch_log *log, int fd)
{
	enum intake_result result;
	struct intake intake;
	struct text row;
	int r = 0;

	intake_init(&intake, fd);
	do {
		result = intake_next(&intake, &row);
		if (result == INTAKE_LINE)
			r = batch_log_take(log, row);
		else if (result == INTAKE_MORE)
			intake_read(&intake);
	} while (r == 0 && result != INTAKE_END);
	if (r == 0)
		r = intake.error;
	intake_deinit(&intake);
	return r;
}

static int batch_log_read(struct batch_log *log, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : batch_log_read_fd(log, fd);

	if (fd >= 0)
		close(fd);
	return r < 0 ? message_cannot("read", path, r) : 0;
}

bool batch_log_has(const struct batch_log *log, uint64_t line, struct text command)
{
	struct buffer shown;
	bool has;

	if (line >= log->n_done || log->done[line] == 0)
		return false;
	buffer_init(&shown, SIZE_MAX / 4);
	clean_line(&shown, command);
	has = !shown.failed && log->done[line] == batch_log_sum(buffer_text(&shown));
	buffer_deinit(&shown);
	return has;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static bool batch_log_is_same(const char *path, const char *other)
{
	struct stat one, two;

	return other && stat(path, &one) == 0 && stat(other, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static int batch_log_create(struct batch_log *log, const char *path, const char *resumed)
{
	bool goes_on = batch_log_is_same(path, resumed);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (goes_on ? O_APPEND : O_TRUNC), 0666);

	if (fd < 0)
		return message_cannot("write", path, -errno);
	log->path = path;
	sink_init(&log->sink, fd, SINK_RAW);
	if (!goes_on) {
		buffer_append_literal(&log->sink.buffer, batch_log_head);
		buffer_append_byte(&log->sink.buffer, '\n');
	}
	return 0;
}

int batch_log_open(struct batch_log *log, const struct options *options)
{
	const char *resumed = option_value(options, OPTION_RESUME_FROM);
	const char *path = option_value(options, OPTION_JOBLOG);
	int r = 0;

	*log = (struct batch_log){0};
	sink_init(&log->sink, -1, SINK_RAW);
	if (resumed)
		r = batch_log_read(log, resumed);
	if (r == 0 && path)
		r = batch_log_create(log, path, resumed);
	return r;
}

void batch_log_close(struct batch_log *log)
{
	if (log->sink.fd >= 0)
		close(log->sink.fd);
	sink_deinit(&log->sink);
	free(log->done);
	log->done = NULL;
}

/* "0.61", a number of milliseconds, as microseconds. */
static uint64_t batch_log_us(yyjson_val *time, const char *key)
{
	struct text digits = json_number(yyjson_obj_get(time, key));
	struct text fraction;
	uint64_t ms = 0, us = 0;

	if (!digits.data)
		return 0;
	fraction = text_from_at(digits, text_find(digits, '.') + 1);
	digits.size = text_find(digits, '.');
	if (!text_to_u64(digits, UINT32_MAX, &ms))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		char digit = i < fraction.size ? fraction.data[i] : '0';

		us = us * 10 + (uint64_t)(digit >= '0' && digit <= '9' ? digit - '0' : 0);
	}
	return ms * 1000 + us;
}

/* Seconds with three decimals. */
static void batch_log_seconds(struct buffer *out, uint64_t us)
{
	buffer_printf(out, "%ju.%03u\t", (uintmax_t)(us / 1000000), (unsigned)(us / 1000 % 1000));
}

/* The host of a command that is a URL or has one; ":", which is parallel's word for none. */
static void batch_log_host(struct buffer *out, struct text command)
{
	struct buffer normal;
	struct url url;

	buffer_init(&normal, 2 * URL_SIZE_MAX);
	if (url_parse(command, &normal, &url) == URL_OK)
		buffer_append_text(out, url.host);
	else
		buffer_append_byte(out, ':');
	buffer_deinit(&normal);
	buffer_append_byte(out, '\t');
}

void batch_log_append(struct batch_log *log, const struct batch_log_row *row)
{
	struct buffer *out = &log->sink.buffer;
	struct json_error error;
	yyjson_doc *doc = json_read(row->json, &error);
	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_val *time = yyjson_obj_get(root, "time");
	yyjson_val *bytes = yyjson_obj_get(yyjson_obj_get(root, "value"), "bytes");
	struct text received = json_number(bytes);
	bool is_cancelled = yyjson_equals_str(
		yyjson_obj_get(yyjson_obj_get(root, "reason"), "code"), "CANCELLED");
	uint64_t begin_us = batch_log_us(time, "start") + batch_log_us(time, "queue");
	uint64_t end_us = batch_log_us(time, "end");

	buffer_append_u64(out, row->line + 1);
	buffer_append_byte(out, '\t');
	batch_log_host(out, row->command);
	batch_log_seconds(out, row->submitted_unix_ns / 1000 + begin_us);
	batch_log_seconds(out, end_us > begin_us ? end_us - begin_us : 0);
	buffer_printf(out, "0\t%.*s\t%d\t%d\t", TEXT_ARGS(received.data ? received : TEXT("0")),
		row->is_rejected, is_cancelled ? 15 : 0);
	clean_line(out, row->command);
	buffer_append_byte(out, '\n');
	yyjson_doc_free(doc);
	sink_offer(&log->sink);
}

int batch_log_flush(struct batch_log *log)
{
	return log->path && log->sink.buffer.size > 0 ? sink_flush(&log->sink) : log->sink.error;
}
