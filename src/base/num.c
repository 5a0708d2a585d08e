#include "base/num.h"

#include "base/buf.h"
#include "base/mem.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many digits b has from at on. */
static size_t digits_at(struct bytes b, size_t at)
{
	size_t end = at;

	while (end < b.len && is_digit(b.ptr[end]))
		end++;
	return end - at;
}

/* One or more digits, all of them. */
static int parse_digits(struct bytes digits, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (digits.len == 0 || digits_at(digits, 0) != digits.len)
		return -1;
	for (size_t i = 0; i < digits.len; i++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digits.ptr[i] - '0'), &value))
			return -1;
	*ret_value = value;
	return 0;
}

int num_parse_u64(struct bytes text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (parse_digits(text, &value) < 0 || value < min || value > max)
		return -1;
	*ret_value = value;
	return 0;
}

int num_parse_i64(struct bytes text, int64_t min, int64_t max, int64_t *ret_value)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	uint64_t magnitude = 0;

	if (parse_digits(bytes_sub(text, negative, text.len), &magnitude) < 0)
		return -1;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -1;
	int64_t value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (value < min || value > max)
		return -1;
	*ret_value = value;
	return 0;
}

/* -?digits(.digits)?([eE][+-]?digits)? : strtod alone takes blanks, hex, "nan", "inf". */
static bool is_real(struct bytes text)
{
	size_t at = text.len > 0 && text.ptr[0] == '-';
	size_t digits = digits_at(text, at);

	if (digits == 0)
		return false;
	at += digits;
	if (at < text.len && text.ptr[at] == '.') {
		digits = digits_at(text, ++at);
		if (digits == 0)
			return false;
		at += digits;
	}
	if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
		at++;
		at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
		digits = digits_at(text, at);
		if (digits == 0)
			return false;
		at += digits;
	}
	return at == text.len;
}

int num_parse_real(struct bytes text, double min, double max, double *ret_value)
{
	if (!is_real(text))
		return -1;
	/* The decimal point must not depend on the user's locale. */
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	char *copy = mem_bytesdup(text);
	double value = strtod_l(copy, NULL, c_locale);
	free(copy);
	freelocale(c_locale);
	if (!isfinite(value) || value < min || value > max)
		return -1;
	*ret_value = value;
	return 0;
}

int num_parse_ratio(struct bytes text, double *ret_ratio)
{
	bool percent = text.len > 0 && text.ptr[text.len - 1] == '%';
	double value = 0;

	if (num_parse_real(bytes_sub(text, 0, text.len - percent), 0, percent ? 100 : 1,
			   &value) < 0)
		return -1;
	*ret_ratio = percent ? value / 100 : value;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* Ordered: a compound must use them from the left to the right. */
static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

static const struct unit size_units[] = {
    {"GiB", UINT64_C(1) << 30}, {"GB", 1000000000}, {"MiB", 1 << 20}, {"MB", 1000000},
    {"KiB", 1 << 10},           {"kB", 1000},       {"B", 1},         {NULL, 0},
};

static const struct unit *find_unit(const struct unit *units, struct bytes name)
{
	for (; units->name; units++)
		if (bytes_equal_str(name, units->name))
			return units;
	return NULL;
}

/* Adds digits "." fraction × factor to *total, rounded; exact, since fraction has 9 digits at
 * most. */
static int add_scaled(uint64_t *total, struct bytes digits, struct bytes fraction,
		      uint64_t factor)
{
	uint64_t whole = 0, part = 0, scale = 1;

	if (parse_digits(digits, &whole) < 0 || __builtin_mul_overflow(whole, factor, &whole))
		return -1;
	if (fraction.len > 9 || (fraction.len > 0 && factor == 1))
		return -1;
	if (fraction.len > 0 && parse_digits(fraction, &part) < 0)
		return -1;
	for (size_t i = 0; i < fraction.len; i++)
		scale *= 10;
	bool some = whole > 0 || part > 0;
	part = (part * factor + scale / 2) / scale;
	if (__builtin_add_overflow(whole, part, &whole) || (some && whole == 0))
		return -1;
	return __builtin_add_overflow(*total, whole, total) ? -1 : 0;
}

/*
 * Splits NUMBER[UNIT] off *rest and adds it to *total. ret_unit is NULL for a
 * bare number, which counts bare_factor each.
 */
static int take_quantity(struct bytes *rest, const struct unit *units, uint64_t bare_factor,
			 uint64_t *total, const struct unit **ret_unit)
{
	struct bytes digits = bytes_sub(*rest, 0, digits_at(*rest, 0));
	struct bytes fraction = {NULL, 0};
	size_t at = digits.len;

	if (at < rest->len && rest->ptr[at] == '.') {
		fraction = bytes_sub(*rest, at + 1, digits_at(*rest, at + 1));
		if (fraction.len == 0)
			return -1;
		at += 1 + fraction.len;
	}
	size_t end = at;
	while (end < rest->len && !is_digit(rest->ptr[end]))
		end++;
	const struct unit *unit =
	    end > at ? find_unit(units, bytes_sub(*rest, at, end - at)) : NULL;
	if (end > at && !unit)
		return -1;
	*rest = bytes_sub(*rest, end, rest->len);
	*ret_unit = unit;
	return add_scaled(total, digits, fraction, unit ? unit->factor : bare_factor);
}

int num_parse_duration_ms(struct bytes text, uint64_t *ret_ms)
{
	const struct unit *last = NULL, *unit = NULL;
	uint64_t total = 0;
	bool first = true;

	do {
		if (take_quantity(&text, duration_units, 1000, &total, &unit) < 0)
			return -1;
		if (!first && (!unit || unit <= last))
			return -1;
		first = false;
		last = unit;
	} while (text.len > 0 && last);
	if (text.len > 0 || total > NUM_DURATION_MAX_MS)
		return -1;
	*ret_ms = total;
	return 0;
}

int num_parse_size(struct bytes text, uint64_t *ret_bytes)
{
	const struct unit *unit = NULL;
	uint64_t total = 0;

	if (take_quantity(&text, size_units, 1, &total, &unit) < 0 || text.len > 0)
		return -1;
	*ret_bytes = total;
	return 0;
}

int num_hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static uint64_t magnitude_of(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void num_format_duration_ms(struct buf *buf, int64_t ms)
{
	uint64_t left = magnitude_of(ms);
	const struct unit *unit = duration_units;

	if (ms < 0)
		buf_add_char(buf, '-');
	while (left < unit->factor && unit->factor > 1)
		unit++;
	uint64_t whole = left / unit->factor;
	left %= unit->factor;
	buf_printf(buf, "%llu", (unsigned long long)whole);
	if (unit->factor == 1000 && left >= 100)
		buf_printf(buf, ".%llu", (unsigned long long)left / 100);
	buf_add_str(buf, unit->name);
	if (unit->factor > 1000 && left >= unit[1].factor)
		buf_printf(buf, "%llu%s", (unsigned long long)(left / unit[1].factor),
			   unit[1].name);
}

void num_format_size(struct buf *buf, uint64_t bytes)
{
	static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	uint64_t parts = bytes; /* 1024ths of the unit */
	size_t unit = 0;

	if (bytes < 1024) {
		buf_printf(buf, "%llu B", (unsigned long long)bytes);
		return;
	}
	/* 1023.5 and more would print as 1024. */
	for (; parts >= 1024 * 1024 - 512; unit++)
		parts = (parts + (parts < UINT64_MAX - 512 ? 512 : 0)) / 1024;
	unsigned hundredths = (unsigned)((parts * 100 + 512) / 1024);
	unsigned step = hundredths < 1000 ? 1 : hundredths < 10000 ? 10 : 100;
	hundredths = (hundredths + step / 2) / step * step;
	buf_printf(buf, "%u", hundredths / 100);
	if (hundredths % 10)
		buf_printf(buf, ".%02u", hundredths % 100);
	else if (hundredths % 100)
		buf_printf(buf, ".%u", hundredths % 100 / 10);
	buf_printf(buf, " %s", names[unit]);
}

void num_format_count(struct buf *buf, int64_t count)
{
	struct buf text = {0};

	buf_printf(&text, "%llu", (unsigned long long)magnitude_of(count));
	if (count < 0)
		buf_add_char(buf, '-');
	for (size_t i = 0; i < text.len; i++) {
		if (i > 0 && (text.len - i) % 3 == 0)
			buf_add_char(buf, ',');
		buf_add_char(buf, text.ptr[i]);
	}
	buf_release(&text);
}
