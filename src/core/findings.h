#ifndef CORE_FINDINGS_H
#define CORE_FINDINGS_H

#include "base/buf.h"

#include <stddef.h>

struct ns;
struct stats;

/* What an operator should know, from the figures alone. The codes are stable. */
struct finding {
	const char *code;
	const char *ns;   /* the namespace's name, or NULL */
	const char *node; /* of a cluster: the server's name, or NULL */
	struct buf text;  /* what is so, with the evidence */
	const char *remedy;
};

#define FINDINGS_MAX 64
struct findings {
	struct finding items[FINDINGS_MAX]; /* the most pressing first */
	size_t count;
};

/* Zero-initialise ret_findings; release it. */
void findings_make(const struct stats *stats, struct findings *ret_findings);
void findings_release(struct findings *findings);

#endif
