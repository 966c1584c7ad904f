/* Misuse of tasks stops the program, loudly. */
#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/run/co.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOON = 1000000 };

static struct sched *virtual_sched(void)
{
    return sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = NOON, .seed = 7});
}

/* --- misuse stops the program, loudly ----------------------------------------------------------------------------- */

static void wakes_twice_task(struct call *c, void *arg)
{
    (void)arg;
    call_wake(c);
}

static void waits_for_nothing_task(struct call *c, void *arg)
{
    struct err err;

    (void)arg;
    if (call_park(c, "nothing", &err) == 0)
        exit(0);
}

static void keep_call_task(struct call *c, void *arg)
{
    struct err err;

    *(struct call **)arg = c;
    if (call_sleep_ms(c, 1, "the other", &err) == 0)
        call_wake(c);
}

static void uses_another_task(struct call *c, void *arg)
{
    struct group *g = group_new(call_sched(c), "pair");
    struct call *other = NULL;
    struct err err;

    (void)arg;
    group_spawn(g, "other", keep_call_task, &other);
    if (call_sleep_ms(c, 0, "the other", &err) < 0 || call_park(other, "in another's name", &err) < 0)
        exit(0);
}

static void test_misuse_aborts(void)
{
    static const struct {
        const char *reason;
        task_fn *fn;
    } rows[] = {
        {"a wake of a task that does not wait", wakes_twice_task},
        {"a wait that nothing can end", waits_for_nothing_task},
        {"a suspension in another task's name", uses_another_task},
    };

    fflush(stdout);
    for (size_t i = 0; i < COUNT(rows); i++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            if (!freopen("/dev/null", "w", stderr))
                _exit(0);
            sched_main(virtual_sched(), rows[i].fn, NULL);
            _exit(0);
        }
        CHECK_ROW(rows[i].reason,
                  waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

int main(void)
{
    test_misuse_aborts();
    HARNESS_END();
}
