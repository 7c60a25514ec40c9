/* SPDX-License-Identifier: MIT */
#include "tests/unit/front/front_world.h"

#include "front/session.h"
#include "tests/unit/unit.h"

struct front_world front_world;

static void write_status(void *context, struct buffer *out)
{
	ck_assert_ptr_eq(context, &front_world);
	buffer_append_literal(out, "{\"graphs\":");
	buffer_append_u64(out, world.scheduler.n_graphs);
	buffer_append_byte(out, '}');
}

struct front_options front_world_options(void)
{
	return (struct front_options){
		.sessions_max = 100,
		.jobs_max = 1000,
		.graphs_max = 100,
		.passed_max = 1000,
		.line_max = 64 * 1024,
		.out_high = 256 * 1024,
		.out_low = 64 * 1024,
		.write_status = write_status,
		.context = &front_world,
	};
}

void front_world_begin_with(const struct front_options *options)
{
	world_begin();
	front_init(&front_world.front, world.ring, &world.scheduler, options);
}

void front_world_begin(void)
{
	struct front_options options = front_world_options();

	front_world_begin_with(&options);
}

void front_world_end(void)
{
	ck_assert_uint_eq(front_world.front.n_sessions, 0);
	front_deinit(&front_world.front);
	world_end();
}

void front_world_leave(void)
{
	fake_holds = (struct fake_holds){0};
	list_each_safe(link, &front_world.front.sessions) {
		struct session *session = list_entry(link, struct session, link);

		fake_set_gone(session->fd);
		if (!op_is_idle(&session->receive_op))
			fake_complete(FAKE_RECEIVE, session->fd, 0);
	}
	fake_pass(10 * NS_PER_S);
	front_world_end();
}

int front_world_connect(void)
{
	return front_world_connect_as(1000);
}

int front_world_connect_as(uid_t uid)
{
	int fd = fake_descriptor(uid);

	ck_assert_int_eq(session_new(&front_world.front, fd, uid), 0);
	fake_run();
	return fd;
}

int front_world_connect_busy(void)
{
	int fd = front_world_connect();

	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'}}}");
	client_assert_heard(fd, "1:accepted");
	ck_assert(front_world_is_busy());
	return fd;
}

bool front_world_is_busy(void)
{
	return world_find("/a") >= 0;
}

struct session *front_world_session(int fd)
{
	list_each(link, &front_world.front.sessions) {
		struct session *session = list_entry(link, struct session, link);

		if (session->fd == fd)
			return session;
	}
	ck_abort_msg("no session on %d", fd);
}
