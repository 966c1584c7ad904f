/* Knows how error bodies of the services are shaped. What their codes mean is in error_codes.c. Must not send anything.
 * A code that is not in that table is judged by its HTTP status and shown with the service's own words. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "arm.h"
#include "internal.h"

/* --- reading bodies ----------------------------------------------------------------------------------------------- */

/* What an error body says, whatever service wrote it. */
struct said {
    const char *code, *inner, *message;
    const char *tree;                 /* every code there is, outermost first: "Forbidden > ForbiddenByRbac" */
    const char *policy;               /* which policy refuses, by assignment and definition; NULL: none is named */
};

/* "AADSTS7000215: Invalid …": the number tells more than invalid_client does. */
static void read_entra(struct arena *a, const struct value *body, struct said *said)
{
    const char *description = value_str(value_get_nocase(body, "error_description"));

    said->code = value_str(value_get_nocase(body, "error"));
    said->message = description ? arena_strndup(a, description, strcspn(description, "\r\n")) : NULL;
    if (str_starts(description, "AADSTS")) {
        size_t n = 6 + strspn(description + 6, "0123456789");

        said->code = arena_strndup(a, description, n);
    }
}

enum { TREE_DEPTH = 5, TREE_WIDTH = 4 };

static const char *code_inside(struct arena *a, const char *tree, const char *code)
{
    return tree ? arena_printf(a, "%s > %s", tree, code) : code;
}

/* The codes inside an error: innererror in innererror, and those of its details. */
static const char *inner_codes(struct arena *a, const struct value *error, const char *outer, size_t depth)
{
    const struct value *inner = value_get_nocase(error, "innererror"), *details = value_get_nocase(error, "details");
    const char *code = value_str(value_get_nocase(inner, "code")), *tree = outer;

    if (depth == TREE_DEPTH)
        return tree;
    if (code && !str_eq(code, outer))
        tree = code_inside(a, tree, code);
    if (inner)
        tree = inner_codes(a, inner, tree, depth + 1);
    for (size_t i = 0; i < value_count(details) && i < TREE_WIDTH; i++) {
        const struct value *one = value_item(details, i);

        code = value_str(value_get_nocase(one, "code"));
        if (code && !(tree && strstr(tree, code)))
            tree = code_inside(a, tree, code);
        tree = inner_codes(a, one, tree, depth + 1);
    }
    return tree;
}

/* additionalInfo of a policy's refusal; names that people gave stand before those that machines made. */
static const char *refusing_policy(struct arena *a, const struct value *error)
{
    const struct value *all = value_get_nocase(error, "additionalInfo");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *info = value_get_nocase(value_item(all, i), "info");
        const char *shown = value_str_at(info, "policyAssignmentDisplayName"),
                   *name = value_str_at(info, "policyAssignmentName");
        const char *rule = value_str_at(info, "policyDefinitionDisplayName"),
                   *where = value_str_at(info, "policyAssignmentScope");

        if (!name && !shown)
            continue;
        rule = rule ? rule : value_str_at(info, "policyDefinitionName");
        return arena_printf(a, "the policy assignment \"%s\"%s%s denies this, by its definition \"%s\"",
                            shown && *shown ? shown : name, where ? " at " : "", where ? where : "", rule ? rule : "?");
    }
    return NULL;
}

static void read_json(struct arena *a, const struct value *body, struct said *said)
{
    const struct value *error = value_get_nocase(body, "error"), *inner;

    if (value_is(error, VALUE_STRING)) {
        read_entra(a, body, said);
        return;
    }
    if (!error)
        error = body;
    said->code = value_str(value_get_nocase(error, "code"));
    said->message = value_str(value_get_nocase(error, "message"));
    /* Key Vault tells the true reason here; Graph writes innerError with other members. */
    inner = value_get_nocase(error, "innererror");
    said->inner = value_str(value_get_nocase(inner, "code"));
    if (!said->inner && !azure_error_find(said->code))
        said->inner = value_str_at(error, "details.0.code");
    said->tree = inner_codes(a, error, said->code, 0);
    said->policy = refusing_policy(a, error);
}

static char *xml_element(struct arena *a, const char *s, const char *name)
{
    const char *start = strstr(s, arena_printf(a, "<%s>", name)), *end;

    if (!start)
        return NULL;
    start += strlen(name) + 2;
    end = strstr(start, arena_printf(a, "</%s>", name));
    return end ? arena_strndup(a, start, (size_t)(end - start)) : NULL;
}

/* One line, of bounded length, without control characters. */
static char *tidy(struct arena *a, const char *s)
{
    char *copy = arena_strndup(a, s, strnlen(s, 600)), *to = copy;
    bool blank = true;

    for (const char *p = copy; *p; p++) {
        bool is_blank = (unsigned char)*p <= ' ';

        if (!is_blank)
            *to++ = *p;
        else if (!blank)
            *to++ = ' ';
        blank = is_blank;
    }
    *to = '\0';
    return copy;
}

/* A sentence within a sentence. */
static char *without_stop(char *s)
{
    size_t n = strlen(s);

    while (n > 0 && (s[n - 1] == '.' || s[n - 1] == ' '))
        s[--n] = '\0';
    return s;
}

static void read_body(struct arena *a, const char *body, size_t len, struct said *said)
{
    struct value *json;
    struct err ignored;

    *said = (struct said){0};
    if (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0) {
        body += 3;
        len -= 3;
    }
    if (len == 0)
        return;
    body = arena_strndup(a, body, strnlen(body, len));
    if (body[0] == '<') {
        said->code = xml_element(a, body, "Code");
        said->message = xml_element(a, body, "Message");
    } else if (json_parse(a, body, strlen(body), &json, &ignored) == 0 && value_is(json, VALUE_MAP)) {
        read_json(a, json, said);
    } else {
        said->message = body;
    }
}

/* Codes that stand for many things; what is meant shows in the message only. An absent thing stays absent. */
static const struct azure_error *find_by_text(int status, const char *message)
{
    return status != 401 && status != 404 ? azure_error_in_text(message) : NULL;
}

enum err_class azure_status_class(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_NOT_FOUND;
    case 408:
        return ERR_TRANSIENT;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 429:
        return ERR_THROTTLED;
    default:
        return status >= 500 ? ERR_TRANSIENT : status >= 400 ? ERR_INVALID : ERR_PROTOCOL;
    }
}

/* The text behind "object id '" and the like in an authorization message. */
static char *quoted(struct arena *a, const char *message, const char *before)
{
    const char *start = str_find_nocase(message, before);

    if (!start)
        return NULL;
    start += strlen(before);
    return arena_strndup(a, start, strcspn(start, "'"));
}

/* What the long sentence of an authorization refusal is about: the action that is refused, which is the last one it
 * names (the first may be one that we hold), and where; or the deny assignment that refuses it. NULL:
 * it names neither. */
static char *refused_what(struct arena *a, const struct said *said)
{
    const char *message = said->message,
               *linked = str_find_nocase(message, "does not have permission to perform action");
    char *who = quoted(a, message, "object id '"), *deny = quoted(a, message, "deny assignment with name '");
    char *action = quoted(a, linked ? linked : message, linked ? "action(s) '" : "action '");
    char *scope = quoted(a, message, linked ? "linked scope(s) '" : "scope '");

    if (deny)
        return arena_printf(a, "the deny assignment \"%s\" at %s forbids this, whatever roles we hold", deny,
                            quoted(a, message, "at scope '"));
    if (linked && !action)
        action = quoted(a, linked, "action '");
    if (!action || !scope)
        return NULL;
    return str_find_nocase(message, "ABAC condition")
               ? arena_printf(a, "a condition on our right %s forbids this, at %s (object id %s)", action, scope,
                              who ? who : "?")
               : arena_printf(a, "we lack %s at %s (object id %s)", action, scope, who ? who : "?");
}

/* A service in trouble knows nothing of what is absent; a 403 must always show as one. */
static enum err_class class_of(const struct azure_error *row, int status)
{
    if (!row)
        return azure_status_class(status);
    if (status == 429)
        return ERR_THROTTLED;
    if (status == 401 || (status == 403 && row->class != ERR_BLOCKED))
        return ERR_DENIED;
    return row->class == ERR_NOT_FOUND && status >= 500 ? ERR_TRANSIENT : row->class;
}

/* Azure always says what it did not find, in the words of the service that was asked; a proxy, a wrong address or an
 * answer to somebody else does not. What is taken for absent by mistake would be made anew. */
static int not_absent(const struct azure_asked *asked, const char *code, struct err *err)
{
    err->class = ERR_PROTOCOL;
    if (code && !asked->anyone)
        err_advise(err,
                   "%s is no word of the service that was asked for \"there is no such thing\", so it is not taken "
                   "for \"absent\"; look again, and check endpoint and proxy",
                   code);
    else
        err_advise(err, "that answer does not look like Azure's and is not taken for \"absent\"; "
                        "check endpoint and proxy");
    return -(int)err->class;
}

/* What a row says of a code holds under the status that such an answer has: none is absent for a service that
 * throttles, refuses or is in trouble, and its own remedy would lead astray. */
static bool row_fits(const struct azure_error *row, int status, enum err_class class)
{
    return row && (row->class == class || (row->class != ERR_NOT_FOUND && status != 429));
}

static const char *advice_by_class(enum err_class class)
{
    return class == ERR_THROTTLED   ? "wait as long as the service says"
           : class == ERR_TRANSIENT ? "try again in some minutes"
           : class == ERR_CONFLICT  ? "look at what is there now, then plan again"
           : class == ERR_DENIED    ? "check credential, roles and access policies, and the firewall of the service"
                                    : NULL;
}

int azure_error_from(struct arena *a, const struct azure_asked *asked, int status, const char *body, size_t len,
                     const char *what, struct err *err)
{
    const struct azure_error *row;
    const char *detail = NULL, *meaning, *code, *shown;
    enum err_class class;
    bool fits;
    struct said said;

    read_body(a, body, len, &said);
    row = find_by_text(status, said.message);
    if (!row)
        row = azure_error_find(said.inner);
    if (!row)
        row = azure_error_meant(said.code, said.message);
    /* The inner code says why. One that is in no table is shown as it came: the general code's remedy may
     * be none for it. */
    if (status == 403 && said.inner && str_eq_nocase(said.code, "Forbidden") && row && str_eq(row->code, "Forbidden"))
        row = NULL;
    code = said.inner && (!row || !str_eq_nocase(row->code, said.code)) ? said.inner : said.code;
    class = class_of(row, status);
    fits = row_fits(row, status, class) && (class != ERR_NOT_FOUND || azure_says_absent(asked, row->code));
    meaning = fits ? row->meaning : NULL;
    /* What this very refusal is about tells more than what its code means in general; the service's
     * own words stand beside it. */
    if (said.message && str_find_nocase(said.message, "perform action")) {
        const char *about = refused_what(a, &said);

        meaning = about ? about : meaning;
    }
    if (said.policy)
        meaning = tidy(a, said.policy);
    if (said.message)
        detail = without_stop(tidy(a, said.message));
    shown = said.tree ? said.tree : code;
    /* The service's own words stand first: ours may mean another case. */
    err_set(err, class, "%s: %s%s%s%s%s%s%s", what, status ? arena_printf(a, "%d", status) : "",
            status && shown ? " " : "", shown ? tidy(a, shown) : "", detail && *detail ? ": " : "",
            detail ? detail : "", meaning ? ": " : "", meaning ? meaning : "");
    err->http_status = status;
    err->busy = class == ERR_CONFLICT && row && row->cure == CURE_WAIT;
    snprintf(err->code, sizeof(err->code), "%s", code ? tidy(a, code) : "");
    if (class == ERR_NOT_FOUND && !(code && fits))
        return not_absent(asked, code && row ? err->code : NULL, err);
    if (fits)
        err_advise(err, "%s", row->action);
    else if ((row || class != ERR_DENIED) && advice_by_class(class))
        err_advise(err, "%s", advice_by_class(class));
    return -(int)err->class;
}

/* Continuous access evaluation: a token of the same kind is refused again. */
static void claims_asked(struct err *err)
{
    const struct azure_error *row = azure_error_find("insufficient_claims");

    err_note(err, "%s", row->meaning);
    err_advise(err, "%s", row->action);
}

int azure_error_of(struct arena *a, enum audience audience, const char *url, const struct http_response *response,
                   const char *what, struct err *err)
{
    const struct azure_asked asked = {.audience = audience, .url = url};
    const char *code = http_response_header(response, "x-ms-error-code"), *body = response->body.bytes;
    const char *challenge = http_response_header(response, "WWW-Authenticate");
    size_t len = response->body.len;
    int64_t retry_after_ms = http_retry_after_ms(response);

    /* A HEAD, and some services in haste, say why in a header only. */
    if (len == 0 && code) {
        body = arena_printf(a, "<Error><Code>%s</Code></Error>", code);
        len = strlen(body);
    }
    azure_error_from(a, &asked, response->status, body, len, what, err);
    if (response->status == 401 && challenge && str_find_nocase(challenge, "insufficient_claims"))
        claims_asked(err);
    if (retry_after_ms > 0)
        err->retry_after_ms = retry_after_ms;
    /* "Too many requests" helps nobody; the time at which the throttle ends does. */
    if (response->status == 429 && retry_after_ms > 0)
        err_advise(err, "it answers again from %s on; all else goes on",
                   response->date_ms == TIME_NONE ? arena_printf(a, "%s from now", duration_format(a, retry_after_ms))
                                                  : time_format(a, response->date_ms + retry_after_ms));
    return -(int)err->class;
}
