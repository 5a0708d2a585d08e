#include "core/audit_private.h"

#include "base/json.h"
#include "core/codec.h"
#include "core/namespace.h"
#include "core/relation.h"
#include "core/serial.h"

#include <stdlib.h>
#include <string.h>

#define EXPANDED_MAX ((size_t)64 << 20)
/* A page of each: so many, with so many members. */
#define SETS_AT_ONCE 512
#define MEMBERS_AT_ONCE 8192
#define PAGE_MEMBERS 256
#define MEMBER_BYTES 32   /* of an answer, about */
#define STRLEN_UNKNOWN 64 /* bytes of an answer whose length may not be asked */

static bool checks_json(const struct audit_key *key)
{
	return key->ns->json && !key->ns->index_of && audit_wants(key->audit, AUDIT_JSON);
}

static bool needs_value(const struct audit_key *key)
{
	return key->ns && key->type == NS_STRING &&
	       (checks_json(key) ||
		(key->ns->index_of && audit_wants(key->audit, AUDIT_INDEX_DANGLING)));
}

/* --- types, and whose a sidecar is --- */

static void check_type(struct audit_key *key)
{
	enum ns_type wanted = key->ns->type;

	if (wanted == NS_ANY || key->type < 0 || key->type == (int)wanted ||
	    !audit_wants(key->audit, AUDIT_TYPE))
		return;
	audit_add(key, AUDIT_TYPE)->detail =
	    mem_arena_printf(&key->audit->arena, "%s, not %s",
			     key->type == NS_ANY ? "a module's" : ns_type_names[key->type],
			     ns_type_names[wanted]);
}

/* Only what came with a value outlives it for no reason: f: and n: are of keys that are not
 * there. */
static void on_sidecar(void *ctx, const struct reply *reply)
{
	struct audit_key *key = ctx;

	if (audit_refused(key->audit, reply, "GETRANGE", key->key))
		return;
	if (reply->type == REPLY_STRING && bytes_equal_str(reply->text, "v"))
		audit_suspect(key, AUDIT_SIDECAR_ORPHAN)->finding.other = key->subject;
}

static int check_types(struct audit *audit, struct err *err)
{
	for (size_t i = 0; i < audit->count; i++) {
		struct audit_key *key = &audit->keys[i];
		const struct bytes first[] = {BYTES("GETRANGE"), key->key, BYTES("0"),
					      BYTES("0")};

		if (key->ns)
			check_type(key);
		else if (key->subject.ptr &&
			 audit_ask(audit, first, 4, 0, on_sidecar, key, err) != 0)
			return -1;
	}
	return audit_drain(audit, err);
}

static void on_length(void *ctx, const struct reply *reply)
{
	struct audit_key *key = ctx;

	if (reply->type == REPLY_INTEGER)
		key->length = reply->integer;
	else
		audit_refused(key->audit, reply, "STRLEN", key->key);
}

static void on_members(void *ctx, const struct reply *reply)
{
	struct audit_key *key = ctx;

	if (reply->type == REPLY_INTEGER) /* else a page tells */
		key->length = reply->integer;
}

static bool needs_members(const struct audit_key *key)
{
	return key->ns && key->ns->members_of && key->type == NS_SET &&
	       audit_wants(key->audit, AUDIT_MEMBER_DANGLING) &&
	       relation_is_known(key->ns, key->ns->members_of, key->ns->member);
}

/* Sizes come first: answers that are too large are never asked for. */
static int ask_lengths(struct audit *audit, struct err *err)
{
	for (size_t i = 0; i < audit->count; i++) {
		struct audit_key *key = &audit->keys[i];
		const struct bytes length[] = {BYTES("STRLEN"), key->key};
		const struct bytes members[] = {BYTES("SCARD"), key->key};

		if (needs_value(key) &&
		    audit_ask(audit, length, 2, 0, on_length, key, err) != 0)
			return -1;
		if (needs_members(key) &&
		    audit_ask(audit, members, 2, 0, on_members, key, err) != 0)
			return -1;
	}
	return audit_drain(audit, err);
}

/* --- JSON --- */

static void check_json(struct audit_key *key, struct bytes stored)
{
	struct audit *audit = key->audit;
	enum codec_kind codec = codec_detect(stored);
	struct json_error problem = {0};
	struct bytes value = stored;
	struct err err = {0};

	buf_clear(&audit->scratch);
	if (codec != CODEC_NONE &&
	    codec_expand(codec, stored, EXPANDED_MAX, &audit->scratch, &err) != 0) {
		if (audit_wants(audit, AUDIT_PACKED))
			audit_add(key, AUDIT_PACKED)->detail =
			    mem_arena_printf(&audit->arena, "%s", err.text);
		return;
	}
	if (codec != CODEC_NONE)
		value = buf_bytes(&audit->scratch);
	if (json_check(value, JSON_STRICT, JSON_DEPTH_DATA, &problem) == 0)
		return;
	const char *format = serial_name(value);
	audit_add(key, AUDIT_JSON)->detail =
	    format ? format
		   : mem_arena_printf(&audit->arena, "byte %zu: %s", problem.offset + 1,
				      problem.what);
}

/* --- relations --- */

/* The key of target with key's vars and name = value, in the arena; empty when none can be
 * made (err says why). */
static struct bytes follow(const struct audit_key *key, const struct ns *target,
			   const char *name, struct bytes value, struct err *err)
{
	struct audit *audit = key->audit;
	struct bytes made = {NULL, 0};
	struct buf buf = {0};

	if (relation_follow(audit->options->set, key->ns, key->vars, target, name, value, &buf,
			    err) == 0)
		made = mem_arena_bytes(&audit->arena, buf_bytes(&buf));
	buf_release(&buf);
	return made;
}

static void check_index(struct audit_key *key, struct bytes value)
{
	const struct ns *ns = key->ns;
	struct audit *audit = key->audit;
	struct err err = {0};

	if (!relation_is_known(key->ns, ns->index_of, ns->holds))
		return;
	struct bytes other = follow(key, ns->index_of, ns->holds, value, &err);
	if (!other.len) {
		if (audit_wants(audit, AUDIT_INDEX_VALUE))
			audit_add(key, AUDIT_INDEX_VALUE)->detail =
			    mem_arena_printf(&audit->arena, "%s", err.text);
		return;
	}
	struct audit_suspicion *suspicion = audit_suspect(key, AUDIT_INDEX_DANGLING);
	suspicion->finding.other = other;
	suspicion->finding.member = mem_arena_bytes(&audit->arena, value);
}

static void on_value(void *ctx, const struct reply *reply)
{
	struct audit_key *key = ctx;

	if (reply->type != REPLY_STRING)
		audit_refused(key->audit, reply, "GET", key->key);
	else if (key->ns->index_of)
		check_index(key, reply->text);
	else
		check_json(key, reply->text);
}

static int ask_value(struct audit_key *key, struct err *err)
{
	const struct bytes argv[] = {BYTES("GET"), key->key};
	struct audit *audit = key->audit;

	if (key->length > 0 && (uint64_t)key->length > audit->options->max_value) {
		audit->result->unread++;
		return 0;
	}
	return audit_ask(audit, argv, 2, key->length < 0 ? STRLEN_UNKNOWN : (size_t)key->length,
			 on_value, key, err);
}

/* Each set that should have the key among its members. */
static void expect_member(struct audit_key *key)
{
	const struct nsset *set = key->audit->options->set;

	for (size_t i = 0; i < nsset_count(set); i++) {
		const struct ns *ns = nsset_at(set, i);
		int member = ns->members_of == key->ns
				 ? template_var_index(key->ns->key, bytes_of(ns->member))
				 : -1;

		if (member < 0 || !relation_is_known(key->ns, ns, ns->member))
			continue;
		struct err ignored = {0};
		struct bytes other = follow(key, ns, ns->member, key->vars[member], &ignored);
		if (!other.len)
			continue;
		struct audit_suspicion *suspicion = audit_suspect(key, AUDIT_MEMBER_MISSING);
		suspicion->finding.other = other;
		suspicion->finding.member = key->vars[member];
	}
}

int audit_check_values(struct audit *audit, struct err *err)
{
	if (check_types(audit, err) != 0 || ask_lengths(audit, err) != 0)
		return -1;
	for (size_t i = 0; i < audit->count; i++) {
		struct audit_key *key = &audit->keys[i];

		if (needs_value(key) && ask_value(key, err) != 0)
			return -1;
		if (key->ns && audit_wants(audit, AUDIT_MEMBER_MISSING))
			expect_member(key);
	}
	return audit_drain(audit, err);
}

/* --- the members of sets --- */

static void suspect_member(struct audit_key *key, struct bytes member)
{
	struct audit *audit = key->audit;
	const struct ns *ns = key->ns;
	struct err err = {0};
	struct bytes other = follow(key, ns->members_of, ns->member, member, &err);

	member = mem_arena_bytes(&audit->arena, member);
	if (!other.len) {
		struct audit_finding *finding = audit_add(key, AUDIT_MEMBER_VALUE);

		finding->member = member;
		finding->detail = mem_arena_printf(&audit->arena, "%s", err.text);
		return;
	}
	struct audit_suspicion *suspicion = audit_suspect(key, AUDIT_MEMBER_DANGLING);
	suspicion->finding.other = other;
	suspicion->finding.member = member;
}

/* A set whose pages are read. */
struct reading {
	struct audit_key *key;
	char cursor[24];
	bool done;
};

static void on_page(void *ctx, const struct reply *reply)
{
	struct reading *reading = ctx;
	struct audit_key *key = reading->key;

	bool usable =
	    reply->type == REPLY_ARRAY && reply->count == 2 && reply->items[0]->text.len < 24;
	if (!usable)
		audit_refused(key->audit, reply, "SSCAN", key->key);
	for (size_t i = 0; usable && i < reply->items[1]->count; i++)
		suspect_member(key, reply->items[1]->items[i]->text);
	memcpy(reading->cursor, "0", 2);
	if (usable) {
		memcpy(reading->cursor, reply->items[0]->text.ptr, reply->items[0]->text.len);
		reading->cursor[reply->items[0]->text.len] = '\0';
	}
	reading->done = strcmp(reading->cursor, "0") == 0;
}

/* Of its next page. */
static size_t members_of_page(const struct audit_key *key)
{
	return key->length >= 0 && key->length < PAGE_MEMBERS ? (size_t)key->length
							      : PAGE_MEMBERS;
}

/* The next page of each; *ret_left: how many have more. */
static int check_pages(struct audit *audit, struct reading *readings, size_t count,
		       size_t *ret_left, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct bytes argv[] = {BYTES("SSCAN"), readings[i].key->key,
					     bytes_of(readings[i].cursor), BYTES("COUNT"),
					     BYTES("256")};

		size_t expect = members_of_page(readings[i].key) * MEMBER_BYTES;

		if (!readings[i].done &&
		    audit_ask(audit, argv, 5, expect, on_page, &readings[i], err) != 0)
			return -1;
	}
	if (audit_drain(audit, err) != 0 || audit_confirm(audit, err) != 0)
		return -1;
	*ret_left = 0;
	for (size_t i = 0; i < count; i++)
		*ret_left += !readings[i].done;
	return audit_emit(audit, err);
}

static int check_sets(struct audit *audit, struct reading *readings, size_t count,
		      struct err *err)
{
	struct mem_arena keys = audit->arena;
	size_t left = count;
	int status = 0;

	/* sets may be longer than memory: what a page brings goes with it */
	audit->arena = (struct mem_arena){0};
	while (left > 0 && status == 0) {
		status = check_pages(audit, readings, count, &left, err);
		mem_arena_clear(&audit->arena);
	}
	mem_arena_release(&audit->arena);
	audit->arena = keys;
	return status;
}

int audit_check_sets(struct audit *audit, struct err *err)
{
	struct reading *readings = mem_zalloc(SETS_AT_ONCE, sizeof *readings);
	size_t count = 0, members = 0;
	int status = 0;

	for (size_t i = 0; i < audit->count && status == 0; i++) {
		struct audit_key *key = &audit->keys[i];

		if (needs_members(key)) {
			readings[count++] = (struct reading){.key = key, .cursor = "0"};
			members += members_of_page(key);
		}
		bool full = count == SETS_AT_ONCE || members >= MEMBERS_AT_ONCE;
		if (count == 0 || (!full && i + 1 < audit->count))
			continue;
		status = check_sets(audit, readings, count, err);
		count = members = 0;
	}
	free(readings);
	return status;
}
