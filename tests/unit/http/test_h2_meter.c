/* SPDX-License-Identifier: MIT */
#include "http/h2_meter.h"

#include "tests/unit/http/h2_client.h"

static struct h2_meter meter;
static struct buffer frames;

static void begin(void)
{
	h2_meter_init(&meter, CLIENT_SECOND);
	buffer_init(&frames, SIZE_MAX);
}

/* How many of the bytes it takes, in pieces of that size. */
static size_t take(size_t piece, uint64_t now_ns)
{
	size_t at = 0;

	while (at < frames.size) {
		size_t size = frames.size - at < piece ? frames.size - at : piece;
		size_t taken = h2_meter_take(&meter, frames.data + at, size, now_ns);

		at += taken;
		if (taken < size)
			break;
	}
	return at;
}

START_TEST(counts_frames_however_they_are_cut)
{
	for (size_t piece = 1; piece < 64; piece++) {
		begin();
		for (unsigned i = 0; i < 10001; i++)
			frame(&frames, PING, 0, 0, TEXT("12345678"));
		/* Up to the head of the frame that is too many: its first bytes may be gone. */
		ck_assert_uint_ge(take(piece, CLIENT_SECOND), 10000 * 17);
		buffer_deinit(&frames);
		begin();
		for (unsigned i = 0; i < 10000; i++)
			frame(&frames, DATA, 0, 1, TEXT(""));
		ck_assert_uint_eq(take(piece, CLIENT_SECOND), frames.size);
		ck_assert_uint_eq(meter.budget, 0);
		buffer_deinit(&frames);
	}
}
END_TEST

START_TEST(fills_up_with_time)
{
	begin();
	meter.budget = 0;
	frame(&frames, PING, 0, 0, TEXT("12345678"));
	ck_assert_uint_eq(take(SIZE_MAX, CLIENT_SECOND), 0);
	h2_meter_init(&meter, CLIENT_SECOND);
	meter.budget = 0;
	ck_assert_uint_eq(take(SIZE_MAX, CLIENT_SECOND + CLIENT_SECOND / 100), frames.size);
	/* Three came, and one was taken. */
	ck_assert_uint_eq(meter.budget, 2);
	ck_assert_uint_eq(take(SIZE_MAX, 2 * CLIENT_SECOND), frames.size);
	ck_assert_uint_eq(meter.budget, 328);
	ck_assert_uint_eq(take(SIZE_MAX, UINT64_MAX), frames.size);
	ck_assert_uint_eq(meter.budget, 9999);
	buffer_deinit(&frames);
}
END_TEST

START_TEST(earns_up_to_its_most)
{
	begin();
	h2_meter_earn(&meter, UINT64_MAX);
	ck_assert_uint_eq(meter.budget, 10000);
	meter.budget = 0;
	h2_meter_earn(&meter, 7);
	ck_assert_uint_eq(meter.budget, 7);
	h2_meter_earn(&meter, UINT64_MAX);
	ck_assert_uint_eq(meter.budget, 10000);
}
END_TEST

START_TEST(counts_header_blocks_by_their_size)
{
	static const struct {
		uint8_t type;
		size_t size;
		uint32_t cost;
	} blocks[] = {
		{DATA, 16384, 1},
		{HEADERS, 63, 1},
		{HEADERS, 64, 2},
		{HEADERS, 16384, 257},
		{CONTINUATION, 6400, 101},
		{PUSH_PROMISE, 6400, 101},
		{0xff, 6400, 1},
	};
	static const char zeros[16384];

	for (size_t i = 0; i < countof(blocks); i++) {
		begin();
		frame(&frames, blocks[i].type, 0, 1, (struct text){zeros, blocks[i].size});
		ck_assert_uint_eq(take(SIZE_MAX, CLIENT_SECOND), frames.size);
		ck_assert_uint_eq(meter.budget, 10000 - blocks[i].cost);
		buffer_deinit(&frames);
	}
}
END_TEST

UNIT_MAIN("http/h2_meter", &counts_frames_however_they_are_cut, &fills_up_with_time,
	&earns_up_to_its_most, &counts_header_blocks_by_their_size)
