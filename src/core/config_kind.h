#ifndef CORE_CONFIG_KIND_H
#define CORE_CONFIG_KIND_H

#include "core/config_field.h"
#include "core/template.h"

/* Kinds of plain values, and the place that each fills. */
extern const struct config_kind config_kind_string;   /* const char * */
extern const struct config_kind config_kind_bool;     /* bool */
extern const struct config_kind config_kind_unsigned; /* unsigned, min..max */
extern const struct config_kind config_kind_ratio;    /* double; max: per cent */
extern const struct config_kind config_kind_duration; /* uint64_t ms, min..max */
extern const struct config_kind config_kind_size;     /* uint64_t bytes, min..max */
extern const struct config_kind config_kind_pointer;  /* struct bytes */
extern const struct config_kind config_kind_choice; /* unsigned; detail: const char *const[] */
extern const struct config_kind config_kind_object; /* a struct; detail: struct config_object */
extern const struct config_kind config_kind_object_new; /* a pointer to one, allocated */
extern const struct config_kind config_kind_map; /* struct config_items; detail: the object */
extern const struct config_kind config_kind_key; /* struct template * */
extern const struct config_kind config_kind_url; /* struct template *, begins with '/' */
extern const struct config_kind config_kind_schema_url; /* nothing: "$schema" is the editor's */

/* Kinds of the HTTP side. */
extern const struct config_kind config_kind_base_url; /* const char *, no slash at its end */
extern const struct config_kind config_kind_headers;  /* struct source_def: its headers */

/* Kinds of the local sources; each fills a struct source_def, its kind too. */
extern const struct config_kind config_kind_root;
extern const struct config_kind config_kind_argv;
extern const struct config_kind config_kind_env;

/* An object's members (or an array's elements), each read as an object of one kind. */
struct config_items {
	void *list; /* of detail->size structs; each begins with a struct config_place */
	size_t count;
};

/* Where an item stands, for findings of later passes. */
struct config_place {
	const struct config_doc *doc;
	const struct json_node *node;
	const char *path;
	const char *name; /* the member's */
};

/* Reads an array's elements; place: struct config_items. */
void config_kind_read_array(struct config_reader *reader, const struct json_node *node,
			    const struct config_object *object, struct config_items *items);
/* Compiles a template of the text, owned by the configuration; NULL after a finding. */
struct template *config_kind_template(struct config_reader *reader,
				      const struct json_node *node,
				      enum template_context context);
struct cJSON *config_kind_show_bytes(struct bytes text);
struct cJSON *config_kind_schema_type(const char *type);
/* {"type": ["string", "number"]} */
struct cJSON *config_kind_schema_types(const char *first, const char *second);

#endif
