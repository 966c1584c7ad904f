/* Knows how a person does the steps with Azure CLI. Where az has no command that does the same and no more, az rest
 * sends the tool's own body. */
#include <string.h>

#include "../../reconciler/format/json.h"
#include "bash.h"

/* --- the frame ---------------------------------------------------------------------------------------------------- */

static void begin(struct text *out, const struct runbook *rb)
{
    static const struct {
        const char *cloud, *cli;
    } clouds[] = {
        {"AzurePublic", "AzureCloud"}, {"AzureUSGovernment", "AzureUSGovernment"}, {"AzureChina", "AzureChinaCloud"}};

    comment(out, 0,
            "Needs bash, Azure CLI 2.76 or newer, curl 7.76 or newer (for claims), jq, awk, and a sign-in: az login "
            "--tenant %s. "
            "bash FILE runs all steps, bash FILE 4 those from step 4 on.",
            rb->tenant ? rb->tenant : "TENANT");
    for (size_t i = 0; i < COUNT(clouds); i++)
        if (str_eq(clouds[i].cloud, rb->cloud->name))
            comment(out, 0, "The cloud is %s: az cloud set --name %s", rb->cloud->name, clouds[i].cli);
    text_printf(out, "arm=%s storage=%s api_backup=%s\n", sh(rb->arena, rb->cloud->arm),
                sh(rb->arena, rb->cloud->storage_audience), runbook_api(rb, API_RECOVERY));
    bash_cloud(out, rb);
    script_add(out, "bash.sh");
    script_add(out, "cli.sh");
    if (any_job(rb)) {
        script_add(out, "jobs_list.sh");
        script_add(out, "jobs.sh");
    }
}

static void open_step(struct text *out, const struct runbook *rb, const struct runbook_entry *e)
{
    text_printf(out, "if [ \"$from\" -le %zu ]; then\n", e->number);
    line(out, "say %s", sh(rb->arena, arena_printf(rb->arena, "%zu. %s", e->number, e->step->id)));
    if (e->subscription)
        line(out, "az account set --subscription %s", sh(rb->arena, e->subscription));
}

static void close_step(struct text *out)
{
    text_add(out, "fi\n");
}

/* --- parts of commands -------------------------------------------------------------------------------------------- */

static char *quoted(const struct runbook *rb, const struct value *with, const char *member)
{
    return sh(rb->arena, with_str(with, member));
}

static char *body(const struct runbook *rb, const struct value *with)
{
    return sh(rb->arena, json_string(rb->arena, value_get(with, "body"), JSON_COMPACT));
}

/* --vault-name NAME or --hsm-name NAME */
static char *store_option(const struct runbook *rb, const struct value *with)
{
    const char *name = with_str(with, "store");

    return arena_printf(rb->arena, "%s %s", value_bool_at(with, "hsm", false) ? "--hsm-name" : "--vault-name",
                        sh(rb->arena, *name ? arm_id_name(name) : ""));
}

static void rest(struct text *out, const struct runbook *rb, const struct value *with, const char *method,
                 const char *path, const char *api)
{
    line(out, "az rest --method %s --url %s \\", str_lower(rb->arena, method),
         sh(rb->arena,
            arena_printf(rb->arena, "%s%s?api-version=%s", rb->cloud->arm, path_encoded(rb->arena, path), api)));
    line(out, "    --body %s", body(rb, with));
}

static void principal(struct text *out, const struct runbook *rb, const struct value *with)
{
    if (value_str_at(with, "principalOf"))
        line(out, "principal=$(principal_of %s)", quoted(rb, with, "principalOf"));
    else
        line(out, "principal=%s", quoted(rb, with, "principal"));
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static void job_place(struct text *out, const struct runbook *rb, const struct value *with, const char *expect)
{
    line(out, "vault=%s", sh(rb->arena, path_encoded(rb->arena, with_str(with, "vault"))));
    bash_job(out, rb, with, expect);
}

static void job(struct text *out, const struct runbook *rb, const struct value *with)
{
    job_place(out, rb, with, with_str(with, "expect"));
    bash_claim(out, rb, with);
    bash_trigger(out, rb, with);
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static void exported_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool hsm = value_bool_at(with, "hsm", false);

    job_place(out, rb, with, "key");
    if (value_str_at(with, "job"))
        line(out, "job=%s", quoted(rb, with, "job"));
    else
        line(out, "find_job");
    line(out, "[ -n \"$job\" ] || stop 'no failed restore job has left a key'");
    line(out, "read_job \"$job\"");
    line(out, "staging=$(bag 'target storage account name')");
    line(out, "[[ $staging =~ ^[a-z0-9]{3,24}$ ]] || stop \"this is no name of a storage account, and no token is sent "
              "there: $staging\"");
    note(out, "Needs Storage Blob Data Reader, or the right to list the account's keys. From here key.json and "
              "key.backup are the "
              "key: they lie in a folder of yours alone and are overwritten below.");
    line(
        out,
        "exported=(--account-name \"$staging\" --no-progress --container-name=\"$(bag 'config blob container name')\"");
    line(out, "    --name=\"$(bag 'secured encryption info blob name')\" --file \"$work/key.json\" -o none)");
    line(out, "az storage blob download --auth-mode login \"${exported[@]}\" || {");
    line(out, "    say \"not read by token, trying the account's key\"");
    line(out, "    az storage blob download --auth-mode key \"${exported[@]}\"");
    line(out, "} || stop 'the export cannot be read: see above'");
    line(out,
         "home=$(tr -d '\\000' <\"$work/key.json\" | jq -r '.OsDiskEncryptionDetails.KeyVaultResourceType // \"\"')");
    line(out, "tr -d '\\000' <\"$work/key.json\" | jq -r .OsDiskEncryptionDetails.KeyBackupData | base64 -d "
              ">\"$work/key.backup\"");
    line(out, "case ${home,,}/$(head -c 39 \"$work/key.backup\") in");
    if (hsm) {
        line(out, "*managedhsms/eyJ*) ;;");
    } else {
        line(out, "*managedhsms/*) stop 'the key comes from a managed HSM, and its store is a key vault' ;;");
        line(out, "*/'&AzureKeyVaultKeyBackupV1.microsoft.com') ;;");
    }
    line(out, "*) stop \"this is no key backup of a %s: $home\" ;;", hsm ? "managed HSM" : "key vault");
    line(out, "esac");
    note(out, "A conflict says that the name is taken, active or deleted: see below by which version.");
    line(out, "az keyvault key restore %s --file \"$work/key.backup\" -o none || say 'not restored'",
         store_option(rb, with));
    line(out, "shred -u \"$work/key.json\" \"$work/key.backup\"");
}

static void key_file(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "az keyvault key restore %s --file %s -o none || say 'not restored'", store_option(rb, with),
         quoted(rb, with, "path"));
}

static void blob_options(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out,
         "    --account-name %s --auth-mode login --container-name %s --name %s --file \"$work/key.backup\" "
         "--no-progress \\",
         quoted(rb, with, "account"), quoted(rb, with, "container"), quoted(rb, with, "blob"));
}

static void escrowed_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "Needs Storage Blob Data Reader. key.backup is the key: it lies in a folder of yours alone and is "
              "overwritten below.");
    line(out, "az storage blob download \\");
    blob_options(out, rb, with);
    line(out, "    -o none");
    line(out, "az keyvault key restore %s --file \"$work/key.backup\" -o none || say 'not restored'",
         store_option(rb, with));
    line(out, "shred -u \"$work/key.backup\"");
}

static void escrow_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "Needs Storage Blob Data Contributor. key.backup is the key: it lies in a folder of yours alone and is "
              "overwritten below.");
    line(out, "az keyvault key backup %s --name %s --file \"$work/key.backup\"", store_option(rb, with),
         quoted(rb, with, "name"));
    line(out, "az storage blob upload \\");
    blob_options(out, rb, with);
    line(out,
         "    --metadata versions=%s store=%s --overwrite false -o none || say 'not written: see whether it is there "
         "already'",
         sh(rb->arena, value_str_at(with, "metadata.versions")), sh(rb->arena, value_str_at(with, "metadata.store")));
    line(out, "shred -u \"$work/key.backup\"");
}

static void see_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *version = value_str_at(with, "version");

    line(out, "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do");
    line(out, "    az keyvault key show %s --name %s%s%s -o json >\"$work/body\" && break", store_option(rb, with),
         quoted(rb, with, "name"), version ? " --version " : "", version ? sh(rb->arena, version) : "");
    line(out, "    [ \"$n\" -lt 12 ] || stop 'the key version is not there'");
    line(out, "    pause 5");
    line(out, "done");
    line(out, "answer .attributes.enabled >/dev/null || stop 'the key version is there, but not enabled'");
    line(out, "say \"seen: $(answer .key.kid)\"");
}

static void recover_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "az keyvault key recover %s --name %s -o none || say 'not recovered: see whether it is there already'",
         store_option(rb, with), quoted(rb, with, "name"));
}

static void key_attributes(struct text *out, const struct runbook *rb, const struct value *with)
{
    const struct value *enabled = value_get(with, "enabled");
    int64_t exp = value_int_at(with, "exp", 0);

    line(out, "az keyvault key set-attributes %s --name %s --version %s%s%s%s -o none", store_option(rb, with),
         quoted(rb, with, "name"), quoted(rb, with, "version"),
         value_is(enabled, VALUE_BOOL) ? enabled->b ? " --enabled true" : " --enabled false" : "",
         exp ? " --expires " : "", exp ? time_format(rb->arena, exp * SECOND_MS) : "");
}

static void new_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "if az keyvault key show %s --name %s -o none; then", store_option(rb, with), quoted(rb, with, "name"));
    line(out, "    say 'the key is there already: no new version is made'");
    line(out, "else");
    line(out,
         "grep -q KeyNotFound \"$work/error\" || stop 'whether the key is there cannot be seen; nothing was made'");
    line(out,
         "az keyvault key create %s --name %s --kty RSA-HSM --size 3072 --ops wrapKey unwrapKey --exportable true \\",
         store_option(rb, with), quoted(rb, with, "name"));
    line(out, "    --default-cvm-policy -o none");
    line(out, "fi");
}

/* --- resources and grants ----------------------------------------------------------------------------------------- */

/* Without the look that the caller has put around it. */
static void arm_plain(struct text *out, const struct runbook *rb, const struct value *with)
{
    rest(out, rb, with, with_str(with, "method"), with_str(with, "id"), with_str(with, "api"));
}

static void arm_write(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool looks = bash_due(out, rb, with);

    arm_plain(out, rb, with);
    if (looks)
        line(out, "fi");
}

static void store(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *action = with_str(with, "action"), *name = value_bool_at(with, "hsm", false) ? "--hsm-name" : "--name";
    const struct value *p = value_at(with, "body.properties");
    int64_t days = value_int_at(p, "softDeleteRetentionInDays", 0);
    bool looks = bash_due(out, rb, with);

    if (str_eq(action, "recover"))
        line(out, "az keyvault recover %s %s --resource-group %s --location %s -o none", name, quoted(rb, with, "name"),
             quoted(rb, with, "group"), quoted(rb, with, "location"));
    else if (str_eq(action, "update") && value_bool_at(p, "enablePurgeProtection", false) && value_count(p) == 1)
        line(out, "az keyvault update%s %s %s --resource-group %s --enable-purge-protection true -o none",
             value_bool_at(with, "hsm", false) ? "-hsm" : "", name, quoted(rb, with, "name"),
             quoted(rb, with, "group"));
    else if (str_eq(action, "create") && !value_bool_at(with, "hsm", false))
        line(out,
             "az keyvault create --name %s --resource-group %s --location %s --sku premium --enable-purge-protection "
             "true \\\n"
             "        --enable-rbac-authorization %s%s -o none",
             quoted(rb, with, "name"), quoted(rb, with, "group"), quoted(rb, with, "location"),
             value_bool_at(p, "enableRbacAuthorization", true) ? "true" : "false",
             days ? arena_printf(rb->arena, " --retention-days %lld", (long long)days) : "");
    else
        arm_plain(out, rb, with);
    if (looks)
        line(out, "fi");
    line(out, "az resource wait --ids %s --api-version %s --custom \"properties.provisioningState=='Succeeded'\"",
         quoted(rb, with, "id"), with_str(with, "api"));
}

static void encryption_set(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *url = value_str_at(with, "body.properties.activeKey.keyUrl");
    const struct value *assigned = value_at(with, "body.identity.userAssignedIdentities");
    bool looks;

    if (value_str_at(with, "versionOf"))
        line(out, "version=$(az keyvault key show --id %s --query key.kid -o tsv | sed 's|.*/||')",
             quoted(rb, with, "versionOf"));
    if (!str_eq(with_str(with, "action"), "create")) {
        arm_write(out, rb, with);
        return;
    }
    looks = bash_due(out, rb, with);
    line(out, "az disk-encryption-set create --name %s --resource-group %s --location %s \\", quoted(rb, with, "name"),
         quoted(rb, with, "group"), quoted(rb, with, "location"));
    line(out, "    --encryption-type %s \\", sh(rb->arena, value_str_at(with, "body.properties.encryptionType")));
    for (size_t i = 0; value_is(assigned, VALUE_MAP) && i < assigned->map.count; i++)
        line(out, "    --mi-user-assigned %s \\", sh(rb->arena, assigned->map.members[i].key));
    if (str_find_nocase(with_str(with, "body.identity.type"), "SystemAssigned"))
        line(out, "    --mi-system-assigned \\");
    line(out, "    --key-url %s -o none", sh(rb->arena, url));
    if (looks)
        line(out, "fi");
}

static void see_set(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "az disk-encryption-set wait --ids %s --created", quoted(rb, with, "id"));
    line(out, "principal=$(principal_of %s)", quoted(rb, with, "id"));
    line(out,
         "say \"seen: identity $principal, key $(az disk-encryption-set show --ids %s --query activeKey.keyUrl -o "
         "tsv)\"",
         quoted(rb, with, "id"));
}

static void role(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *name = value_str_at(with, "name");

    note(out, "%s. One that is there already is as good.", with_str(with, "role"));
    principal(out, rb, with);
    line(out, "made_at=$(az role assignment create --assignee-object-id \"$principal\" --assignee-principal-type "
              "ServicePrincipal \\");
    line(out, "    --role %s --scope %s%s%s --query createdOn -o tsv)", quoted(rb, with, "roleId"),
         quoted(rb, with, "scope"), name ? " --name " : "", name ? sh(rb->arena, name) : "");
    line(out, "tell_time");
    line(out, "granted_at \"$made_at\"");
}

static void hsm_role(struct text *out, const struct runbook *rb, const struct value *with)
{
    principal(out, rb, with);
    line(out,
         "az keyvault role assignment create --hsm-name %s --assignee-object-id \"$principal\" "
         "--assignee-principal-type ServicePrincipal "
         "\\",
         sh(rb->arena, *with_str(with, "hsm") ? arm_id_name(with_str(with, "hsm")) : ""));
    line(out, "    --role %s --scope %s -o none", quoted(rb, with, "role"), quoted(rb, with, "scope"));
    note(out, "An assignment of an HSM bears no time: who made it waits until it acts.");
    line(out, "waited=0");
    line(out, "wait_for 'the role to act' %lld", (long long)value_int_at(with, "delay", 0));
}

static void policy(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "Not az keyvault set-policy: that replaces what the principal has; this adds.");
    principal(out, rb, with);
    rest(out, rb, with, "PUT", arena_printf(rb->arena, "%s/accessPolicies/add", with_str(with, "vault")),
         runbook_api(rb, API_KEYVAULT));
}

static void pause_for(struct text *out, const struct runbook *rb, const struct value *with)
{
    (void)rb;
    line(out, "tell_time");
    line(out, "waited=0");
    line(out, "wait_for 'the grants to act' \"$(not_yet %lld)\"", (long long)value_int_at(with, "seconds", 0));
}

/* --- machines ----------------------------------------------------------------------------------------------------- */

static void start_vm(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "az vm start --ids %s -o none", quoted(rb, with, "id"));
}

static void see_vm(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "az vm get-instance-view --ids %s -o json >\"$work/body\"", quoted(rb, with, "id"));
    line(out, "[ \"$(answer .provisioningState)\" = Succeeded ] || stop 'it is not provisioned'");
    if (value_str_at(with, "set")) {
        line(out,
             "[ \"$(answer .securityProfile.securityType)\" = ConfidentialVM ] || stop 'it is no confidential VM'");
        line(out, "set=$(answer .storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id)");
        line(out, "[ \"${set,,}\" = %s ] || stop \"its disk encryption set is $set\"",
             sh(rb->arena, str_lower(rb->arena, with_str(with, "set"))));
    }
    line(out, "power=$(answer '[.instanceView.statuses[].code | select(startswith(\"PowerState/\"))] | first')");
    if (value_bool_at(with, "running", false))
        line(out, "[ \"$power\" = PowerState/running ] || stop \"it is there, but $power\"");
    line(out, "say \"seen: provisioned, $power\"");
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

const struct shell shell_cli = {
    .name = "Azure CLI", .begin = begin, .open = open_step, .close = close_step, .verbs = verbs};
