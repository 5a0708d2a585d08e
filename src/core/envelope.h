#ifndef CORE_ENVELOPE_H
#define CORE_ENVELOPE_H

struct buf;
struct cache_answer;
struct ns;

/*
 * Appends what `get --meta` prints: {"success", "message", "data", "meta":
 * {"operationId", "duration", "count", "cacheHit", "namespace", "key",
 * "ttl_ms", "stored", "degraded", "stale"}}. data is the value's own bytes when they
 * are JSON, a string when they are other text, else null beside
 * "data_base64". One line. count: elements of an array, 1 for anything else.
 */
void envelope_print(struct buf *buf, const struct ns *ns, const struct cache_answer *answer);

#endif
