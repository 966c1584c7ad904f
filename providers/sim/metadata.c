/* Knows the services of a machine that hand out tokens of its managed identities: the instance metadata service, and
 * the one of App Service and Container Apps. Must not know what a token is used for. */
#include "internal.h"

#include <string.h>

static void refuse(const struct sim_request *r, struct sim_answer *out, int status, const char *text)
{
    struct value *body = value_map(r->arena);

    value_set_string(r->arena, body, "error", "invalid_request");
    value_set_string(r->arena, body, "error_description", text);
    answer_json(r->arena, out, status, body);
}

/* The user-assigned one of that client id, or the machine's own. */
static const struct value *identity(struct sim *s, const char *client_id)
{
    struct value *all = state_list(s, "principals");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *one = value_item(all, i);
        const char *machine = value_str_at(one, "machine");

        if (client_id ? machine && str_eq_nocase(value_str_at(one, "appId"), client_id) : str_eq(machine, "system"))
            return one;
    }
    return NULL;
}

/* Numbers are texts here, as on Azure. */
static void hand_out(struct sim *s, const struct sim_request *r, struct sim_answer *out, bool app)
{
    struct arena *a = r->arena;
    const char *asked = request_query(r, "resource"), *resource = asked ? asked : request_form(r, "resource");
    const struct value *who = identity(s, request_query(r, "client_id"));
    struct value *body = value_map(a);
    int64_t end = s->now_ms / SECOND_MS + TOKEN_SECONDS;

    if (!resource || !audience_known(s, resource)) {
        refuse(r, out, 400, "Missing or unknown resource");
        return;
    }
    if (!who) {
        refuse(r, out, 400, "Identity not found");
        return;
    }
    value_set_string(a, body, "access_token", token_issue(s, a, who, resource));
    if (!app)
        value_set_string(a, body, "expires_in", arena_printf(a, "%d", TOKEN_SECONDS));
    value_set_string(a, body, "expires_on", arena_printf(a, "%lld", (long long)end));
    value_set_string(a, body, "resource", resource);
    value_set_string(a, body, "token_type", "Bearer");
    answer_json(a, out, 200, body);
}

/* A slash at the end makes no difference. */
static bool path_is(const struct sim_request *r, const char *path)
{
    size_t n = strlen(path);

    return str_starts(r->path, path) && (!r->path[n] || str_eq(r->path + n, "/"));
}

/* A server of Azure Arc: its agent names a file that only who belongs to it can read, and wants to be shown what is in
 * it. */
static void answer_arc(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *shown = request_header(r, "Authorization"), *key = value_str_at(s->spec, "jobToken"),
               *path = value_str_at(s->spec, "arcKey");

    if (!str_eq_nocase(request_header(r, "Metadata"), "true")) {
        refuse(r, out, 400, "Required metadata header not specified");
    } else if (shown && key && str_starts(shown, "Basic ") && str_eq(shown + strlen("Basic "), key)) {
        hand_out(s, r, out, false);
    } else {
        answer_empty(out, 401);
        answer_header(r->arena, out, "WWW-Authenticate", "Basic realm=%s", path ? path : "");
    }
}

void metadata_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *header = request_header(r, "X-IDENTITY-HEADER"), *metadata = request_header(r, "Metadata"),
               *version = request_query(r, "api-version");

    if (request_is(r, "POST") && path_is(r, "/cloudshell/oauth2/token")) {
        /* Cloud Shell, which takes the same in a form. */
        if (!str_eq_nocase(metadata, "true"))
            refuse(r, out, 400, "Required metadata header not specified");
        else
            hand_out(s, r, out, false);
    } else if (!request_is(r, "GET"))
        answer_empty(out, 405);
    else if (path_is(r, "/metadata/identity/oauth2/token")) {
        if (!str_eq_nocase(metadata, "true"))
            refuse(r, out, 400, "Required metadata header not specified");
        else if (!version)
            refuse(r, out, 400, "Missing api-version");
        else
            hand_out(s, r, out, false);
    } else if (path_is(r, "/arc/metadata/identity/oauth2/token")) {
        answer_arc(s, r, out);
    } else if (path_is(r, "/msi/token")) {
        if (!header || !str_eq(header, value_str_at(s->spec, "jobToken")))
            answer_empty(out, 401);
        else
            hand_out(s, r, out, true);
    } else {
        answer_empty(out, 404);
    }
}
