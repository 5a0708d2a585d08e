#ifndef CMD_INVALIDATE_H
#define CMD_INVALIDATE_H

#include "command.h"

#include "invalidate_event.h"

#include "core/inspect_filter.h"
#include "core/invalidate.h"
#include "core/look_again.h"
#include "opt/opt.h"

#include <stdbool.h>
#include <stdint.h>

struct app;
struct backup;
struct backup_reader;
struct err;
struct ns;
struct sink;
struct witness;

/* The options of invalidate, and what its parts pass to each other. */
struct invalidate_options {
	/* what */
	struct opt_list keys;
	const char *keys_file;
	bool nul;
	const char *match;
	const char *tag;
	struct opt_list where;
	bool all;
	bool everything;
	uint64_t older_ms;
	uint64_t ttl_below_ms;
	uint64_t ttl_above_ms;
	bool no_relations;
	/* how */
	bool dry_run;
	bool yes;
	uint64_t max_keys;
	uint64_t in_ms;
	bool soft;
	const char *throttle;
	bool rewarm;
	bool verify;
	/* undo */
	const char *backup;
	bool no_backup;
	uint64_t backup_limit;
	const char *undo;
	bool salvage;
	bool elsewhere;
	const char *resume;
	struct event_options events;
};
extern const struct opt_row invalidate_rows[];

#define INVALIDATE_MAX_KEYS 10000

/* What the words and options come down to. Owns what target points to. */
struct invalidate_choice {
	struct invalidate_target target;
	struct inspect_filter filter;
	struct keylist named;
	const struct ns *ns; /* of the keys that ids made, or of the filter; or NULL */
	bool star;           /* an id holds a '*' */
};

int invalidate_choose(struct app *app, struct invalidate_choice *choice,
		      const struct invalidate_options *options, const struct opt_words *words,
		      struct err *err);
void invalidate_choice_release(struct invalidate_choice *choice);

/* Tells the plan on standard error and asks, as far as the options want it. ERR_REFUSED. */
int invalidate_consent(struct app *app, const struct invalidate_options *options,
		       const struct invalidate_choice *choice,
		       const struct invalidate_plan *plan, struct err *err);
/* The plan as the answer of --dry-run. */
enum exit_code invalidate_print_plan(struct app *app, const struct invalidate_plan *plan);

/* An undo file that was closed. */
struct invalidate_undo_file {
	const char *path; /* NULL: none was kept */
	uint64_t bytes;
	bool is_named; /* by the user, who keeps it */
};
/* Ends it, whatever became of the run: what is in it can be undone. backup NULL: none. */
enum exit_code invalidate_close_undo(struct app *app, struct backup *backup,
				     struct invalidate_undo_file *ret_file, struct err *err);
void invalidate_put_undo(struct sink *sink, const struct invalidate_undo_file *file);
/* Says how to take it back. */
void invalidate_tell_undo(struct app *app, const struct invalidate_undo_file *file);

/* What a run came to, besides the core's report. */
struct invalidate_outcome {
	struct invalidate_report report;
	bool soft;
	struct invalidate_undo_file file;
	bool verified;
	struct look_again look; /* at the dropped keys: there again */
	/* who wrote the sample's keys, by MONITOR; NULL: not seen */
	const struct witness_writer *writers[LOOK_AGAIN_SAMPLES];
	char names[LOOK_AGAIN_SAMPLES]
		  [64]; /* what these clients call themselves; "": not known */
	bool rewarm;
	uint64_t rewarmed;
	uint64_t rewarm_failed;
};
/* --verify: notes who writes the keys from now on; NULL: it may not, which is told. */
struct witness *invalidate_watch(struct app *app, const struct keylist *keys);
/* Looks which keys are there again, and who wrote them (witness may be NULL). */
enum exit_code invalidate_verify(struct app *app, struct witness *witness,
				 const struct keylist *keys,
				 struct invalidate_outcome *outcome);
/* --rewarm: fetches what the plan lists again. */
enum exit_code invalidate_rewarm(struct app *app, const struct invalidate_plan *plan,
				 struct invalidate_outcome *outcome);
enum exit_code invalidate_print_report(struct app *app,
				       const struct invalidate_outcome *outcome);
void invalidate_warn(struct app *app, const struct invalidate_outcome *outcome);

/* --undo */
enum exit_code invalidate_undo(struct app *app, const struct invalidate_options *options,
			       const struct opt_words *words);
/*
 * --resume: the selection that the undo file holds, with the other options as
 * they are now. ERR_REFUSED
 * when the file is of another run of the server. Release in either case.
 */
struct invalidate_resumed {
	struct invalidate_options options;
	struct opt_words words;
	char **argv; /* of the selection; the options point into it */
	size_t argc;
	struct backup_reader *reader; /* of the file, for its cursors */
};
int invalidate_resume(struct app *app, const struct invalidate_options *options,
		      struct invalidate_resumed *ret_resumed, struct err *err);
void invalidate_resumed_release(struct invalidate_resumed *resumed);
/* The selection as words that invalidate_resume reads; free() the array. */
struct bytes *invalidate_selection(const struct invalidate_options *options,
				   const struct opt_words *words, struct buf *text,
				   size_t *ret_count);

#endif
