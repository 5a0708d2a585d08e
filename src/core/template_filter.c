#include "core/template_parts.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "core/zone.h"
#include "wire/slot.h"

#include <limits.h>
#include <string.h>

/* How a filter is written and what it leaves: one row per filter. */
static const struct filter_row {
	const char *name;
	enum template_filter_kind kind;
	enum { ARG_NONE, ARG_TEXT, ARG_ZONE, ARG_MODULUS } arg;
	enum template_class class;
} filter_rows[] = {
    {"rest", FILTER_REST, ARG_NONE, CLASS_REST},
    {"default", FILTER_DEFAULT, ARG_TEXT, CLASS_PLAIN},
    {"digits", FILTER_DIGITS, ARG_NONE, CLASS_DIGITS},
    {"lower", FILTER_LOWER, ARG_NONE, CLASS_LOWER},
    {"upper", FILTER_UPPER, ARG_NONE, CLASS_UPPER},
    {"date", FILTER_DATE, ARG_ZONE, CLASS_DATE},
    {"hour", FILTER_HOUR, ARG_ZONE, CLASS_NUMBER},
    {"shard", FILTER_SHARD, ARG_MODULUS, CLASS_NUMBER},
    {"js_hex_mod", FILTER_JS_HEX_MOD, ARG_MODULUS, CLASS_NUMBER},
};
#define FILTER_ROWS (sizeof filter_rows / sizeof *filter_rows)

static const struct filter_row *find_row(struct bytes name)
{
	for (size_t i = 0; i < FILTER_ROWS; i++)
		if (bytes_equal_str(name, filter_rows[i].name))
			return &filter_rows[i];
	return NULL;
}

static int parse_argument(const struct filter_row *row, struct bytes arg, bool given,
			  struct template_filter *filter, struct err *err)
{
	uint64_t modulus = 0;

	if (row->arg == ARG_NONE && given)
		return err_set(err, ERR_CONFIG, "filter '%s' takes no argument", row->name);
	if ((row->arg == ARG_TEXT || row->arg == ARG_MODULUS) && !given)
		return err_set(err, ERR_CONFIG, "filter '%s' needs an argument: %s(…)",
			       row->name, row->name);
	if (row->arg == ARG_MODULUS && num_parse_u64(arg, 1, INT_MAX, &modulus))
		return err_set(err, ERR_CONFIG, "%s(%.*s): not a number from 1 to %d",
			       row->name, BYTES_ARG(arg), INT_MAX);
	if (row->arg == ARG_ZONE && !zone_valid(arg))
		return err_set(err, ERR_CONFIG,
			       "%s(%.*s): unknown time zone (UTC, +02:00, or a name of this "
			       "system's zoneinfo)",
			       row->name, BYTES_ARG(arg));
	filter->text = arg;
	filter->modulus = (unsigned)modulus;
	return 0;
}

int template_filter_parse(struct bytes text, struct template_filter *ret_filter,
			  struct err *err)
{
	size_t open = bytes_index(text, '(');
	bool given = open < text.len;
	struct bytes name = bytes_sub(text, 0, open);
	struct bytes arg = {0};
	const struct filter_row *row = find_row(name);

	if (!row)
		return err_set(
		    err, ERR_CONFIG,
		    "unknown filter '%.*s' (rest, default, digits, lower, upper, date, hour, "
		    "shard, js_hex_mod)",
		    BYTES_ARG(name));
	if (given) {
		if (text.ptr[text.len - 1] != ')')
			return err_set(err, ERR_CONFIG, "filter '%s': ')' is missing",
				       row->name);
		arg = bytes_sub(text, open + 1, text.len - open - 2);
	}
	*ret_filter = (struct template_filter){.kind = row->kind};
	return parse_argument(row, arg, given, ret_filter, err);
}

enum template_class template_filter_class(const struct template_filter *filter)
{
	for (size_t i = 0; i < FILTER_ROWS; i++)
		if (filter_rows[i].kind == filter->kind)
			return filter_rows[i].class;
	return CLASS_PLAIN;
}

static void apply_case(enum template_filter_kind kind, struct bytes value, struct buf *buf)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		bool digit = c >= '0' && c <= '9';

		if (kind == FILTER_LOWER && c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (kind == FILTER_UPPER && c >= 'a' && c <= 'z')
			c = (char)(c - ('a' - 'A'));
		if (kind != FILTER_DIGITS || digit)
			buf_add_char(buf, c);
	}
}

static int apply_time(const struct template_filter *filter, struct bytes value, struct buf *buf,
		      struct err *err)
{
	int64_t when;

	if (zone_parse_time(value, &when))
		return err_set(err, ERR_USAGE, "'%.*s' is not a time (2025-03-26T08:15:00Z)",
			       value.len > 64 ? 64 : (int)value.len,
			       value.ptr ? value.ptr : "");
	struct zone_time at = zone_at(filter->text, when);
	if (filter->kind == FILTER_HOUR)
		buf_printf(buf, "%d", at.hour);
	else
		buf_printf(buf, "%04d-%02d-%02d", at.year, at.month, at.day);
	return 0;
}

int template_filter_apply(const struct template_filter *filter, struct bytes value,
			  struct buf *buf, struct err *err)
{
	int remainder;

	switch (filter->kind) {
	case FILTER_REST:
	case FILTER_DEFAULT:
		buf_add(buf, value);
		return 0;
	case FILTER_DIGITS:
	case FILTER_LOWER:
	case FILTER_UPPER:
		apply_case(filter->kind, value, buf);
		return 0;
	case FILTER_DATE:
	case FILTER_HOUR:
		return apply_time(filter, value, buf, err);
	case FILTER_SHARD:
		buf_printf(buf, "%u", slot_crc16(value) % filter->modulus);
		return 0;
	case FILTER_JS_HEX_MOD:
		if (template_js_hex_mod(value, filter->modulus, &remainder))
			return err_set(err, ERR_USAGE, "'%.*s' is not a hexadecimal number",
				       value.len > 64 ? 64 : (int)value.len,
				       value.ptr ? value.ptr : "");
		buf_printf(buf, "%d", remainder);
		return 0;
	}
	return 0;
}
