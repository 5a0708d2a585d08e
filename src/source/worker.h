#ifndef SOURCE_WORKER_H
#define SOURCE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetch;
struct local;
struct local_waits;

/* One process of a command and the requests that it serves. */
struct worker;

/* Takes the array and answers its fetches. NULL: it did not start, all are answered. */
struct worker *worker_start(struct local *local, struct fetch **asked, size_t count,
			    uint64_t now_ns);
/* Moves data. True when it is over: free it. Else *ret_due_ns, from now, is when to come again.
 */
bool worker_turn(struct worker *worker, uint64_t now_ns, uint64_t *ret_due_ns);
size_t worker_unanswered(const struct worker *worker);
void worker_waits(const struct worker *worker, struct local_waits *waits);
/* Puts what is unanswered in front of list and stops the process; turns go on until it is over.
 */
struct fetch *worker_uproot(struct worker *worker, struct fetch *list);
/* Waits a moment for the process, then kills it. Nothing is unanswered. */
void worker_free(struct worker *worker);

#endif
