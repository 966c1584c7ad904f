/* Knows the formats that a string can be demanded to have. Must not know schemas or kinds. */
#include <ctype.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "schema_internal.h"

/* What a person writes bears its zone: without one two readers mean different hours. Azure's own
 * texts need none (clock.h). */
static bool is_time(const char *s)
{
    const char *clock = strchr(s, 'T');

    return time_parse(s) != TIME_NONE && clock && strpbrk(clock, "Zz+-");
}

static bool is_duration(const char *s)
{
    return duration_parse(s) >= 0;
}

static bool is_uuid(const char *s)
{
    for (size_t i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    return s[36] == '\0';
}

/* Segments of a path: none empty, none that a server might take for another folder, nothing that ends a path. */
static bool is_path(const char *s, size_t *ret_segments)
{
    *ret_segments = 0;
    while (*s == '/') {
        size_t n = strcspn(++s, "/");

        if (n == 0 || strcspn(s, "?#%\\ \t\r\n\"<>") < n || (n == 1 && s[0] == '.') ||
            (n == 2 && s[0] == '.' && s[1] == '.'))
            return false;
        s += n;
        ++*ret_segments;
    }
    return *s == '\0';
}

static bool is_arm_id(const char *s)
{
    size_t segments;

    return str_starts_nocase(s, "/subscriptions/") && is_path(s, &segments) && segments >= 2 && segments % 2 == 0;
}

/* Length of "https://HOST[:PORT]", 0 when there is none. No user in front of the host, where a reader
 * would take it for one. */
static size_t https_host(const char *s)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]";
    size_t scheme = strlen("https://"), n;

    if (!str_starts(s, "https://"))
        return 0;
    n = strspn(s + scheme, allowed);
    return n && isalnum((unsigned char)s[scheme]) && strchr("/?", s[scheme + n]) ? scheme + n : 0;
}

/* Without a query: a signature in one is a secret, which has no place in a manifest. */
static bool is_url(const char *s)
{
    size_t n = https_host(s);

    return n && s[n + strcspn(s + n, "?# \t\r\n\"<>\\")] == '\0';
}

static bool is_key_url(const char *s)
{
    size_t n = https_host(s), segments;

    return n && str_starts(s + n, "/keys/") && is_path(s + n, &segments) && (segments == 2 || segments == 3);
}

static const struct schema_format formats[] = {
    {"date-time", is_time, "a time with its zone", "write it like 2026-11-23T03:00:00Z or 2026-11-23T07:00:00+04:00"},
    {"duration", is_duration, "a duration", "write it like 90s, 10m, 24h or 7d"},
    {"uuid", is_uuid, "a GUID", "write it like 0f0f0f0f-0000-4000-8000-000000000001"},
    {"arm-id", is_arm_id, "an ARM id", "write it like /subscriptions/GUID/resourceGroups/NAME/providers/TYPE/NAME"},
    {"key-url", is_key_url, "the URL of a key", "write it like https://VAULT/keys/NAME/VERSION"},
    {"url", is_url, "an https URL without a query", "write it like https://HOST/PATH"},
};

const struct schema_format *schema_format(const char *name)
{
    for (size_t i = 0; i < COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
