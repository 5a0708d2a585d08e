#include "out/format.h"

#include "out/stream.h"

#include <cJSON.h>
#include <stdio.h>

struct ndjson_sink {
	struct sink sink;
	cJSON *fields; /* the last line */
};

static void ndjson_begin(struct sink *sink)
{
	struct ndjson_sink *ndjson = (struct ndjson_sink *)sink;
	char schema[80];

	snprintf(schema, sizeof schema, "ccache.%s/%u", sink->verb, sink->version);
	cJSON_Delete(ndjson->fields);
	ndjson->fields = cJSON_CreateObject();
	cJSON_AddStringToObject(ndjson->fields, "table", sink->verb);
	cJSON_AddStringToObject(ndjson->fields, "schema", schema);
}

static void ndjson_field(struct sink *sink, const struct out_column *column,
			 const struct out_value *value)
{
	out_member_add(((struct ndjson_sink *)sink)->fields, column, value);
}

static void ndjson_row(struct sink *sink, const struct out_value *values)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "table", sink->table->name);
	for (size_t i = 0; i < sink->table->column_count; i++)
		out_member_add(object, &sink->table->columns[i], &values[i]);
	out_member_write(sink->stream, object);
	out_stream_write(sink->stream, BYTES("\n"));
}

static void ndjson_end(struct sink *sink)
{
	struct ndjson_sink *ndjson = (struct ndjson_sink *)sink;

	out_member_write(sink->stream, ndjson->fields);
	ndjson->fields = NULL;
	out_stream_write(sink->stream, BYTES("\n"));
}

static void ndjson_release(struct sink *sink)
{
	cJSON_Delete(((struct ndjson_sink *)sink)->fields);
}

const struct out_format_ops out_ndjson_ops = {
    .size = sizeof(struct ndjson_sink),
    .begin = ndjson_begin,
    .field = ndjson_field,
    .row = ndjson_row,
    .end = ndjson_end,
    .release = ndjson_release,
};
