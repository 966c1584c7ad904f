/* Knows what is revoked and comes back with something else. Must not know how it is brought back, nor disable it: that
 * stops machines, and is a person's. */
#include "revived.h"

#include "../access/hsm_rights.h"
#include "key_facts.h"

/* The policy asks for a name wherever a step changes this (built-in/revives-revoked). */
#define CHANGE "key.revoked"

const struct document *key_revived_next(const struct view *v, const struct document *key,
                                        const struct index_entry **at)
{
    const struct document *doc;

    while ((doc = key_same_next(v, key, at)))
        if (doc != key && value_str_at(doc->spec, "revoked.reason") && value_str_at(doc->spec, "version"))
            return doc;
    return NULL;
}

const char *key_disable_words(const struct view *v, const struct document *revoking)
{
    const char *store = arm_id_name(key_store_of(v->arena, revoking)),
               *version = value_str_at(revoking->spec, "version"),
               *name = value_str_at(view_facts(v, revoking), "name");
    bool hsm = key_store_is_hsm(revoking);

    return arena_printf(v->arena,
                        "a person disables it, once nothing needs it: az keyvault key set-attributes --%s %s --name "
                        "%s%s%s --enabled false",
                        hsm ? "hsm-name" : "vault-name", store ? store : "STORE", name ? name : revoking->name,
                        version ? " --version " : "", version ? version : "");
}

static void note(const struct view *v, const struct document *revoking, struct steps *out, struct step *step,
                 const char *why)
{
    const char *version = value_str_at(revoking->spec, "version"),
               *reason = value_str_at(revoking->spec, "revoked.reason");

    step_change(out, step, CHANGE, NULL, value_string(v->arena, version ? version : revoking->name),
                arena_printf(v->arena, "%s revokes it (%s), and %s", revoking->address, reason, why));
    step_note(out, step, "%s, which is revoked, comes back with it: afterwards %s",
              version ? version : revoking->address, key_disable_words(v, revoking));
}

void key_note_revived(const struct view *v, const struct document *key, struct steps *out, struct step *step)
{
    const struct index_entry *at = NULL;
    const struct document *doc;

    while ((doc = key_revived_next(v, key, &at)))
        note(v, doc, out, step, "a key comes back with every version that its copy holds");
}

void store_note_revived(const struct view *v, const struct document *store, struct steps *out, struct step *step)
{
    const struct document *key;
    size_t at = 0;

    while ((key = referrer_next(store, "Key", &at)))
        if (value_str_at(key->spec, "revoked.reason"))
            note(v, key, out, step, "a store comes back with every key that was in it");
}
