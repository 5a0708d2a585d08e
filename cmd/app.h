#ifndef CMD_APP_H
#define CMD_APP_H

#include "command.h"
#include "opt/opt.h"
#include "out/message.h"
#include "out/terminal.h"
#include "wire/target.h"

#include <stdbool.h>
#include <stdint.h>

struct bytes;
struct buf;
struct config;
struct err;
struct fetcher;
struct nsset;
struct out_progress;
struct out_stream;
struct redis;
struct session;
struct sink;
struct tally;

/* The options that every verb takes; rows in options.c. */
struct globals {
	const char *host;
	uint64_t port;
	const char *socket;
	const char *uri;
	uint64_t db;
	const char *password;
	const char *user;
	bool askpass;
	const char *sentinel_user;
	const char *sentinel_password;
	bool tls;
	const char *cacert;
	const char *cert;
	const char *key;
	const char *sni;
	bool insecure;
	const char *proxy;
	uint64_t timeout_ms;
	const char *config;
	const char *profile;
	int output; /* enum out_format */
	bool quiet;
	int progress; /* auto, bar, lines, off */
	int log_level;
	int log_format;
	bool help;
	bool version;
};
extern const struct opt_row app_global_rows[];

/*
 * What a run works with. One app serves one verb from the shell, or many from
 * a prompt; app_open makes exactly what the verb needs and keeps it.
 */
struct app {
	struct globals globals;
	struct out_messages messages;
	struct out_terminal out_terminal;
	struct out_terminal err_terminal;
	struct out_stream *out;
	struct config *config;
	struct target target;
	char *target_text; /* "127.0.0.1:6379/0" */
	bool redis_enabled;
	struct redis *redis;
	struct fetcher *fetcher;
	struct tally *tally;
	volatile int *cancel;    /* the signal that asked to stop, 0: none */
	volatile int *again;     /* the second one, which a session outlives */
	struct session *session; /* when it serves a prompt or a script, else NULL */
	/* The line that the verb was typed on, in a session: app_bytes looks texts up in it. */
	const struct opt_word *line;
	size_t line_count;
};

void app_init(struct app *app, volatile int *cancel, volatile int *again);
void app_release(struct app *app);
/* Applies the globals that shape messages and output (after parsing). */
void app_configure(struct app *app);
/* Prepares what command needs. 0; -1 with err; 1 when the verb has nothing to do
 * (REDIS_ENABLED=false). */
int app_open(struct app *app, const struct command *command, struct err *err);

/*
 * The file or profile that options or else the environment name; NULL, NULL: the one that is
 * found. Both together are refused when they are opened. Returns the environment's variable
 * that chose, or NULL.
 */
const char *app_choose_config(const struct app *app, const char **ret_path,
			      const char **ret_profile);
/* Loads the configuration in force, once; its warnings are told. */
int app_load_config(struct app *app, struct err *err);

/* The sink for this run's --output: document of verb, version. */
struct sink *app_sink(struct app *app, const char *verb, unsigned version);
/*
 * Ends and frees the sink; a failure of the output joins code. Output that
 * was cut because its reader left is told by the code alone.
 */
enum exit_code app_finish(struct app *app, struct sink *sink, enum exit_code code);

/* 0, or ERR_USAGE when --output asks for a document of what ("get") prints: a value as it is.
 */
int app_check_value_output(const struct app *app, const char *what, struct err *err);

/* A progress line on standard error as --progress and -q say; NULL when there is none. total 0:
 * unknown. */
struct out_progress *app_progress(const struct app *app, const char *what, uint64_t total);

/* Tells err and gives its exit code. */
enum exit_code app_fail(struct app *app, const struct err *err);
/* Tells what -q does not keep quiet about: why the exit code is not 0. */
void app_error(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));
void app_warn(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));
void app_info(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));
void app_debug(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The program's own counters; NULL (which counts nothing) while the cache is switched off. */
struct tally *app_tally(struct app *app);
/* Sends what was counted, on a connection that stands. A failure takes nothing from the verb:
 * it is told at --log-level debug. */
void app_tally_flush(struct app *app);

/* Namespaces of the configuration. */
const struct nsset *app_namespaces(const struct app *app);
/*
 * The bytes of a word or of an option's text. A word from a shell ends at its
 * NUL, one that was typed in a session may hold any ("a\x00b").
 */
struct bytes app_bytes(const struct app *app, const char *text);
/* words[from..] as bytes; the array is malloc'd, the bytes are borrowed. */
struct bytes *app_words(const struct app *app, const struct opt_words *words, size_t from);

#endif
