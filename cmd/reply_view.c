#include "reply_view.h"

#include "base/buf.h"
#include "base/text.h"
#include "wire/reply.h"

static int digits(size_t number)
{
	int count = 1;

	for (; number >= 10; number /= 10)
		count++;
	return count;
}

static void put_people(struct buf *buf, const struct reply *reply, int indent);

/* The first element stands behind the number of its array, the others below it. */
static void put_elements(struct buf *buf, const struct reply *reply, int indent)
{
	int width = digits(reply->count);

	if (reply->count == 0)
		buf_add_str(buf, "(empty array)\n");
	for (size_t i = 0; i < reply->count; i++) {
		buf_printf(buf, "%*s%*zu) ", i ? indent : 0, "", width, i + 1);
		put_people(buf, reply->items[i], indent + width + 2);
	}
}

static void put_people(struct buf *buf, const struct reply *reply, int indent)
{
	switch (reply->type) {
	case REPLY_NIL:
		buf_add_str(buf, "(nil)\n");
		return;
	case REPLY_INTEGER:
		buf_printf(buf, "(integer) %lld\n", (long long)reply->integer);
		return;
	case REPLY_STRING:
		text_quote(buf, reply->text);
		break;
	case REPLY_ERROR:
	case REPLY_LOST:
		buf_add_str(buf, "(error) ");
		text_escape(buf, reply->text);
		break;
	case REPLY_STATUS:
		text_escape(buf, reply->text);
		break;
	case REPLY_ARRAY:
		put_elements(buf, reply, indent);
		return;
	}
	buf_add_char(buf, '\n');
}

static void put_raw(struct buf *buf, const struct reply *reply)
{
	if (reply->type == REPLY_INTEGER)
		buf_printf(buf, "%lld", (long long)reply->integer);
	else if (reply->type != REPLY_ARRAY)
		buf_add(buf, reply->text);
	for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++) {
		if (i)
			buf_add_char(buf, '\n');
		put_raw(buf, reply->items[i]);
	}
}

void reply_view(struct buf *buf, const struct reply *reply, bool people)
{
	if (people) {
		put_people(buf, reply, 0);
		return;
	}
	put_raw(buf, reply);
	buf_add_char(buf, '\n');
}
