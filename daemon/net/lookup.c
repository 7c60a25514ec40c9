/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo(3) on threads.
 *
 * The problem: only getaddrinfo honours all that a host's administrator may have said about names
 * (nsswitch.conf, hosts, resolv.conf, gai.conf), but it waits, for seconds when a server is
 * silent, and cannot be stopped. So a few threads wait in its place. A pool is given up while
 * some of them still wait, and the questions they were asked may be gone by then.
 *
 * The idea: a thread copies its question and keeps the answer to itself until it holds the mutex;
 * only then does it look whether somebody still wants it (`lookup` of its worker, which the
 * pool's end sets to NULL). The pool belongs to its user and to each thread, and goes with the
 * last of them; no thread is ever joined.
 *
 * Invariants, under the mutex: a question is in exactly one place: the queue, a worker, the list
 * of those done, the list of those being answered. A closed pool has none, and does not touch
 * the ring.
 *
 * The environment changes nothing: what glibc's resolver reads of it is removed when the first
 * pool is made, before there is any thread.
 *
 * A thread beyond the usual number goes as soon as it finds the queue empty.
 *
 * glibc itself follows changes of resolv.conf (2.26) and nsswitch.conf (2.33) and reads hosts anew
 * for each question; that such a file has changed is only told, to who keeps answers.
 *
 * Limits: threads and queued questions as given; LOOKUP_ADDRESSES_MAX addresses of an answer.
 */
#include "net/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/stamp.h"
#include "util/container.h"
#include "util/panic.h"

/* Address space, not memory. nsswitch's modules (LDAP, systemd's) take more than glibc's own. */
#define LOOKUP_STACK_SIZE ((size_t)512 << 10)

/* What a host's administrator says about names. */
static const char *const lookup_files[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/gai.conf",
};

struct lookup_pool {
	pthread_mutex_t mutex;
	/* Something is queued, or the pool is closed. */
	pthread_cond_t changed;
	/* A borrow of the user's; NULL: closed. */
	struct ring *ring;
	struct list queued;
	struct list done;
	/* Those whose upcalls are being made. */
	struct list answered;
	/* struct lookup_worker. */
	struct list workers;
	unsigned n_threads_max;
	unsigned n_queued_max;
	unsigned n_queued;
	/* Of the queued ones, those that were so at the last relief: the first ones. */
	unsigned n_late;
	unsigned n_threads;
	unsigned n_idle;
	/* Owners: the user, each thread, and a turn of upcalls. */
	unsigned n_refs;
	/* The user's thread's alone. */
	struct stamp stamps[countof(lookup_files)];
};

/* On its thread's stack. */
struct lookup_worker {
	struct list link;
	/* The question it works on, its owner's; NULL: none, or nobody wants it any more. */
	struct lookup *lookup;
};

/* What glibc's resolver and nsswitch read of the environment (resolver(5), host.conf(5)). */
static void lookup_clear_environment(void)
{
	static const char *const names[] = {
		"HOSTALIASES",
		"LOCALDOMAIN",
		"RES_OPTIONS",
		"RESOLV_ADD_TRIM_DOMAINS",
		"RESOLV_HOST_CONF",
		"RESOLV_MULTI",
		"RESOLV_OVERRIDE_TRIM_DOMAINS",
		"RESOLV_REORDER",
		"RESOLV_SERV_ORDER",
		"RESOLV_SPOOF_CHECK",
	};

	for (size_t i = 0; i < countof(names); i++) {
		if (getenv(names[i]))
			unsetenv(names[i]);
	}
}

/* The mutex is held on entry, and released. The last owner frees. */
static void lookup_pool_unref(struct lookup_pool *pool)
{
	bool last = --pool->n_refs == 0;

	pthread_mutex_unlock(&pool->mutex);
	if (!last)
		return;
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

static void lookup_set_failure(struct lookup *lookup, int error, int system_error)
{
	const char *why = error == EAI_SYSTEM ? strerrordesc_np(system_error) : gai_strerror(error);

	switch (error) {
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		fault_set(&lookup->fault, FAULT_DNS_NOT_FOUND, "%s: %s", lookup->host, why);
		return;
	default:
		fault_set(&lookup->fault, FAULT_DNS_TEMPORARY, "%s: %s", lookup->host,
			why ? why : "unknown error");
	}
}

/* The hosts file may give an address twice. */
static bool lookup_has_address(const struct lookup *lookup, const struct addrinfo *info)
{
	for (uint32_t i = 0; i < lookup->n_addresses; i++) {
		if (memcmp(&lookup->addresses[i], info->ai_addr, info->ai_addrlen) == 0)
			return true;
	}
	return false;
}

/* How many of that family there is room for: a long answer of one family must not leave the other
 * one out, of which perhaps alone one can be reached. */
static uint32_t lookup_room(const struct addrinfo *list, int family)
{
	uint32_t n_others = 0;

	for (const struct addrinfo *info = list; info; info = info->ai_next) {
		if (info->ai_family != family &&
			(info->ai_family == AF_INET || info->ai_family == AF_INET6))
			n_others++;
	}
	if (n_others > LOOKUP_ADDRESSES_MAX / 2)
		n_others = LOOKUP_ADDRESSES_MAX / 2;
	return LOOKUP_ADDRESSES_MAX - n_others;
}

static void lookup_set_addresses(struct lookup *lookup, const struct addrinfo *list)
{
	uint32_t room_v4 = lookup_room(list, AF_INET), room_v6 = lookup_room(list, AF_INET6);

	for (const struct addrinfo *info = list; info; info = info->ai_next) {
		uint32_t *room = info->ai_family == AF_INET6 ? &room_v6 : &room_v4;

		if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
			continue;
		if (*room == 0 || lookup->n_addresses == LOOKUP_ADDRESSES_MAX ||
			lookup_has_address(lookup, info))
			continue;
		--*room;
		memcpy(&lookup->addresses[lookup->n_addresses++], info->ai_addr, info->ai_addrlen);
	}
	if (lookup->n_addresses == 0)
		fault_set(&lookup->fault, FAULT_DNS_NOT_FOUND, "%s: no IP address", lookup->host);
}

/* The mutex is held, except while the answer is waited for. */
static void lookup_worker_ask(struct lookup_pool *pool, struct lookup_worker *worker)
{
	static const struct addrinfo hints = {
		.ai_flags = AI_ADDRCONFIG,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list = NULL;
	char host[LOOKUP_HOST_MAX];
	int error, system_error;

	memcpy(host, worker->lookup->host, sizeof(host));
	pthread_mutex_unlock(&pool->mutex);
	error = getaddrinfo(host, NULL, &hints, &list);
	system_error = errno;
	pthread_mutex_lock(&pool->mutex);
	if (worker->lookup) {
		struct lookup *lookup = worker->lookup;

		if (error)
			lookup_set_failure(lookup, error, system_error);
		else
			lookup_set_addresses(lookup, list);
		worker->lookup = NULL;
		list_push_back(&pool->done, &lookup->link);
		/* Under the mutex, so that the ring is still there. */
		ring_wake(pool->ring);
	}
	if (list)
		freeaddrinfo(list);
}

static void *lookup_worker_run(void *context)
{
	struct lookup_pool *pool = context;
	struct lookup_worker worker = {0};

	pthread_mutex_lock(&pool->mutex);
	list_push_back(&pool->workers, &worker.link);
	while (pool->ring) {
		struct list *link = list_pop_front(&pool->queued);

		if (!link && pool->n_threads > pool->n_threads_max)
			break;
		if (!link) {
			pool->n_idle++;
			pthread_cond_wait(&pool->changed, &pool->mutex);
			pool->n_idle--;
			continue;
		}
		pool->n_queued--;
		if (pool->n_late > 0)
			pool->n_late--;
		worker.lookup = list_entry(link, struct lookup, link);
		lookup_worker_ask(pool, &worker);
	}
	list_remove(&worker.link);
	pool->n_threads--;
	lookup_pool_unref(pool);
	return NULL;
}

/* The next answer to be told, or NULL. */
static struct lookup *lookup_pool_next_answer(struct lookup_pool *pool)
{
	struct list *link;

	pthread_mutex_lock(&pool->mutex);
	link = list_pop_front(&pool->answered);
	pthread_mutex_unlock(&pool->mutex);
	return link ? list_entry(link, struct lookup, link) : NULL;
}

/* In the ring's thread. An upcall may start further look-ups, or free the pool. */
static void lookup_pool_on_wake(void *context)
{
	struct lookup_pool *pool = context;
	struct lookup *lookup;

	pthread_mutex_lock(&pool->mutex);
	pool->n_refs++;
	/* Those done by now: what the upcalls start is told at the next wake. */
	while (!list_is_empty(&pool->done))
		list_push_back(&pool->answered, list_pop_front(&pool->done));
	pthread_mutex_unlock(&pool->mutex);

	while ((lookup = lookup_pool_next_answer(pool)))
		lookup->on_done(lookup);

	pthread_mutex_lock(&pool->mutex);
	lookup_pool_unref(pool);
}

bool lookup_pool_has_changed(struct lookup_pool *pool)
{
	bool changed = false;

	for (size_t i = 0; i < countof(lookup_files); i++)
		changed |= stamp_update(&pool->stamps[i], lookup_files[i]);
	return changed;
}

int lookup_pool_new(struct ring *ring, unsigned n_threads_max, unsigned n_queued_max,
	struct lookup_pool **ret_pool)
{
	struct lookup_pool *pool = calloc(1, sizeof(*pool));

	expect(n_threads_max > 0);
	expect(n_queued_max > 0);
	if (!pool)
		return -ENOMEM;
	lookup_clear_environment();
	/* Both without attributes: these cannot fail on Linux. */
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->changed, NULL);
	list_init(&pool->queued);
	list_init(&pool->done);
	list_init(&pool->answered);
	list_init(&pool->workers);
	pool->ring = ring;
	pool->n_threads_max = n_threads_max;
	pool->n_queued_max = n_queued_max;
	pool->n_refs = 1;
	ring_on_wake(ring, lookup_pool_on_wake, pool);
	lookup_pool_has_changed(pool);
	*ret_pool = pool;
	return 0;
}

static void lookup_list_clear(struct list *list)
{
	while (list_pop_front(list))
		;
}

struct lookup_pool *lookup_pool_free(struct lookup_pool *pool)
{
	if (!pool)
		return NULL;
	ring_on_wake(pool->ring, NULL, NULL);
	pthread_mutex_lock(&pool->mutex);
	pool->ring = NULL;
	lookup_list_clear(&pool->queued);
	lookup_list_clear(&pool->done);
	lookup_list_clear(&pool->answered);
	list_each(link, &pool->workers)
		list_entry(link, struct lookup_worker, link)->lookup = NULL;
	pthread_cond_broadcast(&pool->changed);
	lookup_pool_unref(pool);
	return NULL;
}

/* The mutex is held. False: the kernel gives no thread. */
static bool lookup_pool_spawn(struct lookup_pool *pool)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	bool spawned;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, LOOKUP_STACK_SIZE);
	/* A thread inherits the mask: signals are for the ring's thread alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	spawned = pthread_create(&thread, &attributes, lookup_worker_run, pool) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (!spawned)
		return false;
	pthread_setname_np(thread, "lookup");
	pool->n_threads++;
	pool->n_refs++;
	return true;
}

/* The mutex is held. True where the queue moves: somebody is there to take from it. */
static bool lookup_pool_staff(struct lookup_pool *pool)
{
	if (pool->n_queued > pool->n_idle && pool->n_threads < pool->n_threads_max)
		lookup_pool_spawn(pool);
	return pool->n_threads > 0;
}

bool lookup_start(struct lookup_pool *pool, struct lookup *lookup, lookup_callback on_done)
{
	bool taken = false;

	expect(memchr(lookup->host, '\0', sizeof(lookup->host)));
	lookup->on_done = on_done;
	lookup->fault = (struct fault){0};
	lookup->n_addresses = 0;
	memset(lookup->addresses, 0, sizeof(lookup->addresses));
	pthread_mutex_lock(&pool->mutex);
	if (pool->n_queued < pool->n_queued_max) {
		list_push_back(&pool->queued, &lookup->link);
		pool->n_queued++;
		taken = lookup_pool_staff(pool);
		if (!taken) {
			list_remove(&lookup->link);
			pool->n_queued--;
		}
	}
	pthread_cond_signal(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
	return taken;
}

void lookup_pool_relieve(struct lookup_pool *pool)
{
	unsigned n_most = pool->n_threads_max * LOOKUP_RELIEF_FACTOR;

	pthread_mutex_lock(&pool->mutex);
	for (unsigned i = 0; i < pool->n_late && pool->n_threads < n_most; i++) {
		if (!lookup_pool_spawn(pool))
			break;
	}
	pool->n_late = pool->n_queued;
	pthread_mutex_unlock(&pool->mutex);
}
