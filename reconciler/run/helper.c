/* Knows how a program is run beside us: a child that forks and executes, and pipes that its output comes back through.
 * Must not know which program it is. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/text.h"

enum {
    COMMAND_MAX = 8 * 1024,
    WORDS_MAX = 16,
    OUT_MAX = 128 * 1024,
    LOOK_MS = 20,
    PROGRAM_MS = 60 * 1000,
    NOT_BEGUN = 127,
    KILLED_FROM = 128
};

struct helper {
    int fd;
    pid_t pid;
    bool busy;
};

/* --- in the child ------------------------------------------------------------------------------------------------- */

static void child_pause(void)
{
    struct timespec t = {.tv_nsec = LOOK_MS * 1000000L};

    nanosleep(&t, NULL);
}

/* Its own process group: what interrupts us at the terminal does not cut a sign-in short. */
static _Noreturn void execute(char *const *argv, const int pipes[2])
{
    int null = open("/dev/null", O_RDONLY);
    struct sigaction plain = {.sa_handler = SIG_DFL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &plain, NULL);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(pipes[0], STDOUT_FILENO) < 0 ||
        dup2(pipes[1], STDERR_FILENO) < 0 || chdir("/") < 0)
        _exit(NOT_BEGUN);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    execv(argv[0], argv);
    _exit(NOT_BEGUN);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    for (int left = PROGRAM_MS / LOOK_MS; waitpid(pid, &status, WNOHANG) == 0; left--) {
        if (left == 0) {
            kill(-pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        child_pause();
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? KILLED_FROM + WTERMSIG(status) : NOT_BEGUN;
}

static int run_one(char *command, size_t len, const int pipes[2])
{
    char *argv[WORDS_MAX + 1];
    size_t n = 0;
    pid_t pid;

    for (size_t at = 0; at < len && n < WORDS_MAX; at += strlen(command + at) + 1)
        argv[n++] = command + at;
    argv[n] = NULL;
    pid = fork();
    if (pid == 0)
        execute(argv, pipes);
    if (pid < 0)
        return NOT_BEGUN;
    setpgid(pid, pid);
    close(pipes[0]);
    close(pipes[1]);
    return wait_for(pid);
}

/* A command and the two pipes for its output; false: whoever asked is gone. */
static bool receive(int fd, char *command, size_t *len, int pipes[2])
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = command, .iov_len = COMMAND_MAX};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c;
    ssize_t n;

    do
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    c = CMSG_FIRSTHDR(&message);
    if (n <= 0 || !c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return false;
    memcpy(pipes, CMSG_DATA(c), 2 * sizeof(int));
    command[n] = '\0';
    *len = (size_t)n;
    return true;
}

static _Noreturn void serve(int fd, void (*forget)(void))
{
    char command[COMMAND_MAX + 1];
    size_t len;
    int pipes[2];

    if (forget)
        forget();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "reinstate-run");
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    while (receive(fd, command, &len, pipes)) {
        int status = run_one(command, len, pipes);

        if (send(fd, &status, sizeof(status), MSG_NOSIGNAL) < 0)
            break;
    }
    _exit(0);
}

/* --- in the parent ------------------------------------------------------------------------------------------------ */

struct helper *helper_start(void (*forget)(void))
{
    struct helper *h;
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return NULL;
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1], forget);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return NULL;
    }
    h = xcalloc(1, sizeof(*h));
    *h = (struct helper){.fd = pair[0], .pid = pid};
    return h;
}

void helper_end(struct helper *h)
{
    if (!h)
        return;
    /* What it may be running ends with it. */
    kill(h->pid, SIGKILL);
    close(h->fd);
    waitpid(h->pid, NULL, 0);
    free(h);
}

void helper_result_release(struct helper_result *r)
{
    secret_release(&r->out);
}

static void close_pipes(int (*pipes)[4])
{
    for (int i = 0; i < 4; i++)
        if ((*pipes)[i] >= 0)
            close((*pipes)[i]);
}

static bool ask(int fd, const char *const *argv, const int ends[2])
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct text words cleanup(text_release) = {.ceiling = COMMAND_MAX};
    struct iovec part;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    for (size_t i = 0; argv[i]; i++)
        text_add_n(&words, argv[i], strlen(argv[i]) + 1);
    part = (struct iovec){.iov_base = words.s, .iov_len = words.len};
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), ends, 2 * sizeof(int));
    return !words.overflowed && sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;
}

/* What has come by now. */
static void take_output(int out, int said, struct helper_result *ret)
{
    char piece[512];
    ssize_t n;

    secret_reserve(&ret->out, ret->out.len + sizeof(piece));
    while (ret->out.len < OUT_MAX && (n = read(out, ret->out.bytes + ret->out.len, sizeof(piece))) > 0) {
        ret->out.len += (size_t)n;
        secret_reserve(&ret->out, ret->out.len + sizeof(piece));
    }
    ret->out.bytes[ret->out.len] = '\0';
    while ((n = read(said, piece, sizeof(piece))) > 0) {
        size_t at = strlen(ret->said), room = sizeof(ret->said) - 1 - at;

        memcpy(ret->said + at, piece, (size_t)n < room ? (size_t)n : room);
    }
    secret_wipe(piece, sizeof(piece));
}

static int follow(struct helper *h, struct call *c, const int pipes[4], struct helper_result *ret, struct err *err)
{
    for (;;) {
        ssize_t n = recv(h->fd, &ret->status, sizeof(ret->status), MSG_DONTWAIT);

        take_output(pipes[0], pipes[2], ret);
        if (n == (ssize_t)sizeof(ret->status))
            return 0;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return err_set(err, ERR_TRANSIENT, "the process that runs programs has ended");
        TRY(call_sleep_ms(c, LOOK_MS, "a program", err));
    }
}

int helper_run(struct helper *h, struct call *c, const char *const *argv, struct helper_result *ret, struct err *err)
{
    int pipes[4] cleanup(close_pipes) = {-1, -1, -1, -1}, ends[2], rc;

    while (h->busy)
        TRY(call_sleep_ms(c, LOOK_MS, "another program", err));
    if (pipe2(pipes, O_CLOEXEC) < 0 || pipe2(pipes + 2, O_CLOEXEC) < 0)
        return err_set(err, ERR_TRANSIENT, "no pipe for %s: %s", argv[0], strerror(errno));
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    fcntl(pipes[2], F_SETFL, O_NONBLOCK);
    ends[0] = pipes[1];
    ends[1] = pipes[3];
    if (!ask(h->fd, argv, ends))
        return err_set(err, ERR_TRANSIENT, "the process that runs programs has ended");
    close(pipes[1]);
    close(pipes[3]);
    pipes[1] = pipes[3] = -1;
    h->busy = true;
    rc = follow(h, c, pipes, ret, err);
    h->busy = rc == -ERR_CANCELLED; /* its answer is still to come */
    return rc;
}
