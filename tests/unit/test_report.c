/* The screen of the night, drift and drawings, as golden text of one small plan. */
#include "../harness.h"

#include "../../providers/documents/actions.h"
#include "../../reconciler/base/clock.h"
#include "../../reconciler/model/drawing.h"
#include "../../reconciler/model/page.h"
#include "../../reconciler/model/report.h"

/* 2026-11-23T03:00:00Z */
static const int64_t now_ms = INT64_C(1795402800000);

enum { VAULT, KEY, DES, ACCESS, VM, DOCUMENTS };

struct fixture {
    struct arena *arena;
    struct document documents[DOCUMENTS];
    const struct document *list[DOCUMENTS];
    const struct document *referrers[DOCUMENTS][DOCUMENTS];
    struct reference references[DOCUMENTS][2];
    struct desired desired;
    struct steps steps;
    struct text out;
};

static void refer(struct fixture *f, int from, int to)
{
    struct document *a = &f->documents[from], *b = &f->documents[to];

    f->references[from][a->n_references++] = (struct reference){.path = "spec.x", .target = b};
    f->referrers[to][b->n_referrers++] = a;
}

static void fixture_begin(struct fixture *f)
{
    static const char *const addresses[] = {
        "KeyVault/kv", "Key/os-key", "DiskEncryptionSet/des", "KeyAccess/users", "RestoredVirtualMachine/vm",
    };

    *f = (struct fixture){.arena = arena_new()};
    text_init(&f->out, 100000);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        f->documents[i] = (struct document){.address = addresses[i], .index = i, .references = f->references[i]};
        f->documents[i].referrers = f->referrers[i];
        f->documents[i].kind = arena_strndup(f->arena, addresses[i], strcspn(addresses[i], "/"));
        f->documents[i].name = strchr(addresses[i], '/') + 1;
        f->list[i] = &f->documents[i];
    }
    refer(f, KEY, VAULT);
    refer(f, DES, KEY);
    refer(f, ACCESS, KEY);
    refer(f, ACCESS, DES);
    refer(f, VM, DES);
    f->desired = (struct desired){.documents = f->list, .count = DOCUMENTS, .levels = 4};
    f->steps.arena = f->arena;
}

static void fixture_end(struct fixture *f)
{
    text_release(&f->out);
    arena_free(f->arena);
}

static struct plan plan_of(struct fixture *f)
{
    const struct plan *p = NULL;
    struct err err = {0};

    CHECK_ROW(err.text, plan_make(f->arena, &f->steps, &(struct plan_inputs){.now_ms = now_ms}, &p, &err) == 0);
    return *p;
}

static void steps_lost_key(struct fixture *f)
{
    static const struct ruling rulings[] = {
        {.verdict = VERDICT_REQUIRE_APPROVAL,
         .rule = "built-in/restore-key",
         .message = "may be on purpose",
         .evidence = "action = restore-key",
         .approved_by = "Activation inc-4711"},
        {.verdict = VERDICT_REQUIRE_APPROVAL,
         .rule = "ask-first",
         .origin = {"policy.yaml", 12, 3},
         .evidence = "kind = Key"},
    };
    static const struct ruling denied = {
        .verdict = VERDICT_DENY, .rule = "no", .origin = {"policy.yaml", 20, 3}, .message = "not here"};
    struct step *restore, *create, *blocked;

    steps_add(&f->steps, &f->documents[VAULT], ACTION_NONE, NULL, "the vault is there");
    restore = steps_add(&f->steps, &f->documents[KEY], ACTION_RESTORE_KEY, NULL, "the key is purged");
    restore->scenario = "N-17";
    restore->rulings = rulings;
    restore->n_rulings = COUNT(rulings);
    restore->verdict = VERDICT_REQUIRE_APPROVAL;
    restore->estimate_ms = 26 * MINUTE_MS;
    restore->estimate_source = "the last job of this item";
    restore->foretold = "the job will show Failed";
    restore->precondition = "the export is there";
    create = steps_add(&f->steps, &f->documents[DES], ACTION_CREATE, NULL, "absent");
    step_need(&f->steps, create, restore->id);
    step_change(&f->steps, create, "properties.activeKey.keyUrl", NULL, value_unknown(f->arena), "versioned");
    step_change(&f->steps, create, "location", value_string(f->arena, "a"), value_string(f->arena, "b"), NULL);
    create->unverified = "whether it takes seconds";
    create->rulings = &denied;
    create->n_rulings = 1;
    create->verdict = VERDICT_DENY;
    blocked = steps_add(&f->steps, &f->documents[VM], ACTION_BLOCKED, "order", "nobody ordered it");
    blocked->next = "reinstate activate vm";
}

static const char plan_golden[] =
    "Cannot be undone once it has passed\n"
    "  2 min ago: the order expires (2026-11-23T02:58:00Z)\n"
    "  in 6 h 12 min: Key os is purged (2026-11-23T09:12:00Z)\n"
    "Lost, missing or blocked\n"
    "  Key/os-key: the key is purged\n"
    "  DiskEncryptionSet/des: absent\n"
    "  RestoredVirtualMachine/vm: nobody ordered it\n"
    "1 to do, 1 blocked, 1 waiting for approval (1 denied by policy)\n"
    "  restore-key, create\n"
    "Scenario: N-17\n"
    "About 26 min along the longest chain; begun now it ends about 2026-11-23T03:26:00Z\n"
    "Approved by nobody yet: ask-first: --approve ask-first=YOUR-NAME\n"
    "Refused by rule: no\n"
    "Approved: built-in/restore-key, by Activation inc-4711\n"
    "To be watched: Key/os-key#restore-key will look wrong and is not: the job will show Failed\n"
    "And: 1 step of which something was never verified on Azure\n"
    "\n"
    "Marks: = as it is, + create, > restore-key, x blocked\n"
    "\n"
    "Key/os-key\n"
    "   1 > restore-key N-17: the key is purged\n"
    "      approved by Activation inc-4711: rule built-in/restore-key: may be on purpose; action = restore-key\n"
    "      needs approval: rule ask-first (policy.yaml:12); kind = Key; approve with --approve ask-first=YOUR-NAME\n"
    "      takes: about 26 min; the last job of this item\n"
    "      only if: the export is there\n"
    "      will look wrong and is not: the job will show Failed\n"
    "\n"
    "DiskEncryptionSet/des\n"
    "   2 + create absent\n"
    "      properties.activeKey.keyUrl: (absent) -> (known after apply) (versioned)\n"
    "      location: a -> b\n"
    "      after: Key/os-key#restore-key\n"
    "      denied: rule no (policy.yaml:20): not here\n"
    "      unverified on Azure: whether it takes seconds\n"
    "\n"
    "RestoredVirtualMachine/vm\n"
    "   3 x blocked nobody ordered it\n"
    "      next: reinstate activate vm\n"
    "\n"
    "= 1 document as it is, without a step (--all names it)\n";

static const char drift_golden[] =
    "Key/os-key\n"
    "  > the key is purged\n"
    "      this breaks or weakens: DiskEncryptionSet/des, KeyAccess/users, RestoredVirtualMachine/vm\n"
    "      approved by Activation inc-4711: rule built-in/restore-key: may be on purpose; action = restore-key\n"
    "      needs approval: rule ask-first (policy.yaml:12); kind = Key; approve with --approve ask-first=YOUR-NAME\n"
    "      apply would: restore-key\n"
    "\n"
    "DiskEncryptionSet/des\n"
    "  + absent\n"
    "      properties.activeKey.keyUrl: (absent) -> (known after apply) (versioned)\n"
    "      location: a -> b\n"
    "      this breaks or weakens: KeyAccess/users, RestoredVirtualMachine/vm\n"
    "      denied: rule no (policy.yaml:20): not here\n"
    "      apply would: create\n"
    "\n"
    "RestoredVirtualMachine/vm\n"
    "  x nobody ordered it\n"
    "      next: reinstate activate vm\n"
    "\n"
    "3 differences\n";

static void check_lost_key(void)
{
    const struct report_style plain = {0};
    const struct deadline deadlines[] = {
        {now_ms + 6 * (int64_t)HOUR_MS + 12 * MINUTE_MS, "Key os is purged"},
        {now_ms - 2 * MINUTE_MS, "the order expires"},
    };
    struct fixture f;
    struct plan p;

    fixture_begin(&f);
    steps_lost_key(&f);
    p = plan_of(&f);
    report_drift(&f.out, &p, &plain);
    CHECK_STR(text_str(&f.out), drift_golden);
    text_clear(&f.out);
    p.deadlines = deadlines;
    p.n_deadlines = COUNT(deadlines);
    report_plan(&f.out, &p, &plain);
    CHECK_STR(text_str(&f.out), plan_golden);
    fixture_end(&f);
}

/* --- nothing to do, grants, what only follows --------------------------------------------------------------------- */

static void check_quiet(void)
{
    static const struct ruling broken = {
        .verdict = VERDICT_DENY, .rule = "keep", .message = "must be protected", .evidence = "x = false"};
    const struct report_style plain = {0};
    struct fixture f;
    struct plan p;

    fixture_begin(&f);
    steps_add(&f.steps, &f.documents[VAULT], ACTION_NONE, NULL, "there")->rulings = &broken;
    f.steps.items[0]->n_rulings = 1;
    f.steps.items[0]->verdict = VERDICT_WARN;
    steps_add(&f.steps, &f.documents[KEY], ACTION_NONE, NULL, "enabled");
    p = plan_of(&f);
    report_plan(&f.out, &p, &plain);
    CHECK_STR(
        text_str(&f.out),
        "Nothing to do.\n\nMarks: = as it is\n\n= KeyVault/kv: there\n      policy is not met: rule keep: must be "
        "protected; x = false\n= 1 more document as it is, without a step (--all names it)\n");
    text_clear(&f.out);
    report_drift(&f.out, &p, &plain);
    CHECK_STR(text_str(&f.out), "no drift\n");
    fixture_end(&f);
}

static void check_grant(void)
{
    const struct report_style plain = {0};
    struct fixture f;
    struct step *wait;
    struct plan p;

    fixture_begin(&f);
    steps_add(&f.steps, &f.documents[ACCESS], ACTION_GRANT, "des", "des may no longer use the key");
    wait = steps_add(&f.steps, &f.documents[ACCESS], ACTION_WAIT, NULL, "until it acts");
    step_need(&f.steps, wait, f.steps.items[0]->id);
    p = plan_of(&f);
    report_drift(&f.out, &p, &plain);
    CHECK_STR(text_str(&f.out), "KeyAccess/users\n  & des may no longer use the key\n"
                                "      this breaks or weakens: DiskEncryptionSet/des, RestoredVirtualMachine/vm\n"
                                "      apply would: grant.des\n\n1 difference\n");
    fixture_end(&f);

    fixture_begin(&f);
    steps_add(&f.steps, &f.documents[ACCESS], ACTION_WAIT, NULL, "until it acts");
    p = plan_of(&f);
    report_drift(&f.out, &p, &plain);
    CHECK_STR(text_str(&f.out), "KeyAccess/users\n  . until it acts\n\n1 difference\n");
    fixture_end(&f);
}

/* --- what a terminal must not be told, colour, width -------------------------------------------------------------- */

static const struct {
    const char *reason, *in, *out;
} clean_rows[] = {
    {"plain text stays", "a key", "a key"},
    {"letters beyond ASCII stay", "Schl\xc3\xbcssel", "Schl\xc3\xbcssel"},
    {"an escape is shown, not sent", "a\033[2Jb", "a\\x1b[2Jb"},
    {"line ends become blanks", "a\nb\tc\rd", "a b c d"},
    {"a C1 control", "a\xc2\x9b" "31m", "a\\xc2\\x9b31m"},
    {"a turned direction", "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb"},
    {"other characters of that block stay", "a\xe2\x80\xa6", "a\xe2\x80\xa6"},
};

static void check_clean(void)
{
    const struct report_style plain = {0};

    for (size_t i = 0; i < COUNT(clean_rows); i++) {
        struct fixture f;
        struct plan p;

        fixture_begin(&f);
        steps_add(&f.steps, &f.documents[VM], ACTION_BLOCKED, NULL, "%s", clean_rows[i].in);
        p = plan_of(&f);
        report_drift(&f.out, &p, &plain);
        CHECK_ROW(clean_rows[i].reason,
                  str_eq(text_str(&f.out), arena_printf(f.arena, "RestoredVirtualMachine/vm\n  x %s\n\n1 difference\n",
                                                        clean_rows[i].out)));
        fixture_end(&f);
    }
}

static const char *filled(struct arena *a, const char *text)
{
    const char *at = strstr(text, "-f ...");

    return at ? arena_printf(a, "%.*s-f a.yaml --world w.yaml%s", (int)(at - text), text, at + strlen("-f ...")) : text;
}

/* A command is pasted: it stands alone, whole, and names this call's own manifests. */
static void check_commands(void)
{
    const struct report_style screen = {.width = 30, .filled = filled};
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const struct page page = {.out = &t, .style = &screen, .arena = a};

    page_line(&page, 2, PLAIN, "next:",
              "look: az vm list --ids '/x; y' --output table; then say so: reinstate apply -f ... --take-over c=N");
    CHECK(strstr(text_str(&t), "\n    az vm list --ids '/x; y' --output table\n    then say so:\n"));
    CHECK(strstr(text_str(&t), "\n    reinstate apply -f a.yaml --world w.yaml --take-over c=N\n"));
}

/* However much there is, it is one screen: what sums a plan up is not scrolled away by its own length. */
static void check_one_screen(void)
{
    static const size_t widths[] = {60, 80, 200};
    struct deadline deadlines[12];
    struct fixture f;
    struct plan p;

    fixture_begin(&f);
    for (int i = 0; i < 60; i++) {
        struct step *step = steps_add(&f.steps, &f.documents[i % DOCUMENTS], i % 3 ? ACTION_CREATE : ACTION_EXPORT_KEY,
                                      arena_printf(f.arena, "%d", i),
                                      "one of many things that are gone, number %d, and "
                                      "here is a long word about why that is so and what follows from it",
                                      i);

        step->estimate_ms = MINUTE_MS;
        step->loses = arena_printf(f.arena, "what was written in the last %d days", i);
        step->fails = true;
        step->foretold = arena_printf(f.arena, "job %d will show Failed, which is intended and no reason to worry", i);
        step_leaves(&f.steps, step, "thing %d in a container somewhere", i);
    }
    p = plan_of(&f);
    for (size_t i = 0; i < COUNT(deadlines); i++)
        deadlines[i] =
            (struct deadline){now_ms + (int64_t)i * HOUR_MS, "something with a long name is purged for good"};
    p.deadlines = deadlines;
    p.n_deadlines = COUNT(deadlines);
    for (size_t i = 0; i < COUNT(widths); i++) {
        const struct report_style style = {.width = widths[i]};
        size_t lines = 0, widest = 0, from = 0;

        text_clear(&f.out);
        report_head(&f.out, &p, &style);
        for (size_t k = 0; k < f.out.len; k++)
            if (f.out.s[k] == '\n') {
                lines++;
                widest = k - from > widest ? k - from : widest;
                from = k + 1;
            }
        CHECK_ROW(arena_printf(f.arena, "%zu lines at %zu columns, the widest %zu", lines, widths[i], widest),
                  lines <= 19 && widest <= widths[i]);
        CHECK(strstr(text_str(&f.out), "60 to do") && strstr(text_str(&f.out), "meant to fail:"));
    }
    fixture_end(&f);
}

static void check_colour_and_width(void)
{
    const struct report_style colour = {.colour = true}, narrow = {.width = 30};
    struct fixture f;
    struct plan p;

    fixture_begin(&f);
    steps_add(&f.steps, &f.documents[VM], ACTION_BLOCKED, NULL, "one two three four five six seven eight");
    p = plan_of(&f);
    report_drift(&f.out, &p, &colour);
    CHECK_STR(text_str(&f.out),
              "\033[1mRestoredVirtualMachine/vm\033[0m\n  \033[31mx\033[0m one two three four five six seven eight\n\n"
              "\033[1m1 difference\033[0m\n");
    text_clear(&f.out);
    report_drift(&f.out, &p, &narrow);
    CHECK_STR(text_str(&f.out),
              "RestoredVirtualMachine/vm\n  x one two three four five\n    six seven eight\n\n1 difference\n");
    fixture_end(&f);
}

static void check_long_value(void)
{
    const struct report_style plain = {0};
    char longer[300];
    struct fixture f;
    struct step *step;
    struct plan p;

    memset(longer, 'x', sizeof(longer));
    memcpy(longer + 199, "\xc3\xbc", 2);
    longer[299] = '\0';
    fixture_begin(&f);
    step = steps_add(&f.steps, &f.documents[KEY], ACTION_UPDATE, NULL, "r");
    step_change(&f.steps, step, "p", value_string(f.arena, ""), value_string(f.arena, longer), NULL);
    p = plan_of(&f);
    report_drift(&f.out, &p, &plain);
    /* Cut before the character that would be split, and the empty text is seen as one. */
    CHECK(strstr(text_str(&f.out), "p: \"\" -> xxx") != NULL && strstr(text_str(&f.out), "x...\n") != NULL);
    CHECK(strstr(text_str(&f.out), "\xc3") == NULL);
    fixture_end(&f);
}

/* --- drawings ----------------------------------------------------------------------------------------------------- */

static const char dot_golden[] =
    "digraph reinstate {\n  rankdir=LR;\n  node [shape=box];\n"
    "  \"KeyVault/kv\" [label=\"KeyVault/kv\"];\n"
    "  subgraph \"cluster_Key/os-key\" {\n    label=\"Key/os-key\";\n"
    "  \"Key/os-key\" [label=\"Key/os-key\"];\n"
    "  \"Key/os-key#restore-key\" [label=\"restore-key\"];\n"
    "  }\n"
    "  subgraph \"cluster_DiskEncryptionSet/des\" {\n    label=\"DiskEncryptionSet/des\";\n"
    "  \"DiskEncryptionSet/des\" [label=\"DiskEncryptionSet/des\"];\n"
    "  \"DiskEncryptionSet/des#create\" [label=\"create\"];\n"
    "  }\n"
    "  \"KeyAccess/users\" [label=\"KeyAccess/users\"];\n"
    "  subgraph \"cluster_RestoredVirtualMachine/vm\" {\n    label=\"RestoredVirtualMachine/vm\";\n"
    "  \"RestoredVirtualMachine/vm\" [label=\"RestoredVirtualMachine/vm\"];\n"
    "  \"RestoredVirtualMachine/vm#blocked.order\" [label=\"blocked.order\"];\n"
    "  }\n"
    "  \"Key/os-key\" -> \"KeyVault/kv\";\n"
    "  \"DiskEncryptionSet/des\" -> \"Key/os-key\";\n"
    "  \"KeyAccess/users\" -> \"Key/os-key\";\n"
    "  \"KeyAccess/users\" -> \"DiskEncryptionSet/des\";\n"
    "  \"RestoredVirtualMachine/vm\" -> \"DiskEncryptionSet/des\";\n"
    "  \"DiskEncryptionSet/des#create\" -> \"Key/os-key#restore-key\" [style=dashed];\n"
    "}\n";

static void check_drawings(void)
{
    struct fixture f;
    struct plan p;
    struct document *odd;

    fixture_begin(&f);
    steps_lost_key(&f);
    p = plan_of(&f);
    draw_estate(&f.out, DRAWING_DOT, &f.desired, &p);
    CHECK_STR(text_str(&f.out), dot_golden);
    fixture_end(&f);

    fixture_begin(&f);
    f.desired.count = 2;
    odd = &f.documents[KEY];
    odd->address = "Key/a\"b\\#<c>";
    draw_estate(&f.out, DRAWING_DOT, &f.desired, NULL);
    CHECK(strstr(text_str(&f.out), "\"Key/a\\\"b\\\\#<c>\" -> \"KeyVault/kv\";") != NULL);
    text_clear(&f.out);
    draw_estate(&f.out, DRAWING_MERMAID, &f.desired, NULL);
    CHECK_STR(text_str(&f.out), "flowchart LR\n  n_KeyVault_2fkv[\"KeyVault/kv\"]\n"
                                "  n_Key_2fa_22b_5c_23_3cc_3e[\"Key/a#34;b\\#35;#60;c#62;\"]\n"
                                "  n_Key_2fa_22b_5c_23_3cc_3e --> n_KeyVault_2fkv\n");
    text_clear(&f.out);
    odd->address = "Key/a";
    steps_add(&f.steps, odd, ACTION_CREATE, NULL, "absent");
    p = plan_of(&f);
    draw_estate(&f.out, DRAWING_MERMAID, &f.desired, &p);
    CHECK_STR(text_str(&f.out), "flowchart LR\n  n_KeyVault_2fkv[\"KeyVault/kv\"]\n  subgraph g_Key_2fa[\"Key/a\"]\n"
                                "  n_Key_2fa[\"Key/a\"]\n"
                                "  n_Key_2fa_23create[\"create\"]\n  end\n  n_Key_2fa --> n_KeyVault_2fkv\n");
    fixture_end(&f);
}

int main(void)
{
    check_lost_key();
    check_quiet();
    check_grant();
    check_clean();
    check_one_screen();
    check_colour_and_width();
    check_commands();
    check_long_value();
    check_drawings();
    HARNESS_END();
}
