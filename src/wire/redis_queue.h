#ifndef WIRE_REDIS_QUEUE_H
#define WIRE_REDIS_QUEUE_H

#include "wire/redis_private.h"

/* The commands under way: their order, the window, who is told what. */

/* Queues a command: its bytes are copied. */
void redis_queue_add(struct redis *redis, const struct redis_command *command);
/* The same; a command without words is raw, as redis_queue_raw gave it. */
void redis_queue_add_raw(struct redis *redis, const struct redis_command *command,
			 struct bytes raw);
/*
 * For a callback: the bytes of the command that is being answered (empty: they
 * are gone), valid inside the callback; *ret_started says whether a part of it
 * may have been sent.
 */
struct bytes redis_queue_raw(const struct redis *redis, bool *ret_started);
/* Queues one that has no connection to go over: lost when its turn comes. */
void redis_queue_add_lost(struct redis *redis, const struct redis_command *command);
/* Lets go as many commands as the window allows, at least one. */
void redis_queue_grant(struct redis *redis);
/* In turns: the server answers. If that is the first of a window, all of it is free, and the
 * next goes. */
void redis_queue_turn(struct redis *redis);
/* True when nothing waits for the window and half of it is free. */
bool redis_queue_has_room(const struct redis *redis);
/*
 * The oldest command's answer. -1: no command has been sent that it could belong to, or, with
 * redis->put_off and the reason in redis->fault, all of them are to be sent again later.
 */
int redis_queue_answer(struct redis *redis, const struct reply *reply);
/* Whether that was it; err says why. */
bool redis_queue_is_put_off(const struct redis *redis, struct err *err);
/*
 * After a break: what may be sent again, or was not sent, is queued anew; the
 * others are answered with REPLY_LOST when their turn comes.
 */
void redis_queue_restart(struct redis *redis);
/* Answers everything with REPLY_LOST. */
void redis_queue_abandon(struct redis *redis);
void redis_queue_release(struct redis *redis);

#endif
