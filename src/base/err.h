#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/* What went wrong, coarse enough to choose an exit code; main maps it. */
enum err_kind {
	ERR_NONE = 0,
	ERR_USAGE,       /* the command line */
	ERR_CONFIG,      /* the configuration */
	ERR_REFUSED,     /* a safety limit or a declined prompt */
	ERR_LOCKED,      /* another run holds the lease */
	ERR_REDIS,       /* Redis unreachable, or it refused */
	ERR_SOURCE,      /* the source unreachable, or it refused */
	ERR_ITEM,        /* one item failed; others may go on */
	ERR_OUTPUT,      /* standard output or a file cannot be written */
	ERR_INTERRUPTED, /* Ctrl-C, SIGTERM or a deadline */
};

/*
 * An error on its way to the user: one line that says what failed, on what
 * (key, host, file:line:column) and what to do. Zero-initialise. Text holds
 * no control bytes: err_set and err_wrap escape them. Over-long text is cut
 * with "…". Never holds a secret.
 */
struct err {
	enum err_kind kind;
	char text[1024];
};

/* Fills err (which may be NULL) and returns -1, for `return err_set(…)`. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "CONTEXT: " before the text and returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* True once an error is in it. */
bool err_is_set(const struct err *err);

#endif
