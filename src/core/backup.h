#ifndef CORE_BACKUP_H
#define CORE_BACKUP_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/*
 * What a change takes away, kept so that it can be undone (undo.h). The order
 * of work that loses nothing, whatever happens in between:
 *   1. read what is there, backup_add a record of it
 *   2. backup_flush: from now on it is in the file
 *   3. change Redis only if it is still as it was read (WATCH, or a script)
 *   4. when it was not: backup_void the record, begin again
 *
 * File: the line "callcache undo 1\n", then frames. Numbers are little-endian.
 *   marker  4  D7 'u' 'n' 'd'
 *   length  4  of the body
 *   number  8  of the record, 0 for the header's, then counting
 *   check   4  CRC-32 (zlib) of length, number and body
 *   body:   kind 1 (enum backup_kind), flags 1, two zero bytes, expires 8, set 8,
 *           key's length 4, item count 4, key, then each item's length 4 and bytes
 * A finished file ends with a BACKUP_END record. A run that was killed leaves
 * a file without one, perhaps cut within a frame.
 */
enum backup_kind {
	BACKUP_HEADER = 'H', /* items: name, value, …: struct backup_origin and the selection */
	/* Of a key that was removed; expires as it was. */
	BACKUP_DUMP = 'D',   /* items: its DUMP */
	BACKUP_STRING = 's', /* pages: a slice each; set: its offset */
	BACKUP_HASH = 'h',   /* pages: field, value, … */
	BACKUP_SET = 'e',    /* pages: members */
	BACKUP_ZSET = 'z',   /* pages: member, score, … */
	BACKUP_LIST = 'l',   /* pages: elements from the head on */
	/* Of a key that was changed. */
	BACKUP_TTL = 't',     /* expires: before; set: what it was changed to */
	BACKUP_VALUE = 'v',   /* items: a string before and what was written; expires: before */
	BACKUP_CREATED = 'c', /* items: the string that was written where nothing was */
	BACKUP_REMOVED = 'r', /* items: members that a set lost; expires: the set's before */
	BACKUP_ADDED = 'a',   /* items: members that a set gained */
	BACKUP_COUNTED = 'n', /* items: the mark (once) or "", then field of a hash, how much it
				 grew, what it held ("": it was not there), … */
	/* Of the run itself. */
	BACKUP_VOID = 'x',   /* items: numbers (8 bytes each) of records whose change never came
			      */
	BACKUP_CURSOR = 'C', /* items: SCAN cursor, id of its server (resume.h): every page
				before it is done */
	BACKUP_END = 'E',    /* set: how many records */
};

#define BACKUP_FOREVER (-1) /* expires: the key had none */

enum backup_flags {
	BACKUP_FIRST = 1, /* of a key's pages; what came before of the same key is forgotten */
	BACKUP_LAST = 2,  /* without it the pages are not whole: the key was not removed */
};

struct backup_record {
	enum backup_kind kind;
	unsigned flags;
	uint64_t number; /* filled by backup_add and backup_prev */
	struct bytes key;
	int64_t expires_ms; /* Unix time by the server's clock, or BACKUP_FOREVER */
	int64_t set_ms;
	const struct bytes *items;
	size_t item_count;
};

/* Where a backup was made. Empty strings: the server did not say. */
struct backup_origin {
	char target[256]; /* "127.0.0.1:6379/0" */
	char run_id[48];
	char replid[48];
	char replid2[48]; /* of the server before a restart or failover */
	uint64_t db;
	int64_t made_ms;  /* Unix time by the server's clock */
	uint64_t keep_ms; /* how long the file is kept at least; 0: until it is removed */
	char what[32];    /* the verb, "invalidate" */
};
/* Asks redis who it is (INFO, TIME; refused ones are left empty). -1: unreachable. */
int backup_origin_ask(struct redis *redis, const char *what, struct backup_origin *ret_origin,
		      struct err *err);
/* The clock of the same server alone. */
int backup_clock_ask(struct redis *redis, int64_t *ret_ms, struct err *err);
/* The same data: one run, or one line of replication ids. False also when nothing is known. */
bool backup_same_server(const struct backup_origin *a, const struct backup_origin *b);

/* --- writing --- */

struct backup;

#define BACKUP_KEEP_MS (UINT64_C(7) * 24 * 3600 * 1000)

/*
 * A new file, readable by its owner alone: path, or (NULL) one named after
 * time and process in the state directory ($XDG_STATE_HOME or ~/.local/state,
 * then callcache/undo), where files of ours that are older than they promised
 * to be kept are removed first. limit: bytes it may grow to, 0: any number.
 * words: the selection, for a later resume. ERR_USAGE: path exists, no HOME;
 * ERR_OUTPUT: it cannot be written.
 */
int backup_create(const char *path, const struct backup_origin *origin,
		  const struct bytes *words, size_t word_count, uint64_t limit,
		  struct backup **ret_backup, struct err *err);
/* Goes on with an unfinished file: what is damaged at its end is cut off. */
int backup_reopen(const char *path, uint64_t limit, struct backup **ret_backup,
		  struct err *err);
const char *backup_path(const struct backup *backup);
/* False for one in the state directory, which is removed when it is old. */
bool backup_is_named(const struct backup *backup);
uint64_t backup_size(const struct backup *backup);
/*
 * Adds a record (copied). ERR_REFUSED: the file would exceed its limit;
 * ERR_OUTPUT: it cannot be written. Both are final: nothing more is taken.
 * record->number is filled.
 */
int backup_add(struct backup *backup, struct backup_record *record, struct err *err);
/* Hands everything added so far to the system. Only then may the change be made. */
int backup_flush(struct backup *backup, struct err *err);
/* Records first…last stand for changes that were not made. */
int backup_void(struct backup *backup, uint64_t first, uint64_t last, struct err *err);
/* Ends the file and puts it on the disk. One without any record is removed (*ret_kept, may be
 * NULL). */
int backup_finish(struct backup *backup, bool *ret_kept, struct err *err);
/* Closes. Not finished: the file stays as a killed run would leave it; one without any record
 * is removed. NULL is nothing. */
void backup_free(struct backup *backup);

/* --- reading --- */

struct backup_reader;

/* What a look at every byte found. */
struct backup_check {
	struct backup_origin origin;
	uint64_t records; /* whole ones, header, cursors and end left out */
	uint64_t bytes;
	bool finished;         /* its end is there: it was neither cut nor is a run still at it
				*/
	uint64_t damaged;      /* places where bytes are not what was written */
	uint64_t first_damage; /* offset */
};

/*
 * Opens and checks the whole file. ERR_USAGE: none, not one of ours, a newer
 * format, or its header is damaged.
 */
int backup_read(const char *path, struct backup_reader **ret_reader, struct err *err);
void backup_reader_free(struct backup_reader *reader);
const struct backup_check *backup_checked(const struct backup_reader *reader);
/* The selection's words. */
size_t backup_words(const struct backup_reader *reader, const struct bytes **ret_words);
/* The last cursor kept under that id (in a cluster each server has its own); false: none. */
bool backup_cursor(const struct backup_reader *reader, const char *id,
		   struct bytes *ret_cursor);
/* True when one is kept under an id that begins so. */
bool backup_has_cursor(const struct backup_reader *reader, struct bytes start);
/*
 * The records from the last to the first (the order in which changes are
 * undone), voided, run's own and damaged ones left out. 1 with a record that
 * lives until the next call, 0 at the start, -1 with err.
 */
int backup_prev(struct backup_reader *reader, struct backup_record *ret_record,
		struct err *err);

/* From the last record again. */
void backup_rewind(struct backup_reader *reader);

#endif
