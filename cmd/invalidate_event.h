#ifndef CMD_INVALIDATE_EVENT_H
#define CMD_INVALIDATE_EVENT_H

#include "command.h"

#include <stdbool.h>
#include <stdint.h>

struct app;
struct backup;
struct err;

/* What `invalidate` is told of events. */
struct event_options {
	const char *event;
	const char *data;
	bool explain;
	const char *follow;
	const char *event_field;
	int bad_events;
	const char *group;
	const char *consumer;
	const char *dead_letter;
	uint64_t claim_after_ms;
	uint64_t max_tries;
	uint64_t report_every_ms;
};

extern const char *const event_bad_names[]; /* skip, stop */

/* The rows, for options that hold a struct event_options at base. */
#define EVENT_ROWS(base)                                                                       \
	{.name = "event",                                                                      \
	 .type = OPT_TEXT,                                                                     \
	 .arg = "NAME",                                                                        \
	 .offset = (base) + offsetof(struct event_options, event),                             \
	 .complete = OPT_COMPLETE_EVENT,                                                       \
	 .flags = OPT_SUBJECT,                                                                 \
	 .help = "do what the configuration declares for this event"},                         \
	    {.name = "data",                                                                   \
	     .type = OPT_TEXT,                                                                 \
	     .arg = "JSON",                                                                    \
	     .offset = (base) + offsetof(struct event_options, data),                          \
	     .complete = OPT_COMPLETE_FILE,                                                    \
	     .help = "the event's payload: JSON, @FILE or - (standard input)"},                \
	    {.name = "explain",                                                                \
	     .type = OPT_FLAG,                                                                 \
	     .offset = (base) + offsetof(struct event_options, explain),                       \
	     .help = "show which rule of the event leads to which key and why, do nothing"},   \
	    {.name = "follow",                                                                 \
	     .type = OPT_TEXT,                                                                 \
	     .arg = "SOURCE",                                                                  \
	     .offset = (base) + offsetof(struct event_options, follow),                        \
	     .flags = OPT_SUBJECT | OPT_LIVE,                                                  \
	     .help = "apply events as they come: - (NDJSON on standard input), stream:KEY, "   \
		     "channel:NAME"},                                                          \
	    {.name = "event-field",                                                            \
	     .type = OPT_TEXT,                                                                 \
	     .arg = "NAME",                                                                    \
	     .fallback = "event",                                                              \
	     .offset = (base) + offsetof(struct event_options, event_field),                   \
	     .help = "field (or JSON pointer) that holds a followed event's name"},            \
	    {.name = "bad-events",                                                             \
	     .type = OPT_CHOICE,                                                               \
	     .arg = "HOW",                                                                     \
	     .choices = event_bad_names,                                                       \
	     .fallback = "skip",                                                               \
	     .offset = (base) + offsetof(struct event_options, bad_events),                    \
	     .help = "followed events that cannot be used: skip and name them, or stop"},      \
	    {.name = "group",                                                                  \
	     .type = OPT_TEXT,                                                                 \
	     .arg = "NAME",                                                                    \
	     .fallback = "callcache",                                                          \
	     .offset = (base) + offsetof(struct event_options, group),                         \
	     .help = "consumer group of a followed stream"},                                   \
	    {.name = "consumer",                                                               \
	     .type = OPT_TEXT,                                                                 \
	     .arg = "NAME",                                                                    \
	     .offset = (base) + offsetof(struct event_options, consumer),                      \
	     .help = "consumer's name in the group (default HOST-PID)"},                       \
	    {.name = "claim-after",                                                            \
	     .type = OPT_DURATION,                                                             \
	     .arg = "TIME",                                                                    \
	     .fallback = "60s",                                                                \
	     .min = 1,                                                                         \
	     .max = 86400000,                                                                  \
	     .offset = (base) + offsetof(struct event_options, claim_after_ms),                \
	     .help = "take over stream entries that were delivered so long ago and never "     \
		     "acknowledged"},                                                          \
	    {.name = "max-tries",                                                              \
	     .type = OPT_COUNT,                                                                \
	     .arg = "N",                                                                       \
	     .fallback = "5",                                                                  \
	     .min = 1,                                                                         \
	     .max = 1000000,                                                                   \
	     .offset = (base) + offsetof(struct event_options, max_tries),                     \
	     .help = "set a stream entry aside that failed so often"},                         \
	    {.name = "dead-letter",                                                            \
	     .type = OPT_TEXT,                                                                 \
	     .arg = "KEY",                                                                     \
	     .offset = (base) + offsetof(struct event_options, dead_letter),                   \
	     .help = "stream for entries that are set aside (default KEY:dead)"},              \
	{                                                                                      \
		.name = "report-every", .type = OPT_DURATION, .arg = "TIME", .max = 86400000,  \
		.offset = (base) + offsetof(struct event_options, report_every_ms),            \
		.fallback = "0",                                                               \
		.help = "say on standard error how following goes (0: only at the end)"        \
	}

/* True when the options ask for events in place of keys. */
bool event_options_asked(const struct event_options *options);
/* What else the run was told. */
struct event_request {
	uint64_t max_keys;
	bool dry_run;       /* as --explain */
	const char *others; /* what does not go with events; NULL: nothing */
	const char *backup; /* the undo file; NULL: one event's is in the state directory, what
			       is followed is not saved */
	bool no_backup;
	uint64_t backup_limit;
};
/* Carries out one event, explains it, or follows a source of them. */
enum exit_code event_verb(struct app *app, const struct event_options *options,
			  const struct event_request *request);
/* The second half: --follow. */
enum exit_code event_verb_follow(struct app *app, const struct event_options *options,
				 const struct event_request *request);
/* The undo file of a run, or NULL when nothing is to be saved. -1: err. */
int event_open_backup(struct app *app, const struct event_request *request, bool by_default,
		      struct backup **ret_backup, struct err *err);

#endif
