/* Each document in its turn is suspended, or observed only: it is not written to, whoever would do it, and the plan
 * says what stands still for what. */
#ifndef REINSTATE_WITHHELD_H
#define REINSTATE_WITHHELD_H

static const char *const annotations[][2] = {{"reinstate/suspend", "an auditor looks at it"},
                                             {"reinstate/mode", "observe"}};

/* The same estate with one document so annotated. */
static const struct desired *annotated(struct arena *a, const struct setting *s, const struct document *doc,
                                       const char *const annotation[2])
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    for (size_t i = 0; i < value_count(s->estate.desired->raw); i++) {
        struct value *one = value_copy(a, value_item(s->estate.desired->raw, i));

        if (str_eq(value_str_at(one, "kind"), doc->kind) && str_eq(value_str_at(one, "metadata.name"), doc->name)) {
            struct value *all = value_map(a);

            value_set_string(a, all, annotation[0], annotation[1]);
            value_set(a, (struct value *)value_get(one, "metadata"), "annotations", all);
        }
        value_push(a, docs, one);
    }
    return desired_resolve(a, schemas, &all_naming, docs, &diags);
}

/* By which name a document's thing stands in what is sent; NULL: all that is sent is its own (Azure), or none. */
static const char *name_sent(struct arena *a, const struct document *doc)
{
    const char *thing = doc->stands_for, *last = thing ? strrchr(thing, strchr(thing, '|') ? '|' : '/') : NULL;

    return last ? arena_strdup(a, last + 1) : NULL;
}

/* Whether that name stands in the fragment as a whole word of a path or a host. */
static bool names(const char *fragment, const char *name)
{
    const char *at = name ? str_find_nocase(fragment, name) : NULL;

    for (; at; at = str_find_nocase(at + 1, name))
        if ((at == fragment || strchr("/;", at[-1])) && (!at[strlen(name)] || strchr("/;.?", at[strlen(name)])))
            return true;
    return false;
}

static bool sends_to(const struct step *step, const char *name)
{
    for (size_t i = 0; i < step->n_writes; i++)
        if (names(step->writes[i].fragment, name))
            return true;
    return false;
}

static size_t altering(const struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->steps.count; i++)
        n += step_alters(plan->steps.items[i]);
    return n;
}

/* What no longer is done says for whom it stands still, itself or by the step that holds it up. */
static void check_told(const struct plan *was, const struct plan *is, const struct document *doc)
{
    for (size_t i = 0; i < was->steps.count; i++) {
        const struct step *before = was->steps.items[i], *now = steps_find(&is->steps, before->id);

        if (step_alters(before) && !(now && now->action != ACTION_BLOCKED))
            CHECK_ROW(before->id, !now || now->document == doc || now->held_by || strstr(now->reason, doc->address));
    }
}

/* Whether something would have been done that is not done now. */
static bool check_still(const struct setting *s, struct rig *r, const struct pass *p, const struct document *doc,
                        const char *const annotation[2])
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct desired *desired = annotated(a, s, doc, annotation);
    const struct document *still = desired->documents[doc->index];
    struct view view = p->look.view;
    const struct plan *plan = NULL;
    const char *broken, *name = name_sent(a, doc);
    struct err err = {0};

    CHECK_ROW(doc->address, str_eq(still->address, doc->address) && still->withheld == still);
    view.arena = a;
    view.desired = desired;
    view.memo = view_memo_new(a);
    CHECK_ROW(doc->address, engine_conclude(&r->engine, a, &view, &plan, &err) == 0);
    broken = plan ? invariants_of_plan(a, &view, &plan->steps) : "no plan";
    broken = broken ? broken : invariant_alone(a, &r->engine, &view, plan);
    CHECK_ROW(broken ? broken : "", !broken);
    for (size_t i = 0; plan && i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];

        CHECK_ROW(step->id, !step_alters(step) || step->document->connection != still);
        CHECK_ROW(step->id, !step_alters(step) || !sends_to(step, name));
    }
    if (plan)
        check_told(p->look.plan, plan, still);
    return plan && altering(plan) < altering(p->look.plan);
}

static void test_withheld(const struct setting *s, bool *withheld)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct pass *p = pass_new(a, r, s->estate.desired, true);

    pass_run(p);
    for (size_t i = 0; p->looked && i < s->estate.desired->count; i++)
        for (size_t m = 0; m < COUNT(annotations); m++) {
            const struct document *doc = s->estate.desired->documents[i];
            bool less = check_still(s, r, p, doc, annotations[m]);

            for (size_t k = 0; k < all_kinds.count; k++)
                withheld[k] |= less && str_eq(all_kinds.items[k]->name, doc->kind);
        }
    rig_end(r, a);
}

/* A policy is in force as long as it is there: whoever wants it lifted takes it out. */
static void test_withholding(const bool *withheld)
{
    for (size_t k = 0; k < all_kinds.count; k++)
        CHECK_ROW(all_kinds.items[k]->name, withheld[k] == !str_eq(all_kinds.items[k]->name, "Policy"));
}

#endif
