/* What stands against a restore, each fact by itself and many at once, on views made by hand; sizes and objections. */
#include "forecast_view.h"
#include "../../providers/restore/conclude.h"
#include "../../providers/restore/obstacles.h"

static const struct {
    const char *size;
    enum vm_fit fit;
} sizes[] = {
    {"Standard_DC4ads_v6", VM_FIT_CONFIDENTIAL},
    {"Standard_DC2es_v6", VM_FIT_CONFIDENTIAL},
    {"Standard_EC96as_cc_v6", VM_FIT_CONFIDENTIAL},
    {"standard_ec8eds_v6", VM_FIT_CONFIDENTIAL},
    {"Standard_DC4ads_v5", VM_FIT_OLDER},
    {"Standard_EC4as_cc_v5", VM_FIT_OLDER},
    {"Standard_DC2s_v2", VM_FIT_ORDINARY},
    {"Standard_DC4ds_v3", VM_FIT_ORDINARY},
    {"Standard_D4s_v5", VM_FIT_ORDINARY},
    {"Standard_B2ms", VM_FIT_ORDINARY},
    {"Standard_DC4ads", VM_FIT_UNKNOWN},
    {"Basic_A1", VM_FIT_UNKNOWN},
    {"", VM_FIT_UNKNOWN},
    {NULL, VM_FIT_UNKNOWN},
};

static void check_sizes(void)
{
    for (size_t i = 0; i < COUNT(sizes); i++)
        CHECK_ROW(sizes[i].size ? sizes[i].size : "(none)", vm_size_fit(sizes[i].size) == sizes[i].fit);
}

static void check_objections(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *own = value_map(a), *advice = value_list(a);
    const char *both;

    CHECK(restore_objects_to_key("UserErrorDiskEncryptionSetKeyDoesNotExist"));
    CHECK(restore_objects_to_key("UserErrorDiskEncryptionSetDoesNotExist"));
    CHECK(restore_objects_to_key("UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK"));
    CHECK(!restore_objects_to_key("UserErrorCoreCountSubscriptionQuotaReached"));
    CHECK(!restore_objects_to_key("UserErrorNobodyHasSeen") && !restore_objects_to_key(NULL));
    value_set_string(a, own, "code", "UserErrorNobodyHasSeen");
    CHECK(strstr(restore_objection_advice(a, own), "not in the table of errors") != NULL);
    value_push(a, advice, value_string(a, "Ask support."));
    value_set(a, own, "recommendations", advice);
    CHECK_STR(restore_objection_advice(a, own), "Ask support.");
    value_set_string(a, own, "code", "UserErrorCoreCountSubscriptionQuotaReached");
    both = restore_objection_advice(a, own);
    CHECK(strstr(both, "quota") != NULL && strstr(both, "(Azure: Ask support.)") != NULL);
}

static void check_export(void)
{
    static const struct {
        struct obstacle o;
        bool also;
    } rows[] = {
        {{"staging-region", true, "", ""}, true}, {{"item-deleted", true, "", ""}, true},
        {{"guarded", true, "", ""}, true},        {{"staging-crowd", false, "", ""}, false},
        {{"size", true, "", ""}, false},          {{"subnet", true, "", ""}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].o.id, obstacle_for_export(&rows[i].o) == rows[i].also);
}

/* --- each by itself ----------------------------------------------------------------------------------------------- */

#define SOURCE(with) "ProtectedVirtualMachine/vm: {source: {live: " with "}}"
#define PLACE(with) "RestoredVirtualMachine/vm-dr: {place: " with "}"
#define POINT(with)                                                                                                    \
    "ProtectedVirtualMachine/vm: {points: [{id: '2', time: 2026-11-22T20:00:00Z, snapshot: valid, confidential: true," \
    " customerKey: true, softDeleted: false, size: Standard_DC4ads_v6, " with "}]}"
#define NETWORK(with)                                                                                                  \
    PLACE("{network: {state: present, live: {location: uaenorth, properties: {subnets: [{name: s}]}" with "}}}")
#define OF_SUBNET(with)                                                                                                \
    PLACE("{network: {state: present, live: {location: uaenorth, properties: {subnets: [{name: s, properties: {" with  \
          "}}]}}}}")
#define SPEC(with)                                                                                                     \
    "---\napiVersion: reinstate/v1\nkind: RestoredVirtualMachine\nmetadata: {name: vm-dr}\n"                           \
    "spec: {from: vm, diskEncryptionSet: des, " with                                                                   \
    ", target: {resourceGroup: rg-dr, name: vm-r, stagingAccount: {id: " STAGING "}"
#define SUBNET                                                                                                         \
    ", subnet: {id: /subscriptions/" SUB                                                                               \
    "/resourceGroups/rg-dr/providers/Microsoft.Network/virtualNetworks/v/subnets/s}}}\n"
#define NEW_VM(with) SPEC("restore: new-vm, " with) SUBNET
#define AS_DISKS SPEC("restore: disks") "}}\n"
#define ZONE_1 NEW_VM("zone: '1'")
#define LUNS NEW_VM("restoreDiskLuns: [0, 3]")

static const struct {
    const char *id; /* NULL: none at all */
    bool stops;
    const char *says, *restore, *facts; /* restore: NULL: the plain one */
} single[] = {
    {NULL, false, "everything in order", NULL, NULL},
    {"set-region", true, "the disk encryption set is in westeurope, the vault in uaenorth", NULL,
     "DiskEncryptionSet/des: {live: {location: westeurope}}"},
    {NULL, false, "a region that is spelled another way", NULL, "DiskEncryptionSet/des: {live: {location: UAE North}}"},
    {"store-region", true, "KeyVault/kv is in westeurope, the disks in uaenorth", NULL,
     "KeyVault/kv: {live: {location: westeurope}}"},
    {"network-region", true, "the virtual network v is in westeurope", NULL,
     PLACE("{network: {state: present, live: {location: westeurope, properties: {subnets: [{name: s}]}}}}")},
    {"network", true, "does not exist", NULL, PLACE("{network: {state: absent}}")},
    {"subnet", true, "has no subnet s", NULL,
     PLACE("{network: {state: present, live: {location: uaenorth, properties: {subnets: []}}}}")},
    {"subnet-full", true, "subnet s is full: 3 of its 3 addresses are taken", NULL,
     OF_SUBNET("addressPrefix: 10.0.0.0/29, ipConfigurations: [{id: a}, {id: b}, {id: c}]")},
    {NULL, false, "one address is left", NULL,
     OF_SUBNET("addressPrefix: 10.0.0.0/29, ipConfigurations: [{id: a}, {id: b}]")},
    {NULL, false, "two ranges count together", NULL,
     OF_SUBNET("addressPrefixes: [10.0.0.0/29, 10.0.1.0/29], ipConfigurations: [{id: a}, {id: b}, {id: c}]")},
    {NULL, false, "whose addresses are not listed is held against nobody", NULL,
     OF_SUBNET("addressPrefix: 10.0.0.0/29")},
    {"subnet-delegated", true, "subnet s is delegated to Microsoft.Web/serverFarms", NULL,
     OF_SUBNET("delegations: [{properties: {serviceName: Microsoft.Web/serverFarms}}]")},
    {NULL, false, "a network that cannot be seen is held against nobody", NULL, PLACE("{network: {state: unseen}}")},
    {"group", true, "the target resource group rg-dr does not exist", NULL, PLACE("{group: {state: absent}}")},
    {"name-taken", true, "networkInterfaces/vm-r", NULL,
     PLACE("{resources: {state: present, items: [{type: Microsoft.Network/networkInterfaces, name: VM-R,"
           " id: /x/providers/Microsoft.Network/networkInterfaces/vm-r}]}}")},
    {NULL, false, "disks have names of their own: the target's name does not matter to them", AS_DISKS,
     PLACE("{resources: {state: present, items: [{type: Microsoft.Compute/disks, name: vm-r, id: /x/disks/vm-r}]}}")},
    {"staging", true, "the staging account stdr does not exist", NULL, PLACE("{staging: {state: absent, live: null}}")},
    {"staging-region", true, "the staging account stdr is in westeurope", NULL,
     PLACE("{staging: {live: {location: westeurope}}}")},
    {"staging-kind", true, "of kind BlobStorage", NULL, PLACE("{staging: {live: {kind: BlobStorage}}}")},
    {"staging-redundancy", true, "zone-redundant (Standard_GZRS)", NULL,
     PLACE("{staging: {live: {sku: {name: Standard_GZRS}}}}")},
    {NULL, false, "the read access of an account is no zone", NULL,
     PLACE("{staging: {live: {sku: {name: Standard_RAGRS}}}}")},
    {"staging-premium", false, "a premium one", NULL, PLACE("{staging: {live: {sku: {name: Premium_LRS}}}}")},
    {"staging-network", true, "no exception for trusted Azure services", NULL,
     PLACE("{staging: {live: {properties: {networkAcls: {defaultAction: Deny, bypass: 'Logging, Metrics'}}}}}")},
    {NULL, false, "a firewall with the exception", NULL,
     PLACE("{staging: {live: {properties: {networkAcls: {defaultAction: Deny, bypass: 'Logging, AzureServices'}}}}}")},
    {"staging-keys", false, "allows no shared keys", AS_DISKS,
     PLACE("{staging: {live: {properties: {allowSharedKeyAccess: false}}}}")},
    {NULL, false, "a new VM needs no template of its own", NULL,
     PLACE("{staging: {live: {properties: {allowSharedKeyAccess: false}}}}")},
    {"lun", true, "no data disk with unit number 3", LUNS,
     SOURCE("{properties: {storageProfile: {dataDisks: [{lun: 0}, {lun: 1}]}}}")},
    {NULL, false, "units that the source VM has", LUNS,
     SOURCE("{properties: {storageProfile: {dataDisks: [{lun: 3}, {lun: 0}]}}}")},
    {NULL, false, "a source that is gone says nothing of its units", LUNS,
     "ProtectedVirtualMachine/vm: {source: {state: absent, live: null}}"},
    {"zone", false, "the documents disagree", ZONE_1, SOURCE("{zones: ['2']}")},
    {NULL, false, "the zone it was in", ZONE_1, SOURCE("{zones: ['1']}")},
    {"point-expires", false, "recovery point 2 expires in 3 h", NULL,
     POINT("vault: valid, expires: 2026-11-23T06:00:00Z")},
    {"point-expired", true, "recovery point 2 expired at 2026-11-23T02:00:00Z", NULL,
     POINT("vault: valid, expires: 2026-11-23T02:00:00Z")},
    {NULL, false, "a point that outlives the restore", NULL, POINT("vault: valid, expires: 2026-11-24T06:00:00Z")},
    {"point-deleted", true, "recovery point 2 is soft-deleted", NULL,
     "ProtectedVirtualMachine/vm: {points: [{id: '2', time: 2026-11-22T20:00:00Z,"
     " vault: valid, confidential: true, customerKey: true, softDeleted: true, size: Standard_DC4ads_v6}]}"},
    {"item-deleted", true, "the protected item of vm is soft-deleted", NULL,
     "ProtectedVirtualMachine/vm: {live: {properties: {isScheduledForDeferredDelete: true}}}"},
    {"guarded", true, "multi-user authorization (two-men)", NULL,
     "RecoveryServicesVault/rsv: {guards: [{name: two-men}]}"},
    {"size", false, "Standard_D4s_v5, which the support matrix of confidential VMs does not name", NULL,
     "ProtectedVirtualMachine/vm: {points: [{id: '2',"
     " time: 2026-11-22T20:00:00Z, vault: valid, confidential: true, customerKey: true, softDeleted: false, size: "
     "Standard_D4s_v5}]}"},
};

/* All of them, as a line of ids; what is said and advised of one. */
static const char *found_of(struct hand_view *h, const struct document *rvm, const char *id,
                            const struct obstacle **ret)
{
    const struct situation *s = situation_of(&h->view, rvm);
    size_t n;
    const struct obstacle *all = restore_obstacles(&h->view, s, &n);
    const char *ids = "";

    *ret = NULL;
    for (size_t i = 0; i < n; i++) {
        ids = arena_printf(h->arena, "%s%s%s", ids, *ids ? " " : "", all[i].id);
        if (id && str_eq(all[i].id, id))
            *ret = &all[i];
        /* What stops it says what to do. */
        CHECK_ROW(all[i].id, !all[i].stops || (all[i].next && *all[i].next));
    }
    return ids;
}

static void check_single(void)
{
    for (size_t i = 0; i < COUNT(single); i++) {
        struct hand_view h;
        const struct obstacle *o;
        const char *ids;

        view_make(&h, single[i].restore != NULL, single[i].restore, single[i].facts, NULL);
        ids = found_of(&h, h.rvm, single[i].id, &o);
        CHECK_ROW(single[i].says, str_eq(ids, single[i].id ? single[i].id : ""));
        CHECK_ROW(single[i].says,
                  !single[i].id || (o && o->stops == single[i].stops && strstr(o->reason, single[i].says)));
        if (!str_eq(ids, single[i].id ? single[i].id : "") || (o && !strstr(o->reason, single[i].says)))
            fprintf(stderr, "    found: %s; says: %s\n", ids, o ? o->reason : "nothing");
        view_free(&h);
    }
}

static void check_snapshot_zone(void)
{
    struct hand_view h;
    const struct obstacle *o;

    view_make(&h, true, ZONE_1, POINT("vault: none, expires: 2027-06-01T00:00:00Z"), NULL);
    view_edit(&h, SOURCE("{zones: ['2']}"));
    found_of(&h, h.rvm, "zone", &o);
    CHECK(o && o->stops && strstr(o->reason, "a snapshot cannot be restored into zone 1"));
    view_free(&h);
}

/* --- several documents -------------------------------------------------------------------------------------------- */

static const char *restores_ordered(struct arena *a, size_t n, bool one_name)
{
    const char *all = "", *orders = "";

    for (size_t i = 1; i <= n; i++) {
        all = arena_printf(
            a,
            "%s---\napiVersion: reinstate/v1\nkind: RestoredVirtualMachine\nmetadata: {name: r%zu}\n"
            "spec: {from: vm, restore: new-vm, diskEncryptionSet: des, target: {resourceGroup: rg-dr, name: vm-%zu,"
            " stagingAccount: {id: " STAGING "}" SUBNET,
            all, i, one_name ? 1 : i);
        orders = arena_printf(a, "%s%s{virtualMachine: r%zu, recoveryPoint: '2'}", orders, i > 1 ? ", " : "", i);
    }
    return arena_printf(
        a,
        "%s---\napiVersion: reinstate/v1\nkind: Activation\nmetadata: {name: night}\nspec: {restores: [%s], notBefore:"
        " 2026-11-23T02:00:00Z, notAfter: 2026-11-24T02:00:00Z, purpose: recovery}\n",
        all, orders);
}

static void check_crowd(void)
{
    for (size_t n = 3; n <= 4; n++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct hand_view h;
        size_t said = 0;

        view_make(&h, true, restores_ordered(a, n, false), NULL, NULL);
        for (size_t i = 1; i <= n; i++) {
            const struct obstacle *o;

            found_of(&h, desired_find(h.view.desired, "RestoredVirtualMachine", arena_printf(a, "r%zu", i)),
                     "staging-crowd", &o);
            CHECK(!o || (!o->stops && strstr(o->reason, "4 ordered restores share staging account stdr")));
            said += o != NULL;
        }
        CHECK(said == (n > 3));
        view_free(&h);
    }
}

static void check_one_target(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct hand_view h;

    view_make(&h, true, restores_ordered(a, 2, true), NULL, NULL);
    for (size_t i = 1; i <= 2; i++) {
        const struct obstacle *o;

        found_of(&h, desired_find(h.view.desired, "RestoredVirtualMachine", arena_printf(a, "r%zu", i)), "same-target",
                 &o);
        CHECK(o && o->stops &&
              strstr(o->reason, arena_printf(a, "RestoredVirtualMachine/r%zu declares the same target", 3 - i)));
    }
    view_free(&h);
}

/* All that is wrong is said at once. */
static void check_together(void)
{
    struct hand_view h;
    const struct obstacle *o;
    const char *ids;

    view_make(&h, true, LUNS, "DiskEncryptionSet/des: {live: {location: westeurope}}", NULL);
    view_edit(&h, "KeyVault/kv: {live: {location: westeurope}}");
    view_edit(&h, PLACE("{group: {state: absent}, network: {state: absent}, staging: {live: {location: westeurope, "
                        "kind: BlobStorage,"
                        " sku: {name: Premium_ZRS}}}}"));
    view_edit(&h, SOURCE("{properties: {storageProfile: {dataDisks: [{lun: 0}]}}}"));
    ids = found_of(&h, h.rvm, "lun", &o);
    CHECK_STR(
        ids,
        "group set-region network staging-region staging-kind staging-redundancy staging-premium store-region lun");
    view_free(&h);
}

/* What was concluded is what everybody reads, though the facts have moved on since; before, it is told as
 * far as it is seen. */
static void check_concluded(void)
{
    struct conclusion *all;
    struct hand_view h;
    const struct obstacle *o;
    const struct situation *seen;

    view_make(&h, true, SPEC("restore: new-vm") SUBNET, PLACE("{group: {state: absent}}"), NULL);
    CHECK(situation_of(&h.view, h.rvm) != situation_of(&h.view, h.rvm));
    h.view.concluded = conclude_look(&h.view);
    seen = situation_of(&h.view, h.rvm);
    CHECK(seen == situation_of(&h.view, h.rvm) && seen == situation_at(&h.view, seen->pvm, h.rvm, seen->point));
    all = arena_array(h.arena, struct conclusion, h.view.desired->count + 1);
    h.view.conclusions = all;
    all[h.rvm->index].own = conclude_restore(&h.view, h.rvm);
    CHECK(situation_of(&h.view, h.rvm) != seen && situation_of(&h.view, h.rvm) == situation_of(&h.view, h.rvm));
    CHECK_STR(found_of(&h, h.rvm, NULL, &o), "group");
    view_edit(&h, PLACE("{group: {state: present}, network: {state: absent}}"));
    CHECK_STR(found_of(&h, h.rvm, NULL, &o), "group");
    h.view.conclusions = NULL;
    h.view.concluded = NULL;
    CHECK_STR(found_of(&h, h.rvm, NULL, &o), "network");
    view_free(&h);
}

int main(void)
{
    check_concluded();
    check_single();
    check_snapshot_zone();
    check_crowd();
    check_one_target();
    check_together();
    check_sizes();
    check_objections();
    check_export();
    HARNESS_END();
}
