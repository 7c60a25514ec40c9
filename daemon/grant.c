/* SPDX-License-Identifier: MIT */
#include "grant.h"

#include <pwd.h>
#include <string.h>

/* Longer than any user name. */
#define USER_NAME_MAX 256

static bool user_resolve(struct secret_word *word)
{
	char name[USER_NAME_MAX];
	struct passwd *user;
	uint64_t uid;

	word->has_uid = text_to_u64(word->text, UINT32_MAX - 1, &uid);
	if (word->has_uid) {
		word->uid = (uid_t)uid;
		return true;
	}
	if (word->text.size >= sizeof(name))
		return false;
	memcpy(name, word->text.data, word->text.size);
	name[word->text.size] = '\0';
	user = getpwnam(name);
	if (!user)
		return false;
	word->uid = user->pw_uid;
	word->has_uid = true;
	return true;
}

bool grant_resolve_users(struct secret *secret, struct buffer *why)
{
	bool all = true;

	list_each(link, &secret->users) {
		struct secret_word *word = list_entry(link, struct secret_word, link);

		if (user_resolve(word))
			continue;
		buffer_printf(
			why, "%sthere is no user \"%.*s\"", all ? "" : "; ", TEXT_ARGS(word->text));
		all = false;
	}
	return all;
}

static bool grant_covers_user(const struct secret *secret, uid_t uid)
{
	if (list_is_empty(&secret->users))
		return true;
	list_each(link, &secret->users) {
		const struct secret_word *word = list_entry(link, struct secret_word, link);

		if (word->has_uid && word->uid == uid)
			return true;
	}
	return false;
}

/* "api.example.com" is itself, "*.example.com" what is below it, "*" everything. */
static bool host_matches(struct text pattern, struct text host)
{
	struct text below;

	if (text_is(pattern, "*"))
		return true;
	if (host.size > 0 && host.data[host.size - 1] == '.')
		host.size--;
	if (!text_starts_with(pattern, TEXT("*.")))
		return text_equal_nocase(pattern, host);
	below = text_from_at(pattern, 1);
	return host.size > below.size &&
	       text_equal_nocase(text_from_at(host, host.size - below.size), below);
}

static bool grant_covers_host(const struct secret *secret, struct text host)
{
	list_each(link, &secret->hosts) {
		if (host_matches(list_entry(link, struct secret_word, link)->text, host))
			return true;
	}
	return false;
}

bool grant_find(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	const struct secret *secret = secrets_find(context, name);

	if (!secret || !secret->value.data)
		return false;
	if (!grant_covers_user(secret, uid) || !grant_covers_host(secret, host))
		return false;
	*ret_value = secret->value;
	return true;
}
