#include "out/format.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "out/stream.h"

#include <cJSON.h>
#include <stdlib.h>

void out_member_init(void)
{
	cJSON_Hooks hooks = {.malloc_fn = mem_alloc, .free_fn = free};

	cJSON_InitHooks(&hooks);
}

/* cJSON copies the text. */
static void add_raw(cJSON *object, const char *name, const struct buf *text)
{
	cJSON_AddItemToObject(object, name, cJSON_CreateRaw(buf_str(text)));
}

static void add_base64(cJSON *object, const char *name, struct bytes text)
{
	char *name_base64 = mem_printf("%s_base64", name);
	struct buf encoded = {0};

	text_base64(&encoded, text);
	cJSON_AddNullToObject(object, name);
	cJSON_AddStringToObject(object, name_base64, buf_str(&encoded));
	buf_release(&encoded);
	free(name_base64);
}

static void add_text(cJSON *object, const char *name, struct bytes text)
{
	struct buf quoted = {0};

	if (!bytes_is_utf8(text)) {
		add_base64(object, name, text);
		return;
	}
	json_quote(&quoted, text);
	add_raw(object, name, &quoted);
	buf_release(&quoted);
}

static void add_plain(cJSON *object, const char *name, const struct out_value *value)
{
	struct buf text = {0};

	if (value->type == OUT_T_RAW)
		buf_add(&text, value->is.text);
	else
		out_value_plain(&text, value);
	add_raw(object, name, &text);
	buf_release(&text);
}

void out_member_add(cJSON *object, const struct out_column *column,
		    const struct out_value *value)
{
	switch (value->type) {
	case OUT_T_NULL:
		cJSON_AddNullToObject(object, column->name);
		break;
	case OUT_T_BOOL:
		cJSON_AddBoolToObject(object, column->name, value->is.flag);
		break;
	case OUT_T_TEXT:
		add_text(object, column->name, value->is.text);
		break;
	case OUT_T_INT: /* cJSON keeps numbers as doubles */
	case OUT_T_REAL:
	case OUT_T_RAW:
		add_plain(object, column->name, value);
		break;
	}
}

void out_member_write(struct out_stream *stream, cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);

	out_stream_write(stream, bytes_of(text));
	cJSON_free(text);
	cJSON_Delete(object);
}
