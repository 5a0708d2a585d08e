#ifndef CMD_INSPECT_VIEW_H
#define CMD_INSPECT_VIEW_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyinfo;
struct ns;
struct out_terminal;
struct relation;
struct sink;
struct unpacked;

/* What ccache.inspect-key shows. */
struct inspect_key_view {
	const char *target;
	const struct ns *ns;      /* or NULL */
	const struct bytes *vars; /* read back from the key, when there is ns */
	struct bytes key;
	struct bytes node; /* of a cluster: who holds the key */
	const struct keyinfo *info;
	const struct unpacked *unpacked; /* of a string, else NULL */
	const struct out_terminal *terminal;
	const struct relation *relations;
	size_t relation_count;
};

/* The fields; then the elements of a collection; then its value and relations. */
void inspect_view_key(struct sink *sink, const struct inspect_key_view *view);
void inspect_view_items_begin(struct sink *sink);
void inspect_view_item(struct sink *sink, struct bytes name, struct bytes value);
void inspect_view_items_end(struct sink *sink);
void inspect_view_key_end(struct sink *sink, const struct inspect_key_view *view);

#endif
