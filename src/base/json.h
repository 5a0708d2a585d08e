#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Strict JSON (RFC 8259) over bytes, with byte offsets: nothing is copied or
 * rounded, so slices keep 64-bit ids, "1.10" and key order. Refused: leading
 * zeros, raw control bytes, malformed UTF-8, lone surrogates in \u escapes,
 * trailing text, trailing commas, a byte-order mark, nesting over the limit.
 */
enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

enum json_flags {
	JSON_STRICT = 0,
	JSON_COMMENTS = 1, /* also // line and block comments, for configuration files */
};

#define JSON_DEPTH_DATA 512  /* nesting accepted in values from sources and Redis */
#define JSON_DEPTH_CONFIG 64 /* nesting accepted in configuration */

struct json_error {
	/*
	 * Of the offending byte; of a lone surrogate's escape, a malformed
	 * sequence, a number's leading 0 or an unclosed comment their start;
	 * doc.len at an early end.
	 */
	size_t offset;
	const char *what; /* a static phrase: "a number may not start with 0" */
};

enum json_event {
	JSON_EV_VALUE, /* a scalar */
	JSON_EV_KEY,   /* an object member's name (a string token) */
	JSON_EV_BEGIN, /* '[' or '{' */
	JSON_EV_END,   /* ']' or '}' */
};

struct json_token {
	enum json_event event;
	enum json_type type; /* of the value; the container's at BEGIN and END */
	struct bytes raw;    /* the token's bytes within the document */
	size_t offset;       /* of raw in the document */
	unsigned depth;      /* containers open around it: 0 at the top */
};

/* Pull tokenizer; memory is one bit per open container (kept inside). */
struct json_reader {
	struct bytes doc;
	size_t at;
	unsigned flags;
	unsigned depth;
	unsigned max_depth;
	unsigned state;
	unsigned char kinds[JSON_DEPTH_DATA / 8];
	struct json_error error; /* what is NULL until it failed */
};

/* max_depth containers may be open at once; more than JSON_DEPTH_DATA means that. */
void json_reader_init(struct json_reader *reader, struct bytes doc, unsigned flags,
		      unsigned max_depth);
/* 1: *ret_token is filled. 0: the document ended well. -1 (from then on): reader->error says
 * why. */
int json_read(struct json_reader *reader, struct json_token *ret_token);
/*
 * Reads the rest of the value that *begin (the token read last) begins or is:
 * 0 with the whole value's slice; -1 as json_read. Several times as fast as
 * reading its tokens.
 */
int json_skip(struct json_reader *reader, const struct json_token *begin,
	      struct bytes *ret_value);

/* 0 when doc is one JSON value and nothing else, else -1 with *ret_error filled. */
int json_check(struct bytes doc, unsigned flags, unsigned max_depth,
	       struct json_error *ret_error);
/* 1-based line and column (in bytes) of an offset; lines end in LF, CR or CR LF. */
void json_locate(struct bytes doc, size_t offset, size_t *ret_line, size_t *ret_column);
/* The type of a value slice, by its first byte; the slice must come from this module. */
enum json_type json_type_of(struct bytes value);
/* "object", "array", "string", "number", "true", "false", "null": for messages. */
const char *json_type_name(enum json_type type);

/*
 * The exact slice that an RFC 6901 pointer selects ("" is the whole document,
 * without the blanks around it). 0 found, -1 absent or doc not well-formed up
 * to there. Of duplicate names the last one counts, as in JavaScript.
 */
int json_find(struct bytes doc, struct bytes pointer, struct bytes *ret_value);
/* True when text is a well-formed RFC 6901 pointer. */
bool json_pointer_valid(struct bytes pointer);

/* Walks the members of a container slice (that json_find or json_check accepted). */
struct json_iter {
	struct json_reader reader;
	bool in_object;
};
/* 0, or -1 when value is not a container. */
int json_iter_init(struct json_iter *iter, struct bytes value);
/* 1 with the value's slice (and for objects the raw, quoted name in *ret_name), 0 at the end.
 */
int json_iter_next(struct json_iter *iter, struct bytes *ret_name, struct bytes *ret_value);

/* Appends the text of a string token (quotes included in raw), escapes resolved. */
void json_decode_string(struct buf *buf, struct bytes raw);
/*
 * Appends a scalar as var text: a string decoded, a number or true/false as
 * written. -1 for null and containers.
 */
int json_scalar_text(struct buf *buf, struct bytes value);
/*
 * Appends b as a JSON string. b must be UTF-8 (bytes_is_utf8); a NUL becomes
 * \u0000. Only ", \ and control characters are escaped.
 */
void json_quote(struct buf *buf, struct bytes b);

#endif
