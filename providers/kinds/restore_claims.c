/* Knows what a restore and an export pass claim before they are triggered, and what is seen of claims beforehand. Must not take
 * one. */
#include "restore_claims.h"

#include "../azure/shared.h"
#include "key_document.h"

#include <string.h>

#define WRITE_BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
#define LIST_KEYS "Microsoft.Storage/storageAccounts/listKeys/action"

/* --- what is claimed --------------------------------------------------------------------------------------------------- */

static struct claim_subject subject(const struct view *v, const struct document *pvm, const struct order *order, const char *target)
{
    return (struct claim_subject){
        .item_id = value_str_at(view_facts(v, pvm), "itemId"),
        .target = target,
        .order = order->activation ? order->activation->name : NULL,
        .point = order->point,
    };
}

struct claim_subject restore_claim(const struct view *v, const struct situation *s)
{
    static const char *const words[] = {[RESTORE_NEW_VM] = "new-vm", [RESTORE_DISKS] = "disks", [RESTORE_REPLACE] = "replace"};
    const char *vm = restored_vm_id(v->arena, s->doc);
    enum restore_type type = situation_type(s->doc);

    return subject(v, s->pvm, &s->order,
                   arena_printf(v->arena, "%s %s", words[type], type == RESTORE_DISKS ? arm_id_parent(v->arena, vm, 4) : vm));
}

struct claim_subject export_claim(const struct view *v, const struct document *pvm, const struct document *key, const struct order *order)
{
    const struct value *facts = view_facts(v, key);
    const char *base = value_str_at(facts, "base"), *name = value_str_at(facts, "name"), *version = key_needed(v, key).version;

    return subject(v, pvm, order, arena_printf(v->arena, "key %s %s %s", base ? base : "", name ? name : "", version ? version : ""));
}

/* --- what it takes ------------------------------------------------------------------------------------------------------ */

void claim_writes(const struct view *v, const struct document *rvm, struct steps *out, struct step *step)
{
    const char *account = reference_id(v->arena, rvm, "spec.target.stagingAccount", NULL);
    const char *endpoint = value_str_at(view_facts(v, rvm), "place.staging.live.properties.primaryEndpoints.blob");
    const char *host = endpoint && str_starts_nocase(endpoint, "https://") ? endpoint + strlen("https://") : NULL;

    if (!account)
        return;
    step_writes(out, step, "PUT", "%.*s/" CLAIM_CONTAINER, host ? (int)strcspn(host, "/") : 0, host ? host : "");
    step_writes(out, step, "POST", "/storageAccounts/%s/listKeys", arm_id_name(account));
    step_wish(out, step, account, WRITE_BLOBS, true, "Storage Blob Data Contributor");
}

bool claims_unwritable(const struct value *place)
{
    return str_eq(value_str_at(place, "claims.writable"), "no");
}

void claim_notes(const struct situation *s, const struct value *place, struct steps *out, struct step *step)
{
    int64_t count = value_int_at(place, "claims.count", 0);

    if (count > 0)
        step_note(out, step, "%lld claim%s of restores and passes in container " CLAIM_CONTAINER " of %s: no secret in them, kept",
                  (long long)count, count == 1 ? "" : "s",
                  arm_id_name(document_reference(s->doc, "spec.target.stagingAccount")->id));
}

/* --- observing ----------------------------------------------------------------------------------------------------------- */

/* The container is made with the first claim: Azure lets whoever may write containers make one. */
static int observe_rights(struct call *c, const struct observer *o, struct azure *az, const char *account, struct value *claims,
                          struct err *err)
{
    const char *path = arena_printf(o->arena, "%s/providers/Microsoft.Authorization/permissions", account);
    struct value *permissions;

    if (arm_list_shared(az, c, o->arena, path, API_AUTHORIZATION, NULL, path, call_now_ms(c) - SHARED_FRESH_MS, &permissions, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    value_set_string(o->arena, claims, "writable",
                     arm_permits(permissions, WRITE_BLOBS, true) || arm_permits(permissions, LIST_KEYS, false) ? "yes" : "no");
    return 0;
}

int claims_observe(struct call *c, const struct observer *o, struct azure *az, struct value *place, struct err *err)
{
    const char *account = reference_id(o->arena, o->document, "spec.target.stagingAccount", NULL);
    struct claims claims cleanup(claims_release) = {0};
    struct value *facts, *blobs;

    if (!account || !str_eq(value_str_at(place, "staging.state"), "present"))
        return 0;
    TRY(claims_open(az, c, o->arena, account, &claims, err));
    if (claims_list(c, o->arena, &claims, &blobs, err) == 0) {
        facts = facts_new(o->arena, "present");
        value_set_int(o->arena, facts, "count", (int64_t)value_count(blobs));
    } else if (err->class == ERR_CANCELLED) {
        return -(int)err->class;
    } else {
        facts = facts_new(o->arena, "unseen");
        value_set_string(o->arena, facts, "why", err->text);
    }
    value_set(o->arena, place, "claims", facts);
    return observe_rights(c, o, az, account, facts, err);
}
