/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Sessions over the fake ring and the graphs of tests/unit/job: clients say lines and look at
 * the messages that came back; origins answer by world_answer().
 */

#include "front/front.h"
#include "tests/unit/front/client.h"
#include "tests/unit/job/job_world.h"

struct front_world {
	struct front front;
};

extern struct front_world front_world;

struct front_options front_world_options(void);
void front_world_begin(void);
void front_world_begin_with(const struct front_options *options);

/* All sessions must be gone. */
void front_world_end(void);

/* Every client that is left closes; then as above. */
void front_world_leave(void);

/* A client of uid 1000 with a session: its descriptor. */
int front_world_connect(void);
int front_world_connect_as(uid_t uid);

/* A client with a graph of number 1, whose one request waits for its answer: "/a". */
int front_world_connect_busy(void);

/* True where that request is on the wire. */
bool front_world_is_busy(void);

/* The session behind the descriptor; it must be there. */
struct session *front_world_session(int fd);
