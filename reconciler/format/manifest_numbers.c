/* Knows which numbers of a manifest would be written back as they stand. Must not know what they mean. */
#include <ctype.h>
#include <string.h>

#include "manifest_numbers.h"

static bool digits(const char *s, size_t *n)
{
    size_t from = *n;

    while (isdigit((unsigned char)s[*n]))
        ++*n;
    return *n > from;
}

/* As YAML's core schema reads a plain scalar: a number in base 10, 8 or 16, with or without a fraction. */
static bool is_number(const char *s)
{
    size_t n = *s == '-' || *s == '+';
    bool whole, fraction = false;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o'))
        return s[2] && strspn(s + 2, s[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567") == strlen(s + 2);
    whole = digits(s, &n);
    if (s[n] == '.') {
        n++;
        fraction = digits(s, &n);
    }
    if (!whole && !fraction)
        return false;
    if (s[n] == 'e' || s[n] == 'E') {
        n += 1 + (s[n + 1] == '-' || s[n + 1] == '+');
        if (!digits(s, &n))
            return false;
    }
    return !s[n];
}

/* 0, -7, 12.5: no sign or digit in it that could be left out. */
static bool is_shortest(const char *s)
{
    size_t n = *s == '-', whole = n, end = strlen(s);

    if (!digits(s, &n) || (s[whole] == '0' && n > whole + 1) || (s[0] == '-' && s[1] == '0' && !s[2]))
        return false;
    if (!s[n])
        return true;
    return s[n] == '.' && n + 1 < end && strspn(s + n + 1, "0123456789") == end - n - 1 && s[end - 1] != '0';
}

bool manifest_number_is_kept(const char *s)
{
    return !is_number(s) || is_shortest(s);
}
