#include "out/view.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "out/hexdump.h"
#include "out/jsonview.h"
#include "out/stream.h"
#include "out/terminal.h"

#define SHOWN_MAX ((size_t)256 * 1024) /* of one value on a terminal */
#define DUMPED_MAX ((size_t)4 * 1024)  /* of bytes that say little to people */

/* JSON, or the beginning of an object or array: a value that was cut. */
static bool is_json(struct bytes value)
{
	struct json_error problem;

	if (json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) == 0)
		return true;
	return value.len && (value.ptr[0] == '{' || value.ptr[0] == '[') &&
	       problem.offset == value.len;
}

/* A character that the cut of a value went through does not make it binary. */
static bool is_text(struct bytes value)
{
	size_t whole = value.len;

	for (unsigned i = 0; i < 3 && whole > 0 && value.ptr[whole - 1] & 0x80; i++)
		whole--;
	return bytes_is_utf8(value) || (whole && bytes_is_utf8(bytes_sub(value, 0, whole)));
}

static void show_text(struct out_stream *stream, struct bytes value)
{
	struct bytes rest = bytes_sub(value, 0, SHOWN_MAX);
	struct buf text = {0};

	while (rest.len) { /* line ends stay, everything else that moves a cursor is escaped */
		size_t end = bytes_index(rest, '\n');

		text_escape(&text, bytes_sub(rest, 0, end));
		buf_add_char(&text, '\n');
		rest = bytes_sub(rest, end + 1, rest.len);
	}
	if (value.len > SHOWN_MAX)
		buf_printf(&text, "… %zu bytes more\n", value.len - SHOWN_MAX);
	out_stream_write(stream, buf_bytes(&text));
	buf_release(&text);
}

void out_view_pretty(struct out_stream *stream, const struct out_terminal *terminal,
		     struct bytes value)
{
	if (is_json(value))
		out_jsonview(stream, terminal, value, SHOWN_MAX);
	else if (is_text(value))
		show_text(stream, value);
	else
		out_hexdump(stream, value, DUMPED_MAX);
}

void out_view_value(struct out_stream *stream, const struct out_terminal *terminal,
		    struct bytes value)
{
	if (terminal->is_tty)
		out_view_pretty(stream, terminal, value);
	else
		out_stream_write(stream, value);
}
