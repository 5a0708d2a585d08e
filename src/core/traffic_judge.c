#include "core/traffic_private.h"

#include "core/effect.h"
#include "core/namespace.h"

/*
 * The server looks at its clock once a command, MONITOR's stamps are a little
 * later, and a life is given in whole ms: so near its end nobody can tell.
 */
#define LIFE_SLACK_MS 5

static uint64_t hash_of(struct bytes text)
{
	uint64_t hash = bytes_hash(text);

	return hash ? hash : 1;
}

static struct traffic_figures *figures_of(struct traffic_judge *judge, struct bytes key,
					  uint32_t *ret_ns)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	const struct ns *ns = nsset_classify(judge->set, key, values);

	*ret_ns = (uint32_t)(ns ? ns->index : judge->traffic->count - 1);
	return &judge->traffic->figures[*ret_ns];
}

/* --- reads --- */

static void learn_outcome(struct traffic_judge *judge, struct traffic_key *key, bool hit,
			  uint64_t reads)
{
	struct traffic_figures *figures = &judge->traffic->figures[key->ns];

	if (!hit) {
		figures->misses += reads;
	} else {
		figures->hits += reads;
		if (key->value_len) {
			figures->sized_hits += reads;
			figures->sized_bytes += reads * (key->value_len - 1);
		}
	}
	key->last_hit = hit;
}

/* True when what is known of the key decides the read. */
static bool decide(struct traffic_judge *judge, struct traffic_key *key, uint64_t time_us)
{
	int64_t now_ms = (int64_t)(time_us / 1000);

	if (key->state == KEY_UNKNOWN)
		return false;
	if (key->state == KEY_PRESENT && key->expires_ms >= 0) {
		if (now_ms > key->expires_ms + LIFE_SLACK_MS) {
			key->state = KEY_ABSENT;
		} else if (now_ms + LIFE_SLACK_MS >= key->expires_ms) {
			key->state = KEY_UNKNOWN;
			key->last_hit = 2;
			judge->traffic->figures[key->ns].uncertain++;
			return true;
		}
	}
	learn_outcome(judge, key, key->state == KEY_PRESENT, 1);
	return true;
}

/* Asks; when there is no room to ask, fewer keys are followed from now on. */
static void ask(struct traffic_judge *judge, struct traffic_key *key, struct bytes name)
{
	if (key->probed)
		return;
	if (judge->probe(judge->ctx, key->hash, name))
		key->probed = true;
	else
		traffic_keys_halve(&judge->keys);
}

static void on_read(struct traffic_judge *judge, const struct effect *effect,
		    const struct monitor_command *command, uint64_t client, struct bytes name)
{
	uint64_t hash = hash_of(name);
	uint32_t ns = 0;
	struct traffic_figures *figures = figures_of(judge, name, &ns);

	figures->reads++;
	topk_add(&figures->hot, name);
	if (!traffic_keys_follows(&judge->keys, hash))
		return;
	struct traffic_key *key = traffic_keys_make(&judge->keys, hash);
	if (!key)
		return;
	figures->keys += !key->read;
	key->read = true;
	key->ns = ns;
	key->reader = client;
	bool decided = decide(judge, key, command->time_us);
	if (!decided && effect->kind == EFFECT_GONE) {
		figures->ambiguous++; /* GETDEL: a question that comes later learns nothing */
	} else if (!decided) {
		if (key->waiting++ == 0)
			key->waiting_us = command->time_us;
		key->last_hit = 2;
	}
	if ((effect->flags & EFFECT_TEXT) && !key->sized && key->state == KEY_PRESENT) {
		key->sized = true;
		judge->measure(judge->ctx, hash, name);
	}
	if (!decided && effect->kind != EFFECT_GONE)
		ask(judge, key, name);
}

/* --- writes --- */

/* The reads that a write left without an answer. */
static void overtake(struct traffic_judge *judge, struct traffic_key *key, bool is_fill)
{
	struct traffic_figures *figures = &judge->traffic->figures[key->ns];

	if (is_fill)
		figures->fills += key->waiting;
	else
		figures->ambiguous += key->waiting;
	key->waiting = 0;
}

static void change(struct traffic_key *key, const struct effect *effect,
		   const struct monitor_command *command)
{
	long long life = LIFE_UNKNOWN;

	switch (effect->kind) {
	case EFFECT_FRESH:
		key->value_len = 0;
		key->sized = false;
		key->state = KEY_UNKNOWN;
		if (!command->cut && effect_life(effect, command->argv, command->argc,
						 (long long)(command->time_us / 1000), &life)) {
			key->state = KEY_PRESENT;
			key->expires_ms = life;
		}
		break;
	case EFFECT_EXISTS:
		key->value_len = 0;
		key->sized = false;
		if (key->state == KEY_ABSENT) {
			key->state = KEY_PRESENT;
			key->expires_ms = LIFE_NONE;
		}
		break;
	case EFFECT_GONE:
		key->state = KEY_ABSENT;
		break;
	case EFFECT_LIFE:
		if (key->state == KEY_PRESENT)
			key->state = KEY_UNKNOWN;
		break;
	default:
		key->state = KEY_UNKNOWN;
		break;
	}
}

static void on_change(struct traffic_judge *judge, const struct effect *effect,
		      const struct monitor_command *command, uint64_t client, struct bytes name)
{
	uint64_t hash = hash_of(name);
	uint32_t ns = 0;
	struct traffic_figures *figures = figures_of(judge, name, &ns);
	bool makes = effect->kind == EFFECT_FRESH || effect->kind == EFFECT_EXISTS ||
		     effect->kind == EFFECT_MAYBE;

	figures->writes += !judge->closed && (effect->flags & EFFECT_WRITE);
	figures->deletes += !judge->closed && (effect->flags & EFFECT_DELETE);
	struct traffic_key *key = traffic_keys_find(&judge->keys, hash);
	if (!key)
		return;
	if (effect->kind != EFFECT_LIFE) {
		bool is_fill = makes && key->reader == client;

		if (key->waiting)
			overtake(judge, key, is_fill);
		else if (is_fill && key->last_hit == 1)
			figures->fill_after_hit++;
		else if (is_fill && key->last_hit == 0)
			figures->fill_after_miss++;
		key->reader = 0;
	}
	change(key, effect, command);
}

/* --- commands --- */

static void count_caller(struct traffic_judge *judge, const struct monitor_command *command,
			 struct bytes key)
{
	uint32_t ns = 0;
	struct traffic_figures *figures = figures_of(judge, key, &ns);
	struct buf upper = {0};

	for (size_t i = 0; i < command->argv[0].len; i++) {
		char c = command->argv[0].ptr[i];

		buf_add_char(&upper, (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
	}
	topk_add(&figures->commands, buf_bytes(&upper));
	buf_release(&upper);
	topk_add(&figures->clients, bytes_equal_str(command->client, "lua")
					? buf_bytes(&judge->script_name)
					: command->client);
}

/* A command that this program does not know: what it does to its first argument is unknown. */
static const struct effect unknown = {"", EFFECT_MAYBE, 0, 1, 1, 1};

static void on_keys(struct traffic_judge *judge, const struct effect *effect,
		    const struct monitor_command *command, uint64_t client)
{
	size_t last = effect->last < 0 ? command->argc - 1 : (size_t)effect->last;
	bool counted = false;

	for (size_t i = (size_t)effect->first; i <= last && i < command->argc;
	     i += (size_t)effect->step) {
		struct bytes key = command->argv[i];

		if (ns_is_own_key(key))
			continue;
		if (!counted && !judge->closed && effect != &unknown)
			count_caller(judge, command, key);
		counted = true;
		if ((effect->flags & EFFECT_READ) && !judge->closed)
			on_read(judge, effect, command, client, key);
		if (effect->kind != EFFECT_NONE)
			on_change(judge, effect, command, client, key);
	}
}

void traffic_judge_command(struct traffic_judge *judge, const struct monitor_command *command)
{
	const struct effect *effect = effect_find(command->argv[0]);
	bool is_script = bytes_equal_str(command->client, "lua");
	uint64_t client = is_script ? judge->script_client : hash_of(command->client);

	if (command->db != judge->db && !(effect && effect->kind == EFFECT_ALL)) {
		judge->traffic->other_dbs++;
		return;
	}
	if (!effect)
		effect = &unknown;
	if (effect->kind == EFFECT_SCRIPT) {
		judge->script_client = client;
		buf_clear(&judge->script_name);
		buf_add(&judge->script_name, command->client);
	} else if (effect->kind == EFFECT_ALL) {
		traffic_keys_doubt(&judge->keys);
	} else if (effect->first > 0) {
		on_keys(judge, effect, command, client);
	}
}

/* --- answers --- */

/* Gone now: whether it was there at the read, only a life that ended in between puts in doubt.
 */
static bool may_have_expired(const struct traffic_key *key, const struct traffic_answer *answer)
{
	int64_t from = (int64_t)(key->waiting_us / 1000) - LIFE_SLACK_MS;
	int64_t to = (int64_t)(answer->time_us / 1000) + LIFE_SLACK_MS;

	return key->expires_ms >= from && key->expires_ms <= to;
}

void traffic_judge_answer(struct traffic_judge *judge, uint64_t hash,
			  const struct traffic_answer *answer)
{
	struct traffic_key *key = traffic_keys_find(&judge->keys, hash);

	if (!key)
		return;
	key->probed = false;
	if (answer->failed ||
	    (!answer->present && key->waiting && may_have_expired(key, answer))) {
		judge->traffic->figures[key->ns].uncertain += key->waiting;
		key->last_hit = 2;
	} else if (key->waiting) {
		learn_outcome(judge, key, answer->present, key->waiting);
	}
	key->waiting = 0;
	if (answer->failed)
		return;
	key->state = answer->present ? KEY_PRESENT : KEY_ABSENT;
	if (answer->present)
		key->expires_ms = answer->expires_ms;
	if (answer->present && answer->expires_ms == LIFE_UNKNOWN)
		key->state = KEY_UNKNOWN;
}

void traffic_judge_size(struct traffic_judge *judge, uint64_t hash, uint64_t len)
{
	struct traffic_key *key = traffic_keys_find(&judge->keys, hash);

	if (key && len < UINT32_MAX)
		key->value_len = (uint32_t)len + 1;
}

void traffic_judge_event(struct traffic_judge *judge, struct bytes name, bool evicted)
{
	uint32_t ns = 0;

	if (ns_is_own_key(name))
		return;
	struct traffic_figures *figures = figures_of(judge, name, &ns);
	figures->expired += !evicted;
	figures->evicted += evicted;
	struct traffic_key *key = traffic_keys_find(&judge->keys, hash_of(name));
	if (!key)
		return;
	figures->uncertain += key->waiting; /* before or after the read? */
	key->waiting = 0;
	key->state = KEY_UNKNOWN;
}

void traffic_judge_end(struct traffic_judge *judge)
{
	for (size_t i = 0; i < judge->keys.size; i++) {
		struct traffic_key *key = &judge->keys.slots[i];

		if (key->hash)
			judge->traffic->figures[key->ns].uncertain += key->waiting;
	}
}
