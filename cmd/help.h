#ifndef CMD_HELP_H
#define CMD_HELP_H

struct app;
struct command;

/* The verbs and the global options, to a standard descriptor. */
void help_overview(struct app *app, int fd);
/* One verb: synopsis, examples first, its options. */
void help_verb(struct app *app, const struct command *command);
/* Program and library versions. */
void help_version(struct app *app);

#endif
