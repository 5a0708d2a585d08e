#include "connection.h"

#include "app.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/config.h"
#include "opt/opt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void replace(char **field, const char *value)
{
	if (!value)
		return;
	char *copy = mem_strdup(value);

	if (*field)
		mem_wipe(*field, strlen(*field));
	free(*field);
	*field = copy;
}

/* An environment variable, NULL when unset or empty. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static int environment_number(const char *name, uint64_t min, uint64_t max, uint64_t *value,
			      struct err *err)
{
	const char *text = environment(name);

	if (text && num_parse_u64(bytes_of(text), min, max, value) != 0)
		return err_set(err, ERR_USAGE, "%s is '%s': not a number from %llu to %llu",
			       name, text, (unsigned long long)min, (unsigned long long)max);
	return 0;
}

static int read_enabled(struct app *app, struct err *err)
{
	static const char *const off[] = {"false", "0", "no", "off"};
	static const char *const on[] = {"true", "1", "yes", "on"};
	const char *text = environment("REDIS_ENABLED");

	app->redis_enabled = true;
	if (!text)
		return 0;
	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
		if (strcasecmp(text, off[i]) == 0) {
			app->redis_enabled = false;
			return 0;
		}
		if (strcasecmp(text, on[i]) == 0)
			return 0;
	}
	return err_set(err, ERR_USAGE, "REDIS_ENABLED is '%s': write true or false", text);
}

/* Points the target at host:port, and away from a socket that a weaker origin named. */
static void use_host(struct target *target, const char *host, uint64_t port)
{
	replace(&target->host, host);
	if (port != OPT_UNSET)
		target->port = (uint16_t)port;
	if (host || port != OPT_UNSET) {
		target_forget_sentinel(target);
		free(target->socket);
		target->socket = NULL;
	}
}

/* What REDIS_URL says counts; the first other variable that has no effect for it is told. */
static int apply_url(struct app *app, const char *url, const char *ignored, struct err *err)
{
	struct target said = {0};
	int status = target_parse_url(&said, url, err);

	if (status == 0) {
		if (!ignored && said.user && environment("REDIS_USERNAME"))
			ignored = "REDIS_USERNAME";
		if (!ignored && said.password)
			ignored = environment("REDISCLI_AUTH")    ? "REDISCLI_AUTH"
				  : environment("REDIS_PASSWORD") ? "REDIS_PASSWORD"
								  : NULL;
		if (ignored)
			app_warn(app, "REDIS_URL and %s are both set; REDIS_URL counts",
				 ignored);
		status = target_parse_url(&app->target, url, err);
	}
	target_release(&said);
	return status == 0 ? 0 : err_wrap(err, "REDIS_URL");
}

static int apply_environment(struct app *app, struct err *err)
{
	struct target *target = &app->target;
	const char *url = environment("REDIS_URL");
	const char *host = environment("REDIS_HOST");
	uint64_t port = OPT_UNSET;
	uint64_t db = OPT_UNSET;

	if (environment_number("REDIS_PORT", 1, 65535, &port, err) != 0 ||
	    environment_number("REDIS_DB", 0, 1u << 20, &db, err) != 0)
		return -1;
	if (!url) {
		use_host(target, host, port);
		if (db != OPT_UNSET)
			target->db = (uint32_t)db;
	}
	replace(&target->user, environment("REDIS_USERNAME"));
	replace(&target->password, environment("REDIS_PASSWORD"));
	replace(&target->password, environment("REDISCLI_AUTH"));
	replace(&target->sentinel_user, environment("REDIS_SENTINEL_USERNAME"));
	replace(&target->sentinel_password, environment("REDIS_SENTINEL_PASSWORD"));
	if (!url)
		return 0;
	return apply_url(app, url,
			 host                ? "REDIS_HOST"
			 : port != OPT_UNSET ? "REDIS_PORT"
			 : db != OPT_UNSET   ? "REDIS_DB"
					     : NULL,
			 err);
}

/* Two addresses on one command line are a slip, and one of them may be production. */
static int check_contradictions(const struct globals *globals, struct err *err)
{
	const char *part = globals->host ? "host" : globals->port != OPT_UNSET ? "port" : NULL;

	if (globals->uri && (part || globals->socket))
		return err_set(err, ERR_USAGE, "--uri and --%s exclude each other",
			       part ? part : "socket");
	if (globals->socket && part)
		return err_set(err, ERR_USAGE, "--socket and --%s exclude each other", part);
	if (globals->askpass && globals->password)
		return err_set(err, ERR_USAGE, "--askpass and --pass exclude each other");
	return 0;
}

static int apply_options(struct app *app, struct err *err)
{
	const struct globals *globals = &app->globals;
	struct target *target = &app->target;

	if (check_contradictions(globals, err) != 0)
		return -1;
	if (globals->uri && target_parse_url(target, globals->uri, err) != 0)
		return err_wrap(err, "--uri");
	use_host(target, globals->host, globals->port);
	if (globals->socket)
		target_forget_sentinel(target);
	replace(&target->socket, globals->socket);
	replace(&target->user, globals->user);
	replace(&target->password, globals->password);
	replace(&target->sentinel_user, globals->sentinel_user);
	replace(&target->sentinel_password, globals->sentinel_password);
	replace(&target->cacert, globals->cacert);
	replace(&target->cert, globals->cert);
	replace(&target->key, globals->key);
	replace(&target->sni, globals->sni);
	replace(&target->proxy, globals->proxy);
	if (globals->db != OPT_UNSET)
		target->db = (uint32_t)globals->db;
	if (globals->timeout_ms != OPT_UNSET)
		target->timeout_ms = globals->timeout_ms;
	target->tls = target->tls || globals->tls;
	target->insecure = target->insecure || globals->insecure;
	return 0;
}

static int ask_password(struct app *app, struct err *err)
{
	char *password = NULL;

	if (!app->globals.askpass)
		return 0;
	int status = out_ask_secret("Redis password: ", app->cancel, &password);
	if (status != 0 && *app->cancel)
		return err_set(err, ERR_INTERRUPTED, "--askpass: interrupted");
	if (status != 0)
		return err_set(err, ERR_USAGE, "--askpass: %s; set REDISCLI_AUTH",
			       status < 0 ? "there is no terminal to ask on"
					  : "no password was typed");
	replace(&app->target.password, password);
	mem_wipe(password, strlen(password));
	free(password);
	return 0;
}

/* -a '' and redis://:@host say that there is none. */
static void drop_empty(char **field)
{
	if (*field && !**field) {
		free(*field);
		*field = NULL;
	}
}

void connection_describe(struct app *app)
{
	struct buf text = {0};

	target_describe(&app->target, &text);
	free(app->target_text);
	app->target_text = buf_steal(&text);
}

int connection_resolve(struct app *app, struct err *err)
{
	if (read_enabled(app, err) != 0)
		return -1;
	target_release(&app->target);
	target_init(&app->target);
	if (app->config && config_apply_redis(app->config, &app->target, err) != 0)
		return -1;
	if (apply_environment(app, err) != 0 || apply_options(app, err) != 0 ||
	    ask_password(app, err) != 0)
		return -1;
	drop_empty(&app->target.user);
	drop_empty(&app->target.password);
	connection_describe(app);
	return 0;
}
