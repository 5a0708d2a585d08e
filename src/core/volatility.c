#include "core/volatility.h"

#include "base/num.h"
#include "core/namespace.h"
#include "core/store.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE_FIELDS 4
#define MEMORY_LIVES 4

static uint64_t within(const struct ns *ns, uint64_t ttl_ms)
{
	if (ttl_ms < ns->ttl_min_ms)
		return ns->ttl_min_ms;
	return ttl_ms > ns->ttl_ms ? ns->ttl_ms : ttl_ms;
}

struct volatility volatility_next(const struct ns *ns, const struct volatility *before,
				  enum volatility_found found)
{
	struct volatility next = *before;

	switch (found) {
	case VOLATILITY_FIRST:
		return (struct volatility){.ttl_ms = ns->ttl_min_ms};
	case VOLATILITY_SAME: /* the bounds may have been changed since */
		next.ttl_ms = within(ns, within(ns, before->ttl_ms) * 2);
		next.same++;
		break;
	case VOLATILITY_CHANGED:
		next.ttl_ms = within(ns, before->ttl_ms / 2);
		next.same = 0;
		next.changes++;
		break;
	}
	next.refreshes++;
	return next;
}

bool volatility_read(struct bytes line, struct volatility *ret_volatility)
{
	uint64_t numbers[LINE_FIELDS];

	for (size_t i = 0; i < LINE_FIELDS; i++) {
		size_t end = bytes_index(line, ' ');

		if (num_parse_u64(bytes_sub(line, 0, end), 0, INT64_MAX, &numbers[i]) != 0)
			return false;
		line = bytes_sub(line, end + 1, line.len);
	}
	if (line.len)
		return false;
	*ret_volatility = (struct volatility){.ttl_ms = numbers[0],
					      .same = numbers[1],
					      .refreshes = numbers[2],
					      .changes = numbers[3]};
	return true;
}

void volatility_write(struct buf *buf, const struct volatility *volatility)
{
	buf_printf(buf, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, volatility->ttl_ms,
		   volatility->same, volatility->refreshes, volatility->changes);
}

uint64_t volatility_memory_ms(const struct ns *ns)
{
	return ns->ttl_kind == NS_TTL_ADAPTIVE ? ns->ttl_ms * MEMORY_LIVES : 0;
}

void volatility_learn(const struct ns *ns, const struct guard_state *state,
		      const struct bytes *value, struct volatility_lesson *lesson)
{
	struct volatility before = {0};
	enum volatility_found found = VOLATILITY_FIRST;

	lesson->past = (struct guard_past){0};
	if (ns->ttl_kind != NS_TTL_ADAPTIVE)
		return;
	if (value)
		sha1_hex(*value, lesson->digest);
	else
		snprintf(lesson->digest, sizeof lesson->digest, "%.*s",
			 BYTES_ARG(state->digest));
	if (volatility_read(state->history, &before))
		found = bytes_equal_str(state->digest, lesson->digest) ? VOLATILITY_SAME
								       : VOLATILITY_CHANGED;
	struct volatility next = volatility_next(ns, &before, found);
	buf_clear(&lesson->history);
	volatility_write(&lesson->history, &next);
	lesson->ttl_ms = store_jitter(ns, (int64_t)next.ttl_ms);
	lesson->past = (struct guard_past){.history = buf_bytes(&lesson->history),
					   .digest = lesson->digest,
					   .memory_ms = volatility_memory_ms(ns)};
}

void volatility_release(struct volatility_lesson *lesson)
{
	buf_release(&lesson->history);
}
