#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/bytes.h"

#include <stddef.h>

/*
 * Allocation that cannot fail: when memory is out, one line goes to standard
 * error and the process aborts. Everything here is released with free().
 */
void *mem_alloc(size_t size);
/* count × size zeroed bytes; aborts when the product overflows. */
void *mem_zalloc(size_t count, size_t size);
void *mem_realloc(void *old, size_t size);
/* realloc to count × size, aborting on overflow. */
void *mem_resize(void *old, size_t count, size_t size);
/* ptr, or the same end when it is NULL: for what a library allocates on its own. */
void *mem_check(void *ptr);
/* A NUL-terminated copy; a NULL source gives NULL. */
char *mem_strdup(const char *str);
char *mem_bytesdup(struct bytes b);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Overwrites a secret in a way that the compiler keeps. */
void mem_wipe(void *ptr, size_t size);

/*
 * An arena: many small allocations, released together. The addresses never
 * move; mem_arena_clear keeps the first block for reuse.
 */
struct mem_arena {
	struct mem_block *blocks;
};
void *mem_arena_alloc(struct mem_arena *arena, size_t size);
/* A copy with a NUL behind it (not counted). */
struct bytes mem_arena_bytes(struct mem_arena *arena, struct bytes b);
char *mem_arena_printf(struct mem_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mem_arena_clear(struct mem_arena *arena);
void mem_arena_release(struct mem_arena *arena);

#endif
