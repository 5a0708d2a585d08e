#include "wire/route.h"

#include "check.h"

#include <string.h>

static void check_route(const char *line, enum route route, const char *key)
{
	struct bytes argv[16];
	struct bytes got = {0};
	char copy[128];
	char *rest = copy;
	size_t argc = 0;

	snprintf(copy, sizeof copy, "%s", line);
	for (char *word; (word = strtok_r(rest, " ", &rest));)
		argv[argc++] = bytes_of(word);
	CHECK_INT(route_of(argv, argc, &got), route);
	CHECK_BYTES(got, bytes_of(key));
}

TEST(routes)
{
	check_route("GET a", ROUTE_KEY, "a");
	check_route("unlink a b", ROUTE_KEY, "a");
	check_route("PING", ROUTE_ANY, NULL);
	check_route("info server", ROUTE_ANY, NULL);
	check_route("SCRIPT LOAD x", ROUTE_EVERY, NULL);
	check_route("EVALSHA abc 1 k v", ROUTE_KEY, "k");
	check_route("EVAL abc 0 v", ROUTE_ANY, NULL);
	check_route("MEMORY USAGE k", ROUTE_KEY, "k");
	check_route("MEMORY DOCTOR", ROUTE_ANY, NULL);
	check_route("OBJECT FREQ k", ROUTE_KEY, "k");
	check_route("XREADGROUP GROUP g c COUNT 1 STREAMS s >", ROUTE_KEY, "s");
	check_route("XADD s * a b", ROUTE_KEY, "s");
	check_route("PUBLISH channel text", ROUTE_ANY, NULL);
}

int main(void)
{
	RUN(routes);
	CHECK_DONE();
}
