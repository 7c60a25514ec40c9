/* SPDX-License-Identifier: MIT */
#include "util/text.h"

#define NS_PER_S       UINT64_C(1000000000)
#define DURATION_MAX_S (UINT64_C(10) * 366 * 86400)

bool text_equal_nocase(struct text a, struct text b)
{
	if (a.size != b.size)
		return false;
	/* Nearly always of the same case. */
	if (text_equal(a, b))
		return true;
	for (size_t i = 0; i < a.size; i++) {
		if (text_lower(a.data[i]) != text_lower(b.data[i]))
			return false;
	}
	return true;
}

bool text_to_u64(struct text text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text.size == 0)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c < '0' || c > '9')
			return false;
		if (value > (UINT64_MAX - (uint64_t)(c - '0')) / 10)
			return false;
		value = value * 10 + (uint64_t)(c - '0');
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

/* The digits after the point, scaled to `unit`; what is beyond nine digits is below our clock. */
static bool text_fraction(struct text digits, uint64_t unit, uint64_t *ret_value)
{
	uint64_t value = 0, scale = 1;

	if (digits.size == 0)
		return false;
	for (size_t i = 0; i < digits.size; i++) {
		char c = digits.data[i];

		if (c < '0' || c > '9')
			return false;
		if (i < 9) {
			value = value * 10 + (uint64_t)(c - '0');
			scale *= 10;
		}
	}
	*ret_value = (uint64_t)((unsigned __int128)value * unit / scale);
	return true;
}

static uint64_t text_duration_unit(struct text *text)
{
	static const struct {
		struct text suffix;
		uint64_t unit_ns;
	} units[] = {
		{TEXT_INIT("ms"), NS_PER_S / 1000},
		{TEXT_INIT("s"), NS_PER_S},
		{TEXT_INIT("m"), NS_PER_S * 60},
		{TEXT_INIT("h"), NS_PER_S * 3600},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct text suffix = units[i].suffix;

		if (text->size > suffix.size && memcmp(text->data + text->size - suffix.size,
							suffix.data, suffix.size) == 0) {
			text->size -= suffix.size;
			return units[i].unit_ns;
		}
	}
	return NS_PER_S;
}

bool text_to_duration(struct text text, uint64_t *ret_ns)
{
	uint64_t unit = text_duration_unit(&text);
	size_t point = text_find(text, '.');
	uint64_t whole, fraction = 0;

	if (!text_to_u64((struct text){text.data, point}, DURATION_MAX_S * 1000, &whole))
		return false;
	if (point < text.size && !text_fraction(text_from_at(text, point + 1), unit, &fraction))
		return false;
	if (whole > DURATION_MAX_S * NS_PER_S / unit)
		return false;
	*ret_ns = whole * unit + fraction;
	return true;
}

bool text_to_size(struct text text, uint64_t *ret_bytes)
{
	unsigned shift = 0;
	uint64_t value;

	if (text.size == 0)
		return false;
	switch (text.data[text.size - 1]) {
	case 'k': shift = 10; break;
	case 'm': shift = 20; break;
	case 'g': shift = 30; break;
	default: break;
	}
	if (shift)
		text.size--;
	if (!text_to_u64(text, UINT64_MAX >> 1 >> shift, &value))
		return false;
	*ret_bytes = value << shift;
	return true;
}

/* The length of the sequence a lead byte opens, and the range its second byte must be in
 * (RFC 3629 section 4); 0 where no sequence begins so. */
static size_t text_utf8_lead(unsigned char lead, unsigned char *ret_low, unsigned char *ret_high)
{
	*ret_low = 0x80;
	*ret_high = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead == 0xe0)
		*ret_low = 0xa0;
	if (lead == 0xed)
		*ret_high = 0x9f;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead == 0xf0)
		*ret_low = 0x90;
	if (lead == 0xf4)
		*ret_high = 0x8f;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool text_is_utf8(struct text text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	size_t left = text.size;

	while (left > 0) {
		unsigned char low, high;
		uint64_t eight;
		size_t n;

		if (left >= 8) {
			memcpy(&eight, at, 8);
			if (!(eight & UINT64_C(0x8080808080808080))) {
				at += 8;
				left -= 8;
				continue;
			}
		}
		if (*at < 0x80) {
			at++;
			left--;
			continue;
		}
		n = text_utf8_lead(*at, &low, &high);
		if (n == 0 || n > left || at[1] < low || at[1] > high)
			return false;
		for (size_t i = 2; i < n; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return false;
		}
		at += n;
		left -= n;
	}
	return true;
}
