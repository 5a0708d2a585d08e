#include "core/monitor.h"

#include "base/num.h"
#include "base/text.h"

#include <string.h>

/* --- lines --- */

static void keep(struct monitor_lines *lines, struct bytes part)
{
	size_t room = MONITOR_LINE_MAX - lines->line.len;

	if (part.len > room)
		lines->cut = true;
	buf_add(&lines->line, bytes_sub(part, 0, room));
}

static struct bytes without_return(struct bytes line)
{
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

int monitor_feed(struct monitor_lines *lines, struct bytes data, monitor_line_fn *fn, void *ctx)
{
	while (data.len > 0) {
		size_t end = bytes_index(data, '\n');
		struct bytes part = bytes_sub(data, 0, end);
		int status = 0;

		if (end == data.len) {
			keep(lines, part);
			return 0;
		}
		data = bytes_sub(data, end + 1, data.len);
		if (lines->line.len == 0 && part.len <= MONITOR_LINE_MAX) {
			status = fn(ctx, without_return(part), false);
		} else {
			keep(lines, part);
			status = fn(ctx, without_return(buf_bytes(&lines->line)), lines->cut);
			buf_clear(&lines->line);
			lines->cut = false;
		}
		if (status != 0)
			return -1;
	}
	return 0;
}

void monitor_lines_release(struct monitor_lines *lines)
{
	buf_release(&lines->line);
}

/* --- one line --- */

/* "1339518083.107412" */
static int take_time(struct bytes *rest, uint64_t *ret_us)
{
	size_t end = bytes_index(*rest, ' ');
	size_t dot = bytes_index(bytes_sub(*rest, 0, end), '.');
	uint64_t seconds = 0;
	uint64_t micros = 0;

	if (end - dot != 7 ||
	    num_parse_u64(bytes_sub(*rest, 0, dot), 0, UINT32_MAX * UINT64_C(16), &seconds) !=
		0 ||
	    num_parse_u64(bytes_sub(*rest, dot + 1, 6), 0, 999999, &micros) != 0)
		return -1;
	*ret_us = seconds * 1000000 + micros;
	*rest = bytes_sub(*rest, end + 1, rest->len);
	return 0;
}

/* "[0 127.0.0.1:60866] "; a path of a socket may hold any byte but not `] "`. */
static int take_client(struct bytes *rest, struct monitor_command *command)
{
	size_t space = bytes_index(*rest, ' ');
	const char *end = rest->len > 0 ? memmem(rest->ptr, rest->len, "] \"", 3) : NULL;

	if (!end || rest->ptr[0] != '[' ||
	    num_parse_u64(bytes_sub(*rest, 1, space - 1), 0, UINT32_MAX, &command->db) != 0 ||
	    rest->ptr + space >= end)
		return -1;
	size_t at = (size_t)(end - rest->ptr);
	command->client = bytes_sub(*rest, space + 1, at - space - 1);
	*rest = bytes_sub(*rest, at + 2, rest->len);
	return 0;
}

/* One quoted argument at the start of rest, appended to scratch; -1 when its end is missing. */
static int take_argument(struct bytes *rest, struct buf *scratch)
{
	struct bytes left = bytes_sub(*rest, 1, rest->len);

	if (rest->len == 0 || rest->ptr[0] != '"')
		return -1;
	while (left.len > 0) {
		size_t plain = 0;

		while (plain < left.len && left.ptr[plain] != '"' && left.ptr[plain] != '\\')
			plain++;
		buf_add(scratch, bytes_sub(left, 0, plain));
		left = bytes_sub(left, plain, left.len);
		if (left.len == 0)
			break;
		bool ends = left.ptr[0] == '"';
		left = bytes_sub(left, 1, left.len);
		if (ends) {
			*rest = left;
			return 0;
		}
		if (left.len == 0)
			break;
		buf_add_char(scratch, text_unescape(&left));
	}
	return -1;
}

int monitor_parse(struct bytes line, bool cut, struct buf *scratch,
		  struct monitor_command *ret_command)
{
	struct monitor_command *command = ret_command;
	struct bytes rest = bytes_sub(line, 1, line.len);

	command->argc = 0;
	command->cut = cut;
	if (line.len == 0 || line.ptr[0] != '+' || take_time(&rest, &command->time_us) != 0 ||
	    take_client(&rest, command) != 0)
		return -1;
	buf_clear(scratch);
	buf_reserve(scratch, line.len); /* arguments are no longer than their quoted text: the
					   memory does not move */
	while (rest.len > 0) {
		size_t from = scratch->len;

		if (command->argc == MONITOR_ARGS_MAX || take_argument(&rest, scratch) != 0) {
			command->cut = true;
			break;
		}
		command->argv[command->argc++] =
		    bytes_sub(buf_bytes(scratch), from, scratch->len - from);
		if (rest.len > 0 && rest.ptr[0] == ' ')
			rest = bytes_sub(rest, 1, rest.len);
	}
	return command->argc > 0 ? 0 : -1;
}
