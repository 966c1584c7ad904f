/* Knows growable strings and the comparisons Azure needs. */
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SPILL_BYTES = 16 * 1024 };

void text_init(struct text *t, size_t ceiling)
{
    *t = (struct text){.ceiling = ceiling};
}

void text_release(struct text *t)
{
    free(t->s);
    *t = (struct text){.ceiling = t->ceiling};
}

void text_clear(struct text *t)
{
    t->len = 0;
    t->overflowed = false;
    if (t->s)
        t->s[0] = '\0';
}

void text_add_n(struct text *t, const char *s, size_t n)
{
    if (t->overflowed)
        return;
    if (t->spill && t->len + n > SPILL_BYTES) {
        t->spill(t->spill_ctx, text_str(t), t->len);
        t->len = 0;
    }
    if (n > t->ceiling - t->len) {
        t->overflowed = true;
        return;
    }
    if (t->len + n + 1 > t->cap) {
        size_t cap = t->cap ? t->cap : 256;

        while (cap < t->len + n + 1)
            cap *= 2;
        t->s = xrealloc(t->s, cap);
        t->cap = cap;
    }
    if (n)
        memcpy(t->s + t->len, s, n);
    t->len += n;
    t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_add_n(t, s, strlen(s));
}

void text_add_char(struct text *t, char c)
{
    text_add_n(t, &c, 1);
}

void text_printf(struct text *t, const char *fmt, ...)
{
    char small[512];
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    if (n >= 0 && (size_t)n < sizeof(small)) {
        text_add_n(t, small, (size_t)n);
    } else if (n >= 0) {
        char *big = xmalloc((size_t)n + 1);

        vsnprintf(big, (size_t)n + 1, fmt, again);
        text_add_n(t, big, (size_t)n);
        free(big);
    }
    va_end(again);
    va_end(ap);
}

const char *text_str(const struct text *t)
{
    return t->s ? t->s : "";
}

void text_add_percent(struct text *t, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (isalnum(c) || strchr("-._~", c))
            text_add_char(t, (char)c);
        else
            text_printf(t, "%%%02X", c);
    }
}

size_t utf8_length(const char *s, size_t room)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;

    if (n > room)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) || (*p == 0xF0 && p[1] < 0x90) ||
        (*p == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

bool str_eq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The small letter of one that UTF-8 writes in two bytes: Latin, Greek, Cyrillic; any other as it is. It has two
 * bytes as well. */
static unsigned small_of_two(const unsigned char *s)
{
    unsigned c = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);

    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40f)
        return c + 0x50;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return c + (c & 1);
    return (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14a && c <= 0x177) ? c | 1 : c;
}

static bool is_of_two(const unsigned char *s)
{
    return s[0] >= 0xc3 && s[0] <= 0xd1 && (s[1] & 0xc0) == 0x80;
}

/* Are the first n bytes of both the same but for capitals? Neither is read beyond its end. */
bool str_eq_nocase_n(const char *a, const char *b, size_t n)
{
    const unsigned char *p = (const unsigned char *)a, *q = (const unsigned char *)b;

    for (size_t i = 0; i < n;) {
        if (i + 1 < n && is_of_two(p + i) && is_of_two(q + i)) {
            if (small_of_two(p + i) != small_of_two(q + i))
                return false;
            i += 2;
        } else if (tolower(p[i]) != tolower(q[i]) || !p[i]) {
            return false;
        } else {
            i++;
        }
    }
    return true;
}

bool str_eq_nocase(const char *a, const char *b)
{
    return a == b || (a && b && strlen(a) == strlen(b) && str_eq_nocase_n(a, b, strlen(a)));
}

bool str_eq_spaceless(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    for (;; a++, b++) {
        while (*a == ' ')
            a++;
        while (*b == ' ')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

bool str_starts(const char *s, const char *prefix)
{
    return s && prefix && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_starts_nocase(const char *s, const char *prefix)
{
    return s && prefix && str_eq_nocase_n(s, prefix, strlen(prefix));
}

bool str_ends_nocase(const char *s, const char *suffix)
{
    size_t n = s ? strlen(s) : 0, m = suffix ? strlen(suffix) : 0;

    return s && suffix && n >= m && str_eq_nocase_n(s + n - m, suffix, m);
}

/* "RG", "var.name": what templates call their variables. */
static size_t variable_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_.-", s[n])))
        n++;
    return isalpha((unsigned char)s[0]) || s[0] == '_' ? n : 0;
}

/* The whole of it is a variable between these. */
static bool is_variable(const char *s, const char *before, const char *after)
{
    size_t n = str_starts(s, before) ? variable_length(s + strlen(before)) : 0, all = strlen(s), end = strlen(after);

    /* Marks that may stand in a name belong to it. */
    return n && all > strlen(before) + end && str_eq(s + all - end, after) && n + strlen(before) + end >= all;
}

bool str_is_template(const char *s, bool broad)
{
    static const char *const marks[] = {"{{", "${", "{%", "<%", "<no value>"};
    static const char *const around[][2] = {{"$", ""}, {"%", "%"}, {"<", ">"}, {"@", "@"}, {"#{", "}#"}};

    for (size_t i = 0; i < COUNT(marks); i++)
        if (strstr(s, marks[i]))
            return true;
    for (const char *at = strstr(s, "$("); at; at = strstr(at + 1, "$("))
        if (variable_length(at + 2) && at[2 + variable_length(at + 2)] == ')')
            return true;
    if (is_variable(s, "__", "__"))
        return true;
    for (size_t i = 0; broad && i < COUNT(around); i++)
        if (is_variable(s, around[i][0], around[i][1]))
            return true;
    return false;
}

bool str_matches_nocase(const char *pattern, const char *s)
{
    const char *star = NULL, *resume = NULL;

    if (!pattern || !s)
        return false;
    while (*s) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = s;
        } else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*s)) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

const char *str_find_nocase(const char *haystack, const char *needle)
{
    size_t n = needle ? strlen(needle) : 0;

    for (; haystack && needle && *haystack; haystack++)
        if (str_eq_nocase_n(haystack, needle, n))
            return haystack;
    return n || !needle ? NULL : haystack;
}

void str_lower_here(char *s)
{
    for (char *p = s; p && *p; p++) {
        if (is_of_two((const unsigned char *)p)) {
            unsigned c = small_of_two((const unsigned char *)p);

            p[0] = (char)(0xc0 | c >> 6);
            p[1] = (char)(0x80 | (c & 0x3f));
            p++;
        } else {
            *p = (char)tolower((unsigned char)*p);
        }
    }
}

char *str_lower(struct arena *a, const char *s)
{
    char *copy = arena_strdup(a, s);

    str_lower_here(copy);
    return copy;
}
