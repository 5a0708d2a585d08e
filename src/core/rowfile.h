#ifndef CORE_ROWFILE_H
#define CORE_ROWFILE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define ROWFILE_ROW_MAX ((size_t)16 * 1024 * 1024) /* bytes of a line */

/*
 * Lines of a file, a pipe or standard input ("-"), read in large pieces; memory
 * is one piece, or the longest line. The reading and the walking over what was
 * read are apart, so that a caller can wait for other things meanwhile.
 */
struct rowfile;

/* ERR_USAGE: no such file, a directory. */
int rowfile_open(const char *path, struct rowfile **ret_file, struct err *err);
void rowfile_close(struct rowfile *file);
/* As messages call it: the path, or "standard input". */
const char *rowfile_name(const struct rowfile *file);

enum rowfile_status {
	ROWFILE_ROW,  /* *ret_row is the next line that is not blank, without its end; it lives
			 until the next read */
	ROWFILE_LONG, /* the next line is over ROWFILE_ROW_MAX, and is left out */
	ROWFILE_MORE, /* rowfile_read wants to be called */
	ROWFILE_END,
};
enum rowfile_status rowfile_next(struct rowfile *file, struct bytes *ret_row);
/* Of the row last told, from 1. */
uint64_t rowfile_line(const struct rowfile *file);

/*
 * One read(2), which may wait when rowfile_may_wait. 0; -1 with ERR_USAGE when
 * this is no text (compressed, binary), with ERR_ITEM when it cannot be read on,
 * with ERR_INTERRUPTED when a signal came before any byte.
 */
int rowfile_read(struct rowfile *file, struct err *err);
/* True for pipes and terminals: poll rowfile_fd before the read. */
bool rowfile_may_wait(const struct rowfile *file);
int rowfile_fd(const struct rowfile *file);
/* How much of the file was walked over, 0..1; 0 when that cannot be known. */
double rowfile_share(const struct rowfile *file);

#endif
