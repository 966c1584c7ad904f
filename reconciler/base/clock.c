/* Knows how points in time are written by people and by Azure; how long is duration.c's. Must not read a clock. */
#include "clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
static int64_t days_from_date(int64_t y, int m, int d)
{
    int64_t era, yoe, doy, doe;

    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct date {
    int64_t year;
    int month, day, hour, minute, second, ms, weekday;
};

static struct date date_from_ms(int64_t ms)
{
    struct date t;
    int64_t days = ms / DAY_MS, rest = ms % DAY_MS, era, doe, yoe, doy, mp;

    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    t.weekday = (int)(((days + 4) % 7 + 7) % 7);
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    t.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    t.month = (int)(mp + (mp < 10 ? 3 : -9));
    t.year = yoe + era * 400 + (t.month <= 2);
    t.hour = (int)(rest / HOUR_MS);
    t.minute = (int)(rest / MINUTE_MS % 60);
    t.second = (int)(rest / SECOND_MS % 60);
    t.ms = (int)(rest % SECOND_MS);
    return t;
}

static bool date_valid(int64_t y, int mo, int d, int h, int mi, int s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    if (mo < 1 || mo > 12 || d < 1 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60)
        return false;
    return d <= days[mo - 1] + (mo == 2 && leap);
}

static int64_t ms_from_date(int64_t y, int mo, int d, int h, int mi, int s)
{
    return days_from_date(y, mo, d) * DAY_MS + (int64_t)h * HOUR_MS + (int64_t)mi * MINUTE_MS + (int64_t)s * SECOND_MS;
}

/* Whether s begins like the form, in which 0 stands for any digit and T for T, t or a blank. */
static bool has_form(const char *s, const char *form)
{
    for (; *form; form++, s++) {
        bool fits = *form == '0' ? isdigit((unsigned char)*s) : *form == 'T' ? *s && strchr("Tt ", *s) : *s == *form;

        if (!fits)
            return false;
    }
    return true;
}

static int digits(const char *s, int n)
{
    int number = 0;

    for (; n > 0; n--)
        number = number * 10 + (*s++ - '0');
    return number;
}

/* "", "Z" or "+05:30", to the end of the text. */
static bool offset_parse(const char *s, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (*s == '\0' || ((*s == 'Z' || *s == 'z') && s[1] == '\0'))
        return true;
    if ((*s != '+' && *s != '-') || !has_form(s + 1, "00:00") || s[6] || digits(s + 1, 2) > 23 || digits(s + 4, 2) > 59)
        return false;
    *ret_ms = ((int64_t)digits(s + 1, 2) * 60 + digits(s + 4, 2)) * MINUTE_MS * (*s == '-' ? -1 : 1);
    return true;
}

int64_t time_parse(const char *s)
{
    int y, mo, d, h, mi, sec, ms = 0, scale = 100;
    int64_t t, offset;

    if (!s || !has_form(s, "0000-00-00T00:00:00"))
        return TIME_NONE;
    y = digits(s, 4);
    mo = digits(s + 5, 2);
    d = digits(s + 8, 2);
    h = digits(s + 11, 2);
    mi = digits(s + 14, 2);
    sec = digits(s + 17, 2);
    if (!date_valid(y, mo, d, h, mi, sec))
        return TIME_NONE;
    s += 19;
    if (*s == '.') {
        if (!isdigit((unsigned char)*++s))
            return TIME_NONE;
        for (; isdigit((unsigned char)*s); s++, scale /= 10)
            ms += (*s - '0') * scale;
    }
    if (!offset_parse(s, &offset))
        return TIME_NONE;
    /* Azure's ways of saying "never". */
    if (y == 1 || (y == 2001 && mo == 1 && d == 1 && h == 0 && mi == 0 && sec == 0))
        return TIME_NONE;
    t = ms_from_date(y, mo, d, h, mi, sec);
    return t + ms - offset;
}

/* The length of a blank or of an invisible mark at s, as locales write them (U+00A0, U+202F, U+200E, …);
 * 0 when there is none. */
static size_t blank_length(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    if (*p == ' ' || *p == '\t')
        return 1;
    if (p[0] == 0xC2 && p[1] == 0xA0)
        return 2;
    if (p[0] == 0xE1 && p[1] == 0x9A && p[2] == 0x80)
        return 3;
    if (p[0] == 0xE2 && p[1] == 0x80 && ((p[2] >= 0x80 && p[2] <= 0x8F) || (p[2] >= 0xAA && p[2] <= 0xAF)))
        return 3;
    if (p[0] == 0xE2 && p[1] == 0x81 && (p[2] == 0x9F || p[2] == 0xA0))
        return 3;
    return (p[0] == 0xE3 && p[1] == 0x80 && p[2] == 0x80) || (p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF) ? 3 : 0;
}

/* The text with every run of blanks as one, none at its ends; false when it is too long for a time. */
static bool blanks_tidied(const char *s, char *ret, size_t size)
{
    size_t n = 0;

    while (*s) {
        size_t blank = blank_length(s);

        if (blank && n && ret[n - 1] != ' ')
            ret[n++] = ' ';
        else if (!blank)
            ret[n++] = *s;
        s += blank ? blank : 1;
        if (n + 1 >= size)
            return false;
    }
    while (n && ret[n - 1] == ' ')
        n--;
    ret[n] = '\0';
    return true;
}

/* Reads up to `max` digits; false when there is none. */
static bool number_read(const char **at, int max, int *ret)
{
    const char *s = *at;

    for (*ret = 0; s - *at < max && isdigit((unsigned char)*s); s++)
        *ret = *ret * 10 + (*s - '0');
    if (s == *at || isdigit((unsigned char)*s))
        return false;
    *at = s;
    return true;
}

/* "AM", "pm", "p.m." to the end of the text: 0 or 12 hours; -1 for a text that ends before it, -2 for another. */
static int half_read(const char *s)
{
    static const char *const words[] = {"am", "pm", "a.m.", "p.m."};

    while (*s == ' ')
        s++;
    if (!*s)
        return -1;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(s, words[i]) == 0)
            return i % 2 ? 12 : 0;
    return -2;
}

/* Whether the date at the head says which of its numbers is which: years first, dots (day first) or a number over 12
 * do; with slashes and a half of the day it is the US form, which is the recorded one. */
static bool date_read(const char **at, bool us, int *y, int *mo, int *d)
{
    int numbers[3];
    char mark = 0;

    for (int i = 0; i < 3; i++) {
        if (i && ((**at != '/' && **at != '.' && **at != '-') || (mark && **at != mark)))
            return false;
        if (i)
            mark = *(*at)++;
        if (!number_read(at, i == 1 ? 2 : 4, &numbers[i]))
            return false;
    }
    if (numbers[0] > 1000) {
        *y = numbers[0], *mo = numbers[1], *d = numbers[2];
        return true;
    }
    *y = numbers[2], *mo = numbers[0], *d = numbers[1];
    if (mark == '.' || *mo > 12)
        *mo = numbers[1], *d = numbers[0];
    return *y > 1000 && (us || mark == '.' || *d > 12 || numbers[0] > 12 || *mo == *d);
}

/* A text for people as it was read: from when, how long a span it names, and whether the half of the day is open. */
struct told {
    int64_t from_ms, span_ms;
    bool half_open;
};

static bool told_read(const char *s, struct told *ret)
{
    char text[64];
    const char *at = text, *clock;
    int y, mo, d, h, mi, sec = -1, half;

    *ret = (struct told){.from_ms = time_parse(s), .span_ms = SECOND_MS};
    if (ret->from_ms != TIME_NONE)
        return true;
    if (!s || !blanks_tidied(s, text, sizeof(text)))
        return false;
    clock = strchr(text, ' ');
    clock = clock ? clock + 1 : text;
    if (!number_read(&clock, 2, &h) || *clock++ != ':' || !number_read(&clock, 2, &mi) ||
        (*clock == ':' && (clock++, !number_read(&clock, 2, &sec))))
        return false;
    half = half_read(clock);
    if (half == -2 || (half >= 0 && (h < 1 || h > 12)))
        return false;
    /* With a US date the mark of the half may be what is missing: 1 to 12 are hours of either half then. */
    ret->half_open = half < 0 && strchr(text, '/') && h >= 1 && h <= 12;
    h = half >= 0 ? h % 12 + half : ret->half_open ? h % 12 : h;
    if (!date_read(&at, half >= 0, &y, &mo, &d) || (*at == ',' ? at[1] : at[0]) != ' ' ||
        !date_valid(y, mo, d, h, mi, sec < 0 ? 0 : sec))
        return false;
    ret->from_ms = ms_from_date(y, mo, d, h, mi, sec < 0 ? 0 : sec);
    ret->span_ms = sec < 0 ? MINUTE_MS : SECOND_MS;
    return true;
}

int64_t time_parse_text(const char *s)
{
    struct told told;

    return told_read(s, &told) && !told.half_open ? told.from_ms : TIME_NONE;
}

bool time_text_exact(const char *s)
{
    struct told told;

    return told_read(s, &told) && !told.half_open && told.span_ms == SECOND_MS;
}

enum time_fit time_text_fit(const char *s, int64_t ms)
{
    struct told told;

    if (!told_read(s, &told))
        return TIME_FITS_PERHAPS;
    for (int half = 0; half <= told.half_open; half++) {
        int64_t from_ms = told.from_ms + half * 12 * (int64_t)HOUR_MS;

        /* A second may have been rounded either way. */
        if (ms > from_ms - 2 * SECOND_MS && ms < from_ms + told.span_ms + SECOND_MS)
            return told.half_open ? TIME_FITS_PERHAPS : TIME_FITS;
    }
    return TIME_FITS_NOT;
}

char *time_format(struct arena *a, int64_t ms)
{
    struct date t = date_from_ms(ms);

    if (t.ms)
        return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)t.year, t.month, t.day, t.hour, t.minute,
                            t.second, t.ms);
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)t.year, t.month, t.day, t.hour, t.minute, t.second);
}

static int twelve(int hour)
{
    return hour % 12 == 0 ? 12 : hour % 12;
}

char *time_format_us(struct arena *a, int64_t ms)
{
    struct date t = date_from_ms(ms);

    return arena_printf(a, "%d/%d/%04d %d:%02d:%02d %s", t.month, t.day, (int)t.year, twelve(t.hour), t.minute,
                        t.second, t.hour < 12 ? "AM" : "PM");
}

char *time_format_filter(struct arena *a, int64_t ms)
{
    struct date t = date_from_ms(ms);

    return arena_printf(a, "%04d-%02d-%02d %02d:%02d:%02d %s", (int)t.year, t.month, t.day, twelve(t.hour), t.minute,
                        t.second, t.hour < 12 ? "AM" : "PM");
}

char *time_format_http(struct arena *a, int64_t ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct date t = date_from_ms(ms);

    return arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.weekday], t.day, months[t.month - 1],
                        (int)t.year, t.hour, t.minute, t.second);
}

int64_t time_parse_http(const char *s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int day, year, hour, minute, second;
    const char *month;
    char name[4];

    if (!s ||
        sscanf(s, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &day, name, &year, &hour, &minute, &second) != 6)
        return TIME_NONE;
    month = strstr(months, name);
    if (!month || strlen(name) != 3 || (month - months) % 3 || year < 1970)
        return TIME_NONE;
    return days_from_date(year, (int)(month - months) / 3 + 1, day) * DAY_MS + hour * (int64_t)HOUR_MS +
           minute * (int64_t)MINUTE_MS + second * (int64_t)SECOND_MS;
}

int64_t time_shift_parse(const char *s)
{
    bool back = s && *s == '-';
    int64_t ms = duration_parse(back ? s + 1 : s);

    return ms < 0 ? TIME_NONE : back ? -ms : ms;
}
