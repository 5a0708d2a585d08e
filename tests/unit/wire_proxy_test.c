#include "client.h"
#include "fake.h"

static struct server server;

static bool listens(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool open = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return open;
}

static void client_through(struct client *client, const char *scheme, unsigned port)
{
	client_tcp(client, &server, "");
	client->target.timeout_ms = 2000;
	client->target.proxy = mem_printf("%s://127.0.0.1:%u", scheme, port);
}

TEST(the_environment_names_no_proxy)
{
	struct client client;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
	client_tcp(&client, &server, "");
	CHECK_INT(client_call(&client, BYTES("PING"), NO, NO)->type, REPLY_STATUS);
	client_close(&client);
}

TEST(through_socks)
{
	struct client client;
	unsigned port = server_free_port();
	char number[16];

	/* Nor does the environment take a proxy away that was named. */
	setenv("no_proxy", "127.0.0.1,localhost,*", 1);
	snprintf(number, sizeof number, "%u", port);
	pid_t pid =
	    server_spawn("/", (char *[]){"microsocks", "-i", "127.0.0.1", "-p", number, NULL});
	CHECK(SERVER_UNTIL(listens(port)));
	for (int i = 0; i < 2; i++) {
		client_through(&client, i ? "socks5h" : "socks5", port);
		CHECK_INT(client_call(&client, BYTES("PING"), NO, NO)->type, REPLY_STATUS);
		client_close(&client);
	}
	client_through(&client, "socks5", port);
	client.target.port = (uint16_t)server_free_port();
	CHECK_INT(redis_connect(client.redis, &client.err), -1);
	CHECK_HAS(client.err.text, "the proxy refused the connection");
	client_close(&client);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	client_through(&client, "socks5", port);
	CHECK_INT(redis_connect(client.redis, &client.err), -1);
	CHECK_HAS(client.err.text, "is the proxy listening there?");
	client_close(&client);
}

/* One fake is the proxy and the Redis behind it: RESP may only follow its answer to CONNECT. */
TEST(through_an_http_tunnel)
{
	struct client client;
	struct fake fake;

	fake_start(&fake, (struct fake_script){.says = BYTES("HTTP/1.1 200 OK\r\n\r\n"),
					       .then = BYTES("+OK\r\n*0\r\n+PONG\r\n"),
					       .listens = true});
	client_through(&client, "http", fake.port);
	CHECK_INT(redis_connect(client.redis, &client.err), 0);
	client_close(&client);
	fake_stop(&fake);
	fake_start(&fake, (struct fake_script){.says = BYTES("HTTP/1.1 403 Forbidden\r\n\r\n"),
					       .listens = true,
					       .closes = true});
	client_through(&client, "http", fake.port);
	CHECK_INT(redis_connect(client.redis, &client.err), -1);
	CHECK_HAS(client.err.text, "403");
	client_close(&client);
	fake_stop(&fake);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	server_start(&server, true, NULL);
	RUN(the_environment_names_no_proxy);
	RUN(through_socks);
	RUN(through_an_http_tunnel);
	server_stop(&server);
	CHECK_DONE();
}
