/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syntax.h"

/*
 * Assignments come in any order and from several files, and a later one replaces an earlier
 * one: so all are taken first, and values are read when the last file has been. A drop-in that
 * replaces a secret's source thus spares the daemon a file it may not even have.
 *
 * Limits: SECRETS_MAX secrets, SECRET_VALUE_MAX bytes each.
 */

void secrets_init(struct secrets *secrets)
{
	list_init(&secrets->list);
	secrets->n = 0;
}

void secrets_deinit(struct secrets *secrets)
{
	list_each (link, &secrets->list) {
		struct secret *secret = list_entry(link, struct secret, link);

		if (secret->value.data)
			explicit_bzero((char *)secret->value.data, secret->value.size);
	}
	secrets_init(secrets);
}

struct secret *secrets_find(const struct secrets *secrets, struct text name)
{
	list_each (link, &secrets->list) {
		struct secret *secret = list_entry(link, struct secret, link);

		if (text_equal(secret->name, name))
			return secret;
	}
	return NULL;
}

static bool secret_is_name_character(char c)
{
	return (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z') ||
	       c == '_' || c == '-';
}

/* As the ids of jobs (settled-graph(5)). */
static bool secret_is_name(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!secret_is_name_character(text.data[i]))
			return false;
	}
	return text.size > 0 && text.size <= SECRET_NAME_MAX;
}

static bool secret_is_host(struct text text)
{
	if (text_is(text, "*"))
		return true;
	if (text_starts_with(text, TEXT("*.")))
		text = text_from_at(text, 2);
	for (size_t i = 0; i < text.size; i++) {
		if (!secret_is_name_character(text.data[i]) && !strchr(".:[]", text.data[i]))
			return false;
	}
	return text.size > 0;
}

static bool secret_is_user(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!secret_is_name_character(text.data[i]) && !strchr(".@$\\", text.data[i]))
			return false;
	}
	return text.size > 0;
}

static struct secret *secrets_add(struct secrets *secrets, struct arena *arena, struct text name)
{
	struct secret *secret = arena_alloc(arena, sizeof(*secret));

	if (!secret)
		return NULL;
	secret->name = name;
	list_init(&secret->hosts);
	list_init(&secret->users);
	list_push_back(&secrets->list, &secret->link);
	secrets->n++;
	return secret;
}

static int secret_assign_source(struct secret *secret, struct text value, struct buffer *why)
{
	struct text word, rest = value;
	bool quoted = value.size > 0 && (value.data[0] == '"' || value.data[0] == '\'');

	/* A path may hold blanks; only a whole value in quotes is unquoted. */
	if (quoted && syntax_next_word(&rest, &word) == 1 && syntax_trim(rest).size == 0)
		value = word;
	if (value.size == 0) {
		secret->source = (struct text){NULL, 0};
		return 0;
	}
	if (!text_starts_with(value, TEXT("file:/")) && !text_starts_with(value, TEXT("cred:"))) {
		buffer_printf(why,
			"a secret is file: and an absolute path, or cred: and the name of "
			"a credential");
		return SECRET_E_INVALID;
	}
	secret->source = value;
	return 0;
}

static int secret_assign_words(struct list *words, struct arena *arena, struct text value,
	bool (*is_valid)(struct text), struct buffer *why)
{
	struct text text;
	int rc;

	if (value.size == 0)
		list_init(words);
	for (rc = syntax_next_word(&value, &text); rc == 1; rc = syntax_next_word(&value, &text)) {
		struct secret_word *word = arena_alloc(arena, sizeof(*word));

		if (!word)
			return -ENOMEM;
		if (!is_valid(text)) {
			buffer_printf(why, "\"%.*s\" is none of a list of %s", TEXT_ARGS(text),
				is_valid == secret_is_host ? "hosts" : "users");
			return SECRET_E_INVALID;
		}
		word->text = text;
		list_push_back(words, &word->link);
	}
	if (rc < 0) {
		buffer_printf(why, "a quote is not closed, or has something behind it");
		return SECRET_E_INVALID;
	}
	return 0;
}

int secrets_assign(struct secrets *secrets, struct arena *arena,
	const struct secret_assignment *assignment, struct buffer *why)
{
	size_t dot = text_find(assignment->key, '.');
	struct text name = {assignment->key.data, dot};
	struct text what = text_from_at(assignment->key, dot);
	struct secret *secret = secrets_find(secrets, name);

	if (!secret_is_name(name)) {
		buffer_printf(why, "the name of a secret is 1 to 64 of A-Z a-z 0-9 _ -");
		return SECRET_E_INVALID;
	}
	if (what.size > 0 && !text_is(what, ".Hosts") && !text_is(what, ".Users")) {
		buffer_printf(why, "a secret has %.*s.Hosts and %.*s.Users, nothing else",
			TEXT_ARGS(name), TEXT_ARGS(name));
		return SECRET_E_INVALID;
	}
	if (!secret && secrets->n == SECRETS_MAX) {
		buffer_printf(why, "more than %d secrets", SECRETS_MAX);
		return SECRET_E_INVALID;
	}
	if (!secret)
		secret = secrets_add(secrets, arena, name);
	if (!secret)
		return -ENOMEM;
	secret->file = assignment->file;
	secret->line = assignment->line;
	if (text_is(what, ".Hosts"))
		return secret_assign_words(
			&secret->hosts, arena, assignment->value, secret_is_host, why);
	if (text_is(what, ".Users"))
		return secret_assign_words(
			&secret->users, arena, assignment->value, secret_is_user, why);
	return secret_assign_source(secret, assignment->value, why);
}

/* The path of the source as a string, or NULL: no memory, or `why`. */
static char *secret_path(
	struct text source, struct arena *arena, const char *credentials, struct buffer *why)
{
	struct text name = text_from_at(source, strlen("cred:"));
	size_t size = name.size + (credentials ? strlen(credentials) : 0) + 2;
	char *path;

	if (text_starts_with(source, TEXT("file:")))
		return (char *)arena_copy(arena, name).data;
	if (name.size == 0 || memchr(name.data, '/', name.size) || text_is(name, ".") ||
		text_is(name, "..")) {
		buffer_printf(why, "\"%.*s\" is not the name of a credential", TEXT_ARGS(name));
		return NULL;
	}
	if (!credentials) {
		buffer_printf(why,
			"systemd passed no credentials: LoadCredential=%.*s:PATH is "
			"missing in the unit, or this is not run by it",
			TEXT_ARGS(name));
		return NULL;
	}
	path = arena_alloc(arena, size);
	if (path)
		(void)snprintf(path, size, "%s/%.*s", credentials, TEXT_ARGS(name));
	return path;
}

/* All of the file, of the size it had, without one line end. */
static int secret_read_all(struct secret *secret, struct arena *arena, int fd, size_t size)
{
	char *data = arena_alloc(arena, size + 1);
	size_t got = 0;

	if (!data)
		return -ENOMEM;
	secret->value = (struct text){data, 0};
	while (got < size) {
		ssize_t n = read(fd, data + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got > 0 && data[got - 1] == '\n')
		got--;
	if (got > 0 && data[got - 1] == '\r')
		got--;
	secret->value.size = got;
	return 0;
}

static int secret_read_from(struct secret *secret, struct arena *arena, int fd, struct buffer *why)
{
	struct stat status;
	int rc;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		buffer_printf(why, "not a regular file");
		return SECRET_E_INVALID;
	}
	if (status.st_size > SECRET_VALUE_MAX) {
		buffer_printf(why, "larger than a secret may be (%d bytes)", SECRET_VALUE_MAX);
		return SECRET_E_INVALID;
	}
	rc = secret_read_all(secret, arena, fd, (size_t)status.st_size);
	if (rc < 0)
		return rc;
	if (secret->value.size == 0) {
		buffer_printf(why, "the file is empty");
		return SECRET_E_INVALID;
	}
	if (status.st_mode & S_IROTH) {
		buffer_printf(why, "every user can read the file (chmod 0600)");
		return SECRET_E_DOUBTFUL;
	}
	return 0;
}

int secret_read(
	struct secret *secret, struct arena *arena, const char *credentials, struct buffer *why)
{
	char *path = secret_path(secret->source, arena, credentials, why);
	int fd, rc;

	if (!path)
		return why->size ? SECRET_E_INVALID : -ENOMEM;
	/* O_NONBLOCK: a FIFO must not hold up the start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		buffer_printf(why, "cannot open the file: %s", strerror(errno));
		return SECRET_E_INVALID;
	}
	rc = secret_read_from(secret, arena, fd, why);
	(void)close(fd);
	if (rc < 0 && rc != -ENOMEM) {
		buffer_printf(why, "cannot read the file: %s", strerror(-rc));
		return SECRET_E_INVALID;
	}
	return rc;
}
