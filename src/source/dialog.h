#ifndef SOURCE_DIALOG_H
#define SOURCE_DIALOG_H

#include "base/bytes.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct source_def;
struct source_request;

/* What a command is started with; lines to it and from it. The protocol stands at source_def.
 */
struct dialog_call {
	struct mem_arena arena;
	const char **argv; /* both end with NULL */
	const char **envp;
};

/* -1: a var is missing, or may not be an argument. Release in any case. */
int dialog_call(const struct source_def *def, const struct source_request *request,
		struct dialog_call *ret_call, struct err *err);
void dialog_call_release(struct dialog_call *call);

/* Appends the line of one request. */
void dialog_ask(const struct source_request *request, size_t number, struct buf *input);

struct dialog_answer {
	size_t number;      /* 1..count */
	struct bytes value; /* slice of the line; empty: nothing is there */
	struct bytes error; /* string token; empty: none */
};

/* -1: the line is not an answer to one of count requests. */
int dialog_read(struct bytes line, size_t count, struct dialog_answer *ret_answer,
		struct err *err);
/* The body that a value gives; text holds it when it is not a slice. */
int dialog_value(bool json, struct bytes value, struct buf *text, struct bytes *ret_body,
		 struct err *err);

/* The var's name when a configured argument is exactly "{name}", else no bytes. */
struct bytes dialog_var(const char *argument);

#endif
