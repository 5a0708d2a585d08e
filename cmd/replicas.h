#ifndef CMD_REPLICAS_H
#define CMD_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct err;
struct redis;
struct scan_result;
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
/*
 * A walk failed with err. True when it read replicas and another server can be read now
 * (said, and err is clear): a cursor is of no use there, so the walk is to begin anew.
 * *tries counts from 0.
 */
bool replicas_again(struct app *app, const struct scan_result *scan, unsigned *tries,
		    struct err *err);

/* The fields of a document that say who was read; nothing without --replica-reads. */
void replicas_view(const struct app *app, struct sink *sink);

#endif
