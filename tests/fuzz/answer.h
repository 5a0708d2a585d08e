#ifndef TESTS_FUZZ_ANSWER_H
#define TESTS_FUZZ_ANSWER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

/*
 * Redis servers on 127.0.0.1 that greet properly and answer the Nth command after that with the
 * Nth part of a text, which must live on; parts end with the byte 0xFE. Nobody has to wait:
 * after a part that is no whole reply they hang up, once; in place of a second one before
 * anything was answered, and after the last part, they answer with an error. What waits all the
 * same finds that its time has passed.
 */
struct answer_script {
	struct bytes text;
	bool greets; /* they do not greet: the text answers that too */
	/* Optional, of nodes of a cluster: commands that have answers of their own (true). */
	bool (*own)(struct bytes command, struct buf *reply);
	/* Optional: what was said to a command; nothing: it came, and the server hung up. */
	void (*said)(struct bytes command, struct bytes reply);
};

#define ANSWER_SERVERS 3
/* Started when it is asked for first. */
uint16_t answer_port(size_t server);
struct target;

/* Points at the first of them, if it does not yet: a session with it waits so long at most. */
void answer_target(struct target *target, uint64_t timeout_ms);
/* From now on; NULL: nobody asks. */
void answer_with(const struct answer_script *answers);
/* How many replies begin the text, and whether nothing in it is what no server says. */
size_t answer_replies(struct bytes text, bool *ret_sound);

#endif
