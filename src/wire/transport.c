#include "wire/transport.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/target.h"
#include "wire/transport_error.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long a wait may last before *cancel is looked at. */
#define CANCEL_MS 100

/*
 * The easy handle stays in a multi of its own: that made the connection
 * interruptible, curl_easy_send finds it in there, and since the multi is never
 * run again nothing closes it for its age.
 */
struct transport {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *connect_to;
	int fd;
	bool reached;         /* a socket was connected before it was closed again */
	char last_words[200]; /* what came over it until then */
	char detail[CURL_ERROR_SIZE];
};

static bool cancelled(const volatile int *cancel)
{
	return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED);
}

static int interrupted(struct err *err)
{
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}

/* [::1] for IPv6, its zone's '%' escaped. */
static void add_host(struct buf *buf, const char *host, bool escape_zone)
{
	bool ipv6 = strchr(host, ':') != NULL;

	buf_add_str(buf, ipv6 ? "[" : "");
	for (const char *at = host; *at; at++) {
		if (*at == '%' && ipv6 && escape_zone)
			buf_add_str(buf, "%25");
		else
			buf_add_char(buf, *at);
	}
	buf_add_str(buf, ipv6 ? "]" : "");
}

/* https://NAME:PORT for TLS: libcurl sends and verifies NAME; --sni goes here. */
static int set_url(struct transport *transport, const struct target *target, struct err *err)
{
	const char *name = target->socket ? "localhost" : target->host;
	struct buf url = {0};
	struct buf route = {0};
	int status = 0;

	/* A host with these would be read as another part of the URL. */
	if (strpbrk(name, "/?#@\\ ") || (target->sni && strpbrk(target->sni, "/?#@\\:% "))) {
		status = err_set(err, ERR_USAGE, "'%s' is not a host name", name);
		goto out;
	}
	buf_add_str(&url, target->tls ? "https://" : "http://");
	add_host(&url, target->sni ? target->sni : name, true);
	buf_printf(&url, ":%u", target->socket ? 6379U : target->port);
	curl_easy_setopt(transport->easy, CURLOPT_URL, buf_str(&url));
	if (target->socket) {
		if (curl_easy_setopt(transport->easy, CURLOPT_UNIX_SOCKET_PATH, target->socket))
			status = err_set(err, ERR_USAGE, "the socket path is too long");
	} else if (target->sni) {
		buf_add_str(&route, "::");
		add_host(&route, name, false);
		buf_add_str(&route, ":");
		transport->connect_to = curl_slist_append(NULL, buf_str(&route));
		curl_easy_setopt(transport->easy, CURLOPT_CONNECT_TO, transport->connect_to);
	}
out:
	buf_release(&url);
	buf_release(&route);
	return status;
}

static int check_readable(const char *option, const char *path, struct err *err)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (path && fd < 0)
		return err_set(err, ERR_REDIS, "%s '%s': %s", option, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

static int set_tls(CURL *easy, const struct target *target, struct err *err)
{
	if (!target->tls)
		return 0;
	if (check_readable("--cacert", target->cacert, err) < 0 ||
	    check_readable("--cert", target->cert, err) < 0 ||
	    check_readable("--key", target->key, err) < 0)
		return -1;
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (target->cacert) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, target->cacert);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (target->cert)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, target->cert);
	if (target->key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, target->key);
	if (target->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return 0;
}

/*
 * Tells "no TLS answer" from "no connection": libcurl's connect time covers both. And of a
 * unix socket whose server said why it hangs up at once libcurl says it cannot connect.
 */
static int close_socket(void *ctx, curl_socket_t fd)
{
	struct transport *transport = ctx;
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof peer;

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0)
		transport->reached = true;
	if (transport->fd < 0) {
		ssize_t len = recv(fd, transport->last_words, sizeof transport->last_words - 1,
				   MSG_DONTWAIT);

		transport->last_words[len > 0 ? len : 0] = '\0';
	}
	return close(fd);
}

static void set_connection(struct transport *transport, const struct target *target)
{
	CURL *easy = transport->easy;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transport->detail);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A name server that is silent keeps its thread busy for half a minute. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)target->timeout_ms);
	/* Empty, not unset: unset, the environment's http_proxy and no_proxy would count. */
	curl_easy_setopt(easy, CURLOPT_PROXY, target->proxy ? target->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transport);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/* Runs the connect phase to its end. */
static int connect_now(struct transport *transport, const struct target *target,
		       const volatile int *cancel, struct err *err)
{
	int running = 1;
	int left = 0;

	while (running) {
		if (cancelled(cancel))
			return interrupted(err);
		if (curl_multi_perform(transport->multi, &running) != CURLM_OK)
			return err_set(err, ERR_REDIS,
				       "cannot connect: libcurl refused to run");
		if (running)
			curl_multi_poll(transport->multi, NULL, 0, CANCEL_MS, NULL);
	}
	const CURLMsg *msg = curl_multi_info_read(transport->multi, &left);
	if (!msg || msg->msg != CURLMSG_DONE)
		return err_set(err, ERR_REDIS, "cannot connect: libcurl gave no result");
	if (msg->data.result == CURLE_COULDNT_CONNECT && transport->last_words[0] == '-')
		return transport_error_told(bytes_of(transport->last_words + 1), err);
	if (msg->data.result != CURLE_OK)
		return transport_error_open(target, transport->easy, msg->data.result,
					    transport->reached, transport->detail, err);
	return 0;
}

static int adopt_socket(struct transport *transport, struct err *err)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(transport->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return err_set(err, ERR_REDIS, "the connection closed as soon as it was made");
	/* Source commands are child processes: they must not inherit it. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	transport->fd = fd;
	return 0;
}

int transport_open(const struct target *target, const volatile int *cancel,
		   struct transport **ret_transport, struct err *err)
{
	struct transport *transport = mem_zalloc(1, sizeof *transport);

	transport->fd = -1;
	transport->easy = curl_easy_init();
	transport->multi = curl_multi_init();
	if (!transport->easy || !transport->multi)
		abort();
	set_connection(transport, target);
	if (set_url(transport, target, err) < 0 || set_tls(transport->easy, target, err) < 0)
		goto fail;
	curl_multi_add_handle(transport->multi, transport->easy);
	if (connect_now(transport, target, cancel, err) < 0 || adopt_socket(transport, err) < 0)
		goto fail;
	*ret_transport = transport;
	return 0;
fail:
	transport_close(transport);
	return -1;
}

void transport_close(struct transport *transport)
{
	if (!transport)
		return;
	curl_multi_remove_handle(transport->multi, transport->easy);
	curl_easy_cleanup(transport->easy);
	curl_multi_cleanup(transport->multi);
	curl_slist_free_all(transport->connect_to);
	free(transport);
}

static enum transport_status broken(struct transport *transport, struct err *err)
{
	transport_error_broken(transport->detail, err);
	return TRANSPORT_CLOSED;
}

enum transport_status transport_send(struct transport *transport, const char *data, size_t len,
				     size_t *ret_done, struct err *err)
{
	size_t done = 0;

	transport->detail[0] = '\0';
	CURLcode code = curl_easy_send(transport->easy, data, len, &done);
	if (code == CURLE_AGAIN)
		return TRANSPORT_AGAIN;
	if (code != CURLE_OK)
		return broken(transport, err);
	*ret_done = done;
	return done > 0 ? TRANSPORT_OK : TRANSPORT_AGAIN;
}

enum transport_status transport_recv(struct transport *transport, char *data, size_t len,
				     size_t *ret_done, struct err *err)
{
	size_t done = 0;

	transport->detail[0] = '\0';
	CURLcode code = curl_easy_recv(transport->easy, data, len, &done);
	if (code == CURLE_AGAIN)
		return TRANSPORT_AGAIN;
	if (code != CURLE_OK)
		return broken(transport, err);
	if (done == 0) {
		err_set(err, ERR_REDIS, "the server closed the connection");
		return TRANSPORT_CLOSED;
	}
	*ret_done = done;
	return TRANSPORT_OK;
}

int transport_wait(const struct transport *transport, short events, int timeout_ms,
		   const volatile int *cancel, struct err *err)
{
	struct pollfd pfd = {.fd = transport ? transport->fd : -1, .events = events};
	uint64_t deadline = timeout_ms < 0 ? 0 : clock_mono_ms() + (uint64_t)timeout_ms;

	for (;;) {
		int left = clock_until_ms(deadline);
		int slice = left < 0 || left > CANCEL_MS ? CANCEL_MS : left;

		if (cancelled(cancel))
			return interrupted(err);
		if (poll(&pfd, 1, slice) > 0)
			return 1;
		if (left == 0)
			return 0;
	}
}

int transport_fd(const struct transport *transport)
{
	return transport->fd;
}
