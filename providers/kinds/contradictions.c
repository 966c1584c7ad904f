/* Knows which declarations cannot be so together, and which are over. Must not look at Azure, nor stop what could be
 * right. */
#include "contradictions.h"

#include <string.h>

#include "../documents/common.h"

static const char *place(struct arena *a, const struct document *doc)
{
    return arena_printf(a, "%s (%s:%d:%d)", doc->address, doc->origin.file ? doc->origin.file : "(no file)",
                        doc->origin.line, doc->origin.column);
}

static const struct origin *origin_of(const struct document *doc, const char *path)
{
    const struct value *v = value_at(doc->spec, path);

    return v ? value_origin(v) : &doc->origin;
}

/* --- one subscription, two clouds or tenants ---------------------------------------------------------------------- */

static void check_azure(const struct desired *d, const struct document *doc, struct diags *faults)
{
    static const char *const fields[] = {"cloud", "tenant"};
    const struct index_entry *at = NULL;
    const struct document *other;

    while ((other = desired_next(d, "Azure", &at)) && other->index < doc->index)
        for (size_t i = 0; i < COUNT(fields); i++) {
            const char *here = value_str_at(doc->spec, fields[i]), *there = value_str_at(other->spec, fields[i]);

            if (here && there && !str_eq_nocase(here, there) &&
                str_eq_nocase(value_str_at(doc->spec, "subscription"), value_str_at(other->spec, "subscription")))
                diags_add(faults, SEVERITY_ERROR, origin_of(doc, fields[i]),
                          "a subscription is in one cloud and one tenant: az account show tells which",
                          "spec.%s: %s says %s of the subscription for which %s says %s", fields[i], doc->address, here,
                          place(faults->arena, other), there);
        }
}

/* --- stores and keys ---------------------------------------------------------------------------------------------- */

static void check_vault(const struct document *doc, struct diags *faults)
{
    if (value_bool_at(doc->spec, "purgeProtection", false) && !value_bool_at(doc->spec, "softDelete", true))
        diags_add(faults, SEVERITY_ERROR, origin_of(doc, "softDelete"), "leave softDelete out, or write true",
                  "spec.softDelete is false and spec.purgeProtection true: Azure protects from purging only where soft "
                  "delete is on");
}

/* Who comes back on this key, and cannot. */
static void check_given_up(const struct document *key, const char *path, const char *why, struct diags *faults)
{
    const struct document *set, *rvm;
    size_t i = 0, k;

    while ((set = referrer_next(key, "DiskEncryptionSet", &i)))
        for (k = 0; (rvm = referrer_next(set, "RestoredVirtualMachine", &k));)
            diags_add(faults, SEVERITY_WARNING, origin_of(key, path),
                      arena_printf(faults->arena, "let %s come back on another set and key, or take it out",
                                   rvm->address),
                      "%s %s, and %s comes back on it through %s: its disks could not be opened", key->address, why,
                      place(faults->arena, rvm), set->address);
}

static void check_key(const struct document *key, struct diags *faults)
{
    static const char *const past[] = {"version", "revoked", "sources", "escrow"};

    /* A version that is given up alone leaves the others in use. */
    if (value_get(key->spec, "revoked") && !value_get(key->spec, "version"))
        check_given_up(key, "revoked", "is given up (revoked)", faults);
    else if (!value_bool_at(key->spec, "enabled", true))
        check_given_up(key, "enabled", "is declared disabled", faults);
    for (size_t i = 0; value_bool_at(key->spec, "bootstrap", false) && i < COUNT(past); i++)
        if (value_get(key->spec, past[i])) {
            diags_add(faults, SEVERITY_WARNING, origin_of(key, "bootstrap"),
                      "leave bootstrap out: what is lost is brought back, and never made anew",
                      "spec.bootstrap has no effect beside spec.%s, which says that there has been a key", past[i]);
            return;
        }
}

/* --- access policies ---------------------------------------------------------------------------------------------- */

static bool has_permission(const struct value *all, const char *one)
{
    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str(value_item(all, i)), one))
            return true;
    return false;
}

static bool same_permissions(const struct document *x, const struct document *y)
{
    const struct value *one = value_get(x->spec, "keyPermissions"), *other = value_get(y->spec, "keyPermissions");
    bool same = value_count(one) == value_count(other);

    for (size_t i = 0; i < value_count(one); i++)
        same = same && has_permission(other, value_str(value_item(one, i)));
    return same;
}

static void check_access_policy(const struct desired *d, const struct document *doc, struct diags *faults)
{
    const struct document *vault = document_target(doc, "spec.vault"), *other;
    const char *id = reference_id(faults->arena, doc, "spec.vault", key_vault_id);
    const struct index_entry *at = NULL;

    if (vault && str_eq(value_str_at(vault->spec, "permissionModel"), "azure-rbac"))
        diags_add(faults, SEVERITY_WARNING, origin_of(doc, "vault"), "declare a RoleAssignment or a KeyAccess instead",
                  "%s is declared with permissionModel azure-rbac, under which access policies have no effect",
                  place(faults->arena, vault));
    while ((other = desired_next(d, doc->kind, &at)) && other->index < doc->index)
        if (str_eq_nocase(value_str_at(other->spec, "objectId"), value_str_at(doc->spec, "objectId")) &&
            str_eq_nocase(reference_id(faults->arena, other, "spec.vault", key_vault_id), id) &&
            !same_permissions(doc, other))
            diags_add(faults, SEVERITY_ERROR, origin_of(doc, "keyPermissions"),
                      "declare all that the principal needs in one of the two",
                      "%s declares other permissions for the principal and the vault of %s", doc->address,
                      place(faults->arena, other));
}

/* --- orders ------------------------------------------------------------------------------------------------------- */

/* An order of which nothing can come: all that it names is left alone on purpose. */
static void check_order(const struct document *doc, struct diags *faults)
{
    const struct document *idle = NULL;

    for (size_t i = 0; i < doc->n_references; i++) {
        const struct document *rvm = doc->references[i].target;

        if (!rvm || !rvm->withheld)
            return;
        idle = idle ? idle : rvm->withheld;
    }
    if (idle && !value_bool_at(doc->spec, "withdrawn", false))
        diags_add(faults, SEVERITY_WARNING, origin_of(doc, "restores"),
                  "take the annotation away, or the order", "%s orders nothing: %s is %s", doc->address,
                  place(faults->arena, idle), idle->suspended ? "suspended" : "only observed");
}

void contradictions_check(const struct desired *d, struct diags *faults)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        if (!desired_sound(d, doc))
            continue;
        if (str_eq(doc->kind, "Azure"))
            check_azure(d, doc, faults);
        else if (str_eq(doc->kind, "KeyVault"))
            check_vault(doc, faults);
        else if (str_eq(doc->kind, "Key"))
            check_key(doc, faults);
        else if (str_eq(doc->kind, "KeyVaultAccessPolicy"))
            check_access_policy(d, doc, faults);
        else if (str_eq(doc->kind, "Activation"))
            check_order(doc, faults);
    }
}

/* --- what is over ------------------------------------------------------------------------------------------------- */

struct over {
    struct diags *faults;
    int64_t now_ms;
};

/* `what` was over before now. */
static void tell_over(const struct over *o, const struct value *at, const char *instead, const char *what)
{
    int64_t end = time_parse(value_str(at));

    if (end != TIME_NONE && end < o->now_ms)
        diags_add(o->faults, SEVERITY_WARNING, value_origin(at), instead, "%s ended %s ago, by this machine's clock",
                  what, duration_format(o->faults->arena, o->now_ms - end));
}

static void policy_over(const struct over *o, const struct document *doc)
{
    const struct value *windows = value_get(doc->spec, "windows"), *exceptions = value_get(doc->spec, "exceptions");

    for (size_t i = 0; i < value_count(windows); i++)
        tell_over(o, value_get(value_item(windows, i), "until"), "what it is about is denied until another one opens",
                  arena_printf(o->faults->arena, "spec.windows.%zu: the window", i));
    for (size_t i = 0; i < value_count(exceptions); i++)
        tell_over(o, value_get(value_item(exceptions, i), "until"), "its rule is in force again; take it out",
                  arena_printf(o->faults->arena, "spec.exceptions.%zu: the exception", i));
}

void past_check(const struct desired *d, int64_t now_ms, struct diags *faults)
{
    struct over o = {.faults = faults, .now_ms = now_ms};

    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        if (str_eq(doc->kind, "Activation") && !value_bool_at(doc->spec, "withdrawn", false))
            tell_over(&o, value_get(doc->spec, "notAfter"),
                      "nothing more is triggered by it; reinstate activate prints a new order",
                      arena_printf(faults->arena, "%s: the window", doc->address));
        if (str_eq(doc->kind, "Policy"))
            policy_over(&o, doc);
        if (str_eq(doc->kind, "Key") && !value_get(doc->spec, "revoked"))
            tell_over(&o, value_get(doc->spec, "expires"), "a key past its expiry opens no disk; declare a later end",
                      arena_printf(faults->arena, "spec.expires: the life of %s", doc->address));
    }
}
