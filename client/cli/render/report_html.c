/* SPDX-License-Identifier: MIT */
/*
 * Words of others on our page. A page is not obeyed the way a terminal is, but it has ways of its
 * own to be talked into something: tags, entities, quotes. All five characters are escaped wherever
 * they stand. HTML forbids most control characters even as references, so they are shown as
 * U+2400 and following, pictures of themselves; C1 and what is no UTF-8 as U+FFFD.
 */
#include "client/cli/render/report_private.h"

#include "proto/json.h"

/* The shortest piece drawn, in thousandths of a percent. */
#define REPORT_LENGTH_MIN 120

/* U+2400, in UTF-8 up to its last byte; and what comes behind the pictures of C0. */
#define REPORT_PICTURE     "\xe2\x90"
#define REPORT_PICTURE_NUL 0x80
#define REPORT_PICTURE_DEL 0xa1
#define REPORT_REPLACEMENT "\xef\xbf\xbd"

static void report_html_ascii(struct buffer *out, unsigned char c)
{
	switch (c) {
	case '&': buffer_append_literal(out, "&amp;"); return;
	case '<': buffer_append_literal(out, "&lt;"); return;
	case '>': buffer_append_literal(out, "&gt;"); return;
	case '"': buffer_append_literal(out, "&quot;"); return;
	case '\'': buffer_append_literal(out, "&#39;"); return;
	case '\n':
	case '\t': break;
	default:
		if (c >= 0x20 && c != 0x7f)
			break;
		buffer_append_literal(out, REPORT_PICTURE);
		c = c == 0x7f ? REPORT_PICTURE_DEL : (unsigned char)(REPORT_PICTURE_NUL + c);
		break;
	}
	buffer_append_byte(out, (char)c);
}

/* The bytes of a character beyond ASCII, or 0 where there is none to be shown. */
static size_t report_html_size(struct text text)
{
	unsigned char lead = (unsigned char)text.data[0];
	size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (size > text.size || !text_is_utf8((struct text){text.data, size}))
		return 0;
	/* U+0080 to U+009F. */
	return lead == 0xc2 && (unsigned char)text.data[1] < 0xa0 ? 0 : size;
}

void report_html_text(struct buffer *out, struct text text)
{
	for (size_t at = 0, size; at < text.size; at += size) {
		struct text rest = text_from_at(text, at);

		size = 1;
		if ((unsigned char)rest.data[0] < 0x80) {
			report_html_ascii(out, (unsigned char)rest.data[0]);
			continue;
		}
		size = report_html_size(rest);
		if (size == 0)
			buffer_append_literal(out, REPORT_REPLACEMENT);
		else
			buffer_append(out, rest.data, size);
		/* Both bytes of a C1 are one character, whatever else is wrong is one byte. */
		if (size == 0)
			size = rest.size > 1 && text_is_utf8((struct text){rest.data, 2}) ? 2 : 1;
	}
}

/* Thousandths of a percent, with no zeros at the end. */
static void report_html_thousandths(struct buffer *out, uint64_t thousandths)
{
	/* As milliseconds are written: at most three decimals. */
	json_append_ms(out, thousandths * 1000);
	buffer_append_byte(out, '%');
}

static uint64_t report_html_scale(const struct report_page *page, uint64_t us)
{
	uint64_t whole = page->width_us;

	if (us >= whole)
		return 100000;
	/* Without overflow, however long the graph ran. */
	return us <= UINT64_MAX / 100000 ? us * 100000 / whole : us / (whole / 100000);
}

void report_html_percent(struct buffer *out, const struct report_page *page, uint64_t us)
{
	report_html_thousandths(out, report_html_scale(page, us));
}

void report_html_length(struct buffer *out, const struct report_page *page, uint64_t us)
{
	uint64_t length = report_html_scale(page, us);

	report_html_thousandths(out, length > REPORT_LENGTH_MIN ? length : REPORT_LENGTH_MIN);
}

void report_html_count(struct buffer *out, uint32_t n, const char *one, const char *many)
{
	buffer_printf(out, "%u %s", n, n == 1 ? one : many);
}

/* A group's children, or who of them won. False: the record does not say. */
static bool report_html_group(struct buffer *out, const struct timeline_job *job)
{
	struct json_error error;
	yyjson_doc *doc = job->is_group ? json_read(job->json, &error) : NULL;
	yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(doc), "value");
	struct text winner = json_string(yyjson_obj_get(value, "winner"));
	struct text jobs = json_number(yyjson_obj_get(value, "jobs"));
	struct text fulfilled = json_number(yyjson_obj_get(value, "fulfilled"));

	if (winner.data) {
		buffer_append_literal(out, "won by ");
		report_html_text(out, winner);
	} else if (jobs.data && fulfilled.data) {
		buffer_append_text(out, fulfilled);
		buffer_append_literal(out, " of ");
		buffer_append_text(out, jobs);
	}
	yyjson_doc_free(doc);
	return winner.data || (jobs.data && fulfilled.data);
}

void report_html_result(struct buffer *out, const struct timeline_job *job)
{
	if (job->is_skipped)
		buffer_append_literal(out, "skipped");
	else if (job->via.data && text_is(job->via, "fallback"))
		buffer_append_literal(out, "fallback");
	else if (job->status > 0)
		buffer_append_u64(out, job->status);
	else if (report_html_group(out, job))
		return;
	else if (job->is_rejected && job->code.size > 0)
		report_html_text(out, job->code);
	else
		buffer_append_text(out, job->is_rejected ? TEXT("rejected") : TEXT("fulfilled"));
}

void report_html_classes(struct buffer *out, const struct report_row *row)
{
	const struct timeline_job *job = row->job;

	if (!job)
		return;
	if (job->is_cancelled)
		buffer_append_literal(out, "cut ");
	else if (job->is_rejected)
		buffer_append_literal(out, "bad ");
	if (job->is_skipped)
		buffer_append_literal(out, "skip ");
	if (job->is_critical)
		buffer_append_literal(out, "crit ");
	if (row->is_slow)
		buffer_append_literal(out, "slow ");
	if (job->is_group)
		buffer_append_literal(out, "group ");
}

uint64_t report_html_took(const struct timeline_job *job)
{
	return job->whole.to - job->whole.from;
}

const char *report_html_phase(enum timeline_phase phase)
{
	if (phase == TIMELINE_WAIT)
		return "waiting for others";
	if (phase == TIMELINE_QUEUE)
		return "waiting for a slot";
	return phase == TIMELINE_FIRST_BYTE ? "waiting for the first byte"
					    : timeline_phase_name(phase);
}
