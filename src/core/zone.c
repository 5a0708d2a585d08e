#include "core/zone.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ZONE_NAME_MAX 64
#define DAY_S 86400

static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;

/* Reads exactly n digits at *at and moves on; -1 when they are not there. */
static int take_digits(struct bytes text, size_t *at, size_t n)
{
	int value = 0;

	if (text.len - *at < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char c = text.ptr[*at + i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	*at += n;
	return value;
}

static bool take_char(struct bytes text, size_t *at, const char *any_of)
{
	if (*at >= text.len || !text.ptr[*at] || !strchr(any_of, text.ptr[*at]))
		return false;
	(*at)++;
	return true;
}

/* "+02:00" → seconds. */
static int parse_offset(struct bytes text, size_t *at, int *ret_seconds)
{
	int sign = *at < text.len && text.ptr[*at] == '-' ? -1 : 1;

	if (!take_char(text, at, "+-"))
		return -1;
	int hours = take_digits(text, at, 2);
	take_char(text, at, ":");
	int minutes = take_digits(text, at, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -1;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static bool is_utc(struct bytes zone)
{
	return zone.len == 0 || bytes_equal_str(zone, "UTC") || bytes_equal_str(zone, "Z");
}

static bool is_offset(struct bytes zone, int *ret_seconds)
{
	size_t at = 0;

	return parse_offset(zone, &at, ret_seconds) == 0 && at == zone.len;
}

bool zone_valid(struct bytes zone)
{
	char path[sizeof "/usr/share/zoneinfo/" + ZONE_NAME_MAX];
	struct stat st;
	int ignored;

	if (is_utc(zone) || is_offset(zone, &ignored))
		return true;
	if (zone.len >= ZONE_NAME_MAX || !isalpha((unsigned char)zone.ptr[0]))
		return false;
	for (size_t i = 0; i < zone.len; i++)
		if (!isalnum((unsigned char)zone.ptr[i]) && !strchr("/_+-", zone.ptr[i]))
			return false;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", BYTES_ARG(zone));
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void named_time(struct bytes zone, time_t when, struct tm *ret_tm)
{
	char name[ZONE_NAME_MAX + 2];

	snprintf(name, sizeof name, ":%.*s", BYTES_ARG(zone));
	pthread_mutex_lock(&zone_lock);
	const char *old = getenv("TZ");
	char *kept = old ? strdup(old) : NULL;
	setenv("TZ", name, 1);
	tzset();
	localtime_r(&when, ret_tm);
	if (kept)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
	free(kept);
	pthread_mutex_unlock(&zone_lock);
}

struct zone_time zone_at(struct bytes zone, int64_t unix_s)
{
	struct tm tm = {0};
	int offset = 0;
	time_t when = unix_s;

	if (is_utc(zone) || is_offset(zone, &offset)) {
		when += offset;
		gmtime_r(&when, &tm);
	} else {
		named_time(zone, when, &tm);
	}
	return (struct zone_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour};
}

/* Days since 1970-01-01 of a proleptic Gregorian date; -1 when there is no such day. */
static int days_of(int year, int month, int day, int64_t *ret_days)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

	if (year < 0 || month < 1 || day < 1)
		return -1;
	time_t at = timegm(&tm);
	if (tm.tm_mon != month - 1 || tm.tm_mday != day)
		return -1;
	*ret_days = at / DAY_S - (at % DAY_S < 0);
	return 0;
}

static int take_day(struct bytes text, size_t *at, int64_t *ret_days)
{
	int year = take_digits(text, at, 4);

	if (!take_char(text, at, "-"))
		return -1;
	int month = take_digits(text, at, 2);
	if (!take_char(text, at, "-"))
		return -1;
	return days_of(year, month, take_digits(text, at, 2), ret_days);
}

int zone_parse_day(struct bytes text, int64_t *ret_days)
{
	size_t at = 0;
	int64_t days;

	if (take_day(text, &at, &days) || at != text.len)
		return -1;
	*ret_days = days;
	return 0;
}

/* "T08:15:00.123+02:00" after the date → seconds to add. */
static int take_clock(struct bytes text, size_t *at, int64_t *ret_seconds)
{
	int offset = 0;
	int second = 0;

	if (!take_char(text, at, "Tt "))
		return -1;
	int hour = take_digits(text, at, 2);
	if (!take_char(text, at, ":"))
		return -1;
	int minute = take_digits(text, at, 2);
	if (take_char(text, at, ":"))
		second = take_digits(text, at, 2);
	if (take_char(text, at, ".,")) {
		if (take_digits(text, at, 1) < 0)
			return -1;
		while (take_digits(text, at, 1) >= 0)
			;
	}
	if (*at < text.len && !take_char(text, at, "Zz") && parse_offset(text, at, &offset))
		return -1;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return -1;
	*ret_seconds = hour * 3600 + minute * 60 + second - offset;
	return 0;
}

static int parse_epoch(struct bytes text, int64_t *ret_unix_s)
{
	int64_t value = 0;

	if (text.len == 0 || text.len > 15)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -1;
		value = value * 10 + (text.ptr[i] - '0');
	}
	*ret_unix_s = text.len >= 12 ? value / 1000 : value;
	return 0;
}

int zone_parse_time(struct bytes text, int64_t *ret_unix_s)
{
	size_t at = 0;
	int64_t days;
	int64_t seconds = 0;

	if (parse_epoch(text, ret_unix_s) == 0)
		return 0;
	if (take_day(text, &at, &days))
		return -1;
	if (at < text.len && (take_clock(text, &at, &seconds) || at != text.len))
		return -1;
	*ret_unix_s = days * DAY_S + seconds;
	return 0;
}
