#ifndef UPSTREAM_ANSWER_H
#define UPSTREAM_ANSWER_H

#include "base/buf.h"

#include <microhttpd.h>

struct fault;

/* An answer ready to be sent. Release body. */
struct answer {
	unsigned status;
	struct buf body;
	const char *content_type;
	const char *content_encoding; /* or NULL */
	const char *cache_control;    /* or NULL */
};

/* Sends it with a strong ETag from its bytes; 304 when the request's If-None-Match has that.
 * Takes the body. */
enum MHD_Result answer_send(struct MHD_Connection *connection, struct answer *answer);
/* The same, spoilt by a fault (not a delay). Takes the body. */
enum MHD_Result answer_spoil(struct MHD_Connection *connection, struct answer *answer,
			     const struct fault *fault);

#endif
