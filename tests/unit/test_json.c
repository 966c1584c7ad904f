/* JSON: what is read, what is refused and where, what is written, and members cut without a tree. */
#include "harness.h"

#include "../../reconciler/format/json.h"

static const char *round_trip(struct arena *a, const char *text, enum json_style style)
{
    struct value *v;
    struct err err;

    return json_parse(a, text, strlen(text), &v, &err) < 0 ? arena_printf(a, "error: %s", err.text)
                                                           : json_string(a, v, style);
}

struct row {
    const char *why, *text, *want;
};

static void rows_check(struct arena *a, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = round_trip(a, rows[i].text, JSON_COMPACT);

        CHECK_ROW(rows[i].why, strcmp(got, rows[i].want) == 0);
        if (strcmp(got, rows[i].want) != 0)
            fprintf(stderr, "    got  %s\n    want %s\n", got, rows[i].want);
    }
}

static void test_tree(struct arena *a)
{
    static const struct row rows[] = {
        {"the last of many equal names counts, in the first one's place",
         "{\"b\":1,\"a\":2,\"b\":{\"b\":3,\"b\":4},\"c\":5,\"a\":6}", "{\"b\":{\"b\":4},\"a\":6,\"c\":5}"},
        {"among more names than are compared one by one",
         "{\"00\":0,\"01\":0,\"02\":0,\"03\":0,\"04\":0,\"05\":0,\"06\":0,\"07\":0,\"08\":0,\"09\":0,\"10\":0,\"11\":0,"
         "\"12\":0,"
         "\"13\":0,\"14\":0,\"15\":0,\"16\":0,\"17\":0,\"18\":0,\"19\":0,\"20\":0,\"21\":0,\"22\":0,\"23\":0,\"24\":0,"
         "\"03\":1,"
         "\"25\":0,\"03\":2,\"25\":3}",
         "{\"00\":0,\"01\":0,\"02\":0,\"03\":2,\"04\":0,\"05\":0,\"06\":0,\"07\":0,\"08\":0,\"09\":0,\"10\":0,\"11\":0,"
         "\"12\":0,"
         "\"13\":0,\"14\":0,\"15\":0,\"16\":0,\"17\":0,\"18\":0,\"19\":0,\"20\":0,\"21\":0,\"22\":0,\"23\":0,\"24\":0,"
         "\"25\":3}"},
        {"an escaped name is the same name", "{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"half a pair is no character", "[\"\\ud83dx\",\"\\ude00\",\"\\ud83d\\ud83d\\ude00\",\"\\ud83d\\u0041\"]",
         "[\"\xEF\xBF\xBDx\",\"\xEF\xBF\xBD\",\"\xEF\xBF\xBD\xF0\x9F\x98\x80\",\"\xEF\xBF\xBD"
         "A\"]"},
        {"minus nothing", "[-0,-0.0,-1]", "[0,-0.0,-1]"},
        {"a real of many digits", "[0.1000000000000000055511151231257827021181583404541015625000000000000000000000000]",
         "[0.1]"},
    };

    rows_check(a, rows, COUNT(rows));
}

static void test_twice(struct arena *a)
{
    static const struct row rows[] = {
        {"two values that differ", "{\"value\":[1],\"value\":[]}",
         "an object has value twice, with values that differ"},
        {"deep inside, spelled with an escape", "[{\"a\":{\"b\":1,\"\\u0062\":2}}]",
         "an object has b twice, with values that differ"},
        {"among many",
         "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0,"
         "\"n\":0,"
         "\"o\":0,\"p\":0,\"q\":0,\"r\":0,\"s\":0,\"t\":0,\"u\":0,\"v\":0,\"w\":0,\"x\":0,\"y\":0,\"q\":1}",
         "an object has q twice, with values that differ"},
        {"what is no field's name is not shown", "{\"a b\":1,\"a b\":2}",
         "an object has one of its members twice, with values that differ"},
        {"the same said twice", "{\"a\":[1],\"a\":[1]}", ""},
        {"in two objects", "[{\"a\":1},{\"a\":2}]", ""},
        {"in other capitals it is another name", "{\"a\":1,\"A\":2}", ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value *v;
        struct err err;
        int rc = json_parse_once(a, rows[i].text, strlen(rows[i].text), &v, &err);

        CHECK_ROW(rows[i].why, strcmp(rc < 0 ? err.text : "", rows[i].want) == 0);
    }
}

static void test_parse(struct arena *a)
{
    static const struct row rows[] = {
        {"every type", "{\"a\":[null,true,false,1,-2,0.5,\"x\"],\"b\":{}}",
         "{\"a\":[null,true,false,1,-2,0.5,\"x\"],\"b\":{}}"},
        {"blanks", " \t\r\n[ 1 , 2 ] \n", "[1,2]"},
        {"a number alone", "12", "12"},
        {"a word alone", "null", "null"},
        {"a byte order mark", "\xEF\xBB\xBF{}", "{}"},
        {"largest integers", "[9223372036854775807,-9223372036854775808]",
         "[9223372036854775807,-9223372036854775808]"},
        {"an integer beyond 64 bits becomes a real", "[9223372036854775808,1]", "[9.223372036854776e+18,1]"},
        {"far beyond, alone", "123456789012345678901234567890", "1.2345678901234568e+29"},
        {"several of them", "[99999999999999999999,{\"a\":-99999999999999999999},\"99999999999999999999\"]",
         "[1e+20,{\"a\":-1e+20},\"99999999999999999999\"]"},
        {"a real stays one", "[1.0,1e2]", "[1.0,100.0]"},
        {"the shortest text of a real", "[0.1,0.30000000000000004,5e-324]",
         "[0.1,0.30000000000000004,4.94065645841247e-324]"},
        {"escapes", "\"\\u00e9\\n\\t\\/\\\\\\\"\\u0007\\ud83d\\ude00\"",
         "\"\xC3\xA9\\n\\t/\\\\\\\"\\u0007\xF0\x9F\x98\x80\""},
        {"a NUL in a string", "\"a\\u0000b\"", "\"a\\u0000b\""},
        {"the last of two equal names counts", "{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"order is kept", "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}"},
        {"nothing", "", "error: line 1, column 1: the text ends where a value is expected"},
        {"a comma too many", "{\"a\":1,}", "error: line 1, column 8: a member's name in double quotes is expected"},
        {"a comma too few", "[1\n 2]", "error: line 2, column 2: a comma or ] is expected"},
        {"columns count characters", "{\"\xC3\xA9\" 1}", "error: line 1, column 6: a colon is expected"},
        {"a zero in front", "[01]", "error: line 1, column 4: a number with a zero in front"},
        {"a point without digits", "[1.]", "error: line 1, column 4: a digit is expected"},
        {"JavaScript's words", "[NaN]", "error: line 1, column 2: no JSON value begins like this"},
        {"single quotes", "['a']", "error: line 1, column 2: no JSON value begins like this"},
        {"comments", "/* */ 1", "error: line 1, column 1: no JSON value begins like this"},
        {"a tab in a string", "[\"\t\"]", "error: line 1, column 3: a control character in a string"},
        {"an unknown escape", "\"\\x\"", "error: line 1, column 2: an escape that JSON does not have"},
        {"a short \\u", "\"\\u12\"", "error: line 1, column 2: \\u needs four hexadecimal digits"},
        {"no UTF-8", "\"\xFF\"", "error: line 1, column 2: bytes that are not UTF-8"},
        {"an open string", "\"abc", "error: line 1, column 5: the text ends inside a string"},
        {"an open list", "[1", "error: line 1, column 3: a comma or ] is expected"},
        {"two texts", "{} {}", "error: line 1, column 4: something follows behind the JSON text"},
        {"a NUL in a name would hide the rest", "{\"a\\u0000b\":1}",
         "error: line 1, column 4: a member's name holds a NUL"},
    };

    rows_check(a, rows, COUNT(rows));
}

static void test_depth(struct arena *a)
{
    for (int depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        char text[2 * (JSON_DEPTH_MAX + 1) + 1] = "";
        struct value *v = NULL;
        struct err err;

        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        CHECK_ROW("64 levels and no more",
                  (json_parse(a, text, strlen(text), &v, &err) == 0) == (depth <= JSON_DEPTH_MAX));
        CHECK_ROW("the value is there or not", (v != NULL) == (depth <= JSON_DEPTH_MAX));
    }
}

static void test_size(struct arena *a)
{
    static const char text[] = "1";
    struct value *v;
    struct err err;

    CHECK_ROW("refused by its length, without being read",
              json_parse(a, text, (size_t)JSON_BYTES_MAX + 1, &v, &err) == -ERR_PROTOCOL &&
                  strstr(err.text, "67108864"));
}

static void test_write(struct arena *a)
{
    struct value *v = value_map(a), *list = value_list(a);

    value_set(a, v, "z", list);
    value_push(a, list, value_int(a, 1));
    value_push(a, list, value_map(a));
    value_set(a, v, "B", value_unknown(a));
    value_set(a, v, "a", value_list(a));
    CHECK_STR(json_string(a, v, JSON_COMPACT), "{\"z\":[1,{}],\"B\":{\"$unknown\":true},\"a\":[]}");
    CHECK_STR(json_string(a, v, JSON_CANONICAL), "{\"B\":{\"$unknown\":true},\"a\":[],\"z\":[1,{}]}");
    CHECK_STR(json_string(a, v, JSON_INDENTED),
              "{\n  \"z\": [\n    1,\n    {}\n  ],\n  \"B\": {\"$unknown\": true},\n  \"a\": []\n}");
    CHECK_STR(json_string(a, NULL, JSON_COMPACT), "null");
    CHECK_STR(json_string(a, value_real(a, 1.0 / 0.0), JSON_COMPACT), "null");
    CHECK_ROW("bytes that are no UTF-8 do not make the text unreadable",
              strcmp(json_string(a, value_string(a, "a\xFFz"), JSON_COMPACT), "\"a\xEF\xBF\xBDz\"") == 0);
    CHECK_STR(json_string(a, value_string(a, "a/b<\x7F"), JSON_COMPACT), "\"a/b<\x7F\"");
}

/* Numbers between and around powers of ten and two must come back as they were. */
static void test_reals(struct arena *a)
{
    uint64_t bits = 88172645463325252U;

    for (int i = 0; i < 5000; i++) {
        double r;
        struct value *again = NULL;
        struct err err;
        const char *text;

        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&r, &bits, sizeof(r));
        text = json_string(a, value_real(a, r), JSON_COMPACT);
        if (strcmp(text, "null") == 0)
            continue;
        CHECK_ROW("a real is read back",
                  json_parse(a, text, strlen(text), &again, &err) == 0 && again->type == VALUE_REAL);
        CHECK_ROW("as the same real", again && memcmp(&again->r, &r, sizeof(r)) == 0);
    }
}

static void test_cut(void)
{
    static const char text[] = "{\"x\":[1,{\"Os\":\"no\"}],\"OsDisk\":{\"Key\":{},\"KeyBackupData\":\"ab\\/c==\","
                               "\"n\":1,\"e\":\"a\\n\",\"\":\"\"},"
                               "\"KeyBackup\":\"short\",\"late\":\"\"}";
    static const struct {
        const char *why, *path, *want;
        int rc;
    } rows[] = {
        {"nested, raw, with its escaped slash", "OsDisk.KeyBackupData", "ab\\/c==", 0},
        {"case folded", "osdisk.keybackupDATA", "ab\\/c==", 0},
        {"a name that begins like it is another", "KeyBackup", "short", 0},
        {"an empty string", "late", "", 0},
        {"an item of a list", "x.1.os", "no", 0},
        {"behind the last item", "x.2", NULL, -ERR_NOT_FOUND},
        {"a name where an item is counted", "x.os", NULL, -ERR_NOT_FOUND},
        {"not there", "OsDisk.Nothing", NULL, -ERR_NOT_FOUND},
        {"only at another level", "KeyBackupData", NULL, -ERR_NOT_FOUND},
        {"below something that is no map", "late.x", NULL, -ERR_NOT_FOUND},
        {"a number", "OsDisk.n", NULL, -ERR_PROTOCOL},
        {"a map", "OsDisk", NULL, -ERR_PROTOCOL},
        {"other escapes", "OsDisk.e", NULL, -ERR_PROTOCOL},
    };
    const char *start;
    size_t len;
    struct err err;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int rc = json_cut(text, sizeof(text) - 1, rows[i].path, &start, &len, &err);

        CHECK_ROW(rows[i].why, rc == rows[i].rc);
        if (rc == 0 && rows[i].want)
            CHECK_ROW(rows[i].why, len == strlen(rows[i].want) && memcmp(start, rows[i].want, len) == 0);
        else
            CHECK_ROW("no error shows what is in the text",
                      rc == 0 || (!strstr(err.text, "ab") && !strstr(err.text, "short")));
    }
    CHECK_ROW("a text that breaks off is not cut from, even behind the member",
              json_cut(text, sizeof(text) - 2, "OsDisk.KeyBackupData", &start, &len, &err) == -ERR_PROTOCOL);
}

/* Truncations and changed bytes, each in a buffer of its exact size, so that a sanitizer sees one byte too far. */
static void test_broken(void)
{
    static const char good[] =
        "{\"value\":[{\"id\":\"/subscriptions/x\",\"n\":-12.5e3,\"t\":true,\"s\":\"\\u00e9\\ud83d\\ude00\xC3\xA9\"},"
        "[],{},null],\"nextLink\":\"https:\\/\\/a\"}";
    uint32_t seed = 1;
    size_t refused = 0;

    for (size_t i = 0; i < sizeof(good) - 1 + 20000; i++) {
        size_t len = i < sizeof(good) - 1 ? i : sizeof(good) - 1, cut_len;
        char *text = malloc(len ? len : 1);
        struct arena *a = arena_new();
        struct value *v;
        const char *start;
        struct err err;

        memcpy(text, good, len);
        for (int flips = i < sizeof(good) - 1 ? 0 : 1 + (int)(seed >> 30); flips > 0; flips--) {
            seed = seed * 1664525 + 1013904223;
            text[(seed >> 8) % len] = (char)(seed >> 20);
        }
        refused += json_parse(a, text, len, &v, &err) < 0;
        if (json_cut(text, len, "nextLink", &start, &cut_len, &err) == 0)
            CHECK_ROW("what is cut lies inside", start >= text && start + cut_len <= text + len);
        if (i < sizeof(good) - 1)
            CHECK_ROW("no beginning of a text is a text", refused == i + 1);
        arena_free(a);
        free(text);
    }
    CHECK_ROW("most changes break it, not all", refused > 10000 && refused < sizeof(good) - 1 + 20000);
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    test_parse(a);
    test_tree(a);
    test_twice(a);
    test_depth(a);
    test_size(a);
    test_write(a);
    test_reals(a);
    test_cut();
    test_broken();
    HARNESS_END();
}
