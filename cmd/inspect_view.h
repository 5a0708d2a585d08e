#ifndef CMD_INSPECT_VIEW_H
#define CMD_INSPECT_VIEW_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct keyinfo;
struct ns;
struct sink;
struct unpacked;

/* ccache.inspect-key. */
/* vars: the values read back from the key, when ns is not NULL; unpacked: of a string, else
 * NULL. */
void inspect_view_key(struct sink *sink, const char *target, const struct ns *ns,
		      const struct bytes *vars, struct bytes key, const struct keyinfo *info,
		      const struct unpacked *unpacked);

#endif
