/* SPDX-License-Identifier: MIT */
#include "util/heap.h"

#include "util/panic.h"

/*
 * A tree in which nobody stands above who is to come out before it. Two trees become one by
 * hanging the later root under the earlier: that is all a push does. When a root goes, its
 * children are melted in two passes (Fredman, Sedgewick, Sleator, Tarjan 1986): from left to
 * right in pairs, then the pairs from right to left into one. A long row of siblings, which
 * pushes make, is so halved by every removal.
 *
 * Rejected: a binary heap in an array, which has to grow, and whose members would have to be told
 * each time they move.
 */

/* Two roots (next NULL, previous of no meaning) become one. */
static struct heap_node *heap_meld(struct heap_node *a, struct heap_node *b, heap_before_fn before)
{
	if (before(b, a)) {
		struct heap_node *swap = a;

		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next)
		b->next->previous = b;
	b->previous = a;
	a->child = b;
	return a;
}

/* A row of siblings, of one at least, becomes one tree. */
static struct heap_node *heap_meld_row(struct heap_node *row, heap_before_fn before)
{
	struct heap_node *pairs = NULL, *root;

	while (row) {
		struct heap_node *a = row, *b = row->next;

		row = b ? b->next : NULL;
		a->next = NULL;
		if (b) {
			b->next = NULL;
			a = heap_meld(a, b, before);
		}
		a->next = pairs;
		pairs = a;
	}
	root = pairs;
	pairs = root->next;
	root->next = NULL;
	while (pairs) {
		struct heap_node *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = heap_meld(root, pair, before);
	}
	return root;
}

static void heap_set_root(struct heap *heap, struct heap_node *root)
{
	heap->root = root;
	if (root)
		root->previous = root;
}

/* Takes a node that is not the root out of its row. */
static void heap_cut(struct heap_node *node)
{
	if (node->previous->child == node)
		node->previous->child = node->next;
	else
		node->previous->next = node->next;
	if (node->next)
		node->next->previous = node->previous;
}

void heap_init(struct heap *heap)
{
	*heap = (struct heap){.root = NULL};
}

void heap_push(struct heap *heap, struct heap_node *node, heap_before_fn before)
{
	expect(!heap_is_linked(node));
	node->child = NULL;
	node->next = NULL;
	heap_set_root(heap, heap->root ? heap_meld(heap->root, node, before) : node);
	heap->size++;
}

void heap_remove(struct heap *heap, struct heap_node *node, heap_before_fn before)
{
	struct heap_node *below;

	expect(heap_is_linked(node));
	expect(heap->size > 0);
	below = node->child ? heap_meld_row(node->child, before) : NULL;
	if (node == heap->root) {
		heap_set_root(heap, below);
	} else {
		heap_cut(node);
		if (below)
			heap_set_root(heap, heap_meld(heap->root, below, before));
	}
	*node = (struct heap_node){.child = NULL};
	heap->size--;
}

struct heap_node *heap_pop(struct heap *heap, heap_before_fn before)
{
	struct heap_node *first = heap->root;

	if (first)
		heap_remove(heap, first, before);
	return first;
}
