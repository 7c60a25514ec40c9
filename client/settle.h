/* SPDX-License-Identifier: MIT */
#ifndef SETTLE_H
#define SETTLE_H

/*
 * libsettle: submit graphs of HTTP requests to settled and take their results (libsettle(3)).
 *
 * Handles are opaque. Functions that can fail return 0 or more, or -errno. There are no globals
 * and no threads: one handle belongs to one thread at a time. Nothing blocks but settle_open()
 * and settle_next() with a timeout; to wait elsewhere, poll settle_fd() for settle_poll_events().
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SETTLE_EXPORT __attribute__((visibility("default")))

struct settle;
struct settle_event;
struct settle_record;
struct settle_graph;

/* The library's version: "0.1.0". */
SETTLE_EXPORT const char *settle_version(void);

/* -- A connection ------------------------------------------------------------------------- */

/* Connects to the daemon: `path`, or where NULL the first that answers of $SETTLE_SOCKET (alone,
 * if set), $XDG_RUNTIME_DIR/settled/settled.sock, /run/settled/settled.sock. -ENOENT or
 * -ECONNREFUSED: no daemon answers. */
SETTLE_EXPORT int settle_open(const char *path, struct settle **ret_settle);

/* As above over a connected stream socket, which becomes the handle's where 0 is returned. Its
 * flags are left alone. -EPROTOTYPE: it is of another type. */
SETTLE_EXPORT int settle_open_fd(int fd, struct settle **ret_settle);

/* Closes: the daemon cancels what has not settled. Takes NULL, returns NULL. */
SETTLE_EXPORT struct settle *settle_close(struct settle *settle);

/* The descriptor, for poll(2); stays the handle's. */
SETTLE_EXPORT int settle_fd(const struct settle *settle);

/* POLLIN, and POLLOUT while something waits to be sent. */
SETTLE_EXPORT short settle_poll_events(const struct settle *settle);

/* -- Asking ------------------------------------------------------------------------------- */

/* Submits a graph document (JSON text); *ret_graph (if not NULL) is its number in the events. The
 * text is copied. It is sent by settle_next(). -EINVAL: it is not JSON; -EMSGSIZE: it is longer
 * than a line may be, or nests deeper. Whether it is a graph is the daemon's to say. */
SETTLE_EXPORT int settle_submit(
	struct settle *settle, const char *json, size_t size, uint64_t *ret_graph);

/* How many descriptors may go with a graph. */
#define SETTLE_FDS_MAX 253

/* Passes a descriptor with the graph that is submitted next on this handle, and returns its index
 * there, from 0 on: for a job's "body_fd", from which the daemon reads the body of its request, and
 * "fd", to which it writes the body of its response. What is passed is a copy: the caller's own may
 * be closed at once. A submission that fails forgets what was passed. -E2BIG: there are
 * SETTLE_FDS_MAX of them; -EBADF, -EMFILE, -ENOMEM. */
SETTLE_EXPORT int settle_pass_fd(struct settle *settle, int fd);

/* Cancels a graph, or where `job` is not NULL what has that id in it: a job, a group or fan-out
 * with all that is in it, one child of a fan-out ("posts[3]"). What was cancelled still settles,
 * as rejected. -EINVAL: no such graph was submitted on this handle. */
SETTLE_EXPORT int settle_cancel(struct settle *settle, uint64_t graph, const char *job);

/* Cancels a graph of any connection by the number that the daemon's status shows, or a job of it;
 * SETTLE_CANCELLED answers. Only the user whose graph it is, and root, may. */
SETTLE_EXPORT int settle_ask_cancel(struct settle *settle, uint64_t number, const char *job);

/* Has the daemon forget the addresses that it has looked up ("dns"), or close the connections that
 * are idle ("conns"); SETTLE_FLUSHED answers. -EINVAL: `what` is neither. */
SETTLE_EXPORT int settle_ask_flush(struct settle *settle, const char *what);

/* Asks for the daemon's status; SETTLE_STATUS answers. */
SETTLE_EXPORT int settle_ask_status(struct settle *settle);

/* Says hello; SETTLE_HELLO answers. Optional. */
SETTLE_EXPORT int settle_ask_hello(struct settle *settle);

/* -- Events ------------------------------------------------------------------------------- */

enum settle_event_type {
	SETTLE_HELLO,    /* the daemon: its version, features and limits */
	SETTLE_ACCEPTED, /* a graph was taken on */
	SETTLE_REFUSED,  /* a graph was refused: `json` has the errors */
	SETTLE_SETTLED,  /* a job has settled: see settle_event_record() */
	SETTLE_CHUNK,    /* part of a streamed body: see settle_chunk_data() */
	SETTLE_DECIDED,  /* a graph's outcome is known before all its jobs have settled */
	SETTLE_DONE,     /* a graph is done: `json` is its summary; the last event of a graph */
	SETTLE_STATUS,   /* the daemon's status */
	SETTLE_ERROR,    /* the daemon did not understand, and closes */
	/* The answers to settle_ask_cancel() and settle_ask_flush(). */
	SETTLE_CANCELLED, /* {"graph":12,"found":true}: whether there was what to cancel */
	SETTLE_FLUSHED,   /* {"dns":12}: how many were */
};

/* Sends what waits, and takes the next event. `timeout_ms`: 0 does not wait, -1 waits as long as
 * it takes. Returns 1 and the event, valid until the next call on this handle; 0 where none came
 * in time; -EINTR where a signal came while it waited; -EPIPE where the daemon has closed the
 * connection or it broke; -EPROTO where it did not keep to the protocol; -ENOMEM. After any but
 * -EINTR the handle only tells the same again, and can be closed. */
SETTLE_EXPORT int settle_next(
	struct settle *settle, int timeout_ms, const struct settle_event **ret_event);

/* One of enum settle_event_type; a later version of the library may give more. */
SETTLE_EXPORT unsigned settle_event_type(const struct settle_event *event);

/* The graph's number; 0 for events of the connection. */
SETTLE_EXPORT uint64_t settle_event_graph(const struct settle_event *event);

/* The event's JSON object as the daemon wrote it, on one line, without its payload: a record, a
 * summary, {"errors":[…]}. Not terminated. */
SETTLE_EXPORT const char *settle_event_json(const struct settle_event *event, size_t *ret_size);

/* The payload: a settled job's body, a chunk. NULL and 0 where there is none; an empty body is
 * not NULL. */
SETTLE_EXPORT const void *settle_event_payload(const struct settle_event *event, size_t *ret_size);

/* The record of SETTLE_SETTLED, else NULL. */
SETTLE_EXPORT const struct settle_record *settle_event_record(const struct settle_event *event);

/* Of SETTLE_CHUNK, nothing copied, valid as long as the event: the id of the job whose body it is
 * ("output": "stream"), not terminated; how much of the body came before it, 0 again where the job
 * has begun anew and what came before is void; and the bytes. The job's record comes behind its
 * last one, and says whether they are all. NULL and 0 for other events. */
SETTLE_EXPORT const char *settle_chunk_job(const struct settle_event *event, size_t *ret_size);
SETTLE_EXPORT uint64_t settle_chunk_offset(const struct settle_event *event);
SETTLE_EXPORT const void *settle_chunk_data(const struct settle_event *event, size_t *ret_size);

/* -- A record: nothing is copied, all is valid as long as the event ------------------------- */

/* `ret_size` may be NULL. Texts are UTF-8; those with a size are not terminated, those without
 * are, and are words of the protocol. What the daemon sent as a record and is none looks like a
 * rejection with the code "PROTOCOL", and the next settle_next() returns -EPROTO. */

enum settle_status { SETTLE_FULFILLED, SETTLE_REJECTED };

SETTLE_EXPORT const char *settle_record_job(const struct settle_record *record, size_t *ret_size);
SETTLE_EXPORT enum settle_status settle_record_status(const struct settle_record *record);

/* The job's place in the document, depth first; a fan-out's children have the fan-out's. */
SETTLE_EXPORT uint32_t settle_record_index(const struct settle_record *record);

/* Inside a fan-out, the number of the item (of the innermost one), from 0 on; else -1. */
SETTLE_EXPORT int64_t settle_record_item(const struct settle_record *record);

/* 1 for a group or a fan-out as a whole, which has no body and no response; 0 for a job that makes
 * requests. */
SETTLE_EXPORT int settle_record_is_group(const struct settle_record *record);

/* How it was fulfilled: "network", "dedupe" (another job's flight), "fallback", "skipped". NULL
 * where it was rejected, and for a group that simply ran. */
SETTLE_EXPORT const char *settle_record_via(const struct settle_record *record);

/* How many attempts were begun, the first one included; 0: nothing was asked for. */
SETTLE_EXPORT uint32_t settle_record_attempts(const struct settle_record *record);

/* The reason code ("HTTP_STATUS"), or NULL where fulfilled. */
SETTLE_EXPORT const char *settle_record_code(const struct settle_record *record);

/* The reason's message, or NULL where fulfilled. */
SETTLE_EXPORT const char *settle_record_message(
	const struct settle_record *record, size_t *ret_size);

/* 1 where it was rejected and the same request may well succeed later; else 0. */
SETTLE_EXPORT int settle_record_retryable(const struct settle_record *record);

/* Whether the peer may have acted on a job that was rejected: "none", "partial", "full"; NULL
 * where fulfilled. */
SETTLE_EXPORT const char *settle_record_sent(const struct settle_record *record);

/* Who cancelled it: "fail_fast", "winner", "client", "disconnect", "timeout", "shutdown"; NULL
 * where nobody did. */
SETTLE_EXPORT const char *settle_record_by(const struct settle_record *record);

/* The id of the job that decided a fulfilled group of mode any or race; NULL where none did. */
SETTLE_EXPORT const char *settle_record_winner(
	const struct settle_record *record, size_t *ret_size);

/* The HTTP status, also of a response that was rejected for it; 0 where there was none. */
SETTLE_EXPORT int settle_record_http_status(const struct settle_record *record);

/* A response header by name, in any case; the first of several. NULL where there is none. */
SETTLE_EXPORT const char *settle_record_header(
	const struct settle_record *record, const char *name, size_t *ret_size);

/* The body, raw. NULL and 0 where there is none; an empty one is not NULL. */
SETTLE_EXPORT const void *settle_record_body(const struct settle_record *record, size_t *ret_size);

/* All of it, as settle_event_json(): for members that have no function here. */
SETTLE_EXPORT const char *settle_record_json(const struct settle_record *record, size_t *ret_size);

/* -- Building a graph ---------------------------------------------------------------------- */

/* NULL where there is no memory. Later failures are remembered, and told by the submit: -EINVAL
 * (a value that is not JSON, a text that is not UTF-8, a job's key before the first job, a group
 * that was not begun or not ended), -ENOMEM (a graph that is NULL, too). */
SETTLE_EXPORT struct settle_graph *settle_graph_new(void);
SETTLE_EXPORT struct settle_graph *settle_graph_free(struct settle_graph *graph);

/* A key of the graph, its value as JSON text: ("concurrency", "8"), ("mode", "\"all\""). All but
 * "jobs". A key set again has its last value. */
SETTLE_EXPORT void settle_graph_set(
	struct settle_graph *graph, const char *key, const char *json_value);

/* Adds a job; later calls of settle_graph_job_* speak of it. `id` NULL: its place. */
SETTLE_EXPORT void settle_graph_job(struct settle_graph *graph, const char *id, const char *url);

/* Adds a group: up to settle_graph_group_end() jobs and groups are added to it, each with an `id`.
 * settle_graph_job_set() speaks of the group while it has no jobs, and again when it has ended:
 * ("mode", "\"any\""), ("timeout", "2"). 32 levels at most. */
SETTLE_EXPORT void settle_graph_group(struct settle_graph *graph, const char *id);
SETTLE_EXPORT void settle_graph_group_end(struct settle_graph *graph);

/* A key of the job added last, its value as JSON text: ("retry", "3"), ("each", "[1, 2]"). */
SETTLE_EXPORT void settle_graph_job_set(
	struct settle_graph *graph, const char *key, const char *json_value);

/* The same, its value a string. */
SETTLE_EXPORT void settle_graph_job_set_string(
	struct settle_graph *graph, const char *key, const char *value);

/* A request header of the job added last; added again, one more. */
SETTLE_EXPORT void settle_graph_job_header(
	struct settle_graph *graph, const char *name, const char *value);

/* Submits what was built; the graph stays the caller's. */
SETTLE_EXPORT int settle_graph_submit(
	struct settle *settle, const struct settle_graph *graph, uint64_t *ret_graph);

/* -- Three lines --------------------------------------------------------------------------- */

/* A result of settle_all_settled(): the caller's, in the order of the URLs. */
struct settle_results;

/* Fetches all, waits until all have settled. 0 and the results, also where some were rejected.
 * -EBUSY: a graph is open on this handle. Where the daemon takes none of it on: -EINVAL (a URL is
 * none), -EACCES, -EDQUOT, -EAGAIN (overloaded), -ESHUTDOWN (draining). */
SETTLE_EXPORT int settle_all_settled(struct settle *settle, const char *const *urls, size_t n,
	struct settle_results **ret_results);

/* The records are valid, the handle closed or not, until settle_results_free(). NULL beyond the
 * last. */
SETTLE_EXPORT size_t settle_results_count(const struct settle_results *results);
SETTLE_EXPORT const struct settle_record *settle_results_get(
	const struct settle_results *results, size_t i);
SETTLE_EXPORT struct settle_results *settle_results_free(struct settle_results *results);

#ifdef __cplusplus
}
#endif

#endif
