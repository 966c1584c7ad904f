/* Knows which copies of a key its store has refused for good, and notes it. Must not restore anything. */
#include "refused.h"

#include "../backup/claim.h"
#include "home.h"

/* --- where -------------------------------------------------------------------------------------------------------- */

static void accounts_of(struct arena *a, const struct document *of, struct value *accounts)
{
    const struct document *rvm;
    size_t at = 0;

    while ((rvm = referrer_next(of, "RestoredVirtualMachine", &at))) {
        const char *id = reference_id(a, rvm, "spec.target.stagingAccount", NULL);
        bool known = !id;

        for (size_t i = 0; i < value_count(accounts); i++)
            known = known || str_eq_nocase(value_str(value_item(accounts, i)), id);
        if (!known)
            value_push(a, accounts, value_string(a, id));
    }
}

/* The staging accounts of restores through the key's sets, then those of the backups that it may come back from. */
static struct value *accounts_around(struct arena *a, const struct document *key)
{
    struct value *accounts = value_list(a);
    const struct document *des;
    size_t at = 0;

    while ((des = referrer_next(key, "DiskEncryptionSet", &at)))
        accounts_of(a, des, accounts);
    for (size_t i = 0; i < key->n_references; i++)
        if (key->references[i].target && str_eq(key->references[i].target->kind, "ProtectedVirtualMachine"))
            accounts_of(a, key->references[i].target, accounts);
    return accounts;
}

const char *key_refusals_account(struct arena *a, const struct document *key)
{
    return value_str(value_item(accounts_around(a, key), 0));
}

/* Reads by token alone, as every look does, because fetching account keys is no read. An account that cannot be read
 * counts as without notes. */
int key_observe_refused(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                        struct err *err)
{
    const struct value *accounts = accounts_around(o->arena, o->document);
    struct value *refused = value_map(o->arena), *notes;

    for (size_t i = 0; i < value_count(accounts); i++) {
        struct claims claims cleanup(claims_release) = {0};
        const char *account = value_str(value_item(accounts, i));

        if (claims_open(az, c, o->arena, account, &claims, err) < 0) {
            if (err->class == ERR_CANCELLED)
                return -(int)err->class;
            continue;
        }
        claims.account_id = NULL;
        if (claims_notes(c, o->arena, &claims, KEY_REFUSAL_PREFIX, &notes, err) < 0) {
            if (err->class == ERR_CANCELLED)
                return -(int)err->class;
            continue;
        }
        for (size_t k = 0; k < value_count(notes); k++) {
            struct value *note = value_copy(o->arena, notes->map.members[k].value);

            value_set_string(o->arena, note, "account", arm_id_name(account));
            value_set_string(o->arena, note, "note", notes->map.members[k].key);
            value_set(o->arena, refused, notes->map.members[k].key, note);
        }
    }
    if (value_count(refused))
        value_set(o->arena, facts, "refused", refused);
    return 0;
}

/* --- what follows ------------------------------------------------------------------------------------------------- */

/* A copy that turned out to be of another key, or to be no backup, says nothing of what the store makes
 * of a right one. */
static const struct value *store_refusal_of(const struct view *v, const struct document *key, const char *told_by)
{
    const struct value *note = key_refusal_of(v, key, told_by);

    return value_str_at(note, "other") || value_bool_at(note, "unusable", false) ? NULL : note;
}

const struct value *key_refusal(const struct view *v, const struct document *key)
{
    const struct value *found = NULL;
    struct key_copy copy;

    for (size_t n = 0; !found && (copy = key_any_copy_at(v, key, n)).kind != KEY_COPY_NONE; n++)
        found = store_refusal_of(v, key, key_copy_told_by(v->arena, view_facts(v, key), &copy));
    for (size_t i = 0; !found && i < key->n_references; i++) {
        const struct document *pvm = key->references[i].target;
        const struct value *exports =
            pvm && str_eq(pvm->kind, "ProtectedVirtualMachine") ? value_get(view_facts(v, pvm), "exports") : NULL;

        for (size_t k = 0; !found && k < value_count(exports); k++)
            found = store_refusal_of(v, key, key_export_told_by(v->arena, value_item(exports, k)));
    }
    return found;
}

const char *key_refusal_words(struct arena *a, const struct value *refusal)
{
    if (value_bool_at(refusal, "unusable", false))
        return arena_printf(a, "%s is no copy of the key that can be used: %s", value_str_at(refusal, "from"),
                            value_str_at(refusal, "text"));
    if (str_eq(value_str_at(refusal, "other"), KEY_UNSEEN_HOLDER))
        return arena_printf(a,
                            "%s was not taken by %s at %s, because a key of its name is there, and none of the "
                            "declared name: it is a copy of another key, and is not tried again",
                            value_str_at(refusal, "from"), value_str_at(refusal, "store"), value_str_at(refusal, "at"));
    if (value_str_at(refusal, "other"))
        return arena_printf(
            a,
            "%s was restored into %s at %s, and key %s came back of it: it is no copy of this key, and is not tried "
            "again",
            value_str_at(refusal, "from"), value_str_at(refusal, "store"), value_str_at(refusal, "at"),
            value_str_at(refusal, "other"));
    return arena_printf(
        a, "%s was refused by %s at %s (%s): the same bytes are refused there again, and are not tried again",
        value_str_at(refusal, "from"), value_str_at(refusal, "store"), value_str_at(refusal, "at"),
        value_str_at(refusal, "text"));
}

static const char *without_note(struct arena *a, const struct value *refusal)
{
    return arena_printf(a,
                        "by removing the note: az storage blob delete --auth-mode login --account-name %s "
                        "--container-name " CLAIM_CONTAINER " --name %s",
                        value_str_at(refusal, "account"), value_str_at(refusal, "note"));
}

const char *key_refusal_lifted(struct arena *a, const struct value *refusal)
{
    if (!str_eq(value_str_at(refusal, "other"), KEY_UNSEEN_HOLDER))
        return NULL;
    return arena_printf(a,
                        "order a recovery point whose disk is wrapped with this key; if it is this one, say so %s, "
                        "and the copy is tried again",
                        without_note(a, refusal));
}

const char *key_refusal_advice(struct arena *a, const struct document *key, const struct value *refusal)
{
    const char *next = backup_refusal_next(a, key, value_str_at(refusal, "text"));

    return arena_printf(
        a,
        "%s; when the store itself was changed so that it can take the copy, say so %s",
        next ? next : "declare a store that can take the copy, or another source for the key",
        without_note(a, refusal));
}

/* --- noting ------------------------------------------------------------------------------------------------------- */

int key_note_refusal(struct call *c, const struct actor *actor, struct azure *az, const struct copy_note *copy,
                     const struct err *refused, struct err *err)
{
    const struct document *key = actor->step->document;
    const struct value *facts = view_facts(actor->view, key);
    const char *account = key_refusals_account(actor->arena, key),
               *name = key_refusal_note(actor->arena, facts, copy->told_by);
    struct claims claims cleanup(claims_release) = {0};
    struct value *note = value_map(actor->arena);
    int rc;

    if (!account || !name)
        return 0;
    value_set_string(actor->arena, note, "copy", copy->told_by);
    value_set_string(actor->arena, note, "from", copy->from);
    value_set_string(actor->arena, note, "other", copy->other);
    value_set_string(actor->arena, note, "machine", copy->machine);
    value_set_string(actor->arena, note, "point", copy->point);
    value_set_string(actor->arena, note, "store", value_str_at(facts, "base"));
    value_set_string(actor->arena, note, "code", refused->code);
    if (copy->unusable)
        value_set_bool(actor->arena, note, "unusable", true);
    value_set_string(actor->arena, note, "text", refused->text);
    value_set_string(actor->arena, note, "at", time_format(actor->arena, call_now_ms(c)));
    rc = claims_open(az, c, actor->arena, account, &claims, err);
    if (rc == 0)
        rc = claims_keep(c, actor->arena, &claims, name, note, err);
    if (rc < 0 && err->class == ERR_CANCELLED)
        return rc;
    if (rc < 0)
        actor_say(actor,
                  "what became of %s could not be noted in storage account %s (%s): a later run would try it again",
                  copy->from, arm_id_name(account), err->text);
    return 0;
}
