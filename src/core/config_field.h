#ifndef CORE_CONFIG_FIELD_H
#define CORE_CONFIG_FIELD_H

#include "base/buf.h"
#include "base/json_tree.h"
#include "core/config_report.h"

struct cJSON;
struct config;
struct config_field;

/* Where in the document the reader is. */
struct config_reader {
	struct config *config;
	struct mem_arena *arena; /* of the configuration */
	struct config_report *report;
	const struct config_doc *doc;
	struct buf path; /* "/namespaces/lead" */
};

/* How a kind of value is read, shown and described. */
struct config_kind {
	/* Fills *place, or adds findings. */
	void (*read)(struct config_reader *reader, const struct json_node *node,
		     const struct config_field *field, void *place);
	/* The effective value for `config show`; NULL: nothing to show. */
	struct cJSON *(*show)(const struct config_field *field, const void *place);
	struct cJSON *(*schema)(const struct config_field *field);
};

enum config_field_flags {
	CONFIG_REQUIRED = 1,
	CONFIG_SECRET = 2, /* shown as "***" */
	CONFIG_UNSET = 4,  /* zero means not set: not shown */
};

/* One field of an object: parser, did-you-mean, `config show` and schema come from this row. */
struct config_field {
	const char *name;
	const char *help;
	const struct config_kind *kind;
	size_t offset; /* of its place in the struct that the object fills */
	unsigned flags;
	uint64_t min, max;  /* of numbers */
	const void *detail; /* choices, the inner object, … as the kind says */
	unsigned actions; /* of rule fields: bits of the actions that take it; of a source's: of
			     the kinds */
};

struct config_object {
	const char *what; /* "a namespace" */
	const struct config_field *fields;
	size_t count;
	size_t size;               /* of the struct that it fills */
	void (*init)(void *place); /* its defaults; NULL: zeros */
	/* NULL, or why a field does not go with what place is ("'x' is …"), NULL: it does. */
	const char *(*misfit)(const struct config_field *field, const void *place);
};

/* A finding about a node (or its name), at the reader's path. */
void config_field_error(struct config_reader *reader, const struct json_node *node,
			const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_field_name_error(struct config_reader *reader, const struct json_node *node,
			     const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The path grows by a name (escaped as in a pointer); pop with the length returned. */
size_t config_field_push(struct config_reader *reader, struct bytes name);
void config_field_pop(struct config_reader *reader, size_t len);
/* "an object", "a string", "true"… for messages. */
const char *config_field_type(enum json_type type);
/* True, or a finding "expected an object, not a string". */
bool config_field_expect(struct config_reader *reader, const struct json_node *node,
			 enum json_type type);

/* Reads every member of node into place by the rows; unknown and missing ones become findings.
 */
void config_field_read(struct config_reader *reader, const struct json_node *node,
		       const struct config_object *object, void *place);
struct cJSON *config_field_show(const struct config_object *object, const void *place);
struct cJSON *config_field_schema(const struct config_object *object);
/* " ; did you mean 'x'?" or "" for a name among candidates; the text lives in the report. */
const char *config_field_hint(struct config_reader *reader, struct bytes name,
			      const char *const *candidates, size_t count);

#define CONFIG_SHOWN_MAX 64 /* bytes of a value in a finding */
#define CONFIG_SHOWN(b) ((b).len > CONFIG_SHOWN_MAX ? CONFIG_SHOWN_MAX : (int)(b).len), (b).ptr

#endif
