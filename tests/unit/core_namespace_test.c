#include "check.h"
#include "systems.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"

static struct nsset *set;
static struct template *keys[SYSTEM_ROWS];

static void open_set(void)
{
	struct ns *list = mem_zalloc(SYSTEM_ROWS, sizeof *list);

	for (size_t i = 0; i < SYSTEM_ROWS; i++) {
		struct err err = {0};

		if (template_parse(bytes_of(system_rows[i].key), TEMPLATE_KEY, &keys[i],
				   &err)) {
			printf("Bail out! %s: %s\n", system_rows[i].key, err.text);
			exit(1);
		}
		list[i] =
		    (struct ns){.name = system_rows[i].name, .summary = "", .key = keys[i]};
	}
	set = nsset_new(list, SYSTEM_ROWS);
}

static void close_set(void)
{
	nsset_free(set);
	for (size_t i = 0; i < SYSTEM_ROWS; i++)
		template_free(keys[i]);
}

static size_t vars_of(const char *text, struct var *vars)
{
	size_t count = 0;
	struct bytes rest = bytes_of(text);

	while (rest.len) {
		struct bytes word = bytes_sub(rest, 0, bytes_index(rest, ' '));
		size_t equal = bytes_index(word, '=');

		vars[count++] = (struct var){bytes_sub(word, 0, equal),
					     bytes_sub(word, equal + 1, word.len)};
		rest = bytes_sub(rest, word.len + 1, rest.len);
	}
	return count;
}

static const struct ns *named(const char *name)
{
	return nsset_find(set, bytes_of(name));
}

static void belongs(struct bytes key, const char *want)
{
	const struct ns *ns = nsset_classify(set, key, NULL);

	CHECK_STR(ns ? ns->name : "(none)", want);
}

TEST(every_system_key_goes_both_ways)
{
	for (size_t i = 0; i < SYSTEM_ROWS; i++) {
		const struct system_row *row = &system_rows[i];
		struct var vars[TEMPLATE_VARS_MAX];
		struct bytes values[TEMPLATE_VARS_MAX];
		struct buf key = {0};
		struct buf again = {0};
		struct err err = {0};
		size_t count = vars_of(row->vars, vars);

		CHECK_INT(ns_expand(set, named(row->name), vars, count, &key, &err), 0);
		CHECK_STR(err.text, "");
		CHECK_STR(buf_str(&key), row->example);
		const struct ns *ns = nsset_classify(set, buf_bytes(&key), values);
		CHECK(ns == named(row->name));
		/* what a filter left of a value makes the same key again */
		for (size_t k = 0; k < count; k++)
			vars[k].value = values[k];
		buf_clear(&again);
		CHECK_INT(ns_expand(set, ns, vars, count, &again, &err), 0);
		CHECK_STR(buf_str(&again), row->example);
		buf_release(&key);
		buf_release(&again);
	}
}

TEST(lossy_vars_come_back_filtered)
{
	struct bytes values[TEMPLATE_VARS_MAX];

	CHECK(nsset_classify(set, BYTES("17786528784:b0c1"), values) == named("lead"));
	CHECK_BYTES(values[0], BYTES("17786528784"));
	CHECK_BYTES(values[1], BYTES("b0c1"));
}

TEST(the_most_specific_template_owns_a_key)
{
	belongs(BYTES("bici:sess:l-1"), "lead-session");
	belongs(BYTES("bici:sess:call:s-1"), "call-session");
	belongs(BYTES("bici:sess:call:lead:l-1"), "call-session-by-lead");
	belongs(BYTES("bici:sess:call:conv:c-1"), "call-session-by-conversation");
	belongs(BYTES("bici:sess:call:lead"), "call-session");
	belongs(BYTES("bici:sess:call"), "lead-session");
	belongs(BYTES("bici:sess:human"), "lead-session");
	belongs(BYTES("bici:sess:human:all"), "human-sessions");
	belongs(BYTES("bici:sess:human:all2"), "human-session");
	belongs(BYTES("bici:sess:human:al"), "human-session");
	belongs(BYTES("bici:sess:human:all:x"), "(none)");
	belongs(BYTES("bici:sess:call:lead:a:b"), "(none)");
	belongs(BYTES("bici:sess:other:x"), "(none)");
	belongs(BYTES("17786528784:bici"), "lead");
	belongs(BYTES("+17786528784:bici"), "(none)");
	belongs(BYTES("call:logs:1"), "call-logs");
	belongs(BYTES("call:logs"), "call");
	belongs(BYTES("call:logs:"), "(none)");
	belongs(BYTES("call:"), "(none)");
	belongs(BYTES("campaign_1_contacts"), "campaign-contacts");
	belongs(BYTES("campaign__contacts"), "campaign");
	belongs(BYTES("campaign_contacts"), "campaign");
	belongs(BYTES("campaign_"), "(none)");
	belongs(BYTES("campaign:shard7:507f1f77bcf86cd799439011"), "(none)");
	belongs(BYTES("api:a:b/c"), "api-response");
	belongs(BYTES("active_calls"), "active-calls");
	belongs(BYTES("active_calls:1"), "(none)");
	belongs(BYTES("1:2:3"), "(none)");
	belongs(BYTES(""), "(none)");
	belongs(BYTES("message:a\0b"), "message");
	belongs(BYTES("\xFF\xFE"), "(none)");
}

static void refuses(const char *name, const char *var, struct bytes value, const char *want)
{
	struct var vars[2] = {{bytes_of(var), value}, {BYTES("organizationId"), BYTES("o")}};
	struct buf key = {0};
	struct err err = {0};

	CHECK_INT(ns_expand(set, named(name), vars, 2, &key, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_STR(err.text, want);
	CHECK_INT(key.len, 0);
	buf_release(&key);
}

TEST(expansions_are_checked_by_reading_back)
{
	refuses("call", "callId", BYTES("logs:507f"),
		"call: the key 'call:logs:507f' belongs to namespace call-logs");
	refuses(
	    "lead-session", "leadId", BYTES("human:all"),
	    "lead-session: the key 'bici:sess:human:all' belongs to namespace human-sessions");
	refuses(
	    "human-session", "leadId", BYTES("all"),
	    "human-session: the key 'bici:sess:human:all' belongs to namespace human-sessions");
	refuses(
	    "campaign", "campaignId", BYTES("x_contacts"),
	    "campaign: the key 'campaign_x_contacts' belongs to namespace campaign-contacts");
	refuses("call-logs", "subaccountId", BYTES("a:b"),
		"call-logs: subaccountId 'a:b' may not hold a ':'");
	refuses("message", "message_id", BYTES(""), "message: message_id is empty");
	refuses("message", "message_id", BYTES("a\0b"), "message: message_id holds a NUL byte");
	refuses("message", "id", BYTES("x"), "message: message_id is missing");
	refuses("lead", "phone", BYTES("none"), "lead: phone is empty behind its filter");
	refuses("campaign-shard", "campaignId", BYTES("xyz"),
		"campaign-shard: campaignId: 'xyz' is not a hexadecimal number");
}

TEST(hostile_ids_stay_in_their_namespace)
{
	static const struct bytes ids[] = {
	    BYTES(".."),  BYTES("a/b"),    BYTES("*"),       BYTES("{"),
	    BYTES("}"),   BYTES("a\nb"),   BYTES("\x1B[2J"), BYTES("\xFF"),
	    BYTES("{x}"), BYTES("%2e%2e"), BYTES("$(id)"),   BYTES(" "),
	};
	struct bytes values[TEMPLATE_VARS_MAX];

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct var var = {BYTES("message_id"), ids[i]};
		struct buf key = {0};
		struct err err = {0};

		CHECK_INT(ns_expand(set, named("message"), &var, 1, &key, &err), 0);
		CHECK(nsset_classify(set, buf_bytes(&key), values) == named("message"));
		CHECK_BYTES(values[0], ids[i]);
		buf_release(&key);
	}
}

TEST(long_ids)
{
	char *big = mem_alloc(10240);
	struct var var = {BYTES("message_id"), {big, 10240}};
	struct bytes values[TEMPLATE_VARS_MAX];
	struct buf key = {0};
	struct err err = {0};

	memset(big, 'x', 10240);
	CHECK_INT(ns_expand(set, named("message"), &var, 1, &key, &err), 0);
	CHECK(nsset_classify(set, buf_bytes(&key), values) == named("message"));
	CHECK_INT(values[0].len, 10240);
	buf_release(&key);
	free(big);
}

static void words_give(const char *name, const char *text, bool partial, const char *want)
{
	struct bytes words[8];
	struct var vars[TEMPLATE_VARS_MAX];
	struct buf got = {0};
	struct err err = {0};
	size_t count = 0;
	size_t var_count = 0;

	for (struct bytes rest = bytes_of(text); rest.len; count++) {
		words[count] = bytes_sub(rest, 0, bytes_index(rest, ' '));
		rest = bytes_sub(rest, words[count].len + 1, rest.len);
	}
	if (ns_parse_vars(named(name), words, count, partial, vars, &var_count, &err))
		buf_add_str(&got, err.text);
	for (size_t i = 0; i < var_count; i++)
		buf_printf(&got, "%.*s=%.*s;", BYTES_ARG(vars[i].name),
			   BYTES_ARG(vars[i].value));
	CHECK_STR(buf_str(&got), want);
	buf_release(&got);
}

TEST(words_become_vars)
{
	words_give("lead-conversations", "l-1 10", false, "leadId=l-1;limit=10;");
	words_give("lead-conversations", "limit=10 l-1", false, "limit=10;leadId=l-1;");
	words_give("lead-conversations", "10 leadId=l-1", false, "limit=10;leadId=l-1;");
	words_give("lead-conversations", "leadId=l-1", true, "leadId=l-1;");
	words_give(
	    "lead-conversations", "l-1", false,
	    "lead-conversations: limit is missing: its key is bici:conv:{leadId}:{limit}");
	words_give(
	    "lead-conversations", "1 2 3", false,
	    "lead-conversations: '3' is too much: its key is bici:conv:{leadId}:{limit}");
	words_give("lead-conversations", "leadId=1 leadId=2", false,
		   "lead-conversations: leadId is given twice");
	words_give("lead-conversations", "leadId= 2", false,
		   "lead-conversations: leadId is empty");
	words_give("lead-conversations", "leadid=1 2", false,
		   "lead-conversations: unknown variable 'leadid'; did you mean 'leadId'?");
	words_give("api-response", "calls?page=2", false, "path=calls?page=2;");
	words_give("active-calls", "", false, "");
	words_give("active-calls", "x", false,
		   "active-calls has no variables; 'x' is too much");
}

TEST(unknown_namespaces_get_a_hint)
{
	const struct ns *ns = NULL;
	struct err err = {0};

	CHECK_INT(nsset_need(set, BYTES("call-logs"), &ns, &err), 0);
	CHECK(ns == named("call-logs"));
	CHECK_INT(nsset_need(set, BYTES("cal-logs"), &ns, &err), -1);
	CHECK_STR(err.text, "unknown namespace 'cal-logs'; did you mean 'call-logs'?");
	CHECK_INT(nsset_need(set, BYTES("call:1"), &ns, &err), -1);
	CHECK_STR(err.text, "'call:1' is a key of 'call': say the namespace and its ids");
	CHECK_INT(nsset_need_or_key(set, BYTES("call:logs:507f"), &ns, &err), -1);
	CHECK_STR(err.text, "'call:logs:507f' is a key of 'call-logs': say --key, or the "
			    "namespace and its ids");
	CHECK_INT(nsset_need(set, BYTES("zzzzzzzzzz"), &ns, &err), -1);
	CHECK_STR(
	    err.text,
	    "unknown namespace 'zzzzzzzzzz' ('ccache config names' lists the 28 known ones)");
	CHECK_INT(err.kind, ERR_USAGE);
}

TEST(ttl_limits)
{
	struct ns ns = {.ttl_kind = NS_TTL_FIXED, .ttl_ms = 300000};
	struct bytes day = BYTES("2025-03-26");
	struct bytes no_day = BYTES("soon");
	uint64_t noon = UINT64_C(1742990400000); /* 2025-03-26T12:00:00Z */

	CHECK_INT(ns_ttl_limit_ms(&ns, NULL, noon), 300000);
	ns.ttl_kind = NS_TTL_CACHE_CONTROL;
	CHECK_INT(ns_ttl_limit_ms(&ns, NULL, noon), 0);
	ns = (struct ns){.ttl_kind = NS_TTL_DAY, .ttl_ms = 48 * 3600000};
	CHECK_INT(ns_ttl_limit_ms(&ns, &day, noon), 60 * 3600000);
	CHECK_INT(ns_ttl_limit_ms(&ns, &day, noon + UINT64_C(100) * 3600000), 1);
	CHECK_INT(ns_ttl_limit_ms(&ns, &no_day, noon), 0);
}

TEST(own_keys_are_known)
{
	CHECK(ns_is_own_key(BYTES("cc:m:{call:1}6:call:1")));
	CHECK(ns_is_own_key(BYTES("cc:c:hits")));
	CHECK(ns_is_own_key(BYTES("cc:l:warm")));
	CHECK(ns_is_own_key(BYTES("cc:bench:7:1")));
	CHECK(!ns_is_own_key(BYTES("cc:x:1")));
	CHECK(!ns_is_own_key(BYTES("cc:bench")));
	CHECK(!ns_is_own_key(BYTES("call:1")));
}

TEST(an_empty_set_knows_nothing)
{
	struct nsset *empty = nsset_new(mem_zalloc(0, sizeof(struct ns)), 0);

	CHECK(nsset_classify(empty, BYTES("x"), NULL) == NULL);
	CHECK(nsset_find(empty, BYTES("x")) == NULL);
	nsset_free(empty);
}

int main(void)
{
	open_set();
	RUN(every_system_key_goes_both_ways);
	RUN(lossy_vars_come_back_filtered);
	RUN(the_most_specific_template_owns_a_key);
	RUN(expansions_are_checked_by_reading_back);
	RUN(hostile_ids_stay_in_their_namespace);
	RUN(long_ids);
	RUN(words_become_vars);
	RUN(unknown_namespaces_get_a_hint);
	RUN(ttl_limits);
	RUN(own_keys_are_known);
	RUN(an_empty_set_knows_nothing);
	close_set();
	CHECK_DONE();
}
