#include "core/config_report.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 2048

struct config_report *config_report_new(void)
{
	return mem_zalloc(1, sizeof(struct config_report));
}

void config_report_free(struct config_report *report)
{
	if (!report)
		return;
	free(report->items);
	mem_arena_release(&report->arena);
	free(report);
}

/* Names and values of the file are in the text: made safe for a terminal. */
static const char *keep_clean(struct config_report *report, const char *text)
{
	struct buf clean = {0};

	text_escape(&clean, bytes_of(text));
	const char *kept = mem_arena_bytes(&report->arena, buf_bytes(&clean)).ptr;
	buf_release(&clean);
	return kept;
}

void config_report_add(struct config_report *report, enum config_severity severity,
		       const struct config_doc *doc, size_t offset, const char *path,
		       const char *format, ...)
{
	struct config_finding finding = {.severity = severity};
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	finding.text = keep_clean(report, text);
	finding.path = keep_clean(report, path);
	finding.file = keep_clean(report, doc ? doc->file : "");
	if (doc && offset != SIZE_MAX)
		json_locate(doc->text, offset, &finding.line, &finding.column);
	finding.where = finding.line
			    ? mem_arena_printf(&report->arena, "%s:%zu:%zu", finding.file,
					       finding.line, finding.column)
			    : finding.file;
	finding.order = report->count;
	report->items = mem_resize(report->items, report->count + 1, sizeof *report->items);
	report->items[report->count++] = finding;
	report->errors += severity == CONFIG_ERROR;
}

static int compare_findings(const void *a, const void *b)
{
	const struct config_finding *left = a;
	const struct config_finding *right = b;
	int order = strcmp(left->file, right->file);

	if (order == 0 && left->line != right->line)
		order = left->line < right->line ? -1 : 1;
	if (order == 0 && left->column != right->column)
		order = left->column < right->column ? -1 : 1;
	if (order == 0 && left->order != right->order)
		order = left->order < right->order ? -1 : 1;
	return order;
}

const struct config_findings *config_report_findings(const struct config_report *report)
{
	struct config_report *own = (struct config_report *)report;

	if (report->count)
		qsort(own->items, report->count, sizeof *own->items, compare_findings);
	own->sorted = (struct config_findings){report->items, report->count, report->errors};
	return &report->sorted;
}
