#include "base/buf.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 * 1024)

char *buf_reserve(struct buf *buf, size_t more)
{
	size_t need = 0;

	if (__builtin_add_overflow(buf->len, more, &need) ||
	    __builtin_add_overflow(need, (size_t)1, &need))
		need = SIZE_MAX; /* mem_realloc aborts */
	if (need > buf->size) {
		size_t size = buf->size < 64 ? 64 : buf->size + buf->size / 2;

		buf->size = size < need ? need : size;
		buf->ptr = mem_realloc(buf->ptr, buf->size);
	}
	return buf->ptr + buf->len;
}

void buf_add(struct buf *buf, struct bytes b)
{
	char *at = buf_reserve(buf, b.len);

	if (b.len)
		memcpy(at, b.ptr, b.len);
	buf->len += b.len;
	buf->ptr[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, const char *str)
{
	buf_add(buf, bytes_of(str));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, (struct bytes){&c, 1});
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len > 0) {
		vsnprintf(buf_reserve(buf, (size_t)len), (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void buf_consume(struct buf *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (n == 0)
		return;
	buf->len -= n;
	memmove(buf->ptr, buf->ptr + n, buf->len + 1);
}

int buf_read_fd(struct buf *buf, int fd, size_t most)
{
	for (;;) {
		ssize_t got = read(fd, buf_reserve(buf, READ_BYTES), READ_BYTES);

		if (got > 0)
			buf->len += (size_t)got;
		buf->ptr[buf->len] = '\0';
		if (got <= 0)
			return got < 0 ? -1 : 0;
		if (buf->len > most) {
			errno = EFBIG;
			return -1;
		}
	}
}

int buf_read_file(struct buf *buf, const char *path, size_t most)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int status = buf_read_fd(buf, fd, most);
	int problem = errno;
	close(fd);
	errno = problem;
	return status;
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->ptr)
		buf->ptr[0] = '\0';
}

void buf_release(struct buf *buf)
{
	free(buf->ptr);
	*buf = (struct buf){0};
}

struct bytes buf_bytes(const struct buf *buf)
{
	return (struct bytes){buf->ptr, buf->len};
}

const char *buf_str(const struct buf *buf)
{
	return buf->ptr ? buf->ptr : "";
}

char *buf_steal(struct buf *buf)
{
	char *ptr = buf->ptr ? buf->ptr : mem_strdup("");

	*buf = (struct buf){0};
	return ptr;
}
