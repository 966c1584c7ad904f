/* One policy and one document, and the steps that the policy judges. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include "../harness.h"

#include "../../providers/kinds/registry.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/manifest.h"
#include "../../reconciler/model/policy.h"

/* 2026-11-23T03:00:00Z */
static const int64_t now_ms = INT64_C(1795402800000);

static const char facts_yaml[] =
    "state: present\n"
    "associatedResources: []\n"
    "live:\n"
    "  sku: premium\n"
    "  count: 3\n"
    "  nothing: null\n"
    "  zones: ['1', '2']\n"
    "  created: 2026-02-28T23:00:00Z\n"
    "  took: PT2M30.5S\n"
    "  long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n"
    "  properties: {enablePurgeProtection: false}\n";

static const char document_yaml[] = "metadata: {name: kv, labels: {app: payroll}}\nspec: {keep: 24h}\n";

struct fixture {
    struct arena *arena;
    struct diags diags;
    const struct policy *policy;
    struct policy_options options;
    struct document document;
    const struct value *facts;
    struct steps steps;
};

static struct value *yaml(struct arena *a, const char *file, const char *text)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read(a, file, text, strlen(text), &manifest_default_limits, docs, &diags);
    CHECK_ROW(text, diags.count == 0);
    return value_item(docs, 0);
}

/* `rules` is the spec of one Policy called guardrails. */
static void fixture_begin(struct fixture *f, const char *spec)
{
    const struct document **policies;
    struct document *policy;

    *f = (struct fixture){.arena = arena_new()};
    diags_init(&f->diags, f->arena);
    policy = arena_new_of(f->arena, struct document);
    policy->kind = "Policy";
    policy->name = "guardrails";
    policy->root = yaml(f->arena, "policy.yaml", arena_printf(f->arena, "spec:\n%s", spec));
    policy->spec = value_get(policy->root, "spec");
    policies = arena_array(f->arena, const struct document *, 1);
    policies[0] = policy;
    f->policy = policy_compile(f->arena, policies, 1, &all_rules, &f->diags);
    f->options.now_ms = now_ms;
    f->options.pinned = true;
    f->document = (struct document){.kind = "KeyVault", .name = "kv", .address = "KeyVault/kv"};
    f->document.root = yaml(f->arena, "m.yaml", document_yaml);
    f->document.spec = value_get(f->document.root, "spec");
    f->document.labels = value_at(f->document.root, "metadata.labels");
    f->facts = yaml(f->arena, "facts", facts_yaml);
    f->steps.arena = f->arena;
}

static void fixture_end(struct fixture *f)
{
    policy_free(f->policy);
    arena_free(f->arena);
}

static const struct value *facts_of(const void *ctx, const struct document *doc)
{
    (void)doc;
    return ((const struct fixture *)ctx)->facts;
}

static struct step *add(struct fixture *f, enum action action)
{
    struct step *step =
        steps_add(&f->steps, &f->document, action, arena_printf(f->arena, "%zu", f->steps.count), "because");
    struct value *detail = value_map(f->arena);

    value_set_string(f->arena, detail, "region", "uaenorth");
    value_set(f->arena, detail, "later", value_unknown(f->arena));
    step->detail = detail;
    step->scope = "/subscriptions/s/vaults/kv";
    return step;
}

static void judge(struct fixture *f)
{
    policy_judge(f->policy, &f->options, &f->steps, facts_of, f);
}

#endif
