#include "opt/value.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "opt/opt.h"

#include <stdlib.h>
#include <string.h>

static void *value_at(const struct opt_row *row, void *values)
{
	return (char *)values + row->offset;
}

static void describe_number(struct buf *buf, const struct opt_row *row, uint64_t number)
{
	if (row->type == OPT_DURATION)
		num_format_duration_ms(buf, (int64_t)number);
	else if (row->type == OPT_SIZE)
		num_format_size(buf, number);
	else
		buf_printf(buf, "%llu", (unsigned long long)number);
}

/* ": out of range; write …" with the bounds that the row has. */
static int refuse_range(const struct opt_row *row, const char *spelled, const char *text,
			struct err *err)
{
	struct buf low = {0};
	struct buf high = {0};

	describe_number(&low, row, row->min);
	describe_number(&high, row, row->max);
	if (row->max)
		err_set(err, ERR_USAGE, "%s '%s': out of range; write %s to %s", spelled, text,
			buf_str(&low), buf_str(&high));
	else
		err_set(err, ERR_USAGE, "%s '%s': out of range; write %s or more", spelled,
			text, buf_str(&low));
	buf_release(&low);
	buf_release(&high);
	return -1;
}

static int parse_number(const struct opt_row *row, const char *text, uint64_t *ret_number)
{
	switch (row->type) {
	case OPT_DURATION:
		return num_parse_duration_ms(bytes_of(text), ret_number);
	case OPT_SIZE:
		return num_parse_size(bytes_of(text), ret_number);
	default:
		return num_parse_u64(bytes_of(text), 0, UINT64_MAX, ret_number);
	}
}

static int set_number(const struct opt_row *row, void *values, const char *spelled,
		      const char *text, struct err *err)
{
	static const char *const wanted[] = {
	    [OPT_COUNT] = "not a number; write a whole number such as 10",
	    [OPT_DURATION] = "not a duration; write 250ms, 5s, 2m",
	    [OPT_SIZE] = "not a size; write 512, 64KiB, 16MiB",
	};
	uint64_t number = 0;

	if (parse_number(row, text, &number) < 0)
		return err_set(err, ERR_USAGE, "%s '%s': %s", spelled, text, wanted[row->type]);
	if (number < row->min || (row->max && number > row->max) || number == OPT_UNSET)
		return refuse_range(row, spelled, text, err);
	*(uint64_t *)value_at(row, values) = number;
	return 0;
}

static int set_ratio(const struct opt_row *row, void *values, const char *spelled,
		     const char *text, struct err *err)
{
	double ratio = 0;

	if (num_parse_ratio(bytes_of(text), &ratio) < 0)
		return err_set(err, ERR_USAGE,
			       "%s '%s': not a ratio; write 80%% or 0.8 (0 to 1)", spelled,
			       text);
	*(double *)value_at(row, values) = ratio;
	return 0;
}

static int refuse_choice(const struct opt_row *row, const char *spelled, const char *text,
			 struct err *err)
{
	struct buf list = {0};
	size_t count = 0;

	for (; row->choices[count]; count++)
		buf_printf(&list, "%s%s", count ? ", " : "", row->choices[count]);
	const char *nearest = text_nearest(bytes_of(text), row->choices, count);
	if (nearest)
		err_set(err, ERR_USAGE, "%s '%s': did you mean '%s'? It takes %s", spelled,
			text, nearest, buf_str(&list));
	else
		err_set(err, ERR_USAGE, "%s '%s': not known; it takes %s", spelled, text,
			buf_str(&list));
	buf_release(&list);
	return -1;
}

static int set_choice(const struct opt_row *row, void *values, const char *spelled,
		      const char *text, struct err *err)
{
	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], text) == 0) {
			*(int *)value_at(row, values) = i;
			return 0;
		}
	}
	return refuse_choice(row, spelled, text, err);
}

static void set_text(const struct opt_row *row, void *values, const char *text)
{
	if (row->flags & OPT_SECRET) {
		opt_value_release(row, values);
		text = mem_strdup(text);
	}
	*(const char **)value_at(row, values) = text;
}

static void add_to_list(const struct opt_row *row, void *values, const char *text)
{
	struct opt_list *list = value_at(row, values);

	list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
}

int opt_value_set(const struct opt_row *row, void *values, const char *spelled,
		  const char *text, struct err *err)
{
	switch (row->type) {
	case OPT_FLAG:
		*(bool *)value_at(row, values) = strcmp(text, "true") == 0;
		return 0;
	case OPT_TEXT:
		set_text(row, values, text);
		return 0;
	case OPT_COUNT:
	case OPT_DURATION:
	case OPT_SIZE:
		return set_number(row, values, spelled, text, err);
	case OPT_RATIO:
		return set_ratio(row, values, spelled, text, err);
	case OPT_CHOICE:
		return set_choice(row, values, spelled, text, err);
	case OPT_LIST:
		add_to_list(row, values, text);
		return 0;
	}
	abort();
}

void opt_value_unset(const struct opt_row *row, void *values)
{
	switch (row->type) {
	case OPT_COUNT:
	case OPT_DURATION:
	case OPT_SIZE:
		*(uint64_t *)value_at(row, values) = OPT_UNSET;
		break;
	case OPT_RATIO:
		*(double *)value_at(row, values) = -1;
		break;
	case OPT_CHOICE:
		*(int *)value_at(row, values) = -1;
		break;
	case OPT_FLAG:
	case OPT_TEXT:
	case OPT_LIST:
		break; /* zeroed is "not given" */
	}
}

bool opt_value_given(const struct opt_row *row, const void *values)
{
	const void *place = (const char *)values + row->offset;

	switch (row->type) {
	case OPT_COUNT:
	case OPT_DURATION:
	case OPT_SIZE:
		return *(const uint64_t *)place != OPT_UNSET;
	case OPT_RATIO:
		return *(const double *)place >= 0;
	case OPT_CHOICE:
		return *(const int *)place >= 0;
	case OPT_FLAG:
		return *(const bool *)place;
	case OPT_TEXT:
		return *(const char *const *)place;
	case OPT_LIST:
		return ((const struct opt_list *)place)->count;
	}
	abort();
}

static void release_secret(char **secret)
{
	if (*secret)
		mem_wipe(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void opt_value_release(const struct opt_row *row, void *values)
{
	if (row->type == OPT_TEXT && row->flags & OPT_SECRET)
		release_secret(value_at(row, values));
	if (row->type == OPT_LIST) {
		struct opt_list *list = value_at(row, values);

		free(list->items);
		*list = (struct opt_list){0};
	}
}
