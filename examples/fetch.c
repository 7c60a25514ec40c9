/* SPDX-License-Identifier: MIT */

/*
 * Fetches all URLs of its command line at once and says what became of each:
 *
 *   cc fetch.c $(pkg-config --cflags --libs libsettle) -o fetch
 *   ./fetch http://example.com/ http://example.org/
 */

#include <settle.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)argc - 1 : 0;
	struct settle_results *results;
	struct settle *settle;
	int error;

	error = settle_open(NULL, &settle);
	if (error) {
		fprintf(stderr, "fetch: no daemon: %s\n", strerror(-error));
		return 5;
	}
	error = settle_all_settled(settle, (const char *const *)argv + 1, n, &results);
	settle_close(settle);
	if (error) {
		fprintf(stderr, "fetch: %s\n", strerror(-error));
		return 1;
	}
	for (size_t i = 0; i < settle_results_count(results); i++) {
		const struct settle_record *record = settle_results_get(results, i);
		const char *code = settle_record_code(record);
		size_t size;

		settle_record_body(record, &size);
		if (code)
			printf("%s: %s\n", argv[i + 1], code);
		else
			printf("%s: %d, %zu bytes\n", argv[i + 1],
				settle_record_http_status(record), size);
	}
	settle_results_free(results);
	return 0;
}
