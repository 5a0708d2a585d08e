#ifndef UPSTREAM_ROUTE_H
#define UPSTREAM_ROUTE_H

#include "base/buf.h"

struct MHD_Connection;

/* What the data says to a GET. Release body. */
struct route_answer {
	unsigned status;
	struct buf body;
	const char *content_type;  /* static */
	const char *cache_control; /* static, or NULL */
};

/*
 * Answers target ("/api/calls/ID/logs?x=y", percent-encoded) from the
 * generated data: 200, 400 for a bad query, 404 for what is not there. The
 * connection gives the query's arguments. page_size is for lists that are
 * asked without limit=.
 */
void route_answer(struct MHD_Connection *connection, const char *target, size_t page_size,
		  struct route_answer *ret_answer);

/* Appends text with its %XX decoded. */
void route_decode(struct buf *out, struct bytes text);

#endif
