#include "core/traffic_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_MS 50
#define STUCK_TURNS 200    /* without a beat: 10 s of our own, awake */
#define GRACE_S 15         /* a reader that is still there so long after its time is ended */
#define STOPPING_TURNS 100 /* a reader that was asked to stop */

static size_t size_of(size_t count)
{
	return sizeof(struct traffic) + count * sizeof(struct traffic_figures);
}

struct traffic *traffic_new(const struct nsset *set)
{
	size_t count = nsset_count(set) + 1;
	struct traffic *traffic = mmap(NULL, size_of(count), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (traffic == MAP_FAILED)
		return NULL;
	traffic->count = count;
	return traffic;
}

void traffic_free(struct traffic *traffic)
{
	if (traffic)
		munmap(traffic, size_of(traffic->count));
}

const char *traffic_end_text(enum traffic_end end)
{
	static const char *const texts[] = {
	    [TRAFFIC_WHOLE] = "the duration is over",
	    [TRAFFIC_INTERRUPTED] = "interrupted",
	    [TRAFFIC_LINES] = "the limit of lines was reached",
	    [TRAFFIC_BYTES] = "the limit of bytes was reached",
	    [TRAFFIC_LATENCY] = "the server's latency rose over the limit",
	    [TRAFFIC_BACKLOG] = "the server had to buffer for it: more came than could be read",
	    [TRAFFIC_SUSPENDED] = "the program was suspended",
	    [TRAFFIC_STUCK] = "its reader stood still and was ended",
	    [TRAFFIC_LOST] = "the connection broke",
	    [TRAFFIC_DENIED] = "this user may not",
	};
	return texts[end];
}

/* --- the reader's process --- */

/*
 * Only standard error and the pipe stay open: a connection of the parent's must
 * end with the parent. In a session of its own no terminal reaches it.
 */
static _Noreturn void be_reader(const struct nsset *set, const struct target *target,
				const struct traffic_options *options, struct traffic *traffic,
				pid_t parent, int pipe_fd)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0)
		_exit(1);
	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	alarm((unsigned)(options->duration_ms / 1000) + GRACE_S);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(pipe_fd, STDERR_FILENO + 1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	traffic_reader_run(set, target, options, traffic);
	_exit(0);
}

static pid_t start_reader(const struct nsset *set, const struct target *target,
			  const struct traffic_options *options, struct traffic *traffic,
			  int *ret_fd, struct err *err)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_REDIS, "traffic: no pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		be_reader(set, target, options, traffic, parent, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(err, ERR_REDIS, "traffic: no process: %s", strerror(errno));
	}
	*ret_fd = ends[0];
	return pid;
}

/* --- the watchdog --- */

struct watch {
	struct traffic *traffic;
	const volatile int *cancel;
	pid_t pid; /* 0: it ended */
	int fd;    /* the pipe that ends with it */
	uint64_t beat;
	unsigned still;    /* turns without a beat */
	unsigned stopping; /* turns since it was asked to stop */
};

/* True when the reader has to be ended; counts turns of ours, so that our own sleep does not
 * count as its. */
static bool stands_still(struct watch *watch)
{
	int status = 0;

	if (watch->cancel && *watch->cancel)
		watch->traffic->stop = 1;
	watch->stopping += watch->traffic->stop != 0;
	watch->still = watch->traffic->beat == watch->beat ? watch->still + 1 : 0;
	watch->beat = watch->traffic->beat;
	if (waitpid(watch->pid, &status, WNOHANG | WUNTRACED) == watch->pid) {
		if (WIFSTOPPED(status))
			return true;
		watch->pid = 0; /* it ended; the pipe says the same */
	}
	return watch->still >= STUCK_TURNS || watch->stopping >= STOPPING_TURNS;
}

static void look_at(struct watch *watch, bool has_ended)
{
	if (!watch->pid || (!has_ended && !stands_still(watch)))
		return;
	if (!has_ended) {
		kill(watch->pid, SIGKILL);
		watch->traffic->end = TRAFFIC_STUCK;
	}
	while (watch->pid && waitpid(watch->pid, NULL, 0) < 0 && errno == EINTR)
		;
	watch->pid = 0;
}

/* Until each reader has ended. */
static void watch_over(struct watch *watches, size_t count)
{
	struct pollfd *fds = mem_zalloc(count, sizeof *fds);

	for (size_t left = count; left > 0;) {
		for (size_t i = 0; i < count; i++)
			fds[i] = (struct pollfd){.fd = watches[i].pid ? watches[i].fd : -1,
						 .events = POLLIN};
		bool is_turn = poll(fds, (nfds_t)count, TURN_MS) <= 0;

		left = 0;
		for (size_t i = 0; i < count; i++) {
			if (is_turn || fds[i].revents)
				look_at(&watches[i], fds[i].revents != 0);
			left += watches[i].pid != 0;
		}
	}
	free(fds);
}

/* --- the sample --- */

static void begin(struct traffic *traffic)
{
	size_t count = traffic->count;

	memset(traffic, 0, size_of(count));
	traffic->count = count;
	traffic->servers = 1;
	traffic->started_ms = clock_wall_ms();
	traffic->end = TRAFFIC_LOST; /* until the reader says better */
	err_set(&traffic->err, ERR_REDIS, "the reader ended without a word");
}

int traffic_run(const struct nsset *set, const struct traffic_job *jobs, size_t count,
		const struct traffic_options *options, const volatile int *cancel,
		struct err *err)
{
	struct watch *watches = mem_zalloc(count, sizeof *watches);
	size_t started = 0;
	int status = 0;

	for (; started < count && status == 0; started++) {
		struct watch *watch = &watches[started];

		*watch = (struct watch){
		    .traffic = jobs[started].traffic, .cancel = cancel, .fd = -1};
		begin(watch->traffic);
		watch->pid = start_reader(set, jobs[started].target, options, watch->traffic,
					  &watch->fd, err);
		if (watch->pid < 0) {
			watch->pid = 0;
			status = -1;
		}
	}
	for (size_t i = 0; i < started && status != 0; i++)
		watches[i].traffic->stop = 1;
	watch_over(watches, started);
	for (size_t i = 0; i < started; i++) {
		struct traffic *traffic = watches[i].traffic;

		if (watches[i].fd >= 0)
			close(watches[i].fd);
		if (traffic->end != TRAFFIC_LOST && traffic->end != TRAFFIC_DENIED)
			traffic->err = (struct err){0};
		traffic_settle(traffic);
	}
	free(watches);
	return status;
}
