#include "opt/opt.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/* Where help starts: beside the names when there is room, else below them. */
enum { NARROW = 60, NARROW_INDENT = 8, WIDE_INDENT_MAX = 30 };

/* Columns of our own texts: all their characters are one wide. */
static unsigned columns(struct bytes text)
{
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
	return count;
}

static void put_names(struct buf *buf, const struct opt_row *row)
{
	if (row->letter)
		buf_printf(buf, "  -%c, ", row->letter);
	else
		buf_add_str(buf, "      ");
	buf_printf(buf, "--%s%s", row->flags & OPT_NEGATABLE ? "[no-]" : "", row->name);
	if (row->type == OPT_FLAG)
		return;
	buf_printf(buf, row->flags & OPT_OPTIONAL ? "[=%s]" : " %s", row->arg);
}

/* The phrase, then in brackets what the row knows about its value. */
static void put_phrase(struct buf *buf, const struct opt_row *row)
{
	const char *separator = " (";

	buf_add_str(buf, row->help);
	for (size_t i = 0; row->type == OPT_CHOICE && row->choices[i]; i++) {
		buf_printf(buf, "%s%s", i ? ", " : separator, row->choices[i]);
		separator = "; ";
	}
	if (row->type == OPT_LIST) {
		buf_printf(buf, "%smay be repeated", separator);
		separator = "; ";
	}
	if (row->fallback) {
		buf_printf(buf, "%sdefault: %s", separator, row->fallback);
		separator = "; ";
	}
	if (separator[0] == ';')
		buf_add_char(buf, ')');
}

static void put_blanks(struct buf *buf, unsigned count)
{
	buf_printf(buf, "%*s", (int)count, "");
}

static unsigned clamp_width(unsigned width)
{
	return width < 40 ? 40 : width > 100 ? 100 : width;
}

/* Up to the next blank or line end. */
static struct bytes first_word(struct bytes text)
{
	size_t len = 0;

	while (len < text.len && text.ptr[len] != ' ' && text.ptr[len] != '\n')
		len++;
	return bytes_sub(text, 0, len);
}

/* Text from column indent on; the line already stands at that column. */
static void put_wrapped(struct buf *buf, struct bytes text, unsigned indent, unsigned width)
{
	unsigned at = indent;

	while (text.len) {
		struct bytes word = first_word(text);

		if (at > indent && at + 1 + columns(word) > width) {
			buf_add_char(buf, '\n');
			put_blanks(buf, indent);
			at = indent;
		} else if (at > indent) {
			buf_add_char(buf, ' ');
			at++;
		}
		buf_add(buf, word);
		at += columns(word);
		text = bytes_sub(text, word.len + 1, text.len);
	}
	buf_add_char(buf, '\n');
}

static unsigned choose_indent(const struct opt_row *rows, unsigned width)
{
	unsigned indent = NARROW_INDENT;
	struct buf names = {0};

	if (width < NARROW)
		return NARROW_INDENT;
	for (const struct opt_row *row = rows; row->name; row++) {
		buf_clear(&names);
		put_names(&names, row);
		unsigned need = columns(buf_bytes(&names)) + 2;
		if (need > indent && need <= WIDE_INDENT_MAX)
			indent = need;
	}
	buf_release(&names);
	return indent;
}

static void put_row(struct buf *buf, const struct opt_row *row, unsigned indent, unsigned width)
{
	struct buf names = {0};
	struct buf phrase = {0};

	put_names(&names, row);
	put_phrase(&phrase, row);
	unsigned at = columns(buf_bytes(&names));
	buf_add(buf, buf_bytes(&names));
	if (at + 2 > indent) {
		buf_add_char(buf, '\n');
		at = 0;
	}
	put_blanks(buf, indent - at);
	put_wrapped(buf, buf_bytes(&phrase), indent, width);
	buf_release(&names);
	buf_release(&phrase);
}

void opt_help(struct buf *buf, const struct opt_row *rows, unsigned width)
{
	width = clamp_width(width);
	unsigned indent = choose_indent(rows, width);

	for (const struct opt_row *row = rows; row->name; row++)
		put_row(buf, row, indent, width);
}

void opt_help_text(struct buf *buf, const char *text, unsigned indent, unsigned width)
{
	put_wrapped(buf, bytes_of(text), indent, clamp_width(width));
}
