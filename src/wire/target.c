#include "wire/target.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "wire/sentinel.h"

#include <stdlib.h>
#include <string.h>

#define HASTY_MS 1000

struct scheme {
	const char *name;
	bool tls;
	bool socket;
	bool sentinel;
};

static const struct scheme schemes[] = {
    {"redis", false, false, false},         {"rediss", true, false, false},
    {"valkey", false, false, false},        {"valkeys", true, false, false},
    {"unix", false, true, false},           {"redis-socket", false, true, false},
    {"redis+unix", false, true, false},     {"valkey+unix", false, true, false},
    {"valkey-socket", false, true, false},  {"redis-sentinel", false, false, true},
    {"redis+sentinel", false, false, true}, {"rediss-sentinel", true, false, true},
    {"rediss+sentinel", true, false, true}, {"valkey-sentinel", false, false, true},
};

/* The parts of a URL, still percent-encoded; ptr is NULL where a part is absent. */
struct url {
	const struct scheme *scheme;
	struct bytes user;
	struct bytes password;
	struct bytes host;
	struct bytes port;
	struct bytes place; /* host and port, or sentinels */
	struct bytes path;
	struct bytes query;
};

void target_init(struct target *target)
{
	*target = (struct target){.port = 6379, .timeout_ms = 5000};
	target->host = mem_strdup("127.0.0.1");
}

static void wipe_free(char *secret)
{
	if (secret)
		mem_wipe(secret, strlen(secret));
	free(secret);
}

void target_release(struct target *target)
{
	free(target->host);
	free(target->socket);
	free(target->user);
	wipe_free(target->password);
	free(target->cacert);
	free(target->cert);
	free(target->key);
	free(target->sni);
	sentinel_free(target->sentinel);
	free(target->sentinel_user);
	wipe_free(target->sentinel_password);
	wipe_free(target->proxy);
	*target = (struct target){0};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into a fresh string; a NUL or a broken escape is refused. */
static int decode(struct bytes part, const char *name, char **ret_text, struct err *err)
{
	char *text = mem_alloc(part.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < part.len; i++) {
		int byte = (unsigned char)part.ptr[i];

		if (byte == '%') {
			int high = i + 2 < part.len ? hex_digit(part.ptr[i + 1]) : -1;
			int low = i + 2 < part.len ? hex_digit(part.ptr[i + 2]) : -1;

			byte = high < 0 || low < 0 ? 0 : high * 16 + low;
			i += 2;
		}
		if (byte == 0) {
			text[len] = '\0'; /* wipe_free measures it */
			wipe_free(text);
			return err_set(err, ERR_USAGE,
				       "redis URL: the %s holds a broken percent escape (a "
				       "literal %% is written %%25)",
				       name);
		}
		text[len++] = (char)byte;
	}
	text[len] = '\0';
	*ret_text = text;
	return 0;
}

static struct bytes cut(struct bytes *rest, size_t at, size_t skip)
{
	struct bytes head = bytes_sub(*rest, 0, at);

	*rest = bytes_sub(*rest, at + skip, rest->len);
	return head;
}

static int split_scheme(struct bytes *rest, struct url *url, struct err *err)
{
	const char *mark = memmem(rest->ptr, rest->len, "://", 3);

	if (!mark)
		return err_set(err, ERR_USAGE,
			       "redis URL: no scheme (redis://HOST:PORT/DB, rediss:// for TLS, "
			       "unix:///PATH)");
	struct bytes name = cut(rest, (size_t)(mark - rest->ptr), 3);
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (bytes_equal_str(name, schemes[i].name)) {
			url->scheme = &schemes[i];
			return 0;
		}
	}
	/* Without a known scheme the text may be anything, a password too: do not repeat it. */
	return err_set(
	    err, ERR_USAGE,
	    "redis URL: unknown scheme (redis:// rediss:// valkey:// valkeys:// unix:// "
	    "redis-socket:// redis+unix:// redis-sentinel:// rediss-sentinel://)");
}

static int split_host(struct bytes place, struct url *url, struct err *err)
{
	size_t end = bytes_index(place, ':');

	if (place.len > 0 && place.ptr[0] == '[') {
		size_t close = bytes_index(place, ']');

		if (close == place.len)
			return err_set(err, ERR_USAGE, "redis URL: an IPv6 host lacks its ']'");
		url->host = bytes_sub(place, 1, close - 1);
		end = close + 1;
		if (end < place.len && place.ptr[end] != ':')
			return err_set(err, ERR_USAGE,
				       "redis URL: after the host's ']' only :PORT may follow");
	} else {
		url->host = bytes_sub(place, 0, end);
	}
	if (end < place.len)
		url->port = bytes_sub(place, end + 1, place.len);
	return 0;
}

static int split_parts(struct bytes rest, struct url *url, struct err *err)
{
	size_t end = 0;

	while (end < rest.len && !strchr("/?#", rest.ptr[end]))
		end++;
	struct bytes authority = cut(&rest, end, 0);
	size_t at = authority.len;
	while (at > 0 && authority.ptr[at - 1] != '@')
		at--;
	/* "redis://:pa/ss@host": the rest would be read as a host and be shown. */
	if (at == 0 && !url->scheme->socket && bytes_index(rest, '@') < rest.len)
		return err_set(
		    err, ERR_USAGE,
		    "redis URL: an '@' behind the host: in a password / ? # are written "
		    "%%2F %%3F %%23");
	if (at > 0) {
		struct bytes login = bytes_sub(authority, 0, at - 1);
		size_t colon = bytes_index(login, ':');

		url->user = bytes_sub(login, 0, colon);
		if (colon < login.len)
			url->password = bytes_sub(login, colon + 1, login.len);
		authority = bytes_sub(authority, at, authority.len);
	}
	size_t fragment = bytes_index(rest, '#');
	rest = bytes_sub(rest, 0, fragment);
	url->path = cut(&rest, bytes_index(rest, '?'), 1);
	url->query = rest;
	url->place = authority;
	return url->scheme->sentinel ? 0 : split_host(authority, url, err);
}

static int parse_db(struct bytes text, uint32_t *ret_db, struct err *err)
{
	uint64_t db = 0;

	if (num_parse_u64(text, 0, INT32_MAX, &db) < 0)
		return err_set(err, ERR_USAGE, "redis URL: the db '%.*s' is not a number",
			       BYTES_ARG(bytes_sub(text, 0, 40)));
	*ret_db = (uint32_t)db;
	return 0;
}

static int parse_query(const struct url *url, uint32_t *ret_db, char **ret_master,
		       struct err *err)
{
	struct bytes query = url->query;

	while (query.len > 0) {
		struct bytes value = cut(&query, bytes_index(query, '&'), 1);
		struct bytes name = cut(&value, bytes_index(value, '='), 1);

		if (url->scheme->sentinel && !*ret_master &&
		    bytes_equal_str(name, "sentinelMasterId")) {
			if (decode(value, "primary's name", ret_master, err) < 0)
				return -1;
			continue;
		}
		if (!bytes_equal_str(name, "db") && !bytes_equal_str(name, "database"))
			return err_set(
			    err, ERR_USAGE, "redis URL: only ?db=N%s is known behind '?'",
			    url->scheme->sentinel ? " and sentinelMasterId=NAME" : "");
		if (parse_db(value, ret_db, err) < 0)
			return -1;
	}
	return 0;
}

static void replace(char **field, char **text)
{
	if (!*text)
		return;
	wipe_free(*field);
	*field = *text;
	*text = NULL;
}

/* Everything a URL says, read before any of it is taken over. */
struct parsed {
	char *user;
	char *password;
	char *host;
	char *socket;
	char *master;
	struct sentinel *sentinel;
	uint32_t db;
	uint16_t port;
};

static int parse_place(const struct url *url, struct parsed *parsed, struct err *err)
{
	uint64_t port = parsed->port;

	if (url->scheme->socket) {
		/* unix://run/redis.sock is a common slip for unix:///run/redis.sock. */
		if (url->host.len > 0 || url->port.ptr || url->path.len < 2)
			return err_set(err, ERR_USAGE,
				       "redis URL: a socket needs an absolute path: "
				       "unix:///run/redis.sock");
		return decode(url->path, "socket path", &parsed->socket, err);
	}
	if (url->port.len > 0 && num_parse_u64(url->port, 1, 65535, &port) < 0)
		return err_set(err, ERR_USAGE,
			       "redis URL: the port is not a number from 1 to 65535");
	parsed->port = (uint16_t)port;
	if (url->host.len > 0 && decode(url->host, "host", &parsed->host, err) < 0)
		return -1;
	if (url->path.len > 1)
		return parse_db(bytes_sub(url->path, 1, url->path.len), &parsed->db, err);
	return 0;
}

static int parse_all(const struct url *url, struct parsed *parsed, struct err *err)
{
	if (parse_place(url, parsed, err) < 0 ||
	    parse_query(url, &parsed->db, &parsed->master, err) < 0)
		return -1;
	if (url->scheme->sentinel && !(parsed->master && *parsed->master))
		return err_set(
		    err, ERR_USAGE,
		    "redis URL: which primary the sentinels are asked for is missing: "
		    "redis-sentinel://HOST:26379,HOST/DB?sentinelMasterId=NAME");
	if (url->scheme->sentinel &&
	    sentinel_parse(url->place, bytes_of(parsed->master), &parsed->sentinel, err) < 0)
		return -1;
	if (url->user.len > 0 && decode(url->user, "user", &parsed->user, err) < 0)
		return -1;
	if (url->password.len > 0 &&
	    decode(url->password, "password", &parsed->password, err) < 0)
		return -1;
	return 0;
}

int target_parse_url(struct target *target, const char *url, struct err *err)
{
	struct url parts = {0};
	struct bytes rest = bytes_of(url);
	struct parsed parsed = {.db = target->db, .port = target->port};
	int status = -1;

	if (split_scheme(&rest, &parts, err) < 0 || split_parts(rest, &parts, err) < 0 ||
	    parse_all(&parts, &parsed, err) < 0)
		goto out;
	if (!parts.scheme->socket) {
		free(target->socket);
		target->socket = NULL;
	}
	target_forget_sentinel(target);
	target->sentinel = parsed.sentinel;
	parsed.sentinel = NULL;
	replace(&target->socket, &parsed.socket);
	replace(&target->host, &parsed.host);
	replace(&target->user, &parsed.user);
	replace(&target->password, &parsed.password);
	target->tls = parts.scheme->tls;
	target->db = parsed.db;
	target->port = parsed.port;
	status = 0;
out:
	free(parsed.user);
	wipe_free(parsed.password);
	free(parsed.host);
	free(parsed.socket);
	free(parsed.master);
	sentinel_free(parsed.sentinel);
	return status;
}

void target_forget_sentinel(struct target *target)
{
	sentinel_free(target->sentinel);
	target->sentinel = NULL;
}

void target_hasten(struct target *target)
{
	if (target->timeout_ms == 0 || target->timeout_ms > HASTY_MS)
		target->timeout_ms = HASTY_MS;
}

void target_describe_place(const struct target *target, struct buf *buf)
{
	if (target->tls)
		buf_add_str(buf, "tls://");
	if (target->socket)
		buf_printf(buf, "unix:%s", target->socket);
	else if (strchr(target->host, ':'))
		buf_printf(buf, "[%s]:%u", target->host, target->port);
	else
		buf_printf(buf, "%s:%u", target->host, target->port);
}

void target_describe(const struct target *target, struct buf *buf)
{
	if (target->sentinel) {
		sentinel_describe(target, buf);
		return;
	}
	target_describe_place(target, buf);
	buf_printf(buf, "/%u", target->db);
}
