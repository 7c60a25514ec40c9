/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Work put off to the end of this turn: after all completions and deadlines have been told, and
 * before the kernel is asked again. What many callbacks of one turn want done is so done once
 * (a session writes all its records), and no callback runs inside another.
 */

#include <stdbool.h>

#include "util/list.h"

struct task;

typedef void (*task_callback)(struct task *task);

/* Embedded in its owner, who cancels it before it goes. */
struct task {
	struct list link;
	task_callback run;
};

struct task_queue {
	struct list waiting;
	/* For the end of the next turn. */
	struct list next;
};

static inline void task_queue_init(struct task_queue *queue)
{
	list_init(&queue->waiting);
	list_init(&queue->next);
}

static inline void task_init(struct task *task, task_callback run)
{
	list_init(&task->link);
	task->run = run;
}

/* Once a turn, however often it is asked for. */
static inline void task_defer(struct task_queue *queue, struct task *task)
{
	if (!list_is_linked(&task->link))
		list_push_back(&queue->waiting, &task->link);
}

/* At the end of the next turn, which then waits for nothing: for work that is done in slices. */
static inline void task_defer_next(struct task_queue *queue, struct task *task)
{
	if (!list_is_linked(&task->link))
		list_push_back(&queue->next, &task->link);
}

static inline void task_cancel(struct task *task)
{
	list_remove(&task->link);
}

/* True where there is something to be done at once. */
static inline bool task_queue_has_work(const struct task_queue *queue)
{
	return !list_is_empty(&queue->waiting);
}

/* Runs all, and what those put off in their turn. What is for the next turn waits then. */
static inline void task_queue_run(struct task_queue *queue)
{
	struct list *link;

	while ((link = list_pop_front(&queue->waiting))) {
		struct task *task = list_entry(link, struct task, link);

		task->run(task);
	}
	while ((link = list_pop_front(&queue->next)))
		list_push_back(&queue->waiting, link);
}
