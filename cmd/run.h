#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "command.h"

struct app;

/*
 * Runs one verb with the words behind its name: parses them into structs of
 * this run alone, prepares what the verb needs, and lets it work. Everything is
 * told; the exit code is returned. In a session (app->session) the options that
 * shape messages and output hold for this run only, and those that choose the
 * server or the configuration are refused: they were settled when it began.
 */
enum exit_code run_verb(struct app *app, const struct command *command, int argc, char **argv);

#endif
