/* Scenario tests: the real binary against the simulated Azure, as data.
 *
 *   scenario BINARY CHECKOUT FOLDER [NAME...]
 *
 * FOLDER/NAME.yaml:
 *   cites     the row of the scenario table, or the promise, it stands for
 *   example   the folder of examples/ whose manifests and world it begins with
 *   world     edits of the world (edits.h)
 *   manifests edits of documents (edits.h)
 *   runs      one after the other on the same world:
 *     world     edits before this run (as above)
 *     files     made before it: {NAME: TEXT}, or {NAME: {blob: NAME-OF-A-BLOB-OF-THE-WORLD}}; beside the manifests
 *     do        command and options; -f, --world, --world-out, --record and --journal are added; "@NAME" is a file
 * beside the manifests bare      true: -f is not added alone     true: nothing is added adopt     true: what the run
 * prints is the manifests from the next run on exit      expected exit code says      texts that standard output or
 * error must hold silent    texts they must not hold manifests edits of documents from this run on (as above) conforms
 * the schema (schemas/NAME.json) of what it prints with -o json requests  exact numbers of requests sent, by "METHOD
 * fragment-of-the-URL" sends     [{request: "METHOD fragment", holds: [TEXT], lacks: [TEXT]}]: of every such request's
 * body, at least one jobs      exact numbers of jobs in the world by then, by job type world-has / world-lacks   texts
 * that the written-out world must (not) hold file-has / file-lacks     {NAME: [TEXT]} of files beside the manifests
 *   kill      true: instead of once, the runs' first command is killed before and after each of its writes, with and
 *             without its journal, and run again; each time the end must be the same, with the same numbers of
 *             `jobs` (job types to counts) in the world. A rerun that leaves a claim without a job to a person must
 * have triggered nothing, and is run once more with that claim taken over. excepts   {NAME: REASON}: a promise of
 * promises.h that this scenario breaks on purpose
 *
 * After every run the promises of promises.h are checked.
 *
 * With REINSTATE_KEEP_RECORDS=DIR every run's record is added to DIR/NAME.jsonl, for judges that look
 * at each exchange. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../cmd/load.h"
#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"
#include "../edits.h"
#include "promises.h"

enum { ARGS_MAX = 40, EXIT_KILLED = 137 };

struct suite {
    const char *binary, *checkout, *folder;
    size_t passed, failed;
    struct schemas *schemas;
};

struct scenario {
    struct arena *arena;
    const struct suite *suite;
    const char *name, *dir; /* dir: a temporary folder of its own */
    const struct value *spec;
    struct value *world, *documents;
    struct value *triggers; /* names of the jobs that the runs so far have started */
    size_t faults;
};

/* --- files -------------------------------------------------------------------------------------------------------- */

static void file_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        fprintf(stderr, "scenario: %s: %s\n", path, strerror(errno));
        exit(2);
    }
}

static char *bytes_read(struct arena *a, const char *path, size_t *ret_len)
{
    struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};
    char chunk[8192];
    FILE *f = fopen(path, "r");
    size_t n;

    while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        text_add_n(&text, chunk, n);
    if (f)
        fclose(f);
    *ret_len = text.len;
    return memcpy(arena_alloc(a, text.len + 1), text_str(&text), text.len + 1);
}

static char *file_read(struct arena *a, const char *path)
{
    size_t len;

    return bytes_read(a, path, &len);
}

static void yaml_write(const char *path, const struct value *docs)
{
    struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};

    for (size_t i = 0; i < value_count(docs); i++) {
        text_add(&text, "---\n");
        manifest_write(&text, value_item(docs, i));
    }
    file_write(path, text_str(&text));
}

/* --- edits -------------------------------------------------------------------------------------------------------- */

static void fault(struct scenario *s, const char *what, const char *detail)
{
    s->faults++;
    fprintf(stderr, "scenario %s: %s%s%s\n", s->name, what, detail ? ": " : "", detail ? detail : "");
}

static void edit(struct scenario *s, const struct value *world_edits, const struct value *manifest_edits)
{
    const char *unfit = edit_world(s->arena, s->world, world_edits);

    if (!unfit)
        unfit = edit_documents(s->arena, s->documents, manifest_edits);
    if (unfit)
        fault(s, "this edit fits nothing", unfit);
}

static void prepare(struct scenario *s)
{
    const char *example =
        arena_printf(s->arena, "%s/examples/%s", s->suite->checkout, value_str_at(s->spec, "example"));

    s->documents = example_read(s->arena, example, &s->world);
    if (!s->world) {
        fprintf(stderr, "scenario: %s has no world\n", example);
        exit(2);
    }
    edit(s, value_get(s->spec, "world"), value_get(s->spec, "manifests"));
    yaml_write(arena_printf(s->arena, "%s/estate.yaml", s->dir), s->documents);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static const char *in_dir(struct scenario *s, const char *name)
{
    return arena_printf(s->arena, "%s/%s", s->dir, name);
}

/* The folder of a scenario goes when it ends; what went over the wire may be kept for others to judge. */
static void record_keep(struct scenario *s)
{
    const char *keep = getenv("REINSTATE_KEEP_RECORDS"), *record;
    FILE *f;

    if (!keep || !*keep)
        return;
    record = file_read(s->arena, in_dir(s, "record.jsonl"));
    f = fopen(arena_printf(s->arena, "%s/%s.jsonl", keep, s->name), "a");
    if (!f || fputs(record, f) < 0 || fclose(f) != 0)
        fault(s, "the record cannot be kept", strerror(errno));
}

/* The lines of a file from `from` on, each a JSON text. A last line that a kill has cut is left out. */
static struct value *lines_read(struct scenario *s, const char *path, size_t from)
{
    char *text = file_read(s->arena, path);
    struct value *all = value_list(s->arena), *one;
    struct err err;

    for (char *line = strlen(text) > from ? text + from : text + strlen(text), *next; *line; line = next) {
        next = strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line);
        if (json_parse(s->arena, line, (size_t)(next - line), &one, &err) == 0)
            value_push(s->arena, all, one);
        else if (*next)
            fault(s, "a line is no JSON", path);
    }
    return all;
}

static void triggers_note(struct scenario *s, const struct value *after)
{
    const struct value *jobs = value_at(after, "spec.jobs"), *before = value_at(s->world, "spec.jobs");

    for (size_t i = 0; i < value_count(jobs); i++) {
        const char *name = value_str_at(value_item(jobs, i), "name");

        if (name && !job_among(before, name) && !job_among(s->triggers, name))
            value_push(s->arena, s->triggers, value_string(s->arena, name));
    }
}

static void promises_check(struct scenario *s, const char *command, int code, const char *journal, size_t journal_from)
{
    const char *left = in_dir(s, "world-out.yaml");
    const char *const written[] = {in_dir(s, "record.jsonl"), journal, in_dir(s, "err"), in_dir(s, "out")};
    struct seen seen = {
        .arena = s->arena,
        .command = command,
        .code = code,
        .killed = code > 128,
        .before = s->world,
        .after = s->world,
        .exchanges = lines_read(s, in_dir(s, "record.jsonl"), 0),
        .journal = lines_read(s, journal, journal_from),
        .documents = s->documents,
        .schemas = s->suite->schemas,
    };

    for (size_t i = 0; i < COUNT(written); i++)
        seen.texts[i] = bytes_read(s->arena, written[i], &seen.lens[i]);
    seen.out = seen.texts[3];
    if (access(left, R_OK) == 0)
        seen.after = value_item(yaml_read(s->arena, left), 0);
    triggers_note(s, seen.after);
    seen.triggers = s->triggers;
    for (size_t i = 0; i < COUNT(promises); i++) {
        const char *broken =
            value_get(value_get(s->spec, "excepts"), promises[i].name) ? NULL : promises[i].broken(&seen);

        if (broken)
            fault(s, arena_printf(s->arena, "the promise %s is broken", promises[i].name), broken);
    }
}

static void add_arguments(struct scenario *s, const struct value *run, const char *journal, const char **args, size_t n)
{
    if (!value_bool_at(run, "bare", false)) {
        args[n++] = "-f";
        args[n++] = in_dir(s, "estate.yaml");
    }
    args[n++] = "--world";
    args[n++] = in_dir(s, "world.yaml");
    args[n++] = "--world-out";
    args[n++] = in_dir(s, "world-out.yaml");
    args[n++] = "--record";
    args[n++] = in_dir(s, "record.jsonl");
    if (str_eq(args[1], "apply") || str_eq(args[1], "watch")) {
        args[n++] = "--journal";
        args[n++] = journal;
    }
}

/* Runs the binary; standard output and error go to files. Returns the exit code, or 128 + signal. */
static int run_with(struct scenario *s, const struct value *run, const char *journal, const char *take_over)
{
    const struct value *words = value_get(run, "do");
    const char *args[ARGS_MAX] = {s->suite->binary};
    size_t n = 1, journal_from = strlen(file_read(s->arena, journal));
    int status;
    pid_t pid;

    for (size_t i = 0; i < value_count(words) && n < ARGS_MAX - 14; i++) {
        const char *word = value_str(value_item(words, i));

        args[n++] = word[0] == '@' ? in_dir(s, word + 1) : word;
    }
    if (take_over) {
        args[n++] = "--take-over";
        args[n++] = take_over;
    }
    if (!value_bool_at(run, "alone", false))
        add_arguments(s, run, journal, args, n);
    unlink(in_dir(s, "record.jsonl"));
    unlink(in_dir(s, "world-out.yaml"));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int out = open(in_dir(s, "out"), O_WRONLY | O_CREAT | O_TRUNC, 0600),
            err = open(in_dir(s, "err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int in = open("/dev/null", O_RDONLY);

        dup2(in, 0);
        dup2(out, 1);
        dup2(err, 2);
        execv(args[0], (char *const *)args);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 127;
    record_keep(s);
    status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (!value_bool_at(run, "alone", false))
        promises_check(s, args[1], status, journal, journal_from);
    return status;
}

static int run_binary(struct scenario *s, const struct value *run, const char *journal)
{
    return run_with(s, run, journal, NULL);
}

/* The world a run has left becomes the world of the next. */
static void world_follow(struct scenario *s)
{
    const char *left = in_dir(s, "world-out.yaml");

    if (access(left, R_OK) == 0)
        s->world = value_item(yaml_read(s->arena, left), 0);
}

static void world_place(struct scenario *s)
{
    struct value *docs = value_list(s->arena);

    value_push(s->arena, docs, s->world);
    yaml_write(in_dir(s, "world.yaml"), docs);
}

/* The exchanges of the last run that fit "METHOD fragment-of-the-URL"; NULL when the record cannot be read. */
static struct value *requests_of(struct scenario *s, const char *what)
{
    const char *blank = strchr(what, ' ');
    struct value *all = lines_read(s, in_dir(s, "record.jsonl"), 0), *found = value_list(s->arena);

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *exchange = all->list.items[i];

        if (!blank)
            return NULL;
        if (strncmp(value_str_at(exchange, "method"), what, (size_t)(blank - what)) == 0 &&
            str_find_nocase(value_str_at(exchange, "uri"), blank + 1))
            value_push(s->arena, found, exchange);
    }
    return found;
}

static void expect_texts(struct scenario *s, const struct value *texts, const char *in, bool there, const char *where)
{
    for (size_t i = 0; i < value_count(texts); i++) {
        const char *text = value_str(value_item(texts, i));

        if ((strstr(in, text) != NULL) != there)
            fault(s, arena_printf(s->arena, "%s %s", where, there ? "lacks" : "must not hold"), text);
    }
}

static void expect_requests(struct scenario *s, const struct value *counts)
{
    for (size_t i = 0; i < value_count(counts); i++) {
        const struct member *m = &counts->map.members[i];
        const struct value *found = requests_of(s, m->key);
        size_t n = value_count(found);

        if (!found || !value_is(m->value, VALUE_INT) || n != (size_t)m->value->i)
            fault(s, arena_printf(s->arena, "%zu requests of %s", n, m->key),
                  arena_printf(s->arena, "expected %lld", (long long)value_int_at(counts, m->key, -1)));
    }
}

static void expect_bodies(struct scenario *s, const struct value *sends)
{
    for (size_t i = 0; i < value_count(sends); i++) {
        const struct value *wanted = value_item(sends, i), *found = requests_of(s, value_str_at(wanted, "request"));

        if (value_count(found) == 0)
            fault(s, "no such request was sent", value_str_at(wanted, "request"));
        for (size_t k = 0; k < value_count(found); k++) {
            const struct value *body = value_get(value_item(found, k), "request_body");
            const char *text = value_str(body) ? value_str(body) : json_string(s->arena, body, JSON_COMPACT);

            expect_texts(s, value_get(wanted, "holds"), text, true, "the request");
            expect_texts(s, value_get(wanted, "lacks"), text, false, "the request");
        }
    }
}

static size_t jobs_of(const struct value *world, const char *type)
{
    const struct value *jobs = value_at(world, "spec.jobs");
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *kinds[] = {value_at(value_item(jobs, i), "properties.extendedInfo.propertyBag.Job Type"),
                                       value_get(value_item(jobs, i), "recoveryType")};

        for (size_t k = 0; k < COUNT(kinds); k++)
            if (str_eq(value_str(kinds[k]), type)) {
                n++;
                break;
            }
    }
    return n;
}

static void expect_jobs(struct scenario *s, const struct value *counts, const char *when)
{
    for (size_t i = 0; i < value_count(counts); i++) {
        const struct member *m = &counts->map.members[i];

        if (jobs_of(s->world, m->key) != (size_t)m->value->i)
            fault(s, when,
                  arena_printf(s->arena, "%zu jobs \"%s\", expected %lld", jobs_of(s->world, m->key), m->key,
                               (long long)m->value->i));
    }
}

static void show(struct scenario *s, const char *which)
{
    const char *text = file_read(s->arena, in_dir(s, which));

    fprintf(stderr, "--- %s\n%.6000s\n", which, text);
}

#include "beside.h"

#include "killed.h"

/* --- the suite ---------------------------------------------------------------------------------------------------- */

/* Only what the runs made: files, and folders of one level. */
static void dir_clear(struct scenario *s, const char *path, bool outermost)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        const char *inside = arena_printf(s->arena, "%s/%s", path, entry->d_name);

        if (entry->d_name[0] != '.' && unlink(inside) < 0 && outermost)
            dir_clear(s, inside, false);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static void scenario_run(struct suite *suite, const char *name)
{
    char dir[] = "/tmp/reinstate-scenario-XXXXXX";
    struct arena *a cleanup(arena_freep) = arena_new();
    struct scenario s = {.arena = a, .suite = suite, .name = name, .dir = mkdtemp(dir)};
    const struct value *runs;

    if (!s.dir) {
        suite->failed++;
        return;
    }
    s.spec = value_item(yaml_read(a, arena_printf(a, "%s/%s.yaml", suite->folder, name)), 0);
    s.triggers = value_list(a);
    runs = value_get(s.spec, "runs");
    prepare(&s);
    if (!value_str_at(s.spec, "cites") || !value_count(runs))
        fault(&s, "it cites nothing, or runs nothing", NULL);
    if (value_bool_at(s.spec, "kill", false))
        kill_everywhere(&s);
    else
        for (size_t i = 0; i < value_count(runs); i++)
            run_one(&s, value_item(runs, i), i);
    if (s.faults)
        suite->failed++;
    else
        suite->passed++;
    printf("  %-4s %-28s %s\n", s.faults ? "FAIL" : "ok", name, value_str_at(s.spec, "cites"));
    dir_clear(&s, s.dir, true);
}

int main(int argc, char **argv)
{
    struct suite suite;
    struct dirent **entries = NULL;
    struct err err;
    int n = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: scenario BINARY CHECKOUT FOLDER [NAME...]\n");
        return 2;
    }
    suite = (struct suite){.binary = argv[1], .checkout = argv[2], .folder = argv[3]};
    if (load_schemas(&suite.schemas, &err) < 0) {
        fprintf(stderr, "scenario: %s\n", err.text);
        return 2;
    }
    for (int i = 4; i < argc; i++)
        scenario_run(&suite, argv[i]);
    if (argc == 4)
        n = scandir(suite.folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        size_t len = strlen(entries[i]->d_name);

        if (len > 5 && str_ends_nocase(entries[i]->d_name, ".yaml")) {
            entries[i]->d_name[len - 5] = '\0';
            scenario_run(&suite, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    schemas_free(suite.schemas);
    printf("scenario: %zu passed, %zu failed\n", suite.passed, suite.failed);
    return suite.failed || !suite.passed ? 1 : 0;
}
