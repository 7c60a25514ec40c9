/* SPDX-License-Identifier: MIT */
/*
 * A record says when its job was ready and when it settled, and how long the steps between took;
 * of several attempts it says so for each. The steps follow each other in the order of enum
 * timeline_phase, so that laying them end to end gives back when each was.
 *
 *   time   start 2, queue 1, connect 3, first_byte 4, body 1, end 12
 *   pieces [wait 0-2][queue 2-3][connect 3-6][first_byte 6-10][body 10-11][other 11-12]
 *
 * A piece begins where the last one ended and ends within its attempt, whatever the numbers say:
 * pieces never overlap and never leave the job. What is left of an attempt is TIMELINE_OTHER,
 * unless it is so little that it comes from the rounding of the numbers: then the last piece has
 * it.
 */
#include "client/cli/render/timeline_piece.h"

#include "proto/json.h"

/* A record's numbers are cut to whole us, each of the seven of them. */
#define TIMELINE_ROUNDING_US 8

/* No time is longer: thirty years. Sums of a few of them do not overflow. */
#define TIMELINE_US_MAX (UINT64_C(30) * 365 * 24 * 3600 * 1000 * 1000)

/* Of one attempt: the phases, the gap before it, its rest and its backoff. */
#define TIMELINE_PIECES_PER_TRY 9

struct timeline_cutter {
	struct timeline_piece *pieces;
	uint32_t n;
	/* Where the next piece begins. */
	uint64_t at;
	uint32_t attempt;
};

uint64_t timeline_us(yyjson_val *value)
{
	struct text digits = json_number(value);
	size_t dot = text_find(digits, '.');
	struct text fraction = text_from_at(digits, dot + 1);
	uint64_t us, ms;

	if (!digits.data ||
		!text_to_u64((struct text){digits.data, dot}, TIMELINE_US_MAX / 1000, &ms))
		return 0;
	us = ms * 1000;
	for (size_t i = 0, unit = 100; i < fraction.size && unit > 0; i++, unit /= 10) {
		if (fraction.data[i] < '0' || fraction.data[i] > '9')
			break;
		us += (uint64_t)(fraction.data[i] - '0') * unit;
	}
	return us;
}

/* A piece up to `to`, if there is anything between. */
static void timeline_cut_to(struct timeline_cutter *cutter, enum timeline_phase phase, uint64_t to)
{
	if (to <= cutter->at)
		return;
	cutter->pieces[cutter->n++] = (struct timeline_piece){
		.phase = phase,
		.attempt = cutter->attempt,
		.span = {cutter->at, to},
	};
	cutter->at = to;
}

static uint64_t timeline_least(uint64_t left, uint64_t right)
{
	return left < right ? left : right;
}

/* The rest of an attempt. */
static void timeline_cut_rest(struct timeline_cutter *cutter, uint64_t end)
{
	struct timeline_piece *last = cutter->n > 0 ? &cutter->pieces[cutter->n - 1] : NULL;

	if (last && last->attempt == cutter->attempt && last->phase >= TIMELINE_QUEUE &&
		last->phase <= TIMELINE_BODY && end > cutter->at &&
		end - cutter->at <= TIMELINE_ROUNDING_US) {
		last->span.to = end;
		cutter->at = end;
	}
	timeline_cut_to(cutter, TIMELINE_OTHER, end);
}

/* The steps of one attempt, and what is left of it. */
static void timeline_cut_attempt(struct timeline_cutter *cutter, yyjson_val *time, uint64_t end)
{
	static const struct {
		const char *name;
		enum timeline_phase phase;
	} steps[] = {
		{"queue", TIMELINE_QUEUE},
		{"dns", TIMELINE_DNS},
		{"connect", TIMELINE_CONNECT},
		{"tls", TIMELINE_TLS},
		{"first_byte", TIMELINE_FIRST_BYTE},
		{"body", TIMELINE_BODY},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t length = timeline_us(yyjson_obj_get(time, steps[i].name));

		timeline_cut_to(cutter, steps[i].phase, timeline_least(cutter->at + length, end));
	}
	timeline_cut_rest(cutter, end);
}

static void timeline_cut_tries(struct timeline_cutter *cutter, yyjson_val *tries, uint64_t end)
{
	size_t i, n;
	yyjson_val *attempt;

	yyjson_arr_foreach(tries, i, n, attempt)
	{
		yyjson_val *time = yyjson_obj_get(attempt, "time");
		uint64_t start = timeline_us(yyjson_obj_get(time, "start"));
		uint64_t stop = timeline_us(yyjson_obj_get(time, "end"));
		uint64_t backoff = timeline_us(yyjson_obj_get(attempt, "backoff"));

		timeline_cut_to(cutter, i > 0 ? TIMELINE_BACKOFF : TIMELINE_OTHER,
			timeline_least(start, end));
		cutter->attempt = (uint32_t)i;
		timeline_cut_attempt(cutter, time, timeline_least(stop, end));
		timeline_cut_to(
			cutter, TIMELINE_BACKOFF, timeline_least(cutter->at + backoff, end));
	}
	timeline_cut_rest(cutter, end);
}

bool timeline_cut(struct timeline_job *job, yyjson_val *record, struct arena *arena)
{
	yyjson_val *time = yyjson_obj_get(record, "time");
	yyjson_val *tries = yyjson_obj_get(record, "tries");
	size_t n_tries = yyjson_arr_size(tries);
	struct timeline_cutter cutter = {.n = 0};
	uint64_t start, end;

	cutter.pieces = arena_alloc_array(
		arena, (n_tries + 2) * TIMELINE_PIECES_PER_TRY, sizeof(*cutter.pieces));
	if (!cutter.pieces)
		return false;
	end = timeline_us(yyjson_obj_get(time, "end"));
	start = timeline_least(timeline_us(yyjson_obj_get(time, "start")), end);
	timeline_cut_to(&cutter, TIMELINE_WAIT, start);
	if (n_tries > 0)
		timeline_cut_tries(&cutter, tries, end);
	else
		timeline_cut_attempt(&cutter, time, end);
	job->whole = (struct timeline_span){start, end};
	job->pieces = cutter.pieces;
	job->n_pieces = cutter.n;
	return true;
}
