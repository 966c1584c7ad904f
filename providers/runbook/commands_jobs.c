/* Knows the commands of a restore: its job, its claim, what protects the machine, and what is seen of it afterwards. */
#include <string.h>

#include "../kinds/requests.h"
#include "../kinds/restored_vm.h"
#include "../restore/claims.h"
#include "../restore/election.h"
#include "../restore/export_pass.h"
#include "commands.h"

static const char *const types[] = {
    [RESTORE_NEW_VM] = "new-vm", [RESTORE_DISKS] = "disks", [RESTORE_REPLACE] = "replace"};
static const char *const job_types[] = {
    [RESTORE_NEW_VM] = "Recover VM to an alternate location",
    [RESTORE_DISKS] = "Recover disks",
    [RESTORE_REPLACE] = "Replace disks",
};

/* How a job of this order is found again. */
void making_job_place(struct making *m, struct value *with, const struct document *pvm, enum restore_type type,
                      const char *target_group, const struct order *order)
{
    making_set(m, with, "vault", value_str_at(view_facts(m->v, pvm), "vaultId"));
    making_set(m, with, "item", value_str_at(view_facts(m->v, pvm), "itemId"));
    making_set(m, with, "vm", value_str_at(pvm->spec, "source.name"));
    making_set(m, with, "group", value_str_at(pvm->spec, "source.resourceGroup"));
    making_set(m, with, "type", types[type]);
    making_set(m, with, "jobType", job_types[type]);
    making_set(m, with, "made", time_format(m->a, m->v->now_ms));
    making_set(m, with, "targetGroup", target_group);
    if (order->state == ORDER_NONE)
        return;
    making_set(m, with, "point", order->point);
    making_set(m, with, "since", time_format(m->a, order->not_before_ms));
    making_set(m, with, "notAfter", time_format(m->a, order->not_after_ms));
}

/* What must be done only once, in the words of the tool's own claim. */
static void job_claim(struct making *m, struct value *with, const struct claim_subject *claim, int64_t point_ms)
{
    making_set(m, with, "claim", claim_base(m->a, claim));
    making_set(m, with, "claimTarget", claim->target);
    making_set(m, with, "order", claim->order);
    if (claim->account_id)
        making_set(m, with, "account", claim->account_id);
    value_set_bool(m->a, with, "claimsRequired", m->v->settings->claims_required);
    if (point_ms != TIME_NONE)
        making_set(m, with, "pointTime", time_format(m->a, point_ms));
}

static void job_request(struct making *m, struct value *with, const struct restore_request *r, const char *expect)
{
    making_set(m, with, "account", r->storage_account_id);
    making_set(m, with, "region", r->region);
    making_set(m, with, "set", r->des_id);
    if (r->type == RESTORE_NEW_VM) {
        making_set(m, with, "targetVm", r->target_vm_id);
        making_set(m, with, "subnet", r->subnet_id);
    }
    making_set(m, with, "zone", r->zone);
    if (value_count(r->disk_luns))
        value_set(m->a, with, "luns", value_copy(m->a, r->disk_luns));
    making_set(m, with, "expect", expect);
    value_set_int(m->a, with, "settle", m->v->settings->settle_ms / SECOND_MS);
    value_set(m->a, with, "body", backup_restore_body(m->a, r));
}

/* The export pass names no order of its own: the one that elected it pays. */
static void export_key(struct making *m)
{
    struct restore_request request;
    struct claim_subject claim;
    struct job_match match;
    const struct document *key;
    struct value *with;
    size_t at = 0;

    if (!protected_vm_export_request(m->v, m->doc, &request, &match))
        return;
    while ((key = referrer_next(m->doc, "Key", &at))) {
        struct export_election e = export_elect(m->v, key);

        if (e.protected_vm != m->doc || !e.restored_vm || !str_eq(e.order.point, request.point))
            continue;
        with = making_add(m, RUNBOOK_JOB);
        making_job_place(m, with, m->doc, RESTORE_DISKS, match.target_group, &e.order);
        job_request(m, with, &request, "Failed");
        claim = export_claim(m->v, m->doc, key, &e.order);
        job_claim(m, with, &claim, match.point_ms);
        return;
    }
}

/* A VM under protection; who is new to the vault is found first. */
static void protect(struct making *m)
{
    const char *fabric = arena_strndup(m->a, m->step->scope,
                                       (size_t)(strstr(m->step->scope, "/protectionContainers/") - m->step->scope));
    struct value *with;

    if (m->step->action == ACTION_CREATE) {
        with = making_add(m, RUNBOOK_WRITE);
        making_set(m, with, "method", "POST");
        making_set(m, with, "id", arena_printf(m->a, "%s/refreshContainers", fabric));
        making_set(m, with, "api", making_api(m, API_RECOVERY));
        value_set(m->a, with, "body", value_map(m->a));
    }
    with = making_add(m, RUNBOOK_WRITE);
    making_set(m, with, "method", "PUT");
    making_set(m, with, "id", m->step->scope);
    making_set(m, with, "api", making_api(m, API_RECOVERY));
    value_set(m->a, with, "body",
              backup_protect_body(m->a, value_str_at(m->step->detail, "virtualMachine"),
                                  value_str_at(m->step->detail, "policy")));
}

void making_protected_vm(struct making *m)
{
    if (m->step->action == ACTION_EXPORT_KEY)
        export_key(m);
    if (m->step->action == ACTION_CREATE || m->step->action == ACTION_UPDATE)
        protect(m);
}

void making_restored_vm(struct making *m)
{
    const struct situation *s = situation_of(m->v, m->doc);
    struct restore_request request = restored_vm_request(m->v, s);
    struct claim_subject claim;
    struct value *with;

    if (m->step->action == ACTION_CREATE || m->step->action == ACTION_UPDATE)
        protect(m);
    if (m->step->action == ACTION_START_VM)
        making_set(m, making_add(m, RUNBOOK_START_VM), "id", m->step->scope);
    if (m->step->action == ACTION_RESTORE_VM) {
        with = making_add(m, RUNBOOK_JOB);
        making_job_place(m, with, s->pvm, request.type, s->match.target_group, &s->order);
        job_request(m, with, &request, "Completed");
        claim = restore_claim(m->v, s);
        job_claim(m, with, &claim, s->match.point_ms);
    }
    if (m->step->action == ACTION_VERIFY && request.type != RESTORE_NEW_VM) {
        m->why = "look at the disks in the target group: the restore job names them";
        return;
    }
    if (m->step->action == ACTION_START_VM || m->step->action == ACTION_VERIFY) {
        with = making_add(m, RUNBOOK_SEE_VM);
        making_set(m, with, "id", restored_vm_id(m->a, m->doc));
        making_set(m, with, "set", s->now.encryption == DX_PMK ? NULL : s->des_id);
        value_set_bool(m->a, with, "running", restored_vm_runs(m->doc));
    }
}
