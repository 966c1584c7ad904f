/* Knows how a row is found. The rows themselves are in diagnosis_rows.c. */
#include "diagnosis.h"

#include "../../reconciler/base/text.h"

static bool fits(unsigned set, unsigned member)
{
    return set == 0 || (set & (1u << member)) != 0;
}

const struct dx_row *diagnose(const struct dx_facts *f)
{
    for (size_t i = 0; i < dx_n_rows; i++) {
        const struct dx_row *row = &dx_rows[i];

        if (fits(row->encryption, f->encryption) && fits(row->tier, f->tier) && fits(row->des, f->des) && fits(row->key, f->key) &&
            fits(row->grants, f->grants) && fits(row->given, f->given))
            return row;
    }
    return NULL;
}

const struct dx_row *diagnosis_row(const char *id)
{
    for (size_t i = 0; i < dx_n_rows; i++)
        if (str_eq_nocase(dx_rows[i].id, id))
            return &dx_rows[i];
    return NULL;
}

const char *dx_outcome_words(enum dx_outcome outcome)
{
    static const char *const words[] = {
        [DX_SUCCEEDS] = "a restore succeeds",
        [DX_FAILS] = "a restore fails",
        [DX_FAILS_AND_EXPORTS] = "a restore fails and leaves the key in the staging account",
        [DX_DISKS_ONLY] = "the disks come back, the VM does not start",
        [DX_OUTCOME_UNKNOWN] = "unknown",
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
        return "recover the soft-deleted vault, then grant anew";
    case 'F':
        return "a new disk encryption set on the existing key";
    case 'G':
        return "restore the key from your own key backup";
    case 'T':
        return "a restore that fails and exports the key, then restore the key, then restore the VM";
    case 'V':
        return "choose a recovery point that has reached the vault tier";
    case 'H':
        return "a person decides";
    default:
        return "nothing to mend";
    }
}
