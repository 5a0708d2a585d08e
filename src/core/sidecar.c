#include "core/sidecar.h"

#include "base/buf.h"
#include "base/num.h"
#include "wire/slot.h"

#define PREFIX "cc:m:{"
#define ONCE_PREFIX "cc:o:{"

static void add_name(struct buf *buf, struct bytes prefix, struct bytes key)
{
	struct bytes tag = slot_tag(key);

	if (tag.len == 0 || bytes_index(tag, '}') < tag.len)
		tag = bytes_of(slot_name(slot_of(key)));
	buf_add(buf, prefix);
	buf_add(buf, tag);
	buf_printf(buf, "}%zu:", key.len);
	buf_add(buf, key);
}

void sidecar_name(struct buf *buf, struct bytes key)
{
	add_name(buf, BYTES(PREFIX), key);
}

void sidecar_once_name(struct buf *buf, struct bytes key)
{
	add_name(buf, BYTES(ONCE_PREFIX), key);
}

bool sidecar_key(struct bytes name, struct bytes *ret_key)
{
	uint64_t len = 0;

	if (!bytes_starts_with(name, BYTES(PREFIX)))
		return false;
	struct bytes rest = bytes_sub(name, sizeof PREFIX - 1, name.len);
	rest = bytes_sub(rest, bytes_index(rest, '}') + 1, rest.len);
	size_t colon = bytes_index(rest, ':');
	if (num_parse_u64(bytes_sub(rest, 0, colon), 0, name.len, &len) != 0 ||
	    rest.len - colon - 1 != len)
		return false;
	*ret_key = bytes_sub(rest, colon + 1, rest.len);
	return true;
}
