/* NAME, a line end, and a document: planned against the built-in systems; as a merge and an
 * edit of another document. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/event.h"
#include "core/event_edit.h"

#include <string.h>

static const struct event_set *rules(void)
{
	static struct config *config;
	static struct event_set *set;

	if (!set) {
		config_report_free(config_read_profile("all", &config));
		set = event_set_new(config);
	}
	return set;
}

static void plan(struct bytes name, struct bytes data, bool explain)
{
	struct mem_arena arena = {0};
	struct event_plan plan = {.arena = &arena, .explain = explain, .max_keys = 1000};
	struct event event = {.name = name, .data = data};
	struct err err = {0};

	if (event_plan(rules(), &event, &plan, &err) != 0)
		EXPECT(err_is_set(&err));
	mem_arena_release(&arena);
}

static void edit(struct bytes doc, struct bytes patch)
{
	struct buf out = {0};
	struct err err = {0};
	struct json_error wrong;
	size_t start = 0;

	while (start < patch.len && memchr(" \t\r\n", patch.ptr[start], 4))
		start++;
	if (start == patch.len || patch.ptr[start] != '{' ||
	    json_check(patch, JSON_STRICT, JSON_DEPTH_DATA, &wrong) != 0)
		return; /* a rule's patch is an object, and was checked */
	if (event_edit_merge(doc, patch, &out, &err) == 0)
		EXPECT(json_check(buf_bytes(&out), 0, 1024, &wrong) == 0);
	buf_release(&out);
}

FUZZ(event)
{
	struct bytes name = fuzz_part(&input, '\n');
	struct mem_arena arena = {0};
	struct bytes found;
	struct err err = {0};

	event_name(input, BYTES("/event"), &arena, &found, &err);
	mem_arena_release(&arena);
	plan(name, input, false);
	plan(name, input, true);
	plan((struct bytes){NULL, 0}, input, true);
	edit(BYTES("{\"a\":{\"b\":[1,2]},\"c\":\"d\"}"), input);
	edit(input, BYTES("{\"a\":null,\"x\":{\"y\":1}}"));
}
