#ifndef CMD_INSPECT_VIEW_H
#define CMD_INSPECT_VIEW_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct inspect_overview;
struct keyinfo;
struct ns;
struct scan_key;
struct sink;
struct unpacked;

/* The documents of `inspect`: ccache.inspect, ccache.inspect-keys, ccache.inspect-key. */
void inspect_view_overview(struct sink *sink, const char *target,
			   const struct inspect_overview *overview);

void inspect_view_keys_begin(struct sink *sink);
void inspect_view_key_row(struct sink *sink, const struct ns *ns, const struct scan_key *key);
void inspect_view_keys_end(struct sink *sink, uint64_t listed, bool complete);

/* vars: the values read back from the key, when ns is not NULL; unpacked: of a string, else
 * NULL. */
void inspect_view_key(struct sink *sink, const char *target, const struct ns *ns,
		      const struct bytes *vars, struct bytes key, const struct keyinfo *info,
		      const struct unpacked *unpacked);

#endif
