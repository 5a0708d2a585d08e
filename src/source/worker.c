#include "source/worker.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "source/dialog.h"
#include "source/fetch.h"
#include "source/local.h"
#include "source/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define NS_PER_MS 1000000U
#define INPUT_SIZE ((size_t)64 * 1024) /* of questions made ahead */
#define WRAPPING ((uint64_t)64 * 1024) /* of an answer's line besides its value */
#define READS_A_TURN 32                /* of up to 64 KiB */

struct worker {
	struct local *local;
	struct process process;
	struct fetch **asked; /* NULL where answered; the place + 1 is its number */
	size_t count;
	size_t unanswered;
	size_t written; /* requests made into input */
	struct buf input;
	struct buf output; /* a whole body; or lines, from the first incomplete one */
	size_t scanned;    /* of output: holds no line's end */
	size_t line;       /* number of the last complete line */
	uint64_t deadline_ns;
};

static void answer(struct worker *worker, size_t index, const struct local_result *result,
		   struct err *err)
{
	struct fetch *fetch = worker->asked[index];

	worker->asked[index] = NULL;
	worker->unanswered--;
	if (result->cause == SOURCE_CAUSE_NONE)
		breaker_end(&worker->local->breaker, true, 0);
	worker->local->done(worker->local->ctx, fetch, result, err);
}

/* What is unanswered ends the same way. */
static void answer_rest(struct worker *worker, const struct local_result *result,
			const struct err *err)
{
	for (size_t i = 0; i < worker->count; i++) {
		struct err copy = *err;

		if (worker->asked[i])
			answer(worker, i, result, &copy);
	}
}

static void fail_rest(struct worker *worker, enum source_cause cause, const struct err *err)
{
	struct local_result result = {.cause = cause};
	struct breaker *breaker = &worker->local->breaker;
	uint64_t now_ns = clock_mono_ns();

	breaker_end(breaker, false, now_ns);
	if (cause != SOURCE_CAUSE_BODY) /* the program failed, once for all of them */
		breaker_fail(breaker, err, now_ns);
	answer_rest(worker, &result, err);
}

/* It said something that cannot be understood: nothing that follows could be trusted. */
static void give_up(struct worker *worker, const struct err *err)
{
	process_tell(&worker->process, clock_mono_ns());
	fail_rest(worker, SOURCE_CAUSE_BODY, err);
}

static void extend(struct worker *worker, uint64_t now_ns)
{
	uint64_t timeout_ms = worker->local->def->timeout_ms;

	worker->deadline_ns = timeout_ms ? now_ns + timeout_ms * NS_PER_MS : LOCAL_NEVER;
}

struct worker *worker_start(struct local *local, struct fetch **asked, size_t count,
			    uint64_t now_ns)
{
	struct worker *worker = mem_zalloc(1, sizeof *worker);
	struct dialog_call call = {0};
	struct err err = {0};

	*worker = (struct worker){
	    .local = local, .asked = asked, .count = count, .unanswered = count};
	extend(worker, now_ns);
	int status = dialog_call(local->def, asked[0]->request, &call, &err);
	if (status < 0) {
		fail_rest(worker, SOURCE_CAUSE_BODY, &err);
	} else {
		status = process_start(&worker->process, call.argv, call.envp, &err);
		if (status < 0)
			fail_rest(worker, SOURCE_CAUSE_CONNECT, &err);
	}
	dialog_call_release(&call);
	if (status == 0)
		return worker;
	free(asked);
	free(worker);
	return NULL;
}

/* Makes questions as fast as they are read, and ends the input behind the last. */
static void feed(struct worker *worker)
{
	struct buf *input = &worker->input;

	for (;;) {
		while (input->len < INPUT_SIZE && worker->written < worker->count) {
			size_t index = worker->written++;

			if (worker->asked[index])
				dialog_ask(worker->asked[index]->request, index + 1, input);
		}
		if (input->len == 0)
			break;
		buf_consume(input, process_write(&worker->process, buf_bytes(input)));
		if (input->len)
			return;
	}
	process_close_input(&worker->process);
}

static uint64_t body_limit(const struct worker *worker)
{
	uint64_t limit = worker->local->def->max_body;

	return limit ? limit : UINT64_MAX - WRAPPING;
}

static int too_large(const struct worker *worker, struct err *err)
{
	return err_set(err, ERR_ITEM,
		       "the answer is larger than %" PRIu64 " bytes; raise sources.%s.max_body",
		       body_limit(worker), worker->local->def->name);
}

/* One answer of a batch. -1: the line is none. */
static int take_answer(struct worker *worker, struct bytes line, struct err *err)
{
	struct dialog_answer said;
	struct local_result result = {0};
	struct err failure = {0};
	struct buf text = {0};

	if (dialog_read(line, worker->count, &said, err) < 0)
		return -1;
	const struct fetch *fetch = worker->asked[said.number - 1];
	if (!fetch)
		return err_set(err, ERR_SOURCE, "answers %zu a second time", said.number);
	if (said.error.len) {
		result.cause = SOURCE_CAUSE_STATUS;
		json_decode_string(&text, said.error);
		err_set(&failure, ERR_ITEM, "%.*s", (int)(text.len > 512 ? 512 : text.len),
			buf_str(&text));
	} else if (said.value.len && dialog_value(fetch_wants_json(fetch), said.value, &text,
						  &result.body, &failure) < 0) {
		result.cause = SOURCE_CAUSE_BODY;
	} else if (result.body.len > body_limit(worker)) {
		result = (struct local_result){.cause = SOURCE_CAUSE_BODY};
		too_large(worker, &failure);
	} else {
		result.found = said.value.len > 0;
	}
	answer(worker, said.number - 1, &result, &failure);
	buf_release(&text);
	return 0;
}

static int take_line(struct worker *worker, struct bytes line, struct err *err)
{
	worker->line++;
	if (strspn(line.ptr, " \t\r") >= line.len || take_answer(worker, line, err) == 0)
		return 0;
	return err_wrap(err, "line %zu of its standard output", worker->line);
}

/* Takes the complete lines; at the end also what follows the last line's end. */
static int take_lines(struct worker *worker, bool at_end, struct err *err)
{
	struct buf *output = &worker->output;
	size_t start = 0;
	int status = 0;

	while (status == 0 && worker->unanswered) {
		char *end = output->ptr ? memchr(output->ptr + worker->scanned, '\n',
						 output->len - worker->scanned)
					: NULL;
		size_t at = end ? (size_t)(end - output->ptr) : output->len;

		worker->scanned = at;
		if (!end && (!at_end || at == start))
			break;
		status =
		    take_line(worker, (struct bytes){output->ptr + start, at - start}, err);
		start = end ? at + 1 : at;
		worker->scanned = start;
	}
	buf_consume(output, start);
	worker->scanned -= start;
	if (status == 0 && output->len > body_limit(worker) + WRAPPING)
		return too_large(worker, err);
	return status;
}

static bool is_batch(const struct worker *worker)
{
	return worker->local->def->batch > 0;
}

static int take_output(struct worker *worker, bool at_end, struct err *err)
{
	if (worker->unanswered == 0) { /* nobody listens any more */
		buf_clear(&worker->output);
		worker->scanned = 0;
		return 0;
	}
	if (is_batch(worker))
		return take_lines(worker, at_end, err);
	return worker->output.len > body_limit(worker) ? too_large(worker, err) : 0;
}

/* True when the output was read to its end, or as far as it got. */
static bool read_output(struct worker *worker, uint64_t now_ns)
{
	enum process_stream stream = PROCESS_MORE;

	for (int i = 0; i < READS_A_TURN && stream == PROCESS_MORE; i++) {
		size_t unanswered = worker->unanswered;
		struct err err = {0};

		stream = process_read(&worker->process, &worker->output);
		if (take_output(worker, false, &err) < 0)
			give_up(worker, &err);
		if (worker->unanswered != unanswered)
			extend(worker, now_ns);
	}
	return stream == PROCESS_DRAINED;
}

static void add_said(const struct worker *worker, struct err *err)
{
	const struct buf *said = &worker->process.said;

	if (said->len) {
		struct err why = *err;

		err_set(err, why.kind, "%s: %.*s", why.text, (int)said->len, said->ptr);
	}
}

/* The process is gone with status: what it left unanswered. */
static void conclude(struct worker *worker, int status)
{
	struct local_result result = {0};
	struct err err = {0};

	if (worker->unanswered && take_output(worker, true, &err) < 0)
		fail_rest(worker, SOURCE_CAUSE_BODY, &err);
	if (worker->unanswered == 0)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (!is_batch(worker))
			result = (struct local_result){.found = worker->output.len > 0,
						       .body = buf_bytes(&worker->output)};
		answer_rest(worker, &result, &err);
		return;
	}
	if (WIFSIGNALED(status))
		err_set(&err, ERR_SOURCE, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		err_set(&err, ERR_SOURCE, "exit status %d", WEXITSTATUS(status));
	add_said(worker, &err);
	fail_rest(worker, SOURCE_CAUSE_STATUS, &err);
}

static void check_time(struct worker *worker, uint64_t now_ns, uint64_t *ret_due_ns)
{
	const struct process *process = &worker->process;

	if (!process->told && now_ns >= worker->deadline_ns) {
		struct err err = {0};

		err_set(&err, ERR_SOURCE,
			"no answer within %" PRIu64
			" ms; raise sources.%s.timeout if it is slow",
			worker->local->def->timeout_ms, worker->local->def->name);
		add_said(worker, &err);
		process_tell(&worker->process, now_ns);
		fail_rest(worker, SOURCE_CAUSE_TIMEOUT, &err);
	}
	process_press(&worker->process, now_ns);
	uint64_t due_ns = process->told ? process->kill_ns : worker->deadline_ns;
	*ret_due_ns = due_ns > now_ns ? due_ns - now_ns : NS_PER_MS;
}

bool worker_turn(struct worker *worker, uint64_t now_ns, uint64_t *ret_due_ns)
{
	feed(worker);
	process_listen(&worker->process);
	bool ended = process_has_ended(&worker->process); /* asked before the last read */
	bool drained = read_output(worker, now_ns);
	if (ended && (drained || now_ns >= worker->deadline_ns)) {
		process_listen(&worker->process);
		conclude(worker, process_reap(&worker->process));
		return true;
	}
	check_time(worker, now_ns, ret_due_ns);
	if (!drained)
		*ret_due_ns = 0;
	return false;
}

size_t worker_unanswered(const struct worker *worker)
{
	return worker->unanswered;
}

void worker_waits(const struct worker *worker, struct local_waits *waits)
{
	process_waits(&worker->process, worker->input.len > 0, waits);
}

struct fetch *worker_uproot(struct worker *worker, struct fetch *list)
{
	for (size_t i = 0; i < worker->count; i++) {
		struct fetch *fetch = worker->asked[i];

		if (fetch) {
			fetch->next = list;
			list = fetch;
		}
		worker->asked[i] = NULL;
	}
	worker->unanswered = 0;
	process_tell(&worker->process, clock_mono_ns());
	return list;
}

void worker_free(struct worker *worker)
{
	process_release(&worker->process);
	buf_release(&worker->input);
	buf_release(&worker->output);
	free(worker->asked);
	free(worker);
}
