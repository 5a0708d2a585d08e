#ifndef CMD_COMPLETE_H
#define CMD_COMPLETE_H

#include "base/bytes.h"

#include <stddef.h>

struct opt_word;
struct out_candidates;
struct session;

/*
 * What may stand in place of the last word of a command line (it may be empty)
 * behind the words before it: verbs, options, their values, namespaces, vars and
 * their values, keys. ret_list->files: a file name may. Looks into Redis for at
 * most 100 ms, and not while the user types on.
 */
void complete_words(struct session *session, const struct opt_word *words, size_t count,
		    struct bytes last, struct out_candidates *ret_list);
/* The same, of what is known without a look into Redis. */
void complete_known(struct session *session, const struct opt_word *words, size_t count,
		    struct bytes last, struct out_candidates *ret_list);
/* complete_words for a line as it is typed, up to the cursor: an out_complete_fn, ctx a
 * session. */
void complete_line(void *ctx, struct bytes line, size_t start, struct out_candidates *ret_list);

#endif
