/* SPDX-License-Identifier: MIT */
#include "util/queue.h"

#include "util/container.h"
#include "util/panic.h"

static struct queue_node *queue_of_link(struct list *link)
{
	return container_of(link, struct queue_node, link);
}

static struct queue_node *queue_of_node(struct heap_node *node)
{
	return container_of(node, struct queue_node, node);
}

void queue_push(struct queue *queue, struct queue_node *node, heap_before_fn before)
{
	struct list *last = queue->run.previous;

	expect(node->place == QUEUE_OUT);
	if (last != &queue->run && before(&node->node, &queue_of_link(last)->node)) {
		node->place = QUEUE_REST;
		node->node = (struct heap_node){0};
		heap_push(&queue->rest, &node->node, before);
		return;
	}
	node->place = QUEUE_RUN;
	list_init(&node->link);
	list_push_back(&queue->run, &node->link);
}

struct queue_node *queue_pop(struct queue *queue, heap_before_fn before)
{
	struct heap_node *rest = heap_first(&queue->rest);
	struct queue_node *node;

	if (list_is_empty(&queue->run) && !rest)
		return NULL;
	node = list_is_empty(&queue->run) ? NULL : queue_of_link(queue->run.next);
	if (!node || (rest && before(rest, &node->node)))
		node = queue_of_node(rest);
	queue_remove(queue, node, before);
	return node;
}

void queue_remove(struct queue *queue, struct queue_node *node, heap_before_fn before)
{
	expect(node->place != QUEUE_OUT);
	if (node->place == QUEUE_RUN)
		list_remove(&node->link);
	else
		heap_remove(&queue->rest, &node->node, before);
	node->place = QUEUE_OUT;
}
