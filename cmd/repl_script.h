#ifndef CMD_REPL_SCRIPT_H
#define CMD_REPL_SCRIPT_H

#include "command.h"

struct opt_list;
struct session;

/* Commands from the texts of -e. Both give the code of the first that failed, or the worst. */
enum exit_code repl_script_lines(struct session *session, const struct opt_list *lines);
/* Commands from the lines of standard input, which the verbs themselves find empty. */
enum exit_code repl_script_input(struct session *session);

#endif
