/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What stands behind the library's opaque handles. A handle owns its socket, the bytes received
 * and to be sent, and the one event it shows at a time; an event and its record are views into
 * the received bytes, and die with the next call of settle_next().
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "client/parcel.h"
#include "client/settle.h"
#include "proto/line.h"
#include "util/buffer.h"
#include "util/text.h"

/* How far a record has been read. */
enum access_state {
	ACCESS_UNREAD,
	/* `job` to `is_rejected` are known: they were where the daemon writes them. */
	ACCESS_PEEKED,
	/* `doc` is there, and these. */
	ACCESS_READ,
	/* It is no record. */
	ACCESS_BROKEN,
};

struct settle_record {
	/* The record's object, and its body. */
	struct text json;
	struct text body;
	bool has_body;
	enum access_state state;
	struct text job;
	uint32_t index;
	/* -1: none. */
	int64_t item;
	bool is_group;
	bool is_rejected;
	/* Static; NULL: not known without reading it. */
	const char *via;
	yyjson_doc *doc;
	/* The reason or the value, and the response in it; NULL where there is none. */
	yyjson_val *outcome;
	yyjson_val *response;
	/* The event's: memory of the handle to read it into, and the handle's error, to be set
	 * where it is no record. NULL for a result's. */
	struct buffer *memory;
	int *error;
};

/* The record is json and body, unread. */
void access_init(struct settle_record *record, struct text json);

/* Drops what was read; the texts are not its own. */
void access_deinit(struct settle_record *record);

/* True where it is a record as far as all accessors need it. */
bool access_read(struct settle_record *record);

struct settle_event {
	enum settle_event_type type;
	uint64_t graph;
	struct text json;
	struct text payload;
	bool has_payload;
	struct settle_record record;
	/* Of a chunk: a view into the JSON, or into `doc`. */
	struct text job;
	uint64_t offset;
	/* NULL: it did not have to be read. */
	yyjson_doc *doc;
};

/* Whose an event is that is a chunk, and where it belongs. False: it does not say. */
bool chunk_read(struct settle_event *event);

struct settle {
	int fd;
	/* 0, or the -errno of every call from now on. */
	int error;
	/* True exactly when it takes no more. */
	bool is_deaf;
	/* The number of the next graph; all below it but 0 were submitted. */
	uint64_t graph_next;
	/* Graphs submitted and neither done nor refused. */
	uint64_t graphs_open;
	struct line_reader in;
	/* To be sent, from `out_sent` on. */
	struct buffer out;
	size_t out_sent;
	/* Descriptors of the graph that is submitted next; NULL: none. */
	struct parcel *parcel;
	/* Those on their way, in the order of their lines. */
	struct parcel *parcels;
	struct settle_event event;
	/* An event's JSON that had to be written anew. */
	struct buffer rewritten;
	/* For the event's record. */
	struct buffer memory;
};

/* Makes the handle's event of a line without its payload. 1; 0 where it is none that this version
 * knows; -EPROTO, -ENOMEM. */
int event_cut(struct settle *settle, struct text line);

/* Drops what the handle's event holds. */
void event_clear(struct settle *settle);
