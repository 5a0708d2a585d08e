#include "wire/outq.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void append(struct outq *outq, struct outq_block *block)
{
	if (outq->tail)
		outq->tail->next = block;
	else
		outq->head = block;
	outq->tail = block;
	if (!outq->at)
		outq->at = block;
}

static struct outq_block *new_block(struct outq *outq, char *data, size_t size)
{
	struct outq_block *block = mem_alloc(sizeof *block);

	*block = (struct outq_block){.data = data, .size = size};
	append(outq, block);
	return block;
}

static struct outq_block *shared_block(struct outq *outq)
{
	struct outq_block *block = outq->spare;

	if (!block)
		return new_block(outq, mem_alloc(OUTQ_BLOCK), OUTQ_BLOCK);
	outq->spare = NULL;
	*block = (struct outq_block){.data = block->data, .size = OUTQ_BLOCK};
	append(outq, block);
	return block;
}

static struct outq_block *take_room(struct outq *outq, struct outq_block *block, size_t len,
				    size_t *ret_at)
{
	*ret_at = block->len;
	block->len += len;
	block->commands++;
	if (!outq->at)
		outq->at = block;
	return block;
}

struct outq_block *outq_add(struct outq *outq, size_t len, size_t *ret_at)
{
	struct outq_block *block = outq->tail;

	if (len >= OUTQ_LARGE)
		block = new_block(outq, mem_alloc(len), len);
	else if (!block || block->size - block->len < len)
		block = shared_block(outq);
	return take_room(outq, block, len, ret_at);
}

struct outq_block *outq_move(struct outq *outq, struct outq_block *block, size_t at, size_t len,
			     size_t *ret_at)
{
	struct outq_block *to;

	if (len >= OUTQ_LARGE) {
		to = new_block(outq, block->data, len);
		block->data = NULL;
		return take_room(outq, to, len, ret_at);
	}
	to = outq_add(outq, len, ret_at);
	memcpy(to->data + *ret_at, block->data + at, len);
	return to;
}

void outq_grant(struct outq_block *block, size_t end)
{
	block->released = end;
}

bool outq_next(struct outq *outq, const char **ret_data, size_t *ret_len)
{
	struct outq_block *block = outq->at;

	if (!block)
		return false;
	/* While an offer is open its length must not change, even if more was granted. */
	if (block->offered == block->sent) {
		size_t len = block->released - block->sent;

		block->offered = block->sent + (len < OUTQ_OFFER ? len : OUTQ_OFFER);
	}
	if (block->offered == block->sent)
		return false;
	*ret_data = block->data + block->sent;
	*ret_len = block->offered - block->sent;
	return true;
}

void outq_sent(struct outq *outq, size_t len)
{
	struct outq_block *block = outq->at;

	block->sent += len;
	while (outq->at && outq->at->sent == outq->at->len)
		outq->at = outq->at->next;
}

static void drop_head(struct outq *outq)
{
	struct outq_block *block = outq->head;

	outq->head = block->next;
	if (!outq->head)
		outq->tail = NULL;
	if (block->size == OUTQ_BLOCK && !outq->spare) {
		outq->spare = block;
		return;
	}
	free(block->data);
	free(block);
}

void outq_answered(struct outq *outq)
{
	outq->head->commands--;
	while (outq->head && outq->head->commands == 0 && outq->head != outq->at)
		drop_head(outq);
}

void outq_release(struct outq *outq)
{
	while (outq->head) {
		struct outq_block *block = outq->head;

		outq->head = block->next;
		free(block->data);
		free(block);
	}
	if (outq->spare)
		free(outq->spare->data);
	free(outq->spare);
	*outq = (struct outq){0};
}
