#include "out/format.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "out/stream.h"

#include <stdlib.h>
#include <string.h>

/*
 * Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats):
 * all samples of a family stand together behind its HELP and TYPE, so they are
 * gathered per family until the document ends.
 */
struct family {
	const char *metric;
	const char *help;
	struct buf samples;
};

struct prom_sink {
	struct sink sink;
	struct family *families;
	size_t family_count;
};

static struct family *family_of(struct prom_sink *prom, const struct out_column *column)
{
	for (size_t i = 0; i < prom->family_count; i++) {
		if (strcmp(prom->families[i].metric, column->metric) == 0)
			return &prom->families[i];
	}
	prom->families =
	    mem_resize(prom->families, prom->family_count + 1, sizeof *prom->families);
	struct family *family = &prom->families[prom->family_count++];
	*family = (struct family){.metric = column->metric, .help = column->help};
	return family;
}

static void put_escaped(struct buf *buf, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\' || text.ptr[i] == '"')
			buf_add_char(buf, '\\');
		buf_add_char(buf, text.ptr[i]);
	}
}

/* Line ends have an escape of their own; other control bytes are made visible first. */
static void put_label_value(struct buf *buf, const struct out_value *value)
{
	struct buf clean = {0};

	if (value->type == OUT_T_TEXT || value->type == OUT_T_RAW) {
		for (struct bytes left = value->is.text;;) {
			struct bytes line = bytes_sub(left, 0, bytes_index(left, '\n'));

			buf_clear(&clean);
			text_escape(&clean, line);
			put_escaped(buf, buf_bytes(&clean));
			if (line.len == left.len)
				break;
			buf_add_str(buf, "\\n");
			left = bytes_sub(left, line.len + 1, left.len);
		}
	} else {
		out_value_plain(buf, value);
	}
	buf_release(&clean);
}

static void put_labels(struct buf *buf, const struct out_table *table,
		       const struct out_value *values)
{
	const char *separator = "{";

	for (size_t i = 0; i < table->column_count; i++) {
		if (!(table->columns[i].flags & OUT_LABEL) || values[i].type == OUT_T_NULL)
			continue;
		buf_printf(buf, "%s%s=\"", separator, table->columns[i].name);
		put_label_value(buf, &values[i]);
		buf_add_char(buf, '"');
		separator = ",";
	}
	if (separator[0] == ',')
		buf_add_char(buf, '}');
}

/* Metrics are in base units (prometheus.io/docs/practices/naming). */
static struct out_value in_seconds(const struct out_value *value, double parts)
{
	if (value->type == OUT_T_INT)
		return out_real((double)value->is.integer / parts);
	return value->type == OUT_T_REAL ? out_real(value->is.real / parts) : *value;
}

static void add_sample(struct prom_sink *prom, const struct out_column *column,
		       struct bytes labels, const struct out_value *value)
{
	struct out_value number = *value;

	if (value->type == OUT_T_BOOL)
		number = out_int(value->is.flag);
	if (column->unit == OUT_MS || column->unit == OUT_US)
		number = in_seconds(&number, column->unit == OUT_MS ? 1e3 : 1e6);
	if (!column->metric || (number.type != OUT_T_INT && number.type != OUT_T_REAL))
		return;
	struct buf *samples = &family_of(prom, column)->samples;
	buf_add_str(samples, column->metric);
	buf_add(samples, labels);
	buf_add_char(samples, ' ');
	out_value_plain(samples, &number);
	buf_add_char(samples, '\n');
}

static void prom_field(struct sink *sink, const struct out_column *column,
		       const struct out_value *value)
{
	add_sample((struct prom_sink *)sink, column, BYTES(""), value);
}

static void prom_row(struct sink *sink, const struct out_value *values)
{
	struct buf labels = {0};

	put_labels(&labels, sink->table, values);
	for (size_t i = 0; i < sink->table->column_count; i++)
		add_sample((struct prom_sink *)sink, &sink->table->columns[i],
			   buf_bytes(&labels), &values[i]);
	buf_release(&labels);
}

static bool is_counter(const char *metric)
{
	static const char suffix[] = "_total";
	size_t len = strlen(metric);

	return len > sizeof suffix - 1 &&
	       strcmp(metric + len - (sizeof suffix - 1), suffix) == 0;
}

static void write_family(struct out_stream *stream, const struct family *family)
{
	struct buf head = {0};

	buf_printf(&head, "# HELP %s ", family->metric);
	for (const char *at = family->help ? family->help : ""; *at; at++) {
		if (*at == '\\' || *at == '\n')
			buf_add_str(&head, *at == '\n' ? "\\n" : "\\\\");
		else
			buf_add_char(&head, *at);
	}
	buf_printf(&head, "\n# TYPE %s %s\n", family->metric,
		   is_counter(family->metric) ? "counter" : "gauge");
	out_stream_write(stream, buf_bytes(&head));
	out_stream_write(stream, buf_bytes(&family->samples));
	buf_release(&head);
}

static void prom_release(struct sink *sink)
{
	struct prom_sink *prom = (struct prom_sink *)sink;

	for (size_t i = 0; i < prom->family_count; i++)
		buf_release(&prom->families[i].samples);
	free(prom->families);
	prom->families = NULL;
	prom->family_count = 0;
}

static void prom_end(struct sink *sink)
{
	struct prom_sink *prom = (struct prom_sink *)sink;

	for (size_t i = 0; i < prom->family_count; i++)
		write_family(sink->stream, &prom->families[i]);
	prom_release(sink);
}

const struct out_format_ops out_prom_ops = {
    .size = sizeof(struct prom_sink),
    .field = prom_field,
    .row = prom_row,
    .end = prom_end,
    .release = prom_release,
};
