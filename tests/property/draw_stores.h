/* What is drawn of the world: the stores, and who may use them. draw.h includes it. */
#ifndef REINSTATE_DRAW_STORES_H
#define REINSTATE_DRAW_STORES_H

/* --- the world: stores and who may use them ----------------------------------------------------------------------- */

static const char *const services[][2] = {
    {"0f0f0f0f-0000-4000-8000-00000000000c", "'get','release'"},
    {"0f0f0f0f-0000-4000-8000-00000000000d", "'get','list','backup'"},
    {ID_SET, "'get','wrapKey','unwrapKey'"},
    {ID_GIVEN, "'get','wrapKey','unwrapKey'"},
};
static const char *const vault_roles[] = {"Key Vault Crypto Service Release User", "Key Vault Crypto User",
                                          "Key Vault Crypto Service Encryption User",
                                          "Key Vault Crypto Service Encryption User"};
static const char *const hsm_roles[] = {"Managed HSM Crypto Service Release User", "Managed HSM Crypto User",
                                        "Managed HSM Crypto Service Encryption User",
                                        "Managed HSM Crypto Service Encryption User"};

static inline bool granted(const struct drawn *d, size_t service)
{
    static const enum grants lacks[] = {GRANTS_NO_ORCHESTRATOR, GRANTS_NO_BACKUP, GRANTS_NO_SET, GRANTS_NO_SET};

    return d->grants != lacks[service];
}

static inline void add_policies(struct text *t, const struct drawn *d)
{
    add(t, "'accessPolicies':[{'tenantId':'0f0f0f0f-0000-4000-8000-000000000001','objectId':'0f0f0f0f-0000-4000-8000-"
           "00000000000a',"
           "'permissions':{'keys':['all']}}");
    for (size_t i = 0; i < COUNT(services); i++)
        if (granted(d, i))
            add(t, ",{'tenantId':'0f0f0f0f-0000-4000-8000-000000000001','objectId':'%s','permissions':{'keys':[%s]}}",
                services[i][0], services[i][1]);
    add(t, "],");
}

static inline void add_store_properties(struct text *t, const struct drawn *d, int which)
{
    const char *shut = d->grants == GRANTS_SHUT
                           ? "{'defaultAction':'Deny','bypass':'None','ipRules':[{'value':'203.0.113.7'}]}"
                       : d->grants == GRANTS_SHUT_BYPASS
                           ? "{'defaultAction':'Deny','bypass':'AzureServices','ipRules':[{'value':'203.0.113.7'}]}"
                           : "{'defaultAction':'Allow','bypass':'AzureServices'}";

    add(t,
        "'properties':{'tenantId':'0f0f0f0f-0000-4000-8000-000000000001','enableSoftDelete':true,'"
        "softDeleteRetentionInDays':7,"
        "'enablePurgeProtection':true,'networkAcls':%s,",
        shut);
    if (d->policies)
        add_policies(t, d);
    if (d->home == HOME_HSM)
        add(t, "'securityDomainProperties':{'activationStatus':'%s'}}",
            which == 0 && d->domain_lost ? "NotActivated" : "Active");
    else
        add(t, "'sku':{'family':'A','name':'premium'},'enableRbacAuthorization':%s}", d->policies ? "false" : "true");
}

static inline char *store_id(struct arena *a, const struct drawn *d, int which)
{
    return arena_printf(a, GROUP("rg-keys") "/providers/Microsoft.KeyVault/%s/%s",
                        d->home == HOME_HSM ? "managedHSMs" : "vaults", store_names[d->home][which]);
}

static inline void add_stores(struct text *t, struct arena *a, const struct drawn *d)
{
    for (int i = 0; i < 3; i++) {
        if (!store_there(d, i))
            continue;
        add(t, ",{'id':'%s','location':'uaenorth',%s", store_id(a, d, i),
            d->home == HOME_HSM ? "'securityDomain':'ours','sku':{'family':'B','name':'Standard_B1'}," : "");
        add_store_properties(t, d, i);
        add(t, "}");
    }
}

static inline void add_deleted_store(struct text *t, struct arena *a, const struct drawn *d)
{
    if (d->store == STORE_THERE)
        return;
    add(t,
        "'deletedVaults':[{'id':'%s','location':'uaenorth',%s'deletionDate':'2026-11-%s','scheduledPurgeDate':'2026-11-"
        "%s','resource':{"
        "'id':'%s','name':'%s','type':'Microsoft.KeyVault/%s','location':'uaenorth',",
        store_id(a, d, 0), d->store == STORE_PURGED ? "'state':'purged'," : "",
        d->store == STORE_PURGED ? "10T03:00:00Z" : "21T03:00:00Z",
        d->store == STORE_PURGED ? "17T03:00:00Z" : "28T03:00:00Z", store_id(a, d, 0), store_names[d->home][0],
        d->home == HOME_HSM ? "managedHSMs" : "vaults");
    if (d->home == HOME_HSM)
        add(t, "'securityDomain':'ours','sku':{'family':'B','name':'Standard_B1'},");
    add_store_properties(t, d, 0);
    add(t, "}}],");
}

/* The data actions that each service needs; the last one is what a role that is too short leaves out. */
static const char *const least[][3] = {
    {"Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/release/action", NULL},
    {"Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/backup/action", NULL},
    {"Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/wrap/action",
     "Microsoft.KeyVault/vaults/keys/unwrap/action"},
    {"Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/wrap/action",
     "Microsoft.KeyVault/vaults/keys/unwrap/action"},
};

static inline const char *role_of_service(struct arena *a, const struct drawn *d, size_t i)
{
    return d->custom ? arena_printf(a, "own role %zu", i) : vault_roles[i];
}

static inline void add_custom_roles(struct text *t, const struct drawn *d)
{
    add(t, "'roleDefinitions':[");
    for (size_t i = 0; d->custom && i < COUNT(least); i++) {
        size_t n = 0;

        while (n < COUNT(least[i]) && least[i][n])
            n++;
        add(t, "%s{'id':'0f0f0f0f-0000-4000-8000-0000000000e%zu','name':'own role %zu','dataActions':[",
            i ? "," : "", i, i);
        for (size_t k = 0; k + (d->custom == CUSTOM_SHORT) < n; k++)
            add(t, "%s'%s'", k ? "," : "", least[i][k]);
        add(t, "]}");
    }
    add(t, "],");
}

/* Nobody is told who is in a group: what a member may do shows only in what Azure lets it do. */
static inline void add_members(struct text *t, const struct drawn *d)
{
    static const char *const known[] = {"ConfidentialVmOrchestrator", "BackupManagementService"};

    for (size_t i = 0; i < COUNT(services); i++) {
        const char *member = d->by_group && granted(d, i) ? ",'memberOf':['key users']" : "";

        if (i < COUNT(known))
            add(t, ",{'wellKnown':'%s','objectId':'%s'%s}", known[i], services[i][0], member);
        else if (*member)
            add(t, ",{'objectId':'%s','type':'ManagedIdentity'%s}", services[i][0], member);
    }
    if (d->by_group)
        add(t, ",{'name':'key users','objectId':'" ID_GROUP "','type':'Group'}");
}

static inline void add_roles(struct text *t, struct arena *a, const struct drawn *d)
{
    const char *own[] = {d->own == OWN_NO_GRANTING ? "Contributor" : "Owner",
                         d->own == OWN_NO_KEYS ? "Key Vault Reader" : "Key Vault Crypto Officer",
                         d->own == OWN_NO_BLOBS ? "Reader" : "Storage Blob Data Reader"};

    add(t, "'roleAssignments':[");
    for (size_t i = 0; i < COUNT(own); i++)
        add(t, "%s{'principal':'operator','role':'%s','scope':'" SUB "'}", i ? "," : "", own[i]);
    for (int k = 0; k < 3 && d->home == HOME_VAULT && !d->policies; k++)
        for (size_t i = 0; i < COUNT(services) && store_there(d, k); i++)
            if (granted(d, i))
                add(t, ",{'principal':'%s','role':'%s','scope':'%s%s'%s}", d->by_group ? ID_GROUP : services[i][0],
                    role_of_service(a, d, i), store_id(a, d, k), d->on_key_alone ? "/keys/os" : "",
                    d->by_group ? ",'principalType':'Group'" : "");
    add(t, "],");
    add_custom_roles(t, d);
    if (d->home != HOME_HSM)
        return;
    add(t, "'hsmRoleAssignments':[");
    for (int k = 0, n = 0; k < 3; k++) {
        if (!store_there(d, k))
            continue;
        add(t, "%s{'store':'%s','principal':'operator','role':'Managed HSM Crypto Officer','scope':'/'}",
            n++ ? "," : "", store_names[HOME_HSM][k]);
        add(t, ",{'store':'%s','principal':'operator','role':'Managed HSM Crypto User','scope':'/'}",
            store_names[HOME_HSM][k]);
        for (size_t i = 0; i < COUNT(services); i++)
            if (granted(d, i))
                add(t, ",{'store':'%s','principal':'%s','role':'%s','scope':'/'}", store_names[HOME_HSM][k],
                    services[i][0], hsm_roles[i]);
    }
    add(t, "],");
}

#endif
