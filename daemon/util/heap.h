/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A queue whose first is always at hand, by an order of the caller's: a pairing heap of nodes
 * that are embedded in what waits. Nothing is allocated, nothing recurses. Pushing and looking
 * are constant, taking out is O(log n) amortized, for the first as for any other.
 *
 * The order must be total (no two equal), or equals come out as they like; and what it looks at
 * must not change while the node is in the heap.
 */

#include <stdbool.h>
#include <stddef.h>

/* Embedded. In no heap when all zero. */
struct heap_node {
	/* The first of those that are not before it. */
	struct heap_node *child;
	/* The sibling behind it, and the one in front; of a first child it is the parent, of the
	 * root the root itself. NULL: in no heap. */
	struct heap_node *next, *previous;
};

struct heap {
	/* NULL: empty. */
	struct heap_node *root;
	size_t size;
};

/* True where `a` is to come out before `b`. */
typedef bool (*heap_before_fn)(const struct heap_node *a, const struct heap_node *b);

void heap_init(struct heap *heap);

/* The node must be in no heap, and stay where it is until it is taken out. */
void heap_push(struct heap *heap, struct heap_node *node, heap_before_fn before);

/* The first one taken out; NULL where there is none. */
struct heap_node *heap_pop(struct heap *heap, heap_before_fn before);

/* The node must be in this heap. */
void heap_remove(struct heap *heap, struct heap_node *node, heap_before_fn before);

/* The first one, which stays; NULL where there is none. */
static inline struct heap_node *heap_first(const struct heap *heap)
{
	return heap->root;
}

static inline bool heap_is_empty(const struct heap *heap)
{
	return !heap->root;
}

/* True where the node is in a heap. */
static inline bool heap_is_linked(const struct heap_node *node)
{
	return node->previous != NULL;
}
