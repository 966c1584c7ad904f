/* Knows JSON text: a strict scanner says where a text is wrong and finds single members without a tree; json_tree.c
 * builds trees from texts that the scanner has passed, and json_write.c writes. Must not know what a text means, and
 * never puts any of it into an error, but the name of a field that stands twice. */
#include "json_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- the scanner -------------------------------------------------------------------------------------------------- */

struct scan {
    const char *start, *p, *end;
    size_t depth;
};

static int scan_fault(const struct scan *s, const char *what, struct err *err)
{
    size_t line = 1, column = 1;

    for (const char *p = s->start; p < s->p; p++) {
        column += ((unsigned char)*p & 0xC0) != 0x80;
        if (*p == '\n') {
            line++;
            column = 1;
        }
    }
    return err_set(err, ERR_PROTOCOL, "line %zu, column %zu: %s", line, column, what);
}

static void scan_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool scan_take(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int scan_escape(struct scan *s, bool key, struct err *err)
{
    if (s->end - s->p < 2)
        return scan_fault(s, "the text ends inside a string", err);
    if (s->p[1] != 'u') {
        if (!memchr("\"\\/bfnrt", s->p[1], 8))
            return scan_fault(s, "an escape that JSON does not have", err);
        s->p += 2;
        return 0;
    }
    for (int i = 2; i < 6; i++)
        if (s->end - s->p <= i || !is_hex(s->p[i]))
            return scan_fault(s, "\\u needs four hexadecimal digits", err);
    if (key && memcmp(s->p + 2, "0000", 4) == 0)
        return scan_fault(s, "a member's name holds a NUL", err);
    s->p += 6;
    return 0;
}

static int scan_string(struct scan *s, bool key, struct err *err)
{
    if (!scan_take(s, '"'))
        return scan_fault(s, "a member's name in double quotes is expected", err);
    while (s->p < s->end && *s->p != '"') {
        size_t n;

        if (*s->p == '\\') {
            TRY(scan_escape(s, key, err));
            continue;
        }
        if ((unsigned char)*s->p < 0x20)
            return scan_fault(s, "a control character in a string", err);
        n = utf8_length(s->p, (size_t)(s->end - s->p));
        if (n == 0)
            return scan_fault(s, "bytes that are not UTF-8", err);
        s->p += n;
    }
    return scan_take(s, '"') ? 0 : scan_fault(s, "the text ends inside a string", err);
}

static int scan_digits(struct scan *s, struct err *err)
{
    if (s->p == s->end || !is_digit(*s->p))
        return scan_fault(s, "a digit is expected", err);
    while (s->p < s->end && is_digit(*s->p))
        s->p++;
    return 0;
}

static int scan_number(struct scan *s, struct err *err)
{
    const char *digits;

    scan_take(s, '-');
    digits = s->p;
    TRY(scan_digits(s, err));
    if (*digits == '0' && s->p - digits > 1)
        return scan_fault(s, "a number with a zero in front", err);
    if (scan_take(s, '.'))
        TRY(scan_digits(s, err));
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (!scan_take(s, '+'))
            scan_take(s, '-');
        TRY(scan_digits(s, err));
    }
    return 0;
}

static int scan_word(struct scan *s, struct err *err)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < COUNT(words); i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(s->end - s->p) >= n && memcmp(s->p, words[i], n) == 0) {
            s->p += n;
            return 0;
        }
    }
    return scan_fault(s, s->p == s->end ? "the text ends where a value is expected" : "no JSON value begins like this",
                      err);
}

static int scan_value(struct scan *s, struct err *err);

static int scan_name(struct scan *s, struct err *err)
{
    scan_blanks(s);
    TRY(scan_string(s, true, err));
    scan_blanks(s);
    return scan_take(s, ':') ? 0 : scan_fault(s, "a colon is expected", err);
}

static int scan_collection(struct scan *s, char close, struct err *err)
{
    if (++s->depth > JSON_DEPTH_MAX)
        return scan_fault(s, "nested deeper than 64 levels", err);
    s->p++;
    scan_blanks(s);
    if (!scan_take(s, close)) {
        do {
            if (close == '}')
                TRY(scan_name(s, err));
            TRY(scan_value(s, err));
            scan_blanks(s);
        } while (scan_take(s, ','));
        if (!scan_take(s, close))
            return scan_fault(s, close == '}' ? "a comma or } is expected" : "a comma or ] is expected", err);
    }
    s->depth--;
    return 0;
}

static int scan_value(struct scan *s, struct err *err)
{
    scan_blanks(s);
    if (s->p < s->end) {
        if (*s->p == '{')
            return scan_collection(s, '}', err);
        if (*s->p == '[')
            return scan_collection(s, ']', err);
        if (*s->p == '"')
            return scan_string(s, false, err);
        if (*s->p == '-' || is_digit(*s->p))
            return scan_number(s, err);
    }
    return scan_word(s, err);
}

static int scan_text(struct scan *s, const char *text, size_t len, struct err *err)
{
    s->start = s->p = text;
    s->end = text + len;
    if (len > JSON_BYTES_MAX)
        return err_set(err, ERR_PROTOCOL, "%zu bytes of JSON, more than %d are not read", len, JSON_BYTES_MAX);
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        s->p = s->start = text + 3;
    TRY(scan_value(s, err));
    scan_blanks(s);
    return s->p == s->end ? 0 : scan_fault(s, "something follows behind the JSON text", err);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

int json_parse(struct arena *a, const char *s, size_t len, struct value **ret, struct err *err)
{
    struct scan scan = {0};
    const char *twice;

    TRY(scan_text(&scan, s, len, err));
    *ret = json_tree(a, scan.start, (size_t)(scan.end - scan.start), &twice);
    return 0;
}

/* Spelled as fields are: nothing that has to be hidden. */
static bool is_field(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    return n > 0 && n <= 40 && !name[n];
}

int json_parse_once(struct arena *a, const char *s, size_t len, struct value **ret, struct err *err)
{
    struct scan scan = {0};
    const char *twice;

    TRY(scan_text(&scan, s, len, err));
    *ret = json_tree(a, scan.start, (size_t)(scan.end - scan.start), &twice);
    if (twice)
        return err_set(err, ERR_PROTOCOL, "an object has %s twice, with values that differ",
                       is_field(twice) ? twice : "one of its members");
    return 0;
}

/* --- cutting ------------------------------------------------------------------------------------------------------ */

/* Moves from in front of a list to in front of the item that the digits of `key` count to, if it has it. */
static bool cut_enter_list(struct scan *s, const char *key, size_t key_len, struct err *err)
{
    char *end;
    unsigned long n = strtoul(key, &end, 10);

    if (key_len == 0 || end != key + key_len)
        return false;
    scan_blanks(s);
    if (s->p < s->end && *s->p == ']')
        return false;
    for (; n > 0; n--) {
        if (scan_value(s, err) < 0)
            return false;
        scan_blanks(s);
        if (!scan_take(s, ','))
            return false;
        scan_blanks(s);
    }
    return true;
}

/* Moves from in front of an object to in front of the value of its member, if it has it. The text has been scanned. */
static bool cut_enter(struct scan *s, const char *key, size_t key_len, struct err *err)
{
    scan_blanks(s);
    if (scan_take(s, '['))
        return cut_enter_list(s, key, key_len, err);
    if (!scan_take(s, '{'))
        return false;
    scan_blanks(s);
    if (scan_take(s, '}'))
        return false;
    do {
        const char *name;

        scan_blanks(s);
        name = s->p + 1;
        if (scan_name(s, err) < 0)
            return false;
        if (strncasecmp(name, key, key_len) == 0 && name[key_len] == '"') {
            scan_blanks(s);
            return true;
        }
        if (scan_value(s, err) < 0)
            return false;
        scan_blanks(s);
    } while (scan_take(s, ','));
    return false;
}

int json_cut(const char *s, size_t len, const char *path, const char **ret_start, size_t *ret_len, struct err *err)
{
    struct scan scan = {0};
    const char *start;

    TRY(scan_text(&scan, s, len, err));
    scan.p = scan.start;
    for (const char *key = path; *key;) {
        size_t n = strcspn(key, ".");

        if (!cut_enter(&scan, key, n, err))
            return err_set(err, ERR_NOT_FOUND, "the answer has no member %s", path);
        key += n + (key[n] == '.');
    }
    start = scan.p + 1;
    if (scan.p == scan.end || *scan.p != '"' || scan_string(&scan, false, err) < 0)
        return err_set(err, ERR_PROTOCOL, "the member %s is no string", path);
    for (const char *p = start; p < scan.p - 1; p++)
        if (*p == '\\' && *++p != '/')
            return err_set(err, ERR_PROTOCOL, "the member %s holds escaped characters", path);
    *ret_start = start;
    *ret_len = (size_t)(scan.p - 1 - start);
    return 0;
}
