/* The only main(). Knows process-wide matters: memory hygiene, core files. Everything else is a command. */
#include <errno.h>
#include <fcntl.h>
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

/* A closed stream's number would be given to the next file that is opened, and the report be written into the journal.
 * The wrong way round, so that what is read or written there is still an error. */
static void streams_guard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_ERROR);
}

/* Variables that make a library write secrets down, load code, or look names up elsewhere. What the loader has already
 * done with its own cannot be undone; nothing below it obeys them any more. */
static void environment_guard(void)
{
    static const char *const names[] = {
        "SSLKEYLOGFILE", "OPENSSL_CONF", "OPENSSL_CONF_INCLUDE", "OPENSSL_ENGINES", "OPENSSL_MODULES", "OPENSSL_TRACE",
        "GCONV_PATH",    "GETCONF_DIR",  "HOSTALIASES",          "LOCALDOMAIN",     "LOCPATH",         "MALLOC_TRACE",
        "NLSPATH",       "RES_OPTIONS",  "RESOLV_HOST_CONF",
    };
    static const char *const prefixes[] = {"CURL_", "LD_", "NSS_"};

    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    for (size_t i = 0; i < COUNT(prefixes); i++)
        for (char **at = environ; *at;) {
            char *name = strndup(*at, strcspn(*at, "="));
            bool taken = name && str_starts(name, prefixes[i]) && unsetenv(name) == 0;

            free(name);
            at = taken ? environ : at + 1;
        }
}

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

static int (*const runs[COMMAND_COUNT])(const struct options *o) = {
    [COMMAND_INIT] = command_init,
    [COMMAND_EXPORT] = command_export,
    [COMMAND_VALIDATE] = command_validate,
    [COMMAND_FMT] = command_fmt,
    [COMMAND_FORECAST] = command_forecast,
    [COMMAND_PLAN] = command_plan,
    [COMMAND_DOCTOR] = command_doctor,
    [COMMAND_ACTIVATE] = command_activate,
    [COMMAND_APPLY] = command_apply,
    [COMMAND_RUNBOOK] = command_runbook,
    [COMMAND_DRIFT] = command_drift,
    [COMMAND_WATCH] = command_watch,
    [COMMAND_IMPACT] = command_impact,
    [COMMAND_GRAPH] = command_graph,
    [COMMAND_EXPLAIN] = command_explain,
    [COMMAND_SIM] = command_sim,
    [COMMAND_JOURNAL] = command_journal,
    [COMMAND_VERSION] = command_version,
    [COMMAND_COMPLETION] = command_completion,
    [COMMAND_MAN] = command_man,
};

static int help(const struct options *o)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    options_usage(&t, o->command);
    output_words(&t);
    return EXIT_DECLARED;
}

/* Like git and make: before anything is opened. */
static int directory_enter(const struct options *o, struct err *err)
{
    if (!o->directory || chdir(o->directory) == 0)
        return 0;
    return err_set(err, ERR_INVALID, "-C %s: %s", o->directory, strerror(errno));
}

int main(int argc, char **argv)
{
    struct arena *a cleanup(arena_freep) = NULL;
    struct options o;
    struct err err;
    int code;

    streams_guard();
    environment_guard();
    memory_guard();
    a = arena_new();
    signals_begin();
    if (options_parse(a, argc, argv, &o, &err) < 0)
        code = output_failure(&o, NULL, &err);
    else if (directory_enter(&o, &err) < 0)
        code = output_failure(&o, NULL, &err);
    else if (call_set(&o), o.help)
        code = help(&o);
    else
        code = runs[command_at(o.command)](&o);
    return output_end(code);
}
