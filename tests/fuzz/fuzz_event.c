/* SPDX-License-Identifier: MIT */

/*
 * What a hostile daemon says to the library: every event it makes of it is looked at in every
 * way, and the end is -EPIPE or -EPROTO.
 */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/handle.h"
#include "tests/fuzz/fuzz.h"

/* What a socket pair takes without a reader. */
#define FUZZ_SIZE_MAX 65536

static void fuzz_look_at(const struct settle_event *event)
{
	const struct settle_record *record = settle_event_record(event);
	size_t size;

	expect(settle_event_json(event, &size)[0] == '{' && size >= 2);
	expect(settle_event_json(event, NULL)[size - 1] == '}');
	expect(settle_event_payload(event, &size) || size == 0);
	if (!record)
		return;
	expect(settle_record_job(record, &size) || size == 0);
	if (settle_record_status(record) == SETTLE_REJECTED)
		expect(settle_record_code(record));
	if (settle_record_status(record) == SETTLE_FULFILLED)
		expect(!settle_record_sent(record) && !settle_record_by(record));
	else
		expect(!settle_record_via(record) && !settle_record_winner(record, &size));
	expect(settle_record_item(record) >= -1);
	expect(settle_record_is_group(record) || !settle_record_winner(record, &size));
	expect(!settle_record_retryable(record) || settle_record_code(record));
	settle_record_attempts(record);
	expect(settle_record_json(record, &size)[0] == '{' && size >= 2);
	expect(settle_record_http_status(record) >= 0);
	expect(settle_record_header(record, "content-type", &size) || size == 0);
	expect(settle_record_message(record, &size) || size == 0);
	expect(settle_record_body(record, &size) || size == 0);
	if (settle_record_status(record) == SETTLE_FULFILLED)
		expect(!settle_record_code(record) && settle_record_job(record, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct settle_event *event;
	struct settle *settle;
	int fds[2], result;

	if (size == 0 || size > FUZZ_SIZE_MAX)
		return 0;
	expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	expect(settle_open_fd(fds[0], &settle) == 0);
	for (int i = 0; i < 9; i++)
		expect(settle_submit(settle, "{}", 2, NULL) == 0);
	expect(send(fds[1], data, size, MSG_DONTWAIT) == (ssize_t)size);
	expect(shutdown(fds[1], SHUT_WR) == 0);
	while ((result = settle_next(settle, 0, &event)) == 1)
		fuzz_look_at(event);
	expect(result == -EPIPE || result == -EPROTO);
	settle_close(settle);
	close(fds[1]);
	return 0;
}
