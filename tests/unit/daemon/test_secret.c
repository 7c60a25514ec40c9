/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <sys/stat.h>

#include "tests/unit/daemon/scratch.h"
#include "tests/unit/unit.h"
#include "util/container.h"

struct bench {
	struct secrets secrets;
	struct arena arena;
	struct buffer why;
};

static void bench_init(struct bench *bench)
{
	secrets_init(&bench->secrets);
	arena_init(&bench->arena, 16 * 1024 * 1024);
	buffer_init(&bench->why, 1024);
}

static void bench_deinit(struct bench *bench)
{
	secrets_deinit(&bench->secrets);
	arena_deinit(&bench->arena);
	buffer_deinit(&bench->why);
}

static int assign(struct bench *bench, const char *key, const char *value)
{
	struct secret_assignment assignment = {text_from(key), text_from(value), "file", 1};

	buffer_clear(&bench->why);
	return secrets_assign(&bench->secrets, &bench->arena, &assignment, &bench->why);
}

START_TEST(checks_every_assignment)
{
	static const struct {
		const char *key, *value;
		int rc;
	} cases[] = {
		{"API", "file:/etc/settled/api", 0},
		{"API", "\"file:/a b\"", 0},
		{"API", "file:/a b", 0},
		{"API", "cred:api", 0},
		{"API", "", 0},
		{"a-b_9", "cred:api", 0},
		{"API.Hosts", "api.example.com *.example.com 10.0.0.1 [::1] *", 0},
		{"API.Users", "alice 1000 \"bob\" svc$ d.e@f", 0},
		{"API.Hosts", "", 0},
		{"API", "plain", SECRET_E_INVALID},
		{"API", "file:relative", SECRET_E_INVALID},
		{"API", "env:X", SECRET_E_INVALID},
		{"A B", "cred:api", SECRET_E_INVALID},
		{"", "cred:api", SECRET_E_INVALID},
		{".Hosts", "a", SECRET_E_INVALID},
		{"API.Ports", "80", SECRET_E_INVALID},
		{"API.hosts", "a", SECRET_E_INVALID},
		{"API.Hosts", "http://a/", SECRET_E_INVALID},
		{"API.Hosts", "*.", SECRET_E_INVALID},
		{"API.Hosts", "a \"b", SECRET_E_INVALID},
		{"API.Users", "a:b", SECRET_E_INVALID},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cred:a",
			SECRET_E_INVALID},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct bench bench;
		int rc;

		bench_init(&bench);
		rc = assign(&bench, cases[i].key, cases[i].value);
		ck_assert_msg(rc == cases[i].rc, "%s=%s", cases[i].key, cases[i].value);
		ck_assert_msg((rc != 0) == (bench.why.size > 0), "%s", cases[i].key);
		bench_deinit(&bench);
	}
}
END_TEST

static size_t count(const struct list *list)
{
	size_t n = 0;

	list_each (link, list)
		n++;
	return n;
}

START_TEST(lists_grow_and_an_empty_value_takes_them_back)
{
	struct bench bench;
	struct secret *secret;

	bench_init(&bench);
	ck_assert(assign(&bench, "A.Hosts", "x y") == 0);
	ck_assert(assign(&bench, "A", "cred:a") == 0);
	ck_assert(assign(&bench, "A.Hosts", "z") == 0);
	secret = secrets_find(&bench.secrets, TEXT("A"));
	ck_assert(secret != NULL && bench.secrets.n == 1);
	ck_assert(count(&secret->hosts) == 3);
	ck_assert(assign(&bench, "A.Hosts", "") == 0);
	ck_assert(assign(&bench, "A.Hosts", "z") == 0);
	ck_assert(count(&secret->hosts) == 1);
	ck_assert(assign(&bench, "A", "file:/later") == 0);
	ck_assert(text_is(secret->source, "file:/later"));
	ck_assert(secrets_find(&bench.secrets, TEXT("B")) == NULL);
	bench_deinit(&bench);
}
END_TEST

START_TEST(there_are_only_so_many)
{
	struct bench bench;
	char names[SECRETS_MAX][8];

	bench_init(&bench);
	for (int i = 0; i < SECRETS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "S%d", i);
		ck_assert(assign(&bench, names[i], "cred:x") == 0);
	}
	ck_assert(assign(&bench, "ONE-MORE", "cred:x") == SECRET_E_INVALID);
	ck_assert(assign(&bench, "S7", "cred:y") == 0);
	bench_deinit(&bench);
}
END_TEST

/* Reads a source whose file has these bytes and this mode. */
static int read_file(struct bench *bench, struct scratch *scratch, const char *content, mode_t mode)
{
	static char source[SCRATCH_PATH_MAX + 8];
	const char *path = scratch_write(scratch, "secret", content, strlen(content));

	ck_assert(chmod(path, mode) == 0);
	(void)snprintf(source, sizeof(source), "file:%s", path);
	ck_assert(assign(bench, "A", source) == 0);
	return secret_read(
		secrets_find(&bench->secrets, TEXT("A")), &bench->arena, NULL, &bench->why);
}

START_TEST(reads_the_value_without_its_line_end)
{
	static const struct {
		const char *content, *value;
		mode_t mode;
		int rc;
	} cases[] = {
		{"token", "token", 0600, 0},
		{"token\n", "token", 0600, 0},
		{"token\r\n", "token", 0640, 0},
		{"token\n\n", "token\n", 0400, 0},
		{" two words ", " two words ", 0600, 0},
		{"token", "token", 0644, SECRET_E_DOUBTFUL},
		{"", "", 0600, SECRET_E_INVALID},
		{"\n", "", 0600, SECRET_E_INVALID},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct scratch scratch;
		struct bench bench;

		scratch_make(&scratch);
		bench_init(&bench);
		ck_assert_int_eq(
			read_file(&bench, &scratch, cases[i].content, cases[i].mode), cases[i].rc);
		ck_assert_msg(
			text_is(secrets_find(&bench.secrets, TEXT("A"))->value, cases[i].value),
			"case %zu", i);
		ck_assert((cases[i].rc != 0) == (bench.why.size > 0));
		bench_deinit(&bench);
		scratch_remove(&scratch);
	}
}
END_TEST

START_TEST(refuses_what_is_no_file_and_what_is_too_large)
{
	struct scratch scratch;
	struct bench bench;
	struct secret *secret;
	char *large = malloc(SECRET_VALUE_MAX + 2), source[SCRATCH_PATH_MAX + 8];

	ck_assert(large != NULL);
	memset(large, 'x', SECRET_VALUE_MAX + 1);
	large[SECRET_VALUE_MAX + 1] = '\0';
	scratch_make(&scratch);
	bench_init(&bench);
	ck_assert(read_file(&bench, &scratch, large, 0600) == SECRET_E_INVALID);
	ck_assert(assign(&bench, "A", "file:/nonexistent/secret") == 0);
	secret = secrets_find(&bench.secrets, TEXT("A"));
	ck_assert(secret_read(secret, &bench.arena, NULL, &bench.why) == SECRET_E_INVALID);
	ck_assert(assign(&bench, "A", "file:/") == 0);
	ck_assert(secret_read(secret, &bench.arena, NULL, &bench.why) == SECRET_E_INVALID);
	ck_assert(mkfifo(scratch_path(&scratch, "fifo"), 0600) == 0);
	(void)snprintf(source, sizeof(source), "file:%s", scratch.path);
	ck_assert(assign(&bench, "A", source) == 0);
	ck_assert(secret_read(secret, &bench.arena, NULL, &bench.why) == SECRET_E_INVALID);
	bench_deinit(&bench);
	scratch_remove(&scratch);
	free(large);
}
END_TEST

START_TEST(reads_a_credential_from_the_directory_of_the_unit)
{
	static const struct {
		const char *source;
		bool has_directory;
		int rc;
	} cases[] = {
		{"cred:api", true, 0},
		{"cred:api", false, SECRET_E_INVALID},
		{"cred:other", true, SECRET_E_INVALID},
		{"cred:../api", true, SECRET_E_INVALID},
		{"cred:..", true, SECRET_E_INVALID},
		{"cred:", true, SECRET_E_INVALID},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct scratch scratch;
		struct bench bench;
		struct secret *secret;

		scratch_make(&scratch);
		bench_init(&bench);
		ck_assert(chmod(scratch_write(&scratch, "api", "t0ken\n", 6), 0400) == 0);
		ck_assert(assign(&bench, "A", cases[i].source) == 0);
		secret = secrets_find(&bench.secrets, TEXT("A"));
		ck_assert_msg(secret_read(secret, &bench.arena,
				      cases[i].has_directory ? scratch.directory : NULL,
				      &bench.why) == cases[i].rc,
			"%s", cases[i].source);
		ck_assert(cases[i].rc != 0 || text_is(secret->value, "t0ken"));
		bench_deinit(&bench);
		scratch_remove(&scratch);
	}
}
END_TEST

UNIT_MAIN("daemon/secret", &checks_every_assignment, &lists_grow_and_an_empty_value_takes_them_back,
	&there_are_only_so_many, &reads_the_value_without_its_line_end,
	&refuses_what_is_no_file_and_what_is_too_large,
	&reads_a_credential_from_the_directory_of_the_unit)
