#include "core/event_feed_stream.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"

struct bytes stream_field(const struct reply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->count; i += 2)
		if (bytes_equal_str(fields->items[i]->text, name))
			return fields->items[i + 1]->text;
	return (struct bytes){NULL, 0};
}

/* An entry without a document: its fields as an object of strings. */
static int assemble(const struct reply *fields, struct event_item *item,
		    struct mem_arena *arena)
{
	struct buf text = {0};

	buf_add_char(&text, '{');
	for (size_t i = 0; i + 1 < fields->count; i += 2) {
		for (size_t k = 0; k < 2; k++)
			if (!bytes_is_utf8(fields->items[i + k]->text)) {
				buf_release(&text);
				item->bad = true;
				return err_set(&item->problem, ERR_USAGE,
					       "a field that is not UTF-8");
			}
		if (i)
			buf_add_char(&text, ',');
		json_quote(&text, fields->items[i]->text);
		buf_add_char(&text, ':');
		json_quote(&text, fields->items[i + 1]->text);
	}
	buf_add_char(&text, '}');
	item->event.data = mem_arena_bytes(arena, buf_bytes(&text));
	buf_release(&text);
	return 0;
}

/* The event's own field of the name's pointer "/event". */
static struct bytes name_field(const struct stream *stream, const struct reply *fields)
{
	struct bytes at = stream->options->name_at;
	struct buf name = {0};
	struct bytes found;

	if (at.len < 2)
		return (struct bytes){NULL, 0};
	buf_add(&name, bytes_sub(at, 1, at.len));
	found = stream_field(fields, buf_str(&name));
	buf_release(&name);
	return found;
}

static void read_fields(struct stream *stream, struct event_item *item, struct mem_arena *arena)
{
	const struct reply *fields = item->fields;
	struct bytes name = name_field(stream, fields);

	item->event.data = stream_field(fields, "data");
	if (item->event.data.len == 0 && fields->count == 2 && name.len == 0)
		item->event.data = fields->items[1]->text;
	if (item->event.data.len == 0 && assemble(fields, item, arena) != 0)
		return;
	if (name.len)
		item->event.name = name;
	else
		event_item_name(item, stream->options->name_at, arena);
}

void stream_add_entry(struct stream *stream, struct event_batch *batch,
		      const struct reply *entry, uint64_t tries)
{
	struct event_item *item = &batch->items[batch->count];

	/* nil: deleted from the stream meanwhile */
	if (entry->type != REPLY_ARRAY || entry->count != 2 || batch->count == batch->max)
		return;
	*item = (struct event_item){.id = entry->items[0]->text, .tries = tries};
	num_parse_u64(bytes_sub(item->id, 0, bytes_index(item->id, '-')), 0, UINT64_MAX,
		      &item->said_ms);
	batch->count++;
	item->fields = entry->items[1];
	if (item->fields->type != REPLY_ARRAY) { /* deleted: only to be acknowledged */
		item->event.data = (struct bytes){NULL, 0};
		item->fields = NULL;
		return;
	}
	read_fields(stream, item, &batch->arena);
}
