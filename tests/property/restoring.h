/* A restore as the simulated Azure carries it out, beside what was foretold of it. */
#ifndef REINSTATE_RESTORING_H
#define REINSTATE_RESTORING_H

/* --- a: a restore as Azure carries it out ------------------------------------------------------------------------- */

struct ending {
    enum dx_outcome outcome;
    const char *code, *row;
};

static struct sim *sim_of(struct property *p, struct state *s, const struct value *world)
{
    struct sim_options options = {.world = world, .endpoints = peer_endpoints(cloud_builtin("AzurePublic"))};
    struct diags diags;
    struct sim *sim;

    diags_init(&diags, s->arena);
    sim = sim_new(&options, &diags);
    return told(p, s, &diags) ? sim : NULL;
}

static struct value *ask(struct sim *sim, struct arena *a, int64_t at_ms, const char *token, const char *url,
                         const char *body, int *ret_status)
{
    struct sim_header headers[] = {{"Content-Type", token ? "application/json" : "application/x-www-form-urlencoded"},
                                   {"Authorization", arena_printf(a, "Bearer %s", token ? token : "")}};
    struct sim_call call = {.method = "POST",
                            .url = url,
                            .headers = headers,
                            .n_headers = token ? 2 : 1,
                            .body = body,
                            .body_len = strlen(body)};
    struct sim_answer answer = {0};
    struct value *v = NULL;
    struct err err;

    sim_handle(sim, at_ms, a, &call, &answer);
    *ret_status = answer.status;
    if (answer.body.len && json_parse(a, text_str(&answer.body), answer.body.len, &v, &err) < 0)
        v = NULL;
    text_release(&answer.body);
    return v;
}

static bool machine_runs(const struct value *world, const char *suffix)
{
    const struct value *all = value_at(world, "spec.resources");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *statuses = value_at(value_item(all, i), "properties.instanceView.statuses");

        for (size_t k = 0; str_ends_nocase(value_str_at(value_item(all, i), "id"), suffix) && k < value_count(statuses);
             k++)
            if (str_eq_nocase(value_str_at(value_item(statuses, k), "code"), "PowerState/running"))
                return true;
    }
    return false;
}

static struct ending ending_of(const struct state *s, const struct value *world)
{
    const struct value *jobs = value_at(world, "spec.jobs"),
                       *job = value_count(jobs) ? value_item(jobs, value_count(jobs) - 1) : NULL;
    struct ending e = {
        .outcome = DX_OUTCOME_UNKNOWN, .row = value_str_at(job, "sim.row"), .code = value_str_at(job, "sim.code")};
    const char *status = value_str_at(job, "properties.status");

    if (str_eq(status, "Completed") || str_eq(status, "CompletedWithWarnings"))
        e.outcome = s->drawn.disks || s->drawn.replace || machine_runs(world, "/virtualMachines/vm-r") ? DX_SUCCEEDS
                                                                                                       : DX_DISKS_ONLY;
    else if (str_eq(status, "Failed"))
        e.outcome = !e.code                                    ? DX_DISKS_ONLY
                    : value_bool_at(job, "sim.exports", false) ? DX_FAILS_AND_EXPORTS
                                                               : DX_FAILS;
    return e;
}

static struct ending carry_out(struct property *p, struct state *s, const char *item,
                               const struct restore_request *request)
{
    struct arena *a = s->arena;
    struct ending e = {.outcome = DX_OUTCOME_UNKNOWN};
    struct sim *sim = sim_of(p, s, s->world);
    int64_t now = sim ? sim_start_ms(sim) + SECOND_MS : 0;
    const char *form =
        "grant_type=client_credentials&client_id=0f0f0f0f-0000-4000-8000-00000000000b&client_secret=sim-client-secret"
        "&scope=https%3A%2F%2Fmanagement.azure.com%2F%2F.default";
    struct value *answer;
    const char *url;
    int status;

    if (!sim)
        return e;
    answer =
        ask(sim, a, now, NULL,
            "https://login.microsoftonline.com/0f0f0f0f-0000-4000-8000-000000000001/oauth2/v2.0/token", form, &status);
    url = arena_printf(a, "https://management.azure.com%s/recoveryPoints/%s/restore?api-version=2026-07-01", item,
                       request->point);
    answer = ask(sim, a, now, value_str_at(answer, "access_token"), url,
                 json_string(a, backup_restore_body(a, request), JSON_COMPACT), &status);
    if (status == 202) {
        sim_leave(sim, now + 3 * (int64_t)HOUR_MS);
        e = ending_of(s, sim_world(a, sim));
    } else if (status < 500) {
        e = (struct ending){.outcome = DX_FAILS, .code = value_str_at(answer, "error.code"), .row = "refused"};
    }
    sim_free(sim);
    return e;
}

/* --- a: foretold and seen ----------------------------------------------------------------------------------------- */

/* A circumstance of a question: a setting's value, or a word of state_words. */
static bool circumstances(struct state *s, const struct value *when)
{
    char *words = arena_printf(s->arena, " %s ", state_words(s->arena, &s->drawn));

    for (size_t i = 0; i < value_count(when); i++) {
        const char *word = value_str(value_item(when, i)), *equals = strchr(word, '=');
        bool setting =
            equals && knob_set(&s->drawn, arena_strndup(s->arena, word, (size_t)(equals - word)), equals + 1);

        if (!setting && !strstr(words, arena_printf(s->arena, " %s ", word)))
            return false;
    }
    return true;
}

static bool listed(const struct value *list, const char *word)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq(value_str(value_item(list, i)), word))
            return true;
    return value_count(list) == 0;
}

/* A question about the name of an error says `codes: any`; one about the end has no codes; `codes:
 * either` is about both. */
static bool asked(struct property *p, struct state *s, const struct dx_facts *f, const struct dx_prediction *foretold,
                  const struct ending *e, bool code)
{
    for (size_t i = 0; i < p->n_questions; i++) {
        const struct value *q = p->questions[i].told, *codes = value_get(q, "codes");
        const char *facts = value_str_at(q, "facts");
        bool about = codes ? code || str_eq(value_str(codes), "either") : !code;

        if (about && listed(value_get(q, "rows"), foretold->row->id) &&
            (listed(value_get(q, "foretold"), outcome_words[foretold->outcome]) ||
             (str_eq(s->drawn.article, "strictest") &&
              listed(value_get(q, "foretold"), outcome_words[foretold->other]))) &&
            listed(value_get(q, "seen"), outcome_words[e->outcome]) && circumstances(s, value_get(q, "when")) &&
            (!facts || strstr(dx_facts_words(s->arena, f), facts))) {
            p->questions[i].met++;
            return true;
        }
    }
    return false;
}

/* FAILS says nothing of an export where the point has a vault tier (diagnosis.h). Nobody starts a machine whose disks
 * were replaced, so that one which could not start ends like one which could. */
static bool same_outcome(const struct state *s, enum dx_outcome foretold, enum dx_outcome seen)
{
    if (s->drawn.replace && foretold == DX_DISKS_ONLY && seen == DX_SUCCEEDS)
        return true;
    return foretold == seen || (foretold == DX_FAILS && seen == DX_FAILS_AND_EXPORTS && s->drawn.tier <= TIER_BOTH);
}

static bool fails(enum dx_outcome outcome)
{
    return outcome == DX_FAILS || outcome == DX_FAILS_AND_EXPORTS;
}

static void compare(struct property *p, struct state *s, const char *request, const struct dx_facts *f,
                    enum dx_article article, const struct ending *e)
{
    struct dx_prediction foretold = diagnose(f, article);
    bool edition = !str_eq(s->drawn.article, "strictest");
    bool agree =
        same_outcome(s, foretold.outcome, e->outcome) || (!edition && same_outcome(s, foretold.other, e->outcome));

    p->predictions++;
    if (foretold.outcome == DX_OUTCOME_UNKNOWN) {
        if (p->unknown++ < UNKNOWN_SHOWN && p->count > 1)
            printf("unknown: %s: %s -> %s\n", request, dx_facts_words(s->arena, f), outcome_words[e->outcome]);
        return;
    }
    if (e->outcome == DX_OUTCOME_UNKNOWN)
        fault(p, s, "%s: the job has no end", request);
    else if (!agree && !asked(p, s, f, &foretold, e, false))
        fault(p, s, "%s: foretold %s (%s), seen %s (%s, %s)\n    facts: %s", request, outcome_words[foretold.outcome],
              foretold.row->id, outcome_words[e->outcome], e->row ? e->row : "-", e->code ? e->code : "-",
              dx_facts_words(s->arena, f));
    else if (agree && fails(foretold.outcome) && fails(e->outcome) && foretold.code &&
             !str_eq(foretold.code, e->code) && !asked(p, s, f, &foretold, e, true))
        fault(p, s, "%s: foretold code %s (%s), seen %s (%s)\n    facts: %s", request, foretold.code, foretold.row->id,
              e->code ? e->code : "-", e->row ? e->row : "-", dx_facts_words(s->arena, f));
    else if (p->count == 1)
        printf("%s: foretold %s (%s), seen %s (%s, %s); facts: %s\n", request, outcome_words[foretold.outcome],
               foretold.row->id, outcome_words[e->outcome], e->row ? e->row : "-", e->code ? e->code : "-",
               dx_facts_words(s->arena, f));
}

static void predictions(struct property *p, struct state *s)
{
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct pass *pass = pass_new(s->arena, r, s->estate.desired, true);
    const struct document *rvm = desired_find(s->estate.desired, "RestoredVirtualMachine", "vm-dr");
    struct settings settings = r->settings;
    struct restore_request request;
    struct situation now;
    struct dx_facts facts;
    struct ending e;
    const char *item;

    settings.article = policy_article(s->estate.policy);
    pass_run(pass);
    rig_end(r, s->arena);
    if (!pass->looked) {
        fault(p, s, "no look: %s", pass->err.text);
        return;
    }
    pass->look.view.settings = &settings;
    now = situation_foreseen(&pass->look.view, rvm); /* by another reading than the look's */
    item = value_str_at(view_facts(&pass->look.view, now.pvm), "itemId");
    request = restored_vm_request(&pass->look.view, &now);
    request.point = POINT;
    facts = now.now;
    request.des_id = NULL;
    e = carry_out(p, s, item, &request);
    compare(p, s, "naming none", &facts, now.article, &e);
    if (s->drawn.platform_key)
        return;
    facts = now.named;
    if (s->drawn.supplied == SUPPLIED_ORIGINAL)
        facts.given = DX_GIVEN_ORIGINAL;
    if (str_eq(view_state(&pass->look.view, now.des), "absent"))
        facts.fault = DX_FAULT_MISSING;
    /* A set that its own steps would change is not named as it stands. */
    if (facts.given == DX_GIVEN_NOTHING ||
        (facts.fault != DX_FAULT_MISSING && view_prospect(&pass->look.view, now.des) == PROSPECT_PENDING))
        return;
    request.des_id = now.des_id;
    e = carry_out(p, s, item, &request);
    compare(p, s, "naming the set", &facts, now.article, &e);
}

#endif
