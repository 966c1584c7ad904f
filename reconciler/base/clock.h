/* Time and durations. Time is UTC milliseconds since 1970 and is always handed in; only run/ asks a real clock. */
#ifndef REINSTATE_CLOCK_H
#define REINSTATE_CLOCK_H

#include "err.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };
#define DAY_MS ((int64_t)24 * HOUR_MS)
#define TIME_NONE INT64_MIN

/* RFC 3339 with any number of fraction digits and any offset, as Azure sends them; also without an offset (UTC).
 * Returns TIME_NONE when it is none, and for the years 0001 and 2001-01-01T00:00:00 that Azure uses for "never". */
int64_t time_parse(const char *s);
/* A time written for people, UTC, as backup jobs have it in their property bag: "8/31/2026 8:01:03 PM" with any Unicode
 * blank, also on a 24-hour clock, with dots, or with the year first. TIME_NONE when it is none, and for "8/9/2026
 * 20:01:03", which does not say which number is the month, nor for "8/31/2026 8:01:03", which may be of either half of
 * the day. Without seconds it is the minute's first. */
int64_t time_parse_text(const char *s);
/* Such a text names one second. */
bool time_text_exact(const char *s);
/* Whether such a text means this time, as precisely as it says: a minute where it has no seconds, either half of the
 * day where that is open. What cannot be read may mean any time: it is never another one. */
enum time_fit { TIME_FITS_NOT, TIME_FITS_PERHAPS, TIME_FITS };
enum time_fit time_text_fit(const char *s, int64_t ms);
/* "Mon, 23 Nov 2026 03:00:00 GMT"; TIME_NONE when it is none. */
int64_t time_parse_http(const char *s);
char *time_format(struct arena *a, int64_t ms);        /* 2026-11-23T03:00:00Z; with .123 when not a whole second */
char *time_format_us(struct arena *a, int64_t ms);     /* 8/31/2026 8:01:03 PM */
char *time_format_filter(struct arena *a, int64_t ms); /* 2026-08-31 08:01:03 PM: job list filters */
char *time_format_http(struct arena *a, int64_t ms);   /* Mon, 23 Nov 2026 03:00:00 GMT */

/* "90s", "10m", "24h", "7d". Negative when it is none. */
int64_t duration_parse(const char *s);
/* What a text that is no duration was to be: "72" is "72h", "3 days" and "P3D" are "3d", "1.5h" is "90m"; NULL: nobody
 * can tell. */
char *duration_meant(struct arena *a, const char *s);
/* "25m", or backwards "-3h"; TIME_NONE when it is none. */
int64_t time_shift_parse(const char *s);
/* "PT2M30.2146956S", also "PT1H41M27S"; negative when it is none. */
int64_t duration_parse_iso(const char *s);
char *duration_format_iso(struct arena *a, int64_t ms);
/* For people: "26 min", "6 h 12 min", "45 s". */
char *duration_format(struct arena *a, int64_t ms);

#endif
