/* Knows how errors and diagnostics are recorded and worded. Must not know who prints them. */
#include "err.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const class_names[ERR_CLASS_COUNT] = {
    "none",      "invalid",   "denied",          "blocked",  "not-found", "conflict",
    "throttled", "transient", "unknown-outcome", "protocol", "cancelled",
};

const char *err_class_name(enum err_class class)
{
    return class >= 0 && class < ERR_CLASS_COUNT ? class_names[class] : "unknown";
}

int err_set(struct err *err, enum err_class class, const char *fmt, ...)
{
    va_list ap;

    *err = (struct err){.class = class};
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return -(int)class;
}

int err_note(struct err *err, const char *fmt, ...)
{
    char note[sizeof(err->text)];
    size_t n, keep;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(note, sizeof(note) - 2, fmt, ap);
    va_end(ap);
    n = strlen(note);
    memcpy(note + n, ": ", 3);
    n += 2;
    keep = strlen(err->text);
    if (n + keep >= sizeof(err->text))
        keep = sizeof(err->text) - 1 - n;
    memmove(err->text + n, err->text, keep);
    memcpy(err->text, note, n);
    err->text[n + keep] = '\0';
    return -(int)err->class;
}

int err_advise(struct err *err, const char *fmt, ...)
{
    size_t n = strlen(err->text);
    va_list ap;

    if (n + 2 < sizeof(err->text)) {
        memcpy(err->text + n, "; ", 3);
        va_start(ap, fmt);
        vsnprintf(err->text + n + 2, sizeof(err->text) - n - 2, fmt, ap);
        va_end(ap);
    }
    return -(int)err->class;
}

void diags_init(struct diags *d, struct arena *a)
{
    *d = (struct diags){.arena = a};
}

void diags_add(struct diags *d, enum severity severity, const struct origin *origin, const char *instead,
               const char *fmt, ...)
{
    struct diag item = {.severity = severity};
    va_list ap;

    if (severity == SEVERITY_ERROR)
        d->n_errors++;
    if (d->count == DIAGS_MAX) {
        d->dropped++;
        return;
    }
    if (origin)
        item.origin = *origin;
    va_start(ap, fmt);
    item.what = arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
    item.instead = arena_strdup(d->arena, instead);
    arena_push(d->arena, d->items, d->count, item);
}

static int diag_before(const struct diag *a, const struct diag *b)
{
    int by_file = strcmp(a->origin.file ? a->origin.file : "", b->origin.file ? b->origin.file : "");

    if (by_file)
        return by_file;
    if (a->origin.line != b->origin.line)
        return a->origin.line < b->origin.line ? -1 : 1;
    return a->origin.column < b->origin.column ? -1 : a->origin.column > b->origin.column;
}

bool diags_full(const struct diags *d)
{
    return d->count == DIAGS_MAX;
}

void diags_sort(struct diags *d)
{
    /* Insertion keeps equal places in their order; there are at most DIAGS_MAX. */
    for (size_t i = 1; i < d->count; i++) {
        struct diag item = d->items[i];
        size_t at = i;

        for (; at > 0 && diag_before(&item, &d->items[at - 1]) < 0; at--)
            d->items[at] = d->items[at - 1];
        d->items[at] = item;
    }
}

char *diag_format(struct arena *a, const struct diag *d)
{
    const char *tail = d->instead ? d->instead : "";
    const char *sep = d->instead ? "; " : "";
    const char *mark = d->severity == SEVERITY_WARNING ? "warning: " : "";

    if (!d->origin.file)
        return arena_printf(a, "%s%s%s%s", mark, d->what, sep, tail);
    if (d->origin.line == 0)
        return arena_printf(a, "%s: %s%s%s%s", d->origin.file, mark, d->what, sep, tail);
    return arena_printf(a, "%s:%d:%d: %s%s%s%s", d->origin.file, d->origin.line, d->origin.column, mark, d->what, sep,
                        tail);
}

enum { WORD_MAX = 64, EDITS_MAX = 3 };

static size_t least(size_t x, size_t y)
{
    return x < y ? x : y;
}

static bool same_letter(char x, char y)
{
    return tolower((unsigned char)x) == tolower((unsigned char)y);
}

/* Edits (insert, drop, replace, swap neighbours) between two words, case folded; more than `most` (EDITS_MAX or less)
 * is only known to be more. Far from the diagonal nothing needs to be counted: with thousands of names that is what
 * takes the time. */
static size_t edit_distance(const char *a, const char *b, size_t most)
{
    size_t rows[3][WORD_MAX + 1];
    size_t na = strlen(a), nb = strlen(b), before = 0;

    if (na > WORD_MAX || nb > WORD_MAX || na > nb + most || nb > na + most)
        return most + 1;
    for (; na && nb && same_letter(*a, *b); na--, nb--, a++, b++)
        continue;
    for (; na && nb && same_letter(a[na - 1], b[nb - 1]); na--, nb--)
        continue;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *now = rows[i % 3], *prev = rows[(i - 1) % 3], *prev2 = rows[(i + 1) % 3];
        size_t from = i > most ? i - most : 1, to = least(nb, i + most), smallest = i;

        now[from - 1] = from == 1 ? i : most + 1;
        for (size_t j = from; j <= to; j++) {
            bool same = same_letter(a[i - 1], b[j - 1]), swapped;
            size_t above = j == i + most ? most + 1 : prev[j] + 1,
                   best = least(least(prev[j - 1] + !same, above), now[j - 1] + 1);

            swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
            now[j] = swapped ? least(best, prev2[j - 2] + 1) : best;
            smallest = least(smallest, now[j]);
        }
        if (smallest > most && before > most)
            return most + 1;
        before = smallest;
    }
    return rows[na % 3][nb];
}

const char *did_you_mean(const char *word, const char *const *names)
{
    size_t allowed = strlen(word) <= 3 ? 1 : strlen(word) <= 7 ? 2 : EDITS_MAX, best = allowed + 1;
    const char *found = NULL;

    for (; *names && best; names++) {
        size_t d = edit_distance(word, *names, best - 1);

        if (d < best) {
            best = d;
            found = *names;
        }
    }
    return found;
}
