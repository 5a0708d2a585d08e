#ifndef WIRE_RESP_H
#define WIRE_RESP_H

#include "base/bytes.h"
#include "wire/reply.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

/*
 * The RESP2 codec: hiredis' reader behind our types, with resp_scan before it, and
 * command writing. One per connection. (https://redis.io/docs/reference/protocol-spec)
 */
struct resp;

/* As much as is worth receiving at once. */
#define RESP_FEED ((size_t)64 * 1024)

/*
 * One whole reply, valid inside the call: strings at the top level lie where
 * they were received. Must not feed. -1 stops the reading: nobody asked.
 */
typedef int resp_reply_fn(void *ctx, const struct reply *reply);

/* A reply of more than max_reply bytes is refused as soon as it shows. */
struct resp *resp_new(size_t max_reply, resp_reply_fn *fn, void *ctx);
void resp_free(struct resp *resp);
/*
 * Takes len bytes and calls back for each reply completed. -1 with ERR_REDIS when
 * this is not RESP2, or too long, or too deep: the connection is of no more use then.
 */
int resp_feed(struct resp *resp, const char *data, size_t len, struct err *err);

/*
 * A command as an array of bulk strings: its size, and its bytes written to where
 * so much room is. Our own, because the formatter of hiredis 0.14 allocates and
 * prints through sprintf for every command: half of the client's time.
 */
size_t resp_command_size(const struct bytes *argv, size_t argc);
void resp_command_write(char *out, const struct bytes *argv, size_t argc);

#endif
