#ifndef WIRE_TRANSPORT_H
#define WIRE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct target;

/*
 * A byte stream to a server, opened by libcurl (CURLOPT_CONNECT_ONLY): DNS,
 * TCP, unix sockets, TLS, proxies, connect timeout. Non-blocking once open.
 * The program ignores SIGPIPE: TLS writes may raise it.
 */
struct transport;

enum transport_status {
	TRANSPORT_OK,     /* *ret_done > 0 bytes moved */
	TRANSPORT_AGAIN,  /* nothing now: poll, then again (a send with the same address and
			     length) */
	TRANSPORT_CLOSED, /* the peer closed, or the connection broke: err says */
};

/*
 * 0, or -1 with ERR_REDIS. The text tells refused, unresolvable, timed out,
 * certificate expired / unknown / of another name, TLS offered to a plain
 * port, missing certificate files apart, each with its remedy.
 * *cancel (may be NULL) turning non-zero ends the wait with ERR_INTERRUPTED.
 */
int transport_open(const struct target *target, const volatile int *cancel,
		   struct transport **ret_transport, struct err *err);
void transport_close(struct transport *transport);
/*
 * Sends from data. After AGAIN the same data and len must be offered until
 * they are taken (TLS demands the same address).
 */
enum transport_status transport_send(struct transport *transport, const char *data, size_t len,
				     size_t *ret_done, struct err *err);
enum transport_status transport_recv(struct transport *transport, char *data, size_t len,
				     size_t *ret_done, struct err *err);
/*
 * Waits for events (POLLIN, POLLOUT) on the descriptor, or only for the time
 * when transport is NULL. 1 ready, 0 the time is over (timeout_ms -1: never),
 * -1 with ERR_INTERRUPTED.
 */
int transport_wait(const struct transport *transport, short events, int timeout_ms,
		   const volatile int *cancel, struct err *err);
/* The descriptor to poll. Read until AGAIN before polling: TLS may hold decrypted bytes. */
int transport_fd(const struct transport *transport);

#endif
