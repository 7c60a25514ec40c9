/* SPDX-License-Identifier: MIT */
#include "grant.h"

#include "util/container.h"

#include "tests/unit/unit.h"

static struct arena arena;
static struct secrets secrets;
static struct buffer why;

static void say(const char *key, const char *value)
{
	struct secret_assignment assignment = {
		.key = text_from(key), .value = text_from(value), .file = "test", .line = 1};

	ck_assert_int_eq(secrets_assign(&secrets, &arena, &assignment, &why), 0);
}

static void begin(void)
{
	arena_init(&arena, 1 << 20);
	secrets_init(&secrets);
	buffer_init(&why, 1000);
}

static void end(void)
{
	arena_deinit(&arena);
	buffer_deinit(&why);
}

START_TEST(goes_to_its_hosts_and_users_and_to_nobody_else)
{
	static const struct {
		const char *hosts, *users, *host;
		uid_t uid;
		bool granted;
	} cases[] = {
		{"api.example.com", "", "api.example.com", 7, true},
		{"api.example.com", "", "API.example.com", 7, true},
		{"api.example.com", "", "api.example.com.", 7, true},
		{"api.example.com", "", "example.com", 7, false},
		{"api.example.com", "", "evil-api.example.com", 7, false},
		{"*.example.com", "", "a.b.example.com", 7, true},
		{"*.example.com", "", "example.com", 7, false},
		{"*.example.com", "", "evilexample.com", 7, false},
		{"*", "", "anything", 7, true},
		{"a.example b.example", "", "b.example", 7, true},
		{"", "", "anything", 7, false},
		{"*", "7 8", "anything", 8, true},
		{"*", "7 8", "anything", 9, false},
		{"*", "root", "anything", 0, true},
		{"*", "root", "anything", 1, false},
		{"*", "no-such-user-here", "anything", 0, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct secret *secret;
		struct text value;

		begin();
		say("TOKEN", "cred:token");
		say("TOKEN.Hosts", cases[i].hosts);
		say("TOKEN.Users", cases[i].users);
		secret = secrets_find(&secrets, TEXT("TOKEN"));
		secret->value = arena_copy(&arena, TEXT("s3cret"));
		grant_resolve_users(secret, &why);
		ck_assert_msg(grant_find(&secrets, TEXT("TOKEN"), cases[i].uid,
				      text_from(cases[i].host), &value) == cases[i].granted,
			"case %zu", i);
		if (cases[i].granted)
			ck_assert(text_is(value, "s3cret"));
		end();
	}
}
END_TEST

START_TEST(names_the_users_that_do_not_exist)
{
	begin();
	say("TOKEN", "cred:token");
	say("TOKEN.Users", "root no-such-user-here");
	ck_assert(!grant_resolve_users(secrets_find(&secrets, TEXT("TOKEN")), &why));
	ck_assert(text_is(buffer_text(&why), "there is no user \"no-such-user-here\""));
	end();
}
END_TEST

START_TEST(what_is_not_there_or_not_read_is_not_granted)
{
	struct text value;

	begin();
	say("TOKEN", "cred:token");
	say("TOKEN.Hosts", "*");
	ck_assert(!grant_find(&secrets, TEXT("OTHER"), 0, TEXT("h"), &value));
	ck_assert(!grant_find(&secrets, TEXT("TOKEN"), 0, TEXT("h"), &value));
	end();
}
END_TEST

UNIT_MAIN("daemon/grant", &goes_to_its_hosts_and_users_and_to_nobody_else,
	&names_the_users_that_do_not_exist, &what_is_not_there_or_not_read_is_not_granted)
