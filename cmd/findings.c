/* Knows three formats and their ways of quoting. Must not know what was found, nor who found it. */
#include "findings.h"

#include <string.h>

#include "../reconciler/format/json.h"
#include "call.h"
#include "commands.h"

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

/* --- the list ----------------------------------------------------------------------------------------------------- */

void findings_subject(struct findings *f, const char *name, const struct origin *origin)
{
    struct subject subject = {.name = arena_strdup(f->arena, name)};

    if (origin)
        subject.origin = *origin;
    arena_push(f->arena, f->subjects, f->n_subjects, subject);
}

struct finding finding_unseen(const char *subject, const struct origin *origin, const char *why, const char *fix)
{
    return (struct finding){
        .level = FINDING_UNSEEN,
        .rule = "cannot-be-seen",
        .rule_text = "what is declared must be readable, or nobody knows whether it is so",
        .subject = subject,
        .origin = *origin,
        .text = why,
        .fix = fix,
    };
}

/* Subjects that cannot be seen; findings of one subject follow each other. */
static size_t unseen_subjects(const struct findings *f)
{
    const char *last = NULL;
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++) {
        if (f->items[i].level != FINDING_UNSEEN || str_eq(last, f->items[i].subject))
            continue;
        last = f->items[i].subject;
        n++;
    }
    return n;
}

void findings_add(struct findings *f, struct finding finding)
{
    finding.text = call_filled(f->arena, finding.text);
    finding.evidence = call_filled(f->arena, finding.evidence);
    finding.fix = call_filled(f->arena, finding.fix);
    arena_push(f->arena, f->items, f->count, finding);
}

void findings_add_diags(struct findings *f, const struct diags *d)
{
    for (size_t i = 0; d && i < d->count; i++) {
        const struct diag *diag = &d->items[i];
        struct finding finding = {
            .level = diag->severity == SEVERITY_ERROR ? FINDING_FAULT : FINDING_NOTE,
            .rule = "manifest",
            .rule_text = "a manifest must be as its schema says",
            .subject = "manifests",
            .origin = diag->origin,
            .text = diag->what,
            .fix = diag->instead,
        };

        findings_add(f, finding);
    }
}

void findings_add_err(struct findings *f, const struct err *err)
{
    struct finding finding = {
        .level = FINDING_FAULT,
        .rule = "error",
        .rule_text = "the command must be able to do its work",
        .subject = "reinstate",
        .text = arena_strdup(f->arena, err ? err->text : ""),
    };

    if (err)
        findings_add(f, finding);
}

/* "text; evidence; fix: …" */
static const char *whole_text(struct arena *a, const struct finding *f)
{
    return arena_printf(a, "%s%s%s%s%s", f->text, f->evidence ? "; seen: " : "", f->evidence ? f->evidence : "",
                        f->fix ? "; fix: " : "", f->fix ? f->fix : "");
}

/* --- JUnit -------------------------------------------------------------------------------------------------------- */

/* XML 1.0 has no way to write most control characters, nor what is no UTF-8: they become the replacement character. */
static void xml_add(struct text *out, const char *s)
{
    size_t left = strlen(s);

    while (left) {
        size_t n = utf8_length(s, left);
        unsigned char c = (unsigned char)*s;
        bool never = n == 0 || (c < 0x20 && !strchr("\t\n\r", c)) ||
                     (n == 3 && c == 0xef && !strncmp(s + 1, "\xbf\xbe", 2)) ||
                     (n == 3 && c == 0xef && !strncmp(s + 1, "\xbf\xbf", 2));

        if (never)
            text_add(out, "\xef\xbf\xbd");
        else if (strchr("&<>\"'\t\n\r", c))
            text_printf(out, "&#%d;", c);
        else
            text_add_n(out, s, n);
        s += n ? n : 1;
        left -= n ? n : 1;
    }
}

static void xml_attribute(struct text *out, const char *name, const char *value)
{
    text_printf(out, " %s=\"", name);
    xml_add(out, value);
    text_add_char(out, '"');
}

struct tally {
    size_t tests, failures, errors;
};

/* The findings of one subject, the worst of them first to be named. */
static const struct finding *worst_of(const struct findings *f, const char *subject)
{
    const struct finding *worst = NULL;

    for (size_t i = 0; i < f->count; i++)
        if (str_eq(f->items[i].subject, subject) && (!worst || f->items[i].level > worst->level))
            worst = &f->items[i];
    return worst;
}

static void junit_texts(struct text *out, const struct findings *f, const char *subject, bool notes)
{
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(f->items[i].subject, subject) && (f->items[i].level == FINDING_NOTE) == notes) {
            xml_add(out, f->items[i].rule);
            text_add(out, ": ");
            xml_add(out, whole_text(f->arena, &f->items[i]));
            text_add_char(out, '\n');
        }
}

static void junit_case(struct text *out, const struct findings *f, const struct subject *s, struct tally *tally)
{
    const char *slash = strchr(s->name, '/'), *name = slash ? slash + 1 : s->name;
    const char *class = slash ? arena_strndup(f->arena, s->name, (size_t)(slash - s->name)) : "reinstate";
    const struct finding *worst = worst_of(f, s->name);
    const char *element =
        worst && (worst->level == FINDING_FAULT || worst->level == FINDING_UNSEEN) ? "error" : "failure";
    bool failed = worst && worst->level > FINDING_NOTE, error = failed && str_eq(element, "error");

    tally->tests++;
    tally->failures += failed && !error;
    tally->errors += error;
    text_add(out, "    <testcase");
    xml_attribute(out, "classname", class);
    xml_attribute(out, "name", name);
    if (s->origin.file)
        xml_attribute(out, "file", str_shown(f->arena, s->origin.file));
    if (s->origin.file && s->origin.line)
        text_printf(out, " line=\"%d\"", s->origin.line);
    text_add(out, worst ? " time=\"0\">\n" : " time=\"0\"/>\n");
    if (failed) {
        text_printf(out, "      <%s", element);
        xml_attribute(out, "message", worst->text);
        xml_attribute(out, "type", worst->rule);
        text_add_char(out, '>');
        junit_texts(out, f, s->name, false);
        text_printf(out, "</%s>\n", element);
    } else if (worst) {
        text_add(out, "      <system-out>");
        junit_texts(out, f, s->name, true);
        text_add(out, "</system-out>\n");
    }
    if (worst)
        text_add(out, "    </testcase>\n");
}

static bool subject_listed(const struct findings *f, const char *name)
{
    for (size_t i = 0; i < f->n_subjects; i++)
        if (str_eq(f->subjects[i].name, name))
            return true;
    return false;
}

/* One test case for each subject, so that a case keeps its name from run to run; also for those
 * only a finding names. */
static void junit_write(struct text *out, const struct findings *f)
{
    struct text cases cleanup(text_release) = {0};
    struct tally tally = {0};
    const char *counts;

    text_init(&cases, TEXT_CEILING);
    for (size_t i = 0; i < f->n_subjects; i++)
        junit_case(&cases, f, &f->subjects[i], &tally);
    for (size_t i = 0; i < f->count; i++) {
        struct subject s = {.name = f->items[i].subject, .origin = f->items[i].origin};
        size_t j = 0;

        while (j < i && !str_eq(f->items[j].subject, s.name))
            j++;
        if (j == i && !subject_listed(f, s.name))
            junit_case(&cases, f, &s, &tally);
    }
    counts = arena_printf(f->arena, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", tally.tests, tally.failures,
                          tally.errors);
    text_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"reinstate\"%s time=\"0\">\n",
                counts);
    text_printf(out, "  <testsuite name=\"reinstate %s\"%s skipped=\"0\" time=\"0\"", f->tool, counts);
    if (f->made_ms != TIME_NONE)
        text_printf(out, " timestamp=\"%.19s\"", time_format(f->arena, f->made_ms));
    text_add(out, ">\n");
    text_printf(out, "    <properties><property name=\"unseen\" value=\"%zu\"/>", unseen_subjects(f));
    text_add(out, f->simulated ? "<property name=\"simulated\" value=\"true\"/></properties>\n" : "</properties>\n");
    text_add(out, text_str(&cases));
    if (f->summary) {
        text_add(out, "    <system-out>");
        xml_add(out, f->summary);
        text_add(out, "</system-out>\n");
    }
    text_add(out, "  </testsuite>\n</testsuites>\n");
}

/* --- SARIF -------------------------------------------------------------------------------------------------------- */

static const char *sarif_level(enum finding_level level)
{
    return level == FINDING_NOTE ? "note" : level <= FINDING_UNSEEN ? "warning" : "error";
}

static struct value *sarif_message(struct arena *a, const char *text)
{
    struct value *message = value_map(a);

    value_set_string(a, message, "text", text);
    return message;
}

/* A path as a relative reference, or a file URL. */
static const char *sarif_uri(struct arena *a, const char *file)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    if (file[0] == '/')
        text_add(&t, "file://");
    while (str_starts(file, "./"))
        file += 2;
    while (*file) {
        size_t n = strcspn(file, "/");

        text_add_percent(&t, arena_strndup(a, file, n));
        if (file[n] == '/')
            text_add_char(&t, '/');
        file += n + (file[n] == '/');
    }
    return arena_strdup(a, text_str(&t));
}

static struct value *sarif_locations(struct arena *a, const struct finding *f)
{
    struct value *list = value_list(a), *location = value_map(a), *logical = value_map(a), *logicals = value_list(a);

    if (f->origin.file && !str_eq(f->origin.file, "-")) {
        struct value *physical = value_set(a, location, "physicalLocation", value_map(a)), *region;

        value_set_string(a, value_set(a, physical, "artifactLocation", value_map(a)), "uri",
                         sarif_uri(a, f->origin.file));
        if (f->origin.line) {
            region = value_set(a, physical, "region", value_map(a));
            value_set_int(a, region, "startLine", f->origin.line);
            if (f->origin.column)
                value_set_int(a, region, "startColumn", f->origin.column);
        }
    }
    value_set_string(a, logical, "fullyQualifiedName", f->subject);
    value_set_string(a, logical, "kind", "resource");
    value_push(a, logicals, logical);
    value_set(a, location, "logicalLocations", logicals);
    value_push(a, list, location);
    return list;
}

/* The place of a rule among those used, in the order of their first use; adds it when it is new. */
static size_t sarif_rule(struct arena *a, struct value *rules, const struct finding *f)
{
    struct value *rule = value_map(a);
    size_t n = value_count(rules);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_str_at(value_item(rules, i), "id"), f->rule))
            return i;
    value_set_string(a, rule, "id", f->rule);
    value_set(a, rule, "shortDescription", sarif_message(a, f->rule_text ? f->rule_text : f->rule));
    value_push(a, rules, rule);
    return n;
}

static struct value *sarif_result(struct arena *a, struct value *rules, const struct finding *f)
{
    struct value *result = value_map(a), *prints = value_map(a);

    value_set_string(a, result, "ruleId", f->rule);
    value_set_int(a, result, "ruleIndex", (int64_t)sarif_rule(a, rules, f));
    value_set_string(a, result, "level", sarif_level(f->level));
    value_set(a, result, "message", sarif_message(a, whole_text(a, f)));
    value_set(a, result, "locations", sarif_locations(a, f));
    /* What stays when a manifest's lines move. */
    value_set_string(a, prints, "subjectAndRule/v1", arena_printf(a, "%s %s", f->subject, f->rule));
    value_set(a, result, "partialFingerprints", prints);
    return result;
}

static struct value *sarif_notification(struct arena *a, const struct finding *f)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "level", sarif_level(f->level));
    value_set(a, v, "message", sarif_message(a, whole_text(a, f)));
    value_set(a, v, "locations", sarif_locations(a, f));
    return v;
}

static struct value *sarif_properties(const struct findings *f)
{
    struct value *properties = value_map(f->arena);

    value_set_string(f->arena, properties, "summary", f->summary);
    value_set_int(f->arena, properties, "unseen", (int64_t)unseen_subjects(f));
    if (f->simulated)
        value_set_bool(f->arena, properties, "simulated", true);
    return properties;
}

static void sarif_write(struct text *out, const struct findings *f)
{
    struct arena *a = f->arena;
    struct value *log = value_map(a), *run = value_map(a), *driver, *runs = value_list(a), *rules = value_list(a);
    struct value *results = value_list(a), *notifications = value_list(a), *invocation = value_map(a),
                 *invocations = value_list(a);
    bool able = true;

    for (size_t i = 0; i < f->count; i++) {
        bool about_us = f->items[i].level == FINDING_FAULT || str_eq(f->items[i].rule, "manifest");

        able = able && f->items[i].level != FINDING_FAULT;
        if (about_us)
            value_push(a, notifications, sarif_notification(a, &f->items[i]));
        else
            value_push(a, results, sarif_result(a, rules, &f->items[i]));
    }
    value_set_string(a, log, "$schema", SARIF_SCHEMA);
    value_set_string(a, log, "version", "2.1.0");
    driver = value_set(a, value_set(a, run, "tool", value_map(a)), "driver", value_map(a));
    value_set_string(a, driver, "name", "reinstate");
    value_set_string(a, driver, "version", REINSTATE_VERSION);
    value_set_string(a, driver, "semanticVersion", REINSTATE_VERSION);
    value_set(a, driver, "rules", rules);
    value_set_string(a, value_set(a, run, "automationDetails", value_map(a)), "id",
                     arena_printf(a, "reinstate/%s/", f->tool));
    value_set_bool(a, invocation, "executionSuccessful", able);
    if (f->made_ms != TIME_NONE)
        value_set_string(a, invocation, "endTimeUtc", time_format(a, f->made_ms));
    value_set(a, invocation, "toolExecutionNotifications", notifications);
    value_push(a, invocations, invocation);
    value_set(a, run, "invocations", invocations);
    value_set_string(a, run, "columnKind", "unicodeCodePoints");
    value_set(a, run, "results", results);
    value_set(a, run, "properties", sarif_properties(f));
    value_push(a, runs, run);
    value_set(a, log, "runs", runs);
    json_write(out, log, JSON_INDENTED);
    text_add_char(out, '\n');
}

/* --- GitHub ------------------------------------------------------------------------------------------------------- */

/* A command is a line: what would end it, or a property, is written as a percent escape. */
static void github_add(struct text *out, const char *s, bool property)
{
    for (; *s; s++) {
        bool escaped = *s == '%' || *s == '\r' || *s == '\n' || (property && (*s == ':' || *s == ','));

        if (escaped)
            text_printf(out, "%%%02X", (unsigned char)*s);
        else
            text_add_char(out, *s);
    }
}

static void github_line(struct text *out, const struct findings *f, const struct finding *item)
{
    static const char *const commands[] = {"notice", "warning", "warning", "error", "error"};
    bool placed = item->origin.file && !str_eq(item->origin.file, "-");

    text_printf(out, "::%s ", commands[item->level]);
    if (placed) {
        text_add(out, "file=");
        github_add(out, str_shown(f->arena, item->origin.file), true);
        if (item->origin.line)
            text_printf(out, ",line=%d", item->origin.line);
        if (item->origin.line && item->origin.column)
            text_printf(out, ",col=%d", item->origin.column);
        text_add_char(out, ',');
    }
    text_add(out, "title=");
    github_add(out, arena_printf(f->arena, "%s %s", item->subject, item->rule), true);
    text_add(out, "::");
    github_add(out, whole_text(f->arena, item), false);
    text_add_char(out, '\n');
}

static void github_write(struct text *out, const struct findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        github_line(out, f, &f->items[i]);
    if (f->summary) {
        text_printf(out, "::notice title=reinstate %s::", f->tool);
        github_add(out, f->summary, false);
        text_add_char(out, '\n');
    }
}

static const char *clean(struct arena *a, const char *text)
{
    return text ? str_shown(a, text) : NULL;
}

/* What manifests and Azure say, made harmless once for all forms; the names of files are quoted by each
 * form in its own way. */
static const struct findings *cleaned(const struct findings *f)
{
    struct findings *c = arena_new_of(f->arena, struct findings);

    *c = *f;
    c->items = arena_array(f->arena, struct finding, f->count + 1);
    c->subjects = arena_array(f->arena, struct subject, f->n_subjects + 1);
    c->summary = clean(f->arena, f->summary);
    for (size_t i = 0; i < f->count; i++) {
        struct finding item = f->items[i];

        item.rule = clean(f->arena, item.rule);
        item.rule_text = clean(f->arena, item.rule_text);
        item.subject = clean(f->arena, item.subject);
        item.text = clean(f->arena, item.text);
        item.evidence = clean(f->arena, item.evidence);
        item.fix = clean(f->arena, item.fix);
        c->items[i] = item;
    }
    for (size_t i = 0; i < f->n_subjects; i++)
        c->subjects[i] =
            (struct subject){.name = clean(f->arena, f->subjects[i].name), .origin = f->subjects[i].origin};
    return c;
}

void findings_write(struct text *out, enum output_format form, const struct findings *found)
{
    const struct findings *f = cleaned(found);

    if (form == OUTPUT_JUNIT)
        junit_write(out, f);
    else if (form == OUTPUT_SARIF)
        sarif_write(out, f);
    else
        github_write(out, f);
}
