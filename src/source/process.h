#ifndef SOURCE_PROCESS_H
#define SOURCE_PROCESS_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct local_waits;

/*
 * A program under way, in a session of its own (so it has no terminal to ask
 * on), with its three standard streams as pipes and no other descriptor.
 * Nothing here blocks but process_reap.
 */
struct process {
	pid_t pid; /* 0: not started, or reaped */
	int pidfd;
	int in;  /* its standard input; -1: closed */
	int out; /* -1: it ended */
	int complaints;
	struct buf said; /* the first line of its standard error */
	bool said_enough;
	bool told;        /* TERM was sent */
	uint64_t kill_ns; /* when told: KILL follows then */
};

enum process_stream { PROCESS_DRAINED, PROCESS_MORE };

/* -1: not started; err says why. argv and envp end with NULL. */
int process_start(struct process *process, const char *const *argv, const char *const *envp,
		  struct err *err);
/* Returns how much was written; all of it when the program does not read any more. */
size_t process_write(struct process *process, struct bytes input);
/* The input ends here. */
void process_close_input(struct process *process);
/* Appends what is there, up to some 64 KiB. MORE: there may be more already. */
enum process_stream process_read(struct process *process, struct buf *out);
/* Takes standard error, keeps its first line. */
void process_listen(struct process *process);
/*
 * True when it exited, first of all killing what it left behind. What it wrote can
 * still be read.
 */
bool process_has_ended(const struct process *process);
/* TERM to its whole group; later KILL from process_press. */
void process_tell(struct process *process, uint64_t now_ns);
void process_press(struct process *process, uint64_t now_ns);
/*
 * Ends it if it still runs (TERM, a moment, KILL) and closes all but `said`.
 * Returns waitpid's status.
 */
int process_reap(struct process *process);
/* Reaps it if that was not done. */
void process_release(struct process *process);
void process_waits(const struct process *process, bool has_input, struct local_waits *waits);

#endif
