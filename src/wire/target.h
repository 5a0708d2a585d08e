#ifndef WIRE_TARGET_H
#define WIRE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct sentinel;

/* Where a Redis is and how to get in. Strings are owned; NULL when not given. */
struct target {
	char *host; /* a name, IPv4 or IPv6 without brackets; or NULL with socket */
	uint16_t port;
	char *socket; /* path of a unix socket; wins over host */
	uint32_t db;
	char *user;
	char *password;
	bool tls;
	char *cacert;  /* PEM file; NULL: the system's */
	char *cert;    /* client certificate, PEM file */
	char *key;     /* its private key */
	char *sni;     /* server name sent and verified instead of host */
	bool insecure; /* no verification of certificate and name */
	char *proxy; /* socks5://, socks5h://, socks4://, http:// ; NULL: none, the environment
			does not count */
	struct sentinel *sentinel; /* knows where the server is, host and port do not; or NULL
				    */
	char *sentinel_user;       /* for the sentinels themselves */
	char *sentinel_password;
	bool is_sentinel;     /* the server is one of them */
	bool must_be_primary; /* one that became a replica is not connected to */
	bool readonly;        /* a cluster's node: reads are answered there, replica or not */
	bool asks_once;       /* one that loads its data, or is busy, is not asked again */
	uint64_t timeout_ms;  /* without progress, per command; also connecting */
};

/* 127.0.0.1:6379, db 0, timeout 5 s. */
void target_init(struct target *target);
void target_release(struct target *target); /* wipes the password */
/*
 * Reads redis:// rediss:// valkey:// valkeys:// (user:password@host:port/db,
 * [::1] in brackets, percent-encoded parts; ?db=N), unix:// redis-socket://
 * redis+unix:// (path, ?db=N or ?database=N, user:password@). What the URL does
 * not say stays as it is in target. redis-sentinel:// rediss-sentinel:// list
 * sentinels (h1:26379,h2/db?sentinelMasterId=name). ERR_USAGE names the part that is wrong,
 * never the password.
 */
int target_parse_url(struct target *target, const char *url, struct err *err);
/* The server is where host, port or socket say, whatever a URL said of sentinels. */
void target_forget_sentinel(struct target *target);
/* For one of several that can be asked: who says nothing for a second is not waited for. */
void target_hasten(struct target *target);
/* Appends "127.0.0.1:6379/0", "[::1]:6379/2", "tls://host:6380/0" or "unix:/path/0"; never a
 * secret. */
void target_describe(const struct target *target, struct buf *buf);
/* The same without the db; of a target without sentinels. */
void target_describe_place(const struct target *target, struct buf *buf);

#endif
