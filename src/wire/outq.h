#ifndef WIRE_OUTQ_H
#define WIRE_OUTQ_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Commands on their way out, in blocks that never move: TLS must be offered the
 * same bytes at the same address again after it could not take them. Sent
 * commands stay until they are answered, because they may have to be sent again.
 */
struct outq_block {
	struct outq_block *next;
	char *data;
	size_t size;
	size_t len;
	size_t released; /* bytes that may be sent: [0, released) */
	size_t sent;
	size_t offered;  /* end of what was handed to the transport, perhaps partly sent */
	size_t commands; /* not yet answered */
};

struct outq {
	struct outq_block *head; /* oldest with unanswered commands */
	struct outq_block *at;   /* where sending goes on; NULL: everything is sent */
	struct outq_block *tail;
	struct outq_block *spare;
};

/* A command of at least so many bytes has a block of its own. */
#define OUTQ_LARGE ((size_t)16 * 1024)
#define OUTQ_BLOCK ((size_t)64 * 1024)
/*
 * The most that is offered at once. TLS reports an offer as sent only when all of
 * it is: a value of 100 MB in one offer would look like no progress for its whole
 * way over a slow line.
 */
#define OUTQ_OFFER ((size_t)256 * 1024)

/* Room for a command of len bytes, to be written at *ret_at in the block's data. */
struct outq_block *outq_add(struct outq *outq, size_t len, size_t *ret_at);
/* Moves a command that lies in block, of another queue, to this one. */
struct outq_block *outq_move(struct outq *outq, struct outq_block *block, size_t at, size_t len,
			     size_t *ret_at);
/* The command in block that ends at end may be sent. */
void outq_grant(struct outq_block *block, size_t end);
/* What to offer next: false when nothing may be sent. After AGAIN the same is given again. */
bool outq_next(struct outq *outq, const char **ret_data, size_t *ret_len);
/* len bytes of what outq_next gave were taken. */
void outq_sent(struct outq *outq, size_t len);
/* A command in the oldest block was answered. */
void outq_answered(struct outq *outq);
void outq_release(struct outq *outq);

#endif
