#ifndef OUT_STREAM_H
#define OUT_STREAM_H

#include "base/bytes.h"

#include <stdbool.h>

struct err;

/*
 * A buffered descriptor with a sticky error: writes after a failure do
 * nothing, out_stream_flush tells the failure. Handles short writes, EINTR and
 * EAGAIN (a non-blocking pipe). SIGPIPE must be ignored by the program.
 */
struct out_stream;
/* name is for messages: "standard output". */
struct out_stream *out_stream_new(int fd, const char *name);
/*
 * A stream that keeps what is written, at most `most` bytes (the rest is
 * dropped), for out_stream_kept; flushing does nothing.
 */
struct out_stream *out_stream_new_kept(size_t most);
struct bytes out_stream_kept(const struct out_stream *stream);
/* Does not close fd and drops what was not flushed; NULL is nothing. */
void out_stream_free(struct out_stream *stream);
void out_stream_write(struct out_stream *stream, struct bytes b);
void out_stream_printf(struct out_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Of a pipe: after *cancel a reader that does not read is waited for a second. */
void out_stream_heed(struct out_stream *stream, const volatile int *cancel);
/*
 * 0, or -1 with ERR_OUTPUT ("standard output: No space left on device"). Of a
 * closed pipe nothing should be shown: ask out_stream_closed.
 */
int out_stream_flush(struct out_stream *stream, struct err *err);
/*
 * From now on what a terminal's screen of this size cannot hold goes through
 * the user's pager, as soon as it exceeds it; until then flushing holds it back.
 */
void out_stream_page(struct out_stream *stream, unsigned width, unsigned height);
/* Shows what was held back, or waits until the user has left the pager. Nothing when not
 * paging. That the user left early is no failure. */
void out_stream_page_end(struct out_stream *stream);
/* Makes the stream fail with an errno, when what it should carry cannot be made. */
void out_stream_fail(struct out_stream *stream, int error);
/* False when something was written and did not end in a line end. */
bool out_stream_at_line_start(const struct out_stream *stream);
bool out_stream_failed(const struct out_stream *stream);
/* The reader went away (EPIPE): stop quietly. */
bool out_stream_closed(const struct out_stream *stream);

#endif
