#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

struct buf;

/*
 * Bytes made safe for a terminal, a log and an error line: well-formed UTF-8
 * stays, control characters (C0, DEL, C1, bidirectional overrides and line
 * separators) and stray bytes become \n \r \t \xHH \u{HEX}; nothing else
 * changes, so ordinary keys read as they are. Not reversible (a backslash
 * stays one): text_quote is.
 */
void text_escape(struct buf *buf, struct bytes b);
/*
 * As redis-cli prints strings: in double quotes, with \" \\ \n \r \t \a \b
 * and \xHH for every byte outside printable ASCII.
 */
void text_quote(struct buf *buf, struct bytes b);
/* The way back, of one character: rest begins behind a backslash and is moved behind what
 * belongs to it, which is at least a byte. Any other character stands for itself. */
char text_unescape(struct bytes *rest);
/*
 * The candidate nearest to word (Damerau-Levenshtein, at most a third of the
 * longer length, at least 1, and something in common), or NULL: for "did you
 * mean". Of equals the first.
 */
const char *text_nearest(struct bytes word, const char *const *candidates, size_t count);
/* Standard base64 with padding (RFC 4648 §4). */
void text_base64(struct buf *buf, struct bytes b);
/* The way back: appends the bytes; -1 (nothing appended) when text is not exactly that. */
int text_unbase64(struct buf *buf, struct bytes text);
/* Appends b with the characters escaped that mean something in a glob of Redis (util.c
 * stringmatchlen), so that it matches only itself. */
void text_glob_escape(struct buf *buf, struct bytes b);

#endif
