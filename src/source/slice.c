#include "source/slice.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

int slice_select(struct bytes body, struct bytes pointer, struct bytes *ret_slice,
		 struct err *err)
{
	if (json_find(body, pointer, ret_slice) == 0)
		return 0;
	return err_set(err, ERR_ITEM, "the body holds nothing at '%.*s'", BYTES_ARG(pointer));
}

/* Sorted, so that no choice of ids by an upstream makes the look-up slow. */
struct id_set {
	struct mem_arena arena;
	struct bytes *items;
	size_t count;
	size_t size;
};

static void id_set_release(struct id_set *set)
{
	mem_arena_release(&set->arena);
	free(set->items);
}

static int compare_ids(const void *a, const void *b)
{
	return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void id_set_add(struct id_set *set, struct bytes id)
{
	if (set->count == set->size) {
		set->size = set->size ? set->size * 2 : 64;
		set->items = mem_resize(set->items, set->size, sizeof *set->items);
	}
	set->items[set->count++] = mem_arena_bytes(&set->arena, id);
}

static bool id_set_has(const struct id_set *set, struct bytes id)
{
	return set->count && bsearch(&id, set->items, set->count, sizeof id, compare_ids);
}

/* The id as text in scratch; false for what no id is: true, null, containers. */
static bool id_text(struct bytes value, struct buf *scratch)
{
	enum json_type type = json_type_of(value);

	buf_clear(scratch);
	return (type == JSON_STRING || type == JSON_NUMBER) &&
	       json_scalar_text(scratch, value) == 0;
}

static int id_set_fill(struct id_set *set, struct bytes ids, struct buf *scratch,
		       struct err *err)
{
	struct json_iter iter;
	struct bytes name;
	struct bytes value;

	if (ids.len == 0)
		return 0;
	if (json_type_of(ids) != JSON_ARRAY || json_iter_init(&iter, ids) < 0)
		return err_set(err, ERR_ITEM, "the ids of keep_only are not an array");
	while (json_iter_next(&iter, &name, &value) == 1) {
		if (!id_text(value, scratch))
			return err_set(err, ERR_ITEM,
				       "an id of keep_only is neither a string nor a number");
		id_set_add(set, buf_bytes(scratch));
	}
	if (set->count)
		qsort(set->items, set->count, sizeof *set->items, compare_ids);
	return 0;
}

static void keep_elements(struct json_iter *iter, struct bytes item, const struct id_set *set,
			  struct buf *scratch, struct buf *buf)
{
	struct bytes name;
	struct bytes element;
	struct bytes id;
	const char *separator = "[";

	while (json_iter_next(iter, &name, &element) == 1) {
		if (json_find(element, item, &id) < 0 || !id_text(id, scratch) ||
		    !id_set_has(set, buf_bytes(scratch)))
			continue;
		buf_add_str(buf, separator);
		buf_add(buf, element);
		separator = ",";
	}
	buf_add_str(buf, separator[0] == '[' ? "[]" : "]");
}

int slice_keep(struct bytes array, struct bytes item, struct bytes ids, struct buf *buf,
	       struct err *err)
{
	struct id_set set = {0};
	struct buf scratch = {0};
	struct json_iter iter;
	int status = id_set_fill(&set, ids, &scratch, err);

	if (status == 0 &&
	    (json_type_of(array) != JSON_ARRAY || json_iter_init(&iter, array) < 0))
		status = err_set(err, ERR_ITEM, "keep_only needs an array to keep elements of");
	if (status == 0)
		keep_elements(&iter, item, &set, &scratch, buf);
	id_set_release(&set);
	buf_release(&scratch);
	return status;
}
