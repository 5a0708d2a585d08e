#ifndef SOURCE_COMMAND_H
#define SOURCE_COMMAND_H

struct local;
struct source_def;

/*
 * A program that answers on its standard output; the protocol stands at
 * source_def. At most def->concurrency processes at once. One that serves
 * batches starts for a full one, or for what waits when no other is at work.
 */
struct local *command_new(const struct source_def *def);

#endif
