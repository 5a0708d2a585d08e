#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "base/bytes.h"
#include "base/mem.h"
#include "core/template.h"
#include "source/source.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct ns;
struct ns_step;

/* A namespace's source with the vars filled in: what the fetcher is given. */
struct request {
	struct mem_arena arena; /* paths and requests */
	struct source_request *steps;
	size_t count;
};

/* ERR_USAGE when ns has no source. */
int request_check(const struct ns *ns, struct err *err);
/*
 * Expands every step of ns for these vars. ERR_USAGE when the namespace has no
 * source, or a var does not fit a URL (names it). Release when the fetch was
 * answered, or reuse by another prepare.
 */
int request_prepare(struct request *request, const struct ns *ns, const struct var *vars,
		    size_t count, struct err *err);
/* One step alone (a list's page). */
int request_prepare_step(struct request *request, const struct ns_step *step,
			 const struct var *vars, size_t count, struct err *err);
/* The longest that a fetch of ns can take, every step with every retry; within 10 s and 10 min.
 */
uint64_t request_hold_ms(const struct ns *ns);
void request_release(struct request *request);

#endif
