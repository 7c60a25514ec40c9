/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>

#include "tests/unit/daemon/scratch.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

struct bench {
	struct scratch scratch;
	/* The notes of the last load, a line each, without the scratch directory. */
	struct buffer notes;
	struct config *config;
	const char *credentials;
	bool is_check;
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.config = NULL};
	scratch_make(&bench->scratch);
	buffer_init(&bench->notes, 1024 * 1024);
}

static void bench_deinit(struct bench *bench)
{
	config_free(bench->config);
	buffer_deinit(&bench->notes);
	scratch_remove(&bench->scratch);
}

static void bench_on_note(void *context, enum log_level level, const char *note)
{
	struct bench *bench = context;
	size_t size = strlen(bench->scratch.directory);
	const char *rest = note;

	if (strncmp(note, bench->scratch.directory, size) == 0)
		rest = note + size + 1;
	buffer_printf(&bench->notes, "%c:%s\n", level == LOG_LEVEL_ERROR ? 'E' : 'W', rest);
}

static void bench_write(struct bench *bench, const char *name, const char *content)
{
	scratch_write(&bench->scratch, name, content, strlen(content));
}

static int bench_load(struct bench *bench)
{
	char file[SCRATCH_PATH_MAX];
	const struct config_source source = {
		.file = file,
		.credentials = bench->credentials,
		.is_check = bench->is_check,
		.on_note = bench_on_note,
		.context = bench,
	};

	(void)snprintf(file, sizeof(file), "%.150s", scratch_path(&bench->scratch, "a.conf"));
	buffer_clear(&bench->notes);
	bench->config = config_free(bench->config);
	return config_load(&source, &bench->config);
}

/* Of the last load. */
static const char *bench_notes(struct bench *bench)
{
	buffer_append_byte(&bench->notes, '\0');
	return bench->notes.data;
}

START_TEST(an_empty_file_gives_the_defaults)
{
	struct bench bench;

	bench_init(&bench);
	bench_write(&bench, "a.conf", "");
	ck_assert(bench_load(&bench) == 0);
	ck_assert(bench.config->drain_timeout_ns == 30 * NS_PER_S);
	ck_assert(bench.config->log_level == LOG_LEVEL_INFO);
	ck_assert(bench.config->requests_max == UINT32_MAX);
	ck_assert(bench.config->requests_per_origin_max == 64);
	ck_assert(bench.config->line_max == 64 * 1024 * 1024);
	ck_assert(bench.config->insecure_allowed);
	ck_assert(bench.config->prewarm);
	ck_assert(bench.config->retry_after_max_ns == 300 * NS_PER_S);
	ck_assert_str_eq(bench_notes(&bench), "");
	bench_deinit(&bench);
}
END_TEST

START_TEST(reads_every_setting)
{
	struct bench bench;

	bench_init(&bench);
	bench_write(&bench, "a.conf",
		"[Daemon]\nDrainTimeout=5min\nLogLevel=debug\nPrewarm=no\n"
		"[Limits]\nMaxRequests=10\nMaxRequestsPerOrigin=infinity\nMaxSessions=3\n"
		"MaxJobs=7\nMaxLine=16M\nMaxIdleConnections=0\nIdleTimeout=1h\nDnsTimeout=1.5s\n"
		"DnsThreads=2\nDnsCacheTime=0\nDnsNegativeCacheTime=\"500ms\"\nMaxRetryAfter=2s\n"
		"[TLS]\nAllowInsecure=no\n");
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench), "");
	ck_assert(bench.config->drain_timeout_ns == 300 * NS_PER_S);
	ck_assert(bench.config->log_level == LOG_LEVEL_DEBUG);
	ck_assert(bench.config->requests_max == 10);
	ck_assert(bench.config->requests_per_origin_max == UINT32_MAX);
	ck_assert(bench.config->sessions_max == 3);
	ck_assert(bench.config->jobs_max == 7);
	ck_assert(bench.config->line_max == 16 * 1024 * 1024);
	ck_assert(bench.config->idle_max == 0);
	ck_assert(bench.config->idle_timeout_ns == 3600 * NS_PER_S);
	ck_assert(bench.config->dns_timeout_ns == 1500 * NS_PER_MS);
	ck_assert(bench.config->dns_threads_max == 2);
	ck_assert(bench.config->dns_positive_ns == 0);
	ck_assert(bench.config->dns_negative_ns == 500 * NS_PER_MS);
	ck_assert(bench.config->retry_after_max_ns == 2 * NS_PER_S);
	ck_assert(!bench.config->prewarm);
	ck_assert(!bench.config->insecure_allowed);
	bench_deinit(&bench);
}
END_TEST

static const struct {
	const char *text, *notes;
	int rc;
} mistakes[] = {
	{"[Daemon]\n\nDrainTimeout=soon\n",
		"E:a.conf:3: DrainTimeout=soon is not a time span, such as 30s or 5min\n",
		CONFIG_E_REFUSED},
	{"[Daemon]\nDrainTimeout=2h\n", "E:a.conf:2: DrainTimeout=2h is not between 0 and 1h\n",
		CONFIG_E_REFUSED},
	{"[Daemon]\nLogLevel=loud\n",
		"E:a.conf:2: LogLevel=loud is not error, warning, info or debug\n",
		CONFIG_E_REFUSED},
	{"[Limits]\nMaxRequests=0\n", "E:a.conf:2: MaxRequests=0 is not between 1 and infinity\n",
		CONFIG_E_REFUSED},
	{"[Limits]\nMaxJobs=infinity\n",
		"E:a.conf:2: MaxJobs=infinity is not between 1 and 1000000\n", CONFIG_E_REFUSED},
	{"[Limits]\nMaxLine=1K\n", "E:a.conf:2: MaxLine=1K is not between 4K and 64M\n",
		CONFIG_E_REFUSED},
	{"[TLS]\nAllowInsecure=maybe\n", "E:a.conf:2: AllowInsecure=maybe is not yes or no\n",
		CONFIG_E_REFUSED},
	{"[Daemon]\nnonsense\n",
		"E:a.conf:2: neither a section, nor an assignment, nor a comment\n",
		CONFIG_E_REFUSED},
	{"LogLevel=info\n", "E:a.conf:1: LogLevel stands before the first section\n",
		CONFIG_E_REFUSED},
	{"[Daemon \"x\"]\n", "E:a.conf:1: [Daemon] takes no argument\n", CONFIG_E_REFUSED},
	{"[Policy]\nDenyHosts=a\n",
		"E:a.conf:2: [Policy] DenyHosts is not supported by this version\n",
		CONFIG_E_REFUSED},
	{"[Policy]\n", "", 0},
	{"[Host \"*.example.com\"]\nMaxRequests=1\n",
		"E:a.conf:1: [Host \"...\"] is not supported by this version\n", CONFIG_E_REFUSED},
	{"[Secrets]\nA=plain\n",
		"E:a.conf:2: A: a secret is file: and an absolute path, or cred: and the "
		"name of a credential\n",
		CONFIG_E_REFUSED},
	{"[Secrets]\nA.Hosts=a\n", "E:a.conf:2: the secret A has hosts or users, but no value\n",
		CONFIG_E_REFUSED},
	{"[Secrets]\nA=file:/nonexistent/a\n",
		"E:a.conf:2: A: cannot open the file: No such file or directory\n",
		CONFIG_E_REFUSED},
	{"[Limits]\nMaxRequests=x\nMaxSessions=5 # five\n",
		"E:a.conf:2: MaxRequests=x is not a whole number, or infinity\n"
		"E:a.conf:3: MaxSessions=5 # five is not a whole number; a comment stands on a "
		"line of its own\n",
		CONFIG_E_REFUSED},
	{"[Limits]\nMaxSesions=3\n",
		"W:a.conf:2: unknown setting MaxSesions, ignored; did you mean "
		"MaxSessions?\n",
		0},
	{"[Daemon]\nmaxsessions=3\n",
		"W:a.conf:2: unknown setting maxsessions in [Daemon], ignored; MaxSessions "
		"stands in [Limits]\n",
		0},
	{"[Daemon]\nColour=red\n", "W:a.conf:2: unknown setting Colour in [Daemon], ignored\n", 0},
	{"[Limit]\nMaxSessions=x\n",
		"W:a.conf:1: unknown section [Limit], ignored; did you mean [Limits]?\n", 0},
	{"[Printer]\nColour=red\n", "W:a.conf:1: unknown section [Printer], ignored\n", 0},
	{"[X-Mine]\nColour=red\n", "", 0},
	{"[Daemon]\nDrainTimeout=x\nLogLevel=y\n",
		"E:a.conf:2: DrainTimeout=x is not a time span, such as 30s or 5min\n"
		"E:a.conf:3: LogLevel=y is not error, warning, info or debug\n",
		CONFIG_E_REFUSED},
};

START_TEST(says_file_and_line_of_every_mistake)
{
	for (size_t i = 0; i < countof(mistakes); i++) {
		struct bench bench;

		bench_init(&bench);
		bench_write(&bench, "a.conf", mistakes[i].text);
		ck_assert_msg(bench_load(&bench) == mistakes[i].rc, "%s", mistakes[i].text);
		ck_assert_str_eq(bench_notes(&bench), mistakes[i].notes);
		bench_deinit(&bench);
	}
}
END_TEST

START_TEST(drop_ins_come_later_by_name_and_win)
{
	struct bench bench;

	bench_init(&bench);
	bench_write(&bench, "a.conf", "[Limits]\nMaxSessions=1\nMaxJobs=1\nDnsThreads=1\n");
	scratch_make_directory(&bench.scratch, "a.conf.d");
	bench_write(&bench, "a.conf.d/20-b.conf", "[Limits]\nMaxSessions=20\nDnsThreads=\n");
	bench_write(&bench, "a.conf.d/10-a.conf", "[Limits]\nMaxSessions=10\nMaxJobs=10\n");
	bench_write(&bench, "a.conf.d/30.disabled", "[Limits]\nMaxSessions=30\n");
	bench_write(&bench, "a.conf.d/.40.conf", "[Limits]\nMaxSessions=40\n");
	bench_write(&bench, "a.conf.d/.conf", "[Limits]\nMaxSessions=50\n");
	ck_assert(bench_load(&bench) == 0);
	ck_assert(bench.config->n_files == 3);
	ck_assert(bench.config->sessions_max == 20);
	ck_assert(bench.config->jobs_max == 10);
	ck_assert_msg(bench.config->dns_threads_max == 8, "nothing is the default");
	bench_write(&bench, "a.conf.d/20-b.conf", "[Limits]\nMaxSessions=twenty\n");
	ck_assert(bench_load(&bench) == CONFIG_E_REFUSED);
	ck_assert(bench.config == NULL);
	ck_assert_str_eq(bench_notes(&bench), "E:a.conf.d/20-b.conf:2: MaxSessions=twenty is not a "
					      "whole number\n");
	bench_deinit(&bench);
}
END_TEST

START_TEST(a_link_to_dev_null_switches_a_drop_in_off)
{
	struct bench bench;

	bench_init(&bench);
	bench_write(&bench, "a.conf", "[Limits]\nMaxSessions=1\n");
	scratch_make_directory(&bench.scratch, "a.conf.d");
	ck_assert(symlink("/dev/null", scratch_path(&bench.scratch, "a.conf.d/10.conf")) == 0);
	ck_assert(bench_load(&bench) == 0);
	ck_assert(bench.config->sessions_max == 1);
	bench_deinit(&bench);
}
END_TEST

START_TEST(refuses_files_it_cannot_read)
{
	struct bench bench;

	bench_init(&bench);
	ck_assert(bench_load(&bench) == CONFIG_E_REFUSED);
	ck_assert_str_eq(
		bench_notes(&bench), "E:a.conf: cannot read the file: No such file or directory\n");
	scratch_make_directory(&bench.scratch, "a.conf");
	ck_assert(bench_load(&bench) == CONFIG_E_REFUSED);
	ck_assert_str_eq(bench_notes(&bench), "E:a.conf: cannot read the file: Is a directory\n");
	ck_assert(rmdir(scratch_path(&bench.scratch, "a.conf")) == 0);
	ck_assert(mkfifo(scratch_path(&bench.scratch, "a.conf"), 0600) == 0);
	ck_assert(bench_load(&bench) == CONFIG_E_REFUSED);
	ck_assert(unlink(scratch_path(&bench.scratch, "a.conf")) == 0);
	bench_write(&bench, "a.conf", "");
	ck_assert(truncate(scratch_path(&bench.scratch, "a.conf"), 2 * 1024 * 1024) == 0);
	ck_assert(bench_load(&bench) == CONFIG_E_REFUSED);
	ck_assert_str_eq(bench_notes(&bench), "E:a.conf: cannot read the file: File too large\n");
	bench_deinit(&bench);
}
END_TEST

/* Writes [Secrets] with one file, mode as given. */
static void write_secret(struct bench *bench, mode_t mode)
{
	char text[2 * SCRATCH_PATH_MAX];

	bench_write(bench, "token", "s3cr3t\n");
	ck_assert(chmod(scratch_path(&bench->scratch, "token"), mode) == 0);
	(void)snprintf(text, sizeof(text),
		"[Secrets]\nAPI=file:%s\nAPI.Hosts=*.example.com\nAPI.Users=root 1000\n",
		bench->scratch.path);
	bench_write(bench, "a.conf", text);
}

START_TEST(holds_secrets_and_never_prints_them)
{
	struct bench bench;
	struct buffer out;
	struct secret *secret;

	bench_init(&bench);
	buffer_init(&out, 1024 * 1024);
	write_secret(&bench, 0600);
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench), "");
	secret = secrets_find(&bench.config->secrets, TEXT("API"));
	ck_assert(secret && text_is(secret->value, "s3cr3t"));
	config_print(bench.config, &out);
	buffer_append_byte(&out, '\0');
	ck_assert(strstr(out.data, "API=<set>\nAPI.Hosts=*.example.com\nAPI.Users=root 1000\n"));
	ck_assert(!strstr(out.data, "s3cr3t"));
	write_secret(&bench, 0604);
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench),
		"W:a.conf:4: API: every user can read the file (chmod 0600)\n");
	buffer_deinit(&out);
	bench_deinit(&bench);
}
END_TEST

START_TEST(a_check_without_credentials_only_warns)
{
	struct bench bench;

	bench_init(&bench);
	bench_write(&bench, "a.conf", "[Secrets]\nAPI=cred:token\n");
	ck_assert(bench_load(&bench) == CONFIG_E_REFUSED);
	bench.is_check = true;
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench),
		"W:a.conf:2: API: not checked, systemd passed no credentials to this check\n"
		"W:a.conf:2: API: there is no API.Hosts=, so it goes nowhere\n");
	bench.is_check = false;
	bench.credentials = bench.scratch.directory;
	bench_write(&bench, "token", "s3cr3t");
	ck_assert(chmod(scratch_path(&bench.scratch, "token"), 0600) == 0);
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench),
		"W:a.conf:2: API: there is no API.Hosts=, so it goes nowhere\n");
	bench_write(&bench, "a.conf", "[Secrets]\nAPI=cred:token\nAPI.Hosts=api.test\n");
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench), "");
	bench_deinit(&bench);
}
END_TEST

START_TEST(what_it_prints_it_can_read_again)
{
	struct bench bench;
	struct buffer first;

	bench_init(&bench);
	buffer_init(&first, 1024 * 1024);
	bench_write(&bench, "a.conf",
		"[Daemon]\nDrainTimeout=\"1min 30s\"\n[Limits]\nMaxLine=1M\n[TLS]\n"
		"AllowInsecure=off\n");
	ck_assert(bench_load(&bench) == 0);
	config_print(bench.config, &first);
	buffer_append_byte(&first, '\0');
	ck_assert(strstr(first.data, "a.conf:2\nDrainTimeout=1min 30s\n"));
	ck_assert(strstr(first.data, "# default\nMaxSessions=1024\n"));
	bench_write(&bench, "a.conf", first.data);
	ck_assert(bench_load(&bench) == 0);
	ck_assert_str_eq(bench_notes(&bench), "");
	ck_assert(bench.config->drain_timeout_ns == 90 * NS_PER_S);
	ck_assert(bench.config->line_max == 1024 * 1024);
	ck_assert(!bench.config->insecure_allowed);
	buffer_deinit(&first);
	bench_deinit(&bench);
}
END_TEST

START_TEST(knows_what_only_a_restart_changes)
{
	struct config *old, *new;
	struct bench bench;
	struct buffer out;

	bench_init(&bench);
	buffer_init(&out, 1024);
	bench_write(&bench, "a.conf", "[Daemon]\nLogLevel=info\n");
	ck_assert(bench_load(&bench) == 0);
	old = bench.config;
	bench.config = NULL;
	bench_write(&bench, "a.conf", "[Daemon]\nLogLevel=debug\n[Limits]\nMaxSessions=1024\n");
	ck_assert(bench_load(&bench) == 0);
	ck_assert(config_list_fixed(old, bench.config, &out) == 0);
	bench_write(&bench, "a.conf", "[Limits]\nMaxSessions=5\nDnsThreads=3\n");
	ck_assert(bench_load(&bench) == 0);
	new = bench.config;
	ck_assert(config_list_fixed(old, new, &out) == 2);
	ck_assert(text_is(buffer_text(&out), " MaxSessions DnsThreads"));
	config_free(old);
	buffer_deinit(&out);
	bench_deinit(&bench);
}
END_TEST

UNIT_MAIN("daemon/config", &an_empty_file_gives_the_defaults, &reads_every_setting,
	&says_file_and_line_of_every_mistake, &drop_ins_come_later_by_name_and_win,
	&a_link_to_dev_null_switches_a_drop_in_off, &refuses_files_it_cannot_read,
	&holds_secrets_and_never_prints_them, &a_check_without_credentials_only_warns,
	&what_it_prints_it_can_read_again, &knows_what_only_a_restart_changes)
