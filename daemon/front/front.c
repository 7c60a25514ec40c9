/* SPDX-License-Identifier: MIT */
#include "front/front.h"

#include "front/session.h"
#include "util/panic.h"

/* Memory for a message kept between two. */
#define MESSAGE_MAX SIZE_MAX

void front_init(struct front *front, struct ring *ring, struct scheduler *scheduler,
	const struct front_options *options)
{
	*front = (struct front){.ring = ring, .scheduler = scheduler, .options = *options};
	list_init(&front->sessions);
	outbox_pool_init(&front->outbox_pool);
	passed_common_init(&front->passed, ring, options->passed_max);
	buffer_init(&front->message, MESSAGE_MAX);
}

void front_deinit(struct front *front)
{
	expect(list_is_empty(&front->sessions));
	expect(front->passed.n == 0);
	outbox_pool_deinit(&front->outbox_pool);
	buffer_deinit(&front->message);
}

void front_drain(struct front *front)
{
	front->is_draining = true;
	list_each_safe(link, &front->sessions)
		session_drain(list_entry(link, struct session, link));
}

void front_shut_down(struct front *front)
{
	list_each_safe(link, &front->sessions)
		session_shut_down(list_entry(link, struct session, link));
}
