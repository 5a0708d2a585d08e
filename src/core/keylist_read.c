#include "core/keylist.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)
#define KEY_MAX ((size_t)512 * 1024 * 1024) /* the server's own */

/* A name that is whole. Blank lines are none; between NULs the empty key is one. */
static int take(struct keylist *list, struct bytes key, char separator, uint64_t max,
		struct err *err)
{
	if (key.len == 0 && separator == '\n')
		return 0;
	if (list->count >= max)
		return err_set(
		    err, ERR_REFUSED,
		    "more than %llu keys are named; raise the limit with --max-keys N",
		    (unsigned long long)max);
	keylist_add(list, key);
	return 0;
}

/* The names in piece; behind them stays the beginning of one, of which *searched bytes are
 * known to hold no separator. */
static int take_all(struct keylist *list, struct buf *piece, size_t *searched, char separator,
		    uint64_t max, struct err *err)
{
	struct bytes rest = buf_bytes(piece);
	size_t from = *searched;

	for (;;) {
		size_t end = from + bytes_index(bytes_sub(rest, from, rest.len), separator);

		if (end == rest.len)
			break;
		if (take(list, bytes_sub(rest, 0, end), separator, max, err) != 0)
			return -1;
		rest = bytes_sub(rest, end + 1, rest.len);
		from = 0;
	}
	*searched = rest.len;
	buf_consume(piece, piece->len - rest.len);
	return 0;
}

static int read_all(struct keylist *list, int fd, const char *name, char separator,
		    uint64_t max, struct err *err)
{
	struct buf piece = {0};
	size_t searched = 0;
	ssize_t n = 1;
	int status = 0;

	while (status == 0 && n > 0) {
		n = read(fd, buf_reserve(&piece, PIECE), PIECE);
		if (n < 0)
			status = err_set(err, errno == EINTR ? ERR_INTERRUPTED : ERR_USAGE,
					 "--keys %s: %s", name, strerror(errno));
		else
			piece.len += (size_t)n;
		if (status == 0)
			status = take_all(list, &piece, &searched, separator, max, err);
		if (status == 0 && piece.len > KEY_MAX)
			status = err_set(err, ERR_USAGE,
					 "--keys %s: a key longer than Redis allows (512 MiB)",
					 name);
	}
	if (status == 0 && piece.len)
		status = take(list, buf_bytes(&piece), separator, max, err);
	buf_release(&piece);
	return status;
}

int keylist_read(struct keylist *list, const char *path, char separator, uint64_t max,
		 struct err *err)
{
	if (strcmp(path, "-") == 0)
		return read_all(list, STDIN_FILENO, "-", separator, max, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_USAGE, "--keys %s: %s", path, strerror(errno));
	int status = read_all(list, fd, path, separator, max, err);
	close(fd);
	return status;
}
