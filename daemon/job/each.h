/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A fan-out's children: made one after the other, as far as its window has room, each in a scope
 * of its own, which goes when the child has settled.
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "proto/fault.h"
#include "ring/timer.h"
#include "util/list.h"

struct graph;
struct group;
struct outcome;
struct scope;

/* Children that wait for their turn are made so far ahead, of one fan-out and in all of a graph: of
 * the rest there is only a number. And so many may be alive at once. Beyond the graph's limits a
 * fan-out may have a few all the same, one if it is inside of another, so that each goes on. */
#define EACH_FRESH_MAX   1024
#define GRAPH_FRESH_MAX  4096
#define GRAPH_SCOPES_MAX 65536
#define EACH_OPEN_MIN    16

struct each {
	/* Among those that have children to make. */
	struct list link;
	/* Its children's. */
	struct list scopes;
	/* Where the items were filled in; NULL: they are the document's, or another job's. */
	yyjson_doc *doc;
	yyjson_arr_iter iter;
	uint32_t n_items, n_made;
	/* Children of which none of the jobs has had its turn. */
	uint32_t n_fresh;
	/* Until the next batch. */
	struct timer timer;
	/* By item: what others refer to; NULL: nobody does. */
	struct outcome **outcomes;
};

void each_init(struct each *each);
void each_deinit(struct group *group);

/* It has settled: what was kept of its children goes. Nothing where it is none. */
void each_forget(struct group *group);

/* The items are known, and the first children on their way. False: the fault. */
bool each_begin(struct group *group, struct fault *ret_fault);

/* Makes up to `n` children, as far as the window goes. Returns how many are left of `n`. */
uint32_t each_make(struct group *group, uint32_t n);

/* There may be room in the window. */
void each_kick(struct group *group);

/* There may be room in the graph. */
void each_kick_starved(struct graph *graph);

/* A child has settled: its outcome is taken, and its place in the window is free. */
void each_on_child(struct group *group, struct scope *scope);
