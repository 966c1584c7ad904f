/* explain: the schemas and the table of kinds, told to people. Knows the form of a schema, and no kind. */
#include <string.h>

#include "../providers/kinds/registry.h"
#include "../reconciler/format/json.h"
#include "../reconciler/format/manifest.h"
#include "commands.h"
#include "explain.h"
#include "load.h"
#include "output.h"

static const char *kind_summary(const struct explaining *x, const char *name)
{
    const struct value *schema = schemas_get(x->schemas, arena_printf(x->arena, "%s.json", name));

    for (size_t i = 0; i < all_kinds.count; i++)
        if (str_eq(all_kinds.items[i]->name, name))
            return all_kinds.items[i]->summary;
    return value_str_at(schema, "description") ? value_str_at(schema, "description") : "";
}

/* The first sentence: enough for a list. */
static const char *first_sentence(struct arena *a, const char *text)
{
    const char *end = text ? strstr(text, ". ") : NULL;

    return end ? arena_strndup(a, text, (size_t)(end - text) + 1) : text ? text : "";
}

/* A text as it is written, anything else as JSON. */
static const char *json_plain(struct arena *a, const struct value *v)
{
    return value_str(v) ? value_str(v) : json_string(a, v, JSON_COMPACT);
}

static const char *type_words(struct arena *a, const struct value *field)
{
    const struct value *type = value_get(field, "type"), *refs = value_get(field, "x-ref");

    if (refs && !value_count(refs))
        return "{id: ARM id}";
    if (refs) {
        struct text t cleanup(text_release) = {0};

        text_init(&t, TEXT_CEILING);
        for (size_t i = 0; i < value_count(refs); i++)
            text_printf(&t, "%s%s", i ? " or " : "name of ", value_str(value_item(refs, i)));
        return arena_strdup(a, text_str(&t));
    }
    if (value_str_at(field, "format"))
        return value_str_at(field, "format");
    if (value_str(type))
        return value_str(type);
    if (value_get(field, "enum"))
        return "word";
    return value_get(field, "oneOf") || value_get(field, "anyOf") ? "one of several forms" : "";
}

/* --- without a kind ----------------------------------------------------------------------------------------------- */

static void explain_all(struct explaining *x)
{
    const char *const *names = schemas_kinds(x->schemas);
    struct value *list = value_list(x->arena);

    text_add(x->out, "Kinds:\n");
    for (size_t i = 0; names[i]; i++) {
        struct value *v = value_map(x->arena);

        text_printf(x->out, "  %-26s %s\n", names[i], first_sentence(x->arena, kind_summary(x, names[i])));
        value_set_string(x->arena, v, "name", names[i]);
        value_set_string(x->arena, v, "summary", kind_summary(x, names[i]));
        value_push(x->arena, list, v);
    }
    text_add(x->out,
             "\nreinstate explain KIND or KIND.spec.FIELD; policy for the built-in rules; credentials for the "
             "ways to sign in;\n"
             "scenarios, errors and actions for the tables behind a plan, and any name in it: N-17, F12, an error's "
             "code, a rule, a\n"
             "risk, a step.\n");
    value_set(x->arena, x->answer, "kinds", list);
}

static void explain_policy(struct explaining *x)
{
    struct value *list = value_list(x->arena);

    text_add(x->out, "Built-in rules, in force unless an order covers the step or an approval is given:\n");
    for (size_t i = 0; i < all_rules.count; i++) {
        const char *line = explain_rule_line(x, i);

        text_printf(x->out, "  %s\n", line);
        value_push(x->arena, list, value_string(x->arena, line));
    }
    text_add(x->out, "\nreinstate explain Policy tells how to write your own.\n");
    value_set(x->arena, x->answer, "lines", list);
}

/* Words that an answer uses and no table defines. */
static const struct {
    const char *word, *text;
} concepts[] = {
    {"claim", "Before a restore or an export pass is triggered, a small blob (a claim) is made in container "
              "reinstate-claims of its\n"
              "staging account, only where there is none of that name: Azure Storage lets one writer win, so that two "
              "runs do not\n"
              "trigger the same restore twice. It says who, when, which order, point and target, and later which job. "
              "It holds no\n"
              "secret, and is never deleted.\n"
              "A claim that names no job minutes after it was made is of a run that was cut off: whether a restore was "
              "triggered is\n"
              "then for a person to find out among the vault's restore jobs. reinstate explain take-over tells what to "
              "do when there\n"
              "is none.\n"},
    {"take-over", "reinstate apply --take-over CLAIM=NAME: you have looked at the vault's restore jobs, and none of "
                  "them belongs to this\n"
                  "claim. It then counts as ended, in your name, and the restore is triggered under the next claim. "
                  "The journal keeps your\n"
                  "name. Nothing else is approved by it: an order is needed all the same, and policy rules stand. "
                  "Where a job does belong\n"
                  "to the claim, do not take it over: the restore would be made a second time. reinstate explain claim "
                  "tells what a claim\n"
                  "is.\n"},
    {"credentials",
     "Ways to sign in, in the order in which they are tried; --credential NAME, or AZURE_TOKEN_CREDENTIALS with a name "
     "of "
     "the Azure\n"
     "SDKs, takes that one alone. If one of the first six is set up and fails, no other is tried in its place.\n"
     "  tokens             REINSTATE_TOKEN_ARM, _VAULT, _HSM, _STORAGE, _GRAPH: tokens you have already, not renewed\n"
     "  client-secret      AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET\n"
     "  client-certificate AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH (PEM or PKCS#12), "
     "_CERTIFICATE_PASSWORD\n"
     "  workload-identity  AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE; or ARM_OIDC_TOKEN, "
     "ARM_OIDC_TOKEN_FILE_PATH\n"
     "  pipelines          SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID, and the "
     "ids "
     "as above\n"
     "                     or as AZURESUBSCRIPTION_TENANT_ID, AZURESUBSCRIPTION_CLIENT_ID\n"
     "  github             AZURE_TENANT_ID, AZURE_CLIENT_ID, and in the workflow permissions: {id-token: write}\n"
     "  managed-identity   of this VM, app, server of Azure Arc or Cloud Shell; AZURE_CLIENT_ID names a user-assigned "
     "one\n"
     "  azure-cli          whoever is signed in with az login\n"
     "  azd                whoever is signed in with azd auth login\n"
     "A secret, a certificate or a job's token goes to its own tenant only, and to those that "
     "AZURE_ADDITIONALLY_ALLOWED_TENANTS names.\n"
     "HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE count as for other tools. reinstate doctor says who you are by all "
     "this.\n"
     "Where no AZURE_CLIENT_ID is set, the same variables are read as Terraform's ARM_...; the two are never mixed. "
     "Secrets are\n"
     "taken out of the environment once they were read, and no program that is run inherits them.\n"},
};

static bool explain_concept(struct explaining *x, const char *word)
{
    for (size_t i = 0; i < COUNT(concepts); i++)
        if (str_eq_nocase(concepts[i].word, word) ||
            str_eq_nocase(arena_printf(x->arena, "--%s", concepts[i].word), word)) {
            text_add(x->out, concepts[i].text);
            value_set_string(x->arena, x->answer, "description", concepts[i].text);
            return true;
        }
    return false;
}

/* --- one field ---------------------------------------------------------------------------------------------------- */

/* `path` stands below `parent`: directly, or `deep` at any depth. */
static bool stands_below(const char *path, const char *parent, bool deep)
{
    size_t n = strlen(parent);

    if (n && (strncmp(path, parent, n) != 0 || path[n] != '.'))
        return false;
    return deep || !strchr(path + n + (n ? 1 : 0), '.');
}

/* "required", the words it may be, what it is when it is left out. */
static const char *marks_of(struct explaining *x, const char *file, const char *path, const struct value *field)
{
    const struct value *words = value_get(field, "enum"), *otherwise = value_get(field, "default");
    const char *marks = schema_required(x->schemas, file, path) ? "required" : "";

    for (size_t i = 0; i < value_count(words); i++)
        marks = arena_printf(x->arena, "%s%s%s", marks, i ? " | " : *marks ? ", " : "",
                             json_plain(x->arena, value_item(words, i)));
    if (otherwise)
        marks = arena_printf(x->arena, "%s%sdefault %s", marks, *marks ? ", " : "", json_plain(x->arena, otherwise));
    return *marks ? arena_printf(x->arena, " [%s]", marks) : "";
}

static void child_write(struct explaining *x, const char *file, const char *path, struct value *list)
{
    const struct value *field = schema_field(x->schemas, file, path);
    struct value *v = value_map(x->arena);

    text_printf(x->out, "%s  %-34s %-16s%s %s\n", value_count(list) ? "" : "\nFields:\n", path,
                type_words(x->arena, field), marks_of(x, file, path, field),
                first_sentence(x->arena, value_str_at(field, "description")));
    value_set_string(x->arena, v, "path", path);
    value_set_string(x->arena, v, "description", value_str_at(field, "description"));
    value_set_string(x->arena, v, "field", value_str_at(field, "x-field"));
    value_set_bool(x->arena, v, "required", schema_required(x->schemas, file, path));
    if (value_get(field, "enum"))
        value_set(x->arena, v, "values", value_get(field, "enum"));
    if (value_get(field, "default"))
        value_set(x->arena, v, "default", value_get(field, "default"));
    value_push(x->arena, list, v);
}

/* A kind is shown with the fields of its spec, a field with those directly below it; --recursive: with all below. */
static void explain_children(struct explaining *x, const char *file, const char *parent)
{
    const struct value *paths = schema_paths(x->arena, x->schemas, file);
    struct value *list = value_list(x->arena);
    size_t hidden = 0;

    parent = *parent ? parent : "spec";
    for (size_t i = 0; i < value_count(paths); i++) {
        const char *path = value_str(value_item(paths, i));

        if (stands_below(path, parent, x->options->recursive))
            child_write(x, file, path, list);
        else
            hidden += stands_below(path, parent, true);
    }
    if (hidden)
        text_printf(x->out, "\n%zu more stand below these: --recursive shows them.\n", hidden);
    value_set(x->arena, x->answer, "fields", list);
}

/* The schema's own example: the tests hold it to the schema, and all of them together to one estate. */
static void explain_example(struct explaining *x, const struct value *schema)
{
    const struct value *example = value_item(value_get(schema, "examples"), 0);

    if (!value_is(example, VALUE_MAP))
        return;
    text_add(x->out, "\nExample:\n");
    manifest_write(x->out, example);
    value_set(x->arena, x->answer, "example", (struct value *)example);
}

static void explain_values(struct explaining *x, const struct value *field)
{
    const struct value *words = value_get(field, "enum"), *otherwise = value_get(field, "default");
    const char *trait = value_str_at(field, "x-field");

    for (size_t i = 0; i < value_count(words); i++)
        text_printf(x->out, "%s%s%s", i ? " | " : "Values: ", json_string(x->arena, value_item(words, i), JSON_COMPACT),
                    i + 1 == value_count(words) ? "\n" : "");
    if (otherwise)
        text_printf(x->out, "Default: %s\n", json_string(x->arena, otherwise, JSON_COMPACT));
    if (str_eq(trait, "enforced"))
        text_add(x->out, "Enforced: a difference is changed.\n");
    else if (str_eq(trait, "asserted"))
        text_add(x->out, "Asserted: a difference is shown, and is for a person to change.\n");
    else if (str_eq(trait, "local"))
        text_add(x->out, "Local: for reinstate only; Azure does not hold it.\n");
    if (value_str_at(field, "x-source"))
        text_printf(x->out, "Source: %s\n", value_str_at(field, "x-source"));
}

static int unknown_field(struct explaining *x, const char *kind, const char *file, const char *path, struct err *err)
{
    const struct value *paths = schema_paths(x->arena, x->schemas, file);
    const char **names = arena_array(x->arena, const char *, value_count(paths) + 1), *near;

    for (size_t i = 0; i < value_count(paths); i++)
        names[i] = value_str(value_item(paths, i));
    near = did_you_mean(path, names);
    err_set(err, ERR_INVALID, "%s has no field %s", kind, path);
    return near ? err_advise(err, "did you mean %s.%s?", kind, near)
                : err_advise(err, "reinstate explain %s lists them", kind);
}

/* "KeyVault" whatever the case; NULL when there is none. */
static const char *kind_named(const struct explaining *x, const char *word)
{
    const char *const *names = schemas_kinds(x->schemas);

    for (size_t i = 0; names[i]; i++)
        if (str_eq_nocase(names[i], word))
            return names[i];
    return NULL;
}

static int unknown_kind(const struct explaining *x, const char *word, struct err *err)
{
    const char *near = did_you_mean(word, schemas_kinds(x->schemas));

    if (!near)
        near = explain_near(x, word);
    err_set(err, ERR_INVALID, "there is no kind, row, error, rule, action, observation or danger %s", word);
    return near ? err_advise(err, "did you mean %s?", near)
                : err_advise(
                      err, "reinstate explain lists the kinds, explain scenarios the rows, explain errors the errors; "
                           "a rule of your own says in its Policy what it holds back; a plan names the place");
}

static int explain_word(struct explaining *x, const char *word, struct err *err)
{
    size_t len = strcspn(word, ".");
    const char *first = arena_strndup(x->arena, word, len), *path = word[len] ? word + len + 1 : "";
    const char *kind = kind_named(x, first), *file;
    const struct value *field;

    if (!kind)
        return explain_concept(x, word) || explain_name(x, word) ? 0 : unknown_kind(x, word, err);
    file = arena_printf(x->arena, "%s.json", kind);
    /* "Key.enabled" is short for "Key.spec.enabled". */
    field = *path ? schema_field(x->schemas, file, path) : schemas_get(x->schemas, file);
    if (!field && (field = schema_field(x->schemas, file, arena_printf(x->arena, "spec.%s", path))))
        path = arena_printf(x->arena, "spec.%s", path);
    if (!field)
        return unknown_field(x, kind, file, path, err);
    if (*path)
        text_printf(x->out, "%s.%s  %s\n\n", kind, path, type_words(x->arena, field));
    else
        text_printf(x->out, "%s\n\n%s\n", kind, kind_summary(x, kind));
    if (value_str_at(field, "description") &&
        !(!*path && str_eq(kind_summary(x, kind), value_str_at(field, "description"))))
        text_printf(x->out, "%s\n", value_str_at(field, "description"));
    if (*path && schema_required(x->schemas, file, path))
        text_add(x->out, "Required: it must be there wherever what holds it is.\n");
    explain_values(x, field);
    value_set_string(x->arena, x->answer, "kind", kind);
    value_set_string(x->arena, x->answer, "path", path);
    value_set_string(x->arena, x->answer, "description", value_str_at(field, "description"));
    value_set(x->arena, x->answer, "schema", (struct value *)field);
    explain_children(x, file, path);
    if (!*path)
        explain_example(x, field);
    return 0;
}

int command_explain(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};
    struct schemas *schemas cleanup(schemas_freep) = NULL;
    struct explaining x = {.arena = a, .options = o, .out = &t, .answer = output_envelope(a, o)};
    struct err err;

    text_init(&t, TEXT_CEILING);
    if (load_schemas(&schemas, &err) < 0)
        return output_failure(o, NULL, &err);
    x.schemas = schemas;
    if (!o->operands.count)
        explain_all(&x);
    else if (str_eq(o->operands.items[0], "policy"))
        explain_policy(&x);
    else if (str_eq(o->operands.items[0], "scenarios"))
        explain_scenarios(&x);
    else if (str_eq(o->operands.items[0], "errors"))
        explain_errors(&x);
    else if (str_eq(o->operands.items[0], "actions"))
        explain_actions(&x);
    else if (explain_word(&x, o->operands.items[0], &err) < 0)
        return output_failure(o, NULL, &err);
    output_either(o, x.answer, &t);
    return EXIT_DECLARED;
}
