#ifndef CMD_CONNECTION_H
#define CMD_CONNECTION_H

struct app;
struct err;

/*
 * Fills app->target from, in rising precedence: defaults, the configuration,
 * the environment (REDIS_URL over REDIS_HOST and its like; REDISCLI_AUTH), the
 * options. Sets app->redis_enabled from REDIS_ENABLED. Asks for a password
 * with --askpass. 0, or -1 (ERR_USAGE, ERR_CONFIG).
 */
int connection_resolve(struct app *app, struct err *err);
/* Puts what app->target is now into app->target_text. */
void connection_describe(struct app *app);

#endif
