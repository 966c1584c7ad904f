/* Regular expressions: what matches, what is refused, and what is not allowed to run away. */
#include "harness.h"

#include "../../reconciler/format/pattern.h"

static void test_matches(void)
{
    static const struct {
        const char *why, *expression, *text;
        bool want;
    } rows[] = {
        {"anywhere", "pay", "my-payroll", true},
        {"anchored", "^pay", "my-payroll", false},
        {"the dollar is the very end", "^pay$", "pay\n", false},
        {"alternatives", "^(kv|hsm)-", "hsm-a", true},
        {"case counts", "^kv", "KV", false},
        {"unless told otherwise", "(?i)^kv", "KV", true},
        {"a dot is a character, not a byte", "^.$", "\xC3\xA9", true},
        {"look-ahead", "^(?!prod-).*$", "prod-1", false},
        {"the empty text", "^$", "", true},
        {"a text that is not UTF-8 can still be told apart", "^a", "a\xFF", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pattern *p cleanup(pattern_freep) = NULL;
        bool got = !rows[i].want;
        struct err err;

        CHECK_ROW(rows[i].why,
                  pattern_new(rows[i].expression, &p, &err) == 0 && pattern_matches(p, rows[i].text, &got, &err) == 0);
        CHECK_ROW(rows[i].why, got == rows[i].want);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *why, *expression, *says;
    } rows[] = {
        {"an open group", "a(b", "character 4"},
        {"an open class", "[a", "character 3"},
        {"nothing to repeat", "*a", "character 1"},
        {"bytes inside characters", "\\C", "not a regular expression"},
    };
    char long_one[5000];
    struct pattern *p = NULL;
    struct err err;

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].why, pattern_new(rows[i].expression, &p, &err) == -ERR_INVALID && !p);
        CHECK_ROW(rows[i].why, strstr(err.text, rows[i].says) != NULL);
    }
    memset(long_one, 'a', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    CHECK_ROW("too long", pattern_new(long_one, &p, &err) == -ERR_INVALID && !p);
    pattern_free(NULL);
}

static void test_runaway(void)
{
    struct pattern *p cleanup(pattern_freep) = NULL;
    char text[42];
    bool got = false;
    struct err err;

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 2] = 'b';
    text[sizeof(text) - 1] = '\0';
    CHECK(pattern_new("^(a+)+$", &p, &err) == 0);
    CHECK_ROW("a match that would take for ever is an error, not a no",
              pattern_matches(p, text, &got, &err) == -ERR_INVALID);
    CHECK_ROW("and says so", strstr(err.text, "cannot be decided") && !got);
}

int main(void)
{
    test_matches();
    test_refused();
    test_runaway();
    HARNESS_END();
}
