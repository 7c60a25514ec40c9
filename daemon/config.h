/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The daemon's configuration (settled.conf(5)): one file and its drop-ins, merged, with the
 * place each value came from. Immutable once loaded; a reload loads another one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "secret.h"
#include "util/arena.h"
#include "util/buffer.h"
#include "util/log.h"

#define CONFIG_FILE_DEFAULT "/etc/settled/settled.conf"

enum {
	/* At least one error, each told to on_note. */
	CONFIG_E_REFUSED = 1,
};

/* The settings in the order of config.def. */
enum config_setting {
#define SETTING(section, name, ...) CONFIG_##section##_##name,
#include "config.def"
#undef SETTING
	CONFIG_SETTING_COUNT,
};

/* Where a value was said last. */
struct config_origin {
	/* NULL: nowhere, it is the default. */
	const char *file;
	unsigned line;
	/* As written. */
	struct text text;
};

#define CONFIG_TYPE_BOOL     bool
#define CONFIG_TYPE_COUNT    uint32_t
#define CONFIG_TYPE_DURATION uint64_t
#define CONFIG_TYPE_LEVEL    enum log_level
#define CONFIG_TYPE_SIZE     uint64_t

struct config {
#define SETTING(section, name, field, type, ...) CONFIG_TYPE_##type field;
#include "config.def"
#undef SETTING
	struct secrets secrets;
	/* The files it was made of, in order. */
	const char **files;
	unsigned n_files;
	struct config_origin origins[CONFIG_SETTING_COUNT];
	struct arena arena;
};

/* A line for people: "FILE:LINE: what is wrong". */
typedef void (*config_note_callback)(void *context, enum log_level level, const char *note);

struct config_source {
	/* NULL: CONFIG_FILE_DEFAULT, which need not be there. */
	const char *file;
	/* The directory of systemd's credentials, or NULL. */
	const char *credentials;
	/* Only a check: that there are no credentials is no error. */
	bool is_check;
	config_note_callback on_note;
	void *context;
};

/* 0, CONFIG_E_REFUSED, or -errno (also told to on_note). */
int config_load(const struct config_source *source, struct config **ret_config);

/* Takes NULL, returns NULL. */
struct config *config_free(struct config *config);

/* All settings with their values and origins, in the form of a configuration file. Secrets show
 * as NAME=<set>. */
void config_print(const struct config *config, struct buffer *out);

/* The names of the settings that differ and only a restart can change, each after a blank.
 * Their number. */
unsigned config_list_fixed(const struct config *old, const struct config *new, struct buffer *out);
