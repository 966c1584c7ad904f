/* The only main(). Knows process-wide matters: memory hygiene, core files. Everything else is a command. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "output.h"
#include "../reconciler/format/crypt.h"

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
    signals_begin();
    if (options_parse(a, argc, argv, &o, &err) < 0)
        code = output_failure(&o, NULL, &err);
    else if (call_set(&o), o.help)
        code = help(&o);
    else
        code = o.command->run(&o);
    if (!output_flush()) {
        talk("reinstate: standard output could not be written");
        return code == EXIT_DECLARED ? EXIT_ERROR : code;
    }
    return code;
}
