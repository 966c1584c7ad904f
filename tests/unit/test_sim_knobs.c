/* The settings of the simulated Azure: what World.json says of them is what the simulator does without them, the
 * simulator's README lists them as they are, and each of them changes what the simulator does. With --table it prints
 * that list. */
#include "harness.h"
#include "sim_backup_fixture.h"

#include "../../providers/sim/data.h"
#include "../../reconciler/format/schema.h"

/* --- the schema, and the README ----------------------------------------------------------------------------------- */

#define README "providers/sim/README.md"

static const struct value *behaviour_fields(struct schemas *schemas)
{
    return value_at(schemas_get(schemas, "World.json"), "properties.spec.properties.behaviour.properties");
}

/* A duration of how long things take is no open question, unless it says who leaves it open. */
static void test_schema_names_every_knob(const struct value *fields)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(fields); i++) {
        const struct member *m = &fields->map.members[i];
        const struct knob *knob = NULL;

        if (!value_get(m->value, "x-source"))
            continue;
        n++;
        for (size_t k = 0; knob_at(k) && !knob; k++)
            knob = str_eq(knob_at(k)->name, m->key) ? knob_at(k) : NULL;
        CHECK_ROW(m->key, knob && str_eq(knob->otherwise, value_str_at(m->value, "default")));
        CHECK_ROW(m->key, value_get(m->value, "enum") || value_count(value_get(m->value, "examples")) > 1);
    }
    for (size_t k = 0; knob_at(k); k++) {
        CHECK_ROW(knob_at(k)->name, value_get(fields, knob_at(k)->name) != NULL);
        CHECK(k < n);
    }
}

/* "| `name` | **default**, other | what it decides | who leaves it open |" */
static const char *table_row(struct arena *a, const struct member *m)
{
    const struct value *values =
        value_get(m->value, "enum") ? value_get(m->value, "enum") : value_get(m->value, "examples");
    const char *what = value_str_at(m->value, "description"), *end = strstr(what, " Without it: "), *shown = "",
               *otherwise;

    otherwise = value_str_at(m->value, "default");
    shown = arena_printf(a, "**%s**", otherwise);
    for (size_t i = 0; i < value_count(values); i++)
        if (!str_eq(value_str(value_item(values, i)), otherwise))
            shown = arena_printf(a, "%s, %s", shown, value_str(value_item(values, i)));
    return arena_printf(a, "| `%s` | %s | %.*s | %s |\n", m->key, shown, end ? (int)(end - what) : (int)strlen(what),
                        what, value_str_at(m->value, "x-source"));
}

static const char *table(struct arena *a, const struct value *fields)
{
    const char *ret = "| Setting | Values | Decides | Who says what |\n| --- | --- | --- | --- |\n";

    for (size_t i = 0; i < value_count(fields); i++)
        if (value_get(fields->map.members[i].value, "x-source"))
            ret = arena_printf(a, "%s%s", ret, table_row(a, &fields->map.members[i]));
    return ret;
}

static void test_readme(struct arena *a, const struct value *fields)
{
    struct text text cleanup(text_release) = {.ceiling = TEXT_CEILING};
    FILE *f = fopen(README, "r");
    char chunk[8192];
    size_t n;

    while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        text_add_n(&text, chunk, n);
    if (f)
        fclose(f);
    CHECK_ROW("the table in " README " is not the schema's: test_sim_knobs --table prints it",
              strstr(text_str(&text), table(a, fields)));
}

/* --- each changes something --------------------------------------------------------------------------------------- */

static const char *world_text(struct world *w)
{
    return json_string(w->a, sim_world(w->a, w->s), JSON_COMPACT);
}

/* The ended job, after a restore under these settings; *ret_world is the world then. */
static struct reply ended(struct world *w, const char *type, const char *changes, const char **ret_world)
{
    struct reply r = restore(w, type, "805440465632125", changes);
    const char *id = job_of(w, &r);

    later(w, 60 * MINUTE_MS);
    r = job(w, id);
    *ret_world = world_text(w);
    return r;
}

#define NAMED "Secured Encryption Info Blob Name"
#define WITH_SET "{'securedVMDetails':{'securedVMOsDiskEncryptionSetId':'" SET "'}}"

/* The key is purged, the set is gone: the pass fails. `has` and `lacks` are looked for in the job, with a leading '@'
 * in the world. */
static void test_failing_pass(void)
{
    static const struct { const char *behaviour, *type, *changes, *has, *lacks;
    } rows[] = {
        {"{}", "RestoreDisks", "{}", NAMED, "nothing"},
        {"{}", "RestoreDisks", "{}", "@disks/vm-src-osdisk-", "@networkInterfaces"},
        {"{}", "RestoreDisks", WITH_SET, "UserErrorDiskEncryptionSetDoesNotExist", NAMED},
        {"{'exportsWith':'no-set'}", "RestoreDisks", "{}", NAMED, "nothing"},
        {"{'exportsWith':'a-set'}", "RestoreDisks", "{}", "Failed", NAMED},
        {"{'failedPassLeaves':'nothing'}", "AlternateLocation", "{}", NAMED, "@-osdisk-"},
        {"{'failedPassLeaves':'disks'}", "AlternateLocation", "{}", "@vm-new-osdisk-", "@networkInterfaces"},
        {"{'failedPassLeaves':'disks-and-nic'}", "AlternateLocation", "{}", "@networkInterfaces/vm-new-nic-",
         "@\"ConfidentialVM\""},
        {"{'failedPassLeaves':'vm'}", "AlternateLocation", "{}", "@\"provisioningState\":\"Failed\"", "nothing"},
        {"{'errorName':'title'}", "RestoreDisks", "{}", "\"errorTitle\":\"UserErrorDiskEncryptionSetDoesNotExist\"",
         "nothing"},
        {"{'errorName':'text'}", "RestoreDisks", "{}",
         "\"errorString\":\"UserErrorDiskEncryptionSetDoesNotExist:", "Title\":\"User"},
        {"{'errorName':'dynamic-message'}", "RestoreDisks", "{}", "Message\":\"UserErrorDiskEncryptionSetDoesNotExist",
         "Title\":\"User"},
        {"{'errorName':'recommendations'}", "RestoreDisks", "{}", "(UserErrorDiskEncryptionSetDoesNotExist)\"]",
         "Title\":\"User"},
        {"{'errorName':'nowhere'}", "RestoreDisks", "{}", "400901", "UserError"},
        {"{'bagKeys':'lower-case'}", "RestoreDisks", "{}", "secured encryption info blob name", NAMED},
        {"{'bagKeys':'trimmed'}", "RestoreDisks", "{}", "\"Recovery point time\"", "\"Recovery point time \""},
        {"{'bagKeys':'recorded'}", "RestoreDisks", "{}", "\"Recovery point time \"", "\"Recovery point time\""},
        {"{'jobTimes':'narrow-blank'}", "RestoreDisks", "{}", "\xE2\x80\xAFPM", " PM\""},
        {"{'jobTimes':'24-hours'}", "RestoreDisks", "{}", "Recovery point time ", "PM\""},
        {"{'jobTimes':'iso'}", "RestoreDisks", "{}", "Recovery point time ", "PM\""},
        {"{'jobTimes':'words'}", "RestoreDisks", "{}", "Tag des Monats", "PM\""},
        {"{'newVmNamesExport':'no'}", "AlternateLocation", "{}", "@securedvmencryptioninfo", NAMED},
        {"{'newVmNamesExport':'no'}", "RestoreDisks", "{}", NAMED, "nothing"},
        {"{'exportNamedAfter':'2h'}", "RestoreDisks", "{}", "Failed", NAMED},
        {"{'exportKept':'1m'}", "RestoreDisks", "{}", NAMED, "@PageBlob"},
        {"{'exportBlob':'block'}", "RestoreDisks", "{}", "@BlockBlob", "@PageBlob"},
        {"{'exportBlobName':'another'}", "RestoreDisks", "{}", NAMED "\":\"key-", "@securedvmencryptioninfo"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text, *place;
        struct world w;
        struct reply r;

        begin(&w, "purged", rows[i].behaviour);
        r = ended(&w, rows[i].type, rows[i].changes, &text);
        CHECK_ROW(rows[i].behaviour, strcmp(status(&r), "Failed") == 0);
        place = *rows[i].has == '@' ? text : r.text;
        CHECK_ROW(rows[i].behaviour, strstr(place, rows[i].has + (*rows[i].has == '@')));
        place = *rows[i].lacks == '@' ? text : r.text;
        CHECK_ROW(rows[i].behaviour, !strstr(place, rows[i].lacks + (*rows[i].lacks == '@')));
        end(&w);
    }
}

/* What the export holds: its text, once decoded by a restore of the key the number of versions. */
static void test_export(void)
{
    static const struct { const char *behaviour, *has; size_t versions; } rows[] = {
        {"{}", "\"Microsoft.KeyVault/vaults\"", 3},
        {"{'exportMembers':'more'}", "\"Version\":\"2.0\"", 3},
        {"{'exportStoreType':'lower-case'}", "\"microsoft.keyvault/vaults\"", 3},
        {"{'exportStoreType':'another'}", "\"KeyVaultKey\"", 3},
        {"{'exportedVersions':'until-point'}", "KeyBackupData", 2},
        {"{'exportedVersions':'original-only'}", "KeyBackupData", 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *ignored, *text, *token;
        struct value *export = NULL, *versions;
        struct world w;
        struct reply r;
        struct err err;

        begin(&w, "purged", rows[i].behaviour);
        versions = value_at(w.s->spec, "keys.0.versions");
        value_push(w.s->arena, versions,
                   parse(w.s->arena, "{'id':'11111111111111111111111111111111','created':'2026-11-01T08:00:00Z'}"));
        value_push(w.s->arena, versions,
                   parse(w.s->arena, "{'id':'22222222222222222222222222222222','created':'2026-11-20T08:00:00Z'}"));
        r = ended(&w, "RestoreDisks", "{}", &ignored);
        text = fetch_export(&w, value_at(r.json, "properties.extendedInfo.propertyBag"), &r);
        CHECK_ROW(rows[i].behaviour, strstr(text, rows[i].has));
        text += str_starts(text, "\xEF\xBB\xBF") ? 3 : 0;
        CHECK_ROW(rows[i].behaviour, json_parse(w.a, text, strlen(text), &export, &err) == 0);
        r = sign_in(w.s, w.a, w.now, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fvault.azure.net%2F.default");
        token = value_str_at(r.json, "access_token");
        r = ask(w.s, w.a, w.now, token, "POST", "https://kv-pay.vault.azure.net/keys/restore?api-version=7.6",
                arena_printf(w.a, "{\"value\":\"%s\"}",
                             as_value(w.a, value_str_at(export, "OsDiskEncryptionDetails.KeyBackupData"))));
        CHECK_ROW(rows[i].behaviour, r.status == 200);
        r = ask(w.s, w.a, w.now, token, "GET",
                "https://kv-pay.vault.azure.net/keys/os-key/versions?api-version=7.6&maxresults=25", NULL);
        CHECK_ROW(rows[i].behaviour, value_count(value_get(r.json, "value")) == rows[i].versions);
        end(&w);
    }
}

/* Nothing to be left behind, for reasons of the world's. */
static void test_withheld(void)
{
    static const struct { const char *behaviour, *change; bool exports;
    } rows[] = {
        {"{}", "service", true},
        {"{'exportedFrom':'live-copy'}", "service", false},
        {"{'exportedFrom':'live-copy'}", "none", true},
        {"{}", "versions", false},
        {"{'manyVersions':'exported'}", "versions", true},
        {"{}", "undeleted", false},
        {"{'undeletedItemKeepsKey':'yes'}", "undeleted", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct restore_facts facts;
        struct world w;

        begin(&w, "purged", rows[i].behaviour);
        if (str_eq(rows[i].change, "service"))
            list_remove(state_list(w.s, "roleAssignments"), value_count(state_list(w.s, "roleAssignments")) - 1);
        for (size_t k = 0; str_eq(rows[i].change, "versions") && k < 500; k++)
            value_push(w.s->arena, value_at(w.s->spec, "keys.0.versions"),
                       parse(w.s->arena, "{'id':'11111111111111111111111111111111','created':'2026-11-01T08:00:00Z'}"));
        value_set_bool(w.s->arena, value_at(w.s->spec, "backups.0"), "undeleted", str_eq(rows[i].change, "undeleted"));
        rules_gather(w.s,
                     &(struct restore_wish){.backup = value_at(w.s->spec, "backups.0"),
                                            .point = value_at(w.s->spec, "backups.0.points.0"),
                                            .type = "RestoreDisks",
                                            .location = "uaenorth"},
                     &facts);
        CHECK_ROW(rows[i].behaviour, facts.export_withheld == !rows[i].exports);
        end(&w);
    }
}

/* Readings reach the rules by these names. */
static void test_readings(void)
{
    static const char *const all =
        "{'article':'2026-02','expiredVersion':'restores','rotationReachesSnapshots':'no',"
        "'recreatedSet':'original','restoredKeyOpensSnapshots':'yes','stuckRotation':'fails',"
        "'rightsError':'unnamed','replaceExports':'yes'}";

    for (int set = 0; set < 2; set++) {
        struct restore_facts f;
        struct world w;

        begin(&w, "purged", set ? all : "{}");
        rules_gather(w.s,
                     &(struct restore_wish){.backup = value_at(w.s->spec, "backups.0"),
                                            .point = value_at(w.s->spec, "backups.0.points.0"),
                                            .type = "OriginalLocation",
                                            .location = "uaenorth"},
                     &f);
        CHECK(f.readings.article == (set ? ARTICLE_2026_02 : ARTICLE_STRICTEST));
        CHECK(f.readings.expired_restores == set && f.readings.snapshots_miss_rotation == set);
        CHECK(f.readings.recreated_set_is_original == set && f.readings.restored_key_opens_snapshots == set);
        CHECK(f.readings.stuck_rotation_fails == set);
        CHECK(set ? str_eq(f.readings.rights_code, "RestoreOperationFailed") : f.readings.rights_code == NULL);
        CHECK_ROW("replacing exports nothing unless told so", f.export_withheld == !set);
        end(&w);
    }
}

/* Who may, on a set that uses the key. */
static void test_grants(void)
{
    static const struct { const char *behaviour, *role; bool may; } rows[] = {
        {"{}", "Key Vault Crypto User", true},
        {"{}", "Key Vault Crypto Service Encryption User", false},
        {"{'backupNeeds':'get-list'}", "Key Vault Crypto Service Encryption User", true},
        {"{'backupRole':'administrator'}", "Key Vault Crypto User", false},
        {"{'backupRole':'administrator'}", "Key Vault Administrator", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value *grants;
        struct restore_facts f;
        struct world w;

        begin(&w, "active", rows[i].behaviour);
        grants = state_list(w.s, "roleAssignments");
        value_set_string(w.s->arena, value_item(grants, value_count(grants) - 1), "role", rows[i].role);
        make_set(&w);
        rules_gather(w.s,
                     &(struct restore_wish){.backup = value_at(w.s->spec, "backups.0"),
                                            .point = value_at(w.s->spec, "backups.0.points.0"),
                                            .type = "RestoreDisks",
                                            .set = SET,
                                            .location = "uaenorth"},
                     &f);
        CHECK_ROW(rows[i].behaviour, f.set_given && f.given.service_may == rows[i].may);
        end(&w);
    }
}

static size_t grants_on(struct sim *s, const char *scope)
{
    const struct value *all = state_list(s, "roleAssignments");
    size_t n = 0;

    for (size_t i = 0; i < value_count(all); i++)
        n += str_eq_nocase(value_str_at(value_item(all, i), "scope"), scope);
    return n;
}

static void test_grants_kept(void)
{
    static const struct { const char *behaviour; bool recovered, kept; } rows[] = {
        {"{}", true, false}, {"{}", false, false}, {"{'keyGrants':'kept-by-recovery'}", true, true},
        {"{'keyGrants':'kept-by-recovery'}", false, false}, {"{'keyGrants':'kept'}", false, true},
    };
    static const char *const hsm[] = {"{}", "{'hsmGrants':'kept'}"};
    struct world w;

    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(&w, "active", rows[i].behaviour);
        CHECK(grants_on(w.s, VAULT "/keys/os-key") == 1);
        key_grants_after(w.s, resource_find(w.s, VAULT), "os-key", rows[i].recovered);
        CHECK_ROW(rows[i].behaviour, grants_on(w.s, VAULT "/keys/os-key") == rows[i].kept);
        CHECK_ROW("grants on the vault stay", grants_on(w.s, VAULT) > 0);
        end(&w);
    }
    for (size_t i = 0; i < COUNT(hsm); i++) {
        begin(&w, "active", hsm[i]);
        state_push(
            w.s, "hsmRoleAssignments",
            parse(w.a, "{'store':'hsm','principal':'operator','role':'Managed HSM Crypto User','scope':'/keys'}"));
        store_grants_after(
            w.s, parse(w.a, "{'name':'hsm','id':'" KEYS_GROUP "/providers/Microsoft.KeyVault/managedHSMs/hsm'}"));
        CHECK_ROW(hsm[i], value_count(state_list(w.s, "hsmRoleAssignments")) == i);
        end(&w);
    }
}

/* A machine boots where the key's own policy lets it. */
static void test_boot(void)
{
    static const struct { const char *behaviour, *location; bool boots;
    } rows[] = {
        {"{}", "uaenorth", true},
        {"{}", "westeurope", false},
        {"{'releasePolicyRegion':'ignored'}", "westeurope", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;

        begin(&w, "active", rows[i].behaviour);
        make_set(&w);
        later(&w, 5 * MINUTE_MS);
        call(&w, "GET", LISTED, NULL);
        value_set_string(w.s->arena, resource_find(w.s, SET), "location", rows[i].location);
        CHECK_ROW(rows[i].location, rules_may_boot(w.s, SET) == rows[i].boots);
        end(&w);
    }
}

static void test_refusals_differ(void)
{
    static const struct { const char *behaviour; int replace; bool header, seconds; } rows[] = {
        {"{}", 202, false, true}, {"{'replaceSupported':'no','throttleHint':'none'}", 400, false, false},
        {"{'throttleHint':'header'}", 202, true, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct reply r;

        begin(&w, "active", rows[i].behaviour);
        resource_store(w.s, SOURCE, parse(w.a, "{'id':'" SOURCE "','location':'uaenorth'}"));
        r = restore(&w, "OriginalLocation", "805440465632125", "{}");
        CHECK_ROW(rows[i].behaviour, r.status == rows[i].replace);
        for (int k = 0; k < 400 && r.status != 429; k++)
            r = call(&w, "GET", LISTED, NULL);
        CHECK_ROW(rows[i].behaviour, r.status == 429 && (header_of(&r, "Retry-After") != NULL) == rows[i].header);
        CHECK_ROW(rows[i].behaviour, (strstr(r.text, "seconds") != NULL) == rows[i].seconds);
        end(&w);
    }
}

int main(int argc, char **argv)
{
    /* Through a table: put into one function, their rows would make a frame of 27 KB under the sanitizers. */
    static void (*const tests[])(void) = {test_failing_pass, test_export, test_withheld, test_readings,
                                          test_grants, test_grants_kept, test_boot, test_refusals_differ};
    struct arena *a cleanup(arena_freep) = arena_new();
    struct schemas *schemas;
    struct err err;

    if (schemas_new(schema_files, &schemas, &err) < 0)
        return 2;
    if (argc > 1 && strcmp(argv[1], "--table") == 0) {
        fputs(table(a, behaviour_fields(schemas)), stdout);
        schemas_free(schemas);
        return 0;
    }
    test_schema_names_every_knob(behaviour_fields(schemas));
    test_readme(a, behaviour_fields(schemas));
    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i]();
    schemas_free(schemas);
    HARNESS_END();
}
