#include "out/format.h"

#include "base/buf.h"
#include "base/mem.h"
#include "out/stream.h"

#include <cJSON.h>
#include <stdlib.h>

struct json_sink {
	struct sink sink;
	bool has_rows; /* in the open table */
};

static void json_begin(struct sink *sink)
{
	out_stream_printf(sink->stream, "{\"schema\":\"ccache.%s/%u\"", sink->verb,
			  sink->version);
}

/* The members without the braces around them: the document's object is open. */
static void json_field(struct sink *sink, const struct out_column *column,
		       const struct out_value *value)
{
	cJSON *object = cJSON_CreateObject();

	out_member_add(object, column, value);
	char *text = cJSON_PrintUnformatted(object);
	struct bytes members = bytes_of(text);
	out_stream_write(sink->stream, BYTES(","));
	out_stream_write(sink->stream, bytes_sub(members, 1, members.len - 2));
	cJSON_free(text);
	cJSON_Delete(object);
}

static void json_table_begin(struct sink *sink)
{
	((struct json_sink *)sink)->has_rows = false;
	out_stream_printf(sink->stream, ",\"%s\":[", sink->table->name);
}

static void json_row(struct sink *sink, const struct out_value *values)
{
	struct json_sink *json = (struct json_sink *)sink;
	cJSON *object = cJSON_CreateObject();

	for (size_t i = 0; i < sink->table->column_count; i++)
		out_member_add(object, &sink->table->columns[i], &values[i]);
	out_stream_write(sink->stream, json->has_rows ? BYTES(",\n") : BYTES("\n"));
	json->has_rows = true;
	out_member_write(sink->stream, object);
}

static void json_table_end(struct sink *sink)
{
	out_stream_write(sink->stream, BYTES("]"));
}

static void json_end(struct sink *sink)
{
	out_stream_write(sink->stream, BYTES("}\n"));
}

const struct out_format_ops out_json_ops = {
    .size = sizeof(struct json_sink),
    .begin = json_begin,
    .field = json_field,
    .table_begin = json_table_begin,
    .row = json_row,
    .table_end = json_table_end,
    .end = json_end,
};
