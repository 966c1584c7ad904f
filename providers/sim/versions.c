/* Knows which api-versions Azure's services answer, from public lists of them (Microsoft Learn, change log of each
 * resource type), and how a version that is none of these is refused. A world's spec.apiVersions says what a cloud that
 * lags offers instead. */
#include "internal.h"

#include <string.h>

/* Oldest first. `types`: blanks between; "*": every other type of the provider. */
static const struct versions {
    const char *provider, *types, *list;
    const char *ends_before, *ended; /* versions older than that are answered until that day */
} versions[] = {
    {.provider = "Microsoft.KeyVault",
     .types = "*",
     .list = "2015-06-01 2016-10-01 2018-02-14-preview 2018-02-14 2019-09-01 2020-04-01-preview 2021-04-01-preview "
             "2021-06-01-preview "
             "2021-10-01 2021-11-01-preview 2022-02-01-preview 2022-07-01 2022-11-01 2023-02-01 2023-07-01 "
             "2024-04-01-preview 2024-11-01 "
             "2024-12-01-preview 2025-05-01 2026-02-01",
     .ends_before = "2026-02-01",
     .ended = "2027-02-27T00:00:00Z"},
    {.provider = "Microsoft.RecoveryServices",
     .types = "*",
     .list = "2016-06-01 2016-08-10 2016-12-01 2017-07-01 2018-01-10 2018-07-10 2019-05-13-preview 2019-05-13 "
             "2019-06-15 2020-02-02 "
             "2020-10-01 2020-12-01 2021-01-01 2021-02-01 2021-02-10 2021-03-01 2021-04-01 2021-06-01 2021-07-01 "
             "2021-08-01 2021-10-01 "
             "2021-11-01-preview 2021-12-01 2022-01-01 2022-02-01 2022-03-01 2022-04-01 2022-06-01-preview 2022-08-01 "
             "2022-09-01-preview 2022-09-10 2022-09-30-preview 2022-10-01 2023-01-01 2023-02-01 2023-04-01 2023-06-01 "
             "2023-08-01 "
             "2024-01-01 2024-02-01 2024-04-01 2024-04-30-preview 2024-07-30-preview 2024-09-30-preview 2024-10-01 "
             "2024-11-01-preview "
             "2025-01-01 2025-02-01 2025-02-28-preview 2025-08-01 2026-01-01 2026-01-31-preview 2026-02-01 "
             "2026-03-31-preview 2026-07-01"},
    {.provider = "Microsoft.Compute",
     .types = "disks snapshots diskEncryptionSets diskAccesses",
     .list = "2016-04-30-preview 2017-03-30 2018-04-01 2018-06-01 2018-09-30 2019-03-01 2019-07-01 2019-11-01 "
             "2020-05-01 2020-06-30 "
             "2020-09-30 2020-12-01 2021-04-01 2021-08-01 2021-12-01 2022-03-02 2022-07-02 2023-01-02 2023-04-02 "
             "2023-10-02 2024-03-02 "
             "2025-01-02 2026-03-02"},
    {.provider = "Microsoft.Compute",
     .types = "virtualMachines",
     .list = "2015-06-15 2016-03-30 2016-04-30-preview 2017-03-30 2017-12-01 2018-04-01 2018-06-01 2018-10-01 "
             "2019-03-01 2019-07-01 "
             "2019-12-01 2020-06-01 2020-12-01 2021-03-01 2021-04-01 2021-07-01 2021-11-01 2022-03-01 2022-08-01 "
             "2022-11-01 2023-03-01 "
             "2023-07-01 2023-09-01 2024-03-01 2024-07-01 2024-11-01 2025-04-01 2025-11-01 2026-03-01 2026-04-01"},
    {.provider = "Microsoft.Storage",
     .types = "*",
     .list = "2015-06-15 2016-01-01 2016-05-01 2016-12-01 2017-06-01 2017-10-01 2018-02-01 2018-07-01 2018-11-01 "
             "2019-04-01 2019-06-01 "
             "2020-08-01-preview 2021-01-01 2021-02-01 2021-04-01 2021-06-01 2021-08-01 2021-09-01 2022-05-01 "
             "2022-09-01 2023-01-01 "
             "2023-04-01 2023-05-01 2024-01-01 2025-01-01 2025-06-01"},
    {.provider = "Microsoft.Network",
     .types = "*",
     .list = "2017-10-01 2018-02-01 2018-08-01 2018-11-01 2019-02-01 2019-04-01 2019-06-01 2019-09-01 2019-11-01 "
             "2019-12-01 2020-03-01 "
             "2020-04-01 2020-05-01 2020-06-01 2020-07-01 2020-08-01 2020-11-01 2021-02-01 2021-03-01 2021-05-01 "
             "2021-08-01 2022-01-01 "
             "2022-05-01 2022-07-01 2022-09-01 2022-11-01 2023-02-01 2023-04-01 2023-05-01 2023-06-01 2023-09-01 "
             "2023-11-01 2024-01-01 "
             "2024-03-01 2024-05-01 2024-07-01 2024-10-01 2025-01-01 2025-03-01 2025-05-01 2026-01-01"},
    {.provider = "Microsoft.Authorization",
     .types = "locks",
     .list = "2015-01-01 2015-05-01-preview 2015-06-01 2016-09-01 2017-04-01 2020-05-01"},
    {.provider = "Microsoft.Authorization",
     .types = "*",
     .list = "2015-07-01 2017-10-01-preview 2018-01-01-preview 2018-07-01 2018-09-01-preview 2020-03-01-preview "
             "2020-04-01-preview "
             "2020-08-01-preview 2020-10-01-preview 2022-01-01-preview 2022-04-01 2022-05-01-preview"},
    {.provider = "Microsoft.ResourceGraph",
     .types = "*",
     .list = "2018-09-01-preview 2019-04-01 2020-04-01-preview 2020-09-01-preview 2021-03-01 2021-06-01-preview "
             "2022-10-01 2024-04-01"},
    {.provider = "Microsoft.Attestation",
     .types = "*",
     .list = "2018-09-01-preview 2018-09-01 2020-10-01 2021-06-01 2021-06-01-preview"},
    {.provider = "Microsoft.ManagedIdentity",
     .types = "*",
     .list =
         "2015-08-31-preview 2018-11-30 2021-09-30-preview 2022-01-31-preview 2023-01-31 2023-07-31-preview 2024-11-30 "
         "2025-01-31-preview"},
    {.provider = "Microsoft.Features", .types = "*", .list = "2014-08-01-preview 2015-12-01 2021-07-01"},
    {.provider = "Microsoft.Resources",
     .types = "*",
     .list = "2014-04-01 2015-01-01 2015-11-01 2016-02-01 2016-06-01 2016-07-01 2016-09-01 2017-05-01 2017-05-10 "
             "2018-01-01 2018-02-01 "
             "2018-05-01 2018-07-01 2018-08-01 2018-09-01 2018-11-01 2019-03-01 2019-05-01 2019-05-10 2019-06-01 "
             "2019-07-01 2019-08-01 "
             "2019-09-01 2019-10-01 2019-11-01 2020-01-01 2020-05-01 2020-06-01 2020-08-01 2020-09-01 2020-10-01 "
             "2021-01-01 2021-04-01 "
             "2022-01-01 2022-05-01 2022-06-01 2022-09-01 2022-12-01 2023-07-01 2024-03-01 2024-07-01 2024-11-01 "
             "2025-03-01 2025-04-01"},
};

/* The keys of vaults and managed HSMs, and the HSMs' own roles. The last one is what a
 * refusal recommends: no preview. */
static const char keys_versions[] =
    "2015-06-01 7.0-preview 2016-10-01 7.0 7.1-preview 7.1 7.2-preview 7.2 7.3-preview 7.3 "
    "7.4-preview.1 7.4 7.5-preview.1 7.5 7.6-preview.1 7.6-preview.2 7.6 2026-01-01-preview 2025-07-01";

/* Is `word` one of `list`? */
static bool among(const char *list, const char *word, size_t n)
{
    for (const char *p = list; *p; p += strspn(p, " ")) {
        size_t m = strcspn(p, " ");

        if (m == n && strncasecmp(p, word, n) == 0)
            return true;
        p += m;
    }
    return false;
}

static const struct versions *versions_of(const char *provider, const char *type)
{
    for (size_t i = 0; i < COUNT(versions); i++)
        if (str_eq_nocase(versions[i].provider, provider) &&
            (str_eq(versions[i].types, "*") || among(versions[i].types, type, strlen(type))))
            return &versions[i];
    return NULL;
}

/* What the world's cloud offers of a provider; NULL: what is known of Azure. */
static const struct value *offered(const struct sim *s, const char *provider)
{
    return value_get_nocase(value_get(s->spec, "apiVersions"), provider);
}

static char *shown(struct arena *a, const struct value *own, const char *list)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    for (size_t i = 0; i < value_count(own); i++)
        text_printf(&t, "%s%s", i ? ", " : "", value_str(value_item(own, i)));
    for (const char *p = own ? "" : list; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        text_printf(&t, "%s%.*s", p == list ? "" : ", ", (int)n, p);
        p += n;
    }
    return arena_strdup(a, text_str(&t));
}

static bool holds(const struct value *own, const char *version)
{
    for (size_t i = 0; i < value_count(own); i++)
        if (str_eq_nocase(value_str(value_item(own, i)), version))
            return true;
    return false;
}

bool version_refused(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r);
    bool bare = at == SIZE_MAX || r->n_segments <= at + 2;
    const char *provider = bare ? "Microsoft.Resources" : request_segment(r, at + 1),
               *type = bare ? "" : request_segment(r, at + 2);
    const char *version = request_query(r, "api-version");
    const struct value *own = offered(s, provider);
    const struct versions *v = versions_of(provider, type);

    /* Every provider has operations beside its types. */
    if (!version || (!v && !own))
        return false;
    if (own ? holds(own, version)
            : among(v->list, version, strlen(version)) &&
                  !(v->ended && strcmp(version, v->ends_before) < 0 && s->now_ms >= time_parse(v->ended)))
        return false;
    if (bare || str_eq_nocase(provider, "Microsoft.Resources"))
        answer_arm_error(r->arena, out, 400, true, "InvalidApiVersionParameter",
                         "The api-version '%s' is invalid. The supported versions are '%s'.",
                         version, shown(r->arena, own, v ? v->list : ""));
    else
        answer_arm_error(
            r->arena, out, 400, true, "NoRegisteredProviderFound",
            "No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported "
            "api-versions are '%s'.",
            "", version, type, shown(r->arena, own, v ? v->list : ""));
    return true;
}

const char *keys_version_problem(const struct sim *s, struct arena *a, const char *version)
{
    const struct value *own = offered(s, "keys");
    const char *newest =
        own && value_count(own) ? value_str(value_item(own, value_count(own) - 1)) : strrchr(keys_versions, ' ') + 1;

    if (own ? holds(own, version) : among(keys_versions, version, strlen(version)))
        return NULL;
    return arena_printf(
        a, "The specified version (%s) is not recognized. Consider using the latest supported version (%s).", version,
        newest);
}
