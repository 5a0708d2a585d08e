#include "out/screen.h"

#include "out/stream.h"
#include "out/terminal.h"

#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

void out_screen_draw(struct out_stream *stream, const struct out_terminal *terminal,
		     struct bytes text)
{
	out_stream_write(stream, BYTES(HOME));
	for (unsigned line = 1; line < terminal->height && text.len > 0; line++) {
		size_t end = bytes_index(text, '\n');

		out_stream_write(stream, bytes_sub(text, 0, end));
		out_stream_write(stream, BYTES(CLEAR_LINE "\n"));
		text = bytes_sub(text, end + 1, text.len);
	}
	out_stream_write(stream, BYTES(CLEAR_BELOW));
}
