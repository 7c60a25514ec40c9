/* SPDX-License-Identifier: MIT */
/*
 * spawn CORE ROUNDS OUTPUT COMMAND... [::: COMMAND...]...: runs commands on one core and says what
 * each run cost.
 *
 * Every round runs every command once, so that a noisy moment of the machine hits all of them.
 * Their standard output goes to OUTPUT. One line per run, on stdout:
 *
 *   COMMAND-NUMBER WALL-NS CPU-NS PEAK-KIB EXIT
 *
 * The wall time is the command's own. The CPU is that of the command and all it started, also of
 * what outlives it: as a subreaper we get those processes, and wait for them before the next run.
 * The peak is that of the largest process. It is a program of its own because a small parent
 * makes a cheap child: posix_spawn(3) is a vfork, and ru_maxrss begins at what the parent had.
 *
 * The CPU is read from perf's clock, not from wait4(2). Where a process wakes another on its core
 * and goes on in the kernel, the scheduler skips its next clock update (rq_clock_skip_update()),
 * and charges all since the waking to the woken: of a daemon and its client on one core, a third
 * of the daemon's time goes to the client, and on a busy machine strangers' time to all. Where
 * the kernel does not let us have perf's clock, wait4() has to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define SPAWN_COMMANDS_MAX 16

extern char **environ;

struct spawn_cost {
	uint64_t cpu_ns;
	long peak_kib;
	int status;
};

static uint64_t spawn_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

/* Runs with us and with all that we start; what has ended is in its sum. -1: not for us. */
static int spawn_open_clock(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.inherit = 1,
		/* Who may not watch the kernel must say so; this clock runs on in it. */
		.exclude_kernel = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* 0 where there is no such clock. */
static uint64_t spawn_read_clock(int clock_fd)
{
	uint64_t ns = 0;

	if (clock_fd >= 0 && read(clock_fd, &ns, sizeof(ns)) != sizeof(ns))
		measure_fail("perf's clock");
	return ns;
}

/* Waits for one process, or for any with -1; false where there is none. */
static bool spawn_wait(pid_t pid, struct spawn_cost *cost)
{
	struct rusage usage;
	pid_t ended;

	do
		ended = wait4(pid, &cost->status, 0, &usage);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return false;
	cost->cpu_ns += spawn_ns(usage.ru_utime) + spawn_ns(usage.ru_stime);
	if (usage.ru_maxrss > cost->peak_kib)
		cost->peak_kib = usage.ru_maxrss;
	return true;
}

static void spawn_once(int clock_fd, int number, char **argv, const char *output)
{
	posix_spawn_file_actions_t actions;
	struct spawn_cost cost = {0};
	uint64_t begin_ns, end_ns, clock_ns = spawn_read_clock(clock_fd);
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	begin_ns = measure_now_ns();
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (errno != 0)
		measure_fail(argv[0]);
	if (!spawn_wait(pid, &cost))
		measure_fail("wait4");
	end_ns = measure_now_ns();
	status = cost.status;
	while (spawn_wait(-1, &cost))
		;
	if (clock_fd >= 0)
		cost.cpu_ns = spawn_read_clock(clock_fd) - clock_ns;
	posix_spawn_file_actions_destroy(&actions);
	printf("%d %llu %llu %ld %d\n", number, (unsigned long long)(end_ns - begin_ns),
		(unsigned long long)cost.cpu_ns, cost.peak_kib,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
}

/* Cuts the arguments at each ":::". */
static int spawn_cut(char **argv, char ***commands)
{
	int n = 0;

	for (commands[n++] = argv; *argv; argv++) {
		if (strcmp(*argv, ":::") != 0)
			continue;
		if (n == SPAWN_COMMANDS_MAX)
			exit(2);
		*argv = NULL;
		commands[n++] = argv + 1;
	}
	return n;
}

int main(int argc, char **argv)
{
	char **commands[SPAWN_COMMANDS_MAX];
	cpu_set_t cores;
	int n_commands, clock_fd;

	if (argc < 5)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	CPU_ZERO(&cores);
	CPU_SET(strtoul(argv[1], NULL, 10), &cores);
	if (sched_setaffinity(0, sizeof(cores), &cores) < 0)
		measure_fail("sched_setaffinity");
	n_commands = spawn_cut(argv + 4, commands);
	clock_fd = spawn_open_clock();
	for (long round = strtol(argv[2], NULL, 10); round > 0; round--)
		for (int i = 0; i < n_commands; i++)
			spawn_once(clock_fd, i, commands[i], argv[3]);
	return 0;
}
