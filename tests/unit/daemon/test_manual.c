/* SPDX-License-Identifier: MIT */

/*
 * The manual pages say what the tables say: settled.conf(5) and config.def, settled-graph(5) and
 * fault.def. The graphs it shows are run by tests/docs.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/document.h"
#include "tests/unit/unit.h"
#include "util/container.h"

struct setting {
	const char *section, *name, *fallback;
};

static const struct setting settings[] = {
#define SETTING(section, name, field, type, fallback, ...) {#section, #name, fallback},
#include "config.def"
#undef SETTING
};

struct code {
	const char *name, *sentence;
};

static const struct code codes[] = {
#define FAULT(name, class, retryable, sentence) {#name, sentence},
#include "proto/fault.def"
#undef FAULT
};

/* The page's source; to free(). */
static char *page_read(const char *name)
{
	char path[512];
	char *text = calloc(1, 1024 * 1024);
	FILE *file;

	ck_assert(text != NULL);
	(void)snprintf(path, sizeof(path), UNIT_SOURCE_ROOT "/docs/man/%s", name);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s", path);
	ck_assert(fread(text, 1, 1024 * 1024 - 1, file) > 0);
	ck_assert(fclose(file) == 0);
	return text;
}

START_TEST(every_setting_is_described_with_its_default)
{
	char *page = page_read("settled.conf.5.scd");

	for (size_t i = 0; i < countof(settings); i++) {
		char heading[128], section[64];
		char *entry, *in_section;

		(void)snprintf(section, sizeof(section), "[%s]", settings[i].section);
		(void)snprintf(heading, sizeof(heading), "\n*%s=*", settings[i].name);
		in_section = strstr(page, section);
		ck_assert_msg(in_section != NULL, "%s", section);
		entry = strstr(in_section, heading);
		ck_assert_msg(entry != NULL, "%s is not in settled.conf.5.scd", settings[i].name);
		(void)snprintf(heading, sizeof(heading), "Default: *%s*", settings[i].fallback);
		ck_assert_msg(strstr(entry, heading) && strstr(entry, heading) - entry < 1500,
			"%s: no \"%s\"", settings[i].name, heading);
	}
	free(page);
}
END_TEST

static bool is_setting(const char *name, size_t size)
{
	for (size_t i = 0; i < countof(settings); i++) {
		if (strlen(settings[i].name) == size && !memcmp(settings[i].name, name, size))
			return true;
	}
	return false;
}

START_TEST(no_setting_is_described_that_is_not_there)
{
	char *page = page_read("settled.conf.5.scd");

	for (char *at = strstr(page, "\n*"); at; at = strstr(at + 1, "\n*")) {
		size_t size =
			strspn(at + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

		if (strncmp(at + 2 + size, "=*", 2) == 0)
			ck_assert_msg(is_setting(at + 2, size), "%.*s", (int)size, at + 2);
	}
	free(page);
}
END_TEST

START_TEST(every_code_is_listed_with_its_sentence)
{
	char *page = page_read("settled-graph.5.scd");

	for (size_t i = 0; i < countof(codes); i++) {
		char row[512];

		(void)snprintf(
			row, sizeof(row), "\n|  %s\n:  %s\n", codes[i].name, codes[i].sentence);
		ck_assert_msg(strstr(page, row) != NULL, "%s", codes[i].name);
	}
	free(page);
}
END_TEST

UNIT_MAIN("daemon/manual", &every_setting_is_described_with_its_default,
	&no_setting_is_described_that_is_not_there, &every_code_is_listed_with_its_sentence)
