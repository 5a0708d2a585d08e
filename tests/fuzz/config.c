/* A configuration file: read with every finding, and asked for what it declares. What is shown
 * of it can be read, and is shown alike. */
#include "fuzz.h"

#include "base/buf.h"
#include "core/config.h"
#include "core/event.h"
#include "core/namespace.h"

static void show(const struct config *config)
{
	struct config *again = NULL;
	struct buf shown = {0};
	struct buf twice = {0};

	config_show(config, &shown);
	config_report_free(config_read("shown.json", buf_bytes(&shown), &again));
	EXPECT(again);
	config_show(again, &twice);
	EXPECT(bytes_equal(buf_bytes(&shown), buf_bytes(&twice)));
	buf_release(&shown);
	buf_release(&twice);
	config_free(again);
}

FUZZ(config)
{
	struct config *config = NULL;
	struct config_report *report = config_read("fuzz.json", input, &config);

	if (config) {
		const struct nsset *set = config_namespaces(config);
		struct event_set *events = event_set_new(config);
		struct bytes values[TEMPLATE_VARS_MAX];

		for (size_t i = 0; i < nsset_count(set); i++)
			nsset_classify(set, template_text(nsset_at(set, i)->key), values);
		event_set_free(events);
		show(config);
	}
	config_report_free(report);
	config_free(config);
}
