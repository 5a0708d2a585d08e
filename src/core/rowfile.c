#include "core/rowfile.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one read asks for: it and what is made of it stay in the processor's cache. */
#define PIECE ((size_t)256 * 1024)

struct rowfile {
	int fd;
	const char *name;
	char *data;
	size_t size;
	size_t start;   /* of what was not walked over */
	size_t scanned; /* no line ends before it */
	size_t end;
	uint64_t line;
	uint64_t read_bytes;
	uint64_t file_size; /* 0: not known */
	bool may_wait;
	bool ended;
	bool skipping; /* inside a line that is too long */
};

int rowfile_open(const char *path, struct rowfile **ret_file, struct err *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct stat info = {0};

	if (fd < 0 || fstat(fd, &info) != 0)
		return err_set(err, ERR_USAGE, "%s: %s", path, strerror(errno));
	if (S_ISDIR(info.st_mode)) {
		if (!standard_input)
			close(fd);
		return err_set(err, ERR_USAGE, "%s: it is a directory; name a file of rows",
			       path);
	}
	struct rowfile *file = mem_zalloc(1, sizeof *file);
	file->fd = fd;
	file->name = standard_input ? "standard input" : path;
	file->may_wait = !S_ISREG(info.st_mode);
	file->file_size = file->may_wait ? 0 : (uint64_t)info.st_size;
	file->size = PIECE;
	file->data = mem_alloc(file->size);
	*ret_file = file;
	return 0;
}

void rowfile_close(struct rowfile *file)
{
	if (!file)
		return;
	if (file->fd != STDIN_FILENO)
		close(file->fd);
	free(file->data);
	free(file);
}

const char *rowfile_name(const struct rowfile *file)
{
	return file->name;
}

uint64_t rowfile_line(const struct rowfile *file)
{
	return file->line;
}

bool rowfile_may_wait(const struct rowfile *file)
{
	return file->may_wait;
}

int rowfile_fd(const struct rowfile *file)
{
	return file->fd;
}

double rowfile_share(const struct rowfile *file)
{
	uint64_t walked = file->read_bytes - (file->end - file->start);

	return file->file_size ? (double)walked / (double)file->file_size : 0;
}

static bool is_blank(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!memchr(" \t\r", line.ptr[i], 3))
			return false;
	return true;
}

/* Takes the next line off, its end included: false when it is not all there. */
static bool take_line(struct rowfile *file, struct bytes *ret_line)
{
	const char *from = file->data + file->scanned;
	const char *line_end = memchr(from, '\n', file->end - file->scanned);
	size_t end = line_end ? (size_t)(line_end - file->data) : file->end;

	file->scanned = end;
	if (!line_end && (!file->ended || file->start == file->end))
		return false;
	*ret_line = (struct bytes){file->data + file->start, end - file->start};
	file->start = file->scanned = end + (line_end != NULL);
	return true;
}

/* Lets go of what is there of a line that is too long. */
static enum rowfile_status skip_on(struct rowfile *file)
{
	bool told = file->skipping;

	file->start = file->scanned = file->end;
	file->skipping = true;
	if (told)
		return ROWFILE_MORE;
	file->line++;
	return ROWFILE_LONG;
}

enum rowfile_status rowfile_next(struct rowfile *file, struct bytes *ret_row)
{
	struct bytes line;

	while (take_line(file, &line)) {
		if (file->skipping) {
			file->skipping = false;
			continue;
		}
		file->line++;
		if (line.len > ROWFILE_ROW_MAX)
			return ROWFILE_LONG;
		if (is_blank(line))
			continue;
		*ret_row = line;
		return ROWFILE_ROW;
	}
	if (file->ended)
		return ROWFILE_END;
	if (file->skipping || file->end - file->start > ROWFILE_ROW_MAX)
		return skip_on(file);
	return ROWFILE_MORE;
}

/* Why the beginning of a file cannot be rows; NULL: it may be. */
static const char *foreign(struct bytes begin)
{
	static const struct {
		struct bytes magic;
		const char *what;
	} kinds[] = {
	    {{"\x1f\x8b", 2}, "it is compressed by gzip: zcat FILE | ccache warm --from -"},
	    {{"\x28\xb5\x2f\xfd", 4},
	     "it is compressed by zstd: zstdcat FILE | ccache warm --from -"},
	    {{"\xfd\x37zXZ", 5}, "it is compressed by xz: xzcat FILE | ccache warm --from -"},
	    {{"\xff\xfe", 2}, "it is UTF-16: JSON is UTF-8"},
	    {{"\xfe\xff", 2}, "it is UTF-16: JSON is UTF-8"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (bytes_starts_with(begin, kinds[i].magic))
			return kinds[i].what;
	return memchr(begin.ptr, '\0', begin.len) ? "it is binary, not rows of JSON" : NULL;
}

/* Room for a piece behind what is left. */
static void make_room(struct rowfile *file)
{
	size_t left = file->end - file->start;

	if (file->start > 0) {
		memmove(file->data, file->data + file->start, left);
		file->scanned -= file->start;
		file->start = 0;
		file->end = left;
	}
	if (file->size - file->end < PIECE / 2) {
		file->size *= 2;
		file->data = mem_realloc(file->data, file->size);
	}
}

int rowfile_read(struct rowfile *file, struct err *err)
{
	make_room(file);
	ssize_t got = read(file->fd, file->data + file->end, file->size - file->end);

	if (got < 0 && errno == EINTR)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (got < 0)
		return err_set(err, file->read_bytes ? ERR_ITEM : ERR_USAGE,
			       "%s:%llu: it cannot be read on: %s", file->name,
			       (unsigned long long)file->line + 1, strerror(errno));
	if (file->read_bytes == 0 && got > 0) {
		const char *why = foreign((struct bytes){file->data, (size_t)got});

		if (why)
			return err_set(err, ERR_USAGE, "%s: %s", file->name, why);
	}
	file->ended = got == 0;
	file->end += (size_t)got;
	file->read_bytes += (uint64_t)got;
	return 0;
}
