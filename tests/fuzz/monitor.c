/* What MONITOR says, read at once and in pieces (the first byte says how long): the same lines,
 * and the same words in each. */
#include "fuzz.h"

#include "base/buf.h"
#include "core/monitor.h"

static int on_line(void *ctx, struct bytes line, bool cut)
{
	struct buf *out = ctx;
	struct buf scratch = {0};
	struct monitor_command command;

	EXPECT(line.len <= MONITOR_LINE_MAX);
	buf_printf(out, "%zu %d", line.len, cut);
	if (monitor_parse(line, cut, &scratch, &command) == 0) {
		EXPECT(command.argc > 0 && command.argc <= MONITOR_ARGS_MAX);
		buf_add(out, command.client);
		for (size_t i = 0; i < command.argc; i++) {
			buf_printf(out, " %zu ", command.argv[i].len);
			buf_add(out, command.argv[i]);
		}
	}
	buf_add_char(out, '\n');
	buf_release(&scratch);
	return 0;
}

static void hear(struct bytes input, size_t piece, struct buf *out)
{
	struct monitor_lines lines = {0};

	for (size_t at = 0; at < input.len; at += piece)
		EXPECT(monitor_feed(&lines, bytes_sub(input, at, piece), on_line, out) == 0);
	monitor_lines_release(&lines);
}

FUZZ(monitor)
{
	struct buf whole = {0};
	struct buf slow = {0};
	size_t piece = input.len > 0 ? 1 + (unsigned char)input.ptr[0] % 31 : 1;

	hear(input, input.len + 1, &whole);
	hear(input, piece, &slow);
	EXPECT(bytes_equal(buf_bytes(&whole), buf_bytes(&slow)));
	buf_release(&whole);
	buf_release(&slow);
}
