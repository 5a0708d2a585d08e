#ifndef CORE_MONITOR_H
#define CORE_MONITOR_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What MONITOR says: lines such as
 *   +1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
 * with arguments escaped as redis-cli prints them (Redis' sdscatrepr), so a
 * value of a megabyte of NUL bytes is a line of four. Lines are kept up to
 * MONITOR_LINE_MAX bytes; of a longer one the rest is passed over unseen.
 */
#define MONITOR_LINE_MAX ((size_t)16 * 1024)
#define MONITOR_ARGS_MAX 512

/* Cuts a stream of bytes into lines. Zero-initialise. */
struct monitor_lines {
	struct buf line; /* the beginning of a line whose end has not come */
	bool cut;        /* more than fits has come */
};
/* Called for each line, without its line end; -1 stops. */
typedef int monitor_line_fn(void *ctx, struct bytes line, bool cut);
/* 0, or -1 when fn stopped it (what was left of data is dropped). */
int monitor_feed(struct monitor_lines *lines, struct bytes data, monitor_line_fn *fn,
		 void *ctx);
void monitor_lines_release(struct monitor_lines *lines);

struct monitor_command {
	uint64_t time_us; /* the server's clock */
	uint64_t db;
	struct bytes client; /* "127.0.0.1:60866", "unix:/run/redis.sock", "lua" */
	struct bytes argv[MONITOR_ARGS_MAX];
	size_t argc; /* those that are whole */
	bool cut;    /* there were more */
};
/*
 * Reads a line; scratch holds the unescaped arguments and must live as long as
 * *ret_command is used. -1: it is no such line.
 */
int monitor_parse(struct bytes line, bool cut, struct buf *scratch,
		  struct monitor_command *ret_command);

#endif
