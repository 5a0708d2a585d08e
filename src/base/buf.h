#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Growable bytes. Zero-initialise, release with buf_release. When ptr is not
 * NULL there is always a NUL behind the last byte (not counted), so text
 * buffers may be handed to C functions.
 */
struct buf {
	char *ptr;
	size_t len;
	size_t size;
};

void buf_add(struct buf *buf, struct bytes b);
void buf_add_str(struct buf *buf, const char *str);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Makes room for more bytes and returns where they go; commit with buf->len += n. */
char *buf_reserve(struct buf *buf, size_t more);
/*
 * Adds what fd still holds. -1 with errno of read(2), or EFBIG once the buffer
 * holds more than `most` bytes.
 */
int buf_read_fd(struct buf *buf, int fd, size_t most);
/* The same of a file; errno may be one of open(2), too. */
int buf_read_file(struct buf *buf, const char *path, size_t most);
/* Drops the first n bytes. */
void buf_consume(struct buf *buf, size_t n);
/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *buf);
void buf_release(struct buf *buf);
/* A view, valid until the next change. */
struct bytes buf_bytes(const struct buf *buf);
/* NUL-terminated text; "" when empty. */
const char *buf_str(const struct buf *buf);
/* Hands the malloc'd, NUL-terminated memory to the caller; buf is empty again. */
char *buf_steal(struct buf *buf);

#endif
