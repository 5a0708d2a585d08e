#include "core/scan_slots.h"

#include "wire/reply.h"

/* The line of the node that answers, from its epoch on; empty: there is none. */
static struct bytes own_line(struct bytes text)
{
	while (text.len) {
		struct bytes line = bytes_sub(text, 0, bytes_index(text, '\n'));
		bool is_own = false;

		text = bytes_sub(text, line.len + 1, text.len);
		/* id address flags primary ping-sent pong-received epoch link slots… */
		for (int field = 0; field < 6 && line.len; field++) {
			size_t blank = bytes_index(line, ' ');

			if (field == 2)
				is_own = bytes_starts_with(line, BYTES("myself"));
			line = bytes_sub(line, blank + 1, line.len);
		}
		if (is_own)
			return line;
	}
	return text;
}

void scan_slots_told(struct scan_slots *slots, const struct reply *reply)
{
	struct bytes line =
	    own_line(reply->type == REPLY_STRING ? reply->text : (struct bytes){NULL, 0});

	if (line.len == 0) {
		slots->unknown = true;
		return;
	}
	slots->moved = slots->moved || bytes_index(line, '[') < line.len;
	if (slots->told)
		slots->moved = slots->moved || !bytes_equal(line, buf_bytes(&slots->first));
	else
		buf_add(&slots->first, line);
	slots->told = true;
}

bool scan_slots_moved(const struct scan_slots *slots)
{
	return slots->moved;
}

void scan_slots_release(struct scan_slots *slots)
{
	buf_release(&slots->first);
}
