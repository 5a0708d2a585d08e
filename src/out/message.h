#ifndef OUT_MESSAGE_H
#define OUT_MESSAGE_H

#include <stdbool.h>

struct err;
struct out_stream;

/*
 * Lines for people and logs, on standard error: "ccache: warning: …", or with
 * the json log format {"time":…,"level":…,"message":…}. Control bytes are
 * escaped, a URI's password is shown as "***", long lines are not wrapped.
 */
enum out_level { OUT_DEBUG, OUT_INFO, OUT_WARNING, OUT_ERROR, OUT_SILENT };
extern const char *const out_level_names[]; /* debug info warning error silent, NULL */

struct out_messages {
	enum out_level level; /* lines below it are dropped */
	bool json;
	bool colour;
	const char *program;     /* as it was called */
	struct out_stream *into; /* where they go instead, NULL: to standard error */
	bool in_session;         /* verbs are typed without the program's name: so are hints */
};
void out_message(const struct out_messages *messages, enum out_level level, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));
/* A hint in it, worded as 'ccache VERB …', names the program as it is called. */
void out_error(const struct out_messages *messages, const struct err *err);

#endif
