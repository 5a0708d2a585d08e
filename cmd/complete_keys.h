#ifndef CMD_COMPLETE_KEYS_H
#define CMD_COMPLETE_KEYS_H

#include "base/bytes.h"

#include <stddef.h>

struct ns;
struct opt_word;
struct out_candidates;
struct session;

/*
 * Completions of vars and keys. What is looked up in Redis is in 100 ms at most, and
 * not while the user types on. What cannot be had is not offered, and nothing is told
 * of it.
 */

/* The next var of ns behind these words: its values, and "name=" of those not given yet. */
void complete_vars(struct session *session, const struct ns *ns, const struct opt_word *words,
		   size_t count, struct bytes last, struct out_candidates *ret_list);
/* The names of ns's vars that these words do not give, as "name=". */
void complete_var_names(const struct ns *ns, const struct opt_word *words, size_t count,
			struct out_candidates *ret_list);
/* "name=value" for the namespace that stands among a verb's words. */
void complete_assignments(struct session *session, const struct opt_word *words, size_t count,
			  struct bytes last, struct out_candidates *ret_list);
void complete_keys(struct session *session, struct bytes last, struct out_candidates *ret_list);
/* Names of the server's commands. */
void complete_server_commands(struct session *session, struct bytes last,
			      struct out_candidates *ret_list);

#endif
