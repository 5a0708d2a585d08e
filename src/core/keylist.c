#include "core/keylist.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t)64 * 1024)

struct keylist_block {
	struct keylist_block *next;
	size_t size, used;
	char bytes[];
};

/* Seven bits a byte, the lowest first. */
static size_t put_len(char *to, size_t len)
{
	size_t used = 0;

	for (; len >= 0x80; len >>= 7)
		to[used++] = (char)(len | 0x80);
	to[used++] = (char)len;
	return used;
}

static struct keylist_block *grow(struct keylist *list, size_t need)
{
	size_t size = need > BLOCK ? need : BLOCK;

	if (list->limit && list->bytes + size > list->limit)
		return NULL;
	struct keylist_block *block = mem_alloc(sizeof *block + size);
	*block = (struct keylist_block){.size = size};
	list->bytes += size;
	if (list->last)
		list->last->next = block;
	else
		list->first = block;
	list->last = block;
	return block;
}

bool keylist_add(struct keylist *list, struct bytes key)
{
	struct keylist_block *block = list->last;
	size_t need = key.len + 10;

	if (!block || block->size - block->used < need)
		block = grow(list, need);
	if (!block)
		return false;
	block->used += put_len(block->bytes + block->used, key.len);
	if (key.len)
		memcpy(block->bytes + block->used, key.ptr, key.len);
	block->used += key.len;
	list->count++;
	return true;
}

void keylist_release(struct keylist *list)
{
	while (list->first) {
		struct keylist_block *next = list->first->next;

		free(list->first);
		list->first = next;
	}
	*list = (struct keylist){.limit = list->limit};
}

bool keylist_next(const struct keylist *list, struct keylist_walk *walk, struct bytes *ret_key)
{
	size_t len = 0;

	if (!walk->block)
		walk->block = list->first;
	while (walk->block && walk->offset == walk->block->used) {
		if (!walk->block->next)
			return false;
		walk->block = walk->block->next;
		walk->offset = 0;
	}
	if (!walk->block)
		return false;
	const char *at = walk->block->bytes + walk->offset;
	for (unsigned shift = 0;; shift += 7, at++) {
		len |= (size_t)(*at & 0x7f) << shift;
		if (!(*at & 0x80))
			break;
	}
	*ret_key = (struct bytes){at + 1, len};
	walk->offset = (size_t)(at + 1 + len - walk->block->bytes);
	return true;
}
