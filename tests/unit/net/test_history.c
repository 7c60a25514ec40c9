/* SPDX-License-Identifier: MIT */
#include "net/history.h"

#include <stdio.h>

#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

#define BEGIN (1000 * NS_PER_S)

static struct address address_of(const char *literal, uint16_t port)
{
	struct address address;

	ck_assert(address_parse(text_from(literal), port, &address));
	return address;
}

START_TEST(knows_what_became_of_an_address_for_a_while)
{
	static const struct {
		const char *what;
		/* f: it failed, w: it connected over another, c: as the first. */
		const char *steps;
		enum history_rank rank;
		/* Seconds that it is remembered; 0: there is nothing to remember. */
		unsigned kept_s;
	} cases[] = {
		{"nothing happened", "", HISTORY_UNKNOWN, 0},
		{"it failed", "f", HISTORY_FAILED, 60},
		{"it won", "w", HISTORY_WON, 600},
		{"it connected as the first", "c", HISTORY_UNKNOWN, 0},
		{"it won and failed", "wf", HISTORY_FAILED, 60},
		{"it failed and won", "fw", HISTORY_WON, 600},
		{"it failed and is back", "fc", HISTORY_UNKNOWN, 0},
		{"it won and goes on", "wc", HISTORY_WON, 600},
		{"it failed often", "fff", HISTORY_FAILED, 60},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct address address = address_of("192.0.2.1", 80);
		uint64_t end = BEGIN + cases[i].kept_s * NS_PER_S;
		struct history history;

		history_init(&history);
		for (const char *step = cases[i].steps; *step; step++) {
			if (*step == 'f')
				history_failed(&history, &address, BEGIN);
			else
				history_connected(&history, &address, *step == 'w', BEGIN);
		}
		ck_assert_msg(history_rank(&history, &address, BEGIN) == cases[i].rank, "%s",
			cases[i].what);
		if (cases[i].kept_s > 0)
			ck_assert_msg(history_rank(&history, &address, end - 1) == cases[i].rank,
				"%s: forgotten", cases[i].what);
		ck_assert_msg(history_rank(&history, &address, end) == HISTORY_UNKNOWN, "%s: kept",
			cases[i].what);
		history_deinit(&history);
	}
}
END_TEST

START_TEST(tells_addresses_apart_by_all_of_them)
{
	const struct address noted = address_of("192.0.2.1", 80);
	const struct address others[] = {
		address_of("192.0.2.2", 80),
		address_of("192.0.2.1", 81),
		address_of("::ffff:192.0.2.1", 80),
		address_of("::", 80),
	};
	struct history history;

	history_init(&history);
	history_failed(&history, &noted, BEGIN);
	for (size_t i = 0; i < countof(others); i++)
		ck_assert_int_eq(history_rank(&history, &others[i], BEGIN), HISTORY_UNKNOWN);
	history_clear(&history);
	ck_assert_int_eq(history_rank(&history, &noted, BEGIN), HISTORY_UNKNOWN);
	history_deinit(&history);
}
END_TEST

START_TEST(forgets_what_was_noted_first_beyond_its_bound)
{
	struct history history;
	struct address addresses[HISTORY_MAX + 2];

	history_init(&history);
	for (unsigned i = 0; i < countof(addresses); i++) {
		char literal[INET_ADDRSTRLEN];

		snprintf(literal, sizeof(literal), "192.0.%u.%u", i / 256, i % 256);
		addresses[i] = address_of(literal, 80);
		history_failed(&history, &addresses[i], BEGIN);
		/* Noted anew, it is not the oldest any more. */
		if (i == HISTORY_MAX - 1)
			history_failed(&history, &addresses[0], BEGIN);
	}
	ck_assert_uint_eq(history.table.count, HISTORY_MAX);
	for (unsigned i = 0; i < countof(addresses); i++)
		ck_assert_int_eq(history_rank(&history, &addresses[i], BEGIN),
			i == 1 || i == 2 ? HISTORY_UNKNOWN : HISTORY_FAILED);
	history_deinit(&history);
}
END_TEST

UNIT_MAIN("net/history", &knows_what_became_of_an_address_for_a_while,
	&tells_addresses_apart_by_all_of_them, &forgets_what_was_noted_first_beyond_its_bound)
