/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim_oracle.h"
#include "sim_run.h"
#include "sim_seed.h"
#include "sim_world.h"
#include "util/log.h"
#include "util/panic.h"

/*
 * Many seeds, one after the other; a line of TAP for each thousand, and for each that has a name.
 * A failing seed is printed with what was wrong and how to see it again.
 */

#define SIM_SEEDS_DEFAULT  20000
#define SIM_SEEDS_PER_LINE 1000
/* Then it is one mistake, seen many times. */
#define SIM_FAILURES_DEFAULT 20
/* One world in so many is run twice: it must be the same. */
#define SIM_TWICE 64

struct sim_arguments {
	struct sim_settings settings;
	uint64_t from, n_seeds, minutes, failures_max;
	bool is_single;
	/* No seeds are asked for: the named ones come first. */
	bool is_usual;
};

static const char *program;
static uint64_t n_failed;

/* -- Failures ----------------------------------------------------------------------------- */

static void sim_main_print(const char *line)
{
	printf("#   %s\n", line);
}

static void sim_main_report(const char *what)
{
	printf("# seed %" PRIu64 ": %s\n", sim_world.seed, what);
	sim_record_tell(sim_main_print);
	printf("# replay: %s --seed %" PRIu64 " --verbose\n", program, sim_world.seed);
	fflush(stdout);
}

/* The daemon broke one of its own rules, and has said which. */
static void sim_main_on_panic(void)
{
	panic_set_hook(sim_main_on_panic);
	sim_fail("the daemon panicked: see above");
}

/* So did it here. The world is given up as it stands; the next one does not know. */
static void sim_main_on_signal(int number)
{
	sim_fail("signal %d (%s)", number, sigdescr_np(number));
}

/* Sanitizers ask this before they end the process. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void sim_main_on_death(void)
{
	sim_main_report("a sanitizer found something: see below");
}

static void sim_main_catch(void)
{
	struct sigaction action = {.sa_handler = sim_main_on_signal, .sa_flags = SA_NODEFER};

	panic_set_hook(sim_main_on_panic);
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(sim_main_on_death);
		return;
	}
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
}

/* -- Seeds -------------------------------------------------------------------------------- */

static bool sim_main_seed(uint64_t seed, const struct sim_arguments *arguments)
{
	bool is_well = sim_run(seed, &arguments->settings);

	if (is_well && (seed % SIM_TWICE == 0 || arguments->is_single)) {
		uint64_t digest = sim_world.digest;
		struct sim_settings quiet = arguments->settings;

		quiet.verbose = false;
		is_well = sim_run(seed, &quiet);
		if (is_well && sim_world.digest != digest) {
			snprintf(sim_world.failure, sizeof(sim_world.failure),
				"two runs of this seed differ");
			is_well = false;
		}
	}
	if (is_well)
		return true;
	n_failed++;
	sim_main_report(sim_world.failure);
	return false;
}

static uint64_t sim_main_minutes(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec / 60;
}

static uint64_t sim_main_run_named(const struct sim_arguments *arguments)
{
	for (unsigned i = 0; i < sim_n_seeds; i++)
		printf("%sok %u - seed %" PRIu64 ": %s\n",
			sim_main_seed(sim_seeds[i].seed, arguments) ? "" : "not ", i + 1,
			sim_seeds[i].seed, sim_seeds[i].found);
	return sim_n_seeds;
}

static void sim_main_run(const struct sim_arguments *arguments)
{
	uint64_t end = sim_main_minutes() + arguments->minutes, seed = arguments->from;
	uint64_t left = arguments->n_seeds;
	uint64_t n_lines = arguments->is_usual ? sim_main_run_named(arguments) : 0;

	while (left > 0 && n_failed < arguments->failures_max) {
		uint64_t from = seed, before = n_failed;
		uint64_t n = left < SIM_SEEDS_PER_LINE ? left : SIM_SEEDS_PER_LINE;

		for (; n > 0 && n_failed < arguments->failures_max; n--, left--, seed++)
			sim_main_seed(seed, arguments);
		printf("%sok %" PRIu64 " - seeds %" PRIu64 " to %" PRIu64 "\n",
			n_failed > before ? "not " : "", ++n_lines, from, seed - 1);
		fflush(stdout);
		if (arguments->minutes && sim_main_minutes() >= end)
			break;
	}
	printf("1..%" PRIu64 "\n", n_lines);
	fflush(stdout);
}

/* -- Arguments ---------------------------------------------------------------------------- */

static const struct option options[] = {
	{"seeds", required_argument, NULL, 'n'},
	{"from", required_argument, NULL, 'f'},
	{"seed", required_argument, NULL, 's'},
	{"failures", required_argument, NULL, 'x'},
	{"minutes", required_argument, NULL, 'm'},
	{"oom", required_argument, NULL, 'o'},
	{"features", required_argument, NULL, 'F'},
	{"verbose", no_argument, NULL, 'v'},
	{0},
};

static int sim_main_parse(int argc, char **argv, struct sim_arguments *arguments)
{
	int option;

	*arguments = (struct sim_arguments){
		.from = 1, .n_seeds = SIM_SEEDS_DEFAULT, .failures_max = SIM_FAILURES_DEFAULT};
	arguments->settings.features = SIM_FEATURES;
	arguments->is_usual = true;
	while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 0) : 0;

		arguments->is_usual &= !strchr("fsmoF", option);
		if (option == 'n') {
			arguments->n_seeds = value;
		} else if (option == 'f') {
			arguments->from = value;
		} else if (option == 's') {
			arguments->from = value;
			arguments->n_seeds = 1;
			arguments->is_single = true;
		} else if (option == 'm') {
			arguments->minutes = value;
			arguments->n_seeds = UINT64_MAX;
		} else if (option == 'x') {
			arguments->failures_max = value;
		} else if (option == 'o') {
			arguments->settings.fail_at = value;
		} else if (option == 'F') {
			arguments->settings.features = (unsigned)value;
		} else if (option == 'v') {
			arguments->settings.verbose = true;
		} else {
			fprintf(stderr,
				"usage: %s [--seeds N] [--from SEED] [--seed SEED] [--minutes M] "
				"[--failures N] [--oom N] [--features BITS] [--verbose]\n",
				argv[0]);
			return -EINVAL;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sim_arguments arguments;

	program = argv[0];
	if (sim_main_parse(argc, argv, &arguments) < 0)
		return 2;
	log_set_level(arguments.settings.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	sim_main_catch();
	sim_main_run(&arguments);
	/* A world that failed was left as it stood: its memory is no news to a leak checker. */
	if (n_failed)
		_exit(EXIT_FAILURE);
	return EXIT_SUCCESS;
}
