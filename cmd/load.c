/* Knows what is checked of all documents. Must not know what any kind means beyond its name: a Policy is compiled, a
 * World is left alone. */
#include "load.h"

#include "load_files.h"
#include "unread.h"

#include <stdlib.h>
#include <string.h>

#include "../providers/keys/copies.h"
#include "../providers/kinds/contradictions.h"
#include "../providers/kinds/registry.h"
#include "../reconciler/format/manifest.h"
#include "../reconciler/model/policy_fields.h"
#include "selection.h"

/* --- policy ------------------------------------------------------------------------------------------------------- */

static const struct policy *compile_policies(struct arena *a, const struct desired *d, const struct schemas *schemas,
                                             struct diags *diags)
{
    const struct document **policies = arena_array(a, const struct document *, d->count + 1);
    size_t n = 0;

    const struct policy *policy;
    size_t before = diags->n_errors;
    bool sound = true;

    for (size_t i = 0; i < d->count; i++) {
        if (!str_eq(d->documents[i]->kind, "Policy"))
            continue;
        sound = sound && !d->documents[i]->faulty;
        if (!d->documents[i]->faulty)
            policies[n++] = d->documents[i];
    }
    policy = policy_compile(a, policies, n, &all_rules, diags);
    if (sound && diags->n_errors == before)
        policy_fields_check(d, schemas, all_kind_names, diags);
    return policy;
}

static const struct policy *policy_from(struct arena *a, const struct options *o, const struct schemas *schemas,
                                        const struct value **ret_docs, struct diags *diags)
{
    struct value *docs = load_paths(a, &o->policy, 1, o->recursive, NULL, diags);
    const struct desired *d;
    const char *pinned[] = {o->policy};

    for (size_t i = 0; i < value_count(docs); i++) {
        const struct value *doc = value_item(docs, i);

        if (!str_eq(value_str_at(doc, "kind"), "Policy"))
            diags_add(diags, SEVERITY_ERROR, value_origin(doc), "--policy takes Policy documents only",
                      "this is no Policy");
    }
    if (!diags->n_errors && !value_count(docs))
        load_complain(diags, o->policy, "give --policy a file or folder with Policy documents", "no Policy is here");
    unread_warn(o, &(struct texts){.items = pinned, .count = 1}, docs, diags);
    if (diags->n_errors)
        return NULL;
    *ret_docs = docs;
    d = desired_resolve(a, schemas, &all_naming, docs, diags);
    return diags->n_errors ? NULL : compile_policies(a, d, schemas, diags);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

int load_schemas(struct schemas **ret, struct err *err)
{
    return schemas_new(schema_files, ret, err);
}

static bool is_same_file(const char *one, const char *other)
{
    char *x = realpath(one, NULL), *y = realpath(other, NULL);
    bool same = x && y && str_eq(x, y);

    free(x);
    free(y);
    return same;
}

static bool given_as(const struct value *doc, const char *kind, const char *path)
{
    return path && str_eq(value_str_at(doc, "kind"), kind) && value_origin(doc)->file &&
           is_same_file(value_origin(doc)->file, path);
}

/* The world that --world names may lie among the manifests, as in the examples, and so may a history:
 * nothing to warn of. */
static struct value *without_the_world(struct arena *a, const struct options *o, const struct value *docs)
{
    struct value *kept = value_list(a);

    for (size_t i = 0; i < value_count(docs); i++) {
        struct value *doc = value_item(docs, i);

        if (!given_as(doc, "World", o->world) && !given_as(doc, "History", o->history))
            value_push(a, kept, doc);
    }
    return kept;
}

/* A mistyped rule in an approval is refused at once: otherwise the person would learn at the worst time that he
 * approved nothing. */
static void check_approvals(struct arena *a, const struct options *o, const struct policy *policy, struct diags *diags)
{
    const char *const *names = policy_rule_names(a, policy);

    for (size_t i = 0; i < o->approvals.count; i++) {
        const char *rule = o->approvals.items[i].rule, *near;
        const char *const *name = names;

        while (*name && !str_eq(*name, rule))
            name++;
        if (*name)
            continue;
        near = did_you_mean(rule, names);
        load_complain(diags, NULL,
                      near ? arena_printf(a, "did you mean %s?", near)
                           : "reinstate explain policy lists the built-in rules",
                      arena_printf(a, "--approve %s: there is no rule of that name", rule));
    }
}

/* What a kind puts together to find a fault in one document goes with it. */
static void check_kind(const struct kind *kind, const struct document *doc, struct diags *diags)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct diags found;

    diags_init(&found, scratch);
    kind->check(doc, &found);
    for (size_t i = 0; i < found.count; i++)
        diags_add(diags, found.items[i].severity, &found.items[i].origin, found.items[i].instead, "%s",
                  found.items[i].what);
}

/* What the kinds themselves find wrong with a declaration. */
static void check_kinds(const struct desired *d, struct diags *diags)
{
    for (size_t i = 0; i < d->count; i++)
        for (size_t k = 0; k < all_kinds.count; k++)
            if (str_eq(all_kinds.items[k]->name, d->documents[i]->kind) && all_kinds.items[k]->check &&
                desired_sound(d, d->documents[i]))
                check_kind(all_kinds.items[k], d->documents[i], diags);
}

struct meaning {
    const struct document *document;
    const char *words, *folded;
};

static int meaning_before(const void *x, const void *y)
{
    const struct meaning *one = x, *other = y;
    int by_kind = strcmp(one->document->kind, other->document->kind), by_thing = strcmp(one->folded, other->folded);

    return by_kind ? by_kind
           : by_thing
               ? by_thing
               : (one->document->index > other->document->index) - (one->document->index < other->document->index);
}

char *load_identity(struct arena *a, const struct document *doc)
{
    for (size_t k = 0; k < all_kinds.count; k++)
        if (str_eq(all_kinds.items[k]->name, doc->kind))
            return all_kinds.items[k]->identity ? all_kinds.items[k]->identity(a, doc) : NULL;
    return NULL;
}

/* Two documents for one thing would undo each other at every run, and alike ones would do everything twice. */
static void check_identities(const struct desired *d, struct diags *diags)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct meaning *all = arena_array(a, struct meaning, d->count + 1);
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++) {
        const char *words = desired_sound(d, d->documents[i]) ? load_identity(a, d->documents[i]) : NULL;

        if (words)
            all[n++] = (struct meaning){d->documents[i], words, str_lower(a, words)};
    }
    qsort(all, n, sizeof(*all), meaning_before);
    for (size_t i = 1, first = 0; i < n; i++) {
        const struct document *one = all[first].document, *other = all[i].document;

        if (!str_eq(one->kind, other->kind) || !str_eq(all[first].folded, all[i].folded)) {
            first = i;
            continue;
        }
        /* Of one name: that was said. */
        if (str_eq(one->address, other->address))
            continue;
        diags_add(diags, SEVERITY_ERROR, &other->origin, "keep one of the two, and let what names the other name it",
                  "%s declares what %s (%s:%d:%d) declares already: %s%s", other->address, one->address,
                  one->origin.file ? one->origin.file : "(no file)", one->origin.line, one->origin.column,
                  all[first].words,
                  str_eq(all[first].words, all[i].words) ? "" : " (capitals make no other name in Azure)");
    }
}

static void check_files(struct arena *a, const struct options *o, const struct desired *d, struct diags *diags)
{
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Key") && desired_sound(d, d->documents[i]))
            key_files_check(a, d->documents[i], o->allow_paths.items, o->allow_paths.count, diags);
}

void load_documents(struct arena *a, const struct options *o, const struct schemas *schemas, const struct value *docs,
                    struct estate *ret, struct diags *diags)
{
    const struct desired *d = desired_resolve(a, schemas, &all_naming, docs, diags);
    const struct policy *policy, *pinned;
    const struct value *pinned_docs = NULL;

    check_kinds(d, diags);
    contradictions_check(d, diags);
    check_identities(d, diags);
    check_files(a, o, d, diags);
    if (diags->n_errors) {
        if ((policy = compile_policies(a, d, schemas, diags)))
            policy_free(policy);
        return;
    }
    if (o->selector || o->targets.count)
        d = selection_make(a, schemas, &all_naming, d, o, diags);
    if (diags->n_errors)
        return;
    policy = compile_policies(a, d, schemas, diags);
    if (o->policy) {
        pinned = policy_from(a, o, schemas, &pinned_docs, diags);
        if (policy)
            policy_free(policy);
        policy = pinned;
    }
    if (policy && !diags->n_errors)
        check_approvals(a, o, policy, diags);
    if (diags->n_errors && policy)
        policy_free(policy);
    if (!diags->n_errors)
        *ret = (struct estate){.desired = d, .policy = policy, .pinned = pinned_docs, .documents = d->raw};
}

const char *load_written(const struct options *o)
{
    return command_at(o->command) == COMMAND_ACTIVATE && !o->list ? o->out : NULL;
}

/* Documents of a kind, or (NULL) all that Azure can differ from; those beside the chosen ones do not count. */
static size_t count_chosen(const struct desired *d, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];
        bool a_state =
            !str_eq(doc->kind, "Azure") && !str_eq(doc->kind, "Policy") && !str_eq(doc->kind, "Activation");

        n += !desired_beside(d, doc) && (kind ? str_eq(doc->kind, kind) : a_state);
    }
    return n;
}

/* Commands whose answer is how things stand in Azure. */
static bool judges(const struct options *o)
{
    static const enum command_at all[] = {COMMAND_PLAN,  COMMAND_APPLY,   COMMAND_DRIFT, COMMAND_FORECAST,
                                          COMMAND_WATCH, COMMAND_RUNBOOK, COMMAND_IMPACT};

    for (size_t i = 0; i < COUNT(all); i++)
        if (command_at(o->command) == all[i])
            return true;
    return false;
}

/* A look at nothing finds all well. Of a selection that is a slip of the hand, and so it is where manifests lie unread;
 * an estate in which nothing is declared yet may be looked at. */
static void check_there_is_something(struct arena *a, const struct options *o, const struct estate *e, bool unread,
                                     struct diags *diags)
{
    bool forecast = command_at(o->command) == COMMAND_FORECAST, chosen = o->selector || o->targets.count;

    if (!judges(o))
        return;
    if (!count_chosen(e->desired, NULL) && !chosen)
        diags_add(diags, unread ? SEVERITY_ERROR : SEVERITY_WARNING, &(struct origin){.file = o->paths.items[0]},
                  unread ? "give -R" : "reinstate explain KIND has an example of each kind",
                  "nothing is declared here that Azure could differ from");
    else if (chosen && !count_chosen(e->desired, forecast ? "ProtectedVirtualMachine" : NULL))
        load_complain(diags, NULL,
                      forecast ? "choose machines; reinstate impact --disable KEY tells what hangs on a key"
                               : "choose documents of other kinds, too",
                      arena_printf(a, "no %s %s: nothing would be looked at",
                                   forecast ? "ProtectedVirtualMachine" : "document that Azure could differ from",
                                   selection_words(a, o)));
    else if (forecast && unread && !count_chosen(e->desired, "ProtectedVirtualMachine"))
        load_complain(diags, o->paths.items[0], "give -R", "no ProtectedVirtualMachine is declared here");
}

void load_estate(struct arena *a, const struct options *o, const struct schemas *schemas, struct estate *ret,
                 struct diags *diags)
{
    const struct value *docs = load_paths(a, o->paths.items, o->paths.count, o->recursive, load_written(o), diags);
    bool unread = false;

    if (!diags->n_errors)
        load_documents(a, o, schemas, without_the_world(a, o, docs), ret, diags);
    else
        desired_check(a, schemas, all_kind_names, without_the_world(a, o, docs), diags);
    if (o->paths.count && !diags->n_errors)
        unread = unread_warn(o, &o->paths, docs, diags);
    if (o->paths.count && !diags->n_errors && ret->desired->count)
        check_there_is_something(a, o, ret, unread, diags);
    if (!diags->n_errors && o->paths.count && !ret->desired->count)
        load_complain(diags, o->paths.items[0],
                      "a manifest begins with apiVersion: reinstate/v1; a World is given with --world FILE, a History "
                      "with --history FILE",
                      "nothing is declared here");
    if (diags->n_errors) {
        if (ret->policy)
            policy_free(ret->policy);
        *ret = (struct estate){0};
    }
}

const struct value *load_single(struct arena *a, const char *path, struct diags *diags)
{
    struct value *docs = value_list(a);

    manifest_read_file(a, path, &manifest_default_limits, docs, diags);
    if (!diags->n_errors && value_count(docs) != 1)
        load_complain(diags, path, "give the file one document",
                      arena_printf(a, "%zu documents where one is wanted", value_count(docs)));
    return diags->n_errors ? NULL : value_item(docs, 0);
}

const struct value *load_world(struct arena *a, const struct schemas *schemas, const char *path, struct diags *diags)
{
    const struct value *world = load_single(a, path, diags);

    if (!world)
        return NULL;
    if (!str_eq(value_str_at(world, "kind"), "World")) {
        diags_add(diags, SEVERITY_ERROR, value_origin(world), "kind: World", "--world takes a World document");
        return NULL;
    }
    schema_check(schemas, "World.json", world, diags);
    return diags->n_errors ? NULL : schema_with_defaults(a, schemas, "World.json", world);
}
