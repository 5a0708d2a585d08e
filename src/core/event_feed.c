#include "core/event_feed.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 * 1024)

void event_item_name(struct event_item *item, struct bytes name_at, struct mem_arena *arena)
{
	item->bad = event_name(item->event.data, name_at, arena, &item->event.name,
			       &item->problem) != 0;
}

/* --- lines --- */

struct lines {
	struct event_feed feed;
	int fd;
	struct bytes name_at;
	const volatile int *cancel;
	struct buf input;
	size_t at;      /* where the next line begins */
	size_t scanned; /* no line end before */
	uint64_t line;
	bool too_long; /* the line under way is left out up to its end */
	bool end;
};

static void add_line(struct lines *lines, struct event_batch *batch, struct bytes text)
{
	struct event_item *item = &batch->items[batch->count];

	lines->line++;
	if (text.len && text.ptr[text.len - 1] == '\r')
		text.len--;
	if (text.len == 0 && !lines->too_long)
		return;
	*item = (struct event_item){.line = lines->line, .event = {.data = text}};
	if (lines->too_long) {
		item->bad = true;
		err_set(&item->problem, ERR_USAGE, "longer than %zu MiB", EVENT_DATA_MAX >> 20);
	} else {
		event_item_name(item, lines->name_at, &batch->arena);
	}
	lines->too_long = false;
	batch->count++;
}

/* Lines that are there in full. */
static void take_lines(struct lines *lines, struct event_batch *batch)
{
	while (batch->count < batch->max && lines->scanned < lines->input.len) {
		const char *from = lines->input.ptr + lines->scanned;
		const char *end = memchr(from, '\n', lines->input.len - lines->scanned);

		if (!end) {
			lines->scanned = lines->input.len;
			break;
		}
		size_t stop = (size_t)(end - lines->input.ptr);
		add_line(lines, batch,
			 bytes_sub(buf_bytes(&lines->input), lines->at, stop - lines->at));
		lines->at = lines->scanned = stop + 1;
	}
	if (lines->end && batch->count < batch->max && lines->at < lines->input.len) {
		add_line(lines, batch,
			 bytes_sub(buf_bytes(&lines->input), lines->at, lines->input.len));
		lines->at = lines->scanned = lines->input.len;
	}
}

static int wait_readable(const struct lines *lines, int wait_ms, struct err *err)
{
	struct pollfd poll_fd = {.fd = lines->fd, .events = POLLIN};
	int ready = lines->cancel && *lines->cancel ? 0 : poll(&poll_fd, 1, wait_ms);

	if (ready < 0 && errno != EINTR)
		return err_set(err, ERR_OUTPUT, "standard input: %s", strerror(errno));
	return ready > 0;
}

static int read_more(struct lines *lines, struct err *err)
{
	buf_consume(&lines->input, lines->at);
	lines->scanned -= lines->at;
	lines->at = 0;
	if (lines->input.len > EVENT_DATA_MAX) { /* all of it is one line */
		lines->too_long = true;
		buf_release(&lines->input);
		lines->scanned = 0;
	}
	ssize_t got = read(lines->fd, buf_reserve(&lines->input, CHUNK), CHUNK);
	if (got < 0 && errno != EINTR && errno != EAGAIN)
		return err_set(err, ERR_OUTPUT, "standard input: %s", strerror(errno));
	lines->input.len += got > 0 ? (size_t)got : 0;
	lines->end = got == 0;
	return 0;
}

static int lines_next(struct event_feed *feed, struct event_batch *batch, int wait_ms,
		      struct err *err)
{
	struct lines *lines = (struct lines *)feed;

	take_lines(lines, batch);
	if (batch->count > 0 || lines->end)
		return lines->end && lines->at == lines->input.len && batch->count == 0;
	int ready = wait_readable(lines, wait_ms, err);
	if (ready <= 0)
		return ready;
	if (read_more(lines, err) != 0)
		return -1;
	take_lines(lines, batch);
	return 0;
}

static int lines_done(struct event_feed *feed, struct event_batch *batch, struct err *err)
{
	(void)feed;
	(void)batch;
	(void)err;
	return 0;
}

static int64_t lines_waiting(struct event_feed *feed)
{
	(void)feed;
	return -1;
}

static void lines_free(struct event_feed *feed, bool clean)
{
	struct lines *lines = (struct lines *)feed;

	(void)clean;
	buf_release(&lines->input);
	free(lines);
}

struct event_feed *event_feed_lines(int fd, const struct event_feed_options *options)
{
	struct lines *lines = mem_zalloc(1, sizeof *lines);

	lines->feed = (struct event_feed){.next = lines_next,
					  .done = lines_done,
					  .waiting = lines_waiting,
					  .free = lines_free};
	lines->fd = fd;
	lines->name_at = options->name_at;
	lines->cancel = options->cancel;
	return &lines->feed;
}
