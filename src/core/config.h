#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "base/bytes.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct ns;
struct nsset;
struct source_def;
struct target;
struct var;

/*
 * The configuration: JSON with comments, references resolved, every field
 * known, templates compiled. Format: callcache.json(5), schema: config_schema.
 */
struct config;

enum config_severity { CONFIG_WARNING, CONFIG_ERROR };

/* A remark about the file: "FILE:LINE:COLUMN: text", most with a remedy. */
struct config_finding {
	enum config_severity severity;
	const char *file;    /* path, or "profile NAME" */
	size_t line, column; /* 1-based; 0: about the whole file */
	const char *where;   /* "FILE:LINE:COLUMN", or "FILE" */
	const char *path;    /* where in the document: "/namespaces/lead/ttl" */
	const char *text;
	size_t order; /* a later one at the same place may only follow from this */
};

struct config_findings {
	const struct config_finding *items;
	size_t count;
	size_t errors;
};

/*
 * Where a configuration is looked for: path when given (option or
 * CALLCACHE_CONFIG), else $XDG_CONFIG_HOME/callcache/config.json (~/.config
 * when unset; no HOME: skipped), /etc/callcache/config.json, else the embedded
 * profile (NULL: "all"). A profile that is named wins over the two default
 * files; with a path both are an error. Never the working directory.
 */
int config_load(const char *path, const char *profile, struct config **ret_config,
		struct err *err);
/*
 * The same for one text, file or profile ("all": the five merged), with every
 * finding: for `config check`. On an error *ret_config is NULL. The report is
 * the caller's, also when there is nothing in it.
 */
struct config_report;
struct config_report *config_read(const char *file, struct bytes text,
				  struct config **ret_config);
struct config_report *config_read_file(const char *path, struct config **ret_config);
/* Looks as config_load does. -1 only with ERR_USAGE (an unknown profile, file and profile
 * both). */
int config_open(const char *path, const char *profile, struct config **ret_config,
		struct config_report **ret_report, struct err *err);
/* NULL: there is no profile of that name. */
struct config_report *config_read_profile(const char *name, struct config **ret_config);
/* In the order of files, lines and columns. */
const struct config_findings *config_report_findings(const struct config_report *report);
void config_report_free(struct config_report *report);
void config_free(struct config *config);

const char *config_origin(const struct config *config); /* the file, or "profile all" */
const struct nsset *config_namespaces(const struct config *config);
/* Warnings that config_load found. */
const struct config_findings *config_warnings(const struct config *config);
/* redis.production: people are warned that this is no place to try things. */
bool config_is_production(const struct config *config);
/* Puts redis.* of the file (url, user, password, tls files, proxy, timeout) into target. */
int config_apply_redis(const struct config *config, struct target *target, struct err *err);

/* A set of namespaces that are warmed together, its name's vars filled. Release. */
struct config_set {
	struct mem_arena arena;
	const struct ns **namespaces;
	size_t count;
	struct var *vars; /* the values are views into the name */
	size_t var_count;
};
/* By name ("dashboard", "campaign/42"); ERR_USAGE: unknown, did you mean, or which there are.
 */
int config_set_find(const struct config *config, struct bytes name, struct config_set *ret_set,
		    struct err *err);
void config_set_release(struct config_set *set);
/* The names of the first `most` sets as they are written ("campaign/{campaignId}"), views; how
 * many. */
size_t config_set_names(const struct config *config, struct bytes *ret_names, size_t most);
/* Whether the set's vars make a key of the namespace. */
bool config_set_covers(const struct config_set *set, const struct ns *ns);

/*
 * Appends the effective configuration as JSON: references resolved, defaults
 * filled in, secrets "***" (every header's value, passwords). It can be read again.
 */
void config_show(const struct config *config, struct buf *buf);
/* Appends the JSON Schema (draft-07) of the file, for editors. */
void config_schema(struct buf *buf);

/* The embedded profiles: "call-logs", …, "all". */
size_t config_profile_count(void);
const char *config_profile_name(size_t index);
/* The profile's JSON text; NULL when unknown, and for "all", which is the five merged. */
const char *config_profile_text(const char *name);

#endif
