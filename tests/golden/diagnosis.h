/* The scenario table by example: the cases of diagnosis.yaml are put to the evaluator under each edition of the
 * article; what it answers is told in words. Every row of the table must be met, and every id that the sources give
 * must be in it. */
#include "../../providers/restore/diagnosis.h"
#include "../../reconciler/base/text.h"

/* The words of a case's facts; their position is the member. */
static const struct {
    const char *name;
    const char *const words[13];
} fact_words[] = {
    {"encryption", {"pmk", "cmk", "unknown"}},
    {"restore", {"new-vm", "disks", "replace"}},
    {"tier", {"snapshot", "vault", "none", "unknown"}},
    {"snapshot", {"none", "too"}},
    {"store", {"present", "deleted", "purged", "domain-lost", "unknown"}},
    {"home", {"vault", "hsm", "unknown"}},
    {"des", {"intact", "rotated", "repointed", "moved", "foreign", "gone", "lives", "unknown"}},
    {"key", {"present", "disabled", "expired", "deleted", "purged", "replaced", "early", "revoked", "unknown"}},
    {"grants",
     {"ok", "backup-lacks", "des-lacks", "orchestrator-lacks", "firewall", "orchestrator-shut", "orchestrator-unsure",
      "unknown"}},
    {"given",
     {"nothing", "empty", "original", "same-key", "same-key-moved", "newer-version", "other-key", "foreign-key",
      "foreign-with-original", "plain-set", "unknown"}},
    {"fault", {"none", "missing", "unmakeable", "wrong-type", "elsewhere", "key"}},
    {"source", {"there", "gone", "unknown"}},
    {"rotation", {"fine", "stuck"}},
    {"data", {"none", "ordinary", "confidential", "crash-consistent"}},
};

/* The member that a fact's word stands for; -1: there is no such word. */
static int fact_of(const struct value *facts, const char *name, int otherwise)
{
    const char *word = value_str_at(facts, name);

    for (size_t i = 0; word && i < COUNT(fact_words); i++)
        for (int j = 0; str_eq(fact_words[i].name, name) && fact_words[i].words[j]; j++)
            if (str_eq(fact_words[i].words[j], word))
                return j;
    return word ? -1 : otherwise;
}

static bool words_known(const struct value *facts)
{
    for (size_t i = 0; i < value_count(facts); i++)
        if (fact_of(facts, facts->map.members[i].key, 0) < 0)
            return false;
    return true;
}

static struct dx_facts facts_read(const struct value *f)
{
    return (struct dx_facts){
        .encryption = (enum dx_encryption)fact_of(f, "encryption", DX_CMK),
        .restore = (enum dx_restore)fact_of(f, "restore", DX_NEW_VM),
        .tier = (enum dx_tier)fact_of(f, "tier", DX_VAULT),
        .snapshot = (enum dx_snapshot)fact_of(f, "snapshot", DX_SNAPSHOT_NONE),
        .store = (enum dx_store)fact_of(f, "store", DX_STORE_PRESENT),
        .home = (enum dx_home)fact_of(f, "home", DX_HOME_VAULT),
        .des = (enum dx_des)fact_of(f, "des", DX_DES_INTACT),
        .key = (enum dx_key)fact_of(f, "key", DX_KEY_PRESENT),
        .grants = (enum dx_grants)fact_of(f, "grants", DX_GRANTS_OK),
        .given = (enum dx_given)fact_of(f, "given", DX_GIVEN_NOTHING),
        .fault = (enum dx_fault)fact_of(f, "fault", DX_FAULT_NONE),
        .source_vm = (enum dx_source)fact_of(f, "source", DX_SOURCE_THERE),
        .rotation = (enum dx_rotation)fact_of(f, "rotation", DX_ROTATION_FINE),
        .data_disks = (enum dx_data_disks)fact_of(f, "data", DX_DATA_NONE),
    };
}

static void edition_tell(struct arena *a, struct text *t, const char *edition, const struct dx_facts *facts)
{
    struct dx_prediction p = diagnose(facts, dx_article_of(edition));

    text_printf(t, "  %-8s %s: %s%s%s", edition, p.row ? p.row->id : "no row", dx_outcome_words(p.outcome),
                p.code ? ", " : "", p.code ? p.code : "");
    text_printf(t, "%s%s%s", *p.remedies ? "; to do " : "", dx_letters(a, p.remedies),
                p.other != p.outcome ? "; the other edition: " : "");
    text_printf(t, "%s%s\n", p.other != p.outcome ? dx_outcome_words(p.other) : "",
                dx_may_restore(&p) ? "; may be tried" : "");
}

/* True: the row that must decide, or be said beside it, does. */
static bool case_tell(struct arena *a, struct text *t, const struct value *one, bool *met)
{
    const char *row = value_str_at(one, "row");
    struct dx_facts facts = facts_read(value_get(one, "facts"));
    struct dx_prediction p = diagnose(&facts, DX_ARTICLE_SAFEST);
    bool found = p.row ? str_eq(p.row->id, row) : str_eq(row, "unknown");

    text_printf(t, "%s: %s\n  seen     %s\n", row, value_str_at(one, "because"), dx_facts_words(a, &facts));
    edition_tell(a, t, "safest", &facts);
    edition_tell(a, t, "2026-02", &facts);
    edition_tell(a, t, "2026-07", &facts);
    if (p.reading)
        text_printf(t, "  differ   %s\n", p.reading);
    for (size_t i = 0; i < p.n_notes; i++) {
        text_printf(t, "  beside   %s: %s\n", p.notes[i]->id, p.notes[i]->state);
        found |= str_eq(p.notes[i]->id, row);
        met[p.notes[i] - dx_rows] = true;
    }
    if (p.row) {
        text_printf(t, "  state    %s\n  proved   %s\n  sure     %s\n  source   %s\n", p.row->state, p.row->proof,
                    dx_confidence_words(p.row->confidence), p.row->source);
        met[p.row - dx_rows] = true;
    }
    text_add_char(t, '\n');
    return found;
}

static size_t ids_missing(struct arena *a, char letter, int last)
{
    size_t missing = 0;

    for (int n = 1; n <= last; n++) {
        const char *id = arena_printf(a, "%c-%02d", letter, n);

        if (!diagnosis_row(id)) {
            fprintf(stderr, "golden diagnosis: the scenario table has no row %s\n", id);
            missing++;
        }
    }
    return missing;
}

/* Tells all cases; returns the number of faults. */
static size_t diagnosis_tell(struct arena *a, const struct value *spec, struct text *t)
{
    const struct value *cases = value_get(spec, "cases");
    bool *met = arena_array(a, bool, dx_n_rows);
    size_t faults = ids_missing(a, 'N', 30) + ids_missing(a, 'R', 19) + ids_missing(a, 'D', 3);

    for (size_t i = 0; i < value_count(cases); i++) {
        const struct value *one = value_item(cases, i);

        if (!words_known(value_get(one, "facts"))) {
            fprintf(stderr, "golden diagnosis: case %zu (%s) has a fact nobody knows\n", i + 1,
                    value_str_at(one, "because"));
            faults++;
        } else if (!case_tell(a, t, one, met)) {
            fprintf(stderr, "golden diagnosis: case %zu (%s) does not meet row %s\n", i + 1,
                    value_str_at(one, "because"), value_str_at(one, "row"));
            faults++;
        }
    }
    for (size_t i = 0; i < dx_n_rows; i++)
        if (!met[i]) {
            fprintf(stderr, "golden diagnosis: no case meets row %s: %s\n", dx_rows[i].id, dx_rows[i].state);
            faults++;
        }
    return faults;
}
