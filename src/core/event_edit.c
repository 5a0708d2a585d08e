#include "core/event_edit.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* From first up to (not with) end; both lie in one document. */
static struct bytes between(const char *first, const char *end)
{
	return (struct bytes){first, (size_t)(end - first)};
}

static const char *end_of(struct bytes b)
{
	return b.ptr + b.len;
}

static int check(struct bytes doc, struct err *err)
{
	struct json_error wrong;

	if (json_check(doc, JSON_STRICT, JSON_DEPTH_DATA, &wrong) == 0)
		return 0;
	return err_set(err, ERR_ITEM, "the cached value is no JSON: byte %zu: %s",
		       wrong.offset + 1, wrong.what);
}

/*
 * Writes a container again, member by member: what stands before the first
 * one, between two and behind the last is kept with the members that stay.
 */
struct rewrite {
	struct buf *buf;
	const char *at; /* behind the member read last; before any: behind the bracket */
	size_t seen;
	size_t kept;
};

/* The blanks (and, between members, the comma) in front of a member that stays. */
static void lead_in(struct rewrite *rewrite, const char *member, const char *open)
{
	if (rewrite->kept > 0)
		buf_add(rewrite->buf, between(rewrite->at, member));
	else if (rewrite->seen > 0) /* those before are gone: their first lead-in serves */
		for (const char *at = open; strchr(" \t\r\n", *at); at++)
			buf_add_char(rewrite->buf, *at);
	else
		buf_add(rewrite->buf, between(open, member));
	rewrite->kept++;
}

/* --- merge --- */

struct member {
	struct bytes name; /* decoded: a view, or into scratch */
	struct bytes raw;  /* with its quotes */
	struct bytes value;
	size_t order;
	bool used;
};

struct members {
	struct member *list;
	size_t count;
	struct mem_arena arena; /* of decoded names */
};

static struct bytes decode_name(struct mem_arena *arena, struct bytes raw)
{
	struct bytes inner = bytes_sub(raw, 1, raw.len - 2);
	struct buf text = {0};

	if (bytes_index(inner, '\\') == inner.len)
		return inner;
	json_decode_string(&text, raw);
	inner = mem_arena_bytes(arena, buf_bytes(&text));
	buf_release(&text);
	return inner;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a;
	const struct member *right = b;
	int order = bytes_compare(left->name, right->name);

	return order ? order : left->order < right->order ? -1 : left->order > right->order;
}

/* A patch's members sorted by name, of equal names only the last. */
static void read_members(struct bytes object, struct members *members)
{
	struct bytes raw, value;
	struct json_iter iter;
	size_t size = 0;
	size_t kept = 0;

	json_iter_init(&iter, object);
	while (json_iter_next(&iter, &raw, &value)) {
		if (members->count == size) {
			size = size ? size * 2 : 8;
			members->list = mem_resize(members->list, size, sizeof *members->list);
		}
		members->list[members->count] =
		    (struct member){.name = decode_name(&members->arena, raw),
				    .raw = raw,
				    .value = value,
				    .order = members->count};
		members->count++;
	}
	if (members->count == 0)
		return;
	qsort(members->list, members->count, sizeof *members->list, compare_members);
	for (size_t i = 0; i < members->count; i++)
		if (i + 1 == members->count ||
		    !bytes_equal(members->list[i].name, members->list[i + 1].name))
			members->list[kept++] = members->list[i];
	members->count = kept;
}

static void members_release(struct members *members)
{
	free(members->list);
	mem_arena_release(&members->arena);
}

static struct member *find_member(const struct members *members, struct bytes name)
{
	const struct member wanted = {.name = name};
	size_t low = 0;
	size_t high = members->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(wanted.name, members->list[middle].name);

		if (order == 0)
			return &members->list[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int compare_order(const void *a, const void *b)
{
	const struct member *left = a;
	const struct member *right = b;

	return left->order < right->order ? -1 : left->order > right->order;
}

static void merge_value(struct bytes target, struct bytes patch, struct buf *buf);

/* The members that the target did not have, in the patch's order. */
static void add_new(const struct members *members, bool comma, struct buf *buf)
{
	static const struct bytes nothing = {"{}", 2};

	if (members->count)
		qsort(members->list, members->count, sizeof *members->list, compare_order);
	for (size_t i = 0; i < members->count; i++) {
		const struct member *member = &members->list[i];

		if (member->used || json_type_of(member->value) == JSON_NULL)
			continue;
		if (comma)
			buf_add_char(buf, ',');
		buf_add(buf, member->raw);
		buf_add_char(buf, ':');
		merge_value(nothing, member->value, buf);
		comma = true;
	}
}

/* RFC 7396 §2, over text. */
static void merge_object(struct bytes target, struct bytes patch, struct buf *buf)
{
	struct members members = {0};
	struct rewrite rewrite = {.buf = buf, .at = target.ptr + 1};
	struct mem_arena names = {0};
	struct bytes raw, value;
	struct json_iter iter;

	read_members(patch, &members);
	buf_add_char(buf, '{');
	json_iter_init(&iter, target);
	for (; json_iter_next(&iter, &raw, &value);
	     rewrite.at = end_of(value), rewrite.seen++) {
		struct member *member = find_member(&members, decode_name(&names, raw));

		if (member)
			member->used = true;
		if (member && json_type_of(member->value) == JSON_NULL)
			continue;
		lead_in(&rewrite, raw.ptr, target.ptr + 1);
		buf_add(buf, between(raw.ptr, value.ptr));
		if (member)
			merge_value(value, member->value, buf);
		else
			buf_add(buf, value);
	}
	add_new(&members, rewrite.kept > 0, buf);
	buf_add(buf, between(rewrite.at, end_of(target)));
	mem_arena_release(&names);
	members_release(&members);
}

static void merge_value(struct bytes target, struct bytes patch, struct buf *buf)
{
	static const struct bytes nothing = {"{}", 2};

	if (json_type_of(patch) != JSON_OBJECT)
		buf_add(buf, patch);
	else
		merge_object(json_type_of(target) == JSON_OBJECT ? target : nothing, patch,
			     buf);
}

int event_edit_merge(struct bytes doc, struct bytes patch, struct buf *buf, struct err *err)
{
	struct bytes value;

	if (check(doc, err) != 0)
		return -1;
	json_find(doc, (struct bytes){NULL, 0}, &value);
	if (json_type_of(value) != JSON_OBJECT)
		return err_set(err, ERR_ITEM, "the cached value is no object but: %s",
			       json_type_name(json_type_of(value)));
	buf_add(buf, between(doc.ptr, value.ptr));
	merge_object(value, patch, buf);
	buf_add(buf, between(end_of(value), end_of(doc)));
	return 0;
}

/* --- elements --- */

static int find_array(struct bytes doc, const struct event_element *element,
		      struct bytes *ret_array, struct err *err)
{
	if (check(doc, err) != 0)
		return -1;
	if (json_find(doc, element->array, ret_array) != 0)
		return err_set(err, ERR_ITEM, "the cached value has no '%.*s'",
			       BYTES_ARG(element->array));
	if (json_type_of(*ret_array) != JSON_ARRAY)
		return err_set(err, ERR_ITEM, "'%.*s' of the cached value is no array but: %s",
			       BYTES_ARG(element->array),
			       json_type_name(json_type_of(*ret_array)));
	return 0;
}

static bool has_id(const struct event_element *element, struct bytes value, struct buf *scratch)
{
	struct bytes id;

	buf_clear(scratch);
	return json_find(value, element->id_at, &id) == 0 &&
	       json_scalar_text(scratch, id) == 0 &&
	       bytes_equal(buf_bytes(scratch), element->id);
}

/* The array again, elements of the id replaced by item or (item.len 0, and after the first)
 * left out. */
static size_t rewrite_array(struct bytes array, const struct event_element *element,
			    struct bytes item, struct rewrite *rewrite)
{
	struct buf scratch = {0};
	struct bytes no_name, value;
	struct json_iter iter;
	size_t found = 0;

	json_iter_init(&iter, array);
	for (; json_iter_next(&iter, &no_name, &value);
	     rewrite->at = end_of(value), rewrite->seen++) {
		bool match = has_id(element, value, &scratch);

		found += match;
		if (match && (found > 1 || item.len == 0))
			continue;
		lead_in(rewrite, value.ptr, array.ptr + 1);
		buf_add(rewrite->buf, match ? item : value);
	}
	buf_release(&scratch);
	return found;
}

int event_edit_upsert(struct bytes doc, const struct event_element *element, struct bytes item,
		      bool first, struct buf *buf, enum event_edit *ret_edit, struct err *err)
{
	struct bytes array;
	struct buf body = {0};

	if (find_array(doc, element, &array, err) != 0)
		return -1;
	struct rewrite rewrite = {.buf = &body, .at = array.ptr + 1};
	size_t found = rewrite_array(array, element, item, &rewrite);
	buf_add(buf, between(doc.ptr, array.ptr + 1));
	if (found == 0 && first) {
		buf_add(buf, item);
		if (rewrite.kept)
			buf_add_char(buf, ',');
	}
	buf_add(buf, buf_bytes(&body));
	if (found == 0 && !first) {
		if (rewrite.kept)
			buf_add_char(buf, ',');
		buf_add(buf, item);
	}
	buf_add(buf, between(rewrite.at, end_of(doc)));
	buf_release(&body);
	*ret_edit = found ? EVENT_EDIT_REPLACED : EVENT_EDIT_ADDED;
	return 0;
}

int event_edit_remove(struct bytes doc, const struct event_element *element, struct buf *buf,
		      enum event_edit *ret_edit, struct err *err)
{
	struct bytes array;

	if (find_array(doc, element, &array, err) != 0)
		return -1;
	struct rewrite rewrite = {.buf = buf, .at = array.ptr + 1};
	buf_add(buf, between(doc.ptr, array.ptr + 1));
	size_t found = rewrite_array(array, element, (struct bytes){NULL, 0}, &rewrite);
	buf_add(buf, between(rewrite.at, end_of(doc)));
	*ret_edit = found ? EVENT_EDIT_REMOVED : EVENT_EDIT_NONE;
	return 0;
}
