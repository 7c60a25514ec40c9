/* SPDX-License-Identifier: MIT */
/*
 * The resolver is this file's own: getaddrinfo(), freeaddrinfo() and stat() below stand in for the
 * C library's. So is the ring: a wake is a byte of an eventfd. No sleeps: a slow resolver waits
 * at a gate that the test opens, and the end of a thread is told by a key's destructor.
 */
#include "net/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/container.h"

struct ring {
	int fd;
	ring_wake_callback on_wake;
	void *context;
};

void ring_on_wake(struct ring *ring, ring_wake_callback on_wake, void *context)
{
	ring->on_wake = on_wake;
	ring->context = context;
}

void ring_wake(struct ring *ring)
{
	ck_assert_int_eq(eventfd_write(ring->fd, 1), 0);
}

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool open;
	unsigned n_inside;
	unsigned n_inside_max;
	unsigned n_asked;
	int n_lists;
	bool signals_blocked;
	/* Posted by each asking thread's end. */
	sem_t ended;
	/* Posted when a thread has come to the gate. */
	sem_t arrived;
	pthread_key_t key;
} fake;

static struct ring ring;

static void fake_on_thread_end(void *value)
{
	sem_post(&fake.ended);
}

static void fake_init(bool open)
{
	pthread_mutex_init(&fake.mutex, NULL);
	pthread_cond_init(&fake.changed, NULL);
	sem_init(&fake.ended, 0, 0);
	sem_init(&fake.arrived, 0, 0);
	pthread_key_create(&fake.key, fake_on_thread_end);
	fake.open = open;
	fake.n_inside = fake.n_inside_max = fake.n_asked = 0;
	fake.n_lists = 0;
	ring.fd = eventfd(0, 0);
}

static void fake_open_gate(void)
{
	pthread_mutex_lock(&fake.mutex);
	fake.open = true;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
}

/* All threads that have asked are over, and so is all they held. */
static void fake_deinit(unsigned n_threads)
{
	for (unsigned i = 0; i < n_threads; i++)
		sem_wait(&fake.ended);
	ck_assert_int_eq(fake.n_lists, 0);
	close(ring.fd);
	pthread_key_delete(fake.key);
}

/* "4:192.0.2.1,6:2001:db8::1,u:": what getaddrinfo() gives, by the host's name. */
static struct addrinfo *fake_list(const char *host)
{
	struct addrinfo *first = NULL, **next = &first;
	char copy[LOOKUP_HOST_MAX], *rest = copy, *item;

	strncpy(copy, host, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	while ((item = strsep(&rest, ","))) {
		struct addrinfo *info = calloc(1, sizeof(*info));
		struct sockaddr_in *v4 = calloc(1, sizeof(struct sockaddr_storage));
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)v4;

		info->ai_addr = (struct sockaddr *)v4;
		info->ai_family = item[0] == '4' ? AF_INET : item[0] == '6' ? AF_INET6 : AF_UNIX;
		info->ai_addrlen = item[0] == '4' ? sizeof(*v4) : sizeof(*v6);
		v4->sin_family = (sa_family_t)info->ai_family;
		if (item[0] == '4')
			ck_assert_int_eq(inet_pton(AF_INET, item + 2, &v4->sin_addr), 1);
		if (item[0] == '6')
			ck_assert_int_eq(inet_pton(AF_INET6, item + 2, &v6->sin6_addr), 1);
		*next = info;
		next = &info->ai_next;
	}
	return first;
}

int getaddrinfo(const char *restrict host, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict ret_list)
{
	sigset_t mask;

	pthread_setspecific(fake.key, &fake);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	pthread_mutex_lock(&fake.mutex);
	fake.signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGUSR1);
	ck_assert_int_eq(hints->ai_socktype, SOCK_STREAM);
	ck_assert_int_eq(hints->ai_family, AF_UNSPEC);
	ck_assert_int_eq(hints->ai_flags, AI_ADDRCONFIG);
	ck_assert_ptr_null(service);
	fake.n_asked++;
	fake.n_inside++;
	if (fake.n_inside > fake.n_inside_max)
		fake.n_inside_max = fake.n_inside;
	sem_post(&fake.arrived);
	while (!fake.open)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	fake.n_inside--;
	if (host[0] != '!')
		fake.n_lists++;
	pthread_mutex_unlock(&fake.mutex);
	if (host[0] == '!') {
		errno = EMFILE;
		return (int)strtol(host + 1, NULL, 10);
	}
	*ret_list = fake_list(host);
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	pthread_mutex_lock(&fake.mutex);
	fake.n_lists--;
	pthread_mutex_unlock(&fake.mutex);
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list->ai_addr);
		free(list);
		list = next;
	}
}

/* The size of each file. */
static struct {
	const char *path;
	off_t size;
} fake_files[] = {
	{"/etc/resolv.conf", 1},
	{"/etc/hosts", 1},
	{"/etc/nsswitch.conf", 1},
	{"/etc/gai.conf", 1},
	{"/etc/passwd", 1},
};

int stat(const char *restrict path, struct stat *restrict ret_status)
{
	for (size_t i = 0; i < countof(fake_files); i++) {
		if (strcmp(path, fake_files[i].path) != 0)
			continue;
		memset(ret_status, 0, sizeof(*ret_status));
		ret_status->st_size = fake_files[i].size;
		return 0;
	}
	errno = ENOENT;
	return -1;
}

static unsigned n_done;

static void on_done(struct lookup *lookup)
{
	n_done++;
}

static void turn(void)
{
	eventfd_t value;

	ck_assert_int_eq(eventfd_read(ring.fd, &value), 0);
	if (ring.on_wake)
		ring.on_wake(ring.context);
}

static void turn_until_done(unsigned n)
{
	while (n_done < n)
		turn();
	ck_assert_uint_eq(n_done, n);
}

static struct lookup_pool *make_pool(unsigned n_threads, unsigned n_queued)
{
	struct lookup_pool *pool;

	n_done = 0;
	ck_assert_int_eq(lookup_pool_new(&ring, n_threads, n_queued, &pool), 0);
	return pool;
}

static void ask(struct lookup_pool *pool, struct lookup *lookup, const char *host)
{
	strncpy(lookup->host, host, sizeof(lookup->host) - 1);
	lookup->host[sizeof(lookup->host) - 1] = '\0';
	ck_assert(lookup_start(pool, lookup, on_done));
}

static void check_addresses(const struct lookup *lookup, const char *expected)
{
	char text[2048] = "", address[INET6_ADDRSTRLEN];

	for (uint32_t i = 0; i < lookup->n_addresses; i++) {
		const struct sockaddr_storage *at = &lookup->addresses[i];
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)at;
		const void *number = &v4->sin_addr;

		if (at->ss_family == AF_INET6)
			number = &((const struct sockaddr_in6 *)at)->sin6_addr;
		ck_assert_uint_eq(v4->sin_port, 0);
		inet_ntop(at->ss_family, number, address, sizeof(address));
		if (i > 0)
			strncat(text, " ", sizeof(text) - strlen(text) - 1);
		strncat(text, address, sizeof(text) - strlen(text) - 1);
	}
	ck_assert_str_eq(text, expected);
}

START_TEST(answers_in_the_order_of_the_library)
{
	static const struct {
		const char *host, *addresses;
	} cases[] = {
		{"4:192.0.2.1", "192.0.2.1"},
		{"6:2001:db8::1,4:192.0.2.1", "2001:db8::1 192.0.2.1"},
		{"4:192.0.2.1,6:2001:db8::1", "192.0.2.1 2001:db8::1"},
		{"4:127.0.0.1,4:127.0.0.1,6:::1,4:127.0.0.1", "127.0.0.1 ::1"},
		{"u:,4:192.0.2.1", "192.0.2.1"},
		{"4:1.1.1.1,4:1.1.1.2,4:1.1.1.3,4:1.1.1.4,4:1.1.1.5,4:1.1.1.6,4:1.1.1.7,4:1.1.1.8,"
		 "4:1.1.1.9,4:1.1.1.10,4:1.1.1.11,4:1.1.1.12,4:1.1.1.13,4:1.1.1.14,4:1.1.1.15,"
		 "4:1.1.1.16,4:1.1.1.17,4:1.1.1.18",
			"1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 1.1.1.9 "
			"1.1.1.10 1.1.1.11 1.1.1.12 1.1.1.13 1.1.1.14 1.1.1.15 1.1.1.16"},
		/* Too many of one family leave room for the other one. */
		{"6:a::1,6:a::2,6:a::3,6:a::4,6:a::5,6:a::6,6:a::7,6:a::8,6:a::9,6:a::a,6:a::b,"
		 "6:a::c,6:a::d,6:a::e,6:a::f,6:a::10,6:a::11,4:192.0.2.1,4:192.0.2.2",
			"a::1 a::2 a::3 a::4 a::5 a::6 a::7 a::8 a::9 a::a a::b a::c a::d a::e "
			"192.0.2.1 192.0.2.2"},
		{"6:a::1,6:a::2,6:a::3,6:a::4,6:a::5,6:a::6,6:a::7,6:a::8,6:a::9,4:1.1.1.1,"
		 "4:1.1.1.2,4:1.1.1.3,4:1.1.1.4,4:1.1.1.5,4:1.1.1.6,4:1.1.1.7,4:1.1.1.8,4:1.1.1.9",
			"a::1 a::2 a::3 a::4 a::5 a::6 a::7 a::8 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 "
			"1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8"},
	};
	/* One object, asked again and again: nothing of the last answer stays. */
	struct lookup lookup;
	struct lookup_pool *pool;

	memset(&lookup, 0xee, sizeof(lookup));
	fake_init(true);
	pool = make_pool(2, 8);
	for (size_t i = 0; i < countof(cases); i++) {
		ask(pool, &lookup, cases[i].host);
		turn_until_done((unsigned)i + 1);
		ck_assert_int_eq(lookup.fault.code, FAULT_NONE);
		check_addresses(&lookup, cases[i].addresses);
	}
	ck_assert(fake.signals_blocked);
	lookup_pool_free(pool);
	/* One at a time needs one thread. */
	fake_deinit(1);
}
END_TEST

START_TEST(says_why_there_is_no_answer)
{
	static const struct {
		const char *host;
		enum fault_code code;
		const char *part;
	} cases[] = {
		{"!-2", FAULT_DNS_NOT_FOUND, "!-2: Name or service not known"},
		{"!-5", FAULT_DNS_NOT_FOUND, "No address"},
		{"!-9", FAULT_DNS_NOT_FOUND, "Address family"},
		{"!-3", FAULT_DNS_TEMPORARY, "Temporary failure"},
		{"!-4", FAULT_DNS_TEMPORARY, "Non-recoverable"},
		{"!-10", FAULT_DNS_TEMPORARY, "Memory"},
		{"!-11", FAULT_DNS_TEMPORARY, "Too many open files"},
		{"u:", FAULT_DNS_NOT_FOUND, "no IP address"},
	};
	struct lookup lookup = {0};
	struct lookup_pool *pool;

	fake_init(true);
	pool = make_pool(1, 8);
	for (size_t i = 0; i < countof(cases); i++) {
		ask(pool, &lookup, cases[i].host);
		turn_until_done((unsigned)i + 1);
		ck_assert_int_eq(lookup.fault.code, cases[i].code);
		ck_assert_msg(
			strstr(lookup.fault.message, cases[i].part), "%s", lookup.fault.message);
		ck_assert_uint_eq(lookup.n_addresses, 0);
	}
	lookup_pool_free(pool);
	fake_deinit(1);
}
END_TEST

START_TEST(makes_threads_on_demand_and_not_beyond_the_bound)
{
	struct lookup lookups[20] = {0};
	struct lookup_pool *pool;

	fake_init(false);
	pool = make_pool(4, countof(lookups));
	for (unsigned i = 0; i < countof(lookups); i++) {
		ask(pool, &lookups[i], "4:192.0.2.1");
		if (i < 4)
			sem_wait(&fake.arrived);
	}
	ck_assert_uint_eq(fake.n_inside, 4);
	fake_open_gate();
	turn_until_done(countof(lookups));
	ck_assert_uint_eq(fake.n_inside_max, 4);
	ck_assert_uint_eq(fake.n_asked, countof(lookups));
	lookup_pool_free(pool);
	fake_deinit(4);
}
END_TEST

START_TEST(refuses_beyond_the_queue)
{
	struct lookup lookups[5] = {0}, more = {.host = "4:192.0.2.1"};
	struct lookup_pool *pool;

	fake_init(false);
	pool = make_pool(2, 3);
	for (unsigned i = 0; i < countof(lookups); i++) {
		ask(pool, &lookups[i], "4:192.0.2.1");
		if (i < 2)
			sem_wait(&fake.arrived);
	}
	ck_assert(!lookup_start(pool, &more, on_done));
	fake_open_gate();
	turn_until_done(countof(lookups));
	/* There is room again. */
	ck_assert(lookup_start(pool, &more, on_done));
	turn_until_done(countof(lookups) + 1);
	lookup_pool_free(pool);
	fake_deinit(2);
}
END_TEST

/* So many questions, and no answer: the first ones stick. */
static struct lookup_pool *begin_stuck(struct lookup *lookups, unsigned n, unsigned n_threads)
{
	struct lookup_pool *pool;

	fake_init(false);
	pool = make_pool(n_threads, n);
	for (unsigned i = 0; i < n; i++) {
		ask(pool, &lookups[i], "4:192.0.2.1");
		if (i < n_threads)
			sem_wait(&fake.arrived);
	}
	return pool;
}

static void wait_arrived(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sem_wait(&fake.arrived);
}

START_TEST(what_waits_behind_stuck_ones_gets_threads_of_its_own)
{
	struct lookup lookups[5] = {0}, more[2] = {0};
	struct lookup_pool *pool = begin_stuck(lookups, 3, 2);

	/* Two stick, one has waited since the first relief; the others came after it. */
	lookup_pool_relieve(pool);
	ask(pool, &lookups[3], "4:192.0.2.1");
	ask(pool, &lookups[4], "4:192.0.2.1");
	ck_assert_uint_eq(fake.n_inside, 2);
	lookup_pool_relieve(pool);
	wait_arrived(1);
	ck_assert_uint_eq(fake.n_inside, 3);
	lookup_pool_relieve(pool);
	wait_arrived(2);
	ck_assert_uint_eq(fake.n_inside, 5);
	fake_open_gate();
	turn_until_done(countof(lookups));
	/* Three of them go; two serve on, which is all there are. */
	for (unsigned i = 0; i < 3; i++)
		sem_wait(&fake.ended);
	for (unsigned i = 0; i < countof(more); i++)
		ask(pool, &more[i], "4:192.0.2.1");
	turn_until_done(countof(lookups) + countof(more));
	lookup_pool_free(pool);
	fake_deinit(2);
}
END_TEST

START_TEST(relief_has_a_bound)
{
	enum { THREADS = 2, MOST = THREADS * LOOKUP_RELIEF_FACTOR, N = MOST + 3 };
	struct lookup lookups[N] = {0};
	struct lookup_pool *pool = begin_stuck(lookups, N, THREADS);

	for (unsigned i = 0; i < 5; i++)
		lookup_pool_relieve(pool);
	wait_arrived(MOST - THREADS);
	ck_assert_uint_eq(fake.n_inside, MOST);
	fake_open_gate();
	turn_until_done(N);
	ck_assert_uint_eq(fake.n_inside_max, MOST);
	lookup_pool_free(pool);
	fake_deinit(MOST);
}
END_TEST

START_TEST(tells_each_change_of_the_host_s_files_once)
{
	struct lookup_pool *pool;

	fake_init(true);
	pool = make_pool(1, 1);
	ck_assert(!lookup_pool_has_changed(pool));
	for (size_t i = 0; i < countof(fake_files); i++) {
		fake_files[i].size++;
		ck_assert_msg(lookup_pool_has_changed(pool) ==
				      (strcmp(fake_files[i].path, "/etc/passwd") != 0),
			"%s", fake_files[i].path);
		ck_assert(!lookup_pool_has_changed(pool));
	}
	lookup_pool_free(pool);
	fake_deinit(0);
}
END_TEST

START_TEST(forgets_what_is_stuck_when_it_goes)
{
	struct lookup *lookups[5];
	struct lookup_pool *pool;

	fake_init(false);
	pool = make_pool(2, 8);
	for (unsigned i = 0; i < countof(lookups); i++) {
		lookups[i] = calloc(1, sizeof(*lookups[i]));
		ask(pool, lookups[i], "4:192.0.2.1,6:2001:db8::1");
		if (i < 2)
			sem_wait(&fake.arrived);
	}
	ck_assert_ptr_null(lookup_pool_free(pool));
	for (unsigned i = 0; i < countof(lookups); i++)
		free(lookups[i]);
	fake_open_gate();
	/* Both end, without a wake, and the queue is asked no more. */
	fake_deinit(2);
	ck_assert_uint_eq(fake.n_asked, 2);
	ck_assert_uint_eq(n_done, 0);
	ck_assert_ptr_null(ring.on_wake);
}
END_TEST

START_TEST(forgets_answers_that_nobody_has_heard)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	struct lookup_pool *pool;
	eventfd_t value;

	fake_init(true);
	pool = make_pool(1, 8);
	ask(pool, lookup, "4:192.0.2.1");
	ck_assert_int_eq(eventfd_read(ring.fd, &value), 0);
	lookup_pool_free(pool);
	free(lookup);
	ck_assert_uint_eq(n_done, 0);
	fake_deinit(1);
}
END_TEST

static struct lookup_pool *chain_pool;
static struct lookup chain_lookups[3];

static void on_done_ask_next(struct lookup *lookup)
{
	struct lookup *next = &chain_lookups[++n_done];

	if (n_done == countof(chain_lookups))
		return;
	next->host[0] = 'u';
	ck_assert(lookup_start(chain_pool, next, on_done_ask_next));
}

START_TEST(an_upcall_may_ask_the_next)
{
	fake_init(true);
	chain_pool = make_pool(1, 1);
	memset(chain_lookups, 0, sizeof(chain_lookups));
	chain_lookups[0].host[0] = 'u';
	ck_assert(lookup_start(chain_pool, &chain_lookups[0], on_done_ask_next));
	turn_until_done(countof(chain_lookups));
	lookup_pool_free(chain_pool);
	fake_deinit(1);
}
END_TEST

static void on_done_free_pool(struct lookup *lookup)
{
	n_done++;
	chain_pool = lookup_pool_free(chain_pool);
}

START_TEST(an_upcall_may_free_the_pool)
{
	struct lookup lookups[4] = {{.host = "u:"}, {.host = "u:"}, {.host = "u:"}, {.host = "u:"}};

	fake_init(false);
	chain_pool = make_pool(4, 4);
	for (unsigned i = 0; i < countof(lookups); i++) {
		ck_assert(lookup_start(chain_pool, &lookups[i], on_done_free_pool));
		sem_wait(&fake.arrived);
	}
	fake_open_gate();
	turn();
	/* The others' answers are not told any more. */
	ck_assert_uint_eq(n_done, 1);
	ck_assert_ptr_null(chain_pool);
	fake_deinit(4);
}
END_TEST

START_TEST(obeys_no_environment)
{
	static const char *const names[] = {
		"RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES", "RESOLV_HOST_CONF", "RESOLV_MULTI"};

	for (size_t i = 0; i < countof(names); i++)
		setenv(names[i], "x", 1);
	fake_init(true);
	lookup_pool_free(make_pool(1, 1));
	for (size_t i = 0; i < countof(names); i++)
		ck_assert_ptr_null(getenv(names[i]));
	fake_deinit(0);
}
END_TEST

START_TEST(goes_unused)
{
	fake_init(true);
	ck_assert_ptr_null(lookup_pool_free(NULL));
	ck_assert_ptr_null(lookup_pool_free(make_pool(8, 8)));
	fake_deinit(0);
}
END_TEST

UNIT_MAIN("net/lookup", &answers_in_the_order_of_the_library, &says_why_there_is_no_answer,
	&makes_threads_on_demand_and_not_beyond_the_bound, &refuses_beyond_the_queue,
	&what_waits_behind_stuck_ones_gets_threads_of_its_own, &relief_has_a_bound,
	&tells_each_change_of_the_host_s_files_once, &forgets_what_is_stuck_when_it_goes,
	&forgets_answers_that_nobody_has_heard, &an_upcall_may_ask_the_next,
	&an_upcall_may_free_the_pool, &obeys_no_environment, &goes_unused)
