/* SPDX-License-Identifier: MIT */
#include "sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "util/clock.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * Time is a heap of events. Memory is one large mapping that is cut from the front and begun anew
 * with each world: what is given back early goes to a list of its size class. Both live outside
 * of malloc, so that what the daemon takes can be counted alone, and so that a world costs what
 * it uses and not what it might use.
 */

#ifdef __SANITIZE_ADDRESS__
#define SIM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_SANITIZED 1
#endif
#endif
#ifdef SIM_SANITIZED
#include <sanitizer/asan_interface.h>
#define sim_poison(at, size)   ASAN_POISON_MEMORY_REGION(at, size)
#define sim_unpoison(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define sim_poison(at, size)   ((void)(at), (void)(size))
#define sim_unpoison(at, size) ((void)(at), (void)(size))
#endif

/* The part of a free block that holds its link. */
#define SIM_LINK_SIZE 16

#define SIM_MEMORY_SIZE ((size_t)1 << 30)
#define SIM_EVENTS_MAX  ((size_t)1 << 20)
#define SIM_CLASSES     28
#define SIM_START_NS    (1000 * NS_PER_S)

struct sim_event {
	uint64_t at_ns;
	uint64_t order;
	sim_action run;
	void *context;
};

struct sim_world sim_world;

static struct sim_event *events;
static size_t n_events;
static uint64_t n_ordered;

static char *memory;
static size_t memory_used;
static void *memory_free[SIM_CLASSES];

static uint64_t sim_splitmix(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t sim_rotate(uint64_t x, int by)
{
	return (x << by) | (x >> (64 - by));
}

/* xoshiro256** (Blackman and Vigna, 2018). */
static uint64_t sim_random(void)
{
	uint64_t *s = sim_world.random;
	uint64_t result = sim_rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = sim_rotate(s[3], 45);
	return result;
}

static void *sim_map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	expect(at != MAP_FAILED);
	return at;
}

/* A calm world has no faults at all: there every job must be fulfilled. */
static void sim_world_draw_profile(struct sim_profile *profile)
{
	bool rough = !sim_chance(200);

	memset(profile, 0, sizeof(*profile));
	profile->operation_ns_max = sim_chance(300) ? 0 : sim_delay(2 * NS_PER_MS);
	profile->short_receive = sim_chance(500) ? 0 : (unsigned)sim_below(800);
	profile->multishot_ends = sim_chance(300) ? 0 : (unsigned)sim_below(300);
	profile->late_cancel = (unsigned)sim_below(1000);
	profile->large_body = sim_chance(950) ? 15 : (unsigned)sim_below(300);
	profile->slow_turn = sim_chance(500) ? 0 : (unsigned)sim_below(300);
	profile->short_send = sim_chance(600) ? 0 : (unsigned)sim_below(700);
	profile->interrupted = sim_chance(600) ? 0 : (unsigned)sim_below(100);
	profile->no_buffers = sim_chance(600) ? 0 : (unsigned)sim_below(200);
	if (!rough)
		return;
	profile->no_descriptor = sim_chance(850) ? 0 : (unsigned)sim_below(100);
	profile->reply_fault = sim_chance(250) ? 0 : (unsigned)sim_below(400);
	profile->idle_fault = sim_chance(400) ? 0 : (unsigned)sim_below(400);
	profile->connect_fault = sim_chance(500) ? 0 : (unsigned)sim_below(200);
	profile->lookup_fault = sim_chance(500) ? 0 : (unsigned)sim_below(200);
	profile->tls_fault = sim_chance(500) ? 0 : (unsigned)sim_below(200);
	profile->short_timeout = sim_chance(400) ? 0 : (unsigned)sim_below(300);
	profile->client_fault = sim_chance(300) ? 0 : (unsigned)sim_below(300);
}

void sim_world_begin(uint64_t seed, bool verbose)
{
	uint64_t state = seed;

	if (!memory) {
		memory = sim_map(SIM_MEMORY_SIZE);
		events = sim_map(SIM_EVENTS_MAX * sizeof(*events));
	}
	n_events = 0;
	n_ordered = 0;
	sim_unpoison(memory, memory_used);
	memory_used = 0;
	memset(memory_free, 0, sizeof(memory_free));
	sim_world.seed = seed;
	sim_world.now_ns = SIM_START_NS;
	for (size_t i = 0; i < countof(sim_world.random); i++)
		sim_world.random[i] = sim_splitmix(&state);
	sim_world.digest = UINT64_C(0xcbf29ce484222325);
	sim_world.memory_failed = false;
	sim_world.verbose = verbose;
	sim_world.failure[0] = 0;
	sim_world_draw_profile(&sim_world.profile);
}

/* -- Chance ------------------------------------------------------------------------------- */

uint64_t sim_below(uint64_t n)
{
	expect(n > 0);
	return sim_random() % n;
}

uint64_t sim_between(uint64_t least, uint64_t most)
{
	expect(least <= most);
	return least + sim_below(most - least + 1);
}

bool sim_chance(unsigned per_mille)
{
	return per_mille > 0 && sim_below(1000) < per_mille;
}

uint64_t sim_delay(uint64_t most_ns)
{
	uint64_t bound = most_ns;

	if (most_ns == 0)
		return 0;
	/* Each order of magnitude is as likely as the next. */
	for (uint64_t shift = sim_below(6); shift > 0; shift--)
		bound /= 6;
	return sim_below(bound + 1);
}

/* -- Time --------------------------------------------------------------------------------- */

static bool sim_event_is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void sim_after(uint64_t delay_ns, sim_action run, void *context)
{
	struct sim_event event = {sim_world.now_ns + delay_ns, n_ordered++, run, context};
	size_t at = n_events++;

	expect(n_events < SIM_EVENTS_MAX);
	while (at > 0 && sim_event_is_before(&event, &events[(at - 1) / 2])) {
		events[at] = events[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	events[at] = event;
}

static struct sim_event sim_event_take(void)
{
	struct sim_event first = events[0], last = events[--n_events];
	size_t at = 0;

	for (size_t child = 1; child < n_events; child = 2 * at + 1) {
		if (child + 1 < n_events && sim_event_is_before(&events[child + 1], &events[child]))
			child++;
		if (!sim_event_is_before(&events[child], &last))
			break;
		events[at] = events[child];
		at = child;
	}
	events[at] = last;
	return first;
}

uint64_t sim_next_ns(void)
{
	return n_events ? events[0].at_ns : UINT64_MAX;
}

void sim_advance(uint64_t now_ns)
{
	expect(now_ns >= sim_world.now_ns);
	while (n_events > 0 && events[0].at_ns <= now_ns) {
		struct sim_event event = sim_event_take();

		sim_world.now_ns = event.at_ns;
		event.run(event.context);
	}
	sim_world.now_ns = now_ns;
}

/* -- Memory ------------------------------------------------------------------------------- */

static unsigned sim_class(size_t size)
{
	unsigned class = 4;

	while (((size_t)1 << class) < size)
		class ++;
	expect(class < SIM_CLASSES);
	return class;
}

void *sim_alloc(size_t size)
{
	unsigned class = sim_class(size);
	size_t rounded = (size_t)1 << class;
	char *at = memory_free[class];

	if (at) {
		memcpy(&memory_free[class], at, sizeof(void *));
	} else {
		expect(memory_used + rounded <= SIM_MEMORY_SIZE);
		at = memory + memory_used;
		memory_used += rounded;
	}
	sim_unpoison(at, rounded);
	return memset(at, 0, size);
}

void sim_release(void *at, size_t size)
{
	unsigned class = sim_class(size);

	memset(at, 0xdd, size);
	memcpy(at, &memory_free[class], sizeof(void *));
	memory_free[class] = at;
	if (size > SIM_LINK_SIZE)
		sim_poison((char *)at + SIM_LINK_SIZE, size - SIM_LINK_SIZE);
}

char *sim_copy(const char *data, size_t size)
{
	char *copy = sim_alloc(size + 1);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *sim_format(const char *format, ...)
{
	char text[4096], *whole;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	expect(size >= 0);
	if ((size_t)size < sizeof(text))
		return sim_copy(text, (size_t)size);
	whole = sim_alloc((size_t)size + 1);
	va_start(arguments, format);
	vsnprintf(whole, (size_t)size + 1, format, arguments);
	va_end(arguments);
	return whole;
}

/* -- What is found ------------------------------------------------------------------------ */

void sim_show(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%12.6f ", (double)(sim_world.now_ns - SIM_START_NS) / 1e6);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void sim_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sim_world.failure, sizeof(sim_world.failure), format, arguments);
	va_end(arguments);
	sim_trace("FAILURE: %s", sim_world.failure);
	longjmp(sim_world.failed, 1);
}
