#ifndef CORE_CONFIG_REPORT_H
#define CORE_CONFIG_REPORT_H

#include "base/mem.h"
#include "core/config.h"

struct json_node;

/* One text that a configuration was read from. */
struct config_doc {
	const char *file; /* as findings name it */
	const char *dir;  /* relative ${file:} paths start here; NULL: they are refused */
	struct bytes text;
	bool shared;                  /* others may read the file */
	const struct json_node *root; /* NULL until it is parsed */
};

struct config_report {
	struct mem_arena arena;
	struct config_finding *items;
	size_t count;
	size_t errors;
	struct config_findings sorted;
};

struct config_report *config_report_new(void);
/* Adds a remark about the byte at offset; doc NULL or offset SIZE_MAX: about the whole file. */
void config_report_add(struct config_report *report, enum config_severity severity,
		       const struct config_doc *doc, size_t offset, const char *path,
		       const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
