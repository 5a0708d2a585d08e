#ifndef CORE_TAKE_PIECE_H
#define CORE_TAKE_PIECE_H

#include "base/buf.h"
#include "base/sha1.h"
#include "core/take_clock.h"
#include "core/take_private.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One key's way through a flow (take_flow.h): each of its steps is sent by a take_piece_…
 * function, and its answer puts the piece into the queue for the next. */

enum stage {
	LOOKING, /* its expiry, and its size, were asked for */
	OPEN,    /* to be saved, and changed */
	FENCED,  /* nothing to change: its sidecar goes, in case a fetch is under way */
	ALONE, /* saved in pages, or without scripts: has its turn when all else is answered */
	ENDED, /* counted */
};

struct piece {
	struct take_flow *flow;
	struct piece *next; /* in its queue */
	struct buf key;
	enum stage stage;
	unsigned tries;
	unsigned under_way; /* commands without answer */
	bool asked;         /* its change was sent, and the answer never came */
	int64_t expires_ms; /* or BACKUP_FOREVER, TAKE_ABSENT */
	int64_t bytes;
	uint64_t soft_ms;
	int64_t ends_ms; /* soft: by its server's clock */
	char digest[SHA1_HEX_LEN + 1];
	uint64_t record; /* 0: none */
};

/* Pieces whose answers have come, and whose next command has not gone. */
struct queue {
	struct piece *first, **last;
};

/* What take_piece_… and take_flow_… share. */
struct take_flow {
	struct take take;
	struct piece *pieces; /* a ring of `room`, in the order of their keys */
	size_t room;
	size_t names;        /* bytes of the keys from head on */
	uint64_t head, tail; /* keys so far that came to their end in order, that were added */
	size_t open;         /* neither ENDED nor ALONE */
	struct queue looked, saved, again;
	struct scan *walk;
	struct redis_limits before;
	struct take_clocks clocks;
	char sha[SHA1_HEX_LEN + 1];
	bool unloaded;  /* a server does not know the script */
	bool forbidden; /* this user may use no scripts */
	bool failed;
};

struct piece *take_piece_pop(struct queue *queue);
struct bytes take_piece_key(const struct piece *piece);
/* It is counted, or has its turn at the end. */
void take_piece_leave(struct piece *piece, enum stage stage);
/* What did not come to its end has failed. */
void take_piece_spend(struct piece *piece);
/* Asks what is there: its expiry, and its size. */
int take_piece_look(struct piece *piece);
/* Once that is known: saves it, or whatever else is to be done. */
int take_piece_sort_out(struct piece *piece);
/* Once what was saved is in the file: drops it, or shortens its life. */
int take_piece_change(struct piece *piece);
/* Of the script that does so. */
struct bytes take_piece_script(void);

#endif
