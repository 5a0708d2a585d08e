#include "core/envelope.h"

#include "base/json.h"
#include "base/text.h"
#include "core/cache.h"
#include "core/namespace.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

/* Members whose text may hold any byte go in ready-made: cJSON takes C strings only. */
static void add_text(cJSON *object, const char *name, struct bytes text)
{
	struct buf quoted = {0};

	if (bytes_is_utf8(text)) {
		json_quote(&quoted, text);
		cJSON_AddRawToObject(object, name, buf_str(&quoted));
	} else {
		char member[64];

		cJSON_AddNullToObject(object, name);
		snprintf(member, sizeof member, "%s_base64", name);
		text_base64(&quoted, text);
		cJSON_AddStringToObject(object, member, buf_str(&quoted));
	}
	buf_release(&quoted);
}

static void add_data(cJSON *object, struct bytes value)
{
	struct json_error problem;

	if (json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) == 0)
		cJSON_AddRawToObject(object, "data",
				     value.ptr); /* a buf's bytes end in a NUL */
	else
		add_text(object, "data", value);
}

static int64_t count_elements(struct bytes value)
{
	struct json_error problem;
	struct json_iter iter;
	struct bytes name, element;
	int64_t count = 0;

	if (json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) != 0 ||
	    json_iter_init(&iter, value) != 0 || iter.in_object)
		return 1;
	while (json_iter_next(&iter, &name, &element) == 1)
		count++;
	return count;
}

static void add_meta(cJSON *meta, const struct ns *ns, const struct cache_answer *answer)
{
	uint64_t us = answer->redis_us + answer->source_us;
	char text[40];

	snprintf(text, sizeof text, "%08x%08x", arc4random(), arc4random());
	cJSON_AddStringToObject(meta, "operationId", text);
	snprintf(text, sizeof text, us < 10000 ? "%.2fms" : "%.0fms", (double)us / 1000);
	cJSON_AddStringToObject(meta, "duration", text);
	cJSON_AddNumberToObject(meta, "count",
				answer->result == CACHE_ABSENT
				    ? 0
				    : (double)count_elements(buf_bytes(&answer->value)));
	cJSON_AddBoolToObject(meta, "cacheHit", answer->result == CACHE_HIT);
	cJSON_AddStringToObject(meta, "namespace", ns->name);
	add_text(meta, "key", buf_bytes(&answer->key));
	if (answer->ttl_ms >= 0)
		cJSON_AddNumberToObject(meta, "ttl_ms", (double)answer->ttl_ms);
	else
		cJSON_AddNullToObject(meta, "ttl_ms");
	cJSON_AddBoolToObject(meta, "stored", answer->stored);
	cJSON_AddBoolToObject(meta, "degraded", answer->degraded);
	cJSON_AddBoolToObject(meta, "stale", answer->stale);
}

void envelope_print(struct buf *buf, const struct ns *ns, const struct cache_answer *answer)
{
	static const char *const messages[] = {"retrieved from cache", "retrieved from source",
					       "neither cached nor at the source"};
	cJSON *root = cJSON_CreateObject();
	char message[160];

	snprintf(message, sizeof message, "%s %s", ns->name, messages[answer->result]);
	cJSON_AddBoolToObject(root, "success", answer->result != CACHE_ABSENT);
	cJSON_AddStringToObject(root, "message", message);
	if (answer->result == CACHE_ABSENT)
		cJSON_AddNullToObject(root, "data");
	else
		add_data(root, buf_bytes(&answer->value));
	add_meta(cJSON_AddObjectToObject(root, "meta"), ns, answer);

	char *text = cJSON_PrintUnformatted(root);
	buf_printf(buf, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(root);
}
