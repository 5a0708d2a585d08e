#include "source/file.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "source/fetch.h"
#include "source/local.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_A_TURN 64 /* so that a cancel is noticed between slow ones */
#define READ_SIZE ((size_t)64 * 1024)
#define KEEP_MEMORY ((size_t)256 * 1024)
#define OPEN_TRIES 8 /* a rename in the tree may disturb the look-up */

struct file {
	struct local local;
	int root; /* -1: not open yet */
	struct buf path;
	struct buf body;
};

static int open_root(struct file *file, enum source_cause *ret_cause, struct err *err)
{
	if (file->root < 0)
		file->root = open(file->local.def->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (file->root >= 0)
		return 0;
	*ret_cause = SOURCE_CAUSE_CONNECT;
	return err_set(err, ERR_SOURCE, "cannot open the root: %s; see sources.%s.file.root",
		       strerror(errno), file->local.def->name);
}

static int decode_byte(struct bytes text)
{
	int high = text.len >= 3 ? num_hex_digit(text.ptr[1]) : -1;
	int low = text.len >= 3 ? num_hex_digit(text.ptr[2]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Appends one decoded name. An encoded slash is no separator: such a name does not exist. */
static int decode_segment(struct bytes segment, struct buf *path, struct err *err)
{
	size_t start = path->len;

	for (size_t i = 0; i < segment.len; i++) {
		int c = (unsigned char)segment.ptr[i];

		if (c == '%') {
			c = decode_byte(bytes_sub(segment, i, segment.len));
			i += 2;
		}
		if (c < 0)
			return err_set(err, ERR_ITEM, "the path is not percent-encoded");
		if (c == '\0' || c == '/')
			return err_set(err, ERR_ITEM, "a file's name cannot hold %s",
				       c ? "'/'" : "a NUL byte");
		buf_add_char(path, (char)c);
	}
	struct bytes name = bytes_sub(buf_bytes(path), start, path->len);
	if (name.len == 0 || bytes_equal_str(name, ".") || bytes_equal_str(name, ".."))
		return err_set(err, ERR_ITEM, "'%.*s' is not a file's name", BYTES_ARG(name));
	return 0;
}

/* "/a%20b/c.json" → "a b/c.json" */
static int decode_path(struct bytes text, struct buf *path, struct err *err)
{
	buf_clear(path);
	do {
		size_t end = bytes_index(bytes_sub(text, 1, text.len), '/');

		if (text.len == 0 || text.ptr[0] != '/')
			return err_set(err, ERR_ITEM, "the path does not begin with '/'");
		if (path->len)
			buf_add_char(path, '/');
		if (decode_segment(bytes_sub(text, 1, end), path, err) < 0)
			return -1;
		text = bytes_sub(text, end + 1, text.len);
	} while (text.len);
	return 0;
}

/* openat2(2): the kernel itself keeps the look-up below root. */
static int open_beneath(int root, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = -1;

	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

static int explain_open(enum source_cause *ret_cause, struct err *err)
{
	if (errno == EXDEV) {
		*ret_cause = SOURCE_CAUSE_REDIRECT;
		return err_set(err, ERR_ITEM, "a symbolic link leads out of the root");
	}
	*ret_cause = SOURCE_CAUSE_BODY;
	if (errno == ENOSYS)
		return err_set(err, ERR_SOURCE, "this kernel cannot confine a path (openat2)");
	return err_set(err, ERR_ITEM, "%s", strerror(errno));
}

static int read_body(struct file *file, int fd, struct err *err)
{
	uint64_t limit = file->local.def->max_body;
	struct stat about;
	ssize_t got = -1;

	if (fstat(fd, &about) < 0)
		return err_set(err, ERR_ITEM, "%s", strerror(errno));
	if (!S_ISREG(about.st_mode))
		return err_set(err, ERR_ITEM, "%s",
			       S_ISDIR(about.st_mode) ? "is a directory"
						      : "is not a regular file");
	do {
		got = read(fd, buf_reserve(&file->body, READ_SIZE), READ_SIZE);
		if (got > 0)
			file->body.len += (size_t)got;
		if (limit && file->body.len > limit)
			return err_set(err, ERR_ITEM,
				       "is larger than %" PRIu64
				       " bytes; raise sources.%s.max_body",
				       limit, file->local.def->name);
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 ? err_set(err, ERR_ITEM, "%s", strerror(errno)) : 0;
}

/* Fills all of *result; on a failure err too. */
static void ask(struct file *file, const char *path, struct local_result *result,
		struct err *err)
{
	*result = (struct local_result){.cause = SOURCE_CAUSE_REDIRECT};
	buf_clear(&file->body);
	if (decode_path(bytes_of(path), &file->path, err) < 0 ||
	    open_root(file, &result->cause, err) < 0)
		return;
	int fd = open_beneath(file->root, buf_str(&file->path));
	if (fd >= 0) {
		result->cause = SOURCE_CAUSE_BODY;
		if (read_body(file, fd, err) == 0)
			*result = (struct local_result){.found = true,
							.body = buf_bytes(&file->body)};
		close(fd);
	} else if (errno == ENOENT || errno == ENOTDIR) {
		*result = (struct local_result){.found = false};
	} else {
		explain_open(&result->cause, err);
	}
}

static uint64_t turn(struct local *local, uint64_t now_ns)
{
	struct file *file = (struct file *)local;

	(void)now_ns;
	for (int i = 0; i < FILES_A_TURN && local->first; i++) {
		struct fetch *fetch = local_pop(local);
		struct local_result result;
		struct err err = {0};

		fetch_launch(fetch);
		ask(file, fetch->request->path, &result, &err);
		local->done(local->ctx, fetch, &result, &err);
		if (file->body.size > KEEP_MEMORY)
			buf_release(&file->body);
	}
	return local->first ? 0 : LOCAL_NEVER;
}

static void waits(const struct local *local, struct local_waits *list)
{
	(void)local;
	(void)list;
}

static struct fetch *uproot(struct local *local, struct fetch *list)
{
	(void)local;
	return list;
}

static void release(struct local *local)
{
	struct file *file = (struct file *)local;

	if (file->root >= 0)
		close(file->root);
	buf_release(&file->path);
	buf_release(&file->body);
	free(file);
}

static const struct local_kind kind = {turn, waits, uproot, release};

struct local *file_new(const struct source_def *def)
{
	struct file *file = mem_zalloc(1, sizeof *file);

	file->local = (struct local){.kind = &kind, .def = def};
	file->root = -1;
	return &file->local;
}
