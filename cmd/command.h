#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct err;
struct opt_row;
struct opt_words;

/* What app_open prepares before a verb runs. */
enum command_needs {
	NEEDS_CONFIG = 1,
	NEEDS_REDIS = 2, /* REDIS_ENABLED=false: exit 4 */
	NEEDS_REDIS_WRITE =
	    4, /* REDIS_ENABLED=false: says so once and exits 0 without running */
	NEEDS_REDIS_MAYBE = 8, /* runs with or without: app->redis_enabled, not connected yet */
	NEEDS_SOURCE = 16,
	NEEDS_WRITING = 32, /* writes, unless --dry-run: no read-only session runs it */
};

/*
 * Exit codes (ccache(1)). When several apply, the first in the order
 * 2 7 6 4 5 3 1 0 wins: exit_worst. 130 and 143 come from main.
 */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FOUND = 1,
	EXIT_USAGE = 2,
	EXIT_PARTIAL = 3,
	EXIT_REDIS = 4,
	EXIT_SOURCE = 5,
	EXIT_LOCKED = 6,
	EXIT_REFUSED = 7,
};
enum exit_code exit_worst(enum exit_code a, enum exit_code b);

/* What stands behind a verb's name: for completions, and for the namespace of a session. */
enum command_words {
	WORDS_NONE,
	WORDS_NAMESPACE,  /* a namespace and its vars */
	WORDS_NAMESPACES, /* any number of them */
	WORDS_VERB,
	WORDS_ACTION,  /* one of the synopsis' alternatives: "check [FILE] | show" */
	WORDS_COMMAND, /* a command line of its own: the first word ends the options */
};

struct command_example {
	const char *line; /* "ccache warm call-logs 507f…" */
	const char *what;
};

/* A verb. A new one is its .c file, a line in commands.def, a manual page and a bats file. */
struct command {
	const char *name;
	const char *summary;                    /* one phrase for the list of verbs */
	const char *synopsis;                   /* what stands behind the name */
	const char *text;                       /* a paragraph for --help */
	const struct command_example *examples; /* ended by a NULL line */
	const struct opt_row *rows;
	size_t options_size; /* of the struct that the rows fill */
	size_t max_words;
	enum command_words words;
	unsigned needs;
	/* options points to the filled struct. Returns an exit code, errors already told. */
	enum exit_code (*run)(struct app *app, const void *options,
			      const struct opt_words *words);
};

const struct command *command_at(size_t index); /* NULL behind the last */
/* The commands that only a session has; NULL behind the last. */
const struct command *command_in_session_at(size_t index);
/*
 * By name or unique prefix, in a session among its own commands too; NULL and
 * ERR_USAGE, which names the candidates or the nearest, when ambiguous or unknown.
 */
const struct command *command_need(const char *name, bool in_session, struct err *err);

#endif
