#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/template.h"

static struct template *parsed(const char *text, enum template_context context)
{
	struct template *tmpl = NULL;
	struct err err = {0};

	if (template_parse(bytes_of(text), context, &tmpl, &err)) {
		printf("# %s: %s\n", text, err.text);
		check_bad_in_test = 1;
		exit(1);
	}
	return tmpl;
}

/* "name=value name=value" → vars, split on blanks. */
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

static void expands(enum template_context context, const char *text, const char *vars_text,
		    const char *want)
{
	struct template *tmpl = parsed(text, context);
	struct var vars[16];
	struct buf buf = {0};
	struct err err = {0};
	size_t count = vars_of(vars_text, vars);

	CHECK_INT(template_expand(tmpl, vars, count, &buf, &err), 0);
	CHECK_STR(err_is_set(&err) ? err.text : buf_str(&buf), want);
	buf_release(&buf);
	template_free(tmpl);
}

static void refuses(enum template_context context, const char *text, const char *vars_text,
		    const char *want)
{
	struct template *tmpl = parsed(text, context);
	struct var vars[16];
	struct buf buf = {0};
	struct err err = {0};
	size_t count = vars_of(vars_text, vars);

	CHECK_INT(template_expand(tmpl, vars, count, &buf, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_STR(err.text, want);
	CHECK_INT(buf.len, 0);
	buf_release(&buf);
	template_free(tmpl);
}

static void parse_refuses(enum template_context context, const char *text, const char *want)
{
	struct template *tmpl = NULL;
	struct err err = {0};

	CHECK_INT(template_parse(bytes_of(text), context, &tmpl, &err), -1);
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK_STR(err.text, want);
	CHECK(tmpl == NULL);
}

/* want: the values joined by ',', or NULL when the key must not match. */
static void reads(const char *text, struct bytes key, const char *want)
{
	struct template *tmpl = parsed(text, TEMPLATE_KEY);
	struct bytes values[TEMPLATE_VARS_MAX];
	struct buf got = {0};
	bool matched = template_match(tmpl, key, values);

	for (size_t i = 0; matched && i < template_var_count(tmpl); i++) {
		buf_add_str(&got, i ? "," : "");
		buf_add(&got, values[i]);
	}
	CHECK_INT(matched, want != NULL);
	if (want)
		CHECK_STR(buf_str(&got), want);
	CHECK_INT(template_match(tmpl, key, NULL), matched);
	buf_release(&got);
	template_free(tmpl);
}

TEST(parse_knows_names_and_filters)
{
	struct template *tmpl = parsed(
	    "campaign:shard{campaignId|js_hex_mod(10)}:{campaignId}:{p|digits}", TEMPLATE_KEY);

	CHECK_INT(template_var_count(tmpl), 2);
	CHECK_STR(template_var_name(tmpl, 0), "campaignId");
	CHECK_STR(template_var_name(tmpl, 1), "p");
	CHECK_INT(template_var_index(tmpl, BYTES("p")), 1);
	CHECK_INT(template_var_index(tmpl, BYTES("q")), -1);
	CHECK_BYTES(template_text(tmpl),
		    BYTES("campaign:shard{campaignId|js_hex_mod(10)}:{campaignId}:{p|digits}"));
	template_free(tmpl);
}

TEST(parse_says_what_and_where)
{
	parse_refuses(TEMPLATE_KEY, "", "empty");
	parse_refuses(TEMPLATE_KEY, "a:{b",
		      "byte 3: '{' is never closed (a literal brace is doubled)");
	parse_refuses(TEMPLATE_KEY, "a}b",
		      "byte 2: '}' without '{' (a literal brace is doubled)");
	parse_refuses(TEMPLATE_KEY, "a:{}",
		      "byte 4: a name is letters, digits, '_' and '-', after a letter or '_'");
	parse_refuses(TEMPLATE_KEY, "a:{9x}",
		      "byte 4: a name is letters, digits, '_' and '-', after a letter or '_'");
	parse_refuses(TEMPLATE_KEY, "a:{/x}",
		      "byte 4: a JSON pointer may stand only in templates of events");
	parse_refuses(TEMPLATE_EVENT, "a:{/x~2}",
		      "byte 4: not a JSON pointer ('~' is written ~0, '/' is ~1)");
	parse_refuses(
	    TEMPLATE_KEY, "a:{x|dgits}",
	    "byte 6: unknown filter 'dgits' (rest, default, digits, lower, upper, date, hour, "
	    "shard, js_hex_mod)");
	parse_refuses(TEMPLATE_KEY, "a:{x|shard}",
		      "byte 6: filter 'shard' needs an argument: shard(…)");
	parse_refuses(TEMPLATE_KEY, "a:{x|shard(0)}",
		      "byte 6: shard(0): not a number from 1 to 2147483647");
	parse_refuses(TEMPLATE_KEY, "a:{x|digits(1)}",
		      "byte 6: filter 'digits' takes no argument");
	parse_refuses(TEMPLATE_KEY, "a:{x|digits(}", "byte 6: filter 'digits': ')' is missing");
	parse_refuses(
	    TEMPLATE_KEY, "a:{x|date(Mars/Phobos)}",
	    "byte 6: date(Mars/Phobos): unknown time zone (UTC, +02:00, or a name of this "
	    "system's zoneinfo)");
	parse_refuses(
	    TEMPLATE_KEY, "a:{x|date(../../etc/passwd)}",
	    "byte 6: date(../../etc/passwd): unknown time zone (UTC, +02:00, or a name of "
	    "this system's zoneinfo)");
	parse_refuses(TEMPLATE_KEY, "a:{x|date(Europe)}",
		      "byte 6: date(Europe): unknown time zone (UTC, +02:00, or a name of this "
		      "system's zoneinfo)");
	parse_refuses(TEMPLATE_KEY, "a:{x|rest}b",
		      "{x|rest} may stand only at the end of a key");
	parse_refuses(TEMPLATE_KEY, "a:{x|lower|rest}",
		      "byte 12: 'rest' does not go with another filter");
	parse_refuses(TEMPLATE_KEY, "{x}{y}",
		      "nothing separates {x} from {y}: such a key cannot be read back");
	parse_refuses(TEMPLATE_KEY, "a:{x|lower|lower|lower|lower|lower}",
		      "byte 30: more than 4 filters");
	parse_refuses(TEMPLATE_KEY,
		      "{a}:{b}:{c}:{d}:{e}:{f}:{g}:{h}:{i}:{j}:{k}:{l}:{m}:{n}:{o}:{p}:{q}",
		      "byte 68: more than 16 variables");
	struct template *tmpl = NULL;
	struct err err = {0};
	CHECK_INT(template_parse(BYTES("a\0b"), TEMPLATE_KEY, &tmpl, &err), -1);
	CHECK_STR(err.text, "byte 2: a NUL may not stand here");
}

TEST(keys_expand)
{
	expands(TEMPLATE_KEY, "call:logs:{s}", "s=507f", "call:logs:507f");
	expands(TEMPLATE_KEY, "active_calls", "", "active_calls");
}

TEST(keys_filter)
{
	expands(TEMPLATE_KEY, "{p|digits}:{o}", "p=+1(778)652-8784 o=x", "17786528784:x");
	expands(TEMPLATE_KEY, "a:{x|lower}", "x=ABcÄ", "a:abcÄ");
	expands(TEMPLATE_KEY, "a:{x|upper}", "x=abC", "a:ABC");
	expands(TEMPLATE_KEY, "a:{x|default(de)|upper}", "", "a:DE");
	expands(TEMPLATE_KEY, "a:{x|default(de)}", "x=", "a:de");
	expands(TEMPLATE_KEY, "a:{x|date}", "x=2025-03-26T23:30:00-01:00", "a:2025-03-27");
	expands(TEMPLATE_KEY, "a:{x|date(+02:00)}", "x=2025-03-26T22:30:00Z", "a:2025-03-27");
	expands(TEMPLATE_KEY, "a:{x|date}", "x=1742976900", "a:2025-03-26");
	expands(TEMPLATE_KEY, "a:{x|date}", "x=1742976900123", "a:2025-03-26");
	expands(TEMPLATE_KEY, "a:{x|hour(UTC)}", "x=2025-03-26T08:15:00.123Z", "a:8");
	expands(TEMPLATE_KEY, "a:{x|hour(-05:30)}", "x=2025-03-26T08:15:00Z", "a:2");
	/* redis-cli CLUSTER KEYSLOT 123456789 is 12739 */
	expands(TEMPLATE_KEY, "a:{x|shard(16384)}", "x=123456789", "a:12739");
	expands(TEMPLATE_KEY, "campaign:shard{c|js_hex_mod(10)}:{c}",
		"c=507f1f77bcf86cd799439011", "campaign:shard6:507f1f77bcf86cd799439011");
	expands(TEMPLATE_KEY, "s{c|js_hex_mod(10)}", "c=-7", "s-7");
	expands(TEMPLATE_KEY, "{{tag}}:{x}", "x=1", "{tag}:1");
	refuses(TEMPLATE_KEY, "a:{x|js_hex_mod(10)}", "x=xyz",
		"x: 'xyz' is not a hexadecimal number");
	refuses(TEMPLATE_KEY, "a:{x|date}", "x=yesterday",
		"x: 'yesterday' is not a time (2025-03-26T08:15:00Z)");
	refuses(TEMPLATE_KEY, "a:{x|date}", "x=2025-02-30",
		"x: '2025-02-30' is not a time (2025-03-26T08:15:00Z)");
	refuses(TEMPLATE_KEY, "a:{x|digits}", "x=abc", "x is empty behind its filter");
	refuses(TEMPLATE_KEY, "a:{x}", "x=", "x is empty");
	refuses(TEMPLATE_KEY, "a:{x}", "y=1", "x is missing");
}

TEST(named_zones_follow_daylight_saving)
{
	struct template *tmpl = NULL;

	if (template_parse(BYTES("{x|hour(Europe/Berlin)}"), TEMPLATE_KEY, &tmpl, NULL)) {
		printf("# no zoneinfo on this system\n");
		return;
	}
	template_free(tmpl);
	expands(TEMPLATE_KEY, "{x|hour(Europe/Berlin)}", "x=2025-01-15T12:00:00Z", "13");
	expands(TEMPLATE_KEY, "{x|hour(Europe/Berlin)}", "x=2025-07-15T12:00:00Z", "14");
}

TEST(urls_encode)
{
	expands(TEMPLATE_URL, "/a/{x}/b", "x=1/2?3#4%5:6*{7}",
		"/a/1%2F2%3F3%234%255%3A6%2A%7B7%7D/b");
	expands(TEMPLATE_URL, "/a/{x}", "x=a-b.c_d~e", "/a/a-b.c_d~e");
	expands(TEMPLATE_URL, "/a/{x|rest}", "x=b/c:d", "/a/b/c%3Ad");
	expands(TEMPLATE_URL, "/a?p=eq.{x}", "x=+1&y=2", "/a?p=eq.%2B1%26y%3D2");
	expands(TEMPLATE_URL, "/a?after={cursor}", "cursor=", "/a?after=");
	expands(TEMPLATE_URL, "/a?q={x}", "x=..", "/a?q=..");
	refuses(TEMPLATE_URL, "/a/v{x}", "x=..", "x may not be '..' in a path");
	refuses(TEMPLATE_URL, "/a/{x}", "x=..", "x may not be '..' in a path");
	refuses(TEMPLATE_URL, "/a/{x}", "x=.", "x may not be '.' in a path");
	refuses(TEMPLATE_URL, "/a/{x|rest}", "x=b/../c",
		"a '.' or '..' segment in the path /a/b/../c");
	refuses(TEMPLATE_URL, "/a/{x}{y}", "x=. y=.", "x may not be '.' in a path");
	refuses(TEMPLATE_URL, "/a/.{y}", "y=.", "y may not be '.' in a path");
	refuses(TEMPLATE_URL, "/a/{x}", "x=", "x is empty");
	refuses(TEMPLATE_URL, "/a?after={cursor}", "", "cursor is missing");
}

TEST(events_take_pointers)
{
	expands(TEMPLATE_EVENT, "{/a/b}-{now|date(UTC)}", "/a/b=x now=2025-03-26T08:15:00Z",
		"x-2025-03-26");
	expands(TEMPLATE_EVENT, "{/a}{/b}", "/a=1 /b=", "1");
	expands(TEMPLATE_EVENT, "{/d|default(0)}", "", "0");
	refuses(TEMPLATE_EVENT, "{/a}", "", "/a is missing");
}

TEST(hostile_values)
{
	struct template *key = parsed("k:{x}", TEMPLATE_KEY);
	struct template *url = parsed("/k/{x}", TEMPLATE_URL);
	struct buf buf = {0};
	struct err err = {0};
	struct var var = {BYTES("x"), BYTES("a\0b")};

	CHECK_INT(template_expand(key, &var, 1, &buf, &err), -1);
	CHECK_STR(err.text, "x holds a NUL byte");
	CHECK_INT(template_expand(url, &var, 1, &buf, &err), -1);
	CHECK_STR(err.text, "x holds a NUL byte");
	var.value = BYTES("a\r\nb\xFF");
	CHECK_INT(template_expand(key, &var, 1, &buf, &err), 0);
	CHECK_BYTES(buf_bytes(&buf), BYTES("k:a\r\nb\xFF"));
	buf_clear(&buf);
	CHECK_INT(template_expand(url, &var, 1, &buf, &err), 0);
	CHECK_STR(buf_str(&buf), "/k/a%0D%0Ab%FF");
	buf_clear(&buf);
	char *big = mem_zalloc(1, 70000);
	memset(big, 'a', 69999);
	var.value = (struct bytes){big, 10240};
	CHECK_INT(template_expand(key, &var, 1, &buf, &err), 0);
	CHECK_INT(buf.len, 10242);
	buf_clear(&buf);
	var.value = bytes_of(big);
	CHECK_INT(template_expand(key, &var, 1, &buf, &err), -1);
	CHECK_STR(err.text, "the expansion is longer than 65536 bytes");
	CHECK_INT(buf.len, 0);
	free(big);
	buf_release(&buf);
	template_free(key);
	template_free(url);
}

TEST(keys_read_back)
{
	reads("call:logs:{s}", BYTES("call:logs:507f"), "507f");
	reads("call:logs:{s}", BYTES("call:logs:"), NULL);
	reads("call:logs:{s}", BYTES("call:logs:a:b"), NULL);
	reads("call:logs:{s}", BYTES("xcall:logs:a"), NULL);

	reads("active_calls", BYTES("active_calls"), "");
	reads("active_calls", BYTES("active_calls2"), NULL);
	reads("active_calls", BYTES(""), NULL);
	reads("api:{p|rest}", BYTES("api:a/b:c"), "a/b:c");
	reads("api:{p|rest}", BYTES("api:"), NULL);
	reads("c_{x}_contacts", BYTES("c_1_contacts"), "1");
	reads("c_{x}_contacts", BYTES("c_1_contacts_contacts"), "1_contacts");
	reads("c_{x}_contacts", BYTES("c__contacts"), NULL);
	reads("{a}_{b}", BYTES("x_y_z"), "x,y_z");
	reads("{a}_{b}", BYTES("_y_z"), "_y,z");
	reads("{a}_{b}", BYTES("_"), NULL);
	reads("{p|digits}:{o}", BYTES("17786528784:b0c1"), "17786528784,b0c1");
	reads("{p|digits}:{o}", BYTES("+1778:b0c1"), NULL);
	reads("{p|digits}:{o}", BYTES("1778:b0:c1"), NULL);
	reads("a:{x|lower}", BYTES("a:Bc"), NULL);
	reads("a:{x|upper}", BYTES("a:BC"), "BC");
	reads("a:{d|date}", BYTES("a:2025-03-26"), "2025-03-26");
	reads("a:{d|date}", BYTES("a:2025-13-26"), NULL);
	reads("a:{x|shard(4)}", BYTES("a:3"), "3");
	reads("a:{x|shard(4)}", BYTES("a:x"), NULL);
}

TEST(repeats_must_agree)
{
	reads("{x}:{x}", BYTES("a:a"), "a");
	reads("{x}:{x}", BYTES("a:b"), NULL);
	reads("{x|digits}:{x|digits}", BYTES("1:2"), NULL);
	reads("{x|lower}:{x}", BYTES("ab:AB"), "AB");
	reads("{x|lower}:{x}", BYTES("ab:AC"), NULL);
	reads("c:shard{c|js_hex_mod(10)}:{c}", BYTES("c:shard6:507f1f77bcf86cd799439011"),
	      "507f1f77bcf86cd799439011");
	reads("c:shard{c|js_hex_mod(10)}:{c}", BYTES("c:shard7:507f1f77bcf86cd799439011"),
	      NULL);
	reads("c:shard{c|js_hex_mod(10)}:{c}", BYTES("c:shard-7:-7"), "-7");
	reads("c:shard{c|js_hex_mod(10)}:{c}", BYTES("c:shard0:xyz"), NULL);
}

static void globs(const char *text, const char *vars_text, const char *want)
{
	struct template *tmpl = parsed(text, TEMPLATE_KEY);
	struct var vars[16];
	struct buf buf = {0};
	struct err err = {0};

	CHECK_INT(template_glob(tmpl, vars, vars_of(vars_text, vars), &buf, &err), 0);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
	template_free(tmpl);
}

TEST(globs_cover)
{
	globs("bici:conv:{l}:{n}", "", "bici:conv:*:*");
	globs("bici:conv:{l}:{n}", "l=a*[b]", "bici:conv:a\\*\\[b]:*");
	globs("s{c|js_hex_mod(10)}:{c}", "c=11", "s7:11");
	globs("s{c|js_hex_mod(10)}:{c}", "", "s*:*");
	globs("a?{x}", "", "a\\?*");
}

static int compared(const char *a, const char *b)
{
	struct template *left = parsed(a, TEMPLATE_KEY);
	struct template *right = parsed(b, TEMPLATE_KEY);
	int order = template_compare(left, right);

	CHECK_INT(template_compare(right, left), -order);
	template_free(left);
	template_free(right);
	return order;
}

static bool ambiguous(const char *a, const char *b)
{
	struct template *left = parsed(a, TEMPLATE_KEY);
	struct template *right = parsed(b, TEMPLATE_KEY);
	bool both = template_ambiguous(left, right);

	CHECK_INT(template_ambiguous(right, left), both);
	template_free(left);
	template_free(right);
	return both;
}

TEST(specificity)
{
	CHECK_INT(compared("campaign_{x}_contacts", "campaign_{x}"), -1);
	CHECK_INT(compared("bici:sess:human:all", "bici:sess:human:{l}"), -1);
	CHECK_INT(compared("{a|digits}:{b}", "{a}:{b}"), -1);
	CHECK_INT(compared("a:{b}", "a:{b|rest}"), -1);
	CHECK_INT(compared("a:{b}", "a:{c}"), 0);
}

TEST(ambiguity)
{
	CHECK(ambiguous("a:{b}", "a:{c}"));
	CHECK(ambiguous("a{b}", "{b}a"));
	CHECK(ambiguous("a_{b}_c", "a_{b}_c"));
	CHECK(ambiguous("x{a}y{b}", "x{a}z{b}"));
	CHECK(!ambiguous("x{a}:1", "x{a}:2"));
	CHECK(!ambiguous("a:{b}", "c:{b}"));
	CHECK(!ambiguous("a:{b}", "a:{b|rest}"));
	CHECK(!ambiguous("a:{b|digits}", "a:{b}"));
	CHECK(!ambiguous("{a}:x:{b|digits}", "{a}:{b|digits}:y"));
	CHECK(ambiguous("{a}:1:{b|digits}", "{a}:{b|digits}:2"));
}

TEST(js_hex_mod_is_what_node_says)
{
	static const struct {
		const char *id;
		unsigned n;
		const char *want;
	} vectors[] = {
#include "js_hex_mod_vectors.h"
	};

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		char got[32] = "NaN";
		int remainder;

		if (template_js_hex_mod(bytes_of(vectors[i].id), vectors[i].n, &remainder) == 0)
			snprintf(got, sizeof got, "%d", remainder);
		if (strcmp(got, vectors[i].want) != 0)
			printf("# parseInt(\"%s\", 16) %% %u\n", vectors[i].id, vectors[i].n);
		CHECK_STR(got, vectors[i].want);
	}
}

int main(void)
{
	RUN(parse_knows_names_and_filters);
	RUN(parse_says_what_and_where);
	RUN(keys_expand);
	RUN(keys_filter);
	RUN(named_zones_follow_daylight_saving);
	RUN(urls_encode);
	RUN(events_take_pointers);
	RUN(hostile_values);
	RUN(keys_read_back);
	RUN(repeats_must_agree);
	RUN(globs_cover);
	RUN(specificity);
	RUN(ambiguity);
	RUN(js_hex_mod_is_what_node_says);
	CHECK_DONE();
}
