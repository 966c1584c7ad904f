/* Knows how a person sends the tool's own requests with curl: the same calls and bodies, polled to their end. No token
 * and no key is written down: tokens come from the environment, key material passes through pipes. */
#include "../../reconciler/format/json.h"
#include "../azure/vault.h"
#include "bash.h"

/* --- the frame ---------------------------------------------------------------------------------------------------- */

static bool any_member(const struct runbook *rb, const char *member, bool hsm)
{
    for (size_t i = 0; i < rb->count; i++)
        for (size_t k = 0; k < rb->entries[i].n_commands; k++) {
            const struct value *with = rb->entries[i].commands[k].with;

            if (value_get(with, member) && value_bool_at(with, "hsm", false) == hsm)
                return true;
        }
    return false;
}

static void scope_line(struct text *out, const struct runbook *rb, const char *name, const char *audience)
{
    line(out, "REINSTATE_TOKEN_%s=$(token %s)", name, sh(rb->arena, arena_printf(rb->arena, "%s/.default", audience)));
}

static void begin(struct text *out, const struct runbook *rb)
{
    const struct cloud *cloud = rb->cloud;

    comment(
        out, 0,
        "Needs bash, curl 7.76 or newer, jq, awk, base64. Signs in by AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of "
        "the environment; without "
        "them put tokens into REINSTATE_TOKEN_ARM, _VAULT, _HSM and _STORAGE (an hour each; when one has ended, a "
        "new one, and "
        "the step again). bash FILE runs all steps, bash FILE 4 those from step 4 on. Key material passes through "
        "pipes only: it "
        "is never in a variable, a file or a command line. The staging account's own key, where it refuses the token, "
        "is held in this shell's memory alone.");
    text_printf(out, "authority=%s tenant=%s\narm=%s\napi_backup=%s\n", sh(rb->arena, cloud->authority),
                sh(rb->arena, rb->tenant ? rb->tenant : "organizations"), sh(rb->arena, cloud->arm),
                runbook_api(rb, API_RECOVERY));
    if (cloud->ca_file)
        text_printf(out, "export CURL_CA_BUNDLE=%s\n", sh(rb->arena, cloud->ca_file));
    bash_cloud(out, rb);
    script_add(out, "bash.sh");
    script_add(out, "curl.sh");
    if (any_job(rb)) {
        script_add(out, "jobs_list.sh");
        script_add(out, "jobs.sh");
    }
    text_add(out, "\nsign_in() {\n    [ -n \"${AZURE_CLIENT_SECRET:-}\" ] || return 1\n");
    scope_line(out, rb, "ARM", cloud->arm_audience);
    if (any_member(rb, "base", false))
        scope_line(out, rb, "VAULT", cloud->vault_audience);
    if (any_member(rb, "base", true) || any_member(rb, "hsm", true))
        scope_line(out, rb, "HSM", cloud->hsm_audience);
    scope_line(out, rb, "STORAGE", cloud->storage_audience);
    text_add(out, "}\n");
}

static void open_step(struct text *out, const struct runbook *rb, const struct runbook_entry *e)
{
    text_printf(out, "if [ \"$from\" -le %zu ]; then\n", e->number);
    line(out, "say %s", sh(rb->arena, arena_printf(rb->arena, "%zu. %s", e->number, e->step->id)));
    line(out, "renew");
}

static void close_step(struct text *out)
{
    text_add(out, "fi\n");
}

/* --- parts of commands -------------------------------------------------------------------------------------------- */

static char *body(const struct runbook *rb, const struct value *with)
{
    return sh(rb->arena, json_string(rb->arena, value_get(with, "body"), JSON_COMPACT));
}

/* "$arm"'/subscriptions/…?api-version=…' */
static char *arm_url(const struct runbook *rb, const char *path, const char *api)
{
    return arena_printf(
        rb->arena, "\"$arm\"%s",
        sh(rb->arena, arena_printf(rb->arena, "%s?api-version=%s", path_encoded(rb->arena, path), api)));
}

static char *arm_url_of(const struct runbook *rb, const char *path, enum azure_api api)
{
    return arm_url(rb, path, runbook_api(rb, api));
}

static const char *audience(const struct value *with)
{
    return value_bool_at(with, "hsm", false) ? "HSM" : "VAULT";
}

static char *key_url(const struct runbook *rb, const struct value *with, const char *path)
{
    return sh(rb->arena, arena_printf(rb->arena, "%s%s?api-version=%s", with_str(with, "base"),
                                      path_encoded(rb->arena, path), runbook_api(rb, API_KEYS)));
}

static void principal(struct text *out, const struct runbook *rb, const struct value *with)
{
    if (!value_str_at(with, "principalOf")) {
        line(out, "principal=%s", sh(rb->arena, with_str(with, "principal")));
        return;
    }
    line(out, "call ARM GET %s", arm_url_of(rb, with_str(with, "principalOf"), API_DISK));
    line(out, "principal=$(principal_of)");
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

static void restore_pipe(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "    tr '+/' '-_' | tr -d '=\\n' | { printf '{\"value\":\"'; cat; printf '\"}'; } |");
    line(out, "    call %s POST %s @- || [ \"$(status)\" = 409 ] ||", audience(with),
         key_url(rb, with, "/keys/restore"));
    line(out,
         "    stop \"the store did not say that the key is back ($(status)); run this step again, which looks first\"");
}

static void exported_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool hsm = value_bool_at(with, "hsm", false);

    job_place(out, rb, with, "key");
    if (value_str_at(with, "job"))
        line(out, "job=%s", sh(rb->arena, with_str(with, "job")));
    else
        line(out, "find_job");
    line(out, "[ -n \"$job\" ] || stop 'no failed restore job has left a key'");
    line(out, "call ARM GET \"$arm$vault/backupJobs/$job?api-version=$api_backup\"");
    line(out, "container=$(part \"$(bag 'config blob container name')\") name=$(part \"$(bag 'secured encryption info "
              "blob name')\")");
    line(out, "blob=$(blobs_of \"$(bag 'target storage account name')\")/$container/$name");
    line(out, "renew");
    note(out,
         "Needs Storage Blob Data Reader on the account, or the right to list its keys. Only the kind of store and "
         "the mark at the start of the backup are looked at.");
    line(out, "readable \"$blob\" || stop \"the export cannot be read: $(reader_wanted)\"");
    line(out, "home=$(fetch \"$blob\" | jq -r '.OsDiskEncryptionDetails.KeyVaultResourceType // \"\"')");
    line(out, "home=${home,,}");
    line(out, "mark=$(fetch \"$blob\" | jq -r .OsDiskEncryptionDetails.KeyBackupData | cut -c 1-52 | base64 -d)");
    line(out, "case $home/$mark in");
    if (hsm)
        line(out, "*managedhsms/eyJ*) ;;");
    else
        line(out, "*managedhsms/*) stop 'the key comes from a managed HSM, and its store is a key vault' ;;");
    if (!hsm)
        line(out, "*/'&AzureKeyVaultKeyBackupV1.microsoft.com'*) ;;");
    line(out, "*) stop \"this is no key backup of a %s: $home\" ;;", hsm ? "managed HSM" : "key vault");
    line(out, "esac");
    line(out, "fetch \"$blob\" | jq -r .OsDiskEncryptionDetails.KeyBackupData |");
    restore_pipe(out, rb, with);
}

static void key_file(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "renew");
    line(out, "base64 -w 0 <%s |", sh(rb->arena, with_str(with, "path")));
    restore_pipe(out, rb, with);
}

static char *blob_url(const struct runbook *rb, const struct value *with)
{
    return sh(rb->arena, arena_printf(rb->arena, "%s/%s/%s", with_str(with, "endpoint"), with_str(with, "container"),
                                      with_str(with, "blob")));
}

#define BY_TOKEN(name) "-H @<(printf 'Authorization: Bearer %%s\\n' \"$REINSTATE_TOKEN_" name "\")"

static void escrowed_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "Needs Storage Blob Data Reader on the container.");
    line(out, "renew");
    line(out,
         "curl -q -gsS --proto =https --fail " BY_TOKEN("STORAGE") " -H \"x-ms-version: $api_blob\" %s | base64 -w 0 |",
         blob_url(rb, with));
    restore_pipe(out, rb, with);
}

static void escrow_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "Needs Storage Blob Data Contributor on the container. The backup is written nowhere else.");
    line(out, "renew");
    line(out, "curl -q -gsS --proto =https --fail -X POST -d '' " BY_TOKEN("%s") " %s |", audience(with),
         key_url(rb, with, arena_printf(rb->arena, "/keys/%s/backup", with_str(with, "name"))));
    line(out, "    jq -er '.value | gsub(\"-\"; \"+\") | gsub(\"_\"; \"/\") | . + (\"===\"[0:(4 - length %% 4) %% 4])' "
              "| base64 -d |");
    line(out, "    curl -q -gsS --proto =https --fail -X PUT --data-binary @- " BY_TOKEN(
                  "STORAGE") " -H \"x-ms-version: $api_blob\" \\");
    line(out,
         "        -H 'x-ms-blob-type: BlockBlob' -H 'If-None-Match: *' -H 'Content-Type: application/octet-stream' \\");
    line(out, "        -H %s -H %s %s ||",
         sh(rb->arena, arena_printf(rb->arena, "x-ms-meta-versions: %s", value_str_at(with, "metadata.versions"))),
         sh(rb->arena, arena_printf(rb->arena, "x-ms-meta-store: %s", value_str_at(with, "metadata.store"))),
         blob_url(rb, with));
    line(out, "    say 'not written: see whether it is there already'");
}

static void see_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path = arena_printf(rb->arena, "/keys/%s/%s", with_str(with, "name"), with_str(with, "version"));

    line(out, "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do");
    line(out, "    call %s GET %s && break", audience(with), key_url(rb, with, path));
    line(out, "    [ \"$(status)\" = 404 ] && [ \"$n\" -lt 12 ] || stop 'the key version is not there'");
    line(out, "    pause 5");
    line(out, "done");
    line(out, "answer .attributes.enabled >/dev/null || stop 'the key version is there, but not enabled'");
    line(out, "say \"seen: $(answer .key.kid)\"");
}

static void recover_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path = arena_printf(rb->arena, "/deletedkeys/%s/recover", with_str(with, "name"));

    note(out, "Refused: it may be there already. What follows looks.");
    line(out, "call %s POST %s '' || say 'not recovered'", audience(with), key_url(rb, with, path));
}

static void key_attributes(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path = arena_printf(rb->arena, "/keys/%s/%s", with_str(with, "name"), with_str(with, "version"));

    line(out, "call %s PATCH %s %s", audience(with), key_url(rb, with, path), body(rb, with));
}

static void new_key(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path = arena_printf(rb->arena, "/keys/%s/create", with_str(with, "name"));

    line(out, "if ask %s GET %s; then", audience(with),
         key_url(rb, with, arena_printf(rb->arena, "/keys/%s", with_str(with, "name"))));
    line(out, "    say 'the key is there already: no new version is made'");
    line(out, "else");
    line(out, "absent || stop \"whether the key is there cannot be seen: $(status); nothing was made\"");
    note(out, "The release policy names the attestation authority of this region.");
    line(out, "call ARM GET %s", arm_url(rb, with_str(with, "provider"), with_str(with, "providerApi")));
    line(out, "policy=$(answer -c '{version: \"1.0.0\", anyOf: [{authority: .properties.attestUri, allOf: [{claim: "
              "\"x-ms-compliance-status\",");
    line(out, "    equals: \"azure-compliant-cvm\"}]}]}' | tr -d '\\n' | base64 -w 0 | tr '+/' '-_' | tr -d '=')");
    line(out, "call %s POST %s \"$(jq -c --arg policy \"$policy\" '.release_policy.data = $policy' <<<%s)\"",
         audience(with), key_url(rb, with, path), body(rb, with));
    line(out, "fi");
}

/* --- resources and grants ----------------------------------------------------------------------------------------- */

static void arm_write(struct text *out, const struct runbook *rb, const struct value *with)
{
    bool looks = bash_due(out, rb, with);

    line(out, "%scall ARM %s %s \"$wanted\"", looks ? "    " : "", with_str(with, "method"),
         arm_url(rb, with_str(with, "id"), with_str(with, "api")));
    line(out, "%sfollow", looks ? "    " : "");
    if (looks)
        line(out, "fi");
}

static void store(struct text *out, const struct runbook *rb, const struct value *with)
{
    arm_write(out, rb, with);
    line(out, "settled %s %s", sh(rb->arena, path_encoded(rb->arena, with_str(with, "id"))), with_str(with, "api"));
}

static void encryption_set(struct text *out, const struct runbook *rb, const struct value *with)
{
    if (value_str_at(with, "versionOf")) {
        line(out, "call %s GET %s", audience(with),
             sh(rb->arena,
                arena_printf(rb->arena, "%s?api-version=%s", with_str(with, "versionOf"), runbook_api(rb, API_KEYS))));
        line(out, "version=$(answer '.key.kid | split(\"/\") | last')");
    }
    arm_write(out, rb, with);
}

static void see_set(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "settled %s %s", sh(rb->arena, path_encoded(rb->arena, with_str(with, "id"))), with_str(with, "api"));
    line(out, "say \"seen: identity $(principal_of), key $(answer .properties.activeKey.keyUrl)\"");
}

static void assignment(struct text *out, const struct runbook *rb, const struct value *with, const char *caller,
                       const char *place, enum azure_api api)
{
    const char *query = arena_printf(rb->arena, "?api-version=%s", runbook_api(rb, api));

    principal(out, rb, with);
    line(out, "waited=0");
    if (value_str_at(with, "name"))
        line(out, "name=%s", sh(rb->arena, with_str(with, "name")));
    else
        line(out, "name=$(cat /proc/sys/kernel/random/uuid)");
    line(out, "assign %s %s %s \"$name\" \\", caller, place, sh(rb->arena, query));
    line(out, "    %s", body(rb, with));
}

static void role(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path =
        arena_printf(rb->arena, "%s/providers/Microsoft.Authorization/roleAssignments", with_str(with, "scope"));
    const char *place = arena_printf(rb->arena, "\"$arm\"%s", sh(rb->arena, path_encoded(rb->arena, path)));

    note(out, "%s", with_str(with, "role"));
    assignment(out, rb, with, "ARM", place, API_AUTHORIZATION);
}

static void hsm_role(struct text *out, const struct runbook *rb, const struct value *with)
{
    note(out, "%s", with_str(with, "role"));
    assignment(out, rb, with, "HSM", sh(rb->arena, path_encoded(rb->arena, with_str(with, "url"))), API_KEYS);
    note(out, "An assignment of an HSM bears no time: who made it waits until it acts.");
    line(out, "[ -z \"$new\" ] || { waited=0; wait_for 'the role to act' %lld; }",
         (long long)value_int_at(with, "delay", 0));
}

static void policy(struct text *out, const struct runbook *rb, const struct value *with)
{
    principal(out, rb, with);
    line(out, "call ARM PUT %s \\",
         arm_url_of(rb, arena_printf(rb->arena, "%s/accessPolicies/add", with_str(with, "vault")), API_KEYVAULT));
    line(out, "    %s", body(rb, with));
    line(out, "granted=$(clock)");
}

static void pause_for(struct text *out, const struct runbook *rb, const struct value *with)
{
    (void)rb;
    line(out, "waited=0");
    line(out, "wait_for 'the grants to act' \"$(not_yet %lld)\"", (long long)value_int_at(with, "seconds", 0));
}

/* --- machines ----------------------------------------------------------------------------------------------------- */

static void start_vm(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "call ARM POST %s ''",
         arm_url_of(rb, arena_printf(rb->arena, "%s/start", with_str(with, "id")), API_COMPUTE));
    line(out, "follow");
}

static void see_vm(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "settled %s %s", sh(rb->arena, path_encoded(rb->arena, with_str(with, "id"))),
         runbook_api(rb, API_COMPUTE));
    if (value_str_at(with, "set")) {
        line(out, "[ \"$(answer .properties.securityProfile.securityType)\" = ConfidentialVM ] || stop 'it is no "
                  "confidential VM'");
        line(out, "set=$(answer .properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id)");
        line(out, "[ \"${set,,}\" = %s ] || stop \"its disk encryption set is $set\"",
             sh(rb->arena, str_lower(rb->arena, with_str(with, "set"))));
    }
    line(out, "call ARM GET %s",
         arm_url_of(rb, arena_printf(rb->arena, "%s/instanceView", with_str(with, "id")), API_COMPUTE));
    line(out, "power=$(answer '[.statuses[].code | select(startswith(\"PowerState/\"))] | first')");
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

const struct shell shell_curl = {
    .name = "bash and curl", .begin = begin, .open = open_step, .close = close_step, .verbs = verbs};
