/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grant.h"
#include "scalar.h"
#include "syntax.h"
#include "util/container.h"
#include "util/nearest.h"
#include "util/panic.h"

/*
 * The problem: what a setting is stands in three places (the parser, the manual, the printed
 * configuration) that drift apart. The idea: config.def is the only place; this file reads it.
 *
 * All files are read to the end, so that one check shows every mistake; any error refuses the
 * whole. What is merely unknown (a setting of a later version) is a warning, with the nearest
 * known name, for a file to serve several versions. Two exceptions: [Policy] and [Host "..."]
 * are promises of protection, and a promise this version cannot keep is refused.
 *
 * Memory: one arena, of CONFIG_BYTES_MAX at most, holds the files' own text; every text of the
 * configuration is a view into it. Limits: CONFIG_FILES_MAX files of CONFIG_FILE_BYTES_MAX.
 */

#define CONFIG_BYTES_MAX      (256u * 1024 * 1024)
#define CONFIG_FILE_BYTES_MAX (1024 * 1024)
#define CONFIG_FILES_MAX      256
#define CONFIG_NOTE_MAX       1024

enum config_section {
	/* Before the first section, or in one that is skipped. */
	CONFIG_SECTION_NONE,
	CONFIG_SECTION_SKIPPED,
	CONFIG_SECTION_Daemon,
	CONFIG_SECTION_Limits,
	CONFIG_SECTION_TLS,
	CONFIG_SECTION_Policy,
	CONFIG_SECTION_Secrets,
	CONFIG_SECTION_Host,
	CONFIG_SECTION_COUNT,
};

static const char *const config_sections[CONFIG_SECTION_COUNT] = {
	[CONFIG_SECTION_Daemon] = "Daemon",
	[CONFIG_SECTION_Limits] = "Limits",
	[CONFIG_SECTION_TLS] = "TLS",
	[CONFIG_SECTION_Policy] = "Policy",
	[CONFIG_SECTION_Secrets] = "Secrets",
	[CONFIG_SECTION_Host] = "Host",
};

struct config_row {
	enum config_section section;
	const char *name;
	size_t offset, size;
	enum scalar_type type;
	const char *fallback, *least, *most;
	bool live;
};

static const struct config_row config_rows[CONFIG_SETTING_COUNT] = {
#define SETTING(section, name, field, type, fallback, least, most, live, sentence)                 \
	{CONFIG_SECTION_##section, #name, offsetof(struct config, field),                          \
		sizeof(((struct config *)NULL)->field), SCALAR_##type, fallback, least, most,      \
		live},
#include "config.def"
#include "grant.h"
#undef SETTING
};

/* A load under way. */
struct config_load {
	const struct config_source *source;
	struct config *config;
	/* Where the line at hand stands; NULL and 0: no line. */
	const char *file;
	unsigned line;
	enum config_section section;
	bool has_errors;
};

static void config_note(struct config_load *load, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void config_note(struct config_load *load, enum log_level level, const char *format, ...)
{
	char note[CONFIG_NOTE_MAX] = "";
	va_list arguments;
	size_t at = 0;

	if (load->file && load->line)
		(void)snprintf(note, sizeof(note), "%s:%u: ", load->file, load->line);
	else if (load->file)
		(void)snprintf(note, sizeof(note), "%s: ", load->file);
	at = strlen(note);
	va_start(arguments, format);
	(void)vsnprintf(note + at, sizeof(note) - at, format, arguments);
	va_end(arguments);
	if (level == LOG_LEVEL_ERROR)
		load->has_errors = true;
	load->source->on_note(load->source->context, level, note);
}

#define config_error(load, ...)   config_note(load, LOG_LEVEL_ERROR, __VA_ARGS__)
#define config_warning(load, ...) config_note(load, LOG_LEVEL_WARNING, __VA_ARGS__)

static void config_warn_setting(struct config_load *load, struct text name)
{
	const struct config_row *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		if (nearest_is_better(name, text_from(config_rows[i].name), &best))
			nearest = &config_rows[i];
	}
	if (!nearest)
		config_warning(load, "unknown setting %.*s in [%s], ignored", TEXT_ARGS(name),
			config_sections[load->section]);
	else if (nearest->section != load->section)
		config_warning(load, "unknown setting %.*s in [%s], ignored; %s stands in [%s]",
			TEXT_ARGS(name), config_sections[load->section], nearest->name,
			config_sections[nearest->section]);
	else
		config_warning(load, "unknown setting %.*s, ignored; did you mean %s?",
			TEXT_ARGS(name), nearest->name);
}

static void config_warn_section(struct config_load *load, struct text name)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = CONFIG_SECTION_Daemon; i < CONFIG_SECTION_COUNT; i++) {
		if (nearest_is_better(name, text_from(config_sections[i]), &best))
			nearest = config_sections[i];
	}
	if (nearest)
		config_warning(load, "unknown section [%.*s], ignored; did you mean [%s]?",
			TEXT_ARGS(name), nearest);
	else
		config_warning(load, "unknown section [%.*s], ignored", TEXT_ARGS(name));
}

static uint64_t config_read_own(const struct config_row *row, const char *text)
{
	uint64_t value = 0;
	bool ok = scalar_parse(row->type, text_from(text), &value);

	expect(ok);
	return value;
}

static void config_store(struct config *config, const struct config_row *row, uint64_t value)
{
	void *field = (char *)config + row->offset;

	switch (row->type) {
	case SCALAR_BOOL: *(bool *)field = value != 0; break;
	case SCALAR_COUNT: *(uint32_t *)field = (uint32_t)value; break;
	case SCALAR_LEVEL: *(enum log_level *)field = (enum log_level)value; break;
	case SCALAR_DURATION:
	case SCALAR_SIZE: *(uint64_t *)field = value; break;
	}
}

/* Back to the default: at the start, and where a file assigns nothing. */
static void config_restore(struct config *config, const struct config_row *row)
{
	config_store(config, row, config_read_own(row, row->fallback));
	config->origins[row - config_rows] = (struct config_origin){.file = NULL};
}

static void config_assign(
	struct config_load *load, const struct config_row *row, struct text written)
{
	struct text value, rest = written;
	uint64_t number;

	/* Quotes around the whole value are taken off. */
	if (syntax_next_word(&rest, &value) != 1 || syntax_trim(rest).size > 0)
		value = written;
	if (value.size == 0) {
		config_restore(load->config, row);
		return;
	}
	if (!scalar_parse(row->type, value, &number)) {
		bool is_bounded = row->type == SCALAR_COUNT && strcmp(row->most, "infinity") != 0;

		config_error(load, "%s=%.*s is not %s%s", row->name, TEXT_ARGS(value),
			is_bounded ? "a whole number" : scalar_describe(row->type),
			memchr(value.data, '#', value.size)
				? "; a comment stands on a line of its own"
				: "");
		return;
	}
	if (number < config_read_own(row, row->least) || number > config_read_own(row, row->most)) {
		config_error(load, "%s=%.*s is not between %s and %s", row->name, TEXT_ARGS(value),
			row->least, row->most);
		return;
	}
	config_store(load->config, row, number);
	load->config->origins[row - config_rows] =
		(struct config_origin){.file = load->file, .line = load->line, .text = value};
}

static void config_on_setting(struct config_load *load, const struct syntax_line *line)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_row *row = &config_rows[i];

		if (row->section == load->section && text_is(line->name, row->name)) {
			config_assign(load, row, line->value);
			return;
		}
	}
	config_warn_setting(load, line->name);
}

static int config_on_secret(struct config_load *load, const struct syntax_line *line)
{
	struct secret_assignment assignment = {line->name, line->value, load->file, load->line};
	struct buffer why;
	int rc;

	buffer_init(&why, CONFIG_NOTE_MAX);
	rc = secrets_assign(&load->config->secrets, &load->config->arena, &assignment, &why);
	if (rc == SECRET_E_INVALID)
		config_error(
			load, "%.*s: %.*s", TEXT_ARGS(line->name), TEXT_ARGS(buffer_text(&why)));
	buffer_deinit(&why);
	return rc < 0 ? rc : 0;
}

static int config_on_assignment(struct config_load *load, const struct syntax_line *line)
{
	switch (load->section) {
	case CONFIG_SECTION_Daemon:
	case CONFIG_SECTION_Limits:
	case CONFIG_SECTION_TLS: config_on_setting(load, line); return 0;
	case CONFIG_SECTION_Secrets: return config_on_secret(load, line);
	case CONFIG_SECTION_Policy:
		config_error(load, "[Policy] %.*s is not supported by this version",
			TEXT_ARGS(line->name));
		return 0;
	case CONFIG_SECTION_NONE:
		config_error(load, "%.*s stands before the first section", TEXT_ARGS(line->name));
		return 0;
	case CONFIG_SECTION_Host:
	case CONFIG_SECTION_SKIPPED:
	case CONFIG_SECTION_COUNT: return 0;
	}
	return 0;
}

static void config_on_section(struct config_load *load, const struct syntax_line *line)
{
	load->section = CONFIG_SECTION_SKIPPED;
	for (enum config_section i = CONFIG_SECTION_Daemon; i < CONFIG_SECTION_COUNT; i++) {
		if (text_is(line->name, config_sections[i]))
			load->section = i;
	}
	if (load->section == CONFIG_SECTION_Host)
		config_error(load, "[Host \"...\"] is not supported by this version");
	else if (load->section != CONFIG_SECTION_SKIPPED && line->value.data)
		config_error(load, "[%.*s] takes no argument", TEXT_ARGS(line->name));
	/* systemd.syntax(7): sections of other programs. */
	else if (load->section == CONFIG_SECTION_SKIPPED &&
		 !text_starts_with(line->name, TEXT("X-")))
		config_warn_section(load, line->name);
}

static int config_parse(struct config_load *load, char *data, size_t size)
{
	struct syntax_reader reader;
	struct syntax_line line;
	int rc = 0;

	syntax_init(&reader, data, size);
	load->section = CONFIG_SECTION_NONE;
	for (syntax_next(&reader, &line); line.kind != SYNTAX_END && rc == 0;
		syntax_next(&reader, &line)) {
		load->line = line.number;
		if (line.kind == SYNTAX_ERROR)
			config_error(load, "%.*s", TEXT_ARGS(line.value));
		else if (line.kind == SYNTAX_SECTION)
			config_on_section(load, &line);
		else
			rc = config_on_assignment(load, &line);
	}
	load->line = 0;
	return rc;
}

/* The file's bytes in the arena; -errno. */
static int config_read(struct config_load *load, int fd, char **ret_data, size_t *ret_size)
{
	struct stat status;
	size_t size = 0;
	char *data;
	ssize_t n;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	/* A link to /dev/null switches a drop-in off (systemd.unit(5)). */
	if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
		return -EINVAL;
	if (status.st_size > CONFIG_FILE_BYTES_MAX)
		return -EFBIG;
	data = arena_alloc(&load->config->arena, (size_t)status.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (size < (size_t)status.st_size) {
		n = read(fd, data + size, (size_t)status.st_size - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret_data = data;
	*ret_size = size;
	return 0;
}

/* `path` is the configuration's own. */
static int config_load_file(struct config_load *load, const char *path, bool must_exist)
{
	struct config *config = load->config;
	char *data = NULL;
	size_t size = 0;
	int fd, rc;

	load->file = path;
	load->line = 0;
	/* O_NONBLOCK: a FIFO must not hold up the start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && !must_exist)
		return 0;
	rc = fd < 0 ? -errno : config_read(load, fd, &data, &size);
	if (fd >= 0)
		(void)close(fd);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		config_error(load, "cannot read the file: %s", strerror(-rc));
		return 0;
	}
	config->files[config->n_files++] = path;
	return config_parse(load, data, size);
}

static int config_is_drop_in(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size > strlen(".conf") &&
	       strcmp(entry->d_name + size - strlen(".conf"), ".conf") == 0;
}

static int config_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* "A/B" in the arena, or NULL. */
static char *config_path(struct config *config, const char *a, const char *between, const char *b)
{
	size_t size = strlen(a) + strlen(between) + strlen(b) + 1;
	char *path = arena_alloc(&config->arena, size);

	if (path)
		(void)snprintf(path, size, "%s%s%s", a, between, b);
	return path;
}

/* The drop-ins beside `file`, by name. */
static int config_load_drop_ins(struct config_load *load, const char *file)
{
	const char *directory = config_path(load->config, file, ".d", "");
	struct dirent **entries = NULL;
	int n, rc = 0;

	if (!directory)
		return -ENOMEM;
	n = scandir(directory, &entries, config_is_drop_in, config_compare);
	load->file = directory;
	load->line = 0;
	if (n < 0 && errno != ENOENT)
		config_error(load, "cannot read the directory: %s", strerror(errno));
	if (n >= CONFIG_FILES_MAX)
		config_error(load, "more than %d files", CONFIG_FILES_MAX - 1);
	for (int i = 0; i < n; i++) {
		const char *path = config_path(load->config, directory, "/", entries[i]->d_name);

		if (!path)
			rc = -ENOMEM;
		if (rc == 0 && n < CONFIG_FILES_MAX)
			rc = config_load_file(load, path, true);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static void config_check_hosts(struct config_load *load, const struct secret *secret)
{
	if (list_is_empty(&secret->hosts))
		config_warning(load, "%.*s: there is no %.*s.Hosts=, so it goes nowhere",
			TEXT_ARGS(secret->name), TEXT_ARGS(secret->name));
}

/* What can only be said when all files were read. */
static int config_finish_secret(struct config_load *load, struct secret *secret)
{
	struct buffer why;
	bool is_credential = text_starts_with(secret->source, TEXT("cred:"));
	int rc;

	load->file = secret->file;
	load->line = secret->line;
	if (!secret->source.data) {
		/* Taken back by a later file, or never given. */
		if (!list_is_empty(&secret->hosts) || !list_is_empty(&secret->users))
			config_error(load, "the secret %.*s has hosts or users, but no value",
				TEXT_ARGS(secret->name));
		return 0;
	}
	if (is_credential && !load->source->credentials && load->source->is_check) {
		config_warning(load,
			"%.*s: not checked, systemd passed no credentials to this check",
			TEXT_ARGS(secret->name));
		config_check_hosts(load, secret);
		return 0;
	}
	buffer_init(&why, CONFIG_NOTE_MAX);
	rc = secret_read(secret, &load->config->arena, load->source->credentials, &why);
	if (rc == SECRET_E_INVALID)
		config_error(
			load, "%.*s: %.*s", TEXT_ARGS(secret->name), TEXT_ARGS(buffer_text(&why)));
	if (rc == SECRET_E_DOUBTFUL)
		config_warning(
			load, "%.*s: %.*s", TEXT_ARGS(secret->name), TEXT_ARGS(buffer_text(&why)));
	buffer_clear(&why);
	if (rc >= 0 && !grant_resolve_users(secret, &why))
		config_warning(
			load, "%.*s: %.*s", TEXT_ARGS(secret->name), TEXT_ARGS(buffer_text(&why)));
	if (rc >= 0 && rc != SECRET_E_INVALID)
		config_check_hosts(load, secret);
	buffer_deinit(&why);
	return rc < 0 ? rc : 0;
}

static int config_load_all(struct config_load *load)
{
	struct config *config = load->config;
	const char *file = load->source->file ? load->source->file : CONFIG_FILE_DEFAULT;
	int rc;

	config->files = arena_alloc_array(&config->arena, CONFIG_FILES_MAX, sizeof(*config->files));
	file = config_path(config, file, "", "");
	if (!config->files || !file)
		return -ENOMEM;
	rc = config_load_file(load, file, load->source->file != NULL);
	if (rc == 0)
		rc = config_load_drop_ins(load, file);
	list_each(link, &config->secrets.list) {
		if (rc == 0)
			rc = config_finish_secret(load, list_entry(link, struct secret, link));
	}
	return rc;
}

int config_load(const struct config_source *source, struct config **ret_config)
{
	struct config_load load = {.source = source};
	int rc;

	load.config = calloc(1, sizeof(*load.config));
	if (!load.config)
		return -ENOMEM;
	arena_init(&load.config->arena, CONFIG_BYTES_MAX);
	secrets_init(&load.config->secrets);
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++)
		config_restore(load.config, &config_rows[i]);
	rc = config_load_all(&load);
	if (rc < 0) {
		load.file = NULL;
		config_error(&load, "cannot load the configuration: %s", strerror(-rc));
	} else if (load.has_errors) {
		rc = CONFIG_E_REFUSED;
	}
	if (rc != 0) {
		config_free(load.config);
		return rc;
	}
	*ret_config = load.config;
	return 0;
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	secrets_deinit(&config->secrets);
	arena_deinit(&config->arena);
	free(config);
	return NULL;
}

static void config_print_words(
	const struct secret *secret, const char *what, const struct list *words, struct buffer *out)
{
	if (list_is_empty(words))
		return;
	buffer_printf(out, "%.*s.%s=", TEXT_ARGS(secret->name), what);
	list_each(link, words) {
		const struct secret_word *word = list_entry(link, struct secret_word, link);

		buffer_printf(out, "%s%.*s", link == words->next ? "" : " ", TEXT_ARGS(word->text));
	}
	buffer_append_byte(out, '\n');
}

static void config_print_secrets(const struct config *config, struct buffer *out)
{
	if (list_is_empty(&config->secrets.list))
		return;
	buffer_append_literal(out, "\n[Secrets]\n");
	list_each(link, &config->secrets.list) {
		const struct secret *secret = list_entry(link, struct secret, link);

		if (!secret->source.data)
			continue;
		buffer_printf(out, "# %s:%u\n%.*s=<set>\n", secret->file, secret->line,
			TEXT_ARGS(secret->name));
		config_print_words(secret, "Hosts", &secret->hosts, out);
		config_print_words(secret, "Users", &secret->users, out);
	}
}

void config_print(const struct config *config, struct buffer *out)
{
	enum config_section section = CONFIG_SECTION_NONE;

	buffer_printf(out, "# settled " SETTLED_VERSION ", made of:\n");
	for (unsigned i = 0; i < config->n_files; i++)
		buffer_printf(out, "#   %s\n", config->files[i]);
	if (config->n_files == 0)
		buffer_append_literal(out, "#   no file: all defaults\n");
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_row *row = &config_rows[i];
		const struct config_origin *origin = &config->origins[i];

		if (row->section != section)
			buffer_printf(out, "\n[%s]\n", config_sections[row->section]);
		section = row->section;
		if (origin->file)
			buffer_printf(out, "# %s:%u\n%s=%.*s\n", origin->file, origin->line,
				row->name, TEXT_ARGS(origin->text));
		else
			buffer_printf(out, "# default\n%s=%s\n", row->name, row->fallback);
	}
	config_print_secrets(config, out);
}

unsigned config_list_fixed(const struct config *old, const struct config *new, struct buffer *out)
{
	unsigned n = 0;

	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_row *row = &config_rows[i];
		const char *a = (const char *)old + row->offset;
		const char *b = (const char *)new + row->offset;

		if (row->live || memcmp(a, b, row->size) == 0)
			continue;
		buffer_printf(out, " %s", row->name);
		n++;
	}
	return n;
}
