#ifndef CORE_CONFIG_PRIVATE_H
#define CORE_CONFIG_PRIVATE_H

#include "core/config_field.h"
#include "core/config_kind.h"
#include "core/namespace.h"
#include "source/source.h"

/* What a document says, before names are resolved. */
struct conf_source {
	struct config_place place;
	struct source_def def;
};

struct conf_step {
	struct config_place place;
	const char *use;
	struct template *get;
	struct config_items args; /* of conf_arg */
	struct bytes body;        /* a list's or keep_in's `items` too */
	struct conf_keep *keep;
	struct source_empty *empty;
	size_t empty_count;
	struct config_items chain; /* of conf_step */
	struct config_items vars;  /* of conf_list_var */
	struct bytes next;
};

struct conf_arg {
	struct config_place place;
	struct template *value;
};

struct conf_keep {
	struct config_place place;
	struct bytes item;
	struct conf_step *in;
};

struct conf_list_var {
	struct config_place place;
	struct bytes pointer;
};

struct conf_ns {
	struct config_place place;
	struct ns
	    ns; /* index_of, members_of, steps and list are filled when names are resolved */
	const char *ttl_day; /* the var of {"day": …} */
	unsigned ttl_from;   /* 0: the declared TTL */
	bool json;
	struct conf_step *source;
	struct conf_step *list;
	const char *index_of;
	const char *members_of;
};

struct conf_redis {
	const char *url, *user, *password, *sentinel_user, *sentinel_password;
	const char *cacert, *cert, *key, *sni, *proxy;
	bool insecure;
	bool production;
	uint64_t timeout_ms; /* 0: not set */
};

/* A member kept as a tree for the parts that execute it. */
struct conf_tree {
	const struct config_doc *doc;
	const struct json_node *node;
};

struct conf_events {
	struct conf_tree tree;
	struct config_items events; /* of config_event */
};

struct conf_root { /* what the root object's rows fill; one per document, lists add up */
	struct conf_redis redis;
	struct config_items sources;    /* of conf_source */
	struct config_items namespaces; /* of conf_ns */
	struct conf_tree sets;
	struct conf_events events;
};

#define CONFIG_DOCS_MAX 8

struct config {
	struct mem_arena arena;
	const char *origin;
	struct config_report *report; /* the findings of config_load */
	struct config_doc docs[CONFIG_DOCS_MAX];
	struct conf_root roots[CONFIG_DOCS_MAX];
	size_t doc_count;
	struct conf_source **sources;
	size_t source_count;
	struct conf_ns **namespaces; /* as in set */
	size_t namespace_count;
	struct nsset *set;
	struct bytes *secrets; /* what references with secret names gave */
	size_t secret_count;
	struct template **templates; /* all of them, to be freed */
	size_t template_count;
};

/* A configuration without documents; adds one (all copied); reads them and fills the report. */
struct config *config_make(const char *origin);
void config_add_doc(struct config *config, const char *file, const char *dir, struct bytes text,
		    bool shared);
/* Returns report. *ret_config is config, or NULL (and config freed) when there are errors. */
struct config_report *config_finish(struct config *config, struct config_report *report,
				    struct config **ret_config);

extern const struct config_object config_root_object;
extern const struct config_object config_redis_object;
extern const struct config_object config_source_object;
extern const struct config_object config_namespace_object;
extern const struct config_kind config_args_kind; /* struct config_items */
extern const struct config_object
    config_step_source;                             /* a namespace's source: struct conf_step */
extern const struct config_object config_step_list; /* its list: struct conf_step */
extern const struct config_kind config_events_kind; /* struct conf_events */
extern const struct config_kind config_sets_kind;   /* struct conf_tree */

/* Resolves ${env:} and ${file:} in every string of the tree. */
void config_reference_resolve(struct config_reader *reader, struct json_node *root);
/* A warning when a secret stands literally in a file that others can read. */
void config_reference_warn(struct config_reader *reader, const struct json_node *node);
/* True for names of headers and environment variables that carry credentials. */
bool config_reference_secret(struct bytes name);

/* The later passes over everything read: 0 findings mean that config is complete. */
void config_link(struct config_reader *reader);
void config_events_check(struct config_reader *reader);
/* A finding about a field of a place: at its value when it is there. */
void config_link_error(struct config_reader *reader, const struct config_place *place,
		       const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const struct conf_ns *config_link_namespace(const struct config *config, struct bytes name);
/* "; did you mean 'x'?" among the namespaces. */
const char *config_link_hint(struct config_reader *reader, struct bytes name);

#endif
