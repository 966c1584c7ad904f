/* Base: times, durations, texts, errors, diagnostics, values. */
#include "harness.h"

#include "../../reconciler/base/clock.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/base/value.h"

/* 2026-08-31T20:01:03Z, from `date -u -d 2026-08-31T20:01:03Z +%s`. */
#define AUGUST INT64_C(1788206463000)

static void test_time_parse(void)
{
    static const struct {
        const char *why, *text;
        int64_t want;
    } rows[] = {
        {"the epoch", "1970-01-01T00:00:00Z", 0},
        {"UTC", "2026-08-31T20:01:03Z", AUGUST},
        {"no offset means UTC", "2026-08-31T20:01:03", AUGUST},
        {"half an hour east", "2026-09-01T01:31:03+05:30", AUGUST},
        {"west", "2026-08-31T12:01:03-08:00", AUGUST},
        {"seven fraction digits, as Azure writes", "2026-08-31T20:01:03.1239999Z", AUGUST + 123},
        {"one fraction digit", "2026-08-31T20:01:03.5Z", AUGUST + 500},
        {"lower case", "2026-08-31t20:01:03z", AUGUST},
        {"leap day", "2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"no leap day", "2026-02-29T00:00:00Z", TIME_NONE},
        {"1900 was none either", "1900-02-29T00:00:00Z", TIME_NONE},
        {"before the epoch", "1969-12-31T23:59:59Z", -1000},
        {"Azure's never", "0001-01-01T00:00:00", TIME_NONE},
        {"Azure's never, with Z", "0001-01-01T00:00:00Z", TIME_NONE},
        {"backup's never", "2001-01-01T00:00:00Z", TIME_NONE},
        {"a second after backup's never is a time", "2001-01-01T00:00:01Z", INT64_C(978307201000)},
        {"month 13", "2026-13-01T00:00:00Z", TIME_NONE},
        {"hour 24", "2026-01-01T24:00:00Z", TIME_NONE},
        {"date alone", "2026-01-01", TIME_NONE},
        {"a point without digits", "2026-01-01T00:00:00.Z", TIME_NONE},
        {"something behind", "2026-01-01T00:00:00Zx", TIME_NONE},
        {"one digit for the hour", "2026-01-01T1:00:00Z", TIME_NONE},
        {"signs inside", "2026-+1-01T00:00:00Z", TIME_NONE},
        {"half an offset", "2026-01-01T00:00:00+05", TIME_NONE},
        {"offset of a day", "2026-01-01T00:00:00+24:00", TIME_NONE},
        {"nothing", "", TIME_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].why, time_parse(rows[i].text) == rows[i].want);
    CHECK(time_parse(NULL) == TIME_NONE);
}

static void test_time_text(void)
{
    static const struct {
        const char *why, *text;
        int64_t want;
    } rows[] = {
        {"evening", "8/31/2026 8:01:03 PM", AUGUST},
        {"zeros in front", "08/31/2026 08:01:03 PM", AUGUST},
        {"noon", "1/1/1970 12:00:00 PM", 12 * HOUR_MS},
        {"midnight", "1/1/1970 12:00:00 AM", 0},
        {"hour 13", "1/1/1970 13:00:00 PM", TIME_NONE},
        {"a narrow no-break space", "8/31/2026 8:01:03\u202FPM", AUGUST},
        {"no-break spaces", "8/31/2026\u00A08:01:03\u00A0PM", AUGUST},
        {"a thin space, and a mark of direction", "\u200E8/31/2026 8:01:03\u2009PM", AUGUST},
        {"with dots and a comma", "8/31/2026, 8:01:03 p.m.", AUGUST},
        {"a clock of 24 hours", "8/31/2026 20:01:03", AUGUST},
        {"day first, as the number says", "31/8/2026 20:01:03", AUGUST},
        {"day first and half of the day", "31/8/2026 8:01:03 PM", AUGUST},
        {"dots mean the day first", "31.08.2026 20:01:03", AUGUST},
        {"year first", "2026/08/31 20:01:03", AUGUST},
        {"ISO", "2026-08-31T20:01:03Z", AUGUST},
        {"ISO with a blank", "2026-08-31 20:01:03", AUGUST},
        {"ISO with half of the day", "2026-08-31 8:01:03 PM", AUGUST},
        {"month or day", "8/9/2026 20:01:03", TIME_NONE},
        {"no half of the day", "8/31/2026 8:01:03", TIME_NONE},
        {"noon or midnight", "8/31/2026 12:01:03", TIME_NONE},
        {"two marks", "8/31-2026 8:01:03 PM", TIME_NONE},
        {"no time", "8/31/2026", TIME_NONE},
        {"no date", "8:01:03 PM", TIME_NONE},
        {"nothing", "", TIME_NONE},
        {"words", "yesterday evening", TIME_NONE},
        {"a short year", "8/31/26 8:01:03 PM", TIME_NONE},
        {"another month", "31/13/2026 8:01:03 PM", TIME_NONE},
        {"something behind", "8/31/2026 8:01:03 PMx", TIME_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].why, time_parse_text(rows[i].text) == rows[i].want);
}

static void test_time_fit(void)
{
    static const struct {
        const char *why, *text;
        enum time_fit want;
        bool exact;
    } rows[] = {
        {"one second", "8/31/2026 8:01:03 PM", TIME_FITS, true},
        {"another second", "8/31/2026 8:01:33 PM", TIME_FITS_NOT, true},
        {"its minute", "8/31/2026 8:01 PM", TIME_FITS, false},
        {"another minute", "8/31/2026 8:02 PM", TIME_FITS_NOT, false},
        {"either half of the day", "8/31/2026 8:01:03", TIME_FITS_PERHAPS, false},
        {"the minute of either half", "8/31/2026 8:01", TIME_FITS_PERHAPS, false},
        {"neither half", "8/31/2026 9:01:03", TIME_FITS_NOT, false},
        {"an hour of 24", "8/31/2026 20:01:03", TIME_FITS, true},
        {"its minute of 24 hours", "8/31/2026 20:01", TIME_FITS, false},
        {"an hour of 24 with dots", "31.08.2026 08:01:03", TIME_FITS_NOT, true},
        {"another day", "8/30/2026 8:01:03", TIME_FITS_NOT, false},
        {"words", "yesterday evening", TIME_FITS_PERHAPS, false},
        {"month or day", "8/9/2026 20:01:03", TIME_FITS_PERHAPS, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].why, time_text_fit(rows[i].text, AUGUST) == rows[i].want);
        CHECK_ROW(rows[i].why, time_text_exact(rows[i].text) == rows[i].exact);
    }
}

static void test_time_format(struct arena *a)
{
    CHECK_STR(time_format(a, AUGUST), "2026-08-31T20:01:03Z");
    CHECK_STR(time_format(a, AUGUST + 7), "2026-08-31T20:01:03.007Z");
    CHECK_STR(time_format(a, -1), "1969-12-31T23:59:59.999Z");
    CHECK_STR(time_format_us(a, AUGUST), "8/31/2026 8:01:03 PM");
    CHECK_STR(time_format_us(a, 0), "1/1/1970 12:00:00 AM");
    CHECK_STR(time_format_filter(a, AUGUST), "2026-08-31 08:01:03 PM");
    CHECK_STR(time_format_http(a, AUGUST), "Mon, 31 Aug 2026 20:01:03 GMT");
    for (int64_t t = -40000 * DAY_MS; t < 60000 * DAY_MS; t += 37 * DAY_MS + 3661007) {
        CHECK_ROW("format and parse are inverse", time_parse(time_format(a, t)) == t);
        CHECK_ROW("the same for backup's own form, to the second",
                  time_parse_text(time_format_us(a, t - ((t % 1000) + 1000) % 1000)) == t - ((t % 1000) + 1000) % 1000);
    }
}

static void test_durations(struct arena *a)
{
    static const struct {
        const char *why, *text;
        int64_t want;
    } rows[] = {
        {"seconds", "90s", 90 * SECOND_MS},
        {"minutes", "10m", 10 * MINUTE_MS},
        {"hours", "24h", 24 * HOUR_MS},
        {"days", "7d", 7 * DAY_MS},
        {"none at all", "0s", 0},
        {"no unit", "90", -1},
        {"no number", "s", -1},
        {"a sign", "-1s", -1},
        {"two units", "1h30m", -1},
        {"milliseconds", "5ms", -1},
        {"a blank", "5 m", -1},
        {"nothing", "", -1},
        {"a million years", "400000000d", -1},
    };
    static const struct {
        const char *why, *text;
        int64_t want;
    } iso[] = {
        {"a job's duration", "PT2M30.2146956S", 150215},
        {"all parts", "PT1H41M27S", 6087000},
        {"thousandths are not lost to binary fractions", "PT1.001S", 1001},
        {"days", "P1DT1S", 86401000},
        {"months are not known", "P1M", -1},
        {"no parts", "PT", -1},
        {"hexadecimal", "PT0x10S", -1},
        {"an exponent", "PT1e3S", -1},
        {"not one", "2M", -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].why, duration_parse(rows[i].text) == rows[i].want);
    for (size_t i = 0; i < COUNT(iso); i++)
        CHECK_ROW(iso[i].why, duration_parse_iso(iso[i].text) == iso[i].want);
    for (int64_t t = 0; t < 2 * DAY_MS; t += 1234567)
        CHECK_ROW("format and parse are inverse", duration_parse_iso(duration_format_iso(a, t)) == t);
    CHECK(duration_parse(NULL) < 0 && duration_parse_iso(NULL) < 0);
}

static void test_durations_for_people(struct arena *a)
{
    CHECK_STR(duration_meant(a, "72"), "72h");
    CHECK_STR(duration_meant(a, "24H"), "24h");
    CHECK_STR(duration_meant(a, "3 days"), "3d");
    CHECK_STR(duration_meant(a, "P3D"), "3d");
    CHECK_STR(duration_meant(a, "1.5h"), "90m");
    CHECK_STR(duration_meant(a, "2 weeks"), "14d");
    CHECK(!duration_meant(a, "soon") && !duration_meant(a, NULL) && !duration_meant(a, "3 moons"));
    CHECK_STR(duration_format(a, 26 * MINUTE_MS), "26 min");
    CHECK_STR(duration_format(a, 6 * HOUR_MS + 12 * MINUTE_MS), "6 h 12 min");
    CHECK_STR(duration_format(a, 45 * SECOND_MS), "45 s");
    CHECK_STR(duration_format(a, 3 * DAY_MS), "3 d");
}

static void test_shown(struct arena *a)
{
    static const struct {
        const char *why, *text, *line, *lines, *json;
    } rows[] = {
        {"plain words", "a b \xc3\xa9\xe4\xb8\xad", "a b \xc3\xa9\xe4\xb8\xad", "a b \xc3\xa9\xe4\xb8\xad",
         "a b \xc3\xa9\xe4\xb8\xad"},
        {"a sequence", "\x1b[31mx", "\\x1b[31mx", "\\x1b[31mx", "\\u001b[31mx"},
        {"C1",
         "\xc2\x9b"
         "2J",
         "\\xc2\\x9b2J", "\\xc2\\x9b2J", "\\u009b2J"},
        {"no UTF-8",
         "a\x9b"
         "b",
         "a\\x9bb", "a\\x9bb", "a\\u009bb"},
        {"a line end", "a\nb", "a b", "a\nb", "a\nb"},
        {"direction", "\xe2\x80\xaex", "\\xe2\\x80\\xaex", "\\xe2\\x80\\xaex", "\\u202ex"},
        {"an order anywhere", "x ##vso[y", "x \\x23#vso[y", "x \\x23#vso[y", "x \\u0023#vso[y"},
        {"no order", "## [x ##", "## [x ##", "## [x ##", "## [x ##"},
        {"an order at the start", " ::error::x ::y", " \\x3a:error::x ::y", " \\x3a:error::x ::y", " ::error::x ::y"},
        {"an order in the second line", "a\n ::error", "a  ::error", "a\n \\x3a:error", "a\n ::error"},
        {"a tag", "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81", "\\xf3\\xa0\\x81\\x81", "\\udb40\\udc41"},
    };
    struct text t;

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_STR(str_shown(a, rows[i].text), rows[i].line);
        CHECK_STR(str_shown_lines(a, rows[i].text, false), rows[i].lines);
        CHECK_STR(json_shown(a, rows[i].text), rows[i].json);
        CHECK_ROW(rows[i].why, str_eq(str_shown(a, rows[i].line), rows[i].line));
    }
    CHECK_STR(str_shown_lines(a, "\033[31mFAILED\033[0m \033[8mhidden", true), "\033[31mFAILED\033[0m \\x1b[8mhidden");
    text_init(&t, TEXT_CEILING);
    text_say(&t, "%s: %zu of %d%%\n%-6s|%4s|%.2s|%*s|%03lld|%c|%.3f|%x\n", "a\nb", (size_t)7, -3, "ab", "cd", "efgh", 5,
             "x", 9LL, 'z', 1.5, 255U);
    CHECK_STR(text_str(&t), "a b: 7 of -3%\nab    |  cd|ef|    x|009|z|1.500|ff\n");
    text_release(&t);
}

static void test_did_you_mean(void)
{
    static const char *const names[] = {"purgeProtection", "permissionModel", "zone", "id", NULL};
    static const struct {
        const char *why, *word, *want;
    } rows[] = {
        {"a letter missing", "purgeProtecton", "purgeProtection"},
        {"swapped neighbours", "permissoinModel", "permissionModel"},
        {"case alone", "PURGEPROTECTION", "purgeProtection"},
        {"short, one off", "zon", "zone"},
        {"something else", "network", NULL},
        {"short words need to be near", "xy", NULL},
        {"nothing", "", NULL},
        {"a letter too much in front", "xzone", "zone"},
        {"three edits far apart", "urgePrtectin", "purgeProtection"},
        {"four are too many", "urgPrtectin", NULL},
        {"longer than any name", "a123456789a123456789a123456789a123456789a123456789a123456789a123456789", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = did_you_mean(rows[i].word, names);

        CHECK_ROW(rows[i].why, rows[i].want ? str_eq(got, rows[i].want) : !got);
    }
}

static void test_errors(void)
{
    struct err err;
    char big[4000];

    CHECK(err_set(&err, ERR_DENIED, "no %s", "rights") == -ERR_DENIED);
    CHECK(err.class == ERR_DENIED && err.http_status == 0);
    snprintf(err.code, sizeof(err.code), "Forbidden");
    CHECK(err_note(&err, "vault %d", 7) == -ERR_DENIED);
    CHECK_STR(err.text, "vault 7: no rights");
    CHECK(err_advise(&err, "ask") == -ERR_DENIED);
    CHECK_STR(err.text, "vault 7: no rights; ask");
    CHECK_STR(err.code, "Forbidden");
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    err_note(&err, "%s", big);
    err_advise(&err, "%s", big);
    CHECK_ROW("a note of any length is cut", strlen(err.text) < sizeof(err.text));
    for (int c = 0; c < ERR_CLASS_COUNT; c++)
        CHECK_ROW("every class has a name", strcmp(err_class_name((enum err_class)c), "unknown") != 0);
}

static void test_diags(struct arena *a)
{
    struct diags d;
    struct origin late = {"b.yaml", 1, 1}, early = {"a.yaml", 9, 2}, first = {"a.yaml", 2, 30}, file = {"a.yaml", 0, 0};

    diags_init(&d, a);
    diags_add(&d, SEVERITY_ERROR, &late, NULL, "late");
    diags_add(&d, SEVERITY_WARNING, &early, "stop it", "early");
    diags_add(&d, SEVERITY_ERROR, &first, NULL, "first");
    diags_add(&d, SEVERITY_ERROR, &first, NULL, "second");
    diags_add(&d, SEVERITY_ERROR, &file, NULL, "whole file");
    diags_add(&d, SEVERITY_ERROR, NULL, NULL, "no place");
    CHECK(d.count == 6 && d.n_errors == 5);
    diags_sort(&d);
    CHECK_STR(diag_format(a, &d.items[0]), "no place");
    CHECK_STR(diag_format(a, &d.items[1]), "a.yaml: whole file");
    CHECK_STR(diag_format(a, &d.items[2]), "a.yaml:2:30: first");
    CHECK_STR(diag_format(a, &d.items[3]), "a.yaml:2:30: second");
    CHECK_STR(diag_format(a, &d.items[4]), "a.yaml:9:2: warning: early; stop it");
    CHECK_STR(diag_format(a, &d.items[5]), "b.yaml:1:1: late");
    for (int i = 0; i < 2 * DIAGS_MAX; i++)
        diags_add(&d, SEVERITY_ERROR, NULL, NULL, "more");
    CHECK_ROW("errors beyond the limit are counted, not kept",
              d.count == DIAGS_MAX && d.n_errors == 5 + 2 * DIAGS_MAX && d.dropped == 6 + DIAGS_MAX);
}

static void take(void *ctx, const char *s, size_t n)
{
    text_add_n(ctx, s, n);
}

/* What is taken in parts is what was written, whatever its ceiling. */
static void test_spill(void)
{
    struct text whole cleanup(text_release) = {.ceiling = TEXT_CEILING}, got cleanup(text_release) = whole;
    struct text spilled cleanup(text_release) = {.ceiling = 64 * 1024, .spill = take, .spill_ctx = &got};

    for (int i = 0; i < 50000; i++) {
        text_printf(&whole, "%d,", i);
        text_printf(&spilled, "%d,", i);
    }
    CHECK(!spilled.overflowed);
    text_add_n(&got, text_str(&spilled), spilled.len);
    CHECK_STR(text_str(&got), text_str(&whole));
}

static void test_text(struct arena *a)
{
    struct text t cleanup(text_release);

    text_init(&t, 10);
    CHECK_STR(text_str(&t), "");
    text_add(&t, "12345");
    text_printf(&t, "%d", 678);
    CHECK(!t.overflowed && t.len == 8);
    text_add(&t, "90a");
    CHECK_ROW("what would pass the ceiling is not added", t.overflowed && t.len == 8);
    text_add_char(&t, '9');
    CHECK_ROW("nor anything after it", t.len == 8);
    text_clear(&t);
    text_add(&t, "1234567890");
    CHECK_ROW("the ceiling itself fits", !t.overflowed && t.len == 10);
    t.ceiling = TEXT_CEILING;
    text_clear(&t);
    text_add_percent(&t, "a b/\xC3\xA9~");
    CHECK_STR(text_str(&t), "a%20b%2F%C3%A9~");
    text_clear(&t);
    text_printf(&t, "%0700d", 1);
    CHECK_ROW("longer than the small buffer", t.len == 700);
    CHECK(str_eq(NULL, NULL) && !str_eq(NULL, "") && str_eq_nocase("AbC", "aBc"));
    CHECK(str_starts_nocase("/Subscriptions/x", "/subscriptions/") && !str_starts("/Subscriptions", "/subscriptions"));
    CHECK(str_ends_nocase("a.JSON", ".json") && !str_ends_nocase("n", ".json"));
    CHECK_STR(str_find_nocase("xxABCyy", "abc"), "ABCyy");
    CHECK(str_find_nocase("xx", "y") == NULL);
    CHECK(!str_find_nocase(NULL, "x") && !str_find_nocase("x", NULL) && !str_matches_nocase("*", NULL));
    CHECK(!str_starts(NULL, "") && !str_starts_nocase("x", NULL) && !str_ends_nocase(NULL, "") &&
          !str_ends_nocase("x", NULL));
    CHECK_STR(str_lower(a, "MiXed"), "mixed");
    CHECK_STR(str_lower(a, "ØŁŹ ΣΩ ЁЯ × 目標"), "øłź σω ёя × 目標");
    CHECK(str_eq_nocase("Sølv.КЛЮЧ-Ω", "SØLV.ключ-ω") && str_starts_nocase("ÜBUNG-1", "übung"));
    CHECK(str_find_nocase("rg/ÜBUNG", "übung"));
    CHECK(!str_eq_nocase("×", "÷") && !str_eq_nocase("ø", "o") && !str_eq_nocase("Я", "я1"));
    CHECK(!str_starts_nocase("\xc3", "\xc3\x9c"));
}

static void test_utf8(void)
{
    static const struct {
        const char *why, *bytes;
        size_t room, want;
    } rows[] = {
        {"ASCII", "a", 1, 1},
        {"two bytes", "\xC3\xA9", 2, 2},
        {"four bytes", "\xF0\x9F\x98\x80", 4, 4},
        {"cut off", "\xC3", 1, 0},
        {"overlong slash", "\xC0\xAF", 2, 0},
        {"overlong, three bytes", "\xE0\x80\xAF", 3, 0},
        {"surrogate", "\xED\xA0\x80", 3, 0},
        {"beyond Unicode", "\xF4\x90\x80\x80", 4, 0},
        {"a continuation alone", "\x80", 1, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].why, utf8_length(rows[i].bytes, rows[i].room) == rows[i].want);
}

static void test_values(struct arena *a)
{
    struct value *v = value_map(a), *list = value_list(a), *inner = value_map(a), *copy;

    value_set_string(a, v, "name", "payroll");
    value_set_string(a, v, "absent", NULL);
    value_set_int(a, v, "count", 3);
    value_set_bool(a, v, "on", true);
    value_push(a, list, value_format(a, "%d", 12));
    value_push(a, list, inner);
    CHECK_ROW("setting answers with what was set", value_is(value_set(a, inner, "x", value_real(a, 0.5)), VALUE_REAL));
    value_set(a, v, "list", list);
    CHECK(value_count(v) == 4 && !value_get(v, "absent"));
    CHECK_STR(value_str_at(v, "list.0"), "12");
    CHECK_ROW("a string of digits is a number to those who ask for one", value_int_at(v, "list.0", -1) == 12);
    CHECK_ROW("a name is not", value_int_at(v, "name", -1) == -1);
    value_set_string(a, v, "huge", "99999999999999999999");
    CHECK_ROW("nor what does not fit", value_int_at(v, "huge", -1) == -1);
    CHECK(value_bool_at(v, "on", false) && value_bool_at(v, "name", true));
    CHECK(!value_at(v, "list.2") && !value_at(v, "list.x") && !value_at(v, "name.x") && !value_at(NULL, "a"));
    CHECK(value_at(v, "") == v);
    CHECK_STR(value_str(value_get_nocase(v, "NAME")), "payroll");
    CHECK_ROW("a shared copy is the same", value_equal(value_copy_shared(a, v), v));
    copy = value_copy(a, v);
    CHECK(value_equal(v, copy) && copy != v && value_get(copy, "list") != list);
    value_set_int(a, copy, "count", 4);
    CHECK_ROW("a copy stands alone", !value_equal(v, copy) && value_int_at(v, "count", 0) == 3);
    CHECK(value_remove(copy, "name") && !value_remove(copy, "name") && !value_get(copy, "name"));
    CHECK(!value_deeper_than(v, 3) && value_deeper_than(v, 2));
    CHECK(value_equal(NULL, value_null(a)) && !value_equal(value_unknown(a), value_unknown(a)));
    CHECK_ROW("a string may hold NULs",
              !value_equal(value_string_n(a, "a\0b", 3), value_string_n(a, "a\0c", 3)));
    for (int i = 0; i < 100; i++)
        value_set_int(a, v, arena_printf(a, "k%d", i), i);
    for (int i = 0; i < 100; i += 2)
        value_remove(v, arena_printf(a, "k%d", i));
    for (int i = 0; i < 100; i += 2)
        value_set_int(a, v, arena_printf(a, "k%d", i), i);
    for (int i = 0; i < 100; i++)
        CHECK_ROW("removing and adding keeps the rest", value_int_at(v, arena_printf(a, "k%d", i), -1) == i);
}

static void test_map_order(struct arena *a)
{
    struct value *x = value_map(a), *y = value_map(a);

    value_set_int(a, x, "a", 1);
    value_set_int(a, x, "b", 2);
    value_set_int(a, y, "b", 2);
    value_set_int(a, y, "a", 1);
    CHECK_ROW("maps are equal in any order", value_equal(x, y));
    CHECK_STR(x->map.members[0].key, "a");
    value_set_int(a, y, "c", 1);
    CHECK_ROW("a member more is a difference", !value_equal(x, y) && !value_equal(y, x));
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    test_time_parse();
    test_time_text();
    test_time_fit();
    test_time_format(a);
    test_durations(a);
    test_durations_for_people(a);
    test_shown(a);
    test_did_you_mean();
    test_errors();
    test_diags(a);
    test_spill();
    test_text(a);
    test_utf8();
    test_values(a);
    test_map_order(a);
    HARNESS_END();
}
