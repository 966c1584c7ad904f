/* Schemas: every keyword, the words of every fault, faults in schemas themselves, and the questions about fields. The
 * schemas of the project are loaded too: what they hold is their own business, but all of it must be understood. */
#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/format/schema.h"

#define FILE_OF(file, text) {file, text, sizeof(text) - 1}

static const struct schema_file house[] = {
    FILE_OF(
        "common.json",
        "{\"$defs\":{\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z-]+$\",\"examples\":[\"payroll\"]},"
        "\"named\":{\"$ref\":\"#/$defs/name\",\"description\":\"A name.\"},"
        "\"ref\":{\"oneOf\":[{\"$ref\":\"common.json#/$defs/"
        "name\"},{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\","
        "\"format\":\"arm-id\"}},\"required\":[\"id\"],\"additionalProperties\":false}]},"
        "\"tree\":{\"type\":\"object\",\"properties\":{\"leaf\":{\"type\":\"integer\"},\"trees\":{\"type\":\"array\","
        "\"items\":{\"$ref\":\"#/$defs/tree\"}}},\"additionalProperties\":false}}}"),
    FILE_OF(
        "House.json",
        "{\"x-kind\":\"House\",\"type\":\"object\",\"properties\":{"
        "\"name\":{\"$ref\":\"common.json#/$defs/named\",\"description\":\"What it is called. More.\"},"
        "\"rooms\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"default\":3},"
        "\"height\":{\"type\":\"number\",\"minimum\":0.5},"
        "\"heated\":{\"type\":\"boolean\",\"default\":false},"
        "\"roof\":{\"enum\":[\"flat\",\"gabled\",7]},"
        "\"kind\":{\"const\":\"House\"},"
        "\"owner\":{\"$ref\":\"common.json#/$defs/ref\",\"x-ref\":[\"Person\",\"Firm\"]},"
        "\"doors\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,\"uniqueItems\":true,\"items\":{\"oneOf\":["
        "{\"type\":\"object\",\"properties\":{\"front\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":"
        "\"string\","
        "\"x-ref\":[\"Key\"]},\"wide\":{\"type\":\"boolean\",\"default\":true}},"
        "\"required\":[\"key\"],\"additionalProperties\":false}},"
        "\"required\":[\"front\"],\"additionalProperties\":false},"
        "{\"type\":\"object\",\"properties\":{\"back\":{\"type\":\"object\",\"additionalProperties\":false}},"
        "\"required\":[\"back\"],\"additionalProperties\":false}]}},"
        "\"labels\":{\"type\":\"object\",\"maxProperties\":2,\"additionalProperties\":{\"type\":\"string\"}},"
        "\"floors\":{\"type\":\"object\",\"minProperties\":1,\"patternProperties\":{\"^f[0-9]$\":{\"type\":\"integer\"}"
        "},"
        "\"additionalProperties\":false},"
        "\"pin\":{\"type\":\"string\",\"minLength\":4,\"maxLength\":6,\"x-secret\":true,\"pattern\":\"^[0-9]+$\"},"
        "\"garden\":{\"$ref\":\"common.json#/$defs/tree\"},"
        "\"since\":{\"type\":\"string\",\"format\":\"date-time\"},\"lease\":{\"type\":\"string\",\"format\":"
        "\"duration\"},"
        "\"deed\":{\"type\":\"string\",\"format\":\"uuid\"},\"site\":{\"type\":\"string\",\"format\":\"url\"},"
        "\"lock\":{\"type\":\"string\",\"format\":\"key-url\"},\"land\":{\"type\":\"string\",\"format\":\"arm-id\"},"
        "\"either\":{\"type\":[\"string\",\"null\"]},"
        "\"sold\":{\"not\":{\"const\":true,\"description\":\"it must not be sold\"}},"
        "\"size\":{\"anyOf\":[{\"type\":\"integer\"},{\"enum\":[\"small\",\"large\"]}]},"
        "\"cellar\":{\"type\":\"object\",\"default\":{},\"properties\":{\"dry\":{\"type\":\"boolean\",\"default\":true}"
        "}}"
        "},\"required\":[\"name\"],\"additionalProperties\":false}"),
    {NULL, NULL, 0},
};

static struct schemas *house_new(void)
{
    struct schemas *s = NULL;
    struct err err = {0};

    CHECK(schemas_new(house, &s, &err) == 0);
    if (!s) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return s;
}

static struct value *parse(struct arena *a, const char *text)
{
    struct value *v = NULL;
    struct err err = {0};

    CHECK(json_parse(a, text, strlen(text), &v, &err) == 0);
    if (!v) {
        fprintf(stderr, "%s: %s\n", text, err.text);
        exit(1);
    }
    return v;
}

static const struct {
    const char *why, *text, *want;   /* "": no fault */
} checks[] = {
    {"the least", "{\"name\":\"a\"}", ""},
    {"no map", "[1]", "the document: found a list, expected a map"},
    {"a required field", "{}", "the document: the field name is missing; add name (What it is called)"},
    {"a misspelt field", "{\"name\":\"a\",\"romos\":1}", "the document: there is no field romos; did you mean rooms?"},
    {"a field far from any", "{\"name\":\"a\",\"floors\":{\"cellar\":1}}",
     "floors: there is no field cellar; it takes no fields"},
    {"a pattern's fields", "{\"name\":\"a\",\"floors\":{\"f1\":1}}", ""},
    {"a pattern's field of the wrong type", "{\"name\":\"a\",\"floors\":{\"f1\":true}}",
     "floors.f1: found true, expected a whole number"},
    {"too few fields", "{\"name\":\"a\",\"floors\":{}}", "floors: it is empty"},
    {"too many fields", "{\"name\":\"a\",\"labels\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
     "labels: 3 fields, at most 2 are allowed"},
    {"free names, typed values", "{\"name\":\"a\",\"labels\":{\"a\":1}}",
     "labels.a: found 1, expected a string; write it in quotes"},
    {"a form, with its example", "{\"name\":\"A\"}",
     "name: \"A\" does not have the form ^[a-z-]+$; for example payroll"},
    {"a line end does not hide behind the form", "{\"name\":\"a\\n\"}",
     "name: \"a\\n\" does not have the form ^[a-z-]+$; for example payroll"},
    {"nor what is behind a NUL", "{\"name\":\"a\\u0000B\"}", "name: the text holds a NUL character"},
    {"digits in quotes", "{\"name\":\"a\",\"rooms\":\"3\"}",
     "rooms: found \"3\", expected a whole number; write it without quotes"},
    {"a real is no whole number", "{\"name\":\"a\",\"rooms\":3.5}", "rooms: found 3.5, expected a whole number"},
    {"a whole number is a number", "{\"name\":\"a\",\"height\":3}", ""},
    {"too small", "{\"name\":\"a\",\"rooms\":0}", "rooms: 0 is too small, the least is 1"},
    {"too small, real", "{\"name\":\"a\",\"height\":0.25}", "height: 0.25 is too small, the least is 0.5"},
    {"too large", "{\"name\":\"a\",\"rooms\":10}", "rooms: 10 is too large, the most is 9"},
    {"yes", "{\"name\":\"a\",\"heated\":\"yes\"}",
     "heated: found \"yes\", expected true or false; write true, without quotes"},
    {"off", "{\"name\":\"a\",\"heated\":\"off\"}",
     "heated: found \"off\", expected true or false; write false, without quotes"},
    {"a word that is near", "{\"name\":\"a\",\"roof\":\"gabeld\"}",
     "roof: \"gabeld\" is not allowed here; did you mean gabled? allowed: flat, gabled, 7"},
    {"a word that is not", "{\"name\":\"a\",\"roof\":false}",
     "roof: false is not allowed here; allowed: flat, gabled, 7"},
    {"a word that is a number", "{\"name\":\"a\",\"roof\":7}", ""},
    {"one value only", "{\"name\":\"a\",\"kind\":\"Hut\"}", "kind: found \"Hut\", must be House"},
    {"two types", "{\"name\":\"a\",\"either\":null}", ""},
    {"neither of two types", "{\"name\":\"a\",\"either\":1}", "either: found 1, expected a string or null"},
    {"a reference by name", "{\"name\":\"a\",\"owner\":\"bob\"}", ""},
    {"a reference by id", "{\"name\":\"a\",\"owner\":{\"id\":\"/subscriptions/x\"}}", ""},
    {"a reference of a third kind", "{\"name\":\"a\",\"owner\":5}",
     "owner: found 5, expected a string or a map; write the name of a document of kind Person or Firm"},
    {"the alternative that was meant, for a string", "{\"name\":\"a\",\"owner\":\"Bob\"}",
     "owner: \"Bob\" does not have the form ^[a-z-]+$; for example payroll"},
    {"the alternative that was meant, for a map", "{\"name\":\"a\",\"owner\":{\"id\":\"/x\"}}",
     "owner.id: \"/x\" is not an ARM id; write it like /subscriptions/GUID/resourceGroups/NAME/providers/TYPE/NAME"},
    {"told apart by a member", "{\"name\":\"a\",\"doors\":[{\"back\":{}},{\"front\":{\"key\":\"k\"}}]}", ""},
    {"a fault inside the one that was meant", "{\"name\":\"a\",\"doors\":[{\"front\":{}}]}",
     "doors.0.front: the field key is missing"},
    {"both at once", "{\"name\":\"a\",\"doors\":[{\"front\":{\"key\":\"k\"},\"back\":{}}]}",
     "doors.0: front and back exclude each other; keep one of them"},
    {"none of them", "{\"name\":\"a\",\"doors\":[{}]}",
     "doors.0: none of the fields is there that would say what is meant; write front or back"},
    {"one of them misspelt", "{\"name\":\"a\",\"doors\":[{\"fornt\":{}}]}",
     "doors.0: there is no field fornt; did you mean front?"},
    {"no map among maps", "{\"name\":\"a\",\"doors\":[\"x\"]}", "doors.0: found \"x\", expected a map"},
    {"an empty list", "{\"name\":\"a\",\"doors\":[]}", "doors: it is empty"},
    {"a list too long",
     "{\"name\":\"a\",\"doors\":[{\"back\":{}},{\"front\":{\"key\":\"a\"}},{\"front\":{\"key\":\"b\"}},"
     "{\"front\":{\"key\":\"c\"}}]}",
     "doors: 4 items, at most 3 are allowed"},
    {"the same twice, in another order",
     "{\"name\":\"a\",\"doors\":[{\"front\":{\"key\":\"a\",\"wide\":true}},"
     "{\"front\":{\"wide\":true,\"key\":\"a\"}}]}",
     "doors.1: the same as item 0; name it once"},
    {"no list", "{\"name\":\"a\",\"doors\":{\"back\":{}}}",
     "doors: found a map, expected a list; write each item on a line of its own with \"- \" before it, also when there "
     "is only one"},
    {"a secret is not shown", "{\"name\":\"a\",\"pin\":1234}",
     "pin: found a whole number, expected a string; write it in quotes"},
    {"nor when its form is wrong", "{\"name\":\"a\",\"pin\":\"12ab\"}",
     "pin: a string does not have the form ^[0-9]+$"},
    {"too short", "{\"name\":\"a\",\"pin\":\"123\"}", "pin: 3 characters, at least 4 are needed"},
    {"too long", "{\"name\":\"a\",\"pin\":\"1234567\"}", "pin: 7 characters, at most 6 are allowed"},
    {"a shape inside itself", "{\"name\":\"a\",\"garden\":{\"trees\":[{\"trees\":[{\"leaf\":1}]}]}}", ""},
    {"a fault deep inside", "{\"name\":\"a\",\"garden\":{\"trees\":[{\"trees\":[{\"leaf\":\"x\"}]}]}}",
     "garden.trees.0.trees.0.leaf: found \"x\", expected a whole number"},
    {"what must not be", "{\"name\":\"a\",\"sold\":true}", "sold: true is not allowed here; it must not be sold"},
    {"what may be", "{\"name\":\"a\",\"sold\":false}", ""},
    {"any of", "{\"name\":\"a\",\"size\":\"small\"}", ""},
    {"none of any", "{\"name\":\"a\",\"size\":\"smal\"}",
     "size: \"smal\" is not allowed here; did you mean small? allowed: small, large"},
    {"nor by type", "{\"name\":\"a\",\"size\":true}",
     "size: found true, expected a whole number, \"small\" or \"large\""},
};

static void test_check(const struct schemas *s)
{
    for (size_t i = 0; i < COUNT(checks); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct diags d;
        const char *got;

        diags_init(&d, a);
        schema_check(s, "House.json", parse(a, checks[i].text), &d);
        got = d.count ? diag_format(a, &d.items[0]) : "";
        CHECK_ROW(checks[i].why, d.count == (*checks[i].want ? 1 : 0));
        CHECK_ROW(checks[i].why, strcmp(got, checks[i].want) == 0);
        if (strcmp(got, checks[i].want) != 0)
            fprintf(stderr, "    got  %s\n    want %s\n", got, checks[i].want);
    }
}

static const struct {
    const char *why, *field, *text;
    bool fits;
} format_rows[] = {
    {"UTC", "since", "2026-11-23T03:00:00Z", true},
    {"another zone", "since", "2026-11-23T07:00:00+04:00", true},
    {"no zone", "since", "2026-11-23T03:00:00", false},
    {"a day", "since", "2026-11-23", false},
    {"never", "since", "0001-01-01T00:00:00Z", false},
    {"hours", "lease", "24h", true},
    {"no unit", "lease", "24", false},
    {"a GUID", "deed", "0f0f0f0f-0000-4000-8000-00000000000A", true},
    {"a GUID in braces", "deed", "{0f0f0f0f-0000-4000-8000-00000000000a}", false},
    {"a short GUID", "deed", "0f0f0f0f-0000-4000-8000-00000000000", false},
    {"a long GUID", "deed", "0f0f0f0f-0000-4000-8000-00000000000aa", false},
    {"https", "site", "https://kv.vault.azure.net/x", true},
    {"a query, which may be a signature", "site", "https://kv.vault.azure.net/x?sig=PLANTED", false},
    {"a user and his word", "site", "https://u:PLANTED@kv.vault.azure.net/x", false},
    {"a port", "site", "https://localhost:8443", true},
    {"http", "site", "http://kv.vault.azure.net", false},
    {"no host", "site", "https:///x", false},
    {"a user that looks like a host", "site", "https://kv.vault.azure.net@evil.example/x", false},
    {"a backslash that some take for a slash", "site", "https://kv.vault.azure.net\\@evil.example", false},
    {"a blank", "site", "https://a/b c", false},
    {"a key", "lock", "https://kv.vault.azure.net/keys/k", true},
    {"a key version", "lock", "https://kv.vault.azure.net/keys/k/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5", true},
    {"a secret", "lock", "https://kv.vault.azure.net/secrets/k", false},
    {"too deep", "lock", "https://kv.vault.azure.net/keys/k/v/w", false},
    {"no name", "lock", "https://kv.vault.azure.net/keys/", false},
    {"a query", "lock", "https://kv.vault.azure.net/keys/k?x=1", false},
    {"a resource group", "land", "/subscriptions/s/resourceGroups/rg", true},
    {"case folded", "land", "/SUBSCRIPTIONS/s/resourcegroups/rg", true},
    {"a resource", "land", "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv", true},
    {"no subscription", "land", "/resourceGroups/rg", false},
    {"an empty segment", "land", "/subscriptions/s//rg", false},
    {"a slash at the end", "land", "/subscriptions/s/", false},
    {"a way out", "land", "/subscriptions/s/resourceGroups/..", false},
    {"an escaped way out", "land", "/subscriptions/s/resourceGroups/%2e%2e", false},
    {"a query in an id", "land", "/subscriptions/s/resourceGroups/rg?api-version=1", false},
    {"a type without a name", "land", "/subscriptions/s/resourceGroups", false},
};

static void test_formats(const struct schemas *s)
{
    for (size_t i = 0; i < COUNT(format_rows); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct value *v = value_map(a);
        struct diags d;

        diags_init(&d, a);
        value_set_string(a, v, "name", "a");
        value_set_string(a, v, format_rows[i].field, format_rows[i].text);
        schema_check(s, "House.json", v, &d);
        CHECK_ROW(format_rows[i].why, (d.count == 0) == format_rows[i].fits);
    }
}

static void test_places(const struct schemas *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *v = parse(a, "{\"name\":\"a\",\"rooms\":0,\"extra\":1}");
    struct diags d;

    diags_init(&d, a);
    v->written = &(struct written){{"h.yaml", 1, 1}, 0, 0};
    v->map.members[1].value->written = &(struct written){{"h.yaml", 2, 8}, 2, 1};
    v->map.members[2].value->written = &(struct written){{"h.yaml", 4, 2}, 3, 1};
    schema_check(s, "House.json", v, &d);
    diags_sort(&d);
    CHECK_ROW("all faults, not only the first", d.count == 2);
    CHECK_STR(diag_format(a, &d.items[0]), "h.yaml:2:8: rooms: 0 is too small, the least is 1");
    CHECK_ROW("an unknown field is shown where its name stands", d.items[1].origin.line == 3);
    value_set(a, v, "rooms", value_unknown(a));
    value_remove(v, "extra");
    diags_init(&d, a);
    schema_check(s, "House.json", v, &d);
    CHECK_ROW("what is known only after apply is not judged", d.count == 0);
    schema_check(s, "Hut.json", v, &d);
    CHECK_ROW("a schema that is not there", d.n_errors == 1);
}

static void note_reference(void *ctx, const char *path, const struct value *at, const struct value *kinds)
{
    text_printf(ctx, "%s=%s:%zu ", path, value_str(at) ? value_str(at) : "?", value_count(kinds));
}

static void test_references(const struct schemas *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text seen cleanup(text_release);

    text_init(&seen, TEXT_CEILING);
    schema_each_ref(
        s, "House.json",
        parse(a, "{\"name\":\"a\",\"owner\":\"bob\",\"doors\":[{\"back\":{}},{\"front\":{\"key\":\"k1\"}}]}"),
        note_reference, &seen);
    CHECK_STR(text_str(&seen), "owner=bob:2 doors.1.front.key=k1:1 ");
}

static void test_defaults(const struct schemas *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    static const char text[] =
        "{\"name\":\"a\",\"heated\":true,\"doors\":[{\"back\":{}},{\"front\":{\"key\":\"k\"}}]}";
    struct value *v = parse(a, text);
    const struct value *full;

    v->written = &(struct written){{"h.yaml", 4, 2}, 0, 0};
    full = schema_with_defaults(a, s, "House.json", v);
    CHECK_STR(json_string(a, full, JSON_CANONICAL),
              "{\"cellar\":{\"dry\":true},\"doors\":[{\"back\":{}},{\"front\":{\"key\":\"k\",\"wide\":true}}],"
              "\"heated\":true,\"name\":\"a\",\"rooms\":3}");
    CHECK_ROW("the original is not touched", value_count(v) == 3);
    CHECK_ROW("a default stands where its map stands", value_origin(value_get(full, "rooms"))->line == 4);
    CHECK_ROW("what was given is not written to", value_equal(v, parse(a, text)));
    CHECK_ROW("what nothing is added to is shared", value_at(full, "doors.0") == value_at(v, "doors.0"));
    CHECK_ROW("a default stands where its map does", value_origin(value_get(full, "rooms"))->line == 4);
    CHECK_ROW("filling twice changes nothing", value_equal(full, schema_with_defaults(a, s, "House.json", full)));
}

static void test_fields(const struct schemas *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct value *paths = schema_paths(a, s, "House.json");
    size_t trees = 0;

    CHECK_STR(value_str_at(schema_field(s, "House.json", "name"), "description"), "What it is called. More.");
    CHECK_ROW("beside a reference stands what is referred to",
              value_str_at(schema_field(s, "House.json", "name"), "pattern"));
    CHECK_STR(value_str_at(schema_field(s, "House.json", "doors.front.key"), "type"), "string");
    CHECK_STR(value_str_at(schema_field(s, "House.json", "labels.anything"), "type"), "string");
    CHECK_STR(value_str_at(schema_field(s, "House.json", "garden.trees.trees.leaf"), "type"), "integer");
    CHECK(!schema_field(s, "House.json", "doors.front.no") && !schema_field(s, "House.json", "name.x") &&
          !schema_field(s, "No.json", "a"));
    CHECK(schema_field(s, "House.json", "") == schemas_get(s, "House.json"));
    CHECK_STR(value_str(value_item(paths, 0)), "name");
    for (size_t i = 0; i < value_count(paths); i++) {
        CHECK_ROW("every path leads to a field",
                  schema_field(s, "House.json", value_str(value_item(paths, i))) != NULL);
        trees += str_starts(value_str(value_item(paths, i)), "garden.");
    }
    CHECK_ROW("a shape inside itself is listed once", trees == 2);
    CHECK_STR(schemas_kinds(s)[0], "House");
    CHECK(!schemas_kinds(s)[1]);
}

static void test_faulty_schemas(void)
{
    static const struct {
        const char *why, *text, *says;
    } rows[] = {
        {"no JSON", "{", "schema X.json: line 1"},
        {"an unknown keyword", "{\"propertys\":{}}", "schema X.json: propertys: "},
        {"an unknown keyword, nested", "{\"properties\":{\"a\":{\"items\":{\"maxLen\":1}}}}",
         "schema X.json: maxLen: "},
        {"an unknown type", "{\"type\":\"map\"}", "type: "},
        {"an unknown format", "{\"format\":\"email\"}", "format: "},
        {"a bad pattern", "{\"pattern\":\"a(\"}", "pattern: a(: "},
        {"a bad pattern as a name", "{\"patternProperties\":{\"[\":{}}}", "patternProperties: [: "},
        {"a list that is no list", "{\"required\":\"a\"}", "required: "},
        {"a schema that is none", "{\"items\":true}", "items: "},
        {"additional ones are forbidden or described", "{\"additionalProperties\":true}", "additionalProperties: "},
        {"a bound that is no number", "{\"minimum\":\"1\"}", "minimum: "},
        {"a negative count", "{\"minItems\":-1}", "minItems: "},
        {"an empty enum", "{\"enum\":[]}", "enum: "},
        {"an unknown trait", "{\"x-field\":\"maybe\"}", "x-field: "},
        {"a reference to nothing", "{\"$ref\":\"#/$defs/no\"}", "leads nowhere"},
        {"a reference to another file", "{\"$ref\":\"Y.json#/$defs/no\"}", "leads nowhere"},
        {"a reference of another form", "{\"$ref\":\"#/properties/a\",\"properties\":{\"a\":{}}}", "leads nowhere"},
        {"a reference to itself", "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}",
         "circle"},
        {"a keyword that would replace another",
         "{\"$defs\":{\"a\":{\"type\":\"string\"}},\"items\":{\"$ref\":\"#/$defs/a\",\"type\":\"integer\"}}",
         "already says type"},
        {"a kind in a file of another name", "{\"x-kind\":\"Y\"}", "Y.json"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct schema_file files[] = {{"X.json", rows[i].text, strlen(rows[i].text)}, {NULL, NULL, 0}};
        struct schemas *s = NULL;
        struct err err = {0};

        CHECK_ROW(rows[i].why, schemas_new(files, &s, &err) == -ERR_INVALID && !s);
        CHECK_ROW(rows[i].why, strstr(err.text, rows[i].says) != NULL);
        if (!strstr(err.text, rows[i].says))
            fprintf(stderr, "    got %s\n", err.text);
        schemas_free(s);
    }
}

/* The project's own schemas: understood, and every field of every kind can be explained. */
static void test_ours(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct schemas *s cleanup(schemas_freep) = NULL;
    struct err err = {0};

    CHECK(schemas_new(schema_files, &s, &err) == 0);
    if (!s) {
        fprintf(stderr, "%s\n", err.text);
        return;
    }
    CHECK_ROW("sorted", schemas_kinds(s)[0] && strcmp(schemas_kinds(s)[0], schemas_kinds(s)[1]) < 0);
    for (const char *const *kind = schemas_kinds(s); *kind; kind++) {
        const char *file = arena_printf(a, "%s.json", *kind);
        const struct value *paths = schema_paths(a, s, file);

        CHECK_ROW(*kind, schema_field(s, file, "apiVersion") && schema_field(s, file, "metadata.name") &&
                             schema_field(s, file, "spec"));
        for (size_t i = 0; i < value_count(paths); i++) {
            const char *path = value_str(value_item(paths, i));

            CHECK_ROW(arena_printf(a, "%s.%s has a description", *kind, path),
                      value_str_at(schema_field(s, file, path), "description") != NULL);
        }
    }
}

int main(void)
{
    struct schemas *s cleanup(schemas_freep) = house_new();

    test_check(s);
    test_formats(s);
    test_places(s);
    test_references(s);
    test_defaults(s);
    test_fields(s);
    test_faulty_schemas();
    test_ours();
    HARNESS_END();
}
