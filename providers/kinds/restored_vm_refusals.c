/* Knows whether what a restore was refused for has been mended since, and whether a grant may not have acted yet. Must
 * not know what follows from that. Pure. */
#include "../access/rights.h"
#include "../restore/access_needed.h"
#include "restored_vm.h"

#include <string.h>

/* This very plan mends key, set or grants before the restore; then the failure says nothing of what will be. */
static bool mended_before(const struct view *v, const struct situation *s)
{
    if ((s->key && view_prospect(v, s->key) == PROSPECT_PENDING) ||
        (s->des && view_prospect(v, s->des) == PROSPECT_PENDING))
        return true;
    for (size_t i = 0; i < s->n_grants; i++)
        if (access_prospect_for(v, s, s->grants[i], NULL) == PROSPECT_PENDING)
            return true;
    return false;
}

bool restored_vm_mended_since(const struct view *v, const struct situation *s, const struct value *job)
{
    int64_t start = time_parse(value_str_at(job, "start")),
            updated = value_int_at(view_facts(v, s->key), "live.attributes.updated", 0);
    const char *code = value_str_at(job, "code");

    /* A number is a name that nobody has published; a name that nobody knows is a person's. */
    if (start == TIME_NONE || (code && !azure_error_find(code) && strspn(code, "0123456789") != strlen(code)))
        return false;
    if (mended_before(v, s))
        return true;
    for (size_t k = 0; k < s->n_grants; k++) {
        const struct value *facts = view_facts(v, s->grants[k]), *principals = value_get(facts, "principals");

        if (time_parse(value_str_at(facts, "since")) > start)
            return true;
        for (size_t i = 0; i < value_count(principals); i++)
            if (time_parse(value_str_at(value_item(principals, i), "since")) > start)
                return true;
    }
    return updated * SECOND_MS > start;
}

bool restored_vm_before_rotation(const struct situation *s)
{
    return s->given == DX_GIVEN_NOTHING && s->now.des == DX_DES_ROTATED && s->now.tier == DX_VAULT &&
           s->now.encryption == DX_CMK;
}

/* Whose right a refusal speaks of, as key_rights counts them; -1: anybody's. */
static int64_t refused_user(const struct value *job)
{
    const char *code = value_str_at(job, "code");

    if (code && str_find_nocase(code, "PermissionsNotConfigured"))
        return KEY_USER_BACKUP;
    return str_eq(code, "KeyVaultAccessForbidden") ? KEY_USER_DES : -1;
}

/* When the youngest grant of a user was made: TIME_NONE where the store does not tell when, as a managed HSM does not.
 * false: a right is missing, or nobody declares who needs what. */
static bool youngest_grant(const struct view *v, const struct situation *s, int64_t user, int64_t *ret_ms)
{
    const char *set_id = s->given == DX_GIVEN_NOTHING ? s->original_des : s->des_id;
    const struct document *access;
    size_t at = 0, judged = 0;
    bool told = true;

    *ret_ms = TIME_NONE;
    while (s->key && (access = referrer_next(s->key, "KeyAccess", &at))) {
        const struct value *principals = value_get(view_facts(v, access), "principals");

        for (size_t i = 0; i < value_count(principals); i++) {
            const struct value *p = value_item(principals, i), *missing = value_get(p, "missing");
            int64_t since = time_parse(value_str_at(p, "since"));

            if ((user >= 0 && value_int_at(p, "user", -1) != user) ||
                situation_of_another_set(v, access, i, set_id ? set_id : ""))
                continue;
            if (!missing || value_count(missing))
                return false;
            judged++;
            told = told && since != TIME_NONE;
            *ret_ms = since > *ret_ms ? since : *ret_ms;
        }
    }
    *ret_ms = told ? *ret_ms : TIME_NONE;
    return judged > 0;
}

static bool failed_for_right(const struct value *job)
{
    const char *code = value_str_at(job, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    return known && known->cure == CURE_PERMISSION && time_parse(value_str_at(job, "start")) != TIME_NONE;
}

/* A grant to another principal than the refused one says nothing: waiting for it would repeat the refusal. */
static bool grants_there(const struct view *v, const struct situation *s, const struct value *job, int64_t *ret_ms)
{
    return youngest_grant(v, s, refused_user(job), ret_ms);
}

bool restored_vm_granted(const struct view *v, const struct situation *s, const struct value *job)
{
    int64_t ignored;

    return grants_there(v, s, job, &ignored);
}

/* Which error a missing right ends in nobody says: beside the codes of rights, which say whose it is, it may be that of
 * a key that cannot be reached, or a general one. Another key, a quota, or a name that nobody knows is none of it. */
static bool failed_perhaps_for_right(const struct situation *s, const struct value *job)
{
    const char *code = value_str_at(job, "code");

    if (restored_vm_before_rotation(s) || !str_eq(value_str_at(job, "state"), "failed"))
        return false;
    return !code || strspn(code, "0123456789") == strlen(code) ||
           str_eq(code, "UserErrorDiskEncryptionSetKeyDoesNotExist") || str_eq(code, "RestoreOperationFailed");
}

/* All grants are there, and the youngest was minutes old when the job began: it may not have acted. */
static bool grant_was_fresh(const struct view *v, const struct situation *s, const struct value *job)
{
    int64_t youngest, start = time_parse(value_str_at(job, "start"));

    return start != TIME_NONE && failed_perhaps_for_right(s, job) && youngest_grant(v, s, -1, &youngest) &&
           youngest != TIME_NONE && youngest <= start && youngest + GRANT_FRESH_MS > start;
}

bool restored_vm_refused_early(const struct view *v, const struct situation *s, const struct value *job)
{
    int64_t youngest;

    if (grant_was_fresh(v, s, job))
        return true;
    return failed_for_right(job) && grants_there(v, s, job, &youngest) &&
           (youngest == TIME_NONE || youngest + GRANT_YOUNG_MS > time_parse(value_str_at(job, "start")));
}

bool restored_vm_refused_in_vain(const struct view *v, const struct situation *s, const struct value *job)
{
    int64_t youngest;

    return failed_for_right(job) && grants_there(v, s, job, &youngest) && !restored_vm_refused_early(v, s, job);
}
