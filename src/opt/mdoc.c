#include "opt/opt.h"

#include "base/buf.h"

/* Text as roff reads it: no escapes, no request at a line's start. */
static void put_text(struct buf *buf, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_add_str(buf, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			buf_add_str(buf, "\\e");
		else
			buf_add_char(buf, *text);
	}
}

static void put_item(struct buf *buf, const struct opt_row *row)
{
	buf_add_str(buf, ".It ");
	if (row->letter)
		buf_printf(buf, "Fl %c , ", row->letter);
	buf_printf(buf, "Fl -%s", row->name);
	if (row->flags & OPT_NEGATABLE)
		buf_printf(buf, " , Fl -no-%s", row->name);
	if (row->type != OPT_FLAG && row->flags & OPT_OPTIONAL)
		buf_printf(buf, " Ns Op = Ns Ar %s", row->arg);
	else if (row->type != OPT_FLAG)
		buf_printf(buf, " Ar %s", row->arg);
	buf_add_char(buf, '\n');
}

static void put_choices(struct buf *buf, const struct opt_row *row)
{
	buf_add_str(buf, "One of\n");
	for (size_t i = 0; row->choices[i]; i++)
		buf_printf(buf, ".Cm %s%s\n", row->choices[i],
			   row->choices[i + 1] ? " ," : " .");
}

void opt_mdoc(struct buf *buf, const struct opt_row *rows)
{
	for (const struct opt_row *row = rows; row->name; row++) {
		put_item(buf, row);
		put_text(buf, row->help);
		buf_add_str(buf, ".\n");
		if (row->type == OPT_CHOICE)
			put_choices(buf, row);
		if (row->type == OPT_LIST)
			buf_add_str(buf, "May be repeated.\n");
		if (row->fallback) {
			buf_add_str(buf, "The default is\n.Cm ");
			put_text(buf, row->fallback);
			buf_add_str(buf, " .\n");
		}
	}
}
