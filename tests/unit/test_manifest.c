/* YAML: what plain scalars mean, where values come from, every fault with its place, limits, and writing. */
#include "harness.h"

#include <unistd.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/format/manifest.h"

struct reading {
    struct arena *a;
    struct value *docs;
    struct diags diags;
};

static struct reading read_text(const char *text, size_t len, const struct manifest_limits *limits)
{
    struct reading r = {.a = arena_new()};

    r.docs = value_list(r.a);
    diags_init(&r.diags, r.a);
    manifest_read(r.a, "m.yaml", text, len, limits, r.docs, &r.diags);
    diags_sort(&r.diags);
    return r;
}

static const char *first_fault(const struct reading *r)
{
    return r->diags.count ? diag_format(r->a, &r->diags.items[0]) : "";
}

static void reading_release(struct reading *r)
{
    arena_free(r->a);
}

static void test_values(void)
{
    static const struct {
        const char *why, *text, *want;
    } rows[] = {
        {"yes and no are strings in YAML 1.2", "[yes, no, on, off, y]", "[\"yes\",\"no\",\"on\",\"off\",\"y\"]"},
        {"booleans", "[true, False, TRUE]", "[true,false,true]"},
        {"nulls", "[null, ~, Null, ]", "[null,null,null]"},
        {"an empty value", "a:", "{\"a\":null}"},
        {"integers", "[0, -12, +7, 0x1F, 0o17, 007]", "[0,-12,7,31,15,7]"},
        {"reals", "[1.5, 1., .5, 1e3, -2.5E-1]", "[1.5,1.0,0.5,1000.0,-0.25]"},
        {"not quite numbers", "[1.2.3, 0x, 1_000, 12a, -, 1e]", "[\"1.2.3\",\"0x\",\"1_000\",\"12a\",\"-\",\"1e\"]"},
        {"times are strings", "2026-11-23T02:00:00Z", "\"2026-11-23T02:00:00Z\""},
        {"durations and clock times are strings", "[24h, 12:30:45]", "[\"24h\",\"12:30:45\"]"},
        {"quotes make a string of anything", "[\"1\", 'true', \"\"]", "[\"1\",\"true\",\"\"]"},
        {"a block is a string", "a: |\n  1\n", "{\"a\":\"1\\n\"}"},
        {"an explicit string", "!!str 12", "\"12\""},
        {"the tag that only says: no guessing", "! 12", "\"12\""},
        {"an alias repeats its value", "{a: &x [1], b: *x}", "{\"a\":[1],\"b\":[1]}"},
        {"the latest anchor of a name counts", "[&x 1, &x 2, *x]", "[1,2,2]"},
        {"quoted, a merge key is a key", "{\"<<\": 1}", "{\"<<\":1}"},
        {"JSON is YAML", "{\"a\": {\"b\": [1, \"x\"]}}", "{\"a\":{\"b\":[1,\"x\"]}}"},
        {"an escaped NUL in a string", "\"a\\0b\"", "\"a\\u0000b\""},
        {"a byte order mark", "\xEF\xBB\xBF" "a: 1", "{\"a\":1}"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reading r cleanup(reading_release) =
            read_text(rows[i].text, strlen(rows[i].text), &manifest_default_limits);

        CHECK_ROW(rows[i].why, r.diags.count == 0 && value_count(r.docs) == 1);
        CHECK_STR(json_string(r.a, value_item(r.docs, 0), JSON_COMPACT), rows[i].want);
    }
}

static void test_faults(void)
{
    static const struct {
        const char *why, *text, *place, *says;   /* says: somewhere in the fault */
    } rows[] = {
        {"empty", "", "m.yaml: ", "no document"},
        {"comments alone", "# nothing\n", "m.yaml: ", "no document"},
        {"empty documents alone", "---\n---\n~\n", "m.yaml: ", "no document"},
        {"UTF-16", "\xFF\xFEk", "m.yaml:1:1: ", "Out-File -Encoding utf8"},
        {"not UTF-8", "a: 1\nb: \xFF\n", "m.yaml:2:4: ", "UTF-8"},
        {"a key twice names both places", "a: 1\nb: 2\na: 3\n", "m.yaml:3:1: ", "line 1, column 1"},
        {"a key twice, nested", "x:\n  - {a: 1, a: 2}\n", "m.yaml:2:12: ", "line 2, column 6"},
        {"a tab", "a:\n\tb: 1\n", "m.yaml:2:1: ", "spaces"},
        {"a colon too many", "a: b: c\n", "m.yaml:1:5: ", "quotes"},
        {"an open quote", "a: \"x\n", "m.yaml:2:1: ", "close the quotes"},
        {"an open bracket", "a: [1\nb: 2\n", "m.yaml:2:2: ", "begins at line 1"},
        {"bad indentation", "a: 1\n  b: 2\n", "m.yaml:2:4: ", "indentation"},
        {"a merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", "m.yaml:3:3: ", "write the members out"},
        {"a key that is a number", "1: x\n", "m.yaml:1:1: ", "whole number"},
        {"a key that is a boolean", "true: x\n", "m.yaml:1:1: ", "true or false"},
        {"a key that is a list", "? [a]\n: b\n", "m.yaml:1:3: ", "a list"},
        {"a key with a NUL", "\"a\\0b\": 1\n", "m.yaml:1:1: ", "NUL"},
        {"an unknown tag", "a: !vault x\n", "m.yaml:1:4: ", "!vault"},
        {"a tag that contradicts", "a: !!int x\n", "m.yaml:1:4: ", "not understood"},
        {"an integer beyond 64 bits", "id: 12345678901234567890\n", "m.yaml:1:5: ", "\"12345678901234567890\""},
        {"a real beyond all", "id: 12345678e0123456\n", "m.yaml:1:5: ", "quotes"},
        {"no number at all", "id: .nan\n", "m.yaml:1:5: ", "quotes"},
        {"an alias to nothing", "a: *x\n", "m.yaml:1:4: ", "*x"},
        {"an alias inside its own value", "a: &x [*x]\n", "m.yaml:1:8: ", "inside"},
        {"aliases end with their document", "a: &x 1\n---\nb: *x\n", "m.yaml:3:4: ", "*x"},
        {"a control character", "a: \"\x07\"\n", "m.yaml:1:", "control character"},
        {"an unknown escape", "a: \"\\q\"\n", "m.yaml:1:", "single quotes"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reading r cleanup(reading_release) =
            read_text(rows[i].text, strlen(rows[i].text), &manifest_default_limits);
        const char *fault = first_fault(&r);

        CHECK_ROW(rows[i].why, r.diags.n_errors == 1);
        CHECK_ROW(rows[i].why, str_starts(fault, rows[i].place) && strstr(fault, rows[i].says));
        if (!str_starts(fault, rows[i].place) || !strstr(fault, rows[i].says))
            fprintf(stderr, "    got  %s\n    want %s ... %s\n", fault, rows[i].place, rows[i].says);
    }
}

static void test_several(void)
{
    static const char text[] = "a: 1\na: 2\n---\nb: 1\nb: 2\n---\nc: [\n";
    struct reading r cleanup(reading_release) = read_text(text, sizeof(text) - 1, &manifest_default_limits);

    CHECK_ROW("all faults, not only the first", r.diags.n_errors == 3);
    CHECK_ROW("documents before the broken one are there", value_count(r.docs) == 2);
}

static void test_origins(void)
{
    static const char text[] = "# x\nkind: Key\nspec:\n  list:\n    - \xC3\xA9: one\n    - [x, &a y]\n---\nk: {m: v}\n";
    struct reading r cleanup(reading_release) = read_text(text, sizeof(text) - 1, &manifest_default_limits);
    const struct value *doc = value_item(r.docs, 0), *item = value_at(doc, "spec.list.0"),
                       *y = value_at(doc, "spec.list.1.1");
    const struct value *v = value_at(value_item(r.docs, 1), "k.m");

    CHECK(value_count(r.docs) == 2 && r.diags.count == 0);
    CHECK(value_origin(doc)->line == 2 && value_origin(doc)->column == 1);
    CHECK(member_origin(&doc->map.members[1]).line == 3 && value_origin(doc->map.members[1].value)->line == 4);
    CHECK(member_origin(&item->map.members[0]).line == 5 && member_origin(&item->map.members[0]).column == 7);
    CHECK_ROW("columns count characters", value_origin(item->map.members[0].value)->column == 10);
    CHECK(value_origin(y)->line == 6 && value_origin(v)->line == 8 && value_origin(v)->column == 8);
    CHECK_STR(value_origin(v)->file, "m.yaml");
}

static void add_repeated(struct text *t, const char *s, size_t n)
{
    for (; n > 0; n--)
        text_add(t, s);
}

static void expect_limit(const char *why, const struct text *t, const struct manifest_limits *limits, const char *says)
{
    struct reading r cleanup(reading_release) = read_text(text_str(t), t->len, limits);

    CHECK_ROW(why, says ? r.diags.n_errors == 1 && strstr(first_fault(&r), says) : r.diags.count == 0);
    if (says && !strstr(first_fault(&r), says))
        fprintf(stderr, "    got %s\n", first_fault(&r));
}

static void test_limits(void)
{
    static const struct manifest_limits small = {.bytes = 100, .depth = 4, .nodes = 10, .documents = 2};
    struct text t cleanup(text_release);

    text_init(&t, TEXT_CEILING);
    text_add(&t, "[[[[1]]]]");
    expect_limit("four levels fit", &t, &small, NULL);
    text_clear(&t);
    text_add(&t, "[[[[[1]]]]]");
    expect_limit("five do not", &t, &small, "deeper than 4");
    text_clear(&t);
    text_add(&t, "[&a [[1]], [[*a]]]");
    expect_limit("an alias counts with its depth", &t, &small, "deeper than 4");
    text_clear(&t);
    text_add(&t, "[1,1,1,1,1,1,1,1,1]");
    expect_limit("ten values fit", &t, &small, NULL);
    text_clear(&t);
    text_add(&t, "[&a [1,1,1],*a,*a]");
    expect_limit("an alias counts with its values", &t, &small, "more than 10 values");
    text_clear(&t);
    text_add(&t, "a: 1\n---\nb: 1\n---\nc: 1\n");
    expect_limit("three documents", &t, &small, "more than 2 documents");
    text_clear(&t);
    add_repeated(&t, "#", 101);
    expect_limit("a byte too many", &t, &small, "larger than 100 bytes");
    text_clear(&t);
    add_repeated(&t, "[", 10000);
    expect_limit("ten thousand levels", &t, &manifest_default_limits, "deeper than 64");
    text_clear(&t);
    add_repeated(&t, "- ", 10000);
    expect_limit("the same in block style", &t, &manifest_default_limits, "deeper than 64");
    text_clear(&t);
    text_add(&t, "[");
    add_repeated(&t, "&a 1,", 1500);
    expect_limit("anchors without end", &t, &manifest_default_limits, "anchors");
}

static void test_bomb(void)
{
    struct text t cleanup(text_release);

    text_init(&t, TEXT_CEILING);
    text_add(&t, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 30; i++) {
        text_printf(&t, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            text_printf(&t, "*a%d,", i - 1);
        text_add(&t, "]\n");
    }
    expect_limit("aliases that multiply", &t, &manifest_default_limits, "aliases expanded");
    text_clear(&t);
    for (int i = 0; i < 90000; i++)
        text_printf(&t, "k%d:\n", i);
    expect_limit("a map of 90,000 members is read without comparing each with each", &t, &manifest_default_limits,
                 NULL);
}

static void test_files(void)
{
    char path[] = "/tmp/reinstate-manifest-XXXXXX";
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *docs = value_list(a);
    struct diags d;
    int fd = mkstemp(path);

    diags_init(&d, a);
    CHECK(fd >= 0 && write(fd, "a: 1\n", 5) == 5);
    manifest_read_file(a, path, &manifest_default_limits, docs, &d);
    CHECK(d.count == 0 && value_count(docs) == 1);
    CHECK_STR(value_origin(value_item(docs, 0))->file, path);
    CHECK_ROW("a sparse file of 100 MB", ftruncate(fd, 100 * 1024 * 1024) == 0);
    manifest_read_file(a, path, &manifest_default_limits, docs, &d);
    CHECK(d.n_errors == 1 && strstr(d.items[0].what, "larger than 8388608"));
    CHECK_ROW("refused before memory is taken", arena_bytes(a) < 100 * 1024);
    close(fd);
    unlink(path);
    manifest_read_file(a, path, &manifest_default_limits, docs, &d);
    CHECK(d.n_errors == 2 && str_eq(d.items[1].origin.file, path));
    manifest_read_file(a, "/", &manifest_default_limits, docs, &d);
    CHECK(d.n_errors == 3 && strstr(d.items[2].what, "directory"));
    manifest_read_file(a, "/dev/zero",
                       &(struct manifest_limits){.bytes = 1000, .depth = 4, .nodes = 10, .documents = 1}, docs, &d);
    CHECK_ROW("a stream that never ends", d.n_errors == 4 && strstr(d.items[3].what, "larger than 1000"));
    manifest_read(a, "bin", "a\0b", 3, &manifest_default_limits, docs, &d);
    CHECK_ROW("a binary file", d.n_errors == 5 && strstr(d.items[4].what, "NUL") && d.items[4].origin.column == 2);
    CHECK_ROW("nothing was added by any of them", value_count(docs) == 1);
}

static void test_write(void)
{
    static const struct {
        const char *why, *json, *want;
    } rows[] = {
        {"block style", "{\"a\":1,\"b\":{\"c\":[1,{\"d\":2,\"e\":[]},[true,null]]}}",
         "a: 1\nb:\n  c:\n    - 1\n    - d: 2\n      e: []\n    - - true\n      - null\n"},
        {"strings that need no quotes", "[\"abc\",\"a b\",\"/sub/x\",\"2026-11-23T02:00:00Z\",\"https://a/b\",\"24h\"]",
         "- abc\n- a b\n- /sub/x\n- 2026-11-23T02:00:00Z\n- https://a/b\n- 24h\n"},
        {"strings that do",
         "[\"\",\"1\",\"true\",\"null\",\"~\",\"- x\",\"a: b\",\"a #b\",\" a\",\"a "
         "\",\"0x1\",\"1e3\",\".inf\",\"yes\"]",
         "- \"\"\n- \"1\"\n- \"true\"\n- \"null\"\n- \"~\"\n- \"- x\"\n- \"a: b\"\n- \"a #b\"\n- \" a\"\n- \"a \"\n- "
         "\"0x1\"\n- \"1e3\"\n"
         "- \".inf\"\n- \"yes\"\n"},
        {"reals stay reals", "[1.0,0.1]", "- 1.0\n- 0.1\n"},
        {"a scalar alone", "\"x\"", "x\n"},
        {"empty map", "{}", "{}\n"},
    };
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text t cleanup(text_release);
        struct value *v = NULL;
        struct err err;

        text_init(&t, TEXT_CEILING);
        CHECK_ROW(rows[i].why, json_parse(a, rows[i].json, strlen(rows[i].json), &v, &err) == 0);
        manifest_write(&t, v);
        CHECK_STR(text_str(&t), rows[i].want);
    }
}

/* Strings of awkward characters, as values and as keys, must come back as they were. */
static void test_write_reads_back(void)
{
    static const char *const pieces[] = {
        "a", " ", ":", "#", "-", "\"", "\\", "\n", "\t", "\xC2\x85", "\xE2\x80\xA8", "\xEF\xBB\xBF", "\xC3\xA9",
        "\x01", "\x7F", "'", "?", "!", "&", "*", "%", "@", "`", "{", "]", ",", "1", "~", "\xF0\x9F\x98\x80", "|", ">",
        "=", "\xEF\xBF\xBD", "\r", "<<", "...",
    };
    struct arena *a cleanup(arena_freep) = arena_new();
    uint32_t seed = 7;

    for (int round = 0; round < 2000; round++) {
        struct text t cleanup(text_release), out cleanup(text_release);
        struct value *v = value_map(a), *list = value_list(a), *docs = value_list(a);
        struct diags d;

        text_init(&t, TEXT_CEILING);
        text_init(&out, TEXT_CEILING);
        diags_init(&d, a);
        for (int n = round % 9; n > 0; n--) {
            seed = seed * 1664525 + 1013904223;
            text_add(&t, pieces[(seed >> 16) % COUNT(pieces)]);
        }
        value_set_string(a, v, text_str(&t), "x");
        value_push(a, list, value_string(a, text_str(&t)));
        value_set(a, v, "list", list);
        manifest_write(&out, v);
        manifest_read(a, "again", text_str(&out), out.len, &manifest_default_limits, docs, &d);
        CHECK_ROW("what is written reads back", d.count == 0 && value_equal(value_item(docs, 0), v));
        if (d.count || !value_equal(value_item(docs, 0), v))
            fprintf(stderr, "%s\n", text_str(&out));
    }
}

static void test_long_key(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text key cleanup(text_release), out cleanup(text_release);
    struct value *v = value_map(a), *inner = value_map(a), *docs = value_list(a);
    struct diags d;

    text_init(&key, TEXT_CEILING);
    text_init(&out, TEXT_CEILING);
    diags_init(&d, a);
    add_repeated(&key, "k", 3000);
    value_set(a, v, text_str(&key), inner);
    value_set_int(a, inner, "a", 1);
    manifest_write(&out, v);
    manifest_read(a, "again", text_str(&out), out.len, &manifest_default_limits, docs, &d);
    CHECK_ROW("a key too long for libyaml's simple form", d.count == 0 && value_equal(value_item(docs, 0), v));
}

/* Truncations and changed bytes, each in a buffer of its exact size. Only a sanitizer or a crash can fail here, and the
 * promise that whoever gets no document is told why. */
static void test_broken(void)
{
    static const char good[] =
        "apiVersion: reinstate/v1\nkind: Key\nmetadata: {name: k, labels: {a: \"b\\u00e9\"}}\nspec:\n"
        "  sources: &s\n    - recover: {}\n    - file: 'x''y'\n  again: *s\n  text: |\n    one\n    two\n"
        "---\n# \xC3\xA9\n[1, 2.5, !!str 3, ~, {? x : y}]\n";
    uint32_t seed = 3;

    for (size_t i = 0; i < sizeof(good) - 1 + 10000; i++) {
        size_t len = i < sizeof(good) - 1 ? i : sizeof(good) - 1;
        char *text = malloc(len ? len : 1);
        struct reading r;

        memcpy(text, good, len);
        for (int flips = i < sizeof(good) - 1 ? 0 : 1 + (int)(seed >> 30); flips > 0; flips--) {
            seed = seed * 1664525 + 1013904223;
            text[(seed >> 8) % len] = (char)(seed >> 20);
        }
        r = read_text(text, len, &manifest_default_limits);
        CHECK_ROW("documents or a reason", value_count(r.docs) > 0 || r.diags.n_errors > 0);
        reading_release(&r);
        free(text);
    }
}

int main(void)
{
    test_values();
    test_faults();
    test_several();
    test_origins();
    test_limits();
    test_bomb();
    test_files();
    test_write();
    test_write_reads_back();
    test_long_key();
    test_broken();
    HARNESS_END();
}
