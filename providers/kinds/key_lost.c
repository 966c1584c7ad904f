/* Knows how a key that is gone may come back, the cheapest remedy first. Must not do it (key_acts.c). */
#include <string.h>

#include "../access/hsm_rights.h"
#include "key_parts.h"
#include "../keys/original.h"
#include "../backup/points.h"
#include "../keys/store_fit.h"
#include "../backup/order.h"
#include "../restore/election.h"
#include "../keys/key_facts.h"
#include "../keys/copies.h"
#include "../keys/lost.h"
#include "../keys/past.h"
#include "../keys/refused.h"
#include "../keys/revived.h"
#include "../backup/claim.h"

/* --- steps -------------------------------------------------------------------------------------------------------- */

static struct step *steps_restore(const struct view *v, const struct document *doc, struct steps *out,
                                  const char *reason)
{
    struct step *step = steps_add(out, doc, ACTION_RESTORE_KEY, NULL, "%s", reason);
    const char *base = value_str_at(view_facts(v, doc), "base"), *account = key_refusals_account(v->arena, doc);
    struct key_need need = key_needed(v, doc);

    step->scope = key_address(v, doc);
    step->precondition = "the key's name is free, active and deleted";
    step->postcondition = "a GET shows the wanted version, enabled";
    step_change(out, step, "key.version", NULL,
                need.version ? value_string(v->arena, need.version) : value_unknown(v->arena),
                need.evidence == KEY_EVIDENCE_DECLARED ? "a restored key keeps its versions"
                : need.version ? arena_printf(v->arena, "by %s; a restored key keeps its versions", need.words)
                               : "chosen among the versions that come back, by when they were created");
    step->estimate_ms = MINUTE_MS;
    step->estimate_source = "recorded key restores";
    key_note_evidence(v, doc, out, step);
    key_note_revived(v, doc, out, step);
    key_note_left_out(v, doc, out, step);
    /* The permit looks at host and path. */
    step_writes(out, step, "POST", "%s/keys/restore", base ? base + strlen("https://") : "");
    key_right(v, out, step, doc, KEY_RIGHT_RESTORE);
    /* A refusal is noted, so that nobody tries the same bytes again. */
    if (account) {
        step_writes(out, step, "PUT", "/" CLAIM_CONTAINER);
        step_writes(out, step, "POST", "/storageAccounts/%s/listKeys", arm_id_name(account));
    }
    view_need(v, out, step, document_target(doc, "spec.store"));
    return step;
}

/* An order is in force, and there is no pass for it all the same. */
static struct step *block_ordered(const struct view *v, const struct document *doc, struct steps *out,
                                  const struct export_election *e)
{
    const char *pvm = e->protected_vm->name;
    const struct value *point = protected_vm_point(v, e->protected_vm, e->order.point);

    if (!e->order.exports)
        return steps_block(
            out, doc, "restore-key", "set exports: allowed in the Activation",
            "the key is purged; only Azure Backup's copy of %s can bring it back, and its Activation forbids exports",
            pvm);
    if (e->completed)
        return steps_block(out, doc, "restore-key", "name the backup whose disk is wrapped with this key as its source",
                           "the key is purged; restore job %s from the ordered recovery point of %s completed without "
                           "it: that point needs "
                           "another key, and exports no copy of this one",
                           value_str_at(e->completed, "job"), pvm);
    if (e->carried.words)
        return steps_block(
            out, doc, "restore-key",
            e->carried.next ? e->carried.next : "order a recovery point whose disk is wrapped with this key",
            "the key is purged, and a restore from the ordered recovery point of %s is not made for its copy: %s", pvm,
            e->carried.words);
    if (e->useless)
        return steps_block(
            out, doc, "restore-key",
            "order a machine whose disk is wrapped with this key; a document that no machine needs can be removed",
            "the key is purged; the ordered recovery point of %s needs another key, so that its restore would export "
            "no "
            "copy of this one",
            pvm);
    if (!str_eq(value_str_at(point, "vault"), "valid"))
        return steps_block(
            out, doc, "restore-key",
            arena_printf(v->arena,
                         "order a recovery point that has reached the vault tier: reinstate activate -f ... %s",
                         e->restored_vm->name),
            "the key is purged; the ordered recovery point of %s %s", pvm,
            !point                               ? "is not among those of its backup"
            : protected_vm_point_archived(point) ? "lies in the archive and has to be rehydrated first"
                                                 : arena_printf(v->arena, "%s, and snapshots export no key",
                                                                protected_vm_not_in_vault(point)));
    return steps_block(
        out, doc, "restore-key",
        arena_printf(v->arena, "see %s and %s", e->protected_vm->address, e->restored_vm->address),
        "the key is purged, and a restore from the ordered recovery point of %s is not foreseen to export it", pvm);
}

/* Nobody has ordered a restore, and an order may not bring the key back either: whoever is told to order one would wait
 * for a job that cannot help. NULL: an order would bring it back. */
static struct step *block_without_backup(const struct view *v, const struct document *doc, struct steps *out,
                                         const struct document *pvm)
{
    const struct value *facts = view_facts(v, pvm);
    const char *why = value_str_at(facts, "why"), *state = view_state(v, pvm);
    const struct document *vault = document_target(pvm, "spec.vault");
    bool vault_gone = vault && str_eq(view_state(v, vault), "absent");

    if (str_eq(state, "unseen"))
        return steps_block(out, doc, "restore-key", unseen_fix(facts, "Backup Reader on the vault shows it"),
                           "the key is purged; whether Azure Backup's copy of %s can bring it back cannot be seen: %s",
                           pvm->name, why ? why : "its backup was not looked at");
    if (str_eq(state, "absent"))
        return steps_block(
            out, doc, "restore-key",
            "check vault and names; or declare another source: a backup file of your own, an escrow",
            "the key is purged, and %s",
            vault_gone ? arena_printf(v->arena, "of %s %s", pvm->name, protected_vm_absent_words(v, pvm))
                       : arena_printf(v->arena, "the vault holds no backup of %s that could bring it back", pvm->name));
    if (!protected_vm_newest_vault_point(v, pvm))
        return steps_block(out, doc, "restore-key",
                           "wait for a recovery point to reach the vault tier, if the VM still lives; else declare "
                           "another source: a backup file of your own, an escrow",
                           "the key is purged, and no recovery point of %s has reached the vault tier: snapshots "
                           "export no key",
                           pvm->name);
    return NULL;
}

/* Why nobody has ordered the pass that exports the key, and what would be the order. */
static void block_unordered(const struct view *v, const struct document *doc, struct steps *out,
                            const struct export_election *e)
{
    const char *pvm = e->protected_vm->name;
    const char *vm = e->restored_vm ? e->restored_vm->name : "RESTORED-VM";
    struct step *step;

    switch (e->order.state) {
    case ORDER_IN_FORCE:
        step = block_ordered(v, doc, out, e);
        break;
    case ORDER_OVERLAPPING:
        step = steps_block(out, doc, "restore-key", "withdraw one of them",
                           "the key is purged; %s and %s order the same VM at the same time",
                           e->order.activation->address, e->order.other->address);
        break;
    case ORDER_FUTURE:
        step = steps_block(out, doc, "restore-key",
                           arena_printf(v->arena, "wait until %s", time_format(v->arena, e->order.not_before_ms)),
                           "the key is purged; %s is not in force yet", e->order.activation->address);
        break;
    case ORDER_EXPIRED:
        step =
            steps_block(out, doc, "restore-key", arena_printf(v->arena, "order anew: reinstate activate -f ... %s", vm),
                        "the key is purged; %s expired at %s", e->order.activation->address,
                        time_format(v->arena, e->order.not_after_ms));
        break;
    default:
        step = block_without_backup(v, doc, out, e->protected_vm);
        if (step)
            break;
        step = steps_block(
            out, doc, "restore-key",
            arena_printf(v->arena, "order it: reinstate activate -f ... %s, then add what it prints to the manifests",
                         vm),
            "the key is purged; Azure Backup's copy of %s can bring it back, by a restore that fails and exports it, "
            "and "
            "nobody has ordered that",
            pvm);
        break;
    }
    step->scenario = "N-17";
}

static const char *staging_of(const struct export_election *e)
{
    const struct reference *ref =
        e->restored_vm ? document_reference(e->restored_vm, "spec.target.stagingAccount") : NULL;

    return ref && ref->id ? ref->id : "";
}

static void steps_create(const struct view *v, const struct document *doc, struct steps *out)
{
    struct step *step = steps_add(out, doc, ACTION_CREATE, NULL,
                                  "the key does not exist and bootstrap is declared; nothing that was wrapped with an "
                                  "older key opens with this one");

    step->scope = key_address(v, doc);
    step_change(out, step, "key.version", NULL, value_unknown(v->arena), NULL);
    step_writes(out, step, "POST", "/keys/%s/create", value_str_at(view_facts(v, doc), "name"));
    key_right(v, out, step, doc, KEY_RIGHT_CREATE);
    view_need(v, out, step, document_target(doc, "spec.store"));
    key_steps_escrow(v, doc, out, step);
}

/* Makes a key only where there never was one: a new key in place of a lost one opens no disk, and its name keeps the
 * old one from coming back. */
static void steps_bootstrap(const struct view *v, const struct document *doc, struct steps *out)
{
    struct key_past past = key_past_of(v, doc);

    if (past.was)
        steps_block(out, doc, NULL,
                    "declare what brings the old one back, recover or azureBackup; or give the new key a name that was "
                    "never used",
                    "the key is gone, and bootstrap makes none in its place: %s", past.was);
    else if (past.unseen)
        steps_block(out, doc, NULL, "Reader on it shows it; a key is made where there has never been one",
                    "whether there ever was such a key cannot be told, so bootstrap makes none: %s", past.unseen);
    else
        steps_create(v, doc, out);
}

/* A recovered store comes back in its old region. If sets and disks are in another one, they cannot use its keys, so
 * nothing is built on them. */
static bool block_in_store_elsewhere(const struct view *v, const struct document *doc, struct steps *out, bool deleted)
{
    struct store_objection objection;

    if (!store_region_objection(v, doc, &objection))
        return false;
    steps_block(out, doc, NULL, objection.next, "its %s %s where it is of no use: %s", key_store_word(doc),
                deleted ? "is soft-deleted, and comes back" : "is still in the making", objection.reason);
    return true;
}

static void steps_wait_for_store(const struct view *v, const struct document *doc, struct steps *out)
{
    bool deleted = str_eq(value_str_at(view_facts(v, doc), "storeState"), "deleted");
    struct step *step;

    if (block_in_store_elsewhere(v, doc, out, deleted))
        return;
    step = steps_add(out, doc, ACTION_WAIT, NULL, "its %s is %s", key_store_word(doc),
                     deleted ? "soft-deleted; the key is looked at again when it is back"
                             : "still in the making; the key is looked at when it answers");
    step->scope = key_address(v, doc);
    /* Asked for beforehand, because a role of ours at the vault does not come back with it (../access/preflight.c). */
    if (!key_store_is_hsm(doc))
        key_right(v, out, step, doc, KEY_RIGHT_READ);
    view_need(v, out, step, document_target(doc, "spec.store"));
}

/* Where a backup opens is bound to where it was taken. A copy of this very store opens in it; of any
 * other nobody can tell. */
static const char *opens_here(const struct view *v, const struct document *doc, const struct key_copy *copy)
{
    const char *from = value_str_at(copy->blob, "store"), *here = value_str_at(view_facts(v, doc), "base");

    if (from && (str_eq_nocase(from, here) || !store_unproved(v, doc)))
        return NULL;
    return arena_printf(v->arena, "that the backup%s%s opens in %s: %s", from ? ", taken of " : "", from ? from : "",
                        here,
                        key_store_is_hsm(doc) ? "only an HSM of the same security domain can open it"
                                              : "only the same subscription and geography can open it");
}

static void reads_export(struct steps *out, struct step *step, const char *account)
{
    if (!account || !*account)
        return;
    step_writes(out, step, "GET", "%s.", account);
    step_writes(out, step, "POST", "/storageAccounts/%s/listKeys", account);
}

/* Older exports are tried in the same step, should the newest prove to be none. */
static void add_spare_exports(const struct view *v, struct steps *out, struct step *step,
                              const struct export_election *e)
{
    struct value *tried = value_list(v->arena);
    const struct value *export = e->export;

    while (export) {
        value_push(v->arena, tried, value_copy(v->arena, export));
        export = export_spare(v, e, tried);
        if (!export)
            continue;
        step_note(out, step, "should that be of no use: what failed restore job %s left", value_str_at(export, "job"));
        reads_export(out, step, value_str_at(export, "account"));
    }
}

/* What is tried in the same step should the first copy prove useless: any other that is there already. */
static void add_spares(const struct view *v, const struct document *doc, struct steps *out, struct step *step)
{
    struct export_election e = export_elect(v, doc);
    struct key_copy copy;

    for (size_t n = 1; (copy = key_own_copy_at(v, doc, n)).kind != KEY_COPY_NONE; n++) {
        const char *container = value_str_at(doc->spec, "escrow.container");

        step_note(out, step, "should it not open: %s",
                  copy.kind == KEY_COPY_FILE ? copy.path : value_str_at(copy.blob, "name"));
        if (copy.kind == KEY_COPY_ESCROW)
            step_writes(out, step, "GET", "%s/%s", container + strlen("https://"), value_str_at(copy.blob, "name"));
    }
    if (!e.export)
        return;
    step_note(out, step, "should none of them open: what failed restore job %s left", value_str_at(e.export, "job"));
    reads_export(out, step, value_str_at(e.export, "account"));
    add_spare_exports(v, out, step, &e);
}

static void steps_from_copy(const struct view *v, const struct document *doc, struct steps *out,
                            const struct key_copy *copy)
{
    bool file = copy->kind == KEY_COPY_FILE;
    struct step *step = steps_restore(
        v, doc, out,
        file ? arena_printf(v->arena, "the key is purged; restored from your own backup %s", copy->path)
             : arena_printf(v->arena,
                            "the key is purged; restored from the backup of %s in escrow, which spares the restore "
                            "that fails",
                            value_str_at(copy->blob, "created")));
    const char *container = value_str_at(doc->spec, "escrow.container");

    step->scenario = "N-17";
    step->unverified = opens_here(v, doc, copy);
    order_cover(v, doc, out, step);
    key_serve_with(v, doc, out, step);
    if (!file)
        step_writes(out, step, "GET", "%s/%s", container + strlen("https://"), value_str_at(copy->blob, "name"));
    add_spares(v, doc, out, step);
    /* The newest backup in escrow holds what it brings back. */
    if (file)
        key_steps_escrow(v, doc, out, step);
}

/* What could not be seen of cheaper remedies, for the reason of a dearer one; "". */
static const char *unseen_words(const struct view *v, const struct document *doc)
{
    const struct value *facts = view_facts(v, doc);
    const char *why = value_str_at(facts, "escrow.why"), *state = value_str_at(key_elsewhere(v, doc), "state");
    const char *escrow = str_eq(value_str_at(facts, "escrow.state"), "unseen")
                             ? arena_printf(v->arena, "; whether its escrow holds a backup cannot be seen: %s",
                                            why ? why : "not looked at")
                             : "";

    if (str_eq(state, "unseen"))
        return arena_printf(v->arena, "%s; whether %s still holds it cannot be seen", escrow,
                            value_str_at(facts, "elsewhere.base"));
    return escrow;
}

/* The machine's own store has it, or could have it back in seconds: nothing is lost, and no copy is needed. */
static bool steps_elsewhere(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *elsewhere = key_elsewhere(v, doc);
    const char *base = value_str_at(elsewhere, "base"), *state = value_str_at(elsewhere, "state");

    if (str_eq(state, "present"))
        steps_block(
            out, doc, NULL,
            "declare that store for it; or, to have it here too, back it up there and declare the file as a source",
            "the key is not here, but version %s is in %s: nothing is lost, and a restore that fails would export "
            "nothing",
            value_str_at(elsewhere, "version"), base);
    else if (str_eq(state, "deleted"))
        steps_block(out, doc, NULL,
                    "declare a Key in that store with the source recover, which is cheaper than any copy",
                    "the key is not here, and soft-deleted in %s", base)
            ->scenario = "N-15";
    else
        return false;
    return true;
}

/* The pass leaves the key where somebody has to fetch it: by token, or by the account's key where it takes one. */
static void needs_export_read(const struct view *v, struct steps *out, struct step *step,
                              const struct export_election *e)
{
    const char *account = staging_of(e);
    bool keys =
        value_bool_at(view_facts(v, e->restored_vm), "place.staging.live.properties.allowSharedKeyAccess", true);

    if (*account && (!e->export || str_eq_nocase(value_str_at(e->export, "account"), arm_id_name(account))))
        step_right_either(out, step, account, "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
                          keys ? "Microsoft.Storage/storageAccounts/listKeys/action" : NULL,
                          "Storage Blob Data Reader");
}

/* Whoever reads of the key alone is told why, and what to do, as whoever reads of its backup. */
static void block_with_export(const struct view *v, const struct document *doc, struct steps *out,
                              const struct export_election *e)
{
    const struct step *block = view_block(v, e->protected_vm);

    steps_block(out, doc, "restore-key",
                block && block->next ? block->next : arena_printf(v->arena, "see %s", e->protected_vm->address),
                "the key is gone and its export is blocked%s%s", block ? ": " : "", block ? block->reason : "");
}

static void steps_from_backup(const struct view *v, const struct document *doc, struct steps *out)
{
    struct export_election e = export_elect(v, doc);
    struct step *step;

    if (!e.protected_vm) {
        steps_block(out, doc, "restore-key", "declare a source: azureBackup, or a backup file of your own",
                    "the key is gone and no declared source can bring it back%s", unseen_words(v, doc));
        return;
    }
    if (!e.export && view_prospect(v, e.protected_vm) != PROSPECT_PENDING) {
        if (view_prospect(v, e.protected_vm) == PROSPECT_BLOCKED && e.order.state == ORDER_IN_FORCE && e.order.exports)
            block_with_export(v, doc, out, &e);
        else
            block_unordered(v, doc, out, &e);
        return;
    }
    step = steps_restore(
        v, doc, out,
        e.export
            ? arena_printf(v->arena,
                           "the key is purged; failed restore job %s left Azure Backup's copy in storage account %s",
                           value_str_at(e.export, "job"), value_str_at(e.export, "account"))
            : arena_printf(v->arena, "the key is purged; Azure Backup's copy is exported by the restore that fails%s",
                           unseen_words(v, doc)));
    step->scenario = "N-17";
    order_cover(v, doc, out, step);
    key_serve_with(v, doc, out, step);
    step->unverified =
        arena_printf(v->arena, "that the export holds the wanted version: it is compared after the restore%s%s",
                     store_unproved(v, doc) ? "; and " : "", store_unproved(v, doc) ? store_unproved(v, doc) : "");
    /* The exported key is read from the staging account, by whichever right there is. */
    reads_export(out, step, e.export ? value_str_at(e.export, "account") : arm_id_name(staging_of(&e)));
    add_spare_exports(v, out, step, &e);
    needs_export_read(v, out, step, &e);
    if (!e.export)
        view_need(v, out, step, e.protected_vm);
    key_steps_escrow(v, doc, out, step);
}

/* Blocks a restore of the key into a store that cannot hold it, or from which no set can use it: the key would lie
 * there in vain and take its name from the next try. */
static bool steps_misplaced(const struct view *v, const struct document *doc, struct steps *out)
{
    struct store_objection found[STORE_OBJECTIONS_MAX];
    size_t n = store_objections(v, doc, NULL, found);

    for (size_t i = 0; i < n; i++)
        steps_block(out, doc, i ? arena_printf(v->arena, "restore-key.%s", found[i].id) : "restore-key", found[i].next,
                    "the key is gone and is not brought back there: %s", found[i].reason);
    return n > 0;
}

void key_steps_absent(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct document *store = document_target(doc, "spec.store");
    struct key_copy copy = key_own_copy(v, doc);
    struct key_need need = key_needed(v, doc);
    const struct value *refusal = key_refusal(v, doc);

    if (store && view_prospect(v, store) == PROSPECT_BLOCKED)
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", store->address), "its %s %s", key_store_word(doc),
                    missing_words(v, store));
    else if (key_store_comes(v, doc))
        steps_wait_for_store(v, doc, out);
    else if (steps_misplaced(v, doc, out))
        return;
    else if (need.conflict && !need.version)
        steps_block(out, doc, "restore-key", "declare spec.version, or order points that need one version only",
                    "which version is needed is not agreed on: %s", need.conflict);
    else if (key_steps_with_another(v, doc, out))
        return;
    else if (copy.kind != KEY_COPY_NONE)
        steps_from_copy(v, doc, out, &copy);
    else if (steps_elsewhere(v, doc, out))
        return;
    else if (refusal && !export_elect(v, doc).export)
        steps_block(out, doc, "restore-key", key_refusal_advice(v->arena, doc, refusal), "the key is gone; %s",
                    key_refusal_words(v->arena, refusal))
            ->scenario = "N-17";
    else if (value_bool_at(doc->spec, "bootstrap", false) && !key_source_declared(doc, "azureBackup"))
        steps_bootstrap(v, doc, out);
    else
        steps_from_backup(v, doc, out);
}
