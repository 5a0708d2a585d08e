#include "core/namespace.h"
#include "core/namespace_classifier.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/zone.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define SHOWN 64 /* bytes of a value in a message */
#define SHOWN_ARG(b) ((b).len > SHOWN ? SHOWN : (int)(b).len), ((b).ptr ? (b).ptr : "")

const char *const ns_type_names[] = {"string", "hash",   "set", "zset",
				     "list",   "stream", "any", NULL};

struct nsset {
	struct ns *list;
	size_t count;
	const char **names; /* in the list's order, for did-you-mean */
	struct ns **by_name;
	struct ns_classifier *classifier;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct ns *const *)a)->name, (*(struct ns *const *)b)->name);
}

struct nsset *nsset_new(struct ns *list, size_t count)
{
	struct nsset *set = mem_zalloc(1, sizeof *set);

	set->list = list;
	set->count = count;
	set->names = mem_zalloc(count, sizeof *set->names);
	set->by_name = mem_zalloc(count, sizeof *set->by_name);
	for (size_t i = 0; i < count; i++) {
		list[i].index = i;
		set->names[i] = list[i].name;
		set->by_name[i] = &list[i];
	}
	qsort(set->by_name, count, sizeof *set->by_name, compare_names);
	set->classifier = ns_classifier_new(list, count);
	return set;
}

void nsset_free(struct nsset *set)
{
	if (!set)
		return;
	ns_classifier_free(set->classifier);
	free(set->by_name);
	free(set->names);
	free(set->list);
	free(set);
}

size_t nsset_count(const struct nsset *set)
{
	return set->count;
}

const struct ns *nsset_at(const struct nsset *set, size_t index)
{
	return &set->list[index];
}

const struct ns *nsset_find(const struct nsset *set, struct bytes name)
{
	size_t low = 0;
	size_t high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(name, bytes_of(set->by_name[middle]->name));

		if (order == 0)
			return set->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int refuse_name(const struct nsset *set, struct bytes name, const char *remedy,
		       struct err *err)
{
	const char *near = text_nearest(name, set->names, set->count);
	const struct ns *owner = ns_classifier_find(set->classifier, name, NULL);

	if (owner && (!near || bytes_index(name, ':') < name.len))
		return err_set(err, ERR_USAGE,
			       "'%.*s' is a key of '%s': say %sthe namespace and its ids",
			       SHOWN_ARG(name), owner->name, remedy);
	if (near)
		return err_set(err, ERR_USAGE, "unknown namespace '%.*s'; did you mean '%s'?",
			       SHOWN_ARG(name), near);
	return err_set(
	    err, ERR_USAGE,
	    "unknown namespace '%.*s' ('ccache config names' lists the %zu known ones)",
	    SHOWN_ARG(name), set->count);
}

int nsset_need(const struct nsset *set, struct bytes name, const struct ns **ret_ns,
	       struct err *err)
{
	const struct ns *found = nsset_find(set, name);

	if (!found)
		return refuse_name(set, name, "", err);
	*ret_ns = found;
	return 0;
}

int nsset_need_or_key(const struct nsset *set, struct bytes name, const struct ns **ret_ns,
		      struct err *err)
{
	const struct ns *found = nsset_find(set, name);

	if (!found)
		return refuse_name(set, name, "--key, or ", err);
	*ret_ns = found;
	return 0;
}

const struct ns *nsset_classify(const struct nsset *set, struct bytes key,
				struct bytes *ret_values)
{
	return ns_classifier_find(set->classifier, key, ret_values);
}

/* Each var must come back from the key as it went in. */
static int check_read_back(const struct ns *ns, const struct var *vars, size_t count,
			   const struct bytes *values, struct err *err)
{
	struct buf want = {0};
	int status = 0;

	for (size_t i = 0; i < template_var_count(ns->key) && status == 0; i++) {
		buf_clear(&want);
		status = template_read_back(ns->key, i, vars, count, &want, err);
		if (status == 0 && !bytes_equal(buf_bytes(&want), values[i]))
			status = err_set(err, ERR_USAGE, "%s '%.*s' would read back as '%.*s'",
					 template_var_name(ns->key, i),
					 SHOWN_ARG(buf_bytes(&want)), SHOWN_ARG(values[i]));
	}
	buf_release(&want);
	return status;
}

/* Says which var keeps the key from being one of ns. */
static int refuse_key(const struct ns *ns, const struct ns *owner, const struct var *vars,
		      size_t count, struct bytes key, struct err *err)
{
	if (owner)
		return err_set(err, ERR_USAGE, "the key '%.*s' belongs to namespace %s",
			       SHOWN_ARG(key), owner->name);
	for (size_t i = 0; i < count; i++)
		if (template_var_index(ns->key, vars[i].name) >= 0 &&
		    bytes_index(vars[i].value, ':') < vars[i].value.len)
			return err_set(err, ERR_USAGE, "%.*s '%.*s' may not hold a ':'",
				       SHOWN_ARG(vars[i].name), SHOWN_ARG(vars[i].value));
	return err_set(err, ERR_USAGE, "the key '%.*s' would not be read back as one of %.*s",
		       SHOWN_ARG(key), BYTES_ARG(template_text(ns->key)));
}

int ns_expand(const struct nsset *set, const struct ns *ns, const struct var *vars,
	      size_t count, struct buf *buf, struct err *err)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	size_t start = buf->len;
	int status = template_expand(ns->key, vars, count, buf, err);

	if (status == 0) {
		struct bytes key = bytes_sub(buf_bytes(buf), start, buf->len);
		const struct ns *owner = nsset_classify(set, key, values);

		status = owner == ns ? check_read_back(ns, vars, count, values, err)
				     : refuse_key(ns, owner, vars, count, key, err);
	}
	if (status) {
		buf->len = start;
		err_wrap(err, "%s", ns->name);
	}
	return status;
}

uint64_t ns_ttl_limit_ms(const struct ns *ns, const struct bytes *values, uint64_t now_ms)
{
	int64_t day;
	int64_t end_ms;

	switch (ns->ttl_kind) {
	case NS_TTL_FIXED:
	case NS_TTL_ADAPTIVE:
		return ns->ttl_ms ? ns->ttl_ms + ns->grace_ms : 0;
	case NS_TTL_CACHE_CONTROL:
		return 0;
	case NS_TTL_DAY:
		if (!values || zone_parse_day(values[ns->ttl_var], &day))
			return 0;
		end_ms = (day + 1) * DAY_MS + (int64_t)ns->ttl_ms;
		return end_ms > (int64_t)now_ms ? (uint64_t)end_ms - now_ms : 1;
	}
	return 0;
}

bool ns_is_own_key(struct bytes key)
{
	static const char *const own[] = {"cc:m:", "cc:o:", "cc:c:", "cc:l:", "cc:bench:"};

	if (key.len < 5 || key.ptr[0] != 'c' || key.ptr[1] != 'c')
		return false;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (bytes_starts_with(key, bytes_of(own[i])))
			return true;
	return false;
}
