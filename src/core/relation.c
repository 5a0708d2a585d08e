#include "core/relation.h"

#include "base/err.h"
#include "core/namespace.h"
#include "core/sidecar.h"
#include "wire/redis.h"

#include <string.h>

#define SHA_LEN 40

const char *const relation_names[] = {"leads to", "listed in", "lists", "sidecar"};

bool relation_is_known(const struct ns *ns, const struct ns *target, const char *name)
{
	for (size_t i = 0; i < template_var_count(target->key); i++) {
		const char *var = template_var_name(target->key, i);

		if (strcmp(var, name) != 0 && template_var_index(ns->key, bytes_of(var)) < 0 &&
		    !template_var_optional(target->key, i))
			return false;
	}
	return true;
}

int relation_follow(const struct nsset *set, const struct ns *ns, const struct bytes *vars,
		    const struct ns *target, const char *name, struct bytes value,
		    struct buf *buf, struct err *err)
{
	struct var given[TEMPLATE_VARS_MAX + 1] = {{bytes_of(name), value}};
	size_t count = 1;

	for (size_t i = 0; i < template_var_count(ns->key); i++)
		given[count++] = (struct var){bytes_of(template_var_name(ns->key, i)), vars[i]};
	return ns_expand(set, target, given, count, buf, err);
}

/* --- what is so now --- */

static struct relation *add(struct relation *list, size_t *count, enum relation_kind kind,
			    const struct ns *ns)
{
	struct relation *relation = &list[(*count)++];

	*relation = (struct relation){.kind = kind, .ns = ns, .ttl_ms = -2};
	return relation;
}

/* An integer that says yes or no. */
static int ask(struct redis *redis, const struct bytes *argv, size_t argc,
	       struct relation *relation, struct err *err)
{
	const struct reply *reply = NULL;

	if (redis_call(redis, argv, argc, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	relation->known = reply->type == REPLY_INTEGER;
	relation->holds = relation->known && reply->integer == 1;
	return 0;
}

static int add_target(struct redis *redis, const struct nsset *set, const struct ns *ns,
		      const struct bytes *vars, struct bytes value, struct relation *relation,
		      struct err *err)
{
	struct err why = {0};

	if (relation_follow(set, ns, vars, ns->index_of, ns->holds, value, &relation->key,
			    &why) != 0) {
		buf_add_str(&relation->detail, why.text);
		relation->known = true;
		return 0;
	}
	const struct bytes argv[] = {BYTES("EXISTS"), buf_bytes(&relation->key)};
	return ask(redis, argv, 2, relation, err);
}

/* Every set that should list the key. */
static int add_sets(struct redis *redis, const struct nsset *set, const struct ns *ns,
		    const struct bytes *vars, struct relation *list, size_t *count,
		    struct err *err)
{
	for (size_t i = 0; i < nsset_count(set) && *count < RELATIONS_MAX - 1; i++) {
		const struct ns *other = nsset_at(set, i);
		int member = other->members_of == ns
				 ? template_var_index(ns->key, bytes_of(other->member))
				 : -1;
		struct err ignored = {0};

		if (member < 0 || !relation_is_known(ns, other, other->member))
			continue;
		struct relation *relation = add(list, count, RELATION_LISTED, other);
		if (relation_follow(set, ns, vars, other, other->member, vars[member],
				    &relation->key, &ignored) != 0) {
			(*count)--;
			buf_release(&relation->key);
			continue;
		}
		const struct bytes argv[] = {BYTES("SISMEMBER"), buf_bytes(&relation->key),
					     vars[member]};
		if (ask(redis, argv, 3, relation, err) != 0)
			return -1;
	}
	return 0;
}

/* What a sidecar's text says (sidecar.h). */
static void describe(struct bytes text, struct relation *relation)
{
	struct buf *detail = &relation->detail;

	if (bytes_starts_with(text, BYTES("f:"))) {
		buf_add_str(detail, "a fetch is under way");
	} else if (bytes_starts_with(text, BYTES("n:"))) {
		buf_add_str(detail, "the source had nothing there");
	} else if (bytes_starts_with(text, BYTES("v:")) ||
		   bytes_starts_with(text, BYTES("h:"))) {
		struct bytes rest = bytes_sub(text, 2 + SHA_LEN + 1, text.len);
		struct bytes etag = bytes_sub(rest, 0, bytes_index(rest, '\n'));
		rest = bytes_sub(rest, etag.len + 1, rest.len);
		struct bytes modified = bytes_sub(rest, 0, bytes_index(rest, '\n'));
		rest = bytes_sub(rest, modified.len + 1, rest.len);
		relation->remembers = volatility_read(rest, &relation->volatility);

		if (etag.len)
			buf_add_str(detail, "ETag ");
		buf_add(detail, etag);
		if (modified.len)
			buf_add_str(detail, etag.len ? ", last modified " : "last modified ");
		buf_add(detail, modified);
	}
}

static int add_sidecar(struct redis *redis, struct bytes key, struct relation *list,
		       size_t *count, struct err *err)
{
	struct buf name = {0};
	const struct reply *reply = NULL;

	sidecar_name(&name, key);
	const struct bytes get[] = {BYTES("GETRANGE"), buf_bytes(&name), BYTES("0"),
				    BYTES("4095")};
	const struct bytes ttl[] = {BYTES("PTTL"), buf_bytes(&name)};
	int status = redis_call(redis, get, 4, REDIS_IDEMPOTENT, &reply, err);

	if (status == 0 && reply->type == REPLY_STRING && reply->text.len) {
		struct relation *relation = add(list, count, RELATION_SIDECAR, NULL);

		relation->holds = relation->known = true;
		buf_add(&relation->key, buf_bytes(&name));
		describe(reply->text, relation);
		status = redis_call(redis, ttl, 2, REDIS_IDEMPOTENT, &reply, err);
		if (status == 0 && reply->type == REPLY_INTEGER)
			relation->ttl_ms = reply->integer;
	}
	buf_release(&name);
	return status;
}

int relation_read(struct redis *redis, const struct nsset *set, const struct ns *ns,
		  const struct bytes *vars, struct bytes key, struct bytes value,
		  struct relation *ret_relations, size_t *ret_count, struct err *err)
{
	*ret_count = 0;
	if (ns && ns->index_of && value.ptr && relation_is_known(ns, ns->index_of, ns->holds) &&
	    add_target(redis, set, ns, vars, value,
		       add(ret_relations, ret_count, RELATION_LEADS_TO, ns->index_of),
		       err) != 0)
		return -1;
	if (ns && ns->members_of) {
		struct relation *lists =
		    add(ret_relations, ret_count, RELATION_LISTS, ns->members_of);

		lists->known = lists->holds = true;
	}
	if (ns && add_sets(redis, set, ns, vars, ret_relations, ret_count, err) != 0)
		return -1;
	return add_sidecar(redis, key, ret_relations, ret_count, err);
}

void relation_release(struct relation *relations, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_release(&relations[i].key);
		buf_release(&relations[i].detail);
	}
}
