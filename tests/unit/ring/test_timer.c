/* SPDX-License-Identifier: MIT */
#include "ring/timer.h"

#include "util/clock.h"
#include "util/container.h"

#include "tests/unit/unit.h"

#define START_NS (UINT64_C(123456) * NS_PER_MS + 789)

struct alarm {
	struct timer timer;
	uint64_t fired_ns;
	unsigned n_fired;
	unsigned place;
};

static struct timer_wheel wheel;
static uint64_t now_ns;
static unsigned n_fired;

static void alarm_on_expire(struct timer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);

	alarm->fired_ns = now_ns;
	alarm->n_fired++;
	alarm->place = n_fired++;
}

static void begin(void)
{
	now_ns = START_NS;
	n_fired = 0;
	timer_wheel_init(&wheel, now_ns);
}

static void alarm_init(struct alarm *alarm)
{
	*alarm = (struct alarm){0};
	timer_init(&alarm->timer, alarm_on_expire);
}

/* Sleep as the loop does: to the next deadline, or to `until_ns`. */
static void run_until(uint64_t until_ns)
{
	for (int turns = 0; now_ns < until_ns; turns++) {
		uint64_t next = timer_next_ns(&wheel);

		ck_assert_int_lt(turns, 1000000);
		now_ns = next < until_ns ? (next > now_ns ? next : now_ns + 1) : until_ns;
		timer_advance(&wheel, now_ns);
	}
}

START_TEST(fires_at_the_first_tick_after_the_deadline)
{
	static const uint64_t delays[] = {
		0,
		1,
		NS_PER_MS - 1,
		NS_PER_MS,
		63 * NS_PER_MS,
		64 * NS_PER_MS,
		65 * NS_PER_MS + 5,
		4095 * NS_PER_MS,
		4096 * NS_PER_MS,
		30 * NS_PER_S,
		3600 * NS_PER_S,
		UINT64_C(30) * 86400 * NS_PER_S,
		UINT64_C(1000) * 86400 * NS_PER_S,
	};

	for (size_t i = 0; i < countof(delays); i++) {
		struct alarm alarm;
		uint64_t deadline;

		begin();
		alarm_init(&alarm);
		deadline = now_ns + delays[i];
		timer_set(&wheel, &alarm.timer, deadline);
		ck_assert(timer_is_armed(&alarm.timer));
		run_until(deadline + 2 * NS_PER_MS);
		ck_assert_uint_eq(alarm.n_fired, 1);
		ck_assert_uint_ge(alarm.fired_ns, deadline);
		ck_assert_uint_le(alarm.fired_ns, deadline + NS_PER_MS);
		ck_assert(!timer_is_armed(&alarm.timer));
		ck_assert_uint_eq(timer_next_ns(&wheel), TIMER_NEVER);
	}
}
END_TEST

START_TEST(sleeps_long_with_one_far_deadline)
{
	struct alarm alarm;
	unsigned turns = 0;

	begin();
	alarm_init(&alarm);
	timer_set(&wheel, &alarm.timer, now_ns + 3600 * NS_PER_S);
	while (!alarm.n_fired) {
		now_ns = timer_next_ns(&wheel);
		timer_advance(&wheel, now_ns);
		turns++;
	}
	/* One for each level it moves down. */
	ck_assert_uint_le(turns, TIMER_LEVELS);
}
END_TEST

START_TEST(stopping_and_moving_leave_nothing_behind)
{
	struct alarm stopped, moved;

	begin();
	alarm_init(&stopped);
	alarm_init(&moved);
	timer_set(&wheel, &stopped.timer, now_ns + 5 * NS_PER_MS);
	timer_set(&wheel, &moved.timer, now_ns + 5 * NS_PER_MS);
	timer_set(&wheel, &moved.timer, now_ns + 500 * NS_PER_MS);
	timer_stop(&wheel, &stopped.timer);
	timer_stop(&wheel, &stopped.timer);
	run_until(START_NS + 400 * NS_PER_MS);
	ck_assert_uint_eq(n_fired, 0);
	run_until(START_NS + 600 * NS_PER_MS);
	ck_assert_uint_eq(stopped.n_fired, 0);
	ck_assert_uint_eq(moved.n_fired, 1);
	timer_set(&wheel, &moved.timer, TIMER_NEVER);
	ck_assert(!timer_is_armed(&moved.timer));
	ck_assert_uint_eq(wheel.n_armed, 0);
}
END_TEST

START_TEST(equal_ticks_fire_in_order)
{
	struct alarm alarms[50];

	begin();
	for (unsigned i = 0; i < countof(alarms); i++) {
		alarm_init(&alarms[i]);
		timer_set(&wheel, &alarms[i].timer, START_NS + 700 * NS_PER_MS);
	}
	run_until(START_NS + NS_PER_S);
	for (unsigned i = 0; i < countof(alarms); i++)
		ck_assert_uint_eq(alarms[i].place, i);
}
END_TEST

static struct alarm other;

static void expire_and_stop_other(struct timer *timer)
{
	alarm_on_expire(timer);
	timer_stop(&wheel, &other.timer);
	timer_set(&wheel, timer, now_ns);
}

START_TEST(a_callback_may_stop_a_neighbour_and_arm_itself)
{
	struct alarm alarm;

	begin();
	alarm_init(&alarm);
	alarm_init(&other);
	alarm.timer.on_expire = expire_and_stop_other;
	timer_set(&wheel, &alarm.timer, now_ns + NS_PER_MS);
	timer_set(&wheel, &other.timer, now_ns + NS_PER_MS);
	run_until(START_NS + 3 * NS_PER_MS);
	ck_assert_uint_eq(other.n_fired, 0);
	/* Armed in the past, it fires with the next tick, not in the same one. */
	ck_assert_uint_ge(alarm.n_fired, 2);
	ck_assert_uint_le(alarm.n_fired, 3);
}
END_TEST

/* A multiplicative generator is random enough here, and replays. */
static uint64_t random_next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

START_TEST(agrees_with_a_plain_list_over_random_use)
{
	enum { N = 200, STEPS = 20000 };
	static struct alarm alarms[N];
	static uint64_t deadlines[N];
	static unsigned fired[N];
	uint64_t state = 42;

	begin();
	for (unsigned i = 0; i < N; i++) {
		alarm_init(&alarms[i]);
		deadlines[i] = TIMER_NEVER;
	}
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)(random_next(&state) % N);
		uint64_t span = UINT64_C(1) << random_next(&state) % 42;

		switch (random_next(&state) % 4) {
		case 0:
			timer_stop(&wheel, &alarms[i].timer);
			deadlines[i] = TIMER_NEVER;
			break;
		case 1:
			now_ns += random_next(&state) % (span / 64 + 1);
			timer_advance(&wheel, now_ns);
			break;
		default:
			deadlines[i] = now_ns + random_next(&state) % span;
			timer_set(&wheel, &alarms[i].timer, deadlines[i]);
			break;
		}
		for (unsigned k = 0; k < N; k++) {
			bool due = deadlines[k] <= now_ns / NS_PER_MS * NS_PER_MS;

			if (alarms[k].n_fired != fired[k]) {
				ck_assert_uint_eq(alarms[k].n_fired, fired[k] + 1);
				ck_assert_uint_le(deadlines[k], now_ns);
				fired[k]++;
				deadlines[k] = TIMER_NEVER;
			} else if (due && wheel.tick > now_ns / NS_PER_MS &&
				!timer_is_armed(&alarms[k].timer)) {
				ck_abort_msg("a deadline was lost");
			}
		}
	}
}
END_TEST

UNIT_MAIN("ring/timer", &fires_at_the_first_tick_after_the_deadline,
	&sleeps_long_with_one_far_deadline, &stopping_and_moving_leave_nothing_behind,
	&equal_ticks_fire_in_order, &a_callback_may_stop_a_neighbour_and_arm_itself,
	&agrees_with_a_plain_list_over_random_use)
