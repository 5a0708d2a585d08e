#include "out/stream.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "out/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FULL = 64 * 1024,
	PIECE = 4096,   /* a pipe that has room has room for it: PIPE_BUF */
	LOOK_MS = 250,  /* at *cancel, while a reader does not read */
	LAST_MS = 1000, /* then, for it to read after all */
};

struct out_stream {
	int fd;
	int error; /* errno of the first failure */
	char *name;
	struct buf pending;
	bool amid_line;
	const volatile int *cancel; /* may be NULL */
	size_t most;                /* of a stream that keeps; 0: it writes */
	struct {
		bool on;
		unsigned width, height;
		struct out_pager program; /* runs when its pid is set */
		int fd;                   /* of the stream before */
	} page;
};

struct out_stream *out_stream_new(int fd, const char *name)
{
	struct out_stream *stream = mem_zalloc(1, sizeof *stream);

	stream->fd = fd;
	stream->name = mem_strdup(name);
	return stream;
}

struct out_stream *out_stream_new_kept(size_t most)
{
	struct out_stream *stream = out_stream_new(-1, "memory");

	stream->most = most;
	return stream;
}

struct bytes out_stream_kept(const struct out_stream *stream)
{
	return buf_bytes(&stream->pending);
}

void out_stream_free(struct out_stream *stream)
{
	if (!stream)
		return;
	buf_release(&stream->pending);
	free(stream->name);
	free(stream);
}

void out_stream_heed(struct out_stream *stream, const volatile int *cancel)
{
	struct stat at;
	bool waits =
	    fstat(stream->fd, &at) == 0 && (S_ISFIFO(at.st_mode) || S_ISSOCK(at.st_mode));

	stream->cancel = waits ? cancel : NULL;
}

/* Bytes taken by the descriptor, 0 to try again, -1 on a failure. */
static ssize_t write_some(const struct out_stream *stream, struct bytes b)
{
	struct pollfd ready = {.fd = stream->fd, .events = POLLOUT};

	if (stream->cancel && !stream->page.on) {
		bool last = *stream->cancel != 0;
		int count = poll(&ready, 1, last ? LAST_MS : LOOK_MS);

		if (count == 0 && last)
			errno = ETIMEDOUT;
		if (count <= 0)
			return (count == 0 && !last) || errno == EINTR ? 0 : -1;
		b = bytes_sub(b, 0, PIECE);
	}
	ssize_t n = write(stream->fd, b.ptr, b.len);

	if (n >= 0 || errno == EINTR)
		return n < 0 ? 0 : n;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return -1;
	return poll(&ready, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

/* False while the screen can hold what there is. */
static bool start_pager(struct out_stream *stream)
{
	if (!out_pager_exceeds(buf_bytes(&stream->pending), stream->page.width,
			       stream->page.height))
		return false;
	if (out_pager_start(&stream->page.program) == 0)
		stream->fd = stream->page.program.fd;
	else
		stream->page.on = false; /* then it scrolls by */
	return true;
}

static void drain(struct out_stream *stream)
{
	struct bytes left = buf_bytes(&stream->pending);

	if (stream->most) {
		if (left.len > stream->most)
			stream->pending.len = stream->most;
		return;
	}
	if (stream->page.on && !stream->page.program.pid && !start_pager(stream))
		return;
	if (left.len)
		stream->amid_line = left.ptr[left.len - 1] != '\n' && !stream->page.program.pid;

	while (left.len && !stream->error) {
		ssize_t n = write_some(stream, left);

		if (n < 0)
			stream->error = errno;
		else
			left = bytes_sub(left, (size_t)n, left.len);
	}
	buf_clear(&stream->pending);
}

void out_stream_write(struct out_stream *stream, struct bytes b)
{
	if (stream->error)
		return;
	buf_add(&stream->pending, b);
	if (stream->pending.len >= FULL)
		drain(stream);
}

void out_stream_printf(struct out_stream *stream, const char *format, ...)
{
	va_list args;

	if (stream->error)
		return;
	va_start(args, format);
	buf_vprintf(&stream->pending, format, args);
	va_end(args);
	if (stream->pending.len >= FULL)
		drain(stream);
}

int out_stream_flush(struct out_stream *stream, struct err *err)
{
	drain(stream);
	if (!stream->error)
		return 0;
	return err_set(err, ERR_OUTPUT, "%s: %s", stream->name,
		       stream->error == ETIMEDOUT ? "nobody reads it: the rest is lost"
						  : strerror(stream->error));
}

void out_stream_page(struct out_stream *stream, unsigned width, unsigned height)
{
	stream->page.on = true;
	stream->page.width = width;
	stream->page.height = height;
	stream->page.program.pid = 0;
	stream->page.fd = stream->fd;
}

void out_stream_page_end(struct out_stream *stream)
{
	drain(stream);
	bool paged = stream->page.program.pid != 0;
	stream->page.on = stream->page.on && paged;
	drain(stream);
	if (paged) {
		out_pager_finish(&stream->page.program);
		stream->page.program.pid = 0;
		stream->fd = stream->page.fd;
		if (stream->error == EPIPE)
			stream->error = 0;
	}
	stream->page.on = false;
}

void out_stream_fail(struct out_stream *stream, int error)
{
	if (!stream->error)
		stream->error = error;
}

bool out_stream_at_line_start(const struct out_stream *stream)
{
	return !stream->amid_line;
}

bool out_stream_failed(const struct out_stream *stream)
{
	return stream->error != 0;
}

bool out_stream_closed(const struct out_stream *stream)
{
	return stream->error == EPIPE;
}
