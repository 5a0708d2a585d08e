#include "out/frame.h"

#include "base/buf.h"
#include "base/text.h"
#include "out/stream.h"
#include "out/terminal.h"

/* Appends a line, cut to so many columns; styles in it stay. */
static void put_cut(struct buf *buf, struct bytes line, unsigned width)
{
	unsigned columns = 0;

	for (size_t at = 0; at < line.len;) {
		size_t len = 1;

		if (line.ptr[at] == '\033') {
			while (at + len < line.len && (len < 2 || line.ptr[at + len] < '@' ||
						       line.ptr[at + len] > '~'))
				len++;
			len += at + len < line.len;
		} else {
			len = bytes_utf8_len(bytes_sub(line, at, line.len));
			len = len ? len : 1;
			if (++columns > width) {
				at += len;
				continue;
			}
		}
		buf_add(buf, bytes_sub(line, at, len));
		at += len;
	}
}

void out_frame_draw(struct out_stream *stream, const struct out_terminal *terminal,
		    const char *title, struct bytes body, bool first)
{
	struct buf frame = {0};
	struct buf head = {0};
	size_t total = 0;
	size_t shown = 0;

	for (size_t i = 0; i < body.len; i++)
		total += body.ptr[i] == '\n';
	/* title, blank line, and one line that stays free for messages */
	size_t room = terminal->height > 4 ? terminal->height - 3 : 1;
	if (total > room)
		room--;
	text_escape(&head, bytes_of(title));
	buf_add_str(&frame, first ? "\033[H\033[2J" : "\033[H");
	buf_add_str(&frame, out_style(terminal, OUT_STYLE_BOLD));
	put_cut(&frame, buf_bytes(&head), terminal->width);
	buf_printf(&frame, "%s\033[K\n\033[K\n", out_style(terminal, OUT_STYLE_NONE));
	for (struct bytes rest = body; rest.len && shown < room; shown++) {
		size_t end = bytes_index(rest, '\n');

		put_cut(&frame, bytes_sub(rest, 0, end), terminal->width);
		buf_add_str(&frame, "\033[K\n");
		rest = bytes_sub(rest, end + 1, rest.len);
	}
	if (total > shown)
		buf_printf(&frame, "(%zu lines more)\033[K\n", total - shown);
	buf_add_str(&frame, "\033[J");
	out_stream_write(stream, buf_bytes(&frame));
	buf_release(&frame);
	buf_release(&head);
}
