/* SPDX-License-Identifier: MIT */
#include "job/resume.h"

#include <stdlib.h>

/*
 * If-Range asks for the rest where the response is still the same, and for all of it where it is
 * not, in one request. Only a strong tag says "the same, byte for byte" (RFC 9110 8.8.1); a date
 * is none that is worth a file. And it says so of one resource: the same tag at another URL, where
 * a redirect leads this time, means nothing.
 *
 * 416 to such a request may mean that the file has all of the response already and only its end was
 * missing (RFC 9110 15.5.17). But what is the job's result then? Not the 416, and the head that was
 * the file's is gone. It is rare, and asked for anew like what is refused for any other reason.
 */

/* A tag longer than this is no tag. */
#define RESUME_ETAG_MAX 1024

static bool etag_is_strong(struct text etag)
{
	return etag.size >= 2 && etag.size <= RESUME_ETAG_MAX && etag.data[0] == '"' &&
	       etag.data[etag.size - 1] == '"';
}

struct resume *resume_new(const struct response_head *head, struct text url, uint64_t offset)
{
	struct text etag = header_find(head->headers, head->n_headers, TEXT("etag"));
	struct resume *resume;
	char *memory;

	if (offset == 0 || !etag.data || !etag_is_strong(etag))
		return NULL;
	if (head->status != 200 && head->status != 206)
		return NULL;
	resume = malloc(sizeof(*resume) + etag.size + url.size);
	if (!resume)
		return NULL;
	memory = (char *)(resume + 1);
	memcpy(memory, etag.data, etag.size);
	memcpy(memory + etag.size, url.data, url.size);
	*resume = (struct resume){
		.offset = offset,
		.etag = {memory, etag.size},
		.url = {memory + etag.size, url.size},
	};
	return resume;
}

struct resume *resume_free(struct resume *resume)
{
	free(resume);
	return NULL;
}

void resume_append_headers(const struct resume *resume, struct buffer *out)
{
	buffer_append_literal(out, "Range: bytes=");
	buffer_append_u64(out, resume->offset);
	buffer_append_literal(out, "-\r\nIf-Range: ");
	buffer_append_text(out, resume->etag);
	buffer_append_literal(out, "\r\n");
}

/* "bytes 42-1233/1234": where it begins; false: it is nothing of the kind (RFC 9110 14.4). */
static bool content_range_first(struct text value, uint64_t *ret_first)
{
	static const struct text unit = TEXT_INIT("bytes ");
	size_t dash;

	if (!text_starts_with(value, unit))
		return false;
	value = text_from_at(value, unit.size);
	dash = text_find(value, '-');
	return dash < value.size &&
	       text_to_u64((struct text){value.data, dash}, UINT64_MAX - 1, ret_first);
}

enum resume_answer resume_answer(const struct resume *resume, const struct response_head *head)
{
	struct text range = header_find(head->headers, head->n_headers, TEXT("content-range"));
	struct text etag = header_find(head->headers, head->n_headers, TEXT("etag"));
	uint64_t first;

	if (head->status == 416)
		return RESUME_WRONG;
	if (head->status != 206)
		return RESUME_BEGINS_ANEW;
	if (!range.data || !content_range_first(range, &first) || first != resume->offset)
		return RESUME_WRONG;
	/* It may be left out (RFC 9110 15.3.7), but not be another one. */
	return !etag.data || text_equal(etag, resume->etag) ? RESUME_GOES_ON : RESUME_WRONG;
}
