#include "inspect_group_view.h"

#include "base/buf.h"
#include "base/num.h"
#include "core/inspect_group.h"
#include "core/namespace.h"
#include "out/spark.h"

#include <inttypes.h>

#define BAR_WIDTH 24

struct out_value inspect_view_quantile(const struct inspect_group *group, double share)
{
	const struct histogram *ttl = &group->ttl_ms;

	if (ttl->total == 0)
		return OUT_NONE;
	return out_uint(share <= 0   ? ttl->min
			: share >= 1 ? ttl->max
				     : histogram_quantile(ttl, share));
}

struct out_value inspect_view_bands(const struct sink *sink, const struct inspect_group *group,
				    struct buf *buf)
{
	uint64_t keys[INSPECT_BANDS];

	inspect_group_bands(group, keys);
	buf_clear(buf);
	if (sink_format(sink) == OUT_TABLE) {
		if (group->ttl_ms.total == 0)
			return OUT_NONE;
		out_spark(buf, keys, INSPECT_BANDS, sink_is_ascii(sink));
		return out_text(buf_bytes(buf));
	}
	for (size_t i = 0; i < INSPECT_BANDS; i++) {
		buf_add_str(buf, i ? ",{\"le_ms\":" : "[{\"le_ms\":");
		if (inspect_bands_ms[i] == UINT64_MAX)
			buf_add_str(buf, "null");
		else
			buf_printf(buf, "%" PRIu64, inspect_bands_ms[i]);
		buf_printf(buf, ",\"keys\":%" PRIu64 "}", keys[i]);
	}
	buf_add_char(buf, ']');
	return out_raw(buf_bytes(buf));
}

void inspect_view_band_table(struct sink *sink, const struct inspect_group *group)
{
	static const struct out_column columns[] = {
	    {.name = "ttl", .title = "TTL"},
	    {.name = "keys", .title = "KEYS", .unit = OUT_COUNT},
	    {.name = "share", .title = "SHARE", .unit = OUT_PERCENT},
	    {.name = "bar", .title = "", .flags = OUT_MINOR},
	};
	static const struct out_table table = {
	    .name = "ttl", .title = "TTLs", .columns = columns, .column_count = 4};
	uint64_t keys[INSPECT_BANDS];
	struct buf edge = {0};
	struct buf bar = {0};

	if (sink_format(sink) != OUT_TABLE || group->ttl_ms.total == 0)
		return;
	inspect_group_bands(group, keys);
	sink_table_begin(sink, &table);
	for (size_t i = 0; i < INSPECT_BANDS; i++) {
		bool last = inspect_bands_ms[i] == UINT64_MAX;
		double share = (double)keys[i] / (double)group->ttl_ms.total;

		buf_clear(&edge);
		buf_clear(&bar);
		buf_add_str(&edge, last ? "over " : "to ");
		num_format_duration_ms(&edge, (int64_t)inspect_bands_ms[last ? i - 1 : i]);
		out_bar(&bar, share, BAR_WIDTH, sink_is_ascii(sink));
		sink_row(sink,
			 (struct out_value[]){out_text(buf_bytes(&edge)), out_uint(keys[i]),
					      out_real(share), out_text(buf_bytes(&bar))});
	}
	sink_table_end(sink);
	buf_release(&edge);
	buf_release(&bar);
}

const char *inspect_view_name(const struct inspect_group *group)
{
	return group->ns ? group->ns->name : "(unclassified)";
}
