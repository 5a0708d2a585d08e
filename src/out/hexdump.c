#include "out/hexdump.h"

#include "base/buf.h"
#include "out/stream.h"

#define PER_LINE 16
#define HEX_COLUMNS 40 /* 8 × "ffff " */

static void add_line(struct buf *text, size_t offset, struct bytes line)
{
	buf_printf(text, "%08zx: ", offset);
	size_t column = text->len;
	for (size_t i = 0; i < line.len; i++)
		buf_printf(text, i % 2 ? "%02x " : "%02x", (unsigned char)line.ptr[i]);
	while (text->len < column + HEX_COLUMNS + 1)
		buf_add_char(text, ' ');
	for (size_t i = 0; i < line.len; i++)
		buf_add_char(text,
			     line.ptr[i] >= ' ' && line.ptr[i] <= '~' ? line.ptr[i] : '.');
	buf_add_char(text, '\n');
}

void out_hexdump(struct out_stream *stream, struct bytes b, size_t max)
{
	struct bytes shown = bytes_sub(b, 0, max);
	struct buf text = {0};

	for (size_t at = 0; at < shown.len; at += PER_LINE) {
		buf_clear(&text);
		add_line(&text, at, bytes_sub(shown, at, PER_LINE));
		out_stream_write(stream, buf_bytes(&text));
	}
	if (shown.len < b.len)
		out_stream_printf(stream, "… %zu bytes more\n", b.len - shown.len);
	buf_release(&text);
}
