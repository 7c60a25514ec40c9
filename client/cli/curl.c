/* SPDX-License-Identifier: MIT */
#include "client/cli/curl.h"

#include <stddef.h>

const struct curl_option curl_options[CURL_OPTION_COUNT] = {
#define CURL(letter, name, advice) {letter, name, advice},
#include "client/cli/curl.def"
#undef CURL
};

const struct curl_option *curl_find(int letter)
{
	for (size_t i = 0; letter != '\0' && i < CURL_OPTION_COUNT; i++) {
		if (curl_options[i].letter == letter)
			return &curl_options[i];
	}
	return NULL;
}
