#include "base/mem.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(size_t) >= sizeof(uint64_t), "lengths and offsets need a 64-bit system");

#define ARENA_BLOCK ((size_t)16 * 1024)

struct mem_block {
	struct mem_block *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char data[];
};

void *mem_check(void *ptr)
{
	static const char text[] = "ccache: out of memory\n";

	if (ptr)
		return ptr;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(134);
	abort();
}

void *mem_alloc(size_t size)
{
	return mem_check(malloc(size ? size : 1));
}

void *mem_zalloc(size_t count, size_t size)
{
	return mem_check(calloc(count ? count : 1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size)
{
	return mem_check(realloc(old, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	size_t total = 0;

	if (__builtin_mul_overflow(count, size, &total))
		mem_check(NULL);
	return mem_realloc(old, total);
}

char *mem_strdup(const char *str)
{
	return str ? mem_bytesdup(bytes_of(str)) : NULL;
}

char *mem_bytesdup(struct bytes b)
{
	char *copy = mem_alloc(b.len + 1);

	if (b.len)
		memcpy(copy, b.ptr, b.len);
	copy[b.len] = '\0';
	return copy;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		mem_check(NULL);
	va_end(args);
	return text;
}

void mem_wipe(void *ptr, size_t size)
{
	explicit_bzero(ptr, size);
}

void *mem_arena_alloc(struct mem_arena *arena, size_t size)
{
	struct mem_block *block = arena->blocks;
	size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

	if (!block || block->size - block->used < need) {
		size_t room = need > ARENA_BLOCK ? need : ARENA_BLOCK;

		block = mem_alloc(sizeof *block + room);
		*block = (struct mem_block){.next = arena->blocks, .size = room};
		arena->blocks = block;
	}
	void *at = block->data + block->used;
	block->used += need;
	return at;
}

struct bytes mem_arena_bytes(struct mem_arena *arena, struct bytes b)
{
	char *copy = mem_arena_alloc(arena, b.len + 1);

	if (b.len)
		memcpy(copy, b.ptr, b.len);
	copy[b.len] = '\0';
	return (struct bytes){copy, b.len};
}

char *mem_arena_printf(struct mem_arena *arena, const char *format, ...)
{
	va_list args;
	va_list again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		mem_check(NULL);
	char *text = mem_arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void mem_arena_clear(struct mem_arena *arena)
{
	struct mem_block *first = arena->blocks;

	while (first && first->next) {
		struct mem_block *next = first->next;

		free(first);
		first = next;
	}
	if (first)
		first->used = 0;
	arena->blocks = first;
}

void mem_arena_release(struct mem_arena *arena)
{
	mem_arena_clear(arena);
	free(arena->blocks);
	arena->blocks = NULL;
}
