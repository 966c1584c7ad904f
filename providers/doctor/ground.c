/* Knows how features, providers and quotas become what is lacking. Must not know rights. */
#include "ground.h"

#include <string.h>

#include "../backup/points.h"
#include "../restore/platform.h"
#include "../restore/situation.h"

static struct value *entry(struct arena *a, struct value *list, const char *name, const char *subscription,
                           const char *state, const char *told, const char *fix)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "name", name);
    value_set_string(a, v, "subscription", subscription);
    value_set_string(a, v, "state", state);
    value_set_string(a, v, "told", told);
    value_set_string(a, v, "fix", fix);
    value_push(a, list, v);
    return v;
}

/* "SUBSCRIPTION/REST", as extras call what they hold. */
static const char *first_part(struct arena *a, const char *key, const char **ret_rest)
{
    size_t n = strcspn(key, "/");

    *ret_rest = key[n] ? key + n + 1 : "";
    return arena_strndup(a, key, n);
}

static struct value *unseen(struct arena *a, struct value *list, const char *name, const char *subscription,
                            const char *why)
{
    struct value *v = entry(a, list, name, subscription, "unseen", "it cannot be read", NULL);

    value_set_string(a, v, "why", why);
    return v;
}

/* --- features ----------------------------------------------------------------------------------------------------- */

static void feature_judge(struct arena *a, struct value *list, const char *key, const struct value *answer)
{
    const char *rest, *subscription = first_part(a, key, &rest), *state = value_str_at(answer, "feature");
    bool needed = str_eq_nocase(rest, PLATFORM_NEEDED), registered = str_eq_nocase(state, "Registered");
    const char *name = needed ? PLATFORM_NEEDED : PLATFORM_FORBIDDEN;

    if (!state)
        unseen(a, list, name, subscription, value_str_at(answer, "why"));
    else if (needed)
        entry(a, list, name, subscription, registered ? "ok" : "lacking",
              registered ? "Registered" : platform_lacks_words(a, state),
              registered ? NULL : platform_register_advice(a, subscription, state));
    else
        entry(a, list, name, subscription, registered ? "lacking" : "ok",
              registered ? "it is registered, and fails backup and restore" : "not registered, as it must be",
              registered ? "a person unregisters it" : NULL);
}

/* --- quota -------------------------------------------------------------------------------------------------------- */

static const char *size_of(const struct view *v, const struct document *pvm)
{
    const char *live = value_str_at(view_facts(v, pvm), "source.live.properties.hardwareProfile.vmSize");
    const struct situation *s = live ? NULL : situation_at(v, pvm, NULL, NULL);

    return live ? live : value_str_at(s->point, "size");
}

/* All machines of the region that are protected: on the worst day all of them come back. */
static void quota_judge(const struct view *v, struct value *list, const char *key, const struct value *answer)
{
    struct arena *a = v->arena;
    const char *region, *subscription = first_part(a, key, &region), *size;
    const char **sizes = arena_array(a, const char *, v->desired->count + 1);
    struct quota_lack lack = {0};
    struct value *told;
    size_t n = 0;

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *pvm = v->desired->documents[i];

        if (str_eq(pvm->kind, "ProtectedVirtualMachine") && str_eq_spaceless(protected_vm_region(v, pvm), region) &&
            (size = size_of(v, pvm)))
            sizes[n++] = size;
    }
    if (str_eq(value_str_at(answer, "state"), "unseen"))
        told = unseen(a, list, "cores", subscription, value_str_at(answer, "why"));
    else if (platform_quota_lacks(v, answer, &(struct quota_wanted){.sizes = sizes, .n = n}, &lack))
        told = entry(a, list, lack.name, subscription, "lacking",
                     arena_printf(a, "%lld cores are needed for all protected machines, and %lld are left",
                                  (long long)lack.cores, (long long)lack.left),
                     "raise the quota, or restore in parts");
    else
        told = entry(a, list, "cores", subscription, "ok",
                     arena_printf(a, "room for %zu protected machine%s", n, n == 1 ? "" : "s"), NULL);
    value_set_string(a, told, "region", region);
}

/* --- providers ---------------------------------------------------------------------------------------------------- */

/* Part of every subscription. */
static bool always_there(const char *namespace)
{
    static const char *const own[] = {"Microsoft.Authorization", "Microsoft.Resources", "Microsoft.Features",
                                      "Microsoft.Attestation"};

    for (size_t i = 0; i < COUNT(own); i++)
        if (str_eq_nocase(own[i], namespace))
            return true;
    return false;
}

static bool listed(const struct value *list, const char *name, const char *subscription)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), "name"), name) &&
            str_eq_nocase(value_str_at(value_item(list, i), "subscription"), subscription))
            return true;
    return false;
}

static int provider_ask(const struct need *n, struct call *c, struct arena *a, struct value *list, const char *name,
                        const char *subscription, struct err *err)
{
    struct value *live = NULL;
    const char *state;

    if (arm_get_view(n->azure, c, a, arena_printf(a, "/subscriptions/%s/providers/%s", subscription, name),
                     API_RESOURCES, &live, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        unseen(a, list, name, subscription, arena_strdup(a, err->text));
        return 0;
    }
    state = value_str_at(live, "registrationState");
    if (str_eq_nocase(state, "Registered"))
        entry(a, list, name, subscription, "ok", "Registered", NULL);
    else
        entry(a, list, name, subscription, state ? "lacking" : "unseen",
              state ? arena_printf(a, "it is %s", state) : "the answer names no state",
              arena_printf(a, "az provider register --namespace %s --subscription %s", name, subscription));
    return 0;
}

static int providers_ask(const struct needs *n, struct call *c, struct value *list, struct err *err)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct need *one = n->items[i];
        const char *name = arena_strndup(n->arena, one->action, strcspn(one->action, "/")),
                   *subscription = arm_id_part(n->arena, one->scope, "subscriptions");

        if (!subscription || always_there(name) || listed(list, name, subscription))
            continue;
        TRY(provider_ask(one, c, n->arena, list, name, subscription, err));
    }
    return 0;
}

int ground_look(const struct needs *n, struct call *c, const struct view *v, const struct value *extras,
                struct ground *ret, struct err *err)
{
    struct arena *a = v->arena;
    const struct value *features = value_get(extras, "features"), *usages = value_get(extras, "usages");

    *ret = (struct ground){.features = value_list(a), .providers = value_list(a), .quotas = value_list(a)};
    for (size_t i = 0; i < value_count(features); i++)
        feature_judge(a, ret->features, features->map.members[i].key, features->map.members[i].value);
    for (size_t i = 0; i < value_count(usages); i++)
        quota_judge(v, ret->quotas, usages->map.members[i].key, usages->map.members[i].value);
    return providers_ask(n, c, ret->providers, err);
}
