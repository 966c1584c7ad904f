/* Golden tests: manifests + observed facts -> the plan as text, byte for byte, without any I/O in between.
 *
 *   golden [--update] FOLDER
 *
 * FOLDER/base.yaml holds `now`, `manifests` and `facts`; every FOLDER/rows/NAME.yaml changes it: `cites` (the row it
 * stands for), `manifests` (replace those of the same kind and name, or are added), `without` (addresses), `facts`
 * (merged in; null removes a member). The plan expected is FOLDER/rows/NAME.txt; --update writes it, for review in the
 * diff. FOLDER/diagnosis.yaml puts facts to the scenario table (diagnosis.h); what it
 * answers is FOLDER/diagnosis.txt. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../invariants.h"
#include "../../cmd/call.h"
#include "../../providers/kinds/registry.h"
#include "../../providers/runbook/runbook.h"
#include "../../reconciler/format/manifest.h"
#include "../../reconciler/model/report.h"
#include "diagnosis.h"

struct golden {
    struct arena *arena;
    struct schemas *schemas;
    const char *folder;
    bool update;
    size_t passed, failed, written;
    bool told[ACTION_COUNT]; /* a runbook has commands for it */
};

static struct value *yaml_one(struct arena *a, const char *path)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read_file(a, path, &manifest_default_limits, docs, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%s\n", diag_format(a, &diags.items[i]));
    return diags.n_errors ? NULL : value_item(docs, 0);
}

/* Maps are merged, null removes, everything else replaces. */
static struct value *merge(struct arena *a, const struct value *base, const struct value *over)
{
    struct value *out;

    if (!value_is(base, VALUE_MAP) || !value_is(over, VALUE_MAP))
        return value_copy(a, over);
    out = value_copy(a, base);
    for (size_t i = 0; i < value_count(over); i++) {
        const struct member *m = &over->map.members[i];

        if (value_is(m->value, VALUE_NULL))
            value_remove(out, m->key);
        else
            value_set(a, out, m->key, merge(a, value_get(out, m->key), m->value));
    }
    return out;
}

static bool same_document(const struct value *x, const struct value *y)
{
    return str_eq(value_str_at(x, "kind"), value_str_at(y, "kind")) &&
           str_eq(value_str_at(x, "metadata.name"), value_str_at(y, "metadata.name"));
}

static bool listed(struct arena *a, const struct value *without, const struct value *doc)
{
    const char *address = arena_printf(a, "%s/%s", value_str_at(doc, "kind"), value_str_at(doc, "metadata.name"));

    for (size_t i = 0; i < value_count(without); i++)
        if (str_eq(value_str(value_item(without, i)), address))
            return true;
    return false;
}

static struct value *manifests(struct arena *a, const struct value *base, const struct value *row)
{
    const struct value *bases = value_get(base, "manifests"), *own = value_get(row, "manifests");
    struct value *out = value_list(a);

    for (size_t i = 0; i < value_count(bases); i++) {
        const struct value *doc = value_item(bases, i);
        bool replaced = listed(a, value_get(row, "without"), doc);

        for (size_t j = 0; j < value_count(own); j++)
            replaced |= same_document(doc, value_item(own, j));
        if (!replaced)
            value_push(a, out, (struct value *)doc);
    }
    for (size_t j = 0; j < value_count(own); j++)
        value_push(a, out, value_item(own, j));
    return out;
}

static bool faults(struct arena *a, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        fprintf(stderr, "%s\n", diag_format(a, &diags->items[i]));
    return diags->n_errors > 0;
}

/* In every shell each step of the plan has commands, or says why it has none. */
static bool runbook_whole(struct golden *g, const struct view *view, const struct plan *plan)
{
    struct azure_connections none = {0};
    struct runbook rb = runbook_make(view, plan, &none);
    bool whole = rb.count == plan->n_changes;

    for (size_t i = 0; i < rb.count; i++) {
        if (!rb.entries[i].n_commands && !rb.entries[i].barred)
            fprintf(stderr, "no commands and no reason: %s\n", rb.entries[i].step->id);
        whole &= rb.entries[i].n_commands || rb.entries[i].barred;
        if (rb.entries[i].barred && str_starts(rb.entries[i].barred, "no command is known")) {
            fprintf(stderr, "no command is known: %s\n", rb.entries[i].step->id);
            whole = false;
        }
        g->told[rb.entries[i].step->action] |= rb.entries[i].n_commands > 0;
    }
    for (enum runbook_shell shell = 0; shell < RUNBOOK_SHELL_COUNT; shell++) {
        struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};

        runbook_write(&text, &rb, shell);
        for (size_t i = 0; i < rb.count; i++)
            whole &= strstr(text_str(&text), rb.entries[i].step->id) != NULL;
    }
    return whole;
}

/* Rows together hold every action that a plan can hold, but for those that are not done. */
static void actions_told(struct golden *g)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (action != ACTION_NONE && action != ACTION_BLOCKED && !g->told[action]) {
            fprintf(stderr, "golden: no row has a runbook with commands for %s\n", action_name(action));
            g->failed++;
        }
}

/* The plan of one row as text; NULL after saying why there is none. */
static const char *conclude(struct golden *g, struct arena *a, const struct value *base, const struct value *row)
{
    const struct document **policies;
    const struct value **facts;
    const struct desired *desired;
    struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct settings settings = settings_default;
    struct engine engine = {.kinds = &all_kinds, .settings = &settings};
    struct view view = {.arena = a, .settings = &settings};
    const struct value *all =
        merge(a, value_get(base, "facts"), value_get(row, "facts") ? value_get(row, "facts") : value_map(a));
    const char *now = value_str_at(row, "now") ? value_str_at(row, "now") : value_str_at(base, "now");
    struct diags diags;
    const struct plan *plan;
    const char *alone;
    size_t n = 0;
    struct err err;

    diags_init(&diags, a);
    desired = desired_resolve(a, g->schemas, &all_naming, manifests(a, base, row), &diags);
    if (faults(a, &diags))
        return NULL;
    policies = arena_array(a, const struct document *, desired->count + 1);
    facts = arena_array(a, const struct value *, desired->count + 1);
    for (size_t i = 0; i < desired->count; i++) {
        facts[i] = value_get(all, desired->documents[i]->address);
        if (str_eq(desired->documents[i]->kind, "Policy"))
            policies[n++] = desired->documents[i];
    }
    engine.policy = policy_compile(a, policies, n, &all_rules, &diags);
    settings.article = policy_article(engine.policy);
    view.desired = desired;
    view.facts = facts;
    view.now_ms = time_parse(now);
    if (faults(a, &diags) || engine_conclude(&engine, a, &view, &plan, &err) < 0) {
        fprintf(stderr, "%s\n", diags.n_errors ? "policy" : err.text);
        policy_free(engine.policy);
        return NULL;
    }
    report_plan(&text, plan, &(struct report_style){.filled = call_filled, .all = true});
    if (!runbook_whole(g, &view, plan))
        text_add(&text, "The runbook of this plan is not whole.\n");
    alone = invariant_alone(a, &engine, &view, plan);
    if (alone)
        text_printf(&text, "%s\n", alone);
    policy_free(engine.policy);
    return arena_strdup(a, text_str(&text));
}

static char *file_read(struct arena *a, const char *path)
{
    struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};
    char chunk[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        text_add_n(&text, chunk, n);
    fclose(f);
    return arena_strdup(a, text_str(&text));
}

/* Compares with the file of what is expected, or writes it. `fault`: what speaks against it besides; NULL. */
static void compare(struct golden *g, struct arena *a, const char *name, const char *path, const char *got,
                    const char *fault)
{
    const char *expected = file_read(a, path);
    FILE *f;

    if (!fault && got && g->update && !str_eq(got, expected)) {
        f = fopen(path, "w");
        if (f && fputs(got, f) >= 0 && fclose(f) == 0)
            g->written++;
        return;
    }
    if (!fault && got && str_eq(got, expected)) {
        g->passed++;
        return;
    }
    g->failed++;
    fprintf(stderr, "golden %s: %s\n", name,
            fault       ? fault
            : !got      ? "no plan"
            : !expected ? "nothing is expected; run with --update and review it"
                        : "what is told differs");
    if (!fault && got && expected)
        fprintf(stderr, "--- expected\n%s--- got\n%s", expected, got);
}

static void row_run(struct golden *g, const struct value *base, const char *name)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct value *row = yaml_one(a, arena_printf(a, "%s/rows/%s.yaml", g->folder, name));
    const char *got = row ? conclude(g, a, base, row) : NULL;

    compare(g, a, name, arena_printf(a, "%s/rows/%s.txt", g->folder, name), got,
            !row || !value_str_at(row, "cites") ? "no YAML, or it cites no row"
            : got && strstr(got, "-f ...")      ? "a command names no manifests"
                                                : NULL);
}

static void diagnosis_run(struct golden *g)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const struct value *spec = yaml_one(a, arena_printf(a, "%s/diagnosis.yaml", g->folder));
    size_t faults = diagnosis_tell(a, spec, &text);

    compare(g, a, "diagnosis", arena_printf(a, "%s/diagnosis.txt", g->folder), text_str(&text),
            faults ? "rows and cases do not fit each other" : NULL);
}

static int by_name(const struct dirent **x, const struct dirent **y)
{
    return strcmp((*x)->d_name, (*y)->d_name);
}

int main(int argc, char **argv)
{
    const char *manifests_given = "estate.yaml";
    const struct options call = {.paths = {&manifests_given, 1}, .settle_ms = -1, .export_lookback_ms = -1};
    struct golden g = {.arena = arena_new()};
    struct dirent **entries = NULL;
    const struct value *base;
    struct err err;
    int n;

    call_set(&call);
    g.update = argc == 3 && str_eq(argv[1], "--update");
    g.folder = argv[argc - 1];
    if (argc < 2 || schemas_new(schema_files, &g.schemas, &err) < 0 ||
        !(base = yaml_one(g.arena, arena_printf(g.arena, "%s/base.yaml", g.folder)))) {
        fprintf(stderr, "usage: golden [--update] FOLDER (with base.yaml and rows/)\n");
        return 1;
    }
    n = scandir(arena_printf(g.arena, "%s/rows", g.folder), &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        if (str_ends_nocase(entries[i]->d_name, ".yaml"))
            row_run(&g, base, arena_strndup(g.arena, entries[i]->d_name, strlen(entries[i]->d_name) - 5));
        free(entries[i]);
    }
    free(entries);
    diagnosis_run(&g);
    actions_told(&g);
    printf("golden: %zu passed, %zu failed%s\n", g.passed, g.failed,
           g.update ? arena_printf(g.arena, ", %zu written", g.written) : "");
    schemas_free(g.schemas);
    arena_free(g.arena);
    return g.failed || !(g.passed + g.written) ? 1 : 0;
}
