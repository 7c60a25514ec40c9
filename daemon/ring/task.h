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
};

static inline void task_queue_init(struct task_queue *queue)
{
	list_init(&queue->waiting);
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

static inline void task_cancel(struct task *task)
{
	list_remove(&task->link);
}

/* Runs all, and what those put off in their turn. */
static inline void task_queue_run(struct task_queue *queue)
{
	struct list *link;

	while ((link = list_pop_front(&queue->waiting))) {
		struct task *task = list_entry(link, struct task, link);

		task->run(task);
	}
}
