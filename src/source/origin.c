#include "source/origin.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A part of url as our own memory, or NULL when it has none. */
static char *part(CURLU *url, CURLUPart which, unsigned flags)
{
	char *text = NULL;
	char *copy = NULL;

	if (curl_url_get(url, which, &text, flags) == CURLUE_OK)
		copy = mem_strdup(text);
	curl_free(text);
	return copy;
}

static bool part_equal(CURLU *url, CURLUPart which, const char *want)
{
	char *text = part(url, which, CURLU_DEFAULT_PORT);
	bool equal = text && strcasecmp(text, want) == 0;

	free(text);
	return equal;
}

static bool on_origin(const struct origin *origin, CURLU *url)
{
	return part_equal(url, CURLUPART_SCHEME, origin->scheme) &&
	       part_equal(url, CURLUPART_HOST, origin->host) &&
	       part_equal(url, CURLUPART_PORT, origin->port);
}

static void drop(CURLU *url, CURLUPart which)
{
	curl_url_set(url, which, NULL, 0);
}

static bool is_http(const char *scheme)
{
	return scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

/* The base URL without what is not part of a prefix. */
static char *prefix_of(CURLU *url)
{
	drop(url, CURLUPART_USER);
	drop(url, CURLUPART_PASSWORD);
	char *prefix = part(url, CURLUPART_URL, 0);
	size_t len = prefix ? strlen(prefix) : 0;

	while (len > 0 && prefix[len - 1] == '/')
		prefix[--len] = '\0';
	return prefix;
}

static int take_base(struct origin *origin, CURLU *url, struct err *err)
{
	char *query = part(url, CURLUPART_QUERY, 0);
	char *fragment = part(url, CURLUPART_FRAGMENT, 0);
	bool bare = !query && !fragment;

	free(query);
	free(fragment);
	origin->scheme = part(url, CURLUPART_SCHEME, 0);
	if (!is_http(origin->scheme))
		return err_set(err, ERR_CONFIG, "base_url must begin with http:// or https://");
	if (!bare)
		return err_set(err, ERR_CONFIG, "base_url may not hold a query or a fragment");
	origin->host = part(url, CURLUPART_HOST, 0);
	origin->port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	origin->user = part(url, CURLUPART_USER, CURLU_URLDECODE);
	origin->password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
	origin->prefix = prefix_of(url);
	if (!origin->host || !origin->port || !origin->prefix)
		return err_set(err, ERR_CONFIG, "base_url is not a URL");
	return 0;
}

int origin_init(struct origin *origin, const char *base_url, struct err *err)
{
	CURLU *url = curl_url();
	int status = -1;

	*origin = (struct origin){0};
	CURLUcode code = curl_url_set(url, CURLUPART_URL, base_url,
				      CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
	if (code != CURLUE_OK)
		err_set(err, ERR_CONFIG, "base_url is not a URL: %s", curl_url_strerror(code));
	else
		status = take_base(origin, url, err);
	curl_url_cleanup(url);
	if (status < 0)
		origin_release(origin);
	return status;
}

void origin_release(struct origin *origin)
{
	if (origin->password)
		mem_wipe(origin->password, strlen(origin->password));
	free(origin->prefix);
	free(origin->scheme);
	free(origin->host);
	free(origin->port);
	free(origin->user);
	free(origin->password);
	*origin = (struct origin){0};
}

/* Replaces url with the whole of parsed when it is on the origin. */
static int adopt(const struct origin *origin, CURLU *parsed, struct buf *url, struct err *err)
{
	drop(parsed, CURLUPART_USER);
	drop(parsed, CURLUPART_PASSWORD);
	drop(parsed, CURLUPART_FRAGMENT);
	char *text = part(parsed, CURLUPART_URL, 0);
	int status = 0;

	if (text && on_origin(origin, parsed)) {
		buf_clear(url);
		buf_add_str(url, text);
	} else {
		struct buf shown = {0};

		origin_describe(text ? text : "?", &shown);
		status = err_set(err, ERR_ITEM, "leads to %s, which is not on %s://%s:%s",
				 buf_str(&shown), origin->scheme, origin->host, origin->port);
		buf_release(&shown);
	}
	free(text);
	return status;
}

static bool is_url_text(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' ||
		    *text == 0x7f) /* plain char: bytes above ASCII are negative */
			return false;
	return true;
}

int origin_url(const struct origin *origin, const char *path, struct buf *url, struct err *err)
{
	int status = 0;

	if (!is_url_text(path))
		return err_set(err, ERR_ITEM, "the path is not percent-encoded");
	if (path[0] == '/') {
		buf_clear(url);
		buf_add_str(url, origin->prefix);
		buf_add_str(url, path);
		return 0;
	}
	CURLU *parsed = curl_url();
	if (curl_url_set(parsed, CURLUPART_URL, path,
			 CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS) == CURLUE_OK)
		status = adopt(origin, parsed, url, err);
	else
		status =
		    err_set(err, ERR_ITEM, "neither a path that begins with '/' nor a URL");
	curl_url_cleanup(parsed);
	return status;
}

int origin_follow(const struct origin *origin, const char *location, struct buf *url,
		  struct err *err)
{
	CURLU *parsed = curl_url();
	int status = 0;

	/* Set twice, curl_url_set resolves the second against the first (RFC 3986 §5). */
	if (curl_url_set(parsed, CURLUPART_URL, buf_str(url), CURLU_PATH_AS_IS) == CURLUE_OK &&
	    curl_url_set(parsed, CURLUPART_URL, location,
			 CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) == CURLUE_OK)
		status = adopt(origin, parsed, url, err);
	else
		status = err_set(err, ERR_ITEM, "leads to something that is not a URL");
	curl_url_cleanup(parsed);
	return status;
}

void origin_describe(const char *url, struct buf *buf)
{
	size_t plain = strcspn(url, "?#");

	buf_add(buf, (struct bytes){url, plain});
	if (url[plain] == '?')
		buf_add_str(buf, "?…");
}
