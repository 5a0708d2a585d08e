#include "base/json.h"

#include "base/json_lex.h"

enum state {
	STATE_VALUE, /* a value must follow: at the top, behind a colon */
	STATE_FIRST, /* behind '[' or '{': an item or the end */
	STATE_NEXT,  /* behind a comma: an item */
	STATE_AFTER, /* behind a value: a comma or the end */
};

void json_reader_init(struct json_reader *reader, struct bytes doc, unsigned flags,
		      unsigned max_depth)
{
	*reader = (struct json_reader){
	    .doc = doc,
	    .flags = flags,
	    .max_depth = max_depth < JSON_DEPTH_DATA ? max_depth : JSON_DEPTH_DATA,
	    .state = STATE_VALUE,
	};
}

static bool in_object(const struct json_reader *reader)
{
	unsigned top = reader->depth - 1;

	return reader->kinds[top / 8] >> (top % 8) & 1;
}

static int skip_run(struct json_reader *reader)
{
	for (;;) {
		int c = json_lex_byte(reader, reader->at);

		if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
			reader->at++;
		else if (c != '/')
			return 0;
		else if (json_lex_comment(reader) < 0)
			return -1;
	}
}

static inline int skip_blanks(struct json_reader *reader)
{
	int c = json_lex_byte(reader, reader->at);

	return c > ' ' && c != '/' ? 0 : skip_run(reader);
}

static inline int fill(const struct json_reader *reader, struct json_token *token,
		       enum json_event event, enum json_type type, size_t start)
{
	*token = (struct json_token){
	    .event = event,
	    .type = type,
	    .raw = {reader->doc.ptr + start, reader->at - start},
	    .offset = start,
	    .depth = reader->depth,
	};
	return 1;
}

static inline int read_begin(struct json_reader *reader, enum json_type type,
			     struct json_token *token)
{
	unsigned char bit = (unsigned char)(1u << (reader->depth % 8));
	unsigned char *kinds = &reader->kinds[reader->depth / 8];

	if (reader->depth == reader->max_depth)
		return json_lex_fail(reader, reader->at, "nested too deeply");
	*kinds = (unsigned char)(type == JSON_OBJECT ? *kinds | bit : *kinds & ~bit);
	reader->at++;
	reader->state = STATE_FIRST;
	fill(reader, token, JSON_EV_BEGIN, type, reader->at - 1);
	reader->depth++;
	return 1;
}

static inline int read_end(struct json_reader *reader, struct json_token *token)
{
	enum json_type type = in_object(reader) ? JSON_OBJECT : JSON_ARRAY;

	reader->at++;
	reader->depth--;
	reader->state = STATE_AFTER;
	return fill(reader, token, JSON_EV_END, type, reader->at - 1);
}

/* Why no value can begin with c. */
static const char *no_value(const struct json_reader *reader, int c)
{
	if (c == '\'')
		return "strings stand in double quotes";
	if (c == 0xEF && reader->at == 0)
		return "a byte-order mark or other bytes before the value";
	if (c == ']' && reader->state == STATE_NEXT)
		return "a comma before the closing bracket";
	return "a value was expected";
}

static inline int read_value(struct json_reader *reader, int c, struct json_token *token)
{
	size_t start = reader->at;
	enum json_type type = JSON_NUMBER;
	int status = 0;

	switch (c) {
	case '{':
		return read_begin(reader, JSON_OBJECT, token);
	case '[':
		return read_begin(reader, JSON_ARRAY, token);
	case '"':
		type = JSON_STRING;
		status = json_lex_string(reader);
		break;
	case '-':
	case '0' ... '9':
		status = json_lex_number(reader);
		break;
	case 't':
		type = JSON_TRUE;
		status = json_lex_word(reader, "true");
		break;
	case 'f':
		type = JSON_FALSE;
		status = json_lex_word(reader, "false");
		break;
	case 'n':
		type = JSON_NULL;
		status = json_lex_word(reader, "null");
		break;
	default:
		return json_lex_fail(reader, start, no_value(reader, c));
	}
	if (status < 0)
		return -1;
	reader->state = STATE_AFTER;
	return fill(reader, token, JSON_EV_VALUE, type, start);
}

/* The name and its colon. */
static inline int read_key(struct json_reader *reader, int c, struct json_token *token)
{
	size_t start = reader->at;

	if (c != '"')
		return json_lex_fail(reader, start,
				     c == '}' ? "a comma before the closing brace"
					      : "a name in double quotes was expected");
	if (json_lex_string(reader) < 0)
		return -1;
	fill(reader, token, JSON_EV_KEY, JSON_STRING, start);
	if (skip_blanks(reader) < 0)
		return -1;
	if (json_lex_byte(reader, reader->at) != ':')
		return json_lex_fail(reader, reader->at, "a colon was expected");
	reader->at++;
	reader->state = STATE_VALUE;
	return 1;
}

static int read_document_end(struct json_reader *reader)
{
	if (reader->depth > 0)
		return json_lex_fail(reader, reader->doc.len,
				     in_object(reader) ? "the document ends inside an object"
						       : "the document ends inside an array");
	return reader->state == STATE_AFTER
		   ? 0
		   : json_lex_fail(reader, reader->doc.len, "the document is empty");
}

/* Behind a value: 1 when c is a comma (skipped), 0 when c closes the container. */
static inline int read_separator(struct json_reader *reader, int c)
{
	if (reader->depth == 0)
		return json_lex_fail(reader, reader->at, "text after the value");
	if (c == ',') {
		reader->at++;
		reader->state = STATE_NEXT;
		return 1;
	}
	if (c == (in_object(reader) ? '}' : ']'))
		return 0;
	return json_lex_fail(reader, reader->at,
			     in_object(reader) ? "a comma or } was expected"
					       : "a comma or ] was expected");
}

/* Inlined where a token's parts go unused, filling them costs nothing. */
static inline __attribute__((always_inline)) int read_token(struct json_reader *reader,
							    struct json_token *ret_token)
{
	if (reader->error.what || skip_blanks(reader) < 0)
		return -1;
	int c = json_lex_byte(reader, reader->at);
	if (c >= 0 && reader->state == STATE_AFTER) {
		int status = read_separator(reader, c);

		if (status < 0)
			return -1;
		if (status == 0)
			return read_end(reader, ret_token);
		if (skip_blanks(reader) < 0)
			return -1;
		c = json_lex_byte(reader, reader->at);
	}
	if (c < 0)
		return read_document_end(reader);
	if (reader->state == STATE_VALUE)
		return read_value(reader, c, ret_token);
	bool object = in_object(reader);
	if (reader->state == STATE_FIRST && c == (object ? '}' : ']'))
		return read_end(reader, ret_token);
	return object ? read_key(reader, c, ret_token) : read_value(reader, c, ret_token);
}

int json_read(struct json_reader *reader, struct json_token *ret_token)
{
	return read_token(reader, ret_token);
}

int json_skip(struct json_reader *reader, const struct json_token *begin,
	      struct bytes *ret_value)
{
	struct json_token token = *begin;

	while (begin->event == JSON_EV_BEGIN &&
	       !(token.event == JSON_EV_END && token.depth == begin->depth))
		if (read_token(reader, &token) <= 0)
			return -1;
	*ret_value =
	    (struct bytes){begin->raw.ptr, token.offset + token.raw.len - begin->offset};
	return 0;
}

int json_check(struct bytes doc, unsigned flags, unsigned max_depth,
	       struct json_error *ret_error)
{
	struct json_reader reader;
	struct json_token token;
	int status = 0;

	json_reader_init(&reader, doc, flags, max_depth);
	do
		status = read_token(&reader, &token);
	while (status > 0);
	if (status < 0)
		*ret_error = reader.error;
	return status;
}
