/* Knows in how many forms a service says when to ask again: seconds, a date, a header of its own, words in the text.
 * Must not know who waits, nor for how long anybody may. */
#include "http.h"

#include <ctype.h>
#include <string.h>

/* Up to nine digits; -1 when there is none. */
static int64_t seconds_parse(const char *s, const char **ret_end)
{
    int64_t n = 0;
    size_t digits = 0;

    for (; isdigit((unsigned char)s[digits]) && digits < 9; digits++)
        n = 10 * n + (s[digits] - '0');
    *ret_end = s + digits;
    return digits && !isdigit((unsigned char)**ret_end) ? n : -1;
}

static int64_t retry_after(const struct http_response *r, int64_t now_ms)
{
    const char *value = http_response_header(r, "Retry-After"), *end;
    const char *ms_value = http_response_header(r, "retry-after-ms") ?: http_response_header(r, "x-ms-retry-after-ms");
    int64_t seconds, date, ms = ms_value ? seconds_parse(ms_value, &end) : -1;

    /* Some services are more exact in a header of their own. */
    if (ms >= 0 && !*end)
        return ms;
    if (!value)
        return -1;
    seconds = seconds_parse(value, &end);
    if (seconds >= 0 && !*end)
        return seconds * SECOND_MS;
    /* Parts of a second, which no rule allows and some gateways send: the next whole one. */
    if (seconds >= 0 && *end == '.' && isdigit((unsigned char)end[1]) && !end[1 + strspn(end + 1, "0123456789")])
        return (seconds + (strspn(end + 1, "0") < strlen(end + 1))) * SECOND_MS;
    date = time_parse_http(value);
    if (date == TIME_NONE || now_ms == TIME_NONE)
        return -1;
    return date > now_ms ? date - now_ms : 0;
}

/* The services' "… try again after '324' seconds." in a body of JSON, where the quotes may be written as \u0027. */
static int64_t wait_in_words(const char *p)
{
    const char *end;
    int64_t number, unit;

    for (;;) {
        if (str_starts_nocase(p, "\\u0027") || str_starts_nocase(p, "\\u0022"))
            p += 6;
        else if (*p && strchr(" '\"\\", *p))
            p++;
        else
            break;
    }
    number = seconds_parse(p, &end);
    while (*end && strchr(" '\"\\", *end))
        end++;
    if (str_starts_nocase(end, "u0027") || str_starts_nocase(end, "u0022"))
        end += 5;
    while (*end == ' ')
        end++;
    unit = str_starts_nocase(end, "sec")    ? SECOND_MS
           : str_starts_nocase(end, "min")  ? MINUTE_MS
           : str_starts_nocase(end, "hour") ? HOUR_MS
                                            : 0;
    return number >= 0 && unit ? number * unit : -1;
}

static int64_t retry_after_in_text(const struct http_response *r)
{
    static const char *const words[] = {"try again after", "try again in", "retry after", "retry in"};
    int64_t ms = -1;

    for (size_t i = 0; r->body.len && ms < 0 && i < COUNT(words); i++) {
        const char *p = str_find_nocase(r->body.bytes, words[i]);

        ms = p ? wait_in_words(p + strlen(words[i])) : -1;
    }
    return ms;
}

/* Asked by who gets the answer when patience has ended: the service may say it in words alone. */
int64_t http_retry_after_ms(const struct http_response *r)
{
    int64_t ms = retry_after(r, r->date_ms);

    return ms < 0 && r->status == 429 ? retry_after_in_text(r) : ms;
}
