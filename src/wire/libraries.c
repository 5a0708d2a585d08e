#include "wire/libraries.h"

#include "base/buf.h"

#include <curl/curl.h>
#include <hiredis/hiredis.h>

void libraries_describe(struct buf *buf)
{
	buf_printf(buf, "hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
	buf_printf(buf, "%s\n", curl_version());
}
