/* A run that is killed at every write in turn, and finished by the next. */
#ifndef REINSTATE_KILLED_H
#define REINSTATE_KILLED_H

/* --- killed at every write ---------------------------------------------------------------------------------------- */

/* The claim that the last run has left to a person, as the option that takes it over; NULL: none. */
static const char *claim_left(struct scenario *s)
{
    static const char option[] = "--take-over ";
    const char *talk = file_read(s->arena, in_dir(s, "out")), *at = strstr(talk, option);
    size_t n;

    if (!at)
        return NULL;
    at += strlen(option);
    n = strcspn(at, "=");
    return arena_printf(s->arena, "%.*s=A. Person", (int)n, at);
}

static size_t jobs_in(struct scenario *s)
{
    return value_count(value_at(s->world, "spec.jobs"));
}

/* What the rerun ends with; with a claim left to a person, what it ends with once he has looked. */
static int rerun(struct scenario *s, const struct value *run, const char *path, const char *when)
{
    int code;

    for (int times = 0;; times++) {
        const char *claim = times ? claim_left(s) : NULL;
        size_t before = jobs_in(s);

        world_place(s);
        code = run_with(s, run, path, claim);
        world_follow(s);
        if (code != 3 || times == 3 || !claim_left(s))
            return code;
        if (jobs_in(s) != before)
            fault(s, when, "a job was started although a claim was left to a person");
    }
}

/* Kills the first run at one write, then runs it again to the end. */
static void kill_at(struct scenario *s, size_t write, const char *how, bool journal)
{
    const struct value *run = value_item(value_get(s->spec, "runs"), 0);
    const char *when = arena_printf(s->arena, "%s %zu %s journal", how, write, journal ? "with" : "without");
    const char *path = journal ? in_dir(s, "journal") : "none";
    struct value *f = value_map(s->arena), *on = value_map(s->arena);
    int code;

    value_set_int(s->arena, on, "write", (int64_t)write);
    value_set(s->arena, f, "on", on);
    value_set_string(s->arena, f, "do", how);
    if (!value_at(s->world, "spec.faults"))
        value_set(s->arena, value_get(s->world, "spec"), "faults", value_list(s->arena));
    value_push(s->arena, value_at(s->world, "spec.faults"), f);
    world_place(s);
    unlink(in_dir(s, "journal"));
    s->triggers = value_list(s->arena);
    code = run_binary(s, run, path);
    world_follow(s);
    if (code != EXIT_KILLED)
        fault(s, when, arena_printf(s->arena, "the run was not killed, it ended with %d", code));
    code = rerun(s, run, path, when);
    if (code != value_int_at(run, "exit", 0)) {
        fault(s, when, arena_printf(s->arena, "the rerun ended with %d", code));
        show(s, "out");
        show(s, "err");
    }
    expect_jobs(s, value_get(s->spec, "jobs"), when);
}

static void kill_everywhere(struct scenario *s)
{
    const struct value *run = value_item(value_get(s->spec, "runs"), 0);
    struct value *begin = value_copy(s->arena, s->world);
    size_t writes, positions = 0;
    int code;

    world_place(s);
    code = run_binary(s, run, "none");
    world_follow(s);
    if (code != value_int_at(run, "exit", 0))
        fault(s, "the run without a kill", arena_printf(s->arena, "ended with %d", code));
    expect_jobs(s, value_get(s->spec, "jobs"), "the run without a kill");
    writes = (size_t)value_int_at(s->world, "spec.state.writes", 0);
    if (!writes)
        fault(s, "the world counted no write", NULL);
    for (size_t n = 1; n <= writes && s->faults < 5; n++)
        for (int mode = 0; mode < 4; mode++, positions++) {
            struct arena *whole = s->arena;

            /* Hundreds of positions leave nothing behind. */
            s->arena = arena_new();
            s->world = value_copy(s->arena, begin);
            kill_at(s, n, mode & 1 ? "kill-after" : "kill-before", mode & 2);
            arena_free(s->arena);
            s->arena = whole;
        }
    s->world = begin;
    s->triggers = value_list(s->arena);
    printf("    %s: killed at %zu positions\n", s->name, positions);
}

#endif
