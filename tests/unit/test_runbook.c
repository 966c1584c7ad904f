/* Runbooks: what is in a name stays a name in every shell; every command is written in every shell; bash can read what
 * is written for it. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../providers/runbook/bash.h"
#include "../../reconciler/base/text.h"
#include "../harness.h"

/* What bash prints of a script; its exit code in *ret_code. */
static char *bash(struct arena *a, const char *flag, const char *script, int *ret_code)
{
    struct text out cleanup(text_release) = {.ceiling = TEXT_CEILING};
    char name[] = "/tmp/runbook-test.XXXXXX", chunk[4096];
    int pipes[2], status = -1, fd = mkstemp(name);
    ssize_t n;
    pid_t pid;

    if (fd < 0 || write(fd, script, strlen(script)) < 0 || pipe(pipes) < 0)
        abort();
    close(fd);
    pid = fork();
    if (pid == 0) {
        dup2(pipes[1], 1);
        close(pipes[0]);
        execlp("bash", "bash", flag, name, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    while ((n = read(pipes[0], chunk, sizeof(chunk))) > 0)
        text_add_n(&out, chunk, (size_t)n);
    close(pipes[0]);
    waitpid(pid, &status, 0);
    unlink(name);
    *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return arena_strdup(a, text_str(&out));
}

static const char *const nasty[] = {
    "plain",
    "",
    "two words",
    "o'clock",
    "'",
    "''",
    "\"$(id)\"",
    "`id`; rm -rf /",
    "$HOME ${x}",
    "back\\slash",
    "a\nb",
    "-n",
    "(brackets) & <more>",
    "\xe2\x80\x99quoted\xe2\x80\x98",
    "100%d %s",
    "{\"a\":\"b'c\"}",
    "\x1b]0;title\a\x1b[2Jx\x7f",
    "\r::error::\xe2\x80\xae\xc2\x9b"
    "1m\xe2\x80\xa8",
};

/* No byte of a word that is written obeys to a terminal. */
static bool is_plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f || str_starts(s, "\xe2\x80\xae") || str_starts(s, "\xc2\x9b"))
            return false;
    return true;
}

static void quoting_sh(struct arena *a)
{
    for (size_t i = 0; i < COUNT(nasty); i++) {
        int code;
        char *out = bash(a, "-eu", arena_printf(a, "printf %%s %s", sh(a, nasty[i])), &code);

        CHECK_ROW(nasty[i], code == 0);
        CHECK_STR(out, nasty[i]);
        CHECK_ROW(nasty[i], is_plain(sh(a, nasty[i])) && is_plain(ps(a, nasty[i])));
    }
}

static void quoting_variables(struct arena *a)
{
    int code;
    const char *body = "{\"principalId\":\"\\u0001principal\\u0001\",\"n\":\"it's\"}";

    CHECK_STR(bash(a, "-eu", arena_printf(a, "principal='a b'; printf %%s %s", sh(a, body)), &code),
              "{\"principalId\":\"a b\",\"n\":\"it's\"}");
    CHECK_STR(sh(a, "x" RUNBOOK_VARIABLE("version")), "'x'\"$version\"''");
    CHECK_STR(ps(a, "x" RUNBOOK_VARIABLE("version")), "('x' + $version + '')");
    /* A mark that is no variable stays what it is. */
    CHECK_STR(sh(a, "\\u0001$(id)\\u0001"), "'\\u0001$(id)\\u0001'");
    CHECK_STR(sh(a, "\\u0001open"), "'\\u0001open'");
}

static void quoting_ps(void)
{
    static const struct {
        const char *plain, *quoted;
    } rows[] = {
        {"plain", "'plain'"},
        {"o'clock", "'o''clock'"},
        {"\"$(id)\" `n", "'\"$(id)\" `n'"},
        {"a\xe2\x80\x99;id", "'a\xe2\x80\x99\xe2\x80\x99;id'"},
        {"\xe2\x80\x98\xe2\x80\x9a\xe2\x80\x9b",
         "'\xe2\x80\x98\xe2\x80\x98\xe2\x80\x9a\xe2\x80\x9a\xe2\x80\x9b\xe2\x80\x9b'"},
        {"", "''"},
        {"a\x1b[1m\xe2\x80\xae"
         "b'c",
         "('a' + [char]0x1b + '[1m' + [char]0x202e + 'b''c')"},
    };
    struct arena *a = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_STR(ps(a, rows[i].plain), rows[i].quoted);
    arena_free(a);
}

static void urls_and_comments(struct arena *a)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    int code;

    CHECK_STR(path_encoded(a, "/subscriptions/x/VM;iaas;rg (1)/a b?#%'"),
              "/subscriptions/x/VM;iaas;rg%20(1)/a%20b%3F%23%25%27");
    comment(&t, 2, "%s", "one\ntwo; $(id)\r\nthree\tfour\001 five\x1b[2J\xe2\x80\xae");
    CHECK(!strstr(text_str(&t), "\x1b") && !strstr(text_str(&t), "\xe2\x80\xae"));
    for (const char *p = text_str(&t); p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        CHECK(*p == '#');
    text_clear(&t);
    for (int i = 0; i < 60; i++)
        note(&t, "%.*s%s", i * 3,
             "a word and another one and a longer one and so on until there is a line that is full, and then some more "
             "of it",
             "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-backup/providers/"
             "Microsoft.RecoveryServices/"
             "vaults/x");
    CHECK_STR(bash(a, "-eu", text_str(&t), &code), "");
    CHECK(code == 0);
}

/* Everything a command may know, with a name that no shell likes. */
static struct value *with_everything(struct arena *a, const char *odd, bool known)
{
    static const char *const ids[] = {"vault",  "item",  "account", "set",   "targetVm",
                                      "subnet", "store", "id",      "scope", "hsm"};
    static const char *const words[] = {"vm",   "group",   "point", "targetGroup", "region", "base",     "url",
                                        "name", "version", "path",  "role",        "roleId", "location", "zone"};
    struct value *with = value_map(a), *body = value_map(a), *properties = value_map(a), *luns = value_list(a);

    for (size_t i = 0; i < COUNT(ids); i++)
        value_set(a, with, ids[i],
                  value_format(a, "/subscriptions/s/resourceGroups/%s/providers/A.B/virtualNetworks/%s/subnets/%s", odd,
                               odd, odd));
    for (size_t i = 0; i < COUNT(words); i++)
        value_set_string(a, with, words[i], odd);
    value_set_string(a, with, "api", "2025-01-01");
    value_set_string(a, with, "providerApi", "2020-10-01");
    value_set(a, with, "provider", value_format(a, "/subscriptions/s/%s", odd));
    value_set_string(a, with, "method", "PUT");
    value_set_string(a, with, "action", known ? "create" : "recover");
    value_set_string(a, with, "type", known ? "new-vm" : "replace");
    value_set_string(a, with, "jobType", "Recover disks");
    value_set_string(a, with, "expect", known ? "Failed" : "Completed");
    value_set_string(a, with, "since", "2026-11-23T02:00:00Z");
    value_set_string(a, with, "notAfter", "2026-11-25T02:00:00Z");
    value_set_string(a, with, known ? "principal" : "principalOf", odd);
    if (!known)
        value_set(a, with, "versionOf", value_format(a, "https://v.vault.azure.net/keys/%s", odd));
    value_set_int(a, with, "seconds", 60);
    value_set_int(a, with, "settle", 60);
    value_set_int(a, with, "exp", 1800000000);
    value_set_bool(a, with, "enabled", true);
    value_set_bool(a, with, "running", true);
    value_set_bool(a, with, "hsm", !known);
    value_push(a, luns, value_int(a, 0));
    value_set(a, with, "luns", luns);
    value_set_string(a, properties, "encryptionType", odd);
    value_set_string(a, properties, "principalId", RUNBOOK_VARIABLE("principal"));
    value_set_string(a, value_set(a, properties, "activeKey", value_map(a)), "keyUrl", odd);
    value_set(a, body, "properties", properties);
    value_set(a, with, "body", body);
    if (known)
        value_set(a, with, "was", value_copy(a, body));
    return with;
}

static void every_command(struct arena *a)
{
    static const struct shell *const shells[] = {&shell_powershell, &shell_cli, &shell_curl};
    static const struct cloud cloud = {.name = "o'cloud",
                                       .authority = "https://a",
                                       .arm = "https://m",
                                       .arm_audience = "https://m/",
                                       .vault_audience = "https://v",
                                       .hsm_audience = "https://h",
                                       .storage_audience = "https://s",
                                       .blob_suffix = ".b"};

    for (size_t s = 0; s < COUNT(shells); s++)
        for (enum runbook_verb verb = 0; verb < RUNBOOK_VERB_COUNT; verb++)
            for (size_t i = 0; i < COUNT(nasty) * 2; i++) {
                struct runbook_command command = {.verb = verb, .with = with_everything(a, nasty[i / 2], i % 2)};
                struct document doc = {.kind = "Key", .name = "k", .address = "Key/k"};
                struct step step = {.id = arena_printf(a, "Key/%s#create", nasty[i / 2]), .document = &doc};
                struct runbook_entry entry = {
                    .step = &step, .number = 1, .subscription = nasty[i / 2], .commands = &command, .n_commands = 1};
                struct runbook rb = {
                    .arena = a, .cloud = &cloud, .tenant = nasty[i / 2], .entries = &entry, .count = 1};
                struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
                int code = 0;
                size_t before;

                if (!shells[s]->verbs[verb]) {
                    CHECK_ROW(runbook_verb_name(verb), shells[s]->verbs[verb]);
                    continue;
                }
                shells[s]->begin(&t, &rb);
                shells[s]->open(&t, &rb, &entry);
                before = t.len;
                shells[s]->verbs[verb](&t, &rb, command.with);
                CHECK_ROW(runbook_verb_name(verb), t.len > before);
                shells[s]->close(&t);
                /* Reading does not run anything. Once for each command: all names, then bash. */
                if (s > 0 && (nasty[i / 2][0] == '"' || nasty[i / 2][0] == '\'' || nasty[i / 2][0] == '`')) {
                    bash(a, "-n", text_str(&t), &code);
                    CHECK_ROW(arena_printf(a, "%s: %s of %s", shells[s]->name, runbook_verb_name(verb), nasty[i / 2]),
                              code == 0);
                }
            }
}

int main(void)
{
    struct arena *a = arena_new();

    quoting_sh(a);
    quoting_variables(a);
    quoting_ps();
    urls_and_comments(a);
    every_command(a);
    arena_free(a);
    HARNESS_END();
}
