/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "endpoint.h"
#include "grant.h"
#include "limit.h"
#include "notify.h"
#include "process.h"
#include "ring/ring.h"
#include "sandbox.h"
#include "settled.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/table.h"

/*
 * The process around the daemon: arguments, limits, signals, sockets, the service manager, and
 * the loop. All else is in libraries that the tests and the simulator link too.
 *
 * Signals only set a flag and end the loop's turn; the loop looks at the flags after each turn.
 * So nothing is done in a handler that the loop would not do itself, between two turns.
 *
 * The private daemon (--private) is the same loop without a configuration, for one session that
 * settle(1) made: it ends with the session, and dies with its parent.
 */

enum {
	MAIN_OK = 0,
	MAIN_FAILED = 1,
	MAIN_USAGE = 2,
	/* io_uring is refused (EX_CONFIG of sysexits.h): starting again will not help. */
	MAIN_NO_RING = 78,
	/* Not an exit status: there is work to do. */
	MAIN_GO_ON = -1,
};

#define MAIN_WHY_MAX    1024
#define MAIN_STATUS_MAX 4096
#define MAIN_DUMP_MAX   (16u * 1024 * 1024)

struct main_arguments {
	const char *config_file, *listen_path;
	/* -1: not private. */
	int private_fd;
	bool check_config, print_config;
};

struct main_daemon {
	struct main_arguments arguments;
	/* NULL in a private daemon. */
	struct config *config;
	struct ring *ring;
	struct settled *settled;
	struct endpoint endpoint;
	struct notify notify;
	struct buffer text;
	bool is_draining;
};

static const char main_help[] =
	"Usage: settled [OPTION]...\n"
	"Serve graphs of HTTP requests to the clients of a Unix socket.\n"
	"\n"
	"      --config FILE   read FILE and FILE.d/*.conf instead of " CONFIG_FILE_DEFAULT "\n"
	"      --listen PATH   bind the socket at PATH, where the service manager passes none\n"
	"      --check-config  say what is wrong with the configuration, and exit\n"
	"      --print-config  print the merged configuration, and exit\n"
	"      --private FD    serve the one client connected to descriptor FD, then exit\n"
	"      --help          print this, and exit\n"
	"      --version       print the version, and exit\n"
	"\n"
	"Signals: TERM, INT drain (twice: at once); HUP reloads; USR1 logs the state.\n"
	"Exit status: 0 stopped in order; 1 failed; 2 usage; 78 io_uring is refused.\n"
	"See settled(8), settled.conf(5), settled-graph(5).\n";

/* -- Arguments -------------------------------------------------------------------------------- */

static int main_refuse_usage(const char *what)
{
	if (what)
		(void)fprintf(stderr, "settled: %s\n", what);
	(void)fprintf(stderr, "Try 'settled --help'.\n");
	return MAIN_USAGE;
}

static int main_take_option(int option, const char *value, struct main_arguments *arguments)
{
	uint64_t fd;

	switch (option) {
	case 'c': arguments->config_file = value; return MAIN_GO_ON;
	case 'l': arguments->listen_path = value; return MAIN_GO_ON;
	case 'C': arguments->check_config = true; return MAIN_GO_ON;
	case 'P': arguments->print_config = true; return MAIN_GO_ON;
	case 'p':
		if (!text_to_u64(text_from(value), INT32_MAX, &fd) || fd <= STDERR_FILENO)
			return main_refuse_usage(
				"--private takes the number of a descriptor above 2");
		arguments->private_fd = (int)fd;
		return MAIN_GO_ON;
	case 'h': (void)fputs(main_help, stdout); return MAIN_OK;
	case 'V': (void)puts("settled " SETTLED_VERSION); return MAIN_OK;
	/* getopt has said it. */
	default: return main_refuse_usage(NULL);
	}
}

static int main_read_arguments(int argc, char **argv, struct main_arguments *arguments)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"listen", required_argument, NULL, 'l'},
		{"private", required_argument, NULL, 'p'},
		{"check-config", no_argument, NULL, 'C'},
		{"print-config", no_argument, NULL, 'P'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int option, status = MAIN_GO_ON;

	*arguments = (struct main_arguments){.private_fd = -1};
	while (status == MAIN_GO_ON && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		status = main_take_option(option, optarg, arguments);
	if (status != MAIN_GO_ON)
		return status;
	if (optind < argc)
		return main_refuse_usage("takes options only");
	if (arguments->private_fd >= 0 &&
		(arguments->config_file || arguments->listen_path || arguments->check_config ||
			arguments->print_config))
		return main_refuse_usage("--private takes no other option");
	return MAIN_GO_ON;
}

/* -- The configuration ------------------------------------------------------------------------ */

static void main_on_note(void *context, enum log_level level, const char *note)
{
	const bool *for_people = context;

	if (*for_people)
		(void)fprintf(stderr, "settled: %s%s\n",
			level == LOG_LEVEL_ERROR ? "" : "warning: ", note);
	else
		log_line(level, "%s", note);
}

static int main_load_config(
	const struct main_arguments *arguments, bool for_people, struct config **ret_config)
{
	const struct config_source source = {
		.file = arguments->config_file,
		.credentials = getenv("CREDENTIALS_DIRECTORY"),
		.is_check = for_people,
		.on_note = main_on_note,
		.context = &for_people,
	};

	return config_load(&source, ret_config);
}

/* --check-config, --print-config. */
static int main_show_config(const struct main_arguments *arguments)
{
	struct config *config;
	struct buffer out;

	if (main_load_config(arguments, true, &config) != 0)
		return MAIN_FAILED;
	buffer_init(&out, MAIN_DUMP_MAX);
	if (arguments->print_config)
		config_print(config, &out);
	else
		buffer_append_literal(&out, "settled: the configuration is good\n");
	(void)fwrite(out.data, 1, out.size, stdout);
	buffer_deinit(&out);
	config_free(config);
	return fflush(stdout) == 0 ? MAIN_OK : MAIN_FAILED;
}

/* In the configuration of now: a reload may have changed it. */
static bool main_find_secret(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	struct main_daemon *daemon = context;

	return grant_find(&daemon->config->secrets, name, uid, host, ret_value);
}

static struct settled_options main_options(struct main_daemon *daemon)
{
	const struct config *config = daemon->config;

	return (struct settled_options){
		.requests_max = config->requests_max,
		.requests_per_origin_max = config->requests_per_origin_max,
		.sessions_max = config->sessions_max,
		.jobs_max = config->jobs_max,
		.line_max = (size_t)config->line_max,
		.idle_max = config->idle_max,
		.idle_timeout_ns = config->idle_timeout_ns,
		.dns_timeout_ns = config->dns_timeout_ns,
		.dns_positive_ns = config->dns_positive_ns,
		.dns_negative_ns = config->dns_negative_ns,
		.dns_threads_max = config->dns_threads_max,
		.drain_timeout_ns = config->drain_timeout_ns,
		.insecure_allowed = config->insecure_allowed,
		.prewarm = config->prewarm,
		.retry_after_max_ns = config->retry_after_max_ns,
		.secrets = {main_find_secret, daemon},
	};
}

/* All or nothing: an error, or a change that only a restart can make, leaves all as it was. */
static void main_reload(struct main_daemon *daemon)
{
	struct config *config = NULL;

	notify_reloading(&daemon->notify, clock_now_ns());
	buffer_clear(&daemon->text);
	if (main_load_config(&daemon->arguments, false, &config) != 0) {
		log_error("reload: refused, the configuration stays as it was");
	} else if (config_list_fixed(daemon->config, config, &daemon->text) > 0) {
		log_error("reload: refused, the configuration stays as it was; only a restart "
			  "changes:%.*s",
			TEXT_ARGS(buffer_text(&daemon->text)));
		config_free(config);
	} else {
		config_free(daemon->config);
		daemon->config = config;
		log_set_level(config->log_level);
		settled_reload(daemon->settled);
		log_info("reload: done");
	}
	notify_ready(&daemon->notify, "serving");
}

/* -- Signals ---------------------------------------------------------------------------------- */

static atomic_uint main_terms, main_hups, main_dumps;
/* Set before the handlers are. */
static struct ring *main_ring;

static void main_on_signal(int number)
{
	int before = errno;

	switch (number) {
	case SIGHUP: atomic_fetch_add(&main_hups, 1); break;
	case SIGUSR1: atomic_fetch_add(&main_dumps, 1); break;
	default: atomic_fetch_add(&main_terms, 1); break;
	}
	ring_wake(main_ring);
	errno = before;
}

static void main_handle_signals(struct ring *ring)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	struct sigaction action = {.sa_handler = main_on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	main_ring = ring;
	(void)sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* A file that a client passed has grown to our own bound. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	/* A private daemon is in the background of its parent's terminal, and may say something. */
	(void)sigaction(SIGTTOU, &ignore, NULL);
}

/* The first time: let finish what runs. The second time: at once. */
static void main_drain(struct main_daemon *daemon)
{
	log_info(daemon->is_draining ? "stopping at once" : "draining");
	if (!daemon->is_draining)
		notify_stopping(&daemon->notify, "draining");
	daemon->is_draining = true;
	settled_drain(daemon->settled);
	/* A path of our own is free now: who connects finds nobody, or the next daemon. A socket
	 * that was passed in is the service manager's, and clients wait in it. */
	if (daemon->endpoint.path)
		endpoint_deinit(&daemon->endpoint);
}

/* Asked for, so it is logged whatever the level. */
static void main_dump(struct main_daemon *daemon)
{
	struct text rest;

	buffer_reset(&daemon->text, 0);
	settled_dump(daemon->settled, &daemon->text);
	rest = buffer_text(&daemon->text);
	log_set_level(LOG_LEVEL_INFO);
	while (rest.size > 0) {
		size_t end = text_find(rest, '\n');

		log_info("%.*s", (int)end, rest.data);
		rest = text_from_at(rest, end + 1);
	}
	if (daemon->text.failed)
		log_info("(cut: too long)");
	log_set_level(daemon->config ? daemon->config->log_level : LOG_LEVEL_WARNING);
	buffer_reset(&daemon->text, MAIN_STATUS_MAX);
}

static void main_on_signals(struct main_daemon *daemon)
{
	for (unsigned n = atomic_exchange(&main_terms, 0); n > 0; n--)
		main_drain(daemon);
	if (atomic_exchange(&main_hups, 0) > 0 && daemon->config && !daemon->is_draining)
		main_reload(daemon);
	if (atomic_exchange(&main_dumps, 0) > 0)
		main_dump(daemon);
}

/* -- The loop --------------------------------------------------------------------------------- */

static void main_tick(struct main_daemon *daemon)
{
	uint64_t now_ns = ring_now(daemon->ring);

	if (!notify_is_due(&daemon->notify, now_ns))
		return;
	buffer_clear(&daemon->text);
	settled_describe(daemon->settled, &daemon->text);
	notify_tick(&daemon->notify, now_ns, buffer_text(&daemon->text));
}

static bool main_is_over(struct main_daemon *daemon)
{
	/* Nobody is left who could want anything: idle connections are closed at once. */
	if (!daemon->config && !daemon->is_draining && settled_has_no_session(daemon->settled)) {
		daemon->is_draining = true;
		settled_drain(daemon->settled);
		settled_drain(daemon->settled);
	}
	return daemon->is_draining && settled_is_idle(daemon->settled);
}

static int main_loop(struct main_daemon *daemon)
{
	while (!main_is_over(daemon)) {
		int rc = ring_turn(daemon->ring, notify_due_ns(&daemon->notify));

		if (rc < 0) {
			log_error("io_uring: the kernel refuses to go on: %s", strerror(-rc));
			return MAIN_FAILED;
		}
		main_on_signals(daemon);
		main_tick(daemon);
	}
	return MAIN_OK;
}

/* -- Start and end ---------------------------------------------------------------------------- */

/* What nobody outside may foresee: where names lie in tables, and the jitter of backoffs. */
static int main_seed(struct settled_options *options)
{
	uint64_t key[3];

	if (getrandom(key, sizeof(key), 0) != sizeof(key)) {
		log_error("no random numbers: %s", strerror(errno));
		return MAIN_FAILED;
	}
	table_seed(key[0], key[1]);
	options->seed = key[2];
	return MAIN_OK;
}

static int main_make_ring(struct main_daemon *daemon)
{
	const struct ring_options options = {
		.entries = LIMIT_RING_ENTRIES,
		.completions = LIMIT_RING_COMPLETIONS,
		.n_buffers = LIMIT_BUFFERS,
		.buffer_size = LIMIT_BUFFER_SIZE,
		.n_large_buffers = LIMIT_LARGE_BUFFERS,
		.large_buffer_size = LIMIT_LARGE_BUFFER_SIZE,
		.disable = getenv("SETTLED_URING_DISABLE"),
	};
	const char *why = "";
	int rc = ring_new(&options, &daemon->ring, &why);

	if (rc < 0) {
		log_error("io_uring is refused: %s: %s", strerror(-rc), why);
		return MAIN_NO_RING;
	}
	return MAIN_OK;
}

/* Everything below the sockets. */
static int main_start(struct main_daemon *daemon, struct settled_options *options)
{
	int status, rc;

	process_raise_descriptors();
	process_unblock_stderr(daemon->config != NULL);
	status = main_seed(options);
	if (status == MAIN_OK)
		status = main_make_ring(daemon);
	if (status != MAIN_OK)
		return status;
	main_handle_signals(daemon->ring);
	rc = settled_new(daemon->ring, options, &daemon->settled);
	if (rc < 0) {
		log_error("cannot start: %s", strerror(-rc));
		return MAIN_FAILED;
	}
	sandbox_enter();
	return MAIN_OK;
}

static void main_init(struct main_daemon *daemon, const struct main_arguments *arguments)
{
	*daemon = (struct main_daemon){.arguments = *arguments, .notify = {.fd = -1}};
	endpoint_init(&daemon->endpoint);
	buffer_init(&daemon->text, MAIN_DUMP_MAX);
}

/* From the outside in: the path, the daemon, the ring under it. */
static int main_finish(struct main_daemon *daemon, int status)
{
	static const struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigaction(SIGTERM, &ignore, NULL);
	(void)sigaction(SIGINT, &ignore, NULL);
	endpoint_deinit(&daemon->endpoint);
	/* What is in flight after a failure is the kernel's to end, with the process. */
	if (status == MAIN_OK) {
		settled_free(daemon->settled);
		ring_free(daemon->ring);
	}
	notify_deinit(&daemon->notify);
	buffer_deinit(&daemon->text);
	config_free(daemon->config);
	return status;
}

/* The socket that was passed in, or one of our own. */
static int main_open_endpoint(struct main_daemon *daemon)
{
	const char *path = daemon->arguments.listen_path;
	char *default_path = NULL;
	struct buffer why;
	int rc;

	buffer_init(&why, MAIN_WHY_MAX);
	rc = endpoint_inherit(&daemon->endpoint, &why);
	if (rc == 0 && daemon->endpoint.fd >= 0 && path)
		log_warning("--listen %s is left out: the service manager passed a socket", path);
	if (rc == 0 && daemon->endpoint.fd < 0) {
		if (!path)
			path = default_path = endpoint_default_path(&why);
		rc = path ? endpoint_bind(&daemon->endpoint, path, &why) : ENDPOINT_E_REFUSED;
	}
	if (rc != 0)
		log_error("%.*s", TEXT_ARGS(buffer_text(&why)));
	free(default_path);
	buffer_deinit(&why);
	return rc == 0 ? MAIN_OK : MAIN_FAILED;
}

static int main_run_system(struct main_daemon *daemon)
{
	struct settled_options options;
	int rc = notify_init(&daemon->notify), status;

	if (rc < 0)
		log_warning("NOTIFY_SOCKET is of no use: %s", strerror(-rc));
	if (main_load_config(&daemon->arguments, false, &daemon->config) != 0)
		return MAIN_FAILED;
	log_set_level(daemon->config->log_level);
	status = main_open_endpoint(daemon);
	if (status != MAIN_OK)
		return status;
	options = main_options(daemon);
	status = main_start(daemon, &options);
	if (status != MAIN_OK)
		return status;
	settled_listen(daemon->settled, daemon->endpoint.fd);
	notify_ready(&daemon->notify, "serving");
	log_info("serving%s%s", daemon->endpoint.path ? " at " : "",
		daemon->endpoint.path ? daemon->endpoint.path : "");
	return main_loop(daemon);
}

/* Nothing of the parent's is held open but stderr and the session, and nothing that is meant for
 * its terminal or its process group reaches us. */
static int main_leave_parent(int fd)
{
	pid_t parent = getppid();
	int null, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("--private %d: %s", fd, strerror(errno));
		return MAIN_FAILED;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* It may have died before it could be asked for. */
	if (getppid() != parent)
		return MAIN_FAILED;
	/* Fails where the parent has already made us a group of our own. */
	(void)setsid();
	if (fd > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	(void)close_range((unsigned)fd + 1, UINT32_MAX, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)close(null);
	}
	return MAIN_OK;
}

static int main_run_private(struct main_daemon *daemon)
{
	struct settled_options options = settled_options_default;
	int fd = daemon->arguments.private_fd, rc, status;

	log_set_level(LOG_LEVEL_WARNING);
	status = main_leave_parent(fd);
	if (status == MAIN_OK)
		status = main_start(daemon, &options);
	if (status != MAIN_OK)
		return status;
	rc = settled_adopt(daemon->settled, fd, getuid());
	if (rc < 0) {
		log_error("--private %d: %s", fd, strerror(-rc));
		return MAIN_FAILED;
	}
	return main_loop(daemon);
}

/* glibc moves both marks up, to 32 MiB and 64 MiB, when the first large body is given back, and
 * keeps what is below them from then on. As fixed ones they cost nothing: a body of its own pages
 * grows by mremap(2), which copies nothing. */
static void main_bound_malloc(void)
{
#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, LIMIT_MALLOC_KEEP);
	(void)mallopt(M_TRIM_THRESHOLD, LIMIT_MALLOC_KEEP);
#endif
}

int main(int argc, char **argv)
{
	struct main_arguments arguments;
	struct main_daemon daemon;
	int status = main_read_arguments(argc, argv, &arguments);

	if (status != MAIN_GO_ON)
		return status;
	if (arguments.check_config || arguments.print_config)
		return main_show_config(&arguments);
	main_bound_malloc();
	main_init(&daemon, &arguments);
	if (arguments.private_fd >= 0)
		status = main_run_private(&daemon);
	else
		status = main_run_system(&daemon);
	return main_finish(&daemon, status);
}
