#include "out/stderr.h"

#include "out/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static const volatile int *heeded;
static bool given_up;

void out_stderr_heed(const volatile int *cancel)
{
	heeded = cancel;
}

void out_stderr_write(struct bytes b)
{
	if (given_up)
		return;
	struct out_stream *stream = out_stream_new(STDERR_FILENO, "standard error");
	out_stream_heed(stream, heeded);
	out_stream_write(stream, b);
	out_stream_flush(stream, NULL);
	given_up = out_stream_failed(stream) && heeded && *heeded;
	out_stream_free(stream);
}
