/* Findings in the forms of other tools, from a list that holds everything that has to be quoted. Knows findings.h. */
#include "../../cmd/commands.h"
#include "../../cmd/findings.h"
#include "../../reconciler/format/json.h"
#include "harness.h"

/* --- a small judge of XML ----------------------------------------------------------------------------------------- */

static const char *xml_reference(const char *s)
{
    static const char *const named[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};

    for (size_t i = 0; i < COUNT(named); i++)
        if (str_starts(s, named[i]))
            return s + strlen(named[i]);
    if (!str_starts(s, "&#"))
        return NULL;
    s += 2;
    for (s += strspn(s, "0123456789"); *s == ';';)
        return s + 1;
    return NULL;
}

/* Characters up to `end`, references taken apart; NULL when a character is none of XML's. */
static const char *xml_characters(const char *s, char end)
{
    while (s && *s && *s != end) {
        unsigned char c = (unsigned char)*s;
        size_t n = utf8_length(s, strlen(s));

        if (c == '<' || n == 0 || (c < 0x20 && !strchr("\t\n\r", c)))
            return NULL;
        s = c == '&' ? xml_reference(s) : s + n;
    }
    return s;
}

static const char *xml_attributes(const char *s)
{
    const char *seen[16];
    size_t lengths[16], n = 0;

    while (s && *s == ' ') {
        size_t len = strcspn(++s, "=<> /");

        for (size_t i = 0; i < n; i++)
            if (lengths[i] == len && !strncmp(seen[i], s, len))
                return NULL;
        if (len == 0 || n == COUNT(seen) || strncmp(s + len, "=\"", 2) != 0)
            return NULL;
        seen[n] = s;
        lengths[n++] = len;
        s = xml_characters(s + len + 2, '"');
        s = s && *s == '"' ? s + 1 : NULL;
    }
    return s;
}

/* One element with all it holds; NULL when it is not well-formed. */
static const char *xml_element(const char *s)
{
    size_t len = strcspn(s + 1, " />");
    const char *name = s + 1;

    s = *s == '<' && len ? xml_attributes(name + len) : NULL;
    if (s && str_starts(s, "/>"))
        return s + 2;
    s = s && *s == '>' ? s + 1 : NULL;
    while (s && (s = xml_characters(s, '<')) && *s == '<' && s[1] != '/')
        s = xml_element(s);
    if (!s || strncmp(s, "</", 2) != 0 || strncmp(s + 2, name, len) != 0 || s[2 + len] != '>')
        return NULL;
    return s + 3 + len;
}

static bool xml_well_formed(const char *s)
{
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    s = str_starts(s, head) ? xml_element(s + strlen(head)) : NULL;
    return s && str_eq(s, "\n");
}

static void test_judge(void)
{
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    static const struct {
        const char *reason, *text;
        bool good;
    } rows[] = {
        {"nested", HEAD "<a b=\"c\"><d/>x&#38;<e>y</e></a>\n", true},
        {"not closed", HEAD "<a><d></a>\n", false},
        {"a bare ampersand", HEAD "<a b=\"c&d\"/>\n", false},
        {"a tag in an attribute", HEAD "<a b=\"<\"/>\n", false},
        {"a control character", HEAD "<a>\x01</a>\n", false},
        {"an attribute twice", HEAD "<a b=\"1\" b=\"2\"/>\n", false},
        {"bytes that are no text", HEAD "<a>\xff</a>\n", false},
        {"something behind it", HEAD "<a/>\n<b/>\n", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].reason, xml_well_formed(rows[i].text) == rows[i].good);
}

/* --- the forms ---------------------------------------------------------------------------------------------------- */

static struct findings sample(struct arena *a)
{
    struct findings f = {
        .arena = a, .tool = "drift", .made_ms = time_parse("2026-11-23T03:00:00.500Z"), .summary = "2 of 3, 100% seen"};
    struct origin here = {.file = "./estate dir/a,b:c.yaml", .line = 12, .column = 3},
                  there = {.file = "-", .line = 4, .column = 1};
    const struct finding all[] = {
        {FINDING_WARNING, "N-15", "key soft-deleted", "Key/k", here, "a <b> & \"c\"\n\x01\xff%", "it's so",
         "reinstate apply"},
        {FINDING_ERROR, "N-17", "key purged", "Key/k", here, "gone", NULL, NULL},
        {FINDING_NOTE, "note", "a note", "KeyVault/v", there, "so", NULL, NULL},
        {FINDING_WARNING, "N-15", "key soft-deleted", "Key/other", {0}, "unlisted", NULL, NULL},
    };

    findings_subject(&f, "Key/k", &here);
    findings_subject(&f, "KeyVault/v", &there);
    findings_subject(&f, "Azure/prod", NULL);
    for (size_t i = 0; i < COUNT(all); i++)
        findings_add(&f, all[i]);
    return f;
}

static const char *written(struct arena *a, enum output_format form, const struct findings *f)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    findings_write(&t, form, f);
    return arena_strdup(a, text_str(&t));
}

static void test_github(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct findings f = sample(a);

    CHECK_STR(written(a, OUTPUT_GITHUB, &f),
              "::warning file=./estate dir/a%2Cb%3Ac.yaml,line=12,col=3,title=Key/k N-15::a <b> & \"c\" \\x01\\xff%25; "
              "seen: it's so; fix: "
              "reinstate apply\n"
              "::error file=./estate dir/a%2Cb%3Ac.yaml,line=12,col=3,title=Key/k N-17::gone\n"
              "::notice title=KeyVault/v note::so\n"
              "::warning title=Key/other N-15::unlisted\n"
              "::notice title=reinstate drift::2 of 3, 100%25 seen\n");
}

static void test_junit(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct findings f = sample(a);
    const char *s = written(a, OUTPUT_JUNIT, &f);

    CHECK(xml_well_formed(s));
    CHECK(strstr(s, "tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"0\""));
    CHECK(strstr(s, "timestamp=\"2026-11-23T03:00:00\""));
    CHECK(strstr(s, "<testcase classname=\"Key\" name=\"k\" file=\"./estate dir/a,b:c.yaml\" line=\"12\" time=\"0\">\n"
                    "      <failure message=\"gone\" type=\"N-17\">N-15: a &#60;b&#62; &#38; &#34;c&#34; \\x01\\xff%; "
                    "seen: it&#39;s so; fix: reinstate apply\nN-17: gone\n</failure>"));
    CHECK(strstr(s, "<testcase classname=\"Azure\" name=\"prod\" time=\"0\"/>"));
    CHECK(strstr(s, "<system-out>note: so\n</system-out>"));
    CHECK(strstr(s, "classname=\"Key\" name=\"other\""));
    CHECK_STR(s, written(a, OUTPUT_JUNIT, &f));
    f.simulated = true;
    CHECK(xml_well_formed(written(a, OUTPUT_JUNIT, &f)));
    CHECK(strstr(written(a, OUTPUT_JUNIT, &f), "name=\"simulated\""));
    f = (struct findings){.arena = a, .tool = "drift", .made_ms = TIME_NONE};
    CHECK(xml_well_formed(written(a, OUTPUT_JUNIT, &f)));
}

/* What the SARIF 2.1.0 specification demands of a log, a run, a rule and a result. */
static void test_sarif(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct findings f = sample(a);
    const char *s = written(a, OUTPUT_SARIF, &f);
    const struct value *rules, *results;
    struct value *log = NULL;
    struct err err;

    CHECK(json_parse(a, s, strlen(s), &log, &err) == 0);
    CHECK_STR(value_str_at(log, "version"), "2.1.0");
    CHECK(value_count(value_get(log, "runs")) == 1);
    CHECK_STR(value_str_at(log, "runs.0.tool.driver.name"), "reinstate");
    CHECK(value_bool_at(log, "runs.0.invocations.0.executionSuccessful", false));
    rules = value_at(log, "runs.0.tool.driver.rules");
    results = value_at(log, "runs.0.results");
    CHECK(value_count(rules) == 3 && value_count(results) == 4);
    for (size_t i = 0; i < value_count(results); i++) {
        const struct value *r = value_item(results, i);
        const char *level = value_str_at(r, "level");

        CHECK_STR(value_str_at(value_item(rules, (size_t)value_int_at(r, "ruleIndex", -1)), "id"),
                  value_str_at(r, "ruleId"));
        CHECK(str_eq(level, "note") || str_eq(level, "warning") || str_eq(level, "error"));
        CHECK(value_str_at(r, "message.text") && value_str_at(r, "locations.0.logicalLocations.0.fullyQualifiedName"));
    }
    CHECK_STR(value_str_at(results, "0.locations.0.physicalLocation.artifactLocation.uri"),
              "estate%20dir/a%2Cb%3Ac.yaml");
    CHECK(value_int_at(results, "0.locations.0.physicalLocation.region.startLine", 0) == 12);
    CHECK(!value_at(results, "2.locations.0.physicalLocation"));
    CHECK_STR(value_str_at(rules, "1.shortDescription.text"), "key purged");
}

/* A command that could not do its work has found nothing out: no form may look as if all were well. */
static void test_faults(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct findings f = {.arena = a, .tool = "drift", .made_ms = TIME_NONE};
    struct origin origin = {.file = "/abs/e.yaml", .line = 2, .column = 5};
    struct value *log = NULL;
    struct diags diags;
    struct err err;
    const char *s;

    diags_init(&diags, a);
    diags_add(&diags, SEVERITY_ERROR, &origin, "write spec.store", "there is no spec.stor");
    diags_add(&diags, SEVERITY_WARNING, &origin, NULL, "a World is left out");
    findings_add_diags(&f, &diags);
    err_set(&err, ERR_DENIED, "no token");
    findings_add_err(&f, &err);
    findings_add_err(&f, NULL);
    findings_add_diags(&f, NULL);
    CHECK(f.count == 3);
    CHECK_STR(written(a, OUTPUT_GITHUB, &f),
              "::error file=/abs/e.yaml,line=2,col=5,title=manifests manifest::there is no "
              "spec.stor; fix: write spec.store\n"
              "::notice file=/abs/e.yaml,line=2,col=5,title=manifests manifest::a World is left out\n"
              "::error title=reinstate error::no token\n");
    s = written(a, OUTPUT_JUNIT, &f);
    CHECK(xml_well_formed(s) && strstr(s, "tests=\"2\" failures=\"0\" errors=\"2\""));
    CHECK(strstr(s, "<error message=\"no token\" type=\"error\">"));
    s = written(a, OUTPUT_SARIF, &f);
    CHECK(json_parse(a, s, strlen(s), &log, &err) == 0);
    CHECK(!value_bool_at(log, "runs.0.invocations.0.executionSuccessful", true));
    CHECK(value_count(value_at(log, "runs.0.invocations.0.toolExecutionNotifications")) == 3);
    CHECK(value_count(value_at(log, "runs.0.results")) == 0);
    CHECK_STR(
        value_str_at(
            log, "runs.0.invocations.0.toolExecutionNotifications.0.locations.0.physicalLocation.artifactLocation.uri"),
        "file:///abs/e.yaml");
}

int main(void)
{
    test_judge();
    test_github();
    test_junit();
    test_sarif();
    test_faults();
    HARNESS_END();
}
