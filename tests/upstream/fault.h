#ifndef UPSTREAM_FAULT_H
#define UPSTREAM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* What may be wrong with an answer. */
enum fault_kind {
	FAULT_NONE,
	FAULT_DELAY,    /* right, after value ms */
	FAULT_HOLD,     /* right, after the faults are cleared */
	FAULT_STATUS,   /* value as status; retry_after seconds as header when given */
	FAULT_TRUNCATE, /* half of the promised body, then the connection ends */
	FAULT_TRICKLE,  /* one byte every value ms */
	FAULT_HUGE,     /* value bytes of JSON, chunked */
	FAULT_GARBAGE,  /* bytes that are no HTTP */
	FAULT_RESET,    /* the connection is reset before an answer */
	FAULT_REDIRECT, /* 302 to url */
	FAULT_KINDS
};

struct fault {
	enum fault_kind kind;
	uint64_t value;
	int64_t retry_after; /* seconds; -1: no header */
	char url[2048];      /* of a redirect */
};

/* The kind of that name ("delay", …), or FAULT_NONE. */
enum fault_kind fault_kind_of(const char *name);
/* From now on, count requests (0: all) whose target begins with prefix go wrong; later rules
 * come after earlier ones. */
void fault_add(const char *prefix, const struct fault *fault, uint64_t count);
void fault_clear(void);
/* True since the first fault_add until fault_clear. */
bool fault_any(void);
/* The fault for a request, counting it down; false when there is none. */
bool fault_take(const char *target, struct fault *ret_fault);

#endif
