/* What a blocked document holds up, what a pass is made in vain for, and what stands aside. */
#include "../harness.h"

#include "../../providers/documents/actions.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/model/conclusion.h"

enum { STORE, KEY, SET, BACKUP, MACHINE, DOCUMENTS };

/* The set is on the key, the key in the store; the machine comes from the backup; the key only mentions the backup. */
static const struct document *estate(struct arena *a)
{
    static const char *const names[] = {"Store/s", "Key/k", "Set/d", "Backup/b", "Machine/m"};
    struct document *d = arena_array(a, struct document, DOCUMENTS);
    struct reference *key = arena_array(a, struct reference, 2), *set = arena_array(a, struct reference, 1);

    for (size_t i = 0; i < DOCUMENTS; i++)
        d[i] = (struct document){.kind = "Thing", .name = names[i], .address = names[i], .index = i};
    key[0] = (struct reference){.path = "spec.store", .target = &d[STORE]};
    key[1] = (struct reference){.path = "mentions.backup", .target = &d[BACKUP]};
    set[0] = (struct reference){.path = "spec.key", .target = &d[KEY]};
    d[KEY].references = key;
    d[KEY].n_references = 2;
    d[SET].references = set;
    d[SET].n_references = 1;
    return d;
}

static bool relies(const void *ctx, const struct document *doc, const struct reference *ref)
{
    (void)ctx;
    (void)doc;
    return !str_starts_nocase(ref->path, "mentions.");
}

struct night {
    struct arena *arena;
    const struct document *d;
    struct steps steps;
    struct conclusion all[DOCUMENTS];
    struct step *pass, *restore_key, *create, *restore;
};

static void night_begin(struct night *n, struct arena *a)
{
    *n = (struct night){.arena = a, .d = estate(a), .steps = {.arena = a}};
    n->pass = steps_add(&n->steps, &n->d[BACKUP], ACTION_EXPORT_KEY, NULL, "the key is lost");
    step_serves(&n->steps, n->pass, &n->d[MACHINE]);
    n->restore_key = steps_add(&n->steps, &n->d[KEY], ACTION_RESTORE_KEY, NULL, "purged");
    step_on(&n->steps, n->restore_key, &n->d[STORE]);
    step_need(&n->steps, n->restore_key, n->pass->id);
    n->create = steps_add(&n->steps, &n->d[SET], ACTION_CREATE, NULL, "absent");
    step_on(&n->steps, n->create, &n->d[KEY]);
    n->restore = steps_add(&n->steps, &n->d[MACHINE], ACTION_RESTORE_VM, NULL, "ordered");
    step_on(&n->steps, n->restore, &n->d[SET]);
}

static void night_conclude(struct night *n)
{
    struct concluding c = {.steps = &n->steps, .all = n->all, .relies = relies};

    for (size_t i = 0; i < n->steps.count; i++)
        conclude_document(&c, n->steps.items[i]->document, 0);
    conclude_hold(&c, 0);
    conclude_vain(&c);
}

static bool all_blocked(const struct night *n)
{
    return n->pass->action == ACTION_BLOCKED && n->restore_key->action == ACTION_BLOCKED &&
           n->create->action == ACTION_BLOCKED && n->restore->action == ACTION_BLOCKED;
}

static void check_nothing_stands_against(struct arena *a)
{
    struct night n;

    night_begin(&n, a);
    night_conclude(&n);
    CHECK(n.pass->action == ACTION_EXPORT_KEY && n.restore->action == ACTION_RESTORE_VM && !n.pass->held_by);
    CHECK(n.all[MACHINE].verdict == PROSPECT_PENDING && n.all[STORE].verdict == PROSPECT_SATISFIED &&
          !n.all[MACHINE].block);
}

/* A block anywhere on the way holds up the whole way, and the first cause is named. */
static void check_blocks(struct arena *a)
{
    for (size_t which = STORE; which < DOCUMENTS; which++) {
        struct step *block;
        struct night n;

        night_begin(&n, a);
        block = steps_add(&n.steps, &n.d[which], ACTION_BLOCKED, "x", "it is broken");
        night_conclude(&n);
        CHECK_ROW(n.d[which].name, n.all[MACHINE].verdict == PROSPECT_BLOCKED || which == BACKUP);
        CHECK_ROW(n.d[which].name, n.restore->action == ACTION_BLOCKED || which == MACHINE || which == BACKUP);
        /* What is blocked on the machine alone makes the pass vain, and with it all that hangs on the pass. */
        CHECK_ROW(n.d[which].name, n.pass->action == ACTION_BLOCKED || which == BACKUP);
        CHECK_ROW(n.d[which].name,
                  which == BACKUP || (n.pass->held_by == block && strstr(n.pass->reason, "it is broken")));
    }
}

static void check_aside_and_adopted(struct arena *a)
{
    struct night n;

    night_begin(&n, a);
    steps_add(&n.steps, &n.d[STORE], ACTION_BLOCKED, "x", "a finding")->aside = true;
    night_conclude(&n);
    CHECK(n.pass->action == ACTION_EXPORT_KEY && n.all[STORE].verdict == PROSPECT_SATISFIED);

    night_begin(&n, a);
    n.restore->adopts = "job";
    steps_add(&n.steps, &n.d[KEY], ACTION_BLOCKED, "x", "revoked");
    night_conclude(&n);
    CHECK(n.restore->action == ACTION_RESTORE_VM && n.create->action == ACTION_BLOCKED);
}

/* What policy withholds cannot be done either; a name would lift it. */
static void check_withheld(struct arena *a)
{
    struct ruling ruling = {.verdict = VERDICT_REQUIRE_APPROVAL, .rule = "built-in/replace"};
    struct night n;

    night_begin(&n, a);
    n.restore->verdict = VERDICT_REQUIRE_APPROVAL;
    n.restore->rulings = &ruling;
    n.restore->n_rulings = 1;
    night_conclude(&n);
    CHECK(n.pass->action == ACTION_BLOCKED && strstr(n.pass->next, "--approve built-in/replace"));
    CHECK(n.restore->action == ACTION_RESTORE_VM || all_blocked(&n));

    ruling.approved_by = "Ada";
    night_begin(&n, a);
    n.restore->verdict = VERDICT_REQUIRE_APPROVAL;
    n.restore->rulings = &ruling;
    n.restore->n_rulings = 1;
    night_conclude(&n);
    CHECK(n.pass->action == ACTION_EXPORT_KEY);
}

/* The key is as declared and asks for no step; the set on it is held up by the store that the key is
 * in all the same. */
static void check_reaches_through_the_satisfied(struct arena *a)
{
    struct night n = {.arena = a, .d = estate(a), .steps = {.arena = a}};
    struct concluding c = {.steps = &n.steps, .all = n.all, .relies = relies};
    struct step *block = steps_add(&n.steps, &n.d[STORE], ACTION_BLOCKED, "x", "it is in another region");

    steps_add(&n.steps, &n.d[KEY], ACTION_NONE, NULL, "there");
    n.create = steps_add(&n.steps, &n.d[SET], ACTION_CREATE, NULL, "absent");
    step_on(&n.steps, n.create, &n.d[KEY]);
    for (size_t i = 0; i < n.steps.count; i++)
        conclude_document(&c, n.steps.items[i]->document, 0);
    CHECK(n.all[KEY].verdict == PROSPECT_SATISFIED);
    CHECK(conclude_hold(&c, 0));
    CHECK(n.create->action == ACTION_BLOCKED && n.create->held_by == block);

    /* The key only mentions the backup: a block there is none of the set's. */
    n.steps.count = 0;
    steps_add(&n.steps, &n.d[STORE], ACTION_NONE, NULL, "there");
    steps_add(&n.steps, &n.d[BACKUP], ACTION_BLOCKED, "x", "stale");
    n.create = steps_add(&n.steps, &n.d[SET], ACTION_CREATE, NULL, "absent");
    step_on(&n.steps, n.create, &n.d[KEY]);
    for (size_t i = 0; i < n.steps.count; i++)
        conclude_document(&c, n.steps.items[i]->document, 0);
    CHECK(!conclude_hold(&c, 0) && n.create->action == ACTION_CREATE);
}

/* Of several machines that a pass serves, one that can be restored is reason enough. */
static void check_serves_another(struct arena *a)
{
    struct night n;

    night_begin(&n, a);
    step_serves(&n.steps, n.pass, &n.d[SET]);
    steps_add(&n.steps, &n.d[MACHINE], ACTION_BLOCKED, "x", "its name is taken");
    night_conclude(&n);
    CHECK(n.pass->action == ACTION_EXPORT_KEY && n.create->action == ACTION_CREATE);
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    check_nothing_stands_against(a);
    check_blocks(a);
    check_aside_and_adopted(a);
    check_withheld(a);
    check_serves_another(a);
    check_reaches_through_the_satisfied(a);
    HARNESS_END();
}
