/*
 * The first answers of a server, to AUTH, SELECT, HELLO, ROLE and so on, as answer.h says. The
 * first byte tells what is asked.
 */
#include "fuzz.h"

#include "answer.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/redis.h"
#include "wire/reply.h"
#include "wire/target.h"

#include <string.h>

enum asked { LOGIN = 1, USER = 2, DB = 4, ROLE = 8, READONLY = 16, SENTINEL = 32 };

/* Nobody is sent elsewhere. */
static bool own(struct bytes command, struct buf *reply)
{
	if (!memmem(command.ptr, command.len, "CLUSTER", 7))
		return false;
	buf_add_str(reply, "-ERR no cluster\r\n");
	return true;
}

FUZZ(greet)
{
	struct bytes argv[] = {BYTES("GET"), BYTES("k")};
	const struct reply *reply = NULL;
	struct target target;
	struct err err = {0};

	if (input.len == 0 || memmem(input.ptr, input.len, "MOVED", 5) ||
	    memmem(input.ptr, input.len, "ASK", 3))
		return;
	unsigned asked = (unsigned char)input.ptr[0];
	target_init(&target);
	target.port = answer_port(0);
	target.timeout_ms = 200;
	target.db = asked & DB ? 3 : 0;
	target.must_be_primary = asked & ROLE;
	target.readonly = asked & READONLY;
	target.is_sentinel = asked & SENTINEL;
	if (asked & LOGIN)
		target.password = mem_strdup("pw");
	if (asked & USER)
		target.user = mem_strdup("me");
	answer_with(&(struct answer_script){
	    .text = bytes_sub(input, 1, input.len), .greets = true, .own = own});
	struct redis *redis = redis_new(&target, NULL);
	EXPECT((redis_connect(redis, &err) != 0) == err_is_set(&err));
	if (!err_is_set(&err))
		EXPECT((redis_call(redis, argv, 2, 0, &reply, &err) != 0) == err_is_set(&err));
	redis_free(redis);
	answer_with(NULL);
	target_release(&target);
}
