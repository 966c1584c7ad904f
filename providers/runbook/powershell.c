/* Knows how a person does the steps with Azure PowerShell, the two passes in the order that Microsoft publishes
 * (Restore a confidential VM using Azure Backup, 2026-02-03): failed jobs, details, property bag, blob, key, set,
 * grants, second restore. */
#include <string.h>

#include "../../reconciler/format/json.h"
#include "shell.h"

/* --- the frame ---------------------------------------------------------------------------------------------------- */

static void begin(struct text *out, const struct runbook *rb)
{
    static const struct {
        const char *cloud, *environment;
    } clouds[] = {
        {"AzurePublic", "AzureCloud"}, {"AzureUSGovernment", "AzureUSGovernment"}, {"AzureChina", "AzureChinaCloud"}};
    const char *environment = NULL;

    for (size_t i = 0; i < COUNT(clouds); i++)
        if (str_eq(clouds[i].cloud, rb->cloud->name))
            environment = clouds[i].environment;
    comment(out, 0,
            "Needs PowerShell 7 with Az (Az.RecoveryServices 7.8 or newer). & ./FILE.ps1 runs all steps, & ./FILE.ps1 "
            "-From 4 those from "
            "step 4 on. Sign in first:");
    comment(out, 2, "Connect-AzAccount%s%s -Tenant %s", environment ? " -Environment " : "",
            environment ? environment : "", rb->tenant ? rb->tenant : "TENANT");
    text_add(out, "param([int]$From = 1)\n");
    text_printf(out, "$StorageAudience = %s\n", ps(rb->arena, rb->cloud->storage_audience));
    text_printf(out, "$BlobSuffix = %s\n", ps(rb->arena, rb->cloud->blob_suffix));
    text_printf(out, "$BlobZoneSuffix = %s\n", ps(rb->arena, rb->cloud->blob_zone_suffix));
    text_printf(out, "$BlobApi = %s\n", ps(rb->arena, runbook_api(rb, API_BLOB)));
    text_printf(out, "$StorageApi = %s\n", ps(rb->arena, runbook_api(rb, API_STORAGE)));
    script_add(out, "powershell.ps1");
    if (any_job(rb)) {
        script_add(out, "powershell_jobs.ps1");
        script_add(out, "powershell_claims.ps1");
    }
}

static void open_step(struct text *out, const struct runbook *rb, const struct runbook_entry *e)
{
    text_printf(out, "if ($From -le %zu) {\n", e->number);
    line(out, "Show %s", ps(rb->arena, arena_printf(rb->arena, "%zu. %s", e->number, e->step->id)));
    if (e->subscription)
        line(out, "Set-AzContext -Subscription %s | Out-Null", ps(rb->arena, e->subscription));
}

static void close_step(struct text *out)
{
    text_add(out, "}\n");
}

/* --- parts of commands -------------------------------------------------------------------------------------------- */

static char *quoted(const struct runbook *rb, const struct value *with, const char *member)
{
    return ps(rb->arena, with_str(with, member));
}

static char *part(const struct runbook *rb, const char *id, const char *segment)
{
    const char *s = arm_id_part(rb->arena, id, segment);

    return ps(rb->arena, s ? s : "");
}

static char *body(const struct runbook *rb, const struct value *with)
{
    return ps(rb->arena, json_string(rb->arena, value_get(with, "body"), JSON_COMPACT));
}

/* -VaultName NAME or -HsmName NAME */
static char *store_parameter(const struct runbook *rb, const struct value *with)
{
    const char *name = with_str(with, "store");

    return arena_printf(rb->arena, "%s %s", value_bool_at(with, "hsm", false) ? "-HsmName" : "-VaultName",
                        ps(rb->arena, *name ? arm_id_name(name) : ""));
}

static void send_arm(struct text *out, const struct runbook *rb, const struct value *with, const char *method,
                     const char *path, const char *api)
{
    line(out, "Send-Arm -Method %s -Path %s -Api %s -Body %s", method, ps(rb->arena, path_encoded(rb->arena, path)),
         ps(rb->arena, api), body(rb, with));
}

static void principal(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *of = value_str_at(with, "principalOf");

    if (of)
        line(out, "$principal = Get-SetPrincipal (Get-AzDiskEncryptionSet -ResourceGroupName %s -Name %s)",
             part(rb, of, "resourceGroups"), ps(rb->arena, arm_id_name(of)));
    else
        line(out, "$principal = %s", quoted(rb, with, "principal"));
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static char *when(const struct runbook *rb, const struct value *with, const char *member)
{
    return value_str_at(with, member) ? arena_printf(rb->arena, "(ConvertTo-Time %s)", quoted(rb, with, member))
                                      : arena_strdup(rb->arena, "$null");
}

static void job_place(struct text *out, const struct runbook *rb, const struct value *with, const char *expect)
{
    const char *vault = with_str(with, "vault"), *target = with_str(with, "targetVm");

    line(out, "$what = @{");
    line(out, "    VaultPath = %s; Api = %s", ps(rb->arena, path_encoded(rb->arena, vault)),
         ps(rb->arena, runbook_api(rb, API_RECOVERY)));
    line(out, "    Vm = %s; SourceGroup = %s; Type = %s; Expect = %s", quoted(rb, with, "vm"),
         quoted(rb, with, "group"), quoted(rb, with, "type"), ps(rb->arena, expect));
    line(out, "    Group = %s; TargetVm = %s; PointAt = %s", quoted(rb, with, "targetGroup"),
         ps(rb->arena, *target ? arm_id_name(target) : ""), when(rb, with, "pointTime"));
    line(out, "    Since = %s; NotAfter = %s; Made = %s", when(rb, with, "since"), when(rb, with, "notAfter"),
         when(rb, with, "made"));
    if (value_str_at(with, "claim")) {
        line(out, "    Claim = %s; Order = %s; Point = %s; Settle = %lld", quoted(rb, with, "claim"),
             quoted(rb, with, "order"), quoted(rb, with, "point"), (long long)value_int_at(with, "settle", 60));
        line(out, "    ClaimTarget = %s", quoted(rb, with, "claimTarget"));
        line(out, "    ClaimsRequired = %s; Account = %s",
             value_bool_at(with, "claimsRequired", false) ? "$true" : "$false", quoted(rb, with, "account"));
    }
    line(out, "}");
}

static void job(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path =
        arena_printf(rb->arena, "%s/recoveryPoints/%s/restore", with_str(with, "item"), with_str(with, "point"));

    job_place(out, rb, with, with_str(with, "expect"));
    line(out, "Invoke-Once $what {");
    line(out, "    Send-Trigger %s `",
         ps(rb->arena, arena_printf(rb->arena, "%s?api-version=%s", path_encoded(rb->arena, path),
                                    runbook_api(rb, API_RECOVERY))));
    line(out, "        %s", body(rb, with));
    line(out, "}");
}

/* --- keys: the published order, step by step ---------------------------------------------------------------------- */

static void failed_job(struct text *out, const struct runbook *rb, const struct value *with)
{
    job_place(out, rb, with, "Key");
    if (value_str_at(with, "job"))
        line(out, "$job = %s", quoted(rb, with, "job"));
    else
        line(out, "$job = Find-RestoreJob $what");
    line(out, "if (-not $job) { Stop-Runbook 'no failed restore job has left a key' }");
    line(out, "$details = Read-RestoreJob $what $job");
    line(out, "$accountName = Get-Bag $details 'target storage account name'");
    line(out, "$containerName = Get-Bag $details 'config blob container name'");
    line(out, "$blobName = Get-Bag $details 'secured encryption info blob name'");
    line(out, "if (-not $blobName) { Stop-Runbook 'the failed restore job left no key' }");
    line(out, "if ($accountName -cnotmatch '^[a-z0-9]{3,24}$') {");
    line(out, "    Stop-Runbook \"this is no name of a storage account, and no token is sent there: $accountName\"");
    line(out, "}");
}

static void exported_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool hsm = value_bool_at(with, "hsm", false);
    const char *account = with_str(with, "account");

    failed_job(out, rb, with);
    note(out, "From here the two files are the key: they lie in a folder of yours alone, and are overwritten and "
              "removed below.");
    line(out, "$folder = New-SecretFolder");
    line(out, "try {");
    line(out, "    $configFile = Join-Path $folder 'config.json'");
    line(out, "    $keyFile = Join-Path $folder 'key.blob'");
    line(out,
         "    $blob = @{ Blob = $blobName; Container = $containerName; Destination = $configFile; Force = $true }");
    note(out, "By token with Storage Blob Data Reader; without it by the account's key, where that is allowed.");
    line(out, "    try {");
    line(out, "        $context = New-AzStorageContext -StorageAccountName $accountName -UseConnectedAccount");
    line(out, "        Get-AzStorageBlobContent -Context $context @blob | Out-Null");
    line(out, "    } catch {");
    line(out, "        Show \"not read by token, trying the account's key: $_\"");
    line(out, "        Set-AzCurrentStorageAccount -Name $accountName -ResourceGroupName %s | Out-Null",
         *account ? part(rb, account, "resourceGroups") : "(Read-Host 'resource group of the staging account')");
    line(out, "        Get-AzStorageBlobContent @blob | Out-Null");
    line(out, "    }");
    line(out, "    $encryption = (Get-Content -Raw -Path $configFile).TrimEnd([char]0) | ConvertFrom-Json");
    line(out, "    $kind = $encryption.OsDiskEncryptionDetails.KeyVaultResourceType");
    line(out,
         "    if (%s($kind -like '*managedHSMs')) { Stop-Runbook \"the key comes from $kind, and its store is a %s\" }",
         hsm ? "-not " : "", hsm ? "managed HSM" : "key vault");
    line(out, "    [IO.File]::WriteAllBytes($keyFile, "
              "[Convert]::FromBase64String($encryption.OsDiskEncryptionDetails.KeyBackupData))");
    line(out,
         "    try { Restore-AzKeyVaultKey %s -InputFile $keyFile | Select-Object Id } catch { Show \"not restored: "
         "$_\" }",
         store_parameter(rb, with));
    line(out, "} finally {");
    line(out, "    Remove-SecretFolder $folder");
    line(out, "}");
}

static void key_file(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "try { Restore-AzKeyVaultKey %s -InputFile %s | Select-Object Id } catch { Show \"not restored: $_\" }",
         store_parameter(rb, with), quoted(rb, with, "path"));
}

static void secret_file(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out,
         "From here the file is the key: it lies in a folder of yours alone, and is overwritten and removed below.");
    line(out, "$context = New-AzStorageContext -StorageAccountName %s -UseConnectedAccount",
         quoted(rb, with, "account"));
    line(out, "$folder = New-SecretFolder");
    line(out, "try {");
    line(out, "    $keyFile = Join-Path $folder 'key.blob'");
}

static void secret_file_end(struct text *out)
{
    line(out, "} finally {");
    line(out, "    Remove-SecretFolder $folder");
    line(out, "}");
}

static void escrowed_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    secret_file(out, rb, with);
    line(out, "    Get-AzStorageBlobContent -Context $context -Container %s -Blob %s -Destination $keyFile | Out-Null",
         quoted(rb, with, "container"), quoted(rb, with, "blob"));
    line(out,
         "    try { Restore-AzKeyVaultKey %s -InputFile $keyFile | Select-Object Id } catch { Show \"not restored: "
         "$_\" }",
         store_parameter(rb, with));
    secret_file_end(out);
}

static void escrow_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    secret_file(out, rb, with);
    line(out, "    Backup-AzKeyVaultKey %s -Name %s -OutputFile $keyFile | Out-Null", store_parameter(rb, with),
         quoted(rb, with, "name"));
    line(out, "    Set-AzStorageBlobContent -Context $context -Container %s -Blob %s -File $keyFile `",
         quoted(rb, with, "container"), quoted(rb, with, "blob"));
    line(out, "        -Metadata @{ versions = %s; store = %s } | Out-Null",
         ps(rb->arena, value_str_at(with, "metadata.versions")), ps(rb->arena, value_str_at(with, "metadata.store")));
    secret_file_end(out);
}

static void see_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *version = value_str_at(with, "version");

    line(out, "foreach ($n in 1..12) {");
    line(out, "    $key = Get-AzKeyVaultKey %s -Name %s%s%s", store_parameter(rb, with), quoted(rb, with, "name"),
         version ? " -Version " : "", version ? ps(rb->arena, version) : "");
    line(out, "    if ($key) { break }");
    line(out, "    Start-Sleep -Seconds 5");
    line(out, "}");
    line(out, "if (-not $key) { Stop-Runbook 'the key version is not there' }");
    line(out, "if (-not $key.Enabled) { Stop-Runbook 'the key version is there, but not enabled' }");
    line(out, "Show \"seen: $($key.Id)\"");
}

static void recover_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "if (Get-AzKeyVaultKey %s -Name %s -InRemovedState) {", store_parameter(rb, with),
         quoted(rb, with, "name"));
    line(out, "    Undo-AzKeyVaultKeyRemoval %s -Name %s | Select-Object Id", store_parameter(rb, with),
         quoted(rb, with, "name"));
    line(out, "}");
}

static void key_attributes(struct text *out, const struct runbook *rb, const struct value *with)
{
    const struct value *enabled = value_get(with, "enabled");
    int64_t exp = value_int_at(with, "exp", 0);

    line(out, "Update-AzKeyVaultKey %s -Name %s -Version %s%s%s | Select-Object Id", store_parameter(rb, with),
         quoted(rb, with, "name"), quoted(rb, with, "version"),
         value_is(enabled, VALUE_BOOL) ? enabled->b ? " -Enable $true" : " -Enable $false" : "",
         exp ? arena_printf(rb->arena, " -Expires ([datetime]'%s').ToUniversalTime()",
                            time_format(rb->arena, exp * SECOND_MS))
             : "");
}

static void new_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "if (Get-AzKeyVaultKey %s -Name %s) {", store_parameter(rb, with), quoted(rb, with, "name"));
    line(out, "    Show 'the key is there already: no new version is made'");
    line(out, "} else {");
    line(out, "Add-AzKeyVaultKey %s -Name %s%s -KeyType RSA -Size 3072 -KeyOps wrapKey, unwrapKey `",
         store_parameter(rb, with), quoted(rb, with, "name"),
         value_bool_at(with, "hsm", false) ? "" : " -Destination HSM");
    line(out, "    -Exportable -UseDefaultCVMPolicy | Select-Object Id");
    line(out, "}");
}

/* --- resources and grants ----------------------------------------------------------------------------------------- */

/* Opens a condition: what is there already is looked at before it is written. False: it is sent without a look. */
static bool due(struct text *out, const struct runbook *rb, const struct value *with)
{
    const struct value *was = value_get(with, "was");

    if (!was && !str_eq(with_str(with, "method"), "PUT"))
        return false;
    line(out, "if (Test-Due -Path %s -Api %s `", ps(rb->arena, path_encoded(rb->arena, with_str(with, "id"))),
         ps(rb->arena, with_str(with, "api")));
    line(out, "        -Wanted %s `", body(rb, with));
    line(out, "        -Was %s) {", ps(rb->arena, was ? json_string(rb->arena, was, JSON_COMPACT) : ""));
    return true;
}

/* Without the look that the caller has put around it. */
static void arm_plain(struct text *out, const struct runbook *rb, const struct value *with)
{
    send_arm(out, rb, with, with_str(with, "method"), with_str(with, "id"), with_str(with, "api"));
}

static void arm_write(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool looks = due(out, rb, with);

    arm_plain(out, rb, with);
    if (looks)
        line(out, "}");
}

static void store(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool hsm = value_bool_at(with, "hsm", false);
    const struct value *p = value_at(with, "body.properties");
    bool looks = due(out, rb, with);

    if (str_eq(with_str(with, "action"), "recover"))
        line(out, "%s %s -ResourceGroupName %s -Location %s | Out-Null",
             hsm ? "Undo-AzKeyVaultManagedHsmRemoval -Name" : "Undo-AzKeyVaultRemoval -VaultName",
             quoted(rb, with, "name"), quoted(rb, with, "group"), quoted(rb, with, "location"));
    else if (str_eq(with_str(with, "action"), "update") && value_bool_at(p, "enablePurgeProtection", false) &&
             value_count(p) == 1)
        line(out, "%s %s -ResourceGroupName %s -EnablePurgeProtection | Out-Null",
             hsm ? "Update-AzKeyVaultManagedHsm -Name" : "Update-AzKeyVault -VaultName", quoted(rb, with, "name"),
             quoted(rb, with, "group"));
    else
        arm_plain(out, rb, with);
    if (looks)
        line(out, "}");
    line(out, "$state = (Get-AzResource -ResourceId %s).Properties.provisioningState", quoted(rb, with, "id"));
    line(out, "if ($state -and $state -ne 'Succeeded') { Stop-Runbook \"it is $state: look again before going on\" }");
}

static void encryption_set(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *url = value_str_at(with, "body.properties.activeKey.keyUrl"), *of = value_str_at(with, "versionOf");
    const char *identity = value_str_at(with, "body.identity.type");
    bool looks;

    if (of)
        line(out, "$version = (Get-AzKeyVaultKey %s %s -Name %s).Version",
             value_bool_at(with, "hsm", false) ? "-HsmName" : "-VaultName",
             ps(rb->arena, arena_strndup(rb->arena, of + strlen("https://"), strcspn(of + strlen("https://"), "."))),
             ps(rb->arena, arm_id_name(of)));
    if (!str_eq(with_str(with, "action"), "create") || !str_eq(identity, "SystemAssigned")) {
        arm_write(out, rb, with);
        return;
    }
    looks = due(out, rb, with);
    line(out, "$config = New-AzDiskEncryptionSetConfig -Location %s -IdentityType SystemAssigned `",
         quoted(rb, with, "location"));
    line(out, "    -EncryptionType %s `", ps(rb->arena, value_str_at(with, "body.properties.encryptionType")));
    line(out, "    -KeyUrl %s", ps(rb->arena, url));
    line(out, "New-AzDiskEncryptionSet -ResourceGroupName %s -Name %s -InputObject $config | Select-Object Id",
         quoted(rb, with, "group"), quoted(rb, with, "name"));
    if (looks)
        line(out, "}");
}

static void see_set(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *id = with_str(with, "id");

    line(out, "do {");
    line(out, "    $set = Get-AzDiskEncryptionSet -ResourceGroupName %s -Name %s", part(rb, id, "resourceGroups"),
         ps(rb->arena, arm_id_name(id)));
    line(out, "    if ($set.ProvisioningState -in 'Failed', 'Canceled') { Stop-Runbook \"the set is "
              "$($set.ProvisioningState)\" }");
    line(out, "    if ($set.ProvisioningState -ne 'Succeeded') { Wait-For 'the set' 5 }");
    line(out, "} until ($set.ProvisioningState -eq 'Succeeded')");
    line(out, "Show \"seen: identity $(Get-SetPrincipal $set), key $($set.ActiveKey.KeyUrl)\"");
}

static void role(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "%s", with_str(with, "role"));
    principal(out, rb, with);
    line(out, "$scope = %s", quoted(rb, with, "scope"));
    line(out, "if (-not (Get-AzRoleAssignment -ObjectId $principal -RoleDefinitionId %s -Scope $scope)) {",
         quoted(rb, with, "roleId"));
    line(out,
         "    New-AzRoleAssignment -ObjectId $principal -ObjectType ServicePrincipal -RoleDefinitionId %s -Scope "
         "$scope | Out-Null",
         quoted(rb, with, "roleId"));
    line(out, "    $Granted = [datetime]::UtcNow");
    line(out, "}");
}

static void hsm_role(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *hsm = with_str(with, "hsm");

    principal(out, rb, with);
    line(out, "$grant = @{ HsmName = %s; RoleDefinitionName = %s; ObjectId = $principal; Scope = %s }",
         ps(rb->arena, *hsm ? arm_id_name(hsm) : ""), quoted(rb, with, "role"), quoted(rb, with, "scope"));
    note(out, "An assignment of an HSM bears no time: who made it waits until it acts.");
    line(out, "if (-not (Get-AzKeyVaultRoleAssignment @grant)) {");
    line(out, "    New-AzKeyVaultRoleAssignment @grant | Out-Null");
    line(out, "    $Waited = 0");
    line(out, "    Wait-For 'the role to act' %lld", (long long)value_int_at(with, "delay", 0));
    line(out, "}");
}

static void policy(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "Not Set-AzKeyVaultAccessPolicy: that replaces what the principal has; this adds.");
    principal(out, rb, with);
    send_arm(out, rb, with, "PUT", arena_printf(rb->arena, "%s/accessPolicies/add", with_str(with, "vault")),
             runbook_api(rb, API_KEYVAULT));
    line(out, "$Granted = [datetime]::UtcNow");
}

static void pause_for(struct text *out, const struct runbook *rb, const struct value *with)
{
    (void)rb;
    line(out, "Wait-Grants %lld", (long long)value_int_at(with, "seconds", 0));
}

/* --- machines ----------------------------------------------------------------------------------------------------- */

static void start_vm(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "Start-AzVM -Id %s | Out-Null", quoted(rb, with, "id"));
}

static void see_vm(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *id = with_str(with, "id");

    line(out, "$vm = Get-AzVM -ResourceGroupName %s -Name %s", part(rb, id, "resourceGroups"),
         ps(rb->arena, arm_id_name(id)));
    line(out, "if ($vm.ProvisioningState -ne 'Succeeded') { Stop-Runbook \"it is $($vm.ProvisioningState)\" }");
    if (value_str_at(with, "set")) {
        line(out,
             "if ($vm.SecurityProfile.SecurityType -ne 'ConfidentialVM') { Stop-Runbook 'it is no confidential VM' }");
        line(out, "$set = $vm.StorageProfile.OsDisk.ManagedDisk.SecurityProfile.DiskEncryptionSet.Id");
        line(out, "if ($set -ne %s) { Stop-Runbook \"its disk encryption set is $set\" }", quoted(rb, with, "set"));
    }
    line(out, "$status = Get-AzVM -ResourceGroupName %s -Name %s -Status", part(rb, id, "resourceGroups"),
         ps(rb->arena, arm_id_name(id)));
    line(out, "$power = ($status.Statuses | Where-Object { $_.Code -like 'PowerState/*' }).Code");
    if (value_bool_at(with, "running", false))
        line(out, "if ($power -ne 'PowerState/running') { Stop-Runbook \"it is there, but $power\" }");
    line(out, "Show \"seen: provisioned, $power\"");
}

static void (*const verbs[RUNBOOK_VERB_COUNT])(struct text *out, const struct runbook *rb, const struct value *with) = {
    [RUNBOOK_JOB] = job,
    [RUNBOOK_EXPORTED_KEY] = exported_key,
    [RUNBOOK_KEY_FILE] = key_file,
    [RUNBOOK_ESCROWED_KEY] = escrowed_key,
    [RUNBOOK_ESCROW_KEY] = escrow_key,
    [RUNBOOK_RECOVER_KEY] = recover_key,
    [RUNBOOK_KEY_ATTRIBUTES] = key_attributes,
    [RUNBOOK_NEW_KEY] = new_key,
    [RUNBOOK_SEE_KEY] = see_key,
    [RUNBOOK_STORE] = store,
    [RUNBOOK_SET] = encryption_set,
    [RUNBOOK_SEE_SET] = see_set,
    [RUNBOOK_ROLE] = role,
    [RUNBOOK_POLICY] = policy,
    [RUNBOOK_HSM_ROLE] = hsm_role,
    [RUNBOOK_WRITE] = arm_write,
    [RUNBOOK_PAUSE] = pause_for,
    [RUNBOOK_START_VM] = start_vm,
    [RUNBOOK_SEE_VM] = see_vm,
};

const struct shell shell_powershell = {
    .name = "Azure PowerShell", .begin = begin, .open = open_step, .close = close_step, .verbs = verbs};
