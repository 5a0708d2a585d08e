#include "out/terminal.h"

#include "base/buf.h"

#include <libsmartcols/libsmartcols.h>

void out_describe_library(struct buf *buf)
{
	const char *version = NULL;

	scols_get_library_version(&version);
	buf_printf(buf, "libsmartcols %s\n", version);
}
