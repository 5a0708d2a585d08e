/* A URL of a Redis, of a source, and where a redirection leads. No message may show the
 * password. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "source/origin.h"
#include "wire/target.h"

#include <string.h>

static void redis(const char *url)
{
	struct target target;
	struct buf name = {0};
	struct err err = {0};

	target_init(&target);
	if (target_parse_url(&target, url, &err) != 0)
		EXPECT(err_is_set(&err));
	target_describe(&target, &name);
	/* one that stands in the host, user or path too is no secret */
	if (target.password && strlen(target.password) > 8 && target.host && !target.socket &&
	    !strstr(target.host, target.password))
		EXPECT(!strstr(buf_str(&name), target.password));
	buf_release(&name);
	target_release(&target);
}

static void source(const char *url)
{
	struct origin origin = {0};
	struct buf made = {0};
	struct err err = {0};

	if (origin_init(&origin, url, &err) == 0) {
		origin_url(&origin, "/a?b=c", &made, &err);
		origin_release(&origin);
	}
	EXPECT(origin_init(&origin, "http://user:pw@127.0.0.1:8080/base", &err) == 0);
	if (origin_follow(&origin, url, &made, &err) == 0)
		EXPECT(strncmp(buf_str(&made), "http://127.0.0.1:8080/", 22) == 0);
	origin_url(&origin, url, &made, &err);
	origin_release(&origin);
	buf_clear(&made);
	origin_describe(url, &made);
	buf_release(&made);
}

FUZZ(url)
{
	char *url = mem_zalloc(1, input.len + 1);

	if (input.len > 0)
		memcpy(url, input.ptr, input.len);
	redis(url);
	source(url);
	free(url);
}
