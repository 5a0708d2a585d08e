#include "source/process.h"

#include "base/clock.h"
#include "base/err.h"
#include "source/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK ((size_t)64 * 1024)
#define SAID_MAX ((size_t)256)
#define LISTEN_READS 64 /* of a chunk, in one go */
#define GRACE_MS 400    /* between TERM and KILL */
#define NS_PER_MS 1000000U

enum { IN, OUT, COMPLAINTS, PIPES };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Above the standard ones, so that none is overwritten before it was passed on. */
static int raise_fd(int *fd)
{
	int higher = *fd > STDERR_FILENO ? *fd : fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (higher != *fd)
		close(*fd);
	*fd = higher;
	return higher < 0 ? -1 : 0;
}

/* ours does not block, theirs does. */
static int open_pipe(int *ret_read, int *ret_write, bool ours_is_read)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	*ret_read = fds[0];
	*ret_write = fds[1];
	if (raise_fd(ret_read) < 0 || raise_fd(ret_write) < 0)
		return -1;
	return fcntl(ours_is_read ? *ret_read : *ret_write, F_SETFL, O_NONBLOCK);
}

static int open_pipes(struct process *process, int *theirs)
{
	if (open_pipe(&theirs[IN], &process->in, false) < 0 ||
	    open_pipe(&process->out, &theirs[OUT], true) < 0 ||
	    open_pipe(&process->complaints, &theirs[COMPLAINTS], true) < 0)
		return -1;
	return 0;
}

/*
 * In the child, where only what is async-signal-safe may be called. It ends
 * with us, however we end: kill -9 included.
 */
__attribute__((noreturn)) static void become(const char *const *argv, const char *const *envp,
					     const int *theirs, int report, pid_t parent)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL); /* SIGPIPE is ignored here */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != parent)
		_exit(EXIT_FAILURE);
	for (int i = 0; i < PIPES; i++)
		dup2(theirs[i], i);
	dup2(report, PIPES);
	fcntl(PIPES, F_SETFD, FD_CLOEXEC);
	closefrom(PIPES + 1);
	execvpe(argv[0], (char *const *)argv, (char *const *)envp);
	int failure = errno;
	ssize_t told = write(PIPES, &failure, sizeof failure);
	(void)told;
	_exit(EXIT_FAILURE);
}

/* 0, or why the program could not be started. */
static int spawn(struct process *process, const char *const *argv, const char *const *envp,
		 const int *theirs)
{
	int report[2] = {-1, -1};
	int failure = 0;
	pid_t parent = getpid();
	sigset_t all, before;

	if (pipe2(report, O_CLOEXEC) < 0)
		return errno;
	sigfillset(&all); /* our handlers have no business in the child */
	sigprocmask(SIG_SETMASK, &all, &before);
	process->pid = raise_fd(&report[1]) < 0 ? -1 : fork();
	if (process->pid == 0)
		become(argv, envp, theirs, report[1], parent);
	failure = process->pid < 0 ? errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close_fd(&report[1]);
	/* closed by the exec, or told why there was none */
	while (process->pid > 0 && read(report[0], &failure, sizeof failure) < 0 &&
	       errno == EINTR)
		continue;
	if (process->pid > 0 && failure)
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	close_fd(&report[0]);
	return failure;
}

static void close_all(struct process *process)
{
	close_fd(&process->in);
	close_fd(&process->out);
	close_fd(&process->complaints);
	close_fd(&process->pidfd);
}

int process_start(struct process *process, const char *const *argv, const char *const *envp,
		  struct err *err)
{
	int theirs[PIPES] = {-1, -1, -1};

	*process = (struct process){.pidfd = -1, .in = -1, .out = -1, .complaints = -1};
	int failure =
	    open_pipes(process, theirs) < 0 ? errno : spawn(process, argv, envp, theirs);
	for (int i = 0; i < PIPES; i++)
		close_fd(&theirs[i]);
	if (failure) {
		close_all(process);
		process->pid = 0;
		return err_set(err, ERR_SOURCE, "cannot be started: %s", strerror(failure));
	}
	process->pidfd = pidfd_open(process->pid, 0);
	if (process->pidfd >= 0)
		return 0;
	err_set(err, ERR_SOURCE, "cannot be watched: %s", strerror(errno));
	kill(-process->pid, SIGKILL);
	process_release(process);
	return -1;
}

size_t process_write(struct process *process, struct bytes input)
{
	size_t done = 0;

	while (process->in >= 0 && done < input.len) {
		ssize_t n = write(process->in, input.ptr + done, input.len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			return done;
		else if (n == 0 || errno != EINTR)
			close_fd(&process->in); /* EPIPE: it need not read everything */
	}
	return input.len;
}

void process_close_input(struct process *process)
{
	close_fd(&process->in);
}

static enum process_stream read_chunk(int *fd, struct buf *buf)
{
	ssize_t n = -1;

	if (*fd < 0)
		return PROCESS_DRAINED;
	do
		n = read(*fd, buf_reserve(buf, CHUNK), CHUNK);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		buf->len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		close_fd(fd);
	return n > 0 ? PROCESS_MORE : PROCESS_DRAINED;
}

enum process_stream process_read(struct process *process, struct buf *out)
{
	return read_chunk(&process->out, out);
}

/* Keeps the first line that says something. */
static void keep_line(struct process *process, struct bytes heard)
{
	for (size_t i = 0; i < heard.len && !process->said_enough; i++) {
		char c = heard.ptr[i];
		bool is_end = c == '\n' || c == '\r' || c == '\0';

		if (is_end || process->said.len == SAID_MAX)
			process->said_enough = process->said.len > 0;
		else if (process->said.len || (c != ' ' && c != '\t'))
			buf_add_char(&process->said, c);
	}
}

void process_listen(struct process *process)
{
	struct buf heard = {0};

	for (int i = 0; i < LISTEN_READS; i++) {
		buf_clear(&heard);
		if (read_chunk(&process->complaints, &heard) == PROCESS_DRAINED)
			break;
		keep_line(process, buf_bytes(&heard));
	}
	buf_release(&heard);
}

/* Before it was waited for, its number is nobody else's: its group may still be addressed. */
bool process_has_ended(const struct process *process)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == 0)
		return false;
	kill(-process->pid, SIGKILL);
	return true;
}

void process_tell(struct process *process, uint64_t now_ns)
{
	if (process->told)
		return;
	process->told = true;
	process->kill_ns = now_ns + (uint64_t)GRACE_MS * NS_PER_MS;
	kill(-process->pid, SIGTERM);
	kill(-process->pid, SIGCONT);
}

void process_press(struct process *process, uint64_t now_ns)
{
	if (process->told && now_ns >= process->kill_ns)
		kill(-process->pid, SIGKILL);
}

int process_reap(struct process *process)
{
	uint64_t now_ns = clock_mono_ns();
	struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
	int status = 0;

	process_close_input(process);
	close_fd(&process->out);
	close_fd(&process->complaints);
	if (!process_has_ended(process)) {
		process_tell(process, now_ns);
		if (process->kill_ns > now_ns)
			poll(&ended, 1, (int)((process->kill_ns - now_ns) / NS_PER_MS));
		kill(-process->pid, SIGKILL);
	}
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	close_all(process);
	process->pid = 0;
	return status;
}

void process_release(struct process *process)
{
	if (process->pid)
		process_reap(process);
	buf_release(&process->said);
}

void process_waits(const struct process *process, bool has_input, struct local_waits *waits)
{
	local_wait(waits, process->pidfd, CURL_WAIT_POLLIN);
	if (process->out >= 0)
		local_wait(waits, process->out, CURL_WAIT_POLLIN);
	if (process->complaints >= 0)
		local_wait(waits, process->complaints, CURL_WAIT_POLLIN);
	if (has_input && process->in >= 0)
		local_wait(waits, process->in, CURL_WAIT_POLLOUT);
}
