/* Knows how the values of options are read: paths, times, numbers, names. Must not know which command takes them. */
#include "option_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../providers/doctor/doctor.h"
#include "../providers/doctor/roles.h"
#include "commands.h"

const char *const option_outputs[] = {"text", "json", "junit", "sarif", "github", "markdown", NULL};

static const char *const drawings[] = {"dot", "mermaid", NULL}, *const purposes[] = {"recovery", "drill", NULL};

/* --- values ------------------------------------------------------------------------------------------------------- */

static int count_parse(const char *name, const char *text, int64_t max, int64_t *ret, struct err *err)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < 0 || n > max)
        return err_set(err, ERR_INVALID, "--%s: \"%s\" is no number from 0 to %lld", name, text, (long long)max);
    *ret = n;
    return 0;
}

static int factor_parse(const char *name, const char *text, double *ret, struct err *err)
{
    char *end;
    double n;

    errno = 0;
    n = strtod(text, &end);
    if (errno || end == text || *end || !(n >= 0 && n <= 1e6))
        return err_set(err, ERR_INVALID, "--%s: \"%s\" is no number from 0 to 1000000", name, text);
    *ret = n;
    return 0;
}

static int approval_parse(struct arena *a, const char *option, const char *text, struct approvals *ret, struct err *err)
{
    const char *equals = strchr(text, '=');
    struct approval approval;

    if (!equals || equals == text || !equals[1])
        return err_set(err, ERR_INVALID, "--%s: \"%s\" is not %s", option, text,
                       str_eq(option, "approve") ? "RULE=NAME, such as built-in/restore-key=\"A. Person\""
                                                 : "CLAIM=NAME, the claim as a blocked step names it");
    if (str_eq_nocase(equals + 1, "YOUR-NAME"))
        return err_set(err, ERR_INVALID,
                       "--%s: YOUR-NAME stands for the name of whoever decides: write your own, such as "
                       "\"%.*s=A. Person\"",
                       option, (int)(equals - text), text);
    approval =
        (struct approval){.rule = arena_strndup(a, text, (size_t)(equals - text)), .name = arena_strdup(a, equals + 1)};
    arena_push(a, ret->items, ret->count, approval);
    return 0;
}

static int word_parse(const char *name, const char *text, const char *const *words, size_t *ret, struct err *err)
{
    struct text known cleanup(text_release) = {0};

    for (size_t i = 0; words[i]; i++)
        if (str_eq(words[i], text)) {
            *ret = i;
            return 0;
        }
    text_init(&known, TEXT_CEILING);
    for (size_t i = 0; words[i]; i++)
        text_printf(&known, "%s%s", i ? " nor " : "", words[i]);
    return err_set(err, ERR_INVALID, "--%s: \"%s\" is neither %s", name, text, text_str(&known));
}

/* The words that such a value may be; NULL: it is none of a few. */
static const char *const *words_for(enum option_type type)
{
    switch (type) {
    case TYPE_OUTPUT:
        return option_outputs;
    case TYPE_DRAWING:
        return drawings;
    case TYPE_PURPOSE:
        return purposes;
    case TYPE_SHELL:
        return runbook_shell_names;
    case TYPE_NEEDED_FOR:
        return need_for_names;
    case TYPE_ROLE:
        return role_part_names;
    default:
        return NULL;
    }
}

int option_value_store(struct arena *a, const struct option_row *row, const char *text, struct options *o,
                       struct err *err)
{
    void *field = (char *)o + row->offset;
    struct texts *texts = field;
    size_t word = 0;

    if (words_for(row->type))
        TRY(word_parse(row->name, text, words_for(row->type), &word, err));
    switch (row->type) {
    case TYPE_FLAG:
        *(bool *)field = true;
        return 0;
    case TYPE_TEXT:
        *(const char **)field = text;
        return *text ? 0 : err_set(err, ERR_INVALID, "--%s: the %s is empty", row->name, row->value);
    case TYPE_TEXTS:
        arena_push(a, texts->items, texts->count, text);
        return *text ? 0 : err_set(err, ERR_INVALID, "--%s: the %s is empty", row->name, row->value);
    case TYPE_DURATION:
        if (duration_parse(text) < 0) {
            const char *meant = duration_meant(a, text);

            err_set(err, ERR_INVALID, "--%s: \"%s\" is no duration such as 90s, 10m, 24h or 7d", row->name, text);
            return meant ? err_advise(err, "did you mean %s?", meant) : -(int)err->class;
        }
        *(int64_t *)field = duration_parse(text);
        return 0;
    case TYPE_COUNT:
        return count_parse(row->name, text, row->max, field, err);
    case TYPE_FACTOR:
        return factor_parse(row->name, text, field, err);
    case TYPE_APPROVAL:
        return approval_parse(a, row->name, text, field, err);
    case TYPE_OUTPUT:
        *(enum output_format *)field = (enum output_format)word;
        return 0;
    case TYPE_DRAWING:
    case TYPE_PURPOSE:
        *(const char **)field = words_for(row->type)[word];
        return 0;
    case TYPE_SHELL:
        *(enum runbook_shell *)field = (enum runbook_shell)word;
        return 0;
    case TYPE_NEEDED_FOR:
        *(unsigned *)field = 1u << word;
        return 0;
    case TYPE_ROLE:
        *(int *)field = (int)word + 1;
        return 0;
    }
    return 0;
}
