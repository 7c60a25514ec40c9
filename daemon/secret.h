/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The [Secrets] of the configuration: values the daemon holds for its users, where each may go
 * and who may use it. A value is read once, when the configuration is; it is never printed,
 * logged or returned, and wiped when the table goes.
 *
 * The table's memory is its owner's arena.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/arena.h"
#include "util/buffer.h"
#include "util/list.h"
#include "util/text.h"

#define SECRET_NAME_MAX  64
#define SECRET_VALUE_MAX (1024 * 1024)
#define SECRETS_MAX      1000

enum {
	/* Not valid: `why` has the sentence. */
	SECRET_E_INVALID = 1,
	/* Valid, but not as it should be: `why` has the sentence. */
	SECRET_E_DOUBTFUL,
};

/* One of a secret's hosts or users. */
struct secret_word {
	struct list link;
	/* A host: "api.example.com", "*.example.com", or "*". A user: a name or a uid. */
	struct text text;
	/* Of a user, once resolved. */
	uid_t uid;
	bool has_uid;
};

struct secret {
	struct list link;
	struct text name;
	/* data == NULL: not read yet. One line end at its end is not part of it. */
	struct text value;
	/* struct secret_word; in the order of the file. Empty: none was named. */
	struct list hosts, users;
	/* "file:PATH" or "cred:NAME"; data == NULL: there are only hosts or users. */
	struct text source;
	/* Where it was last said, for messages. Borrowed from the configuration. */
	const char *file;
	unsigned line;
};

struct secrets {
	/* struct secret; in the order of the file. */
	struct list list;
	size_t n;
};

/* Allocates nothing. */
void secrets_init(struct secrets *secrets);

/* Wipes the values. */
void secrets_deinit(struct secrets *secrets);

/* The secret of that name, or NULL. */
struct secret *secrets_find(const struct secrets *secrets, struct text name);

/* One assignment: `key` is NAME, NAME.Hosts or NAME.Users. The value stays the caller's, who
 * keeps it as long as the table. An empty value takes back what was said before; a list adds to
 * its list. 0, SECRET_E_INVALID, or -ENOMEM. */
struct secret_assignment {
	struct text key, value;
	const char *file;
	unsigned line;
};
int secrets_assign(struct secrets *secrets, struct arena *arena,
	const struct secret_assignment *assignment, struct buffer *why);

/* Reads the value from its source; a credential from `credentials`, the directory systemd made,
 * or NULL. 0, SECRET_E_INVALID, SECRET_E_DOUBTFUL (and read), or -ENOMEM. */
int secret_read(
	struct secret *secret, struct arena *arena, const char *credentials, struct buffer *why);
