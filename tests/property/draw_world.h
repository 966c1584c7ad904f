/* What is drawn of the world: keys, sets, machines, backups. draw.h includes it. */
#ifndef REINSTATE_DRAW_WORLD_H
#define REINSTATE_DRAW_WORLD_H

/* --- the world: keys, sets, machine, backup ----------------------------------------------------------------------- */

/* The copies of a key are as it is: of its versions, and in what it may be used for. */
static inline void add_key(struct text *t, const struct drawn *d, const char *store, const char *name,
                           const char *state, const char *old_attributes, const char *version)
{
    bool own = str_eq(name, "os");

    add(t,
        ",{'store':'%s','name':'%s','state':'%s','type':'RSA-HSM','releasePolicy':'confidential-vm','versions':[{'id':'"
        "%s',"
        "'created':'2026-03-02T08:00:00Z'%s}",
        store, name, state, version, old_attributes);
    if (own && d->newer)
        add(t, ",{'id':'" V_NEW "','created':'2026-11-17T08:00:00Z','enabled':true}");
    add(t, "]%s%s}", own && d->ops_short ? ",'keyOps':['wrapKey']" : "",
        str_eq(state, "deleted") ? ",'deletedDate':'2026-11-21T08:00:00Z','scheduledPurgeDate':'2026-11-28T08:00:00Z'"
                                 : "");
}

/* Made when the name was free again, after the point. */
static inline void add_impostor(struct text *t, const char *store)
{
    add(t,
        ",{'store':'%s','name':'os','state':'active','type':'RSA-HSM','releasePolicy':'confidential-vm','versions':[{'"
        "id':'" V_THIRD "','created':'2026-11-22T09:00:00Z'}]}",
        store);
}

static inline void add_keys(struct text *t, const struct drawn *d)
{
    const char *const *stores = store_names[d->home];
    static const char *const states[] = {[KEY_FINE] = "active",  [KEY_OFF] = "active",  [KEY_OVER] = "active",
                                         [KEY_SOFT] = "deleted", [KEY_GONE] = "purged", [KEY_OTHER_NOW] = "purged"};
    static const char *const attributes[] = {[KEY_FINE] = ",'enabled':true",
                                             [KEY_OFF] = ",'enabled':false",
                                             [KEY_OVER] = ",'enabled':true,'expires':'2026-11-20T00:00:00Z'",
                                             [KEY_SOFT] = ",'enabled':true",
                                             [KEY_GONE] = ",'enabled':true",
                                             [KEY_OTHER_NOW] = ",'enabled':true"};

    add(t, "'keys':[{'store':'%s','name':'spare','state':'active','versions':[{'id':'" V_STRANGE "'}]}", stores[0]);
    add_key(t, d, stores[0], "os", d->store == STORE_PURGED ? "purged" : states[d->key], attributes[d->key],
            V_OLD);
    if (d->key == KEY_OTHER_NOW)
        add_impostor(t, stores[0]);
    add_key(t, d, stores[0], "other", d->store == STORE_PURGED ? "purged" : "active", ",'enabled':true", V_STRANGE);
    if (d->set == SET_MOVED)
        add_key(t, d, stores[1], "os", "active", ",'enabled':true", V_OLD);
    if (d->set == SET_FOREIGN)
        add_key(t, d, stores[1], "foreign", "active", ",'enabled':true", V_STRANGE);
    if (d->supplied == SUPPLIED_MOVED || d->supplied == SUPPLIED_FOREIGN_BESIDE)
        add_key(t, d, stores[2], "os", "active", ",'enabled':true", V_OLD);
    if (d->supplied == SUPPLIED_FOREIGN || d->supplied == SUPPLIED_FOREIGN_BESIDE)
        add_key(t, d, stores[2], "foreign", "active", ",'enabled':true", V_STRANGE);
    add(t, "],");
}

/* Where a set points: store, name and version of its key. */
static inline void set_key(const struct drawn *d, bool original, const char **store, const char **name,
                           const char **version)
{
    const char *const *stores = store_names[d->home];

    *store = stores[0], *name = "os", *version = V_OLD;
    if (original ? d->set == SET_ROTATED : d->supplied == SUPPLIED_NEWER)
        *version = V_NEW;
    if (original ? d->set == SET_REPOINTED : d->supplied == SUPPLIED_OTHER)
        *name = "other", *version = V_STRANGE;
    if (original && (d->set == SET_MOVED || d->set == SET_FOREIGN))
        *store = stores[1];
    if (!original &&
        (d->supplied == SUPPLIED_MOVED || d->supplied == SUPPLIED_FOREIGN || d->supplied == SUPPLIED_FOREIGN_BESIDE))
        *store = stores[2];
    if (original ? d->set == SET_FOREIGN : d->supplied == SUPPLIED_FOREIGN || d->supplied == SUPPLIED_FOREIGN_BESIDE)
        *name = "foreign", *version = V_STRANGE;
}

static inline void add_set(struct text *t, const struct drawn *d, bool original)
{
    const char *store, *name, *version;
    const char *type = !original && d->supplied == SUPPLIED_WRONG_TYPE ? "EncryptionAtRestWithCustomerKey"
                                                                       : "ConfidentialVmEncryptedWithCustomerKey";

    set_key(d, original, &store, &name, &version);
    add(t, ",{'id':'%s/providers/Microsoft.Compute/diskEncryptionSets/%s','location':'%s',",
        original ? GROUP("rg-vm") : GROUP("rg-dr"), original ? "des" : "des-dr",
        !original && d->supplied == SUPPLIED_ELSEWHERE ? "koreacentral" : "uaenorth");
    if (d->user_assigned)
        add(t, "'identity':{'type':'UserAssigned','userAssignedIdentities':{'" IDENTITY_ID "':{}}},");
    else
        add(t,
            "'identity':{'type':'SystemAssigned','principalId':'%s','tenantId':'0f0f0f0f-0000-4000-8000-000000000001'}"
            ",",
            original ? ID_SET : ID_GIVEN);
    add(t,
        "'properties':{'encryptionType':'%s','activeKey':{'keyUrl':"
        "'https://%s%s/keys/%s/%s'}%s%s}}",
        type, store, d->home == HOME_HSM ? ".managedhsm.azure.net" : ".vault.azure.net", name, version,
        original && d->stuck
            ? ",'autoKeyRotationError':{'code':'KeyRotationStuck','message':'the last rotation did not end'}"
            : "",
        original && d->set != SET_INTACT ? ",'lastKeyRotationTimestamp':'2026-11-18T08:00:00Z'" : "");
}

/* Ordinary data disks say nothing of themselves; confidential ones say it in one of two words. */
static inline const char *data_disks(const struct drawn *d)
{
    static const char *const disks[] = {
        [DATA_NONE] = "",
        [DATA_ORDINARY] = ",'dataDisks':[{'lun':0,'name':'data','createOption':'Attach','managedDisk':{}}]",
        [DATA_CONFIDENTIAL] = ",'dataDisks':[{'lun':0,'name':'data','createOption':'Attach','managedDisk':{"
                              "'securityProfile':{'securityEncryptionType':'DataDiskEncryptedWithCustomerKey'}}}]",
        [DATA_CONFIDENTIAL_CMK] = ",'dataDisks':[{'lun':0,'name':'data','createOption':'Attach','managedDisk':{"
                                  "'securityProfile':{'securityEncryptionType':'DataDiskEncryptedWithCmk'}}}]"};

    return disks[d->data];
}

static inline void add_machine(struct text *t, const struct drawn *d)
{
    if (d->source == SOURCE_GONE)
        return;
    add(t,
        ",{'id':'" GROUP(
            "rg-vm") "/providers/Microsoft.Compute/virtualMachines/"
                     "vm','location':'uaenorth','powerState':'%s','properties':{"
                     "'hardwareProfile':{'vmSize':'Standard_DC4ads_v6'},'securityProfile':{'securityType':'"
                     "ConfidentialVM'},'"
                     "storageProfile':{'osDisk':{"
                     "'managedDisk':{'securityProfile':{'securityEncryptionType':'DiskWithVMGuestState'%s}}}%s}}}",
        d->source == SOURCE_RUNS ? "running" : "deallocated",
        d->platform_key
            ? ""
            : ",'diskEncryptionSet':{'id':'" GROUP("rg-vm") "/providers/Microsoft.Compute/diskEncryptionSets/des'}",
        data_disks(d));
}

static inline void add_backup(struct text *t, const struct drawn *d)
{
    static const char *const tiers[] = {"'InstantRP':'Deleted','HardenedRP':'Valid'",
                                        "'InstantRP':'Valid','HardenedRP':'Valid'", "'InstantRP':'Valid'",
                                        "'InstantRP':'Deleted'"};

    add(t,
        "'backups':[{'vault':'" GROUP(
            "rg-backup") "/providers/Microsoft.RecoveryServices/vaults/rsv','source':{'resourceGroup':'rg-vm',"
                         "'name':'vm','size':'Standard_DC4ads_v6','osType':'Linux'},'protection':{'state':'%s','"
                         "policyType':'V2'},",
        d->source == SOURCE_GONE ? "ProtectionStopped" : "Protected");
    if (!d->platform_key)
        add(t,
            "'wrappedWith':{'diskEncryptionSet':'" GROUP(
                "rg-vm") "/providers/Microsoft.Compute/diskEncryptionSets/des','key':{'store':'%s',"
                         "'name':'os','version':'" V_OLD "'}},",
            store_names[d->home][0]);
    add(t, "'points':[{'id':'" POINT "','time':'2026-11-13T20:01:03Z','tiers':{%s}}]}", tiers[d->tier]);
    if (d->twin)
        add(t, ",{'vault':'" GROUP(
                   "rg-backup") "/providers/Microsoft.RecoveryServices/vaults/rsv','source':{'resourceGroup':"
                                "'rg-twin','name':'vm','size':'Standard_DC4ads_v6','osType':'Linux'},'protection':{'"
                                "state':"
                                "'ProtectionStopped','policyType':'V2'},'points':[{'id':'" POINT_TWIN
                                "','time':'2026-11-13T20:01:03Z',"
                                "'tiers':{'HardenedRP':'Valid'}}]}");
    add(t, "],");
}

static inline void add_resources(struct text *t, struct arena *a, const struct drawn *d)
{
    static const char *const groups[] = {"rg-keys", "rg-backup", "rg-dr"};

    add(t, "'resources':[{'id':'" GROUP("rg-vm") "','location':'uaenorth'}");
    for (size_t i = 0; i < COUNT(groups); i++)
        add(t, ",{'id':'" SUB "/resourceGroups/%s','location':'uaenorth'}", groups[i]);
    add_stores(t, a, d);
    add(t,
        ",{'id':'" GROUP(
            "rg-backup") "/providers/Microsoft.RecoveryServices/vaults/rsv','location':'uaenorth','sku':{'name':'RS0',"
                         "'tier':'Standard'}},{'id':'" GROUP(
                             "rg-dr") "/providers/Microsoft.Storage/storageAccounts/stdr','location':'uaenorth','kind':"
                                      "'StorageV2','sku':{'name':'Standard_LRS','tier':'Standard'},'properties':{'"
                                      "allowSharedKeyAccess':"
                                      "%s}},"
                                      "{'id':'" GROUP(
                                          "rg-dr") "/providers/Microsoft.Network/virtualNetworks/"
                                                   "vnet','location':'uaenorth','properties':{'addressSpace':{"
                                                   "'addressPrefixes':['10.40.0.0/"
                                                   "16']},'subnets':[{'name':'default','properties':{'addressPrefix':'"
                                                   "10.40.0.0/24'}}]}}",
        d->own == OWN_NO_BLOBS ? "false" : "true");
    if (d->set != SET_GONE && !d->platform_key)
        add_set(t, d, true);
    if (set_named_exists(d))
        add_set(t, d, false);
    add_machine(t, d);
    if (d->user_assigned)
        add(t, ",{'id':'" IDENTITY_ID "','location':'uaenorth','properties':{'principalId':'" ID_SET "','clientId':"
               "'0f0f0f0f-0000-4000-8000-0000000000c1'}}");
    add(t, "],");
}

/* The machine of that name in another group came back under the very name that ours shall have. */
static inline void add_twin_job(struct text *t, const struct drawn *d)
{
    add(t, "'jobs':[");
    if (d->twin)
        add(t, "{'id':'" GROUP("rg-backup") "/providers/Microsoft.RecoveryServices/vaults/rsv/backupJobs/"
               "11111111-1111-4111-8111-111111111111','name':'11111111-1111-4111-8111-111111111111','type':"
               "'Microsoft.RecoveryServices/vaults/backupJobs','properties':{'jobType':'AzureIaaSVMJob',"
               "'entityFriendlyName':'vm','backupManagementType':'AzureIaasVM','operation':'Restore','status':"
               "'Completed','startTime':'2026-11-23T02:05:00Z','endTime':'2026-11-23T02:20:00Z','containerName':"
               "'iaasvmcontainerv2;rg-twin;vm','extendedInfo':{'propertyBag':{'Job Type':"
               "'Recover VM to an alternate location','Target VM Name':'vm-r','Target Storage Account Name':'stdr',"
               "'Recovery point time ':'11/13/2026 8:01:03 PM','Target resource group':'rg-dr'}}}}");
    add(t, "],");
}

static inline struct value *drawn_world(struct arena *a, const struct drawn *d)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    add(&t,
        "{'apiVersion':'reinstate/"
        "v1','kind':'World','metadata':{'name':'drawn'},'spec':{'now':'2026-11-23T03:00:00Z','seed':1,"
        "'tenant':'0f0f0f0f-0000-4000-8000-000000000001','behaviour':{'article':'%s'",
        d->article);
    for (size_t i = 0; i < d->n_knobs; i++)
        add(&t, ",'%s':'%s'", d->knobs[i].name, d->knobs[i].value);
    if (d->skew)
        add(&t, ",'clientSkew':'%s'", d->skew);
    if (d->inside)
        add(&t, ",'clientAddress':'203.0.113.7'");
    add(&t, "},'principals':[{'name':'operator','objectId':'0f0f0f0f-0000-4000-8000-00000000000a','appId':"
            "'0f0f0f0f-0000-4000-8000-00000000000b','secret':'sim-client-secret'}");
    add_members(&t, d);
    add(&t, "],");
    add_resources(&t, a, d);
    add_deleted_store(&t, a, d);
    add_roles(&t, a, d);
    add_keys(&t, d);
    add_backup(&t, d);
    add_twin_job(&t, d);
    add(&t, "'faults':[]}}");
    return parsed(a, &t);
}

#endif
