#include "base/json_diff.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdint.h>
#include <stdlib.h>

#define EXACT_DIGITS 15 /* that a double holds for certain */
/* Arrays that differ by more are compared by place: each element of one is held against each
 * of the other. */
#define ELEMENTS_MAX 1000
#define COMPARED_MAX ((size_t)64 << 20) /* bytes */

struct member {
	struct bytes name; /* decoded; of an object */
	struct bytes value;
	size_t order;
};

struct members {
	struct mem_arena arena; /* of names */
	struct member *items;
	size_t count;
};

/* Some elements of an array. */
struct span {
	const struct member *items;
	size_t count;
	size_t at; /* place of the first one */
};

struct walk {
	json_change_fn *fn;
	void *ctx;
	struct buf path;
	bool quick; /* whether, not where: arrays of different lengths differ */
	bool ended;
};

/* --- scalars --- */

static bool same_number(struct bytes a, struct bytes b)
{
	double left = 0;
	double right = 0;

	return a.len <= EXACT_DIGITS && b.len <= EXACT_DIGITS &&
	       num_parse_real(a, -1e300, 1e300, &left) == 0 &&
	       num_parse_real(b, -1e300, 1e300, &right) == 0 && left == right;
}

static bool same_string(struct bytes a, struct bytes b)
{
	struct buf left = {0};
	struct buf right = {0};

	json_decode_string(&left, a);
	json_decode_string(&right, b);
	bool same = bytes_equal(buf_bytes(&left), buf_bytes(&right));
	buf_release(&left);
	buf_release(&right);
	return same;
}

static bool same_scalar(struct bytes a, struct bytes b, enum json_type type)
{
	return type == JSON_NUMBER ? same_number(a, b) : same_string(a, b);
}

/* --- containers --- */

static int by_name(const void *a, const void *b)
{
	const struct member *left = a;
	const struct member *right = b;
	int order = bytes_compare(left->name, right->name);

	return order ? order : left->order < right->order ? -1 : 1;
}

/* Of names that occur twice the last one counts. */
static void drop_doubles(struct members *members)
{
	size_t kept = 0;

	for (size_t i = 0; i < members->count; i++)
		if (i + 1 == members->count ||
		    !bytes_equal(members->items[i].name, members->items[i + 1].name))
			members->items[kept++] = members->items[i];
	members->count = kept;
}

static struct members read_members(struct bytes container)
{
	struct members members = {0};
	struct bytes name = {NULL, 0};
	struct bytes value = {NULL, 0};
	struct buf decoded = {0};
	struct json_iter iter;
	size_t size = 0;

	if (json_iter_init(&iter, container) != 0)
		return members;
	while (json_iter_next(&iter, &name, &value) > 0) {
		if (members.count == size) {
			size = size ? 2 * size : 16;
			members.items = mem_resize(members.items, size, sizeof *members.items);
		}
		buf_clear(&decoded);
		if (iter.in_object)
			json_decode_string(&decoded, name);
		members.items[members.count] = (struct member){
		    .name = mem_arena_bytes(&members.arena, buf_bytes(&decoded)),
		    .value = value,
		    .order = members.count};
		members.count++;
	}
	buf_release(&decoded);
	if (iter.in_object && members.count) {
		qsort(members.items, members.count, sizeof *members.items, by_name);
		drop_doubles(&members);
	}
	return members;
}

static void release_members(struct members *members)
{
	mem_arena_release(&members->arena);
	free(members->items);
}

static void tell(struct walk *walk, struct bytes before, struct bytes after)
{
	struct json_change change = {buf_bytes(&walk->path), before, after};

	if (!walk->ended)
		walk->ended = !walk->fn(walk->ctx, &change);
}

static void diff(struct walk *walk, struct bytes before, struct bytes after);

/* The path grows by a name; "~" and "/" in it are escaped. */
static size_t push_name(struct walk *walk, struct bytes name)
{
	size_t len = walk->path.len;

	buf_add_char(&walk->path, '/');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '~')
			buf_add_str(&walk->path, "~0");
		else if (name.ptr[i] == '/')
			buf_add_str(&walk->path, "~1");
		else
			buf_add_char(&walk->path, name.ptr[i]);
	}
	return len;
}

static void pop(struct walk *walk, size_t len)
{
	walk->path.len = len;
	walk->path.ptr[len] = '\0';
}

static void diff_objects(struct walk *walk, const struct members *a, const struct members *b)
{
	size_t i = 0;
	size_t j = 0;

	while (!walk->ended && (i < a->count || j < b->count)) {
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : bytes_compare(a->items[i].name, b->items[j].name);
		size_t len = push_name(walk, order <= 0 ? a->items[i].name : b->items[j].name);

		if (order == 0)
			diff(walk, a->items[i].value, b->items[j].value);
		else if (order < 0)
			tell(walk, a->items[i].value, (struct bytes){NULL, 0});
		else
			tell(walk, (struct bytes){NULL, 0}, b->items[j].value);
		pop(walk, len);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Elements of a and b between two that are alike: those in the same place are one that changed.
 */
static void diff_run(struct walk *walk, const struct span *a, const struct span *b)
{
	const struct bytes none = {NULL, 0};
	size_t most = a->count > b->count ? a->count : b->count;

	for (size_t i = 0; i < most && !walk->ended; i++) {
		size_t len = walk->path.len;

		buf_printf(&walk->path, "/%zu", i < a->count ? a->at + i : b->at + i);
		if (i < a->count && i < b->count)
			diff(walk, a->items[i].value, b->items[i].value);
		else
			tell(walk, i < a->count ? a->items[i].value : none,
			     i < b->count ? b->items[i].value : none);
		pop(walk, len);
	}
}

static struct span take(struct span *span, size_t count)
{
	struct span front = {span->items, count, span->at};

	span->items += count;
	span->at += count;
	span->count -= count;
	return front;
}

static size_t bytes_of_span(const struct span *span)
{
	size_t bytes = 0;

	for (size_t i = 0; i < span->count; i++)
		bytes += span->items[i].value.len;
	return bytes;
}

/* common[i * (b->count + 1) + j]: how many elements from a's i and b's j on can be kept. */
static uint32_t *count_common(const struct span *a, const struct span *b)
{
	size_t width = b->count + 1;
	uint32_t *common = mem_zalloc((a->count + 1) * width, sizeof *common);

	for (size_t i = a->count; i-- > 0;) {
		for (size_t j = b->count; j-- > 0;) {
			uint32_t down = common[(i + 1) * width + j];
			uint32_t right = common[i * width + j + 1];
			bool same = json_same(a->items[i].value, b->items[j].value);

			common[i * width + j] = same ? common[(i + 1) * width + j + 1] + 1
						: down > right ? down
							       : right;
		}
	}
	return common;
}

/*
 * By the longest common subsequence (Wagner and Fischer): what both have in the
 * same order stays, the rest lies between.
 */
static void diff_sequences(struct walk *walk, struct span a, struct span b)
{
	size_t width = b.count + 1;
	uint32_t *common = count_common(&a, &b);
	size_t i = 0; /* of what is left of a */
	size_t j = 0;
	const uint32_t *at = common;

	while (i < a.count && j < b.count && !walk->ended) {
		if (at[0] == at[width]) {
			i++;
			at += width;
		} else if (at[0] == at[1]) {
			j++;
			at++;
		} else { /* alike */
			struct span before = take(&a, i);
			struct span after = take(&b, j);

			diff_run(walk, &before, &after);
			take(&a, 1);
			take(&b, 1);
			i = j = 0;
			at += width + 1;
		}
	}
	diff_run(walk, &a, &b);
	free(common);
}

static void diff_arrays(struct walk *walk, const struct members *a, const struct members *b)
{
	const struct bytes none = {NULL, 0};
	struct span left = {a->items, a->count, 0};
	struct span right = {b->items, b->count, 0};

	if (walk->quick && a->count != b->count) {
		tell(walk, none, none);
		return;
	}
	if (walk->quick) {
		diff_run(walk, &left, &right);
		return;
	}
	while (left.count && right.count && json_same(left.items->value, right.items->value)) {
		take(&left, 1);
		take(&right, 1);
	}
	while (
	    left.count && right.count &&
	    json_same(left.items[left.count - 1].value, right.items[right.count - 1].value)) {
		left.count--;
		right.count--;
	}
	if (left.count <= ELEMENTS_MAX && right.count <= ELEMENTS_MAX &&
	    left.count * bytes_of_span(&right) + right.count * bytes_of_span(&left) <=
		COMPARED_MAX)
		diff_sequences(walk, left, right);
	else
		diff_run(walk, &left, &right);
}

static void diff(struct walk *walk, struct bytes before, struct bytes after)
{
	enum json_type type = json_type_of(before);

	if (walk->ended || bytes_equal(before, after))
		return;
	if (type != json_type_of(after) || type == JSON_NULL || type == JSON_FALSE ||
	    type == JSON_TRUE) {
		tell(walk, before, after);
		return;
	}
	if (type == JSON_NUMBER || type == JSON_STRING) {
		if (!same_scalar(before, after, type))
			tell(walk, before, after);
		return;
	}
	struct members a = read_members(before);
	struct members b = read_members(after);
	if (type == JSON_OBJECT)
		diff_objects(walk, &a, &b);
	else
		diff_arrays(walk, &a, &b);
	release_members(&a);
	release_members(&b);
}

/* The value without the blanks around it. */
static struct bytes trim(struct bytes doc)
{
	struct bytes value = doc;

	return json_find(doc, (struct bytes){NULL, 0}, &value) == 0 ? value : doc;
}

static void run(struct walk *walk, struct bytes before, struct bytes after)
{
	buf_add_str(&walk->path, "");
	diff(walk, trim(before), trim(after));
	buf_release(&walk->path);
}

void json_diff(struct bytes before, struct bytes after, json_change_fn *fn, void *ctx)
{
	struct walk walk = {.fn = fn, .ctx = ctx};

	run(&walk, before, after);
}

static bool note_change(void *ctx, const struct json_change *change)
{
	(void)change;
	*(bool *)ctx = false;
	return false;
}

bool json_same(struct bytes a, struct bytes b)
{
	bool same = true;
	struct walk walk = {.fn = note_change, .ctx = &same, .quick = true};

	if (!bytes_equal(a, b))
		run(&walk, a, b);
	return same;
}
