/* Knows where an operator names a cloud. Must not know what is asked of it, and must not believe a manifest. */
#include "operator.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ARM_ENVIRONMENT as Terraform's azurerm provider reads it, and the authorities of Microsoft's national clouds. Of the
 * same names in the tools of others ("AzureCloud" of the Azure CLI) it is only told what they are here. */
static const struct name {
    const char *environment, *authority, *cloud;
} names[] = {
    {"public", "login.microsoftonline.com", "AzurePublic"},
    {"usgovernment", "login.microsoftonline.us", "AzureUSGovernment"},
    {"china", "login.chinacloudapi.cn", "AzureChina"},
    {NULL, "login.partner.microsoftonline.cn", "AzureChina"},
};

bool operator_has_file(const struct options *o)
{
    return o->cloud && !cloud_builtin(o->cloud);
}

static const char *const others[][2] = {
    {"AzureCloud", "AzurePublic"},
    {"AzurePublicCloud", "AzurePublic"},
    {"azure", "AzurePublic"},
    {"AzureCommercial", "AzurePublic"},
    {"AzureUSGovernmentCloud", "AzureUSGovernment"},
    {"AzureGovernment", "AzureUSGovernment"},
    {"AzureUSGov", "AzureUSGovernment"},
    {"usgov", "AzureUSGovernment"},
    {"AzureChinaCloud", "AzureChina"},
    {"21Vianet", "AzureChina"},
};

/* The cloud that this word was to name, which is none of ours; NULL. */
static const char *cloud_meant(const char *word)
{
    static const char *const clouds[] = {"AzurePublic", "AzureUSGovernment", "AzureChina", NULL};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq_nocase(word, names[i].environment))
            return names[i].cloud;
    for (size_t i = 0; i < COUNT(others); i++)
        if (str_eq_nocase(word, others[i][0]))
            return others[i][1];
    return did_you_mean(word, clouds);
}

/* A word that is neither a cloud nor a file that is there. */
static int word_check(const char *word, struct err *err)
{
    const char *meant = cloud_meant(word);

    if (!meant || access(word, F_OK) == 0)
        return 0;
    err_set(err, ERR_INVALID, "--cloud: there is no cloud \"%s\", and no file of that name; no credential was sent",
            word);
    return err_advise(err, "did you mean %s?", meant);
}

static bool is_authority(const char *text, const char *host)
{
    size_t len = strlen(host);

    text = str_starts_nocase(text, "https://") ? text + strlen("https://") : text;
    return str_starts_nocase(text, host) && (!text[len] || (text[len] == '/' && !text[len + 1]));
}

static int environment_cloud(const char *variable, bool authority, const char **ret, struct err *err)
{
    const char *text = getenv(variable);

    for (size_t i = 0; text && *text && i < COUNT(names); i++) {
        const struct name *n = &names[i];

        if (authority ? !is_authority(text, n->authority)
                      : !str_eq_nocase(text, n->environment) && !str_eq_nocase(text, n->cloud))
            continue;
        if (*ret && !str_eq(*ret, n->cloud))
            return err_set(err, ERR_INVALID,
                           "ARM_ENVIRONMENT names %s and AZURE_AUTHORITY_HOST %s; no credential was sent", *ret,
                           n->cloud);
        *ret = n->cloud;
        return 0;
    }
    if (!text || !*text)
        return 0;
    err_set(err, ERR_INVALID, "%s names no cloud that is known here; no credential was sent", variable);
    if (!authority && cloud_meant(text))
        err_advise(err, "did you mean %s?", cloud_meant(text));
    return err_advise(err,
                      "unset it, or name the cloud with --cloud AzurePublic, AzureUSGovernment, AzureChina or a FILE");
}

int operator_cloud(const struct options *o, const struct desired *d, const struct cloud **ret, struct err *err)
{
    const char *name = o->cloud;

    *ret = cloud_builtin("AzurePublic");
    if (operator_has_file(o))
        return word_check(o->cloud, err);
    if (o->world)
        return 0;
    if (!name) {
        TRY(environment_cloud("ARM_ENVIRONMENT", false, &name, err));
        TRY(environment_cloud("AZURE_AUTHORITY_HOST", true, &name, err));
    }
    if (name)
        *ret = cloud_builtin(name);
    for (size_t i = 0; d && i < d->count; i++) {
        const struct document *doc = d->documents[i];
        const char *declared = value_str_at(doc->spec, "cloud");

        declared = declared ? declared : "AzurePublic";
        if (!str_eq(doc->kind, "Azure") || str_eq(declared, (*ret)->name))
            continue;
        err_set(err, ERR_INVALID, "%s means %s, and you have named %s%s; no credential was sent", doc->address,
                declared, (*ret)->name, name ? "" : " by naming none");
        return err_advise(err, "if %s is meant, name it yourself: reinstate %s -f ... --cloud %s", declared,
                          o->command->name, declared);
    }
    return 0;
}
