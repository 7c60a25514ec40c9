/* SPDX-License-Identifier: MIT */
/*
 * The problem: headers of one name are one member, an array at the place of the first, and nearly
 * no response has two of one name; a server chooses how many headers there are, and their names.
 *
 * The idea: up to RECORD_HEADER_PAIRWISE_MAX headers, which is nearly every response, all pairs
 * are compared by a number made of their names; beyond it, or where two may be equal, the names
 * go into a hash table on the stack, keyed. RECORD_HEADER_N_MAX is the limit of a head
 * (http/h1.h).
 *
 * A received header is bytes, and JSON is UTF-8: each byte that is not part of a well-formed
 * sequence becomes U+FFFD (proto/writer).
 */
#include "proto/record_header.h"

#include "util/panic.h"
#include "util/table.h"

/* Of a header, beside its name and value: "":[""], */
#define RECORD_HEADER_MORE 8

#define RECORD_HEADER_N_MAX        1000
#define RECORD_HEADER_PAIRWISE_MAX 32
#define RECORD_HEADER_SLOTS        2048

size_t record_header_size(const struct header *headers, uint32_t n)
{
	size_t size = 2;

	for (uint32_t i = 0; i < n; i++)
		size += headers[i].name.size + headers[i].value.size + RECORD_HEADER_MORE;
	return size;
}

/* Equal names have equal keys. */
static uint32_t record_header_key(struct text name)
{
	uint32_t size = (uint32_t)name.size & 0xffff;

	if (name.size == 0)
		return 0;
	return size << 16 | (uint32_t)(unsigned char)name.data[0] << 8 |
	       (unsigned char)name.data[name.size / 2];
}

/* False where no two headers have the same name. */
static bool record_header_may_repeat(const struct header *headers, uint32_t n)
{
	uint32_t keys[RECORD_HEADER_PAIRWISE_MAX];

	if (n > RECORD_HEADER_PAIRWISE_MAX)
		return true;
	for (uint32_t i = 0; i < n; i++) {
		unsigned equal = 0;

		keys[i] = record_header_key(headers[i].name);
		for (uint32_t j = 0; j < i; j++)
			equal |= keys[j] == keys[i];
		if (equal)
			return true;
	}
	return false;
}

/* Which headers share a name. */
struct record_header_names {
	/* The next header of the same name; 0: none, because the first one follows nobody. */
	uint16_t next[RECORD_HEADER_N_MAX];
	/* Of the first of a name: the last one so far. */
	uint16_t last[RECORD_HEADER_N_MAX];
	/* True exactly when an earlier one has the same name. */
	bool follows[RECORD_HEADER_N_MAX];
	/* The first of a name, plus one; 0: nobody. */
	uint16_t slots[RECORD_HEADER_SLOTS];
};

static void record_header_group(
	struct record_header_names *names, const struct header *headers, uint32_t n)
{
	memset(names->slots, 0, sizeof(names->slots));
	for (uint16_t i = 0; i < n; i++) {
		size_t slot = table_hash(headers[i].name) % RECORD_HEADER_SLOTS;

		/* Half of the slots stay empty, so that this ends. */
		while (names->slots[slot] != 0 &&
			!text_equal(headers[names->slots[slot] - 1].name, headers[i].name))
			slot = (slot + 1) % RECORD_HEADER_SLOTS;
		names->next[i] = 0;
		names->last[i] = i;
		names->follows[i] = names->slots[slot] != 0;
		if (names->follows[i]) {
			uint16_t first = (uint16_t)(names->slots[slot] - 1);

			names->next[names->last[first]] = i;
			names->last[first] = i;
		} else {
			names->slots[slot] = (uint16_t)(i + 1);
		}
	}
}

static void record_header_write_one(struct writer *writer, const struct header *header)
{
	writer_string(writer, header->name);
	writer_byte(writer, ':');
	writer_string(writer, header->value);
	writer_byte(writer, ',');
}

/* A header and those that follow it, as an array. */
static void record_header_write_repeated(struct writer *writer, const struct header *headers,
	const struct record_header_names *names, uint16_t first)
{
	writer_string(writer, headers[first].name);
	writer_literal(writer, ":[");
	writer_string(writer, headers[first].value);
	for (uint16_t i = names->next[first]; i != 0; i = names->next[i]) {
		writer_byte(writer, ',');
		writer_string(writer, headers[i].value);
	}
	writer_literal(writer, "],");
}

static void record_header_write_grouped(
	struct writer *writer, const struct header *headers, uint32_t n)
{
	struct record_header_names names;

	expect(n <= RECORD_HEADER_N_MAX);

	record_header_group(&names, headers, n);
	for (uint16_t i = 0; i < n; i++) {
		if (names.follows[i])
			continue;
		if (names.next[i] != 0)
			record_header_write_repeated(writer, headers, &names, i);
		else
			record_header_write_one(writer, &headers[i]);
	}
}

void record_header_write(struct writer *writer, const struct header *headers, uint32_t n)
{
	writer_byte(writer, '{');
	if (record_header_may_repeat(headers, n)) {
		record_header_write_grouped(writer, headers, n);
	} else {
		for (uint32_t i = 0; i < n; i++)
			record_header_write_one(writer, &headers[i]);
	}
	/* The last comma gives way to the brace. */
	if (n > 0)
		writer->at--;
	writer_byte(writer, '}');
}

void record_header_append(struct buffer *out, const struct header *headers, uint32_t n)
{
	struct writer writer;

	if (!writer_begin(&writer, out, record_header_size(headers, n)))
		return;
	record_header_write(&writer, headers, n);
	writer_end(&writer);
}
