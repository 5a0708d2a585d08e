#include "stats_render.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "out/stream.h"
#include "out/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ends the sink and the stream; 0 when all of it was written. */
static int finish(struct sink *sink, struct out_stream *stream, struct err *err)
{
	int status = sink_end(sink, err);

	sink_free(sink);
	if (status == 0)
		status = out_stream_flush(stream, err);
	out_stream_free(stream);
	return status;
}

static int read_back(int fd, struct buf *ret_text, struct err *err)
{
	char data[8192];
	ssize_t len = 0;

	if (lseek(fd, 0, SEEK_SET) == 0)
		while ((len = read(fd, data, sizeof data)) > 0)
			buf_add(ret_text, (struct bytes){data, (size_t)len});
	return len < 0 ? err_set(err, ERR_OUTPUT, "memory: %s", strerror(errno)) : 0;
}

static int open_memory(struct err *err)
{
	int fd = memfd_create("page", MFD_CLOEXEC);

	return fd < 0 ? err_set(err, ERR_OUTPUT, "memory: %s", strerror(errno)) : fd;
}

int stats_render(enum out_format format, const struct stats *stats,
		 const struct findings *findings, const struct stats_show *show,
		 struct buf *ret_text, struct err *err)
{
	int fd = open_memory(err);

	if (fd < 0)
		return -1;
	struct out_stream *stream = out_stream_new(fd, "memory");
	struct sink *sink = sink_new(format, stream, NULL);
	sink_begin(sink, "stats", 1);
	stats_view_document(sink, stats, findings, show);
	int status = finish(sink, stream, err);
	if (status == 0)
		status = read_back(fd, ret_text, err);
	close(fd);
	return status;
}

int stats_render_page(const struct out_terminal *terminal, const struct stats_page *page,
		      struct buf *ret_text, struct err *err)
{
	int fd = open_memory(err);

	if (fd < 0)
		return -1;
	struct out_stream *stream = out_stream_new(fd, "memory");
	struct sink *sink = sink_new(OUT_TABLE, stream, terminal);
	sink_begin(sink, "stats", 1);
	stats_page_print(sink, page);
	int status = finish(sink, stream, err);
	if (status == 0)
		status = read_back(fd, ret_text, err);
	close(fd);
	return status;
}

static int fail(const char *path, struct err *err)
{
	return err_set(err, ERR_OUTPUT, "--textfile %s: %s", path, strerror(errno));
}

static int write_whole(int fd, const char *temporary, const char *path, struct bytes text,
		       struct err *err)
{
	struct out_stream *stream = out_stream_new(fd, temporary);
	out_stream_write(stream, text);
	int status = out_stream_flush(stream, err);

	out_stream_free(stream);
	if (status == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
		status = fail(temporary, err);
	if (status == 0 && rename(temporary, path) != 0)
		status = fail(path, err);
	return status;
}

/*
 * FILE.Kq3xZ0 beside it, for mkostemp, which fills the letters in: a name that
 * does not end in .prom, so that collectors pass a half-written file over.
 */
#define TEMPORARY "%s.XXXXXX"

int stats_render_textfile(const char *path, const struct stats *stats,
			  const struct findings *findings, const struct stats_show *show,
			  struct err *err)
{
	struct buf text = {0};
	char *temporary = mem_printf(TEMPORARY, path);
	int status = stats_render(OUT_PROM, stats, findings, show, &text, err);
	int fd = -1;

	if (status == 0 && (fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		status = fail(path, err);
	if (fd >= 0) {
		status = write_whole(fd, temporary, path, buf_bytes(&text), err);
		close(fd);
		if (status != 0)
			unlink(temporary);
	}
	buf_release(&text);
	free(temporary);
	return status;
}
