/* Knows how a row is found, and how facts and outcomes are worded. The rows themselves are in diagnosis_rows.c. */
#include "diagnosis.h"

#include "../../reconciler/base/text.h"

static bool fits(unsigned set, unsigned member)
{
    return set == 0 || (set & (1u << member)) != 0;
}

static bool row_fits(const struct dx_row *row, const struct dx_facts *f)
{
    return fits(row->encryption, f->encryption) && fits(row->restore, f->restore) && fits(row->tier, f->tier) &&
           fits(row->snapshot, f->snapshot) && fits(row->store, f->store) && fits(row->home, f->home) && fits(row->des, f->des) &&
           fits(row->key, f->key) && fits(row->grants, f->grants) && fits(row->given, f->given) && fits(row->fault, f->fault) &&
           fits(row->source_vm, f->source_vm) && fits(row->rotation, f->rotation) && fits(row->data_disks, f->data_disks);
}

/* Whether a restore that replaces disks exports the key when it fails is told nowhere, so it is not promised. */
static enum dx_outcome tempered(const struct dx_facts *f, enum dx_outcome outcome)
{
    return outcome == DX_FAILS_AND_EXPORTS && f->restore == DX_REPLACE ? DX_FAILS : outcome;
}

static enum dx_outcome outcome_by(const struct dx_row *row, enum dx_article article)
{
    if (!row->differs || article == DX_ARTICLE_SAFEST)
        return row->outcome;
    return article == DX_ARTICLE_2026_02 ? row->feb : row->jul;
}

/* Two things every success needs, said here once: the grants, and a set without a fault where one is named. Disks alone
 * start nothing, so nobody need release their key yet. */
static bool may_succeed(const struct dx_facts *f)
{
    bool later = f->grants == DX_GRANTS_ORCHESTRATOR_LACKS || f->grants == DX_GRANTS_ORCHESTRATOR_UNSURE;
    bool granted = f->grants == DX_GRANTS_OK || (later && f->restore == DX_DISKS);

    return f->encryption == DX_PMK || (granted && f->fault == DX_FAULT_NONE);
}

static const struct dx_row *decide(const struct dx_facts *f, enum dx_article article)
{
    for (size_t i = 0; i < dx_n_rows; i++) {
        const struct dx_row *row = &dx_rows[i];
        struct dx_facts granted = *f;

        granted.grants = DX_GRANTS_OK;
        if (row->note || !row_fits(row, f) || (outcome_by(row, article) == DX_SUCCEEDS && !may_succeed(f)))
            continue;
        if (row->else_succeeds) {
            const struct dx_row *otherwise = decide(&granted, article);

            if (!otherwise || outcome_by(otherwise, article) != DX_SUCCEEDS)
                continue;
        }
        return row;
    }
    return NULL;
}

struct dx_prediction diagnose(const struct dx_facts *facts, enum dx_article article)
{
    struct dx_prediction p = {.outcome = DX_OUTCOME_UNKNOWN, .other = DX_OUTCOME_UNKNOWN, .remedy = ""};
    struct dx_facts f = *facts;

    /* A store that is not there shows no key. */
    if (f.store != DX_STORE_PRESENT)
        f.key = DX_KEY_UNKNOWN;
    for (size_t i = 0; i < dx_n_rows && p.n_notes < DX_NOTES_MAX; i++)
        if (dx_rows[i].note && row_fits(&dx_rows[i], &f))
            p.notes[p.n_notes++] = &dx_rows[i];
    p.row = decide(&f, article);
    if (!p.row)
        return p;
    p.outcome = p.other = tempered(&f, outcome_by(p.row, article));
    for (int other = DX_ARTICLE_2026_02; other <= DX_ARTICLE_2026_07; other++) {
        const struct dx_row *row = decide(&f, (enum dx_article)other);
        enum dx_outcome outcome = row ? tempered(&f, outcome_by(row, (enum dx_article)other)) : DX_OUTCOME_UNKNOWN;

        if (outcome != p.outcome)
            p.other = outcome;
    }
    p.code = p.outcome == DX_FAILS || p.outcome == DX_FAILS_AND_EXPORTS ? p.row->code : NULL;
    p.remedy = p.outcome == DX_SUCCEEDS ? "" : p.row->remedy;
    p.reading = p.other != p.outcome ? p.row->other_reading : NULL;
    return p;
}

bool dx_may_restore(const struct dx_prediction *p)
{
    return !(p->row && p->row->refused) && (p->outcome == DX_SUCCEEDS || p->outcome == DX_OUTCOME_UNKNOWN);
}

const char *dx_scenario(const struct dx_prediction *p)
{
    return p->row ? p->row->id : NULL;
}

const struct dx_row *diagnosis_row(const char *id)
{
    const struct dx_row *found = NULL;

    for (size_t i = 0; i < dx_n_rows; i++)
        if (str_eq_nocase(dx_rows[i].id, id) && (!found || (found->note && !dx_rows[i].note)))
            found = &dx_rows[i];
    return found;
}

/* --- words ------------------------------------------------------------------------------------------------------------ */

const char *dx_outcome_words(enum dx_outcome outcome)
{
    static const char *const words[] = {
        [DX_SUCCEEDS] = "a restore succeeds",
        [DX_FAILS] = "a restore fails",
        [DX_FAILS_AND_EXPORTS] = "a restore fails and leaves the key in the staging account",
        [DX_DISKS_ONLY] = "the disks come back, the VM does not start",
        [DX_OUTCOME_UNKNOWN] = "the outcome of a restore is unknown",
    };

    return words[outcome];
}

const char *dx_confidence_words(enum dx_confidence confidence)
{
    static const char *const words[] = {
        [DX_DOCUMENTED] = "documented by Microsoft",
        [DX_FIELD] = "seen in the field, not documented",
        [DX_INFERRED] = "inferred, unverified on Azure",
    };

    return words[confidence];
}

const char *dx_remedy_words(char letter)
{
    switch (letter) {
    case 'P':
        return "grant what is missing and wait until it acts";
    case 'E':
        return "enable the key version, or move its expiry";
    case 'C':
        return "recover the soft-deleted key";
    case 'D':
        return "recover the soft-deleted vault or HSM, then grant anew";
    case 'F':
        return "a new disk encryption set on the existing key";
    case 'G':
        return "restore the key from your own key backup";
    case 'T':
        return "a restore that fails and exports the key, then restore the key, then restore the VM";
    case 'V':
        return "choose a recovery point that has reached the vault tier";
    case 'N':
        return "restore as a new VM or as disks";
    case 'O':
        return "name no disk encryption set";
    case 'H':
        return "a person decides";
    default:
        return "nothing to mend";
    }
}

static const char *const tier_words[] = {[DX_SNAPSHOT_ONLY] = "snapshot only", [DX_VAULT] = "vault tier", [DX_NO_TIER] = "no usable tier"};
static const char *const home_words[] = {
    [DX_HOME_VAULT] = "key vault", [DX_HOME_HSM] = "managed HSM", [DX_HOME_UNKNOWN] = "key store of unknown kind"};
static const char *const store_words[] = {[DX_STORE_PRESENT] = "present",
                                          [DX_STORE_DELETED] = "soft-deleted",
                                          [DX_STORE_PURGED] = "purged",
                                          [DX_STORE_DOMAIN_LOST] = "purged, its security domain lost",
                                          [DX_STORE_UNKNOWN] = "not to be seen"};
static const char *const des_words[] = {[DX_DES_INTACT] = "intact",
                                        [DX_DES_ROTATED] = "on another version of the key",
                                        [DX_DES_REPOINTED] = "on another key of the same store",
                                        [DX_DES_MOVED] = "on the same key in another store",
                                        [DX_DES_FOREIGN] = "on another key in another store",
                                        [DX_DES_GONE] = "gone",
                                        [DX_DES_UNKNOWN] = "not known"};
static const char *const key_words[] = {
    [DX_KEY_PRESENT] = "present",      [DX_KEY_DISABLED] = "disabled", [DX_KEY_EXPIRED] = "expired",
    [DX_KEY_DELETED] = "soft-deleted", [DX_KEY_PURGED] = "purged",     [DX_KEY_REPLACED] = "replaced by a new key of its name",
    [DX_KEY_UNKNOWN] = "not known"};
static const char *const grants_words[] = {[DX_GRANTS_OK] = "there",
                                           [DX_GRANTS_BACKUP_LACKS] = "lacking for the Backup Management Service",
                                           [DX_GRANTS_DES_LACKS] = "lacking for the set's identity",
                                           [DX_GRANTS_ORCHESTRATOR_LACKS] = "lacking for the Confidential VM Orchestrator",
                                           [DX_GRANTS_FIREWALL] = "behind a firewall that keeps the services out",
                                           [DX_GRANTS_ORCHESTRATOR_UNSURE] =
                                               "there, behind a firewall that may keep the Confidential VM Orchestrator out",
                                           [DX_GRANTS_UNKNOWN] = "not known"};
static const char *const given_words[] = {[DX_GIVEN_NOTHING] = "no set named",
                                          [DX_GIVEN_EMPTY] = "an empty set named",
                                          [DX_GIVEN_ORIGINAL] = "the original set named",
                                          [DX_GIVEN_SAME_KEY] = "another set on the original key named",
                                          [DX_GIVEN_SAME_KEY_MOVED] = "a set on the original key in another store named",
                                          [DX_GIVEN_NEWER_VERSION] = "a set on a newer version of the key named",
                                          [DX_GIVEN_OTHER_KEY] = "a set on another key of the same store named",
                                          [DX_GIVEN_FOREIGN_KEY] = "a set on another key in another store named",
                                          [DX_GIVEN_FOREIGN_WITH_ORIGINAL] = "a set on another key beside the restored original named",
                                          [DX_GIVEN_PLAIN_SET] = "a set for ordinary disks named",
                                          [DX_GIVEN_UNKNOWN] = "a set on a key that cannot be told named"};
static const char *const fault_words[] = {[DX_FAULT_NONE] = NULL,
                                          [DX_FAULT_MISSING] = "that set does not exist",
                                          [DX_FAULT_UNMAKEABLE] = "that set cannot be made: its key has no release policy",
                                          [DX_FAULT_WRONG_TYPE] = "that set is of the wrong type",
                                          [DX_FAULT_ELSEWHERE] = "that set is in another region or subscription than the target",
                                          [DX_FAULT_KEY] = "that set's own key cannot be used"};
static const char *const data_words[] = {[DX_DATA_NONE] = NULL,
                                         [DX_DATA_ORDINARY] = "ordinary data disks",
                                         [DX_DATA_CONFIDENTIAL] = "confidential data disks",
                                         [DX_DATA_CRASH_CONSISTENT] = "a multi-disk crash-consistent point"};

char *dx_facts_words(struct arena *a, const struct dx_facts *f)
{
    static const char *const restores[] = {[DX_NEW_VM] = "a new VM", [DX_DISKS] = "disks", [DX_REPLACE] = "disks replaced in place"};
    const char *fault = fault_words[f->fault], *data = data_words[f->data_disks];

    if (f->encryption == DX_PMK)
        return arena_printf(a, "%s from a platform-managed key's point, %s; %s", restores[f->restore], tier_words[f->tier],
                            given_words[f->given]);
    return arena_printf(a, "%s, %s; %s %s; key %s; set %s; grants %s; %s%s%s%s%s%s%s", restores[f->restore], tier_words[f->tier],
                        home_words[f->home], store_words[f->store],
                        f->store == DX_STORE_PRESENT ? key_words[f->key] : "not to be looked at", des_words[f->des],
                        grants_words[f->grants], given_words[f->given], fault ? ": " : "", fault ? fault : "",
                        f->source_vm == DX_SOURCE_GONE ? "; source VM gone" : "",
                        f->rotation == DX_ROTATION_STUCK ? "; the set's last rotation failed" : "", data ? "; " : "", data ? data : "");
}

enum dx_article dx_article_of(const char *word)
{
    return str_eq(word, "2026-02") ? DX_ARTICLE_2026_02 : str_eq(word, "2026-07") ? DX_ARTICLE_2026_07 : DX_ARTICLE_SAFEST;
}
