/* explain, for the names that a plan or a forecast shows: rows of the scenario table, observations, risks, error codes,
 * built-in rules, actions, steps. Knows how they are told to people; their meaning stands in the tables
 * they come from. */
#include <string.h>

#include "../providers/azure/arm.h"
#include "../providers/documents/actions.h"
#include "../providers/kinds/registry.h"
#include "../providers/restore/diagnosis.h"
#include "../providers/forecast/outlook.h"
#include "../reconciler/base/text.h"
#include "../reconciler/model/policy.h"
#include "explain.h"

static const char *const action_meanings[ACTION_COUNT] = {
    [ACTION_NONE] = "nothing is done; carried for its reason",
    [ACTION_CREATE] = "makes what is absent",
    [ACTION_UPDATE] = "changes the fields that differ, and no other",
    [ACTION_RECOVER] = "brings back what is soft-deleted",
    [ACTION_ENABLE] = "enables a key version, or moves its expiry",
    [ACTION_ESCROW_KEY] = "keeps a fresh backup of a key in the place its Key document names",
    [ACTION_EXPORT_KEY] = "triggers a restore that is meant to fail, so that Azure Backup leaves its copy of the key",
    [ACTION_RESTORE_KEY] = "puts a key back from a copy, and compares what came back",
    [ACTION_GRANT] = "gives a principal a right that it lacks; takes none away",
    [ACTION_WAIT] = "waits for what is under way, or until grants act",
    [ACTION_RESTORE_VM] = "triggers a restore that an Activation ordered, or adopts the one that runs",
    [ACTION_START_VM] = "starts the restored VM",
    [ACTION_VERIFY] = "reads back what was restored and compares it with the declaration",
    [ACTION_BLOCKED] = "must be done, and cannot be done by reinstate now; `next` says what would help",
};

/* --- rows --------------------------------------------------------------------------------------------------------- */

static struct value *remedies_of(struct explaining *x, const struct dx_row *row)
{
    struct value *list = value_list(x->arena);

    for (size_t i = 0; row->remedies[i]; i++) {
        const enum dx_remedy one[] = {row->remedies[i], DX_REMEDY_NONE};
        struct value *remedy = value_map(x->arena);

        value_set_string(x->arena, remedy, "letter", dx_letters(x->arena, one));
        value_set_string(x->arena, remedy, "remedy", dx_remedy_words(row->remedies[i]));
        value_push(x->arena, list, remedy);
    }
    return list;
}

static void tell_facts(struct explaining *x, const struct value *facts)
{
    for (size_t i = 0; i < value_count(facts); i++) {
        const struct value *fact = value_item(facts, i), *any_of = value_get(fact, "anyOf");
        const struct value *words = any_of ? any_of : value_get(fact, "noneOf");

        text_printf(x->out, "%s%s: %s", i ? "               " : "  When         ", value_str_at(fact, "fact"),
                    any_of ? "" : "not ");
        for (size_t j = 0; j < value_count(words); j++)
            text_printf(x->out, "%s%s", j ? ", or " : "", value_str(value_item(words, j)));
        text_add_char(x->out, '\n');
    }
}

/* "F9 F11": each with what it asks. */
static struct value *tell_proof(struct explaining *x, const char *proof)
{
    struct value *list = value_list(x->arena);

    for (const char *p = proof; *p; p += strspn(p, " ")) {
        const char *id = arena_strndup(x->arena, p, strcspn(p, " ")), *question = observation_question(id);
        struct value *v = value_map(x->arena);

        text_printf(x->out, "%s%s  %s\n", value_count(list) ? "               " : "  Proved by    ", id,
                    question ? question : "");
        value_set_string(x->arena, v, "observation", id);
        value_set_string(x->arena, v, "question", question);
        value_push(x->arena, list, v);
        p += strlen(id);
    }
    return list;
}

static void tell_row(struct explaining *x, const struct dx_row *row, struct value *list)
{
    struct value *v = value_map(x->arena), *facts = dx_row_facts(x->arena, row), *remedies = remedies_of(x, row);

    text_printf(x->out, "\n%s%s\n", row->note ? "Beside other rows: " : "", row->state);
    tell_facts(x, facts);
    if (!row->note)
        text_printf(x->out, "  Foreseen     %s%s%s%s\n", dx_outcome_words(row->outcome), row->code ? ", with " : "",
                    row->code ? row->code : "", row->refused ? "; reinstate triggers nothing" : "");
    if (row->differs) {
        text_printf(x->out, "  Editions     of 2026-02: %s; of 2026-07: %s\n", dx_outcome_words(row->feb),
                    dx_outcome_words(row->jul));
        text_printf(x->out, "               %s\n", row->other_reading);
    }
    for (size_t i = 0; i < value_count(remedies); i++)
        text_printf(x->out, "%s%s  %s\n", i ? "               " : "  To do        ",
                    value_str_at(value_item(remedies, i), "letter"), value_str_at(value_item(remedies, i), "remedy"));
    value_set(x->arena, v, "provedBy", tell_proof(x, row->proof));
    text_printf(x->out, "  How sure     %s\n  Source       %s\n", dx_confidence_words(row->confidence), row->source);
    value_set_string(x->arena, v, "state", row->state);
    value_set(x->arena, v, "facts", facts);
    value_set_string(x->arena, v, "outcome", dx_outcome_words(row->outcome));
    if (row->differs) {
        value_set_string(x->arena, v, "outcome2026-02", dx_outcome_words(row->feb));
        value_set_string(x->arena, v, "outcome2026-07", dx_outcome_words(row->jul));
        value_set_string(x->arena, v, "disagreement", row->other_reading);
    }
    value_set_string(x->arena, v, "code", row->code);
    value_set(x->arena, v, "remedies", remedies);
    value_set_string(x->arena, v, "confidence", dx_confidence_words(row->confidence));
    value_set_string(x->arena, v, "source", row->source);
    value_set_bool(x->arena, v, "note", row->note);
    value_set_bool(x->arena, v, "refused", row->refused);
    value_push(x->arena, list, v);
}

static bool tell_scenario(struct explaining *x, const char *word)
{
    const struct dx_row *row = diagnosis_row(word);
    struct value *list = value_list(x->arena);

    if (!row)
        return false;
    text_printf(x->out, "%s, a row of the scenario table\n", row->id);
    for (size_t i = 0; i < dx_n_rows; i++)
        if (str_eq(dx_rows[i].id, row->id))
            tell_row(x, &dx_rows[i], list);
    text_add(x->out, "\nWhere editions of the article disagree, Policy.spec.article chooses; reinstate explain "
                     "scenarios lists the rows.\n");
    value_set_string(x->arena, x->answer, "scenario", row->id);
    value_set(x->arena, x->answer, "rows", list);
    return true;
}

/* The first row of its id: the list names each once. */
static bool first_of(size_t i)
{
    return diagnosis_row(dx_rows[i].id) == &dx_rows[i];
}

void explain_scenarios(struct explaining *x)
{
    struct value *list = value_list(x->arena);

    text_add(x->out, "Rows of the scenario table: what Azure Backup will do with a restore, by what is seen.\n\n");
    for (const char *letter = "NRD"; *letter; letter++)
        for (int n = 1; n < 100; n++) {
            const struct dx_row *row = diagnosis_row(arena_printf(x->arena, "%c-%02d", *letter, n));
            struct value *v;

            if (!row || !first_of((size_t)(row - dx_rows)))
                continue;
            text_printf(x->out, "  %s  %s: %s\n", row->id, row->state,
                        row->note ? "said beside other rows" : dx_outcome_words(row->outcome));
            v = value_map(x->arena);
            value_set_string(x->arena, v, "id", row->id);
            value_set_string(x->arena, v, "state", row->state);
            value_set_string(x->arena, v, "outcome", dx_outcome_words(row->outcome));
            value_push(x->arena, list, v);
        }
    text_add(x->out,
             "\nN: no disk encryption set is named; R: one is; D: data disks. reinstate explain N-17 tells one.\n");
    value_set(x->arena, x->answer, "scenarios", list);
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static bool tell_error(struct explaining *x, const char *word)
{
    const struct azure_error *e = azure_error_find(word);
    struct value *rows = value_list(x->arena);

    if (!e)
        return false;
    text_printf(x->out, "%s\n\n  Means        %s\n  To do        %s\n  Class        %c: %s\n  Source       %s\n",
                e->code, e->meaning, e->action, azure_cure_letter(e->cure), azure_cure_words(e->cure), e->source);
    for (size_t i = 0; i < dx_n_rows; i++) {
        if (!str_eq(dx_rows[i].code, e->code))
            continue;
        text_printf(x->out, "%s%s  %s\n", value_count(rows) ? "               " : "  Rows         ", dx_rows[i].id,
                    dx_rows[i].state);
        value_push(x->arena, rows, value_string(x->arena, dx_rows[i].id));
    }
    value_set_string(x->arena, x->answer, "error", e->code);
    value_set_string(x->arena, x->answer, "meaning", e->meaning);
    value_set_string(x->arena, x->answer, "action", e->action);
    value_set(x->arena, x->answer, "class", value_format(x->arena, "%c", azure_cure_letter(e->cure)));
    value_set_string(x->arena, x->answer, "classMeans", azure_cure_words(e->cure));
    value_set_string(x->arena, x->answer, "source", e->source);
    value_set(x->arena, x->answer, "rows", rows);
    return true;
}

void explain_errors(struct explaining *x)
{
    struct value *list = value_list(x->arena);

    text_add(x->out,
             "Errors of Azure that are known, with their class; a code that is not among them goes to a person.\n\n");
    for (size_t i = 0; i < azure_n_errors; i++) {
        struct value *v = value_map(x->arena);

        text_printf(x->out, "  %c  %s: %s\n", azure_cure_letter(azure_errors[i].cure), azure_errors[i].code,
                    azure_errors[i].meaning);
        value_set_string(x->arena, v, "error", azure_errors[i].code);
        value_set(x->arena, v, "class", value_format(x->arena, "%c", azure_cure_letter(azure_errors[i].cure)));
        value_set_string(x->arena, v, "meaning", azure_errors[i].meaning);
        value_push(x->arena, list, v);
    }
    text_add_char(x->out, '\n');
    for (enum azure_cure cure = 0; cure < CURE_COUNT; cure++)
        text_printf(x->out, "  %c: %s\n", azure_cure_letter(cure), azure_cure_words(cure));
    text_add(x->out, "\n\"text: …\" are words of a message that has no code of its own.\n");
    value_set(x->arena, x->answer, "errors", list);
}

/* --- what a forecast shows ---------------------------------------------------------------------------------------- */

/* `proof` is "F5 F11 F15". */
static bool proves(const char *proof, const char *id)
{
    size_t n = strlen(id);

    for (const char *p = proof; p && (p = strstr(p, id)); p += n)
        if (!(p[n] >= '0' && p[n] <= '9'))
            return true;
    return false;
}

static bool listed(const struct value *list, const char *text)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq(value_str(value_item(list, i)), text))
            return true;
    return false;
}

static bool tell_observation(struct explaining *x, const char *word)
{
    struct value *rows = value_list(x->arena);
    const char *question = observation_question(word), *id = question ? arena_printf(x->arena, "F%s", word + 1) : NULL;

    if (!question)
        return false;
    text_printf(x->out, "%s, an observation of a forecast\n\n%s\n\n", id, question);
    for (size_t i = 0; i < dx_n_rows; i++) {
        const char *row = dx_rows[i].id;

        if (!proves(dx_rows[i].proof, id) || listed(rows, row))
            continue;
        text_printf(x->out, "%s%s", value_count(rows) ? " " : "  Helps prove  ", row);
        value_push(x->arena, rows, value_string(x->arena, row));
    }
    text_printf(x->out, "%sreinstate forecast --verbose tells what was seen, and where.\n",
                value_count(rows) ? "\n\n" : "");
    value_set_string(x->arena, x->answer, "observation", id);
    value_set_string(x->arena, x->answer, "question", question);
    value_set(x->arena, x->answer, "rows", rows);
    return true;
}

static bool tell_risk(struct explaining *x, const char *word)
{
    const char *words = risk_words(word);

    if (!words)
        return false;
    text_printf(x->out,
                "%s, a danger that a forecast names\n\n%s\n\nThe forecast says what was seen, and what mends it.\n",
                word, words);
    value_set_string(x->arena, x->answer, "risk", word);
    value_set_string(x->arena, x->answer, "meaning", words);
    return true;
}

/* --- rules and actions -------------------------------------------------------------------------------------------- */

const char *explain_rule_line(const struct explaining *x, size_t i)
{
    return arena_printf(x->arena, "%s: %s", all_rules.rules[i].name, all_rules.rules[i].message);
}

static bool tell_rule(struct explaining *x, const char *word)
{
    for (size_t i = 0; i < all_rules.count; i++) {
        const char *line = explain_rule_line(x, i);

        if (!str_eq_nocase(all_rules.rules[i].name, word))
            continue;
        text_printf(x->out,
                    "%s\n\nA built-in rule: the step waits until an order covers it or somebody approves it (--approve "
                    "%s=NAME).\n",
                    line, word);
        value_set_string(x->arena, x->answer, "rule", word);
        value_set_string(x->arena, x->answer, "meaning", line);
        return true;
    }
    return false;
}

void explain_actions(struct explaining *x)
{
    struct value *list = value_list(x->arena);

    text_add(x->out, "Actions: what a step of a plan does. Policies match on them.\n\n");
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        struct value *v = value_map(x->arena);

        if (!action_meanings[action])
            continue;
        text_printf(x->out, "  %-12s %s\n", action_name(action), action_meanings[action]);
        value_set_string(x->arena, v, "action", action_name(action));
        value_set_string(x->arena, v, "meaning", action_meanings[action]);
        value_push(x->arena, list, v);
    }
    value_set(x->arena, x->answer, "actions", list);
}

static bool tell_action(struct explaining *x, const char *word)
{
    enum action action = action_parse(word);

    if (action == ACTION_COUNT || !action_meanings[action])
        return false;
    text_printf(x->out, "%s, an action of a plan\n\nIt %s.\n", word, action_meanings[action]);
    value_set_string(x->arena, x->answer, "action", word);
    value_set_string(x->arena, x->answer, "meaning", action_meanings[action]);
    return true;
}

/* "Key/os#restore-key", "grant.des-payroll", "blocked.restore-key": a step is explained by its action. */
static bool tell_step(struct explaining *x, const char *word)
{
    const char *hash = strrchr(word, '#'), *slug = hash ? hash + 1 : word;

    return tell_action(x, arena_strndup(x->arena, slug, strcspn(slug, ".")));
}

bool explain_name(struct explaining *x, const char *word)
{
    return tell_scenario(x, word) || tell_observation(x, word) || tell_error(x, word) || tell_rule(x, word) ||
           tell_risk(x, word) || tell_step(x, word);
}

const char *explain_near(const struct explaining *x, const char *word)
{
    const char **names = NULL;
    size_t n = 0;

    for (size_t i = 0; i < dx_n_rows; i++)
        arena_push(x->arena, names, n, dx_rows[i].id);
    for (size_t i = 0; i < azure_n_errors; i++)
        arena_push(x->arena, names, n, azure_errors[i].code);
    for (enum action action = 0; action < ACTION_COUNT; action++)
        arena_push(x->arena, names, n, action_name(action));
    for (size_t i = 0; i < all_rules.count; i++)
        arena_push(x->arena, names, n, all_rules.rules[i].name);
    for (size_t i = 1; i <= OBSERVATION_COUNT; i++)
        arena_push(x->arena, names, n, arena_printf(x->arena, "F%zu", i));
    for (size_t i = 0; risk_name(i); i++)
        arena_push(x->arena, names, n, risk_name(i));
    arena_push(x->arena, names, n, NULL);
    return did_you_mean(word, names);
}
