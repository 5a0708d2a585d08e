#include "core/referrer.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <stdlib.h>

#define PAGE 64
#define PAGE_FAR 4096                    /* over a long link */
#define PAGE_BYTES ((size_t)4096 * 1024) /* of their values */
#define VALUE_MAX 65536
#define VALUE_LAST "65535"
#define INDEX_MAX "4095"

/* A question about something that may refer to a key, under way. */
struct candidate {
	struct finding *finding;
	struct buf key;      /* the index, or the set */
	struct buf expected; /* what the index must hold, or the member */
	bool is_set;
	bool holds;
};

struct finding {
	struct redis *redis;
	bool far; /* pages are long */
	const struct nsset *set;
	struct keylist *list;
	struct referrers *referrers;
	/* of the page of keys at hand */
	struct bytes keys[PAGE_FAR];
	struct value {
		struct finding *finding;
		size_t length;
		struct buf text;
	} values[PAGE_FAR];
	size_t count;
	struct candidate *candidates;
	size_t candidate_count, candidate_size;
	/* hashes of the listed names, an open table: 0 is an empty place */
	uint64_t *names;
	size_t name_count, name_size;
	struct err err;
};

static void refuse(struct finding *finding, const struct reply *reply, const char *command)
{
	if (!err_is_set(&finding->err))
		redis_fail(finding->redis, reply, command, (struct bytes){NULL, 0},
			   &finding->err);
}

static int settle(struct finding *finding, struct err *err)
{
	return redis_settle(finding->redis, &finding->err, err);
}

static void on_value(void *ctx, const struct reply *reply)
{
	struct value *value = ctx;

	if (reply->type == REPLY_STRING)
		buf_add(&value->text, reply->text);
	else if (reply_error_kind(reply) != REPLY_ERR_WRONGTYPE)
		refuse(value->finding, reply, "GETRANGE");
}

/* The namespaces that hold something of ns; each call gives the next. */
static const struct ns *next_referrer(const struct nsset *set, const struct ns *ns, size_t *at)
{
	while (*at < nsset_count(set)) {
		const struct ns *other = nsset_at(set, (*at)++);

		if (other->index_of == ns || other->members_of == ns)
			return other;
	}
	return NULL;
}

static bool has_index(const struct nsset *set, const struct ns *ns)
{
	const struct ns *other;
	size_t at = 0;

	while ((other = next_referrer(set, ns, &at)) != NULL)
		if (other->index_of == ns)
			return true;
	return false;
}

static void on_length(void *ctx, const struct reply *reply)
{
	struct value *value = ctx;

	if (reply->type == REPLY_INTEGER && reply->integer >= 0 && reply->integer < VALUE_MAX)
		value->length = (size_t)reply->integer;
}

static bool is_read(const struct finding *finding, size_t i)
{
	const struct ns *ns = nsset_classify(finding->set, finding->keys[i], NULL);

	return ns && has_index(finding->set, ns);
}

/* So that as many as possible are read at once: a trip costs more than the question. */
static int ask_lengths(struct finding *finding, struct err *err)
{
	for (size_t i = 0; i < finding->count; i++) {
		const struct bytes argv[] = {BYTES("STRLEN"), finding->keys[i]};

		if (is_read(finding, i) && redis_ask(finding->redis, argv, 2, 0, on_length,
						     &finding->values[i], err) != 0)
			return -1;
	}
	return settle(finding, err);
}

/* From the first of these keys on, as many as fit into memory; *ret_end is behind them. */
static int read_values(struct finding *finding, size_t first, size_t *ret_end, struct err *err)
{
	size_t bytes = 0;
	size_t i = first;

	for (; i < finding->count && bytes < PAGE_BYTES; i++) {
		const struct bytes argv[] = {BYTES("GETRANGE"), finding->keys[i], BYTES("0"),
					     BYTES(VALUE_LAST)};
		struct value *value = &finding->values[i];

		if (!is_read(finding, i))
			continue;
		bytes += value->length;
		if (redis_ask(finding->redis, argv, 4, value->length, on_value, value, err) !=
		    0)
			return -1;
	}
	*ret_end = i;
	return settle(finding, err);
}

/* The text of a member of the document, or of one of the key's own vars. */
static bool find_var(const struct ns *ns, const struct bytes *values, struct bytes doc,
		     const char *name, struct buf *text)
{
	int own = template_var_index(ns->key, bytes_of(name));
	struct buf pointer = {0};
	struct bytes value;

	buf_clear(text);
	if (own >= 0) {
		buf_add(text, values[own]);
		return true;
	}
	buf_printf(&pointer, "/%s", name);
	bool found = doc.len && json_find(doc, buf_bytes(&pointer), &value) == 0 &&
		     json_scalar_text(text, value) == 0;
	buf_release(&pointer);
	return found;
}

static struct candidate *new_candidate(struct finding *finding)
{
	if (finding->candidate_count == finding->candidate_size) {
		size_t size = finding->candidate_size ? finding->candidate_size * 2 : 64;

		finding->candidates =
		    mem_resize(finding->candidates, size, sizeof *finding->candidates);
		for (size_t i = finding->candidate_size; i < size; i++)
			finding->candidates[i] = (struct candidate){0};
		finding->candidate_size = size;
	}
	struct candidate *candidate = &finding->candidates[finding->candidate_count];
	buf_clear(&candidate->key);
	buf_clear(&candidate->expected);
	candidate->finding = finding;
	candidate->holds = false;
	return candidate;
}

/* The key of `other` that would refer to this one, when all its vars are known. */
static void consider(struct finding *finding, const struct ns *ns, const struct ns *other,
		     const struct bytes *values, struct bytes doc)
{
	const char *held = other->members_of ? other->member : other->holds;
	struct candidate *candidate = new_candidate(finding);
	struct var vars[TEMPLATE_VARS_MAX];
	struct buf texts[TEMPLATE_VARS_MAX] = {{0}};
	size_t count = template_var_count(other->key);
	struct err ignored = {0};
	bool known = find_var(ns, values, doc, held, &candidate->expected);

	for (size_t i = 0; i < count && known; i++) {
		const char *name = template_var_name(other->key, i);

		known = find_var(ns, values, doc, name, &texts[i]);
		vars[i] = (struct var){bytes_of(name), buf_bytes(&texts[i])};
	}
	candidate->is_set = other->members_of != NULL;
	if (known &&
	    ns_expand(finding->set, other, vars, count, &candidate->key, &ignored) == 0)
		finding->candidate_count++;
	for (size_t i = 0; i < count; i++)
		buf_release(&texts[i]);
}

static void on_candidate(void *ctx, const struct reply *reply)
{
	struct candidate *candidate = ctx;
	struct buf text = {0};

	if (reply->type == REPLY_INTEGER) {
		candidate->holds = reply->integer == 1;
	} else if (reply->type == REPLY_STRING) {
		/* the id as it is, or as JSON */
		candidate->holds =
		    bytes_equal(reply->text, buf_bytes(&candidate->expected)) ||
		    (json_check(reply->text, 0, 1, &(struct json_error){0}) == 0 &&
		     json_scalar_text(&text, reply->text) == 0 &&
		     bytes_equal(buf_bytes(&text), buf_bytes(&candidate->expected)));
		buf_release(&text);
	} else if (reply->type != REPLY_NIL && reply_error_kind(reply) != REPLY_ERR_WRONGTYPE) {
		refuse(candidate->finding, reply, candidate->is_set ? "SISMEMBER" : "GETRANGE");
	}
}

static int ask_candidates(struct finding *finding, struct err *err)
{
	for (size_t i = 0; i < finding->candidate_count; i++) {
		struct candidate *candidate = &finding->candidates[i];
		const struct bytes member[] = {BYTES("SISMEMBER"), buf_bytes(&candidate->key),
					       buf_bytes(&candidate->expected)};
		const struct bytes value[] = {BYTES("GETRANGE"), buf_bytes(&candidate->key),
					      BYTES("0"), BYTES(INDEX_MAX)};

		if (redis_ask(finding->redis, candidate->is_set ? member : value,
			      candidate->is_set ? 3 : 4, candidate->is_set ? 0 : 4096,
			      on_candidate, candidate, err) != 0)
			return -1;
	}
	return settle(finding, err);
}

static struct keylist *members_of(struct referrers *referrers, struct bytes key)
{
	for (size_t i = 0; i < referrers->set_count; i++)
		if (bytes_equal(buf_bytes(&referrers->sets[i].key), key))
			return &referrers->sets[i].members;
	referrers->sets =
	    mem_resize(referrers->sets, referrers->set_count + 1, sizeof *referrers->sets);
	struct referrer_set *set = &referrers->sets[referrers->set_count++];
	*set = (struct referrer_set){0};
	buf_add(&set->key, key);
	return &set->members;
}

static bool put_name(uint64_t *names, size_t size, uint64_t hash)
{
	size_t at = hash & (size - 1);

	while (names[at] && names[at] != hash)
		at = (at + 1) & (size - 1);
	bool is_new = names[at] == 0;
	names[at] = hash;
	return is_new;
}

/* False for a name that was there: an index that is on the list would be counted twice. */
static bool add_name(struct finding *finding, struct bytes key)
{
	uint64_t hash = bytes_hash(key);

	if (finding->name_count * 2 >= finding->name_size) {
		size_t size = finding->name_size ? finding->name_size * 2 : 1024;
		uint64_t *names = mem_zalloc(size, sizeof *names);

		for (size_t i = 0; i < finding->name_size; i++)
			if (finding->names[i])
				put_name(names, size, finding->names[i]);
		free(finding->names);
		finding->names = names;
		finding->name_size = size;
	}
	bool is_new = put_name(finding->names, finding->name_size, hash ? hash : 1);
	finding->name_count += is_new;
	return is_new;
}

static void add_names(struct finding *finding)
{
	struct keylist_walk walk = {0};
	struct bytes key;

	while (keylist_next(finding->list, &walk, &key))
		add_name(finding, key);
}

static void keep_candidates(struct finding *finding)
{
	struct referrers *referrers = finding->referrers;

	for (size_t i = 0; i < finding->candidate_count; i++) {
		const struct candidate *candidate = &finding->candidates[i];
		struct bytes key = buf_bytes(&candidate->key);

		if (!candidate->holds)
			continue;
		if (candidate->is_set) {
			keylist_add(members_of(referrers, key),
				    buf_bytes(&candidate->expected));
			referrers->members++;
		} else if (add_name(finding, key)) {
			keylist_add(finding->list, key);
			referrers->indexes++;
		}
	}
	finding->candidate_count = 0;
}

static void consider_key(struct finding *finding, size_t i)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = nsset_classify(finding->set, finding->keys[i], values);
	const struct ns *other;
	size_t at = 0;

	while (ns && (other = next_referrer(finding->set, ns, &at)) != NULL)
		consider(finding, ns, other, values, buf_bytes(&finding->values[i].text));
	buf_release(&finding->values[i].text);
}

static int look_at_page(struct finding *finding, struct err *err)
{
	if (finding->name_count == 0)
		add_names(finding);
	for (size_t i = 0; i < finding->count; i++)
		finding->values[i] = (struct value){.finding = finding, .length = VALUE_MAX};
	if (finding->far && ask_lengths(finding, err) != 0)
		return -1;
	for (size_t at = 0, end = 0; at < finding->count; at = end) {
		if (read_values(finding, at, &end, err) != 0)
			return -1;
		for (size_t i = at; i < end; i++)
			consider_key(finding, i);
	}
	if (ask_candidates(finding, err) != 0)
		return -1;
	keep_candidates(finding);
	finding->count = 0;
	return 0;
}

int referrers_find(struct redis *redis, const struct nsset *set, struct keylist *list,
		   struct referrers *referrers, struct err *err)
{
	struct finding *finding = mem_zalloc(1, sizeof *finding);
	struct keylist_walk walk = {0};
	uint64_t left = list->count;
	struct bytes key;
	int status = 0;

	finding->redis = redis;
	finding->far = redis_is_far(redis);
	finding->set = set;
	finding->list = list;
	finding->referrers = referrers;
	for (; left > 0 && status == 0 && keylist_next(list, &walk, &key); left--) {
		const struct ns *ns = nsset_classify(set, key, NULL);
		size_t at = 0;

		if (ns && next_referrer(set, ns, &at))
			finding->keys[finding->count++] = key;
		if (finding->count < (finding->far ? PAGE_FAR : PAGE))
			continue;
		status = look_at_page(finding, err);
		finding->far = redis_is_far(redis);
	}
	if (status == 0 && finding->count)
		status = look_at_page(finding, err);
	for (size_t i = 0; i < finding->count; i++)
		buf_release(&finding->values[i].text);
	for (size_t i = 0; i < finding->candidate_size; i++) {
		buf_release(&finding->candidates[i].key);
		buf_release(&finding->candidates[i].expected);
	}
	free(finding->candidates);
	free(finding->names);
	free(finding);
	return status;
}

void referrers_release(struct referrers *referrers)
{
	for (size_t i = 0; i < referrers->set_count; i++) {
		buf_release(&referrers->sets[i].key);
		keylist_release(&referrers->sets[i].members);
	}
	free(referrers->sets);
	*referrers = (struct referrers){0};
}
