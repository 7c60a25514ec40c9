/* SPDX-License-Identifier: MIT */
#include "client/cli/render/measure.h"

void measure_append_us(struct buffer *out, uint64_t us)
{
	/* What would be rounded to 1000.0 ms is a second. */
	if (us < 999950)
		buffer_printf(out, "%.1f ms", (double)us / 1000);
	else
		buffer_printf(out, "%.2f s", (double)us / 1000000);
}

void measure_append_tick(struct buffer *out, uint64_t us)
{
	uint64_t unit = us < 1000000 ? 1000 : 1000000, rest = us % unit;

	buffer_append_u64(out, us / unit);
	if (rest > 0) {
		buffer_append_byte(out, '.');
		for (uint64_t place = unit / 10; rest > 0; place /= 10) {
			buffer_append_byte(out, (char)('0' + rest / place));
			rest %= place;
		}
	}
	if (us > 0)
		buffer_append_text(out, unit == 1000 ? TEXT(" ms") : TEXT(" s"));
}

uint64_t measure_step(uint64_t us)
{
	static const uint64_t factors[] = {1, 2, 5};
	uint64_t power = 1;

	for (;;) {
		for (size_t i = 0; i < 3; i++) {
			if (factors[i] * power >= us || power > UINT64_MAX / 100)
				return factors[i] * power;
		}
		power *= 10;
	}
}
