/* Knows what has been asked of Azure, by what an address stands for. Must not know why it was asked, nor hold anything
 * up (allowances.h does). */
#include "reads.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/index.h"
#include "../../reconciler/run/bucket.h"
#include "internal.h"

/* What such an answer tells; the first row whose end fits counts. */
static const struct {
    const char *what, *tells;
} told[] = {
    {"/virtualMachines/instanceView", "whether a machine runs"},
    {"/virtualMachines?statusOnly", "whether machines run"},
    {"/virtualMachines", "machines, their disks and sets"},
    {"/diskEncryptionSets/associatedResources", "what uses a set"},
    {"/diskEncryptionSets", "sets, their keys and identities"},
    {"/disks", "disks and their sets"},
    {"/backupProtectedItems", "what is protected, when its newest point was taken"},
    {"/recoveryPoints", "recovery points: times, tiers, whose key"},
    {"/backupJobs", "restore jobs"},
    {"/backupResourceGuardProxies", "whether a second person is asked"},
    {"/backupValidateOperation", "what Azure Backup has against a restore"},
    {"/backupPolicies", "how machines are protected"},
    {"Microsoft.RecoveryServices/vaults", "backup vaults"},
    {"Microsoft.KeyVault/vaults", "key vaults"},
    {"/managedHSMs", "managed HSMs"},
    {"/roleAssignments", "who has which role"},
    {"/roleDefinitions", "what a role allows"},
    {"/permissions", "what we may do ourselves"},
    {"/storageAccounts", "staging accounts"},
    {"/virtualNetworks", "networks and subnets"},
    {"/locks", "locks"},
    {"/usages", "quotas"},
    {"/features", "features of a subscription"},
    {"resourceGroups/resources", "what lies in a group"},
    {"resourceGroups", "resource groups"},
    {"keys/versions", "the versions of a key"},
    {"deletedkeys", "deleted keys"},
    {"keys", "keys: newest version, release policy, life"},
    {"servicePrincipals", "who a service is in this tenant"},
    {"blobs", "claims, exports and copies of keys"},
};

struct asked {
    const char *service, *what, *whose;
    bool list;
    size_t times;
};

struct drawn {
    const struct allowance *of;
    const char *whose;
    size_t times;
};

struct reads {
    struct arena *arena;
    struct index *by_name;
    struct asked **asked;
    size_t n_asked;
    struct index *by_draw;
    struct drawn **drawn;
    size_t n_drawn;
};

static void reads_free(void *what)
{
    struct reads *r = what;

    arena_free(r->arena);
}

static struct reads *reads_of(struct azure *az)
{
    struct reads *r = azure_kept(az, KEPT_READS);
    struct arena *a;

    if (r)
        return r;
    a = arena_new();
    r = arena_new_of(a, struct reads);
    *r = (struct reads){.arena = a, .by_name = index_new(a, INDEX_NOCASE), .by_draw = index_new(a, INDEX_NOCASE)};
    azure_keep(az, KEPT_READS, r, reads_free);
    return r;
}

/* --- what an address stands for ----------------------------------------------------------------------------------- */

enum { SEGMENTS_MAX = 32 };

struct segments {
    const char *at[SEGMENTS_MAX];
    size_t n[SEGMENTS_MAX];
    size_t count;
};

static void split(const char *path, struct segments *ret)
{
    ret->count = 0;
    while (*path && !strchr("?#", *path) && ret->count < SEGMENTS_MAX) {
        size_t n = strcspn(path, "/?#");

        if (n) {
            ret->at[ret->count] = path;
            ret->n[ret->count++] = n;
        }
        path += n + (path[n] == '/');
    }
}

static bool segment_is(const struct segments *s, size_t i, const char *word)
{
    return i < s->count && s->n[i] == strlen(word) && str_eq_nocase_n(s->at[i], word, s->n[i]);
}

static void add_type(struct text *t, const struct segments *s, size_t i)
{
    text_printf(t, "%s%.*s", t->len ? "/" : "", (int)s->n[i], s->at[i]);
}

/* Of Resource Manager: "Microsoft.Compute/virtualMachines", of the last provider that the address names. */
static bool arm_what(const char *url, const struct segments *s, struct text *what)
{
    size_t from = s->count;
    bool list;

    for (size_t i = 0; i + 1 < s->count; i++)
        if (segment_is(s, i, "providers"))
            from = i + 1;
    if (from == s->count) {
        /* subscriptions/ID/resourceGroups/NAME/resources */
        for (size_t i = s->count > 2 ? 2 : 0; i < s->count; i += 2)
            add_type(what, s, i);
        return s->count % 2 == 1;
    }
    for (size_t i = from; i < s->count; i++)
        if (i == from || (i - from) % 2 == 1)
            add_type(what, s, i);
    list = (s->count - from) % 2 == 0 && !segment_is(s, s->count - 1, "instanceView") &&
           !segment_is(s, s->count - 1, "defaultProvider");
    if (str_find_nocase(url, "statusOnly=true"))
        text_add(what, "?statusOnly");
    return list;
}

/* keys/NAME, keys/NAME/VERSION, keys/NAME/versions, deletedkeys/NAME; v1.0/servicePrincipals. */
static bool other_what(enum audience audience, const char *url, const struct segments *s, struct text *what)
{
    bool versions = s->count > 2 && segment_is(s, s->count - 1, "versions");

    if (audience == AUDIENCE_STORAGE) {
        text_add(what, "blobs");
        return str_find_nocase(url, "comp=list") != NULL;
    }
    if (s->count)
        add_type(what, s, audience == AUDIENCE_GRAPH && s->count > 1 ? 1 : 0);
    if (versions)
        text_add(what, "/versions");
    return versions || s->count == 1 || audience == AUDIENCE_GRAPH;
}

/* Whose it is: a subscription's, a store's. */
static void add_whose(struct text *t, enum audience audience, const char *host, const struct segments *s)
{
    if (audience != AUDIENCE_ARM)
        text_add_n(t, host, strcspn(host, "/?#"));
    else if (segment_is(s, 0, "subscriptions") && s->count > 1)
        text_add_n(t, s->at[1], s->n[1]);
}

static void note_draws(struct reads *r, const struct http_request *request)
{
    for (size_t i = 0; i < request->n_draws; i++) {
        const struct draw *d = &request->draws[i];
        struct text name cleanup(text_release) = {.ceiling = 2048};
        struct drawn *drawn;

        text_printf(&name, "%s|%s", d->of->name, d->whose);
        drawn = index_get(r->by_draw, text_str(&name));
        if (!drawn) {
            drawn = arena_new_of(r->arena, struct drawn);
            *drawn = (struct drawn){.of = d->of, .whose = arena_strdup(r->arena, d->whose)};
            index_put(r->by_draw, arena_strdup(r->arena, text_str(&name)), drawn);
            arena_push(r->arena, r->drawn, r->n_drawn, drawn);
        }
        drawn->times++;
    }
}

void reads_note(struct azure *az, enum audience audience, const struct http_request *request)
{
    static const char *const services[AUDIENCE_COUNT] = {"Resource Manager", "Key Vault", "Managed HSM", "Storage",
                                                         "Microsoft Graph"};
    const char *host = request->url + (str_starts_nocase(request->url, "https://") ? strlen("https://") : 0);
    struct text what cleanup(text_release) = {.ceiling = 512}, whose cleanup(text_release) = what,
                     name cleanup(text_release) = {.ceiling = 2048};
    struct reads *r = reads_of(az);
    struct segments s;
    struct asked *one;
    bool list;

    split(host + strcspn(host, "/?#"), &s);
    list = audience == AUDIENCE_ARM ? arm_what(request->url, &s, &what) : other_what(audience, request->url, &s, &what);
    add_whose(&whose, audience, host, &s);
    text_printf(&name, "%d|%d|%s|%s", (int)audience, list, text_str(&what), text_str(&whose));
    one = index_get(r->by_name, text_str(&name));
    if (!one) {
        one = arena_new_of(r->arena, struct asked);
        *one = (struct asked){.service = services[audience], .what = arena_strdup(r->arena, text_str(&what)),
                              .whose = arena_strdup(r->arena, text_str(&whose)), .list = list};
        index_put(r->by_name, arena_strdup(r->arena, text_str(&name)), one);
        arena_push(r->arena, r->asked, r->n_asked, one);
    }
    one->times++;
    note_draws(r, request);
}

/* --- told --------------------------------------------------------------------------------------------------------- */

static const char *tells(const char *what)
{
    for (size_t i = 0; i < COUNT(told); i++)
        if (str_ends_nocase(what, told[i].what))
            return told[i].tells;
    return NULL;
}

static int more_first(const void *x, const void *y)
{
    const struct asked *a = *(struct asked *const *)x, *b = *(struct asked *const *)y;
    int by = strcmp(a->what, b->what);

    return a->times != b->times ? (a->times > b->times ? -1 : 1) : by ? by : strcmp(a->whose, b->whose);
}

static struct value *asked_value(struct arena *a, const struct asked *one)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "service", one->service);
    value_set_string(a, v, "what", one->what);
    value_set_string(a, v, "tells", tells(one->what));
    value_set_string(a, v, "way", one->list ? "list" : "single");
    value_set_string(a, v, "of", *one->whose ? one->whose : NULL);
    value_set_int(a, v, "requests", (int64_t)one->times);
    return v;
}

/* So many at once, and the rest as fast as more are let through. */
static double seconds_of(const struct drawn *d)
{
    double over = (double)d->times - d->of->most;

    return over > 0 && d->of->per_second > 0 ? over / d->of->per_second : 0;
}

static struct value *drawn_value(struct arena *a, const struct drawn *d)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "limit", d->of->name);
    value_set_string(a, v, "of", d->whose);
    value_set_int(a, v, "requests", (int64_t)d->times);
    value_set_int(a, v, "atOnce", (int64_t)d->of->most);
    value_set(a, v, "perSecond", value_real(a, d->of->per_second));
    value_set(a, v, "seconds", value_real(a, seconds_of(d)));
    return v;
}

void reads_add(const struct azure *az, struct arena *a, struct reads_sum *sum)
{
    struct reads *r = azure_kept(az, KEPT_READS);

    if (!r)
        return;
    if (r->n_asked)
        qsort(r->asked, r->n_asked, sizeof(struct asked *), more_first);
    for (size_t k = 0; k < r->n_asked; k++) {
        sum->requests += r->asked[k]->times;
        value_push(a, sum->from, asked_value(a, r->asked[k]));
    }
    /* What no document tells the limit of is not reckoned with. */
    for (size_t k = 0; k < r->n_drawn; k++) {
        if (r->drawn[k]->of->most <= 0)
            continue;
        value_push(a, sum->limits, drawn_value(a, r->drawn[k]));
        sum->seconds = seconds_of(r->drawn[k]) > sum->seconds ? seconds_of(r->drawn[k]) : sum->seconds;
    }
}
