/* SPDX-License-Identifier: MIT */
#include "util/nearest.h"

/*
 * The distance of optimal string alignment: Levenshtein's, and two neighbours that changed places
 * count once, because fingers do that. Three rows of its table are enough.
 *
 * Likely is what differs in two letters and one more for each four written, but in no more than
 * half of them: "MaxSesions" is MaxSessions, "Port" is nothing of ours, "dns" is not "tls".
 */

static size_t nearest_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Neither is longer than NEAREST_NAME_MAX. */
static size_t nearest_distance(struct text a, struct text b)
{
	size_t rows[3][NEAREST_NAME_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b.size; j++)
		above[j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t *oldest = before;
		char c = text_lower(a.data[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= b.size; j++) {
			char d = text_lower(b.data[j - 1]);

			row[j] = nearest_least(above[j], row[j - 1]) + 1;
			row[j] = nearest_least(row[j], above[j - 1] + (c != d));
			if (i > 1 && j > 1 && c == text_lower(b.data[j - 2]) &&
				d == text_lower(a.data[i - 2]))
				row[j] = nearest_least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[b.size];
}

bool nearest_is_better(struct text written, struct text known, size_t *distance)
{
	size_t found;

	if (written.size > NEAREST_NAME_MAX || known.size > NEAREST_NAME_MAX)
		return false;
	found = nearest_distance(written, known);
	if (found >= *distance || found > nearest_least(2 + written.size / 4, written.size / 2))
		return false;
	*distance = found;
	return true;
}
