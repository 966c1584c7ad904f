/* The only main(). Knows process-wide matters: memory hygiene, core files, signals. Everything else is a command. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "commands.h"
#include "output.h"
#include "../reconciler/format/crypt.h"

static volatile sig_atomic_t interrupts, second_is_final, dumps;

static void on_interrupt(int signal_number)
{
    if (interrupts++ && second_is_final)
        _exit(128 + signal_number);
}

static void on_dump(int signal_number)
{
    (void)signal_number;
    dumps = 1;
}

int interrupts_seen(void)
{
    return interrupts;
}

bool dump_wanted(void)
{
    bool wanted = dumps;

    dumps = 0;
    return wanted;
}

/* Without SA_RESTART: a wait ends early, so that a drain begins at once. */
void interrupts_catch(bool second_ends)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    sigemptyset(&action.sa_mask);
    second_is_final = second_ends;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static void signals_set(void)
{
    struct sigaction action = {.sa_handler = on_dump};

    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
/* This program's free and realloc, for every library in it: what json-c and others parsed is overwritten. M_PERTURB does not
 * reach the small blocks that malloc keeps at hand. The programs of the tests are linked without this file: valgrind needs
 * its own. */
void __libc_free(void *p);

void free(void *p)
{
    int before = errno;

    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    __libc_free(p);
    errno = before;
}

void *realloc(void *p, size_t n)
{
    size_t had = p ? malloc_usable_size(p) : 0;
    void *grown;

    if (p && n && n <= had)
        return p;
    grown = p && !n ? NULL : malloc(n);
    if (!grown && n)
        return NULL;
    if (had && grown)
        memcpy(grown, p, had);
    free(p);
    return grown;
}
#endif

/* Freed memory is overwritten (libraries leave copies of what they parsed), and no core file is written, because one
 * would hold tokens. A test that looks into a core file asks for it. */
static void memory_guard(void)
{
    const struct rlimit none = {0};
    const char *allowed = getenv("REINSTATE_ALLOW_CORE");

    mallopt(M_PERTURB, 0x5a);
    crypt_guard_memory();
    if (str_eq(allowed, "1"))
        return;
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

static int help(const struct options *o)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    options_usage(&t, o->command);
    output_text(&t);
    return EXIT_DECLARED;
}

int main(int argc, char **argv)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct options o;
    struct err err;
    int code;

    memory_guard();
    signals_set();
    if (options_parse(a, argc, argv, &o, &err) < 0)
        code = output_failure(&o, NULL, &err);
    else if (o.help)
        code = help(&o);
    else
        code = o.command->run(&o);
    if (!output_flush()) {
        talk("reinstate: standard output could not be written");
        return code == EXIT_DECLARED ? EXIT_ERROR : code;
    }
    return code;
}
