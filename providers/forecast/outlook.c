/* Knows the 27 questions and how an answer and a danger are noted down. Must not know how any of them is answered. */
#include "questions.h"

#include <stdlib.h>
#include <string.h>

#include "../keys/key_facts.h"

const struct observe_limits observe_limits_default = {.disks_per_set = 40, .key_versions = 400, .hsm_per_key = 8};

static const char *const questions[OBSERVATION_COUNT] = {
    [F1] = "is the VM protected, and is its protection healthy?",
    [F2] = "which tiers does the recovery point have?",
    [F3] = "what kind of recovery point is it?",
    [F4] = "is the recovery point about to vanish?",
    [F5] = "which disk encryption set did the VM use?",
    [F6] = "does the set exist, and is it of the right kind?",
    [F7] = "how many disks use the set?",
    [F8] = "in which kind of store is the key?",
    [F9] = "does the key's store exist, and does it protect what it holds?",
    [F10] = "is the store soft-deleted?",
    [F11] = "does the key version exist?",
    [F12] = "is the key version enabled and in its time?",
    [F13] = "is it a key for confidential VMs, and may it be released where the VM would be restored?",
    [F14] = "can the key be recovered after a deletion, and not be purged before?",
    [F15] = "is the key soft-deleted?",
    [F16] = "may the set's identity use the key?",
    [F17] = "may the Backup Management Service read and back up the key?",
    [F18] = "may the Confidential VM Orchestrator release the key?",
    [F19] = "are the subscription's feature flags right?",
    [F20] = "has a key been exported already?",
    [F21] = "is a restore running?",
    [F22] = "is the staging account fit?",
    [F23] = "does the store's firewall let the services in?",
    [F24] = "is the VM's size usable in the region, within the quota?",
    [F25] = "is the managed HSM activated?",
    [F26] = "do locks stand in the way?",
    [F27] = "would the service accept the request?",
};

static const struct {
    const char *id, *words;
} known_risks[] = {
    {"backup-failed", "the last backup failed"},
    {"cannot-see", "what a restore hangs on cannot be seen"},
    {"des-lacks", "the disk encryption set's identity lacks rights on the key"},
    {"escrow", "the key's own backup is absent or older than the key"},
    {"export-left", "an exported key lies in a staging account"},
    {"feature", "a preview feature of the subscription is in the wrong state"},
    {"firewall", "the key store's network rules keep the services out"},
    {"held-up", "a plan for an order would be blocked"},
    {"hsm-assignments", "an HSM key has nearly all the role assignments it can have"},
    {"hsm-inactive", "the managed HSM is not activated"},
    {"item-deleted", "the protected item is soft-deleted"},
    {"key-declaration", "what is declared of the key's version cannot be so"},
    {"key-deleted", "the key is soft-deleted and will be purged"},
    {"key-disabled", "the key version is disabled"},
    {"key-expiry", "the key version expires, or has expired"},
    {"key-gone", "the key version is not there"},
    {"key-revoked", "the key is revoked: nothing is restored with it"},
    {"key-revoked-active", "a revoked key is still active"},
    {"key-unfit", "the key cannot protect a confidential VM"},
    {"key-versions", "the key has so many versions that its backup will soon fail"},
    {"lock", "a lock hinders backups or the restore"},
    {"no-point", "there is no recovery point"},
    {"no-vault-point", "no recovery point is in the vault tier"},
    {"orchestrator-lacks", "the Confidential VM Orchestrator may not release the key"},
    {"own-right", "we lack a right that carrying out the order needs"},
    {"orphaned-grant", "a grant is held by a principal that is not the set's identity any more"},
    {"place", "the restore as it is declared does not fit the place, the set or the store"},
    {"point-expires", "the recovery point expires"},
    {"order-ends", "the order in force ends before its restore can be triggered"},
    {"policy", "the backup policy does not fit confidential VMs"},
    {"policy-ends", "a rule of the policy stops the order before its restore begins"},
    {"protection", "the VM is not protected any more"},
    {"purge-protection", "purge protection is off: a deleted key can be destroyed at once"},
    {"quota", "the region's quota has no room for the VM"},
    {"release-region", "the key's release policy does not name the region's attestation authority"},
    {"restore-failed", "the last restore failed, and nothing has been mended since"},
    {"restore-running", "a restore is running"},
    {"rotation", "the set follows the newest key version, or its rotation is stuck"},
    {"set-differs", "the declared disk encryption set is not as declared, and a restore waits for it"},
    {"set-full", "the set has nearly as many disks as a backup may have"},
    {"set-gone", "the disk encryption set does not exist"},
    {"set-unfit", "the disk encryption set is not one for confidential VMs"},
    {"size", "the VM's size is none that the support matrix names"},
    {"staging", "the staging account is not fit for a restore"},
    {"stale-point", "the newest recovery point is older than it may be"},
    {"store-deleted", "the key's store is soft-deleted and will be purged"},
    {"store-gone", "the key's store does not exist"},
    {"backup-lacks", "the Backup Management Service lacks rights on the key"},
    {"unhealthy", "Azure Backup reports the VM's protection as unhealthy"},
    {"validation", "Azure Backup objects to the restore request"},
};

const char *observation_question(const char *id)
{
    size_t n = id && (id[0] == 'F' || id[0] == 'f') && id[1] != '0' ? strspn(id + 1, "0123456789") : 0;
    long number = n > 0 && n < 3 && !id[n + 1] ? strtol(id + 1, NULL, 10) : 0;

    return number > 0 && number <= OBSERVATION_COUNT ? questions[number - 1] : NULL;
}

const char *risk_words(const char *id)
{
    for (size_t i = 0; i < COUNT(known_risks); i++)
        if (str_eq(known_risks[i].id, id))
            return known_risks[i].words;
    return NULL;
}

const char *risk_name(size_t i)
{
    return i < COUNT(known_risks) ? known_risks[i].id : NULL;
}

const char *obs_state_word(enum obs_state state)
{
    static const char *const words[] = {"good", "warn", "bad", "unseen", "not-looked"};

    return words[state];
}

/* --- what was not seen -------------------------------------------------------------------------------------------- */

bool observation_decisive(enum obs_fact f)
{
    return f == F13 || f == F19 || f == F24 || f == F26;
}

/* The answer of the service up to its own long sentence: "list uaenorth usages: 403 AuthorizationFailed". */
static char *in_short(struct arena *a, const char *text)
{
    enum { SHORT = 160 };
    const char *code = text ? strstr(text, ": 4") : NULL, *end;

    if (!text)
        return arena_strdup(a, "it was not looked at");
    code = code ? code : strstr(text, ": 5");
    end = code ? strchr(code + 2, ':') : NULL;
    return end ? arena_strndup(a, text, (size_t)(end - text)) : arena_strndup(a, text, strnlen(text, SHORT));
}

/* Each of these questions alone can stop a restore. If one is unanswered the forecast is not green, because the missing
 * answer may be the one that matters. */
static void observe_unseen(struct outlook *o)
{
    const char *ids = NULL, *right = "";
    enum obs_fact first = F1;

    for (size_t i = 0; i < OBSERVATION_COUNT; i++) {
        const struct observation *item = &o->items[i];

        if (item->state != OBS_UNSEEN || !observation_decisive((enum obs_fact)i))
            continue;
        first = ids ? first : (enum obs_fact)i;
        ids = arena_printf(o->arena, "%s%s%s (%s %s)", ids ? ids : "", ids ? "; " : "", item->id, item->question,
                           in_short(o->arena, item->text));
        if (item->text && strstr(item->text, ": 403 "))
            right = "Reader on the subscription shows what is refused by 403; ";
    }
    if (ids)
        obs_risk(o, first, "cannot-see", RISK_WARN, TIME_NONE,
                 arena_printf(o->arena, "%s--verbose has the whole of each answer", right),
                 "not seen, and it could stop a restore: %s", ids);
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

struct outlook observe_all(const struct view *v, const struct value *extras, const struct observe_limits *limits,
                           const struct situation *situation)
{
    struct outlook o = {
        .view = v,
        .arena = v->arena,
        .extras = extras,
        .limits = limits ? *limits : observe_limits_default,
        .situation = situation,
        .pvm = situation->pvm,
        .rvm = situation->doc,
        .key = situation->original_key ? situation->original_key : situation->key,
        .point = situation->point,
    };

    o.store = o.key ? document_target(o.key, "spec.store") : NULL;
    for (size_t i = 0; i < OBSERVATION_COUNT; i++)
        o.items[i] = (struct observation){.id = arena_printf(v->arena, "F%zu", i + 1),
                                          .question = questions[i],
                                          .state = OBS_NOT_LOOKED,
                                          .text = "not looked at"};
    observe_backup(&o);
    observe_set(&o);
    observe_store(&o);
    observe_key(&o);
    observe_grants(&o);
    observe_platform(&o);
    observe_unseen(&o);
    return o;
}

struct value *observations_to_value(struct arena *a, const struct outlook *o)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < OBSERVATION_COUNT; i++) {
        const struct observation *item = &o->items[i];
        struct value *one = value_map(a);

        value_set_string(a, one, "id", item->id);
        value_set_string(a, one, "question", item->question);
        value_set_string(a, one, "state", obs_state_word(item->state));
        value_set_string(a, one, "text", item->text);
        value_set_string(a, one, "evidence", item->evidence);
        value_push(a, list, one);
    }
    return list;
}
