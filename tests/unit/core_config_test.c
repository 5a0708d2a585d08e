#include "check.h"
#include "systems.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/namespace.h"
#include "source/source.h"
#include "wire/target.h"

#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/ccache-config" UNIQUE;

/* The findings as lines, file names left out. */
static void listed(const struct config_report *report, struct buf *buf)
{
	const struct config_findings *findings = config_report_findings(report);

	for (size_t i = 0; i < findings->count; i++) {
		const struct config_finding *f = &findings->items[i];

		buf_printf(buf, "%zu:%zu: %s: %s [%s]\n", f->line, f->column,
			   f->severity == CONFIG_ERROR ? "error" : "warning", f->text, f->path);
	}
}

static void finds_bytes(struct bytes text, const char *want)
{
	struct config *config = NULL;
	struct config_report *report = config_read("F", text, &config);
	struct buf got = {0};

	listed(report, &got);
	CHECK_STR(buf_str(&got), want);
	CHECK_INT(config != NULL, strstr(want, ": error: ") == NULL);
	config_free(config);
	config_report_free(report);
	buf_release(&got);
}

static void finds(const char *text, const char *want)
{
	finds_bytes(bytes_of(text), want);
}

static struct config *loaded(const char *text)
{
	struct config *config = NULL;
	struct config_report *report = config_read("F", bytes_of(text), &config);
	struct buf got = {0};

	listed(report, &got);
	CHECK_STR(buf_str(&got), "");
	config_report_free(report);
	buf_release(&got);
	return config;
}

TEST(every_finding_has_its_place)
{
	static const struct {
		const char *text;
		const char *findings;
	} rows[] = {
#include "config_findings.h"
	};

	unsetenv("NOPE_X");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		finds(rows[i].text, rows[i].findings);
}

TEST(lines_and_columns_count_past_comments)
{
	finds("// a comment\n{\n  /* two\n lines */ \"namespaces\": {\n\t\"a\": { \"key\": "
	      "\"a\", \"tttl\": 1, \"ttl\": 1 }\n  }\n}\n",
	      "5:21: error: unknown field 'tttl' of a namespace; did you mean 'ttl'? "
	      "[/namespaces/a/tttl]\n");
}

TEST(odd_texts_give_one_line)
{
	static char deep[10001];

	finds("", "1:1: error: empty: a configuration is a JSON object []\n");
	finds(" \n\t", "1:1: error: empty: a configuration is a JSON object []\n");
	finds_bytes(BYTES("\x7F"
			  "ELF\0\1\2"),
		    "1:1: error: a value was expected []\n");
	finds("{\"namespaces\": {\"a\": {\"key\": \"a\"",
	      "1:33: error: the document ends inside an object []\n");
	finds("{} x", "1:4: error: text after the value []\n");
	memset(deep, '[', sizeof deep - 1);
	finds(deep, "1:65: error: nested too deeply []\n");
}

static const char *write_file(const char *name, struct bytes text, mode_t mode)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "wb");
	CHECK(file != NULL);
	if (!file)
		return path;
	CHECK_INT(fwrite(text.ptr, 1, text.len, file), text.len);
	fclose(file);
	CHECK_INT(chmod(path, mode), 0);
	return path;
}

static void load_fails(const char *path, const char *what)
{
	struct config *config = NULL;
	struct err err = {0};
	char *want = mem_printf("%s%s", path, what);

	CHECK_INT(config_load(path, NULL, &config, &err), -1);
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK_STR(err.text, want);
	CHECK(config == NULL);
	free(want);
}

TEST(files_that_cannot_be_read)
{
	char *big = mem_zalloc(1, 10 << 20);

	load_fails("/nonexistent/config.json", ": No such file or directory");
	load_fails("/", ": is a directory");
	memset(big, ' ', 10 << 20);
	load_fails(write_file("big", (struct bytes){big, 10 << 20}, 0600),
		   ": 10 MiB (10485760 bytes): a configuration is at most 4 MiB");
	load_fails(write_file("empty", BYTES(""), 0600),
		   ":1:1: empty: a configuration is a JSON object");
	load_fails(write_file("two", BYTES("{\"namespaces\":1,\"x\":1}"), 0600),
		   ":1:15: expected an object, not a number (and 1 more: ccache config check)");
	free(big);
}

TEST(literal_secrets_are_warned_of)
{
	static const char text[] =
	    "{\"redis\":{\"url\":\"redis://u:p@h/0\",\"password\":\"x\"},\"sources\":{\"a\":"
	    "{\"base_url\":\"http://h\",\"headers\":{\"Authorization\":\"Bearer "
	    "x\",\"Accept\":\"y\","
	    "\"apikey\":\"${env:CC_TEST_KEY}\"}}},\"namespaces\":{}}";
	static const char want[] =
	    "1:17: warning: a literal secret in a file that others can read: chmod 600 it, or "
	    "write "
	    "${env:NAME} or ${file:PATH} [/redis/url]\n"
	    "1:46: warning: a literal secret in a file that others can read: chmod 600 it, or "
	    "write "
	    "${env:NAME} or ${file:PATH} [/redis/password]\n"
	    "1:116: warning: a literal secret in a file that others can read: chmod 600 it, or "
	    "write "
	    "${env:NAME} or ${file:PATH} [/sources/a/headers/Authorization]\n";
	static const mode_t modes[] = {0644, 0600, 0640};

	setenv("CC_TEST_KEY", "k", 1);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		const char *path = write_file("secret", bytes_of(text), modes[i]);
		struct config *config = NULL;
		struct config_report *report = config_read_file(path, &config);
		struct buf got = {0};

		listed(report, &got);
		CHECK_STR(buf_str(&got), modes[i] & 4 ? want : "");
		CHECK(config != NULL);
		config_free(config);
		config_report_free(report);
		buf_release(&got);
	}
}

TEST(references_are_resolved)
{
	write_file("token", BYTES("s3cret-token\n"), 0600);
	setenv("CC_TEST_URL", "http://h:1/", 1);
	setenv("CC_TEST_EMPTY", "", 1);
	const char *path = write_file(
	    "references",
	    BYTES("{\"sources\":{\"a\":{\"base_url\":\"${env:CC_TEST_URL}v${env:CC_TEST_EMPTY:-"
		  "2}\","
		  "\"headers\":{\"X-Token\":\"Bearer "
		  "${file:token}\",\"X-None\":\"${env:CC_TEST_EMPTY}\"},"
		  "\"timeout\":\"${env:CC_TEST_NONE:-7s}\"}},"
		  "\"namespaces\":{\"n\":{\"key\":\"n\",\"ttl\":1,\"summary\":\"$${x} $5\","
		  "\"source\":{\"use\":\"a\",\"get\":\"/?t=${file:token}\"}}}}"),
	    0600);
	struct config *config = NULL;
	struct err err = {0};
	CHECK_INT(config_load(path, NULL, &config, &err), 0);
	CHECK_STR(err.text, "");
	if (!config)
		return;
	const struct source_def *source =
	    nsset_at(config_namespaces(config), 0)->steps[0].source;
	CHECK_STR(source->base_url, "http://h:1/v2");
	CHECK_INT(source->timeout_ms, 7000);
	CHECK_INT(source->header_count, 1);
	CHECK_STR(source->headers[0].value, "Bearer s3cret-token");
	CHECK_STR(nsset_at(config_namespaces(config), 0)->summary, "${x} $5");
	struct buf shown = {0};
	config_show(config, &shown);
	CHECK(strstr(buf_str(&shown), "s3cret") == NULL);
	CHECK(strstr(buf_str(&shown), "/?t=***") != NULL);
	CHECK(strstr(buf_str(&shown), "\"$${x} $5\"") != NULL);
	buf_release(&shown);
	config_free(config);
}

TEST(fields_reach_their_structs)
{
	struct config *config = loaded(
	    "{\"sources\":{\"s\":{\"base_url\":\"https://h/api//"
	    "\",\"timeout\":3,\"connect_timeout\":\"250ms\","
	    "\"max_body\":\"64KiB\",\"rate\":\"600/"
	    "m\",\"concurrency\":7,\"retry\":{\"max\":1,\"base\":\"1s\","
	    "\"cap\":\"2s\",\"on\":[503]},\"max_redirects\":0,\"cacert\":\"/"
	    "ca\",\"insecure\":true}},"
	    "\"namespaces\":{\"n\":{\"key\":\"n:{x}:{y|default(q)}\",\"ttl\":300,\"jitter\":"
	    "\"10%\","
	    "\"json\":true,\"compress\":{\"codec\":\"zstd\",\"min\":\"1KiB\"},\"ttl_from\":"
	    "\"cache-control\",\"target\":{\"hit_rate\":\"80%\"},"
	    "\"source\":{\"chain\":[{\"use\":\"s\",\"get\":\"/a/{x}\",\"body\":\"/own\"},"
	    "{\"use\":\"s\",\"get\":\"/b\"}],\"body\":\"/d\",\"empty\":[404,\"[]\"],"
	    "\"keep_only\":{\"item\":\"/i\",\"in\":{\"use\":\"s\",\"get\":\"/k/"
	    "{x}\",\"items\":\"/ids\"}}},"
	    "\"list\":{\"use\":\"s\",\"get\":\"/l?c={cursor}\",\"items\":\"/"
	    "data\",\"vars\":{\"x\":\"/id\"},"
	    "\"next\":\"/next\"}},"
	    "\"i\":{\"key\":\"i:{z}\",\"ttl\":\"none\",\"compress\":\"gzip\",\"index_of\":"
	    "\"n\",\"holds\":\"x\"},"
	    "\"m\":{\"key\":\"m\",\"ttl\":\"1h30m\",\"members_of\":\"n\",\"member\":\"y\"},"
	    "\"d\":{\"key\":\"d:{a}:{day}\",\"ttl\":{\"day\":\"day\",\"plus\":\"48h\"},"
	    "\"type\":\"hash\"}}}");
	if (!config)
		return;
	const struct source_def *s = nsset_at(config_namespaces(config), 0)->steps[0].source;
	CHECK_STR(s->base_url, "https://h/api");
	CHECK_INT(s->timeout_ms, 3000);
	CHECK_INT(s->connect_ms, 250);
	CHECK_INT(s->max_body, 65536);
	CHECK(s->rate > 9.99 && s->rate < 10.01);
	CHECK_INT(s->concurrency, 7);
	CHECK_INT(s->retry.max, 1);
	CHECK_INT(s->retry.base_ms, 1000);
	CHECK_INT(s->retry.cap_ms, 2000);
	CHECK_INT(s->retry.status_count, 1);
	CHECK_INT(s->retry.statuses[0], 503);
	CHECK_INT(s->max_redirects, 0);
	CHECK_STR(s->cacert, "/ca");
	CHECK(s->insecure);

	const struct nsset *set = config_namespaces(config);
	const struct ns *n = nsset_find(set, BYTES("n"));
	CHECK_INT(nsset_count(set), 4);
	CHECK_INT(n->type, NS_STRING);
	CHECK_INT(n->ttl_kind, NS_TTL_CACHE_CONTROL);
	CHECK_INT(n->ttl_ms, 300000);
	CHECK(n->jitter > 0.099 && n->jitter < 0.101);
	CHECK(n->target_hit_rate > 0.79 && n->target_hit_rate < 0.81);
	CHECK_INT(n->compress.kind, CODEC_ZSTD);
	CHECK_INT(n->compress.min, 1024);
	CHECK_INT(n->step_count, 2);
	CHECK(n->steps[0].source == s && n->steps[1].source == s);
	CHECK_BYTES(n->steps[0].body, BYTES("/own"));
	CHECK_BYTES(n->steps[1].body, BYTES("/d"));
	CHECK_INT(n->steps[1].empty_count, 2);
	CHECK_INT(n->steps[1].empty[0].status, 404);
	CHECK_BYTES(n->steps[1].empty[1].text, BYTES("[]"));
	CHECK(n->steps[1].keep_in == n->steps[0].keep_in);
	CHECK_BYTES(n->steps[0].keep_item, BYTES("/i"));
	CHECK_BYTES(n->steps[0].keep_in->body, BYTES("/ids"));
	CHECK_BYTES(template_text(n->steps[0].keep_in->get), BYTES("/k/{x}"));
	CHECK_BYTES(n->list->step.body, BYTES("/data"));
	CHECK_BYTES(n->list->next, BYTES("/next"));
	CHECK_INT(n->list->var_count, 1);
	CHECK_STR(n->list->vars[0].name, "x");
	CHECK_BYTES(n->list->vars[0].pointer, BYTES("/id"));
	CHECK(nsset_find(set, BYTES("i"))->index_of == n);
	CHECK_INT(nsset_find(set, BYTES("i"))->ttl_ms, 0);
	CHECK_INT(nsset_find(set, BYTES("i"))->compress.kind, CODEC_GZIP);
	CHECK_INT(nsset_find(set, BYTES("i"))->compress.min, 0);
	CHECK_INT(nsset_find(set, BYTES("m"))->compress.kind, CODEC_NONE);
	CHECK_INT(nsset_find(set, BYTES("i"))->type, NS_ANY);
	CHECK(nsset_find(set, BYTES("m"))->members_of == n);
	CHECK_STR(nsset_find(set, BYTES("m"))->member, "y");
	CHECK_INT(nsset_find(set, BYTES("m"))->type, NS_SET);
	CHECK_INT(nsset_find(set, BYTES("d"))->ttl_kind, NS_TTL_DAY);
	CHECK_INT(nsset_find(set, BYTES("d"))->ttl_var, 1);
	CHECK_INT(nsset_find(set, BYTES("d"))->ttl_ms, 48 * 3600000);
	struct buf shown = {0};
	config_show(config, &shown);
	CHECK(strstr(buf_str(&shown), "\"compress\":\t{") != NULL);
	CHECK(strstr(buf_str(&shown), "\"compress\":\t\"gzip\"") != NULL);
	CHECK(strstr(buf_str(&shown), "none\"") != NULL);
	buf_release(&shown);
	config_free(config);
}

TEST(redis_reaches_the_target)
{
	struct config *config = loaded("{\"redis\":{\"url\":\"rediss://u:p@h:6380/"
				       "2\",\"cacert\":\"/ca\",\"cert\":\"/c\",\"key\":\"/k\","
				       "\"sni\":\"n\",\"insecure\":true,\"proxy\":\"socks5://"
				       "b:q@x:1\",\"timeout\":\"2s\"},\"namespaces\":{}}");
	struct target target;
	struct err err = {0};
	struct buf shown = {0};

	target_init(&target);
	CHECK_INT(config_apply_redis(config, &target, &err), 0);
	CHECK_STR(target.host, "h");
	CHECK_INT(target.port, 6380);
	CHECK_INT(target.db, 2);
	CHECK(target.tls && target.insecure);
	CHECK_STR(target.password, "p");
	CHECK_STR(target.cacert, "/ca");
	CHECK_STR(target.cert, "/c");
	CHECK_STR(target.key, "/k");
	CHECK_STR(target.sni, "n");
	CHECK_STR(target.proxy, "socks5://b:q@x:1");
	CHECK_INT(target.timeout_ms, 2000);
	target_release(&target);
	config_show(config, &shown);
	CHECK(strstr(buf_str(&shown), "rediss://u:***@h:6380/2") != NULL);
	CHECK(strstr(buf_str(&shown), "socks5://b:***@x:1") != NULL);
	buf_release(&shown);
	config_free(config);
}

TEST(profiles_hold_the_five_systems)
{
	struct config *config = NULL;
	struct err err = {0};

	CHECK_INT(config_profile_count(), 6);
	CHECK_STR(config_profile_name(5), "all");
	for (size_t i = 0; i < config_profile_count(); i++) {
		CHECK_INT(config_load(NULL, config_profile_name(i), &config, &err), 0);
		CHECK_STR(err.text, "");
		CHECK_INT(config_warnings(config)->count, 0);
		config_free(config);
	}
	CHECK_INT(config_load(NULL, "all", &config, &err), 0);
	CHECK_STR(config_origin(config), "profile all");
	const struct nsset *set = config_namespaces(config);
	CHECK_INT(nsset_count(set), SYSTEM_ROWS);
	for (size_t i = 0; i < SYSTEM_ROWS; i++) {
		const struct ns *ns = nsset_find(set, bytes_of(system_rows[i].name));

		CHECK(ns != NULL);
		if (ns)
			CHECK_BYTES(template_text(ns->key), bytes_of(system_rows[i].key));
		CHECK(nsset_classify(set, bytes_of(system_rows[i].example), NULL) == ns);
	}
	config_free(config);
}

TEST(profile_names_are_checked)
{
	struct config *config = NULL;
	struct err err = {0};

	CHECK_INT(config_load(NULL, "sesions", &config, &err), -1);
	CHECK_STR(err.text, "unknown profile 'sesions'; did you mean 'sessions'?");
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_INT(config_load(NULL, "zzzzzzzz", &config, &err), -1);
	CHECK_STR(err.text,
		  "unknown profile 'zzzzzzzz' (there are call-logs, realtime, sessions, "
		  "messages, leads, all)");
	CHECK_INT(config_load("/x", "all", &config, &err), -1);
	CHECK_STR(err.text, "a configuration file (/x) and a profile (all) exclude each other");
	CHECK(config_profile_text("all") == NULL);
	CHECK(config_profile_text("leads") != NULL);
}

TEST(default_files_are_found)
{
	char *sub = mem_printf("%s/callcache", directory);
	struct config *config = NULL;
	struct err err = {0};

	setenv("XDG_CONFIG_HOME", directory, 1);
	CHECK_INT(config_load(NULL, NULL, &config, &err), 0);
	CHECK_STR(config_origin(config), "profile all");
	config_free(config);
	CHECK_INT(mkdir(sub, 0700), 0);
	const char *path =
	    write_file("callcache/config.json", BYTES("{\"namespaces\":{}}"), 0600);
	CHECK_INT(config_load(NULL, NULL, &config, &err), 0);
	CHECK_STR(config_origin(config), path);
	config_free(config);
	CHECK_INT(config_load(NULL, "leads", &config, &err), 0);
	CHECK_STR(config_origin(config), "profile leads");
	config_free(config);
	free(sub);
}

TEST(what_is_shown_can_be_read_again)
{
	struct config *config = NULL;
	struct config *again = NULL;
	struct buf first = {0};
	struct buf second = {0};

	config_report_free(config_read_profile("all", &config));
	config_show(config, &first);
	struct config_report *report = config_read("shown", buf_bytes(&first), &again);
	CHECK_INT(config_report_findings(report)->count, 0);
	if (again)
		config_show(again, &second);
	CHECK_STR(buf_str(&second), buf_str(&first));
	config_report_free(report);
	config_free(config);
	config_free(again);
	buf_release(&first);
	buf_release(&second);
}

TEST(the_schema_knows_every_field)
{
	struct buf schema = {0};
	struct json_error error;
	struct bytes value;

	config_schema(&schema);
	CHECK_INT(json_check(buf_bytes(&schema), JSON_STRICT, JSON_DEPTH_DATA, &error), 0);
	CHECK_INT(json_find(buf_bytes(&schema), BYTES("/$schema"), &value), 0);
	CHECK_BYTES(value, BYTES("\"http://json-schema.org/draft-07/schema#\""));
	CHECK_INT(
	    json_find(buf_bytes(&schema),
		      BYTES("/properties/namespaces/additionalProperties/properties/source/"
			    "properties/chain/items/properties/body/description"),
		      &value),
	    0);
	CHECK_INT(
	    json_find(
		buf_bytes(&schema),
		BYTES("/properties/events/additionalProperties/properties/do/items/anyOf/9"),
		&value),
	    0);
	CHECK_INT(json_find(buf_bytes(&schema), BYTES("/required/0"), &value), 0);
	CHECK_BYTES(value, BYTES("\"namespaces\""));
	buf_release(&schema);
}

static void remove_all(void)
{
	static const char *const names[] = {
	    "big", "empty", "two", "secret", "token", "references", "callcache/config.json"};
	char path[256];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/callcache", directory);
	rmdir(path);
	rmdir(directory);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	RUN(every_finding_has_its_place);
	RUN(lines_and_columns_count_past_comments);
	RUN(odd_texts_give_one_line);
	RUN(files_that_cannot_be_read);
	RUN(literal_secrets_are_warned_of);
	RUN(references_are_resolved);
	RUN(fields_reach_their_structs);
	RUN(redis_reaches_the_target);
	RUN(profiles_hold_the_five_systems);
	RUN(profile_names_are_checked);
	RUN(default_files_are_found);
	RUN(what_is_shown_can_be_read_again);
	RUN(the_schema_knows_every_field);
	remove_all();
	CHECK_DONE();
}
