/* SPDX-License-Identifier: MIT */
#include "util/base64.h"

void base64_append(struct buffer *out, struct text bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *from = (const unsigned char *)bytes.data;
	size_t left = bytes.size;
	char *at;

	if (left > SIZE_MAX / 2) {
		out->failed = true;
		return;
	}
	if (left == 0 || !buffer_reserve(out, (left + 2) / 3 * 4))
		return;
	at = out->data + out->size;
	for (; left >= 3; left -= 3, from += 3) {
		uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];

		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = digits[bits >> 6 & 63];
		*at++ = digits[bits & 63];
	}
	if (left > 0) {
		uint32_t bits = (uint32_t)from[0] << 16 | (left > 1 ? (uint32_t)from[1] << 8 : 0);

		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*at++ = '=';
	}
	out->size = (size_t)(at - out->data);
}
