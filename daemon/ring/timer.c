/* SPDX-License-Identifier: MIT */
#include "ring/timer.h"

#include "util/clock.h"
#include "util/panic.h"

/*
 * Six wheels of 64 slots, each turning 64 times slower than the one below: level 0 has a slot for
 * each millisecond of the current 64, level 1 one for each 64 ms of the current 4096, and so on.
 * A timer stands on the lowest level on which its tick and the current one differ, so a slot never
 * mixes turns. When the current tick enters a slot of a higher level, its timers move down
 * ("cascade"); most requests are done long before, and have cost two list operations.
 *
 * Rejected: a heap (log n to stop a timer, and nearly all are stopped), and the kernel's own
 * timeouts (a completion and a high-resolution timer for each request).
 *
 * Invariant: no timer stands in a slot behind the current tick. Limit: what is further away than
 * 64^6 ms (two years) waits in the last slot of this turn and is looked at again then.
 */

#define TIMER_BITS  6
#define TIMER_REACH ((UINT64_C(1) << (TIMER_BITS * TIMER_LEVELS)) - 1)
#define TICK_NS     NS_PER_MS

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns)
{
	*wheel = (struct timer_wheel){.tick = now_ns / TICK_NS + 1};
	for (int level = 0; level < TIMER_LEVELS; level++) {
		for (int slot = 0; slot < TIMER_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
}

void timer_init(struct timer *timer, timer_callback on_expire)
{
	list_init(&timer->link);
	timer->deadline_ns = TIMER_NEVER;
	timer->on_expire = on_expire;
}

static unsigned slot_of(uint64_t tick, unsigned level)
{
	return (unsigned)(tick >> (TIMER_BITS * level)) % TIMER_SLOTS;
}

static void wheel_place(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t tick = timer->deadline_ns / TICK_NS + (timer->deadline_ns % TICK_NS != 0);
	uint64_t last = wheel->tick | TIMER_REACH;
	unsigned level = 0, slot;

	if (tick < wheel->tick)
		tick = wheel->tick;
	if (tick > last)
		tick = last;
	if (tick != wheel->tick)
		level = (63 - (unsigned)__builtin_clzll(tick ^ wheel->tick)) / TIMER_BITS;
	slot = slot_of(tick, level);
	list_push_back(&wheel->slots[level][slot], &timer->link);
	wheel->used[level] |= UINT64_C(1) << slot;
}

void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ns)
{
	timer_stop(wheel, timer);
	if (deadline_ns == TIMER_NEVER)
		return;
	timer->deadline_ns = deadline_ns;
	wheel_place(wheel, timer);
	wheel->n_armed++;
}

/* A slot's bit stays set when its last timer is stopped: the next look at the slot clears it. */
void timer_stop(struct timer_wheel *wheel, struct timer *timer)
{
	if (!timer_is_armed(timer))
		return;
	list_remove(&timer->link);
	timer->deadline_ns = TIMER_NEVER;
	wheel->n_armed--;
}

/* The first slot from the current one on that holds a timer, or TIMER_SLOTS; drops stale bits. */
static unsigned wheel_first_used(struct timer_wheel *wheel, unsigned level)
{
	unsigned at = slot_of(wheel->tick, level);
	uint64_t used = wheel->used[level] >> at << at;

	while (used) {
		unsigned slot = (unsigned)__builtin_ctzll(used);

		if (!list_is_empty(&wheel->slots[level][slot]))
			return slot;
		wheel->used[level] &= ~(UINT64_C(1) << slot);
		used &= used - 1;
	}
	return TIMER_SLOTS;
}

/* The tick at which something is to be done: a timer fires or a slot cascades. */
static uint64_t wheel_next_tick(struct timer_wheel *wheel)
{
	uint64_t next = TIMER_NEVER;

	if (wheel->n_armed == 0)
		return TIMER_NEVER;
	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		unsigned slot = wheel_first_used(wheel, level);
		unsigned shift = TIMER_BITS * level;
		uint64_t tick;

		if (slot == TIMER_SLOTS)
			continue;
		tick = (wheel->tick >> shift >> TIMER_BITS << TIMER_BITS | slot) << shift;
		if (tick < wheel->tick)
			tick = wheel->tick;
		if (tick < next)
			next = tick;
	}
	return next;
}

uint64_t timer_next_ns(struct timer_wheel *wheel)
{
	uint64_t tick = wheel_next_tick(wheel);

	return tick == TIMER_NEVER ? TIMER_NEVER : tick * TICK_NS;
}

static void list_move_all(struct list *from, struct list *to)
{
	struct list *link;

	while ((link = list_pop_front(from)))
		list_push_back(to, link);
}

/* Timers in the slots that the current tick has entered move down. */
static void wheel_cascade(struct timer_wheel *wheel)
{
	for (unsigned level = TIMER_LEVELS - 1; level > 0; level--) {
		struct list moving, *link;

		list_init(&moving);
		list_move_all(&wheel->slots[level][slot_of(wheel->tick, level)], &moving);
		while ((link = list_pop_front(&moving)))
			wheel_place(wheel, list_entry(link, struct timer, link));
	}
}

static void wheel_fire(struct timer_wheel *wheel)
{
	struct list due, *link;
	uint64_t tick = wheel->tick;

	list_init(&due);
	list_move_all(&wheel->slots[0][slot_of(tick, 0)], &due);
	wheel->tick = tick + 1;
	while ((link = list_pop_front(&due))) {
		struct timer *timer = list_entry(link, struct timer, link);

		if (timer->deadline_ns > tick * TICK_NS) {
			wheel_place(wheel, timer);
			continue;
		}
		timer->deadline_ns = TIMER_NEVER;
		wheel->n_armed--;
		timer->on_expire(timer);
	}
}

void timer_advance(struct timer_wheel *wheel, uint64_t now_ns)
{
	uint64_t now = now_ns / TICK_NS;

	while (wheel->tick <= now) {
		uint64_t next = wheel_next_tick(wheel);

		if (next > now) {
			wheel->tick = now + 1;
			return;
		}
		wheel->tick = next;
		wheel_cascade(wheel);
		wheel_fire(wheel);
	}
}
