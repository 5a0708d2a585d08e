#include "out/file.h"

#include "base/err.h"
#include "base/mem.h"
#include "out/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NAMES_MOST = 100, /* beside it, that others have taken */
	LOOK_MS = 50,     /* whether a FIFO has a reader now */
};

static int fail(const struct out_file *file, int why, struct err *err)
{
	return err_set(err, ERR_OUTPUT, "%s %s: %s", file->option, file->path, strerror(why));
}

static int write_all(const struct out_file *file, int fd, struct bytes b, struct err *err)
{
	char *name = mem_printf("%s %s", file->option, file->path);
	struct out_stream *stream = out_stream_new(fd, name);

	out_stream_heed(stream, file->cancel);
	out_stream_write(stream, b);
	int status = out_stream_flush(stream, err);
	out_stream_free(stream);
	free(name);
	return status;
}

/* --- what is no file --- */

static bool names_descriptor(const char *path)
{
	return strncmp(path, "/dev/std", 8) == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
	       strncmp(path, "/proc/", 6) == 0;
}

static int write_into(const struct out_file *file, struct bytes b, struct err *err)
{
	int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = -1;

	while ((fd = open(file->path, flags)) < 0 && errno == ENXIO) {
		if (file->cancel && *file->cancel)
			return err_set(err, ERR_INTERRUPTED, "interrupted: nobody reads %s %s",
				       file->option, file->path);
		poll(NULL, 0, LOOK_MS);
	}
	if (fd < 0)
		return fail(file, errno, err);
	int status = write_all(file, fd, b, err);
	close(fd);
	return status;
}

/* --- a file --- */

/* In its directory and of no name that a collector of *.prom takes. */
static int open_beside(const char *path, char **ret_name)
{
	for (unsigned i = 0; i < NAMES_MOST; i++) {
		char *name = mem_printf("%s.%ld-%u", path, (long)getpid(), i);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

		if (fd >= 0) {
			*ret_name = name;
			return fd;
		}
		free(name);
		if (errno != EEXIST)
			break;
	}
	return -1;
}

static int replace(const struct out_file *file, const char *path, const struct stat *former,
		   struct bytes b, struct err *err)
{
	mode_t mode = file->mode ? file->mode : former->st_mode & 0777;
	char *name = NULL;
	int fd = open_beside(path, &name);

	if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return err_set(err, ERR_OUTPUT, "%s %s: no file can be made beside it: %s",
			       file->option, file->path, strerror(errno));
	if (fd < 0)
		return fail(file, errno, err);
	int status = write_all(file, fd, b, err);
	if (status == 0 &&
	    ((mode && fchmod(fd, mode) != 0) || fsync(fd) != 0 || rename(name, path) != 0))
		status = fail(file, errno, err);
	if (status != 0)
		unlink(name);
	close(fd);
	free(name);
	return status;
}

int out_file_replace(const struct out_file *file, struct bytes b, struct err *err)
{
	struct stat former = {0};
	sigset_t all, before;

	bool is_there = stat(file->path, &former) == 0;
	if (!is_there && lstat(file->path, &former) == 0)
		return err_set(err, ERR_OUTPUT, "%s %s: a link to what is not there",
			       file->option, file->path);
	if (is_there && S_ISDIR(former.st_mode))
		return fail(file, EISDIR, err);
	if (is_there && (!S_ISREG(former.st_mode) || names_descriptor(file->path)))
		return write_into(file, b, err);
	char *path = is_there ? realpath(file->path, NULL) : mem_strdup(file->path);
	if (!path)
		return fail(file, errno, err);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int status = replace(file, path, &former, b, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	free(path);
	return status;
}
