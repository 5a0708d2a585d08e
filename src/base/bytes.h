#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A borrowed run of bytes: keys, values, vars, slices of documents. Never
 * NUL-terminated, may hold any byte. ptr may be NULL only when len is 0.
 */
struct bytes {
	const char *ptr;
	size_t len;
};

/* The bytes of a string literal. */
#define BYTES(literal) ((struct bytes){"" literal, sizeof(literal) - 1})
/* Arguments for a "%.*s" in a message; the bytes must be known to be printable. */
#define BYTES_ARG(b) (int)(b).len, (b).ptr

/* A view of a C string (NULL gives no bytes). */
struct bytes bytes_of(const char *str);
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_str(struct bytes a, const char *str);
/* The same, ASCII letters in either case: names of commands and of their options. */
bool bytes_equal_word(struct bytes a, const char *word);
/* memcmp order, shorter first on a common prefix. */
int bytes_compare(struct bytes a, struct bytes b);
bool bytes_starts_with(struct bytes b, struct bytes prefix);
/* Index of the first occurrence of c, or b.len. */
size_t bytes_index(struct bytes b, char c);
/* b from offset on, at most len bytes (both clamped to b). */
struct bytes bytes_sub(struct bytes b, size_t offset, size_t len);
/* True when b is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool bytes_is_utf8(struct bytes b);
/* Length of the well-formed UTF-8 sequence that b (not empty) begins with, or 0. */
size_t bytes_utf8_len(struct bytes b);
/* 64-bit hash for in-memory tables (FNV-1a); not for storage. */
unsigned long long bytes_hash(struct bytes b);

#endif
