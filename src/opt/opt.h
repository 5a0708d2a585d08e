#ifndef OPT_OPT_H
#define OPT_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * An option is spelled once, as a row. The parser, --help, the manual's
 * OPTIONS and every completion come from the rows.
 */
enum opt_type {
	OPT_FLAG,     /* bool; --no-NAME clears it when the row says OPT_NEGATABLE */
	OPT_TEXT,     /* const char *, points into argv */
	OPT_COUNT,    /* uint64_t within min..max */
	OPT_DURATION, /* uint64_t milliseconds within min..max */
	OPT_SIZE,     /* uint64_t bytes within min..max */
	OPT_RATIO,    /* double 0..1, as 0.8 or 80% */
	OPT_CHOICE,   /* int: index into choices */
	OPT_LIST,     /* struct opt_list; may be repeated */
};

/*
 * Values of options that have no default and were not given: OPT_UNSET for
 * counts, durations and sizes, -1 for choices and ratios, NULL for texts.
 */
#define OPT_UNSET UINT64_MAX

enum opt_complete { /* what a completion offers for the argument */
		    OPT_COMPLETE_NONE,
		    OPT_COMPLETE_FILE,
		    OPT_COMPLETE_NAMESPACE,
		    OPT_COMPLETE_PROFILE,
		    OPT_COMPLETE_KEY,
		    OPT_COMPLETE_EVENT,
		    OPT_COMPLETE_SET,
		    OPT_COMPLETE_VAR, /* name=value of the namespace that is named */
};

enum opt_flags {
	OPT_NEGATABLE = 1,
	OPT_SECRET = 2,    /* text only: copied (opt_release wipes the copy), wiped from argv,
			      never echoed */
	OPT_OPTIONAL = 4,  /* the argument may be left out (then only --name=value gives one);
			      choices[0] counts */
	OPT_LONE_HELP = 8, /* the letter as the last word, its argument missing, asks for help:
			      opt_parse gives 1 */
	OPT_SETTLED = 16,  /* settled for a whole session */
	OPT_SUBJECT = 32,  /* says what to work on: a session's namespace is then not meant */
	OPT_LIVE = 64,     /* what is printed is watched as it comes: no pager */
};

struct opt_list {
	const char **items; /* point into argv */
	size_t count;
};

struct opt_row {
	const char *name; /* long name, without the dashes */
	char letter;      /* or 0 */
	enum opt_type type;
	const char *arg; /* argument's name in help: "FILE"; NULL for flags */
	const char
	    *help; /* one phrase, no full stop, fits beside the name in 80 columns or wraps */
	const char *fallback; /* default, parsed as if given and shown in help; or NULL (always
				 for lists) */
	uint64_t min, max;    /* for counts, durations (ms) and sizes; max 0 means no bound */
	const char *const *choices; /* NULL-terminated, for OPT_CHOICE */
	size_t offset;              /* of the value in the options struct */
	enum opt_complete complete;
	unsigned flags;
};
/* Rows end with an all-zero row. */
#define OPT_END                                                                                \
	{                                                                                      \
		.name = NULL                                                                   \
	}

/* Rows that share one struct: the globals, or a verb's own. */
struct opt_group {
	const struct opt_row *rows;
	void *values;
};

/* Words left after the options, in order; "--" ends the options. */
struct opt_words {
	char **items; /* point into argv; the array is owned, opt_words_release frees it */
	size_t count;
};
/* Fills words (empty so far) with items[0..count). */
void opt_words_view(struct opt_words *words, char *const *items, size_t count);
/* Puts a word (borrowed, not changed) in front. */
void opt_words_insert(struct opt_words *words, const char *word);

/* Puts every row's default into values (which the caller zeroed); aborts on a default that is
 * not valid. */
void opt_defaults(const struct opt_row *rows, void *values);
/*
 * Reads argv[0..argc) (no program name) against the groups. Long options may
 * be abbreviated to a unique prefix. `--name value`, `--name=value`, `-p6379`,
 * `-p 6379`, clustered flags. Stops before the first word that is not an
 * option when stop_at_word is set (*ret_used tells how many were read), else
 * collects words. A name that stands in two groups belongs to the first.
 * 0; 1 when a lone OPT_LONE_HELP letter asked for help; -1 with ERR_USAGE, which
 * names the option, the value, what is accepted, and the nearest spelling.
 * *ret_words and *ret_used (may be NULL) are filled on 0 only; values may have
 * changed in any case, opt_release is always right.
 */
int opt_parse(const struct opt_group *groups, size_t group_count, int argc, char **argv,
	      bool stop_at_word, struct opt_words *ret_words, int *ret_used, struct err *err);
void opt_words_release(struct opt_words *words);
/* Releases what the parser allocated inside values (lists). */
void opt_release(const struct opt_row *rows, void *values);

/*
 * The first row with one of these flags whose option was given, or NULL: a
 * value that differs from "not given" (rows that have a default never count).
 */
const struct opt_row *opt_given(const struct opt_row *rows, const void *values, unsigned flags);

/* Appends the rows as help text, wrapped to width columns (40..100). */
void opt_help(struct buf *buf, const struct opt_row *rows, unsigned width);
/* Appends text wrapped to width columns (40..100), its further lines indented; "\n" in it is a
 * blank like another. */
void opt_help_text(struct buf *buf, const char *text, unsigned indent, unsigned width);
/* Appends the rows as mdoc list items (.It Fl …) for the manual pages. */
void opt_mdoc(struct buf *buf, const struct opt_row *rows);

/*
 * One line → words, with redis-cli's quoting: "…" with \n \r \t \b \a \xHH \\ \"
 * escapes, '…' with \' only; a closing quote must be followed by a blank or the
 * end. 0 or -1 (ERR_USAGE). The words are one allocation: free(*ret_words).
 */
struct opt_word {
	char *ptr; /* may hold NUL bytes; a NUL follows */
	size_t len;
};
int opt_split_line(const char *line, size_t len, struct opt_word **ret_words, size_t *ret_count,
		   struct err *err);

/*
 * Where the command that begins at line[from] ends: at a ';' outside quotes, or
 * at len. A command whose first byte is '#' is a comment, up to the end of the line.
 */
size_t opt_command_end(const char *line, size_t len, size_t from);

/* What is being typed at the end of a line: the words before it, and the last one so far. */
struct opt_typing {
	struct opt_word *words; /* one allocation with what follows: free(words) */
	size_t count;           /* without the last one */
	struct opt_word last;   /* unquoted; empty when a new word begins */
	size_t start;           /* where the last one begins in the line */
	char quote;             /* that is open, or 0 */
};
/* 0, or -1 when the words before cannot be split. */
int opt_split_typing(const char *line, size_t len, struct opt_typing *ret_typing);
/* Appends word so that opt_split_line reads it back: as it is, or in double quotes. */
void opt_quote_word(struct buf *buf, const char *word, size_t len);

#endif
