#ifndef DOCGEN_DOCGEN_H
#define DOCGEN_DOCGEN_H

#include "base/buf.h"

#include <stdbool.h>

struct command;
struct opt_row;

/*
 * Writes what the verbs and their option rows say into the parts of the manual
 * pages and completions that stand between "BEGIN NAME (generated)" and
 * "END NAME". Each writer appends such a part, whole lines.
 */
typedef void docgen_writer(struct buf *buf, const char *detail);

/* Manual pages. detail: the verb's name, or the profile's. */
void man_verbs(struct buf *buf, const char *detail);
void man_globals(struct buf *buf, const char *detail);
void man_synopsis(struct buf *buf, const char *verb);
void man_options(struct buf *buf, const char *verb);
void man_session(struct buf *buf, const char *detail);
void profile_namespaces(struct buf *buf, const char *profile);
void profile_variables(struct buf *buf, const char *profile);

/* Completions; detail is not used. */
void bash_tables(struct buf *buf, const char *detail);
void zsh_tables(struct buf *buf, const char *detail);
void fish_tables(struct buf *buf, const char *detail);

/* --- what the writers ask of the verbs --- */

/* Appends the actions of a WORDS_ACTION verb, blanks between: "check show schema". */
void words_actions(struct buf *buf, const struct command *command);
/* True when a file may stand behind an action, which *ret_action then is. */
bool words_file_action(const struct command *command, struct bytes *ret_action);

/*
 * Appends the spellings of the global options that choose the server and the
 * configuration, each behind a blank: those that take an argument, or the flags
 * (--askpass is none of them: nobody is asked while completing).
 */
void words_settled(struct buf *buf, bool with_argument);

/* True when the verb has an option of that name of its own: it hides the global one. */
bool words_hide(const struct command *command, const struct opt_row *global);

#endif
