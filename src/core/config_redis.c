#include "core/config_private.h"

#include "base/err.h"
#include "wire/target.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* The part of a URL that may hold "user:password", between "//" and '@'; empty when there is
 * none. */
static struct bytes userinfo(struct bytes url)
{
	struct bytes none = {0};
	const char *start = url.len ? memmem(url.ptr, url.len, "//", 2) : NULL;

	if (!start)
		return none;
	struct bytes rest = bytes_sub(url, (size_t)(start - url.ptr) + 2, url.len);
	const char *at = rest.len == 0 ? NULL : memrchr(rest.ptr, '@', bytes_index(rest, '/'));
	return at ? bytes_sub(rest, 0, (size_t)(at - rest.ptr)) : none;
}

static void check_url(struct config_reader *reader, const struct json_node *node)
{
	struct bytes user = userinfo(node->text);

	if (bytes_index(user, ':') < user.len)
		config_reference_warn(reader, node);
}

static cJSON *show_masked(const char *url)
{
	struct bytes text = bytes_of(url);
	struct bytes user = userinfo(text);
	size_t colon = bytes_index(user, ':');

	if (colon == user.len)
		return config_kind_show_bytes(text);
	char *masked = mem_printf("%.*s:***%s", (int)(user.ptr - url) + (int)colon, url,
				  user.ptr + user.len);
	cJSON *shown = config_kind_show_bytes(bytes_of(masked));
	free(masked);
	return shown;
}

static void read_redis_url(struct config_reader *reader, const struct json_node *node,
			   const struct config_field *field, void *place)
{
	struct target target;
	struct err err = {0};

	config_kind_string.read(reader, node, field, place);
	if (node->type != JSON_STRING)
		return;
	target_init(&target);
	if (target_parse_url(&target, *(const char **)place, &err))
		config_field_error(reader, node, "%s", err.text);
	target_release(&target);
	check_url(reader, node);
}

static cJSON *show_redis_url(const struct config_field *field, const void *place)
{
	const char *url = *(const char *const *)place;

	(void)field;
	return url ? show_masked(url) : NULL;
}

static cJSON *schema_redis_url(const struct config_field *field)
{
	(void)field;
	return config_kind_schema_type("string");
}

static const struct config_kind redis_url = {read_redis_url, show_redis_url, schema_redis_url};

static void read_proxy(struct config_reader *reader, const struct json_node *node,
		       const struct config_field *field, void *place)
{
	config_kind_string.read(reader, node, field, place);
	if (node->type == JSON_STRING)
		check_url(reader, node);
}

static const struct config_kind proxy_url = {read_proxy, show_redis_url, schema_redis_url};

#define AT(member) offsetof(struct conf_redis, member)
static const struct config_field fields[] = {
    {.name = "url",
     .help = "where Redis is: redis://user:password@host:6379/0, rediss://, unix:///path, "
	     "redis-sentinel://host,host/0?sentinelMasterId=name",
     .kind = &redis_url,
     .offset = AT(url)},
    {.name = "user", .help = "ACL user", .kind = &config_kind_string, .offset = AT(user)},
    {.name = "password",
     .help = "its password; better ${env:NAME} or ${file:PATH}",
     .kind = &config_kind_string,
     .offset = AT(password),
     .flags = CONFIG_SECRET},
    {.name = "sentinel_user",
     .help = "ACL user at the sentinels of a redis-sentinel:// url, where they have one",
     .kind = &config_kind_string,
     .offset = AT(sentinel_user)},
    {.name = "sentinel_password",
     .help = "password at the sentinels; better ${env:NAME} or ${file:PATH}",
     .kind = &config_kind_string,
     .offset = AT(sentinel_password),
     .flags = CONFIG_SECRET},
    {.name = "cacert",
     .help = "PEM file of the authorities that are trusted instead of the system's",
     .kind = &config_kind_string,
     .offset = AT(cacert)},
    {.name = "cert",
     .help = "client certificate, a PEM file",
     .kind = &config_kind_string,
     .offset = AT(cert)},
    {.name = "key",
     .help = "its private key, a PEM file",
     .kind = &config_kind_string,
     .offset = AT(key)},
    {.name = "sni",
     .help = "server name that is sent and verified instead of the host",
     .kind = &config_kind_string,
     .offset = AT(sni)},
    {.name = "insecure",
     .help = "do not verify certificate and name",
     .kind = &config_kind_bool,
     .offset = AT(insecure),
     .flags = CONFIG_UNSET},
    {.name = "production",
     .help = "the prompt of a session shows it, in red",
     .kind = &config_kind_bool,
     .offset = AT(production),
     .flags = CONFIG_UNSET},
    {.name = "proxy",
     .help = "socks5://, socks5h://, socks4:// or http:// proxy to go through",
     .kind = &proxy_url,
     .offset = AT(proxy)},
    {.name = "timeout",
     .help = "longest wait without progress",
     .kind = &config_kind_duration,
     .offset = AT(timeout_ms),
     .flags = CONFIG_UNSET,
     .min = 1,
     .max = 3600000},
};

const struct config_object config_redis_object = {.what = "redis",
						  .fields = fields,
						  .count = sizeof fields / sizeof *fields,
						  .size = sizeof(struct conf_redis)};

static void put(char **place, const char *value)
{
	if (!value)
		return;
	free(*place);
	*place = mem_strdup(value);
}

static const struct conf_redis *redis_of(const struct config *config)
{
	static const struct conf_redis none;

	for (size_t i = config->doc_count; i-- > 0;)
		if (json_tree_get(config->docs[i].root, "redis"))
			return &config->roots[i].redis;
	return &none;
}

bool config_is_production(const struct config *config)
{
	return redis_of(config)->production;
}

int config_apply_redis(const struct config *config, struct target *target, struct err *err)
{
	const struct conf_redis *redis = redis_of(config);

	if (redis->url && target_parse_url(target, redis->url, err))
		return err_wrap(err, "%s: redis.url", config->origin);
	put(&target->user, redis->user);
	put(&target->password, redis->password);
	put(&target->sentinel_user, redis->sentinel_user);
	put(&target->sentinel_password, redis->sentinel_password);
	put(&target->cacert, redis->cacert);
	put(&target->cert, redis->cert);
	put(&target->key, redis->key);
	put(&target->sni, redis->sni);
	put(&target->proxy, redis->proxy);
	target->insecure = target->insecure || redis->insecure;
	if (redis->timeout_ms)
		target->timeout_ms = redis->timeout_ms;
	return 0;
}
