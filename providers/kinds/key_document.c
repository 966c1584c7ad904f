/* Kind Key: a key (version) present, enabled, unexpired and fit for confidential VMs. Brought back from the declared
 * sources, the cheapest first (key_lost.c); never created in place of a lost one.
 *
 * Facts: state, base, name, live (bundle of the wanted version, else of the newest), newest (its version), versions
 * [{version, created, enabled, exp, nbf}] or versionsWhy (they may not be listed; with neither the facts are brief),
 * missing (the version that a GET did not find), deleted (deletedkeys body), storeState, files and escrow
 * (../keys/copies.c), elsewhere {base, state} (a lost key whose machine was last seen on the same key in another
 * store). */
#include "../documents/names.h"
#include "../keys/sources.h"
#include "../keys/key_facts.h"

#include "../azure/vault.h"
#include "../access/hsm_rights.h"
#include "key_parts.h"
#include "../keys/standing.h"
#include "../keys/original.h"
#include "../backup/order.h"
#include "../keys/copies.h"
#include "../keys/lost.h"
#include "../keys/store_fit.h"
#include "../keys/refused.h"
#include "../keys/revived.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

static int observe_deleted(struct call *c, struct azure *az, struct arena *a, const char *base, const char *name,
                           struct value **facts, struct err *err)
{
    struct value *deleted;

    if (vault_get_deleted_key(az, c, a, base, name, &deleted, err) < 0)
        return facts_from_error(a, "looking for the key among the deleted ones", err, facts);
    *facts = facts_new(a, "deleted");
    value_set(a, *facts, "deleted", deleted);
    return 0;
}

struct place {
    const char *base, *name;
    const char *wanted;  /* version; NULL: the newest */
    bool newest_will_do; /* of the newest version, if that is the wanted one, nothing else is asked */
};

static int observe_present(struct call *c, struct azure *az, struct arena *a, const struct place *p,
                           struct value *newest, struct value **ret, struct err *err)
{
    const char *base = p->base, *name = p->name, *wanted = p->wanted;
    struct value *facts = facts_new(a, "present"), *versions, *denied, *live = newest;

    value_set_string(a, facts, "newest", vault_kid_version(value_str_at(newest, "key.kid")));
    if (wanted && !str_eq(wanted, value_str_at(facts, "newest"))) {
        live = NULL;
        if (vault_get_key(az, c, a, base, name, wanted, &live, err) < 0 && err->class != ERR_NOT_FOUND)
            return facts_from_error(a, "reading the key version", err, ret);
        if (!live)
            value_set_string(a, facts, "missing", wanted);
    }
    if (live)
        value_set(a, facts, "live", live);
    *ret = facts;
    if (p->newest_will_do && live == newest) {
        value_set_bool(a, facts, "brief", true);
        value_set_bool(a, facts, "named", true);
        return 0;
    }
    /* Access policies know get without list: the key is seen all the same, its other versions are not. */
    if (vault_list_versions(az, c, a, base, name, &versions, err) == 0) {
        value_set(a, facts, "versions", key_versions(a, versions));
        return 0;
    }
    if (err->class != ERR_DENIED || err->http_status != 403)
        return err_note(err, "listing the versions of the key");
    TRY(facts_from_error(a, "listing the versions of the key", err, &denied));
    value_set_string(a, facts, "versionsWhy", value_str_at(denied, "why"));
    return 0;
}

static int observe_key(struct call *c, struct azure *az, struct arena *a, const struct place *p, struct value **ret,
                       struct err *err)
{
    struct value *newest;

    if (vault_get_key(az, c, a, p->base, p->name, NULL, &newest, err) == 0)
        return observe_present(c, az, a, p, newest, ret, err);
    TRY(facts_from_error(a, "reading the key", err, ret));
    return str_eq(value_str_at(*ret, "state"), "absent") ? observe_deleted(c, az, a, p->base, p->name, ret, err) : 0;
}

struct key_state {
    const char *word;
    int64_t created, purge; /* seconds since 1970; 0: not known */
};

/* A store that is gone may have no host any more, which is no reason to end the pass; it only cannot be seen. */
static int look_elsewhere(struct call *c, struct azure *az, struct arena *a, const struct original_key *o,
                          struct key_state *ret, struct err *err)
{
    struct value *body;

    *ret = (struct key_state){.word = "present"};
    if (vault_get_key(az, c, a, o->base, o->name, o->version, &body, err) == 0) {
        ret->created = value_int_at(body, "attributes.created", 0);
        return 0;
    }
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    ret->word = "unseen";
    if (err->class != ERR_NOT_FOUND)
        return 0;
    ret->word = "absent";
    if (vault_get_deleted_key(az, c, a, o->base, o->name, &body, err) == 0) {
        ret->word = "deleted";
        ret->purge = value_int_at(body, "scheduledPurgeDate", 0);
        return 0;
    }
    return err->class == ERR_CANCELLED ? -(int)err->class : 0;
}

/* One key that a machine is on now, as it is found in its own store. */
static int observe_other(struct call *c, struct azure *az, struct arena *a, const struct original_key *original,
                         struct value **ret, struct err *err)
{
    struct key_state state;

    TRY(look_elsewhere(c, az, a, original, &state, err));
    *ret = facts_new(a, state.word);
    value_set_string(a, *ret, "base", original->base);
    value_set_string(a, *ret, "name", original->name);
    value_set_string(a, *ret, "version", original->version);
    if (state.created)
        value_set_int(a, *ret, "created", state.created);
    if (state.purge)
        value_set_int(a, *ret, "purge", state.purge);
    return 0;
}

/* A key that is missing where it is declared may be alive where the machine last used it. And a machine that has moved
 * on to another key was on this one before: when the other was made tells which of its points are older. */
static int observe_elsewhere(struct call *c, const struct observer *o, struct azure *az, const struct place *p,
                             struct value *facts, struct err *err)
{
    struct value *others = value_list(o->arena);
    bool absent = str_eq(value_str_at(facts, "state"), "absent");

    for (size_t i = 0; i < o->document->n_references; i++) {
        const struct document *pvm = o->document->references[i].target;
        struct original_key original;
        struct value *other;
        bool named;

        if (!pvm || !str_eq(pvm->kind, "ProtectedVirtualMachine"))
            continue;
        original = original_key_of(o->view, pvm, NULL, NULL);
        named = str_eq_nocase(original.name, p->name);
        if (!original.base || !original.version || (named && str_eq_nocase(original.base, p->base)) ||
            ((!named || !absent) &&
             key_document_at(o->view, arena_printf(o->arena, "%s/keys/%s", original.base, original.name))))
            continue;
        TRY(observe_other(c, az, o->arena, &original, &other, err));
        value_push(o->arena, others, other);
        if (!absent || !named || str_eq(value_str_at(facts, "elsewhere.state"), "present"))
            continue;
        value_set(o->arena, facts, "elsewhere", other);
    }
    if (value_count(others))
        value_set(o->arena, facts, "others", others);
    return 0;
}

/* A store that bears the declared name in another group is the one that was meant: names are the only ones of their
 * cloud. What becomes of the key in it has a date, whatever the manifest says. */
static int observe_taken(struct call *c, const struct observer *o, struct azure *az, const struct place *p,
                         struct value *facts, struct err *err)
{
    struct original_key here = {.base = p->base, .name = p->name, .version = p->wanted};
    struct value *other;

    TRY(observe_other(c, az, o->arena, &here, &other, err));
    value_set(o->arena, facts, "elsewhere", other);
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct document *store = document_target(o->document, "spec.store");
    const struct value *store_facts = view_facts(o->view, store);
    const char *store_state = store ? view_state(o->view, store) : "present";
    const char *name = value_str_at(o->document->spec, "keyName");
    struct place p = {
        .base = value_str_at(store_facts, "base"),
        .name = name ? name : o->document->name,
        .wanted = key_needed(o->view, o->document).version,
    };
    const struct value *spec = o->document->spec;
    struct value *facts = NULL;

    p.newest_will_do =
        o->near && p.wanted && str_eq(value_str_at(spec, "version"), p.wanted) && !value_get(spec, "escrow");
    if (!p.base)
        p.base = key_store_base(o->arena, azure_cloud(az), o->document);
    /* One that is being made or recovered has no host name yet. */
    if (value_bool_at(store_facts, "settling", false))
        store_state = "settling";
    /* A store that is gone has no host name any more; asking it would say nothing about the key. */
    if (!p.base || str_eq(store_state, "absent") || str_eq(store_state, "deleted") || str_eq(store_state, "settling")) {
        facts = facts_new(o->arena, "absent");
        if (p.base && value_get(store_facts, "taken"))
            TRY(observe_taken(c, o, az, &p, facts, err));
    } else if (store && key_store_is_hsm(store) && str_eq(store_state, "present") &&
               !value_bool_at(store_facts, "active", false)) {
        facts = facts_new(o->arena, "unseen");
        value_set_string(o->arena, facts, "why", "its managed HSM is not activated and answers no request about keys");
    } else {
        TRY(observe_key(c, az, o->arena, &p, &facts, err));
    }
    value_set_string(o->arena, facts, "storeState", store_state);
    value_set_string(o->arena, facts, "base", p.base);
    value_set_string(o->arena, facts, "name", p.name);
    key_observe_files(o->arena, o->document, facts);
    TRY(key_observe_escrow(c, o, az, facts, err));
    TRY(observe_elsewhere(c, o, az, &p, facts, err));
    if (str_eq(value_str_at(facts, "state"), "absent"))
        TRY(key_observe_refused(c, o, az, facts, err));
    *ret = facts;
    return 0;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* A key comes back as it was deleted: disabled, or with an end that restores and disks run into. */
static void note_comes_back(const struct view *v, const struct document *doc, struct steps *out, struct step *step)
{
    const struct value *attributes = key_attributes(v, doc, key_wanted_version(v, doc));
    int64_t exp = value_int_at(attributes, "exp", 0);

    if (!value_bool_at(attributes, "enabled", true))
        step_note(out, step, "its version comes back disabled");
    if (exp)
        step_note(out, step, "its version %s at %s", exp * SECOND_MS <= v->now_ms ? "expired" : "expires",
                  time_format(v->arena, exp * SECOND_MS));
}

static void steps_recover(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *purge = purge_words(v->arena, key_purge_ms(v, doc));
    const struct document *store = document_target(doc, "spec.store");
    const char *unfit = key_unfit(v, doc);
    struct step *step;

    if (unfit) {
        steps_block(out, doc, NULL, UNFIT_ADVICE,
                    "the key is soft-deleted; %s, and recovering it would bring back a key that is not fit for "
                    "confidential VMs: %s",
                    purge, unfit);
        return;
    }
    step = steps_add(out, doc, ACTION_RECOVER, NULL,
                     "the key is soft-deleted; %s; recovering brings back every version and the same URLs", purge);
    step->scope = key_address(v, doc);
    step->scenario = "N-15";
    step->precondition = "the key is among the deleted keys";
    step->postcondition = "a GET shows the key and the wanted version";
    step->estimate_ms = 30 * SECOND_MS;
    step->estimate_source = "recorded recoveries";
    key_note_evidence(v, doc, out, step);
    key_note_revived(v, doc, out, step);
    note_comes_back(v, doc, out, step);
    order_cover(v, doc, out, step);
    key_serve_with(v, doc, out, step);
    step_writes(out, step, "POST", "/deletedkeys/%s/recover", value_str_at(view_facts(v, doc), "name"));
    key_right(v, out, step, doc, KEY_RIGHT_RECOVER);
    view_need(v, out, step, store);
    key_steps_escrow(v, doc, out, step);
}

static bool store_inactive(const struct view *v, const struct document *doc)
{
    const struct document *store = document_target(doc, "spec.store");

    return store && key_store_is_hsm(store) && str_eq(view_state(v, store), "present") &&
           !value_bool_at(view_facts(v, store), "active", false) &&
           !value_bool_at(view_facts(v, store), "settling", false);
}

/* What a revocation leaves to be done is a person's: take what relies on the key to another one, and disable it. */
static void steps_revoked(const struct view *v, const struct document *doc, struct steps *out, const char *reason)
{
    const char *state = view_state(v, doc);
    struct key_standing standing = key_standing_of(v, doc, NULL);
    const struct value *live = value_get(view_facts(v, doc), "live");

    if (str_eq(state, "present") && value_bool_at(live, "attributes.enabled", true))
        steps_finding(out, doc, "active",
                      arena_printf(v->arena, "%s; a VM on it stops within about an hour", key_disable_words(v, doc)),
                      "the key is revoked (%s) and still active: whoever has it can use it", reason);
    if (key_relied_on(v, doc))
        steps_block(out, doc, NULL, standing.next, "%s; now it is %s", standing.words, state);
    else
        steps_add(out, doc, ACTION_NONE, NULL, "revoked (%s): never revived, whatever its state; now %s", reason,
                  state);
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *revoked = key_revoked(v, doc), *state = view_state(v, doc);
    struct key_standing standing;

    if (revoked) {
        steps_revoked(v, doc, out, revoked);
        return;
    }
    if (store_inactive(v, doc)) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", document_target(doc, "spec.store")->address),
                    "its managed HSM is not activated and answers no request about keys");
        return;
    }
    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(state, "present")) {
        key_present_steps(v, doc, out);
        return;
    }
    standing = key_standing_of(v, doc, NULL);
    if (standing.stand == KEY_MISNAMED)
        steps_block(out, doc, NULL, standing.next, "%s", standing.words);
    else if (!str_eq(state, "deleted"))
        key_steps_absent(v, doc, out);
    else if (key_steps_with_another(v, doc, out))
        return;
    else if (key_source_declared(doc, "recover"))
        steps_recover(v, doc, out);
    else
        steps_block(out, doc, NULL, "declare `recover: {}` among its sources",
                    "the key is soft-deleted and recovering is not among its declared sources");
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items,
                      size_t *count)
{
    int64_t purge = key_purge_ms(v, doc);
    int64_t ends = value_int_at(key_attributes(v, doc, key_wanted_version(v, doc)), "exp", 0) * SECOND_MS;
    int64_t there = value_int_at(key_elsewhere(v, doc), "purge", 0);
    struct deadline d = {.at_ms = purge, .what = arena_printf(a, "key %s is purged", doc->name)};

    if (purge != TIME_NONE)
        arena_push(a, *items, *count, d);
    if (there) {
        d = (struct deadline){
            .at_ms = there * SECOND_MS,
            .what = arena_printf(a, "key %s is purged, in %s", doc->name, value_str_at(key_elsewhere(v, doc), "base"))};
        arena_push(a, *items, *count, d);
    }
    d = (struct deadline){.at_ms = ends,
                          .what = arena_printf(a,
                                               "the version of key %s expires: a restore that has not ended by "
                                               "then is said to fail (N-06)",
                                               doc->name)};
    if (ends > v->now_ms && ends - v->now_ms < 30 * (int64_t)DAY_MS)
        arena_push(a, *items, *count, d);
}

static void check(const struct document *doc, struct diags *faults)
{
    store_check(doc, faults);
    names_check(doc, faults);
    key_sources_check(doc, faults);
}

/* A key only mentions the machines whose backup could bring it back: while the key is there it does
 * not rely on them. */
static const char *const mentions[] = {"spec.sources", NULL};

const struct kind key_kind = {
    .name = "Key",
    .mentions = mentions,
    .summary =
        "A key, and the version that disks were wrapped with: present, enabled, unexpired, fit for confidential VMs.",
    .identity = key_identity,
    .observe = observe,
    .steps = steps,
    .act = key_act,
    .check = check,
    .deadlines = deadlines,
};
