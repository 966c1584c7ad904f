/* Knows what a restore and an export pass claim before they are triggered, and what is seen of claims beforehand. Must
 * not take one. */
#include "claims.h"

#include "../azure/shared.h"
#include "../backup/order.h"
#include "../keys/sources.h"
#include "election.h"

#include <string.h>
#include <strings.h>

#define WRITE_BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
#define READ_BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
#define LIST_KEYS "Microsoft.Storage/storageAccounts/listKeys/action"

#define ON_SET " on "

/* --- what is claimed ---------------------------------------------------------------------------------------------- */

static struct claim_subject subject(const struct view *v, const struct document *pvm, const struct order *order,
                                    const char *target)
{
    return (struct claim_subject){
        .item_id = value_str_at(view_facts(v, pvm), "itemId"),
        .target = target,
        .order = order->activation ? order->activation->name : NULL,
        .point = order->point,
    };
}

struct claim_subject restore_claim(const struct view *v, const struct situation *s)
{
    static const char *const words[] = {
        [RESTORE_NEW_VM] = "new-vm", [RESTORE_DISKS] = "disks", [RESTORE_REPLACE] = "replace"};
    const char *vm = restored_vm_id(v->arena, s->doc), *group = arm_id_parent(v->arena, vm, 4);
    enum restore_type type = situation_type(s->doc);

    /* Disks on two sets are two restores, which nothing else tells apart. */
    if (type == RESTORE_DISKS && s->des_id)
        return subject(v, s->pvm, &s->order, arena_printf(v->arena, "disks %s" ON_SET "%s", group, s->des_id));
    return subject(v, s->pvm, &s->order,
                   arena_printf(v->arena, "%s %s", words[type], type == RESTORE_DISKS ? group : vm));
}

/* The restore in whose staging account every pass for the key is claimed, whichever machine pays for it: the first by
 * the account's id of all that could. */
static const struct document *claim_home(const struct view *v, const struct document *key)
{
    const struct document *home = NULL, *pvm, *rvm;
    const char *first = NULL;
    size_t of = 0;

    while ((pvm = key_backup_next(key, &of))) {
        size_t at = 0;

        while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
            const char *account = reference_id(v->arena, rvm, "spec.target.stagingAccount", NULL);

            if (account && (!first || strcasecmp(account, first) < 0)) {
                first = account;
                home = rvm;
            }
        }
    }
    return home;
}

struct claim_subject export_claim(const struct view *v, const struct document *pvm, const struct document *key,
                                  const struct order *order)
{
    const struct value *facts = view_facts(v, key);
    const struct document *home = claim_home(v, key);
    const char *base = value_str_at(facts, "base"), *name = value_str_at(facts, "name"),
               *version = key_needed(v, key).version;
    struct claim_subject claim =
        subject(v, pvm, order,
                arena_printf(v->arena, "key %s %s %s", base ? base : "", name ? name : "", version ? version : ""));

    /* One pass for a key is enough, whichever of its machines pays for it: two operators with
     * two machines must meet. */
    claim.item_id = "";
    claim.account_id = home ? reference_id(v->arena, home, "spec.target.stagingAccount", NULL) : NULL;
    return claim;
}

/* --- what it takes ------------------------------------------------------------------------------------------------ */

static void writes_at(const struct view *v, const struct document *rvm, struct steps *out, struct step *step)
{
    const char *account = reference_id(v->arena, rvm, "spec.target.stagingAccount", NULL);
    const char *endpoint = value_str_at(view_facts(v, rvm), "place.staging.live.properties.primaryEndpoints.blob");
    const char *host = endpoint && str_starts_nocase(endpoint, "https://") ? endpoint + strlen("https://") : NULL;

    if (!account)
        return;
    step_writes(out, step, "PUT", "%.*s/" CLAIM_CONTAINER, host ? (int)strcspn(host, "/") : 0, host ? host : "");
    step_writes(out, step, "POST", "/storageAccounts/%s/listKeys", arm_id_name(account));
    step_wish(out, step, account, WRITE_BLOBS, true, "Storage Blob Data Contributor");
}

static void leaves_at(const struct view *v, const struct document *rvm, struct steps *out, struct step *step)
{
    const char *account = reference_id(v->arena, rvm, "spec.target.stagingAccount", NULL);

    if (account)
        step_leaves(out, step, "a claim in container " CLAIM_CONTAINER " of %s", arm_id_name(account));
}

void claim_writes(const struct view *v, const struct document *rvm, struct steps *out, struct step *step)
{
    leaves_at(v, rvm, out, step);
    writes_at(v, rvm, out, step);
}

void export_claim_writes(const struct view *v, const struct document *key, const struct document *rvm,
                         struct steps *out, struct step *step)
{
    const struct document *home = claim_home(v, key);
    const char *at = home ? reference_id(v->arena, home, "spec.target.stagingAccount", NULL) : NULL;
    const char *own = reference_id(v->arena, rvm, "spec.target.stagingAccount", NULL);

    leaves_at(v, home ? home : rvm, out, step);
    writes_at(v, rvm, out, step);
    if (at && own && !arm_id_equal(at, own))
        writes_at(v, home, out, step);
}

void claim_notes(const struct situation *s, const struct value *place, struct steps *out, struct step *step)
{
    int64_t count = value_int_at(place, "claims.count", 0);

    if (count > 0)
        step_note(out, step,
                  "%lld claim%s of restores and passes in container " CLAIM_CONTAINER " of %s: no secret in them, kept",
                  (long long)count, count == 1 ? "" : "s",
                  arm_id_name(document_reference(s->doc, "spec.target.stagingAccount")->id));
}

static void put_open(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    static const char *const members[] = {"place.claims.restore", "place.claims.pass"};

    (void)a;
    for (size_t k = 0; k < COUNT(members); k++) {
        const struct value *seen = value_at(view_facts(v, doc), members[k]);

        if (seen && !value_str_at(seen, "job") && !value_str_at(seen, "ended"))
            index_put(x, value_str_at(seen, "name"), doc);
    }
}

bool claim_open(const struct view *v, const char *name)
{
    static const struct view_names open = {.put = put_open};

    return view_find(v, &open, name) != NULL;
}

struct value *claims_there(const struct view *v, bool *ret_unseen)
{
    struct value *all = value_list(v->arena);

    *ret_unseen = false;
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct value *claims = value_at(view_facts(v, v->desired->documents[i]), "place.claims");
        const struct value *names = value_get(claims, "names");

        *ret_unseen = *ret_unseen || str_eq(value_str_at(claims, "state"), "unseen");
        for (size_t k = 0; k < value_count(names); k++) {
            size_t at = 0;

            while (at < value_count(all) && !str_eq(value_str(value_item(all, at)), value_str(value_item(names, k))))
                at++;
            if (at == value_count(all))
                value_push(v->arena, all, value_copy(v->arena, value_item(names, k)));
        }
    }
    return all;
}

/* --- observing ---------------------------------------------------------------------------------------------------- */

/* The account's key is asked for where the token is refused, if the account takes its key at all. */
static bool keys_to_be_had(const struct value *permissions, const struct value *live)
{
    return value_bool_at(live, "properties.allowSharedKeyAccess", true) && arm_permits(permissions, LIST_KEYS, false);
}

/* The container is made with the first claim: Azure lets whoever may write containers make one. */
static int observe_rights(struct call *c, const struct observer *o, struct azure *az, const char *account,
                          const struct value *live, struct value *claims, struct err *err)
{
    const char *path = arena_printf(o->arena, "%s/providers/Microsoft.Authorization/permissions", account);
    int64_t patience_ms = call_set_advisory(c);
    const struct value *permissions;
    int rc = arm_list_shared(
            az, c, o->arena,
            &(struct arm_wanted){.path = path, .api = API_AUTHORIZATION, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
            &permissions, err);

    call_set_patience(c, patience_ms);
    if (rc < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    value_set_string(o->arena, claims, "writable",
                     arm_permits(permissions, WRITE_BLOBS, true) || keys_to_be_had(permissions, live) ? "yes" : "no");
    value_set_string(o->arena, claims, "readable",
                     arm_permits(permissions, READ_BLOBS, true) || keys_to_be_had(permissions, live) ? "yes" : "no");
    return 0;
}

/* The claims of an account, and where what they say is put down. */
struct listed_claims {
    struct claims *claims;
    const struct value *names;
    struct value *facts;
};

/* The newest claim of `subject`, when there is one among those that were listed. */
static int observe_newest(struct call *c, const struct observer *o, const struct listed_claims *listed,
                          const struct claim_subject *subject, const char *member, struct err *err)
{
    const char *base = claim_base(o->arena, subject);
    struct claim claim;
    struct value *seen;
    bool found = false;
    size_t n = 0;

    for (size_t i = 0; i < value_count(listed->names) && !found; i++)
        found = claim_generation(base, value_str(value_item(listed->names, i)), &n);
    if (!found)
        return 0;
    if (claims_newest(c, o->arena, listed->claims, base, &claim, &found, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    if (!found)
        return 0;
    seen = value_set(o->arena, listed->facts, member, claim_to_value(o->arena, &claim));
    value_set_string(o->arena, seen, "name", claim.name);
    if (azure_is_held(listed->claims->az, claim.nonce))
        value_set_bool(o->arena, seen, "ours", true);
    if (claim.made_ms != TIME_NONE)
        value_set_string(o->arena, seen, "made", time_format(o->arena, claim.made_ms));
    return 0;
}

/* Who looks into an account asks for no key. */
static int claims_look_open(struct azure *az, struct call *c, struct arena *a, const char *account, struct claims *ret,
                            struct err *err)
{
    TRY(claims_open(az, c, a, account, ret, err));
    ret->account_id = NULL;
    return 0;
}

/* The names of all claims in an account. A thousand machines come back through one account: each of them with a list
 * of its own would be a thousand requests, and a million names. */
static int names_make(struct azure *az, struct call *c, struct arena *a, const char *account, struct value **ret,
                      struct err *err)
{
    struct claims claims cleanup(claims_release) = {0};
    struct value *blobs, *names = value_list(a);

    TRY(claims_look_open(az, c, a, account, &claims, err));
    TRY(claims_list(c, a, &claims, &blobs, err));
    for (size_t i = 0; i < value_count(blobs); i++)
        value_push(a, names, value_string(a, value_str_at(value_item(blobs, i), "name")));
    *ret = names;
    return 0;
}

/* The claim of a pass lies in one account for all machines on the key, which may be another than this restore's. */
static int observe_at_home(struct call *c, const struct observer *o, struct azure *az,
                           const struct claim_subject *subject, const struct claims *seen, struct value *facts,
                           struct err *err)
{
    const char *home = subject->account_id;
    struct claims claims cleanup(claims_release) = {0};
    const struct value *names;

    if (!home || str_eq_nocase(arm_id_name(home), seen->place.account))
        return 0;
    if (claims_look_open(az, c, o->arena, home, &claims, err) == 0 &&
        shared_made(az, c, o->arena, names_make,
                    &(struct arm_wanted){.path = home,
                                         .key = arena_printf(o->arena, "claims in %s", home),
                                         .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                    &names, err) == 0)
        return observe_newest(c, o, &(struct listed_claims){&claims, names, facts}, subject, "pass", err);
    return err->class == ERR_CANCELLED ? -(int)err->class : 0;
}

/* What an order in force is about to claim. */
static int observe_own(struct call *c, const struct observer *o, struct azure *az, const struct listed_claims *listed,
                       const struct situation *s, struct err *err)
{
    const struct document *key = s->original_key ? s->original_key : s->key;
    struct claim_subject own = restore_claim(o->view, s);
    struct export_election e;

    /* Of an order that has ended they tell which jobs were its own. */
    if ((s->order.state != ORDER_IN_FORCE && s->order.state != ORDER_EXPIRED) || !own.item_id)
        return 0;
    TRY(observe_newest(c, o, listed, &own, "restore", err));
    if (!key)
        return 0;
    e = export_elect(o->view, key);
    if (e.restored_vm != s->doc || !e.protected_vm || !value_str_at(view_facts(o->view, e.protected_vm), "itemId"))
        return 0;
    own = export_claim(o->view, e.protected_vm, key, &e.order);
    TRY(observe_newest(c, o, listed, &own, "pass", err));
    return value_get(listed->facts, "pass") ? 0 : observe_at_home(c, o, az, &own, listed->claims, listed->facts, err);
}

int claims_observe(struct call *c, const struct observer *o, struct azure *az, const struct situation *s,
                   struct value *place, struct err *err)
{
    const char *account = reference_id(o->arena, o->document, "spec.target.stagingAccount", NULL);
    struct claims claims cleanup(claims_release) = {0};
    const struct value *names;
    struct value *facts;

    if (!account || !str_eq(value_str_at(place, "staging.state"), "present"))
        return 0;
    TRY(claims_look_open(az, c, o->arena, account, &claims, err));
    if (shared_made(az, c, o->arena, names_make,
                    &(struct arm_wanted){.path = account,
                                         .key = arena_printf(o->arena, "claims in %s", account),
                                         .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                    &names, err) == 0) {
        facts = facts_new(o->arena, "present");
        value_set_int(o->arena, facts, "count", (int64_t)value_count(names));
        value_link(o->arena, facts, "names", names);
        TRY(observe_own(c, o, az, &(struct listed_claims){&claims, names, facts}, s, err));
    } else if (err->class == ERR_CANCELLED) {
        return -(int)err->class;
    } else {
        facts = facts_new(o->arena, "unseen");
        value_set_string(o->arena, facts, "why", err->text);
        value_set_string(o->arena, facts, "code", err->code);
    }
    value_set(o->arena, place, "claims", facts);
    return observe_rights(c, o, az, account, value_at(place, "staging.live"), facts, err);
}

/* --- what claims know of a job ------------------------------------------------------------------------------------ */

/* Reads by token alone, as every look does, because fetching account keys is no read. An account whose claims cannot be
 * read is passed over. */
static int claims_told(struct call *c, const struct observer *o, struct azure *az, struct value **ret, struct err *err)
{
    const struct document *rvm;
    struct value *all = value_list(o->arena), *asked = value_map(o->arena);
    size_t at = 0;

    while ((rvm = referrer_next(o->document, "RestoredVirtualMachine", &at))) {
        const char *account = reference_id(o->arena, rvm, "spec.target.stagingAccount", NULL);
        struct claims claims cleanup(claims_release) = {0};
        struct value *some;

        if (!account || value_get(asked, account))
            continue;
        value_set_bool(o->arena, asked, account, true);
        TRY(claims_look_open(az, c, o->arena, account, &claims, err));
        if (claims_with_jobs(c, o->arena, &claims, &some, err) < 0) {
            if (err->class == ERR_CANCELLED)
                return -(int)err->class;
            continue;
        }
        for (size_t i = 0; i < value_count(some); i++)
            value_push(o->arena, all, value_copy(o->arena, value_item(some, i)));
    }
    *ret = all;
    return 0;
}

/* A claim's target begins with what is claimed: "new-vm ID-OF-THE-VM", "disks ID-OF-THE-GROUP on ID-OF-THE-SET", and
 * "key …" for a pass. */
static void known_of_target(struct arena *a, const char *target, struct value *known)
{
    const char *id = target ? strchr(target, ' ') : NULL, *set = id ? strstr(id + 1, ON_SET) : NULL;

    if (!id)
        return;
    if (set)
        target = arena_strndup(a, target, (size_t)(set - target));
    id = strchr(target, ' ');
    value_set_string(a, known, "type",
                     str_starts(target, "key ") ? "disks" : arena_strndup(a, target, (size_t)(id - target)));
    if (str_starts(target, "key "))
        return;
    value_set_string(a, known, "targetGroup", arm_id_part(a, id + 1, "resourceGroups"));
    value_set_string(a, known, "targetVm", str_starts(target, "new-vm ") ? arm_id_name(id + 1) : NULL);
}

int claims_tell_job(struct call *c, const struct observer *o, struct azure *az, const struct value *points,
                    struct value **told, struct value *job, struct err *err)
{
    const struct value *claim;
    struct value *known = value_map(o->arena);

    if (!*told)
        TRY(claims_told(c, o, az, told, err));
    claim = job_of_id(*told, value_str_at(job, "job"));
    if (!claim)
        return 0;
    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), value_str_at(claim, "recoveryPoint")))
            value_set_string(o->arena, known, "point", value_str_at(value_item(points, i), "time"));
    known_of_target(o->arena, value_str_at(claim, "target"), known);
    job_complete(o->arena, job, known);
    return 0;
}
