/* SPDX-License-Identifier: MIT */
#include "ring/task.h"

#include "tests/unit/unit.h"
#include "util/container.h"

static struct task_queue queue;
static unsigned n_runs;

static void run_once(struct task *task)
{
	n_runs++;
}

static void run_again(struct task *task)
{
	if (++n_runs < 3)
		task_defer(&queue, task);
}

static void run_next(struct task *task)
{
	n_runs++;
	task_defer_next(&queue, task);
}

static void begin(struct task *task, task_callback run)
{
	n_runs = 0;
	task_queue_init(&queue);
	task_init(task, run);
}

START_TEST(a_task_runs_once_however_often_it_is_asked_for)
{
	struct task task;

	begin(&task, run_once);
	ck_assert(!task_queue_has_work(&queue));
	task_defer(&queue, &task);
	task_defer(&queue, &task);
	task_defer_next(&queue, &task);
	ck_assert(task_queue_has_work(&queue));
	task_queue_run(&queue);
	ck_assert_uint_eq(n_runs, 1);
	ck_assert(!task_queue_has_work(&queue));
}
END_TEST

START_TEST(what_is_put_off_by_a_task_runs_in_the_same_turn)
{
	struct task task;

	begin(&task, run_again);
	task_defer(&queue, &task);
	task_queue_run(&queue);
	ck_assert_uint_eq(n_runs, 3);
}
END_TEST

START_TEST(what_is_for_the_next_turn_runs_there)
{
	struct task task;

	begin(&task, run_next);
	task_defer_next(&queue, &task);
	/* It is there for the end of this turn: nothing has been run yet. */
	task_queue_run(&queue);
	ck_assert_uint_eq(n_runs, 0);
	for (unsigned i = 1; i < 4; i++) {
		ck_assert(task_queue_has_work(&queue));
		task_queue_run(&queue);
		ck_assert_uint_eq(n_runs, i);
	}
	task_cancel(&task);
	ck_assert(!task_queue_has_work(&queue));
}
END_TEST

UNIT_MAIN("ring/task", &a_task_runs_once_however_often_it_is_asked_for,
	&what_is_put_off_by_a_task_runs_in_the_same_turn, &what_is_for_the_next_turn_runs_there)
