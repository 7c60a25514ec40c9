/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What curl(1) has and settle has not: options that are refused not as unknown, but with what to
 * do instead. The table is client/cli/curl.def.
 */

struct curl_option {
	/* '\0': none. */
	char letter;
	const char *name;
	/* Goes on behind "option -x is not supported: ". */
	const char *advice;
};

enum {
	CURL_OPTION_COUNT = 0
#define CURL(letter, name, advice) +1
#include "client/cli/curl.def"
#undef CURL
};

extern const struct curl_option curl_options[CURL_OPTION_COUNT];

/* NULL: curl has no such option, or settle has it, too. */
const struct curl_option *curl_find(int letter);
