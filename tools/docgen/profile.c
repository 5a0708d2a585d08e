#include "docgen.h"

#include "base/num.h"
#include "core/config.h"
#include "core/namespace.h"
#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_ttl(struct buf *buf, const struct ns *ns)
{
	buf_add_str(buf, "TTL ");
	if (ns->ttl_kind == NS_TTL_DAY)
		buf_printf(buf, "until the end of the day\n.Va %s ,\nplus ",
			   template_var_name(ns->key, (size_t)ns->ttl_var));
	else if (ns->ttl_kind == NS_TTL_CACHE_CONTROL)
		buf_add_str(buf, "from the answer's Cache-Control, else ");
	else if (ns->ttl_kind == NS_TTL_ADAPTIVE)
		num_format_duration_ms(buf, (int64_t)ns->ttl_min_ms), buf_add_str(buf, " to ");
	num_format_duration_ms(buf, (int64_t)ns->ttl_ms);
	if (ns->jitter > 0)
		buf_printf(buf, " less up to %g%%", ns->jitter * 100);
	buf_printf(buf, "; %s.\n", ns_type_names[ns->type]);
}

static void put_source(struct buf *buf, const struct ns *ns)
{
	for (size_t i = 0; i < ns->step_count; i++)
		buf_printf(buf, "%s\n.Va %s\n.Li %.*s .\n",
			   i ? "Nothing there:" : "Source:", ns->steps[i].source->name,
			   BYTES_ARG(template_text(ns->steps[i].get)));
	if (ns->step_count && ns->steps[0].keep_in)
		buf_printf(buf, "Only what is also in\n.Va %s\n.Li %.*s .\n",
			   ns->steps[0].keep_in->source->name,
			   BYTES_ARG(template_text(ns->steps[0].keep_in->get)));
	if (ns->step_count && !ns->list && template_var_count(ns->key))
		buf_add_str(buf, "It has no list: name what to warm.\n");
	if (!ns->step_count)
		buf_add_str(buf, "It has no source: it can be looked at and dropped.\n");
}

void profile_namespaces(struct buf *buf, const char *profile)
{
	struct config *config = NULL;
	struct config_report *report = config_read_profile(profile, &config);

	if (!config) {
		fprintf(stderr, "profile %s: %s\n", profile,
			config_report_findings(report)->items[0].text);
		exit(1);
	}
	const struct nsset *set = config_namespaces(config);
	for (size_t i = 0; i < nsset_count(set); i++) {
		const struct ns *ns = nsset_at(set, i);

		buf_printf(buf, ".It Cm %s\n%s.\nKey\n.Li %.*s ;\n", ns->name, ns->summary,
			   BYTES_ARG(template_text(ns->key)));
		put_ttl(buf, ns);
		put_source(buf, ns);
	}
	config_free(config);
	config_report_free(report);
}

/* The reference at `at` stands in text before. */
static bool is_before(const char *text, const char *at)
{
	return memmem(text, (size_t)(at - text), at, strcspn(at, "}")) != NULL;
}

void profile_variables(struct buf *buf, const char *profile)
{
	static const char mark[] = "${env:";
	const char *text = config_profile_text(profile);

	for (const char *at = text; (at = strstr(at, mark)); at++) {
		struct bytes name = bytes_of(at + strlen(mark));

		if (is_before(text, at))
			continue;
		name = bytes_sub(name, 0, bytes_index(name, '}'));
		size_t colon = bytes_index(name, ':');

		buf_printf(buf, ".It Ev %.*s\n", (int)colon, name.ptr);
		if (name.len > colon + 2)
			buf_printf(buf, "Default:\n.Li %.*s\n",
				   BYTES_ARG(bytes_sub(name, colon + 2, name.len)));
		else
			buf_add_str(buf, "No default; empty: the header is not sent.\n");
	}
}
