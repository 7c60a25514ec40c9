/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Deadlines: a hierarchical wheel with ticks of a millisecond, so that arming, moving and
 * stopping one cost a few writes and no system call. A deadline never fires before its time, and
 * at the first turn after it. Equal ticks fire in the order in which they were armed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

#define TIMER_LEVELS 6
#define TIMER_SLOTS  64

#define TIMER_NEVER UINT64_MAX

struct timer;

/* The deadline has passed; the timer is stopped, and may be armed again. */
typedef void (*timer_callback)(struct timer *timer);

/* Embedded in its owner. */
struct timer {
	struct list link;
	/* TIMER_NEVER while stopped. */
	uint64_t deadline_ns;
	timer_callback on_expire;
};

struct timer_wheel {
	/* Every tick before this one has been fired. */
	uint64_t tick;
	/* A bit for each slot that is not empty. */
	uint64_t used[TIMER_LEVELS];
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
	uint64_t n_armed;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns);

void timer_init(struct timer *timer, timer_callback on_expire);

/* Arm it, or move it. A deadline in the past fires with the next tick. TIMER_NEVER stops it. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ns);

/* Stopping a stopped timer does nothing. */
void timer_stop(struct timer_wheel *wheel, struct timer *timer);

/* Not later than the next deadline, and never so early that nothing would be done then;
 * TIMER_NEVER where none is armed. */
uint64_t timer_next_ns(struct timer_wheel *wheel);

/* Fire what is due at `now_ns`. A callback may arm and stop any timer. */
void timer_advance(struct timer_wheel *wheel, uint64_t now_ns);

static inline bool timer_is_armed(const struct timer *timer)
{
	return list_is_linked(&timer->link);
}
