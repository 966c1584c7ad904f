/* init: the folder in which an estate is kept, so that the first look at it needs nothing but a vault's name. Knows
 * which files there are. Must not write over any. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "call.h"
#include "commands.h"
#include "export.h"
#include "output.h"
#include "../reconciler/base/file.h"

static const char policy[] =
    "# What reinstate may do here. The built-in rules count beside these: reinstate explain policy.\n"
    "apiVersion: reinstate/v1\n"
    "kind: Policy\n"
    "metadata:\n"
    "  name: guardrails\n"
    "spec:\n"
    "  rules:\n"
    "    - name: stores-keep-purge-protection\n"
    "      match:\n"
    "        kind: KeyVault\n"
    "      assert:\n"
    "        field: live.properties.enablePurgeProtection\n"
    "        op: eq\n"
    "        value: true\n"
    "      effect: warn\n"
    "      message: a key that disks hang on must not be purged before its retention ends\n"
    "  budgets:\n"
    "    changes: 20\n"
    "    restores: 2\n";

static const char ignored[] = "# Records and plans say what an estate looks like; orders of a night belong to that "
                              "night.\n"
                              "reinstate.journal*\n"
                              "*.journal\n"
                              "*.plan\n"
                              "order*.yaml\n"
                              "*.record\n";

static const char github[] =
    "# Manifests are checked at each change, and compared with Azure every morning. Needs an Entra application that\n"
    "# trusts this repository (federated credential) and may read; its ids are variables of the repository.\n"
    "name: reinstate\n"
    "on:\n"
    "  pull_request:\n"
    "  schedule: [{cron: '17 5 * * *'}]\n"
    "permissions: {contents: read, id-token: write}\n"
    "jobs:\n"
    "  reinstate:\n"
    "    runs-on: ubuntu-latest\n"
    "    env:\n"
    "      AZURE_TENANT_ID: ${{ vars.AZURE_TENANT_ID }}\n"
    "      AZURE_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}\n"
    "    steps:\n"
    "      - uses: actions/checkout@v4\n"
    "      # Put the program on the PATH here.\n"
    "      - run: reinstate validate -f . -o github\n"
    "      - if: github.event_name == 'schedule'\n"
    "        run: reinstate drift -f . -o github\n"
    "      - if: github.event_name == 'schedule'\n"
    "        run: reinstate forecast -f . -o github\n";

static const char azure[] =
    "# Manifests are checked at each change, and compared with Azure every morning. Needs a service connection that\n"
    "# may read: its name and ids are variables of the pipeline.\n"
    "trigger: ['*']\n"
    "schedules: [{cron: '17 5 * * *', branches: {include: [main]}, always: true}]\n"
    "pool: {vmImage: ubuntu-latest}\n"
    "steps:\n"
    "  # Put the program on the PATH here.\n"
    "  - script: reinstate validate -f .\n"
    "  - task: AzureCLI@2\n"
    "    condition: eq(variables['Build.Reason'], 'Schedule')\n"
    "    inputs:\n"
    "      azureSubscription: $(connection)\n"
    "      scriptType: bash\n"
    "      inlineScript: reinstate drift -f . && reinstate forecast -f .\n";

struct planned_file {
    const char *path, *content;
};

struct folder {
    struct arena *arena;
    const char *path;
    struct planned_file *files;
    size_t count;
};

static void file_add(struct folder *f, const char *name, const char *content)
{
    struct planned_file file = {
        .path = str_eq(f->path, ".") ? name : arena_printf(f->arena, "%s/%s", f->path, name), .content = content};

    arena_push(f->arena, f->files, f->count, file);
}

static const char *variable(const char *name, const char *other)
{
    const char *value = getenv(name);

    value = value && *value ? value : getenv(other);
    return value && *value ? value : NULL;
}

/* An estate in which nothing is declared yet, in the subscription that the environment names. */
static void empty_estate(struct text *out)
{
    const char *tenant = variable("AZURE_TENANT_ID", "ARM_TENANT_ID"),
               *subscription = variable("AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID");

    text_add(out, "# Nothing is declared yet. What exists behind a backup vault is written by\n"
                  "#     reinstate export --vault-name NAME -f . > estate-NAME.yaml\n"
                  "# and reinstate explain KIND has an example of each kind.\n"
                  "apiVersion: reinstate/v1\nkind: Azure\nmetadata:\n  name: prod\nspec:\n");
    if (tenant)
        text_say(out, "  tenant: %s\n", tenant);
    text_say(out, "  subscription: %s%s\n", subscription ? subscription : "00000000-0000-0000-0000-000000000000",
             subscription ? "" : "    # yours: az account show --query id");
}

/* Folders on the way to a file; one that is there is fine. */
static int folders_make(struct arena *a, const char *path, struct err *err)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_strndup(a, path, (size_t)(slash - path));

        if (mkdir(folder, 0777) < 0 && errno != EEXIST)
            return err_set(err, ERR_INVALID, "%s cannot be made: %s", folder, strerror(errno));
    }
    return 0;
}

/* Nothing, or all: an estate of which half is somebody else's would be taken for one. */
static int none_is_there(const struct folder *f, struct err *err)
{
    struct stat st;

    for (size_t i = 0; i < f->count; i++)
        if (lstat(f->files[i].path, &st) == 0 || errno != ENOENT) {
            if (errno == ENOTDIR)
                return err_set(err, ERR_INVALID, "%s: a part of this path is no folder; nothing was written",
                               f->files[i].path);
            err_set(err, ERR_INVALID, "%s is there already; nothing was written", f->files[i].path);
            return err_advise(err, "name another folder, or move it away; init writes over nothing");
        }
    return 0;
}

static int files_write(const struct folder *f, struct err *err)
{
    for (size_t i = 0; i < f->count; i++) {
        TRY(folders_make(f->arena, f->files[i].path, err));
        TRY(file_replace(f->files[i].path, f->files[i].content, strlen(f->files[i].content), err));
        talk("%s", f->files[i].path);
    }
    return 0;
}

static int init(struct session *s, const struct options *o, struct folder *f)
{
    struct text estate cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const char *pipeline = o->pipeline ? o->pipeline : "github";

    f->path = o->operands.count ? o->operands.items[0] : ".";
    file_add(f, "estate.yaml", NULL);
    file_add(f, "policy.yaml", policy);
    file_add(f, ".gitignore", ignored);
    if (str_eq(pipeline, "github"))
        file_add(f, ".github/workflows/reinstate.yml", github);
    else if (str_eq(pipeline, "azure"))
        file_add(f, ".azure-pipelines/reinstate.yml", azure);
    TRY(none_is_there(f, &s->err));
    if (o->vault || o->vault_name || o->item)
        TRY(export_text(s, o, &estate));
    else
        empty_estate(&estate);
    f->files[0].content = text_str(&estate);
    return files_write(f, &s->err);
}

int command_init(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct session s cleanup(session_close) = {.options = o};
    struct folder f = {.arena = a};
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct value *answer = output_envelope(a, o), *files;

    if (init(&s, o, &f) < 0)
        return session_failed(&s);
    files = value_set(a, answer, "files", value_list(a));
    for (size_t i = 0; i < f.count; i++)
        value_push(a, files, value_string(a, f.files[i].path));
    text_say(&t, "Next: reinstate validate -f %s; then reinstate forecast -f %s\n", call_quoted(a, f.path),
             call_quoted(a, f.path));
    output_either(o, answer, &t);
    session_label(&s);
    return EXIT_DECLARED;
}
