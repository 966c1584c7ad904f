/* Knows how Microsoft Graph tells the object id of an application. Must not create principals. */
#include "directory.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "internal.h"
#include "shared.h"

/* The id goes into a filter; what is no id could say something else there. */
static bool is_uuid(const char *s)
{
    if (!s || strlen(s) != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; s[i]; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    return true;
}

static int principal_make(struct azure *az, struct call *c, struct arena *a, const char *app_id, struct value **ret,
                          struct err *err)
{
    const char *what = arena_printf(a, "look up the service principal of application %s", app_id), *id = NULL, *url;
    struct value *found = NULL;
    bool disabled = false;

    url =
        arena_printf(a, "%s/v1.0/servicePrincipals?$filter=appId%%20eq%%20%%27%s%%27", azure_cloud(az)->graph, app_id);
    TRY(azure_list(az, c, a, AUDIENCE_GRAPH, url, what, &found, err));
    for (size_t i = 0; i < value_count(found) && !id; i++)
        if (str_eq_nocase(value_str_at(value_item(found, i), "appId"), app_id)) {
            id = value_str_at(value_item(found, i), "id");
            disabled = !value_bool_at(value_item(found, i), "accountEnabled", true);
        }
    if (id && disabled) {
        err_set(err, ERR_BLOCKED, "the service principal of application %s is disabled: it gets no token", app_id);
        snprintf(err->code, sizeof(err->code), "AADSTS7000112");
        return -(int)err->class;
    }
    if (!id) {
        err_set(err, ERR_NOT_FOUND, "the tenant has no service principal of application %s", app_id);
        return err_advise(err, "an administrator of the directory creates it: New-MgServicePrincipal -AppId %s",
                          app_id);
    }
    azure_cache_principal(az, app_id, id);
    *ret = value_string(a, id);
    return 0;
}

/* All that ask at the same time share one look-up. */
int directory_service_principal(struct azure *az, struct call *c, struct arena *a, const char *app_id, const char **ret,
                                struct err *err)
{
    const char *id = azure_cached_principal(az, app_id);
    const struct value *found;

    if (id) {
        *ret = arena_strdup(a, id);
        return 0;
    }
    if (!is_uuid(app_id))
        return err_set(err, ERR_INVALID, "\"%.100s\" is no application id", app_id ? app_id : "");
    TRY(shared_made(az, c, a, principal_make,
                    &(struct arm_wanted){.path = app_id,
                                         .key = arena_printf(a, "service principal of %s", app_id),
                                         .since_ms = call_span_ms(c)},
                    &found, err));
    *ret = value_str(found);
    return 0;
}
