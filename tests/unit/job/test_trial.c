/* SPDX-License-Identifier: MIT */
#include "job/trial.h"

#include "job/resume.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

static struct record_try try_of(enum fault_code code, uint64_t start)
{
	return (struct record_try){.code = code, .time.start = start};
}

START_TEST(attempts_are_kept_one_by_one)
{
	struct trial *trial = trial_new();

	ck_assert_uint_eq(trial->n_attempts, 0);
	for (uint64_t i = 0; i < 100; i++) {
		struct record_try one = try_of(FAULT_EMPTY_REPLY, i);

		trial_add(trial, &one, RECORD_SENT_NONE);
		trial_set_backoff(trial, 1000 + i);
	}
	ck_assert_uint_eq(trial->n_attempts, 100);
	ck_assert_uint_eq(trial->n_tries, 100);
	for (uint64_t i = 0; i < 100; i++) {
		ck_assert_uint_eq(trial->tries[i].time.start, i);
		ck_assert_uint_eq(trial->tries[i].backoff, 1000 + i);
		ck_assert_int_eq(trial->tries[i].code, FAULT_EMPTY_REPLY);
	}
	ck_assert_ptr_null(trial_free(trial));
}
END_TEST

START_TEST(beyond_so_many_they_are_only_counted)
{
	struct trial *trial = trial_new();

	for (uint64_t i = 0; i < 5 * TRIAL_TRIES_MAX; i++) {
		struct record_try one = try_of(FAULT_EMPTY_REPLY, i);

		trial_add(trial, &one, RECORD_SENT_NONE);
		trial_set_backoff(trial, i);
	}
	ck_assert_uint_eq(trial->n_attempts, 5 * TRIAL_TRIES_MAX);
	ck_assert_uint_eq(trial->n_tries, TRIAL_TRIES_MAX);
	/* A backoff is that of the attempt before it, or nobody's. */
	ck_assert_uint_eq(trial->tries[TRIAL_TRIES_MAX - 1].backoff, TRIAL_TRIES_MAX - 1);
	trial_free(trial);
}
END_TEST

START_TEST(what_any_of_them_has_sent_counts)
{
	static const struct {
		enum record_sent sent, so_far;
	} cases[] = {
		{RECORD_SENT_NONE, RECORD_SENT_NONE},
		{RECORD_SENT_PARTIAL, RECORD_SENT_PARTIAL},
		{RECORD_SENT_NONE, RECORD_SENT_PARTIAL},
		{RECORD_SENT_FULL, RECORD_SENT_FULL},
		{RECORD_SENT_PARTIAL, RECORD_SENT_FULL},
		{RECORD_SENT_NONE, RECORD_SENT_FULL},
	};
	struct trial *trial = trial_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record_try one = try_of(FAULT_EMPTY_REPLY, i);

		trial_add(trial, &one, cases[i].sent);
		ck_assert_int_eq(trial->sent, cases[i].so_far);
	}
	trial_free(trial);
}
END_TEST

START_TEST(without_memory_an_attempt_is_only_counted)
{
	struct trial *trial = trial_new();
	struct record_try one = try_of(FAULT_EMPTY_REPLY, 1);

	memory_fail_bytes(sizeof(one));
	trial_add(trial, &one, RECORD_SENT_FULL);
	ck_assert(memory_has_failed());
	trial_set_backoff(trial, 7);
	ck_assert_uint_eq(trial->n_attempts, 1);
	ck_assert_uint_eq(trial->n_tries, 0);
	ck_assert_int_eq(trial->sent, RECORD_SENT_FULL);
	/* The next one finds memory; its backoff is not taken for another's. */
	trial_add(trial, &one, RECORD_SENT_FULL);
	ck_assert_uint_eq(trial->n_attempts, 2);
	ck_assert_uint_eq(trial->n_tries, 1);
	trial_free(trial);

	memory_fail_object(sizeof(struct trial));
	ck_assert_ptr_null(trial_new());
	ck_assert(memory_has_failed());
}
END_TEST

START_TEST(freeing_none_is_nothing)
{
	ck_assert_ptr_null(trial_free(NULL));
}
END_TEST

START_TEST(what_a_file_has_is_of_one_url)
{
	struct header etag = {TEXT("etag"), TEXT("\"v1\"")};
	struct response_head head = {.headers = &etag, .n_headers = 1, .status = 200};
	struct trial *trial = trial_new();

	ck_assert_ptr_null(trial_resume(NULL, TEXT("http://h/a")));
	ck_assert_ptr_null(trial_resume(trial, TEXT("http://h/a")));
	trial->resume = resume_new(&head, TEXT("http://h/a"), 5);
	ck_assert_ptr_eq(trial_resume(trial, TEXT("http://h/a")), trial->resume);
	ck_assert_ptr_null(trial_resume(trial, TEXT("http://h/b")));
	trial_begin_anew(trial);
	ck_assert_ptr_null(trial_resume(trial, TEXT("http://h/a")));
	trial_begin_anew(trial);
	trial_free(trial);
}
END_TEST

UNIT_MAIN("job/trial", &attempts_are_kept_one_by_one, &beyond_so_many_they_are_only_counted,
	&what_any_of_them_has_sent_counts, &without_memory_an_attempt_is_only_counted,
	&freeing_none_is_nothing, &what_a_file_has_is_of_one_url)
