#ifndef CMD_REPLICAS_H
#define CMD_REPLICAS_H

#include <stddef.h>

struct app;
struct err;
struct redis;
struct sink;

struct replicas {
	struct redis *before;
	size_t primaries; /* read themselves, for want of a usable replica */
};

/*
 * --replica-reads: from begin to end app's session reads replicas (redis_new_reader). What is
 * to be said of the choice, above all that a primary has no usable replica, is told at the
 * beginning, and again in the end when more primaries had to be read meanwhile.
 */
int replicas_begin(struct app *app, struct replicas *ret_replicas, struct err *err);
void replicas_end(struct app *app, const struct replicas *replicas);

/* The fields of a document that say who was read; nothing without --replica-reads. */
void replicas_view(const struct app *app, struct sink *sink);

#endif
