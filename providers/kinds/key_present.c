/* Knows what is still due of a key that is there: enabled, longer lived, or blocked because it cannot be mended. Must
 * not know keys that are gone. */
#include "key_parts.h"

#include "../keys/key_facts.h"

#include "../azure/vault.h"
#include "../access/hsm_rights.h"
#include "../keys/standing.h"
#include "../keys/original.h"
#include "../backup/order.h"
#include "../keys/copies.h"
#include "../keys/revived.h"

/* What people should know of a key that is there, although nothing is due. */
static void note_findings(const struct view *v, const struct document *doc, struct steps *out, struct step *step)
{
    enum { VERSIONS_MANY = 400 };
    const char *why = value_str_at(view_facts(v, doc), "versionsWhy");
    size_t n = value_count(value_at(view_facts(v, doc), "versions"));

    key_note_evidence(v, doc, out, step);
    if (why)
        step_note(out, step, "its other versions cannot be seen: %s", why);
    /* Azure's own copy of a key is taken with all its versions, and nobody says what happens when they do not fit. */
    if (n > VERSIONS_MANY)
        step_note(out, step,
                  "it has %zu versions: above some 500 backups of it may fail silently (unverified on Azure)", n);
}

/* A key that serves now would serve for a shorter time than it does, or not at all. */
static bool shortens(const struct view *v, const struct document *doc, const struct value *live)
{
    int64_t exp = value_int_at(live, "attributes.exp", 0), want_exp = time_parse(value_str_at(doc->spec, "expires"));
    bool serves = !exp || exp > v->now_ms / SECOND_MS;

    return live && serves && want_exp != TIME_NONE && (!exp || want_exp / SECOND_MS < exp);
}

/* What cannot be mended by us: true when a step says so. */
static bool present_blocks(const struct view *v, const struct document *doc, const struct value *live,
                           struct steps *out)
{
    struct key_need need = key_needed(v, doc);
    struct key_standing standing = key_standing_of(v, doc, need.version);
    const struct value *facts = view_facts(v, doc);
    int64_t now_s = v->now_ms / SECOND_MS, exp = value_int_at(live, "attributes.exp", 0),
            nbf = value_int_at(live, "attributes.nbf", 0), want_exp = time_parse(value_str_at(doc->spec, "expires"));

    if (need.conflict && !need.version)
        steps_block(out, doc, NULL, "declare spec.version, or order points that need one version only",
                    "which version is needed is not agreed on: %s", need.conflict);
    else if (!live && !value_get(facts, "versions") && !str_eq_nocase(value_str_at(facts, "missing"), need.version))
        steps_block(out, doc, NULL, "get and list on the key show it",
                    "version %s cannot be seen, which is not the same as absent: %s", need.version ? need.version : "?",
                    value_str_at(facts, "versionsWhy"));
    else if (standing.stand != KEY_STANDS)
        steps_block(out, doc, NULL, standing.next, "%s%s", standing.words,
                    need.evidence == KEY_EVIDENCE_DECLARED || !need.version
                        ? ""
                        : arena_printf(v->arena, " (version by %s)", need.words))
            ->scenario = standing.stand == KEY_IMPOSTOR ? "N-07" : NULL;
    else if (key_unfit(v, doc))
        steps_block(out, doc, NULL,
                    key_ops_short(v, doc) ? arena_printf(v->arena,
                                                         "a person adds them: az keyvault key set-attributes --id '%s' "
                                                         "--ops wrapKey unwrapKey",
                                                         key_address(v, doc))
                                          : UNFIT_ADVICE,
                    "the key is not fit for confidential VMs: %s", key_unfit(v, doc));
    else if (want_exp != TIME_NONE && want_exp <= v->now_ms && !shortens(v, doc, live))
        steps_block(out, doc, NULL, "declare spec.expires with a time to come", "the declared expiry, %s, has passed",
                    time_format(v->arena, want_exp))
            ->scenario = "N-06";
    else if (exp && exp <= now_s && want_exp == TIME_NONE)
        steps_block(out, doc, NULL, "declare spec.expires with a later time, which needs approval",
                    "the key version expired at %s", time_format(v->arena, exp * SECOND_MS))
            ->scenario = "N-06";
    else if (nbf > now_s)
        steps_block(out, doc, NULL, "wait, or move the version's not-before date in its store: no field declares it",
                    "the key version may not be used before %s", time_format(v->arena, nbf * SECOND_MS));
    else
        return false;
    return true;
}

/* The policy asks for a name wherever a step changes this (built-in/shorten-key). */
#define LIFE_CHANGE "key.life"

static const char *expiry_words(struct arena *a, int64_t exp)
{
    return exp ? arena_printf(a, "it expires at %s", time_format(a, exp * SECOND_MS)) : "it never expires";
}

/* A version that serves cannot be given an end that has passed, and no restore waits for such a declaration. */
static void steps_declared_past(const struct view *v, const struct document *doc, const struct value *live,
                                struct steps *out)
{
    steps_finding(out, doc, "expires", "declare spec.expires with a time to come, or leave it out",
                  "the declared expiry, %s, has passed, and version %s serves on: %s",
                  time_format(v->arena, time_parse(value_str_at(doc->spec, "expires"))),
                  vault_kid_version(value_str_at(live, "key.kid")),
                  expiry_words(v->arena, value_int_at(live, "attributes.exp", 0)))
        ->scenario = "N-06";
}

/* No restore needs a key that ends sooner, and one that runs may fail by it: the order is carried out first. */
static void steps_longer_lived(const struct view *v, const struct document *doc, const struct value *live,
                               const char *order, struct steps *out)
{
    int64_t exp = value_int_at(live, "attributes.exp", 0), want_exp = key_declared_expiry(v, doc);
    struct step *step = steps_finding(
        out, doc, "expires",
        arena_printf(v->arena,
                     "wait until the order has ended or is withdrawn, then approve built-in/shorten-key by name; or "
                     "declare no earlier expiry than the version has"),
        "version %s is declared to expire at %s, earlier than now (%s): Activation %s orders a restore that needs "
        "the key, and an order shortens no key's life",
        vault_kid_version(value_str_at(live, "key.kid")), time_format(v->arena, want_exp * SECOND_MS),
        expiry_words(v->arena, exp), order);

    step->scenario = "N-06";
    step_change_time(out, step, "live.attributes.exp", value_at(live, "attributes.exp"), value_int(v->arena, want_exp));
}

static struct step *steps_enable(const struct view *v, const struct document *doc, const struct value *live,
                                 bool disabled, bool move_expiry, struct steps *out)
{
    int64_t want_exp = time_parse(value_str_at(doc->spec, "expires"));
    struct step *step = steps_add(out, doc, ACTION_ENABLE, NULL,
                                  disabled ? "the key version is disabled: every disk wrapped with it stops"
                                           : "the key version's expiry is not as declared");

    step->scope =
        arena_printf(v->arena, "%s/%s", key_address(v, doc), vault_kid_version(value_str_at(live, "key.kid")));
    step->scenario = disabled ? "N-05" : "N-06";
    if (disabled)
        step_change(out, step, "attributes.enabled", value_bool(v->arena, false), value_bool(v->arena, true), NULL);
    if (move_expiry)
        step_change_time(out, step, "attributes.exp", value_at(live, "attributes.exp"),
                         value_int(v->arena, want_exp / SECOND_MS));
    if (move_expiry && shortens(v, doc, live))
        step_change(out, step, LIFE_CHANGE, NULL, value_string(v->arena, "shorter"),
                    arena_printf(v->arena, "%s, and would at %s",
                                 expiry_words(v->arena, value_int_at(live, "attributes.exp", 0)),
                                 time_format(v->arena, want_exp)));
    order_cover(v, doc, out, step);
    step_writes(out, step, "PATCH", "/keys/%s/", value_str_at(view_facts(v, doc), "name"));
    key_right(v, out, step, doc, KEY_RIGHT_UPDATE);
    view_need(v, out, step, document_target(doc, "spec.store"));
    return step;
}

/* Disabling a key stops every VM on it: that is a person's, and no restore waits for it. */
static struct step *steps_still_enabled(const struct view *v, const struct document *doc, const struct value *live,
                                        struct steps *out)
{
    struct step *step = steps_finding(
        out, doc, "enabled",
        arena_printf(v->arena, "%s; or declare enabled: true; a VM on it stops within about an hour",
                     key_disable_words(v, doc)),
        "version %s is declared disabled, and it is enabled: whoever has the key can use it; reinstate disables no key",
        vault_kid_version(value_str_at(live, "key.kid")));

    step_change(out, step, "live.attributes.enabled", value_bool(v->arena, true), value_bool(v->arena, false), NULL);
    return step;
}

void key_present_steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *live = key_live(v, doc);
    struct key_need need = key_needed(v, doc);
    int64_t exp = value_int_at(live, "attributes.exp", 0), want_exp = time_parse(value_str_at(doc->spec, "expires"));
    bool on = value_bool_at(live, "attributes.enabled", true), wanted = value_bool_at(doc->spec, "enabled", true);
    bool disabled = !on && wanted;
    bool move_expiry = want_exp != TIME_NONE && exp != want_exp / SECOND_MS;
    const char *order = shortens(v, doc, live) ? order_covering_key(v, doc) : NULL;
    struct step *step;

    if (present_blocks(v, doc, live, out))
        return;
    if (shortens(v, doc, live) && want_exp <= v->now_ms)
        steps_declared_past(v, doc, live, out);
    else if (order)
        steps_longer_lived(v, doc, live, order, out);
    move_expiry = move_expiry && !order && want_exp > v->now_ms;
    if (disabled || move_expiry)
        step = steps_enable(v, doc, live, disabled, move_expiry, out);
    else if (on && !wanted)
        step = steps_still_enabled(v, doc, live, out);
    else
        step = steps_add(out, doc, ACTION_NONE, NULL, "version %s is there, %s and fit for confidential VMs%s",
                         vault_kid_version(value_str_at(live, "key.kid")), on ? "enabled" : "disabled as declared",
                         need.version && need.evidence != KEY_EVIDENCE_DECLARED
                             ? arena_printf(v->arena, "; told by %s", need.words)
                             : "");
    note_findings(v, doc, out, step);
    key_steps_escrow(v, doc, out, NULL);
}
