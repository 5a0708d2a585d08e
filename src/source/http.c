#include "source/http.h"

#include "base/mem.h"
#include "base/num.h"
#include "source/origin.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEEP_BODY ((size_t)256 * 1024) /* body memory that an idle handle keeps */
#define CONDITION_MAX 4096      /* longer ones are not sent; servers refuse 8 KB of headers */
#define MAX_AGE_LIMIT INT32_MAX /* RFC 9111 §1.2.2: at least 2^31 counts as endless */

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http *http = ctx;
	size_t len = size * count;

	if (http->max_body && len > http->max_body - http->body.len) {
		http->over_limit = true;
		return 0;
	}
	buf_add(&http->body, (struct bytes){data, len});
	return len;
}

/*
 * What Content-Length may say: max_body counts decoded bytes, and a coding may
 * make a small body a little longer. take_body counts exactly.
 */
static curl_off_t announced_limit(uint64_t max_body)
{
	if (max_body == 0 || max_body > INT64_MAX / 2)
		return 0;
	return (curl_off_t)(max_body + max_body / 1024 + 1024);
}

static void set_limits(CURL *easy, const struct source_def *def)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)def->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)def->connect_ms);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, announced_limit(def->max_body));
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* no wait for a silent name server */
}

static void set_identity(CURL *easy, const struct source_def *def, const struct origin *origin)
{
	if (def->cacert)
		curl_easy_setopt(easy, CURLOPT_CAINFO, def->cacert);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, def->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, def->insecure ? 0L : 2L);
	if (origin->user)
		curl_easy_setopt(easy, CURLOPT_USERNAME, origin->user);
	if (origin->password)
		curl_easy_setopt(easy, CURLOPT_PASSWORD, origin->password);
}

/* The source's own headers stay: they only hang behind the conditions. */
static void drop_conditions(struct http *http)
{
	struct curl_slist *last = http->conditions;

	if (!last)
		return;
	while (last->next != http->headers)
		last = last->next;
	last->next = NULL;
	curl_slist_free_all(http->conditions);
	http->conditions = NULL;
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
}

/* From an earlier answer, perhaps by way of a cache that others write to. */
static struct curl_slist *add_condition(struct curl_slist *list, const char *name,
					struct bytes value)
{
	if (value.len == 0 || value.len > CONDITION_MAX)
		return list;
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
			return list;
	char *line = mem_printf("%s: %.*s", name, BYTES_ARG(value));
	list = curl_slist_append(list, line);
	free(line);
	return list;
}

void http_condition(struct http *http, struct bytes etag, struct bytes last_modified)
{
	struct curl_slist *last = NULL;

	drop_conditions(http);
	http->conditions = add_condition(NULL, "If-None-Match", etag);
	http->conditions = add_condition(http->conditions, "If-Modified-Since", last_modified);
	if (!http->conditions)
		return;
	for (last = http->conditions; last->next;)
		last = last->next;
	last->next = http->headers;
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->conditions);
}

struct http *http_new(const struct source_def *def, const struct origin *origin,
		      struct curl_slist *headers, const char *user_agent)
{
	struct http *http = mem_zalloc(1, sizeof *http);
	CURL *easy = curl_easy_init();

	if (!easy)
		abort(); /* only when memory is out, see base/mem */
	http->easy = easy;
	http->headers = headers;
	http->max_body = def->max_body;
	set_limits(easy, def);
	set_identity(easy, def, origin);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->message);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, http);
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	drop_conditions(http);
	curl_easy_cleanup(http->easy);
	buf_release(&http->body);
	free(http);
}

void http_start(struct http *http, CURLM *multi, const char *url, bool json)
{
	buf_clear(&http->body);
	http->over_limit = false;
	http->message[0] = '\0';
	if (json != http->decodes)
		curl_easy_setopt(http->easy, CURLOPT_ACCEPT_ENCODING, json ? "" : NULL);
	http->decodes = json;
	curl_easy_setopt(http->easy, CURLOPT_URL, url);
	curl_multi_add_handle(multi, http->easy);
}

void http_stop(struct http *http, CURLM *multi)
{
	curl_multi_remove_handle(multi, http->easy);
}

void http_finish(const struct http *http, CURLcode code, struct http_result *ret_result)
{
	long status = 0;
	curl_off_t connect_us = 0;

	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		curl_easy_getinfo(http->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
	*ret_result = (struct http_result){
	    .code = code,
	    .status = status > 0 ? (unsigned)status : 0,
	    .body = buf_bytes(&http->body),
	    .over_limit = http->over_limit || code == CURLE_FILESIZE_EXCEEDED,
	    .coding = http->decodes ? NULL : http_header(http, "Content-Encoding"),
	    .conditional = http->conditions != NULL,
	    .connected = code == CURLE_OK || connect_us > 0,
	    .message = http->message[0] ? http->message : curl_easy_strerror(code),
	};
}

void http_clear(struct http *http)
{
	if (http->body.size > KEEP_BODY)
		buf_release(&http->body);
	else
		buf_clear(&http->body);
}

const char *http_header(const struct http *http, const char *name)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

/* One directive, "name" or "name=value", folded into the age. */
static int64_t fold_directive(struct bytes directive, int64_t age)
{
	static const struct bytes prefix = {"max-age=", 8};
	uint64_t seconds = 0;

	if ((directive.len == 8 && strncasecmp(directive.ptr, "no-store", 8) == 0) ||
	    (directive.len == 8 && strncasecmp(directive.ptr, "no-cache", 8) == 0))
		return 0;
	if (age == 0 || directive.len < prefix.len ||
	    strncasecmp(directive.ptr, prefix.ptr, prefix.len) != 0)
		return age;
	struct bytes value = bytes_sub(directive, prefix.len, directive.len);
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		value = bytes_sub(value, 1, value.len - 2);
	if (num_parse_u64(value, 0, UINT64_MAX, &seconds) < 0)
		return 0; /* RFC 9111 §4.2.1: freshness that cannot be read counts as stale */
	return seconds > MAX_AGE_LIMIT ? MAX_AGE_LIMIT : (int64_t)seconds;
}

/* Walks the comma-separated directives; commas within quotes belong to a value. */
static int64_t fold_cache_control(const char *text, int64_t age)
{
	while (*text) {
		size_t len = 0;
		bool quoted = false;

		text += strspn(text, " \t,");
		for (; text[len] && (quoted || text[len] != ','); len++)
			quoted ^= text[len] == '"';
		struct bytes directive = {text, len};
		while (directive.len && strchr(" \t", directive.ptr[directive.len - 1]))
			directive.len--;
		age = fold_directive(directive, age);
		text += len;
	}
	return age;
}

int64_t http_max_age_s(const struct http *http)
{
	struct curl_header *header = NULL;
	int64_t age = -1;

	for (size_t i = 0; curl_easy_header(http->easy, "Cache-Control", i, CURLH_HEADER, -1,
					    &header) == CURLHE_OK;
	     i++)
		age = fold_cache_control(header->value, age);
	return age;
}

uint64_t http_retry_after_s(const struct http *http)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? (uint64_t)seconds : 0;
}

/* RFC 9110 §5.6.2: a name is a token; §5.5: a value holds no control bytes. */
static bool is_sendable(const struct source_header *header)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (!header->name[0] || header->name[strspn(header->name, token)])
		return false;
	return header->value[strcspn(header->value, "\r\n")] == '\0';
}

int http_headers(const struct source_def *def, struct curl_slist **ret_list,
		 const char **ret_bad)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < def->header_count; i++) {
		const struct source_header *header = &def->headers[i];

		if (!is_sendable(header)) {
			*ret_bad = header->name;
			curl_slist_free_all(list);
			return -1;
		}
		/* For curl "Name:" means "leave it out"; "Name;" sends it without a value. */
		char *line = header->value[0]
				 ? mem_printf("%s: %s", header->name, header->value)
				 : mem_printf("%s;", header->name);
		list = curl_slist_append(list, line);
		mem_wipe(line, strlen(line));
		free(line);
	}
	*ret_list = list;
	return 0;
}
