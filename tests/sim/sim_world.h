/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One world: a seed, its random numbers, its clock, and what will happen when. There is one world
 * at a time, so everything here is global; sim_world_begin() makes the next one from its seed and
 * nothing else, which is why a seed replays bit for bit.
 */

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How rough this world is; rates are per mille. */
struct sim_profile {
	/* The kernel: what a receive, an accept or a socket may answer besides the plain truth. */
	unsigned interrupted, no_buffers, multishot_ends, short_receive, short_send, no_descriptor;
	/* A cancel that takes its time. */
	unsigned late_cancel;
	/* A turn in which the daemon was slow, so that more has piled up. */
	unsigned slow_turn;
	/* The longest that an operation takes without any reason. */
	uint64_t operation_ns_max;
	/* Origins: a reply with a fault, a connection that is closed or spoken on while idle. */
	unsigned reply_fault, idle_fault, connect_fault, lookup_fault, tls_fault;
	/* Timeouts so short that they fire. */
	unsigned short_timeout;
	/* Bodies so large that clients cannot keep up. */
	unsigned large_body;
	/* Clients: cancels, garbage, pauses, vanishing. */
	unsigned client_fault;
};

/* What documents may say: switched off to find out what a seed is about. */
enum sim_feature {
	SIM_FEATURE_GROUPS = 1,
	SIM_FEATURE_EACH = 2,
	SIM_FEATURE_MODES = 4,
	SIM_FEATURE_NEEDS = 8,
	SIM_FEATURE_WHEN = 16,
	SIM_FEATURE_FALLBACK = 32,
	SIM_FEATURE_RETRY = 64,
	SIM_FEATURE_DEDUPE = 128,
	SIM_FEATURE_PRIORITY = 256,
	SIM_FEATURE_DEFAULTS = 512,
	SIM_FEATURE_HTTPS = 1024,
	SIM_FEATURE_HTTP2 = 2048,
	SIM_FEATURE_CODINGS = 4096,
	SIM_FEATURE_REDIRECTS = 8192,
	SIM_FEATURE_STREAM = 16384,
	SIM_FEATURE_FILES = 32768,
	SIM_FEATURES = 65535,
};

struct sim_world {
	uint64_t seed;
	/* Bits of enum sim_feature. */
	unsigned features;
	uint64_t now_ns;
	uint64_t random[4];
	struct sim_profile profile;
	/* Folded from all that the daemon was told: equal for two runs of a seed. */
	uint64_t digest;
	/* True exactly when an allocation was refused in this world. */
	bool memory_failed;
	/* True exactly when every event is to be shown. */
	bool verbose;
	/* Where a failure goes, and what it says. */
	jmp_buf failed;
	char failure[512];
};

extern struct sim_world sim_world;

typedef void (*sim_action)(void *context);

/* Forgets the last world. */
void sim_world_begin(uint64_t seed, bool verbose);

/* True where the documents of this world may say it. */
static inline bool sim_may(enum sim_feature feature)
{
	return (sim_world.features & feature) != 0;
}

/* -- Chance ------------------------------------------------------------------------------- */

/* From 0 to n - 1; n > 0. */
uint64_t sim_below(uint64_t n);

/* Both ends included. */
uint64_t sim_between(uint64_t least, uint64_t most);

/* True in `per_mille` of a thousand cases. */
bool sim_chance(unsigned per_mille);

/* A length of time up to `most_ns`, short ones far more often. */
uint64_t sim_delay(uint64_t most_ns);

/* -- Time --------------------------------------------------------------------------------- */

/* What the calendar says at the beginning of a world: a day in 2025, and a part of a second. */
#define SIM_UNIX_NS (UINT64_C(1750000000250000000))

static inline uint64_t sim_now(void)
{
	return sim_world.now_ns;
}

/* Something happens after `delay_ns`; equal times keep their order. */
void sim_after(uint64_t delay_ns, sim_action run, void *context);

/* When the next thing happens; UINT64_MAX: never. */
uint64_t sim_next_ns(void);

/* Let time pass until `now_ns`, with all that happens up to then. */
void sim_advance(uint64_t now_ns);

/* -- Memory ------------------------------------------------------------------------------- */

/* Zeroed; gone with the world. Apart from the daemon's, which is counted (sim_memory.h). */
void *sim_alloc(size_t size);

/* Give it back for this world's use, before its end. */
void sim_release(void *memory, size_t size);

/* A copy, terminated. */
char *sim_copy(const char *data, size_t size);

/* Formatted, in this world's memory. */
char *sim_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -- What is found ------------------------------------------------------------------------ */

/* The daemon broke a rule: this world ends here. */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Shown with --verbose. */
void sim_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define sim_trace(...) ((void)(sim_world.verbose && (sim_show(__VA_ARGS__), true)))

/* Fold a value into the digest. */
static inline void sim_digest(uint64_t value)
{
	sim_world.digest = (sim_world.digest ^ value) * UINT64_C(0x100000001b3);
}
