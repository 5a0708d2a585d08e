#include "out/format.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

void out_value_real(struct buf *buf, double real)
{
	char text[32];
	double again = 0;

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, real);
		if (num_parse_real(bytes_of(text), -INFINITY, INFINITY, &again) == 0 &&
		    again == real)
			break;
	}
	buf_add_str(buf, text);
}

void out_value_plain(struct buf *buf, const struct out_value *value)
{
	switch (value->type) {
	case OUT_T_NULL:
		break;
	case OUT_T_BOOL:
		buf_add_str(buf, value->is.flag ? "true" : "false");
		break;
	case OUT_T_INT:
		buf_printf(buf, "%lld", (long long)value->is.integer);
		break;
	case OUT_T_REAL:
		out_value_real(buf, value->is.real);
		break;
	case OUT_T_TEXT:
	case OUT_T_RAW:
		text_escape(buf, value->is.text);
		break;
	}
}

/* Rounded, and clamped to what an int64_t holds. */
static int64_t whole(double real)
{
	if (real >= 9223372036854775807.0)
		return INT64_MAX;
	if (real <= -9223372036854775808.0)
		return INT64_MIN;
	return (int64_t)llround(real);
}

/* Three significant digits for what is small, none behind the point for what is not. */
static void put_short(struct buf *buf, double real)
{
	double size = fabs(real);

	if (real == floor(real) && size < 1e15)
		buf_printf(buf, "%.0f", real);
	else
		buf_printf(buf, "%.*f", size < 9.995 ? 2 : size < 99.95 ? 1 : 0, real);
}

static void put_microseconds(struct buf *buf, double us, bool ascii)
{
	double size = fabs(us);

	put_short(buf, size < 999.5 ? us : size < 999.5e3 ? us / 1e3 : us / 1e6);
	buf_add_str(buf, size >= 999.5e3 ? " s"
			 : size >= 999.5 ? " ms"
			 : ascii         ? " us"
					 : " µs");
}

static void put_rate(struct buf *buf, double rate)
{
	if (fabs(rate) < 99.95)
		put_short(buf, rate);
	else
		num_format_count(buf, whole(rate));
	buf_add_str(buf, "/s");
}

static void put_size(struct buf *buf, int64_t size)
{
	buf_add_str(buf, size < 0 ? "-" : "");
	num_format_size(buf, size < 0 ? 0 - (uint64_t)size : (uint64_t)size);
}

/* The number as an integer, exact when it is one. */
static int64_t integer_of(const struct out_value *value)
{
	return value->type == OUT_T_INT ? value->is.integer : whole(value->is.real);
}

static double real_of(const struct out_value *value)
{
	return value->type == OUT_T_INT ? (double)value->is.integer : value->is.real;
}

static void put_number(struct buf *buf, const struct out_value *value, enum out_unit unit,
		       bool ascii)
{
	switch (unit) {
	case OUT_PLAIN:
		if (value->type == OUT_T_INT)
			out_value_plain(buf, value);
		else
			put_short(buf, value->is.real);
		break;
	case OUT_COUNT:
		num_format_count(buf, integer_of(value));
		break;
	case OUT_SIZE:
		put_size(buf, integer_of(value));
		break;
	case OUT_MS:
		num_format_duration_ms(buf, integer_of(value));
		break;
	case OUT_US:
		put_microseconds(buf, real_of(value), ascii);
		break;
	case OUT_PERCENT:
		buf_printf(buf, "%.1f %%", real_of(value) * 100);
		break;
	case OUT_RATE:
		put_rate(buf, real_of(value));
		break;
	}
}

/* Bytes above 0x7F as \xHH: the terminal cannot show them. */
static void put_ascii(struct buf *buf, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x80)
			buf_add_char(buf, text.ptr[i]);
		else
			buf_printf(buf, "\\x%02X", (unsigned char)text.ptr[i]);
	}
}

static void put_text(struct buf *buf, struct bytes text, bool ascii)
{
	struct buf escaped = {0};

	text_escape(&escaped, text);
	if (ascii)
		put_ascii(buf, buf_bytes(&escaped));
	else
		buf_add(buf, buf_bytes(&escaped));
	buf_release(&escaped);
}

void out_value_human(struct buf *buf, const struct out_value *value, enum out_unit unit,
		     bool ascii)
{
	switch (value->type) {
	case OUT_T_NULL:
		buf_add_char(buf, '-');
		break;
	case OUT_T_BOOL:
		buf_add_str(buf, value->is.flag ? "yes" : "no");
		break;
	case OUT_T_INT:
	case OUT_T_REAL:
		put_number(buf, value, unit, ascii);
		break;
	case OUT_T_TEXT:
	case OUT_T_RAW:
		put_text(buf, value->is.text, ascii);
		break;
	}
}

bool out_value_is_zero(const struct out_value *value)
{
	switch (value->type) {
	case OUT_T_NULL:
		return true;
	case OUT_T_BOOL:
		return !value->is.flag;
	case OUT_T_INT:
		return value->is.integer == 0;
	case OUT_T_REAL:
		return value->is.real == 0;
	case OUT_T_TEXT:
	case OUT_T_RAW:
		return value->is.text.len == 0;
	}
	return false;
}
