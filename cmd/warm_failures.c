#include "warm_failures.h"

#include "base/err.h"
#include "base/mem.h"
#include "out/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct warm_failures {
	int fd;
	char *name;
	struct out_stream *stream;
};

static bool is_input(const char *path, const char *input)
{
	struct stat to, from;

	if (!input || stat(path, &to) != 0 || !S_ISREG(to.st_mode))
		return false;
	int status = strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &from) : stat(input, &from);
	return status == 0 && to.st_dev == from.st_dev && to.st_ino == from.st_ino;
}

int warm_failures_open(const char *path, const char *input, const volatile int *cancel,
		       struct warm_failures **ret_failures, struct err *err)
{
	if (is_input(path, input))
		return err_set(err, ERR_USAGE,
			       "--failures %s: what is to be warmed is read from there; name "
			       "another file",
			       path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EINTR)
		return err_set(err, ERR_INTERRUPTED, "interrupted: nobody reads --failures %s",
			       path);
	if (fd < 0)
		return err_set(err, ERR_USAGE, "--failures %s: %s", path, strerror(errno));
	struct warm_failures *failures = mem_zalloc(1, sizeof *failures);
	failures->fd = fd;
	failures->name = mem_printf("--failures %s", path);
	failures->stream = out_stream_new(fd, failures->name);
	out_stream_heed(failures->stream, cancel);
	*ret_failures = failures;
	return 0;
}

void warm_failures_add(struct warm_failures *failures, struct bytes vars)
{
	out_stream_write(failures->stream, vars);
	out_stream_write(failures->stream, BYTES("\n"));
	out_stream_flush(failures->stream,
			 NULL); /* failures are few, and a kill must not lose them */
}

int warm_failures_close(struct warm_failures *failures, struct err *err)
{
	if (!failures)
		return 0;
	int status = out_stream_flush(failures->stream, err);
	out_stream_free(failures->stream);
	if (close(failures->fd) != 0 && status == 0)
		status = err_set(err, ERR_OUTPUT, "--failures: %s", strerror(errno));
	free(failures->name);
	free(failures);
	return status;
}
