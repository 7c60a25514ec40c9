/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A ring of links, each embedded in the object it lists. The head is a link of its own, and an
 * empty list points at itself. A link that is in no list also points at itself, so that taking
 * out twice does nothing.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/container.h"

struct list {
	struct list *next;
	struct list *previous;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

/* For each link of a list that the body does not change. */
#define list_each(link, head)                                                                      \
	for (struct list *link = (head)->next; link != (head); link = link->next)

/* As list_each(), where the body may take out the link it is at (and no other). */
#define list_each_safe(link, head)                                                                 \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);          \
		link = link##_next, link##_next = link->next)

#define list_entry(link, type, member) container_of(link, type, member)

static inline void list_init(struct list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* True where the link stands in a list. */
static inline bool list_is_linked(const struct list *link)
{
	return link->next != link;
}

static inline void list_insert_before(struct list *at, struct list *link)
{
	link->previous = at->previous;
	link->next = at;
	at->previous->next = link;
	at->previous = link;
}

static inline void list_push_back(struct list *head, struct list *link)
{
	list_insert_before(head, link);
}

static inline void list_push_front(struct list *head, struct list *link)
{
	list_insert_before(head->next, link);
}

static inline void list_remove(struct list *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

/* The first link taken out, or NULL where there is none. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *link = head->next;

	if (link == head)
		return NULL;
	list_remove(link);
	return link;
}
