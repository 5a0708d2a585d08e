/* A configuration file: read with every finding, and asked for what it declares. */
#include "fuzz.h"

#include "base/buf.h"
#include "core/config.h"
#include "core/event.h"
#include "core/namespace.h"

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
	}
	config_report_free(report);
	config_free(config);
}
