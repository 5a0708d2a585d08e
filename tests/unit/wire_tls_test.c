#include "client.h"

#include "base/buf.h"

#include <poll.h>

/*
 * Certificates are made by the openssl command into the server's directory:
 * ca (trusted), good (localhost, 127.0.0.1), other (other.example), old
 * (expired), client; lone is signed by itself.
 */
static struct server plain; /* its directory holds the certificates */

static void shell(const char *const *argv)
{
	int status = 0;
	pid_t pid = server_spawn(plain.dir, (char *const *)argv);

	if (waitpid(pid, &status, 0) < 0 || status != 0) {
		printf("Bail out! %s %s failed\n", argv[0], argv[1]);
		exit(1);
	}
}

static void make_certificate(const char *name, const char *san, const char *days)
{
	char key[64];
	char csr[64];
	char crt[64];
	char ext[64];
	char path[256];

	snprintf(key, sizeof key, "%s.key", name);
	snprintf(csr, sizeof csr, "%s.csr", name);
	snprintf(crt, sizeof crt, "%s.crt", name);
	snprintf(ext, sizeof ext, "%s.ext", name);
	snprintf(path, sizeof path, "%s/%s", plain.dir, ext);
	FILE *file = fopen(path, "w");
	fprintf(file, "subjectAltName=%s\n", san);
	fclose(file);
	shell((const char *[]){"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
			       "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test",
			       "-keyout", key, "-out", csr, NULL});
	shell((const char *[]){"openssl", "x509", "-req", "-in", csr, "-CA", "ca.crt", "-CAkey",
			       "ca.key", "-CAcreateserial", "-days", days, "-extfile", ext,
			       "-out", crt, NULL});
}

static void make_certificates(void)
{
	for (const char *const *name = (const char *const[]){"ca", "lone", NULL}; *name;
	     name++) {
		char key[64];
		char crt[64];

		snprintf(key, sizeof key, "%s.key", *name);
		snprintf(crt, sizeof crt, "%s.crt", *name);
		shell((const char *[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
				       "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
				       "-subj", "/CN=ours", "-addext",
				       "subjectAltName=DNS:localhost", "-keyout", key, "-out",
				       crt, NULL});
	}
	make_certificate("good", "DNS:localhost,IP:127.0.0.1", "9");
	make_certificate("other", "DNS:other.example", "9");
	make_certificate("old", "DNS:localhost,IP:127.0.0.1", "-1");
	make_certificate("client", "DNS:client", "9");
}

static char *file_of(const char *name)
{
	return mem_printf("%s/%s", plain.dir, name);
}

/* A TLS server with that certificate, on its own port; clients is "yes" or "no". */
static void tls_start(struct server *server, const char *name, const char *clients)
{
	char port[16];
	char crt[200];
	char key[200];
	char ca[200];

	snprintf(port, sizeof port, "%u", server_free_port());
	snprintf(crt, sizeof crt, "%s/%s.crt", plain.dir, name);
	snprintf(key, sizeof key, "%s/%s.key", plain.dir, name);
	snprintf(ca, sizeof ca, "%s/ca.crt", plain.dir);
	server_start(server, false,
		     (const char *[]){"--tls-port", port, "--tls-cert-file", crt,
				      "--tls-key-file", key, "--tls-ca-cert-file", ca,
				      "--tls-auth-clients", clients, NULL});
	server->port = (unsigned)strtoul(port, NULL, 10);
}

static void client_tls(struct client *client, const struct server *server, const char *ca)
{
	client_tcp(client, server, "");
	client->target.tls = true;
	client->target.timeout_ms = 2000;
	client->target.cacert = ca ? file_of(ca) : NULL;
}

static void works(struct client *client)
{
	CHECK_BYTES(client_call(client, BYTES("PING"), NO, NO)->text, BYTES("PONG"));
	client_close(client);
}

static void refused(struct client *client, const char *part, const char *remedy)
{
	CHECK_INT(redis_connect(client->redis, &client->err), -1);
	CHECK_INT(client->err.kind, ERR_REDIS);
	CHECK_HAS(client->err.text, "redis tls://");
	CHECK_HAS(client->err.text, part);
	CHECK_HAS(client->err.text, remedy);
	client_close(client);
}

static void host_is(struct client *client, const char *host)
{
	free(client->target.host);
	client->target.host = mem_strdup(host);
}

TEST(verified_by_default)
{
	struct server server;
	struct client client;

	tls_start(&server, "good", "no");
	client_tls(&client, &server, "ca.crt");
	works(&client);
	client_tls(&client, &server, "ca.crt");
	host_is(&client, "localhost");
	works(&client);
	client_tls(&client, &server, NULL);
	refused(&client, "issued by an authority that is not trusted here", "--cacert");
	client_tls(&client, &server, "lone.crt");
	refused(&client, "not trusted by the --cacert file", "--cacert");
	client_tls(&client, &server, NULL);
	client.target.insecure = true;
	works(&client);
	client_tls(&client, &server, "ca.crt");
	client.target.sni = mem_strdup("wrong.example");
	refused(&client, "not for the name 'wrong.example'", "--sni");
	server_stop(&server);
}

TEST(names_and_dates_count)
{
	struct server server;
	struct client client;

	tls_start(&server, "other", "no");
	client_tls(&client, &server, "ca.crt");
	refused(&client, "not for the name '127.0.0.1'", "--sni");
	client_tls(&client, &server, "ca.crt");
	client.target.sni = mem_strdup("other.example");
	works(&client);
	server_stop(&server);
	tls_start(&server, "old", "no");
	client_tls(&client, &server, "ca.crt");
	refused(&client, "has expired", "renew");
	server_stop(&server);
}

TEST(mutual_tls)
{
	struct server server;
	struct client client;

	tls_start(&server, "good", "yes");
	client_tls(&client, &server, "ca.crt");
	client.target.cert = file_of("client.crt");
	client.target.key = file_of("client.key");
	works(&client);
	client_tls(&client, &server, "ca.crt");
	refused(&client, "certificate", "--cert");
	client_tls(&client, &server, "ca.crt");
	client.target.cert = file_of("lone.crt");
	client.target.key = file_of("lone.key");
	refused(&client, "certificate", "--cert");
	client_tls(&client, &server, "ca.crt");
	client.target.cert = file_of("client.crt");
	client.target.key = file_of("lone.key");
	refused(&client, "--key", "belong together");
	client_tls(&client, &server, "missing.crt");
	refused(&client, "--cacert", "No such file");
	client_tls(&client, &server, "ca.crt");
	client.target.cert = file_of("missing.crt");
	refused(&client, "--cert", "No such file");
	client_tls(&client, &server, "ca.key");
	refused(&client, "--cacert", "PEM");
	server_stop(&server);
}

TEST(tls_and_plain_mixed_up)
{
	struct server server;
	struct client client;

	client_tls(&client, &plain, "ca.crt");
	client.target.timeout_ms = 500;
	refused(&client, "not speak TLS", "drop --tls or use redis://");
	tls_start(&server, "good", "no");
	client_tcp(&client, &server, "");
	CHECK_INT(redis_connect(client.redis, &client.err), -1);
	CHECK_HAS(client.err.text, "TLS");
	printf("# %s\n", client.err.text);
	client_close(&client);
	server_stop(&server);
}

#define BIG ((size_t)100 * 1000 * 1000)

/* Bytes that repeat at no power of two, so that a block sent twice or skipped shows. */
static void fill(char *data, size_t len)
{
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		data[i] = (char)(state >> 24);
	}
}

static void keep_text(void *ctx, const struct reply *reply)
{
	struct buf *buf = ctx;

	buf_add(buf, reply->text);
}

/*
 * The server is stopped, the client sends until nothing more goes, offers the
 * same again in vain, and the server goes on until there is room.
 */
static void stall(struct server *server, struct client *client)
{
	struct redis_wait wait;
	uint64_t before = redis_counts(client->redis)->bytes_sent;

	kill(server->pid, SIGSTOP);
	CHECK(SERVER_UNTIL(server_is_stopped(server->pid)));
	CHECK_INT(redis_turn(client->redis, &client->err), 0);
	uint64_t sent = redis_counts(client->redis)->bytes_sent;
	CHECK(sent > before);
	CHECK_INT(redis_turn(client->redis, &client->err), 0);
	CHECK_INT(redis_counts(client->redis)->bytes_sent, sent);
	redis_wait(client->redis, &wait);
	struct pollfd pfd = {.fd = wait.fd, .events = POLLOUT};
	CHECK(wait.events & POLLOUT);
	CHECK_INT(poll(&pfd, 1, 0), 0);
	kill(server->pid, SIGCONT);
	CHECK_INT(poll(&pfd, 1, SERVER_DEADLINE_MS), 1);
}

TEST(a_large_value_into_a_stalled_server)
{
	struct server server;
	struct client client;
	struct buf back = {0};
	char *value = mem_alloc(BIG);
	struct bytes argv[] = {BYTES("SET"), BYTES("big"), {value, BIG}};
	struct redis_command set = {.argv = argv, .argc = 3};
	struct redis_command get = {.argv = argv, .argc = 2, .fn = keep_text, .ctx = &back};

	fill(value, BIG);
	tls_start(&server, "good", "no");
	client_tls(&client, &server, "ca.crt");
	client.target.timeout_ms = 10000;
	struct redis_limits limits = redis_limits(client.redis);
	limits.max_bulk = BIG + 4096;
	redis_set_limits(client.redis, &limits);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	CHECK_INT(redis_submit(client.redis, &set, &client.err), 0);
	memset(value, 0, BIG); /* it was copied */
	for (int i = 0; i < 5; i++)
		stall(&server, &client);
	CHECK(redis_counts(client.redis)->bytes_sent < BIG);
	kill(server.pid, SIGCONT);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	argv[0] = BYTES("GET");
	CHECK_INT(redis_submit(client.redis, &get, &client.err), 0);
	CHECK_INT(redis_drain(client.redis, 0, &client.err), 0);
	fill(value, BIG);
	CHECK(bytes_equal(buf_bytes(&back), (struct bytes){value, BIG}));
	CHECK_INT(redis_counts(client.redis)->reconnects, 0);
	buf_release(&back);
	free(value);
	client_close(&client);
	server_stop(&server);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	server_start(&plain, true, NULL);
	make_certificates();
	RUN(verified_by_default);
	RUN(names_and_dates_count);
	RUN(mutual_tls);
	RUN(tls_and_plain_mixed_up);
	RUN(a_large_value_into_a_stalled_server);
	server_stop(&plain);
	CHECK_DONE();
}
