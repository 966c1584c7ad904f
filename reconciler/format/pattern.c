/* Knows regular expressions, PCRE2's. Must not know what they are matched against. Expressions come from manifests, so
 * both compiling and matching are bounded; the interpreter is used, whose memory is on the heap, not the JIT. */
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { EXPRESSION_MAX = 4096, MATCH_STEPS_MAX = 200 * 1000, MATCH_DEPTH_MAX = 10 * 1000, MATCH_HEAP_KIB = 16 * 1024 };

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;   /* kept, with the memory that a match takes: patterns are matched by one thread */
};

int pattern_new(const char *expression, struct pattern **ret, struct err *err)
{
    struct pattern *p cleanup(pattern_freep) = xcalloc(1, sizeof(*p));
    size_t len = strlen(expression), at = 0;
    int number = 0;

    if (len > EXPRESSION_MAX)
        return err_set(err, ERR_INVALID, "the expression is longer than %d characters", EXPRESSION_MAX);
    /* A dollar means the very end: "name\n" must not pass for "^name$". */
    p->code = pcre2_compile((PCRE2_SPTR)expression, len,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                            &number, &at, NULL);
    if (!p->code) {
        char reason[160] = "";

        pcre2_get_error_message(number, (PCRE2_UCHAR *)reason, sizeof(reason));
        return err_set(err, ERR_INVALID, "not a regular expression: at character %zu: %s", at + 1, reason);
    }
    p->limits = pcre2_match_context_create(NULL);
    p->data = pcre2_match_data_create(1, NULL);
    if (!p->limits || !p->data)
        return err_set(err, ERR_INVALID, "no memory to match with");
    pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(p->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(p->limits, MATCH_HEAP_KIB);
    *ret = p;
    p = NULL;
    return 0;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

void pattern_freep(struct pattern **p)
{
    pattern_free(*p);
    *p = NULL;
}

int pattern_matches(const struct pattern *p, const char *s, bool *ret, struct err *err)
{
    char reason[160] = "";
    int rc;

    rc = pcre2_match(p->code, (PCRE2_SPTR)s, strlen(s), 0, 0, p->data, p->limits);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)reason, sizeof(reason));
        return err_set(err, ERR_INVALID, "the expression cannot be decided: %s", reason);
    }
    *ret = rc >= 0;
    return 0;
}
