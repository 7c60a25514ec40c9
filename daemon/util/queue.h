/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A queue in the order its owner gives it. What is put in comes in that order nearly always, and
 * then it is a list; what comes before something that is there already goes into a heap beside
 * it.
 */

#include <stdbool.h>

#include "util/heap.h"
#include "util/list.h"

enum queue_place {
	QUEUE_OUT,
	QUEUE_RUN,
	QUEUE_REST,
};

/* Embedded in what is queued. */
struct queue_node {
	union {
		struct list link;
		struct heap_node node;
	};
	enum queue_place place;
};

struct queue {
	/* Each one not before the one in front of it. */
	struct list run;
	struct heap rest;
};

static inline void queue_init(struct queue *queue)
{
	list_init(&queue->run);
	heap_init(&queue->rest);
}

static inline bool queue_is_empty(const struct queue *queue)
{
	return list_is_empty(&queue->run) && heap_is_empty(&queue->rest);
}

static inline bool queue_is_in(const struct queue_node *node)
{
	return node->place != QUEUE_OUT;
}

/* `before` is given the `node` of two queue_nodes, and is always the same for one queue. */
void queue_push(struct queue *queue, struct queue_node *node, heap_before_fn before);

/* The first one, taken out; NULL: it is empty. */
struct queue_node *queue_pop(struct queue *queue, heap_before_fn before);

/* Out of the queue it is in. */
void queue_remove(struct queue *queue, struct queue_node *node, heap_before_fn before);
