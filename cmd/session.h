#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "command.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct app;
struct err;
struct ns;
struct seen;

/* Many verbs, one after the other, on one app with its open connection. */
struct session {
	struct app *app;
	const struct ns *ns; /* of `use`, or NULL */
	bool interactive;    /* a prompt on a terminal, not a script */
	bool read_only;
	bool keep_going; /* a script goes on after a failure */
	bool verbose;    /* echoes each command before it runs */
	bool leaving;
	bool watching;
	const char *history; /* the file, or NULL */
	struct seen *seen;   /* what completion knows of the keys */
};

/*
 * Begins a session on app (app->session points to it until session_end): loads
 * the configuration and resolves the server, which is not connected yet.
 */
int session_begin(struct session *session, struct app *app, struct err *err);
void session_end(struct session *session);

/*
 * Runs a line: commands separated by ';' outside quotes, '#' begins a comment.
 * Stops at the first command that fails, unless keep_going. Returns the code of
 * that one, with keep_going the worst.
 */
enum exit_code session_run_line(struct session *session, struct bytes line);
/* One command, given as words ("get" …). */
struct opt_word;
enum exit_code session_run_words(struct session *session, const struct opt_word *words,
				 size_t count);

/* True when a line may hold a secret: it is not remembered. */
bool session_is_secret(struct bytes line);

bool session_is_read_only(const struct app *app);
/* Refuses what would write in a read-only session; ERR_REFUSED. */
int session_check_writes(const struct session *session, const struct command *command,
			 const void *options, struct err *err);

#endif
