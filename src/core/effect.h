#ifndef CORE_EFFECT_H
#define CORE_EFFECT_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* What a command does to the keys that it names, as far as hits and misses go. */
enum effect_kind {
	EFFECT_NONE,
	EFFECT_FRESH,  /* the key is there afterwards, with a life that the command says */
	EFFECT_EXISTS, /* the key is there afterwards; a life that it had goes on */
	EFFECT_GONE,   /* the key is not there afterwards */
	EFFECT_LIFE,   /* an existing key lives for another time */
	EFFECT_MAYBE,  /* nobody can tell from the command alone */
	EFFECT_ALL,    /* every key of the db */
	EFFECT_SCRIPT, /* its own commands follow, as from client "lua" */
};

enum effect_flags {
	EFFECT_READ = 1,   /* asks for a value: a hit when the key is there */
	EFFECT_TEXT = 2,   /* the value is a string: STRLEN is its size */
	EFFECT_WRITE = 4,  /* counts as a write */
	EFFECT_DELETE = 8, /* counts as a delete */
};

struct effect {
	const char *name; /* upper case */
	enum effect_kind kind;
	unsigned flags;
	int first; /* index of the first key, 0: none */
	int last;  /* of the last; -1: the last argument */
	int step;
};

/* By the command's name, however it is spelled; NULL: not known. */
const struct effect *effect_find(struct bytes name);
/*
 * The absolute expiry (ms, the server's clock) that a command of EFFECT_FRESH
 * gives its key: -1: none. False when it cannot be told (a condition, KEEPTTL).
 */
bool effect_life(const struct effect *effect, const struct bytes *argv, size_t argc,
		 long long now_ms, long long *ret_expires_ms);

#endif
