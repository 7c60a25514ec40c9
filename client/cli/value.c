/* SPDX-License-Identifier: MIT */
#include "client/cli/value.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/cli/message.h"
#include "util/clock.h"

/* Digits of the longest size. */
#define VALUE_SIZE_MAX 24

void value_refuse(enum option_id option, const char *value, const char *what)
{
	message_print("option --%s: '%s' is %s", option_name(option), value, what);
}

bool value_duration(enum option_id option, const char *value, uint64_t *ret_ns)
{
	if (text_to_duration(text_from(value), ret_ns) && *ret_ns > 0)
		return true;
	value_refuse(option, value, "no length of time (2, 0.5, 250ms, 2s, 1m, 1h)");
	return false;
}

bool value_number(enum option_id option, const char *value, uint64_t max, uint64_t *ret_number)
{
	char what[64];

	if (text_to_u64(text_from(value), max, ret_number) && *ret_number > 0)
		return true;
	snprintf(what, sizeof(what), "no number from 1 to %" PRIu64, max);
	value_refuse(option, value, what);
	return false;
}

bool value_concurrency(const char *value, uint64_t max, uint64_t *ret_number)
{
	char what[64];

	*ret_number = 0;
	if (strcmp(value, "unbounded") == 0 ||
		(text_to_u64(text_from(value), max, ret_number) && *ret_number > 0))
		return true;
	snprintf(what, sizeof(what), "neither a number from 1 to %" PRIu64 " nor \"unbounded\"",
		max);
	value_refuse(OPTION_CONCURRENCY, value, what);
	return false;
}

bool value_size(enum option_id option, const char *value, uint64_t *ret_bytes)
{
	char lower[VALUE_SIZE_MAX];
	struct text text = text_from(value);

	if (text.size > 0 && text.size < sizeof(lower)) {
		memcpy(lower, text.data, text.size);
		lower[text.size - 1] = text_lower(lower[text.size - 1]);
		text.data = lower;
		if (text_to_size(text, ret_bytes) && *ret_bytes > 0)
			return true;
	}
	value_refuse(option, value, "no size (4096, 64k, 16m, 1g)");
	return false;
}

bool value_choice(
	enum option_id option, const char *value, const char *const *choices, size_t *ret_choice)
{
	struct buffer known;

	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(value, choices[i]) == 0) {
			*ret_choice = i;
			return true;
		}
	}
	buffer_init(&known, 1024);
	buffer_append_literal(&known, "none of");
	for (size_t i = 0; choices[i]; i++)
		buffer_printf(&known, "%s %s", i ? "," : "", choices[i]);
	buffer_append_byte(&known, '\0');
	value_refuse(option, value, known.failed ? "unknown" : known.data);
	buffer_deinit(&known);
	return false;
}

bool value_mode(const char *value)
{
	static const char *const modes[] = {"settled", "all", "any", "race", NULL};
	size_t choice;

	return value_choice(OPTION_MODE, value, modes, &choice);
}

bool value_pair(
	enum option_id option, const char *value, struct text *ret_name, struct text *ret_value)
{
	struct text text = text_from(value);
	size_t at = text_find(text, '=');

	if (at == 0 || at == text.size) {
		value_refuse(option, value, "not of the form NAME=VALUE");
		return false;
	}
	*ret_name = (struct text){text.data, at};
	*ret_value = text_from_at(text, at + 1);
	return true;
}

void value_append_seconds(struct buffer *out, uint64_t ns)
{
	char fraction[10];
	uint64_t rest = ns % NS_PER_S;
	size_t size = 9;

	buffer_append_u64(out, ns / NS_PER_S);
	if (rest == 0)
		return;
	for (size_t i = size; i > 0; i--, rest /= 10)
		fraction[i - 1] = (char)('0' + rest % 10);
	while (fraction[size - 1] == '0')
		size--;
	buffer_append_byte(out, '.');
	buffer_append(out, fraction, size);
}
