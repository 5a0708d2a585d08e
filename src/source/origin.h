#ifndef SOURCE_ORIGIN_H
#define SOURCE_ORIGIN_H

#include <stdbool.h>

struct buf;
struct err;

/*
 * The one place (scheme, host, port; RFC 6454) that a source may talk to, from
 * its base URL. Every request URL is made or checked here, so credentials
 * cannot reach another place.
 */
struct origin {
	char *prefix; /* the base URL without user info and trailing slash */
	char *scheme;
	char *host;
	char *port; /* spelled out, also the default one */
	char *user; /* from the base URL, decoded; or NULL */
	char *password;
};

/* 0, or -1 with ERR_CONFIG: not an http(s) URL, or one with a query. Never shows user info. */
int origin_init(struct origin *origin, const char *base_url, struct err *err);
void origin_release(struct origin *origin); /* wipes the password */

/*
 * Replaces url with the request URL of path: '/…' below the base URL, or an
 * absolute URL on the origin. -1 with ERR_ITEM: another origin, or bytes that
 * no URL holds.
 */
int origin_url(const struct origin *origin, const char *path, struct buf *url, struct err *err);
/*
 * Replaces url with where a Location header read there leads. -1 with ERR_ITEM
 * naming the target when that is not on the origin.
 */
int origin_follow(const struct origin *origin, const char *location, struct buf *url,
		  struct err *err);
/* Appends a URL for a message: its query, which may hold secrets, becomes "?…". */
void origin_describe(const char *url, struct buf *buf);

#endif
