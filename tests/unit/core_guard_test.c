#include "check.h"
#include "client.h"

#include "core/guard.h"
#include "core/sidecar.h"
#include "wire/slot.h"

/* Sidecars and guarded writes, against a real server. */
static struct server server;
static struct client client;
static struct guard *guard;

static struct buf asked; /* the last text that ask got */

static int64_t ask_argv(const struct bytes *argv, size_t argc)
{
	const struct reply *reply = NULL;

	CHECK_INT(redis_call(client.redis, argv, argc, 0, &reply, &client.err), 0);
	buf_clear(&asked);
	if (reply)
		buf_add(&asked, reply->text);
	return reply && reply->type == REPLY_INTEGER ? reply->integer : -100;
}

static int64_t ask(const char *command, struct bytes key)
{
	const struct bytes argv[] = {bytes_of(command), key};

	return ask_argv(argv, 2);
}

static void set(struct bytes key, struct bytes value)
{
	const struct bytes argv[] = {BYTES("SET"), key, value};

	ask_argv(argv, 3);
}

static int64_t server_slot(struct bytes key)
{
	const struct bytes argv[] = {BYTES("CLUSTER"), BYTES("KEYSLOT"), key};

	return ask_argv(argv, 3);
}

/* Where the server has key, its companions are, and the key comes back out of the name. */
static bool shares_slot(struct bytes key)
{
	struct buf name = {0};
	struct buf once = {0};
	struct bytes back = {0};
	int64_t slot = server_slot(key);

	sidecar_name(&name, key);
	sidecar_once_name(&once, key);
	bool shares = slot_of(key) == slot && server_slot(buf_bytes(&name)) == slot &&
		      slot_of(buf_bytes(&name)) == slot &&
		      server_slot(buf_bytes(&once)) == slot &&
		      sidecar_key(buf_bytes(&name), &back) && bytes_equal(back, key);
	buf_release(&name);
	buf_release(&once);
	return shares;
}

TEST(sidecars_share_their_keys_slot)
{
	static const struct bytes keys[] = {
	    BYTES("message:1"),
	    BYTES("a{b}c"),
	    BYTES("{}x"),
	    BYTES("a}b"),
	    BYTES("a{}b{c}"),
	    BYTES("a{{b}}"),
	    BYTES("a{{b}c"),
	    BYTES("{a}{b}"),
	    BYTES("a{b}}"),
	    BYTES("\0x{\0}"),
	    BYTES("\xff\xfe}"),
	    BYTES("cc:m:{a}1:a"),
	    BYTES("{user:1}:\r\n\0"),
	    BYTES("{\xc3\xa9}tude"),
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		CHECK(shares_slot(keys[i]));
}

/* Every key of up to 5 bytes that are braces, NUL or high: 1,365 of them, the empty one first.
 */
TEST(braces_of_every_kind_share_their_keys_slot)
{
	static const char bytes[] = {'{', '}', '\0', '\xff'};

	for (size_t len = 0; len <= 5; len++)
		for (unsigned which = 0; which < 1u << (2 * len); which++) {
			char text[5];

			for (size_t i = 0; i < len; i++)
				text[i] = bytes[which >> (2 * i) & 3];
			if (!shares_slot((struct bytes){text, len})) {
				printf("# of %zu bytes, number %u\n", len, which);
				CHECK(!"shares its slot");
				return;
			}
		}
}

TEST(what_is_no_sidecar_is_not_decoded)
{
	static const char *const names[] = {
	    "",           "message:1",  "cc:m:", "cc:m:{a}", "cc:m:{a}9:a", "cc:m:{a}x:a",
	    "cc:m:{a}1:", "cc:c:{a}1:a"};
	struct bytes key;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		CHECK(!sidecar_key(bytes_of(names[i]), &key));
}

/* --- one step each, its answer heard --- */

static struct bytes the_key;
static struct guard_state state;
static enum guard_outcome outcome;
static int heard;

static void on_state(void *ctx, const struct reply *reply)
{
	heard = guard_read_state(guard, the_key, reply, ctx, &client.err);
}

static void on_outcome(void *ctx, const struct reply *reply)
{
	heard = guard_read_outcome(guard, the_key, reply, ctx, &client.err);
}

static void begin(const char *token, int64_t enough_ms, bool heed_absent)
{
	struct guard_intent intent = {.token = token,
				      .hold_ms = 60000,
				      .enough_ms = enough_ms,
				      .heed_absent = heed_absent};

	CHECK_INT(guard_begin(guard, the_key, &intent, &state, on_state, &state, &client.err),
		  0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard, 0);
}

static enum guard_outcome store(const char *token, struct bytes value, struct bytes etag,
				bool keep_same)
{
	struct guard_value guarded = {.key = the_key,
				      .value = value,
				      .ttl_ms = 100000,
				      .etag = etag,
				      .keep_same = keep_same};

	CHECK_INT(guard_store(guard, &guarded, token, on_outcome, &outcome, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard, 0);
	return outcome;
}

static enum guard_outcome renew(const char *token)
{
	CHECK_INT(guard_renew(guard, the_key, &state, 200000, &(struct guard_past){0}, token,
			      on_outcome, &outcome, &client.err),
		  0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard, 0);
	return outcome;
}

static void drop_sidecar(void)
{
	struct buf name = {0};

	sidecar_name(&name, the_key);
	ask("UNLINK", buf_bytes(&name));
	buf_release(&name);
}

static int64_t sidecar_ttl(void)
{
	struct buf name = {0};

	sidecar_name(&name, the_key);
	int64_t ttl_ms = ask("PTTL", buf_bytes(&name));
	buf_release(&name);
	return ttl_ms;
}

TEST(a_fetch_that_nobody_disturbed_stores)
{
	the_key = BYTES("k:stored");
	begin("token-0000000001", -1, false);
	CHECK(state.begun && state.ttl_ms == -2 && state.etag.len == 0);
	CHECK(sidecar_ttl() > 0);
	CHECK_INT(
	    store("token-0000000001", BYTES("v\0\r\n\xff"), (struct bytes){NULL, 0}, false),
	    GUARD_STORED);
	ask("GET", the_key);
	CHECK_BYTES(buf_bytes(&asked), BYTES("v\0\r\n\xff"));
	int64_t ttl_ms = ask("PTTL", the_key);
	CHECK(ttl_ms > 90000 && ttl_ms <= 100000);
	CHECK_INT(sidecar_ttl(), -2); /* nothing to keep without an ETag */
}

TEST(an_invalidation_in_between_wins)
{
	the_key = BYTES("k:fenced");
	begin("token-0000000002", -1, false);
	drop_sidecar();
	CHECK_INT(store("token-0000000002", BYTES("old"), (struct bytes){NULL, 0}, false),
		  GUARD_OVERTAKEN);
	CHECK_INT(ask("EXISTS", the_key), 0);
}

TEST(a_later_fetch_wins)
{
	the_key = BYTES("k:later");
	begin("token-000000000a", -1, false);
	begin("token-000000000b", -1, false);
	CHECK_INT(store("token-000000000a", BYTES("first"), (struct bytes){NULL, 0}, false),
		  GUARD_OVERTAKEN);
	CHECK_INT(store("token-000000000b", BYTES("second"), (struct bytes){NULL, 0}, false),
		  GUARD_STORED);
	ask("GET", the_key);
	CHECK_BYTES(buf_bytes(&asked), BYTES("second"));
}

TEST(an_etag_renews_only_what_was_stored_with_it)
{
	the_key = BYTES("k:etag");
	begin("token-0000000003", -1, false);
	CHECK_INT(store("token-0000000003", BYTES("body"), BYTES("\"e1\""), false),
		  GUARD_STORED);
	begin("token-0000000004", -1, false);
	CHECK_BYTES(state.etag, BYTES("\"e1\""));
	CHECK_INT(renew("token-0000000004"), GUARD_RENEWED);
	CHECK(ask("PTTL", the_key) > 150000);

	begin("token-0000000005", -1, false);
	CHECK_BYTES(state.etag, BYTES("\"e1\"")); /* it outlives the renewal */
	set(the_key, BYTES("an application wrote this"));
	CHECK_INT(renew("token-0000000005"), GUARD_CHANGED);
	CHECK_INT(ask("PTTL", the_key), -1);
}

TEST(the_same_bytes_are_not_rewritten)
{
	the_key = BYTES("k:same");
	set(the_key, BYTES("same"));
	begin("token-0000000006", -1, false);
	CHECK_INT(state.ttl_ms, -1);
	CHECK_INT(store("token-0000000006", BYTES("same"), (struct bytes){NULL, 0}, true),
		  GUARD_RENEWED);
	CHECK(ask("PTTL", the_key) > 90000);
	begin("token-0000000007", -1, false);
	CHECK_INT(store("token-0000000007", BYTES("other"), (struct bytes){NULL, 0}, true),
		  GUARD_STORED);
}

TEST(a_key_that_lives_long_enough_is_left_alone)
{
	the_key = BYTES("k:fresh");
	begin("token-0000000008", 0, false);
	CHECK(state.begun);
	store("token-0000000008", BYTES("v"), (struct bytes){NULL, 0}, false);
	begin("token-0000000009", 0, false); /* --if missing */
	CHECK(!state.begun);
	begin("token-0000000009", 50000, false); /* --expiring 50s */
	CHECK(!state.begun);
	begin("token-0000000009", 150000, false);
	CHECK(state.begun);
}

TEST(nothing_there_is_noted_beside_the_key)
{
	the_key = BYTES("k:absent");
	begin("token-0000000010", -1, true);
	CHECK_INT(guard_end(guard, the_key, 30000, "token-0000000010", NULL, NULL, &client.err),
		  0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	begin("token-0000000011", -1, true);
	CHECK(!state.begun && state.absent);
	CHECK_INT(ask("EXISTS", the_key), 0);
	begin("token-0000000012", -1, false);
	CHECK(state.begun);
	CHECK_INT(guard_end(guard, the_key, 0, "token-0000000012", NULL, NULL, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(sidecar_ttl(), -2);
}

TEST(scripts_that_the_server_forgot_are_loaded_again)
{
	const struct bytes flush[] = {BYTES("SCRIPT"), BYTES("FLUSH")};

	the_key = BYTES("k:forgot");
	begin("token-0000000013", -1, false); /* needs none */
	CHECK(state.begun);
	ask_argv(flush, 2);
	CHECK_INT(
	    guard_end(guard, the_key, 0, "token-0000000013", on_outcome, &outcome, &client.err),
	    0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard, -1);
	CHECK_INT(guard_reload(guard, &client.err), 0);
	CHECK_INT(store("token-0000000013", BYTES("v"), (struct bytes){0}, false),
		  GUARD_STORED);
}

/* The same where scripts are forbidden: by watched transactions. */
static void forbid_scripts(void)
{
	const struct bytes user[] = {BYTES("ACL"),   BYTES("SETUSER"),    BYTES("plain"),
				     BYTES("on"),    BYTES("nopass"),     BYTES("~*"),
				     BYTES("+@all"), BYTES("-@scripting")};
	const struct bytes login[] = {BYTES("AUTH"), BYTES("plain"), BYTES("any")};
	const struct bytes flush[] = {BYTES("FLUSHALL")};
	const struct reply *reply = NULL;

	CHECK_INT(redis_call(client.redis, user, 8, 0, &reply, &client.err), 0);
	CHECK_INT(reply->type, REPLY_STATUS);
	CHECK_INT(redis_call(client.redis, login, 3, 0, &reply, &client.err), 0);
	CHECK_INT(reply->type, REPLY_STATUS);
	ask_argv(flush, 1);
}

TEST(a_transaction_that_meets_a_write_looks_again)
{
	const struct bytes write[] = {BYTES("APPEND"), BYTES("k:race"), BYTES("theirs")};
	struct guard_value guarded = {
	    .key = BYTES("k:race"), .value = BYTES("ours"), .ttl_ms = 1000000};

	the_key = BYTES("k:race");
	begin("token-0000000021", -1, false);
	/* WATCH and GET are on their way; this write comes behind them and before MULTI */
	CHECK_INT(
	    guard_store(guard, &guarded, "token-0000000021", on_outcome, &outcome, &client.err),
	    0);
	const struct redis_command command = {.argv = write, .argc = 3};
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard, 0);
	CHECK_INT(outcome, GUARD_STORED);
	ask("GET", the_key);
	CHECK_BYTES(buf_bytes(&asked), BYTES("ours"));
}

TEST(a_transaction_after_an_invalidation_writes_nothing)
{
	struct guard_value guarded = {
	    .key = BYTES("k:gone"), .value = BYTES("ours"), .ttl_ms = 1000000};
	struct buf name = {0};

	the_key = BYTES("k:gone");
	begin("token-0000000022", -1, false);
	sidecar_name(&name, the_key);
	const struct bytes unlink[] = {BYTES("UNLINK"), buf_bytes(&name), the_key};
	const struct redis_command command = {.argv = unlink, .argc = 3};
	CHECK_INT(
	    guard_store(guard, &guarded, "token-0000000022", on_outcome, &outcome, &client.err),
	    0);
	CHECK_INT(redis_submit(client.redis, &command, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	CHECK_INT(heard, 0);
	CHECK_INT(outcome, GUARD_OVERTAKEN);
	CHECK_INT(ask("EXISTS", the_key), 0);
	buf_release(&name);
}

static void run_guarded(void)
{
	RUN(a_fetch_that_nobody_disturbed_stores);
	RUN(an_invalidation_in_between_wins);
	RUN(a_later_fetch_wins);
	RUN(an_etag_renews_only_what_was_stored_with_it);
	RUN(the_same_bytes_are_not_rewritten);
	RUN(a_key_that_lives_long_enough_is_left_alone);
	RUN(nothing_there_is_noted_beside_the_key);
}

static bool open_guard(void)
{
	bool denied = false;

	if (guard_new(client.redis, &guard, &denied, &client.err) == 0)
		return true;
	printf("Bail out! %s\n", client.err.text);
	return false;
}

int main(void)
{
	char port[16];
	const char *cluster[] = {"--cluster-enabled", "yes", "--cluster-port", port, NULL};

	snprintf(port, sizeof port, "%u", server_free_port());
	server_start(&server, true, cluster);
	client_unix(&client, &server, 0);
	RUN(sidecars_share_their_keys_slot);
	RUN(braces_of_every_kind_share_their_keys_slot);
	RUN(what_is_no_sidecar_is_not_decoded);
	client_close(&client);
	server_stop(&server);

	server_start(&server, false, NULL);
	client_unix(&client, &server, 0);
	if (!open_guard())
		return 1;
	run_guarded();
	RUN(scripts_that_the_server_forgot_are_loaded_again);
	guard_free(guard);
	forbid_scripts();
	if (!open_guard())
		return 1;
	run_guarded();
	RUN(a_transaction_that_meets_a_write_looks_again);
	RUN(a_transaction_after_an_invalidation_writes_nothing);
	guard_state_release(&state);
	guard_free(guard);
	buf_release(&asked);
	client_close(&client);
	server_stop(&server);
	CHECK_DONE();
}
