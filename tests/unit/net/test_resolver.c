/* SPDX-License-Identifier: MIT */
#include "net/resolver.h"

#include <stdlib.h>

#include "tests/unit/net/fake_ring.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define WAITS 1000

/* One who waits, and what was answered. */
struct asker {
	struct resolver_wait wait;
	unsigned n_answers;
	enum fault_code code;
	uint32_t n_addresses;
	char first[ADDRESS_TEXT_MAX];
	/* Done in the callback. */
	struct asker *asks_again;
	const char *asks_for;
	struct resolver_wait *leaves;
};

static struct resolver *resolver;

static void asker_ask(struct asker *asker, const char *host);

static void asker_on_answer(struct resolver_wait *wait, const struct resolver_answer *answer)
{
	struct asker *asker = container_of(wait, struct asker, wait);

	ck_assert(!list_is_linked(&wait->link));
	asker->n_answers++;
	asker->code = answer->fault ? answer->fault->code : FAULT_NONE;
	asker->n_addresses = answer->n_addresses;
	ck_assert((answer->fault != NULL) == (answer->n_addresses == 0));
	if (answer->n_addresses > 0)
		address_format(&answer->addresses[0], asker->first);
	if (asker->leaves)
		resolver_leave(asker->leaves);
	if (asker->asks_again)
		asker_ask(asker->asks_again, asker->asks_for ? asker->asks_for : "a.example");
}

static void asker_ask(struct asker *asker, const char *host)
{
	resolver_ask(resolver, text_from(host), &asker->wait, asker_on_answer);
}

static void begin(uint32_t names_max)
{
	struct resolver_options options = {
		.positive_ns = 30 * NS_PER_S,
		.negative_ns = 5 * NS_PER_S,
		.names_max = names_max,
	};

	resolver = resolver_new(fake_ring_begin(), fake_lookup_begin(), &options);
	ck_assert_ptr_nonnull(resolver);
}

static void end(void)
{
	resolver = resolver_free(resolver);
	fake_ring_end();
}

START_TEST(asks_once_however_many_wait)
{
	struct asker *askers = calloc(WAITS, sizeof(*askers));

	begin(10);
	for (size_t i = 0; i < WAITS; i++)
		asker_ask(&askers[i], "a.example");
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	ck_assert_uint_eq(resolver_pending(resolver), 1);
	fake_lookup_answer("a.example", "192.0.2.1,2001:db8::1");
	ck_assert_uint_eq(resolver_pending(resolver), 0);
	for (size_t i = 0; i < WAITS; i++) {
		ck_assert_uint_eq(askers[i].n_answers, 1);
		ck_assert_uint_eq(askers[i].n_addresses, 2);
		ck_assert_str_eq(askers[i].first, "192.0.2.1:0");
	}
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	end();
	free(askers);
}
END_TEST

START_TEST(remembers_each_kind_of_answer_for_its_time)
{
	static const struct {
		enum fault_code code;
		uint64_t kept_ms;
	} cases[] = {
		{FAULT_NONE, 30000},
		{FAULT_DNS_NOT_FOUND, 5000},
		{FAULT_DNS_TEMPORARY, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct asker first = {0}, soon = {0}, late = {0};

		begin(10);
		asker_ask(&first, "a.example");
		if (cases[i].code == FAULT_NONE)
			fake_lookup_answer("a.example", "192.0.2.1");
		else
			fake_lookup_fail("a.example", cases[i].code);
		ck_assert_int_eq(first.code, cases[i].code);
		if (cases[i].kept_ms > 0) {
			fake_pass((cases[i].kept_ms - 1) * NS_PER_MS);
			asker_ask(&soon, "a.example");
			ck_assert_uint_eq(soon.n_answers, 1);
			ck_assert_int_eq(soon.code, cases[i].code);
			ck_assert_uint_eq(fake_lookup_n_asked(), 1);
			fake_pass(NS_PER_MS);
		}
		asker_ask(&late, "a.example");
		ck_assert_uint_eq(late.n_answers, 0);
		ck_assert_uint_eq(fake_lookup_n_asked(), 2);
		fake_lookup_answer("a.example", "192.0.2.2");
		ck_assert_int_eq(late.code, FAULT_NONE);
		ck_assert_str_eq(late.first, "192.0.2.2:0");
		end();
	}
}
END_TEST

START_TEST(who_leaves_takes_nothing_from_the_others)
{
	struct asker askers[3] = {0};

	begin(10);
	for (size_t i = 0; i < countof(askers); i++)
		asker_ask(&askers[i], "a.example");
	resolver_leave(&askers[0].wait);
	resolver_leave(&askers[0].wait);
	/* One may leave while all are being told. */
	askers[1].leaves = &askers[2].wait;
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_uint_eq(askers[0].n_answers, 0);
	ck_assert_uint_eq(askers[1].n_answers, 1);
	ck_assert_uint_eq(askers[2].n_answers, 0);
	end();
}
END_TEST

START_TEST(goes_on_when_all_have_left)
{
	struct asker first = {0}, second = {0};

	begin(10);
	asker_ask(&first, "a.example");
	resolver_leave(&first.wait);
	ck_assert_uint_eq(resolver_pending(resolver), 1);
	asker_ask(&second, "a.example");
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_uint_eq(first.n_answers, 0);
	ck_assert_uint_eq(second.n_answers, 1);
	end();
}
END_TEST

START_TEST(who_asks_while_being_told_is_served)
{
	struct asker again = {0}, first = {.asks_again = &again}, other = {0};

	/* Known now: at once. */
	begin(10);
	asker_ask(&first, "a.example");
	asker_ask(&other, "a.example");
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_uint_eq(again.n_answers, 1);
	ck_assert_uint_eq(other.n_answers, 1);
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	end();

	/* Not to be remembered: asked anew. */
	again = (struct asker){0};
	other = (struct asker){0};
	first = (struct asker){.asks_again = &again};
	begin(10);
	asker_ask(&first, "a.example");
	asker_ask(&other, "a.example");
	fake_lookup_fail("a.example", FAULT_DNS_TEMPORARY);
	ck_assert_uint_eq(other.n_answers, 1);
	ck_assert_uint_eq(again.n_answers, 0);
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_uint_eq(again.n_answers, 1);
	end();
}
END_TEST

START_TEST(localhost_is_the_loopback_without_asking)
{
	static const struct {
		const char *host;
		bool is_localhost;
	} cases[] = {
		{"localhost", true},
		{"LocalHost", true},
		{"localhost.", true},
		{"a.localhost", true},
		{"a.b.LOCALHOST.", true},
		{"localhost.example", false},
		{"mylocalhost", false},
		{".localhost", false},
		{"localhost..", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct asker asker = {0};

		begin(10);
		asker_ask(&asker, cases[i].host);
		ck_assert_msg(asker.n_answers == cases[i].is_localhost, "%s", cases[i].host);
		ck_assert_uint_eq(fake_lookup_n_asked(), !cases[i].is_localhost);
		if (cases[i].is_localhost) {
			ck_assert_uint_eq(asker.n_addresses, 2);
			ck_assert_str_eq(asker.first, "127.0.0.1:0");
		} else {
			fake_lookup_fail(cases[i].host, FAULT_DNS_NOT_FOUND);
		}
		end();
	}
}
END_TEST

START_TEST(a_full_queue_is_a_passing_fault)
{
	struct asker asker = {0}, later = {0};

	begin(10);
	fake_lookup_is_full = true;
	asker_ask(&asker, "a.example");
	ck_assert_uint_eq(asker.n_answers, 1);
	ck_assert_int_eq(asker.code, FAULT_DNS_TEMPORARY);
	ck_assert_uint_eq(resolver_pending(resolver), 0);
	fake_lookup_is_full = false;
	asker_ask(&later, "a.example");
	ck_assert_uint_eq(later.n_answers, 0);
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_int_eq(later.code, FAULT_NONE);
	end();
}
END_TEST

START_TEST(a_name_that_is_too_long_is_not_asked_for)
{
	char host[LOOKUP_HOST_MAX + 1];
	struct asker longest = {0}, longer = {0};

	memset(host, 'a', LOOKUP_HOST_MAX);
	begin(10);
	host[LOOKUP_HOST_MAX] = '\0';
	asker_ask(&longer, host);
	ck_assert_int_eq(longer.code, FAULT_DNS_NOT_FOUND);
	ck_assert_uint_eq(fake_lookup_n_asked(), 0);
	host[LOOKUP_HOST_MAX - 1] = '\0';
	asker_ask(&longest, host);
	ck_assert_uint_eq(longest.n_answers, 0);
	fake_lookup_answer(host, "192.0.2.1");
	ck_assert_uint_eq(longest.n_answers, 1);
	end();
}
END_TEST

static void ask_and_answer(const char *host)
{
	struct asker asker = {0};

	asker_ask(&asker, host);
	ck_assert_uint_eq(asker.n_answers, 0);
	fake_lookup_answer(host, "192.0.2.1");
	ck_assert_uint_eq(asker.n_answers, 1);
}

START_TEST(the_oldest_answer_makes_room)
{
	struct asker known = {0};

	begin(2);
	ask_and_answer("a.example");
	ask_and_answer("b.example");
	ask_and_answer("c.example");
	asker_ask(&known, "b.example");
	ck_assert_uint_eq(known.n_answers, 1);
	ask_and_answer("a.example");
	end();
}
END_TEST

START_TEST(names_that_are_waited_for_are_not_forgotten)
{
	struct asker askers[3] = {0};

	begin(2);
	asker_ask(&askers[0], "a.example");
	asker_ask(&askers[1], "b.example");
	asker_ask(&askers[2], "c.example");
	fake_lookup_answer("a.example", "192.0.2.1");
	fake_lookup_answer("b.example", "192.0.2.2");
	fake_lookup_answer("c.example", "192.0.2.3");
	ck_assert_str_eq(askers[0].first, "192.0.2.1:0");
	ck_assert_str_eq(askers[1].first, "192.0.2.2:0");
	ck_assert_str_eq(askers[2].first, "192.0.2.3:0");
	end();
}
END_TEST

START_TEST(a_name_is_not_forgotten_while_it_is_told)
{
	struct asker other = {0}, second = {0};
	struct asker first = {.asks_again = &other, .asks_for = "b.example"};

	begin(1);
	asker_ask(&first, "a.example");
	asker_ask(&second, "a.example");
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_str_eq(first.first, "192.0.2.1:0");
	ck_assert_str_eq(second.first, "192.0.2.1:0");
	fake_lookup_answer("b.example", "192.0.2.2");
	ck_assert_str_eq(other.first, "192.0.2.2:0");
	end();
}
END_TEST

START_TEST(a_flush_forgets_what_is_known)
{
	struct asker first[4] = {{.n_answers = 0}}, again[4] = {{.n_answers = 0}};
	static const char *const hosts[] = {"a.example", "b.example", "c.example", "old.example"};

	begin(10);
	asker_ask(&first[3], hosts[3]);
	fake_lookup_answer(hosts[3], "192.0.2.4");
	fake_pass(30 * NS_PER_S);
	for (size_t i = 0; i < 3; i++)
		asker_ask(&first[i], hosts[i]);
	fake_lookup_answer(hosts[0], "192.0.2.1");
	fake_lookup_fail(hosts[1], FAULT_DNS_NOT_FOUND);
	/* An address and a "not found"; one is being asked for, one was too old already. */
	ck_assert_uint_eq(resolver_flush(resolver), 2);
	ck_assert_uint_eq(resolver_flush(resolver), 0);
	ck_assert_uint_eq(resolver_pending(resolver), 1);
	ck_assert_uint_eq(fake_lookup_n_asked(), 4);
	for (size_t i = 0; i < 3; i++)
		asker_ask(&again[i], hosts[i]);
	ck_assert_uint_eq(fake_lookup_n_asked(), 6);
	for (size_t i = 0; i < 3; i++)
		fake_lookup_answer(hosts[i], "192.0.2.9");
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(again[i].n_answers, 1);
	ck_assert_uint_eq(first[2].n_answers, 1);
	end();
}
END_TEST

static void flusher_on_answer(struct resolver_wait *wait, const struct resolver_answer *answer)
{
	struct asker *asker = container_of(wait, struct asker, wait);

	asker->n_answers++;
	ck_assert_uint_eq(resolver_flush(resolver), 1);
	ck_assert_uint_eq(answer->n_addresses, 1);
}

START_TEST(a_flush_while_it_is_told_takes_nothing_from_the_others)
{
	struct asker flusher = {.n_answers = 0}, other = {.n_answers = 0};

	begin(10);
	resolver_ask(resolver, TEXT("a.example"), &flusher.wait, flusher_on_answer);
	asker_ask(&other, "a.example");
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_uint_eq(flusher.n_answers, 1);
	ck_assert_uint_eq(other.n_addresses, 1);
	asker_ask(&other, "a.example");
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	fake_lookup_answer("a.example", "192.0.2.1");
	end();
}
END_TEST

START_TEST(what_was_known_under_another_configuration_is_forgotten)
{
	struct asker first = {0}, soon = {0}, later = {0};
	struct address address;

	begin(10);
	ck_assert(address_parse(TEXT("192.0.2.1"), 80, &address));
	asker_ask(&first, "a.example");
	fake_lookup_answer("a.example", "192.0.2.1");
	history_failed(resolver_history(resolver), &address, 0);
	fake_lookup_has_changed = true;
	/* It is not looked at all the time. */
	fake_pass(RESOLVER_LOOK_NS - NS_PER_MS);
	asker_ask(&soon, "a.example");
	ck_assert_str_eq(soon.first, "192.0.2.1:0");
	ck_assert_uint_eq(fake_lookup_n_looks, 1);
	fake_pass(NS_PER_MS);
	asker_ask(&later, "a.example");
	ck_assert_uint_eq(later.n_answers, 0);
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	ck_assert(list_is_empty(&resolver_history(resolver)->entries));
	fake_lookup_answer("a.example", "192.0.2.2");
	ck_assert_str_eq(later.first, "192.0.2.2:0");
	end();
}
END_TEST

START_TEST(an_answer_from_before_a_change_is_for_those_who_asked_before)
{
	struct asker before = {0}, after = {0}, last = {0};

	begin(10);
	asker_ask(&before, "a.example");
	fake_lookup_has_changed = true;
	fake_pass(RESOLVER_LOOK_NS);
	asker_ask(&after, "a.example");
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	ck_assert_uint_eq(resolver_pending(resolver), 2);
	/* The older question stands first. */
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_str_eq(before.first, "192.0.2.1:0");
	ck_assert_uint_eq(after.n_answers, 0);
	/* Who asks now waits for the newer one. */
	asker_ask(&last, "a.example");
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	fake_lookup_answer("a.example", "192.0.2.2");
	ck_assert_str_eq(after.first, "192.0.2.2:0");
	ck_assert_str_eq(last.first, "192.0.2.2:0");
	ck_assert_uint_eq(resolver_pending(resolver), 0);
	end();
}
END_TEST

START_TEST(changes_one_after_the_other_while_nothing_is_answered)
{
	struct asker askers[4] = {{.n_answers = 0}};

	begin(2);
	for (size_t i = 0; i < countof(askers); i++) {
		asker_ask(&askers[i], "a.example");
		fake_lookup_has_changed = true;
		fake_pass(RESOLVER_LOOK_NS);
	}
	ck_assert_uint_eq(fake_lookup_n_asked(), countof(askers));
	resolver_leave(&askers[1].wait);
	for (size_t i = 0; i < countof(askers) - 1; i++) {
		fake_lookup_answer("a.example", "192.0.2.1");
		ck_assert_uint_eq(askers[i].n_answers, i != 1);
	}
	/* The last one is never answered. */
	resolver_leave(&askers[3].wait);
	end();
}
END_TEST

START_TEST(a_change_that_is_seen_while_it_is_told_takes_nothing_from_the_others)
{
	struct asker again = {0}, first = {.asks_again = &again}, other = {0};

	begin(10);
	asker_ask(&first, "a.example");
	asker_ask(&other, "a.example");
	fake_pass(RESOLVER_LOOK_NS);
	fake_lookup_has_changed = true;
	fake_lookup_answer("a.example", "192.0.2.1");
	ck_assert_str_eq(other.first, "192.0.2.1:0");
	ck_assert_uint_eq(again.n_answers, 0);
	ck_assert_uint_eq(fake_lookup_n_asked(), 2);
	fake_lookup_answer("a.example", "192.0.2.2");
	ck_assert_str_eq(again.first, "192.0.2.2:0");
	end();
}
END_TEST

START_TEST(open_look_ups_are_relieved_from_time_to_time)
{
	struct asker asker = {0};

	begin(10);
	fake_pass(10 * NS_PER_S);
	ck_assert_uint_eq(fake_lookup_n_reliefs, 0);
	asker_ask(&asker, "a.example");
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(fake_lookup_n_reliefs, 4);
	fake_lookup_answer("a.example", "192.0.2.1");
	fake_pass(10 * NS_PER_S);
	ck_assert_uint_eq(fake_lookup_n_reliefs, 4);
	end();
}
END_TEST

START_TEST(a_stuck_look_up_does_not_keep_it_from_ending)
{
	struct asker asker = {0};

	begin(10);
	asker_ask(&asker, "a.example");
	resolver_leave(&asker.wait);
	lookup_pool_free(fake_lookup_begin());
	end();
	ck_assert_uint_eq(asker.n_answers, 0);
}
END_TEST

UNIT_MAIN("net/resolver", &asks_once_however_many_wait, &remembers_each_kind_of_answer_for_its_time,
	&who_leaves_takes_nothing_from_the_others, &goes_on_when_all_have_left,
	&who_asks_while_being_told_is_served, &localhost_is_the_loopback_without_asking,
	&a_full_queue_is_a_passing_fault, &a_name_that_is_too_long_is_not_asked_for,
	&the_oldest_answer_makes_room, &names_that_are_waited_for_are_not_forgotten,
	&a_name_is_not_forgotten_while_it_is_told, &a_flush_forgets_what_is_known,
	&a_flush_while_it_is_told_takes_nothing_from_the_others,
	&what_was_known_under_another_configuration_is_forgotten,
	&an_answer_from_before_a_change_is_for_those_who_asked_before,
	&changes_one_after_the_other_while_nothing_is_answered,
	&a_change_that_is_seen_while_it_is_told_takes_nothing_from_the_others,
	&open_look_ups_are_relieved_from_time_to_time,
	&a_stuck_look_up_does_not_keep_it_from_ending)
