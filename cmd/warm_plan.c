#include "warm_plan.h"

#include "app.h"

#include "base/buf.h"
#include "base/num.h"
#include "core/room.h"
#include "core/warm.h"
#include "out/sink.h"

#include <inttypes.h>

void warm_plan_tell(struct app *app, struct sink *sink, const struct warm_report *sum,
		    const char *done)
{
	uint64_t count = sum->skips[WARM_SKIP_DRY_RUN];
	int64_t left = sum->estimated ? room_left(app->redis) : -1;
	struct buf size = {0};

	if (sum->estimated) {
		buf_add_str(&size, "; they would take about ");
		num_format_size(&size, sum->estimated);
	}
	if (count)
		sink_note(sink, "dry run: %" PRIu64 " item%s would be %s, nothing was%s", count,
			  count == 1 ? "" : "s", done, buf_str(&size));
	if (left >= 0 && sum->estimated > (uint64_t)left) {
		buf_clear(&size);
		num_format_size(&size, (uint64_t)left);
		app_warn(app,
			 "the server has %s left of its maxmemory: what is cached already "
			 "aside, that is too little",
			 buf_str(&size));
	}
	buf_release(&size);
}
