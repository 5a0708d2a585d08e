#ifndef BASE_JSON_LEX_H
#define BASE_JSON_LEX_H

#include "base/json.h"

/*
 * The tokens of JSON, for the reader (json.c) alone. Each function finds
 * reader->at on the token's first byte and moves it behind the last; 0, or -1
 * with reader->error filled.
 */

/* From the opening quote. */
int json_lex_string(struct json_reader *reader);
/* From a minus sign or a digit. */
int json_lex_number(struct json_reader *reader);
/* word is "true", "false" or "null". */
int json_lex_word(struct json_reader *reader, const char *word);
/* From a slash; an error unless the reader allows comments. */
int json_lex_comment(struct json_reader *reader);

/* Fills reader->error; returns -1. */
int json_lex_fail(struct json_reader *reader, size_t offset, const char *what);

/* The byte at offset, or -1 behind the end. */
static inline int json_lex_byte(const struct json_reader *reader, size_t offset)
{
	return offset < reader->doc.len ? (unsigned char)reader->doc.ptr[offset] : -1;
}

#endif
