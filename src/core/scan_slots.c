#include "core/scan_slots.h"

#include "base/num.h"
#include "wire/reply.h"
#include "wire/slot.h"

/* What the node that answers says of itself; empty: nothing. */
struct own {
	struct bytes primary; /* its id; "-": it has none */
	struct bytes rest;    /* from its epoch on */
};

static struct own own_line(const struct reply *reply)
{
	struct bytes text = reply->type == REPLY_STRING ? reply->text : (struct bytes){NULL, 0};
	struct own own = {0};

	while (text.len) {
		struct bytes line = bytes_sub(text, 0, bytes_index(text, '\n'));
		bool is_own = false;

		text = bytes_sub(text, line.len + 1, text.len);
		/* id address flags primary ping-sent pong-received epoch link slots… */
		for (int field = 0; field < 6 && line.len; field++) {
			size_t blank = bytes_index(line, ' ');

			if (field == 2)
				is_own = bytes_starts_with(line, BYTES("myself"));
			if (field == 3)
				own.primary = bytes_sub(line, 0, blank);
			line = bytes_sub(line, blank + 1, line.len);
		}
		own.rest = line;
		if (is_own)
			return own;
	}
	return (struct own){0};
}

void scan_slots_told(struct scan_slots *slots, const struct reply *reply)
{
	struct bytes line = own_line(reply).rest;

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

/* One that was promoted meanwhile still has the same keys. */
void scan_slots_follows(struct scan_slots *slots, const struct reply *reply)
{
	struct bytes primary = own_line(reply).primary;

	if (primary.len == 0) {
		slots->unknown = true;
		return;
	}
	if (bytes_equal_str(primary, "-"))
		return;
	if (slots->primary.len == 0)
		buf_add(&slots->primary, primary);
	else
		slots->moved =
		    slots->moved || !bytes_equal(primary, buf_bytes(&slots->primary));
}

bool scan_slots_moved(const struct scan_slots *slots)
{
	return slots->moved;
}

size_t scan_slots_list(const struct scan_slots *slots, uint16_t *ret_slots)
{
	struct bytes rest = buf_bytes(&slots->first);
	size_t count = 0;

	for (unsigned slot = 0; !slots->told && slot < SLOT_COUNT; slot++)
		ret_slots[count++] = (uint16_t)slot;
	/* epoch, link, then "5" or "5-77" and, of those on their way, "[93->-ID]" */
	for (unsigned field = 0; rest.len; field++) {
		struct bytes word = bytes_sub(rest, 0, bytes_index(rest, ' '));
		size_t dash = bytes_index(word, '-');
		uint64_t first = 0;
		uint64_t last = 0;

		rest = bytes_sub(rest, word.len + 1, rest.len);
		if (field < 2 ||
		    num_parse_u64(bytes_sub(word, 0, dash), 0, SLOT_COUNT - 1, &first) != 0)
			continue;
		if (dash == word.len)
			last = first;
		else if (num_parse_u64(bytes_sub(word, dash + 1, word.len), first,
				       SLOT_COUNT - 1, &last) != 0)
			continue;
		for (uint64_t slot = first; slot <= last && count < SLOT_COUNT; slot++)
			ret_slots[count++] = (uint16_t)slot;
	}
	return count;
}

void scan_slots_release(struct scan_slots *slots)
{
	buf_release(&slots->first);
	buf_release(&slots->primary);
}
