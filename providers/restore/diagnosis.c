/* Knows how a row is found. The rows themselves are in diagnosis_rows.c, their words in diagnosis_words.c. */
#include "diagnosis.h"

#include "../../reconciler/base/text.h"

static bool fits(unsigned set, unsigned member)
{
    return set == 0 || (set & (1u << member)) != 0;
}

static bool row_fits(const struct dx_row *row, const struct dx_facts *f)
{
    return fits(row->encryption, f->encryption) && fits(row->restore, f->restore) && fits(row->tier, f->tier) &&
           fits(row->snapshot, f->snapshot) && fits(row->store, f->store) && fits(row->home, f->home) &&
           fits(row->des, f->des) && fits(row->key, f->key) && fits(row->grants, f->grants) &&
           fits(row->given, f->given) && fits(row->fault, f->fault) && fits(row->source_vm, f->source_vm) &&
           fits(row->rotation, f->rotation) && fits(row->data_disks, f->data_disks);
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
    bool later = f->grants == DX_GRANTS_ORCHESTRATOR_LACKS || f->grants == DX_GRANTS_ORCHESTRATOR_SHUT ||
                 f->grants == DX_GRANTS_ORCHESTRATOR_UNSURE;
    bool granted = f->grants == DX_GRANTS_OK || (later && f->restore == DX_DISKS);

    return f->encryption == DX_PMK || (granted && f->fault == DX_FAULT_NONE);
}

static const struct dx_row *decide(const struct dx_facts *f, enum dx_article article);

/* Whether what would become of the restore, were the grants there, is what the row goes by. */
static bool goes_by(const struct dx_row *row, const struct dx_facts *f, enum dx_article article)
{
    struct dx_facts granted = *f;
    const struct dx_row *otherwise;

    if (!row->else_succeeds && !row->else_unknown)
        return true;
    granted.grants = DX_GRANTS_OK;
    otherwise = decide(&granted, article);
    if (row->else_succeeds)
        return otherwise && outcome_by(otherwise, article) == DX_SUCCEEDS;
    return !otherwise || (outcome_by(otherwise, article) == DX_OUTCOME_UNKNOWN && !otherwise->refused);
}

static const struct dx_row *decide(const struct dx_facts *f, enum dx_article article)
{
    for (size_t i = 0; i < dx_n_rows; i++) {
        const struct dx_row *row = &dx_rows[i];

        if (row->note || !row_fits(row, f) || (outcome_by(row, article) == DX_SUCCEEDS && !may_succeed(f)))
            continue;
        if (goes_by(row, f, article))
            return row;
    }
    return NULL;
}

static const enum dx_remedy nothing[] = {DX_REMEDY_NONE};

struct dx_prediction diagnose(const struct dx_facts *facts, enum dx_article article)
{
    struct dx_prediction p = {.outcome = DX_OUTCOME_UNKNOWN, .other = DX_OUTCOME_UNKNOWN, .remedies = nothing};
    struct dx_facts f = *facts;

    /* Without its store the state of a key is unknown. */
    if (f.store != DX_STORE_PRESENT && f.key != DX_KEY_REVOKED)
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
    p.remedies = p.outcome == DX_SUCCEEDS ? nothing : p.row->remedies;
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

enum dx_article dx_article_of(const char *word)
{
    return str_eq(word, "2026-02")   ? DX_ARTICLE_2026_02
           : str_eq(word, "2026-07") ? DX_ARTICLE_2026_07
                                     : DX_ARTICLE_SAFEST;
}
