/* SPDX-License-Identifier: MIT */
#include "http/retry_after.h"

#include "util/clock.h"
#include "util/container.h"

/*
 * A date is read strictly, by the grammar: names in their case, all digits there, a day that its
 * month has. Only the name of the day need not be the right one: it tells nothing the rest does
 * not. Time zones are always GMT. No library function does it without the process's locale.
 */

#define RETRY_AFTER_SECONDS_MAX (UINT64_MAX / NS_PER_S)

static const char *const date_days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const date_long_days[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const date_months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date {
	/* The month from 1 on. */
	unsigned year, month, day, hour, minute, second;
};

/* What a text is cut into, from its front. */
struct date_cursor {
	struct text rest;
	/* True from the first piece on that was not as it should be. */
	bool failed;
};

static void date_skip(struct date_cursor *cursor, const char *literal)
{
	struct text text = text_from(literal);

	if (!text_starts_with(cursor->rest, text)) {
		cursor->failed = true;
		return;
	}
	cursor->rest = text_from_at(cursor->rest, text.size);
}

/* One of the names, and its number. */
static unsigned date_name(struct date_cursor *cursor, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct text name = text_from(names[i]);

		if (text_starts_with(cursor->rest, name)) {
			cursor->rest = text_from_at(cursor->rest, name.size);
			return i;
		}
	}
	cursor->failed = true;
	return 0;
}

/* Just so many digits. */
static unsigned date_digits(struct date_cursor *cursor, size_t n)
{
	struct text digits = {cursor->rest.data, n};
	uint64_t value = 0;

	if (cursor->rest.size < n || !text_to_u64(digits, 9999, &value)) {
		cursor->failed = true;
		return 0;
	}
	cursor->rest = text_from_at(cursor->rest, n);
	return (unsigned)value;
}

static unsigned date_month(struct date_cursor *cursor)
{
	return date_name(cursor, date_months, countof(date_months)) + 1;
}

/* "08:49:37" */
static void date_time(struct date_cursor *cursor, struct date *date)
{
	date->hour = date_digits(cursor, 2);
	date_skip(cursor, ":");
	date->minute = date_digits(cursor, 2);
	date_skip(cursor, ":");
	date->second = date_digits(cursor, 2);
}

static bool date_is_whole(const struct date_cursor *cursor)
{
	return !cursor->failed && cursor->rest.size == 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool date_read_fixed(struct text text, struct date *date)
{
	struct date_cursor cursor = {.rest = text};

	date_name(&cursor, date_days, countof(date_days));
	date_skip(&cursor, ", ");
	date->day = date_digits(&cursor, 2);
	date_skip(&cursor, " ");
	date->month = date_month(&cursor);
	date_skip(&cursor, " ");
	date->year = date_digits(&cursor, 4);
	date_skip(&cursor, " ");
	date_time(&cursor, date);
	date_skip(&cursor, " GMT");
	return date_is_whole(&cursor);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT": the year has two digits. */
static bool date_read_rfc850(struct text text, struct date *date)
{
	struct date_cursor cursor = {.rest = text};

	date_name(&cursor, date_long_days, countof(date_long_days));
	date_skip(&cursor, ", ");
	date->day = date_digits(&cursor, 2);
	date_skip(&cursor, "-");
	date->month = date_month(&cursor);
	date_skip(&cursor, "-");
	date->year = date_digits(&cursor, 2);
	date_skip(&cursor, " ");
	date_time(&cursor, date);
	date_skip(&cursor, " GMT");
	return date_is_whole(&cursor);
}

/* "Sun Nov  6 08:49:37 1994": a day of one digit has a second blank. */
static bool date_read_asctime(struct text text, struct date *date)
{
	struct date_cursor cursor = {.rest = text};

	date_name(&cursor, date_days, countof(date_days));
	date_skip(&cursor, " ");
	date->month = date_month(&cursor);
	date_skip(&cursor, " ");
	if (text_starts_with(cursor.rest, TEXT(" "))) {
		date_skip(&cursor, " ");
		date->day = date_digits(&cursor, 1);
	} else {
		date->day = date_digits(&cursor, 2);
	}
	date_skip(&cursor, " ");
	date_time(&cursor, date);
	date_skip(&cursor, " ");
	date->year = date_digits(&cursor, 4);
	return date_is_whole(&cursor);
}

static bool year_is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && year_is_leap(year));
}

/* A leap second is one. */
static bool date_is_valid(const struct date *date)
{
	return date->day >= 1 && date->day <= month_days(date->year, date->month) &&
	       date->hour < 24 && date->minute < 60 && date->second <= 60;
}

/* Since 1970; of an earlier one 0, which has passed as well. */
static uint64_t date_unix_seconds(const struct date *date)
{
	uint64_t days = 0, years;

	if (date->year < 1970)
		return 0;
	/* Leap years before it, less those before 1970. */
	years = date->year - 1;
	days = (date->year - 1970) * UINT64_C(365) + years / 4 - years / 100 + years / 400 - 477;
	for (unsigned month = 1; month < date->month; month++)
		days += month_days(date->year, month);
	days += date->day - 1;
	return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

/* The year that is now, near enough for a century: of 365.2425 days. */
static unsigned year_now(uint64_t now_unix_seconds)
{
	uint64_t years = now_unix_seconds / 31556952;

	return years > 8000 ? 9970 : 1970 + (unsigned)years;
}

/* RFC 9110 5.6.7: what would be more than 50 years ahead is of the past. So it is the last year
 * with those digits that is not. */
static unsigned year_complete(unsigned two_digits, uint64_t now_unix_seconds)
{
	unsigned last = year_now(now_unix_seconds) + 50;

	return last - (last % 100 + 100 - two_digits) % 100;
}

static bool date_read(struct text text, uint64_t now_unix_seconds, struct date *date)
{
	if (date_read_fixed(text, date) || date_read_asctime(text, date))
		return date_is_valid(date);
	if (!date_read_rfc850(text, date))
		return false;
	date->year = year_complete(date->year, now_unix_seconds);
	return date_is_valid(date);
}

/* Digits alone, however many. */
static bool seconds_read(struct text text, uint64_t *ret_seconds)
{
	uint64_t seconds = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (seconds <= RETRY_AFTER_SECONDS_MAX)
			seconds = seconds * 10 + (uint64_t)(text.data[i] - '0');
	}
	*ret_seconds = seconds;
	return text.size > 0;
}

bool retry_after_parse(struct text text, uint64_t now_unix_seconds, uint64_t *ret_ns)
{
	uint64_t seconds, then;
	struct date date;

	if (!seconds_read(text, &seconds)) {
		if (!date_read(text, now_unix_seconds, &date))
			return false;
		then = date_unix_seconds(&date);
		seconds = then > now_unix_seconds ? then - now_unix_seconds : 0;
	}
	if (seconds > RETRY_AFTER_SECONDS_MAX)
		seconds = RETRY_AFTER_SECONDS_MAX;
	*ret_ns = seconds * NS_PER_S;
	return true;
}
