/* SPDX-License-Identifier: MIT */
#include "nearest.h"

/*
 * Levenshtein's distance, one row at a time. Likely is what differs in two letters and one more
 * for each four written: "MaxSesions" is MaxSessions, "Port" is nothing of ours.
 */

/* How many letters to change, add or leave out; SIZE_MAX for names too long to be ours. */
static size_t nearest_distance(struct text a, struct text b)
{
	size_t row[NEAREST_NAME_MAX + 1];

	if (a.size > NEAREST_NAME_MAX || b.size > NEAREST_NAME_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.size; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.size; j++) {
			bool same = text_lower(a.data[i - 1]) == text_lower(b.data[j - 1]);
			size_t best = corner + (same ? 0 : 1);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.size];
}

bool nearest_is_better(struct text written, struct text known, size_t *distance)
{
	size_t found = nearest_distance(written, known);

	if (found >= *distance || found > 2 + written.size / 4 || found >= written.size)
		return false;
	*distance = found;
	return true;
}
