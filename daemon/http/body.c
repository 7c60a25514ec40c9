/* SPDX-License-Identifier: MIT */
#include "http/body.h"

/*
 * Content-Length and Transfer-Encoding are where two readers of one connection come to see
 * different messages (CWE-444). So each may stand once, never both, and each has one form:
 * digits, and the word "chunked". RFC 9112 6.3 allows a recipient to repair some of the rest
 * (equal lengths said twice, a length beside chunked); we do not, since a server that sends
 * them is one to have nothing more to do with. Codings under chunked ("gzip, chunked") answer a
 * TE that we never send.
 *
 * The lines are judged also where the response has no body: a connection that said two things
 * at once must not be used again.
 */

/* Sums with it do not overflow. */
#define BODY_LENGTH_MAX (UINT64_MAX >> 1)

/* The value of the only header of that name; false where there are several. */
static bool body_find_one(const struct body_head *head, struct text name, struct text *ret_value)
{
	struct text found = {NULL, 0};

	for (uint32_t i = 0; i < head->n_headers; i++) {
		if (!text_equal(head->headers[i].name, name))
			continue;
		if (found.data)
			return false;
		found = head->headers[i].value;
	}
	*ret_value = found;
	return true;
}

static bool body_is_absent(const struct body_head *head)
{
	return head->is_head || head->status < 200 || head->status == 204 || head->status == 304;
}

const char *body_decide(
	const struct body_head *head, enum body_framing *ret_framing, uint64_t *ret_length)
{
	struct text length, coding;
	uint64_t value = 0;

	if (!body_find_one(head, TEXT("content-length"), &length))
		return "there is more than one Content-Length";
	if (!body_find_one(head, TEXT("transfer-encoding"), &coding))
		return "there is more than one Transfer-Encoding";
	if (length.data && coding.data)
		return "there are both Content-Length and Transfer-Encoding";
	if (coding.data && head->version_minor == 0)
		return "there is a Transfer-Encoding in HTTP/1.0";
	if (coding.data && !text_equal_nocase(coding, TEXT("chunked")))
		return "the Transfer-Encoding is not chunked alone";
	if (length.data && !text_to_u64(length, BODY_LENGTH_MAX, &value))
		return "the Content-Length is not a number, or too large";

	if (body_is_absent(head) || (length.data && value == 0))
		*ret_framing = BODY_NONE;
	else if (coding.data)
		*ret_framing = BODY_CHUNKED;
	else if (length.data)
		*ret_framing = BODY_LENGTH;
	else
		*ret_framing = BODY_CLOSE;
	*ret_length = *ret_framing == BODY_LENGTH ? value : 0;
	return NULL;
}

bool body_keeps_alive(const struct body_head *head)
{
	bool keeps_alive = head->version_minor > 0;

	for (uint32_t i = 0; i < head->n_headers; i++) {
		const struct header *header = &head->headers[i];

		if (!text_equal(header->name, TEXT("connection")))
			continue;
		/* Nearly always alone. */
		if (text_equal_nocase(header->value, TEXT("keep-alive"))) {
			keeps_alive = true;
			continue;
		}
		if (header_list_has(header->value, TEXT("close")))
			return false;
		if (header_list_has(header->value, TEXT("keep-alive")))
			keeps_alive = true;
	}
	return keeps_alive;
}
