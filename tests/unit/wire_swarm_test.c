/* A closed loop at one server whose connections are read in order, until they are not. */
#include "client.h"

#include "wire/reply.h"
#include "wire/swarm.h"

#define CLIENTS 20
#define COMMANDS 4000
/* The last client's command that the first one waits for. */
#define OPENS_GATE 50

static struct server server;

struct load {
	struct bytes value; /* echoed */
	bool gate;          /* the first client's first command waits at it */
	bool tails;         /* each command is followed by one that takes its time */
	size_t given[CLIENTS];
	size_t total;
	size_t wanted;
	size_t same;   /* answers that are what was to be answered */
	size_t behind; /* answers before that of the first client's first command */
	bool opened;   /* that was answered */
	struct buf bytes;
};

enum { ECHOED, WAITED, OPENED, FOLLOWED };

static void add_command(struct buf *out, size_t argc, const struct bytes *argv)
{
	buf_clear(out);
	buf_printf(out, "*%zu\r\n", argc);
	for (size_t i = 0; i < argc; i++) {
		buf_printf(out, "$%zu\r\n", argv[i].len);
		buf_add(out, argv[i]);
		buf_add(out, BYTES("\r\n"));
	}
}

static size_t give(void *ctx, size_t client, uint64_t now_ns, size_t count,
		   struct swarm_op *ops, struct buf **ret_bytes)
{
	struct load *load = ctx;
	size_t turn = load->given[client]++;

	(void)now_ns;
	CHECK_INT(count, 1);
	if (load->total == load->wanted)
		return 0;
	load->total++;
	*ret_bytes = &load->bytes;
	if (load->tails) {
		ops[0].cookie = FOLLOWED;
		ops[0].tails = 1;
		buf_clear(&load->bytes);
		buf_add(&load->bytes,
			BYTES("*1\r\n$4\r\nPING\r\n*3\r\n$5\r\nBLPOP\r\n$4\r\nnone"
			      "\r\n$4\r\n0.01\r\n"));
	} else if (load->gate && client == 0 && turn == 0) {
		ops[0].cookie = WAITED;
		add_command(&load->bytes, 3,
			    (struct bytes[]){BYTES("BLPOP"), BYTES("gate"), BYTES("0")});
	} else if (load->gate && client == CLIENTS - 1 && turn == OPENS_GATE) {
		ops[0].cookie = OPENED;
		add_command(&load->bytes, 3,
			    (struct bytes[]){BYTES("RPUSH"), BYTES("gate"), BYTES("x")});
	} else {
		ops[0].cookie = ECHOED;
		add_command(&load->bytes, 2, (struct bytes[]){BYTES("ECHO"), load->value});
	}
	return 1;
}

static void hear(void *ctx, const struct swarm_op *op, const struct reply *reply,
		 uint64_t now_ns)
{
	struct load *load = ctx;

	(void)now_ns;
	if (op->cookie == ECHOED)
		load->same += bytes_equal(reply->text, load->value);
	else if (op->cookie == FOLLOWED)
		load->same += reply->type == REPLY_STATUS;
	else if (op->cookie == OPENED)
		load->same += reply->type == REPLY_INTEGER;
	else
		load->same += reply->type == REPLY_ARRAY;
	load->opened |= op->cookie == WAITED;
	load->behind += !load->opened;
}

/* The run's end; all is answered with what it asked for. */
static void run_load(struct load *load)
{
	static const struct swarm_driver calls = {.batch = give, .done = hear};
	struct swarm_driver driver = calls;
	struct swarm_plan plan = {
	    .clients = CLIENTS, .depth = 1, .reply_max = (size_t)16 << 20, .driver = &driver};
	struct swarm *swarm = NULL;
	struct client client;

	driver.ctx = load;
	client_unix(&client, &server, 0);
	CHECK_INT(swarm_open(&client.target, &plan, &client.cancel, &swarm, &client.err), 0);
	CHECK_INT(swarm_run(swarm, &client.cancel, &client.err), 0);
	CHECK_STR(client.err.text, "");
	CHECK_INT(load->total, load->wanted);
	CHECK_INT(load->same, load->wanted);
	swarm_free(swarm);
	client_close(&client);
	buf_release(&load->bytes);
}

TEST(answers_in_order_are_read)
{
	struct load load = {.value = BYTES("value"), .wanted = COMMANDS};

	run_load(&load);
	for (size_t i = 0; i < CLIENTS; i++)
		CHECK(load.given[i] >= COMMANDS / CLIENTS);
}

TEST(the_oldest_may_wait_for_the_others)
{
	struct load load = {.value = BYTES("value"), .wanted = COMMANDS, .gate = true};

	run_load(&load);
	CHECK(load.opened);
	CHECK(load.behind > OPENS_GATE);
}

TEST(a_batch_ends_with_what_follows_its_commands)
{
	struct load load = {.tails = true, .wanted = 3 * (size_t)CLIENTS};

	run_load(&load);
}

/* More than a socket takes, and than the server reads of it in a turn. */
TEST(the_rest_of_a_command_is_sent_when_there_is_room)
{
	static char value[8 << 20];
	struct load load = {.value = {.ptr = value, .len = sizeof value},
			    .wanted = 3 * (size_t)CLIENTS};

	memset(value, 'v', sizeof value);
	run_load(&load);
}

int main(void)
{
	server_start(&server, false, NULL);
	RUN(answers_in_order_are_read);
	RUN(the_oldest_may_wait_for_the_others);
	RUN(a_batch_ends_with_what_follows_its_commands);
	RUN(the_rest_of_a_command_is_sent_when_there_is_room);
	server_stop(&server);
	CHECK_DONE();
}
