/* Knows the programs of others that somebody has signed in with, az and azd: how they are found and asked. They are run
 * by their path, never by a shell. Must not know how a token is kept. */
#include "credential_kinds.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/run/helper.h"
#include "entra.h"

enum { NOT_BEGUN = 127, WORDS_MAX = 12 };

/* In the folders of PATH that are named from the root: what lies in the folder that one happens to be in is nobody's
 * program. NULL: not found. */
static char *program_find(const struct surroundings *s, const char *name)
{
    const char *path = s->variable("PATH");
    char *ret;

    for (size_t n; path && *path; path += n + (path[n] == ':')) {
        n = strcspn(path, ":");
        if (path[0] != '/')
            continue;
        ret = xmalloc(n + 1 + strlen(name) + 1);
        memcpy(ret, path, n);
        ret[n] = '/';
        memcpy(ret + n + 1, name, strlen(name) + 1);
        if (access(ret, X_OK) == 0)
            return ret;
        free(ret);
    }
    return NULL;
}

int azure_cli_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    free(c->az);
    c->az = program_find(s, "az");
    return c->az ? 0 : err_set(err, ERR_NOT_FOUND, "az is in no folder of PATH");
}

int azd_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    free(c->azd);
    c->azd = program_find(s, "azd");
    return c->azd ? 0 : err_set(err, ERR_NOT_FOUND, "azd is in no folder of PATH");
}

/* Of what a program says the token itself is never shown, should it be in there. */
static void tokens_hide(char *said)
{
    for (char *p = said; (p = strstr(p, "eyJ"));)
        for (; *p && !strchr(" \t\r\n\"'", *p); p++)
            *p = '*';
}

static int failed(const char *program, const char *sign_in, struct helper_result *got, struct err *err)
{
    tokens_hide(got->said);
    if (got->status == NOT_BEGUN)
        return err_set(err, ERR_DENIED, "%s could not be run", program);
    err_set(err, ERR_DENIED, "%s ended with %d: %.300s", program, got->status, got->said[0] ? got->said : "(no words)");
    return err_advise(err, "sign in with %s", sign_in);
}

static int run(struct credential *cr, struct call *c, const char *const *argv, const char *member, const char *sign_in,
               struct token_answer *ret, struct err *err)
{
    struct helper_result got cleanup(helper_result_release) = {0};
    const char *start;
    char end[40];
    size_t len;

    if (!cr->helper)
        return err_set(err, ERR_DENIED, "%s cannot be run here", argv[0]);
    TRY(helper_run(cr->helper, c, argv, &got, err));
    if (got.status != 0)
        return failed(argv[0], sign_in, &got, err);
    if (json_cut(got.out.bytes, got.out.len, member, &start, &len, err) < 0)
        return err_set(err, ERR_DENIED, "%s answered with something that holds no %s", argv[0], member);
    secret_set(&ret->token, start, len);
    ret->life_ms = token_life_ms(&got.out, call_now_ms(c));
    /* azd tells its end as a time with its zone; az tells it in seconds too, or as a time without one. */
    if (json_cut(got.out.bytes, got.out.len, "expiresOn", &start, &len, err) == 0 && len < sizeof(end) && len &&
        start[len - 1] == 'Z') {
        memcpy(end, start, len);
        end[len] = '\0';
        if (time_parse(end) != TIME_NONE && time_parse(end) > call_now_ms(c))
            ret->life_ms = time_parse(end) - call_now_ms(c);
    }
    return 0;
}

/* Both keep tokens, and would hand out the one that Azure has just refused: only a person who signs in anew answers a
 * claims challenge. */
static int claims_refuse(const char *program, const struct token_request *r, struct err *err)
{
    struct text claims cleanup(text_release) = {.ceiling = TEXT_CEILING};

    if (!r->claims)
        return 0;
    err_set(err, ERR_DENIED, "Azure takes the token of %s no longer: it asks for a new sign-in (a claims challenge)",
            program);
    if (!str_eq(program, "az"))
        return err_advise(err, "sign in with azd auth logout, then azd auth login");
    crypt_base64_encode(&claims, r->claims, strlen(r->claims), BASE64_STANDARD);
    return err_advise(err,
                      "sign in with az logout, then az login --tenant %s --scope %s/.default --claims-challenge %s",
                      r->tenant, audience_resource(r->cloud, r->audience), text_str(&claims));
}

int azure_cli_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
                  struct err *err)
{
    const char *argv[WORDS_MAX] = {cr->az, "account", "get-access-token", "--output", "json", "--resource"};
    size_t n = 6;

    TRY(claims_refuse("az", r, err));
    argv[n++] = audience_resource(r->cloud, r->audience);
    if (*r->tenant) {
        argv[n++] = "--tenant";
        argv[n++] = r->tenant;
    }
    return run(cr, c, argv, "accessToken", "az login", ret, err);
}

int azd_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
            struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *argv[WORDS_MAX] = {cr->azd, "auth", "token", "--output", "json", "--no-prompt", "--scope"};
    size_t n = 7;

    TRY(claims_refuse("azd", r, err));
    argv[n++] = arena_printf(a, "%s/.default", audience_resource(r->cloud, r->audience));
    if (*r->tenant) {
        argv[n++] = "--tenant-id";
        argv[n++] = r->tenant;
    }
    return run(cr, c, argv, "token", "azd auth login", ret, err);
}
